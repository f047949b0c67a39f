"""Two hosts of one family: each in a network namespace with nginx, pool, worker
and agent of its own, two MongoDB servers in a third; cables that can be pulled.

Where namespaces cannot be made, two state directories on one machine take their
place, and pulling the cable is stopping the agent (Net.real says which).
"""

import ctypes
import http.client
import json
import os
import re
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from harness import TOP
from ports import free_port

CLONE_NEWNET = 0x40000000
SOAK = TOP / "tests/soak"
sys.path.append(str(SOAK))
libc = ctypes.CDLL(None, use_errno=True)


def run(*words, check=True, timeout=60, **how):
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True,
                          timeout=timeout, check=False, **how)
    assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done


class Net:
    """Namespaces fb…a and fb…b, each with a cable to the bridge in fb…m."""

    def __init__(self):
        self.id = f"fb{os.getpid() % 100000}"
        self.made = []
        self.real = os.geteuid() == 0 and shutil.which("ip") is not None and \
            os.environ.get("FAMILYBOT_TEST_NAMESPACES") != "no"
        if self.real:
            try:
                self._make()
            except AssertionError as error:
                self.remove()
                self.real, self.why = False, str(error)

    def name(self, host):
        return f"{self.id}{host}"

    def address(self, server):
        """The meta store is server 1, the other shards are on server 2."""
        return f"10.77.0.{server}" if self.real else "127.0.0.1"

    def _ip(self, host, *words):
        return run("ip", "-n", self.name(host), *words)

    def _make(self):
        for host in "mab":
            run("ip", "netns", "add", self.name(host))
            self.made.append(self.name(host))
            self._ip(host, "link", "set", "lo", "up")
        self._ip("m", "link", "add", "br0", "type", "bridge")
        self._ip("m", "addr", "add", "10.77.0.1/24", "dev", "br0")
        self._ip("m", "addr", "add", "10.77.0.2/24", "dev", "br0")
        self._ip("m", "link", "set", "br0", "up")
        for number, host in enumerate("ab", 3):
            self._ip("m", "link", "add", f"to-{host}", "type", "veth", "peer", "name", "eth0",
                     "netns", self.name(host))
            self._ip("m", "link", "set", f"to-{host}", "master", "br0", "up")
            self._ip(host, "addr", "add", f"10.77.0.{number}/24", "dev", "eth0")
            self._ip(host, "link", "set", "eth0", "up")

    def remove(self):
        for name in self.made:
            run("ip", "netns", "del", name, check=False)
        self.made = []

    def inside(self, host):
        """The words before a command that run it there."""
        return ["ip", "netns", "exec", self.name(host)] if self.real else []

    @contextmanager
    def enter(self, host):
        """Sockets that this process makes within belong to the namespace."""
        if not self.real:
            yield
            return
        with open("/proc/self/ns/net", "rb") as here, \
                open(f"/run/netns/{self.name(host)}", "rb") as there:
            assert libc.setns(there.fileno(), CLONE_NEWNET) == 0
            try:
                yield
            finally:
                assert libc.setns(here.fileno(), CLONE_NEWNET) == 0

    def meta(self, host, reached):
        """Can the host reach the meta store?  The other shards it can in any case."""
        if self.real:
            self._ip(host.name, "route", "del" if reached else "add", "blackhole",
                     f"{self.address(1)}/32")
        else:
            self.cable(host, reached)

    def cable(self, host, plugged):
        if self.real:
            self._ip("m", "link", "set", f"to-{host.name}", "up" if plugged else "down")
        else:
            for pid in host.pids("familybot-agent"):
                os.kill(pid, signal.SIGCONT if plugged else signal.SIGSTOP)


class Mongo:
    def __init__(self, net, directory, number):
        self.address, self.file = net.address(number), Path(directory) / f"mongo{number}"
        run(*net.inside("m"), TOP / "tests/mongo-server/start", self.file, timeout=180,
            env={**os.environ, "MONGO_BIND": self.address})
        self.port = int(self.file.read_text().split()[0])

    def uri(self, name):
        return f"mongodb://{self.address}:{self.port}/{name}"

    def stop(self):
        run(TOP / "tests/mongo-server/stop", self.file, check=False)


