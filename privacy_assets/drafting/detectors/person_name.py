"""Names of people, by the lists of Faker in all its languages."""

from __future__ import annotations

from functools import cache
from typing import Literal

import polars as pl

from privacy_assets.drafting.detectors._asking import like, listed
from privacy_assets.words import Frozen, IdentifierDomain, Role

ROLE = Role.DIRECT_IDENTIFIER
CATEGORY = "user.name"
DOMAIN: IdentifierDomain | None = None
HEADERS: tuple[tuple[str, ...], ...] = (
    ("name",),
    ("surname",),
    ("firstname",),
    ("lastname",),
    ("forename",),
    ("given", "name"),
    ("family", "name"),
    ("vorname",),
    ("nachname",),
    ("nom",),
    ("prenom",),
    ("apellido",),
)


@cache
def _names() -> frozenset[str]:
    given = ("first_names", "first_names_male", "first_names_female", "first_names_unisex", "first_names_nonbinary")
    family = ("last_names", "last_names_male", "last_names_female", "last_names_unisex")
    # a list has names of two letters that are words elsewhere
    return frozenset(name for name in listed("person", *given, *family) if len(name) > 2)


class Parameters(Frozen):
    """The share of values from which a column holds names of people; how many different ones there are at least, where
    they come back and no header says so (Green and Grey are names, and colours)."""

    kind: Literal["person_name"] = "person_name"
    at_least: float = 0.5
    different: int = 20


def fits(values: pl.Series) -> pl.Series:
    """One to five words of letters, of which one is a given name or a family name of the lists."""
    written = like(values, r"(?:\p{L}[\p{L}'’.-]*,? ){0,4}\p{L}[\p{L}'’.-]+")
    parts = values.str.to_lowercase().str.replace_all(r"[.,]", " ").str.split(" ")
    known = list(_names())
    return written & parts.list.eval(pl.element().is_in(known)).list.any()
