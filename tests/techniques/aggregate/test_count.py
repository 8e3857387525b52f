"""count: rows by group."""

from __future__ import annotations

from typing import Any

CASES = [{}, {"by": ["ward"]}, {"by": ["ward", "urgent"]}]


def test_rows_are_counted_by_declared_group(bench: Any, asked: Any) -> None:
    """A value that is not declared, and an unknown one, is in no cell."""
    rows = [(1, "a", "north", True, 1, 1.0), (2, "b", "north", None, 1, 1.0), (3, "c", "attic", True, 1, 1.0)]
    assert bench.count(rows, asked("count"), 5) == {"all": (3,)}
    found = bench.count([*rows, (4, "d", None, True, 1, 1.0)], asked("count", by=["ward"]), 5)
    assert found["ward=north"] == (2,) and set(found) == {"ward=north", "ward=attic"}
    assert bench.count(rows, asked("count", by=["ward", "urgent"]), 5)["ward=north, urgent=true"] == (1,)
