"""soak.py - live data moves between shards while people write and processes die.

Each scenario starts a whole familybot (nginx, processes, worker), lets several
processes write through it and keep a ledger, moves the data with familybotctl,
kills mover, worker and FastCGI processes by SIGKILL at random moments, lets the
next mover go on; then cleans up, and compares the ledger with the shards.
Prints TAP; exit status 1 when anything was lost, doubled or misplaced.
"""

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "system"), str(HERE), str(HERE.parents[1] / "bench")]
sys.dont_write_bytecode = True

import checker  # noqa: E402
import ledger  # noqa: E402
import sections  # noqa: E402
from harness import MongoServer, Stack  # noqa: E402


@dataclass
class Scenario:
    name: str
    before: tuple		# (backend, shards)
    after: tuple
    placement: str = "modulo"
    slower: int = 1		# so that few people take as long as many


SCENARIOS = [
    Scenario("4-6", ("sqlite", 4), ("sqlite", 6)),
    Scenario("6-4", ("sqlite", 6), ("sqlite", 4)),
    Scenario("4-5-modulo", ("sqlite", 4), ("sqlite", 5)),
    Scenario("4-5-minimal", ("sqlite", 4), ("sqlite", 5), "minimal", 3),
    Scenario("sqlite-mongodb", ("sqlite", 4), ("mongo", 4)),
    Scenario("mongodb-mongodb", ("mongo", 4), ("mongo", 6)),
]
MOVE_TIMEOUT = 900


def rows(stack, backend, count, other):
    """Names and URIs.  Shards of one backend keep theirs; those of another are new."""
    if backend == "sqlite":
        return [(f"shard{i}", f"sqlite:data/shard{i}.db") for i in range(count)]
    first = "shard" if other == backend else "mongo"
    return [(f"{first}{i}", stack.mongo.uri(f"fb{stack.port}_{i}")) for i in range(count)]


def conf_text(shards, placement):
    body = ",\n".join(f'\t{{ name = "{n}"; uri = "{u}"; }}' for n, u in shards)
    return f'placement = "{placement}";\nshards = (\n{body}\n);\n'


class Mover:
    """familybotctl shards reshard, started again whenever it was killed."""

    def __init__(self, stack, target, rate):
        self.stack, self.log = stack, open(stack.state / "log/mover.log", "ab")
        self.rate = [f"--max-users-per-second={rate}"] if rate else []
        self.starts = 0
        self.process = None
        self.first = ["start", "--to", str(target), "--yes", *self.rate]
        self._start(*self.first)

    def _start(self, *words):
        self.starts += 1
        self.process = subprocess.Popen(
            [self.stack.build / "familybotctl", "-c", self.stack.conf, "shards", "reshard", *words],
            env={**self.stack.environment, "FAMILYBOT_MODULES": str(self.stack.build)},
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)

    def begun(self):
        return (self.stack.state / "data/reshard.json").exists()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def done(self):
        """True when everything has moved; a killed one is started again."""
        code = self.process.poll()
        if code is None:
            return False
        if code == 0:
            return True
        if code != -signal.SIGKILL:
            raise AssertionError(f"the mover ended with {code}: {self.words()}")
        if self.begun():
            self._start("resume")
        else:		# killed before there was anything to resume
            self._start(*self.first)
        return False

    def words(self):
        return (self.stack.state / "log/mover.log").read_text(errors="replace")[-1500:]


class Window:
    """How many updates a second are answered from now on."""

    def __init__(self, writers):
        self.writers, self.sent, self.began = writers, writers.sent(), time.monotonic()

    def rate(self):
        return (self.writers.sent() - self.sent) / (time.monotonic() - self.began)


class Killer:
    """SIGKILL to one of mover, worker and FastCGI processes, by chance."""

    def __init__(self, stack, mover, seed, pause):
        self.stack, self.mover, self.pause = stack, mover, pause
        self.random = random.Random(seed)
        self.count = {"mover": 0, "worker": 0, "familybot": 0}
        self.next = time.monotonic() + pause

    def turn(self):
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + self.random.uniform(0.3, 1.7) * self.pause
        who = self.random.choice(["mover", "mover", "worker", "familybot"])
        if who == "mover":
            if not self.mover.begun() or self.mover.process.poll() is not None:
                return
            self.mover.kill()
        else:
            pids = self.stack.pids("familybot-worker" if who == "worker" else "familybot")
            if not pids:
                return
            try:
                self.stack.kill(self.random.choice(pids))
            except (AssertionError, ProcessLookupError):
                return	# it just ended by itself
        self.count[who] += 1

    @property
    def total(self):
        return sum(self.count.values())


