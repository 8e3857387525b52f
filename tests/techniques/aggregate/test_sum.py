"""sum: bounded numbers added up."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

CASES = [
    {"column": "days", "low": 0, "high": 30},
    {"column": "cost", "low": -5.5, "high": 100.25, "decimals": 2, "by": ["ward"]},
]


def test_numbers_are_bounded_before_they_are_added(bench: Any, asked: Any) -> None:
    """Infinity becomes a bound; NaN and NULL add nothing; rounding is to the decimals."""
    numbers = [1.234, 1e300, math.inf, -math.inf, -7.0, math.nan, None]
    rows = [(at, str(at), "north", True, 1, number) for at, number in enumerate(numbers)]
    query = asked("sum", column="cost", low=-5, high=10, decimals=2)
    assert bench.count(rows, query, 1) == {"all": (123 + 1000 + 1000 - 500 - 500,)}
    days = [(at, str(at), "north", True, number, 0.0) for at, number in enumerate([3, 40, -3, None])]
    assert bench.count(days, asked("sum", column="days", low=0, high=30), 1) == {"all": (33,)}


@pytest.mark.parametrize(
    "said",
    [
        {"low": 1, "high": 1},
        {"low": 2, "high": 1},
        {"low": 0, "high": math.inf},
        {"low": math.nan, "high": 1},
        {"low": 0, "high": 0.5},
        {"low": 0, "high": 1e6, "decimals": 9},
    ],
)
def test_a_range_is_finite_rising_and_written_in_its_decimals(asked: Any, said: Any) -> None:
    """What cannot be counted in whole units is refused."""
    with pytest.raises(ValidationError):
        asked("sum", column="cost", **said)
