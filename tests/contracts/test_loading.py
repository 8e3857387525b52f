"""The declarations of a project: what loads, what is refused, and in which line."""

# ruff: noqa: E501  (the table of bad declarations has one case a line)

from __future__ import annotations

import operator
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from open_data_contract_standard.model import OpenDataContractStandard

from privacy_assets.contracts.loading import Folders, Project, check, load
from privacy_assets.errors import BadDeclaration, Fault
from privacy_assets.words import AssetName, LawfulBasis, Role

PATIENTS = "data/contracts/patients.odcs.yaml"
CONSENTS = "data/contracts/consents.odcs.yaml"
SMOKING = "data/purposes/smoking.yaml"


def edit(root: Path, file: str, old: str, new: str) -> None:
    """Replace the first `old` in a file, which must be there."""
    path = root / file
    text = path.read_text("utf-8")
    assert old in text, f"{old!r} is not in {file}"
    path.write_text(text.replace(old, new, 1), "utf-8")


def line_of(root: Path, file: str, marker: str) -> int:
    """The first line that holds `marker`."""
    lines = (root / file).read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if marker in line)


def place(fault: Fault) -> str:
    """`file:line`, without the column in it."""
    return ":".join(fault.where.split(" ")[0].split(":")[:2])


# ---- what loads


def test_a_project_loads(tiny_project: Path) -> None:
    """Contracts and purposes come out by name, in the types of the house."""
    project = load(tiny_project)
    patients = project.contracts["patients"]
    assert check(tiny_project) == []
    assert set(project.contracts) == {"patients", "consents"}
    assert set(project.purposes) == {"smoking"}
    assert patients.title == "Patients of a tiny clinic"
    assert patients.description == "Who is registered at the clinic"
    assert patients.owner == "team:clinic-data"
    assert patients.fresh_within_hours == 48
    assert patients.primary_key == ("patient_id",)
    assert patients.subject_column == "patient_id"
    assert patients.privacy.lawful_bases == (LawfulBasis.CONSENT, LawfulBasis.LEGITIMATE_INTERESTS)
    assert [column.type for column in patients.columns] == [
        "VARCHAR", "VARCHAR", "VARCHAR", "SMALLINT", "BOOLEAN", "DECIMAL(10,2)", "DATE",
    ]  # fmt: skip
    assert patients.column("sex").domain == ("F", "M", "X")
    assert patients.column("patient_id").required
    assert patients.column("email").privacy.role is Role.DIRECT_IDENTIFIER
    assert (patients.source.format, patients.source.delimiter, patients.source.reading.null_text) == (
        "csv", ";", ("", "NA"),
    )  # fmt: skip


def test_the_official_model_reads_our_contracts(tiny_project: Path) -> None:
    """A contract is a file of the standard before it is ours."""
    for file in (PATIENTS, CONSENTS):
        assert OpenDataContractStandard.from_file(str(tiny_project / file)).kind == "DataContract"


def test_every_stage_has_an_asset(tiny_project: Path) -> None:
    """The assets are those that contracts and purposes declare."""
    assert {str(asset) for asset in load(tiny_project).assets()} == {
        "raw/patients", "raw/consents", "minimized/smoking/patients", "pseudonymized/smoking/patients",
        "features/smoking", "training/smoking", "model/smoking",
    }  # fmt: skip


def test_no_training_no_asset_of_it(tiny_project: Path) -> None:
    """A purpose that ends with its features has no training set and no model."""
    path = tiny_project / SMOKING
    path.write_text(path.read_text("utf-8").split("training:")[0], "utf-8")
    assert AssetName.parse("training/smoking") not in load(tiny_project).assets()


def test_columns_along_the_way(tiny_project: Path) -> None:
    """Minimized has what the purpose needs; pseudonymized has what the techniques leave; features what the SQL names."""
    project = load(tiny_project)
    assert [column.name for column in project.raw_columns("patients")] == [
        "patient_id", "email", "sex", "age", "smoker", "cost", "registered",
    ]  # fmt: skip
    needed = ["patient_id", "sex", "age", "smoker"]
    assert [column.name for column in project.minimized_columns("smoking", "patients")] == needed
    after = {column.name: column for column in project.pseudonymized_columns("smoking", "patients")}
    assert list(after) == needed
    assert after["patient_id"].technique == "token"
    assert after["patient_id"].role is not Role.DIRECT_IDENTIFIER
    assert after["patient_id"].identifier_domain is not None
    assert [column.name for column in project.features("smoking").columns] == needed


def test_without_a_subject_column_the_row_names_the_person(tiny_project: Path) -> None:
    """`_row` is then a direct identifier of a domain of its own, and a purpose names it as any other column."""
    edit(tiny_project, PATIENTS, "        column: patient_id\n", "")
    edit(tiny_project, PATIENTS, "[consent, legitimate_interests]", "[public_task]")
    edit(tiny_project, PATIENTS, "      consents: consents\n", "")
    path = tiny_project / SMOKING
    text = path.read_text("utf-8").replace("lawful_basis: consent", "lawful_basis: public_task")
    path.write_text(text.replace("patient_id", "_row"), "utf-8")
    project = load(tiny_project)
    row = project.raw_columns("patients")[-1]
    assert (row.name, row.type, row.role) == ("_row", "BIGINT", Role.DIRECT_IDENTIFIER)
    assert row.identifier_domain is not None
    assert row.identifier_domain.name == "patients_row"
    assert project.contracts["patients"].subject_column == "_row"
    assert project.features("smoking").columns[0].name == "_row"


