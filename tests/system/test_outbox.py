"""What the worker sends: in order, within Telegram's limits, until it arrives."""

import json
import sqlite3
import time

import pytest

from meals import eaten
from telegram_rules import Refused

OLD = "query is too old"


def enqueue(stack, person, key, call, run_at=0):
    """A durable call, stored in the person's shard as the bot stores it."""
    db = sqlite3.connect(stack.state / f"data/shard{person.id % stack.nshards}.db", timeout=10)
    now = int(time.time() * 1000)
    db.execute("INSERT INTO jobs (id, user_id, slot, state, kind, payload, run_at, tries,"
               " lease_token, lease_until, created_at, done_at, last_error)"
               " VALUES (?, ?, ?, 0, 'send', ?, ?, 0, 0, 0, ?, 0, '')",
               (f"send:{person.id}:{key}", person.id, person.id % 5040,
                json.dumps(call, ensure_ascii=False), run_at or now, now))
    db.commit()
    db.close()


def send(person, text, **more):
    return {"method": "sendMessage", "chat_id": person.chat.id, "text": text, **more}


def known(stack, name="Анна", **how):
    person = stack.person(name, **how)
    person.says("/help")
    return person


def job_state(stack, person, key):
    rows = stack.shard_rows("SELECT state, last_error FROM jobs WHERE id = ?",
                            f"send:{person.id}:{key}")
    return rows[0][1:] if rows else (None, "")


def test_a_tap_is_answered_and_the_message_edited(stack):
    p = stack.person()
    p.asks("200 г гречки")
    tap = p.taps("2×")
    assert tap.toast(timeout=5)
    assert stack.double.calls("editMessageText", chat_id=p.id)[-1].via == "body"
    assert stack.double.calls("answerCallbackQuery")[-1].via == "http"


@pytest.mark.refused(OLD)
def test_a_query_that_is_too_old_is_let_be(stack):
    p = stack.person()
    p.asks("200 г гречки")
    stack.double.query_life = 0
    try:
        tap = p.taps("2×")
        stack.double.wait_for(lambda: [c for c in stack.double.refusals if OLD in c.error])
        time.sleep(1.2)
        tries = [c for c in stack.double.calls("answerCallbackQuery")
                 if c.params["callback_query_id"] == tap.id]
        assert len(tries) == 1, "nobody waits for it any more"
    finally:
        stack.double.query_life = 15


def test_the_same_tap_again_edits_nothing_and_that_is_success(stack):
    p = stack.person()
    p.asks("200 г гречки")
    seen = p.sees()
    p.presses("2×")
    p.taps("2×", seen)
    p.taps("2×", seen)
    assert eaten(p.asks("/today")) > 0


def test_a_second_message_follows_by_the_worker(stack):
    """What is known is written down at once; what is not is asked for."""
    p = stack.person()
    p.says("100 г риса и 100 г глумбурзика")
    said = stack.double.deliveries[-1]
    question = p.hears("глумбурзик", timeout=10)
    assert "рис" in p.history()[0].text.lower() and question.id != p.history()[0].id
    call = stack.double.calls("sendMessage", chat_id=p.id)[-1]
    assert call.via == "http" and call.params["parse_mode"] == "HTML"
    stack.double.deliver_raw(said.update, times=3)
    time.sleep(1.5)
    asked = [s for s in p.history() if "глумбурзик" in s.text.lower()]
    assert len(asked) == 1, "a repeated delivery asks nothing again"


def test_commands_are_set_in_both_languages(stack):
    both = stack.double.wait_for(
        lambda: {k[1]: v for k, v in stack.double.commands.items() if k[0] == "default"},
        what="setMyCommands")
    stack.double.wait_for(lambda: ("default", "ru") in stack.double.commands)
    both = {k[1]: v for k, v in stack.double.commands.items()}
    names = {lang: [c["command"] for c in commands] for lang, commands in both.items()}
    assert names[""] == names["ru"]
    assert {"today", "week", "history", "undo", "profile", "help"} <= set(names["ru"])
    russian = " ".join(c["description"] for c in both["ru"])
    assert any("а" <= ch <= "я" for ch in russian)
    assert not any("а" <= ch <= "я" for c in both[""] for ch in c["description"])


def test_what_is_due_arrives_in_order(sqlite):
    p = known(sqlite)
    for n in range(3):
        enqueue(sqlite, p, f"order{n}", send(p, f"номер {n}"), int(time.time() * 1000) - 9 + n)
    p.hears("номер 2", timeout=15)
    texts = [s.text for s in p.history() if s.text.startswith("номер")]
    assert texts == ["номер 0", "номер 1", "номер 2"]
    calls = [c for c in sqlite.double.calls("sendMessage", chat_id=p.id) if c.via == "http"]
    gaps = [b.at - a.at for a, b in zip(calls, calls[1:])]
    assert all(g > 0.85 for g in gaps), "one a second to one chat"


def test_what_is_not_due_waits(sqlite):
    p = known(sqlite)
    enqueue(sqlite, p, "later", send(p, "потом"), int((time.time() + 2.5) * 1000))
    time.sleep(1.3)
    assert not any("потом" in s.text for s in p.history())
    p.hears("потом", timeout=10)


