"""A family's first days with the bot, the same on both back ends."""

import re

import pytest

from golden import golden_en, golden_ru, near
from meals import eaten, rows

_transcripts = {}


def run(stack, language):
    key = stack.backend, language
    if key not in _transcripts:
        name, talk = {"ru": ("Борис", golden_ru), "en": ("Emma", golden_en)}[language]
        _transcripts[key] = talk(stack.person(name, language, shard=1))
    return _transcripts[key]


def same_words(transcript):
    """What the wall clock says may differ: /timezone, a meal repeated now."""
    return [(said, re.sub(r"\d\d:\d\d", "HH:MM", words), buttons)
            for said, words, buttons in transcript]


@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_golden_conversation(stack, language):
    assert len(run(stack, language)) > 15


@pytest.mark.parametrize("language", ["ru", "en"])
def test_both_back_ends_say_the_same_word_for_word(sqlite, mongo, language):
    ours, theirs = (same_words(run(s, language)) for s in (sqlite, mongo))
    for one, other in zip(ours, theirs):
        assert one == other
    assert len(ours) == len(theirs)


@pytest.mark.parametrize("language, skip, names", [
    ("ru", "Пропустить", "ккал"), ("en", "Skip", "kcal")])
def test_every_question_of_start_can_be_skipped(stack, language, skip, names):
    p = stack.person("Ира", language)
    p.asks("/start")
    taps = 0
    while p.sees().has(skip):
        p.presses(skip)
        taps += 1
        assert taps <= 7, "at most seven taps"
    assert taps >= 5
    assert names in p.asks("100 г риса").text


def test_seven_taps_are_enough(stack):
    p = stack.person("Олег", "ru")
    p.asks("/start")
    for want in ("Русский", "Мужской", None, None, None, "🏃", "Держать"):
        seen = p.sees()
        p.presses(want or next(b for b in seen.buttons if re.search(r"\d", b)))
    assert re.search(r"\d[\s\u00a0\u202f]?\d{3} ккал", p.sees().text)


def test_a_minor_gets_no_deficit(stack):
    p = stack.person("Костя", "ru")
    p.asks("/start")
    for answer in ("Русский", "Мужской"):
        p.presses(answer)
    for answer in ("15", "170", "60"):
        p.asks(answer)
    p.presses("🪑")
    if p.sees().has("Похудеть"):
        p.presses("Похудеть")
    basal = 10 * 60 + 6.25 * 170 - 5 * 15 + 5
    assert max(p.sees().numbers()) >= basal * 1.2 - 1, "no less than what is used up"


def test_an_own_target_wins(stack):
    p = stack.person("Нина", "en")
    p.asks("/profile")
    p.presses("Own target")
    p.asks("1850")
    seen = p.asks("100 g rice")
    assert any(near(n, 1850) for n in seen.numbers()) and len(rows(seen)) == 1


def test_telegrams_language_counts_until_one_is_chosen(stack):
    p = stack.person("Vera", "en")
    assert "kcal" in p.asks("100 g rice").text
    p.reads("ru")
    assert "ккал" in p.asks("100 g rice").text
    p.asks("/language")
    p.presses("English")
    assert "kcal" in p.asks("100 g rice").text


def test_names_cannot_break_the_formatting(stack):
    p = stack.person("<b>&\"Ann</i>", "en")
    assert "<b>&\"Ann</i>" in p.asks("/start").text
    p.asks("100 g of <b>zorb</i>&amp;lax")
    assert "<i>zorb" in p.asks("/timezone A&B/<i>zorb").text
    p.asks("/no<b>such&command")


def test_food_told_instead_of_an_answer_is_food(stack):
    """The question about an unknown food does not swallow what is eaten next."""
    p = stack.person("Лена", "ru")
    assert rows(p.asks("100 г хрумбурзика")) == []
    seen = p.asks("150 г риса")
    assert len(rows(seen)) == 1 and near(rows(seen)[0].grams, 150)
    seen = p.asks("2 яйца")
    assert len(rows(seen)) == 1 and "яйц" in rows(seen)[0].name.lower()


def asks_and_changes_their_mind(p, words):
    """Only what was eaten is written down; nobody is held by a question."""
    seen = p.asks(words["question"])
    assert near(seen.numbers()[1], 89, 1.0) and rows(seen) == []
    assert eaten(p.asks("/today")) == 0
    seen = p.asks(words["either"])
    assert len(seen.buttons) == 2 and rows(seen) == []
    seen = p.presses("🍽")
    assert near(rows(seen)[0].grams, 240)
    p.asks(words["unknown"])
    seen = p.asks("/undo")
    assert rows(seen) == [] and words["undone"] in seen.text
    p.asks(words["cancel"])
    assert rows(p.asks("350")) == [], "the question was taken back"
    assert eaten(p.asks("/today")) == 0
    assert rows(p.asks(words["thanks"])) == []
    return p.transcript


@pytest.mark.parametrize("words", [
    dict(language="ru", question="Сколько калорий в 100 г банана?", either="2 банана?", undone="Банан",
         unknown="100 г хрумбурзика", cancel="Отмена", thanks="спасибо!"),
    dict(language="en", question="How many calories are in 100 g banana?", either="2 bananas?", undone="Banana",
         unknown="100 g of zorblax", cancel="never mind", thanks="Thank you"),
], ids=["ru", "en"])
def test_a_question_is_no_meal_and_cancel_is_heard(stack, words):
    p = stack.person("Ася", words["language"])
    asks_and_changes_their_mind(p, words)


@pytest.mark.parametrize("label, kcal, protein", [
    ("350", 350, 0), ("350 12 5 40", 350, 12), ("350 ккал на 100 г", 350, 0),
    ("ккал 350, белки 12,5, жиры 5, углеводы 40", 350, 12.5)])
def test_labels_as_people_copy_them(sqlite, label, kcal, protein):
    p = sqlite.person("Лена", "ru")
    p.asks("100 г хрумбурзика")
    seen = p.asks(label)
    assert near(rows(seen)[0].kcal, kcal) and near(rows(seen)[0].protein, protein, 0.6)

def test_long_lists_and_long_words(stack):
    p = stack.person("Глеб", "ru")
    seen = p.asks(", ".join(f"{100 + i} г гречки" for i in range(40)))
    assert len(rows(seen)) == 20
    p.asks("ы" * 4096)
    p.asks("🍏" * 2048)
    p.asks("100 г " + "гречневой " * 300)
