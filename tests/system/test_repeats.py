"""Nothing lost, nothing twice: repeated, simultaneous, killed, out of order."""

import json
import threading
import time

import pytest

from meals import day, eaten, near, row, rows, total


def bodies(attempts):
    return {json.dumps(json.loads(a.body), sort_keys=True) for a in attempts}


def test_the_same_update_twice_is_one_entry_and_the_same_answer(stack):
    p = stack.person()
    said = p.says("200 г гречки")
    first = said.delivery.attempts[-1]
    again = stack.double.deliver_raw(said.update)
    assert bodies([first]) == bodies(again)
    assert near(eaten(p.asks("/today")), total(p.history()[0]))
    assert stack.meals_of(p) == 1


def test_ten_at_once_are_one_entry_and_the_same_answer(stack):
    p = stack.person()
    update = p.message("150 г творога")
    delivered = {"update_id": 90_000_001, "message": update}
    answers = stack.double.deliver_raw(delivered, times=10)
    assert [a.status for a in answers] == [200] * 10
    assert len(bodies(answers)) == 1
    assert stack.meals_of(p) == 1


def test_a_repeat_long_after_other_meals_changes_nothing(stack):
    p = stack.person()
    said = p.says("100 г риса")
    p.says("100 г гречки")
    p.presses("2×")
    before = eaten(p.asks("/today"))
    stack.double.deliver_raw(said.update, times=3)
    assert near(eaten(p.asks("/today")), before) and stack.meals_of(p) == 2


def test_a_repeat_does_not_bring_back_what_was_undone(stack):
    p = stack.person()
    said = p.says("100 г риса")
    p.presses("↩")
    stack.double.deliver_raw(said.update, times=2)
    assert eaten(p.asks("/today")) == 0


@pytest.mark.parametrize("label, factor", [("2×", 2), ("½×", 0.5), ("↩", 0)])
def test_a_tap_repeated_ten_times_counts_once(stack, label, factor):
    p = stack.person()
    seen = p.asks("200 г гречки")
    tap = p.taps(label)
    answers = stack.double.deliver_raw(tap.delivery.update, times=10)
    assert {a.status for a in answers} == {200}
    assert near(eaten(p.asks("/today")), total(seen) * factor, 1)


def test_two_different_taps_on_one_message_count_once(stack):
    """A double tap: both show the same revision; the second finds another."""
    p = stack.person()
    seen = p.asks("200 г гречки")
    p.taps("2×", seen)
    p.taps("2×", seen)
    assert near(eaten(p.asks("/today")), 2 * total(seen), 1)


def test_a_tap_and_a_message_at_once(stack):
    p = stack.person()
    seen = p.asks("200 г гречки")
    tap = p.taps("2×", seen, wait=False)
    said = p.says("100 г риса", wait=False)
    tap.delivery.wait()
    said.delivery.wait()
    assert stack.meals_of(p) == 2
    rice = next(s for s in p.history() if rows(s) and "рис" in s.text.lower())
    assert near(eaten(p.asks("/today")), 2 * total(seen) + total(rice), 2)


def test_many_messages_and_taps_of_one_person_at_once(stack):
    p = stack.person()
    seen = p.asks("100 г гречки")
    updates = [{"update_id": 91_000_000 + i, "message": p.message(f"{100 + i} г риса")}
               for i in range(12)]
    threads = [threading.Thread(target=stack.double.deliver_raw, args=(u,)) for u in updates]
    for thread in threads:
        thread.start()
    p.taps("2×", seen)
    for thread in threads:
        thread.join()
    day_page = p.asks("/today")
    rice = sum((100 + i) for i in range(12))
    assert eaten(day_page) > 2 * total(seen) + rice, "rice has more than 1 kcal a gram"
    others = p.asks("100 г риса")
    per_gram = total(others) / 100
    assert near(day(others)[0], 2 * total(seen) + (rice + 100) * per_gram, 14)


def test_an_edit_that_overtakes_its_message_wins(stack):
    """The first version comes again after the edit: Telegram lost our answer."""
    p = stack.person()
    said = p.says("100 г риса")
    first = dict(said.update)
    p.changes(said, "300 г гречки")
    edited = p.sees()
    stack.double.deliver_raw(first)
    seen = p.asks("/today")
    assert near(eaten(seen), total(edited)) and "рис" not in seen.text.lower().replace("борис", "")


