"""The schedule's job: what lapsed is erased, what was interrupted is finished, and Dagster is told."""

from __future__ import annotations

import dagster as dg
import pytest

from privacy_assets.build import EXPIRY, build_definitions
from privacy_assets.gate import Gate, Standing
from privacy_assets.stages.asset import told
from privacy_assets.stages.step import carry_out
from privacy_assets.subjects import erasing
from privacy_assets.subjects.erasing import erase, lapsed
from privacy_assets.subjects.people import find
from privacy_assets.words import AssetName

from .conftest import rewrite_source


def test_the_job_erases_what_lapsed_and_tells_dagster(published: Gate, made: dict) -> None:
    """Each asset's page shows the new version, and its checks."""
    root = published.project.root
    rewrite_source(root, "consents", adding="p-07,smoking,withdrawn,2026-03-01 00:00:00")
    carry_out(made[AssetName.parse("raw/consents")], published).raise_faults()
    assert lapsed(published)
    job = build_definitions(root, open_gate=lambda: published).resolve_job_def(EXPIRY)
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(instance=instance).success
        for name in ("minimized/smoking/patients", "model/smoking"):
            asset, last = AssetName.parse(name), told(instance, AssetName.parse(name))
            latest = published.latest(asset)
            assert latest is not None
            assert last is not None
            assert last.metadata["version"].value == latest.version
            assert published.examine(asset).standing is Standing.KEPT
        keys = [dg.AssetCheckKey(dg.AssetKey(["model", "smoking"]), "utility_floor__accuracy")]
        checks = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
        assert all(record.status.value == "SUCCEEDED" for record in checks.values())
        assert not lapsed(published)
        assert job.execute_in_process(instance=instance).success


def test_the_job_fails_where_something_of_them_was_found(
    published: Gate, made: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupted erasure is finished; what it found lies where nothing is rebuilt, and is said without a value."""
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(erasing, "_rewrite", _interrupts)
        erase(published, made, find(published, ["p-07"]), "asked by letter")
    (published.home.path / "spill" / "left.txt").write_text("x cleo7@example.org y")
    job = build_definitions(published.project.root, open_gate=lambda: published).resolve_job_def(EXPIRY)
    with dg.DagsterInstance.ephemeral() as instance:
        with pytest.raises(dg.Failure, match=r"left\.txt: something .* was found") as caught:
            job.execute_in_process(instance=instance)
        assert "cleo7" not in str(caught.value)
        assert published.unfinished() == ()
        assert published.ledger.entries()[-1].body["stores_with_hits"] == 1
        assert job.execute_in_process(instance=instance).success, "nothing is left to finish"


def _interrupts(*args: object, **named: object) -> None:
    raise KeyboardInterrupt