def journal(stack):
    path = stack.state / "data/reshard.json"
    return json.loads(path.read_text()) if path.exists() else {}


def spool_rows(stack):
    done = stack.program("familybotctl", "--json", "shards", "status", timeout=30)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["spool"]["rows"]


def wait(what, seconds, test):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if test():
            return
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s for {what}")


def move(stack, mover, args, seed):
    killer = Killer(stack, mover, seed, args.pause)
    until = time.monotonic() + MOVE_TIMEOUT
    while not mover.done():
        assert time.monotonic() < until, f"the move takes too long: {mover.words()}"
        if killer.total < args.kills:
            killer.turn()
        time.sleep(0.02)
    return killer


def judge(stack, scenario, directory, gone):
    """Cleans up, verifies, and compares with the ledger: the problems found."""
    problems = []
    wait("the spool to be applied", 60, lambda: spool_rows(stack) == 0)
    for words in (("reshard", "cleanup", "--yes"), ("verify", "--digests")):
        done = stack.program("familybotctl", "shards", *words, timeout=300)
        if done.returncode != 0:
            problems.append(f"{' '.join(words)}: {done.returncode} {done.stdout[-600:]}"
                            f"{done.stderr[-600:]}")
    verdict = checker.check(stack.state, ledger.read(directory), scenario.placement, gone)
    if not verdict.clean:
        problems.append("; ".join([verdict.words(), *verdict.lost[:5], *verdict.duplicate[:5],
                                   *verdict.misplaced[:5], *verdict.unasked[:5]]))
    return verdict, problems


def run(scenario, args, mongo, seed):
    stack = Stack(scenario.before[0], shards=scenario.before[1], mongo=mongo)
    with tempfile.TemporaryDirectory(prefix="fbledger-") as directory:
        try:
            return run_on(stack.start(), scenario, args, seed, directory)
        finally:
            stack.stop()
            if not os.environ.get("FAMILYBOT_KEEP"):
                stack.remove()


