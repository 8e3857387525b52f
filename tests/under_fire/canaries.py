"""People who are nobody: each of their values stands nowhere else, and none is in any list.

Belongs here: making them, from a seed. Does not belong here: where they go, how they are searched for (`scanner.py`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.under_fire.scanner import Canary

FIELDS = ("patient_id", "name", "email", "phone", "address", "note", "added")
"""What is planted of each person; `added` is a column that no contract knows."""

_EXCHANGES = (
    "113 496 0", "114 496 0", "115 496 0", "116 496 0", "117 496 0", "118 496 0", "121 496 0", "131 496 0",
    "141 496 0", "151 496 0", "161 496 0", "191 498 0", "20 7946 0", "28 9649 6", "29 2018 0", "7700 900", "1632 960",
)  # fmt: skip
"""Of the numbers that Ofcom keeps for drama: nobody's."""

_LATIN, _OTHER = "ëöüñçåøé", "žłőñкитβ東"


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person: a value for each field, and what to look for."""

    number: int
    values: dict[str, str]
    canaries: tuple[Canary, ...]


def people(count: int, seed: int) -> Iterator[Person]:
    """So many people; half of them with letters beyond ASCII in name, address and note."""
    rng = random.Random(seed)
    for number in range(count):
        strange = "" if number % 2 else _LATIN if number % 4 else _OTHER
        exchange, rest = _EXCHANGES[number % len(_EXCHANGES)], f"{number // len(_EXCHANGES):03}"
        plain = {field: _word(rng) for field in ("patient_id", "email", "added")}
        words = {field: _word(rng, strange).capitalize() for field in ("name", "address", "note")}
        mail = plain["email"].upper() if number % 10 == 0 else plain["email"]
        values = {
            "patient_id": f"p-{plain['patient_id']}",
            "name": f"{rng.choice(['Ada', 'Zoë', 'Łucja', 'Bo'])} {words['name']}",
            "email": f"{mail}@canary.example",
            "phone": f"+44 {exchange}{rest}",
            "address": f"{number} {words['address']} Road",
            "note": f"limps since the accident at {words['note']}, sleeps badly",
            "added": plain["added"],
        }
        digits = f"{exchange}{rest}".replace(" ", "")
        cores = {field: (word,) for field, word in (plain | words).items()}
        cores["phone"] = (f"{exchange}{rest}", f"44{digits}", f"0{digits}")
        written = {field: (value, value.lower()) for field, value in values.items()}
        written["phone"] += (f"+44{digits}", f"0{digits}")
        canaries = (Canary(number, field, cores[field], tuple(dict.fromkeys(written[field]))) for field in FIELDS)
        yield Person(number, values, tuple(canaries))


def _word(rng: random.Random, strange: str = "") -> str:
    letters = [rng.choice("bcdfghjklmnpqrstvwxz") + rng.choice("aeiouy") for _ in range(5)]
    return "".join(letters[:2]) + (rng.choice(strange) if strange else "") + "".join(letters[2:]) + "q"