class Host:
    """One of the hosts; lease of 2 s, so that tests need not wait for long."""

    def __init__(self, name, net, secret, environment=None):
        self.name, self.net, self.secret = name, net, secret
        self.port = free_port()
        self.directory = tempfile.mkdtemp(prefix=f"fbhost-{name}-", dir="/tmp")
        os.chmod(self.directory, 0o755)
        self.state = Path(self.directory) / "var"
        (self.state / "data").mkdir(parents=True)
        (self.state / "secret").write_text(secret + "\n")
        (self.state / "secret").chmod(0o600)
        self.conf = self.state / "familybot.conf"
        self.conf.write_text('state_dir = ".";\nwebhook_secret_file = "secret";\n'
                             f'foods_db = "{self.build}/data/foods.db";\n')
        self.more = environment or {}

    @property
    def build(self):
        return Path(os.environ.get("FAMILYBOT_BUILD") or TOP / "build")

    def shards(self, rows, file="shards.conf"):
        rows = ",\n".join(f'\t{{ name = "{n}"; uri = "{u}"; timeout_ms = 500; }}'
                          for n, u in rows)
        (self.state / file).write_text(
            f'placement = "modulo";\nshards = (\n{rows}\n);\n'
            f'cluster = {{ host = "{self.name}"; meta = "shard0"; lease_ms = 2000; }};\n')

    @property
    def environment(self):
        kept = {k: v for k, v in os.environ.items()
                if k in ("PATH", "HOME", "LANG", "TMPDIR", "FAMILYBOT_BUILD")}
        return {**kept, "FAMILYBOT_STATE": str(self.state), "PORT": str(self.port),
                "PROCESSES": "3", "FAMILYBOT_MODULES": str(self.build), **self.more}

    def quickstart(self, *words, check=True):
        if self.more:
            faketime_tidy()
        return run(*self.net.inside(self.name), TOP / "quickstart", *words, check=check,
                   timeout=120, env=self.environment)

    def ctl(self, *words, check=True, timeout=120):
        return run(*self.net.inside(self.name), self.build / "familybotctl", "-c", self.conf,
                   "shards", *words, check=check, timeout=timeout, env=self.environment)

    def ctl_begin(self, log, *words):
        return subprocess.Popen(
            [*self.net.inside(self.name), str(self.build / "familybotctl"), "-c", str(self.conf),
             "shards", *words], env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT)

    def status(self):
        done = run(*self.net.inside(self.name), self.build / "familybotctl", "-c", self.conf,
                   "--json", "shards", "status", env=self.environment)
        return json.loads(done.stdout)

    def slots(self):
        """[(owner, target, state, generation)] of its map."""
        import checker
        return checker.slot_map(self.state)[1]

    def pids(self, *programs):
        found = []
        for entry in Path("/proc").iterdir():
            try:
                argv = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            except OSError:
                continue
            if argv and (not programs or Path(os.fsdecode(argv[0])).name in programs) and \
                    any(os.fsdecode(a).startswith(str(self.state)) for a in argv):
                found.append(int(entry.name))
        return found

    def kill(self):
        """As when the power goes: everything of this host at once."""
        for _ in range(3):	# who was just being forked
            for pid in self.pids():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass

    def spooled(self):
        """Updates that wait here for a shard that is away."""
        path = self.state / "data/spool.db"
        if not path.exists():
            return 0
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            return db.execute("SELECT count(*) FROM spool").fetchone()[0]
        finally:
            db.close()

    def probe(self):
        """Status and text of the answer to somebody of shard1."""
        connection = HostConnection(self)
        who = {"id": 710000001, "first_name": "Probe"}
        self.probes = getattr(self, "probes", 0) + 1
        connection.request("POST", "/api/webhook", json.dumps({
            "update_id": self.probes, "message": {
                "message_id": self.probes, "date": int(time.time()), "text": "/today",
                "from": {**who, "is_bot": False, "language_code": "en"},
                "chat": {**who, "type": "private"}}}), {
            "Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": self.secret})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def takes(self):
        """Is somebody of shard1 served now?  (else 503, a word that it comes later, or
        nothing when that word was said lately)"""
        status, text = self.probe()
        return status == 200 and "sendMessage" in text and "a little later" not in text

    def refuses(self):
        """Is everything sent again, perhaps to another host?"""
        return self.probe()[0] == 503

    def serves(self):
        """Does somebody who only looks get an answer?"""
        try:
            connection = HostConnection(self, timeout=5)
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False

    def logs(self):
        return "\n".join(p.read_text(errors="replace")[-4000:]
                         for p in sorted(self.state.rglob("*.log")))

    def remove(self):
        self.quickstart("stop", check=False)
        self.kill()
        faketime_tidy()
        if not os.environ.get("FAMILYBOT_KEEP"):
            shutil.rmtree(self.directory, ignore_errors=True)


