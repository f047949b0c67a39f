"""Food phrases of the peers: a small dictionary, grams and pieces.

Deliberately less than familybot does (no stems, no typos, no full-text
search): what it leaves out is time that the peers do not have to spend.
"""

import re

# per 100 g: kcal, protein, fat, carbohydrate; weight of one piece or None
FOODS = {
    "греч": ("Гречка варёная", 92, 3.4, 0.6, 19.9, None),
    "рис": ("Рис варёный", 130, 2.4, 0.2, 28.6, None),
    "куриц": ("Курица варёная", 165, 31.0, 3.6, 0.0, None),
    "курин": ("Курица варёная", 165, 31.0, 3.6, 0.0, None),
    "молок": ("Молоко 3,2 %", 60, 3.2, 3.2, 4.7, None),
    "хлеб": ("Хлеб пшеничный", 266, 7.6, 3.3, 50.6, 30),
    "яйц": ("Яйцо куриное", 143, 12.6, 9.5, 0.7, 50),
    "яиц": ("Яйцо куриное", 143, 12.6, 9.5, 0.7, 50),
    "творог": ("Творог 5 %", 121, 17.2, 5.0, 1.8, None),
    "яблок": ("Яблоко", 52, 0.3, 0.2, 13.8, 180),
    "банан": ("Банан", 89, 1.1, 0.3, 22.8, 120),
    "сыр": ("Сыр твёрдый", 363, 24.0, 29.5, 0.3, None),
    "масл": ("Масло сливочное", 717, 0.9, 81.1, 0.1, None),
    "картоф": ("Картофель варёный", 87, 1.9, 0.1, 20.1, 100),
    "buckwheat": ("Buckwheat, cooked", 92, 3.4, 0.6, 19.9, None),
    "egg": ("Egg", 143, 12.6, 9.5, 0.7, 50),
    "milk": ("Milk", 60, 3.2, 3.2, 4.7, None),
    "bread": ("Bread", 266, 7.6, 3.3, 50.6, 30),
    "chicken": ("Chicken, cooked", 165, 31.0, 3.6, 0.0, None),
}

_SPLIT = re.compile(r"\s*(?:,(?!\d)|;|\bи\b|\band\b|\n)\s*")
_ITEM = re.compile(
    r"^(?P<amount>\d+(?:[.,]\d+)?)\s*"
    r"(?P<unit>кг|г|гр|грамм\w*|мл|л|kg|g|ml|l|шт)?\.?\s+"
    r"(?P<name>.+)$",
    re.IGNORECASE,
)
_FACTOR = {"кг": 1000.0, "kg": 1000.0, "л": 1000.0, "l": 1000.0}


def _find(name):
    name = name.lower()
    for stem, food in FOODS.items():
        if stem in name:
            return food
    return None


def parse(text):
    """Items of a phrase, or [] when any of it is not food."""
    items = []
    for part in _SPLIT.split(text.strip()):
        match = _ITEM.match(part)
        food = match and _find(match["name"])
        if not food:
            return []
        name, kcal, protein, fat, carb, piece = food
        amount = float(match["amount"].replace(",", "."))
        unit = (match["unit"] or "").lower()
        if unit in ("", "шт"):
            if piece is None:
                return []
            grams = amount * piece
        else:
            grams = amount * _FACTOR.get(unit, 1.0)
        share = grams / 100.0
        items.append({
            "name": name,
            "grams": round(grams, 1),
            "kcal": round(kcal * share, 1),
            "protein": round(protein * share, 1),
            "fat": round(fat * share, 1),
            "carb": round(carb * share, 1),
        })
    return items
