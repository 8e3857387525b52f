"""contingency_table: rows by combination."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

CASES = [{"by": ["ward", "urgent"]}]


def test_every_combination_is_a_cell(asked: Any, columns: Any) -> None:
    """Also one that nobody is in; one column makes no table."""
    from privacy_assets.techniques.aggregate import contingency_table

    cells = contingency_table.cells(asked("contingency_table", by=["ward", "urgent"]), columns)
    assert len(cells) == 6 and cells[0] == "ward=north, urgent=false"
    with pytest.raises(ValidationError):
        asked("contingency_table", by=["ward"])
