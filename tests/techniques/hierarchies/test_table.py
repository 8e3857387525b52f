"""Kinship by a public table in the form of ARX."""

from __future__ import annotations

import polars as pl
import pytest
from pydantic import ValidationError

from privacy_assets.errors import NotKept
from privacy_assets.techniques.hierarchies import table
from privacy_assets.words import Column

TOWN = Column("town", "VARCHAR")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([["a"], ["b"]], "row 1 has no root"),
        ([["a", "*"], ["b", "x", "*"]], "row 2 has 3 levels, and row 1 has 2"),
        ([["a", "*"], ["a", "*"]], "row 2 is about the same value as row 1"),
        ([["a", "x", "y", "*"], ["b", "x", "z", "*"]], "rows 1 and 2 have one label at level 1 and two at level 2"),
        ([["a", "x"], ["b", "y"]], "the last level, 1, has several labels"),
    ],
)
def test_what_is_no_hierarchy_is_said_with_row_and_level(rows: list[list[str]], said: str):
    """And without the labels."""
    assert any(said in fault for fault in table.faults_of(rows))
    with pytest.raises(ValidationError):
        table.Parameters(kind="table", rows=rows)


def test_a_value_without_a_place_is_counted_and_not_named():
    """It could be a person's own."""
    asked = table.Parameters(kind="table", rows=(("a", "*"),))
    with pytest.raises(NotKept, match="2 different values of town have no place") as caught:
        table.levels(asked, TOWN, pl.Series(["a", "Zanzibar", "Yokohama"]))
    assert "Zanzibar" not in str(caught.value)


def test_a_declared_value_without_a_row_is_a_fault_before_anything_runs():
    """Counted, too."""
    asked = table.Parameters(kind="table", rows=(("a", "*"),))
    assert "2 of its declared values" in str(table.fault(asked, Column("town", "VARCHAR", domain=("a", "b", "c"))))


def test_nothing_is_no_table():
    """Either a file or rows."""
    with pytest.raises(ValidationError, match="name a `file`"):
        table.Parameters(kind="table")
