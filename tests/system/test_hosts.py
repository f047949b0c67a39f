"""Several hosts: shards change under load while one is cut off, and one dies, with clocks
an hour apart; nothing that was acknowledged is lost or stored twice."""

import calendar
import os
import re
import signal
import sys
import tempfile
import time

import pytest

import hosts as h

PEOPLE = 900
RATE = 18		# people moved a second: 450 of them move, for 25 s and more


def wait(what, seconds, test):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = test()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s for {what}")


@pytest.fixture(scope="module")
def place():
    net = h.Net()
    if not net.real:
        print(f"\nno network namespaces here ({getattr(net, 'why', 'not root')}): two state "
              "directories on one machine, and a stopped agent for a cut cable", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="fbhosts-") as directory:
        servers = [h.Mongo(net, directory, number) for number in (1, 2)]
        secret = h.new_secret()
        a, b = h.Host("a", net, secret), h.Host("b", net, secret, h.faketime("+3600"))
        ledgers = os.path.join(directory, "ledgers")
        os.mkdir(ledgers)
        try:
            yield Place(net, servers, a, b, ledgers)
        finally:
            a.remove()
            b.remove()
            for server in servers:
                server.stop()
            net.remove()


@pytest.fixture
def ledgers(place, capsys):
    place.out = capsys
    yield place.ledgers


class Place:
    def __init__(self, net, servers, a, b, ledgers):
        self.ledgers = ledgers
        self.net, self.a, self.b = net, a, b
        self.rows = [(f"shard{i}", servers[i > 0].uri(f"fb{i}")) for i in range(4)]

    def moved(self, host):
        """Slots that are on the new shards, by the host's own map."""
        return sum(owner > 1 for owner, *_ in host.slots())


class Move:
    """familybotctl shards reshard on one of the hosts."""

    def __init__(self, host, *words):
        self.path = host.state / "log/mover.log"
        self.log = open(self.path, "ab")
        self.host = host
        self.process = host.ctl_begin(self.log, "reshard", *words)

    def words(self):
        return self.path.read_text(errors="replace")

    def runs(self):
        return self.process.poll() is None

    def end(self, seconds):
        code = self.process.wait(seconds)
        assert code == 0, f"the mover ended with {code}: {self.words()[-2000:]}\n" \
            f"{self.host.logs()}"


def test_a_host_that_joins_gets_the_map_before_it_serves(place):
    a, b = place.a, place.b
    a.shards(place.rows[:2])
    b.shards(place.rows[1::-1])	# another order: the map's counts
    # b's processes wait for the map, and a is the only one who may found it here
    a.quickstart()
    assert wait("host a", 20, a.serves)
    b.quickstart()
    assert wait("host b", 20, b.serves)
    assert [s[0] for s in b.slots()] == [i % 2 for i in range(5040)]
    assert a.slots() == b.slots()
    names = {x["name"]: x for x in a.status()["hosts"]}
    assert set(names) == {"a", "b"} and all(x["live"] for x in names.values())


@pytest.mark.skipif(not h.faketime("+1"), reason="faketime is not installed")
def test_the_clocks_are_an_hour_apart(place):
    def newest(host):
        text = (host.state / "log/worker.log").read_text()
        stamps = re.findall(r"\bts=(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)", text)
        year, month, day, hour, minute, second = map(int, stamps[0])
        return calendar.timegm((year, month, day, hour, minute, second))
    assert 3500 < newest(place.b) - newest(place.a) < 3700


def test_a_host_that_does_not_know_the_new_shard_is_named(place):
    place.a.shards(place.rows, "next.conf")
    done = place.a.ctl("reshard", "start", "--to", place.a.state / "next.conf", "--yes",
                       check=False)
    assert done.returncode != 0
    assert "host b does not know shard2: put it into its shards.conf" in done.stderr
    assert place.moved(place.a) == place.moved(place.b) == 0
    place.b.shards(place.rows)


def cut_off(place, move, pull):
    """Host b cannot reach the meta store: it fences itself, keeps nothing for later from
    then on, as host a serves the same people, and the move waits and goes on.
    It may reach the other shards meanwhile: somebody of one of these looks."""
    a, b = place.a, place.b
    assert b.takes()
    began = time.monotonic()
    pull(b, False)
    wait("host b to stop serving", 10, b.refuses)
    fenced = time.monotonic() - began
    kept = b.spooled()
    before = place.moved(a)
    wait("the move to go on without host b", 40, lambda: place.moved(a) > before + 20)
    alone = time.monotonic() - began
    assert place.moved(b) <= before
    assert b.refuses() and b.spooled() <= kept
    pull(b, True)
    plugged = time.monotonic()
    wait("host b to have the map of host a", 30,
         lambda: b.takes() and place.moved(b) >= before + 20)
    assert move.runs(), f"the move was over too early: {move.words()[-800:]}"
    return f"it served nobody after {fenced:.1f} s, the move went on after {alone:.1f} s, it " \
        f"was back after {time.monotonic() - plugged:.1f} s"


def killed(place, move):
    """All of host b at once; the move goes on, and b comes back into it."""
    a, b = place.a, place.b
    wait("host b to apply what waited", 20, lambda: b.spooled() == 0)
    b.kill()
    before = place.moved(a)
    began = time.monotonic()
    wait("the move to go on without host b", 40, lambda: place.moved(a) > before + 20)
    alone = time.monotonic() - began
    b.quickstart()
    wait("host b to serve again", 20, b.serves)
    wait("host b to have the map of host a", 20, lambda: place.moved(b) > before)
    assert move.runs(), f"the move was over too early: {move.words()[-800:]}"
    return alone