class HostConnection(http.client.HTTPConnection):
    """To the nginx of a host, in its namespace."""

    def __init__(self, host, timeout=10):
        super().__init__("127.0.0.1", host.port, timeout=timeout)
        self.of = host

    def connect(self):
        with self.of.net.enter(self.of.name):
            super().connect()


def writers(hosts, directory, seed, **how):
    """ledger.Writers whose updates go to the person's host, and to the next when that does not
    take them, as a balancer before them would do.  Order is kept on each host: of whom
    something waits on one, nothing is sent until that is applied.  Each seed has people of
    its own."""
    import ledger

    class Balanced(ledger.Writer):
        def __init__(self, *words):
            super().__init__(*words)
            self.by, self.waits = None, {}

        def compare(self, person, text):
            if not ledger.TODAY.search(text):
                self.waits[person.user] = self.by	# kept for later, perhaps
            super().compare(person, text)

        def settled(self, person):
            host = self.waits.get(person.user)
            if host and host.spooled():
                return False
            self.waits.pop(person.user, None)
            return True

        def writes(self, person):
            return self.settled(person) and super().writes(person)

        def edits(self, person):
            return self.settled(person) and super().edits(person)

        def undoes(self, person):
            return self.settled(person) and super().undoes(person)

        def post(self, update):
            body, who = json.dumps(update), [v for k, v in update.items() if k != "update_id"]
            first = who[0]["from"]["id"] // 2
            for attempt in range(ledger.TRIES):
                host = hosts[(first + attempt) % len(hosts)]
                began = time.monotonic()
                try:
                    connection = HostConnection(host)
                    connection.request("POST", "/api/webhook", body, {
                        "Content-Type": "application/json",
                        "X-Telegram-Bot-Api-Secret-Token": self.secret})
                    answer = connection.getresponse()
                    text = answer.read().decode()
                    connection.close()
                    if answer.status == 200:
                        self.latencies.append(time.monotonic() - began)
                        self.by = host
                        self.bad[f"{host.name}:ok"] = self.bad.get(f"{host.name}:ok", 0) + 1
                        return text
                    why = f"{host.name}:{answer.status}"
                except (OSError, http.client.HTTPException) as error:
                    why = f"{host.name}:{type(error).__name__}"
                self.bad[why] = self.bad.get(why, 0) + 1
                time.sleep(min(0.02 * 2 ** min(attempt, 5), 0.5))
            raise SystemExit(f"an update was refused {ledger.TRIES} times: {why}")

    first, ledger.Writer = ledger.FIRST_PERSON, Balanced
    ledger.FIRST_PERSON += seed * 100_000
    made = ledger.Writers("http://127.0.0.1/api/webhook", hosts[0].secret, directory, seed=seed,
                          **how)
    ledger.FIRST_PERSON = first
    return made


CHECK = """
import json, sys
sys.path.append(sys.argv[1])
import checker, ledger
v = checker.check(sys.argv[2], ledger.read(sys.argv[3]))
print(json.dumps({"clean": v.clean, "words": v.words(), "acknowledged": v.acknowledged, "lost": len(v.lost),
    "some": [*v.lost[:5], *v.duplicate[:5], *v.misplaced[:5], *v.unasked[:5]]}))
"""


def check(host, ledgers):
    """The ledger beside the shards, read where they can be reached."""
    done = run(*host.net.inside("m"), sys.executable, "-c", CHECK, SOAK, host.state, ledgers)
    return json.loads(done.stdout)


def faketime(offset):
    """The environment of somebody whose clock is apart; {} where it cannot be had."""
    for path in Path("/usr/lib").glob("*/faketime/libfaketime.so.1"):
        return {"LD_PRELOAD": str(path), "FAKETIME": offset, "DONT_FAKE_MONOTONIC": "1",
                "FAKETIME_DISABLE_SHM": "1"}
    return {}


def faketime_tidy():
    """What it keeps of processes that were killed prevents others that get their pid."""
    for path in Path("/dev/shm").glob("*faketime_s*_*"):
        if not Path("/proc", path.name.rpartition("_")[2]).exists():
            path.unlink(missing_ok=True)


def new_secret():
    return "Sys-" + secrets.token_hex(20)


def number(text, what):
    found = re.search(what, text)
    return float(found.group(1)) if found else -1
