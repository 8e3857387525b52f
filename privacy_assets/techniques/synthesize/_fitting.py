"""Noisy counts brought to fit together: shares that are nowhere below zero, and agree where they speak of the same.

Belongs here: what is made of noisy counts of pairs. Does not belong here: counting. Nothing here looks at people, and
nothing is searched for: each estimate is a weighted mean, a projection, or a few rounds of raking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from privacy_assets.techniques.synthesize._drawing import Floats
from privacy_assets.techniques.synthesize._one_way import norm_sub

Edge = tuple[int, int]
"""Two columns, the lower place first."""

ROUNDS = 20
"""Of raking: margins that agree are met to a thousandth long before."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Noisy `counts` (bins of one, bins of the other) of two columns, with the scale of their noise."""

    counts: Floats
    scale: float


def margins(
    shares: Sequence[Floats], scales: Sequence[float], pairs: Mapping[Edge, Pair], total: float
) -> list[Floats]:
    """(bins,) of each column, the mean of all that was counted of it, each weighted by how sure it is."""
    sums = [share * total / scale**2 for share, scale in zip(shares, scales, strict=True)]
    weights = [scale**-2 for scale in scales]
    for edge, pair in pairs.items():
        for place, axis in zip(edge, (1, 0), strict=True):
            weight = 1 / (pair.scale**2 * pair.counts.shape[axis])
            sums[place] = sums[place] + pair.counts.sum(axis=axis) * weight
            weights[place] += weight
    found = [norm_sub(one / weight, total) / total for one, weight in zip(sums, weights, strict=True)]
    # a bin keeps a little, so that whatever is drawn knows how to go on
    return [(one + 1e-9) / (one + 1e-9).sum() for one in found]


def fitted(pair: Pair, one: Floats, other: Floats, total: float) -> Floats:
    """Shares of a pair with these margins: counts are moved to the nearest that have them, and to the nearest that are
    nowhere below zero, in turn (alternating projections), and raked at last."""
    rows, columns = pair.counts.shape
    found = pair.counts / total
    for _ in range(ROUNDS):
        over_rows, over_columns = found.sum(axis=1) - one, found.sum(axis=0) - other
        found = found - over_rows[:, None] / columns - over_columns[None] / rows + over_rows.sum() / (rows * columns)
        found = norm_sub(found, 1.0)
    return raked(found + 1e-9 * np.outer(one, other), {(0,): one, (1,): other})


def raked(start: Floats, wanted: Mapping[tuple[int, ...], Floats]) -> Floats:
    """`start` scaled until its sums over all but the named axes are as wanted (iterative proportional fitting)."""
    found = start
    for _ in range(ROUNDS):
        for axes, sums in wanted.items():
            others = tuple(axis for axis in range(found.ndim) if axis not in axes)
            now = found.sum(axis=others)
            found = found * np.expand_dims(np.divide(sums, now, out=np.zeros_like(now), where=now > 0), others)
    return found
