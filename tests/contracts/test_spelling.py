"""Names are one where the engine reads them as one, and only there."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp, parse_one

from privacy_assets.contracts.spelling import folded, spelled_alike
from privacy_assets.errors import BadDeclaration

LETTERS = st.text("aAzZäÄßẞéÉiIıİſsSK\u212akK_1", min_size=1, max_size=3)


def query(sql: str) -> exp.Query:
    parsed = parse_one(sql, dialect="duckdb")
    assert isinstance(parsed, exp.Query)
    return parsed


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine."""
    with duckdb.connect() as con:
        yield con


@given(LETTERS, LETTERS)
@settings(deadline=None, max_examples=150)
def test_two_names_are_one_where_the_engine_says_so(con: duckdb.DuckDBPyConnection, one: str, other: str) -> None:
    """A table can have both columns exactly where their folded names differ."""
    try:
        con.execute(f'CREATE OR REPLACE TEMP TABLE both_of ("{one}" INTEGER, "{other}" INTEGER)')
        apart = True
    except duckdb.CatalogException:
        apart = False
    assert apart == (folded(one) != folded(other))


@given(st.text())
def test_folding_twice_is_folding_once(name: str) -> None:
    """The folded form is final, and as long as the name."""
    assert folded(folded(name)) == folded(name)
    assert len(folded(name)) == len(name)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT AGE, age, \"aGe\" FROM PATIENTS", 'SELECT Age, Age, "Age" FROM patients'),
        ("SELECT P.age FROM patients AS p", "SELECT P.Age FROM patients AS P"),
        ("SELECT age AS Years FROM patients ORDER BY years", "SELECT Age AS Years FROM patients ORDER BY Years"),
        ("SELECT 'AGE' FROM patients", "SELECT 'AGE' FROM patients"),
        ("SELECT Ä, ä FROM patients", "SELECT Ä, ä FROM patients"),
    ],
)  # fmt: skip
def test_the_spelling_of_the_tables_wins_then_the_first(sql: str, expected: str) -> None:
    """Tables, columns and names that the query makes are each spelled one way; texts are left alone."""
    alike = spelled_alike(query(sql), {"patients": ["Age"]})
    assert alike.sql(dialect="duckdb") == query(expected).sql(dialect="duckdb")


def test_a_name_that_the_query_makes_is_spelled_one_way_throughout() -> None:
    """A common table expression, its columns and what refers to them, however often and wherever."""
    alike = spelled_alike(
        query("WITH Old AS (SELECT age AS Years FROM patients) SELECT old.years FROM OLD WHERE YEARS > 1"),
        {"patients": ["age"]},
    )
    spellings = {name.name for name in alike.find_all(exp.Identifier)}
    assert len(spellings) == len({folded(name) for name in spellings}) == 4


def test_a_column_is_spelled_as_the_first_table_that_has_it() -> None:
    """Two tables may spell the name of one column differently: each is found by either spelling."""
    alike = spelled_alike(query("SELECT a.id FROM a JOIN b ON a.ID = b.id"), {"a": ["Id"], "b": ["ID"]})
    assert {column.name for column in alike.find_all(exp.Column)} == {"Id"}


def test_the_query_that_came_in_is_as_it_was() -> None:
    """A copy is returned."""
    before = query("SELECT AGE FROM patients")
    spelled_alike(before, {"patients": ["age"]})
    assert before.sql() == "SELECT AGE FROM patients"


@pytest.mark.parametrize("tables", [{"patients": ["age", "Age"]}, {"patients": ["age"], "Patients": ["sex"]}])
def test_names_that_the_engine_does_not_tell_apart_are_refused(tables: dict[str, list[str]]) -> None:
    """Two columns of a table, or two tables, that differ by case only."""
    with pytest.raises(BadDeclaration, match="upper and lower case"):
        spelled_alike(query("SELECT 1"), tables)


def test_names_that_differ_outside_ascii_are_two() -> None:
    """The engine tells Ä from ä."""
    spelled_alike(query("SELECT 1"), {"patients": ["Ä", "ä"]})
