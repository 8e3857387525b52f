"""Addresses in the web, which name pages and profiles of people."""

from __future__ import annotations

from typing import Literal

import polars as pl

from privacy_assets.drafting.detectors._asking import counted, like
from privacy_assets.words import Frozen, IdentifierDomain, Role

ROLE = Role.DIRECT_IDENTIFIER
CATEGORY = "user.unique_id"
DOMAIN: IdentifierDomain | None = None
HEADERS: tuple[tuple[str, ...], ...] = (("url",), ("website",), ("homepage",), ("link",))


CALLED = "a web address"

_FORM = r"(?:https?|ftp)://[^\s]+|www\.[^\s]+\.[a-z]{2,}[^\s]*"


class Parameters(Frozen):
    """The share of values from which a column holds web addresses."""

    kind: Literal["web_address"] = "web_address"
    at_least: float = 0.8


def fits(values: pl.Series) -> pl.Series:
    """With a scheme, or beginning with www."""
    return like(values, _FORM)


def inside(texts: pl.Series) -> pl.Series:
    """The same form, anywhere."""
    return counted(texts, rf"\b(?:{_FORM})")
