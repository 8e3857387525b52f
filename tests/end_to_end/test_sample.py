"""The clinic that is invented: the same every time, whole, and with something in it to learn.

Belongs here: laws of the sample and of what is declared about it and about the census data. Does not belong here:
what the corridor makes of them.
"""

from __future__ import annotations

import csv
import importlib.util
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import phonenumbers
import pytest

from privacy_assets.contracts.contract import Contract
from privacy_assets.contracts.loading import load

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "data/samples/clinic.py"
TABLES = ("patients", "visits", "consents")
READERS = {"DATE": date.fromisoformat, "TIMESTAMP": datetime.fromisoformat, "SMALLINT": int, "INTEGER": int}

Rows = list[dict[str, str]]


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("clinic", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    # dataclasses look up their own module
    sys.modules["clinic"] = module
    spec.loader.exec_module(module)
    return module


clinic = _script()


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clinic")
    clinic.main(["--out", str(folder), "--patients", "3000", "--seed", "1"])
    return folder


@pytest.fixture(scope="module")
def lines(files: Path) -> dict[str, list[list[str]]]:
    """Every line of each file, the header first."""
    found = {}
    for table in TABLES:
        with (files / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            found[table] = list(csv.reader(file))
    return found


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    return dict(load(ROOT).contracts)


@pytest.fixture(scope="module")
def broken(lines: dict[str, list[list[str]]], contracts: dict[str, Contract]) -> dict[str, list[str]]:
    """Of each table what is wrong with the rows that do not keep its contract, one word a row."""
    return {table: [fault for row in lines[table][1:] if (fault := _fault(row, contracts[table]))] for table in TABLES}


@pytest.fixture(scope="module")
def whole(lines: dict[str, list[list[str]]], contracts: dict[str, Contract]) -> dict[str, Rows]:
    """Of each table the rows that keep its contract."""
    return {
        table: [dict(zip(rows[0], row, strict=True)) for row in rows[1:] if not _fault(row, contracts[table])]
        for table, rows in lines.items()
    }


def _fault(row: list[str], contract: Contract) -> str:
    if len(row) != len(contract.columns):
        return "cells"
    for text, column in zip(row, contract.columns, strict=True):
        if not text:
            if column.required:
                return "missing"
            continue
        if column.domain and text not in column.domain:
            return "domain"
        try:
            READERS.get(column.type, str)(text)
        except ValueError:
            return "unreadable"
    return ""


def _rate(rows: Iterable[dict[str, str]], column: str) -> float:
    values = [row[column] == "true" for row in rows]
    assert len(values) > 50
    return sum(values) / len(values)


def test_same_seed_same_bytes(files: Path, tmp_path: Path) -> None:
    """Another process, with another hash seed, writes the same bytes for the same number of patients and seed."""
    command = [sys.executable, str(SCRIPT), "--out", str(tmp_path), "--patients", "3000", "--seed", "1"]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PYTHONHASHSEED": "7"})
    assert _bytes(tmp_path) == _bytes(files)


def test_another_seed_is_another_clinic(tmp_path: Path) -> None:
    """Another seed shares no patient's number, beyond chance."""
    numbers = []
    for seed in (1, 2):
        _, rows = clinic.invent(200, seed)["patients"]
        numbers.append({row[0] for row in rows})
    assert len(numbers[0] & numbers[1]) < 3


@pytest.mark.parametrize("patients", [100, 450])
def test_size_is_the_number_of_patients(patients: int, contracts: dict[str, Contract]) -> None:
    """As many patients are invented as were asked for, two to five visits each, fewer than 5 % of them broken."""
    tables = clinic.invent(patients, 0)
    counts = {table: len(rows) for table, (_, rows) in tables.items()}
    assert counts["patients"] == patients
    assert 2 * patients < counts["visits"] < 5 * patients
    for table, (_, rows) in tables.items():
        twice = counts[table] - len({row[0] for row in rows}) if table == "visits" else 0
        assert sum(bool(_fault(row, contracts[table])) for row in rows) + twice < 0.05 * counts[table]


def test_too_small_a_clinic_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fewer than 100 patients are refused with the bound, and nothing is written."""
    with pytest.raises(SystemExit):
        clinic.main(["--out", str(tmp_path / "none"), "--patients", "99"])
    assert "at least 100" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    """Where one table cannot be written, no file changes and no half of one stays behind."""
    clinic.main(["--out", str(tmp_path), "--patients", "100"])
    before = _bytes(tmp_path)
    tables = clinic.invent(100, 3)
    with pytest.raises(UnicodeEncodeError):
        clinic.write({**tables, "consents": (tables["consents"][0], [["\ud800"]])}, tmp_path)
    assert _bytes(tmp_path) == before


def test_columns_are_those_of_the_contracts(lines: dict[str, list[list[str]]], contracts: dict[str, Contract]) -> None:
    """Each file has the columns of its contract, in its order."""
    assert {table: rows[0] for table, rows in lines.items()} == {
        table: [column.name for column in contracts[table].columns] for table in TABLES
    }


def test_a_few_rows_are_broken(
    lines: dict[str, list[list[str]]], whole: dict[str, Rows], broken: dict[str, list[str]]
) -> None:
    """Every kind of broken row occurs, few of each, and no decision is lost among them."""
    assert set(broken["visits"]) == {"cells", "missing", "domain", "unreadable"}
    assert sorted(broken["patients"]) == ["cells", "unreadable"]
    assert broken["consents"] == []
    twice = [key for key, times in Counter(row[0] for row in lines["visits"][1:]).items() if times > 1]
    assert 1 <= len(twice) <= 4
    for table in ("patients", "visits"):
        assert len(broken[table]) + len(twice) < 0.05 * len(whole[table])


def test_keys_hold(whole: dict[str, Rows], lines: dict[str, list[list[str]]]) -> None:
    """Every visit and every decision is of a patient who is there, and a patient is there once."""
    patients = [row[0] for row in lines["patients"][1:]]
    assert len(set(patients)) == len(patients)
    for table in ("visits", "consents"):
        assert {row["patient_id"] for row in whole[table]} <= set(patients)


def test_visits_agree_with_each_other(whole: dict[str, Rows]) -> None:
    """A patient's visits do not overlap, are counted, and one is readmitted if the next begins within 30 days."""
    of_patient: dict[str, list[dict[str, str]]] = defaultdict(list)
    for visit in whole["visits"]:
        of_patient[visit["patient_id"]].append(visit)
    compared = 0
    for visits in of_patient.values():
        # in order of admission; where a broken row is left out, the count says so
        for visit, following in pairwise(visits):
            out, back = date.fromisoformat(visit["discharged_on"]), date.fromisoformat(following["admitted_on"])
            assert out < back
            assert int(visit["prior_visits"]) < int(following["prior_visits"])
            if int(following["prior_visits"]) == int(visit["prior_visits"]) + 1:
                assert (visit["readmitted"] == "true") == ((back - out).days <= 30)
                compared += 1
        for visit in visits:
            stay = date.fromisoformat(visit["discharged_on"]) - date.fromisoformat(visit["admitted_on"])
            assert stay.days == int(visit["length_of_stay"])
    assert compared > 1000


def test_decisions(whole: dict[str, Rows]) -> None:
    """About 85 % allow readmission_model, of whom 4 % take it back; about 2 % object to capacity_planning."""
    count, first = Counter(), {}
    for row in whole["consents"]:
        key = (row["patient_id"], row["purpose"], row["decision"])
        count[key[1:]] += key not in first
        first.setdefault(key, row["decided_at"])
    people = len(whole["patients"])
    assert 0.82 < count["readmission_model", "granted"] / people < 0.88
    assert 0.025 < count["readmission_model", "withdrawn"] / count["readmission_model", "granted"] < 0.055
    assert 0.01 < count["capacity_planning", "objected"] / people < 0.03
    for (patient, purpose, decision), at in first.items():
        if decision == "withdrawn":
            assert first[patient, purpose, "granted"] < at
        assert at < str(clinic.TODAY)


def test_retention_drops_a_few_for_years(whole: dict[str, Rows], contracts: dict[str, Contract]) -> None:
    """Some visits are past their retention on the day of the export, and five years later the others are not."""
    retention = contracts["visits"].privacy.retention
    assert retention
    ends = [date.fromisoformat(row[retention.column]) for row in whole["visits"]]
    today = clinic.TODAY.astype(object)
    days = (today, today.replace(year=2031, month=1))
    past = [sum((day - end).days > retention.days for end in ends) for day in days]
    assert past[0] == past[1]
    assert 0 < past[0] < 0.02 * len(ends)


def test_people_cannot_be_reached(whole: dict[str, Rows]) -> None:
    """Telephone numbers are valid and written in many ways, addresses are in example domains, some in capitals."""
    phones = [row["phone"] for row in whole["patients"] if row["phone"]]
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(phone, "GB")) for phone in phones)
    assert len({"".join("9" if letter.isdigit() else letter for letter in phone) for phone in phones}) > 6
    mails = [row["email"] for row in whole["patients"] if row["email"]]
    assert {mail.lower().partition("@")[2] for mail in mails} == {"example.com", "example.net", "example.org"}
    assert len({mail.lower() for mail in mails}) == len(mails)
    assert 0 < sum(mail != mail.lower() for mail in mails) < 0.1 * len(mails)


