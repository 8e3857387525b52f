"""Everything published, measured again: what passes, and each thing that does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from privacy_assets import verify as verify_module
from privacy_assets.build import CORRIDOR, build_definitions, steps
from privacy_assets.errors import Refused, Tampered
from privacy_assets.gate import PASSING, PERSON, Gate, Passport, Standing
from privacy_assets.rotation import rotate_data_keys, rotate_master
from privacy_assets.stages.asset import key_of
from privacy_assets.stages.step import carry_out, measure_again
from privacy_assets.verify import Line, verify
from privacy_assets.words import AssetName, Stage

RAW = AssetName.parse("raw/patients")
FEATURES = AssetName.parse("features/smoking")
TRAINING = AssetName.parse("training/smoking")


def lines(gate: Gate, instance: dg.DagsterInstance | None = None) -> dict[AssetName, Line]:
    return {line.asset: line for line in verify(gate, instance)}


def failing(gate: Gate, instance: dg.DagsterInstance | None = None) -> dict[str, str]:
    return {str(line.asset): line.standing.value for line in verify(gate, instance) if not line.passes}


def env_of(gate: Gate) -> dict[str, str]:
    home = gate.home
    return {
        "PRIVACY_ASSETS_HOME": str(home.path),
        "PRIVACY_ASSETS_KEY_FILE": str(home.key_file),
        "PRIVACY_ASSETS_WITNESS": str(home.witness_folder),
    }


def record(instance: dg.DagsterInstance, asset: AssetName, version: str) -> None:
    instance.report_runless_asset_event(
        dg.AssetMaterialization(key_of(asset), metadata={"version": dg.MetadataValue.text(version)})
    )


def test_what_was_published_passes_with_every_finding_measured_again(published: Gate):
    """One line an asset, in the order of the corridor; nothing is appended and no file is made."""
    size, files = published.ledger.size, sorted(published.home.versions.rglob("*"))
    told: list[AssetName] = []
    found = list(verify(published, None, told.append))
    assert [line.asset for line in found] == list(steps(published.project)) == told
    assert all(line.standing is Standing.KEPT and line.passes and not line.faults for line in found)
    for line in found:
        passport = published.latest(line.asset)
        assert (line.measured, line.rows) == (len(passport.measured), passport.rows)
    assert published.ledger.size == size
    assert sorted(published.home.versions.rglob("*")) == files


def test_what_was_never_published_does_not_pass(gate: Gate):
    """Nothing to measure is not all well."""
    assert set(failing(gate).values()) == {"missing"}
    assert len(failing(gate)) == len(steps(gate.project))


def test_only_kept_and_stale_pass():
    """Every other standing ends the command with 1."""
    assert {Standing.KEPT, Standing.STALE} == PASSING


@pytest.mark.parametrize(("suffix", "standing"), [(".duckdb", "broken"), (".key", "broken")])
def test_a_file_or_key_that_is_gone_is_broken(published: Gate, suffix: str, standing: str):
    """And is not opened."""
    published.versions.path(str(TRAINING), published.latest(TRAINING).version).with_suffix(suffix).unlink()
    assert failing(published) == {str(TRAINING): standing}


@pytest.mark.parametrize("name", ["raw/consents", "minimized/smoking/patients", "model/smoking"])
def test_a_changed_byte_is_forged(published: Gate, name: str):
    """What is made from it may not be measured in full any more; all else still passes."""
    asset = AssetName.parse(name)
    path = published.versions.path(name, published.latest(asset).version)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    found = failing(published)
    assert found[name] == "forged"
    made_from_it = {
        str(other)
        for other in steps(published.project)
        if asset in {passport.asset for passport in published.ancestry(published.latest(other))}
    }
    assert set(found) <= made_from_it


def test_a_changed_text_of_a_declaration_is_forged(published: Gate):
    """Of every asset that was published under it, and of no other; one that is gone was kept by no older release."""
    digest = published.project.digest("smoking")
    under_it = {str(one.asset) for one in published.publications() if digest in one.declared.values()}
    assert under_it and "raw/patients" not in under_it
    path = published.home.declarations / digest
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert failing(published) == dict.fromkeys(under_it, "forged")
    path.unlink()
    assert not failing(published)


def test_a_number_in_the_ledger_that_the_file_does_not_show_is_found(published: Gate):
    """A passport that claims another content than the file has does not pass, though its file is the recorded one."""
    passport = published.latest(TRAINING)
    published.publish(replace(passport, content_digest="0" * 64), since=published.ledger.size)
    assert failing(published) == {str(TRAINING): "broken"}
    (fault,) = lines(published)[TRAINING].faults
    assert "the content is not the one that was published" in fault.what


def test_what_is_promised_since_is_asked_of_the_recorded_numbers(published: Gate, reopen: Callable[[], Gate]):
    """Features and all that is made from them."""
    path = published.project.root / "data/purposes/smoking.yaml"
    path.write_text(path.read_text().replace("at_least_subjects: 5", "at_least_subjects: 60"))
    assert failing(reopen()) == {"features/smoking": "broken", "training/smoking": "broken", "model/smoking": "broken"}


def test_inputs_that_were_destroyed_since_are_judged_by_what_was_measured(published: Gate):
    """A question that compares with what is gone cannot be asked again: it is not counted as measured again."""
    asset = AssetName.parse("pseudonymized/smoking/patients")
    first = published.latest(asset).inputs[0]
    carry_out(steps(published.project)[first.asset], published).raise_faults()
    published.versions.destroy(str(first.asset), first.version)
    outcome = measure_again(steps(published.project)[asset], published, published.latest(asset))
    assert not outcome.faults
    assert outcome.recalled == 1
    assert len(outcome.measured) == len(published.latest(asset).measured)


def test_a_changed_byte_of_an_older_version_that_is_kept_is_forged(published: Gate):
    """What stands was made from it; what verification says to do next takes it away."""
    asset = AssetName.parse("raw/patients")
    first = published.latest(asset)
    carry_out(steps(published.project)[asset], published).raise_faults()
    assert not failing(published)
    path = published.versions.path(str(asset), first.version)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert failing(published) == {str(asset): "forged"}
    (fault,) = lines(published)[asset].faults
    assert "materialized once more" in fault.next_step
    for name, step in steps(published.project).items():
        if name.stage is not Stage.RAW or name == asset:
            carry_out(step, published).raise_faults()
    assert not failing(published)
    assert not path.exists()


def test_a_promise_that_was_tried_and_taken_back_is_no_forgery(published: Gate, reopen: Callable[[], Gate]):
    """The check that failed is not declared any more: those that passed are not all that were asked."""
    purpose = published.project.root / "data/purposes/smoking.yaml"
    before = purpose.read_text()
    model = AssetName.parse("model/smoking")
    with dg.DagsterInstance.ephemeral() as instance:
        record(instance, model, published.latest(model).version)
        purpose.write_text(
            before.replace("at_least_subjects: 5", "at_least_subjects: 5\n  utility: {metric: roc_auc, at_least: 1.0}")
        )
        job = build_definitions(published.project.root, env=env_of(published)).resolve_job_def(CORRIDOR)
        assert not job.execute_in_process(
            instance=instance, asset_selection=[key_of(model)], raise_on_error=False
        ).success
        purpose.write_text(before)
        assert not failing(reopen(), instance)


def test_a_master_key_that_is_rotated_meanwhile_is_no_finding(
    published: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Nothing opens under the old key any more: verification ends, and says what to do."""
    measured = verify_module.measure_again

    def rotated_first(*words):
        if not (tmp_path / "new.key").exists():
            rotate_master(published.project.root, tmp_path / "new.key", env_of(published))
        return measured(*words)

    monkeypatch.setattr(verify_module, "measure_again", rotated_first)
    with pytest.raises(Refused, match="master key was rotated"):
        lines(published)