def test_a_dataset_may_be_about_nobody(tiny_project: Path) -> None:
    """Without a subject no lawful basis, subject column or token is asked of a purpose."""
    text = (tiny_project / CONSENTS).read_text("utf-8")
    text = text.split("customProperties:\n")[0].replace("consents", "wards") + (
        "customProperties:\n  - property: privacy\n    value: {subject: null, lawful_bases: [public_task]}\n"
        "schema:\n  - name: wards\n    properties:\n      - name: ward\n        logicalType: string\n"
        "        enum: [{value: north}, {value: south}]\n        customProperties:\n          - property: privacy\n"
        "            value: {role: attribute, category: system.operations}\n"
    )
    (tiny_project / "data/contracts/wards.odcs.yaml").write_text(text, "utf-8")
    edit(
        tiny_project, SMOKING, "features:\n",
        "  wards:\n    columns:\n      ward:\n        why: wards are compared\n        technique: {kind: keep}\nfeatures:\n",
    )  # fmt: skip
    assert load(tiny_project).contracts["wards"].subject_column is None


@pytest.mark.parametrize(
    ("kind", "name", "way", "file", "marker"),
    [
        ("contract", "patients", (), PATIENTS, "apiVersion"),
        ("contract", "patients", ("privacy",), PATIENTS, "value:"),
        ("contract", "patients", ("privacy", "retention", "days"), PATIENTS, "days: 3650"),
        ("contract", "patients", ("columns", "age"), PATIENTS, "- name: age"),
        ("contract", "patients", ("columns", "email", "privacy", "category"), PATIENTS, "user.contact.email"),
        ("contract", "patients", ("columns", "sex", "enum", 1), PATIENTS, "- value: M"),
        ("contract", "patients", ("source", "path"), PATIENTS, "path: data"),
        ("purpose", "smoking", ("features", "sql"), SMOKING, "sql: |"),
        ("purpose", "smoking", ("datasets", "patients", "columns", "age"), SMOKING, "      age:"),
        ("purpose", "smoking", ("guarantee", "utility", "at_least"), SMOKING, "guarantee:"),
        ("purpose", "smoking", ("withdrawal_effect_hours",), SMOKING, "kind: Purpose"),
    ],
)
def test_where_finds_the_line(
    tiny_project: Path, kind: str, name: str, way: tuple[str | int, ...], file: str, marker: str
) -> None:
    """A promise has its line; one that is not written has the line of what it would stand in."""
    line = line_of(tiny_project, file, marker)
    if way == ("privacy",):
        line = line_of(tiny_project, PATIENTS, "      subject:") - 1
    assert load(tiny_project).where(kind, name, *way) == f"{file}:{line}"


def test_where_knows_only_what_is_declared(tiny_project: Path) -> None:
    """A name that is not declared has no line."""
    with pytest.raises(KeyError):
        load(tiny_project).where("purpose", "nothing")


def test_digests_are_of_meaning(tiny_project: Path) -> None:
    """Comments, spacing and order change no digest; what is meant does."""

    def digests(project: Project) -> tuple[str, str]:
        return project.contracts["patients"].digest, project.digest("smoking")

    before = digests(load(tiny_project))
    edit(
        tiny_project,
        PATIENTS,
        "kind: DataContract\nid: tiny-patients",
        "# a comment\nid: tiny-patients\nkind: DataContract",
    )
    edit(tiny_project, SMOKING, "retention_days: 365", "retention_days:     365 # days")
    assert digests(load(tiny_project)) == before
    edit(tiny_project, PATIENTS, "days: 3650", "days: 3651")
    edit(tiny_project, SMOKING, "retention_days:     365", "retention_days: 364")
    after = digests(load(tiny_project))
    assert after[0] != before[0]
    assert after[1] != before[1]
    assert all(len(digest) == 64 for digest in after)


def test_a_project_cannot_be_changed(tiny_project: Path) -> None:
    """What was checked stays as it was checked."""
    project = load(tiny_project)
    with pytest.raises(TypeError):
        operator.setitem(project.purposes, "other", project.purposes["smoking"])


# ---- what is refused

