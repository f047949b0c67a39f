"""report.py - the figures beside the bars, for people."""

import platform
import re
import subprocess
from dataclasses import dataclass

from stacks import HERE

TITLES = {
    "echo": "bare FastCGI echo (C)",
    "full": "familybot, SQLite FULL",
    "normal": "familybot, SQLite NORMAL",
    "mongo": "familybot, MongoDB",
    "fastapi": "FastAPI + PyMongo async + redis",
    "fastapi-counter": "the same, day kept by $inc",
    "aiogram": "aiogram 3, the same storage, day kept by $inc",
}


@dataclass
class Check:
    what: str
    value: float
    bar: float
    least: bool		# the value must be at least the bar; else at most
    unit: str

    @property
    def passed(self):
        return self.value >= self.bar if self.least else self.value <= self.bar

    def row(self):
        sign = "≥" if self.least else "≤"
        return (f"| {self.what} | {sign} {self.bar:g} {self.unit} "
                f"| {self.value:.2f} {self.unit} "
                f"| {'pass' if self.passed else '**miss**'} |")


def _ratios(one):
    """(what, numerator, denominator, figure, scale, bar, least, unit)"""
    rows = [
        ("SQLite FULL of the echo's requests/s",
         "full", "echo", "rps", 100, 14, True, "%"),
        ("SQLite NORMAL of the echo's requests/s",
         "normal", "echo", "rps", 100, 35, True, "%"),
        ("SQLite FULL over FastAPI, requests/s",
         "full", "fastapi", "rps", 1, 5, True, "×"),
        ("SQLite FULL over FastAPI with $inc, requests/s",
         "full", "fastapi-counter", "rps", 1, 5, True, "×"),
        ("MongoDB over FastAPI, requests/s",
         "mongo", "fastapi", "rps", 1, 1.4, True, "×"),
        ("MongoDB over FastAPI with $inc, requests/s",
         "mongo", "fastapi-counter", "rps", 1, 1.4, True, "×"),
        ("MongoDB of FastAPI's application CPU",
         "mongo", "fastapi", "cpu_us", 100, 20, False, "%"),
        ("MongoDB of the application CPU of FastAPI with $inc",
         "mongo", "fastapi-counter", "cpu_us", 100, 20, False, "%"),
    ]
    return [Check(what, scale * one[a][f] / one[b][f], bar, least, unit)
            for what, a, b, f, scale, bar, least, unit in rows
            if a in one and b in one]


def _absolutes(one):
    rows = [
        ("CPU per update, SQLite FULL", "full", "cpu_us", 140, "µs"),
        ("CPU per update, SQLite NORMAL", "normal", "cpu_us", 90, "µs"),
        ("CPU per update, MongoDB", "mongo", "cpu_us", 200, "µs"),
        ("RSS of a process, SQLite FULL", "full", "rss_mb", 6, "MiB"),
        ("RSS of a process, SQLite NORMAL", "normal", "rss_mb", 6, "MiB"),
        ("RSS of a process, MongoDB", "mongo", "rss_mb", 12, "MiB"),
        ("p99 at 32 connections, SQLite FULL", "full", "p99_ms", 25, "ms"),
        ("p99 at 32 connections, SQLite NORMAL", "normal", "p99_ms", 10, "ms"),
    ]
    return [Check(what, one[s][f], bar, False, unit)
            for what, s, f, bar, unit in rows if s in one]


def judge(medians, trips, grown):
    one = {name: by["one"] for name, by in medians.items()}
    checks = _ratios(one) + _absolutes(one)
    if trips:
        checks.append(Check("MongoDB round trips to record an entry, no cache",
                            round(trips, 1), 2, False, ""))
    if grown:
        for name in list(grown)[1:]:
            ratio, path = max((grown[name][p] / grown["base"][p], p)
                              for p in grown[name])
            checks.append(Check(f"p50 at {name}, worst path ({path})",
                                ratio, 1.3, False, "×"))
    return checks


