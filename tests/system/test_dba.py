"""What a DBA does with shards that are served: verify, backup, restore, migrate."""

import json
import os
import shutil
import sqlite3
import stat
import threading
import time
from pathlib import Path

import pytest

from harness import SLOTS, TOP

KINDS = ("misplaced", "duplicate", "orphaned", "unreadable", "drift")


def ctl(stack, *words, **env):
    done = stack.program("familybotctl", *words, **env)
    return done.returncode, done.stdout, done.stderr


def verify(stack, *words):
    """Exit status, what was found by kind, and the whole answer."""
    code, out, err = ctl(stack, "--json", "shards", "verify", *words)
    answer = json.loads(out) if out.endswith("}\n") else {}
    found = {k: n for k, n in answer.get("found", {}).items() if n}
    return code, found, answer or err


def sql(stack, shard, *statements):
    db = sqlite3.connect(stack.state / f"data/shard{shard}.db", timeout=10)
    with db:
        for statement in statements:
            db.execute(*statement) if isinstance(statement, tuple) else db.execute(statement)
    db.close()


def copied(stack, person, start, to):
    """All that the person has on one shard, onto another as well."""
    db = sqlite3.connect(stack.state / f"data/shard{to}.db", timeout=10)
    db.execute("ATTACH ? AS start", (str(stack.state / f"data/shard{start}.db"),))
    with db:
        for table in "users", "food_analysis", "own_foods":
            db.execute(f"INSERT INTO main.{table} SELECT * FROM start.{table} WHERE user_id = ?",
                       (person.id,))
    db.close()


@pytest.fixture
def folder(sqlite):
    """A folder for backups that the bot's user may write to."""
    path = Path(sqlite.directory) / f"backup-{time.monotonic_ns()}"
    path.mkdir()
    owner = os.stat(sqlite.state / "data")
    os.chown(path, owner.st_uid, owner.st_gid)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def folder_of(stack, name="backup"):
    path = Path(stack.directory) / name
    path.mkdir(exist_ok=True)
    owner = os.stat(stack.state / "data")
    os.chown(path, owner.st_uid, owner.st_gid)
    return path


def backup(stack, folder, *shards):
    code, out, err = ctl(stack, "--json", "shards", "backup", *(shards or ("--all",)),
                         "--to", folder)
    assert code == 0, err
    return {row["shard"]: Path(row["file"]) for row in json.loads(out)}


class Writers:
    """People who write and write; what was answered is remembered with its time."""

    def __init__(self, stack, people):
        self.acknowledged = {p.id: [] for p in people}
        self.ended = threading.Event()
        self.failed = []
        self.threads = [threading.Thread(target=self._write, args=(p,)) for p in people]
        for thread in self.threads:
            thread.start()

    def _write(self, person):
        try:
            # a person has at most 200 meals a day
            while not self.ended.is_set() and len(self.acknowledged[person.id]) < 190:
                time.sleep(0.01)
                said = person.says("100 г гречки")
                assert "греч" in person.sees().text.lower()
                self.acknowledged[person.id].append((said.id, time.monotonic()))
        except Exception as problem:  # shown by the test
            self.failed.append(repr(problem))

    def end(self):
        self.ended.set()
        for thread in self.threads:
            thread.join(60)
        assert self.failed == []

    def before(self, moment):
        return {(i, message) for i, said in self.acknowledged.items()
                for message, at in said if at < moment}


def stored(stack):
    return {(user, message) for _, user, message in stack.shard_rows(
        "SELECT user_id, message_id FROM food_analysis")}


# ---- verify

def test_beside_a_load_nothing_is_found(sqlite):
    people = [sqlite.person(shard=i % 3) for i in range(4)]
    for p in people:
        p.says("/start")
    writers = Writers(sqlite, people)
    try:
        end = time.monotonic() + 4
        while time.monotonic() < end:
            for words in ((), ("--digests",), ("--digests", "--shard", "shard1")):
                code, found, answer = verify(sqlite, *words)
                assert (code, found) == (0, {}), answer
                assert answer["shards_unread"] == 0
    finally:
        writers.end()
    assert sum(map(len, writers.acknowledged.values())) > 100
    first, second = (verify(sqlite, "--digests")[2] for _ in range(2))
    assert first["digests"]["food_analysis"] == second["digests"]["food_analysis"]
    rows = len(stored(sqlite))
    assert first["digests"]["food_analysis"]["records"] == rows


