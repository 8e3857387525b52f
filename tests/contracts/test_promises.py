"""What is promised of each asset: no line is lost on the way, and each is found again in its file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from privacy_assets.contracts.loading import Project, load
from privacy_assets.contracts.promises import SMALLEST_DOMAIN, promises
from privacy_assets.errors import BadDeclaration
from privacy_assets.words import AssetName, Stage

PATIENTS = "data/contracts/patients.odcs.yaml"
CONSENTS = "data/contracts/consents.odcs.yaml"
SMOKING = "data/purposes/smoking.yaml"

PROMISES_NOTHING_ALONE = {
    PATIENTS: {
        # prose, and how a file is read: a wrong word there makes rows unreadable, which is counted
        "name: Patients of a tiny clinic", "status: active", "description:", "purpose: Who is registered at the clinic",
        "description: number of the patient", 'delimiter: ";"', "encoding: utf-8", "customProperties:",
        "- property: reading", "header: true", 'null_text: ["", "NA"]', "third_parties: []",
        # kept by Dagster, as a freshness policy
        "slaProperties:", "- property: latency",
        # the tiny contract says three times that patient_id is unique and there
        "primaryKey: true", "required: true", "unique: true",
        # columns that the tiny purpose does not need, and the types that raw casts to
        "- name: email", "identifier_domain: {name: email, normalization: email}", "- name: cost",
        "physicalType: SMALLINT", "physicalType: DECIMAL(10,2)",
    },
    SMOKING: {
        "recipients: [the clinic's own doctors]",
        # the SQL takes the only dataset as it is, as no SQL does; shares and seeds deal, and promise nothing
        "sql: |", "SELECT patient_id, sex, age, smoker", "split: {train: 0.6, validation: 0.2, test: 0.2, seed: 7}",
        "seed: 7",
    },
}  # fmt: skip


def asked(root: Path) -> set[tuple[str, str]]:
    """Everything that is promised: the asset and the parameters, without the line."""
    project = load(root)
    return {(str(asset), repr(one.parameters)) for asset in project.assets() for one in promises(project, asset)}


def removals(text: str) -> Iterator[tuple[str, str]]:
    """Each line, and the text without it and what stands below it."""
    lines = text.splitlines()
    depth = [len(line) - len(line.lstrip()) for line in lines]
    for first, line in enumerate(lines):
        after = next((row for row in range(first + 1, len(lines)) if depth[row] <= depth[first]), len(lines))
        yield line.strip(), "\n".join(lines[:first] + lines[after:]) + "\n"


@pytest.mark.parametrize("file", [PATIENTS, SMOKING])
def test_no_line_can_be_removed_unnoticed(tiny_project: Path, file: str) -> None:
    """Without a line the file is refused, or other things are promised; the few other lines are known by name."""
    before = asked(tiny_project)
    path = tiny_project / file
    unnoticed = set()
    for line, without in removals(path.read_text("utf-8")):
        path.write_text(without, "utf-8")
        try:
            if asked(tiny_project) == before:
                unnoticed.add(line)
        except BadDeclaration:
            continue
    assert unnoticed <= PROMISES_NOTHING_ALONE[file]


@pytest.mark.parametrize(
    ("file", "old", "new", "asset", "name"),
    [
        (PATIENTS, "          - value: X\n", "", "raw/patients", "in_domain__sex"),
        (PATIENTS, "        physicalType: SMALLINT\n", "        required: true\n", "raw/patients", "not_null__age"),
        (PATIENTS, "        physicalType: SMALLINT\n", "        unique: true\n", "raw/patients", "unique__age"),
        (PATIENTS, "third_parties: []", "quarantine_at_most: 0.01", "raw/patients", "quarantine_share"),
        (PATIENTS, "days: 3650", "days: 3649", "minimized/smoking/patients", "within_retention___retention_from"),
        (
            SMOKING, "lawful_basis: consent", "lawful_basis: legitimate_interests",
            "minimized/smoking/patients", "consent_valid__patient_id",
        ),
        (
            SMOKING, "      smoker:\n", "      cost: {why: it may tell, technique: {kind: keep}}\n      smoker:\n",
            "minimized/smoking/patients", "only_columns",
        ),
        (SMOKING, "edges: [30, 50]", "edges: [30, 40]", "pseudonymized/smoking/patients", "masked__age"),
        (
            SMOKING, "      smoker:\n", "      email: {why: it joins, technique: {kind: token}}\n      smoker:\n",
            "pseudonymized/smoking/patients", "large_domain__email",
        ),
        (
            SMOKING, "{kind: bucket, edges: [30, 50]}", "{kind: keep}",
            "pseudonymized/smoking/patients", "masked__age",
        ),
        (SMOKING, "SELECT patient_id, sex, age", "SELECT patient_id, age", "features/smoking", "only_columns"),
        (SMOKING, "key: [patient_id]", "key: [patient_id, sex]", "features/smoking", "unique__patient_id_and_sex_"),
        (SMOKING, "at_least_subjects: 5", "at_least_subjects: 6", "features/smoking", "has_subjects__patient_id"),
        (SMOKING, "at_least_subjects: 5", "at_least_subjects: 6", "training/smoking", "has_subjects__patient_id"),
        (
            SMOKING, "  sql: |\n", "  categories: {sex: [F, M]}\n  sql: |\n", "features/smoking", "in_domain__sex",
        ),
        (SMOKING, "target: smoker", "target: sex", "training/smoking", "not_null__sex"),
        (
            SMOKING, "at_least_subjects: 5", "utility: {metric: accuracy, at_least: 0.5}",
            "model/smoking", "utility_floor",
        ),
        (
            SMOKING, "at_least_subjects: 5", "drift: {distinct_share_at_most: 0.9}",
            "features/smoking", "distinct_drift__sex",
        ),
        (
            SMOKING, "at_least_subjects: 5", "drift: {rare_groups: {fewer_than: 5, share_rises_at_most: 0.1}}",
            "features/smoking", "rare_drift__sex",
        ),
        (
            SMOKING, "at_least_subjects: 5",
            "utility: {metric: accuracy, at_least: 0.5}\n  drift: {metric_falls_at_most: 0.1}",
            "model/smoking", "metric_drift__accuracy",
        ),
    ],
)  # fmt: skip
def test_a_changed_line_changes_what_is_promised(
    tiny_project: Path, file: str, old: str, new: str, asset: str, name: str
) -> None:
    """What is written otherwise is asked otherwise, of the asset that it speaks of."""
    of = AssetName.parse(asset)
    before = {one.name: one.parameters for one in promises(load(tiny_project), of)}
    path = tiny_project / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    after = {one.name: one.parameters for one in promises(load(tiny_project), of)}
    (found,) = [one for one in after if one.startswith(name)]
    assert before.get(found) != after[found]


LINES = {
    "raw/patients": {
        "has_rows": (PATIENTS, "apiVersion: v3.2.0"),
        "rows_accounted": (PATIENTS, "apiVersion: v3.2.0"),
        "has_columns": (PATIENTS, "apiVersion: v3.2.0"),
        "quarantine_share": (PATIENTS, "value:"),
        "unique__patient_id": (PATIENTS, "primaryKey: true"),
        "not_null__patient_id": (PATIENTS, "required: true"),
        "in_domain__sex": (PATIENTS, "enum:"),
        "not_null__registered": (PATIENTS, "required: true"),
    },
    "raw/consents": {
        "has_rows": (CONSENTS, "apiVersion: v3.2.0"),
        "rows_accounted": (CONSENTS, "apiVersion: v3.2.0"),
        "has_columns": (CONSENTS, "apiVersion: v3.2.0"),
        "quarantine_share": (CONSENTS, "quarantine_at_most: 0.0"),
        "in_domain__purpose": (CONSENTS, "enum: [{value: smoking}, {value: reaching}, {value: another}]"),
        "not_null__patient_id": (CONSENTS, "required: true"),
        "not_null__purpose": (CONSENTS, "required: true"),
        "not_null__decision": (CONSENTS, "required: true"),
        "in_domain__decision": (CONSENTS, "enum: [{value: granted}, {value: withdrawn}, {value: objected}]"),
        "not_null__decided_at": (CONSENTS, "required: true"),
    },
    "minimized/smoking/patients": {
        "has_rows": (SMOKING, "patients:"),
        "only_columns": (SMOKING, "columns:"),
        "consent_valid__patient_id": (SMOKING, "lawful_basis: consent"),
        "within_retention___retention_from": (PATIENTS, "retention:"),
    },
    "pseudonymized/smoking/patients": {
        "has_rows": (SMOKING, "patients:"),
        "only_columns": (SMOKING, "columns:"),
        "masked__patient_id": (SMOKING, "technique: {kind: token}"),
        "masked__sex": (SMOKING, "technique: {kind: keep}"),
        "masked__age": (SMOKING, "technique: {kind: bucket, edges: [30, 50]}"),
        "masked__smoker": (SMOKING, "technique: {kind: keep}"),
        "subjects_kept_apart__patient_id": (SMOKING, "technique: {kind: token}"),
    },
    "features/smoking": {
        "has_rows": (SMOKING, "features:"),
        "only_columns": (SMOKING, "sql: |"),
        "unique__patient_id": (SMOKING, "key: [patient_id]"),
        "not_null__patient_id": (SMOKING, "subject: patient_id"),
        "has_subjects__patient_id": (SMOKING, "at_least_subjects: 5"),
    },
    "training/smoking": {
        "has_rows": (SMOKING, "training:"),
        "only_columns": (SMOKING, "features:"),
        "splits_disjoint__split": (SMOKING, "split: {train: 0.6, validation: 0.2, test: 0.2, seed: 7}"),
        "splits_filled__split": (SMOKING, "split: {train: 0.6, validation: 0.2, test: 0.2, seed: 7}"),
        "has_subjects__patient_id": (SMOKING, "at_least_subjects: 5"),
        "not_null__smoker": (SMOKING, "target: smoker"),
    },
    "model/smoking": {"has_rows": (SMOKING, "model:")},
}


def told(project: Project, asset: AssetName) -> dict[str, tuple[str, str]]:
    """Of each promise the file and the text of the line that it names."""
    found = {}
    for one in promises(project, asset):
        file, _, line = one.where.rpartition(":")
        found[one.name] = (file, (project.root / file).read_text("utf-8").splitlines()[int(line) - 1].strip())
    return found


def test_each_promise_names_its_line(tiny_project: Path) -> None:
    """All promises of the tiny project, each with the line that asks for it (or that it would stand in)."""
    project = load(tiny_project)
    assert {str(asset): told(project, asset) for asset in project.assets()} == LINES


@pytest.mark.parametrize("column", ["sex", "age", "smoker"])
def test_a_line_of_one_column_is_not_taken_for_that_of_another(tiny_project: Path, column: str) -> None:
    """The technique that is named stands below the column that it is for."""
    project = load(tiny_project)
    (one,) = [
        one
        for one in promises(project, AssetName.parse("pseudonymized/smoking/patients"))
        if one.name == f"masked__{column}"
    ]
    line = int(one.where.rpartition(":")[2])
    assert (tiny_project / SMOKING).read_text("utf-8").splitlines()[line - 3].strip() == f"{column}:"


def test_everything_has_a_promise_and_no_two_have_one_name(tiny_project: Path) -> None:
    """An asset of which nothing is promised would be published on no evidence."""
    project = load(tiny_project)
    for asset in project.assets():
        names = [one.name for one in promises(project, asset)]
        assert len(names) == len(set(names)) > 0
        assert "has_rows" in names


def test_identifiers_are_looked_for_where_a_text_is_free(tiny_project: Path) -> None:
    """A text column without a declared domain could hold a name, whichever technique it went through."""
    path = tiny_project / SMOKING
    path.write_text(path.read_text("utf-8").replace("  sql: |", "  categories: {sex: [F, M, X]}\n  sql: |"))
    path = tiny_project / PATIENTS
    text = path.read_text("utf-8")
    path.write_text(
        text.replace("        enum:\n          - value: F\n          - value: M\n          - value: X\n", "")
    )
    found = {one.name: one for one in promises(load(tiny_project), AssetName.parse("pseudonymized/smoking/patients"))}
    assert found["identifiers_absent"].parameters.identifiers == ("patient_id",)
    assert found["identifiers_absent"].parameters.texts == ("sex",)


def test_the_floor_of_a_domain_is_that_of_the_threat_model(tiny_project: Path) -> None:
    """A token that is not the subject's own is refused below ten thousand values; the subject's own is not asked."""
    path = tiny_project / SMOKING
    text = path.read_text("utf-8")
    path.write_text(
        text.replace("      smoker:\n", "      email: {why: it joins, technique: {kind: token}}\n      smoker:\n")
    )
    found = {
        one.name: one.parameters.at_least
        for one in promises(load(tiny_project), AssetName.parse("pseudonymized/smoking/patients"))
        if one.parameters.kind == "large_domain"
    }
    assert found == {"large_domain__email": SMALLEST_DOMAIN} == {"large_domain__email": 10_000}


def test_what_is_not_declared_promises_nothing(tiny_project: Path) -> None:
    """Asking for another purpose's or dataset's promises is an error, not an empty list."""
    project = load(tiny_project)
    for asset in (
        AssetName(Stage.RAW, dataset="visits"),
        AssetName(Stage.MINIMIZED, "smoking", "visits"),
        AssetName(Stage.FEATURES, "drinking"),
    ):
        with pytest.raises(KeyError):
            promises(project, asset)
