"""What is known of a column from raw to pseudonymized."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from privacy_assets.contracts.columns import minimized_columns, pseudonymized_columns, raw_columns
from privacy_assets.contracts.contract import ROW, Contract, Subject
from privacy_assets.contracts.loading import Project, load
from privacy_assets.contracts.purpose import DatasetUse, Need
from privacy_assets.words import Role


@pytest.fixture
def project(tiny_project: Path) -> Project:
    """The declarations of the tiny project."""
    return load(tiny_project)


@pytest.fixture
def patients(project: Project) -> Contract:
    """The contract of the tiny project's patients."""
    return project.contracts["patients"]


@pytest.fixture
def use(project: Project) -> DatasetUse:
    """What the tiny purpose needs of the patients."""
    return project.purposes["smoking"].datasets["patients"]


def test_raw_has_the_columns_of_the_contract(patients: Contract) -> None:
    """In its order, with all that it says of each."""
    columns = raw_columns(patients)
    assert [column.name for column in columns] == [column.name for column in patients.columns]
    for column, promised in zip(columns, patients.columns, strict=True):
        assert (column.type, column.domain, column.description) == (
            promised.type,
            promised.domain,
            promised.description,
        )
        assert (column.role, column.category) == (promised.privacy.role, promised.privacy.category)
        assert column.identifier_domain == promised.privacy.identifier_domain
        assert column.technique == ""


def test_a_row_that_names_the_person_is_a_direct_identifier(patients: Contract) -> None:
    """Where every row is another person the number of the row is added, in a domain of this dataset alone."""
    anonymous = replace(patients, privacy=patients.privacy.model_copy(update={"subject": Subject(kind="patient")}))
    *others, row = raw_columns(anonymous)
    assert tuple(others) == raw_columns(patients)
    assert (row.name, row.type, row.role) == (ROW, "BIGINT", Role.DIRECT_IDENTIFIER)
    assert row.identifier_domain is not None
    assert row.identifier_domain.name == "patients_row"


def test_nobody_has_no_row(patients: Contract) -> None:
    """A dataset about nobody needs no number of the row."""
    about_nobody = replace(patients, privacy=patients.privacy.model_copy(update={"subject": None}))
    assert ROW not in [column.name for column in raw_columns(about_nobody)]


def test_minimized_has_what_the_purpose_needs_in_its_order(patients: Contract, use: DatasetUse) -> None:
    """Nothing else passes, and nothing is done to it yet."""
    turned = use.model_copy(update={"columns": dict(reversed(use.columns.items()))})
    assert [column.name for column in minimized_columns(patients, turned)] == ["smoker", "age", "sex", "patient_id"]
    assert set(minimized_columns(patients, turned)) <= set(raw_columns(patients))


def test_a_column_that_the_contract_does_not_promise_is_an_error(patients: Contract, use: DatasetUse) -> None:
    """A need cannot make a column."""
    more = use.model_copy(update={"columns": {**use.columns, "shoe_size": use.columns["sex"]}})
    for columns in (minimized_columns, pseudonymized_columns):
        with pytest.raises(KeyError, match="shoe_size"):
            columns(patients, more)


def test_pseudonymized_is_what_the_techniques_leave(patients: Contract, use: DatasetUse) -> None:
    """Each column as its own technique tells, and none of another."""
    found = {column.name: column for column in pseudonymized_columns(patients, use)}
    assert list(found) == list(use.columns)
    assert {name: column.technique for name, column in found.items()} == {
        "patient_id": "token", "sex": "keep", "age": "bucket", "smoker": "keep",
    }  # fmt: skip
    assert (found["patient_id"].type, found["age"].type) == ("UUID", "VARCHAR")
    assert found["age"].domain == ("<30", "[30,50)", ">=50")
    assert Role.DIRECT_IDENTIFIER not in {column.role for column in found.values()}


def test_another_technique_leaves_another_column(patients: Contract, use: DatasetUse) -> None:
    """What is known afterwards follows the technique, not the column alone."""
    redacted = Need.model_validate({"why": "only that it is there", "technique": {"kind": "redact"}})
    changed = use.model_copy(update={"columns": {**use.columns, "age": redacted}})
    before, after = ({column.name: column for column in pseudonymized_columns(patients, one)} for one in (use, changed))
    assert before.pop("age") != after.pop("age")
    assert before == after
