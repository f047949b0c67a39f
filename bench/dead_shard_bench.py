"""dead_shard_bench.py - run by bench/dead-shard: three MongoDB shards behind
lines that are made bad; what the others' people wait before and during.

Windows before and during alternate, so that a slow minute of the machine hits
both; their requests are judged together.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import sections
from dead_shard import LinedStack, Load, of_shards
from harness import MongoServer

SHARDS, DEAD, OTHERS = 3, 1, (0, 2)
BAR = 1.2
PERCENT = (50, 90, 99, 99.9)

# Whatever stops or loads the machine because the stand-in is written in Java
# is kept away: one compiler that is soon done, young space for a whole run.
JAVA_OPTS = "-Xms1g -Xmx1g -Xmn800m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--modes", default="pass,stop,hang,drip,slow",
                   help="pass: nothing is made bad, which tells how much the ratio means")
    p.add_argument("--rate", type=float, default=100, help="updates a second over all shards")
    p.add_argument("--seconds", type=float, default=20, help="of each window")
    p.add_argument("--rounds", type=int, default=3, help="pairs of windows of each mode")
    p.add_argument("--processes", type=int, default=8)
    p.add_argument("--servers", type=int, default=SHARDS, help="which hold the three shards")
    p.add_argument("--warm-up", type=float, default=60, help="seconds before the first window")
    p.add_argument("--timeline", action="store_true", help="slowest of each second, too")
    p.add_argument("--write", action="store_true", help="put the figures into bench/RESULTS.md")
    return p.parse_args()


def percentile(sent, percent):
    took = sorted(one.took for one in sent)
    return took[min(len(took) - 1, int(len(took) * percent / 100))] * 1e3


def errors_of(sent):
    return sum(not one.taken or one.later for one in sent)


def timeline(sent, began):
    by_second = {}
    for one in sent:
        by_second.setdefault(int(one.started - began), []).append(one)
    return " ".join(f"{max(o.took for o in by_second[s]) * 1e3:.0f}" for s in sorted(by_second))


def jobs_wait(stack):
    """Answers that are still to be sent keep the worker and the servers busy."""
    return sum(float(row.split()[-1]) for row in stack.http("GET", "/metrics").text.splitlines()
               if row.startswith("familybot_jobs{") and 'state="dead"' not in row)


class Mode:
    def __init__(self, name):
        self.name = name
        self.before, self.during, self.own, self.ratios = [], [], [], []

    def measure(self, stack, load, args):
        before = of_shards(stack, load.run(args.seconds), OTHERS)
        began = time.monotonic()
        stack.lines[DEAD].mode(self.name)
        everything = load.run(args.seconds)
        stack.lines[DEAD].mode("pass")
        during = of_shards(stack, everything, OTHERS)
        self.ratios.append(percentile(during, 99) / percentile(before, 99))
        self.before += before
        self.during += during
        self.own += of_shards(stack, everything, [DEAD])
        if args.timeline:
            print("  slowest of each second, ms:", timeline(during, began), flush=True)
        load.drained()
        stack.double.wait_for(lambda: jobs_wait(stack) == 0, 120, "all answers to be sent")

    @property
    def ratio(self):
        return percentile(self.during, 99) / percentile(self.before, 99)

    @property
    def errors(self):
        return errors_of(self.during) + sum(not one.taken for one in self.own)

    def row(self):
        def figures(sent):
            return ", ".join(f"{percentile(sent, p):.1f}" for p in PERCENT)
        return (f"| {self.name} | {len(self.before)}, {len(self.during)} | {figures(self.before)} | "
                f"{figures(self.during)} | {self.ratio:.2f} | "
                f"{min(self.ratios):.2f}–{max(self.ratios):.2f} | "
                f"{errors_of(self.before)}, {errors_of(self.during)} | "
                f"{sum(o.later for o in self.own)} of {len(self.own)}, "
                f"{sum(not o.taken for o in self.own)} |")


TABLE = ("| mode | requests of others before, during | ms before: p50, p90, p99, p99.9 | "
         "ms during | p99 ratio | of single pairs | errors of others before, during | "
         "its own kept, refused |\n|---|---|---|---|---|---|---|---|")


def write(modes, args):
    text = (f"By bench/dead-shard --write: three MongoDB shards on {args.servers} servers "
            f"(mongo-java-server in memory unless MONGOD says otherwise), one of them behind a "
            f"proxy that stops, hangs with open sockets, drips (a byte each 20 ms) or is slow "
            f"(300 ms an answer); {args.processes} "
            f"processes, {args.rate:g} updates a second over all shards, {args.rounds} pairs of "
            f"windows of {args.seconds:g} s before and during, alternating. An error is an update "
            f"that was not taken, or kept for later, of somebody whose shard is well; bar of the "
            f"ratio: {BAR}. Mode pass makes nothing bad: its ratio is what the machine does by "
            f"itself.\n\n{TABLE}\n" + "\n".join(mode.row() for mode in modes))
    sections.put(sections.DEAD, text)


def measure(mode, args):
    """On a stack of its own: mongo-java-server is slower the more it holds."""
    os.environ.setdefault("MONGO_JAVA_OPTS", JAVA_OPTS)
    with tempfile.TemporaryDirectory(prefix="fbmongo-") as directory:
        servers = [MongoServer(Path(directory) / str(i)) for i in range(args.servers)]
        stack = LinedStack(*servers, processes=args.processes, lined=[DEAD])
        try:
            stack.start()
            load = Load(stack, args.rate, people=240, threads=48)
            load.run(args.warm_up)
            for _ in range(args.rounds):
                mode.measure(stack, load, args)
            load.close()
            print(mode.row(), flush=True)
            return load.judge()
        finally:
            stack.stop()
            if not os.environ.get("FAMILYBOT_KEEP"):
                stack.remove()
            for server in servers:
                server.stop()


def main():
    args = arguments()
    modes = [Mode(name) for name in args.modes.split(",")]
    print(TABLE, flush=True)
    kept = sum(measure(mode, args) for mode in modes)
    print(f"{kept} updates were kept, each applied once and answered in order")
    if args.write:
        write(modes, args)
    return 1 if any(mode.ratio > BAR or mode.errors for mode in modes
                    if mode.name != "pass") else 0


if __name__ == "__main__":
    sys.exit(main())
