"""No secret in any log, answer, or core; and no words of people in the log."""

import os
import signal
import time

from telegram_rules import Refused

WORDS = "тайнаядиета"


def everything_written(stack):
    """Bytes of all files that the running programs wrote, the shards left out."""
    secret = {stack.state / "secret", stack.state / "token", stack.state / "nginx/secret.conf"}
    for path in stack.state.rglob("*"):
        if path.is_file() and path not in secret and "data" not in path.parts:
            yield path, path.read_bytes()


def test_no_secret_is_written_or_told(new_stack):
    stack = new_stack(processes=2, options='log_level = "debug";')
    double = stack.double
    p = stack.person()
    p.asks("/start")
    p.asks(f"100 г {WORDS}")
    p.asks("350")
    p.taps("2×")
    stack.hook(b"{broken", secret=stack.secret)
    stack.hook({"update_id": 1}, secret=stack.secret + "x")
    double.fail("answerCallbackQuery", Refused(401, "Unauthorized"), times=2)
    double.fail("*", "drop", times=2)
    p.taps("½×")
    double.wait_for(lambda: all(f["left"] == 0 for f in double.faults) or True, 3)
    words = []
    for command in (("-t",), ("--help",)):
        done = stack.program("familybot", *command)
        words.append(done.stdout + done.stderr)
    for command in (("options",), ("jobs", "list"), ("webhook", "info")):
        done = stack.program("familybotctl", *command)
        words.append(done.stdout + done.stderr)
    words.append(stack.quickstart("status").stdout)
    for path in ("/metrics", "/readyz", "/healthz", "/api/webhook", "/x"):
        answer = stack.http("GET", path)
        words.append(answer.text + str(answer.headers))
    for d in double.deliveries:
        words += [a.body.decode() + str(a.headers) for a in d.attempts]
    canaries = [stack.token, stack.token.split(":")[1], stack.secret]
    for said in words:
        assert not any(c in said for c in canaries), said[:300]
    for path, data in everything_written(stack):
        for canary in canaries:
            assert canary.encode() not in data, f"{path} holds a secret"
        if path.suffix == ".log":
            assert WORDS.encode() not in data, f"{path} holds what people say"
    double.refusals.clear()


def test_no_secret_in_the_command_line_or_for_other_users_to_read(sqlite):
    for program in ("familybot", "familybot-worker"):
        for pid in sqlite.pids(program):
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                line = f.read().decode()
            assert sqlite.token not in line and sqlite.secret not in line
    assert (sqlite.state / "secret").stat().st_mode & 0o077 == 0


def cores_since(start, directory):
    """Core files younger than start, where the kernel's pattern puts them."""
    with open("/proc/sys/kernel/core_pattern", encoding="ascii") as f:
        pattern = f.read().strip()
    if pattern.startswith("/"):
        directory = os.path.dirname(pattern)
    names = [os.path.join(directory, n) for n in os.listdir(directory) if "core" in n]
    return [n for n in names if os.path.isfile(n) and os.path.getmtime(n) >= start]


def test_a_crash_leaves_no_secret_in_a_core(new_stack):
    """Cores are allowed when the stack starts (harness.py); a process aborts."""
    stack = new_stack(processes=2)
    stack.person().says("100 г риса")
    pid = stack.wait_pids()[0]
    with open(f"/proc/{pid}/limits", encoding="ascii") as f:
        limit = next(line for line in f if "core file size" in line).split()[4]
    where, start = os.readlink(f"/proc/{pid}/cwd"), time.time() - 1
    stack.kill(pid, signal.SIGABRT)
    stack.double.wait_for(lambda: pid not in stack.pids())
    stack.wait_pids()
    cores = cores_since(start, where)
    try:
        for core in cores:
            with open(core, "rb") as f:
                data = f.read()
            assert stack.token.encode() not in data and stack.secret.encode() not in data
        assert limit == "0" or cores, "a core may lie where this test cannot see it"
    finally:
        for core in cores:
            os.unlink(core)
