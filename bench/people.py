"""A project whose people are invented by arithmetic: any number of rows, the same ones for the same number.

One dataset of 12 columns about stays (a person has ten), their consents (a fifth says no), one purpose, its model.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

import duckdb

ROWS_OF_A_PERSON = 10
WARDS = ("cardiology", "respiratory", "surgery", "neurology", "oncology", "geriatrics")
DISTRICTS = tuple(f"QX{number}" for number in range(10, 34))

_COLUMN = """\
      - name: {name}
        logicalType: {logical}
        customProperties:
          - property: privacy
            value: {{role: {role}, category: {category}{domain}}}
"""
_HEAD = """\
apiVersion: v3.2.0
kind: DataContract
id: bench-{name}
version: 1.0.0
status: active
description:
  purpose: {about}. Invented.
team:
  name: bench
servers:
  - server: export
    type: local
    path: data/samples/{name}.parquet
    format: parquet
customProperties:
  - property: privacy
    value:
      subject: {{kind: patient, column: email}}
"""
_STAYS = """\
      lawful_bases: [consent]
      consents: consents
      retention: {column: discharged_on, days: 36500}
schema:
  - name: stays
    properties:
"""
_CONSENTS = """\
      lawful_bases: [legal_obligation]
      consent_records: {subject: email, purpose: purpose, decision: decision, decided_at: decided_at}
      quarantine_at_most: 0.0
schema:
  - name: consents
    properties:
"""
_STAY_ID = ", identifier_domain: {name: stay_id}"
_EMAIL = ", identifier_domain: {name: email}"
_PURPOSE = f"""\
kind: Purpose
purpose: readmission
version: 1.0.0
title: Predict readmission
why: So that a nurse can visit those who are likely to come back.
owner: team:bench
lawful_basis: consent
recipients: [the discharge team]
retention_days: 730
withdrawal_effect_hours: 24
epoch: 1
datasets:
  stays:
    columns:
      stay_id: {{why: tells one stay from another, technique: {{kind: token}}}}
      email: {{why: keeps the rows of a person in one split, technique: {{kind: token}}}}
      birth_date: {{why: age predicts frailty, technique: {{kind: truncate_date, to: year}}}}
      sex: {{why: risks differ between the sexes, technique: {{kind: keep}}}}
      postcode: {{why: the district stands for deprivation, technique: {{kind: truncate_text, keep: 4}}}}
      admitted_on: {{why: the age at admission, technique: {{kind: shift_dates, max_days: 180}}}}
      ward: {{why: wards differ in how they prepare a discharge, technique: {{kind: keep}}}}
      length_of_stay: {{why: a long stay is a sign of complications, technique: {{kind: code_extremes, high: 30}}}}
      readmitted: {{why: it is what the model learns to predict, technique: {{kind: keep}}}}
features:
  unit: one stay
  key: [stay_id]
  subject: email
  sql: |
    SELECT stay_id, email, date_diff('year', birth_date, admitted_on) AS age, sex, postcode AS district, ward,
           length_of_stay, readmitted
    FROM stays
  categories: {{district: [{", ".join(DISTRICTS)}]}}
guarantee:
  at_least_subjects: 500
training:
  from: features
  reason: The data team trains on pseudonymized rows inside the encrypted store.
  split: {{train: 0.7, validation: 0.15, test: 0.15, seed: 2026}}
model:
  task: classification
  target: readmitted
  estimator: {{kind: hist_gradient_boosting, max_iter: 50}}
  seed: 2026
"""


def project(folder: Path, rows: int) -> Path:
    """Write the project with `rows` stays into `folder`, once, and return its root."""
    root = folder / f"project_{rows}"
    if root.exists():
        return root
    for name, text in {
        "contracts/stays.odcs.yaml": _HEAD.format(name="stays", about="Stays") + _STAYS + _stays(),
        "contracts/consents.odcs.yaml": _HEAD.format(name="consents", about="Decisions") + _CONSENTS + _consents(),
        "purposes/readmission.yaml": _PURPOSE,
    }.items():
        path = root / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (root / "data" / "samples").mkdir()
    _invent(root / "data" / "samples", rows)
    return root


def environment(folder: Path, rows: int) -> dict[str, str]:
    """The home, the key and the witness of that project."""
    return {
        "PRIVACY_ASSETS_HOME": str(folder / f"home_{rows}"),
        "PRIVACY_ASSETS_KEY_FILE": str(folder / "guards" / f"{rows}.key"),
        "PRIVACY_ASSETS_WITNESS": str(folder / "guards" / f"{rows}.witness"),
        "PRIVACY_ASSETS_PROJECT": "bench",
    }


def email(person: str) -> str:
    """SQL for the e-mail address of a person's number: 36 bytes."""
    number = f"lpad(CAST({person} AS VARCHAR), 8, '0')"
    return f"'given.family.' || {number} || '@mail.example'"


