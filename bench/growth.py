"""growth.py - do the paths of one person get slower as everything grows?

Three sets of SQLite shards: a base, ten times its people, and ten times the
entries of each person.  The same paths are timed in all three, in turns; the
bar is on the medians' ratio to the base.
"""

import shutil
import statistics
import sys

from measure import PHRASES, wrk
from stacks import Familybot

USERS, MEALS = 10_000, 10
SETS = {
    "base": (USERS, MEALS),
    "10 x users": (10 * USERS, MEALS),
    "10 x entries": (USERS, 10 * MEALS),
}
PATHS = {
    "phrase": PHRASES["one"],
    "/today": "/today",
    "/week": "/week",
    "/history": "/history",
}


def measure_growth(bench, rounds, seconds):
    """{set: {path: median of the rounds' p50 in ms}}"""
    stacks = {n: Familybot(n, bench, "normal", users, meals)
              for n, (users, meals) in SETS.items()}
    p50 = {n: {p: [] for p in PATHS} for n in SETS}
    try:
        for i, (name, stack) in enumerate(stacks.items()):
            stack.start(bench.work / f"growth-{i}")
        for number in range(rounds):
            for j, (path, text) in enumerate(PATHS.items()):
                for name, stack in stacks.items():
                    first = 1 + (number * len(PATHS) + j) * 1_000_000
                    r = wrk(stack, text, max(1, seconds // 3), "measure",
                            first, connections=2, users=stack.users)
                    p50[name][path].append(r["p50_ms"])
                    print(f"growth {name} {path}: p50 {r['p50_ms']} ms",
                          file=sys.stderr, flush=True)
    finally:
        for stack in stacks.values():
            stack.stop()
            if stack.state:
                shutil.rmtree(stack.state, ignore_errors=True)
    return {n: {p: statistics.median(v) for p, v in by.items()}
            for n, by in p50.items()}