def test_attributes_depend_on_each_other(whole: dict[str, Rows]) -> None:
    """Readmission rises with severity and prior visits, stays with severity, smoking and emergencies with district."""
    visits = whole["visits"]
    assert _rate((v for v in visits if v["severity"] in "45"), "readmitted") > 2 * _rate(
        (v for v in visits if v["severity"] in "12"), "readmitted"
    )
    assert _rate((v for v in visits if int(v["prior_visits"]) > 3), "readmitted") > 1.5 * _rate(
        (v for v in visits if v["prior_visits"] == "0"), "readmitted"
    )
    assert _rate((v for v in visits if v["diagnosis_group"] == "cardiac"), "readmitted") > 1.5 * _rate(
        (v for v in visits if v["diagnosis_group"] == "orthopaedic"), "readmitted"
    )

    def stay(severity: str) -> float:
        stays = [int(visit["length_of_stay"]) for visit in visits if visit["severity"] == severity]
        return sum(stays) / len(stays)

    assert stay("5") > stay("3") > stay("1")

    born = {row["patient_id"]: int(row["birth_date"][:4]) for row in whole["patients"]}
    cardiac = {
        old: sum(v["diagnosis_group"] == "cardiac" for v in some) / len(some)
        for old in (True, False)
        if (some := [v for v in visits if v["patient_id"] in born and (born[v["patient_id"]] < 1955) == old])
    }
    assert cardiac[True] > 1.5 * cardiac[False]

    smokers: dict[str, list[bool]] = defaultdict(list)
    for row in whole["patients"]:
        smokers[row["postcode"][:4]].append(row["smoker"] == "current")
    rates = sorted(sum(some) / len(some) for some in smokers.values())
    assert rates[-1] > 1.8 * rates[0]


