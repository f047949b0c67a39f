"""A Telegram that lives on 127.0.0.1: the Bot API, and the delivery of updates.

It behaves by the facts of delivery: messages queue per chat and callback
queries per user, one update of a queue in flight; only 2xx counts; the first
failure is sent again at once, later ones with a delay that doubles; a
Retry-After is honoured; 410 for long closes the webhook; a method in the
answer's body is executed and its result thrown away.  It refuses what
Telegram refuses (telegram_rules.py), and keeps a journal of everything.

Telegram's seconds are multiplied by `scale`, so that a test need not wait.
The server runs in a thread of its own; tests call the public methods.
"""

import asyncio
import itertools
import json
import re
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

import telegram_rules as rules
from telegram_methods import Methods
from telegram_rules import Refused

BACKOFF_MAX = 60
RETRY_AFTER_MAX = 3600
GONE_MAX = 23 * 3600
LIFE = {"callback_query": 150, "inline_query": 30}
MESSAGE_LIFE = 24 * 3600
ALL_KINDS_BUT = {"chat_member", "message_reaction", "message_reaction_count"}


@dataclass
class Call:
    """One call of the bot, as it came and as it was answered."""
    method: str
    params: dict
    via: str                    # "http", or "body" of a webhook's answer
    ok: bool = True
    error: str = ""
    result: object = None
    update_id: int = 0          # whose answer it stood in
    files: dict = field(default_factory=dict)
    content_type: str = ""
    at: float = field(default_factory=time.monotonic)


@dataclass
class Attempt:
    status: int                 # 0: no answer at all
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    error: str = ""
    started: float = 0
    ended: float = 0


class Delivery:
    """One update on its way to the bot."""

    def __init__(self, update, queue):
        self.update = update
        self.queue = queue
        self.attempts = []
        self.dropped = False
        self.done = threading.Event()
        self.born = time.monotonic()

    @property
    def update_id(self):
        return self.update["update_id"]

    @property
    def kind(self):
        return next(k for k in self.update if k != "update_id")

    @property
    def answer(self):
        """The method in the body of the accepted answer, or {}."""
        last = self.attempts[-1] if self.attempts else None
        return json.loads(last.body) if last and last.body else {}

    def wait(self, timeout=30):
        if not self.done.wait(timeout):
            raise AssertionError(f"update {self.update_id} was not taken in {timeout} s: "
                                 f"{[(a.status, a.error) for a in self.attempts]}")
        return self


