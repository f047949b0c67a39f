"""familybotctl shards, on a bot that people write to."""

import json
import os
import pty
import select
import signal
import socket
import sqlite3
import subprocess
import time

import pytest

from harness import SLOTS
from test_restart import Load


def ctl(stack, *words, timeout=60):
    done = stack.program("familybotctl", "shards", *words, timeout=timeout)
    return done.returncode, done.stdout, done.stderr


def well(stack, *words):
    code, out, err = ctl(stack, *words)
    assert code == 0, f"shards {words}: {code}\n{out}\n{err}"
    return out


def status(stack):
    done = stack.program("familybotctl", "--json", "shards", "status")
    return json.loads(done.stdout)


def shard_of(found, name):
    return next(s for s in found["shards"] if s["name"] == name)


def conf(stack):
    return (stack.state / "shards.conf").read_text()


def kept(stack):
    return sorted(stack.state.glob("shards.conf.2*"))


def audit(stack):
    return (stack.state / "data/audit.log").read_text()


def places(stack, shards):
    """Where records of people lie: {user: {shard}}."""
    found = {}
    for i in range(shards):
        db = sqlite3.connect(f"file:{stack.state}/data/shard{i}.db?mode=ro", uri=True)
        for (user,) in db.execute("SELECT DISTINCT user_id FROM food_analysis"):
            found.setdefault(user, set()).add(i)
        db.close()
    return found


def people_write(stack, count=40):
    everybody = [stack.person(f"П{i}") for i in range(count)]
    for p in everybody:
        p.says("100 г риса")
    return everybody


