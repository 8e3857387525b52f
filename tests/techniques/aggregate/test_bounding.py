"""Contribution bounding: the privacy unit is the person, not the row (T-DP-6)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(-40, 60)), max_size=40)


def _rows(drawn: list[tuple[int, int]]) -> list[tuple[Any, ...]]:
    return [(at, f"p{person}", "north", True, days, 0.0) for at, (person, days) in enumerate(drawn)]


def test_fifty_rows_of_one_person_count_as_their_limit(bench: Any, asked: Any) -> None:
    """Whoever has 50 rows moves a count by `rows`, and not by 50."""
    others = [(at, f"p{at}", "north", True, 1, 0.0) for at in range(20)]
    many = [(100 + at, "often", "north", True, 1, 0.0) for at in range(50)]
    for most in (1, 5, 49):
        assert bench.count([*others, *many], asked("count"), most) == {"all": (20 + most,)}


@settings(max_examples=40, deadline=None)
@given(ROWS, st.integers(1, 4))
def test_nobody_has_more_rows_than_declared_and_nobody_loses_more(
    bench: Any, asked: Any, drawn: list[tuple[int, int]], most: int
) -> None:
    """Of each person the smaller of what there is and what is declared."""
    rows = _rows(drawn)
    expected = sum(min(sum(row[1] == f"p{person}" for row in rows), most) for person in range(5))
    assert bench.count(rows, asked("count"), most) == {"all": (expected,)}


@settings(max_examples=40, deadline=None)
@given(ROWS, st.integers(1, 4), st.integers(0, 4))
def test_which_rows_are_kept_depends_on_their_person_alone(
    bench: Any, asked: Any, drawn: list[tuple[int, int]], most: int, gone: int
) -> None:
    """Without one person, the kept rows of all others are the same, in whatever order they come."""
    query = asked("histogram", column="days", edges=[0, 10, 20])
    rows = _rows(drawn)
    person, others = ([row for row in rows if (row[1] == f"p{gone}") is here] for here in (True, False))
    whole, alone = bench.count(rows[::-1], query, most), bench.count(person, query, most)
    rest = bench.count(others, query, most)
    cells = {*whole, *alone, *rest}
    assert {cell: whole.get(cell, (0,))[0] - alone.get(cell, (0,))[0] for cell in cells} == {
        cell: rest.get(cell, (0,))[0] for cell in cells
    }


@pytest.mark.parametrize("mutant", ["GROUP BY person", "most rows"])
def test_a_bound_that_does_not_hold_is_noticed(bench: Any, asked: Any, mutant: str) -> None:
    """The control: bounding by row, or by another number, counts another number."""
    from privacy_assets.techniques.aggregate import _bounding

    sql = _bounding.bounded(["ward"], "visit" if mutant == "GROUP BY person" else "person", ["visit"], 5)
    rows = [(at, "often", "north", True, 1, 0.0) for at in range(50)]
    bench.count(rows, asked("count"), 5)
    (kept,) = bench.con.execute(f"SELECT count(*) FROM ({sql.sql(dialect='duckdb')})").fetchone()
    assert kept == (50 if mutant == "GROUP BY person" else 5)
