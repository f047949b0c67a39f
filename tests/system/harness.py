"""A whole familybot in a temporary directory: nginx, spawn-fcgi, multiwatch,
worker, shards; started and stopped by ./quickstart as people do it.

FAMILYBOT_BUILD names a build directory that is ready; without it quickstart
builds.  Only processes below the state directory of this stack are touched.
"""

import http.client
import json
import os
import re
import resource
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
from pathlib import Path

from people import Group, Person
from ports import free_port
from telegram_double import TelegramDouble

TOP = Path(__file__).resolve().parents[2]
SLOTS = 5040
# how a page of history, and an empty one, is known in both languages
HISTORY = ("🗂", "записей нет", "no entries", "пока пуст", "empty so far")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def json(self):
        return json.loads(self.body)


class MongoServer:
    """A server of MongoDB's wire protocol; tests/mongo-server starts it."""

    def __init__(self, directory):
        self.file = Path(directory) / "mongo"
        self.file.parent.mkdir(exist_ok=True)
        done = subprocess.run([TOP / "tests/mongo-server/start", self.file], check=False,
                              capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, done.stderr
        self.port, self.pid = map(int, self.file.read_text().split())

    def uri(self, name):
        return f"mongodb://127.0.0.1:{self.port}/{name}"

    def stop(self):
        subprocess.run([TOP / "tests/mongo-server/stop", self.file], check=False, timeout=60)


class Stack:
    def __init__(self, backend="sqlite", shards=3, processes=4, mongo=None, options=""):
        self.backend = backend
        self.nshards = shards
        self.processes = processes
        self.mongo = mongo
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/api/webhook"
        self.secret = "Sys-" + secrets.token_hex(20)
        self.token = f"700000001:AA{secrets.token_hex(17)}"
        self.directory = tempfile.mkdtemp(prefix="fbsys-", dir="/tmp")
        os.chmod(self.directory, 0o755)
        self.state = Path(self.directory) / "var"
        self.double = TelegramDouble(self.token).start()
        self.double.deliver_to(self.url, self.secret)
        self._write_state(options)

    # ---- life

    def _write_state(self, options):
        (self.state / "data").mkdir(parents=True)
        self._private("secret", self.secret)
        self._private("token", self.token)
        self.conf = self.state / "familybot.conf"
        self.conf.write_text(
            'state_dir = ".";\nwebhook_secret_file = "secret";\n'
            f'telegram_token_file = "token";\ntelegram_api = "{self.double.api}";\n'
            f'bot_username = "{self.double.me["username"]}";\n'
            f'foods_db = "{self.build}/data/foods.db";\n{options}\n')
        rows = ",\n".join(f'\t{{ name = "shard{i}"; uri = "{self.uri(i)}"; }}'
                          for i in range(self.nshards))
        (self.state / "shards.conf").write_text(
            f'placement = "modulo";\nshards = (\n{rows}\n);\n')

    def _private(self, name, text):
        path = self.state / name
        path.write_text(text + "\n")
        path.chmod(0o600)

    def uri(self, i):
        if self.backend == "mongo" or (self.backend == "mixed" and i == 1):
            return self.mongo.uri(f"fb{self.port}_{i}")
        return f"sqlite:data/shard{i}.db"

    @property
    def build(self):
        return Path(os.environ.get("FAMILYBOT_BUILD") or TOP / "build")

    @property
    def environment(self):
        kept = {k: v for k, v in os.environ.items()
                if k in ("PATH", "HOME", "LANG", "TMPDIR")
                or k.startswith(("ASAN", "UBSAN", "LSAN", "GCOV"))}
        kept.update(FAMILYBOT_STATE=str(self.state), PORT=str(self.port),
                    PROCESSES=str(self.processes), TELEGRAM_API=self.double.api)
        if os.environ.get("FAMILYBOT_BUILD"):
            kept["FAMILYBOT_BUILD"] = os.environ["FAMILYBOT_BUILD"]
        return kept

    def quickstart(self, *words, check=True, timeout=300, **env):
        """Core files are allowed, so that it is the programs who forbid them."""
        def allow_cores():
            hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
            resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
        done = subprocess.run([TOP / "quickstart", *words], env={**self.environment, **env},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=timeout, check=False, preexec_fn=allow_cores)
        if check:
            assert done.returncode == 0, f"quickstart {words}: {done.returncode}\n" \
                f"{done.stdout}\n{self.logs()[-3000:]}"
        return done

    def start(self):
        self.quickstart()
        return self

    def stop(self):
        self.quickstart("stop", check=False)
        self.double.stop()

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def program(self, name, *words, timeout=60, **env):
        """One of the programs, with this stack's configuration."""
        env = {**self.environment, "FAMILYBOT_MODULES": str(self.build), **env}
        return subprocess.run([self.build / name, "-c", self.conf, *words], env=env,
                              capture_output=True, text=True, timeout=timeout, check=False)

    # ---- processes

    def pids(self, program="familybot"):
        """Processes of this stack that run the program: {pid: argv}."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                argv = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if Path(os.fsdecode(argv[0])).name == program and \
                    any(os.fsdecode(a).startswith(str(self.state)) for a in argv):
                found.append(int(entry.name))
        return sorted(found)

    def kill(self, pid, sig=signal.SIGKILL):
        assert pid in self.pids() + self.pids("familybot-worker"), "not of this stack"
        os.kill(pid, sig)

    def wait_pids(self, count=None, timeout=15):
        count = count or self.processes
        return self.double.wait_for(
            lambda: (p := self.pids()) and len(p) == count and p, timeout,
            f"{count} processes; there are {len(self.pids())}")

    # ---- HTTP

    def http(self, method, path, body=None, headers=None, timeout=30):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def hook(self, body, secret=None, kind="application/json", method="POST", **headers):
        """Posts raw bytes to the webhook."""
        if not isinstance(body, (bytes, type(None))):
            body = json.dumps(body).encode()
        send = {"X-Telegram-Bot-Api-Secret-Token": self.secret if secret is None else secret,
                "Content-Type": kind, **headers}
        send = {k: v for k, v in send.items() if v != ""}
        return self.http(method, "/api/webhook", body, send)

    # ---- what is stored and written

    def logs(self):
        """Everything that was logged, of all programs and nginx."""
        found = []
        for path in sorted(self.state.rglob("*.log")):
            found.append(path.read_text(errors="replace"))
        return "\n".join(found)

    def last_words(self, lines=12):
        """The last warnings and errors, and the last lines of any kind."""
        words = [line for path in sorted((self.state / "log").glob("*.log"))
                 for line in path.read_text(errors="replace").splitlines()]
        bad = [line for line in words if " level=info " not in line]
        alive = f"processes {self.pids()}, worker {self.pids('familybot-worker')}"
        if self.mongo:
            alive += f", mongo {'lives' if Path(f'/proc/{self.mongo.pid}').exists() else 'died'}"
        return "\n".join([alive, *bad[-lines:], *words[-lines:]])

    def log_lines(self, **fields):
        """Lines of the pool's log in which all fields have these values."""
        text = (self.state / "log/pool.log").read_text(errors="replace")
        want = [f" {k}={v}" for k, v in fields.items()]
        return [line for line in text.splitlines()
                if all(re.search(re.escape(w) + r"(?= |$)", " " + line) for w in want)]

    def log_name(self, ident):
        """What the log calls a person."""
        return self.program("familybotctl", "who", str(ident)).stdout.split()[1]

    def shard_rows(self, sql, *values):
        """Rows of all SQLite shards, each with its shard's number in front."""
        found = []
        for i in range(self.nshards):
            db = sqlite3.connect(f"file:{self.state}/data/shard{i}.db?mode=ro", uri=True)
            try:
                found += [(i, *r) for r in db.execute(sql, values)]
            finally:
                db.close()
        return found

    # ---- people

    def person(self, name="Анна", language="ru", shard=None, **more):
        """Somebody new; of a given shard when that matters."""
        person = Person(self.double, name, language, **more)
        while shard is not None and person.id % self.nshards != shard:
            person = Person(self.double, name, language, **more)
        return person

    def group(self, title="Семья", **more):
        return Group(self.double, title, **more)

    def meals_of(self, person):
        """How many entries the person has, as the bot's history tells it."""
        before = len(person.chat.log)
        person.says("/history")
        # an answer to what was kept for later may come between
        seen = self.double.wait_for(
            lambda: next((s for s in map(person.at, person.chat.log[before:])
                          if any(words in s.text for words in HISTORY)), None),
            30, "the history")
        count = 0
        while True:
            count += len([b for b in seen.buttons if b.isdigit()])
            older = [b for b in seen.buttons if "Раньше" in b or "Older" in b]
            if not older:
                return count
            seen = person.presses(older[0], seen)
