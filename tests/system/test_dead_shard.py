"""A shard that is stopped, hangs, drips or is slow costs nobody else anything,
and costs its own people only time: what they write is kept, told so, applied
in order and answered when the shard is back.
"""

import itertools
import os
import threading

import pytest

from dead_shard import LinedStack, Load, of_shards, p99, waiting

DEAD, OTHERS = 1, (0, 2)
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


def one_mode(stack, load, mode, before):
    stack.lines[DEAD].mode(mode)
    everything = load.run(6)
    stack.lines[DEAD].mode("pass")
    lost, during = (of_shards(stack, everything, s) for s in ([DEAD], OTHERS))
    kept = sum(one.later for one in lost)
    print(f"{mode}: p99 of the others {p99(before) * 1e3:.1f} ms before, {p99(during) * 1e3:.1f} "
          f"ms during: {p99(during) / p99(before):.2f}; {len(during)} requests, {kept} of "
          f"{len(lost)} of the shard's own kept")
    bad = [(one.status, one.body) for one in during if not one.taken or one.later]
    assert bad == [], f"{mode}: who is on another shard is served"
    assert all(one.taken for one in lost), f"{mode}: who is on that shard is told that it is kept"
    assert kept > len(lost) / 2
    # a hundredth of some hundred requests on a machine that does other work,
    # too, says little: the bar of 1.2 is held by bench/dead-shard
    assert p99(during) <= max(1.2 * p99(before), p99(before) + 0.05), mode
    load.drained()
    return kept


def test_others_do_not_notice(lined):
    stack = lined(processes=4)
    load = Load(stack, RATE)
    load.run(12)                        # all shards are known to be quick
    before = of_shards(stack, load.run(6), OTHERS)
    assert all(one.taken and not one.later for one in before), "all is well at first"
    kept = sum(one_mode(stack, load, mode, before) for mode in ("stop", "hang", "drip", "slow"))
    load.run(2)
    load.drained()
    load.close()
    told = load.judge()
    print(f"{told} updates were kept, each applied once and answered in order")
    assert told >= kept > 0


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
        answer = stack.hook({"update_id": next(NUMBERS), "message": person.message(f"{n} г гречки")})
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
    stack.double.wait_for(lambda: waiting(stack) == 0, 60, "the spool to be empty")
    assert stack.meals_of(person) == taken
