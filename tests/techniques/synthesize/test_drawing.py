"""Rows are drawn as their shares say, to within one, and in random order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.techniques.synthesize._drawing import Ladder, fresh


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.just(0.0) | st.floats(1e-3, 5), min_size=4, max_size=4), min_size=1, max_size=5).filter(
        lambda shares: all(map(sum, shares))
    ),
    st.lists(st.integers(0, 4), max_size=60),
    st.integers(0, 100),
)
def test_each_value_has_as_many_rows_as_its_share_says(shares: list[list[float]], groups: list[int], seed: int) -> None:
    """In each group, rounded down or up; what has no share has no row."""
    at = np.array([group % len(shares) for group in groups], dtype=np.int64)
    drawn = Ladder.of(np.array(shares)).draw(at, np.random.default_rng(seed))
    for group, of_group in enumerate(shares):
        counts = np.bincount(drawn[at == group], minlength=4)
        expected = np.array(of_group) / sum(of_group) * counts.sum()
        assert (np.abs(counts - expected) < 1 + 1e-6).all()
        assert not counts[np.array(of_group) == 0].any()


def test_values_within_parts_have_their_shares_of_the_part() -> None:
    """A value in no part is never drawn."""
    shares, parts = np.array([0.1, 0.3, 0.0, 0.2, 0.4]), np.array([0, 0, 0, 1, -1])
    drawn = Ladder.of_parts(shares, parts).draw(np.repeat([0, 1], 400), np.random.default_rng(1))
    assert np.bincount(drawn[:400]).tolist() == pytest.approx([100, 300], abs=1)
    assert set(drawn[400:]) == {3}


def test_order_is_by_chance() -> None:
    """Two columns that are drawn of the same groups know nothing of each other."""
    dice, groups = np.random.default_rng(1), np.zeros(10_000, dtype=np.int64)
    one, two = (Ladder.of(np.array([[0.5, 0.5]])).draw(groups, dice) for _ in range(2))
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.04
    assert not np.array_equal(fresh().random(3), fresh().random(3))
