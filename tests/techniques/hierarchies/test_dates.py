"""Dates by the calendar."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from pydantic import ValidationError

from privacy_assets.techniques.hierarchies import dates
from privacy_assets.words import Column

ASKED = dates.Parameters(kind="dates", since=2000, until=2026)


def test_month_year_decade():
    """Without more words."""
    found = dates.levels(ASKED, Column("born", "DATE"), pl.Series([date(2024, 2, 29)]))
    assert [level[0] for level in found] == ["2024-02", "2024", "2020-2029", "*"]


def test_what_lies_outside_has_the_first_or_last_label():
    """So that the labels are known beforehand; and a moment is its day."""
    found = dates.levels(
        ASKED, Column("at", "TIMESTAMP"), pl.Series(["1931-01-01T09:00", "2090-01-01T00:00"]).str.to_datetime()
    )
    assert found[0].to_list() == ["2000-01", "2026-12"]


@pytest.mark.parametrize("wrong", [{"units": ("year", "month")}, {"units": ("day", "day")}, {"since": 2030}])
def test_what_does_not_rise_is_refused(wrong: dict[str, object]):
    """Units from the finest to the coarsest, years from the first to the last."""
    with pytest.raises(ValidationError):
        dates.Parameters(**{"kind": "dates", "since": 2000, "until": 2026} | wrong)
    assert dates.fault(ASKED, Column("age", "INTEGER"))
