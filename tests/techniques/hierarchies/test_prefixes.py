"""Text by its first letters."""

from __future__ import annotations

import polars as pl
import pytest
from pydantic import ValidationError

from privacy_assets.techniques.hierarchies import prefixes
from privacy_assets.words import Column

ASKED = prefixes.Parameters(kind="prefixes", keep=(3, 2))


def test_what_is_kept_ends_in_a_star():
    """A value that is no longer than that stays, and is told from a beginning."""
    found = prefixes.levels(ASKED, Column("code", "VARCHAR"), pl.Series(["QX12", "QX1", "ÄÖÜß"]))
    assert found[1].to_list() == ["QX1*", "QX1", "ÄÖÜ*"]


def test_the_whole_value_can_be_left_out():
    """Then the first level is already coarser."""
    asked = ASKED.model_copy(update={"exact": False})
    assert prefixes.levels(asked, Column("code", "VARCHAR"), pl.Series(["QX12"]))[0].to_list() == ["QX1*"]


def test_what_does_not_fall_is_refused():
    """And numbers have no letters."""
    with pytest.raises(ValidationError):
        prefixes.Parameters(kind="prefixes", keep=(2, 3))
    assert prefixes.fault(ASKED, Column("age", "INTEGER"))
    assert prefixes.domain(ASKED, Column("code", "VARCHAR")) is None
