"""only_columns: cases, and what its own law is."""

import duckdb
from sqlglot import exp

from privacy_assets.invariants.only_columns import Parameters, question

KEPT = [
    {
        "asks": {"columns": ["a", "b c"]},
        "output": 'SELECT 1 AS a, 2 AS "b c"',
        "numbers": {"columns": 2, "unexpected": 0, "missing": 0},
    },
]
BROKEN = [
    {"asks": {"columns": ["a"]}, "output": "SELECT 1 AS a, 2 AS b", "numbers": {"unexpected": 1, "missing": 0}},
    {"asks": {"columns": ["a", "b"]}, "output": "SELECT 1 AS a", "numbers": {"unexpected": 0, "missing": 1}},
    {"asks": {"columns": ["a"]}, "output": 'SELECT 1 AS "A"', "numbers": {"unexpected": 1, "missing": 1}},
]


def test_it_asks_of_this_table_and_no_namesake():
    """Tables of the same name in another schema or catalog do not count."""
    with duckdb.connect() as con:
        con.execute("ATTACH ':memory:' AS other; CREATE SCHEMA more")
        con.execute("CREATE TABLE other.data AS SELECT 1 AS b; CREATE TABLE more.data AS SELECT 1 AS c")
        con.execute("CREATE TABLE main.data AS SELECT 1 AS a")
        asked = question(Parameters(kind="only_columns", columns=("a",)), exp.to_table("data"), {})
        assert con.execute(asked.sql(dialect="duckdb")).fetchall() == [(1, 0, 0)]
