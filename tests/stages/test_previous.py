"""Drift between versions: what a version is compared with, from the first one on, and what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from privacy_assets.build import steps
from privacy_assets.gate import PASSING, Gate, Passport, Standing
from privacy_assets.stages._previous import majors
from privacy_assets.stages.step import Outcome, Step, Work, carry_out, measure_again
from privacy_assets.words import AssetName
from tests.conftest import environment_in, write_tiny_project

FEATURES, ANONYMIZED, MODEL = map(AssetName.parse, ("features/smoking", "anonymized/smoking", "model/smoking"))
DATA = "candidate.main.data"
PURPOSE = "data/purposes/smoking.yaml"
ASKED = """\
guarantee:
  at_least_subjects: 5
  anonymity: {criteria: [{kind: k_anonymity, k: 2}], suppressed_at_most: 0.9}
  utility: {metric: accuracy, at_least: 0.01}
  drift:
    k_falls_at_most: 1
    rare_groups: {fewer_than: 6, share_rises_at_most: 0.2}
    distinct_share_at_most: 0.5
    metric_falls_at_most: 0.1
anonymized: {techniques: [{kind: full_domain}]}
"""
EACH = {
    FEATURES: {"distinct_drift__sex", "distinct_drift__age", "rare_drift__sex", "rare_drift__age"},
    ANONYMIZED: {"distinct_drift__sex", "distinct_drift__age", "rare_drift", "k_drift"},
    MODEL: {"metric_drift__accuracy"},
}
EVERYBODY_APART = f"UPDATE {DATA} SET sex = patient_id"


def remade(step: Step, damage: str) -> Step:
    """The step, with other data."""

    def write(work: Work) -> None:
        step.write(work)
        work.con.execute(damage)

    return replace(step, write=write)


def make(gate: Gate, damage: str = "SELECT 1", of: AssetName = FEATURES, *, anew: bool = False) -> Outcome:
    """An asset with other data; before that, `anew`, all that it is made from."""
    for asset, step in steps(gate.project).items():
        if asset == of:
            return carry_out(remade(step, damage), gate)
        if anew:
            carry_out(step, gate).raise_faults()
    raise KeyError(of)


def drifts(passport: Passport | None) -> dict[str, dict[str, float]]:
    """The numbers of what compares, by finding."""
    assert passport is not None
    return {
        measured.finding.name: dict(measured.finding.numbers)
        for measured in passport.measured
        if "_drift" in measured.finding.name
    }


def broken(outcome: Outcome) -> set[str]:
    return {measured.finding.name for measured in outcome.measured if not measured.finding.kept}


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny project with drift in its purpose, after it has run once. To be copied."""
    folder = tmp_path_factory.mktemp("once")
    write_tiny_project(folder / "project")
    path = folder / "project" / PURPOSE
    text = path.read_text()
    assert "guarantee:\n  at_least_subjects: 5\n" in text
    path.write_text(text.replace("guarantee:\n  at_least_subjects: 5\n", ASKED))
    gate = Gate.open(folder / "project", environment_in(folder))
    for step in steps(gate.project).values():
        carry_out(step, gate).raise_faults()
    return folder


@pytest.fixture
def reopened(once: Path, tmp_path: Path) -> Callable[..., Gate]:
    """Opens a copy of it, with lines of its declarations written otherwise."""
    shutil.copytree(once, tmp_path, dirs_exist_ok=True)

    def reopened(*edits: tuple[str, str, str]) -> Gate:
        for file, old, new in edits:
            path = tmp_path / "project" / file
            assert old in path.read_text()
            path.write_text(path.read_text().replace(old, new, 1))
        return Gate.open(tmp_path / "project", environment_in(tmp_path))

    return reopened


def test_a_first_version_is_kept_and_says_that_nothing_was_there(reopened: Callable[..., Gate]) -> None:
    """Every measure of drift that is declared was asked of its stage, and compared with nothing."""
    gate = reopened()
    for asset in EACH:
        found = drifts(gate.latest(asset))
        assert set(found) == EACH[asset]
        assert all(numbers["compared"] == 0 for numbers in found.values())


