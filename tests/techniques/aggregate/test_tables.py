"""The tables of plain statistics, against a reader who thinks in single groups of people and knows none of this."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.contracts.purpose import PlainNumbers
from privacy_assets.stages._plain_statistics import (
    _RELEASED,
    _axes_of,
    _held,
    _looked_at_alike,
    counted,
    measures_of,
)
from privacy_assets.techniques.aggregate import AGGREGATE, _suppression
from privacy_assets.techniques.aggregate._tables import Tables, _circle
from privacy_assets.words import Column

COLUMNS = {
    column.name: column
    for column in (
        Column("person", "VARCHAR"),
        Column("ward", "VARCHAR", domain=("n", "s")),
        Column("urgent", "BOOLEAN"),
        Column("days", "INTEGER"),
    )
}
K = 3
NOTHING = pl.DataFrame(schema=_RELEASED)
RULE = PlainNumbers(kind="plain", at_least_subjects=K)
HISTOGRAM = {"kind": "histogram", "column": "days", "edges": [2]}
MEAN = {"kind": "mean", "column": "days", "low": 0, "high": 9}
SETS: list[Mapping[str, Any]] = [
    {"t": {"kind": "contingency_table", "by": ["ward", "urgent"]}},
    {"a": {"kind": "count", "by": ["ward"]}, "all": {"kind": "count"}},
    {"a": {"kind": "count", "by": ["ward", "urgent"]}, "b": {"kind": "count", "by": ["ward"]}},
    {"a": {"kind": "count", "by": ["ward", "urgent"]}, "h": HISTOGRAM | {"by": ["ward"]}, "b": {"kind": "count"}},
    {"h": HISTOGRAM | {"by": ["urgent"]}, "g": HISTOGRAM, "b": {"kind": "count", "by": ["ward"]}},
    {"m": MEAN | {"by": ["ward"]}, "b": {"kind": "count", "by": ["ward"]}},
    {
        "t": {"kind": "count", "by": ["ward", "urgent"]},
        "h": HISTOGRAM | {"by": ["ward"]},
        "g": HISTOGRAM | {"by": ["urgent"]},
    },
    {"t": {"kind": "count", "by": ["ward", "urgent"]}, "m": MEAN | {"by": ["ward"]}, "n": MEAN | {"by": ["urgent"]}},
]
ROW = st.tuples(
    st.integers(0, 11),
    st.sampled_from(["n", "s", "s", None, "elsewhere"]),
    st.sampled_from([True, False, None]),
    st.one_of(st.none(), st.integers(0, 4)),
)


def _tables(queries: Mapping[str, Any]) -> Tables:
    made = {name: AGGREGATE[said["kind"]].Parameters(**said) for name, said in queries.items()}
    return Tables({name: AGGREGATE[query.kind].plain(query, COLUMNS) for name, query in made.items()})


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    """One engine for all."""
    con = duckdb.connect()
    con.execute("CREATE TABLE features (person VARCHAR, ward VARCHAR, urgent BOOLEAN, days INTEGER)")
    return con


def _run(con: duckdb.DuckDBPyConnection, tables: Tables, rows: Sequence[tuple[Any, ...]]) -> tuple[Any, Any]:
    con.execute("DELETE FROM features")
    con.executemany("INSERT INTO features VALUES (?, ?, ?, ?)", [(f"p{who}", *row) for who, *row in rows])
    found = counted(con.execute(tables.statement("person", 2).sql(dialect="duckdb")).fetchall(), tables)
    measured = measures_of(tables, RULE, found, NOTHING)
    return found, _suppression.untold(tables.sums, list(measured.values()))[0].tolist()


def _group(row: tuple[Any, ...], name: str) -> str | None:
    """In which group of an axis a row is, by hand."""
    _, ward, urgent, days = row
    if name == "ward":
        return f"ward={ward}" if ward in ("n", "s") else None
    if name == "urgent":
        return None if urgent is None else f"urgent={str(urgent).lower()}"
    if name == "days":
        return None if days is None else "days=<2" if days < 2 else "days=>=2"
    return None if days is None else ""


def _worked_out(tables: Tables, rows: Sequence[tuple[Any, ...]], found: Any, out: Sequence[bool]) -> list[Any]:
    """The small cells that have no room for k people more, by what a reader can know.

    The reader has one unknown for each combination of all groups, knows which unknown or undeclared groups nobody is
    in, that no number is below zero, and every told count; sums and margins are theirs by their own arithmetic.
    """
    from scipy.optimize import linprog

    axes, places = list(tables.axes), list(tables.places)
    atoms = list(itertools.product(*((*tables.axes[name].labels, None) for name in axes)))

    def members(place: int) -> np.ndarray:
        wanted = dict(zip(*places[place], strict=True))
        return np.array([all(atom[axes.index(name)] == label for name, label in wanted.items()) for atom in atoms])

    def people(place: int) -> Counter[int]:
        wanted = dict(zip(*places[place], strict=True))
        return Counter(row[0] for row in rows if all(_group(row, name) == label for name, label in wanted.items()))

    by_hand = [people(place) for place in range(len(places))]
    assert [(cell.people, cell.rows) for cell in found] == [(len(held), held.total()) for held in by_hand]
    told = {one.place for one in tables.told}
    sets = {places[place][0] for place in told}
    asked = [at for at, (names, _) in enumerate(places) if names in sets]
    known = [at for at in asked if (not out[at] if at in told else not by_hand[at])]
    worked_out = []
    for at in asked:
        if len(by_hand[at]) >= K or not (by_hand[at] or at in told):
            continue
        best = linprog(
            -members(at).astype(float),
            A_eq=np.array([members(place) for place in known], dtype=float).reshape(len(known), len(atoms)),
            b_eq=[found[place].rows for place in known],
            bounds=(0, None),
        )
        more = K * max(by_hand[at].values(), default=1)
        if best.status != 3 and -best.fun < found[at].rows + more - 1e-6:
            worked_out.append(places[at])
    return worked_out


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=45), queries=st.sampled_from(SETS))
def test_nobody_works_out_a_small_cell_from_all_that_is_told(
    con: duckdb.DuckDBPyConnection, rows: list[tuple[Any, ...]], queries: Mapping[str, Any]
) -> None:
    """No small cell is told, and each has room for k people more."""
    tables = _tables(queries)
    found, out = _run(con, tables, rows)
    assert not any(found[one.place].people < K and not out[one.place] for one in tables.told)
    assert _worked_out(tables, rows, found, out) == []


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(ROW, min_size=12, max_size=45), first=st.sampled_from(SETS), then=st.sampled_from(SETS))
def test_nobody_works_out_a_small_cell_from_two_releases(
    con: duckdb.DuckDBPyConnection,
    rows: list[tuple[Any, ...]],
    first: Mapping[str, Any],
    then: Mapping[str, Any],
) -> None:
    """Other groups of the same people: what one does not tell the other does not give away, or it waits."""
    one = _tables(first)
    found, out = _run(con, one, rows)
    measured = measures_of(one, RULE, found, NOTHING)
    held = _held(one, found, measured, np.array(out)).with_columns(version=pl.lit("1"), own=pl.lit(True))
    if not _looked_at_alike(_tables(then), held):
        return
    two = replace(_tables(then), before=_axes_of(_tables(then), held))
    found, _ = _run(con, two, rows)
    measured = measures_of(two, RULE, found, held)
    hidden, bare = _suppression.untold(two.sums, list(measured.values()))
    if bare.any():
        return
    both = _tables(
        {f"1 {name}": said for name, said in first.items()} | {f"2 {name}": said for name, said in then.items()}
    )
    told = {list(tables.places)[cell.place] for tables, gone in ((one, out), (two, hidden)) for cell in tables.told
            if not gone[cell.place]}  # fmt: skip
    found, _ = _run(con, both, rows)
    assert _worked_out(both, rows, found, [key not in told for key in both.places]) == []


@pytest.mark.parametrize("queries", SETS[:6], ids=str)
def test_the_reader_works_out_what_only_small_cells_hide(
    con: duckdb.DuckDBPyConnection, queries: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: where nothing is left out for the sake of the small cells, that reader has them."""
    monkeypatch.setattr(_suppression, "_complementary", lambda adds_up, measured, out: (out, out & False))
    groups = [("n", True, 1)] * 8 + [("n", False, 3)] * 8 + [("s", True, 4)] * 9 + [("s", False, 4)] * 8
    few = [("n", None, 1), (None, True, 1), ("n", True, None)]
    rows = [(who, *group) for who, group in enumerate([*groups, *few])]
    tables = _tables(queries)
    found, out = _run(con, tables, rows)
    assert _worked_out(tables, rows, found, out)


