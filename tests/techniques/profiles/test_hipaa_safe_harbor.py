"""Dates by year, ages from 90 on together, ZIP codes by area: and only where a column says that it is one."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import polars as pl
import pytest

from privacy_assets.techniques.criteria import hipaa_safe_harbor
from privacy_assets.techniques.profiles import PROFILES
from privacy_assets.words import Column, Role
from tests.invariants.engine import measured
from tests.techniques.profiles.standards import ILL, asked_of, broken

QUASI = Role.QUASI_IDENTIFIER
COLUMNS = (
    Column("born", "DATE", QUASI, "user.demographic.date_of_birth"),
    Column("seen", "TIMESTAMP", Role.ATTRIBUTE, "user.health_and_medical"),
    Column("age", "SMALLINT", QUASI, "user.demographic.age_range"),
    Column("area", "VARCHAR", QUASI, "user.contact.address.postal_code"),
    Column("sex", "VARCHAR", QUASI, "user.demographic.gender"),
    ILL,
)
FINE = {
    "born": date(1980, 1, 1),
    "seen": datetime.combine(date(2020, 1, 1), time()),
    "age": 40,
    "area": "941**",
    "sex": "f",
    "ill": "flu",
}


def test_columns_are_found_by_their_types_and_categories():
    """Not by their names; and nobody's number is taken for a date, an age or an area."""
    [criterion] = asked_of("hipaa_safe_harbor", COLUMNS)
    assert (criterion.years, criterion.ages, criterion.zips) == (("born", "seen"), ("age",), ("area",))
    zoned = Column("born", "TIMESTAMP WITH TIME ZONE", QUASI, "user")
    token = Column("area", "VARCHAR", QUASI, "user.contact.address.postal_code", identifier_domain="patient")
    [criterion] = asked_of("hipaa_safe_harbor", (zoned, token))
    assert (criterion.years, criterion.ages, criterion.zips) == (("born",), (), ())
    assert asked_of("hipaa_safe_harbor", (Column("age", "SMALLINT", QUASI, "user.demographic"), ILL)) == []


@pytest.mark.parametrize(
    ("told", "breaks"),
    [
        ({}, False),
        ({"born": None, "age": None, "area": None}, False),
        ({"born": date(1980, 1, 2)}, True),
        ({"seen": datetime.combine(date(2020, 1, 1), time(8))}, True),
        ({"age": 90}, False),
        ({"age": 91}, True),
        ({"area": "94110"}, True),
        ({"area": "036**"}, True),
        ({"area": "000"}, False),
    ],
    ids=str,
)
def test_each_part_is_broken_by_a_row_of_its_own(told: dict[str, Any], breaks: bool):
    """Everything else in it is coarse enough. Of the two rows each stands alone, which is not asked about."""
    found = broken("hipaa_safe_harbor", COLUMNS, [FINE, {**FINE, "sex": "m", **told}])
    assert found == (["hipaa_safe_harbor"] if breaks else [])


def test_no_row_is_left_out_for_it():
    """It closes levels, and asks nothing of classes."""
    assert PROFILES["hipaa_safe_harbor"].SUPPRESSED_AT_MOST == 0


LABELS = {
    "born": [
        f"{year}{more}" for year in (1899, 1980, 2024) for more in ("", "-01", "-03-05", "-01-01", "-2029", " Q1")
    ],
    "age": [
        *map(str, range(130)),
        *(form.format(at) for form in (">={}", "<{}", "{}+", ">{}", "[0,{})", "[80,{})") for at in range(130)),
        "²",
        "٣",
        "08",
        "-1",
        "old",
    ],
    "area": [f"{area}{rest}" for area in ("036", "941", "٠٣٦", "94", "9", "") for rest in ("", "*", "**", "10")],
}


@pytest.mark.parametrize("column", LABELS)
def test_a_level_that_the_search_may_use_is_never_what_breaks_the_promise(column: str):
    """Of all ways to write a label: what the criterion leaves open the invariant keeps. Both close something."""
    [criterion] = asked_of("hipaa_safe_harbor", COLUMNS)
    open_to_it = [
        label
        for label in LABELS[column]
        if hipaa_safe_harbor.coarse_enough(criterion, column, pl.Series([label], dtype=pl.String))
    ]
    assert 0 < len(open_to_it) < len(LABELS[column])
    asks = criterion.model_dump(exclude={"kind"})
    told = {"born": None, "seen": None, "age": None, "area": None}
    for label in open_to_it:
        numbers = measured("hipaa_safe_harbor", asks, output=[{**told, column: label}])
        assert {numbers[name] for name in ("too_fine_dates", "too_old", "too_small_areas")} == {0}, label
