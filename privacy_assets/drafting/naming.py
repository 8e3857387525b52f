"""What is never written down, be it the name of a column or a value that many rows share: what could be somebody's.

Belongs here: asking that of names and of such values. Does not belong here: kinds of values (`detectors/`), whether a
first line is a header (`looking.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from privacy_assets.drafting.detectors import DETECTORS, SEARCHERS
from privacy_assets.drafting.detectors.person_name import begin_as_names
from privacy_assets.words import Role

_ALSO_WORDS = ("person_name", "place", "street")
"""What is written as the names of columns are."""


def are_values(names: pl.Series) -> pl.Series:
    """Which are somebody's address, number or the like: nothing that a column is called."""
    found = pl.Series(names.name, [False] * len(names), dtype=pl.Boolean)
    for kind, detector in DETECTORS.items():
        if kind not in _ALSO_WORDS:
            found = found | detector.fits(names)
    return found


def could_be_somebody(names: Sequence[str]) -> tuple[bool, ...]:
    """Which could be read as somebody: a value as above, or a given name before a family name, by Faker's lists.

    `Max Price` is taken for one: such a column is left out, and can be renamed in its source. A name that stands in no
    list is not known for one.
    """
    asked = pl.Series(names, dtype=pl.String)
    return tuple((are_values(asked) | (SEARCHERS["person_name"].inside(asked) > 0)).to_list())


def full_names(values: pl.Series) -> pl.Series:
    """Which values are a given name and another one: both of the lists in any case, or the second in capitals only."""
    in_order = values.str.replace(r"^([^,]+), *([^,]+)$", "$2 $1")
    alone = in_order.str.contains(r"^\p{Lu}[\p{L}'’-]+(?: \p{Lu}[\p{L}.'’-]*){1,2}$")
    named: pl.Series = SEARCHERS["person_name"].inside(in_order.str.to_titlecase()) > 0
    return named | (alone & begin_as_names(in_order))


def name_somebody(values: pl.Series) -> pl.Series:
    """Which values of a column a detector calls a direct identifier: these are listed nowhere, however common.

    One name alone is not enough, nor a street without a number: White is a family name and a word, as Drive is.
    """
    found = full_names(values)
    for kind, detector in DETECTORS.items():
        if detector.ROLE is Role.DIRECT_IDENTIFIER and kind not in _ALSO_WORDS:
            found = found | detector.fits(values)
    streets: pl.Series = DETECTORS["street"].fits(values) & values.str.contains(r"\d")
    return found | streets
