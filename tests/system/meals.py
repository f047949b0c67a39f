"""Reads the bot's answers by their meaning: rows, grams, calories.

The only file that knows how an answer about food is laid out; when the layout
changes, this changes and the tests stay.
"""

import re
from dataclasses import dataclass

SPACES = "\u00a0\u202f\u2009 "
NUMBER = rf"\d[\d{SPACES}]*(?:[.,]\d+)?"
ROW = re.compile(rf"^• (?P<name>.+) — (?:≈ )?(?P<grams>{NUMBER}) (?:г|g)\n"
                 rf"\s*(?P<kcal>{NUMBER}) (?:ккал|kcal)(?: · [БP] (?P<p>{NUMBER}) · "
                 rf"[ЖF] (?P<f>{NUMBER}) · [УC] (?P<c>{NUMBER}))?", re.M)
TOTAL = re.compile(rf"^(?:Итого|Total) ({NUMBER}) (?:ккал|kcal)", re.M)
DAY_OF = re.compile(rf"^[^\n:]+: ({NUMBER}) (?:из|of) ({NUMBER}) (?:ккал|kcal), \D*({NUMBER})", re.M)
DAY_PLAIN = re.compile(rf"^[^\n:]+: \D*({NUMBER}) (?:ккал|kcal)", re.M)


def number(text):
    """What is not told is 0.  In English a comma stands between thousands, in Russian before decimals."""
    text = re.sub(rf"[{SPACES}]", "", text or "0")
    if re.fullmatch(r"\d{1,3}(,\d{3})+", text):
        return float(text.replace(",", ""))
    return float(text.replace(",", "."))


@dataclass
class Row:
    name: str
    grams: float
    kcal: float
    protein: float
    fat: float
    carb: float


def rows(seen):
    return [Row(m["name"], *(number(m[k]) for k in ("grams", "kcal", "p", "f", "c")))
            for m in ROW.finditer(seen.text)]


def row(seen, words):
    found = [r for r in rows(seen) if words.lower() in r.name.lower()]
    assert len(found) == 1, f"{words!r} is in {len(found)} rows of {seen!r}"
    return found[0]


def total(seen):
    """Calories of the meal."""
    m = TOTAL.search(seen.text)
    return number(m[1]) if m else sum(r.kcal for r in rows(seen))


def day(seen):
    """(eaten, target, left or over) as the answer says; target may be None."""
    m = DAY_OF.search(seen.text)
    if m:
        return tuple(number(g) for g in m.groups())
    m = DAY_PLAIN.search(seen.text)
    assert m, f"no sum of the day in {seen!r}"
    return number(m[1]), None, None


def eaten(seen):
    """Calories of a /today page; 0 when it is empty."""
    m = re.search(rf"^({NUMBER}) (?:ккал|kcal) ·", seen.text, re.M)
    return number(m[1]) if m else 0.0


def near(a, b, off=1.0):
    return abs(a - b) <= off
