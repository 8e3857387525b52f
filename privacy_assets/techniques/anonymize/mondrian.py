"""Mondrian: halves of halves, each cut where the group is widest, as long as both halves keep every criterion.

All rows begin as one group. A group is cut at the median of the quasi-identifier in which it is widest (the share of
the column's leaves that it spans), between two different values; where a half would break a criterion the next widest
column is tried. No hierarchy is needed: a number leaves as the middle of its group's range, text as the list of the
values that its group holds.

Belongs here: numbers that a model needs as numbers. What it does not cover: text, whose lists are so many that nobody
can declare them, so that no model learns from them (`local` and `top_down` have labels that are known beforehand);
ends of a range are values of people who have them. All groups are cut at once, so the cost is one of depth, not of
groups. Source: LeFevre, DeWitt, Ramakrishnan (ICDE 2006), strict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import polars as pl

from privacy_assets.techniques.anonymize._refusing import refuse_the_impossible
from privacy_assets.techniques.anonymize._tuples import Grouping, Judge, Levels, Recoding, Tuples
from privacy_assets.techniques.criteria._classes import Floats, Ints
from privacy_assets.words import Column, Frozen

UNKNOWN = "unknown"
"""What is listed of a group in which a text is NULL beside texts that are not."""

EXACT = "greedy: nothing about it is optimal"


class Parameters(Frozen):
    """There is nothing to say."""

    kind: Literal["mondrian"]


def recode(parameters: Parameters, tuples: Tuples, criteria: Sequence[Any], suppressed_at_most: float) -> Recoding:
    """What each combination becomes."""
    judge = Judge(tuples, criteria)
    refuse_the_impossible(judge)
    groups = np.zeros(len(tuples.rows), dtype=np.int64)
    spans = _spans(tuples, Grouping.by(groups))
    looks = 0
    while (active := np.flatnonzero(spans.max(axis=1) > 0)).size:
        looks += 1
        chosen = spans.argmax(axis=1)
        [among] = np.nonzero(spans.max(axis=1)[groups] > 0)
        cut = _above_the_median(tuples, groups, chosen, among)
        halves = Grouping.by(groups[among] * 2 + cut, among)
        parents = groups[halves.order[halves.starts]]
        kept = judge.kept_by_the_whole(halves)
        whole = np.bincount(parents[kept], minlength=len(spans)) == 2
        # a cut that fails is not tried again in this group
        spans[active[~whole[active]], chosen[active[~whole[active]]]] = 0
        upper = np.zeros(len(tuples.rows), dtype=bool)
        upper[among] = cut
        goes = upper & whole[groups]
        numbers = np.cumsum(whole) - 1 + len(spans)
        split = whole[groups]
        groups = np.where(goes, numbers[groups], groups)
        if split.any():
            [changed] = np.nonzero(split)
            fresh = Grouping.by(groups[changed], changed)
            spans = np.concatenate([spans, np.zeros((int(whole.sum()), spans.shape[1]))])
            spans[groups[fresh.order[fresh.starts]]] = _spans(tuples, fresh)
    grouping = Grouping.by(groups)
    cells, losses = [], np.zeros(len(tuples.rows))
    for place, column in enumerate(tuples.columns):
        cell, loss = _cells(column, tuples.codes[:, place], grouping)
        cells.append(cell)
        losses += loss * tuples.weights[place]
    return Recoding(groups, tuple(cells), losses, looks=looks)


def output(parameters: Parameters, column: Column, labels: tuple[str, ...] | None) -> Column:
    """A number in the middle of its group's range; text that lists what its group holds."""
    kind = "VARCHAR" if column.type in ("VARCHAR", "BOOLEAN") or not _is_number(column) else "DOUBLE"
    return replace(column, type=kind, technique="mondrian", domain=None, identifier_domain=None)


def _is_number(column: Column) -> bool:
    from privacy_assets.techniques.hierarchies._labels import is_number

    return is_number(column)


def _above_the_median(tuples: Tuples, groups: Ints, chosen: Ints, among: Ints) -> Ints:
    """Of each tuple 1 if it lies above the cut of its group, else 0; the cut is where halves are most even."""
    codes = tuples.codes[among, chosen[groups[among]]]
    width = int(codes.max(initial=0)) + 1
    cells = Grouping.by(groups[among] * width + codes, among)
    rows = cells.sums(tuples.rows)
    of_cells = groups[cells.order[cells.starts]]
    first = np.flatnonzero(np.concatenate(([True], of_cells[1:] != of_cells[:-1])))
    sizes = np.diff(np.append(first, len(of_cells)))
    total = np.cumsum(rows)
    before = np.repeat(np.concatenate(([0], total[first[1:] - 1])), sizes)
    whole = np.repeat(np.add.reduceat(rows, first), sizes)
    # the last value of a group can end no half
    uneven = np.abs(2 * (total - before) - whole).astype(float)
    uneven[np.append(first[1:] - 1, len(uneven) - 1)] = np.inf
    least = np.minimum.reduceat(uneven, first)
    place = np.arange(len(uneven))
    cuts = np.minimum.reduceat(np.where(uneven == np.repeat(least, sizes), place, len(uneven)), first)
    above = place > np.repeat(cuts, sizes)
    found = np.zeros(len(tuples.rows), dtype=np.int64)
    found[cells.order] = cells.spread(above)
    return found[among]


def _spans(tuples: Tuples, grouping: Grouping) -> Floats:
    """The share of each column's leaves that each group spans, weighted, (groups, columns); 0 where it has one leaf."""
    spans = np.zeros((len(grouping), len(tuples.columns)))
    for place, column in enumerate(tuples.columns):
        spans[:, place] = tuples.weights[place] * _width(column, tuples.codes[:, place], grouping)
    return spans


def _width(column: Levels, codes: Ints, grouping: Grouping) -> Floats:
    """(leaves - 1) / (all leaves - 1) of each group: of a number those in its range, of text those that it holds."""
    leaves = len(column.labels[0])
    if column.numbers is not None:
        low, high = (end.reduceat(codes[grouping.order], grouping.starts) for end in (np.minimum, np.maximum))
        held = high - low
    else:
        numbers = grouping.spread(np.arange(len(grouping)))
        pairs = np.unique(numbers * leaves + codes[grouping.order])
        held = np.bincount(pairs // leaves, minlength=len(grouping)) - 1
    return np.asarray(held / max(leaves - 1, 1))


def _cells(column: Levels, codes: Ints, grouping: Grouping) -> tuple[pl.Series, Floats]:
    """What stands in the cells of a column, and what each loses, (tuples,).

    Who is in a group with known values leaves as these do, though nothing is known of them; NULL is of NULL alone.
    """
    numbers = grouping.numbers(len(codes))
    loss = _width(column, codes, grouping)[numbers]
    if column.numbers is not None:
        leaves = column.numbers[codes[grouping.order]]
        low, high = (end.reduceat(leaves, grouping.starts) for end in (np.fmin, np.fmax))
        return pl.Series(column.name, ((low + high) / 2)[numbers]).fill_nan(None), loss
    frame = pl.DataFrame({"group": numbers, "code": codes}).unique().sort("group", "code")
    held = frame.with_columns(column.labels[0].gather(frame["code"]).alias("text"))
    known = pl.col("text").fill_null(UNKNOWN).str.join("|")
    listed = held.group_by("group", maintain_order=True).agg(pl.when(pl.col("text").is_not_null().any()).then(known))
    return listed["text"].gather(numbers).rename(column.name), loss
