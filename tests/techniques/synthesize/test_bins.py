"""Values put together: heavy ones alone, the others in order, each in one bin or in none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.coded import Domain
from privacy_assets.techniques.synthesize._bins import binned

SHARES = st.lists(st.floats(0, 1), min_size=2, max_size=80).filter(lambda shares: sum(shares) > 1e-3)


@settings(max_examples=100, deadline=None)
@given(SHARES, st.integers(2, 32), st.booleans())
def test_bins_hold_every_share_once(shares: list[float], most: int, ordered: bool) -> None:
    """What has a share is in a bin; bins are not too many; each has the sum of its values' shares."""
    given_ = np.array(shares) / sum(shares)
    size = len(shares) - 1
    domain = Domain("x", low=0, high=size - 1) if ordered else Domain("x", tuple(map(str, range(size))))
    bins = binned(domain, given_, most)
    assert bins.shares.sum() == pytest.approx(1)
    assert (bins.of[given_ > 0] >= 0).all()
    assert set(bins.of) <= {-1, *range(bins.count)}
    assert bins.count <= 4 * most + 6
    for bin_ in range(bins.count):
        assert given_[bins.of == bin_].sum() == pytest.approx(bins.shares[bin_])


def test_a_heavy_value_stands_alone_and_the_others_are_in_order() -> None:
    """Zero is one bin; larger values are in bins that do not overlap."""
    shares = np.append([0.8], np.append(np.full(100, 0.2 / 100), 0.0))
    bins = binned(Domain("gain", low=0, high=100), shares, 16)
    assert (bins.of == bins.of[0]).sum() == 1
    rest = bins.of[1:-1]
    assert len(set(rest)) == 4
    assert (np.diff([np.flatnonzero(rest == one).mean() for one in dict.fromkeys(rest)]) > 0).all()
    assert bins.of[-1] == -1


def test_rare_labels_are_one_bin_and_null_another() -> None:
    """Few labels are never put together."""
    shares = np.append(np.append([0.7, 0.2], np.full(40, 0.05 / 40)), 0.05)
    bins = binned(Domain("country", tuple(map(str, range(42)))), shares, 8)
    assert bins.count == 4
    assert binned(Domain("few", ("a", "b", "c")), np.array([0.98, 0.01, 0.01, 0.0]), 8).count == 3
