"""/delete_me means: a minute later no byte of it is in any file here."""

import sqlite3
import time

CANARY = "шмурдякотерапия"
WORD = CANARY.encode()


def files_with(stack):
    """{file: how often} of the canary, in whatever the installation wrote."""
    found = {}
    for path in stack.state.rglob("*"):
        if path.is_file() and not path.is_symlink():
            n = path.read_bytes().count(WORD)
            if n:
                found[str(path.relative_to(stack.state))] = n
    return found


def erase(person):
    asked = person.asks("/delete_me")
    assert "удалено" in person.presses(asked.buttons[0], asked).text


def wait_clean(stack, seconds=60):
    until = time.monotonic() + seconds
    while files_with(stack) and time.monotonic() < until:
        time.sleep(1)
    assert files_with(stack) == {}


def kept(stack):
    spool = sqlite3.connect(f"file:{stack.state}/data/spool.db?mode=ro", uri=True)
    try:
        return spool.execute("SELECT count(*) FROM spool").fetchone()[0]
    finally:
        spool.close()


def teach(person, n):
    person.asks(f"100 г {CANARY}{n}")
    person.asks(f"150 ккал белки 1{n % 10}")


def test_no_byte_of_an_erased_person_stays(new_stack):
    stack = new_stack(processes=2)
    anna, bob = stack.person(), stack.person("Боб")
    for n in range(20):
        teach(anna, n)
    said = anna.says(f"300 г {CANARY}1")
    anna.edits(said, "10 г риса")
    anna.asks("/today")
    bob.asks("100 г риса")
    assert files_with(stack), "the canary is never stored, so nothing is shown"
    erase(anna)
    wait_clean(stack)
    assert stack.meals_of(bob) == 1


def test_a_reader_holds_it_up_no_longer_than_it_reads(new_stack):
    stack = new_stack(processes=2)
    anna = stack.person()
    teach(anna, 1)
    shard = stack.state / f"data/shard{anna.id % stack.nshards}.db"
    reader = sqlite3.connect(f"file:{shard}?mode=ro", uri=True)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM users").fetchall()
    erase(anna)
    assert files_with(stack), "the reader does not hold the log: the test shows nothing"
    reader.close()
    wait_clean(stack)


def test_what_was_kept_for_later_goes_too(new_stack):
    stack = new_stack(processes=2)
    anna = stack.person()
    anna.asks("100 г риса")
    name = f"shard{anna.id % stack.nshards}"
    assert stack.program("familybotctl", "shards", "pause", name).returncode == 0
    for n in range(20):
        anna.says(f"1{n} г {CANARY}")
    assert any("spool" in f for f in files_with(stack)), files_with(stack)
    assert stack.program("familybotctl", "shards", "resume", name).returncode == 0
    stack.double.wait_for(lambda: kept(stack) == 0, 60, "the spool is empty")
    erase(anna)
    wait_clean(stack)
