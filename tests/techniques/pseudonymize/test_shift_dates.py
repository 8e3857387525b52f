"""shift_dates: other days, the same distances."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from privacy_assets.techniques.pseudonymize import shift_dates, token
from privacy_assets.words import Column, IdentifierDomain, Role

KEY = "5e" * 32
PLAIN = IdentifierDomain(name="plain")
ADMITTED = Column("admitted", "DATE", Role.QUASI_IDENTIFIER)
DAYS = st.dates(date(1900, 1, 1), date(2100, 1, 1))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), DAYS), min_size=1), st.integers(1, 400))
def test_intervals_of_a_person_stay(bench: Any, made: Any, stays: list[tuple[str, date]], max_days: int) -> None:
    """All dates of a person move by one number of days, at least 1 and at most the greatest."""
    people, days = zip(*stays, strict=True)
    left = bench.leave(made("shift_dates", max_days=max_days), ADMITTED, days, people).values
    moved: dict[str, set[timedelta]] = {}
    for person, day, shifted in zip(people, days, left, strict=True):
        moved.setdefault(person, set()).add(shifted - day)
    for shifts in moved.values():
        assert len(shifts) == 1
        assert 1 <= abs(shifts.pop().days) <= max_days


def test_every_shift_occurs_alike(made: Any) -> None:
    """Over 60,000 people each of the 60 shifts is there, 0 is not, and none is rarer or more frequent than chance."""
    people = pl.Series("value", [f"p{number}" for number in range(60_000)])
    found = Counter(shift_dates.map_values(made("shift_dates", max_days=30), people, KEY, PLAIN).to_list())
    assert set(found) == {*range(-30, 0), *range(1, 31)}
    # six standard deviations around 1000
    assert all(abs(count - 1000) < 190 for count in found.values())


def test_times_of_day_stay(bench: Any, made: Any) -> None:
    """A TIMESTAMP moves by whole days; NULL stays NULL."""
    before = datetime(2024, 2, 29, 23, 59)  # noqa: DTZ001 - the engine's is naive too
    column = Column("admitted", "TIMESTAMP")
    after, nothing = bench.leave(made("shift_dates", max_days=3), column, [before, None]).values
    assert after.time() == before.time()
    assert after.date() != before.date()
    assert nothing is None


def test_a_row_without_a_shift_has_no_date(made: Any, bench: Any) -> None:
    """Where nobody is known the date does not leave as it was."""
    sql = shift_dates.expression(made("shift_dates", max_days=3), ADMITTED, shift_dates.exp.column("d"), None)
    assert bench.con.execute(f"SELECT {sql.sql('duckdb')} FROM (SELECT DATE '2024-01-01' AS d)").fetchone() == (None,)


def test_a_token_does_not_tell_the_shift(made: Any) -> None:
    """The bits that are taken for the shift are not the token's, nor those of a shift over another range."""
    people = pl.Series("value", [f"p{number}" for number in range(2000)])
    shifts = shift_dates.map_values(made("shift_dates", max_days=30), people, KEY, PLAIN)
    wide = shift_dates.map_values(made("shift_dates", max_days=60), people, KEY, PLAIN)
    tokens = token.map_values(token.Parameters(kind="token"), people, KEY, PLAIN)
    for guess in (
        [int(text.replace("-", "")[:15], 16) % 60 - 30 for text in tokens],
        [days % 60 - 30 for days in wide],
    ):
        right = sum(abs(days - guessed) <= 1 for days, guessed in zip(shifts, guess, strict=True))
        assert right < 200  # 100 by chance


def test_what_is_no_date_is_refused(made: Any) -> None:
    """A text does not fit, nor a shift by nothing."""
    with pytest.raises(ValidationError):
        made("shift_dates", max_days=0)
    assert shift_dates.fault(made("shift_dates", max_days=3), Column("x", "VARCHAR")) is not None