@pytest.mark.parametrize(
    ("asset", "damage", "names"),
    [
        (FEATURES, EVERYBODY_APART, {"distinct_drift__sex", "rare_drift__sex"}),
        (ANONYMIZED, f"DELETE FROM {DATA} WHERE sex = 'F' AND rowid % 3 > 0", {"k_drift"}),
        (MODEL, f"UPDATE {DATA} SET value = value - 0.2", {"metric_drift__accuracy"}),
    ],
    ids=["looks like an identifier", "smaller classes", "a worse model"],
)
def test_what_drifts_is_refused_and_what_stood_stands(
    reopened: Callable[..., Gate], asset: AssetName, damage: str, names: set[str]
) -> None:
    """Beyond the threshold nothing is published, and the fault has the line of the purpose that asks for it."""
    gate = reopened()
    stood = gate.latest(asset)
    outcome = make(gate, damage, asset)
    assert names <= broken(outcome)
    assert {name for name in broken(outcome) if "drift" in name} == names
    assert outcome.passport is None and gate.latest(asset) == stood
    assert gate.examine(asset).standing in PASSING
    lines = (gate.project.root / PURPOSE).read_text().splitlines()
    asking = {
        "k_drift": "k_falls",
        "rare_drift": "rare_groups",
        "distinct_drift": "distinct",
        "metric_drift": "metric_",
    }
    for fault in outcome.faults:
        for kind, key in asking.items():
            if f": {kind}" in fault.what:
                assert key in lines[int(fault.where.split(":")[1]) - 1]


def test_the_same_data_is_compared_and_kept(reopened: Callable[..., Gate]) -> None:
    """Each number of the version before stands beside its own."""
    gate = reopened()
    for asset in EACH:
        outcome = make(gate, of=asset)
        outcome.raise_faults()
        for numbers in drifts(outcome.passport).values():
            (number,) = (name for name in numbers if f"{name}_before" in numbers)
            assert numbers["compared"] == 1 and numbers[number] == numbers[f"{number}_before"]


PATIENTS, CONSENTS = "data/contracts/patients.odcs.yaml", "data/contracts/consents.odcs.yaml"


@pytest.mark.parametrize(
    ("file", "version", "begins_anew"),
    [
        (PURPOSE, "1.0.1", False),
        (PURPOSE, "1.1.0", False),
        (PURPOSE, "2.0.0", True),
        (PATIENTS, "1.1.0", False),
        (PATIENTS, "2.0.0", True),
        (CONSENTS, "2.0.0", True),
    ],
)
def test_a_new_major_version_of_a_declaration_begins_anew(
    reopened: Callable[..., Gate], file: str, version: str, begins_anew: bool
) -> None:
    """Somebody said that it is something else: of the purpose, of a contract, of the contract of decisions."""
    gate = reopened((file, "version: 1.0.0", f"version: {version}"))
    outcome = make(gate, EVERYBODY_APART, anew=True)
    assert (outcome.passport is not None) == begins_anew
    if begins_anew:
        assert drifts(outcome.passport)["distinct_drift__sex"]["compared"] == 0
        again = make(gate)
        assert drifts(again.passport)["distinct_drift__sex"]["compared"] == 1


def test_another_question_has_no_answer_before(reopened: Callable[..., Gate]) -> None:
    """Where something else is called rare the share before says nothing; the other measures are compared."""
    found = drifts(make(reopened((PURPOSE, "fewer_than: 6", "fewer_than: 7"))).passport)
    assert {name: numbers["compared"] for name, numbers in found.items()} == {
        name: float("rare" not in name) for name in EACH[FEATURES]
    }


def test_a_threshold_is_that_of_the_day(reopened: Callable[..., Gate]) -> None:
    """What was compared is judged again at every read; a version that is made after is compared with that one."""
    rare = f"UPDATE {DATA} SET sex = 'X' || rowid % 2 WHERE rowid < 8"
    make(reopened(), rare).raise_faults()
    gate = reopened((PURPOSE, "share_rises_at_most: 0.2", "share_rises_at_most: 0.01"))
    examined = gate.examine(FEATURES)
    assert examined.standing is Standing.BROKEN
    assert any("rare_drift__sex" in fault.what for fault in examined.faults)
    make(gate, rare).raise_faults()
    assert gate.examine(FEATURES).standing in PASSING


def test_measured_again_it_is_compared_with_the_same_version(reopened: Callable[..., Gate]) -> None:
    """Later publications are not before it: the numbers are those of its passport."""
    gate = reopened()
    first = gate.latest(FEATURES)
    make(gate, f"UPDATE {DATA} SET sex = 'F'").raise_faults()
    second = gate.latest(FEATURES)
    for passport in (first, second):
        outcome = measure_again(steps(gate.project)[FEATURES], gate, passport)
        then = {measured.finding.name: dict(measured.finding.numbers) for measured in passport.measured}
        assert {measured.finding.name: dict(measured.finding.numbers) for measured in outcome.measured} == then


def test_the_nearest_declaration_counts() -> None:
    """A version under a new purpose, made of what stood under the old one, is of the new one."""
    made_of = [{"purpose a@2.1.0": ""}, {"purpose a@1.9.0": "", "contract b@1.0.0": ""}]
    assert majors(made_of) == {"purpose a": "2", "contract b": "1"}
