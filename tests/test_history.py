"""Dagster's own history: it lies in the home, and is repaired from the ledger where a crash came between the two."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from privacy_assets.build import VERIFICATION, build_definitions, steps
from privacy_assets.gate import Gate
from privacy_assets.stages.asset import key_of
from privacy_assets.stages.step import carry_out
from privacy_assets.words import AssetName

ROOT = Path(__file__).parents[1]
RAW = AssetName.parse("raw/patients")
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def instance(
    tiny_project: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    """Dagster as `dagster.yaml` of this repository sets it up, for the tiny project."""
    shutil.copy(ROOT / "dagster.yaml", tiny_project)
    for name, value in (environment | {"DAGSTER_HOME": str(tiny_project)}).items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.get() as found:
        yield found


def materialize(instance: dg.DagsterInstance, root: Path, *assets: AssetName) -> dg.ExecuteInProcessResult:
    """Carry these assets out in a run of Dagster."""
    definitions = build_definitions(root)
    job = definitions.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=instance, asset_selection=[key_of(asset) for asset in assets], run_config=QUIET, raise_on_error=False
    )


def check_again(instance: dg.DagsterInstance, root: Path) -> dg.ExecuteInProcessResult:
    """Measure everything again in a run of Dagster."""
    job = build_definitions(root).resolve_job_def(VERIFICATION)
    return job.execute_in_process(instance=instance, run_config=QUIET, raise_on_error=False)


def recorded(instance: dg.DagsterInstance, asset: AssetName) -> list[dg.EventLogRecord]:
    """Materializations of the asset that Dagster knows, newest first."""
    return list(instance.fetch_materializations(key_of(asset), limit=10).records)


def version(record: dg.EventLogRecord) -> str:
    """The version that a record of Dagster names."""
    return str(record.asset_materialization.metadata["version"].value)


def test_dagster_writes_into_the_home_and_nowhere_else(instance: dg.DagsterInstance, tiny_project: Path):
    """Runs, events and schedules lie in the home; nothing is added to the project, nothing of a step's output kept."""
    before = {path for path in tiny_project.rglob("*") if "__pycache__" not in path.parts}
    assert materialize(instance, tiny_project, RAW).success
    folder = Path(os.environ["PRIVACY_ASSETS_HOME"]) / "dagster"
    assert list(folder.rglob("*.db"))
    after = {path for path in tiny_project.rglob("*") if "__pycache__" not in path.parts}
    assert {path.name for path in after - before} <= {".project"}
    assert not instance.telemetry_enabled
    assert type(instance.compute_log_manager).__name__ == "NoOpComputeLogManager"


def test_a_publication_that_dagster_missed_is_told_by_the_next_run(instance: dg.DagsterInstance, published: Gate):
    """A crash between the ledger's append and Dagster's event: an event without a run, marked as repaired."""
    assert not recorded(instance, RAW)
    result = check_again(instance, published.project.root)
    assert result.success
    for asset in steps(published.project):
        (repaired,) = recorded(instance, asset)
        passport = published.latest(asset)
        assert repaired.run_id == ""
        assert version(repaired) == passport.version
        assert "repaired from the ledger" in repaired.asset_materialization.description
        assert repaired.asset_materialization.tags["dagster/data_version"] == passport.content_digest
        assert repaired.asset_materialization.metadata["dagster/row_count"].value == passport.rows


def test_a_history_that_was_wiped_is_repaired_once(instance: dg.DagsterInstance, tiny_project: Path):
    """After the rows are gone one run tells the version again, and the next has nothing to repair."""
    assert materialize(instance, tiny_project, RAW).success
    (first,) = recorded(instance, RAW)
    instance.wipe_assets([key_of(RAW)])
    assert not recorded(instance, RAW)

    assert materialize(instance, tiny_project, RAW).success
    newest, repaired = recorded(instance, RAW)
    assert version(repaired) == version(first)
    assert repaired.run_id == ""
    assert version(newest) != version(first)
    assert newest.run_id

    assert materialize(instance, tiny_project, RAW).success
    assert [bool(record.run_id) for record in recorded(instance, RAW)] == [True, True, False]


def test_a_version_published_outside_of_dagster_is_told(instance: dg.DagsterInstance, published: Gate):
    """Dagster's newest event is of an older version: the one that stands is told."""
    root = published.project.root
    assert materialize(instance, root, RAW).success
    other = Gate.open(root)
    carry_out(steps(other.project)[RAW], other).raise_faults()
    missed = other.latest(RAW).version
    assert materialize(instance, root, RAW).success
    assert missed in [version(record) for record in recorded(instance, RAW)]


def test_a_forged_event_is_answered_with_the_ledgers(instance: dg.DagsterInstance, published: Gate):
    """What someone wrote into Dagster's history does not stay its newest word."""
    instance.report_runless_asset_event(
        dg.AssetMaterialization(key_of(RAW), metadata={"version": dg.MetadataValue.text("f" * 32)})
    )
    assert check_again(instance, published.project.root).success
    assert version(recorded(instance, RAW)[0]) == published.latest(RAW).version


def test_a_run_that_is_refused_leaves_no_materialization(instance: dg.DagsterInstance, published: Gate):
    """The step fails with the reason; Dagster's history and the ledger say the same."""
    path = published.project.root / "data/samples/patients.csv"
    path.write_text(path.read_text().replace(";F;", ";W;"))
    result = materialize(instance, published.project.root, RAW)
    assert not result.success
    (repaired,) = recorded(instance, RAW)
    assert version(repaired) == published.latest(RAW).version
    evaluations = {found.check_name: found for found in result.get_asset_check_evaluations()}
    failed = evaluations["quarantine_share"]
    assert not failed.passed
    assert failed.metadata["subject"].value == "candidate"
