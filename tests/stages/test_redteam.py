"""What is released is attacked again, and what does not survive twice is withdrawn."""

# ruff: noqa: F811  (fixtures of another file)
from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner

from privacy_assets import cli
from privacy_assets.attacks import ATTACKS
from privacy_assets.attacks._trying import Tries
from privacy_assets.build import REDTEAM, build_definitions, steps
from privacy_assets.errors import BadDeclaration, NotKept, Refused
from privacy_assets.gate import PERSON, Gate, Standing
from privacy_assets.stages import _attacking
from privacy_assets.stages.asset import key_of
from privacy_assets.stages.redteam import redteam, said
from privacy_assets.stages.step import carry_out
from tests.conftest import environment_in
from tests.stages.test_s6_synthetic import MODEL, PURPOSE, SYNTHETIC, TRAINING, made  # noqa: F401

Make = Callable[..., Any]


def _wins(chances: list[int]) -> Callable[..., list[Tries]]:
    """An attack that finds everybody of the release, and nobody else, so often as `chances` has a 1 in turn."""

    def attack(*_: Any) -> list[Tries]:
        hit = 1000 * (chances.pop(0) if chances else 0)
        return [Tries("", group, 1000, hit, 1000, 0, 1000, 0) for group in ("everyone", "most_exposed")]

    return attack


