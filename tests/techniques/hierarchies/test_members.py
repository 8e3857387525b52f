"""What every hierarchy owes: whoever adds one gets these tests by its file being there."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import polars as pl
import pytest

from privacy_assets.techniques.hierarchies import HIERARCHIES, ROOT
from privacy_assets.words import Column

EXAMPLES: dict[str, tuple[dict[str, Any], Column, list[Any]]] = {
    "flat": ({}, Column("sex", "VARCHAR", domain=("f", "m")), ["f", "m"]),
    "table": (
        {"rows": [["a", "x", "*"], ["b", "x", "*"], ["c", "y", "*"]]},
        Column("town", "VARCHAR", domain=("a", "b", "c")),
        ["c", "a"],
    ),
    "intervals": (
        {"widths": [5, 10], "low": 0, "high": 20},
        Column("age", "SMALLINT"),
        [-3, 0, 4, 5, 19, 20, 99],
    ),
    "dates": (
        {"units": ["day", "month", "quarter", "year", "five_years", "decade"], "since": 2019, "until": 2021},
        Column("born", "DATE"),
        [date(1980, 5, 1), date(2019, 12, 31), date(2020, 2, 29), date(2030, 1, 1)],
    ),
    "prefixes": (
        {"keep": [3, 1]},
        Column("postcode", "VARCHAR", domain=("AB12", "AB13", "C", "")),
        ["AB12", "AB13", "C", ""],
    ),
    "learned": ({"depth": 2}, Column("income", "DOUBLE"), [5.0, 1.0, 3.5, 900.0, 7.0, 8.0, 2.0]),
}


def test_every_hierarchy_has_an_example_here():
    """A new one is added with values that it has to stand."""
    assert set(EXAMPLES) == set(HIERARCHIES)


def levels(kind: str) -> list[list[str]]:
    parameters, column, values = EXAMPLES[kind]
    module = HIERARCHIES[kind]
    asked = module.Parameters(kind=kind, **parameters)
    assert module.fault(asked, column) is None
    return [level.to_list() for level in module.levels(asked, column, pl.Series(column.name, values))]


@pytest.mark.parametrize("kind", EXAMPLES)
def test_it_nests_and_ends_in_the_root(kind: str):
    """Values with one label at a level have one at each level after it."""
    found = levels(kind)
    assert set(found[-1]) == {ROOT}
    assert {len(level) for level in found} == {len(EXAMPLES[kind][2])}
    for lower, higher in pairwise(found):
        above: dict[str, set[str]] = {}
        for low, high in zip(lower, higher, strict=True):
            above.setdefault(low, set()).add(high)
        assert all(len(labels) == 1 for labels in above.values())


@pytest.mark.parametrize("kind", EXAMPLES)
def test_no_label_stands_outside_what_was_said_beforehand(kind: str):
    """So a model knows its categories, and the promise that only these occur can be kept."""
    parameters, column, _ = EXAMPLES[kind]
    said = HIERARCHIES[kind].domain(HIERARCHIES[kind].Parameters(kind=kind, **parameters), column)
    if said is not None:
        assert {label for level in levels(kind) for label in level} <= set(said)
        assert len(set(said)) == len(said)
    else:
        assert kind == "learned"


@pytest.mark.parametrize("kind", EXAMPLES)
def test_no_values_are_no_labels(kind: str):
    """An empty column has levels all the same."""
    parameters, column, values = EXAMPLES[kind]
    module = HIERARCHIES[kind]
    empty = pl.Series(column.name, values).clear()
    found = module.levels(module.Parameters(kind=kind, **parameters), column, empty)
    assert len(found) == len(levels(kind))
    assert all(level.len() == 0 for level in found)
