"""A state directory that an older familybot left is served as it is: diary,
profile, taught foods, a question that waits, the slot map.

tests/data/state-3172bab.tar.xz was made by commit 3172bab: started by its
quickstart with three embedded shards, talked to by four people, then stopped.
people.json in it says who they are and how many entries each had.
"""

import json
import tarfile

import pytest

from harness import TOP
from people import Person


@pytest.fixture
def old(new_stack):
    stack = new_stack(start=False)
    with tarfile.open(TOP / "tests/data/state-3172bab.tar.xz") as archive:
        archive.extractall(stack.state)
    stack.double.goes_on_after(10_000)		# or a new message would be an old one sent again
    told = json.loads((stack.state / "people.json").read_text())
    stack.start()
    who = {name: Person(stack.double, name, "en" if name == "Bob" else "ru", user_id=row["id"])
           for name, row in told.items() if isinstance(row, dict)}
    return stack, told, who


def test_what_was_stored_is_there_and_goes_on(old):
    stack, told, who = old
    for name, person in who.items():
        assert stack.meals_of(person) == told[name]["meals"], name
    rows = stack.shard_rows("SELECT count(*) FROM food_analysis")
    assert sum(r[1] for r in rows) == told["food_rows"]

    anna = who["Анна"]
    anna.asks("100 г гречки")
    assert stack.meals_of(anna) == told["Анна"]["meals"] + 1
    taught = anna.asks("200 г шмурдяка")
    assert 300 in taught.numbers(), f"150 kcal per 100 g were taught; {taught}"

    erased = who["Ушла"]
    erased.asks("100 г риса")
    assert stack.meals_of(erased) == 1


def test_a_question_that_waited_takes_its_answer(old):
    stack, _, who = old
    bob = who["Bob"]		# was asked for his time zone before the change
    assert "Berlin" in bob.asks("Berlin")
    assert [r[1] for r in stack.shard_rows("SELECT zone FROM users WHERE user_id = ?", bob.id)] \
        == ["Europe/Berlin"]


def test_its_records_are_where_they_belong(old):
    stack, _, _ = old
    verified = stack.program("familybotctl", "shards", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
