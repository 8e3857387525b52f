"""Kinship by a public table, in the form of ARX: one line a value, from the value itself to `*`, separated by `;`.

Belongs here: classifications that somebody published, such as countries by continent. Does not belong here: a table
that was made from people's data: what is rare among them would stand in a file that all can read (`learned`).

Source of the form: ARX (Prasser, Kohlmayer: Putting statistical disclosure control into practice, 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import polars as pl
from pydantic import Field, StringConstraints, model_validator

from privacy_assets.errors import NotKept
from privacy_assets.techniques.hierarchies._labels import closed
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen

Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Parameters(Frozen):
    """`rows`: one for each value, all of one length, the value first and the root last; or the `file` that has them."""

    kind: Literal["table"]
    file: Annotated[Annotated[str, StringConstraints(min_length=1)] | None, Weaker.NONE] = None
    rows: Annotated[tuple[tuple[Label, ...], ...], Field(max_length=100_000), Weaker.ANY] = ()

    @model_validator(mode="after")
    def _is_one(self) -> Parameters:
        if self.file is None and not self.rows:
            raise ValueError("name a `file`, or give `rows`")
        if faults := faults_of(self.rows):
            raise ValueError(faults[0])
        return self


def faults_of(rows: Sequence[Sequence[str]]) -> list[str]:
    """What is wrong with a table, each with its row (from 1) and level (from 0): never the values themselves."""
    found: list[str] = []
    if not rows:
        return found
    height = len(rows[0])
    if height < 2:
        found.append("row 1 has no root: a row goes from the value to the root, two levels at least")
    uneven = [place for place, row in enumerate(rows, start=1) if len(row) != height]
    if uneven:
        found.append(f"row {uneven[0]} has {len(rows[uneven[0] - 1])} levels, and row 1 has {height}")
    if found:
        return found
    seen: dict[str, int] = {}
    for place, row in enumerate(rows, start=1):
        if row[0] in seen:
            found.append(f"row {place} is about the same value as row {seen[row[0]]}")
        seen.setdefault(row[0], place)
    for level in range(height - 1):
        above: dict[str, tuple[str, int]] = {}
        for place, row in enumerate(rows, start=1):
            parent, first = above.setdefault(row[level], (row[level + 1], place))
            if parent != row[level + 1]:
                found.append(
                    f"rows {first} and {place} have one label at level {level} and two at level {level + 1}: "
                    "it does not nest"
                )
                break
    if len({row[-1] for row in rows}) > 1:
        found.append(f"the last level, {height - 1}, has several labels: it is the root of all")
    return found


def levels(parameters: Parameters, column: Column, values: pl.Series) -> list[pl.Series]:
    """What the table says of each value; the last level is `*` whatever it is called there."""
    texts = values.cast(pl.String)
    known = pl.Series([row[0] for row in parameters.rows], dtype=pl.String)
    if missing := int((~texts.is_in(known.implode())).sum()):
        raise NotKept.of(
            f"{missing} different values of {column.name} have no place in its hierarchy",
            where=parameters.file or column.name,
            expected=f"one of the {len(known)} values that it knows",
            found=f"{missing} of {len(values)} different values that it does not",
            next_step="add a row for each to the table, or mask them before (`features.sql`)",
        )
    height = len(parameters.rows[0])
    found = [texts]
    for level in range(1, height):
        labels = [row[level] if level < height - 1 else "*" for row in parameters.rows]
        found.append(texts.replace_strict(known, pl.Series(labels, dtype=pl.String), return_dtype=pl.String))
    return found


def domain(parameters: Parameters, column: Column) -> tuple[str, ...] | None:
    """Every label of every level."""
    height = len(parameters.rows[0]) if parameters.rows else 0
    return closed(row[level] for level in range(height - 1) for row in parameters.rows)


def fault(parameters: Parameters, column: Column) -> str | None:
    """Every declared value of the column has a row."""
    if not parameters.rows:
        return None  # its file could not be read, which is said where it is named
    missing = set(column.domain or ()) - {row[0] for row in parameters.rows}
    return f"{len(missing)} of its declared values have no row in the table" if missing else None
