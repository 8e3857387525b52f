"""People and their rows: keys join, days and decisions fit, columns of one person agree, and what cannot be is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from privacy_assets.errors import BadDeclaration
from privacy_assets.gate import Gate
from privacy_assets.testdata import people
from privacy_assets.testdata.copied import copies, declared
from privacy_assets.testdata.people import Asked, Noisy, invent
from tests.testdata.conftest import Edit

DAY = date(2026, 11, 2)
PEOPLE = 500
PATIENTS = "data/contracts/patients.odcs.yaml"
VISITS = "data/contracts/visits.odcs.yaml"
CONSENTS = "data/contracts/consents.odcs.yaml"


def asked(gate: Gate, purpose: str = "reaching", count: int = PEOPLE, seed: int = 0) -> Asked:
    project, named = gate.project, gate.project.purposes[purpose]
    return Asked(project, named, count, seed, DAY, copies(project, named), declared(project, named))


def test_keys_join_and_tell_apart(visited: Gate) -> None:
    """Every visit is of somebody, everybody was here, keys are different, and an address is its person's everywhere."""
    tables = invent(asked(visited)).tables
    patients, visits, consents = (tables[name] for name in ("patients", "visits", "consents"))
    assert patients.height == patients["patient_id"].n_unique() == PEOPLE
    assert set(visits["patient_id"]) == set(patients["patient_id"]) == set(consents["patient_id"])
    assert visits["visit_id"].n_unique() == visits.height
    each = visits.group_by("patient_id").len()["len"]
    assert each.min() == 1 and each.max() == people.MOST_ROWS
    both = visits.join(patients, on="patient_id").drop_nulls(["contact", "email"])
    assert both.height > PEOPLE and (both["contact"] == both["email"]).all()


def test_everybody_allows_every_purpose(visited: Gate) -> None:
    """One decision of each person about each purpose that the contract knows, before the day."""
    consents = invent(asked(visited)).tables["consents"]
    assert consents.height == 3 * PEOPLE and set(consents["decision"]) == {"granted"}
    assert consents.unique(["patient_id", "purpose"]).height == 3 * PEOPLE
    assert consents["decided_at"].cast(pl.Date).max() < DAY


def test_a_register_of_refusals_has_one_of_nobody_else(visited: Gate, edit: Edit, reopen: Any) -> None:
    """It needs a row, and nobody's who is made may be refused."""
    edit(CONSENTS, "[{value: granted}, {value: withdrawn}, {value: objected}]", "[{value: objected}]")
    for purpose in ("smoking", "reaching"):
        edit(f"data/purposes/{purpose}.yaml", "lawful_basis: consent", "lawful_basis: legitimate_interests")
    edit(VISITS, "lawful_bases: [consent]", "lawful_bases: [consent, legitimate_interests]")
    tables = invent(asked(reopen())).tables
    assert tables["consents"]["decision"].to_list() == ["objected"]
    assert not set(tables["consents"]["patient_id"]) & set(tables["patients"]["patient_id"])


def test_what_the_contract_promises_is_kept_in_every_column(visited: Gate) -> None:
    """Types, order of columns, what is required; what need not be there is missing now and then."""
    made = invent(asked(visited))
    for name, frame in made.tables.items():
        contract = visited.project.contracts[name]
        assert frame.columns == [column.name for column in contract.columns]
        told = [(one.dataset, one.column) for one in made.made_from if one.dataset == name]
        assert told == [(name, column) for column in frame.columns]
        for column in contract.columns:
            needed = column.required or column.name in (contract.subject_column, *contract.primary_key)
            gone = frame[column.name].null_count()
            assert gone == 0 if needed else 0 < gone < frame.height / 10


def test_the_same_is_made_again_and_another_seed_makes_others(visited: Gate) -> None:
    """Tables are equal; not one key of one seed is among those of another."""
    first, again, other = (invent(asked(visited, seed=seed)).tables for seed in (0, 0, 1))
    assert all(first[name].equals(again[name]) for name in first)
    assert not set(first["patients"]["patient_id"]) & set(other["patients"]["patient_id"])


def test_a_column_more_changes_no_other(visited: Gate, edit: Edit, reopen: Any) -> None:
    """Each column has chances of its own."""
    before = invent(asked(visited)).tables["patients"]
    edit(PATIENTS, "      - name: sex\n", "      - {name: sex_as_told, logicalType: string, customProperties: "
         "[{property: privacy, value: {role: attribute, category: user}}]}\n      - name: sex\n")  # fmt: skip
    after = invent(asked(reopen())).tables["patients"]
    assert after.drop("sex_as_told").equals(before)