def test_planted_faults_are_found_and_only_the_safe_ones_mended(new_stack):
    stack = new_stack(processes=2)
    double, lost, wrong, fine = (stack.person(shard=1) for _ in range(4))
    for p in double, lost, wrong, fine:
        p.says("/start")
        p.says("100 г гречки")
    assert verify(stack)[:2] == (0, {})
    copied(stack, double, 1, 2)
    copied(stack, lost, 1, 0)
    sql(stack, 1, *(("DELETE FROM %s WHERE user_id = ?" % t, (lost.id,))
                    for t in ("users", "food_analysis")))
    sql(stack, 1, ("UPDATE food_analysis SET cal = cal + 1 WHERE user_id = ?", (wrong.id,)))
    planted = {"duplicate": 2, "misplaced": 2, "drift": 1}
    code, found, answer = verify(stack)
    assert (code, found) == (65, planted)
    for finding in answer["findings"]:
        where = {"duplicate": ("shard2", double), "misplaced": ("shard0", lost),
                 "drift": ("shard1", wrong)}[finding["kind"]]
        assert (finding["shard"], finding["slot"]) == (where[0], where[1].id % SLOTS)
    code, out, _ = ctl(stack, "shards", "verify", "--slot", str(fine.id % SLOTS))
    assert code == 0 or fine.id % SLOTS in {p.id % SLOTS for p in (double, lost, wrong)}
    assert fine.user["first_name"] not in out
    code, found, answer = verify(stack, "--repair")
    assert (code, found, answer["repaired"]) == (65, planted, 3)
    assert verify(stack)[:2] == (65, {"misplaced": 2})
    assert "event=verify_repair records=3 left=2" in (stack.state / "data/audit.log").read_text()


def test_a_shard_that_is_gone_is_told_and_hides_nothing(new_stack):
    stack = new_stack(processes=2)
    p = stack.person(shard=1)
    p.says("/start")
    stack.quickstart("stop")
    copied(stack, p, 1, 2)
    (stack.state / "data/shard0.db").rename(stack.state / "data/away")
    code, found, answer = verify(stack)
    assert found == {"duplicate": 1} and answer["shards_unread"] == 1 and code == 65
    sql(stack, 2, ("DELETE FROM users WHERE user_id = ?", (p.id,)))
    assert verify(stack)[0] == 69
    code, found, answer = verify(stack, "--shard", "shard1")
    assert (code, found) == (0, {})
    assert verify(stack, "--shard", "nobody")[0] == 66
    (stack.state / "data/away").rename(stack.state / "data/shard0.db")
    assert verify(stack, "--digests")[:2] == (0, {})


def test_a_start_without_a_disk_makes_nobody_begin_anew(new_stack):
    stack = new_stack(processes=2)
    absent, other = stack.person(shard=1), stack.person(shard=0)
    for p in (absent, other):
        p.says("/start")
        p.says("100 г гречки")
    stack.quickstart("stop")
    here, away = stack.state / "data/shard1.db", stack.state / "data/away"
    here.rename(away)
    stack.quickstart("start", check=False)  # it says that it is not ready, and runs
    other.says("/today")
    assert "Гречка" in other.sees()
    code, out, _ = ctl(stack, "shards", "status")
    assert "shard1.db was here and is gone: mount its disk, or " in out
    assert not here.exists()
    away.rename(here)
    end = time.monotonic() + 20
    while stack.http("GET", "/readyz").status != 200 and time.monotonic() < end:
        time.sleep(0.2)
    absent.says("/today")
    assert "Гречка" in absent.sees()
    assert ctl(stack, "shards", "verify")[0] == 0


