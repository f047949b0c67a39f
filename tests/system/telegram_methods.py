"""The Bot API's methods as the double performs them, and what it remembers:
chats, messages, callback queries, commands, files, the webhook."""

import asyncio
import re
import time
from collections import defaultdict, deque

import telegram_rules as rules
from telegram_rules import Refused, bad_request

BOT_ID = 700000001
WEBHOOK_PORTS = {443, 80, 88, 8443}
MODIFIED_SAME = ("message is not modified: specified new message content and reply markup are "
                 "exactly the same as a current content and reply markup of the message")
QUERY_OLD = "query is too old and response timeout expired or query ID is invalid"


class Chat:
    def __init__(self, chat, known=True):
        self.info = chat
        self.messages = {}          # message_id → Message, as Telegram tells it
        self.markups = {}           # message_id → HTML as sent, for "not modified"
        self.log = []               # message ids as they were sent or edited
        self.known = known          # has the person ever written to the bot
        self.blocked = ""           # Telegram's words, when it refuses
        self.migrated_to = None
        self.sent_at = deque(maxlen=64)

    @property
    def id(self):
        return self.info["id"]


class Methods:
    def __init__(self, username):
        self.me = {"id": BOT_ID, "is_bot": True, "first_name": "Family", "username": username,
                   "can_join_groups": True, "can_read_all_group_messages": True,
                   "supports_inline_queries": False, "can_connect_to_business": False,
                   "has_main_web_app": False}
        self.chats = {}
        self.queries = {}           # callback_query.id → [born, answer or None]
        self.commands = {}          # (scope, language) → commands
        self.files = {}
        self.query_life = 15
        self.rate_chat = None       # (messages, seconds) of one chat
        self.rate_all = None
        self._sent_all = deque(maxlen=256)
        self._message_id = 0
        self._per_chat = defaultdict(int)

    def next_message_id(self, chat_id):
        """Supergroups count for themselves, all else has one counter."""
        if chat_id <= -1000000000000:
            self._per_chat[chat_id] += 1
            return self._per_chat[chat_id]
        self._message_id += 1
        return self._message_id

    def goes_on_after(self, message_id):
        """Messages get higher ids than this, as in chats that are older than the double."""
        self._message_id = max(self._message_id, message_id)

    def remember(self, message):
        chat = self.chats[message["chat"]["id"]]
        chat.messages[message["message_id"]] = message
        return message

    async def _do(self, call):
        doer = getattr(self, "do_" + call.method.lower(), None)
        if doer is None:
            self.complaints.append(f"the double does not know {call.method} yet")
            raise Refused(404, "Not Found: method not found")
        result = doer(call.params, call.files)
        return await result if asyncio.iscoroutine(result) else result

    # ---- sending

    def _target(self, params):
        chat = self.chats.get(params.get("chat_id"))
        if chat is None:
            try:
                chat = self.chats.get(int(params.get("chat_id", 0)))
            except (TypeError, ValueError):
                chat = None
        if chat is None:
            raise bad_request("chat not found")
        if chat.migrated_to is not None:
            raise Refused(400, "Bad Request: group chat was upgraded to a supergroup chat",
                          migrate_to_chat_id=chat.migrated_to)
        if chat.blocked:
            raise Refused(403, "Forbidden: " + chat.blocked)
        if not chat.known:
            raise Refused(403, "Forbidden: bot can't initiate conversation with a user")
        return chat

    def _meter(self, chat):
        now = time.monotonic()
        for sent, rate in ((chat.sent_at, self.rate_chat), (self._sent_all, self.rate_all)):
            if rate is None:
                continue
            count, seconds = rate
            recent = [t for t in sent if now - t < seconds]
            if len(recent) >= count:
                wait = max(1, int(seconds - (now - recent[-count]) + 0.999))
                raise Refused(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
        chat.sent_at.append(now)
        self._sent_all.append(now)

    def _put(self, chat, extra, markup, raw):
        message = {"message_id": self.next_message_id(chat.id), "from": self._bot(),
                   "chat": chat.info, "date": rules.now(), **extra}
        if markup and "inline_keyboard" in markup:
            message["reply_markup"] = markup
        chat.messages[message["message_id"]] = message
        chat.markups[message["message_id"]] = raw
        chat.log.append(message["message_id"])
        return message

    def _bot(self):
        return {k: self.me[k] for k in ("id", "is_bot", "first_name", "username")}

    def _reply_to(self, chat, params):
        reply = params.get("reply_parameters") or {}
        if reply and reply["message_id"] not in chat.messages and \
                not reply.get("allow_sending_without_reply"):
            raise bad_request("message to be replied not found")

    def do_sendmessage(self, params, _files):
        chat = self._target(params)
        text, entities = rules.parse_text(params)
        markup = params.get("reply_markup")
        rules.check_keyboard(markup)
        self._reply_to(chat, params)
        self._meter(chat)
        extra = {"text": text}
        if entities:
            extra["entities"] = entities
        return self._put(chat, extra, markup, params["text"])

    def _send_file(self, params, files, field):
        chat = self._target(params)
        caption, entities = rules.parse_text(params, "caption", rules.CAPTION_MAX,
                                             "message caption is too long")
        rules.check_keyboard(params.get("reply_markup"))
        if field not in files:
            raise bad_request(f"there is no {field} in the request")
        name, data = files[field]
        if len(data) > (10 << 20 if field == "photo" else 50 << 20):
            raise Refused(413, "Request Entity Too Large")
        self._meter(chat)
        file_id = f"{field}{len(self.files)}"
        self.files[f"{field}/{file_id}"] = data
        about = {"file_id": file_id, "file_unique_id": file_id, "file_size": len(data)}
        extra = {"document": {**about, "file_name": name}} if field == "document" else \
            {"photo": [{**about, "width": 100, "height": 100}]}
        if caption:
            extra["caption"] = caption
        if entities:
            extra["caption_entities"] = entities
        return self._put(chat, extra, params.get("reply_markup"), caption)

    def do_senddocument(self, params, files):
        return self._send_file(params, files, "document")

    def do_sendphoto(self, params, files):
        return self._send_file(params, files, "photo")

    def do_sendchataction(self, params, _files):
        self._target(params)
        return True

    def _own(self, params, words):
        chat = self._target(params)
        message = chat.messages.get(params.get("message_id"))
        if message is None:
            raise bad_request(words + " not found")
        if message["from"]["id"] != BOT_ID:
            raise bad_request("message can't be edited")
        return chat, message

    def _change(self, chat, message, extra, markup, raw):
        kept = {k: v for k, v in message.items()
                if k not in ("text", "entities", "reply_markup", "edit_date")}
        changed = {**kept, **extra}
        if markup and markup.get("inline_keyboard"):
            changed["reply_markup"] = markup
        was = {k: v for k, v in message.items() if k != "edit_date"}
        if changed == was:
            raise bad_request(MODIFIED_SAME)
        changed["edit_date"] = rules.now()
        chat.messages[message["message_id"]] = changed
        chat.markups[message["message_id"]] = raw
        chat.log.append(message["message_id"])
        return changed

    def do_editmessagetext(self, params, _files):
        chat, message = self._own(params, "message to edit")
        text, entities = rules.parse_text(params, too_long="MESSAGE_TOO_LONG")
        rules.check_keyboard(params.get("reply_markup"))
        extra = {"text": text}
        if entities:
            extra["entities"] = entities
        return self._change(chat, message, extra, params.get("reply_markup"), params["text"])

    def do_editmessagereplymarkup(self, params, _files):
        chat, message = self._own(params, "message to edit")
        rules.check_keyboard(params.get("reply_markup"))
        extra = {k: message[k] for k in ("text", "entities") if k in message}
        raw = chat.markups.get(message["message_id"], "")
        return self._change(chat, message, extra, params.get("reply_markup"), raw)

    def do_deletemessage(self, params, _files):
        chat = self._target(params)
        if chat.messages.pop(params.get("message_id"), None) is None:
            raise bad_request("message to delete not found")
        chat.log = [i for i in chat.log if i != params["message_id"]]
        return True

    def do_answercallbackquery(self, params, _files):
        if rules.utf16_len(params.get("text") or "") > rules.CALLBACK_ANSWER_MAX:
            raise bad_request("MESSAGE_TOO_LONG")
        query = self.queries.get(params.get("callback_query_id"))
        if query is None or time.monotonic() - query[0] > self.query_life:
            raise bad_request(QUERY_OLD)
        if query[1] is None:
            query[1] = {"text": params.get("text") or "", "alert": bool(params.get("show_alert"))}
        return True

    # ---- about the bot

    def do_getme(self, _params, _files):
        return self.me

    def do_setmycommands(self, params, _files):
        commands = params["commands"]
        if len(commands) > rules.COMMANDS_MAX:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= len(command["description"]) <= 256:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands[self._scope(params)] = commands
        return True

    def _scope(self, params):
        scope = params.get("scope") or {"type": "default"}
        return scope["type"], params.get("language_code") or ""

    def do_getmycommands(self, params, _files):
        return self.commands.get(self._scope(params), [])

    def do_deletemycommands(self, params, _files):
        self.commands.pop(self._scope(params), None)
        return True

    def do_getfile(self, params, _files):
        for path, data in self.files.items():
            if path.endswith("/" + params["file_id"]):
                return {"file_id": params["file_id"], "file_unique_id": params["file_id"],
                        "file_size": len(data), "file_path": path}
        raise bad_request("invalid file_id")

    # ---- webhook and getUpdates

    def do_setwebhook(self, params, _files):
        url = params.get("url") or ""
        secret = params.get("secret_token") or ""
        if url and not url.startswith("https://"):
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        port = re.match(r"https://[^/:]+:(\d+)", url)
        if port and int(port.group(1)) not in WEBHOOK_PORTS:
            raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
        if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
            raise bad_request("secret token contains unallowed characters")
        self.webhook = {"url": url, "secret": secret,
                        "allowed_updates": params.get("allowed_updates",
                                                      self.webhook.get("allowed_updates")),
                        "max_connections": params.get("max_connections", 40)}
        if params.get("drop_pending_updates"):
            self.polls.clear()
        return True

    def do_deletewebhook(self, params, _files):
        if params.get("drop_pending_updates"):
            self.polls.clear()
        self.webhook = {"url": "", "secret": ""}
        return True

    def do_getwebhookinfo(self, _params, _files):
        waiting = sum(not d.done.is_set() for d in self.deliveries)
        info = {"url": self.webhook["url"], "has_custom_certificate": False,
                "pending_update_count": waiting, "max_connections": self.max_connections}
        if self.webhook.get("allowed_updates"):
            info["allowed_updates"] = self.webhook["allowed_updates"]
        if self.last_error:
            info["last_error_date"], info["last_error_message"] = self.last_error
        return info

    async def _offer(self, delivery):
        async with self._wake:
            self.polls.append(delivery)
            self._wake.notify_all()

    async def do_getupdates(self, params, _files):
        if self.webhook["url"]:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active; "
                               "use deleteWebhook to delete the webhook first")
        offset = params.get("offset") or 0
        mine = self.poller = object()
        allowed = params.get("allowed_updates")
        end = time.monotonic() + (params.get("timeout") or 0)
        async with self._wake:
            self._wake.notify_all()
            for delivery in [d for d in self.polls if offset > d.update_id]:
                self.polls.remove(delivery)
                delivery.done.set()
            while True:
                ready = [d.update for d in self.polls
                         if d.update_id >= offset and (not allowed or d.kind in allowed)]
                if ready or time.monotonic() >= end:
                    return ready[:params.get("limit") or 100]
                try:
                    await asyncio.wait_for(self._wake.wait(), end - time.monotonic())
                except asyncio.TimeoutError:
                    continue
                if self.poller is not mine:
                    raise Refused(409, "Conflict: terminated by other getUpdates request; make "
                                       "sure that only one bot instance is running")
