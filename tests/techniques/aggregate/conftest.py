"""Small tables of visits, and what a query counts in them.

Belongs here: what the tests of all kinds of queries use. Does not belong here: noise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import duckdb
import pytest

from privacy_assets.techniques.aggregate import AGGREGATE
from privacy_assets.techniques.aggregate._planning import statement
from privacy_assets.words import Column

COLUMNS = {
    column.name: column
    for column in (
        Column("visit", "BIGINT"),
        Column("person", "VARCHAR"),
        Column("ward", "VARCHAR", domain=("north", "south", "west")),
        Column("urgent", "BOOLEAN"),
        Column("days", "SMALLINT"),
        Column("cost", "DOUBLE"),
    )
}
Row = tuple[Any, ...]


def asked(kind: str, **said: Any) -> Any:
    """The parameters of a query."""
    return AGGREGATE[kind].Parameters(kind=kind, **said)


class Bench:
    """Runs queries as the stage does."""

    def __init__(self) -> None:
        self.con = duckdb.connect()
        kinds = ", ".join(f"{column.name} {column.type}" for column in COLUMNS.values())
        self.con.execute(f"CREATE TABLE features ({kinds})")

    def count(self, rows: Sequence[Row], query: Any, most: int) -> dict[str, tuple[int, ...]]:
        """What the query counts, by cell; nobody stands in it with more than `most` rows."""
        self.con.execute("DELETE FROM features")
        if rows:
            self.con.executemany("INSERT INTO features VALUES (?, ?, ?, ?, ?, ?)", rows)
        sql = statement({"q": query}, COLUMNS, subject="person", key=("visit",), rows=most).sql(dialect="duckdb")
        found = self.con.execute(sql).fetchall()
        return {cell: tuple(one for one in exact if one is not None) for _, cell, *exact in found if cell is not None}


@pytest.fixture(scope="session")
def bench() -> Bench:
    """One engine for all."""
    return Bench()


def vectors(query: Any, found: Mapping[str, tuple[int, ...]]) -> list[list[int]]:
    """What noise is added to: one vector a mechanism. Of a quantile: the scores, one vector a cell."""
    module = AGGREGATE[query.kind]
    cells = module.cells(query, COLUMNS)
    if query.kind != "quantile":
        widest = max((len(exact) for exact in found.values()), default=1)
        widest = 2 if query.kind == "mean" else widest
        return [[found.get(cell, (0, 0))[place] for cell in cells] for place in range(widest)]
    places = range(2 * len(query.candidates) - 1)
    prefixes = [f"{cell}, " if query.by else "" for cell in cells]
    return [module.scores(query, [found.get(f"{prefix}place={at}", (0,))[0] for at in places]) for prefix in prefixes]


@pytest.fixture(name="asked", scope="session")
def _asked() -> Callable[..., Any]:
    return asked


@pytest.fixture(name="vectors", scope="session")
def _vectors() -> Callable[..., Any]:
    return vectors


@pytest.fixture(name="columns", scope="session")
def _columns() -> Mapping[str, Column]:
    return COLUMNS
