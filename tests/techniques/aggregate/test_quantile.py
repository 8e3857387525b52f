"""quantile: a candidate is selected by its score."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from privacy_assets.techniques.aggregate import quantile
from privacy_assets.techniques.noise import Measure

CASES = [
    {"column": "days", "low": 0, "high": 30, "step": 5, "q": 0.5},
    {"column": "cost", "low": 0, "high": 2, "step": 0.25, "decimals": 2, "q": 0.9, "by": ["ward"]},
]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-3, 12), max_size=30), st.sampled_from([0.25, 0.5, 0.9]))
def test_scores_are_smiths(bench: Any, asked: Any, numbers: list[int], q: float) -> None:
    """|(1 - q) below - q above|, in hundredths and lowest terms, of each candidate."""
    query = asked("quantile", column="days", low=0, high=9, step=3, q=q)
    found = bench.count([(at, str(at), "north", True, number, 0.0) for at, number in enumerate(numbers)], query, 1)
    counts = [found.get(f"place={place}", (0,))[0] for place in range(7)]
    a, b = query.share.numerator, query.share.denominator
    known = [min(max(number, 0), 9) for number in numbers]
    assert quantile.scores(query, counts) == [
        abs((b - a) * sum(one < at for one in known) - a * sum(one > at for one in known)) for at in (0, 3, 6, 9)
    ]


def test_it_selects_near_the_quantile(asked: Any, columns: Any) -> None:
    """With much data, no candidate is off by more rows than is told, in 95 % of releases or more."""
    query = asked("quantile", column="days", low=0, high=9, step=1, q=0.5)
    counts = {f"place={2 * at}": (100,) for at in range(10)}
    noise = quantile.plan(query, Measure.PURE, 1.0, 2)
    told = [next(iter(quantile.answer(query, columns, counts, noise))) for _ in range(100)]
    assert all(one.value in range(10) for one in told)
    scores = quantile.scores(query, [counts.get(f"place={place}", (0,))[0] for place in range(19)])
    off = [(scores[int(one.value)] - min(scores)) / query.share.denominator for one in told]
    assert sum(gap <= told[0].accuracy for gap in off) >= 88


@pytest.mark.parametrize("said", [{"step": 4, "q": 0.5}, {"step": 0.5, "q": 0.5}, {"step": 5, "q": 0.123}])
def test_candidates_lead_from_low_to_high(asked: Any, said: Any) -> None:
    """In whole steps; the share has two decimals."""
    with pytest.raises(ValidationError):
        asked("quantile", column="days", low=0, high=30, **said)
