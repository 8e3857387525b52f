"""What anonymized rows are worth: a model that learned from them, on true rows, decides about their publication."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from privacy_assets.build import steps
from privacy_assets.contracts.loading import check
from privacy_assets.gate import Gate
from privacy_assets.stages.step import Outcome, carry_out, measure_again
from privacy_assets.techniques.train import _transfer
from privacy_assets.words import AssetName, Finding, Stage, Verdict
from tests.conftest import environment_in, write_tiny_project
from tests.contracts.test_anonymity import BEFORE

ANONYMIZED = AssetName.parse("anonymized/smoking")
PURPOSE = "data/purposes/smoking.yaml"
PATIENTS = "data/samples/patients.csv"
PEOPLE = 1600
UP_TO = (Stage.RAW, Stage.MINIMIZED, Stage.PSEUDONYMIZED, Stage.FEATURES)

K5 = "criteria: [{kind: k_anonymity, k: 5}]"
TRANSFER = "{metric: accuracy, at_least: 0.7, loses_at_most: 0.1}"
ASKED = f"""\
  anonymity:
    criteria: [{{kind: k_anonymity, k: 5}}]
    transfer: {TRANSFER}
  fairness: {{columns: [sex], transfer_disparity_at_most: 0.15}}
anonymized:
  techniques: [{{kind: local}}]
  hierarchies:
    age: {{kind: intervals, widths: [5, 10, 20], low: 20, high: 80}}
training:
  from: anonymized
"""
MODEL = """\
model:
  task: classification
  target: smoker
  estimator: {kind: decision_tree, min_samples_leaf: 20}
  seed: 7
"""
EDITS = (
    ("technique: {kind: bucket, edges: [30, 50]}", "technique: {kind: keep}"),
    ("      smoker:\n", "      cost: {why: it differs, technique: {kind: keep}}\n      smoker:\n"),
    ("SELECT patient_id, sex, age, smoker", "SELECT patient_id, sex, age, cost, smoker"),
    (BEFORE, ASKED),
    ("{kind: logistic_regression}", "{kind: decision_tree, min_samples_leaf: 20}"),
)

Rows = Callable[..., list[tuple[Any, ...]]]


def _people() -> str:
    """The old smoke; of the few who are X the young do. What somebody costs rises with age."""
    draw = np.random.default_rng(5)
    lines = ["patient_id;email;sex;age;smoker;cost;registered"]
    for number in range(PEOPLE):
        sex, age = "FMX"[int(draw.choice(3, p=[0.44, 0.44, 0.12]))], int(draw.integers(20, 80))
        smokes = (age >= 50) != (sex == "X") if draw.random() < 0.9 else draw.random() < 0.5
        known = "" if draw.random() < 0.03 else age
        cost = 10 * age + draw.normal(scale=100)
        who = f"p-{number:04};a{number}@example.org;{sex};{known};{str(smokes).lower()}"
        lines.append(f"{who};{cost + 500:.2f};2026-01-02")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny project with more people, its home and its guards, whose features stand. To be copied."""
    folder = tmp_path_factory.mktemp("transferring")
    root = folder / "project"
    write_tiny_project(root)
    (root / PATIENTS).write_text(_people(), encoding="utf-8")
    said = [f"p-{number:04},smoking,granted,2026-02-02 09:00:00" for number in range(PEOPLE)]
    consents = "patient_id,purpose,decision,decided_at\n" + "\n".join(said) + "\n"
    (root / "data/samples/consents.csv").write_text(consents, encoding="utf-8")
    text = (root / PURPOSE).read_text(encoding="utf-8")
    for old, new in EDITS:
        assert old in text
        text = text.replace(old, new)
    (root / PURPOSE).write_text(text, encoding="utf-8")
    _make(Gate.open(root, environment_in(folder)), *UP_TO)
    return folder


def _make(gate: Gate, *stages: Stage) -> None:
    for step in steps(gate.project).values():
        if step.asset.stage in stages:
            carry_out(step, gate).raise_faults()


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A copy of that project; every test has one of its own."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "project"


@pytest.fixture
def publish(project: Path, tmp_path: Path) -> Callable[[], tuple[Outcome, dict[str, Finding]]]:
    """Tries to publish, by the declarations as they are now: what came of it, and what was found of the measures."""

    def carried_out() -> tuple[Outcome, dict[str, Finding]]:
        gate = Gate.open(project, environment_in(tmp_path))
        outcome = carry_out(steps(gate.project)[ANONYMIZED], gate)
        of_fidelity = [one.finding for one in outcome.measured if one.finding.invariant == "fidelity"]
        return outcome, {finding.about: finding for finding in of_fidelity}

    return carried_out