BAD = [
    # the head of a contract
    ("not a contract", PATIENTS, "kind: DataContract", "kind: Contract", "kind: Contract", "not a data contract"),
    ("no kind", PATIENTS, "kind: DataContract\n", "", "apiVersion", "not a data contract"),
    ("old standard", PATIENTS, "v3.2.0", "v2.2.2", "apiVersion", "v3.1.0"),
    ("no id", PATIENTS, "id: tiny-patients\n", "", "apiVersion", "`id` is missing"),
    ("version", PATIENTS, "version: 1.0.0", "version: one", "version: one", "semantic version"),
    ("version is a number", PATIENTS, "version: 1.0.0", "version: 1.0", "version: 1.0", "text; in quotes"),
    ("unknown key", PATIENTS, "status: active", "statsu: active", "statsu", "did you mean `status`?"),
    ("unknown key in a column", PATIENTS, "        required: true", "        requird: true", "requird", "did you mean `required`?"),
    ("unknown key in the schema", PATIENTS, "    properties:", "    tag: x\n    properties:", "tag: x", "there is no key `tag`"),
    ("no owner", PATIENTS, "team:\n  name: clinic-data\n", "", "apiVersion", "no owner"),
    ("old form of team", PATIENTS, "team:\n  name: clinic-data", "team:\n  - username: me", "team:", "no owner"),
    ("owner with a space", PATIENTS, "name: clinic-data", "name: clinic data", "name: clinic data", "an owner is a team"),
    ("truth as text", PATIENTS, "        unique: true", "        unique: 'true'", "unique: 'true'", "`true` or `false`"),
    # service levels
    ("unit", PATIENTS, "unit: d", "unit: w", "unit: w", "in hours or days"),
    ("latency of no time", PATIENTS, "value: 2", "value: 0", "value: 0", "whole number of hours"),
    ("latency of true", PATIENTS, "value: 2", "value: true", "value: true", "whole number of hours"),
    ("half an hour", PATIENTS, "value: 2\n    unit: d", "value: 0.5\n    unit: h", "value: 0.5", "whole number of hours"),
    ("retention as service level", PATIENTS, "property: latency", "property: retention", "property: retention", "declared in the property `privacy`"),
    ("latency twice", PATIENTS, "  - property: latency", "  - {property: latency, value: 1, unit: h}\n  - property: latency", "slaProperties", "twice"),
    # the server
    ("no server", PATIENTS, "servers:\n  - server: file", "servers: []\nprice:\n  - server: file", "", ""),
    ("server type", PATIENTS, "type: local", "type: ftp", "type: ftp", "this type of server"),
    ("server key", PATIENTS, "    path: data", "    host: here\n    path: data", "host: here", "does not read `host`"),
    ("no path", PATIENTS, "    path: data/samples/patients.csv\n", "", "- server: file", "`path` is missing"),
    ("stray dollar", PATIENTS, "path: data/", "path: $HOME/", "path: $HOME", "names no variable"),
    ("an address", PATIENTS, "path: data/", "path: https://example.org/", "path: https", "not a path of a file"),
    ("format", PATIENTS, "format: csv", "format: json", "format: json", "csv, ndjson, parquet"),
    ("delimiter", PATIENTS, 'delimiter: ";"', 'delimiter: ";;"', "delimiter", "one character"),
    ("encoding", PATIENTS, "encoding: utf-8", "encoding: ebcdic", "encoding", "latin-1"),
    ("server property", PATIENTS, "property: reading", "property: readin", "property: readin", "did you mean `reading`?"),
    ("reading key", PATIENTS, "header: true", "heading: true", "heading", "did you mean `header`?"),
    ("null text", PATIENTS, '["", "NA"]', "[NA, 9]", "[NA, 9]", "text; in quotes"),
    ("delimiter of parquet", PATIENTS, "format: csv", "format: parquet", "delimiter", "has no `delimiter`"),
    # the schema
    ("another name", PATIENTS, "  - name: patients", "  - name: people", "- name: people", "not named as the file"),
    ("two schema objects", PATIENTS, "schema:", "schema:\n  - name: other", "schema:", "exactly one schema object"),
    ("no columns", CONSENTS, "    properties:\n", "    properties: []\nroles:\n", "", ""),
    ("logical type", PATIENTS, "logicalType: integer", "logicalType: int", "logicalType: int", "did you mean"),
    ("no logical type", PATIENTS, "        logicalType: integer\n", "", "- name: age", "logical type"),
    ("physical type", PATIENTS, "physicalType: SMALLINT", "physicalType: VARCHAR", "physicalType: VARCHAR", "does not fit"),
    ("decimal", PATIENTS, "DECIMAL(10,2)", "DECIMAL(2,10)", "DECIMAL(2,10)", "does not fit"),
    ("bare decimal", PATIENTS, "DECIMAL(10,2)", "DECIMAL", "physicalType: DECIMAL", "does not fit"),
    ("injected type", PATIENTS, "DECIMAL(10,2)", "'DOUBLE); DROP'", "DROP", "does not fit"),
    ("physical name", PATIENTS, "      - name: age", "      - name: age\n        physicalName: AGE", "physicalName", "by its name alone"),
    ("our name", PATIENTS, "- name: cost", "- name: _cost", "- name: _cost", "are ours"),
    ("empty name", PATIENTS, "- name: cost", "- name: ''", "- name: ''", "no proper name"),
    ("same name", PATIENTS, "- name: cost", "- name: AGE", "- name: AGE", "cannot be told apart"),
    ("same but for punctuation", PATIENTS, "- name: cost", "- name: patient-id", "- name: patient-id", "cannot be told apart"),
    ("quality rules", PATIENTS, "        unique: true", "        unique: true\n        quality: [{metric: nullValues, mustBe: 0}]", "quality", "not measured here"),
    ("type options", PATIENTS, "        unique: true", "        logicalTypeOptions: {maxLength: 3}", "logicalTypeOptions", "not measured here"),
    ("examples", PATIENTS, "        unique: true", "        examples: [p-01]", "examples", "values of people"),
    ("primary key not required", PATIENTS, "        required: true", "        required: false", "required: false", "always required"),
    ("key positions", PATIENTS, "        primaryKey: true", "        primaryKey: true\n        primaryKeyPosition: 2", "- name: patient_id", "do not add up"),
    ("category of another type", PATIENTS, "- value: M", "- value: 1", "- value: 1", "not of the column's type"),
    ("category twice", PATIENTS, "- value: M", "- value: F", "", ""),
    ("categories of a date", PATIENTS, "logicalType: date", "logicalType: date\n        enum: [{value: x}]", "enum: [{value: x}]", "only text and whole numbers"),
    ("no categories", CONSENTS, "[{value: granted}, {value: withdrawn}, {value: objected}]", "[]", "enum: []", "domain is empty"),
    ("categories of an identifier", PATIENTS, "      - name: email", "      - name: email\n        enum: [{value: a@example.org}]", "enum: [{value: a@", "are people"),
    # the privacy property
    ("no privacy", PATIENTS, "customProperties:\n  - property: privacy", "customProperties:\n  - property: privcy", "", "`privacy` is missing"),
    ("privacy twice", PATIENTS, "customProperties:\n  - property: privacy", "customProperties:\n  - {property: privacy, value: {}}\n  - property: privacy", "", "stands here twice"),
    ("empty privacy", PATIENTS, "value: {role: attribute, category: user.financial}", "value: yes-please", "", "no keys and values"),
    ("no role", PATIENTS, "{role: attribute, category: user.financial}", "{category: user.financial}", "{category: user.financial}", "`role` is missing"),
    ("unknown role", PATIENTS, "role: sensitive", "role: sensitiv", "role: sensitiv", "did you mean `sensitive`?"),
    ("unknown category", PATIENTS, "user.financial", "user.finance", "user.finance", "did you mean `user.financial`?"),
    ("category of nowhere", PATIENTS, "user.financial", "money", "category: money", "no such data category"),
    ("key in privacy", PATIENTS, "role: sensitive,", "rule: x, role: sensitive,", "rule: x", "did you mean `role`?"),
    ("no subject key", PATIENTS, "      subject:\n        kind: patient\n        column: patient_id\n", "", "", "`subject` is missing"),
    ("nobody", PATIENTS, "      subject:\n        kind: patient\n        column: patient_id\n", "      subject: null\n", "subject: null", "about nobody"),
    ("subject column", PATIENTS, "column: patient_id", "column: patientid", "column: patientid", "did you mean `patient_id`?"),
    ("subject not required", CONSENTS, "logicalType: string\n        required: true", "logicalType: string", "column: patient_id", "must be required"),
    ("subject is no identifier", CONSENTS, "role: direct_identifier", "role: attribute", "column: patient_id", "direct identifier"),
    ("subject has no domain", CONSENTS, "              identifier_domain: {name: patient_id}\n", "", "column: patient_id", "no identifier domain"),
    ("no basis", PATIENTS, "[consent, legitimate_interests]", "[]", "lawful_bases: []", "at least 1 item"),
    ("unknown basis", PATIENTS, "[consent, legitimate_interests]", "[habit]", "lawful_bases: [habit]", "legal_obligation"),
    ("consent of whom", PATIENTS, "      consents: consents\n", "", "lawful_bases", "who consented"),
    ("consents of nowhere", PATIENTS, "consents: consents", "consents: consent", "consents: consent", "did you mean `consents`?"),
    ("consents without records", PATIENTS, "consents: consents", "consents: patients", "consents: patients", "does not record decisions"),
    ("consents without a subject column", PATIENTS, "        column: patient_id\n", "", "consents: consents", "cannot be matched"),
    ("retention column", PATIENTS, "column: registered", "column: enrolled", "column: enrolled", "no such column"),
    ("retention type", PATIENTS, "column: registered", "column: age", "column: age", "wrong type"),
    ("retention not required", PATIENTS, "logicalType: date\n        required: true", "logicalType: date", "column: registered", "kept forever"),
    ("retention of no days", PATIENTS, "days: 3650", "days: 0", "days: 0", "greater than or equal to 1"),
    ("retention as text", PATIENTS, "days: 3650", "days: '3650'", "days: '3650'", "a whole number"),
    ("quarantine", PATIENTS, "      third_parties: []", "      quarantine_at_most: 2", "quarantine_at_most", "less than or equal to 1"),
    ("phone without a region", PATIENTS, "normalization: email", "normalization: phone", "normalization: phone", "`region` goes with"),
    ("decision column", CONSENTS, "decision: decision", "decision: choice", "decision: choice", "no such column"),
    ("decision not declared", CONSENTS, "        enum: [{value: granted}, {value: withdrawn}, {value: objected}]\n", "", "decision: decision", "not understood"),
    ("decision not known", CONSENTS, "{value: objected}", "{value: opposed}", "decision: decision", "not understood"),
    ("decision at no time", CONSENTS, "logicalType: timestamp", "logicalType: string", "decided_at: decided_at", "wrong type"),
    ("same domain, other form", CONSENTS, "identifier_domain: {name: patient_id}", "identifier_domain: {name: patient_id, normalization: name}", "", "not declared as elsewhere"),
    ("consents of others", CONSENTS, "identifier_domain: {name: patient_id}", "identifier_domain: {name: person}", "", "matched to nobody"),
    # a purpose
    ("not a purpose", SMOKING, "kind: Purpose", "kind: Goal", "kind: Goal", "Purpose"),
    ("another purpose", SMOKING, "purpose: smoking", "purpose: smokers", "purpose: smokers", "not named as its file"),
    ("no why", SMOKING, "        why: smoking differs by sex\n", "", "sex:", "`why` is missing"),
    ("no technique", SMOKING, "        why: smoking differs by sex\n        technique: {kind: keep}\n", "        why: smoking differs by sex\n", "sex:", "`technique` is missing"),
    ("no kind of technique", SMOKING, "technique: {kind: keep}", "technique: {}", "technique: {}", "`kind` is missing"),
    ("unknown technique", SMOKING, "kind: token", "kind: tokens", "kind: tokens", "did you mean `token`?"),
    ("parameter of a technique", SMOKING, "edges: [30, 50]", "edgs: [30, 50]", "edgs", "did you mean `edges`?"),
    ("value of a parameter", SMOKING, "edges: [30, 50]", "edges: [50, 30]", "edges: [50, 30]", "rise"),
    ("technique does not fit", SMOKING, "{kind: bucket, edges: [30, 50]}", "{kind: truncate_date, to: month}", "truncate_date", "does not fit `age`"),
    ("identifier kept", SMOKING, "      sex:\n", "      email: {why: to write to them, technique: {kind: keep}}\n      sex:\n", "to write to them", "does not fit `email`"),
    ("owner", SMOKING, "owner: team:clinic-data", "owner: Dr Who", "owner: Dr Who", "an owner is a team"),
    ("basis of a purpose", SMOKING, "lawful_basis: consent", "lawful_basis: contract", "lawful_basis: contract", "may not be used on this lawful basis"),
    ("unknown basis of a purpose", SMOKING, "lawful_basis: consent", "lawful_basis: consents", "lawful_basis: consents", "did you mean `consent`?"),
    ("unknown dataset", SMOKING, "  patients:\n", "  patient:\n", "  patient:", "did you mean `patients`?"),
    ("unknown column", SMOKING, "      sex:\n", "      gender:\n", "      gender:", "`patients` has no such column"),
    ("no subject", SMOKING, "      patient_id:\n        why: rows of one person belong into one split\n        technique: {kind: token}\n", "", "    columns:", "subject column `patient_id` is missing"),
    ("subject redacted", SMOKING, "technique: {kind: token}", "technique: {kind: redact}", "technique: {kind: redact}", "its technique is `token`"),
    ("retention of a purpose", SMOKING, "retention_days: 365", "retention_days: 3651", "retention_days", "at most 3650 days"),
    ("retention is true", SMOKING, "retention_days: 365", "retention_days: true", "retention_days", "a whole number"),
    ("no reason", SMOKING, "  reason: the doctors who treat these people learn nothing new about them\n", "", "training:", "write the `reason`"),
    ("short reason", SMOKING, "reason: the doctors who treat these people learn nothing new about them", "reason: because", "reason: because", "at least 20 characters"),
    ("source of training", SMOKING, "from: features", "source: features", "source: features", "there is no key `source`"),
    ("splits", SMOKING, "test: 0.2,", "test: 0.3,", "split:", "must add up to 1"),
    ("key of features", SMOKING, "key: [patient_id]", "key: [patient]", "key: [patient]", "did you mean `patient_id`?"),
    ("subject of features", SMOKING, "  subject: patient_id", "  subject: patient", "  subject: patient", "did you mean `patient_id`?"),
    ("categories of features", SMOKING, "guarantee:", "  categories: {colour: [red]}\nguarantee:", "colour", "colour"),
    ("target", SMOKING, "target: smoker", "target: smokes", "target: smokes", "did you mean `smoker`?"),
    ("target is the key", SMOKING, "target: smoker", "target: patient_id", "target: patient_id", "nothing can be learned"),
    ("task of an estimator", SMOKING, "kind: logistic_regression", "kind: ridge", "kind: ridge", "does no classification"),
    ("unknown estimator", SMOKING, "kind: logistic_regression", "kind: knn", "kind: knn", "there is no kind `knn`"),
    ("regression of a truth value", SMOKING, "task: classification\n  target: smoker\n  estimator: {kind: logistic_regression}", "task: regression\n  target: smoker\n  estimator: {kind: ridge}", "target: smoker", "is not a number"),
    ("metric of another task", SMOKING, "  at_least_subjects: 5", "  at_least_subjects: 5\n  utility: {metric: r2, at_least: 0.1}", "metric: r2", "does not measure classification"),
    ("two classes", SMOKING, "  at_least_subjects: 5", "  at_least_subjects: 5\n  utility: {metric: roc_auc, at_least: 0.6}", "metric: roc_auc", "two classes"),
    ("text without categories", PATIENTS, "        enum:\n          - value: F\n          - value: M\n          - value: X\n", "", "", "not declared"),
    ("another table", SMOKING, "FROM patients", "FROM consents", "FROM consents", "consents"),
    ("a file as a table", SMOKING, "FROM patients", "FROM 'patients.csv'", "FROM 'patients.csv'", "patients.csv"),
    ("a column that did not pass", SMOKING, "SELECT patient_id,", "SELECT email, patient_id,", "SELECT email", "email"),
    ("about nobody, with tokens", SMOKING, "  subject: patient_id", "  subject: null", "subject: null", "names a person"),
    ("the split is ours", SMOKING, "age, smoker", "age, smoker, 1 AS split", "sql: |", "training adds"),
    ("drift of nothing", SMOKING, "  at_least_subjects: 5", "  drift: {}", "drift:", "name what is compared"),
    ("drift of no classes", SMOKING, "  at_least_subjects: 5", "  drift: {k_falls_at_most: 1}", "guarantee:", "needs `anonymity`"),
    ("drift of no metric", SMOKING, "  at_least_subjects: 5", "  drift: {metric_falls_at_most: 0.1}", "guarantee:", "needs `utility`"),
    ("drift of no categories", SMOKING, "sex, age, smoker\n    FROM patients\nguarantee:\n", "smoker\n    FROM patients\nguarantee:\n  drift: {rare_groups: {fewer_than: 5, share_rises_at_most: 0.1}}\n", "rare_groups", "no group could become rare"),
    ("drift of identifiers", SMOKING, "sex, age, smoker\n    FROM patients\nguarantee:\n", "smoker\n    FROM patients\nguarantee:\n  drift: {distinct_share_at_most: 0.9}\n", "distinct_share", "no column but identifiers"),
    ("utility of no model", SMOKING, "  at_least_subjects: 5", "  at_least_subjects: 5\n  utility: {metric: r2, at_least: 0.1}", "utility:", "needs a `model`"),
    ("nothing to learn from", SMOKING, "patient_id, sex, age, smoker", "patient_id, smoker", "sql: |", "no column to learn from"),
    # the file
    ("not YAML", SMOKING, "title: Who smokes", "title: Who: smokes", "title:", "this is not YAML"),
    ("duplicate key", SMOKING, "version: 1.0.0", "version: 1.0.0\nversion: 1.0.1", "version: 1.0.1", "stands here twice"),
    ("alias", SMOKING, "title: Who smokes", "title: *it", "title:", "aliases"),
    ("anchor", SMOKING, "title: Who smokes", "title: &it Who smokes", "title:", "anchors"),
    ("tag", SMOKING, "title: Who smokes", "title: !!python/name:os.system x", "title:", "tags"),
    ("disputed word", SMOKING, "title: Who smokes", "title: no", "title:", "readers of YAML disagree"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "file", "old", "new", "marker", "says"), BAD, ids=[case[0] for case in BAD])
