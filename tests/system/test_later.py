"""A paused shard: what its people write is kept, told, applied in order and
answered when it goes on.  With shards of files, which any build is quick with;
test_dead_shard.py has servers that fail.
"""

import itertools
import json
import os
import signal
import sqlite3
import time

from dead_shard import LATER, waiting

SHARD = 1
NUMBERS = itertools.count(90_000_001)


def update(person, text):
    return {"update_id": next(NUMBERS), "message": person.message(text)}


def paused(stack, yes=True, shard=SHARD):
    done = stack.program("familybotctl", "shards", "pause" if yes else "resume", f"shard{shard}")
    assert done.returncode == 0, done.stdout + done.stderr


def drained(stack, timeout=60):
    stack.double.wait_for(lambda: waiting(stack) == 0, timeout, "the spool to be empty")


def test_a_paused_shard_of_files(new_stack):
    stack = new_stack(processes=2)
    anna, john = stack.person(shard=SHARD), stack.person("John", language="en", shard=SHARD)
    inside = stack.person("Борис", shard=SHARD).in_group(stack.group())
    first = anna.says("100 г гречки")
    seen = anna.sees()
    paused(stack)
    ready = stack.http("GET", "/readyz")
    assert ready.status == 200 and ready.json["shards"][SHARD]["state"] == "paused"
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
    paused(stack, False)
    drained(stack)
    john.hears("rice")
    assert stack.meals_of(anna) == 3
    # the edit replaced what the message had said, the tap came after it and was told so
    today = anna.asks("/today").text
    assert "гречка" in today.lower() and "рис" in today.lower()
    stack.double.wait_for(lambda: len(inside.history()) == 2, 10, "the answer after the word")
    assert stack.http("GET", "/readyz").status == 200


def test_the_spool_outlives_a_stop(new_stack):
    stack = new_stack(processes=2)
    shard = 2	# not that of whom quickstart shows an answer to
    person = stack.person(shard=shard)
    paused(stack, shard=shard)
    for n in (10, 20, 30):
        person.says(f"{n} г гречки")
    stack.quickstart("stop")
    stack.quickstart()
    assert f"yes; paused: shard{shard} (what" in stack.quickstart("status").stdout
    assert waiting(stack) == 3
    paused(stack, False, shard=shard)
    drained(stack)
    assert stack.meals_of(person) == 3


def test_newer_ones_wait_behind_older_ones(new_stack):
    """The shard is back, the worker is not: what comes now must not overtake."""
    stack = new_stack(processes=2)
    person = stack.person(shard=SHARD)
    paused(stack)
    said = person.says("100 г гречки")
    stopped = stack.pids("familybot-worker")
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        paused(stack, False)
        person.edits(said, "250 г гречки")
        other = stack.person(shard=SHARD)
        assert "рис" in other.asks("100 г риса").text.lower(), "who has nothing waiting is served"
        assert waiting(stack) == 2
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    drained(stack)
    stack.double.wait_for(lambda: "230" in person.asks("/today").text, 10, "230 kcal of 250 g")


def test_a_redelivered_update_is_answered_once(new_stack):
    stack = new_stack(processes=2)
    person = stack.person(shard=SHARD)
    paused(stack)
    body = update(person, text="100 г гречки")
    for _ in range(3):
        assert stack.hook(body).status == 200
    assert waiting(stack) == 1
    paused(stack, False)
    drained(stack)
    assert stack.hook(body).status == 200
    person.hears("100")
    time.sleep(1.5)
    assert len([s for s in person.history() if "100 г" in s.text]) == 1
    assert stack.meals_of(person) == 1


def test_an_operator_sees_what_waits_and_drops_one(new_stack):
    """familybotctl spool: whose shard and since when, never what they wrote."""
    stack = new_stack(processes=2)
    person = stack.person(shard=SHARD)
    paused(stack)
    for n in (10, 20):
        person.says(f"{n} г гречки")
    ctl = lambda *words: stack.program("familybotctl", *words)
    assert "spool list --all" in ctl("spool", "list").stdout, "nothing failed"
    rows = json.loads(ctl("--json", "spool", "list", "--all").stdout)
    assert [(r["shard"], r["tries"], r["error"]) for r in rows] == [(f"shard{SHARD}", 0, "")] * 2
    shown = ctl("spool", "list", "--all").stdout
    assert f"shard{SHARD}" in shown and "гречки" not in shown + str(rows)
    first, second = (str(r["id"]) for r in rows)
    assert ctl("spool", "drop", "--all").returncode == 64
    assert ctl("spool", "drop", "4711").returncode == 66
    assert ctl("spool", "retry", first).returncode == 66, "it did not fail"
    assert ctl("spool", "drop", second).stdout == "dropped: 1\n"
    assert waiting(stack) == 1
    paused(stack, False)
    drained(stack)
    assert stack.meals_of(person) == 1


def test_an_update_that_cannot_be_applied_is_named(new_stack):
    stack = new_stack(processes=2)
    person, other = stack.person(shard=SHARD), stack.person(shard=SHARD)
    for each in (person, other):
        each.asks("/start")
    paused(stack)
    for each in (person, other):
        each.says("10 г гречки")
    db = sqlite3.connect(stack.state / f"data/shard{SHARD}.db", timeout=10)
    with db:
        db.execute("UPDATE users SET zone = ? WHERE user_id = ?", ("x" * 5000, person.id))
    db.close()
    paused(stack, False)
    stack.double.wait_for(lambda: waiting(stack) == 1, 60, "the other one's to be applied")
    words = stack.program("familybotctl", "shards", "status").stdout
    assert "1 update in the spool cannot be applied" in words and "familybotctl spool list" in words
    row, = json.loads(stack.program("familybotctl", "--json", "spool", "list").stdout)
    assert row["tries"] >= 1 and row["error"]
    log, name = (stack.state / "log/worker.log").read_text(), stack.log_name(person.id)
    assert f"what=cannot_apply slot={row['slot']} id={row['id']} user={name} " in log
    assert str(person.id) not in log
    assert stack.program("familybotctl", "spool", "retry", "--all").stdout == "retried: 1\n"
    assert stack.program("familybotctl", "spool", "drop", str(row["id"])).returncode == 0
    drained(stack)
