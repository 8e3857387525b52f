"""What takes too long to be attacked before it is published waits: nobody reads it until the red team was there."""

# ruff: noqa: F811  (fixtures of another file)
from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from privacy_assets.attacks import ATTACKS
from privacy_assets.attacks._trying import Tries
from privacy_assets.build import REDTEAM, build_definitions, steps
from privacy_assets.errors import PrivacyAssetsError, Refused
from privacy_assets.gate import PERSON, Gate, Standing
from privacy_assets.reports.explain import explain
from privacy_assets.stages import _attacking
from privacy_assets.stages.asset import key_of
from privacy_assets.stages.redteam import redteam
from privacy_assets.stages.step import attack_again, carry_out
from privacy_assets.techniques.synthesize import SYNTHESIZE
from privacy_assets.verify import verify
from privacy_assets.words import Stage
from tests.conftest import environment_in
from tests.stages.test_s6_synthetic import MODEL, SYNTHETIC, TRAINING, made, making  # noqa: F401

Make = Callable[..., Any]
NAMES = {f"attack_excess__shadow_releases__{rate}__everyone" for rate in ("fpr_01_percent", "fpr_1_percent")}


def _finds(share: float, tried: list[int]) -> Callable[..., list[Tries]]:
    """An attack by shadows that finds this share of the members, and nobody else; how often it ran is counted."""

    def attack(*_: Any) -> list[Tries]:
        tried.append(1)
        hits = round(1000 * share)
        return [Tries(about, "everyone", 1000, hits, 1000, 0, 1000, 0) for about in ("fpr_01_percent", "fpr_1_percent")]

    return attack


def _slow(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SYNTHESIZE["sequential_trees"], "SLOW", True, raising=False)


