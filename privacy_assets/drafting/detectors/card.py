"""Numbers of payment cards (ISO/IEC 7812): a network that exists, its length, the check digit of Luhn."""

from __future__ import annotations

from typing import Literal

import polars as pl

from privacy_assets.drafting.detectors._asking import confirmed, counted, like
from privacy_assets.words import Frozen, IdentifierDomain, Role

ROLE = Role.DIRECT_IDENTIFIER
CATEGORY = "user.financial.credit_card"
DOMAIN: IdentifierDomain | None = None
HEADERS: tuple[tuple[str, ...], ...] = (("card",), ("credit", "card"), ("pan",), ("ccn",))


CALLED = "a card number"


class Parameters(Frozen):
    """The share of values from which a column holds card numbers."""

    kind: Literal["card"] = "card"
    at_least: float = 0.6


def fits(values: pl.Series) -> pl.Series:
    """Twelve to nineteen digits, in groups or not, that begin as a network's do and end in the right check digit."""
    from stdnum import luhn

    bare = values.str.replace_all(r"[ -]", "")
    networks = r"(?:4|5[0-9]|6[0-9]|2[2-7]|3[0-9])[0-9]{10,17}"
    return confirmed(bare, like(values, r"[0-9][0-9 -]{10,22}[0-9]") & like(bare, networks), luhn.is_valid)


def inside(texts: pl.Series) -> pl.Series:
    """As above, where no digit stands beside it and no + before it, as before a telephone's."""
    return counted(texts, r"\+?\b[0-9](?:[ -]?[0-9]){11,18}\b", fits)
