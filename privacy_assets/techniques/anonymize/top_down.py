"""Top-down specialization: from one class of everybody, down wherever the parts still keep every criterion.

All rows begin as one group with every column at its root. A group takes the column that is furthest from its leaves,
one level down: the children that keep every criterion become groups of their own, those that do not stay together
under the old label, and if they do not keep every criterion even so, the group does not take this column. It ends when
no group can take any. So nothing is ever suppressed, and criteria that ask for a mixture (l-diversity, t-closeness)
are kept at each step, where going up (`local`) would leave the rows over that mix with nobody.

Belongs here: training sets under l-diversity and t-closeness. What it does not cover: it is greedy, nothing about it
is optimal; under k-anonymity alone `local` loses less. All groups take a step at once, so the cost is one of levels,
not of groups. Source: Fung, Wang, Yu (ICDE 2005), with levels that differ from group to group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from privacy_assets.techniques.anonymize._refusing import refuse_the_impossible
from privacy_assets.techniques.anonymize._tuples import Grouping, Judge, Recoding, Tuples
from privacy_assets.techniques.criteria._classes import Bools, Floats, Ints
from privacy_assets.words import Column, Frozen

EXACT = "greedy: nothing about it is optimal"


class Parameters(Frozen):
    """There is nothing to say."""

    kind: Literal["top_down"]


def recode(parameters: Parameters, tuples: Tuples, criteria: Sequence[Any], suppressed_at_most: float) -> Recoding:
    """What each combination becomes."""
    judge = Judge(tuples, criteria)
    refuse_the_impossible(judge)
    groups = np.zeros(len(tuples.rows), dtype=np.int64)
    levels = np.array([[column.height for column in tuples.columns]])
    active, looks = np.ones(1, dtype=bool), 0
    while active.any():
        steps = []
        for place in range(len(tuples.columns)):
            if (step := _step(tuples, judge, groups, levels, active, place)) is not None:
                steps.append(step)
        looks += 1
        if not steps:
            break
        scores = np.stack([step.score for step in steps])
        best = np.where(scores.max(axis=0) > 0, scores.argmax(axis=0), -1)
        active = np.zeros(len(levels), dtype=bool)
        more, found = [levels], len(levels)
        moved = groups.copy()
        for place, step in enumerate(steps):
            takes = best == place
            active |= takes
            goes = step.kept & takes[step.parents]
            numbers = np.full(len(goes), -1, dtype=np.int64)
            numbers[goes] = found + np.arange(int(goes.sum()))
            found += int(goes.sum())
            of_tuples = step.grouping.spread(numbers)
            moved[step.grouping.order[of_tuples >= 0]] = of_tuples[of_tuples >= 0]
            children = levels[step.parents[goes]].copy()
            children[:, step.column] -= 1
            more.append(children)
        groups, levels = moved, np.concatenate(more)
        active = np.concatenate([active, np.ones(found - len(active), dtype=bool)])
    node = levels[groups]
    return Recoding(groups, tuples.labels_as(node), tuples.losses_as(node), looks=looks)


def output(parameters: Parameters, column: Column, labels: tuple[str, ...] | None) -> Column:
    """Text of the labels that its hierarchy can give."""
    return replace(column, type="VARCHAR", technique="top_down", domain=labels, identifier_domain=None)


@dataclass(frozen=True, slots=True)
class _Step:
    """One column, one level down, in every group that can: the children, which of them keep the criteria, of whom.

    `score` (groups,) is above 0 where a group may take the step.
    """

    column: int
    grouping: Grouping
    kept: Bools
    parents: Ints
    score: Floats


def _step(tuples: Tuples, judge: Judge, groups: Ints, levels: Ints, active: Bools, place: int) -> _Step | None:
    [among] = np.nonzero(active[groups] & (levels[groups, place] > 0))
    if not len(among):
        return None
    column, parents, level = tuples.columns[place], groups[among], levels[groups[among], place]
    children = column.group_at(tuples.codes[among, place], level - 1)
    width = len(column.labels[0])
    grouping = Grouping.by(parents * width + children, among)
    of_children = groups[grouping.order[grouping.starts]]
    kept = judge.kept_by_the_whole(grouping)
    stays = grouping.order[grouping.spread(~kept)]
    may = np.bincount(of_children[kept], minlength=len(levels)) > 0
    if len(stays):
        pools = Grouping.by(groups[stays], stays)
        failed = groups[pools.order[pools.starts]][~judge.kept_by_the_whole(pools)]
        may[failed] = False
    rows = np.bincount(groups[among], weights=tuples.rows[among], minlength=len(levels))
    before = column.loss_at(tuples.codes[among, place], level)
    after = column.loss_at(tuples.codes[among, place], level - 1)
    wide, gain = (
        np.bincount(groups[among], weights=tuples.rows[among] * loss, minlength=len(levels)) / np.maximum(rows, 1)
        for loss in (before, before - after)
    )
    # what loses most goes first; of equals, what gains more
    score = np.where(may, tuples.weights[place] * (wide + 1e-6 * gain + 1e-12), 0.0)
    return _Step(place, grouping, kept, of_children, score)
