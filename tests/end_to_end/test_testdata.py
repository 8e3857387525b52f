"""Test data of the sample, by the commands that people type: a pipeline runs on it, and nobody is in it."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from privacy_assets.build import steps
from privacy_assets.gate import Gate
from privacy_assets.stages.step import carry_out
from privacy_assets.word_lists import texts
from privacy_assets.words import AssetName, Stage

from .conftest import Checkout, make_clinic

PEOPLE = 3_500
REAL = 3_000
UP_TO = (Stage.MINIMIZED, Stage.PSEUDONYMIZED, Stage.FEATURES)
IDENTIFYING = {
    "patients": ("patient_id", "given_name", "family_name", "email", "phone", "street", "postcode"),
    "visits": ("visit_id", "patient_id", "attending"),
    "consents": ("patient_id",),
}

Table = list[dict[str, str]]


def table(path: Path) -> Table:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def developed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, Path]:
    """A developer's checkout, whose sources are test data from where the clinic's own are; and those of the clinic."""
    folder = tmp_path_factory.mktemp("testdata")
    clinic = make_clinic(folder / "clinic")
    invented = clinic.run("python", "data/samples/clinic.py", "--patients", str(REAL))
    assert invented.returncode == 0, invented.stderr
    made = clinic.run(
        "privacy-assets", "testdata", "readmission_model", "--rows", str(PEOPLE), "--to", str(folder / "made")
    )
    assert made.returncode == 0, made.stderr
    assert "synthetic/" not in made.stdout and f"{PEOPLE:,} people of seed 0" in made.stdout
    developer = make_clinic(folder / "developer")
    shutil.copytree(folder / "made", developer.project / "data/samples/clinic")
    return developer, clinic.project / "data/samples/clinic"


def test_the_pipeline_runs_on_it(developed: tuple[Checkout, Path]) -> None:
    """Up to the features: nothing in quarantine, everybody allows it, nobody is too old, every visit joins."""
    developer, _ = developed
    gate = Gate.open(developer.project, developer.env)
    wanted = [AssetName(Stage.RAW, dataset=name) for name in IDENTIFYING]
    wanted += [asset for asset in steps(gate.project) if asset.purpose == "readmission_model" and asset.stage in UP_TO]
    for asset in wanted:
        carry_out(steps(gate.project)[asset], gate).raise_faults()
    visits = len(table(developer.project / "data/samples/clinic/visits.csv"))
    for asset, rows in (
        ("raw/patients", PEOPLE), ("raw/visits", visits), ("minimized/readmission_model/patients", PEOPLE),
        ("minimized/readmission_model/visits", visits), ("features/readmission_model", visits),
    ):  # fmt: skip
        passport = gate.latest(AssetName.parse(asset))
        assert passport is not None and passport.rows == rows and not passport.counts


def test_nobody_of_the_clinic_is_in_it(developed: tuple[Checkout, Path]) -> None:
    """No identifying value of anybody, no row that is somebody's in all columns or in all but one; keys are apart."""
    developer, real = developed
    for name, identifying in IDENTIFYING.items():
        made, theirs = table(developer.project / f"data/samples/clinic/{name}.csv"), table(real / f"{name}.csv")
        for column in identifying:
            values = {row[column] for row in made} - {""}
            assert values and not values & {row[column] for row in theirs}, column
        others = [column for column in made[0] if column not in identifying]
        for left_out in (None, *others):
            compared = [column for column in others if column != left_out]
            # decisions are few things that everybody can have said at one moment; who said them is compared above
            if len(compared) > 3:
                assert not _rows(made, compared) & _rows(theirs, compared), left_out


def _rows(held: Table, columns: Iterable[str]) -> set[tuple[str, ...]]:
    return {tuple(row[column] for column in columns) for row in held}


def test_keys_of_it_are_those_of_people_in_it(developed: tuple[Checkout, Path]) -> None:
    """Each visit and each decision is of a patient who is there; identifiers are all different."""
    folder = developed[0].project / "data/samples/clinic"
    patients, visits, consents = (table(folder / f"{name}.csv") for name in ("patients", "visits", "consents"))
    people = [row["patient_id"] for row in patients]
    assert len(set(people)) == PEOPLE
    assert {row["patient_id"] for row in visits} == {row["patient_id"] for row in consents} == set(people)
    assert len({row["visit_id"] for row in visits}) == len(visits) > 10_000


def test_the_control_would_be_found(developed: tuple[Checkout, Path]) -> None:
    """Plain invented names are those of people: without the mark they would be found among the clinic's."""
    real = {row["given_name"] for row in table(developed[1] / "patients.csv")}
    assert real & set(texts("person", re.compile("first_names.*"), ("en_US",)))
