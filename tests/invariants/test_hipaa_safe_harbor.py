"""hipaa_safe_harbor: cases, and which ways to write a value tell too much."""

import pytest
from pydantic import ValidationError

from privacy_assets.invariants.hipaa_safe_harbor import SMALL_AREAS, Parameters
from tests.invariants.engine import measured

_ASKS = {"years": ["admitted", "born"], "ages": ["the age"], "zips": ["zip"]}


def _rows(*rows):
    return f'SELECT * FROM (VALUES {", ".join(rows)}) AS v(admitted, born, "the age", zip)'


_FINE = "(DATE '2020-01-01', 1980, '[30,40)', '941')"
KEPT = [
    {
        "asks": _ASKS,
        "output": _rows(_FINE, "(NULL, NULL, NULL, NULL)", "(DATE '1999-01-01', 1950, '>=90', '000')"),
        "numbers": {"rows": 3, "too_fine_dates": 0, "too_old": 0, "too_small_areas": 0},
    },
    {"asks": {"ages": ["a"]}, "output": "SELECT range AS a FROM range(91)"},
    {"asks": {"years": ["a"]}, "output": "SELECT TIMESTAMP '2020-01-01 00:00:00' AS a UNION ALL SELECT NULL"},
]
BROKEN = [
    {
        "asks": _ASKS,
        "output": _rows(_FINE, "(DATE '2020-02-01', 198005, '40', '941')"),
        "numbers": {"too_fine_dates": 1, "too_old": 0, "too_small_areas": 0},
    },
    {"asks": _ASKS, "output": _rows(_FINE, "(NULL, NULL, '91', NULL)"), "numbers": {"too_old": 1}},
    {"asks": _ASKS, "output": _rows(_FINE, "(NULL, NULL, NULL, '036')"), "numbers": {"too_small_areas": 1}},
    {"asks": _ASKS, "output": _rows(_FINE, "(NULL, NULL, NULL, '94110')"), "numbers": {"too_small_areas": 1}},
    {"asks": {"ages": ["a"]}, "output": "SELECT range AS a FROM range(92)", "numbers": {"too_old": 1}},
    {"asks": {"ages": ["a"]}, "output": "SELECT 89.5::DOUBLE AS a", "numbers": {"too_old": 1}},
    {"asks": {"zips": ["a"]}, "output": "SELECT 36 AS a", "numbers": {"too_small_areas": 1}},
    {"asks": {"years": ["a"]}, "output": "SELECT TIMESTAMP '2020-01-01 00:01' AS a", "numbers": {"too_fine_dates": 1}},
]  # fmt: skip

_YEARS = [
    "2020", "2010-2019", "[2010, 2020)", "[2010,2020[", "2010 to 2019", "2020-01-01", "*",
]  # fmt: skip
_TOO_FINE = [
    "2020-03", "2020-03-01", "03/2020", "20", "20201", "2020-01-01 08:00", "spring 2020", "2020\n1",
]  # fmt: skip
_AGES = [
    "0", "9", "89", "90", "90+", "90 +", ">=90", "≥ 90", ">89", "90 and over", "90 or older", "80+", ">=18", "<18",
    "<90", "<=89", "[85,90)", "[85, 90[", "85-89", "80 – 89", "[80, 89]", "under 40", "40 to 59", "45.5", "90.0",
    "*",
]  # fmt: skip
_TOO_OLD = [
    "91", "90.5", "89.5", "100", "120", "91+", ">=91", ">90", "95 and over", "[90,95)", "90-94", "[85,95)",
    "85-90", "[85, 90]", "<=90", "<95", "[90,120]", "90-99", "old", "-1", "", "4 score",
]  # fmt: skip
_AREAS = [
    "941", "000", "94*", "94***", "941**", "941XX", "9****", "***", "*", "",
]  # fmt: skip
_TOO_SMALL = [
    "036**", "893XX", "36", "94110", "9411", "9411*", "94110-1234", "SW1", "94 1",
]  # fmt: skip


def _told(kind, value):
    """Whether it counts the value as one that tells too much."""
    found = measured("hipaa_safe_harbor", {kind: ["a"]}, output=[{"a": value}])
    return found["too_fine_dates"] + found["too_old"] + found["too_small_areas"] == 1


@pytest.mark.parametrize("value", _YEARS)
def test_years_and_intervals_of_years_are_coarse_enough(value):
    """Also a date that was truncated to its year."""
    assert not _told("years", value)


@pytest.mark.parametrize("value", _TOO_FINE)
def test_more_than_a_year_is_too_fine(value):
    """As is what cannot be read."""
    assert _told("years", value)


@pytest.mark.parametrize("value", _AGES)
def test_ages_up_to_89_and_one_category_above_are_coarse_enough(value):
    """In the ways that people and programs write them."""
    assert not _told("ages", value)


@pytest.mark.parametrize("value", _TOO_OLD)
def test_an_age_over_89_is_told(value):
    """By itself, by an interval that ends above 89, by a category that begins above 90, or by what cannot be read."""
    assert _told("ages", value)


@pytest.mark.parametrize("value", _AREAS)
def test_three_digits_of_a_large_area_are_coarse_enough(value):
    """With and without a mask for the rest."""
    assert not _told("zips", value)


@pytest.mark.parametrize("value", [*SMALL_AREAS, *_TOO_SMALL])
def test_a_small_area_is_told(value):
    """More than three digits, one of the 17, one of them that lost its zeros, or what is no ZIP code."""
    assert _told("zips", value)


def test_the_areas_are_those_of_the_guidance():
    """17, each of three digits."""
    assert len(set(SMALL_AREAS)) == 17 and all(len(area) == 3 and area.isdigit() for area in SMALL_AREAS)


def test_nothing_to_measure_is_refused():
    """A promise about no column is none."""
    with pytest.raises(ValidationError, match="name a column"):
        Parameters(kind="hipaa_safe_harbor")
