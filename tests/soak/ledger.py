"""People who write without end, and the ledger of what they were told.

Each writer is a process with people of its own, whose updates go one after
another through nginx as Telegram would send them: again and again until a 2xx
comes.  Its ledger is a file of JSON lines: {"try": …} before an update is
sent, {"ok": …} after the 2xx.  What has "try" without "ok" may be stored or
not; what has "ok" must be, exactly once, as the ledger says.

    writer = Writers(url, secret, directory, count=3, people=600)
    writer.start(); …; writer.stop(); ledger = read(directory)
"""

import http.client
import json
import multiprocessing
import random
import re
import time
import urllib.parse
from pathlib import Path

FIRST_PERSON = 720000000
CAL_PER_GRAM = 1300		# "rice", of the table of foods: 130 kcal in 100 g
PEOPLE_STEP = 11	# no divisor of 5040: people lie in all slots
MEALS_A_PERSON = 120		# a day holds 200
TRIES = 400
TODAY = re.compile(r"Today: \D*([\d,]+)")


def meal_key(user, message):
    return f"{user}:{message}"


class Person:
    """What one person has written down, as they were told."""

    def __init__(self, user):
        self.user = user
        self.next_message = 1
        self.meals = {}		# message: [grams, deleted, rev, edits]
        self.sure = True	# every answer told the day's sum so far

    def total(self):
        return sum(m[0] * CAL_PER_GRAM for m in self.meals.values() if not m[1])


class Writer:
    """One process: sends, retries, notes, and compares what it is told."""

    def __init__(self, url, secret, path, people, seed, pace):
        parts = urllib.parse.urlsplit(url)
        self.host, self.path, self.secret = parts.netloc, parts.path, secret
        self.file = open(path, "w", encoding="utf-8", buffering=1)
        self.people = [Person(u) for u in people]
        self.random = random.Random(seed)
        self.pace = pace
        self.update_id = 10_000_000 * (seed + 1)
        self.date = int(time.time())
        self.connection = None
        self.latencies, self.bad, self.stale, self.later = [], {}, [], 0

    def note(self, **line):
        self.file.write(json.dumps(line, separators=(",", ":")) + "\n")

    def post(self, update):
        """Until a 2xx, as Telegram does; the text of the answer."""
        body = json.dumps(update)
        for attempt in range(TRIES):
            began = time.monotonic()
            try:
                self.connection = self.connection or http.client.HTTPConnection(
                    self.host, timeout=30)
                self.connection.request("POST", self.path, body, {
                    "Content-Type": "application/json",
                    "X-Telegram-Bot-Api-Secret-Token": self.secret})
                answer = self.connection.getresponse()
                text = answer.read().decode()
                if answer.status == 200:
                    self.latencies.append(time.monotonic() - began)
                    return text
                why = str(answer.status)
            except (OSError, http.client.HTTPException) as error:
                why = type(error).__name__
                self.connection.close()
                self.connection = None
            self.bad[why] = self.bad.get(why, 0) + 1
            time.sleep(min(0.05 * 2 ** min(attempt, 4), 1))
        raise SystemExit(f"an update was refused {TRIES} times: {why}")

    def update(self, person, **what):
        self.update_id += 1
        return {"update_id": self.update_id, **what}

    def message(self, person, number, text):
        who = {"id": person.user, "first_name": "Soak"}
        return {"message_id": number, "date": self.date, "text": text,
                "from": {**who, "is_bot": False, "language_code": "en"},
                "chat": {**who, "type": "private"}}

    def send(self, person, update, number, grams, deleted):
        """Notes, sends, notes again; learns whether the sum that is told is right."""
        key = meal_key(person.user, number)
        self.note(**{"try": [key, grams, deleted]})
        text = self.post(update)
        self.note(ok=[key, grams, deleted])
        return text

    def compare(self, person, text):
        """Read your writes: the day's sum in the answer holds all that was answered."""
        found = TODAY.search(text)
        if not found:
            self.later += '"text"' in text or "callback" in text
            return
        told, want = int(found.group(1).replace(",", "")), person.total() / 1000
        if person.sure and abs(told - want) > 1:
            self.stale.append(f"{person.user}: told {told}, wrote {want:.0f}")

    def writes(self, person):
        number, grams = person.next_message, self.random.randint(1, 999)
        person.next_message += 1
        text = self.send(person, self.update(person, message=self.message(
            person, number, f"{grams} g of rice")), number, grams, 0)
        person.meals[number] = [grams, 0, 1, 0]
        self.compare(person, text)

    def edits(self, person):
        number = max(person.meals)
        meal = person.meals[number]
        if meal[1]:
            return self.writes(person)
        grams = self.random.randint(1, 999)
        meal[3] += 1
        text = self.send(person, self.update(person, edited_message={
            **self.message(person, number, f"{grams} g of rice"),
            "edit_date": self.date + meal[3]}), number, grams, 0)
        meal[0] = grams
        meal[2] += 1
        self.compare(person, text)
        return None

    def undoes(self, person):
        number = max(person.meals)
        meal = person.meals[number]
        if meal[1]:
            return self.writes(person)
        day = self.date // 86400
        data = f"m:u:{day}:{person.user}:{number}:{meal[2]}"
        shown = self.message(person, 1_000_000 + number, "…")
        shown["from"] = {"id": 1, "is_bot": True, "first_name": "Bot"}
        self.update_id += 1
        text = self.send(person, {"update_id": self.update_id, "callback_query": {
            "id": str(self.update_id), "chat_instance": "1", "data": data, "message": shown,
            "from": {"id": person.user, "is_bot": False, "first_name": "Soak",
                     "language_code": "en"}}}, number, meal[0], 1)
        meal[1] = 1
        meal[2] += 1
        self.compare(person, text)
        return None

    def run(self, stop, sent):
        while not stop.is_set():
            sent.value = len(self.latencies)
            person = self.random.choice(self.people)
            if len(person.meals) >= MEALS_A_PERSON:
                if all(len(p.meals) >= MEALS_A_PERSON for p in self.people):
                    break
                continue
            chance = self.random.random()
            if not person.meals or chance < 0.8:
                self.writes(person)
            elif chance < 0.95:
                self.edits(person)
            else:
                self.undoes(person)
            if self.pace:
                time.sleep(self.random.random() * 2 * self.pace)