def agent_dies(place):
    """The worker starts another, within the lease of the first."""
    old = place.b.pids("familybot-agent")
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    wait("another agent", 5, lambda: (new := place.b.pids("familybot-agent")) and new != old)
    before = place.moved(place.a)
    wait("the move to go on with it", 5, lambda: place.moved(place.b) > before + 10)


def load(place, ledgers, first):
    return h.writers([place.a, place.b], ledgers, count=4, people=PEOPLE, pace=0.02, seed=first)


def judge(place, people, ledgers, words, cleanup):
    """Ledger and shards agree.  Before the cleanup what has moved lies twice."""
    a, b = place.a, place.b
    wait("what waited to be applied", 30, lambda: a.spooled() + b.spooled() == 0)
    assert a.slots() == b.slots()
    change = a.status()["change"]
    assert change["state"] == "moved" and change == {**b.status()["change"]}
    if cleanup:
        b.ctl("reshard", "cleanup", "--yes")
        assert a.status()["change"] == {"state": "none"}
        assert "reshard cleanup" in a.ctl("status").stdout, "a still has them in shards.conf"
        a.ctl("reshard", "cleanup", "--yes")
        for host in a, b:
            assert [x["name"] for x in host.status()["shards"]] == ["shard0", "shard1"]
    for host in a, b:	# what the change left is no duplicate, for either
        host.ctl("verify", "--digests")
    verdict = h.check(a, ledgers)
    with place.out.disabled():
        print(f"\n# {'namespaces' if place.net.real else 'one place'}: {verdict['words']}; "
              f"answers {people.bad}; {words}; writes p50 {people.quantile(.5) * 1e3:.1f} ms p99 "
              f"{people.quantile(.99) * 1e3:.1f} ms; fence p50 {change['fence_p50_us'] / 1e3} ms "
              f"p99 {change['fence_p99_us'] / 1e3} ms")
    assert not verdict["lost"] and verdict["acknowledged"] > 500, verdict
    assert verdict["clean"] or not cleanup, verdict
    assert people.stale == []
    assert people.bad["a:ok"] > 100 and people.bad["b:ok"] > 100
    return change["fence_p99_us"]


def test_shards_change_while_a_host_is_cut_off_and_dies(place, ledgers):
    people = load(place, ledgers, 1).start()
    try:
        time.sleep(5)
        move = Move(place.a, "resume", f"--max-users-per-second={RATE}")
        wait("the first slots to move", 30, lambda: place.moved(place.a) > 20)
        assert abs(place.moved(place.b) - place.moved(place.a)) < 200
        agent_dies(place)
        meta = cut_off(place, move, place.net.meta)
        cable = cut_off(place, move, place.net.cable)
        dead = killed(place, move)
        place.a.ctl("reshard", "resume", "--max-users-per-second=0", check=False)
        move.end(180)
        time.sleep(2)
    finally:
        people.stop()
    judge(place, people, ledgers, f"b without the meta store: {meta}; without its cable: {cable}; "
          f"b killed: the move went on after {dead:.1f} s", cleanup=False)


def test_another_host_goes_on_with_the_way_back_when_its_mover_dies(place, ledgers):
    """... and cleans up what was moved."""
    a, b = place.a, place.b
    people = load(place, ledgers, 2).start()
    try:
        time.sleep(1)
        move = Move(a, "rollback", "--yes", "--max-users-per-second=150")
        wait("slots to go back", 20, lambda: place.moved(b) < 2000)
        seen = b.status()["change"]
        assert seen["state"] == "running" and seen["mover"] and 0 < seen["slots_moved"]
        done = b.ctl("reshard", "start", "--remove", "shard3", "--yes", check=False)
        assert done.returncode != 0 and "a change is under way" in done.stderr
        done = b.ctl("reshard", "cleanup", "--yes", check=False)
        assert done.returncode != 0 and "running" in done.stderr
        move.process.kill()
        move.process.wait()
        time.sleep(0.5)
        move = Move(b, "resume")
        move.end(180)
        time.sleep(1)
    finally:
        people.stop()
    fence_p99 = judge(place, people, ledgers, "no other trouble than a mover that was killed",
                      cleanup=True)
    assert set(people.bad) == {"a:ok", "b:ok"}, "somebody was turned away"
    assert fence_p99 < 100_000, "10 ms when nothing else runs here; builds with checks are slower"
    assert place.moved(place.a) == place.moved(place.b) == 0


def test_a_host_that_is_gone_for_good_is_forgotten(place):
    a, b = place.a, place.b
    done = a.ctl("hosts", "forget", "b", "--yes", check=False)
    assert done.returncode != 0 and "host b lives" in done.stderr
    done = a.ctl("hosts", "forget", "c", "--yes", check=False)
    assert done.returncode == 66 and "no host c" in done.stderr
    assert a.ctl("hosts", "forget", "a", "--yes", check=False).returncode != 0
    b.kill()
    assert "b" in a.ctl("hosts").stdout
    began = time.monotonic()
    a.ctl("hosts", "forget", "b", "--yes")
    assert time.monotonic() - began > 2, "not before its lease is over"
    assert [x["name"] for x in a.status()["hosts"]] == ["a"]
    b.quickstart()		# it was not gone for good
    wait("host b to serve again", 20, b.serves)
    assert {x["name"] for x in a.status()["hosts"]} == {"a", "b"}
