"""dead_shard_bench.py - run by bench/dead-shard: three MongoDB shards behind
lines that are made bad; p99 of the others' people before and during, in rounds.
"""

import argparse
import statistics
import sys
import tempfile
import time

from dead_shard import LinedStack, Load, of_shards, p99
from harness import MongoServer

DEAD, OTHERS = 1, (0, 2)
BAR = 1.2


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--modes", default="stop,hang,drip,slow")
    p.add_argument("--rate", type=float, default=60, help="updates a second over all shards")
    p.add_argument("--seconds", type=float, default=20, help="of each measurement")
    p.add_argument("--rounds", type=int, default=3, help="of each mode; the median is told")
    p.add_argument("--processes", type=int, default=8)
    p.add_argument("--timeline", action="store_true", help="p99 of each second, too")
    return p.parse_args()


def timeline(sent, began):
    by_second = {}
    for one in sent:
        by_second.setdefault(int(one.started - began), []).append(one)
    return " ".join(f"{max(o.took for o in by_second[s]) * 1e3:.0f}" for s in sorted(by_second))


def one_round(stack, load, mode, args):
    before = of_shards(stack, load.run(args.seconds), OTHERS)
    began = time.monotonic()
    stack.lines[DEAD].mode(mode)
    everything = load.run(args.seconds)
    stack.lines[DEAD].mode("pass")
    load.drained()
    during, lost = (of_shards(stack, everything, s) for s in (OTHERS, [DEAD]))
    early = sum(not o.taken or o.later for o in before)
    errors = sum(not o.taken or o.later for o in during)
    untaken = sum(not o.taken for o in lost)
    ratio = p99(during) / p99(before)
    print(f"  {mode:5} p99 {p99(before) * 1e3:6.1f} ms before, {p99(during) * 1e3:6.1f} ms during,"
          f" ratio {ratio:.2f}; {len(during)} requests of others, {errors} errors "
          f"({early} before); "
          f"{sum(o.later for o in lost)} of {len(lost)} of its own kept, {untaken} refused",
          flush=True)
    if args.timeline:
        print("    slowest of each second, ms:", timeline(during, began), flush=True)
    return ratio, errors + untaken


def main():
    args = arguments()
    with tempfile.TemporaryDirectory(prefix="fbmongo-") as directory:
        mongo = MongoServer(directory)
        stack = LinedStack(mongo, processes=args.processes)
        bad = False
        try:
            stack.start()
            load = Load(stack, args.rate, people=240, threads=48)
            load.run(15)
            for mode in args.modes.split(","):
                rounds = [one_round(stack, load, mode, args) for _ in range(args.rounds)]
                ratio = statistics.median(r for r, _ in rounds)
                errors = sum(e for _, e in rounds)
                bad |= ratio > BAR or errors > 0
                print(f"{mode}: median ratio {ratio:.2f} (bar {BAR}), {errors} errors", flush=True)
            load.close()
            print(f"{load.judge()} updates were kept, each applied once and answered in order")
        finally:
            stack.stop()
            stack.remove()
            mongo.stop()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
