"""The reports as assets of Dagster."""

from __future__ import annotations

import dagster as dg

from privacy_assets.build import CORRIDOR, build_definitions
from privacy_assets.gate import Gate
from privacy_assets.reports.reports import KINDS
from privacy_assets.stages.asset import key_of


def test_they_are_written_into_the_project_and_told_in_numbers(published: Gate) -> None:
    """Both forms of each kind are where the asset says."""
    definitions = build_definitions(published.project.root, env={}, open_gate=lambda: published)
    keys = [dg.AssetKey(["reports", kind]) for kind in KINDS]
    pages = [definitions.resolve_asset_graph().assets_def_for_key(key) for key in keys]
    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize(pages, instance=instance, selection=keys).success
        events = [instance.get_latest_materialization_event(key) for key in keys]
    for event in events:
        assert event and event.asset_materialization
        told = {name: fact.value for name, fact in event.asset_materialization.metadata.items()}
        files = [published.project.root / str(told[form]) for form in ("md", "html")]
        assert told["bytes"] == sum(file.stat().st_size for file in files) and told["purposes"] == 1


def test_they_come_after_all_others_and_no_run_of_the_corridor_writes_them(published: Gate) -> None:
    """A run writes into the home alone; who wants a report asks for it."""
    definitions = build_definitions(published.project.root, env={})
    graph = definitions.resolve_asset_graph()
    for kind in KINDS:
        key = dg.AssetKey(["reports", kind])
        assert graph.get(key).parent_keys == {key_of(asset) for asset in published.project.assets()}
        assert key not in definitions.resolve_job_def(CORRIDOR).asset_layer.executable_asset_keys
