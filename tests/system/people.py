"""People who talk to the bot, so that tests read like conversations.

    anna = double.person("Анна", "ru")
    anna.says("200 г гречки")
    assert "гречк" in anna.sees().text
    anna.taps("2×")
"""

import re
import time

import telegram_rules as rules
from telegram_methods import Chat

TIMEOUT = 30


class Seen:
    """A message of the bot as a person sees it."""

    def __init__(self, message, raw):
        self.message = message
        self.id = message["message_id"]
        self.text = message.get("text", message.get("caption", ""))
        self.raw = raw
        self.rows = message.get("reply_markup", {}).get("inline_keyboard", [])

    @property
    def buttons(self):
        return [button["text"] for row in self.rows for button in row]

    def button(self, label):
        """The button whose label is, begins with, or holds these words; or whose data is."""
        every = [b for row in self.rows for b in row]
        for test in (lambda b: b["text"] == label, lambda b: b["text"].startswith(label),
                     lambda b: label.lower() in b["text"].lower(),
                     lambda b: b.get("callback_data") == label):
            for button in every:
                if test(button):
                    return button
        raise AssertionError(f"no button {label!r} among {self.buttons} under {self.text!r}")

    def has(self, label):
        return any(label.lower() in b.lower() for b in self.buttons)

    def numbers(self):
        """Every number in the text; the kinds of spaces between thousands don't matter."""
        text = re.sub(r"(?<=\d)[\u00a0\u202f\u2009 ,](?=\d{3}(?!\d))", "", self.text)
        return [float(n.replace(",", ".")) for n in re.findall(r"\d+(?:[.,]\d+)?", text)]

    def words(self):
        """What two back ends must say alike: the text, and the buttons' labels."""
        return self.raw, self.buttons

    def __contains__(self, words):
        return words.lower() in self.text.lower()

    def __repr__(self):
        return f"{self.text}\n{self.buttons}"


class Said:
    """A message of a person."""

    def __init__(self, message, delivery):
        self.message = message
        self.id = message["message_id"]
        self.delivery = delivery

    @property
    def update(self):
        return self.delivery.update


class Tap:
    def __init__(self, double, query, delivery):
        self.double = double
        self.id = query["id"]
        self.query = query
        self.delivery = delivery

    def toast(self, timeout=TIMEOUT):
        """What answerCallbackQuery showed; waits until it was called."""
        return self.double.wait_for(lambda: self.double.queries[self.id][1], timeout,
                                    "answerCallbackQuery")["text"]


