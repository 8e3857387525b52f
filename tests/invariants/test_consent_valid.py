"""consent_valid: cases, and what its own law is."""

from datetime import datetime, timedelta

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from privacy_assets.invariants.consent_valid import Parameters, question
from privacy_assets.techniques.minimize import MINIMIZE

_RECORDS = {
    "records_subject": "who",
    "records_purpose": "what for",
    "records_decision": "decision",
    "records_decided_at": "decided_at",
}
CONSENT = {"subject": "patient", "purpose": "study", "basis": "consent", **_RECORDS}
OTHER = CONSENT | {"basis": "other"}


def _literal(text):
    return f"'{text}'" if text else "NULL"


def _consents(*rows):
    values = ", ".join(
        f"({who}, '{purpose}', '{decision}', CAST({_literal(at)} AS TIMESTAMP))" for who, purpose, decision, at in rows
    )
    return f'SELECT * FROM (VALUES {values}) AS v(who, "what for", decision, decided_at)'


def _held(*subjects):
    return f"SELECT unnest([{', '.join(map(str, subjects))}]) AS patient"


_GRANTED = (1, "study", "granted", "2026-01-01 00:00:00")
_WITHDRAWN = (1, "study", "withdrawn", "2026-02-01 00:00:00")
_AGAIN = (1, "study", "granted", "2026-03-01 00:00:00")
_LATER = (1, "study", "withdrawn", "2026-06-15 12:00:01")
_OBJECTED = (1, "study", "objected", "2026-01-01 00:00:00")
_ELSEWHERE = (1, "marketing", "withdrawn", "2026-05-01 00:00:00")
_SAME_TIME = (1, "study", "withdrawn", "2026-01-01 00:00:00")
_UNDATED = (1, "study", "withdrawn", None)
_UNDATED_GRANT = (1, "study", "granted", None)

KEPT = [
    {
        "asks": CONSENT,
        "output": _held(1, 1),
        "consents": _consents(_GRANTED),
        "numbers": {"rows": 2, "not_entitled": 0},
    },
    {"asks": CONSENT, "output": _held(1), "consents": _consents(_WITHDRAWN, _AGAIN, _GRANTED)},
    {"asks": CONSENT, "output": _held(1), "consents": _consents(_GRANTED, _LATER)},
    {"asks": CONSENT, "output": _held(1), "consents": _consents(_GRANTED, _ELSEWHERE)},
    {"asks": OTHER, "output": _held(1, 2), "consents": _consents(_AGAIN, _OBJECTED)},
    {"asks": OTHER, "output": _held(1, 2), "consents": _consents(_ELSEWHERE)},
]
BROKEN = [
    {"asks": CONSENT, "output": _held(1, 2), "consents": _consents(_GRANTED), "numbers": {"not_entitled": 1}},
    {"asks": CONSENT, "output": _held(1), "consents": _consents(_GRANTED, _WITHDRAWN)},
    {"asks": CONSENT, "output": _held(1), "consents": _consents(_GRANTED, _SAME_TIME)},
    {"asks": CONSENT, "output": _held(1), "consents": _consents(_GRANTED, _UNDATED)},
    {"asks": CONSENT, "output": _held(1), "consents": _consents(_UNDATED_GRANT)},
    {"asks": CONSENT, "output": _held("NULL"), "consents": _consents(_GRANTED)},
    {"asks": OTHER, "output": _held(1, 2), "consents": _consents(_OBJECTED), "numbers": {"not_entitled": 1}},
    {"asks": OTHER, "output": _held(1), "consents": _consents(_GRANTED, _WITHDRAWN)},
    {"asks": OTHER, "output": _held("NULL"), "consents": _consents(_GRANTED)},
]

_NOW = datetime.fromisoformat("2026-06-15T12:00:00")
_decisions = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.sampled_from(["study", "marketing"]),
        st.sampled_from(["granted", "withdrawn", "objected"]),
        st.sampled_from([None, -3, -2, -1, 0, 1]),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as con:
        con.execute("CREATE TABLE held AS SELECT unnest([1, 2, 3, 4, NULL]) AS patient")
        yield con


def _record(con, decisions):
    con.execute(
        'CREATE OR REPLACE TABLE said (who INTEGER, "what for" VARCHAR, decision VARCHAR, decided_at TIMESTAMP)'
    )
    for who, why, what, at in decisions:
        decided_at = None if at is None else _NOW + timedelta(days=at)
        con.execute("INSERT INTO said VALUES (?, ?, ?, ?)", [who, why, what, decided_at])


@settings(deadline=None, max_examples=40)
@given(_decisions, st.sampled_from(["consent", "other"]))
def test_it_agrees_with_reading_the_records_one_by_one(con, decisions, basis):
    """The count is that of a plain loop over each subject's decisions."""
    expected = 1
    for subject in (1, 2, 3, 4):
        said = [(at, what) for who, why, what, at in decisions if who == subject and why == "study"]
        dated = [(at, what) for at, what in said if at is not None and at <= 0]
        undated = {what for at, what in said if at is None}
        last = {what for at, what in dated if at == max(dated)[0]} | (undated - {"granted"})
        expected += last != {"granted"} if last or basis == "consent" else 0
    _record(con, decisions)
    parameters = Parameters(kind="consent_valid", **(CONSENT | {"basis": basis}))
    asked = question(parameters, exp.to_table("held"), {"consents": exp.to_table("said")})
    assert con.execute(asked.sql(dialect="duckdb"), {"now": _NOW}).fetchall() == [(5, expected)]


@settings(deadline=None, max_examples=40)
@given(_decisions, st.sampled_from(["consent", "other"]))
def test_it_counts_the_rows_that_minimization_refuses(con, decisions, basis):
    """Two ways to ask the same: what the rule admits is entitled, what it refuses is not."""
    rule = MINIMIZE["consent" if basis == "consent" else "no_objection"]
    columns = {name: value for name, value in CONSENT.items() if name != "basis"}
    _record(con, decisions)
    admits = rule.admits(rule.Parameters(kind=rule.__name__.split(".")[-1], **columns), "held", exp.to_table("said"))
    (refused,) = con.execute(
        f"SELECT count(*) FROM held WHERE NOT ({admits.sql(dialect='duckdb')})", {"now": _NOW}
    ).fetchone()
    parameters = Parameters(kind="consent_valid", **(CONSENT | {"basis": basis}))
    asked = question(parameters, exp.to_table("held"), {"consents": exp.to_table("said")})
    assert con.execute(asked.sql(dialect="duckdb"), {"now": _NOW}).fetchall() == [(5, refused)]
