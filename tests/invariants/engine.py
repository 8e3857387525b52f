"""Asks an invariant's own question of rows given as dictionaries: what the laws and the comparisons share."""

import atexit
from functools import cache, lru_cache

import duckdb
import pyarrow as pa
from sqlglot import exp

from privacy_assets.invariants import INVARIANTS


@cache
def _engine():
    con = duckdb.connect(config={"threads": 1})
    atexit.register(con.close)
    return con


_LAST = {}
"""The rows that each table was made of: asked again, they are there."""


@lru_cache(maxsize=1_000)
def _question(parameters, tables):
    named = {name: exp.to_table(f"rows_of_{name}") for name in tables}
    return INVARIANTS[parameters.kind].question(parameters, named.pop("output"), named).sql(dialect="duckdb")


def measured(kind, asks, **tables):
    """The numbers of one question. A table is a list of dictionaries with the same keys; None is NULL."""
    con = _engine()
    for name, rows in tables.items():
        if _LAST.get(name) is not rows:
            columns = {column: [row[column] for row in rows] for column in rows[0]}
            con.register(f"rows_of_{name}", pa.table(columns))
            _LAST[name] = rows
    asked = con.execute(_question(INVARIANTS[kind].Parameters(kind=kind, **asks), tuple(tables)))
    names = [column[0] for column in asked.description]
    return dict(zip(names, asked.fetchone(), strict=True))
