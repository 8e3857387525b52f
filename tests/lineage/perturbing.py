"""Small tables, every column of them changed in many ways, and what a query then returns otherwise.

Belongs here: the tables, the changes, and running one query on all of them. Does not belong here: the queries
(`queries.py`), and what ought to change (`test_columns.py`).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
from sqlglot import exp, parse_one

Source = tuple[str, str]

TYPES: Mapping[str, Mapping[str, str]] = {
    "people": {
        "id": "INTEGER",
        "name": "VARCHAR",
        "born": "INTEGER",
        "ward": "VARCHAR",
        "Home Town": "VARCHAR",
        "tags": "INTEGER[]",
    },
    "visits": {"id": "INTEGER", "person": "INTEGER", "ward": "VARCHAR", "cost": "DOUBLE", "day": "INTEGER"},
    "wards": {"ward": "VARCHAR", "floor": "INTEGER"},
    "stays": {"id": "INTEGER", "place": "STRUCT(ward VARCHAR, bed INTEGER)"},
}
TABLES = {table: tuple(columns) for table, columns in TYPES.items()}

ROWS: Mapping[str, Sequence[tuple[Any, ...]]] = {
    "people": [
        (1, "a", 1950, "x", "P", [1, 2]),
        (2, "b", 1960, "y", "Q", [3]),
        (3, "c", 1970, "x", "P", []),
        (4, "d", 1980, "z", "R", [4, 5, 6]),
        (5, "a", 1950, None, "Q", None),
    ],
    "visits": [
        (1, 1, "x", 10, 1),
        (2, 1, "y", 20, 5),
        (3, 2, "x", 30, 3),
        (4, 3, "z", 40, 2),
        (5, 3, "z", 50, 9),
        (6, 9, None, 60, 7),
        (7, 2, "x", None, 8),
    ],
    "wards": [("x", 1), ("y", 2), ("w", 1)],
    "stays": [(1, {"ward": "x", "bed": 1}), (2, {"ward": "y", "bed": 2}), (3, None), (4, {"ward": "x", "bed": None})],
}

# Few values, so that what is drawn from them meets in joins, groups and sets; of numbers some of each size in use.
_POOL: Mapping[str, Sequence[Any]] = {
    "INTEGER": [None, 0, 1, 2, 3, 5, 1955, 1960, 1970],
    "DOUBLE": [None, 0.0, 5.0, 10.0, 30.0, 77.0],
    "VARCHAR": [None, "x", "y", "z", "a", "w"],
    "INTEGER[]": [None, [], [1], [2, 3], [3, 2, 2]],
    "STRUCT(ward VARCHAR, bed INTEGER)": [None, *({"ward": w, "bed": b} for w in ("x", "y") for b in (None, 1, 2))],
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a query returns: its columns, which of them changed with which source column, and how often it ran."""

    names: list[str]
    changed: frozenset[tuple[int, Source]]
    runs: int


class Perturbed:
    """The tables as written and once more as drawn; of both, for each column, copies of its table with others values.

    Every copy lies in a schema of its own, which is searched before that of the tables that it belongs to.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        con.execute("SET threads = 1")
        rng = random.Random(7)
        drawn = {table: _drawn(rng, table) for table in TYPES}
        self._copies: dict[str, list[tuple[Source, str]]] = {"written": [], "drawn": []}
        for base, tables in (("written", ROWS), ("drawn", drawn)):
            for table, rows in tables.items():
                self._table(base, table, rows)
                for place, (column, kind) in enumerate(TYPES[table].items()):
                    before = [row[place] for row in rows]
                    for number, values in enumerate(_changes(rng, kind, before)):
                        schema = f"{base}_{table}_{place}_{number}"
                        changed = [
                            (*row[:place], value, *row[place + 1 :]) for row, value in zip(rows, values, strict=True)
                        ]
                        self._table(schema, table, changed)
                        self._copies[base].append(((table, column), schema))

    def _table(self, schema: str, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        columns = ", ".join(f'"{name}" {kind}' for name, kind in TYPES[table].items())
        self._con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}; CREATE TABLE {schema}.{table} ({columns})")
        values = ", ".join([f"({', '.join('?' * len(TYPES[table]))})"] * len(rows))
        self._con.execute(f"INSERT INTO {schema}.{table} VALUES {values}", [value for row in rows for value in row])

    def see(self, sql: str, bases: Sequence[str] = ("written", "drawn")) -> Seen | None:
        """What changes in the result, each column as a bag; None where the query fails on the first of the bases.

        Copies of tables that the query does not name are left out, and where it fails on one, nothing is seen.
        """
        named = {table.name.lower() for table in parse_one(sql, dialect="duckdb").find_all(exp.Table)}
        names: list[str] = []
        changed: set[tuple[int, Source]] = set()
        runs = 0
        for base in bases:
            before = self._run(sql, base)
            if before is None and base == bases[0]:
                return None
            if before is None:
                continue
            names, bags = before
            for source, schema in self._copies[base]:
                places = range(len(names))
                if source[0] not in named or all((place, source) in changed for place in places):
                    continue
                after = self._run(sql, f"{schema},{base}")
                runs += after is not None
                if after is not None:
                    changed |= {(place, source) for place in places if bags[place] != after[1][place]}
        return Seen(names, frozenset(changed), runs)

    def _run(self, sql: str, path: str) -> tuple[list[str], list[Counter[str]]] | None:
        self._con.execute(f"SET search_path = '{path}'")
        try:
            result = self._con.execute(sql, {"now": "2026-01-01 00:00:00"} if "$now" in sql else None)
            names = [column[0] for column in result.description]
            rows = result.fetchall()
        except duckdb.Error:
            return None
        return names, [Counter(repr(row[place]) for row in rows) for place in range(len(names))]


def _drawn(rng: random.Random, table: str) -> list[tuple[Any, ...]]:
    return [tuple(rng.choice(_POOL[kind]) for kind in TYPES[table].values()) for _ in range(8)]


def _changes(rng: random.Random, kind: str, before: list[Any]) -> Iterator[list[Any]]:
    """Other values for a column: new ones, drawn ones, the same in another order, one row's, none."""
    yield [_new(kind, place) for place in range(len(before))]
    for _ in range(3):
        yield [rng.choice(_POOL[kind]) for _ in before]
    yield rng.sample(before, len(before))
    one = rng.randrange(len(before))
    yield [rng.choice(_POOL[kind]) if place == one else value for place, value in enumerate(before)]
    yield [None] * len(before)


def _new(kind: str, place: int) -> Any:
    """A value that stands in no table; in falling order, so that whoever comes first came last before."""
    text, number = f"new {9 - place}", 100 - 7 * place
    return {"VARCHAR": text, "INTEGER[]": [number] * (place + 1)}.get(
        kind, {"ward": text, "bed": number} if kind.startswith("STRUCT") else number
    )
