"""The webhook against bad input, the probes, the metrics, the log."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

from harness import MongoServer
from meals import eaten
from telegram_rules import now


def update(p, **message):
    body = {"message_id": 1, "from": p.user, "chat": p.chat.info, "date": now(), **message}
    return {"update_id": 80_000_001, "message": body}


@pytest.fixture
def unharmed(stack):
    """No process may die of what the test sends."""
    before = stack.wait_pids()
    yield stack
    assert stack.pids() == before, "a process died"
    assert stack.http("GET", "/healthz").status == 200


@pytest.mark.parametrize("secret", ["", "x", "Sys-", "я".encode().decode("latin-1"), "A" * 1000])
def test_a_wrong_or_missing_secret_is_refused(unharmed, secret):
    p = unharmed.person()
    body = update(p, text="100 г риса")
    send = {"Content-Type": "application/json"}
    if secret:
        send["X-Telegram-Bot-Api-Secret-Token"] = secret
    answer = unharmed.http("POST", "/api/webhook", json.dumps(body).encode(), send)
    assert answer.status in (401, 403)
    assert "сек" not in answer.text and unharmed.secret not in answer.text
    assert eaten(p.asks("/today")) == 0


def test_a_secret_that_is_longer_or_shorter_by_one_is_refused(unharmed):
    for secret in (unharmed.secret + "x", unharmed.secret[:-1], unharmed.secret.upper()):
        assert unharmed.hook({"update_id": 1}, secret=secret).status in (401, 403)


def test_more_than_a_mebibyte_is_refused(unharmed):
    body = b'{"update_id":1,"x":"' + b"a" * (1 << 20) + b'"}'
    assert unharmed.hook(body).status == 413
    assert unharmed.hook(body[:-400000] + b'"}').status == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded",
                                  "multipart/form-data; boundary=x", "application/jsonp",
                                  "application/octet-stream"])
def test_another_content_type_is_not_processed(unharmed, kind):
    p = unharmed.person()
    answer = unharmed.hook(update(p, text="100 г риса"), kind=kind)
    assert answer.status in (200, 400, 415)
    assert eaten(p.asks("/today")) == 0


def test_json_with_a_charset_is_fine(unharmed):
    p = unharmed.person()
    answer = unharmed.hook(update(p, text="100 г риса"), kind="application/json; charset=utf-8")
    assert answer.status == 200 and "method" in answer.json


BROKEN = {
    "nothing": b"",
    "half": b'{"update_id":1,"message":{"message_id":',
    "no JSON": b"hello",
    "an array": b"[]",
    "a number": b"17",
    "a string": b'"update"',
    "null": b"null",
    "empty object": b"{}",
    "trailing words": b'{"update_id":1} and more',
    "two objects": b'{"update_id":1}{"update_id":2}',
    "bytes of zero": b"\0" * 500,
    "zero in a string": b'{"update_id":1,"message":{"text":"a\\u0000b"}}',
    "bad UTF-8": b'{"update_id":1,"message":{"message_id":1,"date":1,"chat":{"id":5,"type":'
                 b'"private"},"from":{"id":5,"is_bot":false,"first_name":"x"},"text":"\xff\xfe\xc3"}}',
    "lone surrogate": b'{"update_id":1,"message":{"message_id":1,"date":1,"chat":{"id":5,"type":'
                      b'"private"},"from":{"id":5,"is_bot":false,"first_name":"x"},'
                      b'"text":"100 \\ud83d rice"}}',
    "NaN": b'{"update_id":NaN}',
    "Infinity": b'{"update_id":-Infinity}',
    "deep arrays": b'{"update_id":1,"message":' + b"[" * 50000 + b"]" * 50000 + b"}",
    "deep objects": b'{"a":' * 30000 + b"1" + b"}" * 30000,
    "unclosed depth": b"[" * 900000,
    "many keys": b'{"update_id":1,' + b",".join(b'"k%d":%d' % (i, i) for i in range(60000)) + b"}",
    "number as text": b'{"update_id":"12ab","message":{"message_id":"x"}}',
    "everything null": b'{"update_id":null,"message":null,"callback_query":null}',
    "wrong kinds": b'{"update_id":1,"message":[1,2],"callback_query":"x","edited_message":7}',
    "message is empty": b'{"update_id":1,"message":{}}',
    "callback is empty": b'{"update_id":1,"callback_query":{}}',
    "edited is empty": b'{"update_id":1,"edited_message":{}}',
}
HUGE = ["9223372036854775807", "9223372036854775808", "-9223372036854775808",
        "-9223372036854775809", "1e308", "1e999", "123456789012345678901234567890", "1.5", "-0"]


@pytest.mark.parametrize("name", BROKEN)
def test_broken_bodies_never_make_a_retry_storm(unharmed, name):
    answer = unharmed.hook(BROKEN[name])
    assert answer.status in (200, 400, 413), "it can never succeed: no 5xx"
    if answer.status == 200:
        assert "method" not in answer.json or name == "lone surrogate"


@pytest.mark.parametrize("figure", HUGE)
@pytest.mark.parametrize("field", ["update_id", "message_id", "date", "chat", "from"])
def test_numbers_out_of_range(unharmed, figure, field):
    p = unharmed.person()
    body = update(p, text="100 г риса")
    text = json.dumps(body)
    mark = {"update_id": r'"update_id": \d+', "message_id": r'"message_id": \d+',
            "date": r'"date": \d+', "chat": r'"chat": \{"id": \d+', "from": r'"from": \{"id": \d+'}
    text = re.sub(mark[field], lambda m: re.sub(r"\d+$", figure, m.group()), text)
    assert figure in text
    assert unharmed.hook(text.encode()).status == 200


@pytest.mark.parametrize("field", ["message_id", "date", "chat", "from"])
def test_missing_fields(unharmed, field):
    body = update(unharmed.person(), text="100 г риса")
    del body["message"][field]
    answer = unharmed.hook(body)
    assert answer.status == 200


@pytest.mark.refused("query is too old")
def test_missing_fields_of_a_tap(unharmed):
    p = unharmed.person()
    seen = p.asks("100 г риса")
    whole = {"id": "1", "from": p.user, "message": seen.message, "chat_instance": "1",
             "data": seen.button("2×")["callback_data"]}
    for field in ("id", "from", "message", "data"):
        query = {k: v for k, v in whole.items() if k != field}
        assert unharmed.hook({"update_id": 7, "callback_query": query}).status == 200


@pytest.mark.parametrize("kind", ["channel_post", "inline_query", "poll", "message_reaction",
                                  "chat_member", "chat_boost", "something_of_2030"])
def test_unknown_update_types_are_taken(unharmed, kind):
    answer = unharmed.hook({"update_id": 80_000_002, kind: {"id": "1", "news": [1, {"a": None}]}})
    assert answer.status == 200 and answer.json == {}


def test_unknown_fields_are_ignored(unharmed):
    p = unharmed.person()
    body = update(p, text="100 г риса", of_2030={"x": [1]}, quote={"text": "x", "position": 0})
    body["message"]["from"]["of_2030"] = True
    assert "рис" in unharmed.hook(body).json["text"].lower()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_only_post(unharmed, method):
    answer = unharmed.hook(None, method=method)
    assert answer.status == 405


@pytest.mark.parametrize("path", ["/", "/api", "/api/webhook/", "/api/webhook/x", "/api/webhook.php",
                                  "/healthz/x", "/favicon.ico"])
def test_other_paths_are_not_found(unharmed, path):
    assert unharmed.http("GET", path).status == 404


def raw(stack, request):
    """The status line and what follows, for requests that no client would send."""
    with socket.create_connection(("127.0.0.1", stack.port), timeout=10) as s:
        s.sendall(request)
        s.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
    return int(answer.split(b" ", 2)[1]), answer


@pytest.mark.parametrize("request_line, status", [
    (b"GET /..%2f..%2fetc/passwd HTTP/1.1", 400),
    (b"GET /%zz HTTP/1.1", 400),
    (b"GET /" + b"a" * 9000 + b" HTTP/1.1", 414),
    (b"GET /healthz HTTP/1.1\r\nX-Long: " + b"a" * 9000, 431),
    (b"NONSENSE", 400),
])
def test_requests_that_are_none_get_a_status_and_json(sqlite, request_line, status):
    got, answer = raw(sqlite, request_line + b"\r\nHost: x\r\n\r\n")
    assert got == status
    assert json.loads(answer[answer.index(b"{"):])["ok"] is False


def test_a_sender_who_hangs_up_in_the_middle(unharmed):
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", unharmed.port)) as s:
            s.sendall(b"POST /api/webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                      b"X-Telegram-Bot-Api-Secret-Token: " + unharmed.secret.encode() +
                      b"\r\nContent-Length: 1000\r\n\r\n{\"update_id\":1")
    assert "рис" in unharmed.person().asks("100 г риса").text.lower()


def test_healthz_and_readyz(unharmed):
    assert unharmed.http("GET", "/healthz").json["status"] == "ok"
    ready = unharmed.http("GET", "/readyz")
    assert ready.status == 200 and ready.json["status"] == "ready"
    assert [s["up"] for s in ready.json["shards"]] == [True] * 3
    assert "mongodb://" not in ready.text and "sqlite:" not in ready.text


def test_answers_keep_the_connection_and_say_json(unharmed):
    p = unharmed.person()
    answer = unharmed.hook(update(p, text="100 г риса"))
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers.get("Connection", "keep-alive").lower() != "close"


def test_server_timing_and_request_id_are_also_in_the_log(unharmed):
    p = unharmed.person()
    answer = unharmed.hook(update(p, text="100 г риса"))
    timing = answer.headers["Server-Timing"]
    for stage in ("parse", "route", "shard", "handler", "reply"):
        assert re.search(rf"\b{stage};dur=[\d.]+", timing), timing
    assert answer.headers["X-Request-Id"]
    line = unharmed.double.wait_for(lambda: unharmed.log_lines(id=answer.headers["X-Request-Id"]))
    assert len(line) == 1 and f"user={unharmed.log_name(p.id)} " in line[0] and "status=200" in line[0]
    assert "рис" not in line[0], "what people eat is not logged"
    assert str(p.id) not in line[0], "people are logged by a name, not by their id"


def test_log_lines_are_logfmt(unharmed):
    unharmed.hook({"update_id": 5, "message": {"text": 'a" b=c\nd'}})
    lines = (unharmed.state / "log/pool.log").read_text().splitlines()
    logfmt = re.compile(r'(?:[a-z_]+=(?:"(?:[^"\\]|\\.)*"|[^ "=]*))(?: |$)')
    odd = [line for line in lines if " msg=" in line or "event=request" in line or "request" in line]
    assert odd
    for line in odd:
        rest = logfmt.sub("", line.strip())
        assert len(rest.split()) <= 3, f"not logfmt: {line}"


def sample(text, name, **labels):
    for line in text.splitlines():
        if line.startswith(name) and all(f'{k}="{v}"' in line for k, v in labels.items()):
            return float(line.rsplit(" ", 1)[1])
    return 0.0


def test_metrics_count_and_promtool_agrees(unharmed):
    before = unharmed.http("GET", "/metrics").text
    p = unharmed.person()
    for _ in range(5):
        p.says("100 г риса")
    unharmed.hook({"update_id": 1}, secret="wrong")
    page = unharmed.http("GET", "/metrics")
    after = page.text
    assert page.headers["Content-Type"].startswith("text/plain")

    def grew(name, **labels):
        return sample(after, name, **labels) - sample(before, name, **labels)
    assert grew("http_requests_total", route="webhook", method="POST", status="200") == 5
    assert grew("http_requests_total", route="webhook", method="POST", status="403") + \
        grew("http_requests_total", route="webhook", method="POST", status="401") == 1
    assert grew("http_request_duration_seconds_count", route="webhook") == 6
    assert sample(after, "active_users_total") >= 1
    assert sample(after, "familybot_processes") == unharmed.processes
    for i in range(3):
        assert sample(after, "familybot_shard_up", shard=f"shard{i}") == 1
    assert sample(after, "familybot_worker_up") == 1
    for what in "up", "jobs":
        age = time.time() - sample(after, "familybot_shard_counted_timestamp_seconds",
                                   shard="shard2", what=what)
        assert age < 6, f"{what} is told {age} s late"
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=after, text=True,
                              capture_output=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_metrics_survive_a_process_that_crashed(sqlite):
    p = sqlite.person()
    p.says("100 г риса")
    before = sample(sqlite.http("GET", "/metrics").text, "http_requests_total",
                    route="webhook", status="200")
    for pid in sqlite.wait_pids():
        sqlite.kill(pid)
    sqlite.wait_pids()
    sqlite.double.wait_for(lambda: sqlite.http("GET", "/healthz").status == 200)
    after = sample(sqlite.http("GET", "/metrics").text, "http_requests_total",
                   route="webhook", status="200")
    assert after >= before


def test_user_id_modulo_n_is_where_the_user_is(sqlite):
    for shard in range(3):
        sqlite.person(shard=shard).says("100 г риса")
    for table in ("food_analysis", "users"):
        rows = sqlite.shard_rows(f"SELECT user_id, slot FROM {table}")
        assert len({r[0] for r in rows}) == 3 or table == "users"
        assert all(user % 3 == shard and slot == user % 5040 for shard, user, slot in rows)


@pytest.fixture
def mixed(new_stack, tmp_path_factory):
    """Shard 1 is a server of its own, which the test may stop."""
    server = MongoServer(tmp_path_factory.mktemp("mongo"))
    yield new_stack(backend="mixed", processes=3, mongo=server), server
    os.kill(server.pid, signal.SIGCONT)
    server.stop()


def test_a_shard_that_hangs_costs_only_its_own_users(mixed):
    stack, server = mixed
    lost, others = stack.person(shard=1), [stack.person(shard=s) for s in (0, 2)]
    assert "рис" in lost.asks("100 г риса").text.lower()
    os.kill(server.pid, signal.SIGSTOP)
    waiting = [lost.says(f"{n} г гречки", wait=False) for n in (100, 200)]
    for other in others:
        for _ in range(6):
            other.says("100 г риса")
        slowest = max(a.ended - a.started for d in stack.double.deliveries
                      if d.queue == ("chat", other.id) for a in d.attempts)
        assert slowest < 5, "others are served meanwhile"
    ready = stack.http("GET", "/readyz")
    assert ready.status == 503
    assert [s["up"] for s in ready.json["shards"]] == [True, False, True]
    assert "shard1" in ready.text and str(server.port) not in ready.text
    assert stack.http("GET", "/healthz").status == 200
    assert 'shard="shard1"} 0' in stack.http("GET", "/metrics").text
    for attempt in [a for w in waiting for a in w.delivery.attempts]:
        assert attempt.status in (200, 503)
        assert attempt.status == 200 or int(attempt.headers["Retry-After"]) >= 1
    os.kill(server.pid, signal.SIGCONT)
    for said in waiting:
        said.delivery.wait(60)
        assert not said.delivery.dropped
    stack.double.wait_for(lambda: stack.http("GET", "/readyz").status == 200, 20)
    assert stack.meals_of(lost) == 3, "all that was told is stored, and once"


def test_a_shard_that_is_gone_is_told_at_once(mixed):
    stack, server = mixed
    os.kill(server.pid, signal.SIGKILL)
    stack.double.wait_for(lambda: stack.http("GET", "/readyz").status == 503, 20)
    lost = stack.person(shard=1)
    for _ in range(3):
        answer = stack.hook(update(lost, text="100 г риса"))
        assert answer.status == 200 or int(answer.headers["Retry-After"]) >= 1
    assert "рис" in stack.person(shard=0).asks("100 г риса").text.lower()
