"""Halves of halves of what the data holds."""

from __future__ import annotations

import polars as pl

from privacy_assets.techniques.hierarchies import learned
from privacy_assets.words import Column


def test_groups_are_neighbours_by_size_and_equal_in_number():
    """Eight numbers at depth two: four pairs, then two fours; numbers are not ordered as text."""
    values = pl.Series([10.0, 9.0, 100.0, 2.0, 3.0, 20.0, 1.0, 30.0])
    _, quarters, halves, _ = learned.levels(
        learned.Parameters(kind="learned", depth=2), Column("income", "DOUBLE"), values
    )
    assert sorted(set(quarters.to_list())) == ["[1.0, 2.0]", "[10.0, 20.0]", "[3.0, 9.0]", "[30.0, 100.0]"]
    assert sorted(set(halves.to_list())) == ["[1.0, 9.0]", "[10.0, 100.0]"]


def test_its_labels_are_never_declared():
    """They hold values of people."""
    assert learned.domain(learned.Parameters(kind="learned"), Column("town", "VARCHAR", domain=("a",))) is None
