"""A second set of real people: a draft of the German credit data, anonymized and counted.

PRIVACY_ASSETS_TEST_DATA names the folder of test data; by default it is `shared/data` beside the repository.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from privacy_assets.build import steps
from privacy_assets.drafting.drafting import draft_files
from privacy_assets.gate import Gate
from privacy_assets.reports.explain import explain
from privacy_assets.stages.step import carry_out
from privacy_assets.words import AssetName

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("PRIVACY_ASSETS_TEST_DATA") or ROOT.parent / "shared" / "data").resolve()
SOURCE = DATA / "german_credit" / "german.data"

pytestmark = pytest.mark.skipif(not SOURCE.is_file(), reason=f"the credit data is not in {DATA}/german_credit")

PURPOSE = """\
kind: Purpose
purpose: lending
version: 1.0.0
title: Who pays back
why: Others should be able to repeat research on credit without anybody's record.
owner: team:research
lawful_basis: legitimate_interests
retention_days: 365
datasets:
  german:
    columns:
      _row: {why: tells people apart, technique: {kind: token}}
      column_13: {why: the age, technique: {kind: keep}}
      column_9: {why: sex and status, technique: {kind: keep}}
      column_16: {why: credits that there are, technique: {kind: keep}}
      column_19: {why: a telephone, technique: {kind: keep}}
      column_5: {why: the amount, technique: {kind: bucket, edges: [1000, 2000, 4000, 8000]}}
      column_21: {why: good or bad, technique: {kind: keep}}
features:
  unit: one person
  key: [_row]
  subject: _row
  sql: |
    SELECT _row, column_13 AS age, column_9 AS status, column_16 AS credits, column_19 AS telephone,
           column_5 AS amount, column_21 AS class FROM german
guarantee:
  anonymity:
    criteria:
      - {kind: k_anonymity, k: 8}
      - {kind: l_diversity, column: amount, form: entropy, l: 2}
      - {kind: t_closeness, column: class, t: 0.3, distance: ordered}
    suppressed_at_most: 0.05
  fairness: {columns: [telephone]}
anonymized:
  techniques: [{kind: full_domain}, {kind: local}, {kind: top_down}]
  hierarchies:
    age: {kind: intervals, widths: [5, 10, 20], low: 15, high: 75}
    status: {kind: flat}
    credits: {kind: learned, depth: 1}
    telephone: {kind: flat}
statistics:
  privacy: {kind: differential, epsilon: 1.0}
  contribution: {rows: 1}
  queries:
    people: {kind: count, by: [telephone]}
    ages: {kind: mean, column: age, low: 18, high: 80}
"""


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    """Everything made, from the draft on; what the draft took for a quasi-identifier is sensitive where it is."""
    folder = tmp_path_factory.mktemp("german")
    root = folder / "project"
    (root / "data/contracts").mkdir(parents=True)
    (root / "data/purposes").mkdir()
    shutil.copy(SOURCE, root / "data")
    draft_files(str(root / "data/german.data"), "german", root, subject=None, target=None)
    contract = root / "data/contracts/german.odcs.yaml"
    before, *columns = contract.read_text("utf-8").split("- name: column_")
    columns = [
        part.replace("role: quasi_identifier", "role: sensitive", 1) if part.startswith(("5\n", "21\n")) else part
        for part in columns
    ]
    bases = "lawful_bases: [legitimate_interests]\n"
    assert bases in before
    before = before.replace(bases, f"{bases}      budget: {{epsilon: 2.0, period_days: 30}}\n")
    contract.write_text("- name: column_".join([before, *columns]), "utf-8")
    for drafted in (root / "data/purposes").iterdir():
        drafted.unlink()
    (root / "data/purposes/lending.yaml").write_text(PURPOSE, "utf-8")
    made = Gate.open(
        root,
        {
            "PRIVACY_ASSETS_HOME": str(folder / "home"),
            "PRIVACY_ASSETS_KEY_FILE": str(folder / "key" / "master.key"),
            "PRIVACY_ASSETS_WITNESS": str(folder / "witness"),
        },
    )
    for step in steps(made.project).values():
        carry_out(step, made).raise_faults()
    return made


def findings(gate: Gate, asset: str) -> dict[str, Any]:
    passport = gate.latest(AssetName.parse(asset))
    assert passport is not None
    return {measured.finding.name: measured.finding for measured in passport.measured}


def test_all_thousand_are_anonymized_as_asked(gate: Gate):
    """And the technique that loses least was taken."""
    found = findings(gate, "anonymized/lending")
    assert all(finding.kept for finding in found.values())
    assert found["persons_per_class___row"].numbers["smallest"] >= 8
    assert found["suppressed_share"].numbers["before"] == 1000
    measures = gate.latest(AssetName.parse("anonymized/lending")).measures
    assert measures["loss"] == min(value for name, value in measures.items() if name.startswith("loss["))


def test_people_are_counted_with_noise(gate: Gate):
    """Two groups and a mean, each with what it cost; the budget knows it."""
    found = findings(gate, "statistics/lending")
    assert found["noise_declared"].kept
    assert found["noise_declared"].numbers["epsilon_spent"] == pytest.approx(1.0, abs=1e-5)
    assert gate.account("german").epsilon_left == pytest.approx(1.0, abs=1e-5)


def test_both_are_explained_down_to_the_file(gate: Gate):
    """What it came to, what was measured, and what it was made from."""
    link = explain(gate, AssetName.parse("anonymized/lending"))
    assert any(line.startswith("came to: ") and "prosecutor_risk" in line for line in link.lines())
    assert [below.passport.asset.stage.value for below in link.made_from] == ["features"]
    assert {gate.examine(asset).standing.value for asset in gate.project.assets()} == {"kept"}