def mover(stack, *words):
    """familybotctl in the background."""
    return subprocess.Popen(
        [stack.build / "familybotctl", "-c", stack.conf, "shards", *words],
        env={**stack.environment, "FAMILYBOT_MODULES": str(stack.build)},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def moved_some(stack, process=None):
    """Waits until a change has moved some slots and not all."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        change = status(stack)["change"]
        if change.get("slots_moved", 0) > 0:
            assert change["slots_moved"] < change["slots"], "too fast for this test"
            return change
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError("nothing moves")


SLOW = ("--max-users-per-second", "20")
ADD = ("--add", "shard3=sqlite:data/shard3.db")


@pytest.fixture
def stack(new_stack):
    return new_stack(processes=2)


def test_status_tells_what_there_is(stack):
    people_write(stack, 9)
    out = well(stack, "status")
    assert out.endswith("\nAll well.\n")
    assert max(map(len, out.splitlines())) <= 100
    found = status(stack)
    assert found["well"] and found["words"] == [] and found["placement"] == "modulo"
    for i in range(3):
        shard = shard_of(found, f"shard{i}")
        assert shard["state"] == "up" and shard["slots"] == SLOTS // 3
        assert shard["backend"] == "sqlite" and shard["disk_free"] > 0
    assert sum(s["collections"]["food_analysis"]["records"] for s in found["shards"]) >= 9
    assert "food_analysis" in well(stack, "status", "--long")


def test_a_server_that_hangs_does_not_hold_up_status(stack):
    before = conf(stack)
    with socket.create_server(("127.0.0.1", 0)) as server:
        uri = f"mongodb://dba:Geheim77@127.0.0.1:{server.getsockname()[1]}/fb"
        (stack.state / "shards.conf").write_text(before.replace(
            "\n);", f',\n\t{{ name = "shard3"; uri = "{uri}"; }}\n);'))
        began = time.monotonic()
        code, out, err = ctl(stack, "status")
        assert time.monotonic() - began < 4
    (stack.state / "shards.conf").write_text(before)
    assert "Geheim77" not in out + err and "dba:***@" in out
    line = next(row for row in out.splitlines() if row.startswith("shard3 "))
    assert line.split()[1] == "DOWN" and "shard3 is down" in out
    assert code == 0, "it owns nothing yet"
    assert [row.split()[1] for row in out.splitlines()[1:4]] == ["up", "up", "up"]


def test_plan_changes_nothing(stack):
    people_write(stack, 12)
    paths = [p for p in stack.state.rglob("*") if p.is_file() and p.parent.name != "log"
             and not p.name.endswith((".shm", "-shm", "-wal", ".log", ".db", ".lock"))]
    before = {p: p.read_bytes() for p in paths}
    out = well(stack, "plan", *ADD)
    assert "3780 of 5040 slots move" in out and "Nothing was changed." in out
    assert "(a guess)" in out
    done = stack.program("familybotctl", "--json", "shards", "plan", *ADD,
                         "--placement", "minimal")
    found = json.loads(done.stdout)
    assert found["slots"] == 1260 and found["shards_after"] == 4
    assert {s["slots_then"] for s in found["shards"]} == {1260}
    code, _, err = ctl(stack, "plan", *[w for i in range(3, 11) for w in
                                        ("--add", f"shard{i}=sqlite:data/shard{i}.db")])
    assert code == 78 and "10 or 12 shards" in err and "minimal" in err
    assert "1 of 5040 slots move" in well(stack, "plan", "--slot", "7", "--shard", "shard0")
    assert ctl(stack, "plan", "--remove", "nobody")[0] == 66
    assert ctl(stack, "plan", "--yes")[0] == 64
    assert {p: p.read_bytes() for p in paths} == before
    assert not (stack.state / "data/shard3.db").exists()


def test_a_shard_is_added_under_load(stack):
    people_write(stack, 60)
    code, _, err = ctl(stack, "reshard", "start", *ADD)
    assert code == 64 and "--yes" in err and "shard3" not in conf(stack)
    assert "Nothing was changed." in well(stack, "reshard", "start", *ADD, "--dry-run")
    assert not (stack.state / "data/reshard.json").exists()
    old = conf(stack)
    with Load(stack, people=6) as load:
        out = well(stack, "reshard", "start", *ADD, "--yes", "--max-users-per-second", "40")
    load.judge()
    stack.nshards = 4
    assert "All 3780 slots are moved" in out
    assert 'name = "shard3"; uri = "sqlite:data/shard3.db"; }' in conf(stack)
    assert [p.read_text() for p in kept(stack)] == [old]
    assert "cleanup" in status(stack)["words"][0]
    load_people = {p.id for p in load.people}
    assert "Clean." in well(stack, "reshard", "cleanup", "--yes")
    for user, where in places(stack, 4).items():
        assert where == {user % 4}, f"{user} is on {where}"
    load.count_stored()
    assert load_people <= set(places(stack, 4))
    assert status(stack)["well"]
    assert "measured by the last move" in well(stack, "plan", "--remove", "shard3")
    for word in ("event=begin", "event=shards_conf"):
        assert word in audit(stack)
    assert "nothing to clean up" in well(stack, "reshard", "cleanup", "--yes")


def test_a_mover_that_is_killed_or_stopped_is_resumed(stack):
    people_write(stack, 60)
    first = mover(stack, "reshard", "start", *ADD, "--yes", *SLOW)
    moved_some(stack, first)
    first.kill()
    first.wait()
    assert "reshard resume" in status(stack)["words"][0]
    code, _, err = ctl(stack, "reshard", "start", "--yes")
    assert code == 69 and "under way" in err
    second = mover(stack, "reshard", "resume")
    time.sleep(0.4)
    second.send_signal(signal.SIGINT)
    words, _ = second.communicate(timeout=20)
    assert second.returncode == 69 and "reshard resume" in words
    stack.person().asks("100 г риса")
    third = mover(stack, "reshard", "resume")
    time.sleep(0.3)
    assert "reshard resume" in well(stack, "reshard", "pause")
    third.communicate(timeout=20)
    assert third.returncode == 0
    assert status(stack)["change"]["state"] == "paused"
    out = well(stack, "reshard", "resume", "--max-users-per-second", "0")
    assert "All 3780 slots are moved" in out
    assert "All 3780 slots are moved" in well(stack, "reshard", "resume")
    well(stack, "reshard", "cleanup", "--yes")
    for user, where in places(stack, 4).items():
        assert where == {user % 4}


def test_a_start_may_be_killed_at_any_moment(stack):
    people_write(stack, 30)
    journal = stack.state / "data/reshard.json"

    def words():
        return ("reshard", "resume") if journal.exists() else ("reshard", "start", *ADD, "--yes")

    for delay in (.005, .01, .015, .02, .03, .04, .05, .06, .08, .1, .15):
        process = mover(stack, *words())
        time.sleep(delay)
        process.kill()
        process.communicate()
        assert shard_of(status(stack), "shard0")["up"]
    if status(stack)["change"]["state"] != "moved":
        well(stack, *words())
    well(stack, "reshard", "cleanup", "--yes")
    assert 'name = "shard3"; uri = "sqlite:data/shard3.db"; }' in conf(stack)
    assert not (stack.state / "shards.conf.next").exists()
    assert all(where == {user % 4} for user, where in places(stack, 4).items())
    assert status(stack)["well"]


def test_of_two_who_start_at_once_one_is_told(stack):
    people_write(stack, 30)
    both = [mover(stack, "reshard", "start", "--add", f"extra{i}=sqlite:data/extra{i}.db", "--yes",
                  *SLOW) for i in range(2)]
    moved_some(stack)
    loser = next(m for m in both if m.poll() is not None)
    words, _ = loser.communicate()
    assert loser.returncode == 69 and ("under way" in words or "changed" in words), words
    well(stack, "reshard", "abort", "--yes")
    winner = next(m for m in both if m is not loser)
    winner.communicate(timeout=20)
    assert winner.returncode == 0 and "extra" not in conf(stack).split("placement")[1]
    assert status(stack)["well"]


def test_what_changed_while_somebody_was_asked_is_looked_at_again(stack):
    """A plan was shown, and another terminal was quicker than the answer."""
    people_write(stack, 6)
    here, there = pty.openpty()
    asked = subprocess.Popen(
        [stack.build / "familybotctl", "-c", stack.conf, "shards", "reshard", "start",
         "--placement", "minimal"], stdin=there, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=stack.environment)
    os.close(there)
    assert select.select([asked.stderr], [], [], 20)[0], "it asks"
    assert "Type yes" in os.read(asked.stderr.fileno(), 4096).decode()
    well(stack, "reshard", "start", *ADD, "--yes")
    well(stack, "reshard", "cleanup", "--yes")
    os.write(here, b"yes\n")
    _, words = asked.communicate(timeout=20)
    os.close(here)
    assert asked.returncode == 69 and "look at it again" in words, words
    assert "shard3" in conf(stack) and "minimal" not in conf(stack)
    assert status(stack)["well"]
    well(stack, "reshard", "start", "--placement", "minimal", "--yes")


def test_a_start_that_was_killed_leaves_nothing_to_a_later_one(stack):
    """What it had made ready is not put in place by a change that needs no shards.conf."""
    (stack.state / "shards.conf.next").write_text(conf(stack).replace("shard2", "ghost"))
    before = conf(stack)
    well(stack, "reshard", "start", "--slot", "7", "--shard", "shard2", "--yes")
    assert conf(stack) == before
    well(stack, "reshard", "cleanup", "--yes")


def test_a_change_that_moves_nothing_only_writes_shards_conf(stack):
    assert "Nothing needs to move." in well(stack, "reshard", "start")
    assert kept(stack) == []
    out = well(stack, "reshard", "start", "--placement", "minimal", "--yes")
    assert "Nothing needs to move." in out and 'placement = "minimal"' in conf(stack)
    assert len(kept(stack)) == 1 and not (stack.state / "data/reshard.json").exists()
    assert status(stack)["well"]


def test_abort_leaves_all_as_it_was(stack):
    people_write(stack, 60)
    before, text = places(stack, 3), conf(stack)
    pid = json.loads(stack.program("familybotctl", "--json", "shards", "reshard", "start", *ADD,
                                   "--yes", "--detach", *SLOW).stdout)["pid"]
    moved_some(stack)
    out = well(stack, "reshard", "abort", "--yes")
    assert "No change is under way." in out
    stack.double.wait_for(lambda: not os.path.exists(f"/proc/{pid}"), 10, "the mover's end")
    assert places(stack, 3) == before
    assert conf(stack).split("placement")[1].split() == text.split("placement")[1].split()
    found = status(stack)
    assert found["well"] and [s["name"] for s in found["shards"]] == ["shard0", "shard1",
                                                                      "shard2"]


def test_rollback_brings_what_was_written_since(stack):
    people_write(stack, 30)
    well(stack, "reshard", "start", *ADD, "--yes")
    since = people_write(stack, 20)
    out = well(stack, "reshard", "rollback", "--yes")
    assert "All 3780 slots are moved" in out and "leaving = true" in conf(stack)
    well(stack, "reshard", "cleanup", "--yes")
    assert "shard3" not in conf(stack).split("placement")[1]
    where = places(stack, 3)
    assert all(where[p.id] == {p.id % 3} for p in since)
    assert status(stack)["well"]


def test_a_drained_shard_can_be_switched_off(stack):
    people_write(stack, 30)
    out = well(stack, "drain", "shard1", "--yes")
    assert "removes shard1" in out and "All " in out
    assert shard_of(status(stack), "shard1")["state"] == "draining"
    out = well(stack, "reshard", "cleanup", "--yes")
    assert "shard1.db may be deleted" in out
    assert '"shard1"' not in conf(stack)
    for path in stack.state.glob("data/shard1.db*"):
        path.unlink()
    since = people_write(stack, 12)
    found = status(stack)
    assert found["well"] and [s["slots"] for s in found["shards"]] == [2520, 2520]
    assert all(stack.meals_of(p) == 1 for p in since)


def test_a_family_that_grows_goes_to_mongodb(stack, mongo_server):
    everybody = people_write(stack, 24)
    rows = [f'{{ name = "server{i}"; uri_file = "server{i}"; }}' for i in range(2)]
    for i in range(2):
        path = stack.state / f"server{i}"
        path.write_text(mongo_server.uri(f"grown{stack.port}_{i}") + "\n")
        path.chmod(0o644)
    wanted = stack.state / "wanted.conf"
    wanted.write_text(f'placement = "modulo";\nshards = ({", ".join(rows)});\n')
    assert "adds server0, adds server1, removes shard0" in well(stack, "plan", "--to", str(wanted))
    with Load(stack, people=4) as load:
        out = well(stack, "reshard", "start", "--to", str(wanted), "--yes")
    load.judge()
    assert "All 5040 slots are moved" in out and conf(stack).count("leaving = true") == 3
    well(stack, "reshard", "cleanup", "--yes")
    assert 'name = "server0"; uri_file = "server0"; }' in conf(stack)
    assert "sqlite" not in conf(stack).split("placement")[1]
    found = status(stack)
    assert found["well"] and {s["backend"] for s in found["shards"]} == {"mongodb"}
    assert all(stack.meals_of(p) == 1 for p in everybody)
    assert [stack.meals_of(p) for p in load.people] == [len(load.said[p.id])
                                                        for p in load.people]


def test_one_slot_goes_where_it_is_told(stack):
    everybody = people_write(stack, 6)
    slot = everybody[0].id % SLOTS
    other = f"shard{(slot + 1) % 3}"
    well(stack, "reshard", "start", "--slot", str(slot), "--shard", other, "--yes")
    well(stack, "reshard", "cleanup", "--yes")
    assert places(stack, 3)[everybody[0].id] == {(slot + 1) % 3}
    assert "1 slot is not where modulo puts it" in well(stack, "status")
    well(stack, "reshard", "start", "--yes")
    well(stack, "reshard", "cleanup", "--yes")
    assert status(stack)["well"]


def test_a_shard_with_records_is_no_new_shard(stack):
    people_write(stack, 6)
    data = stack.state / "data"
    source = sqlite3.connect(f"file:{data}/shard0.db?mode=ro", uri=True)
    copy = sqlite3.connect(data / "shard3.db")
    source.backup(copy)
    copy.close()
    owner = (data / "shard0.db").stat()
    os.chown(data / "shard3.db", owner.st_uid, owner.st_gid)
    code, _, err = ctl(stack, "reshard", "start", *ADD, "--yes")
    assert code != 0 and "records already" in err
    assert "shard3" not in conf(stack) and not (data / "reshard.json").exists()
    assert [s["name"] for s in status(stack)["shards"]] == ["shard0", "shard1", "shard2"]


def test_pause_leaves_a_shard_in_peace(stack):
    people_write(stack, 6)
    assert "resume shard1" in well(stack, "pause", "shard1")
    found = status(stack)
    assert shard_of(found, "shard1")["paused"] and "resume shard1" in found["words"][0]
    assert stack.meals_of(stack.person(shard=0)) == 0
    well(stack, "resume", "shard1")
    assert status(stack)["well"]
    assert "event=pause shard=shard1" in audit(stack)
    assert ctl(stack, "pause", "shard9")[0] == 66
