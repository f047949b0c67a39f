"""The Telegram double itself: does it behave by the facts of delivery?"""

import asyncio
import threading
import time

import aiohttp
import pytest
from aiohttp import web

import telegram_rules as rules
from people import Group, Person
from telegram_double import TelegramDouble
from telegram_rules import Refused, parse_html

TOKEN = "700000001:AAdouble-test-token-aaaaaaaaaaaaaaa"
SECRET = "Double_secret-1"


class Bot:
    """A webhook that a test scripts: each answer is (status, json, headers)."""

    def __init__(self):
        self.seen, self.script, self.delay = [], [], 0
        self.busy, self.overlaps = {}, []
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.url = asyncio.run_coroutine_threadsafe(self._start(), self.loop).result(10)

    async def _start(self):
        app = web.Application()
        app.router.add_post("/hook", self._hook)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/hook"

    async def _hook(self, request):
        update = await request.json()
        self.seen.append((time.monotonic(), dict(request.headers), update))
        status, body, headers = self.script.pop(0) if self.script else (200, {}, {})
        self.busy[update["update_id"]] = time.monotonic()
        self.overlaps.append(sorted(self.busy))
        await asyncio.sleep(self.delay)
        del self.busy[update["update_id"]]
        if callable(body):
            body = body(update)
        return web.json_response(body, status=status, headers=headers)

    def stop(self):
        asyncio.run_coroutine_threadsafe(self.runner.cleanup(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)


@pytest.fixture
def world():
    double, bot = TelegramDouble(TOKEN).start(), Bot()
    double.deliver_to(bot.url, SECRET)
    yield double, bot
    double.stop()
    bot.stop()


def call(double, method, params=None, token=TOKEN, **how):
    async def go():
        async with aiohttp.ClientSession() as http:
            kind = {"json": params or {}} if not how else how
            async with http.post(f"{double.api}/bot{token}/{method}", **kind) as answer:
                return answer.status, await answer.json()
    return asyncio.run(go())


def test_a_method_in_the_answer_is_executed_and_its_result_thrown_away(world):
    double, bot = world
    anna = Person(double, "Анна")
    bot.script = [(200, lambda u: {"method": "sendMessage", "chat_id": u["message"]["chat"]["id"],
                                   "text": "<b>да</b> &amp; нет", "parse_mode": "HTML"}, {})]
    anna.says("привет")
    assert anna.sees().text == "да & нет"
    assert double.journal[0].via == "body" and double.complaints == []
    assert bot.seen[0][1]["X-Telegram-Bot-Api-Secret-Token"] == SECRET


def test_first_failure_is_sent_again_at_once_and_then_ever_later(world):
    double, bot = world
    bot.script = [(500, {}, {})] * 5
    Person(double, "Ann").says("x")
    times = [t for t, _, _ in bot.seen]
    gaps = [b - a for a, b in zip(times, times[1:])]
    assert len(times) == 6 and gaps[0] < 0.015
    assert gaps[4] > 0.1 and gaps[4] > gaps[2] > gaps[1] * 1.2
    assert len({u["update_id"] for _, _, u in bot.seen}) == 1


def test_retry_after_is_honoured(world):
    double, bot = world
    bot.script = [(503, {}, {"Retry-After": "20"})]
    Person(double, "Ann").says("x")
    assert bot.seen[1][0] - bot.seen[0][0] >= 20 * double.scale


def test_gone_for_long_closes_the_webhook(world):
    double, bot = world
    double.scale = 1e-6
    double.gone_since = time.monotonic() - 1
    bot.script = [(410, {}, {})]
    said = Person(double, "Ann").says("x")
    assert said.delivery.dropped and len(bot.seen) == 1


def test_one_in_flight_per_queue_but_a_tap_and_a_message_overlap(world):
    double, bot = world
    bot.delay = 0.05
    anna = Person(double, "Анна")
    first = anna.says("1", wait=False)
    second = anna.says("2", wait=False)
    double.chats[anna.id].messages[99] = {"message_id": 99, "from": double._bot(),
                                          "chat": anna.chat.info, "date": 1, "text": "?"}
    tap = anna.taps_data("x", anna._seen(anna.chat.messages[99]), wait=False)
    for delivery in (first.delivery, second.delivery, tap.delivery):
        delivery.wait()
    ids = [d.delivery.update_id for d in (first, second, tap)]
    assert not any({ids[0], ids[1]} <= set(o) for o in bot.overlaps)
    assert any(ids[2] in o and len(o) > 1 for o in bot.overlaps)


def test_wrong_token_and_unknown_method(world):
    double, _ = world
    assert call(double, "getMe", token="1:x")[0] == 401
    assert call(double, "noSuchThing")[0] == 404
    assert call(double, "getme")[1]["result"]["is_bot"] is True


def test_lengths_are_counted_in_utf16_after_the_tags(world):
    double, _ = world
    anna = Person(double, "Анна")
    anna.chat.known = True
    send = {"chat_id": anna.id, "parse_mode": "HTML"}
    assert call(double, "sendMessage", {**send, "text": f"<b>{'я' * 4096}</b>"})[0] == 200
    status, body = call(double, "sendMessage", {**send, "text": "😀" * 2048 + "x"})
    assert status == 400 and body["description"] == "Bad Request: message is too long"
    assert call(double, "sendMessage", {**send, "text": "<b> </b>"})[0] == 400


@pytest.mark.parametrize("text, words", [
    ("<x>a</x>", 'Unsupported start tag "x" at byte offset 0'),
    ("я<b>a</i>", 'Unmatched end tag at byte offset 6, expected "</b>", found "</i>"'),
    ("<b>a", 'Can\'t find end tag corresponding to start tag "b"'),
    ("a</b>", "Unexpected end tag at byte offset 1"),
    ("2 < 3", 'Unsupported start tag "" at byte offset 2'),
    ("<b", "Unclosed start tag at byte offset 0"),
])
def test_formatting_is_refused_in_telegrams_words(text, words):
    with pytest.raises(Refused) as refused:
        parse_html(text)
    assert words in refused.value.description or "Unclosed start tag" in refused.value.description


def test_html_gives_entities_in_utf16_units():
    plain, entities = parse_html('😀<b>б <i>к</i></b> &lt;&#1078;&gt; &nbsp <a href="http://x">л</a>')
    assert plain == "😀б к <ж> &nbsp л"
    assert {"type": "bold", "offset": 2, "length": 3} in entities
    assert {"type": "italic", "offset": 4, "length": 1} in entities
    assert any(e.get("url") == "http://x" for e in entities)


@pytest.mark.parametrize("rows, fine", [
    ([[{"text": "a", "callback_data": "я" * 32}]], True),
    ([[{"text": "a", "callback_data": "я" * 32 + "x"}]], False),
    ([[{"text": "a", "callback_data": "x"}] * 8] * 12, True),
    ([[{"text": "a", "callback_data": "x"}] * 9], False),
    ([[{"text": "a", "callback_data": "x"}] * 8] * 13, False),
    ([[{"text": "", "callback_data": "x"}]], False),
    ([[{"text": "a"}]], False),
])
def test_keyboards_have_limits(world, rows, fine):
    double, _ = world
    anna = Person(double, "Анна")
    anna.chat.known = True
    status, _ = call(double, "sendMessage", {"chat_id": anna.id, "text": "?",
                                             "reply_markup": {"inline_keyboard": rows}})
    assert (status == 200) == fine


def test_edits_know_not_found_not_modified_and_not_mine(world):
    double, _ = world
    anna = Person(double, "Анна")
    said = anna.says("мое")
    sent = call(double, "sendMessage", {"chat_id": anna.id, "text": "a"})[1]["result"]
    edit = {"chat_id": anna.id, "message_id": sent["message_id"], "text": "a"}
    assert "is not modified" in call(double, "editMessageText", edit)[1]["description"]
    assert call(double, "editMessageText", {**edit, "text": "b"})[1]["result"]["text"] == "b"
    missing = call(double, "editMessageText", {**edit, "message_id": 9999})[1]
    assert missing["description"] == "Bad Request: message to edit not found"
    other = call(double, "editMessageText", {**edit, "message_id": said.id})[1]
    assert other["description"] == "Bad Request: message can't be edited"


def test_callback_answers_have_a_limit_and_an_age(world):
    double, _ = world
    anna = Person(double, "Анна")
    anna.says("x")
    call(double, "sendMessage", {"chat_id": anna.id, "text": "?", "reply_markup": {
        "inline_keyboard": [[{"text": "ok", "callback_data": "d"}]]}})
    tap = anna.taps("ok")
    answer = {"callback_query_id": tap.id, "text": "я" * 201}
    assert "MESSAGE_TOO_LONG" in call(double, "answerCallbackQuery", answer)[1]["description"]
    assert call(double, "answerCallbackQuery", {**answer, "text": "да"})[1]["ok"]
    assert tap.toast() == "да"
    double.query_life = 0
    late = call(double, "answerCallbackQuery", {**answer, "text": "да"})[1]
    assert "query is too old" in late["description"]


def test_rates_blocks_and_migration(world):
    double, _ = world
    anna, group = Person(double, "Анна"), Group(double, "Семья", supergroup=False)
    send = {"chat_id": anna.id, "text": "x"}
    assert "can't initiate" in call(double, "sendMessage", send)[1]["description"]
    anna.says("x")
    double.rate_chat = (2, 5)
    assert [call(double, "sendMessage", send)[0] for _ in range(3)] == [200, 200, 429]
    assert call(double, "sendMessage", send)[1]["parameters"]["retry_after"] >= 1
    double.rate_chat = None
    anna.blocks()
    assert call(double, "sendMessage", send)[0] == 403
    new = group.migrates()
    moved = call(double, "sendMessage", {**send, "chat_id": group.chat.id})[1]
    assert moved["parameters"]["migrate_to_chat_id"] == new.chat.id
    assert call(double, "sendMessage", {**send, "chat_id": 12345})[1]["error_code"] == 400


def test_aiogram_finds_wrong_types_and_unknown_fields(world):
    double, _ = world
    anna = Person(double, "Анна")
    anna.says("x")
    call(double, "sendMessage", {"chat_id": anna.id, "text": "x", "parse_mod": "HTML"})
    assert double.complaints == ["sendMessage.parse_mod: not a field of sendMessage"]
    call(double, "sendMessage", {"chat_id": anna.id, "text": "x", "reply_markup": {
        "inline_keyboard": [[{"text": "a", "callbackdata": "x"}]]}})
    assert any("callbackdata" in c for c in double.complaints)


def test_multipart_is_taken_and_files_come_back(world):
    double, _ = world
    anna = Person(double, "Анна")
    anna.says("x")
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("chat_id", str(anna.id))
    form.add_field("document", b"a,b\n", filename="день.csv")
    status, body = call(double, "sendDocument", data=form)
    assert status == 200 and body["result"]["document"]["file_name"] == "день.csv"
    file_id = body["result"]["document"]["file_id"]
    path = call(double, "getFile", {"file_id": file_id})[1]["result"]["file_path"]
    assert double.files[path] == b"a,b\n" and double.complaints == []


def test_webhook_and_polling_exclude_each_other(world):
    double, _ = world
    double.delivering_to = None
    said = Person(double, "Анна").says("x", wait=False)
    got = call(double, "getUpdates", {"timeout": 1})[1]["result"]
    assert [u["update_id"] for u in got] == [said.delivery.update_id]
    assert call(double, "getUpdates", {"offset": got[0]["update_id"] + 1})[1]["result"] == []
    assert said.delivery.done.is_set()
    assert call(double, "setWebhook", {"url": "http://x/"})[0] == 400
    assert call(double, "setWebhook", {"url": "https://x/", "secret_token": "a b"})[0] == 400
    assert call(double, "setWebhook", {"url": "https://x/", "secret_token": "a"})[0] == 200
    assert call(double, "getUpdates")[0] == 409
    assert call(double, "getWebhookInfo")[1]["result"]["url"] == "https://x/"


def test_what_cannot_stand_in_an_answer_is_a_complaint(world):
    double, bot = world
    bot.script = [(200, {"method": "getMe"}, {}), (200, {"text": "x"}, {})]
    anna = Person(double, "Анна")
    anna.says("1")
    anna.says("2")
    assert len(double.complaints) == 2


def test_entities_of_people_are_found():
    assert rules.text_entities("😀 /today@family_test_bot и @anna_x") == [
        {"type": "bot_command", "offset": 3, "length": 22},
        {"type": "mention", "offset": 28, "length": 7}]
