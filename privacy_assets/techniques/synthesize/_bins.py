"""Values put together, so that what is counted of two columns stands out of the noise.

A value that many have stands alone. Of an ordered column the others are put together in order, about as many people in
each bin; of categories, all others are one bin. Bins are made of noisy shares alone: nothing here looks at people. What
is known within a bin is how its values share it, by the one-way marginal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from privacy_assets.coded import Domain
from privacy_assets.techniques.synthesize._drawing import Floats, Ints

FEWEST = 4
"""What is left of an ordered column beside its heavy values has so many bins, or more."""


@dataclass(frozen=True, slots=True)
class Bins:
    """`of` (size + 1,) is the bin of each value, NULL last, -1 where it has none; `shares` (bins,) sum up to 1."""

    of: Ints
    shares: Floats

    @property
    def count(self) -> int:
        """How many bins there are."""
        return len(self.shares)


def binned(domain: Domain, shares: Floats, most: int) -> Bins:
    """Bins of about 1 / `most` of the rows each, or of one value."""
    known = shares[:-1]
    if domain.size <= most and not domain.ordered:
        labels = np.arange(domain.size, dtype=np.int64)
    else:
        heavy = known >= (0.5 / most if domain.ordered else 0.25 / most)
        light = np.where(heavy, 0.0, known)
        labels = np.zeros(domain.size, dtype=np.int64)
        if domain.ordered and light.sum() > 0:
            bins = max(FEWEST, round(float(light.sum()) * most))
            labels = np.minimum((np.cumsum(light) - light / 2) / light.sum() * bins, bins - 1).astype(np.int64)
        labels[heavy] = most * 4 + np.arange(int(heavy.sum()))
    labels = np.append(labels, labels.max(initial=0) + 1)
    # what nobody has, by the noisy counts, is in no bin: neither counted nor drawn
    there = np.bincount(labels, weights=shares) > 0
    of = np.where(there[labels], (np.cumsum(there) - 1)[labels], -1)
    return Bins(of, np.bincount(of[of >= 0], weights=shares[of >= 0]).astype(np.float64))
