"""The golden conversations: one in Russian, one in English.

Each is a person's first days with the bot, told as given / when / then.  It
runs on both back ends; what the bot said is kept in the person's transcript,
and test_golden.py compares the two word for word.
"""

import time

from meals import day, eaten, near, row, rows, total

MAN = 10 * 85 + 6.25 * 175 - 5 * 28 + 5                 # 1,808.75
WOMAN = 10 * 60 + 6.25 * 165 - 5 * 30 - 161             # 1,320.25


def midnight():
    """00:00 UTC of today; with a minute to live the day is let go first."""
    left = 86400 - time.time() % 86400
    if left < 60:
        time.sleep(left + 1)
    return int(time.time()) // 86400 * 86400


def shows(seen, *figures, off=1.0):
    for figure in figures:
        assert any(near(n, figure, off) for n in seen.numbers()), \
            f"{figure} is not in {seen!r}"


# ---- in Russian

def meets_ru(p):
    seen = p.asks("/start family_42")
    assert p.name in seen.text and seen.has("Русский") and seen.has("English")
    assert "1" in seen.text and "7" in seen.text
    seen = p.presses("Русский")
    assert seen.has("Мужской") and seen.has("Женский") and seen.has("Пропустить")
    p.presses("Мужской")
    seen = p.asks("3")
    assert "возраст" in seen.text.lower(), "a wrong age is asked for again"
    p.asks("28")
    p.asks("175")
    seen = p.asks("85")
    assert len(seen.buttons) >= 6, "five activities and a skip"
    p.presses(seen.buttons[0])
    seen = p.presses("Держать вес")
    shows(seen, 85, 175, 28, MAN, MAN * 1.2)
    return MAN * 1.2


def eats_ru(p, target):
    seen = p.asks("200 г гречки, 2 яйца и полстакана молока")
    assert [bool(r.kcal > 20) for r in rows(seen)] == [True] * 3
    assert near(row(seen, "гречк").grams, 200)
    assert 80 <= row(seen, "яйц").grams <= 130
    assert 100 <= row(seen, "молоко").grams <= 135
    assert near(total(seen), sum(r.kcal for r in rows(seen)), 2)
    assert near(day(seen)[0], total(seen)) and near(day(seen)[1], target)
    assert near(day(seen)[2], target - total(seen), 2)
    return seen


def corrects_ru(p, first):
    seen = p.presses("2×")
    assert near(row(seen, "гречк").grams, 400)
    assert near(total(seen), 2 * total(first), 3)
    seen = p.presses("½×")
    assert near(total(seen), total(first), 2)
    seen = p.presses("❌")
    assert len([b for b in seen.buttons if "олоко" in b]) == 1
    seen = p.presses("олоко")
    assert len(rows(seen)) == 2 and "молоко" not in seen.text.lower()
    seen = p.presses("🔄")
    seen = p.presses("речк")
    other = seen.buttons[0]
    assert len(seen.buttons) >= 2, "other foods, and a way back"
    seen = p.presses(other)
    swapped = [r for r in rows(seen) if near(r.grams, 200)]
    assert len(swapped) == 1 and swapped[0].name == other.split(" · ")[0]
    seen = p.presses("↩")
    assert near(day(seen)[0], 0) and rows(seen) == []
    seen = p.presses("↪")
    assert len(rows(seen)) == 2
    assert near(day(seen)[0], total(seen))


def edits_and_undoes_ru(p):
    before = eaten(p.asks("/today"))
    said = p.says("яблоко")
    apple = p.sees()
    assert 100 <= row(apple, "яблок").grams <= 250 and "≈" in apple.text
    seen = p.changes(said, "150 г творога")
    assert near(row(seen, "творог").grams, 150) and "яблок" not in seen.text.lower()
    assert near(day(seen)[0], before + total(seen))
    seen = p.asks("/undo")
    assert "творог" in seen.text.lower()
    assert near(eaten(p.asks("/today")), before)


def teaches_ru(p):
    before = eaten(p.asks("/today"))
    seen = p.asks("100 г хрумбурзика")
    assert "хрумбурзик" in seen.text.lower() and rows(seen) == []
    seen = p.asks("9999")
    assert rows(seen) == [], "an impossible figure is asked for again"
    p.asks("350 12 5 40")
    seen = p.hears("хрумбурзик")
    taught = [s for s in p.history() if rows(s) and "хрумбурзик" in s.text.lower()]
    assert taught, "the food that was asked about is written down"
    assert near(rows(taught[-1])[0].kcal, 350) and near(rows(taught[-1])[0].protein, 12)
    seen = p.asks("200 г хрумбурзика")
    assert near(row(seen, "хрумбурзик").kcal, 700)
    assert near(day(seen)[0], before + 350 + 700, 2)


def looks_back_ru(p, today):
    yesterday = today - 86400
    borscht = p.asks("300 г борща", date=yesterday + 43200)
    assert near(day(borscht)[0], total(borscht)), "a day of its own"
    before = eaten(p.asks("/today"))
    seen = p.asks("как вчера")
    assert near(row(seen, "борщ").grams, 300)
    assert near(eaten(p.asks("/today")), before + total(borscht), 2)
    seen = p.asks("/week")
    shows(seen, before + total(borscht), total(borscht), off=2)
    for n in range(12):
        p.says(f"{100 + n} г риса", date=today - (2 + n) * 86400 + 36000)
    seen = p.asks("/history")
    assert seen.has("Раньше") and seen.has("1")
    first = seen.text
    seen = p.presses("Раньше")
    assert seen.text != first and "рис" in seen.text.lower()
    seen = p.presses("1")
    assert len(rows(seen)) == 1 and seen.has("🔁")
    grams = rows(seen)[0].grams
    view = seen
    now_eaten = eaten(p.asks("/today"))
    p.presses("🔁", view)
    assert near(eaten(p.asks("/today")), now_eaten + total(view), 2), f"{grams} g more today"
    p.presses("↩", view)