def test_beside_a_change_of_shards_nothing_is_found(new_stack):
    """While slots move, when they have, on the way back, and when all is cleaned."""
    stack = new_stack(processes=3)
    people = [stack.person() for _ in range(40)]
    for p in people:
        p.says("/start")
        p.says("100 г гречки")
    before = verify(stack, "--digests")[2]["digests"]["users"]
    change = []
    add = ("--add", "shard3=sqlite:data/shard3.db")
    mover = threading.Thread(target=lambda: change.append(ctl(
        stack, "shards", "reshard", "start", *add, "--yes", "--max-users-per-second", "8")))
    writers = Writers(stack, people[:4])
    mover.start()
    seen = 0
    try:
        while mover.is_alive():
            code, found, answer = verify(stack, *(("--digests",) if seen % 2 else ()))
            assert (code, found) == (0, {}), answer
            seen += 1
    finally:
        mover.join(60)
        writers.end()
    assert change[0][0] == 0 and seen > 5, change
    moved = verify(stack, "--digests")
    assert moved[:2] == (0, {}) and sum(row["records"] for row in moved[2]["leftovers"]) > 0
    assert moved[2]["digests"]["users"] == before
    assert ctl(stack, "shards", "reshard", "rollback", "--yes")[0] == 0
    back = verify(stack, "--digests")
    assert back[:2] == (0, {}) and back[2]["digests"] == moved[2]["digests"]
    assert ctl(stack, "shards", "reshard", "cleanup", "--yes")[0] == 0
    clean = verify(stack, "--digests")
    assert clean[:2] == (0, {}) and clean[2]["leftovers"] == []
    assert clean[2]["digests"] == moved[2]["digests"]


# ---- backup

def test_a_backup_is_whole_private_and_never_overwritten(sqlite, folder):
    p = sqlite.person(shard=0)
    p.says("/start")
    p.says("100 г гречки")
    assert ctl(sqlite, "shards", "backup", "--all", "--to", folder, "--dry-run")[0] == 0
    assert list(folder.iterdir()) == []
    files = backup(sqlite, folder)
    assert set(files) == {"shard0", "shard1", "shard2"}
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    db = sqlite3.connect(files["shard0"])
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert db.execute("SELECT count(*) FROM users WHERE user_id = ?", (p.id,)).fetchone() == (1,)
    db.close()
    manifest = json.loads(Path(f"{files['shard0']}.json").read_text())
    slots = {row["slot"]: row for row in manifest["slots"]}
    assert slots[p.id % SLOTS]["food_analysis"][0] >= 1
    assert sum(row["owned"] for row in manifest["slots"]) == SLOTS / 3
    known = json.loads((sqlite.state / "data/backups.json").read_text())
    assert known["shard2"]["file"] == str(files["shard2"])
    assert {path.suffix for path in folder.iterdir()} == {".db", ".json", ".map", ".conf"}
    kept = files["shard0"].read_bytes()
    time.sleep(1.1)
    backup(sqlite, folder, "shard0")
    assert files["shard0"].read_bytes() == kept and len(list(folder.glob("shard0-*.db"))) == 2


def test_what_cannot_be_saved_is_said(sqlite, folder):
    code, _, err = ctl(sqlite, "shards", "backup", "shard7", "shard1", "--to", folder)
    assert code == 66 and "no shard shard7" in err
    assert len(list(folder.glob("shard1-*.db"))) == 1
    assert ctl(sqlite, "shards", "backup", "--all")[0] == 64
    assert ctl(sqlite, "shards", "backup", "--to", folder)[0] == 64
    assert ctl(sqlite, "shards", "backup", "--all", "--to", folder / "nowhere")[0] == 66


# ---- restore

def test_what_was_answered_before_the_backup_is_there_after_the_restore(new_stack):
    stack = new_stack(processes=3)
    people = [stack.person(shard=1) for _ in range(2)] + [stack.person(shard=2)]
    for p in people:
        p.says("/start")
    writers = Writers(stack, people)
    time.sleep(1)
    moment = time.monotonic()
    files = backup(stack, folder_of(stack), "shard1")
    time.sleep(1)
    writers.end()
    pids = stack.pids()
    after = stored(stack)
    must, elsewhere = writers.before(moment), {k for k in after if k[0] == people[2].id}
    assert {k for k in must if k[0] != people[2].id}

    restore = ("shards", "restore", "shard1", "--from", files["shard1"])
    code, _, err = ctl(stack, *restore, "--yes")
    assert code == 78 and "not paused" in err
    assert ctl(stack, "shards", "pause", "shard1")[0] == 0
    code, out, err = ctl(stack, *restore)
    assert code == 64 and "--yes" in err and "LOST" in out
    assert ctl(stack, *restore, "--dry-run")[0] == 0 and stored(stack) == after
    code, out, err = ctl(stack, *restore, "--yes")
    assert code == 0, err
    assert "shards resume shard1" in out
    assert ctl(stack, "shards", "resume", "shard1")[0] == 0

    now = stored(stack)
    assert must <= now, "answered before the backup, and lost by the restore"
    assert elsewhere <= now, "another shard's people lost something"
    assert now <= after and now < after, "the backup was older than what was written since"
    assert verify(stack, "--digests")[:2] == (0, {})
    # the same processes go on, on the file that is there now
    assert stack.pids() == pids
    for p in people:
        message = p.says("200 г риса").id
        assert (p.id, message) in stored(stack)
    kept = list((stack.state / "data").glob("shard1.db.before-*[0-9]Z"))
    assert len(kept) == 1
    db = sqlite3.connect(kept[0])
    old = {(u, m) for u, m in db.execute("SELECT user_id, message_id FROM food_analysis")}
    db.close()
    assert {k for k in after if k[0] % 3 == 1} <= old, "the file that was there is not whole"


