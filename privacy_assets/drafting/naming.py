"""Whether the name of a column is rather a value of somebody: names are shown and written down, values never.

Belongs here: asking that of names. Does not belong here: values (`detectors/`), whether a first line is a header
(`looking.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from privacy_assets.drafting.detectors import DETECTORS, SEARCHERS

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