def _stays() -> str:
    column = functools.partial(_column, role="direct_identifier")
    health = "user.health_and_medical"
    record = f"{health}.record_id"
    return "".join(
        (
            column("stay_id", "integer", category=record, domain=_STAY_ID, type_="BIGINT"),
            column("email", "string", category="user.contact.email", domain=_EMAIL),
            column("name", "string", category="user.name"),
            column("street", "string", category="user.contact.address.street"),
            _column("birth_date", "date", "quasi_identifier", "user.demographic.date_of_birth"),
            _column("sex", "string", "quasi_identifier", "user.demographic.gender", among=("female", "male", "other")),
            _column("postcode", "string", "quasi_identifier", "user.contact.address.postal_code"),
            _column("admitted_on", "date", "quasi_identifier", health),
            _column("discharged_on", "date", "quasi_identifier", health),
            _column("ward", "string", "sensitive", health, among=WARDS),
            _column("length_of_stay", "integer", "attribute", health, type_="SMALLINT"),
            _column("readmitted", "boolean", "sensitive", health),
        )
    )


def _consents() -> str:
    said = "user.privacy_preferences"
    return "".join(
        (
            _column("email", "string", "direct_identifier", "user.contact.email", domain=_EMAIL),
            _column("purpose", "string", "attribute", said, among=("readmission",)),
            _column("decision", "string", "attribute", said, among=("granted", "withdrawn", "objected")),
            _column("decided_at", "timestamp", "attribute", said),
        )
    )


def _column(
    name: str, logical: str, role: str, category: str, domain: str = "", type_: str = "", among: tuple[str, ...] = ()
) -> str:
    text = _COLUMN.format(name=name, logical=logical, role=role, category=category, domain=domain)
    if type_:
        text += f"        physicalType: {type_}\n"
    if among:
        text += "        enum:\n" + "".join(f"          - value: {value}\n" for value in among)
    return text + ("        primaryKey: true\n" if name == "stay_id" else "        required: true\n")


def _invent(folder: Path, rows: int) -> None:
    people = max(1, rows // ROWS_OF_A_PERSON)
    wards = ", ".join(f"'{ward}'" for ward in WARDS)
    # hash() is the engine's own, without a seed from outside: the same rows on every machine of one engine version
    with duckdb.connect(config={"threads": os.cpu_count() or 1}) as con:
        con.execute(f"""
            COPY (
                WITH drawn AS (
                    SELECT i, hash(i) % {people} AS person, hash(i, 'of the stay') AS h FROM range({rows}) t(i)
                ),
                known AS (SELECT *, hash(person, 'of the person') AS p FROM drawn)
                SELECT (i * 7919 + 10000000)::BIGINT AS stay_id, {email("person")} AS email,
                    'Given ' || (p % 5000) || ' Family ' || (p // 5000 % 20000) AS name,
                    (p % 300) || ' Street ' || (p // 300 % 9000) AS street,
                    DATE '1930-01-01' + (p % 29000)::INTEGER AS birth_date,
                    (['female', 'male', 'other'])[(p // 7 % 3 + 1)::INTEGER] AS sex,
                    'QX' || (10 + p // 11 % {len(DISTRICTS)}) || ' ' || (p % 9) || 'AB' AS postcode,
                    DATE '2022-01-01' + (h % 1400)::INTEGER AS admitted_on,
                    DATE '2022-01-01' + (h % 1400 + h // 64 % 45)::INTEGER AS discharged_on,
                    ([{wards}])[(h // 128 % {len(WARDS)} + 1)::INTEGER] AS ward,
                    (h // 64 % 45)::SMALLINT AS length_of_stay,
                    (h // 64 % 45) + h // 4096 % 40 > 52 AS readmitted
                FROM known
            ) TO '{folder / "stays.parquet"}' (FORMAT parquet)
        """)
        con.execute(f"""
            COPY (
                SELECT {email("i")} AS email, 'readmission' AS purpose,
                    CASE WHEN hash(i, 'consent') % 5 = 0 THEN 'withdrawn' ELSE 'granted' END AS decision,
                    TIMESTAMP '2024-01-01' + to_seconds((hash(i) % 10000000)::BIGINT) AS decided_at
                FROM range({people}) t(i)
            ) TO '{folder / "consents.parquet"}' (FORMAT parquet)
        """)