def refused(stack, backup_file, words, code=None, *more):
    was = stored(stack)
    got, out, err = ctl(stack, "shards", "restore", "shard1", "--from", backup_file, "--yes",
                        *more)
    assert words in err, (out, err)
    assert got == code if code else got != 0
    assert stored(stack) == was


def test_a_backup_that_is_damaged_or_of_others_is_refused(new_stack):
    stack = new_stack(processes=2)
    p = stack.person(shard=1)
    p.says("/start")
    p.says("100 г гречки")
    files = backup(stack, folder_of(stack))
    good = files["shard1"]
    assert ctl(stack, "shards", "pause", "shard1")[0] == 0
    refused(stack, files["shard2"], "backup of shard2")
    refused(stack, good.with_name("nothing.db"), "no manifest", 66)
    manifest = Path(f"{good}.json")
    text, whole = manifest.read_text(), good.read_bytes()

    middle = len(whole) // 2
    good.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1:])
    refused(stack, good, "damaged", 65)
    good.write_bytes(whole[:-4096])
    refused(stack, good, "damaged", 65)
    good.write_bytes(whole)
    manifest.write_text(text[:200])
    refused(stack, good, "manifest", 65)

    # a slot that came to the shard after the backup
    slot = p.id % SLOTS
    manifest.write_text(text.replace(f'{{"slot":{slot},"owned":true',
                                     f'{{"slot":{slot},"owned":false'))
    refused(stack, good, "1 slots of shard1 are not in this backup", 78)
    # the sum is right, the digests are not: the manifest belongs to another file
    row = next(r for r in json.loads(text)["slots"] if r["slot"] == slot)
    manifest.write_text(text.replace(row["food_analysis"][2], "0" * 32))
    refused(stack, good, "not what was saved", 65)
    assert list((stack.state / "data").glob("*.restoring*")) == []
    manifest.write_text(text)
    code, _, err = ctl(stack, "shards", "restore", "shard1", "--from", manifest, "--yes")
    assert code == 0, err
    assert ctl(stack, "shards", "resume", "shard1")[0] == 0


def test_a_lost_disk_is_replaced_while_the_others_are_served(new_stack):
    stack = new_stack(processes=2)
    hers, others = stack.person(shard=1), stack.person(shard=0)
    for p in hers, others:
        p.says("/start")
        p.says("100 г гречки")
    files = backup(stack, folder_of(stack), "shard1")
    for path in (stack.state / "data").glob("shard1.db*"):
        path.unlink()
    assert ctl(stack, "shards", "pause", "shard1")[0] == 0
    others.says("200 г риса")
    code, out, err = ctl(stack, "shards", "restore", "shard1", "--from", files["shard1"], "--yes")
    assert code == 0, err
    assert ctl(stack, "shards", "resume", "shard1")[0] == 0
    assert verify(stack)[:2] == (0, {})
    assert stack.meals_of(hers) == 1 and stack.meals_of(others) == 2