def settles_ru(p, target):
    seen = p.asks("/profile")
    shows(seen, 28, 175, 85, target)
    p.presses("Вес")
    p.asks("80,5")
    seen = p.asks("/profile")
    shows(seen, 80.5, (MAN - 45) * 1.2)
    seen = p.asks("/language")
    seen = p.presses("English")
    assert "English" in seen.text
    assert "kcal" in p.asks("100 г риса").text
    p.asks("/language")
    p.presses("Русский")
    assert "ккал" in p.asks("100 g rice").text
    p.asks("/timezone")
    seen = p.asks("Asia/Almaty")
    assert "Almaty" in seen.text
    seen = p.asks("/timezone Атлантида/Город")
    assert "Атлантида" in seen.text
    assert "UTC" in p.asks("/timezone UTC").text
    seen = p.asks("/help")
    for command in ("today", "week", "history", "undo", "profile", "language", "timezone",
                    "delete_me"):
        assert "/" + command in seen.text
    kept = eaten(p.asks("/today"))
    seen = p.asks("Привет! Как у тебя дела сегодня?")
    assert rows(seen) == [] and "/help" in seen.text
    assert near(eaten(p.asks("/today")), kept)


def leaves_ru(p):
    p.asks("/delete_me")
    p.presses("Нет")
    assert eaten(p.asks("/today")) > 0, "nothing was deleted"
    p.asks("/delete_me")
    p.presses("Да")
    assert eaten(p.asks("/today")) == 0
    seen = p.asks("100 г хрумбурзика")
    assert rows(seen) == [], "what was taught is forgotten, too"
    seen = p.asks("/profile")
    assert 80.5 not in seen.numbers() and 175 not in seen.numbers()


def golden_ru(p):
    today = midnight()
    p.lives_at(today)
    target = meets_ru(p)
    corrects_ru(p, eats_ru(p, target))
    edits_and_undoes_ru(p)
    teaches_ru(p)
    looks_back_ru(p, today)
    settles_ru(p, target)
    leaves_ru(p)
    return p.transcript


# ---- in English

def meets_en(p):
    seen = p.asks("/start")
    assert p.name in seen.text
    p.presses("English")
    p.presses("Woman")
    seen = p.sees_buttons()
    assert len(seen.buttons) > 2, "ages to tap on"
    p.asks("30")
    p.asks("165")
    seen = p.asks("60")
    p.presses("🚶")
    seen = p.presses("Keep")
    shows(seen, WOMAN, WOMAN * 1.375)
    return WOMAN * 1.375


def eats_en(p, target):
    seen = p.asks("two eggs, toast with butter and a cup of coffee")
    assert len(rows(seen)) >= 3
    assert 80 <= row(seen, "egg").grams <= 130
    assert row(seen, "butter").fat > 3 and row(seen, "coffee").kcal < 60
    assert near(day(seen)[0] + day(seen)[2], target, 2)
    half = p.presses("½×")
    assert near(total(half), total(seen) / 2, 2)
    seen = p.presses("❌")
    seen = p.presses("offee")
    assert "coffee" not in seen.text.lower()
    said = p.says("100 g chicken breast")
    assert near(row(p.sees(), "chicken").grams, 100)
    seen = p.changes(said, "3 oz salmon")
    assert near(row(seen, "salmon").grams, 85, 0.6)
    p.presses("↩")
    seen = p.presses("↪")
    assert near(row(seen, "salmon").grams, 85, 0.6)


def teaches_en(p):
    seen = p.asks("50 g of zorblax")
    assert "zorblax" in seen.text.lower() and rows(seen) == []
    p.asks("400")
    taught = [s for s in p.history() if rows(s) and "zorblax" in s.text.lower()]
    assert taught and near(rows(taught[-1])[0].kcal, 200)
    seen = p.asks("30 g of gloopberry")
    label = next(b for b in seen.buttons if b)
    p.presses(label)
    seen = p.asks("100 g of zorblax")
    assert near(row(seen, "zorblax").kcal, 400), "the bot no longer waits for a figure"


def looks_back_en(p, today):
    p.asks("two bananas", date=today - 40000)
    before = eaten(p.asks("/today"))
    seen = p.asks("same as yesterday")
    assert row(seen, "banana").grams > 150
    assert near(eaten(p.asks("/today")), before + total(seen), 2)
    assert "kcal" in p.asks("/week").text
    seen = p.asks("/history")
    assert "banana" in seen.text.lower()


def golden_en(p):
    today = midnight()
    p.lives_at(today)
    target = meets_en(p)
    eats_en(p, target)
    teaches_en(p)
    looks_back_en(p, today)
    seen = p.asks("/timezone")
    assert "UTC" in seen.text
    assert "/undo" in p.asks("/help").text
    p.asks("/delete_me")
    p.presses("Yes")
    assert eaten(p.asks("/today")) == 0
    return p.transcript
