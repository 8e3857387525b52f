"""What attacks by shadows share: who is learned from by which, how much better that explains what is seen, and counts.

Belongs here: the arithmetic of likelihood ratios. Does not belong here: what is fitted and what is seen of it (one
attack each).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from privacy_assets.attacks._trying import EVERYONE, Tries

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Shadows = Annotated[int, Field(ge=16, le=1_000)]

FALSE_POSITIVES = {"fpr_01_percent": 0.001, "fpr_1_percent": 0.01, "fpr_50_percent": 0.5}
"""Which part of the people who are no members are taken for members, by the name of the variation.

Few, since an adversary who is sure of few does harm enough; and half, since a model that only ever answers with a class
is sure of nobody, and may be right about every member.
"""
PAIRS = "pairs"
"""The variation that is counted by pairs of a member and a stranger: of how many the member scores higher."""
PRIOR = 16
"""As how many shadows the mean variance of all rows counts beside those of which a row's own is made."""
SMALLEST = 1e-12
"""Is added to each variance: of what all shadows say alike, any other answer is far away, not infinitely far."""


def learns(people: int, shadows: int, generator: np.random.Generator) -> Mask:
    """(people, shadows) who is learned from by which shadow: each person by half of them, drawn for each anew."""
    return generator.permuted(np.tile(np.arange(shadows) % 2 == 0, (people, 1)), axis=1)


def ratio(released: Floats, shadows: Floats, inside: Mask) -> Floats:
    """(rows,) log N(x | learned) - log N(x | not), where x is seen of the release, of each Gaussian the shadows'.

    `shadows` and `inside` are (shadows, rows): what is seen of each, and whether it learned from the row.
    """
    difference: Floats = _log_density(released, shadows, inside) - _log_density(released, shadows, ~inside)
    return difference


def _log_density(at: Floats, shadows: Floats, mask: Mask) -> Floats:
    """(rows,) of the Gaussian of the shadows in the mask; but for a constant."""
    number = mask.sum(axis=0)
    mean = np.where(mask, shadows, 0).sum(axis=0) / number
    squares = np.where(mask, (shadows - mean) ** 2, 0).sum(axis=0)
    variance = (squares + PRIOR * np.mean(squares / (number - 1))) / (number - 1 + PRIOR) + SMALLEST
    density: Floats = -((at - mean) ** 2) / (2 * variance) - np.log(variance) / 2
    return density


def chosen(tries: int, members: int, strangers: int) -> tuple[int, int]:
    """How many members and strangers are scored: as many of either as there are for pairs, and twice as many strangers
    as members for a rate, since half of them set its threshold."""
    paired = min(tries, members, strangers)
    return paired, max(paired, 2 * min(paired, strangers // 2))


def counted(
    members: Floats, strangers: Floats, false_positives: Mapping[str, float], generator: np.random.Generator
) -> Sequence[Tries]:
    """A line for each rate of false positives, and one of pairs, of the scores of members and of strangers.

    Who scores above what that part of the first strangers exceeds is called a member, of as many members, and of as
    many other strangers; among equal scores chance decides. Pairs take whoever there is.
    """
    score = np.concatenate([members, strangers])
    rank = np.empty(score.size)
    rank[np.lexsort((generator.random(score.size), score))] = np.arange(score.size)
    ours, theirs = rank[: members.size], rank[members.size :]
    size, paired = min(ours.size, theirs.size // 2), min(ours.size, theirs.size)
    found = []
    for about, rate in false_positives.items():
        threshold = _threshold(theirs[:size], rate)
        baseline = generator.random(size) < rate
        tried, control = ours[:size] > threshold, theirs[size : 2 * size] > threshold
        found.append(Tries.counted(about, EVERYONE, tried, control, baseline))
    won = ours[:paired] > theirs[:paired]
    found.append(Tries.counted(PAIRS, EVERYONE, won, ~won, generator.random(paired) < 0.5))
    return found


def _threshold(ranks: Floats, false_positives: float) -> float:
    """What at most this part of the ranks exceeds."""
    return float(np.sort(ranks)[::-1][int(false_positives * ranks.size)]) if ranks.size else np.inf
