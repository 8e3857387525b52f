"""Numbers in intervals that grow."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from privacy_assets.errors import NotKept
from privacy_assets.techniques.hierarchies import intervals
from privacy_assets.words import Column

AGE, WEIGHT = Column("age", "SMALLINT"), Column("weight", "DOUBLE")
ASKED = intervals.Parameters(kind="intervals", widths=(5, 10, 20), low=15, high=75)


def test_an_interval_holds_its_lower_bound_and_ends_at_high():
    """15 to 75 by twenties has three; what lies outside has a label of its own."""
    found = intervals.levels(ASKED, AGE, pl.Series([14, 15, 34, 35, 74, 75]))
    assert found[0].to_list() == ["<15", "15", "34", "35", "74", ">=75"]
    assert found[3].to_list() == ["<15", "[15,35)", "[15,35)", "[35,55)", "[55,75)", ">=75"]


@given(st.floats(14, 76, allow_nan=False))
def test_a_number_lies_in_the_interval_that_names_it(number: float):
    """At every width."""
    for level in intervals.levels(ASKED, WEIGHT, pl.Series([number]))[:-1]:
        label = level[0]
        if label.startswith("["):
            low, high = (float(bound) for bound in label[1:-1].split(","))
            assert low <= number < high
        else:
            assert number < 15 if label == "<15" else number >= 75


def test_numbers_that_are_not_whole_have_no_level_of_their_own():
    """It would be as good as a name."""
    assert len(intervals.levels(ASKED, WEIGHT, pl.Series([15.25]))) == 4
    assert len(intervals.levels(ASKED, AGE, pl.Series([15]))) == 5
    assert len(intervals.levels(ASKED.model_copy(update={"exact": False}), AGE, pl.Series([15]))) == 4


def test_what_is_no_finite_number_is_counted():
    """NaN lies in no interval."""
    with pytest.raises(NotKept, match="1 different values of weight are no finite numbers"):
        intervals.levels(ASKED, WEIGHT, pl.Series([1.0, float("nan")]))


def test_too_many_labels_are_not_listed():
    """A domain of a million labels helps no model."""
    assert intervals.domain(ASKED.model_copy(update={"high": 10**6}), AGE) is None


@pytest.mark.parametrize("wrong", [{"widths": (5, 12)}, {"widths": (10, 5)}, {"widths": (0,)}, {"low": 80}])
def test_what_does_not_nest_is_refused(wrong: dict[str, object]):
    """Each width is a multiple of the one before."""
    with pytest.raises(ValidationError):
        intervals.Parameters(**{"kind": "intervals", "widths": (5, 10), "low": 0, "high": 75} | wrong)
    assert intervals.fault(ASKED, Column("town", "VARCHAR"))
