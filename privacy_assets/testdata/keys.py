"""Identifiers that nobody has: each from a domain in which no real one lies, by the way it is written.

    text         TEST-9f86d081884c7d65
    e-mail       test.anna.smith.17@example.test     the ending `.test` is given to nobody (RFC 6761)
    telephone    +1 212 555 0117                     0100 to 0199 of 555 are kept for fiction in every area (NANPA)
    name         Test-Anna Test-Smith
    number       below zero

Belongs here: how an identifier is written, and how many there are. Does not belong here: whose it is (`people.py`).

Nobody compares them with real ones: who looked would tell by what is missing who is there (decision 53). Numbers of 16
or 32 bits are apart from the real ones only where those are not negative, which no contract can say; those of 64 are
drawn among 2⁵³ besides, as texts are among 2⁶³.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from privacy_assets.contracts.contract import ContractColumn
from privacy_assets.testdata.values import dtype, pool

MARK = "TEST-"
_BITS = {"SMALLINT": 15, "INTEGER": 31, "BIGINT": 53}
_LEAST = {"BIGINT": 1 << 40}
_DECIMALS_AT_MOST = 15


def form(column: ContractColumn) -> str:
    """What an identifier of this column is: text, email, phone, name, number; "" where none can be made."""
    domain, kind = column.privacy.identifier_domain, column.type
    if kind != "VARCHAR":
        return "number" if kind in _BITS or kind.startswith("DECIMAL(") else ""
    if domain is not None and domain.normalization != "none":
        return str(domain.normalization)
    category = f"{column.privacy.category}."
    if category.startswith("user.contact.email."):
        return "email"
    return "phone" if category.startswith("user.contact.phone_number.") else "text"


def most(column: ContractColumn) -> int | None:
    """How many different identifiers this column can have; None where there is no end."""
    match form(column):
        case "phone":
            return len(_areas()) * 100
        case "number":
            return 10 ** _digits(column.type) - 1 if column.type not in _BITS else (1 << _BITS[column.type]) - 1
        case _:
            return None


def keys(column: ContractColumn, count: int, rng: np.random.Generator, *, different: bool) -> pl.Series:
    """So many identifiers for the column, all different where that is asked; at most `most`, then.

    Telephone numbers repeat where there are more than there are numbers.
    """
    match form(column):
        case "email":
            firsts, lasts = _names(rng, count)
            local = (f"{a}.{b}".replace(" ", "").replace("'", "").lower() for a, b in zip(firsts, lasts, strict=True))
            made: Sequence[Any] = [f"test.{name}.{number}@example.test" for number, name in enumerate(local, 1)]
        case "phone":
            made = phones(rng, count)
        case "name":
            firsts, lasts = _names(rng, count)
            pairs = zip(firsts, lasts, strict=True)
            made = [
                f"Test-{a} Test-{b}" + (f" {number}" if different else "") for number, (a, b) in enumerate(pairs, 1)
            ]
        case "number" if column.type in _BITS:
            least = _LEAST.get(column.type, 1)
            made = (-_different(rng, least, 1 << _BITS[column.type], count)).tolist()
        case "number":
            digits = _digits(column.type)
            made = [Decimal(-one) for one in _different(rng, 1, 10**digits, count).tolist()]
        case _:
            made = [f"{MARK}{one:016x}" for one in _different(rng, 0, 1 << 63, count).tolist()]
    return pl.Series(column.name, made, dtype(column.type))


def phones(rng: np.random.Generator, count: int) -> list[str]:
    """Telephone numbers that are kept for fiction, in no order, each once before one comes again."""
    areas = _areas()
    order = rng.permutation(len(areas) * 100)
    return [f"+1 {areas[at // 100]} 555 01{at % 100:02}" for at in np.resize(order, count).tolist()]


@cache
def _areas() -> tuple[int, ...]:
    """The area codes of the North American plan whose numbers are those of places."""
    import phonenumbers  # only a run should pay for its tables

    placed = phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE
    found = ((area, phonenumbers.parse(f"+1{area}5550100")) for area in range(200, 1000))
    return tuple(
        area for area, one in found if phonenumbers.is_valid_number(one) and phonenumbers.number_type(one) == placed
    )


def _names(rng: np.random.Generator, count: int) -> tuple[list[str], list[str]]:
    firsts, lasts = pool("first_name", rng), pool("last_name", rng)
    return (
        [firsts[at] for at in rng.integers(len(firsts), size=count).tolist()],
        [lasts[at] for at in rng.integers(len(lasts), size=count).tolist()],
    )


def _digits(kind: str) -> int:
    precision, scale = (int(part) for part in kind[8:-1].split(","))
    return min(precision - scale, _DECIMALS_AT_MOST)


def _different(rng: np.random.Generator, low: int, high: int, count: int) -> NDArray[np.int64]:
    """So many different whole numbers from `low` to under `high`, in the order in which they were drawn."""
    if high - low <= 2 * count:
        return low + rng.permutation(high - low)[:count]
    drawn = rng.integers(low, high, size=count)
    while True:
        _, first = np.unique(drawn, return_index=True)
        if len(first) == count:
            return drawn
        kept = drawn[np.sort(first)]
        drawn = np.concatenate([kept, rng.integers(low, high, size=count - len(kept))])
