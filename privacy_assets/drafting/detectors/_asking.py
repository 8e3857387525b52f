"""How detectors ask: a pattern over a whole column first, a library value by value for what is left.

Belongs here: what several detectors share. Does not belong here: what one kind of value looks like.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import polars as pl

from privacy_assets.word_lists import texts


def like(values: pl.Series, pattern: str) -> pl.Series:
    """Which values match the pattern as a whole (without regard to case)."""
    return values.str.contains(f"(?i)^(?:{pattern})$")


def confirmed(values: pl.Series, candidates: pl.Series, is_one: Callable[[str], bool]) -> pl.Series:
    """Which of the candidates a library confirms; it is asked for them alone."""
    places = candidates.arg_true()
    answers = pl.Series([_answer(is_one, text) for text in values.gather(places).to_list()], dtype=pl.Boolean)
    return pl.Series(values.name, [False] * len(values), dtype=pl.Boolean).scatter(places, answers)


def _answer(is_one: Callable[[str], bool], text: str) -> bool:
    try:
        return bool(is_one(text))
    except Exception:  # whatever a library says of a value, its text quotes it
        return False


def counted(texts: pl.Series, pattern: str, is_one: Callable[[pl.Series], pl.Series] | None = None) -> pl.Series:
    """How many stretches of each text match the pattern (without regard to case), and are of a kind as a whole."""
    held = texts.str.extract_all(f"(?i){pattern}")
    if is_one is not None:
        different = held.explode().drop_nulls().unique()
        known = different.filter(is_one(different))
        held = held.list.eval(pl.element().filter(pl.element().is_in(known.to_list())))
    return held.list.len().cast(pl.UInt32)


def words(text: str) -> tuple[str, ...]:
    """The words of a header, in lower case: `customerEMail_2` has customer, email, 2."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return tuple(re.findall(r"[^\W\d_]+|\d+", apart.lower()))


@cache
def listed(provider: str, *attributes: str) -> frozenset[str]:
    """All texts under these attributes of Faker's provider in all its languages, folded; without templates."""
    return frozenset(map(folded, texts(provider, re.compile("|".join(attributes)))))


def folded(text: str) -> str:
    """The text as lists are compared: as `among` writes a value, so that ß stays what it is."""
    return " ".join(text.lower().split())


def among(values: pl.Series, known: frozenset[str]) -> pl.Series:
    """Which values stand in a list of folded texts."""
    return values.str.to_lowercase().str.replace_all(r"\s+", " ").is_in(column(known))


@cache
def column(known: frozenset[str]) -> pl.Series:
    """The texts as one list for `is_in`, made once: they are tens of thousands."""
    return pl.Series(sorted(known), dtype=pl.String).implode()
