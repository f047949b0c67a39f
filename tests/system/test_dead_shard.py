"""A shard that is stopped, hangs, drips or is slow costs nobody else anything,
and costs its own people only time: what they write is kept, told so, applied
in order and answered when the shard is back.
"""

import itertools
import os
import threading
import time

import pytest

from dead_shard import LATER, LinedStack, Load, of_shards, p99, waiting

DEAD = 1
NUMBERS = itertools.count(90_000_001)
RATE = float(os.environ.get("FAMILYBOT_DEAD_RATE", "40"))


@pytest.fixture
def lined(mongo_server, request):
    made = []

    def make(**how):
        made.append(LinedStack(mongo_server, **how).start())
        return made[-1]
    yield make
    for stack in made:
        stack.stop()
        if not os.environ.get("FAMILYBOT_KEEP"):
            stack.remove()


def paused(stack, shard, yes=True):
    done = stack.program("familybotctl", "shards", "pause" if yes else "resume", f"shard{shard}")
    assert done.returncode == 0, done.stdout + done.stderr


def update(person, text):
    return {"update_id": next(NUMBERS), "message": person.message(text)}


def drained(stack, timeout=60):
    stack.double.wait_for(lambda: waiting(stack) == 0, timeout, "the spool to be empty")


@pytest.mark.parametrize("mode", ["stop", "hang", "drip", "slow"])
def test_others_do_not_notice(lined, mode):
    stack = lined(processes=4)
    load = Load(stack, RATE)
    others = [i for i in range(3) if i != DEAD]
    load.run(12)                        # all shards are known to be quick
    before = of_shards(stack, load.run(8), others)
    stack.lines[DEAD].mode(mode)
    during = load.run(8)
    lost, during = of_shards(stack, during, [DEAD]), of_shards(stack, during, others)
    stack.lines[DEAD].mode("pass")
    ratio = p99(during) / p99(before)
    print(f"\n{mode}: p99 of the others {p99(before) * 1e3:.1f} ms before, "
          f"{p99(during) * 1e3:.1f} ms during: {ratio:.2f}; {len(during)} requests, "
          f"{sum(one.later for one in lost)} of {len(lost)} of the shard's own kept")
    assert all(one.taken and not one.later for one in before), "all is well at first"
    bad = [(one.status, one.body) for one in during if not one.taken or one.later]
    assert bad == [], "who is on another shard is served"
    assert all(one.taken for one in lost), "who is on that shard is told that it is kept"
    assert any(one.later for one in lost)
    # some hundred requests on a machine that does other work, too, say little
    # of a hundredth of them: the bar of 1.2 is held by bench/dead-shard
    assert p99(during) <= max(1.2 * p99(before), p99(before) + 0.05)
    load.drained()
    load.run(2)
    load.drained()
    load.close()
    kept = load.judge()
    print(f"{mode}: {kept} updates were kept, applied once and answered in order")
    assert kept >= sum(one.later for one in lost)


def test_kills_of_all_programs_lose_nothing(lined):
    stack = lined(processes=4)
    load = Load(stack, 25, people=30)
    load.run(2)
    stack.lines[DEAD].mode("hang")
    stop = threading.Event()

    def killer():
        n = 0
        while not stop.wait(0.7):
            pids = stack.pids("familybot-worker") if n % 2 else stack.pids()
            if pids:
                stack.kill(pids[n % len(pids)])
            n += 1
    thread = threading.Thread(target=killer)
    thread.start()
    try:
        load.run(5)
        stack.lines[DEAD].mode("pass")
        load.run(5)                     # while the worker, killed again and again, applies
    finally:
        stop.set()
        thread.join()
    load.drained()
    load.close()
    # nginx hands a request of a process that died to the next: all are taken
    assert all(one.taken for one in load.sent), {one.status for one in load.sent}
    for person in load.people:
        mine = [one for one in load.sent if one.person is person]
        assert stack.meals_of(person) == len(mine), f"{person.id}: once each"