def test_a_fault_is_refused_in_its_line(
    tiny_project: Path, name: str, file: str, old: str, new: str, marker: str, says: str
) -> None:
    """Each wrong declaration is refused with the file and line to mend, and words that say how."""
    if name == "two classes":
        edit(tiny_project, file, "target: smoker", "target: sex")
    if name == "utility of no model":
        path = tiny_project / file
        path.write_text(path.read_text("utf-8").split("model:")[0], "utf-8")
    edit(tiny_project, file, old, new)
    with pytest.raises(BadDeclaration) as caught:
        load(tiny_project)
    meant = [fault for fault in caught.value.faults if says in str(fault)]
    assert meant, str(caught.value)
    if marker:
        assert f"{file}:{line_of(tiny_project, file, marker)}" in map(place, meant)
    for fault in caught.value.faults:
        named, _, line = place(fault).partition(":")
        assert (tiny_project / named).is_file()
        assert 1 <= int(line) <= len((tiny_project / named).read_text("utf-8").splitlines())


@pytest.mark.parametrize(
    ("sql", "where"),
    [
        ("  sql: |\n    SELECT patient_id,\n      email FROM patients\n", (2, ":7")),
        ("  sql: |\n\n    SELECT patient_id, email FROM patients\n", (2, ":24")),
        ("  sql: SELECT patient_id, email FROM patients\n", (0, " (SQL 1:20)")),
    ],
)
def test_a_fault_of_the_sql_has_its_place_in_the_file(tiny_project: Path, sql: str, where: tuple[int, str]) -> None:
    """Line and column lead into the block of SQL in the YAML; where it is folded, into the SQL."""
    edit(tiny_project, SMOKING, "  sql: |\n    SELECT patient_id, sex, age, smoker\n    FROM patients\n", sql)
    line = line_of(tiny_project, SMOKING, "  sql:") + where[0]
    assert check(tiny_project)[0].where == f"{SMOKING}:{line}{where[1]}"


