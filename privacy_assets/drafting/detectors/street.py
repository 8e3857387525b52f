"""Lines of a postal address: streets with or without a number, boxes, houses."""

from __future__ import annotations

from functools import cache
from typing import Literal

import polars as pl

from privacy_assets.drafting.detectors._asking import listed
from privacy_assets.words import Frozen, IdentifierDomain, Role

ROLE = Role.DIRECT_IDENTIFIER
CATEGORY = "user.contact.address.street"
DOMAIN: IdentifierDomain | None = None
HEADERS: tuple[tuple[str, ...], ...] = (
    ("street",),
    ("address",),
    ("addr",),
    ("strasse",),
    ("road",),
    ("rue",),
    ("calle",),
)

_MORE = (
    "apt apartment suite unit flat floor box pobox rue avenue boulevard chemin calle avenida paseo via viale piazza "
    "ulica ul rua"
)


@cache
def _kinds() -> frozenset[str]:
    known = listed("address", "street_suffixes", "street_suffixes_long", "street_suffixes_short", "street_prefixes")
    # what is a word of everyday language as well says nothing
    return frozenset(word for word in {*known, *_MORE.split()} if len(word) > 1) - {
        "de",
        "la",
        "view",
        "well",
        "port",
        "fall",
    }


class Parameters(Frozen):
    """The share of values from which a column holds address lines."""

    kind: Literal["street"] = "street"
    at_least: float = 0.4


def fits(values: pl.Series) -> pl.Series:
    """Words of which one is what streets end or begin with, or what stands before the number of a flat or a box."""
    lines = values.str.to_lowercase().str.replace_all(r"[.,;\n]+", " ")
    parts = lines.str.split(" ")
    kind = parts.list.eval(pl.element().is_in(list(_kinds()))).list.any()
    joined = lines.str.contains(
        r"\p{L}{3,}(?:straße|strasse|str|gasse|weg|platz|allee|ring|straat|laan|gatan|vägen|katu|tie|utca|vej|gade|veien)\b"
    )
    return (kind | joined) & lines.str.contains(r"\p{L}{2,}") & (lines.str.len_chars() < 160) & (parts.list.len() > 1)