def test_every_sum_adds_up(con: duckdb.DuckDBPyConnection) -> None:
    """The cells that are called sums of others are: rows and amounts, unknown groups among them."""
    wards, urgent, days = ("n", "s", None, "x"), (True, False, None), (None, 1, 5, 9, 5)
    rows = [(at % 7, wards[at % 4], urgent[at % 3], days[at % 5]) for at in range(40)]
    for queries in SETS:
        tables = _tables(queries)
        found, _ = _run(con, tables, rows)
        assert tables.size == len(tables.places)
        for whole, parts in tables.sums:
            assert found[whole].rows == sum(found[part].rows for part in parts)
            for at in range(len(tables.amounts)):
                assert found[whole].amounts[at][0] == sum(found[part].amounts[at][0] for part in parts)


def test_tables_meet_in_the_axes_that_they_have_in_common() -> None:
    """Two tables by two columns each have the one by the column of both, and no total that nothing needs."""
    tables = _tables({"a": {"kind": "count", "by": ["ward", "urgent"]}, "h": HISTOGRAM | {"by": ["ward"]}})
    assert tables.sets == (("ward",), ("days", "ward"), ("urgent", "ward"))
    assert {len(parts) for _, parts in tables.sums} == {3}


@pytest.mark.parametrize(
    "numbers",
    [[0] * 9, [9] * 9, [12, *[9] * 8], [0, 0, *[5] * 2, *[0] * 5], [9, 9, 4, 3, *[9] * 5]],
    ids=["lowest", "highest", "brought to it", "few are above", "few are below"],
)
def test_a_mean_that_tells_the_numbers_of_few_is_not_told(con: duckdb.DuckDBPyConnection, numbers: list[int]) -> None:
    """All but a few at one bound: the mean tells how many are not; with more others it is told."""
    tables = _tables({"m": MEAN})
    rows = [(who, "n", True, number) for who, number in enumerate(numbers)]
    _, out = _run(con, tables, rows)
    assert all(out[cell.place] for cell in tables.told)
    mixed = [(20 + who, "n", True, number) for who, number in enumerate([3, 4, 5, 6])]
    _, out = _run(con, tables, [*rows, *mixed])
    assert not any(out[cell.place] for cell in tables.told)