def test_all_faults_of_all_files_at_once(tiny_project: Path) -> None:
    """One run says everything, in the order of files and lines."""
    edit(tiny_project, PATIENTS, "role: sensitive", "role: secret")
    edit(tiny_project, PATIENTS, "unit: d", "unit: w")
    edit(tiny_project, CONSENTS, "decision: decision", "decision: choice")
    edit(tiny_project, SMOKING, "owner: team:clinic-data", "owner: me")
    edit(tiny_project, SMOKING, "purpose: smoking", "purpose: smokers")
    faults = check(tiny_project)
    assert [place(fault).split(":")[0] for fault in faults] == sorted(place(fault).split(":")[0] for fault in faults)
    assert len(faults) == 5
    with pytest.raises(BadDeclaration) as caught:
        load(tiny_project)
    assert list(caught.value.faults) == faults


def test_a_broken_contract_is_not_also_an_unknown_one(tiny_project: Path) -> None:
    """What depends on a file with faults is not blamed for them."""
    edit(tiny_project, PATIENTS, "kind: DataContract", "kind: [")
    edit(tiny_project, CONSENTS, "kind: DataContract", "kind: Contract")
    assert {place(fault).split(":")[0] for fault in check(tiny_project)} == {PATIENTS, CONSENTS}


def test_subjects_of_two_domains_are_two_people(tiny_project: Path) -> None:
    """Datasets of one purpose name the person in one identifier domain."""
    edit(tiny_project, CONSENTS, "identifier_domain: {name: patient_id}", "identifier_domain: {name: person}")
    edit(tiny_project, CONSENTS, "[legal_obligation]", "[public_task]")
    edit(tiny_project, PATIENTS, "[consent, legitimate_interests]", "[public_task]")
    edit(tiny_project, PATIENTS, "      consents: consents\n", "")
    edit(tiny_project, SMOKING, "lawful_basis: consent", "lawful_basis: public_task")
    edit(
        tiny_project, SMOKING, "features:\n",
        "  consents:\n    columns:\n      patient_id:\n        why: to count decisions\n        technique: {kind: token}\nfeatures:\n",
    )  # fmt: skip
    [fault] = check(tiny_project)
    assert place(fault) == f"{SMOKING}:{line_of(tiny_project, SMOKING, 'datasets:')}"
    assert "one person" in fault.what