def test_what_was_published_across_midnight_is_measured_as_of_when_it_was_chosen(
    published: Gate, reopen: Callable[[], Gate]
):
    """A row that was let in on its last day is stale a moment later, and no promise was broken."""
    path = published.project.root / "data/samples/patients.csv"
    begun = datetime.now(UTC).replace(hour=23, minute=59, second=59)
    path.write_text(path.read_text().replace("2026-01-02", f"{begun.date() - timedelta(days=3650)}", 1))
    gate = reopen()
    gate.now = lambda: begun  # the gate's clock is read when the work begins, the ledger's when it is published
    for asset, published_at in (("raw/patients", begun), ("minimized/smoking/patients", begun + timedelta(seconds=2))):
        gate.ledger._now = lambda moment=published_at: moment
        carry_out(steps(gate.project)[AssetName.parse(asset)], gate).raise_faults()
    gate.now = gate.ledger._now
    assert not failing(gate)
    assert lines(gate)[AssetName.parse("minimized/smoking/patients")].standing is Standing.STALE


def test_a_data_key_that_is_rotated_meanwhile_is_no_incident(
    published: Gate, reopen: Callable[[], Gate], monkeypatch: pytest.MonkeyPatch
):
    """The old file goes between our look at the ledger and at the folder: whoever looks looks again."""
    other, look, rotated = reopen(), Gate._file_fault, []

    def interrupted(gate: Gate, passport: Passport):
        if gate is published and passport.asset == TRAINING and not rotated:
            rotated.append(rotate_data_keys(other, [TRAINING]))
        return look(gate, passport)

    monkeypatch.setattr(Gate, "_file_fault", interrupted)
    assert not failing(published)
    assert rotated == [1]
    rotated.clear()
    assert published.require(TRAINING, PERSON)
    assert rotated == [1]