@pytest.fixture
def change(project: Path) -> Callable[[str, str], None]:
    """Replaces a text of the purpose, which must be there."""

    def replaced(old: str, new: str) -> None:
        text = (project / PURPOSE).read_text("utf-8")
        assert old in text
        (project / PURPOSE).write_text(text.replace(old, new), "utf-8")

    return replaced


Publish = Callable[[], tuple[Outcome, dict[str, Finding]]]
Change = Callable[[str, str], None]


def test_rows_that_still_teach_are_published(publish: Publish, tmp_path: Path, project: Path, rows: Rows):
    """With what was measured, its interval, and the loss of every group, measured on every row that is held out."""
    outcome, found = publish()
    assert outcome.passport is not None and not outcome.faults
    assert set(found) == {"transfer", "transfer_loss", "transfer_disparity"}
    assert all(finding.verdict is Verdict.KEPT for finding in found.values())
    assert found["transfer"].numbers["low"] < found["transfer"].numbers["value"] < found["transfer"].numbers["high"]
    assert outcome.passport.measures["transfer_real"] > 0.85
    assert {f"transfer_loss[sex={sex}]" for sex in "FMX"} <= set(outcome.passport.measures)
    gate = Gate.open(project, environment_in(tmp_path))
    dealt = dict(rows(gate, ANONYMIZED, "SELECT split, count(*) FROM DATA GROUP BY 1"))
    left_out = PEOPLE - sum(dealt.values())
    held = found["transfer"].numbers["n"]
    assert dealt["validation"] + dealt["test"] <= held <= dealt["validation"] + dealt["test"] + left_out
    # and what was measured is measured again, without anybody's token
    again = measure_again(steps(gate.project)[ANONYMIZED], gate, outcome.passport)
    assert not again.faults


def test_rows_that_say_nothing_any_more_are_stopped(publish: Publish, change: Change, project: Path, tmp_path: Path):
    """Everybody is in one class, at the root of every column: nothing is left to learn."""
    change("age, cost, smoker", "age, smoker")
    change("k: 5", f"k: {PEOPLE}")
    _make(Gate.open(project, environment_in(tmp_path)), Stage.FEATURES)
    outcome, found = publish()
    assert outcome.passport is None
    assert found["transfer"].verdict is found["transfer_loss"].verdict is Verdict.BROKEN
    assert found["transfer_loss"].numbers["low"] > 0.1
    broken = {fault.what: fault for fault in outcome.faults}
    assert broken["anonymized/smoking: fidelity__transfer_loss is broken"].where.startswith(f"{PURPOSE}:")


def test_a_small_group_that_loses_more_than_everybody_stops_the_release(publish: Publish, change: Change):
    """Sex is generalized away in every row: the few of whom the young smoke are taken for the others."""
    change("{kind: local}", "{kind: full_domain}")
    change("hierarchies:\n", "weights: {age: 100}\n  hierarchies:\n")
    change("k: 5", "k: 7")
    change("loses_at_most: 0.1", "loses_at_most: 0.2")
    outcome, found = publish()
    assert found["transfer"].kept and found["transfer_loss"].kept
    assert found["transfer_disparity"].verdict is Verdict.BROKEN
    assert found["transfer_disparity"].numbers["low"] > 0.15
    assert [fault.what for fault in outcome.faults] == ["anonymized/smoking: fidelity__transfer_disparity is broken"]


def test_too_few_people_to_try_it_on_decide_nothing(publish: Publish, monkeypatch: pytest.MonkeyPatch):
    """What a model reaches on fewer people than say something is no pass."""
    monkeypatch.setattr(_transfer, "FEWEST", PEOPLE)
    outcome, found = publish()
    assert outcome.passport is None
    assert {finding.verdict for finding in found.values()} == {Verdict.INCONCLUSIVE}


def test_rows_in_another_order_are_worth_the_same(publish: Publish, project: Path, tmp_path: Path):
    """Whoever delivers them from the last to the first changes no digit."""
    first, _ = publish()
    path = project / PATIENTS
    head, *lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([head, *reversed(lines)]) + "\n", "utf-8")
    _make(Gate.open(project, environment_in(tmp_path)), *UP_TO)
    second, _ = publish()
    assert first.passport is not None and second.passport is not None
    again = {name: value for name, value in second.passport.measures.items() if not name.startswith("apart[")}
    assert "transfer_disparity" in again and again == first.passport.measures


