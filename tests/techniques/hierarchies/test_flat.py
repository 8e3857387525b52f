"""A value, or nothing."""

from __future__ import annotations

from privacy_assets.techniques.hierarchies import flat
from privacy_assets.words import Column


def test_its_labels_are_the_declared_values_and_the_root():
    """Or nobody knows them."""
    asked = flat.Parameters(kind="flat")
    assert flat.domain(asked, Column("sex", "VARCHAR", domain=("f", "m"))) == ("f", "m", "*")
    assert flat.domain(asked, Column("name", "VARCHAR")) is None
