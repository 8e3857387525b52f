"""A whole project that is small enough to read: two datasets about invented people, one purpose.

Belongs here: fixtures that several rooms use, the tools that tests need, and the figures that they print. Does not
belong here: what one room alone needs (its own conftest.py).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from privacy_assets.build import steps
from privacy_assets.gate import Gate
from privacy_assets.stages.step import carry_out
from tests.servers import Authority, PostgresServer, Store, postgres_programs

TOOLS = {
    "strace": ["strace", "-f", "-o", "/dev/null", "true"],
    "unshare": ["unshare", "--user", "--map-root-user", "--mount", "true"],
    "faketime": ["faketime", "-f", "-1d", "true"],
    "chromium": ["chromium", "--version"],
    "postgres": [str((postgres_programs() or Path()) / "postgres"), "--version"],
}
"""The tools of Linux that `@pytest.mark.needs(...)` may name, each with a command that shows that it works here."""


@cache
def works(tool: str) -> bool:
    """Whether the tool is installed, and allowed to do its work."""
    if sys.platform != "linux" or not shutil.which(TOOLS[tool][0]):
        return False
    return not subprocess.run(TOOLS[tool], check=False, stdout=subprocess.DEVNULL).returncode


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, with the reason, a test whose tools are not here; where nothing may be skipped, fail it."""
    needed = [tool for marker in item.iter_markers("needs") for tool in marker.args]
    if missing := [tool for tool in needed if not works(tool)]:
        reason = f"needs {', '.join(missing)}: make tools" if sys.platform == "linux" else "needs tools of Linux"
        if sys.platform == "linux" and os.environ.get("PRIVACY_ASSETS_TEST_ALL"):
            pytest.fail(reason)
        pytest.skip(reason)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Rooms last: their files take seconds. With a file that takes minutes last, one worker waits for the other."""
    items.sort(key=lambda item: _is_in_a_room(item.path))


@cache
def _is_in_a_room(file: Path) -> bool:
    """Whether the package has a room of the name under which the test lies."""
    tests = Path(__file__).parent
    return (tests.parent / "privacy_assets" / file.relative_to(tests).parts[0]).is_dir()


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """`figures("T-LOG-4 attacks", tried=30, detected=30)` is printed when all tests have run."""

    def figure(what: str, **counts: int) -> None:
        record_property("figure", (what, dict(counts)))

    return figure


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Signs the certificates of the servers."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def postgres(authority: Authority) -> Iterator[PostgresServer]:
    """A real server with TLS; a test that asks for it is marked `needs("postgres")`."""
    server = PostgresServer(authority)
    yield server
    server.close()


@pytest.fixture(scope="session")
def store(authority: Authority) -> Iterator[Store]:
    """A real store with TLS."""
    server = Store(authority)
    yield server
    server.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was tried, and what came of it."""
    told = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, value in report.user_properties
        if name == "figure"
    ]
    if told:
        terminalreporter.section("tried and found")
    for what, counts in sorted(told, key=lambda figure: figure[0]):
        terminalreporter.write_line(f"{what}: " + ", ".join(f"{count:,} {name}" for name, count in counts.items()))


PATIENTS = """\
apiVersion: v3.2.0
kind: DataContract
id: tiny-patients
version: 1.0.0
name: Patients of a tiny clinic
status: active
description:
  purpose: Who is registered at the clinic
team:
  name: clinic-data
slaProperties:
  - property: latency
    value: 2
    unit: d
servers:
  - server: file
    type: local
    path: data/samples/patients.csv
    format: csv
    delimiter: ";"
    encoding: utf-8
    customProperties:
      - property: reading
        value:
          header: true
          null_text: ["", "NA"]
customProperties:
  - property: privacy
    value:
      subject:
        kind: patient
        column: patient_id
      lawful_bases: [consent, legitimate_interests]
      consents: consents
      retention:
        column: registered
        days: 3650
      third_parties: []
schema:
  - name: patients
    properties:
      - name: patient_id
        logicalType: string
        primaryKey: true
        required: true
        unique: true
        description: number of the patient
        customProperties:
          - property: privacy
            value:
              role: direct_identifier
              category: user.unique_id
              identifier_domain: {name: patient_id}
      - name: email
        logicalType: string
        customProperties:
          - property: privacy
            value:
              role: direct_identifier
              category: user.contact.email
              identifier_domain: {name: email, normalization: email}
      - name: sex
        logicalType: string
        enum:
          - value: F
          - value: M
          - value: X
        customProperties:
          - property: privacy
            value: {role: quasi_identifier, category: user.demographic.gender}
      - name: age
        logicalType: integer
        physicalType: SMALLINT
        customProperties:
          - property: privacy
            value: {role: quasi_identifier, category: user.demographic.age_range}
      - name: smoker
        logicalType: boolean
        customProperties:
          - property: privacy
            value: {role: sensitive, category: user.health_and_medical}
      - name: cost
        logicalType: number
        physicalType: DECIMAL(10,2)
        customProperties:
          - property: privacy
            value: {role: attribute, category: user.financial}
      - name: registered
        logicalType: date
        required: true
        customProperties:
          - property: privacy
            value: {role: attribute, category: user.account}
"""

