"""truncate_date: the first day of the period."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.techniques.pseudonymize import truncate_date
from privacy_assets.words import Column, Role

BORN = Column("born", "DATE", Role.QUASI_IDENTIFIER)
PERIODS = {"month": 1, "quarter": 3, "year": 12}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.dates(), min_size=1), st.sampled_from(sorted(PERIODS)))
def test_dates_become_the_first_day(bench: Any, made: Any, days: list[date], to: str) -> None:
    """As the calendar says, for every date that Python knows; any other day is noticed."""
    asked, months = made("truncate_date", to=to), PERIODS[to]
    expected = [day.replace(month=(day.month - 1) // months * months + 1, day=1) for day in days]
    assert bench.leave(asked, BORN, days).values == expected
    noticed = bench.accused(asked, BORN, days)
    assert noticed == [day != first for day, first in zip(days, expected, strict=True)]


def test_times_lose_their_hour(bench: Any, made: Any) -> None:
    """A TIMESTAMP becomes a DATE, and a time of day is noticed even on the first day."""
    admitted = Column("admitted", "TIMESTAMP")
    at_night = datetime(2024, 5, 1, 3, 15)  # noqa: DTZ001 - the engine's is naive too
    left = bench.leave(made("truncate_date", to="month"), admitted, [at_night, None])
    assert (left.type, left.values) == ("DATE", [date(2024, 5, 1), None])
    assert bench.accused(made("truncate_date", to="month"), admitted, [at_night]) == [True]


def test_dates_without_a_period_are_gone(bench: Any, made: Any) -> None:
    """The engine's infinity (an open end) has no period; a year that no timestamp can hold stops nothing."""
    left = bench.leave(made("truncate_date", to="quarter"), BORN, ["infinity", "-infinity", None])
    assert left.values == [None, None, None]
    far = bench.leave(made("truncate_date", to="quarter"), BORN, ["300000-05-05"])
    assert far.violated == [False]


@pytest.mark.parametrize(
    "column",
    [Column("x", "TIMESTAMP WITH TIME ZONE"), Column("x", "VARCHAR"), Column("x", "DATE", Role.DIRECT_IDENTIFIER)],
)
def test_what_is_no_plain_date_is_refused(column: Column, made: Any) -> None:
    """A moment with a time zone, a text and an identifier do not fit."""
    assert truncate_date.fault(made("truncate_date", to="month"), column) is not None
