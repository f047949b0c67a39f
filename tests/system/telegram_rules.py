"""What Telegram takes and what it refuses, with Telegram's words.

Pure functions: no network, no state.  HTML is read the way Telegram's own
server reads it; every call is also parsed by aiogram's types, and a field
that they do not know is an error, for Telegram would silently ignore it.
"""

import datetime
import json
import re

import aiogram.methods
from aiogram.types import BufferedInputFile, Update
from pydantic import BaseModel, TypeAdapter, ValidationError

TEXT_MAX = 4096
CAPTION_MAX = 1024
CALLBACK_DATA_MAX = 64
CALLBACK_ANSWER_MAX = 200
ROW_MAX = 8
BUTTONS_MAX = 100
MARKUP_MAX = 10 * 1024
COMMANDS_MAX = 100

METHODS = {}
for _name in aiogram.methods.__all__:
    _cls = getattr(aiogram.methods, _name)
    if isinstance(_cls, type) and isinstance(getattr(_cls, "__api_method__", None), str):
        METHODS[_cls.__api_method__.lower()] = _cls

# Telegram executes these only over HTTPS, never out of a webhook's answer.
NOT_IN_BODY = re.compile(r"^(get.*|setwebhook|deletewebhook|close|logout)$")


class Refused(Exception):
    """Telegram says no: the HTTP status, its words, and its parameters."""

    def __init__(self, code, description, **parameters):
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def answer(self):
        body = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        return body


def bad_request(words):
    return Refused(400, "Bad Request: " + words)


def utf16_len(text):
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


TAGS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline",
    "ins": "underline", "s": "strikethrough", "strike": "strikethrough",
    "del": "strikethrough", "span": "spoiler", "tg-spoiler": "spoiler", "a": "text_link",
    "tg-emoji": "custom_emoji", "code": "code", "pre": "pre", "blockquote": "blockquote",
}
ATTRIBUTE = re.compile(rb"""\s*([^\s=>"'/]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>"']+))?\s*""")
NAMED = {b"lt": "<", b"gt": ">", b"amp": "&", b"quot": '"'}


def _entity_char(raw, at):
    """A character reference at raw[at] == '&', or None where it is plain text."""
    m = re.compile(rb"&(#[0-9]+|#[xX][0-9a-fA-F]+|[a-z]+);?").match(raw, at)
    if m is None:
        return None
    word = m.group(1)
    if word in NAMED:
        return NAMED[word], m.end()
    if not word.startswith(b"#"):
        return None
    code = int(word[2:], 16) if word[1:2] in (b"x", b"X") else int(word[1:])
    if code == 0 or code >= 0x10FFFF:
        return None
    return chr(code), m.end()


def _start_tag(raw, begin):
    end = begin + 1
    while end < len(raw) and not raw[end:end + 1].isspace() and raw[end] != ord(">"):
        end += 1
    if end >= len(raw):
        raise bad_request(f"can't parse entities: Unclosed start tag at byte offset {begin}")
    tag = raw[begin + 1:end].decode("utf-8", "replace").lower()
    if tag not in TAGS:
        raise bad_request("can't parse entities: Unsupported start tag "
                          f'"{tag}" at byte offset {begin}')
    attributes = {}
    while raw[end:end + 1] != b">":
        m = ATTRIBUTE.match(raw, end)
        if m is None or m.end() >= len(raw):
            raise bad_request(f"can't parse entities: Unclosed start tag at byte offset {begin}")
        attributes[m.group(1).decode().lower()] = (m.group(2) or b"").strip(b"\"'").decode()
        end = m.end()
    if tag == "span" and attributes.get("class") != "tg-spoiler":
        raise bad_request('can\'t parse entities: Tag "span" must have class "tg-spoiler" '
                          f"at byte offset {begin}")
    return tag, attributes, end + 1


def _end_tag(raw, begin, stack):
    if not stack:
        raise bad_request(f"can't parse entities: Unexpected end tag at byte offset {begin}")
    close = raw.find(b">", begin)
    if close < 0:
        raise bad_request(f"can't parse entities: Unclosed end tag at byte offset {begin}")
    found = raw[begin + 2:close].strip().decode("utf-8", "replace").lower()
    expected = stack[-1][0]
    if found and found != expected:
        raise bad_request(f"can't parse entities: Unmatched end tag at byte offset {begin}, "
                          f'expected "</{expected}>", found "</{found}>"')
    return close + 1