def run_on(stack, scenario, args, seed, directory):
    old = rows(stack, *scenario.before, scenario.before[0])
    new = rows(stack, *scenario.after, scenario.before[0])
    target = stack.state / "next.conf"
    target.write_text(conf_text(new, scenario.placement))
    writers = ledger.Writers(stack.url, stack.secret, directory, people=args.people,
                             pace=args.pace, seed=seed)
    writers.start()
    time.sleep(args.before / 2)
    alone = Window(writers)
    time.sleep(args.before / 2)
    alone = alone.rate()
    mover = Mover(stack, target, args.rate // scenario.slower)
    try:
        moving = Window(writers)
        killer = move(stack, mover, args, seed)
        moving = moving.rate()
        time.sleep(0.5)
    finally:
        writers.stop()
        if mover.process.poll() is None:
            mover.kill()
    moved = journal(stack)
    gone = [r for r in old if r not in new]
    verdict, problems = judge(stack, scenario, directory, gone)
    if killer.total < args.kills:
        problems.append(f"only {killer.total} kills of {args.kills}: make the move slower")
    if writers.stale:
        problems.append(f"read your writes: {len(writers.stale)} answers were stale, "
                        f"{writers.stale[:3]}")
    return {
        "scenario": scenario.name, "writes": len(writers.latencies),
        "alone_per_second": round(alone), "moving_per_second": round(moving),
        "p50_ms": round(1e3 * writers.quantile(0.5), 2),
        "p99_ms": round(1e3 * writers.quantile(0.99), 2),
        "repeated": writers.bad, "later": writers.later,
        "kills": killer.count, "movers": mover.starts,
        "fence_p50_ms": moved.get("fence_p50_us", 0) / 1e3,
        "fence_p99_ms": moved.get("fence_p99_us", 0) / 1e3,
        "moved_people": moved.get("users", 0),
        "verdict": verdict.words(), "problems": problems,
    }


def options():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("scenario", nargs="*", help=", ".join(s.name for s in SCENARIOS))
    p.add_argument("--short", action="store_true", help="as `quickstart check` runs it")
    p.add_argument("--kills", type=int, help="of mover, worker and FastCGI processes")
    p.add_argument("--people", type=int)
    p.add_argument("--rate", type=int, help="people moved a second; 0: as fast as it goes")
    p.add_argument("--pause", type=float, help="mean seconds between two kills")
    p.add_argument("--pace", type=float, default=0.002, help="mean pause of a writer, seconds")
    p.add_argument("--before", type=float, default=3, help="seconds of writing before the move")
    p.add_argument("--seed", type=int, default=int(time.time()) % 100000)
    p.add_argument("--expect-loss", action="store_true",
                   help="a build that loses data: passes when the checker finds it")
    p.add_argument("--write", action="store_true",
                   help="put the figures into bench/RESULTS.md")
    args = p.parse_args()
    defaults = {"kills": 6, "people": 900, "rate": 150, "pause": 0.5} if args.short else \
        {"kills": 24, "people": 3000, "rate": 150, "pause": 0.4}
    for name, value in defaults.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    if not args.scenario and args.short:
        args.scenario = ["4-6", "sqlite-mongodb"]
    return args


def write(figures, args):
    """Replaces the section of these figures."""
    lines = ["| scenario | acknowledged | lost, duplicate, misplaced | kills: mover, worker, "
             "FastCGI | requests/s before, while moving | p99 of a request ms | fence p50, p99 ms "
             "| people moved |", "|---|---|---|---|---|---|---|---|"]
    for f in figures:
        if "kills" not in f:
            lines.append(f"| {f['scenario']} | did not end |")
            continue
        lost = ", ".join(re.findall(r"(\d+) (?:lost|duplicate|misplaced)", f["verdict"]))
        lines.append(
            f"| {f['scenario']} | {f['verdict'].split()[0]} | {lost} | "
            f"{', '.join(map(str, f['kills'].values()))} | {f['alone_per_second']}, "
            f"{f['moving_per_second']} | {f['p99_ms']} | {f['fence_p50_ms']}, {f['fence_p99_ms']} "
            f"| {f['moved_people']} |")
    rate = f"at {args.rate} people a second" if args.rate else "unthrottled"
    sections.put(sections.MOVES, f"By tests/reshard-soak --write: {args.people} people, "
                 f"three writers with {1000 * args.pace:g} ms of mean pause, moves {rate}, "
                 "SQLite FULL; MongoDB is mongo-java-server in memory unless MONGOD says "
                 "otherwise.\n\n" + "\n".join(lines))


def main():
    args = options()
    chosen = [s for s in SCENARIOS if not args.scenario or s.name in args.scenario]
    assert chosen, "there is no such scenario"
    failed, figures, mongo = 0, [], None
    print(f"# seed {args.seed}", flush=True)
    print(f"1..{len(chosen)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="fbmongo-") as directory:
        if any("mongo" in s.before + s.after for s in chosen):
            mongo = MongoServer(directory)
        try:
            for number, scenario in enumerate(chosen, 1):
                try:
                    result = run(scenario, args, mongo, args.seed + number)
                except (AssertionError, OSError, subprocess.SubprocessError) as error:
                    result = {"scenario": scenario.name, "problems": [str(error)]}
                figures.append(result)
                bad = result.pop("problems")
                if args.expect_loss:
                    found = " 0 lost" not in result.get("verdict", " 0 lost")
                    bad = [] if found else ["the checker found nothing lost", *bad]
                failed += bool(bad)
                print(f"{'not ok' if bad else 'ok'} {number} - {scenario.name}: "
                      f"{result.get('verdict', 'did not end')}", flush=True)
                print(f"# {json.dumps(result)}", flush=True)
                for words in bad:
                    print("# " + words.replace("\n", "\n# "), flush=True)
        finally:
            if mongo:
                mongo.stop()
    if args.write:
        write(figures, args)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
