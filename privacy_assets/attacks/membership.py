"""membership: who knows all of a person's values decides whether the person was in the release's source.

The score is how much denser the release is around the person than the population: with d the Gower distance to the
nearest row, log((d_population + e) / (d_release + e)), where e is a hundredth of a column. A member is whoever scores
above a threshold, which only a part `false_positives` of the people in one half of the control exceeds. Counted are,
among people of the release, true positives, and as many false positives in the other half of the control. Baseline:
calling that part of the people members, at random.

The population is the control itself, of which each person of it is left out for themselves. No shadow models.
Sources: van Breugel, Sun, Qian, van der Schaar, "Membership inference attacks against synthetic data through
overfitting detection" (DOMIAS), AISTATS 2023, arXiv 2302.12580 (the density ratio; theirs is of kernels or flows);
Carlini et al., S&P 2022, arXiv 2112.03570 (true positives at few false ones, not accuracy).

The threshold is an estimate from half of the control: of 1,000 people ten are above 0.01. Among the most exposed it
is the same one, so that false positives may be more or fewer there. Not covered: adversaries who know how the release
was made, or who can make more like it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from privacy_assets.attacks._nearest import nearest
from privacy_assets.attacks._people import as_many, groups, sample
from privacy_assets.attacks._rows import in_order
from privacy_assets.attacks._trying import Count, Target, Tries
from privacy_assets.coded import Coded
from privacy_assets.words import Frozen, Stage

ADVERSARY = "Who knows a person, and wants to know whether they were among those the release was made from."
ON = Stage.SYNTHETIC
OF_A_PERSON = True
CLOSE = 0.01
"""Distances far below this are alike: no density grows without bound where two rows are the same."""

THRESHOLD_OF = 5_000
"""Of how many people the threshold is made at most."""
Scores = npt.NDArray[np.float64]


class Parameters(Frozen):
    """How often they try, and which part of the people who are no members they take for members."""

    kind: Literal["membership"]
    tries: Count = 2_000
    false_positives: Annotated[float, Field(gt=0, lt=1)] = 0.01


def attack(parameters: Parameters, target: Target, generator: np.random.Generator) -> Sequence[Tries]:
    """A line for each group."""
    fitted, control = as_many(target, generator)
    half = control.rows // 2
    score = _Score(in_order(target.released), in_order(target.control))
    threshold = _threshold(score.of(control.take(np.arange(half)[:THRESHOLD_OF]), others=1), parameters.false_positives)
    tested = control.take(np.arange(half, control.rows))
    found = []
    for group, members, strangers in groups(
        sample(fitted, tested.rows, generator), tested, parameters.tries, generator
    ):
        hits, control_hits = score.of(members) > threshold, score.of(strangers, others=1) > threshold
        baseline = generator.random(members.rows) < parameters.false_positives
        found.append(Tries.counted("", group, hits, control_hits, baseline))
    return found


class _Score:
    def __init__(self, released: Coded, population: Coded) -> None:
        self.tables = released, population

    def of(self, people: Coded, others: int = 0) -> Scores:
        """(people,) the scores; `others` is 1 for people of the population, who are not their own neighbours."""
        released, population = (
            _to_nearest(people, table, skip) for table, skip in zip(self.tables, (0, others), strict=True)
        )
        return np.log(population + CLOSE) - np.log(released + CLOSE)


def _to_nearest(people: Coded, table: Coded, skip: int) -> Scores:
    """(people,) how far the nearest row is, or the next one; where there is none, as far as can be."""
    columns = len(table.domains)
    distances = nearest(people, table, range(columns), skip + 1)[1]
    return distances[:, skip] if distances.shape[1] > skip else np.full(people.rows, float(columns))


def _threshold(scores: Scores, false_positives: float) -> float:
    """What at most this part of the scores exceeds."""
    return float(np.sort(scores)[::-1][int(false_positives * scores.size)]) if scores.size else np.inf
