"""procfs.py - processor time and memory of trees of processes."""

import os
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def process_tree(roots):
    """The roots and all who descend from them: {pid: fields of stat}."""
    stats = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "stat").read_text()
            except OSError:
                continue
            stats[int(entry.name)] = line.rpartition(")")[2].split()
    tree, grown = set(r for r in roots if r in stats), True
    while grown:
        more = {p for p, f in stats.items()
                if int(f[1]) in tree and p not in tree}
        tree |= more
        grown = bool(more)
    return {p: stats[p] for p in tree}


def cpu_seconds(roots):
    """User and system time of the trees, children that ended included."""
    return sum(sum(int(t) for t in f[11:15])
               for f in process_tree(roots).values()) / TICK


def rss_mb(roots):
    """Resident MiB of the largest process of the trees."""
    page = os.sysconf("SC_PAGE_SIZE")
    return max(int(f[21]) for f in process_tree(roots).values()) * page / 2**20