@pytest.mark.refused("Too Many Requests")
def test_429_waits_as_long_as_it_is_told_and_is_no_failure(sqlite):
    p = known(sqlite)
    sqlite.double.fail("sendMessage", Refused(429, "Too Many Requests: retry after 2",
                                              retry_after=2), times=1, chat_id=p.id)
    enqueue(sqlite, p, "flood", send(p, "после паузы"))
    p.hears("после паузы", timeout=15)
    first, second = [c for c in sqlite.double.calls("sendMessage", chat_id=p.id)
                     if c.params["text"] == "после паузы"]
    assert second.at - first.at >= 1.9
    sqlite.double.wait_for(lambda: job_state(sqlite, p, "flood")[0] == 2)
    assert sqlite.shard_rows("SELECT tries FROM jobs WHERE id = ?",
                             f"send:{p.id}:flood")[0][1] == 0


@pytest.mark.refused("bot was blocked")
def test_403_ends_it_and_the_person_who_comes_back_is_served(sqlite):
    p = known(sqlite)
    p.says("100 г риса")
    p.chat.blocked = "bot was blocked by the user"
    enqueue(sqlite, p, "blocked", send(p, "не дойдёт"))
    sqlite.double.wait_for(lambda: [c for c in sqlite.double.refusals
                                    if c.params.get("text") == "не дойдёт"])
    sqlite.double.wait_for(lambda: job_state(sqlite, p, "blocked")[0] in (2, 3))
    time.sleep(1.5)
    assert len([c for c in sqlite.double.refusals if c.params.get("text") == "не дойдёт"]) == 1
    p.chat.blocked = ""
    p.unblocks()
    assert "рис" in p.asks("100 г риса").text.lower()
    enqueue(sqlite, p, "back", send(p, "снова вместе"))
    p.hears("снова вместе", timeout=10)


@pytest.mark.refused("upgraded to a supergroup")
def test_a_group_that_moved_gets_its_message(sqlite):
    p = known(sqlite)
    group = sqlite.group(supergroup=False)
    new = group.migrates()
    enqueue(sqlite, p, "moved", {"method": "sendMessage", "chat_id": group.chat.id,
                                 "text": "в новую группу"})
    talk = p.in_group(new)
    talk.hears("в новую группу", timeout=15)
    assert job_state(sqlite, p, "moved")[0] in (1, 2)


@pytest.mark.refused("can't parse entities")
def test_formatting_that_is_refused_goes_plain(sqlite):
    p = known(sqlite)
    enqueue(sqlite, p, "html", send(p, "<b>жирно</i> и 2 &lt; 3", parse_mode="HTML"))
    seen = p.hears("жирно", timeout=15)
    assert "<b>" not in seen.text and "2 < 3" in seen.text


@pytest.mark.refused("chat not found")
def test_what_can_never_succeed_becomes_a_dead_letter_an_operator_can_see(sqlite):
    p = known(sqlite)
    enqueue(sqlite, p, "dead", {"method": "sendMessage", "chat_id": 424242, "text": "x"})
    sqlite.double.wait_for(lambda: job_state(sqlite, p, "dead")[0] == 3, 15, "a dead letter")
    assert "chat not found" in job_state(sqlite, p, "dead")[1]
    listed = sqlite.program("familybotctl", "jobs", "list")
    assert listed.returncode == 0 and f"send:{p.id}:dead" in listed.stdout, listed.stderr
    dropped = sqlite.program("familybotctl", "jobs", "drop", f"send:{p.id}:dead")
    assert dropped.returncode == 0, dropped.stderr
    assert job_state(sqlite, p, "dead")[0] is None


@pytest.mark.refused("Internal Server Error", "Bad Gateway")
def test_errors_of_telegram_and_lost_connections_are_tried_again(sqlite):
    p = known(sqlite)
    sqlite.double.fail("sendMessage", Refused(502, "Bad Gateway"), chat_id=p.id)
    enqueue(sqlite, p, "gateway", send(p, "через ошибку"))
    p.hears("через ошибку", timeout=15)
    sqlite.double.fail("sendMessage", "drop")
    enqueue(sqlite, p, "drop", send(p, "через обрыв"))
    p.hears("через обрыв", timeout=20)


def test_a_worker_that_is_killed_sends_the_rest(sqlite):
    people = [known(sqlite, f"Р{i}") for i in range(8)]
    for n, p in enumerate(people):
        enqueue(sqlite, p, "kill", send(p, f"важное {n}"), int(time.time() * 1000) + 300)
    time.sleep(0.45)
    for pid in sqlite.pids("familybot-worker"):
        sqlite.kill(pid)
    for n, p in enumerate(people):
        p.hears(f"важное {n}", timeout=90)
    extra = sum(len([s for s in p.history() if "важное" in s.text]) - 1 for p in people)
    assert extra <= 8, "at least once; twice only what was under way"


def test_thirty_a_second_over_all(sqlite):
    people = [known(sqlite, f"С{i}") for i in range(45)]
    start = len(sqlite.double.journal)
    due = int(time.time() * 1000) + 500
    for p in people:
        enqueue(sqlite, p, "many", send(p, "всем"), due)
    for p in people:
        p.hears("всем", timeout=20)
    times = [c.at for c in sqlite.double.journal[start:] if c.params.get("text") == "всем"]
    for i, t in enumerate(times):
        assert sum(t <= u < t + 0.95 for u in times[i:]) <= 32
