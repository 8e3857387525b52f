"""Rules of minimization: conformance of every member, and each rule against the same rule told in Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlglot import exp

from privacy_assets.techniques.minimize import MINIMIZE

NOW = datetime(2024, 6, 15, 12, tzinfo=UTC).replace(tzinfo=None)
NAMES = {
    "subject": "the patient",
    "purpose": "research",
    "records_subject": "who",
    "records_purpose": "what for",
    "records_decision": "said",
    "records_decided_at": "when",
}
PARAMETERS: dict[str, dict[str, Any]] = {
    "consent": NAMES,
    "no_objection": NAMES,
    "retention": {"column": "seen", "days": 30},
}

Record = tuple[int | None, str | None, str | None, datetime | None]
MOMENTS = st.sampled_from([NOW + timedelta(hours=hours) for hours in (-48, -24, -1, 0, 1)]) | st.none()
RECORDS = st.lists(
    st.tuples(
        st.sampled_from([1, 2, None]),
        st.sampled_from(["research", "billing", None]),
        st.sampled_from(["granted", "withdrawn", "objected", None]),
        MOMENTS,
    ),
    max_size=8,
)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine with a table of patients and one of decisions."""
    with duckdb.connect() as con:
        con.execute('CREATE TABLE patients ("the patient" INTEGER, seen DATE)')
        con.execute('CREATE TABLE decisions (who INTEGER, "what for" VARCHAR, said VARCHAR, "when" TIMESTAMP)')
        yield con


def rule(kind: str, consents: exp.Table | None, **changes: Any) -> exp.Expr:
    module = MINIMIZE[kind]
    parameters = module.Parameters.model_validate({"kind": kind, **PARAMETERS[kind], **changes})
    return module.admits(parameters, "row", consents)


def asked(con: duckdb.DuckDBPyConnection, kind: str, records: Sequence[Record]) -> dict[int | None, bool | None]:
    """For patients 1 to 3 and for one without a number, whether the rule admits the row."""
    con.execute("DELETE FROM patients; INSERT INTO patients VALUES (1, NULL), (2, NULL), (3, NULL), (NULL, NULL)")
    con.execute("DELETE FROM decisions")
    for record in records:
        con.execute("INSERT INTO decisions VALUES (?, ?, ?, ?)", record)
    condition = rule(kind, exp.to_table("memory.main.decisions")).sql(dialect="duckdb")
    return dict(con.execute(f'SELECT "the patient", {condition} FROM patients AS row', {"now": NOW}).fetchall())


def last_words(records: Sequence[Record], subject: int) -> set[str | None]:
    """The decisions of a subject that have the latest time; a refusal without a time is made now."""
    said = [
        (NOW if when is None else when, decision)
        for who, what, decision, when in records
        if who == subject and what == "research" and (when is not None or decision != "granted")
    ]
    said = [(when, decision) for when, decision in said if when <= NOW]
    return {decision for when, decision in said if when == max(said, key=lambda one: one[0])[0]}


@pytest.mark.parametrize("kind", list(MINIMIZE))
@pytest.mark.parametrize("consents", [None, exp.to_table("decided.main.data", dialect="duckdb")])
def test_a_rule_is_a_condition_on_its_row(kind: str, consents: exp.Table | None) -> None:
    """Every rule is here with parameters; outside subqueries it names columns of its row, and no moment but now."""
    found = rule(kind, consents)
    assert isinstance(found, exp.Condition)
    inner = {id(column) for select in found.find_all(exp.Select) for column in select.find_all(exp.Column)}
    assert {column.table for column in found.find_all(exp.Column) if id(column) not in inner} <= {"row"}
    assert {placeholder.name for placeholder in found.find_all(exp.Placeholder)} <= {"now"}
    assert not list(found.find_all(exp.CurrentDate, exp.CurrentTimestamp))
    assert found.sql(dialect="duckdb") == rule(kind, consents).sql(dialect="duckdb")


@pytest.mark.parametrize("kind", list(MINIMIZE))
def test_parameters_are_closed(kind: str) -> None:
    """A parameter that does not exist is refused."""
    with pytest.raises(ValidationError):
        rule(kind, None, no_such_parameter=1)


