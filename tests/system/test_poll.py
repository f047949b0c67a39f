"""A laptop without a public address: familybot-poll and familybotctl."""

import subprocess
import time

import pytest

from meals import rows
from telegram_rules import Refused


class Poll:
    """familybot-poll of a stack, run by the test."""

    def __init__(self, stack):
        env = {**stack.environment, "FAMILYBOT_MODULES": str(stack.build)}
        self.log = stack.state / "log" / "poll-test.log"
        self.process = subprocess.Popen([stack.build / "familybot-poll", "-c", stack.conf,
                                         "--url", stack.url], env=env,
                                        stderr=self.log.open("ab"))

    def stop(self):
        self.process.terminate()
        return self.process.wait(15)


@pytest.fixture
def polled(sqlite):
    double = sqlite.double
    url = double.delivering_to
    double.delivering_to = None
    polls = [Poll(sqlite)]

    def again():
        polls.append(Poll(sqlite))
        return polls[-1]
    sqlite.poll, sqlite.poll_again = polls[0], again
    yield sqlite
    for poll in polls:
        if poll.process.poll() is None:
            poll.stop()
    double.delivering_to = url
    double.webhook = {"url": "", "secret": ""}
    double.polls.clear()


def test_updates_are_fetched_and_answers_sent(polled):
    p = polled.person()
    p.says("200 г гречки")
    seen = p.hears("гречк")
    assert len(rows(seen)) == 1
    p.taps("2×", seen)
    polled.double.wait_for(lambda: rows(p.again(seen))[0].grams == 400)
    assert all(c.via == "http" for c in polled.double.calls(chat_id=p.id))
    asked = polled.double.calls("getUpdates")[0]
    assert {"message", "edited_message", "callback_query", "my_chat_member"} <= \
        set(asked.params["allowed_updates"])
    assert asked.params["timeout"] >= 10, "long polling"


def test_the_offset_is_stored(polled):
    p = polled.person()
    said = p.says("100 г риса")
    p.hears("рис")
    polled.double.wait_for(lambda: any(
        (c.params.get("offset") or 0) > said.delivery.update_id
        for c in polled.double.calls("getUpdates")))
    assert polled.poll.stop() == 0
    start = len(polled.double.journal)
    polled.poll_again()
    first = polled.double.wait_for(
        lambda: [c for c in polled.double.journal[start:] if c.method == "getUpdates"])[0]
    assert first.params["offset"] == said.delivery.update_id + 1
    said = p.says("100 г гречки")
    p.hears("гречк")


@pytest.mark.refused("Conflict")
def test_a_webhook_that_is_set_is_explained(polled):
    polled.poll.stop()
    polled.double.webhook = {"url": "https://elsewhere.example/hook", "secret": ""}
    poll = polled.poll_again()
    polled.double.wait_for(lambda: "webhook" in poll.log.read_text().lower())
    if poll.process.poll() is None:
        poll.stop()
    calls = [c for c in polled.double.calls("getUpdates") if not c.ok]
    assert len(calls) <= 4, "no storm of questions"


@pytest.mark.refused("Bad Gateway")
def test_a_telegram_that_fails_is_asked_again_ever_later(polled):
    polled.double.fail("getUpdates", Refused(502, "Bad Gateway"), times=3)
    start = time.monotonic()
    p = polled.person()
    p.says("100 г риса")
    p.hears("рис", timeout=40)
    failed = [c for c in polled.double.calls("getUpdates", ok=False) if c.at >= start]
    gaps = [b.at - a.at for a, b in zip(failed, failed[1:])]
    assert all(g > 0.4 for g in gaps)


def test_webhook_set_info_delete(sqlite):
    env = {"PUBLIC_URL": "https://family.example"}
    done = sqlite.program("familybotctl", "webhook", "set", **env)
    assert done.returncode == 0, done.stderr
    call = sqlite.double.calls("setWebhook")[-1]
    assert call.params["url"] == "https://family.example/api/webhook"
    assert call.params["secret_token"] == sqlite.secret
    assert {"message", "edited_message", "callback_query", "my_chat_member"} <= \
        set(call.params["allowed_updates"])
    info = sqlite.program("familybotctl", "webhook", "info")
    assert "https://family.example/api/webhook" in info.stdout and info.returncode == 0
    assert sqlite.secret not in info.stdout + done.stdout + info.stderr + done.stderr
    assert sqlite.program("familybotctl", "webhook", "delete").returncode == 0
    assert sqlite.double.webhook["url"] == ""