@pytest.mark.parametrize(
    ("root", "purposes"),
    [(ROOT, {"readmission_model", "capacity_planning"}), (Path(__file__).parent / "adult", {"income_model"})],
    ids=["clinic", "adult"],
)
def test_declarations_have_no_fault(root: Path, purposes: set[str]) -> None:
    """What is declared about the clinic and about the census data loads."""
    assert purposes <= set(load(root).purposes)


def test_no_purpose_sees_staff_or_contact_data() -> None:
    """The columns that no purpose states a need for are needed by none."""
    seen = {
        column
        for purpose in load(ROOT).purposes.values()
        for use in purpose.datasets.values()
        for column in use.columns
    }
    assert seen.isdisjoint({"attending", "given_name", "family_name", "email", "phone", "street", "insurance"})


@pytest.fixture
def adult_data() -> Path:
    folder = Path(os.environ.get("PRIVACY_ASSETS_TEST_DATA", ROOT.parent / "shared/data"))
    file = folder / "adult/adult.data"
    if not file.is_file():
        pytest.skip("the Adult data is not there: set PRIVACY_ASSETS_TEST_DATA to the folder that holds adult/")
    return file


def test_declared_domains_are_those_of_the_census_data(adult_data: Path) -> None:
    """Every row of the census data keeps its contract, and every declared category occurs."""
    contract = load(Path(__file__).parent / "adult").contracts["adult"]
    with adult_data.open(encoding="utf-8", newline="") as file:
        rows = [["" if cell == "?" else cell for cell in row] for row in csv.reader(file, skipinitialspace=True) if row]
    assert len(rows) == 32_561
    assert not [row for row in rows if _fault(row, contract)]
    for place, column in enumerate(contract.columns):
        if column.domain:
            assert {row[place] for row in rows} - {""} == set(column.domain)
