"""Dates about a person: of birth where header or range say so, otherwise of something that others may know."""

from __future__ import annotations

from typing import Literal

import polars as pl

from privacy_assets.drafting.detectors._asking import like
from privacy_assets.words import Frozen, IdentifierDomain, Role

ROLE = Role.QUASI_IDENTIFIER
CATEGORY = "user.demographic.date_of_birth"
DOMAIN: IdentifierDomain | None = None
HEADERS: tuple[tuple[str, ...], ...] = (
    ("birth",),
    ("dob",),
    ("born",),
    ("birthday",),
    ("birthdate",),
    ("geburtsdatum",),
)


class Parameters(Frozen):
    """The share of values from which a column holds dates."""

    kind: Literal["date"] = "date"
    at_least: float = 0.8


def fits(values: pl.Series) -> pl.Series:
    """A day of a year from 1880 to 2100, in the orders in which people write one, with or without a time."""
    year, month, day = r"(?:18[89][0-9]|19[0-9]{2}|20[0-9]{2})", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12][0-9]|3[01])"
    time = r"(?:[T ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z| ?[+-][0-9:]{2,6})?)?"
    tight = r"(?:18[89][0-9]|19[0-9]{2}|20[0-2][0-9])(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    forms = (
        rf"{year}[-/.]{month}[-/.]{day}{time}",
        rf"{day}[-/. ]{month}[-/. ]{year}{time}",
        rf"{month}[-/. ]{day}[-/. ]{year}{time}",
        rf"{day}[-. ]?[a-z]{{3,9}}\.?[-, ]+{year}",
        rf"[a-z]{{3,9}}\.? {day},? {year}",
        tight,
    )
    return like(values, "|".join(forms))
