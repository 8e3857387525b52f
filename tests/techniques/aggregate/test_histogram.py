"""histogram: rows by interval."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

CASES = [{"column": "cost", "edges": [10, 50]}, {"column": "days", "edges": [3], "by": ["ward"]}]


def test_each_number_is_in_one_interval(bench: Any, asked: Any) -> None:
    """The edge belongs above; infinity has a place, NaN and NULL have none."""
    numbers = [9.99, 10.0, 49.0, 50.0, math.inf, -math.inf, math.nan, None]
    rows = [(at, str(at), "north", True, 1, number) for at, number in enumerate(numbers)]
    found = bench.count(rows, asked("histogram", column="cost", edges=[10, 50]), 1)
    assert found == {"cost=<10": (2,), "cost=[10,50)": (2,), "cost=>=50": (2,)}


@pytest.mark.parametrize("edges", [[], [1, 1], [2, 1], [math.nan]])
def test_edges_rise(asked: Any, edges: list[float]) -> None:
    """No edges, equal or falling ones."""
    with pytest.raises(ValidationError):
        asked("histogram", column="cost", edges=edges)
