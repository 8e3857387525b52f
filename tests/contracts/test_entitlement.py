"""Which rows a purpose may use: from the declarations to conditions that an engine answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from sqlglot import exp

from privacy_assets.contracts.entitlement import consent_records, entitled, retained
from privacy_assets.contracts.loading import Project, load
from privacy_assets.words import LawfulBasis

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC).replace(tzinfo=None)
DECISIONS = {
    "silent": [],
    "granted": [("smoking", "granted", -2)],
    "withdrawn": [("smoking", "granted", -2), ("smoking", "withdrawn", -1)],
    "objected": [("smoking", "objected", -1)],
    "granted again": [("smoking", "withdrawn", -2), ("smoking", "granted", -1)],
    "withdraws tomorrow": [("smoking", "granted", -2), ("smoking", "withdrawn", 1)],
    "granted another": [("drinking", "granted", -1)],
    "withdrew another": [("smoking", "granted", -2), ("drinking", "withdrawn", -1)],
}
CONSENTED = {"granted", "granted again", "withdraws tomorrow", "withdrew another"}
REFUSED = {"withdrawn", "objected"}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine with a row for each way to decide, and the decisions."""
    with duckdb.connect() as con:
        con.execute("CREATE TABLE patients (patient_id VARCHAR)")
        con.execute(
            "CREATE TABLE said_table (patient_id VARCHAR, purpose VARCHAR, decision VARCHAR, decided_at TIMESTAMP)"
        )
        for person, decisions in DECISIONS.items():
            con.execute("INSERT INTO patients VALUES (?)", [person])
            for purpose, decision, days in decisions:
                con.execute(
                    "INSERT INTO said_table VALUES (?, ?, ?, ?)",
                    [person, purpose, decision, NOW + timedelta(days=days)],
                )
        yield con


@pytest.fixture
def project(tiny_project: Path) -> Project:
    """The declarations of the tiny project."""
    return load(tiny_project)


def admitted(con: duckdb.DuckDBPyConnection, condition: exp.Expr) -> set[str]:
    sql = exp.select("patient_id").from_("patients AS held").where(condition).sql(dialect="duckdb")
    return {person for (person,) in con.execute(sql, {"now": NOW}).fetchall()}


@pytest.mark.parametrize("basis", list(LawfulBasis))
def test_consent_needs_a_yes_and_every_other_basis_no_refusal(
    project: Project, con: duckdb.DuckDBPyConnection, basis: LawfulBasis
) -> None:
    """The last decision about this purpose up to now counts; silence is a no for consent alone."""
    records = consent_records(project, project.contracts["patients"])
    assert records is not None
    purpose = project.purposes["smoking"].model_copy(update={"lawful_basis": basis})
    condition = entitled(purpose, "patient_id", records, "held", exp.to_table("said_table"))
    expected = CONSENTED if basis is LawfulBasis.CONSENT else set(DECISIONS) - REFUSED
    assert admitted(con, condition) == expected


def test_records_are_those_of_the_dataset_that_the_contract_names(project: Project) -> None:
    """Where decisions stand is what the contract of the decisions says."""
    records = consent_records(project, project.contracts["patients"])
    assert records == project.contracts["consents"].privacy.consent_records
    assert records is not None
    assert (records.subject, records.decided_at) == ("patient_id", "decided_at")


@pytest.mark.parametrize("missing", ["consents", "subject"])
def test_where_nobody_is_asked_there_are_no_records(project: Project, missing: str) -> None:
    """Without decisions, or about nobody, no decision is looked for; and never in the dataset's own columns."""
    contract = project.contracts["patients"]
    lacking = replace(contract, privacy=contract.privacy.model_copy(update={missing: None}))
    assert consent_records(project, lacking) is None
    assert consent_records(project, project.contracts["consents"]) is None


@pytest.mark.parametrize(("age", "kept"), [(0, True), (29, True), (30, True), (31, False), (None, False)])
def test_the_last_day_of_retention_is_included(con: duckdb.DuckDBPyConnection, age: int | None, kept: bool) -> None:
    """A row is kept for `days` after its date, that day included; without a date it is not kept."""
    seen = None if age is None else (NOW - timedelta(days=age)).date()
    con.execute("CREATE TABLE seen AS SELECT CAST(? AS DATE) AS day", [seen])
    sql = exp.select("day").from_("seen AS held").where(retained(30, "day", "held")).sql(dialect="duckdb")
    assert bool(con.execute(sql, {"now": NOW}).fetchall()) is kept