def test_an_edit_repeated_after_a_tap_does_not_undo_the_tap(stack):
    p = stack.person()
    said = p.says("100 г риса")
    edit = p.edits(said, "200 г гречки")
    buckwheat = p.sees()
    p.presses("2×", buckwheat)
    stack.double.deliver_raw(edit.update, times=2)
    assert near(eaten(p.asks("/today")), 2 * total(buckwheat), 1)


def test_a_tap_that_overtakes_an_edit(stack):
    """Messages wait in another queue than taps: the edit comes last, and wins."""
    p = stack.person()
    said = p.says("100 г риса")
    seen = p.sees()
    queue = ("chat", p.chat.id)
    stack.double.hold(queue)
    edit = p.edits(said, "200 г гречки", wait=False)
    p.taps("2×", seen)
    assert near(row(p.sees(), "рис").grams, 200)
    stack.double.release(queue)
    edit.delivery.wait()
    assert near(row(p.sees(), "гречк").grams, 200)
    assert near(eaten(p.asks("/today")), total(p.history()[-2])) and stack.meals_of(p) == 1


def test_a_button_of_what_an_edit_replaced_changes_nothing(stack):
    p = stack.person()
    said = p.says("100 г риса")
    old = p.sees()
    p.changes(said, "200 г гречки")
    new = p.sees()
    tap = p.taps("2×", old)
    assert tap.toast()
    assert near(eaten(p.asks("/today")), total(new))


def test_an_edit_of_an_unknown_message_makes_the_entry(stack):
    p = stack.person()
    said = p.says("Привет, бот, как дела?")
    seen = p.changes(said, "200 г гречки")
    assert near(row(seen, "гречк").grams, 200)
    assert stack.meals_of(p) == 1


def test_a_stale_button_of_an_old_message(stack):
    p = stack.person()
    seen = p.asks("200 г гречки")
    p.asks("/delete_me")
    p.presses("Да")
    tap = p.taps("2×", seen)
    assert tap.toast(), "says that it is gone"
    tap = p.taps_data("nonsense:1:2:3", seen)
    assert tap.toast() == ""
    tap = p.taps_data("m:x:99999999999999999999:1:1:1", seen)
    assert tap.delivery.attempts[-1].status == 200
    assert eaten(p.asks("/today")) == 0


def test_ids_that_restart_after_a_quiet_week(stack):
    p = stack.person()
    p.says("100 г риса")
    stack.double.jump_update_id(17)
    p.says("100 г гречки")
    stack.double.jump_update_id(60_000_000)
    assert stack.meals_of(p) == 2


def test_kill_9_in_the_middle_loses_nothing_and_doubles_nothing(stack):
    """Processes die by kill -9 while people talk; each message is one entry."""
    people = [stack.person(f"П{i}") for i in range(6)]
    said = []
    done = threading.Event()

    def killer():
        while not done.is_set():
            for pid in stack.pids()[:2]:
                try:
                    stack.kill(pid)
                except (AssertionError, ProcessLookupError):
                    pass
            time.sleep(0.3)

    thread = threading.Thread(target=killer)
    thread.start()
    try:
        for n in range(8):
            said += [(p, p.says(f"{100 + n} г риса", wait=False)) for p in people]
            time.sleep(0.1)
        for _, s in said:
            s.delivery.wait(60)
    finally:
        done.set()
        thread.join()
    stack.wait_pids()
    assert not [s for _, s in said if s.delivery.dropped]
    bad = [a.status for _, s in said for a in s.delivery.attempts if a.status != 200]
    assert bad == [], "nginx hides a process that dies"
    for p in people:
        assert stack.meals_of(p) == 8
    for p, s in said[:6]:
        again = stack.double.deliver_raw(s.update)
        assert len(rows_of(again[0])) == 1
    for p in people:
        assert stack.meals_of(p) == 8


def rows_of(attempt):
    text = json.loads(attempt.body).get("text", "")
    return [line for line in text.splitlines() if line.startswith("•")]