@settings(max_examples=60, deadline=None)
@given(RECORDS)
def test_consent_is_the_last_word(con: duckdb.DuckDBPyConnection, records: list[Record]) -> None:
    """Admitted is whose latest decisions are all `granted`, never NULL, never a row about nobody."""
    expected = {subject: last_words(records, subject) == {"granted"} for subject in (1, 2, 3)}
    assert asked(con, "consent", records) == {**expected, None: False}


@settings(max_examples=60, deadline=None)
@given(RECORDS)
def test_an_objection_is_the_last_word(con: duckdb.DuckDBPyConnection, records: list[Record]) -> None:
    """Admitted is who never decided, and whose latest decisions are all `granted`."""
    expected = {subject: last_words(records, subject) <= {"granted"} for subject in (1, 2, 3)}
    assert asked(con, "no_objection", records) == {**expected, None: False}


@pytest.mark.parametrize(
    ("records", "consented", "unopposed"),
    [
        ([], False, True),
        ([("granted", -2)], True, True),
        ([("granted", -2), ("withdrawn", -1)], False, False),
        ([("objected", -2), ("granted", -1)], True, True),
        ([("granted", -1), ("objected", -1)], False, False),
        ([("granted", -2), ("withdrawn", 1)], True, True),
        ([("granted", 1)], False, True),
        ([("granted", 0)], True, True),
        ([("granted", -1), ("withdrawn", None)], False, False),
        ([("granted", None)], False, True),
        ([("withdrawn", None), ("granted", 0)], False, False),
    ],
)
def test_cases(
    con: duckdb.DuckDBPyConnection, records: list[tuple[str, int | None]], consented: bool, unopposed: bool
) -> None:
    """Silence, change of mind, ties, the future, missing times: the table of cases that the law above contains."""
    rows = [(1, "research", said, None if hours is None else NOW + timedelta(hours=hours)) for said, hours in records]
    assert asked(con, "consent", rows)[1] is consented
    assert asked(con, "no_objection", rows)[1] is unopposed


def test_without_records() -> None:
    """Where nothing is recorded nobody has consented, and nobody has objected."""
    assert rule("consent", None) == exp.false()
    assert rule("no_objection", None).sql(dialect="duckdb") == 'NOT "row"."the patient" IS NULL'


@pytest.mark.parametrize("kind", ["consent", "no_objection"])
def test_decisions_are_joined_by_hash(con: duckdb.DuckDBPyConnection, kind: str) -> None:
    """The engine reads the decisions once, and compares no row with every decision."""
    condition = rule(kind, exp.to_table("decisions")).sql(dialect="duckdb")
    plan = con.execute(f"EXPLAIN SELECT * FROM patients AS row WHERE {condition}", {"now": NOW}).fetchall()[0][1]
    assert "HASH_JOIN" in plan
    assert plan.count("decisions") == 1
    assert not any(slow in plan for slow in ("NESTED_LOOP", "BLOCKWISE_NL", "DELIM", "CROSS_PRODUCT"))


@pytest.mark.parametrize("of", ["DATE", "TIMESTAMP"])
def test_retention_ends_after_the_last_day(con: duckdb.DuckDBPyConnection, of: str) -> None:
    """The day itself plus 30 days is in, one day more is out, at any hour; the future is in, no date is out."""
    seen = [date(2024, 5, 16), date(2024, 5, 15), date(2030, 1, 1), None, "infinity", "-infinity"]
    con.execute(f"CREATE OR REPLACE TABLE stays (place INTEGER, seen {of})")
    con.executemany("INSERT INTO stays VALUES (?, ?)", list(enumerate(seen)))
    condition = rule("retention", None).sql(dialect="duckdb")
    found = con.execute(f"SELECT {condition} FROM stays AS row ORDER BY place", {"now": NOW}).fetchall()
    assert [admitted for (admitted,) in found] == [True, False, True, False, True, False]


@settings(max_examples=60, deadline=None)
@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(1, 36525), st.integers(0, 23))
def test_retention_is_that_of_the_calendar(con: duckdb.DuckDBPyConnection, seen: date, days: int, hour: int) -> None:
    """As Python's calendar has it, for any date and number of days, whatever hour it is asked."""
    condition = rule("retention", None, days=days).sql(dialect="duckdb")
    asked_of = f"SELECT {condition} FROM (SELECT CAST($seen AS DATE) AS seen) AS row"
    found = con.execute(asked_of, {"now": NOW.replace(hour=hour), "seen": seen}).fetchone()
    assert found == (seen + timedelta(days=days) >= NOW.date(),)
