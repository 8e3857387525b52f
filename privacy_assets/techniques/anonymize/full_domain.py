"""Full-domain generalization: each column is at one level in every row, and what still stands out is suppressed.

The levels of all columns together are a node of a lattice. With w the weight of a column,

    loss(node) = mean over rows of  sum_c w_c loss_c(node_c)   (1 for a suppressed row)

and the node of least loss is found, proven, of those that suppress at most the share that is allowed:

* a node without suppression is never better than its generalization alone: bound(node) = sum_c w_c mean loss_c(node_c);
* what a criterion that survives merging suppresses at a node, every finer node suppresses as well: it costs them
  1 - loss there, and they are out as soon as it is too much;
* the node of the least bound is where the next chain begins. It goes up to the first node that cannot be better, which
  is looked at first: mostly it suppresses too much, and one look takes the whole chain out, with all that is finer. If
  not, the chain is halved. When no bound is below the best loss, nothing is better.

Belongs here: tables that people read, and rows whose columns have to mean the same in each. What it does not cover:
the best that can be done if levels differ from row to row (`local`). Of nodes of equal loss the first one found is
taken. Where there are more than `MOST_NODES` nodes, levels in the middle of the tallest columns are left out until
there are not: then what is found is the best of what is left, and the recoding says that it is not proven.

Sources: Samarati (2001) for the lattice, LeFevre et al. (Incognito, SIGMOD 2005) for pruning, Kohlmayer et al. (Flash,
2012) for chains.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from privacy_assets.errors import NotKept
from privacy_assets.techniques.anonymize._refusing import refuse_the_impossible
from privacy_assets.techniques.anonymize._tuples import Grouping, Judge, Recoding, Tuples
from privacy_assets.techniques.criteria._classes import Bools, Ints
from privacy_assets.words import Column, Frozen

MOST_NODES = 20_000_000
"""How many nodes have a bound of their own in memory, 17 bytes each."""

MOST_ROLLED_UP = 200
"""How many nodes are remembered as the classes that they make."""

EXACT = "the least loss of all levels that there are, proven"


class Parameters(Frozen):
    """There is nothing to say."""

    kind: Literal["full_domain"]


def recode(parameters: Parameters, tuples: Tuples, criteria: Sequence[Any], suppressed_at_most: float) -> Recoding:
    """The levels of least loss, and the classes that they make."""
    tuples, levels = _thinned(tuples)
    judge = Judge(tuples, criteria)
    refuse_the_impossible(judge)
    search = _Search(tuples, judge, int(suppressed_at_most * tuples.number + 1e-9))
    node = search.best()
    grouping = tuples.classes_at(node)
    kept = judge.kept(grouping)
    classes = np.full(len(tuples.rows), -1, dtype=np.int64)
    classes[grouping.order] = grouping.spread(np.where(kept, np.cumsum(kept) - 1, -1))
    there = tuple(kept[level] for kept, level in zip(levels, node, strict=True))
    optimal = all(len(kept) == kept[-1] + 1 for kept in levels)
    return Recoding(classes, tuples.labels_at(node), tuples.loss_at(node), there, optimal=optimal, looks=search.looks)


def output(parameters: Parameters, column: Column, labels: tuple[str, ...] | None) -> Column:
    """Text of the labels that its hierarchy can give."""
    return replace(column, type="VARCHAR", technique="full_domain", domain=labels, identifier_domain=None)


def _thinned(tuples: Tuples) -> tuple[Tuples, list[list[int]]]:
    """The tuples with as many levels as can be searched, and which those are; raises NotKept where two are too many."""
    levels = [list(range(count)) for count in tuples.shape]
    while np.prod([float(len(kept)) for kept in levels]) > MOST_NODES:
        tallest = max(levels, key=len)
        if len(tallest) == 2:
            raise NotKept.of(
                "there are too many quasi-identifiers for one level each in every row",
                expected=f"at most {int(np.log2(MOST_NODES))}",
                found=str(len(levels)),
                next_step="use the technique `top_down`, or leave out what the model does not need",
            )
        del tallest[len(tallest) // 2]
    if all(len(kept) == count for kept, count in zip(levels, tuples.shape, strict=True)):
        return tuples, levels
    columns = tuple(
        replace(
            column,
            groups=tuple(column.groups[level] for level in kept),
            labels=tuple(column.labels[level] for level in kept),
            loss=tuple(column.loss[level] for level in kept),
        )
        for column, kept in zip(tuples.columns, levels, strict=True)
    )
    return replace(tuples, columns=columns), levels


class _Search:
    """Bounds of all nodes, tightened by each look."""

    def __init__(self, tuples: Tuples, judge: Judge, limit: int) -> None:
        self.tuples, self.judge, self.limit = tuples, judge, limit
        self.looks = 0
        # all rows as one class keep everything, or nothing could
        self.found = tuple(column.height for column in tuples.columns)
        self.loss = np.inf
        self.rolled = [(tuples, judge)]
        self.finer = np.zeros((MOST_ROLLED_UP, len(tuples.shape)), dtype=np.int8)
        self.plain = sum(np.ix_(*tuples.costs), start=np.zeros(tuples.shape))
        self.bounds = self.plain.copy()
        # 0: not looked at; 1: it was, and may be the answer; 2: it, or a coarser node, suppresses too much
        self.known = np.zeros(tuples.shape, dtype=np.int8)

    def best(self) -> tuple[int, ...]:
        """The node of least loss."""
        flat = self.bounds.reshape(-1)
        while True:
            place = int(flat.argmin())
            if not flat[place] < self.loss:
                return self.found
            chain = list(self._upwards(np.unravel_index(place, self.bounds.shape)))
            low, high = 0, len(chain) if self._fits(chain[-1]) else 0
            while low < high:
                middle = (low + high) // 2
                if self._fits(chain[middle]):
                    high = middle
                else:
                    low = middle + 1

    def _upwards(self, start: Sequence[Any]) -> Iterator[tuple[int, ...]]:
        """From a node to coarser ones, each the one that costs least, up to one that cannot be the best."""
        node: tuple[int, ...] = tuple(int(level) for level in start)
        yield node
        while self.plain[node] < self.loss:
            above = [
                (*node[:at], level + 1, *node[at + 1 :])
                for at, level in enumerate(node)
                if level + 1 < self.bounds.shape[at]
            ]
            if not above:
                return
            node = min(above, key=lambda one: float(self.plain[one]))
            yield node

    def _fits(self, node: tuple[int, ...]) -> bool:
        """Look at a node: whether what merging cannot mend is within the limit."""
        if self.known[node]:
            return bool(self.known[node] == 1)
        self.looks += 1
        tuples, judge = self._rolled_up_below(node)
        grouping = tuples.classes_at(node)
        if 2 * len(grouping) < len(tuples.rows) and len(self.rolled) < MOST_ROLLED_UP:
            rolled = tuples.rolled_up(grouping)
            self.finer[len(self.rolled)] = node
            self.rolled.append((rolled, Judge(rolled, judge.criteria)))
        necessary = judge.necessary(grouping)
        finer = tuple(slice(0, level + 1) for level in node)
        rows, gone = _suppressed(tuples, grouping, necessary)
        if rows > self.limit:
            self.known[finer] = 2
            self.bounds[finer] = np.inf
            return False
        cost = self._cost(tuples, node, gone)
        if len(gone):
            np.maximum(self.bounds[finer], self.plain[finer] + cost, out=self.bounds[finer])
        if judge.others:
            rows, gone = _suppressed(tuples, grouping, judge.kept(grouping, necessary))
            cost = self._cost(tuples, node, gone) if rows <= self.limit else 1.0
        if rows <= self.limit and float(self.plain[node]) + cost < self.loss:
            self.found, self.loss = node, float(self.plain[node]) + cost
        self.known[node] = 1
        self.bounds[node] = np.inf
        return True

    def _rolled_up_below(self, node: tuple[int, ...]) -> tuple[Tuples, Judge]:
        """The fewest tuples that are enough to look at a node: those of a finer one that was looked at."""
        enough = np.flatnonzero((self.finer[: len(self.rolled)] <= node).all(axis=1))
        return self.rolled[min(enough, key=lambda place: len(self.rolled[place][0].rows))]

    def _cost(self, tuples: Tuples, node: tuple[int, ...], gone: Ints) -> float:
        """What suppressing these tuples adds to the loss."""
        added = tuples.rows[gone] * (1 - tuples.loss_at(node, gone))
        return float(added.sum()) / max(self.tuples.number, 1)


def _suppressed(tuples: Tuples, grouping: Grouping, kept: Bools) -> tuple[int, Ints]:
    """How many rows are suppressed, and which tuples."""
    gone = grouping.order[grouping.spread(~kept)]
    return int(tuples.rows[gone].sum()), gone
