"""Column by column, each drawn from the leaves of a tree grown on the columns before it. No differential privacy.

For each column a decision tree is grown on the columns before it, in the order of the table; a new row falls into a
leaf by what it has already, and draws its value from the rows of that leaf. The first column knows of nothing before
it. A leaf has at least `min_samples_leaf` people (so many times the most rows that one person may have), so that no
leaf speaks of few. Of an ordered column a value is drawn between two neighbours in the leaf: a point that many share
stays one, and the number of one person is hardly ever drawn as it is.

A split parts what is below a point from what is above it, and labels have no order of their own. On the way to an
ordered column they stand in the order of its mean among the rows of each: of all ways to part labels in two, the one
that leaves the least squared error is a cut of that order. To the rows of a label as many of everybody's are counted
as a leaf has, so that by its place, too, little is told of few. On the way to labels they stand as they were declared.

Learns: whatever a tree finds of a column in those before it. Does not cover: any bound on what is told of a person.
A label that one person of a leaf has can be drawn, and so can the largest number of a leaf; where two people are alike
in all columns before, what follows is theirs. Attacks and invariants measure it.
Source: Reiter: "Using CART to generate partially synthetic public use microdata" (2005); as in R's synthpop (Nowok,
Raab, Dibben 2016), with its smoothing of numbers. Labels: Fisher: "On grouping for maximum homogeneity" (1958);
Breiman, Friedman, Olshen, Stone: "Classification and Regression Trees" (1984), 4.2; drawn to the mean of all where few
have them: Micci-Barreca: "A preprocessing scheme for high-cardinality categorical attributes" (2001).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from privacy_assets.coded import Coded, Codes, Domain
from privacy_assets.errors import NotKept
from privacy_assets.techniques.synthesize._drawing import Floats, Ints
from privacy_assets.weakening import Weaker
from privacy_assets.words import Frozen

Single = npt.NDArray[np.float32]


class Parameters(Frozen):
    """How many people a leaf speaks of, at least."""

    kind: Literal["sequential_trees"]
    min_samples_leaf: Annotated[int, Field(ge=20, le=100_000), Weaker.LESS] = 50


def cost(parameters: Parameters) -> None:
    """No promise of differential privacy is made."""


def synthesize(parameters: Parameters, table: Coded, *, rows: int | None, rows_per_person: int, seed: int) -> Coded:
    """Rows drawn from the leaves of trees. Raises NotKept where all rows together are fewer than a leaf has."""
    least = parameters.min_samples_leaf * rows_per_person
    if table.rows < least:
        raise NotKept.of(
            "there are too few rows for a leaf",
            where="sequential_trees: min_samples_leaf",
            expected=f"at least {least:,} rows: {parameters.min_samples_leaf:,} people with {rows_per_person:,} each",
            found=f"{table.rows:,} rows",
            next_step="wait for more rows, or lower `min_samples_leaf` (20 at least)",
        )
    generator = np.random.default_rng(seed)
    known = table.codes.astype(np.float32)
    made = np.zeros((table.rows if rows is None else rows, len(table.domains)), dtype=np.float32)
    for place, domain in enumerate(table.domains):
        column = table.codes[:, place]
        of_known, of_made = _leaves(table.domains[: place + 1], column, known[:, :place], made[:, :place], least, seed)
        made[:, place] = _drawn(domain, column, of_known, of_made, generator)
    return Coded(table.domains, made.astype(np.int32))


def _leaves(
    domains: Sequence[Domain], column: Codes, known: Single, made: Single, least: int, seed: int
) -> tuple[Ints, Ints]:
    """The leaf of each known row, and of each new one; the last of the domains is the column's own."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    if not known.shape[1] or not len(made):
        return np.zeros(len(known), dtype=np.int64), np.zeros(len(made), dtype=np.int64)
    *before, own = domains
    kind, learned = DecisionTreeClassifier, column.astype(np.float64)
    if own.ordered:
        kind, learned = DecisionTreeRegressor, _ranks(column)
        known, made = _labels_in_order(before, learned, known, made, least)
    tree = kind(min_samples_leaf=least, random_state=seed % 2**32).fit(known, learned)
    return tree.apply(known), tree.apply(made)


def _labels_in_order(
    domains: Sequence[Domain], learned: Floats, known: Single, made: Single, least: int
) -> tuple[Single, Single]:
    """Both with a number in place of each label: the mean of what is learned in its rows and so many of everybody's."""
    known, made = known.copy(), made.copy()
    for place, domain in enumerate(domains):
        if domain.ordered:
            continue
        labels = known[:, place].astype(np.int64)
        rows, sums = np.bincount(labels), np.bincount(labels, learned)
        means = (sums + least * learned.mean()) / (rows + least)
        # what was made of a column is one of its known labels
        known[:, place], made[:, place] = means[labels], means[made[:, place].astype(np.int64)]
    return known, made


def _ranks(column: Codes) -> Floats:
    """The mean place of each value among all: no number is far from the others only because it is large."""
    _, which, counts = np.unique(column, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - counts / 2)[which]
    return ranks


def _drawn(domain: Domain, column: Codes, of_known: Ints, of_made: Ints, generator: np.random.Generator) -> Codes:
    """A value for each new row, from the known rows of its leaf."""
    order = np.lexsort((column, of_known))
    values, leaves = column[order], of_known[order]
    starts = np.searchsorted(leaves, of_made, side="left")
    sizes = np.searchsorted(leaves, of_made, side="right") - starts
    chosen = starts + np.minimum((generator.random(len(of_made)) * sizes).astype(np.int64), sizes - 1)
    if not domain.ordered:
        labels: Codes = values[chosen]
        return labels
    # the neighbour above, or below where there is none: in another leaf, or NULL, is none
    above, below = np.minimum(chosen + 1, len(values) - 1), np.maximum(chosen - 1, 0)
    fits = (leaves[above] == of_made) & ((values[above] < domain.size) | (values[chosen] == domain.size))
    neighbour = np.where(fits, above, np.where(leaves[below] == of_made, below, chosen))
    way = np.where(values[chosen] == domain.size, 0, values[neighbour] - values[chosen])
    drawn: Codes = np.rint(values[chosen] + way * generator.random(len(way))).astype(np.int32)
    return drawn
