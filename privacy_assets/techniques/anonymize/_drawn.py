"""Puts values in the place of generalized labels, so that a model that learned from the rows can meet real ones.

    value = one of the different known values that the label stands for, each with the same chance

So `[30,40)` is one of the ages in between, `QX1*` one of the districts that begin so, `*` anything, and a label that
stands for one value is that. Whoever has the rows knows what a label stands for, and not how often each value is
behind it: all count alike, as a range is mostly read (Xiao, Tao: Anatomy, VLDB 2006, sect. 1). Every model learns from
values, whichever way labels overlap. What is unknown stays so; where somebody unknown is among others behind a label,
it is a value of theirs.

Belongs here: columns of labels to columns of values. Does not belong here: fitting and comparing
(`techniques/train/_transfer.py`). What it does not cover: a value that is drawn errs, so that a linear model's slopes
become flatter, by the more the wider labels are; other draws give another model, of which no interval speaks.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from privacy_assets.techniques.anonymize._tuples import Levels
from privacy_assets.techniques.criteria._classes import Ints
from privacy_assets.techniques.hierarchies._labels import is_number
from privacy_assets.words import Column


def values(
    labels: pl.Series,
    column: Column,
    leaves: pl.Series,
    levels: Levels,
    codes: Ints,
    cells: pl.Series,
    generator: np.random.Generator,
) -> pl.Series:
    """A value for each of the `labels` (rows,) of a column; numbers stay as they are: a technique's own middles.

    `leaves` (leaves,) are the values behind `levels`, with NULL at the end where there is one; `codes` and `cells`
    (tuples,) are the leaf of each combination and what became of it: what stands in no hierarchy, such as a list of
    values, stands for those who have it.
    """
    if labels.dtype.is_numeric():
        return labels
    behind = _typed(leaves, column)
    of_levels = [
        pl.DataFrame({"label": texts.cast(pl.String).gather(groups), "leaf": np.arange(len(leaves)), "level": level})
        for level, (groups, texts) in enumerate(zip(levels.groups, levels.labels, strict=True))
    ]
    stands = pl.concat(part.cast({"leaf": pl.Int64, "level": pl.Int64}) for part in of_levels)
    listed = pl.DataFrame({"label": cells.cast(pl.String), "leaf": codes, "level": 0}).unique()
    listed = listed.cast({"leaf": pl.Int64, "level": pl.Int64}).join(stands, on="label", how="anti", nulls_equal=True)
    known = np.flatnonzero(behind.is_not_null().to_numpy())
    stands = pl.concat([stands, listed]).filter(pl.col("leaf").is_in(known))
    # a label of two levels may mean all of the higher one
    stands = stands.filter(pl.col("level") == pl.col("level").max().over("label"))
    lists = stands.group_by("label").agg(pl.col("leaf").sort())
    rows = pl.DataFrame({"label": labels.cast(pl.String), "chance": generator.random(len(labels))})
    place = (pl.col("chance") * pl.col("leaf").list.len()).cast(pl.Int64)
    drawn = rows.join(lists, on="label", how="left", maintain_order="left").select(pl.col("leaf").list.get(place))
    return behind.gather(drawn["leaf"]).alias(column.name)


def _typed(leaves: pl.Series, column: Column) -> pl.Series:
    """As the column holds them: those of a public table are text."""
    if leaves.dtype != pl.String or leaves.null_count() == len(leaves):
        return leaves
    if is_number(column):
        return leaves.cast(pl.Float64, strict=False)
    if column.type.startswith(("DATE", "TIME")):
        return leaves.str.to_datetime(strict=False)
    return leaves
