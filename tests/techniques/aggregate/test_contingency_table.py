"""contingency_table: rows by combination."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from privacy_assets.techniques.aggregate import contingency_table
from privacy_assets.techniques.noise import Measure

CASES = [{"by": ["ward", "urgent"]}]


def test_every_combination_is_a_cell(asked: Any, columns: Any) -> None:
    """Also one that nobody is in; one column makes no table."""
    cells = contingency_table.cells(asked("contingency_table", by=["ward", "urgent"]), columns)
    assert len(cells) == (3 + 1) * (2 + 1) and cells[0] == "ward=north, urgent=false"
    assert cells[6:] == ("ward=north", "ward=south", "ward=west", "urgent=false", "urgent=true", "all")
    with pytest.raises(ValidationError):
        asked("contingency_table", by=["ward"])


@pytest.mark.parametrize("measure", list(Measure))
def test_margins_are_the_sums_of_the_noisy_cells(asked: Any, columns: Any, measure: Measure) -> None:
    """One draw makes all of them, so that they agree; the more is in one, the further off it may be."""
    query = asked("contingency_table", by=["ward", "urgent"])
    noise = contingency_table.plan(query, measure, 0.5, 2)
    answers = list(contingency_table.answer(query, columns, {"ward=north, urgent=true": (40,)}, noise))
    told = {one.cell: one.value for one in answers}
    inner = {cell: value for cell, value in told.items() if ", " in cell}
    assert told["all"] == sum(inner.values())
    assert told["ward=north"] == told["ward=north, urgent=true"] + told["ward=north, urgent=false"]
    assert told["urgent=true"] == sum(value for cell, value in inner.items() if cell.endswith("urgent=true"))
    off = {one.cell: one.accuracy for one in answers}
    assert off["ward=north, urgent=true"] < off["ward=north"] < off["urgent=true"] < off["all"]


@pytest.mark.parametrize("measure", list(Measure))
def test_the_interval_of_a_margin_holds_it(asked: Any, columns: Any, measure: Measure) -> None:
    """In 95 % of releases or more; the bound is not twice as wide as it has to be."""
    query = asked("contingency_table", by=["ward", "urgent"])
    noise = contingency_table.plan(query, measure, 0.5, 2)
    totals = [list(contingency_table.answer(query, columns, {}, noise))[-1] for _ in range(400)]
    off = sorted(abs(one.value) for one in totals)
    assert sum(one.low <= 0 <= one.high for one in totals) >= 376  # type: ignore[operator]
    assert totals[0].accuracy < 2 * off[380]
