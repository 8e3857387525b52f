"""A tiny project with a second dataset about the same people: their visits.

Belongs here: what several stages' tests use. Does not belong here: what one test alone needs.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from privacy_assets.build import steps
from privacy_assets.contracts import promises
from privacy_assets.gate import Gate
from privacy_assets.stages.step import Outcome, carry_out
from privacy_assets.warehouse.connections import governed
from privacy_assets.words import AssetName

VISITS = """\
apiVersion: v3.2.0
kind: DataContract
id: tiny-visits
version: 1.0.0
team: {name: clinic-data}
servers: [{server: file, type: local, path: data/samples/visits.csv, format: csv}]
customProperties:
  - property: privacy
    value:
      subject: {kind: patient, column: patient_id}
      lawful_bases: [consent]
      consents: consents
schema:
  - name: visits
    properties:
      - name: visit_id
        logicalType: string
        primaryKey: true
        required: true
        customProperties:
          - property: privacy
            value: {role: direct_identifier, category: user.unique_id, identifier_domain: {name: visit_id}}
      - name: patient_id
        logicalType: string
        required: true
        customProperties:
          - property: privacy
            value: {role: direct_identifier, category: user.unique_id, identifier_domain: {name: patient_id}}
      - name: contact
        logicalType: string
        customProperties:
          - property: privacy
            value:
              role: direct_identifier
              category: user.contact.email
              identifier_domain: {name: email, normalization: email}
      - name: admitted
        logicalType: date
        customProperties:
          - property: privacy
            value: {role: attribute, category: user.health_and_medical}
"""

REACHING = """\
kind: Purpose
purpose: reaching
version: 1.0.0
title: Who can be reached
why: Try out how people are written to
owner: team:clinic-data
lawful_basis: consent
retention_days: 365
datasets:
  patients:
    columns:
      patient_id: {why: it joins, technique: {kind: token}}
      email: {why: the program parses addresses, technique: {kind: surrogate, generator: email}}
      registered: {why: how long they are here, technique: {kind: shift_dates, max_days: 30}}
  visits:
    columns:
      patient_id: {why: it joins, technique: {kind: token}}
      contact: {why: the program parses addresses, technique: {kind: surrogate, generator: email}}
      admitted: {why: how long after they came, technique: {kind: shift_dates, max_days: 30}}
features:
  unit: visit
  key: [patient_id]
  subject: patient_id
  sql: |
    SELECT DISTINCT patients.patient_id FROM patients JOIN visits ON patients.patient_id = visits.patient_id
"""

Rows = Callable[[Gate, AssetName, str], list[tuple[Any, ...]]]


@pytest.fixture
def rows() -> Rows:
    """The rows of a query about the version that stands, which it calls DATA (catalog `held`)."""

    def asked(gate: Gate, asset: AssetName, sql: str) -> list[tuple[Any, ...]]:
        passport = gate.latest(asset)
        assert passport is not None
        with governed(gate.home.spill, inputs={"held": gate.attachment(passport)}, candidate=None) as con:
            return con.execute(sql.replace("DATA", "held.main.data")).fetchall()

    return asked


@pytest.fixture
def make() -> Callable[..., Outcome]:
    """Carries out the step of each asset that is named, all of which must be kept; the last one's outcome."""

    def carried_out(gate: Gate, *assets: AssetName) -> Outcome:
        for asset in assets:
            outcome = carry_out(steps(gate.project)[asset], gate)
            outcome.raise_faults()
        return outcome

    return carried_out


@pytest.fixture
def edit(tiny_project: Path) -> Callable[[str, str, str], None]:
    """Replaces a text, which must be there, in a file of the tiny project."""

    def replaced(file: str, old: str, new: str) -> None:
        path = tiny_project / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    return replaced


@pytest.fixture(scope="session")
def reaching_that_ran(corridor_that_ran: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny project, visits and the purpose `reaching`, which is pseudonymized. To be copied.

    Everybody was here twice: when they registered, and as many days later as their number says; the second time their
    address was written in capitals.
    """
    folder = tmp_path_factory.mktemp("reaching") / "copy"
    shutil.copytree(corridor_that_ran, folder)
    data = folder / "project/data"
    (data / "contracts/visits.odcs.yaml").write_text(VISITS, "utf-8")
    (data / "purposes/reaching.yaml").write_text(REACHING, "utf-8")
    decisions = (data / "samples/consents.csv").read_text("utf-8")
    more = decisions.replace("smoking", "reaching").partition("\n")[2]
    (data / "samples/consents.csv").write_text(decisions + more, "utf-8")
    visits = ["visit_id,patient_id,contact,admitted"]
    for line in (data / "samples/patients.csv").read_text("utf-8").splitlines()[1:]:
        person, email, *_, registered = line.split(";")
        later = date.fromisoformat(registered) + timedelta(days=int(person[2:]))
        visits += [f"{person}-1,{person},{email},{registered}", f"{person}-2,{person},{email.upper()},{later}"]
    (data / "samples/visits.csv").write_text("\n".join(visits) + "\n", "utf-8")
    gate = Gate.open(folder / "project", _environment(folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(promises, "SMALLEST_DOMAIN", 10)
        for asset, step in steps(gate.project).items():
            if str(asset) in ("raw/consents", "raw/visits") or asset.purpose == "reaching":
                carry_out(step, gate).raise_faults()
    return folder


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PRIVACY_ASSETS_HOME": str(folder / "home"),
        "PRIVACY_ASSETS_KEY_FILE": str(folder / "guards" / "master.key"),
        "PRIVACY_ASSETS_WITNESS": str(folder / "guards" / "witness"),
    }


@pytest.fixture
def reaching(
    reaching_that_ran: Path,
    tiny_project: Path,
    tmp_path: Path,
    reopen: Callable[[], Gate],
    monkeypatch: pytest.MonkeyPatch,
) -> Gate:
    """The gate of a copy of that; ten different identifiers are many enough for it."""
    monkeypatch.setattr(promises, "SMALLEST_DOMAIN", 10)
    shutil.copytree(reaching_that_ran, tmp_path, dirs_exist_ok=True)
    return reopen()
