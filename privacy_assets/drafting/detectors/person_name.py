"""Names of people, by the lists of Faker in all its languages."""

from __future__ import annotations

from functools import cache
from typing import Literal

import polars as pl

from privacy_assets.drafting.detectors._asking import column, counted, like, listed
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


CALLED = "a name"

_GIVEN = ("first_names", "first_names_male", "first_names_female", "first_names_unisex", "first_names_nonbinary")
_FAMILY = ("last_names", "last_names_male", "last_names_female", "last_names_unisex")


@cache
def _names(*lists: str) -> frozenset[str]:
    # a list has names of two letters that are words elsewhere
    return frozenset(name for name in listed("person", *lists) if len(name) > 2)


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
    known = column(_names(*_GIVEN, *_FAMILY))
    return written & parts.list.eval(pl.element().is_in(known)).list.any()


def begin_as_names(texts: pl.Series) -> pl.Series:
    """Which texts have a given name for their first word."""
    return texts.str.to_lowercase().str.split(" ").list.first().is_in(column(_names(*_GIVEN)))


def inside(texts: pl.Series) -> pl.Series:
    """A given name before a family name, both in capitals: one word alone is too often something else."""

    def known(found: pl.Series) -> pl.Series:
        parts = found.str.to_lowercase().str.split(" ")
        given, family = column(_names(*_GIVEN)), column(_names(*_FAMILY))
        return parts.list.first().is_in(given) & parts.list.last().is_in(family)

    return counted(texts, r"(?-i)\b\p{Lu}[\p{L}'’-]+ \p{Lu}[\p{L}'’-]+", known)
