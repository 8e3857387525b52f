"""Labels that hierarchies share: the root, a closed list of them, numbers as text.

Belongs here: what several hierarchies write in the same way. Does not belong here: any level of any of them.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from privacy_assets.words import Column

NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
"""Engine types of whole numbers."""


def root(values: pl.Series) -> pl.Series:
    """`*` for every value."""
    return pl.repeat("*", len(values), dtype=pl.String, eager=True).alias(values.name)


def closed(labels: Iterable[str]) -> tuple[str, ...]:
    """The labels and the root, each once, in their order."""
    return tuple(dict.fromkeys([*labels, "*"]))


def is_whole(column: Column) -> bool:
    """Whether the column holds whole numbers."""
    return column.type in NUMBERS


def is_number(column: Column) -> bool:
    """Whether the column holds numbers."""
    return is_whole(column) or column.type in ("DOUBLE", "FLOAT") or column.type.startswith("DECIMAL")
