"""Intervals, or groups, that are read off the data themselves: halves of halves by how many people they hold.

Belongs here: numbers, dates and texts for which there is no public hierarchy. The labels hold values of people, so
they are known only inside the encrypted version, and no model may learn from them. What it does not cover: the values
at which intervals begin are values of the data; each stands for all who share its interval, and the criteria measure
how many those are.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import polars as pl
from pydantic import Field

from privacy_assets.techniques.hierarchies._labels import is_number, root
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen


class Parameters(Frozen):
    """`depth`: levels between the values and `*`; the finest has 2 ** depth groups, each next one half as many."""

    kind: Literal["learned"]
    depth: Annotated[int, Field(ge=1, le=10), Weaker.ANY] = 4


def levels(parameters: Parameters, column: Column, values: pl.Series) -> list[pl.Series]:
    """The values as text, groups of neighbours by their order, and `*`.

    Groups are equal in the number of different values; what stands between two values of one group has no label of its
    own. Text is ordered by its characters.
    """
    texts = values.cast(pl.String)
    ordered = values.cast(pl.Float64) if is_number(column) else texts
    ranks = (ordered.rank("dense") - 1).cast(pl.Int64).to_numpy()
    count = int(ranks.max(initial=-1)) + 1
    found = [texts]
    for level in range(parameters.depth, 0, -1):
        # a group of the next level is two of this one: so they nest
        groups = ranks * 2**parameters.depth // max(count, 1) // 2 ** (parameters.depth - level)
        found.append(_named(texts, ranks, groups))
    return [*found, root(values)]


def domain(parameters: Parameters, column: Column) -> tuple[str, ...] | None:
    """Only the data says."""
    return None


def fault(parameters: Parameters, column: Column) -> str | None:
    """Fits everything."""
    return None


def _named(texts: pl.Series, ranks: np.ndarray, groups: np.ndarray) -> pl.Series:
    frame = pl.DataFrame({"text": texts, "rank": ranks, "group": groups})
    ends = frame.group_by("group").agg(
        pl.col("text").sort_by("rank").first().alias("first"), pl.col("text").sort_by("rank").last().alias("last")
    )
    label = (
        pl.when(pl.col("first") == pl.col("last"))
        .then("first")
        .otherwise(pl.lit("[") + pl.col("first") + ", " + pl.col("last") + "]")
    )
    return frame.join(ends, on="group", how="left", maintain_order="left").select(label.alias("text"))["text"]