@pytest.mark.parametrize("name", ["data/contracts/other.yaml", "data/contracts/other.odcs.yml", "data/purposes/a.yml"])
def test_a_file_that_would_not_be_read_is_a_fault(tiny_project: Path, name: str) -> None:
    """No declaration is passed over because of its ending."""
    (tiny_project / name).write_text("kind: Purpose\n", "utf-8")
    [fault] = check(tiny_project)
    assert fault.where == f"{name}:1"
    assert "would not be read" in fault.what


def test_other_files_are_left_alone(tiny_project: Path) -> None:
    """A note beside the contracts is no declaration."""
    (tiny_project / "data/contracts/README.md").write_text("see the handbook", "utf-8")
    assert check(tiny_project) == []


def test_nothing_declared_is_a_fault(tmp_path: Path) -> None:
    """A folder without contracts is not a project that keeps everything."""
    with pytest.raises(BadDeclaration, match="there is no contract"):
        load(tmp_path)


# ---- where the folders lie


@pytest.fixture
def moved(tiny_project: Path) -> Path:
    """The tiny project with its declarations in `src/shop/promises` and `src/shop/uses`, which its settings say."""
    (tiny_project / "src/shop").mkdir(parents=True)
    shutil.move(tiny_project / "data/contracts", tiny_project / "src/shop/promises")
    shutil.move(tiny_project / "data/purposes", tiny_project / "src/shop/uses")
    settings = (
        '[project]\nname = "shop"\n[tool.privacy_assets]\ncontracts = "src/shop/promises"\npurposes = "src/shop/uses"\n'
    )
    (tiny_project / "pyproject.toml").write_text(settings, "utf-8")
    return tiny_project