def _work(url, secret, directory, people, seed, pace, stop, sent, results):
    writer = Writer(url, secret, directory / f"ledger-{seed}.jsonl", people, seed, pace)
    writer.run(stop, sent)
    results.put((writer.latencies, writer.bad, writer.stale, writer.later))


class Writers:
    """Several of them at once.  people: how many in all; pace: mean pause, seconds."""

    def __init__(self, url, secret, directory, count=3, people=600, pace=0.0, seed=1):
        self.directory = Path(directory)
        self.stopping = multiprocessing.Event()
        self.results = multiprocessing.Queue()
        self.counts = [multiprocessing.Value("q", 0, lock=False) for _ in range(count)]
        everybody = [FIRST_PERSON + PEOPLE_STEP * i for i in range(people)]
        self.processes = [multiprocessing.Process(target=_work, args=(
            url, secret, self.directory, everybody[i::count], seed * 100 + i, pace,
            self.stopping, self.counts[i], self.results)) for i in range(count)]
        self.latencies, self.bad, self.stale, self.later = [], {}, [], 0
        self.seconds = 0

    def start(self):
        self.began = time.monotonic()
        for process in self.processes:
            process.start()
        return self

    def stop(self):
        self.stopping.set()
        for _ in self.processes:
            latencies, bad, stale, later = self.results.get(timeout=120)
            self.latencies += latencies
            self.stale += stale
            self.later += later
            for why, count in bad.items():
                self.bad[why] = self.bad.get(why, 0) + count
        for process in self.processes:
            process.join(30)
        self.seconds = time.monotonic() - self.began
        self.latencies.sort()
        return self

    def sent(self):
        """Updates answered up to now."""
        return sum(c.value for c in self.counts)

    def quantile(self, q):
        return self.latencies[min(int(len(self.latencies) * q), len(self.latencies) - 1)]


class Told:
    """What the ledger knows of one meal."""

    def __init__(self):
        self.sure = None	# (grams, deleted) of the last 2xx
        self.perhaps = []	# tried after it, without one


def read(directory):
    """{key: Told} of all ledgers in directory."""
    told = {}
    for path in sorted(Path(directory).glob("ledger-*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            (kind, (key, grams, deleted)), = entry.items()
            meal = told.setdefault(key, Told())
            if kind == "ok":
                meal.sure, meal.perhaps = (grams, deleted), []
            else:
                meal.perhaps.append((grams, deleted))
    return told
