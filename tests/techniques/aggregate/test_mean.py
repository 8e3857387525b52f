"""mean: a noisy count and a noisy sum around the middle."""

from __future__ import annotations

from typing import Any

import pytest

from privacy_assets.techniques.aggregate import mean
from privacy_assets.techniques.noise import Measure, Noise

CASES = [
    {"column": "days", "low": 0, "high": 31},
    {"column": "cost", "low": -5.5, "high": 100.25, "decimals": 2, "by": ["ward"]},
]


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No noise, to see the arithmetic."""
    monkeypatch.setattr(Noise, "add", lambda self, exact: list(exact))


def test_the_mean_is_that_of_the_bounded_numbers(bench: Any, asked: Any, columns: Any, quiet: None) -> None:
    """Unknown numbers are neither counted nor added."""
    query = asked("mean", column="days", low=0, high=31, by=["ward"])
    rows = [(at, str(at), "north", True, number, 0.0) for at, number in enumerate([1, 2, 100, None])]
    found = bench.count(rows, query, 1)
    assert found == {"ward=north": (3, 1 + 2 + 31 - 3 * 15)}
    answers = list(mean.answer(query, columns, found, mean.plan(query, Measure.PURE, 1e6, 1)))
    told = {(one.cell, one.measure): one.value for one in answers}
    assert told["ward=north", "mean"] == pytest.approx(34 / 3)
    assert (told["ward=south", "count"], told["ward=south", "mean"]) == (0, 15)


def test_the_interval_holds_the_mean(asked: Any, columns: Any) -> None:
    """In 95 % of releases or more: 190 of 200 would be just so, and 176 is far below that."""
    query = asked("mean", column="days", low=0, high=31)
    noise = mean.plan(query, Measure.PURE, 0.5, 3)
    exact = {"all": (400, -1200)}
    held = 0
    for _ in range(200):
        (_, told) = mean.answer(query, columns, exact, noise)
        assert told.low is not None and told.high is not None
        assert 0 <= told.low <= told.value <= told.high <= 31
        held += told.low <= 12 <= told.high
    assert held >= 176
