"""A value, or nothing: two levels.

Belongs here: columns of few values without any order or kinship, such as a sex. What it does not cover: anything in
between; a table of kinship keeps more (`table`).
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from privacy_assets.techniques.hierarchies._labels import closed, root
from privacy_assets.words import Column, Frozen


class Parameters(Frozen):
    """There is nothing to say."""

    kind: Literal["flat"]


def levels(parameters: Parameters, column: Column, values: pl.Series) -> list[pl.Series]:
    """The value as text, and `*`."""
    return [values.cast(pl.String), root(values)]


def domain(parameters: Parameters, column: Column) -> tuple[str, ...] | None:
    """The declared values, and `*`."""
    return closed(column.domain) if column.domain is not None else None


def fault(parameters: Parameters, column: Column) -> str | None:
    """Fits everything."""
    return None
