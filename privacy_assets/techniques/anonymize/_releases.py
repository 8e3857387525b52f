"""What two class tables of the same people tell together: the smallest group that stands apart in them.

A class table is what somebody sees who has a release: the label of each quasi-identifier, and how many people have
them. Of an earlier one and a later one three groups of people are looked for, and the smallest counts:

* *intersection*: a person of today knows their class in the later release, and the earlier classes whose labels fit
  them. Those of the class who fit one of the same earlier classes are all that the person hides among (Ganta,
  Kasiviswanathan, Smith: Composition attacks and auxiliary information, KDD 2008);
* *differencing* of one class: the same labels, and some people more or less;
* *differencing* of a region: classes that overlap, directly or by others, make up one region in both releases; its
  people differ by some (Denning, Cryptography and data security, 1982, ch. 6).

Belongs here: counting on class tables and combinations. Does not belong here: which releases are compared, and what
follows (`stages/s5_anonymized.py`, `gate.py`).

A class of an earlier version whose label no level of today's hierarchies has, and no class of today (another hierarchy,
ranges and lists of `mondrian`), cannot be compared: who is no more in it could be one person, and counts as one.

What it does not cover: such labels of other purposes fit only themselves; values beside the quasi-identifiers by which
rows of two releases could be matched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from privacy_assets.techniques.anonymize._tuples import Recoding, Tuples
from privacy_assets.techniques.criteria._classes import Ints


@dataclass(frozen=True, slots=True)
class ClassTable:
    """An earlier release: the `labels` of its classes, a text series for each column, and its `people`, (classes,).

    `own`: it is one of the same asset, so that every label of it should have a place today.
    """

    labels: dict[str, pl.Series]
    people: Ints
    own: bool = False


def smallest_apart(tuples: Tuples, recoding: Recoding, earlier: ClassTable) -> int:
    """How many people the smallest group has that the two releases tell apart together; 0 where there is none."""
    places = [place for place, column in enumerate(tuples.columns) if column.name in earlier.labels]
    if not places:
        return 0
    names = [tuples.columns[place].name for place in places]
    old = (
        pl.DataFrame([earlier.labels[name].alias(f"c{at}") for at, name in enumerate(names)])
        .with_columns(pl.Series("people", earlier.people))
        .group_by([f"c{at}" for at in range(len(names))], maintain_order=True)
        .agg(pl.col("people").sum())
    )
    inside = recoding.classes >= 0
    cells = [recoding.cells[place].cast(pl.String).alias(f"c{at}") for at, place in enumerate(places)]
    seen = pl.DataFrame(cells).with_row_index("tuple").filter(pl.Series(inside))
    labels = seen.unique([f"c{at}" for at in range(len(names))], maintain_order=True).drop("tuple")
    on = [f"c{at}" for at in range(len(names))]
    new = seen.join(labels.with_row_index("new"), on=on, nulls_equal=True).select("tuple", "new")
    persons = _persons(tuples, inside)
    people = persons.join(new, on="tuple").group_by("new").agg(pl.col("person").n_unique().alias("now")).sort("new")
    fits = _fits(tuples, places, old, on).join(new, on="tuple")
    found = [
        *_by_intersection(fits, persons, people),
        *_by_class(old, labels.with_row_index("new").join(people, on="new", how="left"), on),
        *_by_region(fits, old, people),
        *(_by_label(tuples, places, old, labels, on) if earlier.own else ()),
    ]
    return min((number for number in found if number > 0), default=0)


def _persons(tuples: Tuples, inside: np.ndarray) -> pl.DataFrame:
    """Pairs of combination and person, of those who are published."""
    if tuples.people is not None:
        pairs = pl.DataFrame({"tuple": tuples.people[0], "person": tuples.people[1]})
        return pairs.filter(pl.Series(inside[tuples.people[0]])).with_columns(pl.col("tuple").cast(pl.UInt32))
    of_rows = np.repeat(np.arange(len(tuples.rows)), np.where(inside, tuples.rows, 0))
    return pl.DataFrame({"tuple": of_rows, "person": np.arange(len(of_rows))}).with_columns(
        pl.col("tuple").cast(pl.UInt32)
    )


def _fits(tuples: Tuples, places: Sequence[int], old: pl.DataFrame, on: Sequence[str]) -> pl.DataFrame:
    """Which combination fits the labels of which earlier class: pairs (tuple, old)."""
    numbered = old.with_row_index("old")
    # an earlier class stands at one level in each column: look at one pattern of levels after the other
    levels = []
    for at, place in enumerate(places):
        column = tuples.columns[place]
        known = pl.concat(
            [
                pl.DataFrame({on[at]: labels, f"l{at}": np.full(len(labels), level)})
                for level, labels in enumerate(column.labels)
            ]
        ).unique(on[at], keep="last", maintain_order=True)  # a label of two levels may mean all of the higher one
        levels.append(f"l{at}")
        numbered = numbered.join(known, on=on[at], how="left", nulls_equal=True, maintain_order="left")
    numbered = numbered.drop_nulls(levels)
    pairs = [pl.DataFrame(schema={"tuple": pl.UInt32, "old": pl.UInt32})]
    for pattern, classes in numbered.group_by(levels, maintain_order=True):
        cells = [
            tuples.columns[place]
            .labels[int(str(level))][tuples.columns[place].groups[int(str(level))][tuples.codes[:, place]]]
            .alias(on[at])
            for at, (place, level) in enumerate(zip(places, pattern, strict=True))
        ]
        shown = pl.DataFrame(cells).with_row_index("tuple")
        pairs.append(shown.join(classes.select("old", *on), on=list(on), nulls_equal=True).select("tuple", "old"))
    return pl.concat(pairs)


def _by_intersection(fits: pl.DataFrame, persons: pl.DataFrame, people: pl.DataFrame) -> list[int]:
    """Of each person who fits earlier classes: how many they hide among; only where the later class has more."""
    together = fits.join(persons, on="tuple").group_by("old", "new").agg(pl.col("person").n_unique().alias("among"))
    hides = fits.join(together, on=["old", "new"]).group_by("tuple", "new").agg(pl.col("among").max())
    narrowed = hides.join(people, on="new").filter(pl.col("among") < pl.col("now"))
    return narrowed["among"].unique().to_list()


def _by_class(old: pl.DataFrame, new: pl.DataFrame, on: Sequence[str]) -> list[int]:
    """How many people more or less a class has that has the same labels in both."""
    both = old.join(new, on=list(on), nulls_equal=True)
    return both.select((pl.col("now").cast(pl.Int64) - pl.col("people")).abs())["now"].to_list()


def _by_label(
    tuples: Tuples, places: Sequence[int], old: pl.DataFrame, new: pl.DataFrame, on: Sequence[str]
) -> list[int]:
    """One, where an earlier class has a label that has no place today."""
    gone = old.join(new, on=list(on), how="anti", nulls_equal=True)
    for at, place in enumerate(places):
        everywhere = pl.concat(tuples.columns[place].labels).unique()
        if not gone.filter(~pl.col(on[at]).is_in(everywhere.implode(), nulls_equal=True)).is_empty():
            return [1]
    return []


def _by_region(fits: pl.DataFrame, old: pl.DataFrame, people: pl.DataFrame) -> list[int]:
    """How many people more or less each region has that classes of both make up."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = fits.select("old", "new").unique()
    size = old.height + people.height
    pairs = edges["old"].to_numpy(), edges["new"].to_numpy() + old.height
    graph = coo_array((np.ones(edges.height), pairs), shape=(size, size))
    _, regions = connected_components(graph, directed=False)
    change = np.concatenate([-old["people"].to_numpy().astype(float), people["now"].to_numpy().astype(float)])
    return [int(number) for number in np.abs(np.bincount(regions, weights=change))]
