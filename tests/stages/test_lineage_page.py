"""The lineage page as an asset of Dagster."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from privacy_assets.build import CORRIDOR, build_definitions
from privacy_assets.gate import Gate
from privacy_assets.stages.asset import key_of
from privacy_assets.stages.lineage_page import KEY


def test_it_is_written_into_the_project_and_told_in_numbers(published: Gate) -> None:
    """The file is where the asset says; Dagster is told its path within the project, and counts."""
    definitions = build_definitions(published.project.root, env={}, open_gate=lambda: published)
    page = definitions.resolve_asset_graph().assets_def_for_key(KEY)
    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize([page], instance=instance, selection=[KEY]).success
        event = instance.get_latest_materialization_event(KEY)
    assert event and event.asset_materialization
    told = {name: fact.value for name, fact in event.asset_materialization.metadata.items()}
    file = published.project.root / str(told["file"])
    assert not Path(str(told["file"])).is_absolute()
    assert told["bytes"] == file.stat().st_size and told["assets"] == len(published.project.assets())


def test_it_comes_after_all_others_and_no_run_of_the_corridor_writes_it(published: Gate) -> None:
    """A run writes into the home alone; who wants the page asks for it."""
    definitions = build_definitions(published.project.root, env={})
    graph = definitions.resolve_asset_graph()
    assert graph.get(KEY).parent_keys == {key_of(asset) for asset in published.project.assets()}
    assert KEY not in definitions.resolve_job_def(CORRIDOR).asset_layer.executable_asset_keys