def test_slots_that_moved_away_since_do_not_come_back(new_stack):
    """The backup still has somebody whose slot is another shard's today."""
    stack = new_stack(processes=2)
    p = stack.person(shard=1)
    p.says("/start")
    files = backup(stack, folder_of(stack), "shard1")
    stack.quickstart("stop")
    slot = p.id % SLOTS
    code, out, err = ctl(stack, "shards", "reshard", "start", "--slot", str(slot), "--shard",
                         "shard2", "--yes")
    assert code == 0, (out, err)
    assert ctl(stack, "shards", "reshard", "cleanup", "--yes")[0] == 0
    assert ctl(stack, "shards", "pause", "shard1")[0] == 0
    code, out, err = ctl(stack, "shards", "restore", "shard1", "--from", files["shard1"], "--yes")
    assert code == 0, err
    assert "1 slots in the backup are on other shards now" in out
    assert verify(stack)[:2] == (0, {})


# ---- servers

FAKE = """#!/bin/sh
if [ "$1" = --version ]; then echo "$(basename "$0") version: 100.9.4"; exit 0; fi
for word; do case $word in
--config=*) stat -c %a "${word#--config=}" > "$SEEN.mode"; cp "${word#--config=}" "$SEEN.yaml";;
--archive=*) echo archive > "${word#--archive=}";; esac; done
echo "$*" > "$SEEN.argv"
"""


def test_a_server_is_dumped_by_its_own_tool_without_showing_the_password(mongo, tmp_path):
    """Only how the tool is called: that it works takes a real server."""
    folder = folder_of(mongo, f"backup-{time.monotonic_ns()}")
    tools, seen = folder_of(mongo, "tools"), folder_of(mongo, "seen") / "it"
    for name in "mongodump", "mongorestore":
        (tools / name).write_text(FAKE)
        (tools / name).chmod(0o755)
    env = {"PATH": f"{tools}:{os.environ['PATH']}", "SEEN": str(seen)}
    code, out, err = ctl(mongo, "shards", "backup", "shard1", "--to", folder, **env)
    assert code == 0, err
    assert "not of one moment" in out
    uri = mongo.uri(1)
    assert uri not in Path(f"{seen}.argv").read_text()
    assert Path(f"{seen}.mode").read_text() == "600\n"
    assert Path(f"{seen}.yaml").read_text() == f"uri: {json.dumps(uri)}\n"
    archive = next(folder.glob("shard1-*.archive.gz"))
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert list((mongo.state / "data").glob("mongodump*")) == []
    code, out, err = ctl(mongo, "shards", "restore", "shard1", "--from", archive)
    assert code == 78 and "mongorestore --config=FILE --gzip --drop" in out
    time.sleep(1.1)     # names end in the second
    code, _, err = ctl(mongo, "shards", "backup", "shard1", "--to", folder,
                       PATH="/nonexistent")
    assert code == 66 and "mongodump" in err


# ---- migrate

def test_shards_are_migrated_one_after_another_and_newer_ones_left_alone(new_stack):
    stack = new_stack(start=False)
    stack.start()
    stack.quickstart("stop")
    data = stack.state / "data"
    latest = sqlite3.connect(data / "shard0.db").execute("PRAGMA user_version").fetchone()[0]
    for i in 0, 2:
        for path in data.glob(f"shard{i}.db*"):
            path.unlink()
        db = sqlite3.connect(data / f"shard{i}.db")
        db.executescript((TOP / "sql/0001-schema.sql").read_text())
        app = sqlite3.connect(data / "shard1.db").execute("PRAGMA application_id").fetchone()[0]
        db.execute(f"PRAGMA application_id = {app}")
        db.execute("PRAGMA user_version = 1")
        db.close()
        owner = data.stat()
        os.chown(data / f"shard{i}.db", owner.st_uid, owner.st_gid)
    code, out, _ = ctl(stack, "shards", "migrate", "--dry-run")
    assert code == 0 and out.count(f"schema 1, would become {latest}") == 2
    sql(stack, 2, "PRAGMA user_version = 999")
    code, out, err = ctl(stack, "shards", "migrate")
    assert code == 78 and "999 is newer" in err
    assert f"shard0        schema 1 -> {latest}" in out
    assert f"shard1        schema {latest}, nothing to do" in out
    sql(stack, 2, "PRAGMA user_version = 1")
    code, out, err = ctl(stack, "--json", "shards", "migrate")
    assert code == 0, err
    assert [row["changed"] for row in json.loads(out)] == [False, False, True]
    assert verify(stack)[:2] == (0, {})
    stack.quickstart()
