"""stacks.py - the stacks that are measured: how each is started and ended.

Every stack listens on app.sock in its own state directory, behind an nginx of
its own on a free port of 127.0.0.1.  A stack ends only what it started, by
pid, and leaves nothing behind.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from procfs import cpu_seconds

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests/system"))
from ports import free_port  # noqa: E402

HERE = Path(__file__).resolve().parent
NGINX = HERE.parent / "nginx"
SECRET = "bench-secret_0123456789"
FIRST_USER = 5_000_000_000


class Failed(Exception):
    """Something did not start; the words say what."""


def wait_until(what, ready, process, log, seconds=30):
    """Until ready(), unless the process has ended before that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if ready():
            return
        time.sleep(0.05)
    said = Path(log).read_text(errors="replace")[-2000:]
    raise Failed(f"{what} did not start: {said}")


def answers(address):
    family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
    with socket.socket(family) as s:
        try:
            s.connect(address)
            return True
        except OSError:
            return False


class Stack:
    """One thing under test.

    roots: pids whose trees serve the webhook; helpers: those of processes
    that belong to the application beside them.
    """

    def __init__(self, name, bench):
        self.name = name
        self.bench = bench		# Bench of run: build, venv, procs, users
        self.state = None
        self.port = 0
        self.roots = []
        self.helpers = []
        self._processes = []

    def spawn(self, argv, env=None, log="app.log"):
        with open(self.state / log, "ab") as out:
            p = subprocess.Popen(
                [str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out,
                stderr=out, cwd=self.state, env={**os.environ, **(env or {})})
        self._processes.append(p)
        return p

    def start(self, state):
        self.state = Path(state)
        self.state.mkdir(parents=True)
        self.prepare()
        app = self.start_app()
        self.roots = [app.pid]
        sock = str(self.state / "app.sock")
        wait_until(self.name, lambda: answers(sock), app,
                   self.state / "app.log")
        self.start_nginx()
        self.settle()

    def settle(self, seconds=60):
        """Until every process has finished starting: none of them works."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            before = cpu_seconds(self.roots + self.helpers)
            time.sleep(0.5)
            if cpu_seconds(self.roots + self.helpers) - before < 0.03:
                return
        raise Failed(f"{self.name} is still starting after {seconds} s")

    def prepare(self):
        """What has to be there before the application."""

    def start_app(self):
        raise NotImplementedError

    # Where upstream.conf.in and locations.conf are; the rest is familybot's.
    backend = NGINX

    def start_nginx(self):
        """nginx as familybot has it, under a prefix of its own."""
        self.port = free_port()
        prefix = self.state / "nginx"
        (prefix / "temp").mkdir(parents=True)
        words = {"PREFIX": prefix, "LISTEN": f"127.0.0.1:{self.port}",
                 "GENERATION": 1, "SOCKET": self.state / "app.sock",
                 "RUN": prefix, "LOGS": prefix}
        for source in (NGINX / "nginx.conf.in", NGINX / "http.conf",
                       NGINX / "fastcgi_params", self.backend / "locations.conf",
                       self.backend / "upstream.conf.in"):
            text = source.read_text()
            for key, value in words.items():
                text = text.replace(f"@{key}@", str(value))
            (prefix / source.name.removesuffix(".in")).write_text(text)
        # every sender of the bench knows the secret, or has a server without one
        (prefix / "secret.conf").write_text('map "" $familybot_stranger { default 0; }\n')
        # A bench run as root keeps its files to itself: so does its nginx.
        more = " user root;" if os.geteuid() == 0 else ""
        p = self.spawn([shutil.which("nginx") or "/usr/sbin/nginx",
                        "-p", prefix, "-e", prefix / "error.log",
                        "-c", prefix / "nginx.conf",
                        "-g", f"daemon off;{more}"], log="nginx.log")
        wait_until("nginx", lambda: answers(("127.0.0.1", self.port)), p,
                   self.state / "nginx.log")

    def said(self):
        """The end of the application's log."""
        return (self.state / "app.log").read_text(errors="replace")[-2000:]

    def stop(self):
        for p in reversed(self._processes):
            if p.poll() is None:
                p.send_signal(signal.SIGTERM)
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        self._processes = []

    def fastcgi(self, argv, env=None):
        """spawn-fcgi holds the socket, multiwatch keeps the processes up."""
        return self.spawn(
            ["spawn-fcgi", "-n", "-s", self.state / "app.sock", "-M", "0660",
             "--", shutil.which("multiwatch"),
             "-f", self.bench.procs, "-r", "1000", "-t", "1000",
             "-s", "TERM", "--", *argv], env)


class Echo(Stack):
    def start_app(self):
        return self.fastcgi([self.bench.build / "bench" / "echo"])


class MongoServer:
    """A server of its own for one round, by tests/mongo-server."""

    def __init__(self, state):
        self.file = Path(state) / "mongo"
        tools = HERE.parent / "tests" / "mongo-server"
        self._stop = tools / "stop"
        run = subprocess.run([tools / "start", self.file], text=True,
                             stdout=subprocess.PIPE, check=False)
        if run.returncode != 0:
            raise Failed("tests/mongo-server/start failed")
        self.port = int(run.stdout.split()[0])

    def stop(self):
        subprocess.run([self._stop, self.file], check=False)


class Familybot(Stack):
    """familybot with SQLite shards, sync "full" or "normal"."""

    def __init__(self, name, bench, sync="full", users=None, meals=0):
        super().__init__(name, bench)
        self.sync = sync
        self.users = users or bench.users
        self.meals = meals

    def uris(self):
        return [f"sqlite:data/shard{i}.db" for i in range(3)]

    def configure(self):
        for d in ("data", "run", "log"):
            (self.state / d).mkdir(exist_ok=True)
        self.conf = self.state / "familybot.conf"
        self.conf.write_text(
            f'webhook_secret = "{SECRET}";\n'
            f'sqlite_sync = "{self.sync}";\n'
            f'log_level = "warn";\n')
        shards = ",\n".join(
            f'\t{{ name = "shard{i}"; uri = "{uri}"; }}'
            for i, uri in enumerate(self.uris()))
        (self.state / "shards.conf").write_text(f"shards = (\n{shards}\n);\n")

    def environment(self):
        return {"FOODS_DB": str(self.bench.build / "data" / "foods.db"),
                "FAMILYBOT_MODULES": str(self.bench.build),
                "FAMILYBOT_STATE": str(self.state)}

    def prepare(self):
        self.configure()
        self.seed()

    def seed(self):
        """Shards filled once in a run are copied: a round costs no seeding."""
        kept = self.bench.work / f"seed-{self.users}-{self.meals}"
        data = self.state / "data"
        if not kept.exists():
            self.run_seed({"SQLITE_SYNC": "normal"})
            shutil.copytree(data, kept)
        else:
            shutil.rmtree(data)
            shutil.copytree(kept, data)

    def run_seed(self, env=None):
        argv = [self.bench.build / "bench" / "replay", "seed", self.conf,
                str(FIRST_USER), str(self.users), str(self.meals)]
        run = subprocess.run(argv, check=False, text=True,
                             stderr=subprocess.PIPE, cwd=self.state,
                             env={**os.environ, **self.environment(),
                                  **(env or {})})
        if run.returncode != 0:
            raise Failed(f"seeding failed: {run.stderr}")

    def start_app(self):
        env = self.environment()
        self.start_worker(env)
        return self.fastcgi(
            [self.bench.build / "familybot", "-c", self.conf], env)

    def start_worker(self, env):
        """Nothing of a phrase is its work, but it is there in real life."""
        p = self.spawn([self.bench.build / "familybot-worker",
                        "-c", self.conf], env, log="worker.log")
        self.helpers = [p.pid]


class FamilybotMongo(Familybot):
    """familybot with three databases on one MongoDB server."""

    def prepare(self):
        self.server = MongoServer(self.state)
        super().prepare()

    def uris(self):
        return [f"mongodb://127.0.0.1:{self.server.port}/bench{i}"
                for i in range(3)]

    def seed(self):
        self.run_seed()

    def stop(self):
        super().stop()
        if hasattr(self, "server"):
            self.server.stop()


class Peer(Stack):
    """A Python peer: own MongoDB server, own Redis, profiles in both."""

    def __init__(self, name, bench, day):
        super().__init__(name, bench)
        self.backend = HERE / "peers" / "nginx"
        self.day = day		# "aggregate" or "counter", see storage.py

    def environment(self):
        return {"MONGO_URL": f"mongodb://127.0.0.1:{self.server.port}/",
                "REDIS_URL": f"unix://{self.state}/redis.sock",
                "WEBHOOK_SECRET": SECRET,
                "PEER_DAY": self.day,
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONPATH": str(HERE / "peers" / "common")}

    def prepare(self):
        self.server = MongoServer(self.state)
        redis_sock = str(self.state / "redis.sock")
        p = self.spawn(["redis-server", "--port", "0", "--unixsocket",
                        redis_sock, "--save", "", "--appendonly", "no"],
                       log="redis.log")
        wait_until("redis", lambda: answers(redis_sock), p,
                   self.state / "redis.log")
        seed = HERE / "peers" / "common" / "seed.py"
        subprocess.run(
            [self.bench.python, seed, str(self.bench.users), str(FIRST_USER)],
            check=True, env={**os.environ, **self.environment()})

    def stop(self):
        super().stop()
        if hasattr(self, "server"):
            self.server.stop()


class FastApi(Peer):
    def start_app(self):
        return self.spawn(
            [self.bench.python, "-m", "uvicorn", "monolith:app",
             "--app-dir", HERE / "peers" / "fastapi",
             "--uds", self.state / "app.sock",
             "--workers", self.bench.procs, "--loop", "uvloop",
             "--http", "httptools", "--log-level", "warning",
             "--no-access-log"], self.environment())


class Aiogram(Peer):
    def start_app(self):
        return self.spawn(
            [self.bench.python, "-m", "gunicorn", "bot:application",
             "--chdir", HERE / "peers" / "aiogram3",
             "--bind", f"unix:{self.state}/app.sock",
             "--workers", self.bench.procs, "--log-level", "warning",
             "--worker-class", "aiohttp.GunicornUVLoopWebWorker"],
            self.environment())


def peers_python():
    """Python of a venv with the pinned peers, in a cache outside the tree."""
    wanted = HERE / "peers" / "requirements.txt"
    key = subprocess.run(["cksum"], input=wanted.read_bytes(), check=True,
                         stdout=subprocess.PIPE).stdout.split()[0].decode()
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    venv = cache / "familybot" / f"bench-peers-{key}"
    python = venv / "bin" / "python"
    if not (venv / "complete").exists():
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q",
                        "--disable-pip-version-check", "-r", wanted],
                       check=True)
        (venv / "complete").touch()
    return python
