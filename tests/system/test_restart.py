"""Changing what runs, and killing it, loses no request."""

import threading
import time

import pytest


class Load:
    """People who write without end until told to stop."""

    def __init__(self, stack, people=8, pause=0.01):
        self.stack, self.pause = stack, pause
        self.people = [stack.person(f"Н{i}") for i in range(people)]
        self.said = {p.id: [] for p in self.people}
        self.done = threading.Event()
        self.threads = [threading.Thread(target=self._talk, args=(p,)) for p in self.people]

    def _talk(self, person):
        while not self.done.is_set() and len(self.said[person.id]) < 150:
            said = person.says("100 г риса", wait=False)
            self.said[person.id].append(said)
            said.delivery.wait(90)
            time.sleep(self.pause)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()

    @property
    def deliveries(self):
        return [s.delivery for all in self.said.values() for s in all]

    def judge(self):
        bad = [(a.status, a.error) for d in self.deliveries for a in d.attempts
               if a.status != 200]
        assert bad == [], f"{len(bad)} bad answers of {len(self.deliveries)}"
        assert not [d for d in self.deliveries if d.dropped]
        # The slowest must be far from Telegram's patience.
        slowest = max(a.ended - a.started for d in self.deliveries for a in d.attempts)
        assert slowest < 10, slowest

    def count_stored(self):
        for p in self.people:
            rows = self.stack.shard_rows("SELECT count(*) FROM food_analysis WHERE user_id = ?"
                                         " AND deleted = 0", p.id)
            assert sum(r[1] for r in rows) == len(self.said[p.id])


def test_restart_under_load_loses_nothing(sqlite):
    before = sqlite.wait_pids()
    with Load(sqlite) as load:
        time.sleep(0.3)
        sqlite.quickstart("restart")
        time.sleep(0.5)
    load.judge()
    assert len(load.deliveries) > 100
    load.count_stored()
    after = sqlite.wait_pids()
    assert not set(before) & set(after), "all processes are new"


def test_another_number_of_processes_loses_nothing(sqlite):
    try:
        with Load(sqlite, people=4) as load:
            sqlite.quickstart("restart", PROCESSES="2")
            time.sleep(0.2)
        load.judge()
        assert len(sqlite.wait_pids(2)) == 2
    finally:
        sqlite.quickstart("restart")
        sqlite.wait_pids()


def test_sixty_kills_under_load_give_no_bad_answer(sqlite):
    kills = 0
    with Load(sqlite, pause=0.06) as load:      # they outlast the kills
        end = time.monotonic() + 40
        while kills < 60 and time.monotonic() < end and not all(
                len(s) >= 150 for s in load.said.values()):
            pids = sqlite.pids()
            if len(pids) > 2:
                try:
                    sqlite.kill(pids[kills % len(pids)])
                    kills += 1
                except (AssertionError, ProcessLookupError):
                    pass
            time.sleep(0.12)
    load.judge()
    assert kills >= 40
    load.count_stored()
    sqlite.wait_pids()


def test_status_and_env_tell_the_truth(sqlite):
    assert sqlite.quickstart("status").returncode == 0
    env = sqlite.quickstart("env").stdout
    assert f"FAMILYBOT_URL=http://127.0.0.1:{sqlite.port}\n" in env
    assert f"FAMILYBOT_WEBHOOK_SECRET={sqlite.secret}\n" in env


def test_stop_and_start_keep_what_is_stored(new_stack):
    stack = new_stack(processes=2)
    p = stack.person()
    seen = p.asks("200 г гречки")
    stack.quickstart("stop")
    assert stack.pids() == [] and stack.pids("familybot-worker") == []
    status = stack.quickstart("status", check=False)
    assert status.returncode != 0
    waiting = p.says("100 г риса", wait=False)      # Telegram keeps it meanwhile
    time.sleep(0.2)
    stack.quickstart()
    waiting.delivery.wait()
    assert stack.meals_of(p) == 2
    stack.double.deliver_raw(waiting.update)
    assert stack.meals_of(p) == 2 and "гречк" in seen.text.lower()


def test_a_full_stack_survives_its_worker(sqlite):
    for pid in sqlite.pids("familybot-worker"):
        sqlite.kill(pid)
    p = sqlite.person()
    assert "рис" in p.asks("100 г риса").text.lower()
    sqlite.double.wait_for(lambda: sqlite.pids("familybot-worker"), 15, "the worker again")
    for _ in range(5):      # a toast is worth nothing later, so it may be lost
        try:
            assert p.taps("2×").toast(timeout=2)
            return
        except AssertionError:
            continue
    raise AssertionError("the new worker answers no tap")


@pytest.mark.parametrize("program", ["familybot", "familybot-worker", "familybot-poll",
                                     "familybotctl"])
def test_programs_say_what_they_are(sqlite, program):
    for word in ("--help", "--version"):
        done = sqlite.program(program, word)
        assert done.returncode == 0 and "familybot" in done.stdout