def test_what_nobody_declares_any_more_is_named(published: Gate, reopen: Callable[[], Gate]):
    """A purpose that was removed leaves its files: verification says so."""
    (published.project.root / "data/purposes/smoking.yaml").unlink()
    found = {line.asset: line for line in verify(reopen(), None)}
    assert "nothing declares it" in found[TRAINING].faults[0].what
    assert not found[TRAINING].passes


def test_a_version_that_only_dagster_knows_is_forged(published: Gate):
    """Someone wrote a materialization of a version that the ledger does not hold."""
    with dg.DagsterInstance.ephemeral() as instance:
        record(instance, TRAINING, published.latest(TRAINING).version)
        assert not failing(published, instance)
        record(instance, TRAINING, "f" * 32)
        assert failing(published, instance) == {str(TRAINING): "forged"}
        (fault,) = lines(published, instance)[TRAINING].faults
        assert "Dagster's history names a version that the ledger does not hold" in fault.what


def test_a_superseded_version_in_dagsters_history_is_no_forgery(published: Gate):
    """Dagster may lag behind the ledger."""
    with dg.DagsterInstance.ephemeral() as instance:
        record(instance, TRAINING, published.latest(TRAINING).version)
        carry_out(steps(published.project)[TRAINING], published).raise_faults()
        assert not failing(published, instance)


def test_a_check_that_was_painted_green_changes_nothing(published: Gate):
    """Verification does not read Dagster's verdicts."""
    path = published.versions.path(str(RAW), published.latest(RAW).version)
    path.write_bytes(path.read_bytes()[:-1])
    with dg.DagsterInstance.ephemeral() as instance:
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(key_of(RAW), check_name="has_rows", passed=True, metadata={})
        )
        assert failing(published, instance) == {str(RAW): "forged"}


def test_a_ledger_that_was_edited_is_not_verified_at_all(published: Gate):
    """No line is given where the memory itself does not hold."""
    entries = published.home.ledger / "entries"
    first, *rest = entries.read_bytes().splitlines(keepends=True)
    salt, body = first.split(b" ", 1)
    edited = json.loads(body) | {"rows": 1}
    text = json.dumps(edited, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    entries.write_bytes(salt + b" " + text + b"\n" + b"".join(rest))
    with pytest.raises(Tampered):
        next(verify(published, None))
