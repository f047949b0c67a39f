"""sections.py - parts of RESULTS.md that tools other than bench/run measure:
each is replaced alone, and bench/run keeps them all.
"""

import re
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
MOVES = "## Live data moved under load and kills"
DEAD = "## One shard of three fails"
SPEED = "## The speed of a move, and what it costs the others"


def kept(text):
    """What bench/run leaves as it is."""
    return "\n".join(part for part in re.split(r"^(?=## )", text, flags=re.M)
                     if part.startswith((MOVES, DEAD, SPEED)))


def put(heading, body):
    parts = [part for part in re.split(r"^(?=## )", RESULTS.read_text(encoding="utf-8"), flags=re.M)
             if not part.startswith(heading)]
    text = "".join(parts).rstrip()
    RESULTS.write_text(f"{text}\n\n{heading}\n\n{body.rstrip()}\n", encoding="utf-8")