class Talk:
    """What somebody writes and sees in one chat."""

    def __init__(self, double, chat, user):
        self.double = double
        self.chat = chat
        self.user = user
        self.transcript = []
        self.clock = None           # second of the next message; None: now

    # ---- doing

    def lives_at(self, second):
        """From now on each message is a second later, beginning there."""
        self.clock = second

    def _date(self):
        if self.clock is None:
            return rules.now()
        self.clock += 1
        return self.clock

    def message(self, text=None, date=None, **extra):
        body = {"message_id": self.double.next_message_id(self.chat.id), "from": self.user,
                "chat": self.chat.info, "date": date or self._date(), **extra}
        if text is not None:
            body["text"] = text
            entities = rules.text_entities(text)
            if entities:
                body["entities"] = entities
        self.chat.known = True
        return self.double.remember(body)

    def says(self, text=None, date=None, wait=True, reply_to=None, **extra):
        if reply_to is not None:
            extra["reply_to_message"] = {k: v for k, v in reply_to.message.items()
                                         if k != "reply_to_message"}
        message = self.message(text, date, **extra)
        return self._send("message", message, wait)

    def edits(self, said, text, wait=True, date=None):
        message = {**said.message, "text": text, "edit_date": date or self._date()}
        message.pop("entities", None)
        if rules.text_entities(text):
            message["entities"] = rules.text_entities(text)
        said.message = self.double.remember(message)
        return self._send("edited_message", message, wait)

    def _send(self, kind, message, wait):
        delivery = self.double.post(kind, message, ("chat", self.chat.id))
        if wait:
            delivery.wait(TIMEOUT)
        return Said(message, delivery)

    def taps(self, label, seen=None, wait=True, inaccessible=False):
        seen = seen or self.sees_buttons()
        data = seen.button(label)["callback_data"]
        return self.taps_data(data, seen, wait, inaccessible)

    def taps_data(self, data, seen, wait=True, inaccessible=False):
        query_id = str(4_000_000_000_000_000_000 + len(self.double.queries))
        message = seen.message if not inaccessible else \
            {"chat": self.chat.info, "message_id": seen.id, "date": 0}
        query = {"id": query_id, "from": self.user, "message": message, "data": data,
                 "chat_instance": str(abs(self.chat.id) * 7919)}
        self.double.queries[query_id] = [time.monotonic(), None]
        delivery = self.double.post("callback_query", query, ("user", self.user["id"]))
        if wait:
            delivery.wait(TIMEOUT)
        return Tap(self.double, query, delivery)

    def blocks(self, status="kicked"):
        """Stops the bot; Telegram tells the bot and refuses what it sends."""
        self.chat.blocked = "bot was blocked by the user" if status == "kicked" else ""
        member = {"user": {**self.double._bot()}, "status": "member"}
        other = {"user": {**self.double._bot()}, "status": "kicked", "until_date": 0}
        old, new = (member, other) if status == "kicked" else (other, member)
        self.double.post("my_chat_member", {
            "chat": self.chat.info, "from": self.user, "date": rules.now(),
            "old_chat_member": old, "new_chat_member": new}, ("chat", self.chat.id)).wait()

    def unblocks(self):
        self.blocks("member")

    # ---- seeing

    def history(self):
        """All messages of the bot in this chat as they are now, oldest first."""
        bot = self.double.me["id"]
        return [self._seen(m) for _, m in sorted(self.chat.messages.items())
                if m["from"]["id"] == bot]

    def _seen(self, message):
        return Seen(message, self.chat.markups.get(message["message_id"], ""))

    def at(self, message_id):
        """A message of this chat as it is now."""
        return self._seen(self.chat.messages[message_id])

    def sees(self):
        """The bot's message that was sent or edited last."""
        if not self.chat.log:
            raise AssertionError("the bot has said nothing")
        return self._seen(self.chat.messages[self.chat.log[-1]])

    def sees_buttons(self):
        for message_id in reversed(self.chat.log):
            seen = self._seen(self.chat.messages[message_id])
            if seen.rows:
                return seen
        raise AssertionError("no message of the bot has buttons")

    def again(self, seen):
        """The same message as it is now."""
        return self._seen(self.chat.messages[seen.id])

    def hears(self, words, timeout=TIMEOUT):
        """Waits for a message that holds words; the worker's come later."""
        def found():
            return [s for s in self.history() if words.lower() in s.text.lower()]
        return self.double.wait_for(found, timeout, f"a message with {words!r}")[-1]

    def asks(self, text, **how):
        """Says and returns what the bot shows then; kept for the transcript."""
        before = len(self.chat.log)
        self.says(text, **how)
        return self._note(text, before)

    def presses(self, label, seen=None):
        before = len(self.chat.log)
        self.taps(label, seen)
        return self._note(f"[{label}]", before)

    def changes(self, said, text):
        before = len(self.chat.log)
        self.edits(said, text)
        return self._note(f"({text})", before)

    def _note(self, what, before):
        try:
            self.double.wait_for(lambda: len(self.chat.log) > before, 10, f"words after {what!r}")
        except AssertionError as error:
            raise AssertionError(f"the bot kept silent after {what!r}") from error
        seen = self.sees()
        self.transcript.append((what, *seen.words()))
        return seen


class Person(Talk):
    _next = 5_000_000_000

    def __init__(self, double, name, language="ru", user_id=None, **more):
        if user_id is None:
            Person._next += 1
            user_id = Person._next
        user = {"id": user_id, "is_bot": False, "first_name": name, **more}
        if language:
            user["language_code"] = language
        info = {"id": user_id, "type": "private", "first_name": name}
        double.chats[user_id] = Chat(info, known=False)
        super().__init__(double, double.chats[user_id], user)
        self.id = user_id
        self.name = name

    def reads(self, language):
        self.user = {**self.user, "language_code": language}

    def in_group(self, group):
        return Talk(self.double, group.chat, self.user)


class Group:
    _next = 1_500_000_000

    def __init__(self, double, title, supergroup=True):
        Group._next += 1
        chat_id = -1_000_000_000_000 - Group._next if supergroup else -Group._next
        info = {"id": chat_id, "type": "supergroup" if supergroup else "group", "title": title}
        self.double = double
        self.chat = double.chats[chat_id] = Chat(info)

    def migrates(self):
        """The group becomes a supergroup with another id."""
        new = Group(self.double, self.chat.info["title"])
        self.chat.migrated_to = new.chat.id
        return new