def test_the_folders_may_lie_where_the_settings_say(moved: Path) -> None:
    """What loads is the same, and every place is named from the project's folder on."""
    project = load(moved)
    assert (set(project.contracts), set(project.purposes)) == ({"patients", "consents"}, {"smoking"})
    assert project.where("purpose", "smoking", "owner") == "src/shop/uses/smoking.yaml:6"
    assert project.where("contract", "patients") == "src/shop/promises/patients.odcs.yaml:1"


def test_what_a_purpose_means_does_not_depend_on_its_folder(moved: Path) -> None:
    """Nothing goes stale because its declarations were moved."""
    before = load(moved).digest("smoking")
    for name, place in {"contracts": "promises", "purposes": "uses"}.items():
        shutil.move(moved / "src/shop" / place, moved / "data" / name)
    (moved / "pyproject.toml").unlink()
    assert load(moved).digest("smoking") == before


def test_faults_in_folders_elsewhere_have_file_line_and_the_next_step_of_their_kind(moved: Path) -> None:
    """Also where a contract's folder is not called so."""
    edit(moved, "src/shop/promises/patients.odcs.yaml", "role: sensitive", "role: secret")
    edit(moved, "src/shop/uses/smoking.yaml", "owner: team:clinic-data", "owner: me")
    first, second = check(moved)
    assert place(first).startswith("src/shop/promises/patients.odcs.yaml:")
    assert "schema contract" in first.next_step
    assert place(second) == "src/shop/uses/smoking.yaml:6"
    assert "schema purpose" in second.next_step


