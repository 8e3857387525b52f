"""The typed form of a contract: what it refuses to say, and whom its rows are about."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from privacy_assets.contracts.contract import (
    ROW,
    ColumnPrivacy,
    ConsentRecords,
    Contract,
    DatasetPrivacy,
    Reading,
    Retention,
    Subject,
    Version,
)
from privacy_assets.contracts.loading import load

PRIVACY: dict[str, Any] = {"subject": {"kind": "patient", "column": "patient_id"}, "lawful_bases": ["consent"]}
RECORDS = {"subject": "who", "purpose": "what", "decision": "said", "decided_at": "when"}


@pytest.fixture
def patients(tiny_project: Path) -> Contract:
    """The contract of the tiny project's patients."""
    return load(tiny_project).contracts["patients"]


@pytest.mark.parametrize(
    ("subject", "column"),
    [(Subject(kind="patient", column="email"), "email"), (Subject(kind="patient"), ROW), (None, None)],
    ids=["named", "every row another", "nobody"],
)
def test_the_rows_are_about_whom_the_contract_says(
    patients: Contract, subject: Subject | None, column: str | None
) -> None:
    """A declared column names the person, else the number of the row; nobody is named where nobody is meant."""
    privacy = patients.privacy.model_copy(update={"subject": subject})
    assert dataclasses.replace(patients, privacy=privacy).subject_column == column


def test_a_column_is_found_by_its_name_alone(patients: Contract) -> None:
    """Another name, or another spelling of it, is no column."""
    assert patients.column("age").type == "SMALLINT"
    for name in ("Age", "", "shoe_size", ROW):
        with pytest.raises(KeyError):
            patients.column(name)


def test_a_contract_cannot_be_changed(patients: Contract) -> None:
    """What was loaded and digested stays."""
    for value, field in ((patients, "version"), (patients.columns[0], "required"), (patients.source, "path")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, field, "other")
    with pytest.raises(ValidationError, match="frozen"):
        patients.privacy.retention = None


def test_what_is_not_said_of_privacy_is_the_law_and_the_least() -> None:
    """72 hours to give notice of a breach (GDPR art. 33), one row in twenty in quarantine, nobody else involved."""
    privacy = DatasetPrivacy.model_validate_json('{"subject": null, "lawful_bases": ["contract"]}')
    assert (privacy.breach_notice_hours, privacy.quarantine_at_most, privacy.third_parties) == (72, 0.05, ())
    assert (privacy.consents, privacy.consent_records, privacy.retention) == (None, None, None)
    assert Reading().null_text == ("",)


@pytest.mark.parametrize(
    "change",
    [
        {"lawful_bases": []}, {"lawful_bases": ["habit"]}, {"subject": {"kind": "p"}}, {"subject": {}},
        {"subject": {"kind": "patient", "name": "x"}}, {"consents": "Consents"}, {"consents": "../consents"},
        {"quarantine_at_most": -0.1}, {"quarantine_at_most": 1.1}, {"quarantine_at_most": float("nan")},
        {"breach_notice_hours": 0}, {"retention": {"column": "seen", "days": 0}},
        {"retention": {"column": "", "days": 1}}, {"retention": {"days": 1}},
        {"consent_records": {**RECORDS, "decision": ""}}, {"third_parties": ["x"]}, {"waiver": True},
    ],
    ids=str,
)  # fmt: skip
def test_what_nobody_can_keep_is_refused(change: dict[str, Any]) -> None:
    """Empty, negative, unknown or too long: the declaration is refused, and with it nothing else is."""
    DatasetPrivacy.model_validate(PRIVACY)
    with pytest.raises(ValidationError):
        DatasetPrivacy.model_validate({**PRIVACY, **change})


def test_a_subject_must_be_spoken_of() -> None:
    """That rows are about nobody has to be said: leaving the subject out is a fault."""
    with pytest.raises(ValidationError, match="subject"):
        DatasetPrivacy.model_validate({"lawful_bases": ["contract"]})


@pytest.mark.parametrize("role", ["", "harmless", "DIRECT_IDENTIFIER", None])
def test_a_column_has_a_role_of_the_family(role: str | None) -> None:
    """There is no role but the four, and no column without one."""
    with pytest.raises(ValidationError):
        ColumnPrivacy.model_validate({"role": role, "category": "user"})
    with pytest.raises(ValidationError):
        ColumnPrivacy.model_validate({"category": "user"})


@pytest.mark.parametrize("days", [1, 36525])
def test_retention_is_between_a_day_and_a_century(days: int) -> None:
    """The bounds themselves are allowed, what is beyond is not."""
    assert Retention(column="seen", days=days).days == days
    with pytest.raises(ValidationError):
        Retention(column="seen", days=days + (1 if days > 1 else -1))


@pytest.mark.parametrize("field", list(RECORDS))
def test_decisions_are_recorded_in_four_columns(field: str) -> None:
    """Who, about what, which and when: without one of them no decision can be honoured."""
    assert ConsentRecords.model_validate(RECORDS).decided_at == "when"
    with pytest.raises(ValidationError):
        ConsentRecords.model_validate({key: value for key, value in RECORDS.items() if key != field})


@pytest.mark.parametrize("version", ["1", "1.0", "1.0.0.0", "v1.0.0", "1.0.x", "1.0.0-rc1", "", " 1.0.0", "1.0.0\n"])
def test_a_version_has_three_numbers(version: str) -> None:
    """Major, minor, patch."""
    assert TypeAdapter(Version).validate_python("10.0.12") == "10.0.12"
    with pytest.raises(ValidationError):
        TypeAdapter(Version).validate_python(version)
