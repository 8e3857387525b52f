"""A place on the earth as latitude and longitude in one value."""

from __future__ import annotations

from typing import Literal

import polars as pl

from privacy_assets.drafting.detectors._asking import like
from privacy_assets.words import Frozen, IdentifierDomain, Role

ROLE = Role.QUASI_IDENTIFIER
CATEGORY = "user.location.precise"
DOMAIN: IdentifierDomain | None = None
HEADERS: tuple[tuple[str, ...], ...] = (
    ("coordinates",),
    ("latitude",),
    ("longitude",),
    ("lat",),
    ("lon",),
    ("lng",),
    ("geo",),
    ("gps",),
)


class Parameters(Frozen):
    """The share of values from which a column holds coordinates."""

    kind: Literal["coordinates"] = "coordinates"
    at_least: float = 0.9


def fits(values: pl.Series) -> pl.Series:
    """Two decimal numbers in the range of the globe, with two digits or more behind the point."""
    return like(
        values,
        r"\(?[-+]?(?:[0-8]?[0-9]|90)\.[0-9]{2,}\s*[,; ]\s*[-+]?(?:1[0-7][0-9]|180|[0-9]{1,2})\.[0-9]{2,}\)?",
    )