def test_noisy_rows_are_drawn_whole(visited: Gate) -> None:
    """What is copied of one noisy row comes together, and a column that is not copied is not touched."""
    frame = pl.DataFrame({"sex": ["F", "M"], "age": ["<30", ">=50"], "smoker": [True, False]})
    made = invent(replace(asked(visited, "smoking"), noisy=Noisy(frame, "synthetic/smoking")))
    patients = made.tables["patients"].drop_nulls(["sex", "smoker"])
    assert set(patients.select("sex", "smoker").iter_rows()) == {("F", True), ("M", False)}
    told = {one.column: one.source for one in made.made_from if one.dataset == "patients"}
    assert told["sex"] == told["smoker"] == "synthetic/smoking" != told["age"]


def test_further_rows_of_a_person_agree_in_what_a_person_has_once() -> None:
    """They are drawn among the noisy rows with the same traits, and among all where there are none."""
    frame = pl.DataFrame({"sex": ["F", "M", "F", "M"], "ward": [1, 2, 3, 4]})
    rows = np.repeat([0, 1], 200)
    taken = people._alike(frame, ["sex"], rows, np.random.default_rng(0))
    assert set(taken[:200]) == {0, 2} and set(taken[200:]) == {1, 3}
    assert set(people._alike(frame, [], rows, np.random.default_rng(0))) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (PATIENTS, "      - name: sex\n", "      - name: sex\n        unique: true\n", "3 declared ones"),
        (PATIENTS, "      - name: smoker\n", "      - name: smoker\n        unique: true\n", "BOOLEAN"),
        (
            PATIENTS,
            "      - name: registered\n        logicalType: date\n        required: true\n",
            "      - name: registered\n        logicalType: date\n        required: true\n        unique: true\n",
            "1,825 that may be",
        ),
        (
            PATIENTS,
            "{role: sensitive, category: user.health_and_medical}",
            "{role: sensitive, category: user.health_and_medical, identifier_domain: {name: coming}}",
            "text or a whole number",
        ),
    ],
)
def test_a_column_that_cannot_be_made_is_named(
    visited: Gate, edit: Edit, reopen: Any, file: str, old: str, new: str, said: str
) -> None:
    """With its line, what was expected of it and what there is."""
    edit(file, old, new)
    with pytest.raises(BadDeclaration, match="cannot be made") as raised:
        invent(asked(reopen(), count=2_000))
    (fault,) = raised.value.faults
    assert said in str(fault) and fault.where.startswith(file) and fault.next_step


@pytest.mark.parametrize("kind", ["date", "timestamp", "boolean", "number"])
def test_an_identifier_that_nobodys_can_be_told_from_is_refused(
    visited: Gate, edit: Edit, reopen: Any, kind: str
) -> None:
    """Of a day or a yes no form is nobody's: what identifies is refused then, also where no domain joins by it."""
    before, after = "{role: attribute, category: user.financial}", "{role: direct_identifier, category: user.unique_id}"
    edit(PATIENTS, "logicalType: number\n        physicalType: DECIMAL(10,2)\n", f"logicalType: {kind}\n")
    edit(PATIENTS, before, after)
    with pytest.raises(BadDeclaration, match="cost of patients cannot be made") as raised:
        invent(asked(reopen()))
    assert "text or a whole number" in str(raised.value)


def test_numbers_that_run_out_are_said_before_anything_is_made(visited: Gate, edit: Edit, reopen: Any) -> None:
    """A key of 16 bits is enough for 32,767 people; every column that fails is named at once."""
    edit(PATIENTS, "      - name: age\n", "      - name: age\n        unique: true\n")
    edit(PATIENTS, "      - name: sex\n", "      - name: sex\n        unique: true\n")
    with pytest.raises(BadDeclaration) as raised:
        people.require_makeable(asked(reopen(), count=40_000))
    assert len(raised.value.faults) == 2
    assert "32,767" in str(raised.value)