def test_a_full_spool_refuses_and_loses_nothing(lined):
    stack = lined(processes=3, options="spool_max = 3000;")
    person = stack.person(shard=DEAD)
    assert "гречка" in person.asks("100 г гречки").text.lower()
    stack.lines[DEAD].mode("stop")
    taken, refused = 1, 0
    for n in range(1, 20):
        answer = stack.hook(update(person, text=f"{n} г гречки"))
        if answer.status == 200:
            taken += 1
            assert not refused, "what is behind a refused one is refused, too"
        else:
            refused += 1
            assert answer.status == 503 and int(answer.headers["Retry-After"]) == 60
    assert taken > 3 and refused > 3
    other = stack.person(shard=0)
    assert "рис" in other.asks("100 г риса").text.lower()
    stack.lines[DEAD].mode("pass")
    drained(stack)
    assert stack.meals_of(person) == taken


def test_a_paused_shard_of_files(new_stack):
    stack = new_stack(processes=2)
    anna, john = stack.person(shard=DEAD), stack.person("John", language="en", shard=DEAD)
    inside = stack.person("Борис", shard=DEAD).in_group(stack.group())
    first = anna.says("100 г гречки")
    seen = anna.sees()
    paused(stack, DEAD)
    ready = stack.http("GET", "/readyz")
    assert ready.status == 503 and ready.json["shards"][DEAD]["state"] == "paused"
    assert LATER in anna.asks("200 г риса")
    words = len(anna.chat.log)
    anna.says("300 г риса")
    assert len(anna.chat.log) == words, "told once a minute"
    anna.edits(first, "150 г гречки")
    assert len(anna.chat.log) == words, "an edit is kept silently"
    assert "Saved" in john.asks("100 g rice").text
    assert "позже" in anna.taps("2×", seen).toast()
    before = waiting(stack)
    assert before == 5
    inside.says("всем привет")
    inside.says("/start@another_bot")
    assert waiting(stack) == before, "what is not for the bot is not kept"
    assert "позже" in inside.asks("/today").text
    other = stack.person(shard=0)
    assert "рис" in other.asks("100 г риса").text.lower()
    paused(stack, DEAD, False)
    drained(stack)
    john.hears("rice")
    assert stack.meals_of(anna) == 3
    # the edit replaced what the message had said, the tap came after it and was told so
    today = anna.asks("/today").text
    assert "гречка" in today.lower() and "рис" in today.lower()
    assert len(inside.history()) == 2, "told, and answered later"
    assert stack.http("GET", "/readyz").status == 200


def test_the_spool_outlives_a_stop(new_stack):
    stack = new_stack(processes=2)
    person = stack.person(shard=DEAD)
    paused(stack, DEAD)
    for n in (10, 20, 30):
        person.says(f"{n} г гречки")
    stack.quickstart("stop")
    paused(stack, DEAD, False)
    stack.quickstart()
    drained(stack)
    assert stack.meals_of(person) == 3


def test_newer_ones_wait_behind_older_ones(new_stack):
    """The shard is back, the worker is not: what comes now must not overtake."""
    stack = new_stack(processes=2)
    person = stack.person(shard=DEAD)
    paused(stack, DEAD)
    said = person.says("100 г гречки")
    stopped = stack.pids("familybot-worker")
    for pid in stopped:
        os.kill(pid, 19)
    try:
        paused(stack, DEAD, False)
        person.edits(said, "250 г гречки")
        other = stack.person(shard=DEAD)
        assert "рис" in other.asks("100 г риса").text.lower(), "who has nothing waiting is served"
        assert waiting(stack) == 2
    finally:
        for pid in stopped:
            os.kill(pid, 18)
    drained(stack)
    stack.double.wait_for(lambda: "230" in person.asks("/today").text, 10, "230 kcal of 250 g")


def test_a_redelivered_update_is_answered_once(new_stack):
    stack = new_stack(processes=2)
    person = stack.person(shard=DEAD)
    paused(stack, DEAD)
    body = update(person, text="100 г гречки")
    for _ in range(3):
        assert stack.hook(body).status == 200
    assert waiting(stack) == 1
    paused(stack, DEAD, False)
    drained(stack)
    assert stack.hook(body).status == 200
    person.hears("100")
    time.sleep(1.5)
    assert len([s for s in person.history() if "100 г" in s.text]) == 1
    assert stack.meals_of(person) == 1
