"""Telephone numbers, as the tables of the library phonenumbers know them."""

from __future__ import annotations

from typing import Literal

import polars as pl

from privacy_assets.drafting.detectors._asking import confirmed, counted, like
from privacy_assets.words import Frozen, IdentifierDomain, Role

ROLE = Role.DIRECT_IDENTIFIER
CATEGORY = "user.contact.phone_number"
DOMAIN: IdentifierDomain | None = None
HEADERS: tuple[tuple[str, ...], ...] = (
    ("phone",),
    ("telephone",),
    ("tel",),
    ("mobile",),
    ("cell",),
    ("fax",),
    ("telefon",),
    ("handy",),
)

CALLED = "a telephone number"

REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "AU", "IN", "BR", "SE", "PL")
"""Where numbers without a country code are looked for."""


class Parameters(Frozen):
    """The share of values from which a column holds telephone numbers."""

    kind: Literal["phone"] = "phone"
    at_least: float = 0.6


def fits(values: pl.Series) -> pl.Series:
    """Seven to fifteen digits that are written as telephone numbers are: with a +, or in groups; and that exist.

    Digits alone are not taken: every third number of an order would be somebody's telephone.
    """
    import phonenumbers

    written = like(values, r"\+?[0-9(][0-9()./\s-]{5,20}[0-9](?:\s?(?:x|ext\.?)\s?[0-9]{1,6})?")
    grouped = values.str.contains(r"^\+|[0-9)][()./\s-]+[0-9]")
    dates = like(values, r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}|[0-9]+[.][0-9]+")
    numbers = like(values, r"[0-9]{3}-[0-9]{2}-[0-9]{4}|(?:[0-9]{1,3}\.){3}[0-9]{1,3}|(?:[0-9]{4}[ -]){2,}[0-9]{1,7}")

    def exists(text: str) -> bool:
        for region in (None,) if text.startswith("+") else REGIONS:
            try:
                if phonenumbers.is_possible_number(phonenumbers.parse(text, region)):
                    return True
            except phonenumbers.NumberParseException:
                continue
        return False

    return confirmed(values, written & grouped & ~dates & ~numbers, exists)


def inside(texts: pl.Series) -> pl.Series:
    """What is written as above, where no letter and no digit stands beside it, and is valid in one of the countries."""
    import phonenumbers

    def valid(text: str) -> bool:
        return any(phonenumbers.PhoneNumberMatcher(text, region).has_next() for region in REGIONS)

    def known(found: pl.Series) -> pl.Series:
        # the hour behind a date is written like a telephone number's last group
        dated = like(found, r"[0-9]{4}-[0-9]{2}-[0-9]{2} .*")
        return confirmed(found, fits(found) & ~dated, valid)

    form = r"(?:\+|\(|\b)[0-9][0-9()./ -]{5,20}[0-9]\b"
    return counted(texts, form, known)
