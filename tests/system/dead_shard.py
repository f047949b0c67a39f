"""Three MongoDB shards behind lines that can be made bad, load on all of them,
and what must come of it.  For test_dead_shard.py and bench/dead-shard.
"""

import http.client
import itertools
import json
import queue
import random
import re
import threading
import time
from collections import defaultdict

import telegram_rules as rules
from harness import Stack
from shard_proxy import Proxy

LATER = "Записал"
KEEP_ALIVE_S = 30


class LinedStack(Stack):
    """Its shards are reached through one proxy each, or only those of `lined`.
    The servers are shared out: three of them hold one shard each."""

    def __init__(self, *servers, processes=4, shards=3, lined=None, options=""):
        self.servers = [servers[i % len(servers)] for i in range(shards)]
        self.lines = {i: Proxy(self.servers[i].port)
                      for i in (range(shards) if lined is None else lined)}
        super().__init__("lined", shards=shards, processes=processes, mongo=servers[0],
                         options=options)

    def uri(self, i):
        port = self.lines[i].port if i in self.lines else self.servers[i].port
        return f"mongodb://127.0.0.1:{port}/fb{self.port}_{i}"

    def stop(self):
        for line in self.lines.values():
            line.mode("pass")
        super().stop()
        for line in self.lines.values():
            line.close()


def waiting(stack):
    """How many updates wait in the spool."""
    for row in stack.http("GET", "/metrics").text.splitlines():
        if row.startswith("familybot_spool_updates "):
            return int(row.split()[1])
    raise AssertionError("no familybot_spool_updates in /metrics")


class Sent:
    def __init__(self, person, number, started, took, status, body):
        self.person, self.number = person, number
        self.started, self.took = started, took
        self.status, self.body = status, body

    @property
    def taken(self):
        return self.status == 200

    @property
    def later(self):
        """Was it kept for later, with or without a word?"""
        return self.taken and (LATER in self.body or self.body == "{}")


class Load:
    """People of all shards write at a given rate, whatever the answers; each
    person's messages are numbered and sent one after another, as Telegram
    does.  A message that was not taken is not sent again."""

    def __init__(self, stack, rate, people=60, threads=24):
        self.stack, self.rate = stack, rate
        self.people = [stack.person(f"Load{i}", shard=i % stack.nshards) for i in range(people)]
        self.sent = []
        self._numbers = defaultdict(itertools.count(1).__next__)
        self._free = queue.SimpleQueue()
        self._due = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._send, daemon=True)
                         for _ in range(threads)]
        self._updates = itertools.count(50_000_001)
        self._random = random.Random(4711)
        self._count = {p.id: itertools.count(1) for p in self.people}
        self._busy = {p.id: threading.Lock() for p in self.people}
        for thread in self._threads:
            thread.start()

    def close(self):
        for _ in self._threads:
            self._due.put(None)
        for thread in self._threads:
            thread.join(30)

    def run(self, seconds):
        """Returns what was sent meanwhile."""
        first, begin = len(self.sent), time.monotonic()
        at, n = begin, 0
        while at < begin + seconds:
            delay = at - time.monotonic()
            if delay > 0:
                time.sleep(delay)
            self._due.put(self._random.choice(self.people))
            n += 1
            at += self._random.expovariate(self.rate)
        end = time.monotonic() + 30
        while len(self.sent) < first + n and time.monotonic() < end:
            time.sleep(0.05)
        assert len(self.sent) == first + n, "some requests never ended"
        return self.sent[first:]

    def _send(self):
        connection, used = None, 0.0
        while (person := self._due.get()) is not None:
            with self._busy[person.id]:
                number = next(self._count[person.id])
                body = json.dumps({"update_id": next(self._updates), "message": person.message(
                    f"{number} г гречки", date=rules.now())}).encode()
                started = time.monotonic()
                if started - used > KEEP_ALIVE_S:   # nginx closes it about now
                    connection = None
                used = started
                status, text = 0, ""
                try:
                    connection = connection or http.client.HTTPConnection(
                        "127.0.0.1", self.stack.port, timeout=30)
                    connection.request("POST", "/api/webhook", body, {
                        "X-Telegram-Bot-Api-Secret-Token": self.stack.secret,
                        "Content-Type": "application/json"})
                    answer = connection.getresponse()
                    status, text = answer.status, answer.read().decode()
                except (OSError, http.client.HTTPException) as error:
                    text, connection = str(error), None
                self.sent.append(Sent(person, number, started, time.monotonic() - started,
                                      status, text))

    # ---- judging

    def drained(self, timeout=90):
        self.stack.double.wait_for(lambda: waiting(self.stack) == 0, timeout,
                                   f"the spool to be empty; {waiting(self.stack)} wait")

    def judge(self, timeout=90):
        """All that was taken is stored once; what was kept for later was
        answered once, in order; returns how many were kept."""
        by_person = defaultdict(list)
        for one in self.sent:
            by_person[one.person].append(one)
        kept = 0
        for person, all_sent in by_person.items():
            later = sorted(one.number for one in all_sent if one.later)
            kept += len(later)

            def told(person=person):
                return [int(m.group(1)) for seen in person.history()
                        if (m := re.search(r"(\d+) г\b", seen.text)) and LATER not in seen.text]
            self.stack.double.wait_for(lambda want=later, told=told: len(told()) >= len(want),
                                       timeout, f"answers to {len(later)} kept messages of "
                                       f"{person.id}; came: {told()}, kept: {later}")
            assert told() == later, (f"answers of {person.id} once and in order: {told()}, "
                                     f"kept: {later}")
        for person, all_sent in by_person.items():
            taken = sum(one.taken for one in all_sent)
            assert self.stack.meals_of(person) == taken, f"meals of {person.id}"
        return kept


def p99(sent):
    took = sorted(one.took for one in sent)
    return took[min(len(took) - 1, int(len(took) * 0.99))] if took else 0.0


def of_shards(stack, sent, shards):
    return [one for one in sent if one.person.id % stack.nshards in shards]
