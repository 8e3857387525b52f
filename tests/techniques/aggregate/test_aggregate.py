"""The conformance suite: every kind of query gets these laws by existing, on the cases of its own test file."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.techniques.aggregate import AGGREGATE
from privacy_assets.techniques.noise import ADDITIVE, Measure
from privacy_assets.words import Column

HERE = Path(__file__).parent
HUGE = 2**15 - 1


def _cases(kind: str) -> list[dict[str, Any]]:
    spec = importlib.util.spec_from_file_location(f"cases_of_{kind}", HERE / f"test_{kind}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: list[dict[str, Any]] = module.CASES
    return found


EACH = [pytest.param(kind, said, id=f"{kind}-{at}") for kind in AGGREGATE for at, said in enumerate(_cases(kind))]
each_case = pytest.mark.parametrize(("kind", "said"), EACH)

NUMBERS = st.one_of(st.none(), st.integers(-HUGE, HUGE))
COSTS = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))
ROW = st.tuples(
    st.sampled_from(["north", "south", "attic", None]), st.sampled_from([True, False, None]), NUMBERS, COSTS
)
TABLE = st.lists(st.tuples(st.integers(0, 3), ROW), max_size=15)
PERSON = st.lists(ROW, min_size=1, max_size=12)


def _distance(one: list[int], other: list[int]) -> int:
    return sum(abs(first - second) for first, second in zip(one, other, strict=True))


@each_case
@settings(max_examples=25, deadline=None)
@given(table=TABLE, person=PERSON, most=st.integers(1, 4))
def test_a_person_moves_a_query_by_no_more_than_its_sensitivity(
    bench: Any, asked: Any, vectors: Any, kind: str, said: Any, table: Any, person: Any, most: int
) -> None:
    """Neighbours differ in all rows of one person: L1 (so L2) of each vector; of scores the L-infinity, cells added.

    Values are as large as their type holds, NaN, infinite or unknown; groups are declared or not.
    """
    query = asked(kind, **said)
    without = [(at, f"p{who}", *row) for at, (who, row) in enumerate(table)]
    added = [(1000 + at, "one more", *row) for at, row in enumerate(person)]
    pair = [vectors(query, bench.count(rows, query, most)) for rows in (without, [*without, *added])]
    mechanisms = AGGREGATE[kind].plan(query, Measure.PURE, 1.0, most)
    if mechanisms[0].mechanism in ADDITIVE.values():
        moved = [_distance(*vector) for vector in zip(*pair, strict=True)]
        assert all(far <= noise.sensitivity for far, noise in zip(moved, mechanisms, strict=True))
    else:
        furthest = [max(abs(a - b) for a, b in zip(*cell, strict=True)) for cell in zip(*pair, strict=True)]
        assert sum(furthest) <= mechanisms[0].sensitivity


@each_case
def test_the_sensitivity_is_reached(bench: Any, asked: Any, vectors: Any, kind: str, said: Any) -> None:
    """It is no larger than it must be: some person moves a vector by all of it."""
    query = asked(kind, **said)
    reached = 0
    for days, cost in ((HUGE, 1e300), (-HUGE, -1e300)):
        added = [(at, "one", "north", True, days, cost) for at in range(9)]
        empty, full = (vectors(query, bench.count(rows, query, 3)) for rows in ([], added))
        moved = [_distance(*pair) if kind != "quantile" else max(map(abs, pair[1])) for pair in zip(empty, full)]  # noqa: B905
        for far, noise in zip(moved, AGGREGATE[kind].plan(query, Measure.PURE, 1.0, 3), strict=False):
            reached = max(reached, far / noise.sensitivity)
    assert reached == 1


@each_case
@pytest.mark.parametrize("measure", list(Measure))
def test_a_query_costs_what_it_is_given_and_no_more(asked: Any, kind: str, said: Any, measure: Measure) -> None:
    """The losses of its draws add up to that, by OpenDP's maps; half of it needs more noise."""
    query = asked(kind, **said)
    whole, half = (AGGREGATE[kind].plan(query, measure, loss, 3) for loss in (0.3, 0.15))
    assert 0.3 * (1 - 1e-6) < math.fsum(noise.loss for noise in whole) <= 0.3
    assert all(one.scale < other.scale for one, other in zip(whole, half, strict=True))


@each_case
@pytest.mark.parametrize("measure", list(Measure))
def test_every_declared_cell_is_answered_whoever_is_in_it(
    asked: Any, columns: Any, kind: str, said: Any, measure: Measure
) -> None:
    """An empty table has the cells of a full one; each answer has mechanism, scale and loss."""
    query = asked(kind, **said)
    module = AGGREGATE[kind]
    cells = module.cells(query, columns)
    answers = list(module.answer(query, columns, {}, module.plan(query, measure, 1.0, 3)))
    assert len(set(cells)) == len(cells)
    assert list(dict.fromkeys(answer.cell for answer in answers)) == list(cells)
    assert all(math.isfinite(answer.value) and answer.scale > 0 and answer.loss > 0 for answer in answers)
    assert all(answer.low is None or answer.low <= answer.value <= answer.high for answer in answers)


@each_case
def test_what_does_not_fit_is_told(asked: Any, columns: Any, kind: str, said: Any) -> None:
    """A column that is not there, groups that are not declared, a text where a number is needed."""
    module, query = AGGREGATE[kind], asked(kind, **said)
    assert module.fault(query, columns) is None
    for name in module.reads(query):
        assert module.fault(query, {other: one for other, one in columns.items() if other != name})
        assert module.fault(query, {**columns, name: Column(name, "VARCHAR")})
    assert module.__doc__.startswith(f"{kind}: ") and "**Sensitivity.**" in module.__doc__