def test_folders_outside_of_the_project_are_named_in_full(moved: Path, tmp_path: Path) -> None:
    """With a colon and spaces in the path, too: files and lines are still in order."""
    elsewhere = tmp_path / "b: 7 c"
    shutil.move(moved / "src/shop", elsewhere)
    edit(tmp_path, "b: 7 c/promises/patients.odcs.yaml", "unit: d", "unit: w")
    edit(tmp_path, "b: 7 c/promises/patients.odcs.yaml", "version: 1.0.0", "version: one")
    with pytest.raises(BadDeclaration) as caught:
        load(moved, Folders(elsewhere / "promises", elsewhere / "uses"))
    file = (elsewhere / "promises/patients.odcs.yaml").as_posix()
    lines = [fault.where.removeprefix(f"{file}:") for fault in caught.value.faults]
    assert lines == [
        str(line_of(elsewhere, "promises/patients.odcs.yaml", marker)) for marker in ("version: one", "unit: w")
    ]


def test_a_folder_that_was_named_and_is_not_there_is_a_fault(moved: Path) -> None:
    """A misspelt folder of purposes is not a project without purposes."""
    (moved / "src/shop/uses").rename(moved / "src/shop/use")
    [fault] = check(moved)
    assert (fault.where, fault.what) == ("src/shop/uses", "there is no such folder")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[tool.privacy_assets]\ncontract = 'src'\n", "no key `contract`"),
        ("[tool.privacy_assets]\ncontracts = ['src']\n", "`contracts` cannot stand here"),
        ("[tool.privacy_assets]\npurposes = ' '\n", "`purposes` cannot stand here"),
        ("[tool]\nprivacy_assets = 'src'\n", "no key"),
        ("[tool.privacy_assets]\ncontracts = 'src'\npurposes = 'src'\n", "in one folder"),
        ("[tool.privacy_assets\n", "line 1"),
        ("x = '\udcff'\n", "cannot be read"),
    ],
)
def test_settings_that_say_something_else_are_refused(moved: Path, text: str, says: str) -> None:
    """With the file, and what may stand there."""
    (moved / "pyproject.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadDeclaration) as caught:
        load(moved)
    assert says in str(caught.value)
    assert all(fault.next_step for fault in caught.value.faults)


@pytest.mark.parametrize("text", ["", "[tool]\n", "[project]\nname = 'shop'\n", "tool = 3\n"])
def test_settings_that_say_nothing_leave_the_folders_where_they_are(tiny_project: Path, text: str) -> None:
    """A pyproject.toml without a word about us is none of our business."""
    (tiny_project / "pyproject.toml").write_text(text, "utf-8")
    assert Folders.of(tiny_project) == Folders(tiny_project / "data/contracts", tiny_project / "data/purposes")


def test_no_category_is_echoed(tiny_project: Path) -> None:
    """A list of people, pasted as categories, does not come out in the message."""
    edit(tiny_project, PATIENTS, "- value: M", "- value: F # F\n          - value: 4711")
    text = "\n".join(map(str, check(tiny_project)))
    assert "stands here twice" in text
    assert "4711" not in text


def ways(value: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every value in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield (*way, key)
        yield from ways(below, (*way, key))


ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    2.5,
    "",
    "x",
    " ",
    "${",
    [],
    [None],
    ["x"],
    {},
    {"x": 1},
    [{"property": "privacy"}],
]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_written_is_loaded_or_refused(tiny_project: Path, data: st.DataObject) -> None:
    """Law: any value in any place gives a project or faults with their lines, never another error."""
    file = data.draw(st.sampled_from([PATIENTS, CONSENTS, SMOKING]))
    path = tiny_project / file
    text = path.read_text("utf-8")
    document = yaml.safe_load(text)
    *above, last = data.draw(st.sampled_from(list(ways(document))))
    holder = document
    for key in above:
        holder = holder[key]
    if data.draw(st.booleans()):
        holder[last] = data.draw(st.sampled_from(ODD))
    else:
        del holder[last]
    try:
        path.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
        for fault in check(tiny_project):
            name, _, line = place(fault).partition(":")
            assert (tiny_project / name).is_file()
            assert int(line) >= 1
    finally:
        path.write_text(text, "utf-8")