def test_who_is_suppressed_is_learned_from_beside_and_met(publish: Publish, change: Change):
    """Rows are left out of the release, not of what it is compared with, nor of those that it is tried on."""
    before, everybody = publish()
    change("{kind: local}", "{kind: full_domain}")
    change(
        "criteria: [{kind: k_anonymity, k: 5}]", "criteria: [{kind: k_anonymity, k: 5}]\n    suppressed_at_most: 0.4"
    )
    change("widths: [5, 10, 20]", "widths: [60]")
    change(TRANSFER, "{metric: accuracy, at_least: 0, loses_at_most: 1}")
    change(", transfer_disparity_at_most: 0.15", "")
    outcome, found = publish()
    assert before.passport is not None and outcome.passport is not None, outcome.faults
    assert before.passport.measures["suppressed"] < 50 < outcome.passport.measures["suppressed"]
    assert outcome.passport.measures["transfer_real"] == before.passport.measures["transfer_real"]
    assert found["transfer"].numbers["n"] == everybody["transfer"].numbers["n"]


@pytest.mark.parametrize("technique", ["local", "mondrian", "top_down"])
def test_a_number_is_learned_of_as_well(publish: Publish, change: Change, technique: str):
    """Costs rise with age: a regression loses little by labels, whatever technique made them."""
    change("{kind: local}", f"{{kind: {technique}}}")
    change("task: classification\n  target: smoker", "task: regression\n  target: cost")
    change("{kind: decision_tree, min_samples_leaf: 20}", "{kind: ridge}")
    change(TRANSFER, "{metric: r2, at_least: 0.5, loses_at_most: 0.05}")
    if technique == "mondrian":  # of lists of values the purpose's own model does not learn
        change("training:\n  from: anonymized\n", BEFORE)
    outcome, _ = publish()
    assert outcome.passport is not None, outcome.faults
    assert 0.6 < outcome.passport.measures["transfer_real"] < 0.95


def test_a_population_is_not_learned_from(publish: Publish, change: Change, project: Path, tmp_path: Path):
    """Where only members are published, only they are met."""
    change(K5, "criteria: [{kind: k_anonymity, k: 5}, {kind: delta_presence, member: costly, at_most: 0.95}]")
    change("age, cost, smoker\n", "age, cost, smoker, cost >= 900 AS costly\n")
    change(TRANSFER, "{metric: accuracy, at_least: 0, loses_at_most: 1}")
    change(", transfer_disparity_at_most: 0.15", "")
    _make(Gate.open(project, environment_in(tmp_path)), Stage.FEATURES)
    outcome, found = publish()
    assert outcome.passport is not None, outcome.faults
    members = outcome.passport.measures["published"] + outcome.passport.measures["suppressed"]
    assert members < 0.8 * PEOPLE
    assert found["transfer"].numbers["n"] == pytest.approx(0.4 * members, rel=0.2)


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("metric: accuracy", "metric: r2", "`r2` does not measure classification"),
        ("target: smoker", "target: sex", "`sex` is generalized"),
        ("loses_at_most: 0.1}", "loses_at_most: 0.1, model: {task: classification, target: agee, "
         "estimator: {kind: logistic_regression}}}", "no such column"),
        ("loses_at_most: 0.1}", "loses_at_most: 0.1, model: {task: regression, target: cost, "
         "estimator: {kind: logistic_regression}}}", "does no regression"),
        (f"    transfer: {TRANSFER}\n", "", "`transfer_disparity_at_most` needs `anonymity.transfer`"),
        (MODEL, "", "`transfer` needs a `model`"),
    ],
    ids=["metric", "target", "no such target", "task", "disparity of nothing", "no model"],
)  # fmt: skip
def test_what_does_not_fit_is_refused(project: Path, change: Change, before: str, after: str, what: str):
    """With the line, before anything runs."""
    change(before, after)
    found = check(project)
    assert [fault for fault in found if what in str(fault)], found
    assert all(fault.where.startswith(PURPOSE) for fault in found)


def test_a_release_may_have_a_model_for_this_alone(publish: Publish, change: Change):
    """Without a training set of its own, people are dealt by default."""
    change("training:\n  from: anonymized\n  split: {train: 0.6, validation: 0.2, test: 0.2, seed: 7}\n", "")
    change(MODEL, "")
    own = "{task: classification, target: smoker, estimator: {kind: random_forest}}"
    change(TRANSFER, f"{TRANSFER[:-1]}, model: {own}}}")
    change(", transfer_disparity_at_most: 0.15", "")
    outcome, found = publish()
    assert outcome.passport is not None, outcome.faults
    assert found["transfer"].numbers["n"] == pytest.approx(0.3 * PEOPLE, rel=0.2)