@pytest.mark.parametrize("kind", ["count", "mean"])
def test_a_group_without_a_name_that_one_person_has_most_of_is_protected(
    con: duckdb.DuckDBPyConnection, kind: str
) -> None:
    """It is never told, and what is told of the whole and of the others would be it."""
    query = {"kind": "count"} if kind == "count" else MEAN
    rows = [(who, ("n", "s")[who % 2], True, 1 + who % 5) for who in range(40)]
    unknown = [(50 + who, None, True, 1) for who in range(5)] + [(60, None, True, 9)] * 60
    tables = _tables({"all": query, "by": query | {"by": ["ward"]}})
    _, out = _run(con, tables, [*rows, *unknown])
    assert any(out[cell.place] for cell in tables.told)


def test_a_column_may_be_called_as_anything_in_the_statement() -> None:
    """Names of ours that stand in it are no names of columns."""
    columns = {name: Column(name, "VARCHAR", domain=("x", "y")) for name in ("person", "a1", "rows")}
    query = AGGREGATE["count"].Parameters(kind="count", by=("person", "a1", "rows"))
    tables = Tables({"q": AGGREGATE["count"].plain(query, columns)})
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE features AS SELECT i AS token, 'x' AS person, 'y' AS a1, 'x' AS rows FROM range(9) t(i)"
        )
        found = counted(con.execute(tables.statement("token", 2).sql(dialect="duckdb")).fetchall(), tables)
    assert [cell.rows for cell in found if cell.rows] == [9]


@pytest.mark.parametrize(
    ("sets", "circle"),
    [
        ({("a", "b"), ("b", "c"), ("a", "c")}, ("a", "b", "c")),
        ({("a", "b"), ("b", "c"), ("c", "d")}, ()),
        ({("a", "b", "c"), ("a", "b"), ("b", "c"), ("a", "c")}, ()),
        ({("a", "b"), ("b", "c"), ("c", "d"), ("a", "d"), ("e",), ()}, ("a", "b", "c", "d")),
    ],
    ids=["a circle", "a chain", "within one", "a longer circle"],
)
def test_tables_that_go_round_in_a_circle_are_found(sets: set[tuple[str, ...]], circle: tuple[str, ...]) -> None:
    """A chain does not, and what lies within one table does not."""
    assert _circle(sets) == circle