def parse_html(text):
    """Text without tags, and its entities with offsets in UTF-16 units."""
    raw = text.encode("utf-8")
    plain, entities, stack = [], [], []
    at = offset = 0
    while at < len(raw):
        if raw[at] == ord("&") and (ref := _entity_char(raw, at)):
            char, at = ref
        elif raw[at] == ord("<") and raw[at + 1:at + 2] == b"/":
            at = _end_tag(raw, at, stack)
            tag, attributes, start = stack.pop()
            if offset > start:
                entity = {"type": TAGS[tag], "offset": start, "length": offset - start}
                if tag == "a":
                    entity["url"] = attributes.get("href", "")
                if tag == "blockquote" and "expandable" in attributes:
                    entity["type"] = "expandable_blockquote"
                entities.append(entity)
            continue
        elif raw[at] == ord("<"):
            tag, attributes, at = _start_tag(raw, at)
            stack.append((tag, attributes, offset))
            continue
        else:
            size = 1 + (raw[at] >= 0xC0) + (raw[at] >= 0xE0) + (raw[at] >= 0xF0)
            char = raw[at:at + size].decode("utf-8")
            at += size
        plain.append(char)
        offset += 1 + (ord(char) > 0xFFFF)
    if stack:
        raise bad_request("can't parse entities: Can't find end tag corresponding to "
                          f'start tag "{stack[-1][0]}"')
    return "".join(plain), entities


def parse_text(params, field="text", limit=TEXT_MAX, too_long="message is too long"):
    """The text as people see it: parsed, trimmed, within the limit."""
    text = params.get(field) or ""
    mode = (params.get("parse_mode") or "").lower()
    if mode not in ("", "html"):
        raise bad_request("unsupported parse_mode")
    if mode == "html":
        plain, entities = parse_html(text)
    else:
        plain, entities = text, params.get("entities") or []
    for entity in entities:
        if entity["offset"] + entity["length"] > utf16_len(plain):
            raise bad_request("entity beyond the end of the text")
    plain = plain.rstrip()
    if not plain.strip() and field == "text":
        raise bad_request("message text is empty")
    if utf16_len(plain) > limit:
        raise bad_request(too_long)
    return plain, entities


def check_keyboard(markup):
    """Refuses an inline keyboard that Telegram refuses; returns its rows."""
    if not markup or "inline_keyboard" not in markup:
        return []
    rows = markup["inline_keyboard"]
    if sum(len(row) for row in rows) > BUTTONS_MAX or \
            len(json.dumps(markup, ensure_ascii=False).encode()) > MARKUP_MAX:
        raise bad_request("reply markup is too long")
    for row in rows:
        if len(row) > ROW_MAX:
            raise bad_request("too many buttons in a row")
        for button in row:
            kinds = set(button) - {"text", "style", "icon_custom_emoji_id"}
            if not button.get("text"):
                raise bad_request("can't parse inline keyboard button: Text must be non-empty")
            if len(kinds) != 1:
                raise bad_request("can't parse inline keyboard button: Text buttons are "
                                  "unallowed in the inline keyboard")
            data = button.get("callback_data", "x")
            if not 1 <= len(data.encode()) <= CALLBACK_DATA_MAX:
                raise bad_request("BUTTON_DATA_INVALID")
    return rows


def _unknown_fields(value, where):
    if isinstance(value, BaseModel):
        for name in value.model_extra or ():
            yield f"{where}.{name}"
        for name in value.model_fields_set:
            yield from _unknown_fields(getattr(value, name, None), f"{where}.{name}")
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _unknown_fields(item, f"{where}[{i}]")


def aiogram_complaints(method, params, files):
    """What aiogram's types say against this call; an empty list is praise."""
    cls = METHODS[method.lower()]
    values = {k: v for k, v in params.items() if k != "method"}
    values.update({k: BufferedInputFile(data, filename=name)
                   for k, (name, data) in files.items()})
    try:
        model = cls.model_validate(values)
    except ValidationError as error:
        return [f"{method}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    return [f"{f}: not a field of {cls.__api_method__}" for f in _unknown_fields(model, method)]


def check_result(method, result):
    """The double itself must answer as Telegram does."""
    TypeAdapter(METHODS[method.lower()].__returning__).validate_python(result)


def check_update(update):
    Update.model_validate(update)


def text_entities(text):
    """The entities that Telegram finds by itself in what a person writes."""
    found = []
    for kind, pattern in (("bot_command", r"(?<![\w/])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?(?!\w)"),
                          ("mention", r"(?<![\w/@])(?<!/)@[A-Za-z]\w{3,31}"),
                          ("url", r"https?://\S+")):
        for m in re.finditer(pattern, text):
            if kind == "mention" and any(e["type"] == "bot_command" and
                                         e["offset"] <= utf16_len(text[:m.start()]) <
                                         e["offset"] + e["length"] for e in found):
                continue
            found.append({"type": kind, "offset": utf16_len(text[:m.start()]),
                          "length": utf16_len(m.group())})
    return sorted(found, key=lambda e: e["offset"])


def now():
    return int(datetime.datetime.now(datetime.timezone.utc).timestamp())
