"""Words and buttons of the peers' answer to a meal."""


def text(user, items, day):
    lines = [
        f"<b>{i['name']}</b>, {i['grams']:g} г: {i['kcal']:g} ккал, "
        f"Б {i['protein']:g} Ж {i['fat']:g} У {i['carb']:g}"
        for i in items
    ]
    total = sum(i["kcal"] for i in items)
    left = user["target_kcal"] - day["kcal"]
    lines.append(f"Итого: {total:.0f} ккал")
    lines.append(f"За день: {day['kcal']:.0f} ккал, осталось {left:.0f}")
    return "\n".join(lines)


def buttons(message_id):
    """Rows of (label, callback data)."""
    return [
        [("½×", f"half:{message_id}"), ("2×", f"double:{message_id}")],
        [("Отменить", f"undo:{message_id}"), ("Не то", f"swap:{message_id}")],
    ]
