"""Doors that stay shut: what the user of the processes can do to root, what
others can read, and who can shut people out."""

import os
import socket
import stat
import subprocess
import time

import pytest

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to lose")
SERVICE_FOLDERS = ("data", "run", "log", "secrets", "nginx/temp")


def service_uid(stack):
    return (stack.state / "data").stat().st_uid


def is_service_folder(relative):
    return any(relative == f or relative.startswith(f + "/") for f in SERVICE_FOLDERS)


@ROOT
def test_what_root_reads_and_runs_is_roots(sqlite):
    uid = service_uid(sqlite)
    assert uid != 0
    assert sqlite.state.stat().st_uid == 0, "who owns a folder can rename what is in it"
    for path in sqlite.state.rglob("*"):
        relative = str(path.relative_to(sqlite.state))
        if is_service_folder(relative):
            continue
        info = path.lstat()
        private = stat.S_ISREG(info.st_mode) and info.st_mode & 0o077 == 0
        assert info.st_uid == 0 or private, f"{relative} belongs to the service"
        assert private or not info.st_mode & 0o022 or stat.S_ISLNK(info.st_mode), relative


@ROOT
def test_a_planted_link_is_not_followed(new_stack, tmp_path):
    stack = new_stack()
    stack.quickstart("stop")
    uid = service_uid(stack)
    os.chmod(tmp_path, 0o755)
    victims = []
    for folder, name in (("log", "pool.log"), ("log", "worker.log"), ("log", "config.log"),
                         ("run", "pool.new"), ("run", "generation"), ("run", "nginx.pid"),
                         ("secrets", "telegram_token.new")):
        victim = tmp_path / f"{folder}-{name}"
        victim.write_text("of root\n")
        victims.append(victim)
        subprocess.run(["setpriv", f"--reuid={uid}", "--clear-groups", "--", "ln", "-sf",
                        victim, stack.state / folder / name], check=True)
    done = stack.quickstart(check=False, TELEGRAM_TOKEN="")
    for victim in victims:
        assert victim.read_text() == "of root\n", f"{victim.name} was written through a link"
        assert victim.stat().st_uid == 0, f"{victim.name} was given away"
    # a log that is a link to a file of root's cannot be written: the rest says so
    assert done.returncode in (0, 1)


@ROOT
def test_settings_of_an_old_state_name_nothing_else(new_stack):
    stack = new_stack(start=False)
    (stack.state / "quickstart.env").write_text(
        f"PORT={stack.port}\nLD_PRELOAD=/tmp/evil.so\nPYTHONPATH=/tmp\nMAKEFLAGS=--eval=x\n")
    told = stack.quickstart().stdout
    assert "LD_PRELOAD" in told and "left out" in told
    for pid in stack.pids() + stack.pids("familybot-worker"):
        environment = open(f"/proc/{pid}/environ", "rb").read()
        for name in (b"LD_PRELOAD", b"PYTHONPATH", b"MAKEFLAGS"):
            assert name not in environment


def test_processes_get_no_secret_of_the_callers_environment(new_stack):
    stack = new_stack(start=False)
    stack.quickstart(OPENAI_API_KEY="sk-canary-of-the-caller", AWS_SECRET_ACCESS_KEY="canary-too")
    pids = {int(p) for p in os.listdir("/proc") if p.isdigit()}
    seen = 0
    for pid in pids:
        try:
            argv = open(f"/proc/{pid}/cmdline", "rb").read()
            environment = open(f"/proc/{pid}/environ", "rb").read()
        except OSError:
            continue
        if str(stack.state).encode() in argv and b"pytest" not in argv:
            seen += 1
            assert b"canary" not in environment, argv
    assert seen >= 2


def test_logs_and_lock_are_not_for_everybody(sqlite):
    for path in (sqlite.state / "log").iterdir():
        assert path.stat().st_mode & 0o007 == 0, path
    assert (sqlite.state / "control/quickstart.lock").stat().st_mode & 0o077 == 0


def nginx_rss(stack):
    """KiB of nginx's processes."""
    master = int((stack.state / "control/nginx.pid").read_text())
    total = 0
    for pid in [master] + [int(p) for p in os.listdir("/proc") if p.isdigit()]:
        try:
            status = open(f"/proc/{pid}/status", encoding="utf-8").read()
        except OSError:
            continue
        if pid == master or f"\nPPid:\t{master}\n" in status:
            total += int(status.split("VmRSS:")[1].split()[0])
    return total


def test_slow_and_large_senders_without_the_secret_shut_nobody_out(new_stack):
    stack = new_stack(processes=2)
    head = ("POST /api/webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            "X-Telegram-Bot-Api-Secret-Token: wrong\r\nContent-Length: {}\r\n\r\n")
    before = nginx_rss(stack)
    senders = []
    try:
        for n in range(1500):
            s = socket.create_connection(("127.0.0.1", stack.port), timeout=10)
            large = n < 300
            s.sendall(head.format(1 << 20 if large else 1000).encode())
            s.setblocking(False)
            try:
                s.send(b"x" * ((1 << 18) if large else 10))
            except OSError:
                pass			# refused already: just as well
            senders.append(s)
        anna = stack.person()
        assert "184" in anna.asks("200 г гречки").text
        assert stack.http("GET", "/healthz").status == 200
        assert nginx_rss(stack) - before < 64 * 1024
    finally:
        for s in senders:
            s.close()


def test_what_nginx_itself_refuses_is_json(sqlite):
    for request, status in ((b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505),
                            (b"POST /api/webhook HTTP/1.1\r\nHost: x\r\n"
                             b"Transfer-Encoding: fancy\r\n\r\n", 501)):
        with socket.create_connection(("127.0.0.1", sqlite.port), timeout=10) as s:
            s.sendall(request)
            answer = b""
            until = time.monotonic() + 10
            while time.monotonic() < until and (more := s.recv(4096)):
                answer += more
        assert str(status).encode() in answer.split(b"\r\n")[0], answer
        assert f'"error_code":{status}'.encode() in answer, answer


def test_quickstart_passes_commands_to_familybotctl(sqlite):
    assert sqlite.quickstart("ctl", "jobs", "list").returncode == 0
    assert "jobs" in sqlite.quickstart("ctl").stdout