@pytest.fixture(scope="session")
def pending_once(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the project and synthetic rows that wait for the red team. To be copied."""
    folder = tmp_path_factory.mktemp("pending")
    shutil.copytree(made, folder, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        _slow(patch)
        gate = Gate.open(folder / "project", environment_in(folder))
        carry_out(steps(gate.project)[SYNTHETIC], gate).raise_faults()
    return folder


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The synthesizer is slow, and who runs it often finds nobody; how often that was tried."""
    ran: list[int] = []
    _slow(monkeypatch)
    monkeypatch.setattr(ATTACKS["shadow_releases"], "attack", _finds(0.0, ran))
    return ran


@pytest.fixture
def pending(pending_once: Path, tmp_path: Path, tried: list[int], reopen: Callable[[], Gate]) -> Gate:
    """The gate of that project; every test has a copy of its own."""
    shutil.copytree(pending_once, tmp_path, dirs_exist_ok=True)
    return reopen()


def _redteam(gate: Gate, seed: int = 1) -> Any:
    (one,) = redteam(gate, {SYNTHETIC: steps(gate.project)[SYNTHETIC]}, seed=seed)
    return one


def test_a_pending_release_is_read_by_nobody(pending: Gate, make: Make, tried: list[int]) -> None:
    """It is published, and says what it waits for and who can help; nothing is made of it."""
    assert not tried
    examined = pending.examine(SYNTHETIC)
    assert examined.standing is Standing.PENDING
    (fault,) = examined.faults
    assert "waits for the red team" in fault.what and set(fault.expected.split(", ")) == NAMES
    assert "privacy-assets redteam smoking" in fault.next_step
    for reader in (PERSON, Stage.TRAINING):
        with pytest.raises(Refused, match="waits for the red team"):
            pending.require(SYNTHETIC, reader)
    with pytest.raises(Refused, match="waits for the red team"):
        carry_out(steps(pending.project)[TRAINING], pending)
    (line,) = [line for line in verify(pending, None) if line.asset == SYNTHETIC]
    assert line.standing is Standing.PENDING and not line.passes


def test_what_the_red_team_cannot_break_is_read_from_then_on(
    pending: Gate, make: Make, tried: list[int], reopen: Callable[[], Gate]
) -> None:
    """The ledger says what came of it; it is not tried again; the same rows, made once more, need it no more."""
    assert _redteam(pending).passes and len(tried) == 1
    for gate in (pending, reopen()):
        assert gate.examine(SYNTHETIC).standing is Standing.KEPT
        assert not gate.awaited(gate.latest(SYNTHETIC))
    assert {entry.body["action"] for entry in pending.ledger.entries()[-1:]} == {"attest"}
    assert any("shadow_releases" in line for line in explain(pending, SYNTHETIC).lines())
    make(pending, TRAINING, MODEL)
    (line,) = [line for line in verify(pending, None) if line.asset == SYNTHETIC]
    assert line.standing is Standing.KEPT
    size = pending.ledger.size
    assert _redteam(pending, 2).passes and len(tried) == 1
    assert pending.ledger.size == size
    before = pending.latest(SYNTHETIC)
    make(pending, SYNTHETIC)
    after = pending.latest(SYNTHETIC)
    assert after.version != before.version and after.content_digest == before.content_digest
    assert pending.examine(SYNTHETIC).standing is Standing.KEPT


def test_other_rows_wait_again(
    pending: Gate, make: Make, tried: list[int], edit: Callable[[str, str, str], None], reopen: Callable[[], Gate]
) -> None:
    """What one version survived says nothing of the next."""
    assert _redteam(pending).passes
    edit("data/purposes/smoking.yaml", "  seed: 3\n", "  seed: 4\n")
    gate = reopen()
    make(gate, SYNTHETIC)
    assert gate.examine(SYNTHETIC).standing is Standing.PENDING


def test_what_the_red_team_breaks_twice_is_withdrawn(
    pending: Gate, make: Make, tried: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is attested, and nobody will read it."""
    monkeypatch.setattr(ATTACKS["shadow_releases"], "attack", _finds(0.9, tried))
    one = _redteam(pending)
    assert len(tried) == 2 and one.withdrawn is not None and not one.passes
    assert not pending.latest(SYNTHETIC).attested
    assert pending.examine(SYNTHETIC).standing is Standing.BROKEN


def test_what_the_red_team_tried_too_seldom_is_no_pass_and_is_not_asked_until_it_is(
    pending: Gate, make: Make, tried: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be decided is on record, and decides: other chances later change nothing."""
    survives = ATTACKS["shadow_releases"].attack
    monkeypatch.setattr(ATTACKS["shadow_releases"], "attack", lambda *_: [])
    one = _redteam(pending)
    assert not one.passes and {f"attack_excess__{found.about}" for found in one.undecided} == NAMES
    assert pending.examine(SYNTHETIC).standing is Standing.BROKEN
    monkeypatch.setattr(ATTACKS["shadow_releases"], "attack", survives)
    for seed in range(3):
        _redteam(pending, seed)
    assert not tried and pending.examine(SYNTHETIC).standing is Standing.BROKEN


def test_the_round_that_counts_is_on_record_with_its_chances(
    pending: Gate, tried: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken by the first, kept by the second: what stands in the ledger is the second, with its seed."""
    rounds = [_finds(0.9, tried), _finds(0.0, tried)]
    monkeypatch.setattr(ATTACKS["shadow_releases"], "attack", lambda *asked: rounds.pop(0)(*asked))
    assert _redteam(pending, seed=40).passes
    (entry,) = [entry.body for entry in pending.ledger.entries() if entry.body["action"] == "attest"]
    assert entry["seed"] == 41 and {found["verdict"] for found in entry["findings"]} == {"kept"}
    assert pending.examine(SYNTHETIC).standing is Standing.KEPT


def test_broken_once_and_undecided_then_is_not_withdrawn(
    pending: Gate, tried: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what is broken twice is; what nothing decides is not read either."""
    rounds = [_finds(0.9, tried), lambda *_: []]
    monkeypatch.setattr(ATTACKS["shadow_releases"], "attack", lambda *asked: rounds.pop(0)(*asked))
    one = _redteam(pending)
    assert one.withdrawn is None and not one.passes
    assert pending.examine(SYNTHETIC).standing is Standing.BROKEN


def test_what_was_withdrawn_by_shadows_is_tried_by_the_same_chances(
    pending: Gate, tried: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version has to survive the seed by which the one before fell, beside the red team's own."""
    monkeypatch.setattr(ATTACKS["shadow_releases"], "attack", _finds(0.9, tried))
    assert _redteam(pending, seed=7).withdrawn is not None
    seen: list[int] = []
    monkeypatch.setattr(_attacking, "tried", lambda asked, target, seed: seen.append(seed) or [])
    step = steps(pending.project)[SYNTHETIC]
    with suppress(PrivacyAssetsError):
        attack_again(step, pending, pending.latest(SYNTHETIC), 3, later=True)
    assert seen == [3, 8]


def test_dagster_shows_what_is_pending_and_what_came_of_it(making: Gate, tried: list[int]) -> None:
    """A warning that stops nothing in the run, then, by the red team's job, a check that passed."""
    definitions = build_definitions(making.project.root, open_gate=lambda: making)
    with dg.DagsterInstance.ephemeral() as instance:

        def shown() -> dict[str, tuple[bool, str, str]]:
            keys = [dg.AssetCheckKey(key_of(SYNTHETIC), name) for name in NAMES]
            records = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
            said = {key.name: record.event.dagster_event.event_specific_data for key, record in records.items()}
            assert all(("next_step" in one.metadata) is not one.passed for one in said.values())
            return {name: (one.passed, one.severity.value, one.metadata["verdict"].value) for name, one in said.items()}

        asset = definitions.resolve_assets_def(key_of(SYNTHETIC))
        assert dg.materialize([asset], instance=instance, selection=[key_of(SYNTHETIC)]).success
        assert shown() == dict.fromkeys(NAMES, (False, "WARN", "pending"))
        result = definitions.resolve_job_def(REDTEAM).execute_in_process(instance=instance, raise_on_error=False)
        assert shown() == dict.fromkeys(NAMES, (True, "WARN", "kept"))
        assert not result.success  # model and others of the project were never published


def _materialized(gate: Gate) -> tuple[set[str], dict[str, bool]]:
    """What Dagster shows of a run that makes the rows again: names of pictures, and each slow check, passed or not."""
    asset = build_definitions(gate.project.root, open_gate=lambda: gate).resolve_assets_def(key_of(SYNTHETIC))
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([asset], instance=instance, selection=[key_of(SYNTHETIC)], raise_on_error=False)
    assert result.success
    shown = [event.materialization.metadata for event in result.get_asset_materialization_events()]
    pictures = {name for name in shown[0] if name.startswith("picture/")}
    checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    return pictures, {name: checks[name] for name in NAMES}


def test_of_what_is_pending_no_pictures_are_made(pending: Gate) -> None:
    """They would show its rows to everybody: the run is green without them."""
    pictures, checks = _materialized(pending)
    assert not pictures and not any(checks.values())


def test_a_run_shows_what_was_attested_of_the_same_rows(pending: Gate, tried: list[int]) -> None:
    """Made once more, they have the red team's evidence, though nothing of it was measured in the run, and pictures."""
    assert _redteam(pending).passes
    pictures, checks = _materialized(pending)
    assert checks == dict.fromkeys(NAMES, True) and len(tried) == 1
    assert pictures
