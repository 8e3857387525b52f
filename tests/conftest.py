"""A whole project that is small enough to read: two datasets about invented people, one purpose.

Belongs here: fixtures that several rooms use. Does not belong here: what one room alone needs (its own conftest.py).
"""

from __future__ import annotations

from pathlib import Path

import pytest

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

PATIENT_ROWS = """\
patient_id;email;sex;age;smoker;cost;registered
p-01;ada@example.org;F;36;true;120.50;2026-01-05
p-02;bo@example.org;M;41;false;80.00;2026-01-06
p-03;cleo@example.org;F;29;false;15.25;2026-01-07
p-04;dan@example.org;M;52;true;310.00;2026-01-08
p-05;eve@example.org;F;67;false;99.90;2026-01-09
p-06;fay@example.org;X;45;true;45.00;2026-01-12
p-07;gus@example.org;M;33;false;NA;2026-01-13
p-08;hal@example.org;M;58;true;230.10;2026-01-14
p-09;ida@example.org;F;24;false;60.00;2026-01-15
p-10;jan@example.org;M;71;true;500.00;2026-01-16
p-11;kim@example.org;X;39;false;75.75;2026-01-19
p-12;lea@example.org;F;48;true;130.00;2026-01-20
"""

CONSENT_ROWS = "patient_id,purpose,decision,decided_at\n" + "".join(
    f"p-{number:02},smoking,granted,2026-02-{number:02} 09:00:00\n" for number in range(1, 12)
)


@pytest.fixture
def tiny_project(tmp_path: Path) -> Path:
    """The root of a project with the contracts `patients` and `consents`, the purpose `smoking`, and their rows.

    Patient p-12 never consented; eleven of the twelve did. Nothing is materialized.
    """
    root = tmp_path / "project"
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
    return root
