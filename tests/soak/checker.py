"""Compares the ledger with what lies in the shards, read directly: no program of
familybot has a part in it.

    verdict = check(state_directory, ledger)   # lost, duplicate, misplaced, …
"""

import json
import re
import sqlite3
import struct
from dataclasses import dataclass, field
from pathlib import Path

import ledger as ledgers

SLOTS = 5040
ENTRIES_AT = 20480
HEAD = struct.Struct("<8sIIII")
NAME = 64
ROW = re.compile(r'name\s*=\s*"([^"]+)"\s*;\s*uri\s*=\s*"([^"]+)"')


def shards_conf(state):
    """[(name, uri)] in their order."""
    text = (Path(state) / "shards.conf").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^\s*(#|//).*$", "", text)
    return ROW.findall(text)


def slot_map(state):
    """(names by index, [(owner, target, state, generation)])."""
    data = (Path(state) / "data/slots.map").read_bytes()
    _, _, _, shards, at = HEAD.unpack_from(data)
    names = [data[HEAD.size + i * NAME:HEAD.size + (i + 1) * NAME].split(b"\0")[0].decode()
             for i in range(shards)]
    entries = [struct.unpack_from("<HHBxH", data, at + 8 * i) for i in range(SLOTS)]
    return names, entries


def meals_of_sqlite(state, uri):
    path = Path(uri.removeprefix("sqlite:"))
    if not path.is_absolute():
        path = Path(state) / path
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        for user, chat, message, deleted, items in db.execute(
                "SELECT user_id, chat_id, message_id, deleted, items FROM food_analysis"):
            yield user, chat, message, deleted, sum(i[5] for i in json.loads(items)) // 1000
    finally:
        db.close()


def meals_of_mongo(uri):
    import pymongo
    client = pymongo.MongoClient(uri, serverSelectionTimeoutMS=10000)
    try:
        for day in client.get_default_database()["food_analysis"].find():
            for meal in day["meals"]:
                chat, message = map(int, meal["id"].split(":"))
                yield (day["user_id"], chat, message, meal["deleted"],
                       sum(i["mg"] for i in meal["items"]) // 1000)
    finally:
        client.close()


def meals_of(state, uri):
    return meals_of_mongo(uri) if uri.startswith("mongodb:") else meals_of_sqlite(state, uri)


@dataclass
class Verdict:
    acknowledged: int = 0
    stored: int = 0
    lost: list = field(default_factory=list)
    duplicate: list = field(default_factory=list)
    misplaced: list = field(default_factory=list)
    unasked: list = field(default_factory=list)	# nobody ever sent that

    @property
    def clean(self):
        return self.acknowledged > 0 and not (
            self.lost or self.duplicate or self.misplaced or self.unasked)

    def words(self):
        return (f"{self.acknowledged} acknowledged, {self.stored} stored: {len(self.lost)} lost, "
                f"{len(self.duplicate)} duplicate, {len(self.misplaced)} misplaced"
                + (f", {len(self.unasked)} that nobody sent" if self.unasked else ""))


def check(state, told, placement="modulo", more_shards=()):
    """more_shards: (name, uri) of such as shards.conf no longer names, which must be empty."""
    verdict = Verdict(acknowledged=sum(t.sure is not None for t in told.values()))
    conf = shards_conf(state)
    names, entries = slot_map(state)
    seen = {}
    for number, (name, uri) in enumerate([*conf, *more_shards]):
        for user, _, message, deleted, grams in meals_of(state, uri):
            if user < ledgers.FIRST_PERSON:
                continue	# quickstart's own first update
            verdict.stored += 1
            key = ledgers.meal_key(user, message)
            slot = user % SLOTS
            at_home = number < len(conf) and names[entries[slot][0]] == name
            if placement == "modulo":
                at_home = at_home and user % len(conf) == number
            if not at_home:
                verdict.misplaced.append(f"{key} on {name}")
            if key in seen:
                verdict.duplicate.append(f"{key} on {seen[key][0]} and {name}")
            seen[key] = (name, (grams, deleted))
    for key, meal in told.items():
        stored = seen.get(key, (None, None))[1]
        if meal.sure is not None and stored != meal.sure and stored not in meal.perhaps:
            verdict.lost.append(f"{key}: told {meal.sure}, stored {stored}")
    verdict.unasked = [k for k in seen if k not in told]
    return verdict
