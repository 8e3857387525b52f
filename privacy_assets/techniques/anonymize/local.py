"""Local recoding by lattice search per group: each group of people is generalized as little as its own rows need.

Nodes of the lattice are walked in the order of their loss, from the finest on. At each, the classes of the rows that
are left and that keep every criterion are taken out as they are there; the next node sees the rest. So rows with many
neighbours stay almost as they were, and rare ones go up until they have company. The few rows that are left at the
root, fewer than a class needs, are suppressed; where too many would be, the classes that were found last join them
there until they are enough. So nothing is refused that everybody in one class would keep.

Belongs here: training sets, where little loss counts for more than one meaning of a column in every row. What it does
not cover: it is greedy, nothing about it is optimal. Where a lattice has more than `MOST_NODES` nodes, only nodes on
chains upwards are walked, drawn by a seed.

A criterion that compares with the whole is judged by the whole of all rows, since what is published is only known at
the end; classes that break it then are suppressed, and join the others at the root where they would be too many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np

from privacy_assets.techniques.anonymize._refusing import refuse_the_impossible
from privacy_assets.techniques.anonymize._tuples import Grouping, Judge, Recoding, Tuples
from privacy_assets.techniques.criteria._classes import Floats, Ints
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen

MOST_NODES = 50_000
CHAINS = 400
"""How many chains are drawn where there are too many nodes."""

EXACT = "greedy: nothing about it is optimal"


class Parameters(Frozen):
    """`seed` draws the chains where the lattice is too large to be walked as a whole."""

    kind: Literal["local"]
    seed: Annotated[int, Weaker.NONE] = 0


def recode(parameters: Parameters, tuples: Tuples, criteria: Sequence[Any], suppressed_at_most: float) -> Recoding:
    """What each combination becomes."""
    judge = Judge(tuples, criteria)
    refuse_the_impossible(judge)
    number = len(tuples.rows)
    left = np.arange(number)
    levels = np.empty(tuples.codes.shape, dtype=np.int64)
    levels[:] = [column.height for column in tuples.columns]
    classes, found, looks = np.full(number, -1, dtype=np.int64), 0, 0
    for node in _nodes(tuples, parameters.seed):
        if not len(left):
            break
        looks += 1
        grouping = tuples.classes_at(node, left)
        kept = judge.kept_by_the_whole(grouping)
        if not kept.any():
            continue
        of_tuples = grouping.spread(kept)
        taken = grouping.order[of_tuples]
        classes[taken] = found + grouping.spread(np.cumsum(kept) - 1)[of_tuples]
        found += int(kept.sum())
        levels[taken] = node
        left = np.sort(grouping.order[~of_tuples])
    limit = int(suppressed_at_most * tuples.number + 1e-9)
    classes = _in_the_end(classes, found, judge, levels, limit)
    return Recoding(classes, tuples.labels_as(levels), tuples.losses_as(levels), looks=looks)


def output(parameters: Parameters, column: Column, labels: tuple[str, ...] | None) -> Column:
    """Text of the labels that its hierarchy can give."""
    return replace(column, type="VARCHAR", technique="local", domain=labels, identifier_domain=None)


def _nodes(tuples: Tuples, seed: int) -> Ints:
    """The nodes in the order of their loss, (nodes, columns); of too many, those on chains from the finest upwards."""
    if np.prod([float(levels) for levels in tuples.shape]) <= MOST_NODES:
        nodes = np.stack(np.meshgrid(*map(np.arange, tuples.shape), indexing="ij"), axis=-1)
        nodes = nodes.reshape(-1, len(tuples.shape))
    else:
        nodes = _on_chains(tuples.shape, tuples.costs, np.random.default_rng(seed))
    loss = sum(tuples.costs[place][nodes[:, place]] for place in range(nodes.shape[1]))
    return nodes[np.argsort(loss, kind="stable")]


def _on_chains(shape: Sequence[int], costs: Sequence[Floats], generator: np.random.Generator) -> Ints:
    """Nodes on chains that go up where it costs least, with the costs of columns weighted by chance."""
    steps = [(place, level) for place, levels in enumerate(shape) for level in range(1, levels)]
    found = []
    for _ in range(CHAINS):
        weights = generator.exponential(size=len(shape))
        # a level comes after the one below it: costs are those of the way up to it
        ordered = sorted(steps, key=lambda step: (costs[step[0]][step[1]] * weights[step[0]], step[1]))
        node = np.zeros(len(shape), dtype=np.int64)
        found.append(node.copy())
        for place, level in ordered:
            node[place] = max(node[place], level)
            found.append(node.copy())
    return np.unique(np.array(found), axis=0)


def _in_the_end(classes: Ints, found: int, judge: Judge, levels: Ints, limit: int) -> Ints:
    """The classes that are published, suppressing no more rows than the limit.

    Where it would be more, the last classes are one with the rows that are left, at the root: about as few as needed.
    All of them are everybody in one class, of which it is known that it keeps what is asked.
    """
    ended = _kept_in_the_end(classes, judge)
    for joined in (*(2**power for power in range(found.bit_length()) if 2**power < found), found):
        if judge.tuples.rows[ended < 0].sum() <= limit:
            break
        at_root = (classes < 0) | (classes >= found - joined)
        [whole] = np.nonzero(at_root)
        if judge.kept_by_the_whole(Grouping.by(np.zeros(len(whole), dtype=np.int64), whole)).all():
            levels[whole] = [column.height for column in judge.tuples.columns]
            ended = _kept_in_the_end(np.where(at_root, found - joined, classes), judge)
    return ended


def _kept_in_the_end(classes: Ints, judge: Judge) -> Ints:
    """The classes without those that break a criterion when only what is published is the whole."""
    inside = np.flatnonzero(classes >= 0)
    if not judge.others or not len(inside):
        return classes
    grouping = Grouping.by(classes[inside], inside)
    kept = judge.kept(grouping)
    found = np.full_like(classes, -1)
    found[grouping.order] = grouping.spread(np.where(kept, np.cumsum(kept) - 1, -1))
    return found