def _output(*argv):
    try:
        run = subprocess.run(argv, check=False, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return run.stdout
    except OSError:
        return ""


def _version(pattern, *argv):
    found = re.search(pattern, _output(*argv))
    return found[1] if found else "?"


def _pinned():
    text = (HERE / "peers" / "requirements.txt").read_text()
    return ", ".join(m.replace("==", " ")
                     for m in re.findall(r"^[\w-]+==\S+", text, re.M))


def _environment(args, bench, disk, load):
    memory = int(re.search(r"MemTotal:\s+(\d+)",
                           open("/proc/meminfo").read())[1]) / 1048576
    cores = _output("nproc").strip()
    pkg = {p: _version(r"(\S+)", "pkg-config", "--modversion", p)
           for p in ("sqlite3", "libmongoc-1.0", "json-c")}
    triple = r"(\d+\.\d+\.\d+)"
    gcc = _version(triple, "gcc", "--version")
    nginx = _version(r"nginx/(\S+)", "nginx", "-v")
    wrk = _version(triple, "wrk", "--version")
    server = "mongod" if bench.real_mongod else \
        "mongo-java-server 1.46.0 in memory (no mongod was there)"
    return [
        f"- machine: {cores} cores, {memory:.0f} GiB, Linux "
        f"{platform.release().split('-')[0]}; load generator, nginx, "
        "application and servers share it",
        f"- load average before it began: {load:.2f}"
        + (" — the machine was busy with other things, so read ratios, not "
           "figures" if load > 0.5 else ""),
        f"- disk: one 4 KiB write with fdatasync takes {disk:.0f} µs (median)",
        f"- gcc {gcc}, nginx {nginx}, wrk {wrk}, SQLite "
        f"{pkg['sqlite3']}, libmongoc {pkg['libmongoc-1.0']}, "
        f"json-c {pkg['json-c']}, Python {platform.python_version()}",
        f"- peers: {_pinned()}",
        f"- MongoDB: {server}",
        f"- {args.procs} processes a stack, {args.users:,} users with "
        "profiles, wrk with 32 connections and one thread, "
        f"{args.rounds} interleaved rounds of {args.seconds} s each after a "
        "run that checks every answer; medians",
    ]


def _table(medians):
    lines = ["| stack | phrase | requests/s (min–max) | of echo | CPU µs/update"
             " | RSS MiB | p50 ms | p99 ms | wrong |",
             "|---|---|---|---|---|---|---|---|---|"]
    floor = medians.get("echo", {}).get("one", {}).get("rps")
    for name, by in medians.items():
        for phrase, f in by.items():
            share = f"{100 * f['rps'] / floor:.0f} %" if floor else "–"
            lines.append(
                f"| {TITLES[name]} | {phrase} | {f['rps']:,.0f} "
                f"({f['rps_min']:,.0f}–{f['rps_max']:,.0f}) | {share} "
                f"| {f['cpu_us']:.0f} | {f['rss_mb']:.1f} | {f['p50_ms']:.2f} "
                f"| {f['p99_ms']:.2f} | {f['bad']} |")
    return lines


def _growth_table(grown):
    paths = list(grown["base"])
    lines = ["", "p50 in ms of one person's paths, SQLite NORMAL, "
             "2 connections:", "",
             "| set | " + " | ".join(paths) + " |",
             "|---" * (len(paths) + 1) + "|"]
    for name, by in grown.items():
        cells = " | ".join(
            f"{by[p]:.3f} ({by[p] / grown['base'][p]:.2f}×)" for p in paths)
        lines.append(f"| {name} | {cells} |")
    return lines


def render(args, bench, disk, load, medians, grown, checks):
    lines = [
        "# Measured", "",
        "Written by `make bench` (bench/run); the bars are those of the "
        "acceptance figures.", "",
        *_environment(args, bench, disk, load), "", "## Figures", "",
        *_table(medians), "",
        "An update is one food phrase (“one”) or four foods in one phrase "
        "(“four”). CPU is user and system time of the application's "
        "processes, without nginx, Redis and database servers; RSS is the "
        "largest process. “wrong” counts answers that were not 200, failed, "
        "or, in the checked runs, did not hold what was expected.", "",
        "FastAPI is measured twice: as the roadmap has it, with a pipeline "
        "over the day's entries, and with the day's sums kept by $inc, since "
        "a server without secondary indexes (mongo-java-server) scans the "
        "collection for the pipeline. Profiles are in Redis already.", "",
        "## Beside the bars", "",
        "| what | bar | measured | |", "|---|---|---|---|",
        *[c.row() for c in checks],
    ]
    if grown:
        lines += _growth_table(grown)
    budget = HERE / "instructions.budget"
    if budget.exists():
        lines += ["", "Instructions per update (callgrind, SQLite, within "
                  f"bot_handle): {int(budget.read_text().split()[-1]):,}; "
                  "`bench/instructions` fails when it grows by over 5 %."]
    return "\n".join(lines) + "\n"