CONSENTS = """\
apiVersion: v3.2.0
kind: DataContract
id: tiny-consents
version: 1.0.0
team:
  name: clinic-data
servers:
  - server: file
    type: local
    path: data/samples/consents.csv
    format: csv
customProperties:
  - property: privacy
    value:
      subject:
        kind: patient
        column: patient_id
      lawful_bases: [legal_obligation]
      quarantine_at_most: 0.0
      consent_records:
        subject: patient_id
        purpose: purpose
        decision: decision
        decided_at: decided_at
schema:
  - name: consents
    properties:
      - name: patient_id
        logicalType: string
        required: true
        customProperties:
          - property: privacy
            value:
              role: direct_identifier
              category: user.unique_id
              identifier_domain: {name: patient_id}
      - name: purpose
        logicalType: string
        required: true
        enum: [{value: smoking}, {value: reaching}, {value: another}]
        customProperties:
          - property: privacy
            value: {role: attribute, category: user.privacy_preferences}
      - name: decision
        logicalType: string
        required: true
        enum: [{value: granted}, {value: withdrawn}, {value: objected}]
        customProperties:
          - property: privacy
            value: {role: attribute, category: user.privacy_preferences}
      - name: decided_at
        logicalType: timestamp
        required: true
        customProperties:
          - property: privacy
            value: {role: attribute, category: user.privacy_preferences}
"""

SMOKING = """\
kind: Purpose
purpose: smoking
version: 1.0.0
title: Who smokes
why: Tell whom a course against smoking would help
owner: team:clinic-data
lawful_basis: consent
recipients: [the clinic's own doctors]
retention_days: 365
datasets:
  patients:
    columns:
      patient_id:
        why: rows of one person belong into one split
        technique: {kind: token}
      sex:
        why: smoking differs by sex
        technique: {kind: keep}
      age:
        why: smoking differs by age
        technique: {kind: bucket, edges: [30, 50]}
      smoker:
        why: this is what is predicted
        technique: {kind: keep}
features:
  unit: person
  key: [patient_id]
  subject: patient_id
  sql: |
    SELECT patient_id, sex, age, smoker
    FROM patients
guarantee:
  at_least_subjects: 5
training:
  from: features
  reason: the doctors who treat these people learn nothing new about them
  split: {train: 0.6, validation: 0.2, test: 0.2, seed: 7}
model:
  task: classification
  target: smoker
  estimator: {kind: logistic_regression}
  seed: 7
"""

PEOPLE = 60

PATIENT_ROWS = "patient_id;email;sex;age;smoker;cost;registered\n" + "".join(
    f"p-{number:02};{name}{number}@example.org;{'FMX'[number % 3]};{20 + number};{'true' if number % 2 else 'false'};"
    f"{number}.50;2026-01-{1 + number % 28:02}\n"
    for number, name in zip(range(1, PEOPLE + 1), ["ada", "bo", "cleo", "dan"] * PEOPLE, strict=False)
)

CONSENT_ROWS = "patient_id,purpose,decision,decided_at\n" + "".join(
    f"p-{number:02},smoking,granted,2026-02-{1 + number % 28:02} 09:00:00\n" for number in range(1, PEOPLE)
)


def write_tiny_project(root: Path) -> None:
    """Put the contracts `patients` and `consents`, the purpose `smoking` and their rows into the folder."""
    for name, text in {
        "data/contracts/patients.odcs.yaml": PATIENTS,
        "data/contracts/consents.odcs.yaml": CONSENTS,
        "data/purposes/smoking.yaml": SMOKING,
        "data/samples/patients.csv": PATIENT_ROWS,
        "data/samples/consents.csv": CONSENT_ROWS,
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def tiny_project(tmp_path: Path) -> Path:
    """The root of a project with the contracts `patients` and `consents`, the purpose `smoking`, and their rows.

    Patient p-60 never consented; the other 59 did. Nothing is materialized.
    """
    root = tmp_path / "project"
    write_tiny_project(root)
    return root


def environment_in(folder: Path) -> dict[str, str]:
    """A home, a key and a witness in a folder of their own."""
    return {
        "PRIVACY_ASSETS_HOME": str(folder / "home"),
        "PRIVACY_ASSETS_KEY_FILE": str(folder / "guards" / "master.key"),
        "PRIVACY_ASSETS_WITNESS": str(folder / "guards" / "witness"),
    }


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home, a key and a witness of their own."""
    return environment_in(tmp_path)


@pytest.fixture
def reopen(tiny_project: Path, environment: dict[str, str]) -> Callable[[], Gate]:
    """Opens the gate of the tiny project anew, with its declarations as they are now."""
    return lambda: Gate.open(tiny_project, environment)


@pytest.fixture
def gate(reopen: Callable[[], Gate]) -> Gate:
    """The gate of the tiny project, with nothing published."""
    return reopen()


@pytest.fixture(scope="session")
def corridor_that_ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny project, its home and its guards, after the whole corridor has run. To be copied."""
    folder = tmp_path_factory.mktemp("corridor")
    write_tiny_project(folder / "project")
    gate = Gate.open(folder / "project", environment_in(folder))
    for step in steps(gate.project).values():
        carry_out(step, gate).raise_faults()
    return folder


@pytest.fixture
def published(corridor_that_ran: Path, tiny_project: Path, tmp_path: Path, reopen: Callable[[], Gate]) -> Gate:
    """The gate of the tiny project after the whole corridor has run; every test has a copy of its own."""
    shutil.copytree(corridor_that_ran, tmp_path, dirs_exist_ok=True)
    return reopen()
