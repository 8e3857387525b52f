"""Noisy counts of columns: heaps are found among many values, and what is made of counts keeps its laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.coded import Domain
from privacy_assets.techniques.synthesize import _one_way
from privacy_assets.techniques.synthesize._one_way import Histogram, counted, norm_sub
from privacy_assets.techniques.synthesize._spending import Account, Private

COUNTS = st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=30).map(np.array)


def _counted(codes: object, domain: Domain, epsilon: float = 1.0) -> Histogram:
    account = Account(Private(epsilon=epsilon, delta=1e-5))
    return counted(np.asarray(codes, dtype=np.int32), domain, 1, account, 1.0)


@settings(max_examples=200)
@given(COUNTS, st.floats(0, 1e4))
def test_what_is_brought_to_a_total_is_the_nearest_vector_that_has_it(counts: np.ndarray, total: float) -> None:
    """None below zero, all that stay are less by the same, and what is gone was no more than that (Karush, Kuhn and
    Tucker: necessary, and as the problem is convex, enough)."""
    found = norm_sub(counts, total)
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(total, abs=1e-6)
    less = counts - found
    stay = found > 1e-9
    if stay.any():
        assert np.ptp(less[stay]) < 1e-6
        assert (counts[~stay] <= less[stay].min() + 1e-6).all()


def test_a_heap_is_found_among_a_million_values() -> None:
    """At its own value, while nothing is drawn for most ranges."""
    dice = np.random.default_rng(1)
    codes = np.concatenate([np.full(30_000, 123_456), dice.integers(0, 1_000_000, 10_000)])
    histogram = _counted(codes, Domain("sum", low=0, high=999_999))
    shares = histogram.shares(40_000)
    assert shares[123_456] == pytest.approx(0.75, abs=0.02)
    assert shares.sum() == pytest.approx(1)
    assert sum(len(step.counts) for step in histogram.steps) < 20_000


@pytest.mark.parametrize("size", [1, 2, 256, 257, 4_096, 4_097, 70_000])
def test_every_value_of_a_domain_has_a_place(size: int) -> None:
    """Also where ranges do not come out even: the first value and the last are found."""
    domain = Domain("sum", low=0, high=size - 1)
    for value in (0, size - 1):
        shares = _counted(np.full(5_000, value), domain, 10.0).shares(5_000)
        assert shares.shape == (size + 1,)
        assert shares[value] > 0.9


def test_steps_are_as_coarse_as_they_must_be() -> None:
    """Values one by one up to 256; then sixteenths, down to one; labels always one by one."""
    assert _one_way._widths(Domain("age", low=0, high=255)) == [1]
    assert _one_way._widths(Domain("sum", low=0, high=256)) == [16, 1]
    assert _one_way._widths(Domain("sum", low=0, high=99_999)) == [4096, 256, 16, 1]
    assert _one_way._widths(Domain("place", tuple(map(str, range(1000))))) == [1]


def test_null_is_told_where_it_is_more_than_noise() -> None:
    """A twentieth of the rows is; none hardly ever."""
    domain = Domain("age", low=0, high=90)
    codes = np.tile(np.arange(91), 200)
    assert _counted(codes, domain).shares(len(codes))[-1] == 0
    codes[::20] = 91
    assert _counted(codes, domain).shares(len(codes))[-1] == pytest.approx(0.05, abs=0.01)


def test_the_total_weighs_columns_by_how_sure_they_are() -> None:
    """One of few cells tells more than one of many, and all together more than each."""
    few, many = Domain("yes", ("no", "yes")), Domain("age", low=0, high=200)
    histograms = [_counted(np.zeros(1000), few), _counted(np.zeros(1000), many)]
    assert histograms[0].variance < histograms[1].variance / 50
    assert _one_way.total(histograms) == pytest.approx(histograms[0].total, abs=5)
    assert _one_way.total([_counted([], few)]) >= 1
