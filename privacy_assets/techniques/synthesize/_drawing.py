"""Rows drawn from shares: as many of each value as its share says, to within one, in random order.

Belongs here: systematic sampling by group. Does not belong here: where the shares come from. Nothing here looks at
people.

A `Ladder` has a rung for each value of each group; the rungs of group g climb from g to g + 1, each as high as its
share of the group. The rows of a group, in random order, stand at equal distances on the part of the ladder that is
their group's, with one random start: each value gets as many rows as its share says, rounded down or up (systematic
sampling, Madow 1949), which is less by chance than drawing each row by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Dice = np.random.Generator


def fresh() -> Dice:
    """A generator from the operating system's entropy, for rows that are drawn from noisy shares."""
    return np.random.default_rng()


@dataclass(frozen=True, slots=True)
class Ladder:
    """The tops of all rungs (rungs,), and which value each is (rungs,)."""

    tops: Floats
    values: Ints

    @classmethod
    def of(cls, shares: Floats) -> Ladder:
        """(groups, values) shares >= 0, in each group with a sum above 0."""
        groups, values = shares.shape
        tops = np.cumsum(shares, axis=1)
        tops = tops / tops[:, -1:] + np.arange(groups)[:, None]
        return cls(tops.ravel(), np.tile(np.arange(values), groups))

    @classmethod
    def of_parts(cls, shares: Floats, group_of: Ints) -> Ladder:
        """(values,) shares >= 0 of values that are each in one group, 0 or above, or (-1) in none."""
        values = np.flatnonzero((group_of >= 0) & (shares > 0))
        values = values[np.argsort(group_of[values], kind="stable")]
        groups, starts, sizes = np.unique(group_of[values], return_index=True, return_counts=True)
        climbed = np.cumsum(shares[values])
        below = np.repeat(climbed[starts] - shares[values][starts], sizes)
        heights = np.repeat(np.add.reduceat(shares[values], starts), sizes)
        return cls(np.repeat(groups, sizes) + (climbed - below) / heights, values)

    def draw(self, groups: Ints, generator: Dice) -> Ints:
        """(rows,) a value for each row of these groups."""
        order = generator.permutation(len(groups))
        order = order[np.argsort(groups[order], kind="stable")]
        there, starts, sizes = np.unique(groups[order], return_index=True, return_counts=True)
        ranks = np.arange(len(groups)) - np.repeat(starts, sizes) + np.repeat(generator.random(len(there)), sizes)
        # a rounding at the very top would reach into the next group
        heights = np.minimum(ranks / np.repeat(sizes, sizes), 1 - 1e-9) + groups[order]
        found = np.empty(len(groups), dtype=np.int64)
        found[order] = self.values[np.minimum(np.searchsorted(self.tops, heights, side="right"), len(self.tops) - 1)]
        return found
