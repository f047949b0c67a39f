"""measure.py - one stack under load, by wrk."""

import json
import os
import statistics
import subprocess
import time
from pathlib import Path

from procfs import cpu_seconds, rss_mb
from stacks import FIRST_USER, HERE, SECRET, Failed

PHRASES = {
    "one": "100 г гречки",
    "four": "100 г гречки, 150 г курицы, 200 г молока и 50 г хлеба",
}


def wrk(stack, text, seconds, mode, first_id, connections=32, users=None):
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}",
            "--timeout", "10s", "-s", HERE / "update.lua",
            f"http://127.0.0.1:{stack.port}/", "--", SECRET,
            users or stack.bench.users, FIRST_USER, first_id, text, mode,
            "{}" if stack.name == "echo" else "sendMessage"]
    run = subprocess.run([str(a) for a in argv], text=True, check=False,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    lines = [s for s in run.stdout.splitlines() if s.startswith("{")]
    if not lines:
        raise Failed(f"wrk: {run.stdout}{run.stderr}")
    result = json.loads(lines[-1])
    result["stderr"] = run.stderr
    return result


def measure(stack, phrase, seconds, first_id):
    """One measured run of one stack, after a run that looks at every answer."""
    text = PHRASES[phrase]
    checked = wrk(stack, text, max(1, seconds // 2), "check", first_id)
    before = cpu_seconds(stack.roots + stack.helpers)
    r = wrk(stack, text, seconds, "measure", first_id + 50_000_000)
    time.sleep(0.1)		# what was in flight when wrk left
    cpu = cpu_seconds(stack.roots + stack.helpers) - before
    if not r["requests"] or not checked["requests"]:
        raise Failed(f"{stack.name} answers nothing: {stack.said()}")
    bad = checked["wrong"] + checked["failed"] + r["not_2xx"] + r["failed"]
    return {
        "rps": r["requests"] / r["seconds"],
        "cpu_us": cpu * 1e6 / max(1, r["requests"]),
        "rss_mb": rss_mb(stack.roots),
        "p50_ms": r["p50_ms"], "p99_ms": r["p99_ms"],
        "bad": bad, "checked": checked["requests"], "why": checked["stderr"],
    }


def median_of(runs):
    """Medians of the figures, the sum of what went wrong."""
    out = {k: statistics.median(r[k] for r in runs)
           for k in ("rps", "cpu_us", "rss_mb", "p50_ms", "p99_ms")}
    out["bad"] = sum(r["bad"] for r in runs)
    out["checked"] = sum(r["checked"] for r in runs)
    out["rps_min"] = min(r["rps"] for r in runs)
    out["rps_max"] = max(r["rps"] for r in runs)
    return out


def fdatasync_us(folder, times=200):
    """What the disk asks for one small durable write, median."""
    path = Path(folder) / "fdatasync"
    took = []
    fd = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        for _ in range(times):
            start = time.perf_counter()
            os.write(fd, b"x" * 4096)
            os.fdatasync(fd)
            took.append(time.perf_counter() - start)
    finally:
        os.close(fd)
        path.unlink()
    return statistics.median(took) * 1e6