def test_a_declared_value_that_is_read_as_missing_is_not_made(visited: Gate, edit: Edit, reopen: Any) -> None:
    """It would be quarantined where the column is required, and nothing is left where it is the only one."""
    edit(PATIENTS, "          - value: F\n", "          - value: NA\n")
    edit(PATIENTS, "      - name: sex\n        logicalType: string\n",
         "      - name: sex\n        logicalType: string\n        required: true\n")  # fmt: skip
    frame = pl.DataFrame({"sex": ["NA", "M"], "smoker": [True, False]})
    noisy = replace(asked(reopen(), "smoking"), noisy=Noisy(frame, "synthetic/smoking"))
    for tables in (invent(asked(reopen())).tables, invent(noisy).tables):
        assert set(tables["patients"]["sex"]) <= {"M", "X"}
    edit(PATIENTS, "          - value: M\n          - value: X\n", "")
    with pytest.raises(BadDeclaration, match="sex of patients cannot be made"):
        invent(asked(reopen()))


def test_a_feature_that_no_release_has_is_made_by_the_contract(visited: Gate) -> None:
    """Noisy rows need not hold every copy."""
    frame = pl.DataFrame({"smoker": [True, True]})
    made = invent(replace(asked(visited, "smoking"), noisy=Noisy(frame, "synthetic/smoking")))
    assert set(made.tables["patients"]["smoker"].drop_nulls()) == {True}
    assert {one.source for one in made.made_from if one.column == "sex"} == {"contract"}


def test_a_key_of_several_columns_comes_once(visited: Gate, edit: Edit, reopen: Any) -> None:
    """Rows that would repeat it are left out, and everybody keeps one."""
    edit(VISITS, "primaryKey: true\n        required: true\n", "required: true\n")
    edit(VISITS, "      - name: patient_id\n        logicalType: string\n",
         "      - name: ward\n        logicalType: string\n        primaryKey: true\n        primaryKeyPosition: 1\n"
         "        enum: [{value: one}, {value: two}]\n        customProperties: [{property: privacy, value: "
         "{role: attribute, category: user}}]\n"
         "      - name: patient_id\n        logicalType: string\n        primaryKey: true\n"
         "        primaryKeyPosition: 2\n")  # fmt: skip
    visits = invent(asked(reopen())).tables["visits"]
    assert visits.unique(["ward", "patient_id"]).height == visits.height < 2 * PEOPLE + 1
    assert visits["patient_id"].n_unique() == PEOPLE


ANSWERS = """\
kind: Purpose
purpose: answers
version: 1.0.0
title: What people answered
why: Try out a table in which every row is another person
owner: team:clinic-data
lawful_basis: legitimate_interests
retention_days: 365
datasets:
  visits:
    columns:
      _row: {why: rows of one person belong together, technique: {kind: token}}
      admitted: {why: when they came, technique: {kind: truncate_date, to: month}}
features: {unit: answer, key: [_row], subject: _row}
"""


def test_where_every_row_is_another_person(visited: Gate, edit: Edit, reopen: Any) -> None:
    """As many rows as people, and no other dataset."""
    edit(VISITS, "subject: {kind: patient, column: patient_id}", "subject: {kind: patient}")
    edit(VISITS, "      consents: consents\n", "")
    edit(VISITS, "lawful_bases: [consent]", "lawful_bases: [legitimate_interests]")
    purposes = visited.project.root / "data/purposes"
    (purposes / "reaching.yaml").unlink()
    (purposes / "answers.yaml").write_text(ANSWERS, "utf-8")
    tables = invent(asked(reopen(), "answers")).tables
    assert {name: frame.height for name, frame in tables.items()} == {"visits": PEOPLE}


def test_a_table_about_nobody_has_a_row_for_each_declared_key(visited: Gate, edit: Edit, reopen: Any) -> None:
    """Wards are not people."""
    text = (
        (visited.project.root / VISITS).read_text("utf-8").partition("schema:")[0].replace("tiny-visits", "tiny-wards")
    )
    text = text.replace("subject: {kind: patient, column: patient_id}", "subject: null").replace(
        "visits.csv", "wards.csv"
    )
    text = text.replace("      consents: consents\n", "").replace("[consent]", "[consent, legitimate_interests]")
    privacy = "customProperties: [{property: privacy, value: {role: attribute, category: system}}]"
    text += f"""schema:
  - name: wards
    properties:
      - {{name: ward, logicalType: string, primaryKey: true, enum: [{{value: one}}, {{value: two}}], {privacy}}}
      - {{name: beds, logicalType: integer, {privacy}}}
"""
    (visited.project.root / "data/contracts/wards.odcs.yaml").write_text(text, "utf-8")
    edit("data/purposes/reaching.yaml", "  visits:\n", "  wards:\n    columns:\n      ward: {why: where it was, "
         "technique: {kind: keep}}\n  visits:\n")  # fmt: skip
    assert invent(asked(reopen())).tables["wards"]["ward"].to_list() == ["one", "two"]