class TelegramDouble(Methods):
    def __init__(self, token, scale=0.02, username="family_test_bot"):
        super().__init__(username)
        self.token = token
        self.scale = scale
        self.answer_timeout = 30
        self.max_connections = 40
        self.journal = []
        self.deliveries = []
        self.complaints = []        # of aiogram, or against the answer's form
        self.refusals = []          # calls that Telegram refused
        self.webhook = {"url": "", "secret": ""}
        self.delivering_to = None   # where webhook updates really go
        self.held = set()           # queues that a test holds back
        self.last_error = None
        self.gone_since = None
        self.faults = []
        self.polls = []             # updates for getUpdates
        self.poller = None
        self._queues = {}
        self._ids = itertools.count(1_000_001)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    # ---- life

    def start(self):
        self._thread.start()
        self.port = self._run(self._start())
        self.api = f"http://127.0.0.1:{self.port}"
        return self

    async def _start(self):
        app = web.Application(client_max_size=60 << 20)
        app.router.add_route("*", "/file/bot{token}/{path:.+}", self._serve_file)
        app.router.add_route("*", "/bot{token}/{method}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._slots = asyncio.Semaphore(self.max_connections)
        self._wake = asyncio.Condition()
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self.max_connections),
            auto_decompress=True)
        return site._server.sockets[0].getsockname()[1]

    def stop(self):
        async def close():
            for task in self._queues.values():
                task[1].cancel()
            await self._http.close()
            await self._runner.cleanup()
        self._run(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self, coro, timeout=60):
        return asyncio.run_coroutine_threadsafe(coro, self._loop).result(timeout)

    # ---- updates to the bot

    def deliver_to(self, url, secret):
        """Send updates there, as if setWebhook had been called with it."""
        self.delivering_to = (url, secret)
        self.gone_since = None

    def post(self, kind, content, queue, update_id=None):
        """Queues an update; returns its Delivery at once."""
        update = {"update_id": next(self._ids) if update_id is None else update_id,
                  kind: content}
        rules.check_update(update)
        delivery = Delivery(update, queue)
        self.deliveries.append(delivery)
        if self.delivering_to is None:
            self._run(self._offer(delivery))
        else:
            self._loop.call_soon_threadsafe(self._enqueue, delivery)
        return delivery

    def jump_update_id(self, to):
        """Telegram restarts its ids at random after a quiet week."""
        self._ids = itertools.count(to)

    def wait_idle(self, timeout=30):
        for delivery in list(self.deliveries):
            delivery.wait(timeout)

    def hold(self, queue):
        """Holds a queue back, so that a test can change the order."""
        self.held.add(queue)

    def release(self, queue):
        self.held.discard(queue)

    def _enqueue(self, delivery):
        if delivery.queue not in self._queues:
            queue = asyncio.Queue()
            task = self._loop.create_task(self._pump(queue))
            self._queues[delivery.queue] = (queue, task)
        self._queues[delivery.queue][0].put_nowait(delivery)

    async def _pump(self, queue):
        while True:
            delivery = await queue.get()
            while delivery.queue in self.held:
                await asyncio.sleep(0.005)
            await self._deliver(delivery)
            delivery.done.set()

    async def _deliver(self, delivery):
        life = LIFE.get(delivery.kind, MESSAGE_LIFE) * self.scale
        delay = 1
        while True:
            async with self._slots:
                attempt = await self._attempt(delivery)
            if 200 <= attempt.status < 300:
                self.gone_since = None
                await self._execute_body(delivery, attempt)
                return
            self.last_error = (rules.now(), attempt.error or
                               f"Wrong response from the webhook: {attempt.status}")
            if self._is_gone(attempt) or time.monotonic() - delivery.born > life:
                delivery.dropped = True
                return
            wait = 0 if len(delivery.attempts) == 1 else delay
            if wait:
                delay = min(delay * 2, BACKOFF_MAX)
            asked = attempt.headers.get("Retry-After", "")
            if asked.isdigit():
                wait = min(int(asked), RETRY_AFTER_MAX)
            await asyncio.sleep(wait * self.scale)

    def _is_gone(self, attempt):
        if attempt.status != 410:
            self.gone_since = None
            return False
        self.gone_since = self.gone_since or attempt.started
        closed = attempt.ended - self.gone_since >= GONE_MAX * self.scale
        if closed:
            self.webhook = {"url": "", "secret": ""}
        return closed

    async def _attempt(self, delivery):
        url, secret = self.delivering_to
        attempt = await self._post_raw(url, secret, delivery.update)
        delivery.attempts.append(attempt)
        return attempt

    async def _post_raw(self, url, secret, update):
        body = json.dumps(update, ensure_ascii=update["update_id"] % 2 == 0).encode()
        headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip, deflate",
                   "X-Telegram-Bot-Api-Secret-Token": secret}
        attempt = Attempt(0, started=time.monotonic())
        try:
            timeout = aiohttp.ClientTimeout(total=self.answer_timeout)
            async with self._http.post(url, data=body, headers=headers, timeout=timeout,
                                       allow_redirects=False) as answer:
                attempt.status = answer.status
                attempt.headers = answer.headers.copy()
                attempt.body = await answer.read()
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            attempt.status = 0
            attempt.error = f"{type(error).__name__}: {error}"
        attempt.ended = time.monotonic()
        return attempt

    async def _execute_body(self, delivery, attempt):
        """What stands in the answer is done, and nobody is told how it went."""
        if not attempt.body.strip():
            return
        kind = attempt.headers.get("Content-Type", "").split(";")[0]
        try:
            if kind != "application/json":
                raise ValueError(f"content type {kind!r}")
            params = json.loads(attempt.body.decode("utf-8"))
        except ValueError as error:
            self.complaints.append(f"answer to update {delivery.update_id}: {error}")
            return
        method = params.get("method")
        if method is None:
            if params:
                self.complaints.append(f"answer to {delivery.update_id}: {params} says no method")
            return
        if rules.NOT_IN_BODY.match(method.lower()):
            self.complaints.append(f"{method} is ignored in a webhook's answer")
            return
        call = Call(method, params, "body", update_id=delivery.update_id, content_type=kind)
        await self._perform(call)

    def deliver_raw(self, update, times=1):
        """The same update `times` at once, past all queues; nothing is executed."""
        url, secret = self.delivering_to

        async def together():
            return await asyncio.gather(*(self._post_raw(url, secret, update)
                                          for _ in range(times)))
        return self._run(together(), 120)

    # ---- calls of the bot

    def fail(self, method, refused, times=1, chat_id=None, when=None):
        """The next calls of method are refused; "drop" cuts the connection,
        "lose" performs the call and loses the answer."""
        self.faults.append({"method": method.lower(), "what": refused, "left": times,
                            "chat_id": chat_id, "when": when})

    def _fault(self, call):
        for fault in self.faults:
            if fault["left"] > 0 and fault["method"] in ("*", call.method.lower()) and \
                    fault["chat_id"] in (None, call.params.get("chat_id")) and \
                    (fault["when"] is None or fault["when"](call)):
                fault["left"] -= 1
                return fault["what"]
        return None

    async def _perform(self, call):
        """Runs one call; fills call and journals it; returns the answer."""
        self.journal.append(call)
        try:
            if call.method.lower() not in rules.METHODS:
                raise Refused(404, "Not Found: method not found")
            self.complaints += rules.aiogram_complaints(call.method, call.params, call.files)
            fault = self._fault(call)
            if isinstance(fault, Refused):
                raise fault
            call.result = await self._do(call)
            rules.check_result(call.method, call.result)
            answer = {"ok": True, "result": call.result}
            if fault in ("drop", "lose"):
                answer = None
        except Refused as refused:
            call.ok = False
            call.error = refused.description
            self.refusals.append(call)
            answer = refused.answer()
        return answer

    async def _serve(self, request):
        if request.match_info["token"] != self.token:
            return self._answer(Refused(401, "Unauthorized").answer())
        try:
            params, files = await self._params(request)
        except (ValueError, UnicodeDecodeError):
            return self._answer(rules.bad_request("strings must be encoded in UTF-8").answer())
        call = Call(request.match_info["method"], params, "http", files=files,
                    content_type=request.content_type)
        if self._drops(call):
            self.journal.append(call)
            call.ok, call.error = False, "connection dropped"
            request.transport.abort()
            return web.Response(status=500)
        answer = await self._perform(call)
        if answer is None:
            request.transport.abort()
            return web.Response(status=500)
        return self._answer(answer)

    def _drops(self, call):
        for fault in self.faults:
            if fault["what"] == "drop" and fault["left"] > 0 and \
                    fault["method"] in ("*", call.method.lower()):
                fault["left"] -= 1
                return True
        return False

    @staticmethod
    def _answer(body):
        headers = {}
        retry = body.get("parameters", {}).get("retry_after")
        if retry:
            headers["Retry-After"] = str(retry)
        return web.json_response(body, status=body.get("error_code", 200), headers=headers)

    @staticmethod
    async def _params(request):
        params, files = dict(request.query), {}
        if request.content_type == "application/json":
            raw = await request.read()
            if raw:
                params.update(json.loads(raw.decode("utf-8")))
            return params, files
        for key, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                files[key] = (value.filename, value.file.read())
            else:
                params[key] = value
        for key, value in params.items():
            if isinstance(value, str) and value[:1] in "{[" and key not in ("text", "caption"):
                params[key] = json.loads(value)
            elif isinstance(value, str) and re.fullmatch(r"-?\d{1,18}", value) and \
                    (key.endswith("_id") or key in ("offset", "limit", "timeout")):
                params[key] = int(value)
        return params, files

    async def _serve_file(self, request):
        if request.match_info["token"] != self.token:
            return self._answer(Refused(401, "Unauthorized").answer())
        data = self.files.get(request.match_info["path"])
        if data is None:
            return self._answer(Refused(404, "Not Found").answer())
        return web.Response(body=data, content_type="application/octet-stream")

    # ---- what tests ask

    def calls(self, method=None, chat_id=None, via=None, ok=None):
        return [c for c in list(self.journal)
                if (method is None or c.method.lower() == method.lower())
                and (chat_id is None or c.params.get("chat_id") == chat_id)
                and (via is None or c.via == via) and (ok is None or c.ok == ok)]

    def wait_for(self, condition, timeout=10, what="that"):
        """Polls condition until it is true; its value is returned."""
        end = time.monotonic() + timeout
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f"waited {timeout} s in vain for {what}")
            time.sleep(0.01)

    def wait_call(self, method, timeout=10, **where):
        return self.wait_for(lambda: self.calls(method, **where), timeout, method)[-1]

    def summary(self):
        """Counts of deliveries by attempts and last status."""
        counts = defaultdict(int)
        for d in self.deliveries:
            counts[(len(d.attempts), d.attempts[-1].status if d.attempts else None)] += 1
        return dict(counts)