@pytest.fixture(scope="session")
def released_once(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the project, its synthetic rows, a training set and a model. To be copied."""
    folder = tmp_path_factory.mktemp("released")
    shutil.copytree(made, folder, dirs_exist_ok=True)
    gate = Gate.open(folder / "project", environment_in(folder))
    for asset in (SYNTHETIC, TRAINING, MODEL):
        carry_out(steps(gate.project)[asset], gate).raise_faults()
    return folder


@pytest.fixture
def released(released_once: Path, tmp_path: Path, reopen: Callable[[], Gate]) -> Gate:
    """The gate of that project; every test has a copy of its own."""
    shutil.copytree(released_once, tmp_path, dirs_exist_ok=True)
    return reopen()


def _attacked(gate: Gate, **how: Any) -> Any:
    asset = how.pop("asset", SYNTHETIC)
    (one,) = redteam(gate, {asset: steps(gate.project)[asset]}, seed=how.pop("seed", 1), **how)
    return one


def test_what_survived_survives_again(released: Gate) -> None:
    """Other chances, the same verdict: nothing is written but what is told."""
    size = released.ledger.size
    one = _attacked(released)
    assert one.passes and one.asset == SYNTHETIC and one.withdrawn is None
    assert {found.numbers["measured"] for found in one.findings} == {1}
    assert released.ledger.size == size


def test_what_is_broken_once_only_stays(released: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chance refuses an innocent release now and then: the second look decides."""
    monkeypatch.setattr(ATTACKS["linkability"], "attack", _wins([1, 0]))
    one = _attacked(released)
    assert one.passes and not one.confirmed
    assert any(not found.kept for found in one.findings)
    released.require(SYNTHETIC, PERSON)


def test_what_is_broken_twice_is_withdrawn_with_all_that_came_of_it(
    released: Gate, monkeypatch: pytest.MonkeyPatch, reopen: Callable[[], Gate]
) -> None:
    """From the ledger's entry on nobody reads it, nor the model; made again alike it is refused; another may come."""
    monkeypatch.setattr(ATTACKS["linkability"], "attack", _wins([1, 1]))
    one = _attacked(released)
    assert not one.passes and one.withdrawn == released.ledger.size - 1
    assert {found.name for found in one.confirmed} == {
        "attack_excess__linkability__everyone",
        "attack_excess__linkability__most_exposed",
    }
    monkeypatch.undo()
    for gate in (released, reopen()):
        for asset in (SYNTHETIC, TRAINING, MODEL):
            assert gate.examine(asset).standing is Standing.BROKEN
        with pytest.raises(Refused, match="it was withdrawn"):
            gate.require(SYNTHETIC, PERSON)
        with pytest.raises(Refused, match="it was withdrawn"):
            gate.require(MODEL, PERSON)
        again = _attacked(gate)
        assert not again.passes and "withdrawn" in again.faults[0].what
    with pytest.raises(NotKept, match="it was withdrawn"):
        carry_out(steps(released.project)[SYNTHETIC], released)


def test_a_model_is_attacked_again_and_withdrawn_alone(released: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked again whom it learned from, as it was published; what it learned from stays."""
    one = _attacked(released, asset=MODEL)
    assert one.passes and len(one.findings) == 5
    assert {found.numbers["measured"] for found in one.findings} == {1}

    def attack(*_: Any) -> list[Tries]:
        return [Tries("fpr_1_percent", "everyone", 1000, 1000, 1000, 0, 1000, 0)]

    monkeypatch.setattr(ATTACKS["shadow_models"], "attack", attack)
    assert _attacked(released, asset=MODEL).withdrawn is not None
    with pytest.raises(Refused, match="it was withdrawn"):
        released.require(MODEL, PERSON)
    released.require(SYNTHETIC, PERSON)
    released.require(TRAINING, PERSON)


def test_another_seed_may_come_after_a_withdrawal(
    released: Gate, monkeypatch: pytest.MonkeyPatch, reopen: Callable[[], Gate], edit: Any, make: Make
) -> None:
    """What is withdrawn is a content, not the asset for good."""
    monkeypatch.setattr(ATTACKS["linkability"], "attack", _wins([1, 1]))
    assert _attacked(released).withdrawn is not None
    monkeypatch.undo()
    edit(PURPOSE, "  seed: 3\n", "  seed: 4\n")
    gate = reopen()
    make(gate, SYNTHETIC, TRAINING, MODEL)
    gate.require(MODEL, PERSON)


def test_an_edited_purpose_does_not_blind_it(released: Gate, edit: Any, reopen: Callable[[], Gate]) -> None:
    """Another split would call people strangers whom it was made from: so nothing is said of that version any more."""
    edit(PURPOSE, "seed: 7}", "seed: 8}")
    one = _attacked(reopen())
    assert not one.passes and "another declaration" in one.faults[0].what


def test_what_was_tried_too_seldom_is_no_pass(released: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """No evidence, no success."""
    few = [Tries("", group, 3, 0, 3, 0, 3, 0) for group in ("everyone", "most_exposed")]
    monkeypatch.setattr(ATTACKS["linkability"], "attack", lambda *_: few)
    one = _attacked(released)
    assert not one.passes and not one.confirmed
    assert "too seldom" in said(one)


def test_an_attack_that_crashes_tells_no_value_and_stops_no_other(
    released: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text of a library could hold somebody's value."""

    def crashes(*_: Any) -> None:
        raise ValueError("cost 1234.50")

    monkeypatch.setattr(ATTACKS["linkability"], "attack", crashes)
    one = _attacked(released)
    assert not one.passes and "1234" not in str(one.faults) and "ValueError" in str(one.faults)


def test_what_comes_after_a_withdrawal_survives_what_it_was_withdrawn_for(
    released: Gate, monkeypatch: pytest.MonkeyPatch, reopen: Callable[[], Gate], edit: Any
) -> None:
    """The same rows under another name are attacked by the chances that found them."""
    passport = released.latest(SYNTHETIC)
    assert passport is not None
    released.withdraw(passport, passport.measured[-1:], seed=99)
    seen = []
    monkeypatch.setattr(_attacking, "on_synthetic", lambda *given: seen.append(given[-1]) or [])
    edit(PURPOSE, "  seed: 3\n", "  seed: 4\n")
    gate = reopen()
    assert carry_out(steps(gate.project)[SYNTHETIC], gate).passport is None  # nothing was tried: inconclusive
    assert seen == [4, 99]


def test_a_version_whose_source_is_gone_is_not_called_sound(released: Gate) -> None:
    """What cannot be attacked as it was made does not pass."""
    features = next(read for read in released.latest(SYNTHETIC).inputs)  # type: ignore[union-attr]
    passport = released.passport(features)
    assert passport is not None
    released.versions.destroy(str(passport.asset), passport.copy)
    one = _attacked(released)
    assert not one.passes and "not there any more" in one.faults[0].what


def test_a_purpose_that_is_not_there_or_names_no_threat_model_is_said(released: Gate, published: Gate) -> None:
    """Nothing to attack is no success."""
    with pytest.raises(BadDeclaration, match="there is no purpose"):
        list(redteam(released, steps(released.project), "smokin", seed=0))
    without = {asset: step for asset, step in steps(released.project).items() if asset not in (SYNTHETIC, MODEL)}
    with pytest.raises(BadDeclaration, match="nothing to attack"):
        list(redteam(released, without, seed=0))


def test_the_command_and_the_job_tell_the_same(
    released: Gate, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command prints each attack, exits 1 on a withdrawal; the job fails, and the page of the asset says why."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    words = ["redteam", "--root", str(released.project.root)]
    told = CliRunner().invoke(cli.app, [*words, "smoking", "--seed", "5"])
    assert told.exit_code == 0, told.output
    assert "membership" in told.output and "seed 5" in told.output
    monkeypatch.setattr(ATTACKS["linkability"], "attack", _wins([1, 1]))
    definitions = build_definitions(released.project.root, open_gate=lambda: released)
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions.resolve_job_def(REDTEAM)
        result = job.execute_in_process(instance=instance, raise_on_error=False)
        assert not result.success
        [record] = instance.fetch_observations(key_of(SYNTHETIC), limit=5).records
        metadata = record.asset_observation.metadata  # type: ignore[union-attr]
        assert metadata["withdrawn"].value is True and metadata["largest_excess"].value > 0.9
        text = json.dumps([str(event) for event in result.all_events])
        assert "is withdrawn" in text
    assert CliRunner().invoke(cli.app, words).exit_code == 1
