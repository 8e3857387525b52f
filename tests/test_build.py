"""The whole graph: what is defined, what of it is public, and that looking at it touches nothing.

Run as a program it writes the snapshot of the sample's graph anew: `python tests/test_build.py`.
"""

from __future__ import annotations

import json
import logging
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from privacy_assets.build import CORRIDOR, EXPIRY, VERIFICATION, build_definitions, corridor_of, steps
from privacy_assets.contracts.loading import load
from privacy_assets.errors import BadDeclaration
from privacy_assets.gate import Gate
from privacy_assets.reports.reports import KINDS
from privacy_assets.stages.asset import key_of, source_key
from privacy_assets.stages.lineage_page import KEY

ROOT = Path(__file__).parents[1]
SNAPSHOT = ROOT / "tests/snapshots/graph.json"
HOW = "if the graph was meant to change, look at the difference after `python tests/test_build.py`, and commit it"


def graph(root: Path) -> dict[str, Any]:
    """What Dagster shows of the project: every asset with what a change of declarations could move."""
    definitions = build_definitions(root, env={})
    found = definitions.resolve_asset_graph()
    assets = {}
    for key in sorted(found.get_all_asset_keys()):
        node = found.get(key)
        lineage = node.metadata.get("dagster/column_lineage")
        schema = node.metadata.get("dagster/column_schema")
        assets[key.to_user_string()] = {
            "from": sorted(parent.to_user_string() for parent in node.parent_keys),
            "group": node.group_name,
            "owners": list(node.owners),
            "tags": dict(sorted(node.tags.items())),
            "checks": sorted(check.name for check in found.asset_check_keys if check.asset_key == key),
            "columns": {column.name: f"{column.type} {column.tags.get('role')}" for column in schema.value.columns}
            if schema
            else {},
            "lineage": {
                column: sorted(f"{one.asset_key.to_user_string()}.{one.column_name}" for one in sources)
                for column, sources in sorted(lineage.value.deps_by_column.items())
            }
            if lineage
            else {},
        }
    return assets


@pytest.fixture
def tiny(tiny_project: Path, environment: dict[str, str]) -> dg.Definitions:
    """The definitions of the tiny project."""
    return build_definitions(tiny_project, env=environment)


@pytest.fixture
def quiet() -> Iterator[None]:
    """Dagster's own logger is not told what a test does on purpose."""
    logger = logging.getLogger("dagster")
    before, logger.disabled = logger.disabled, True
    yield
    logger.disabled = before


def keys(selection: dg.AssetSelection, definitions: dg.Definitions) -> set[str]:
    return {key.to_user_string() for key in selection.resolve(definitions.resolve_asset_graph())}


def job(definitions: dg.Definitions, name: str) -> Any:
    (found,) = [one for one in definitions.jobs or () if one.name == name]
    return found


# ---- what is defined


@pytest.mark.parametrize("root", ["tiny", "sample"])
def test_the_definitions_load(root: str, tiny_project: Path) -> None:
    """Dagster finds nothing wrong; every declared asset is there once, its sources, the reports, and no others."""
    folder = ROOT if root == "sample" else tiny_project
    definitions = build_definitions(folder, env={})
    dg.Definitions.validate_loadable(definitions)
    project, found = load(folder), definitions.resolve_asset_graph()
    pages = {KEY, *(dg.AssetKey(["reports", kind]) for kind in KINDS)}
    assert found.materializable_asset_keys == pages | {key_of(asset) for asset in project.assets()}
    assert found.external_asset_keys == {source_key(dataset) for dataset in project.contracts}
    assert set(steps(project)) == project.assets()


def test_steps_come_after_what_they_read(tiny_project: Path) -> None:
    """The order of the steps is one in which they can be carried out."""
    made: set[Any] = set()
    for asset, step in steps(load(tiny_project)).items():
        assert set(step.inputs) <= made
        made.add(asset)


def test_a_purpose_without_training_ends_at_its_features(tiny_project: Path) -> None:
    """What is not declared has no step."""
    path = tiny_project / "data/purposes/smoking.yaml"
    path.write_text(path.read_text("utf-8").partition("training:")[0])
    assert [str(asset) for asset in steps(load(tiny_project))][-1] == "features/smoking"


def test_a_fault_in_a_declaration_stops_loading(tiny_project: Path) -> None:
    """With its file and line, and no half of a graph."""
    path = tiny_project / "data/purposes/smoking.yaml"
    path.write_text(path.read_text("utf-8").replace("kind: token", "kind: tokens"))
    with pytest.raises(BadDeclaration, match=r"data/purposes/smoking\.yaml:15"):
        build_definitions(tiny_project)


def test_the_graph_of_the_sample_is_the_one_that_was_looked_at() -> None:
    """Assets, dependencies, groups, owners, tags, checks, columns and their lineage, as committed."""
    now, then = graph(ROOT), json.loads(SNAPSHOT.read_text("utf-8"))
    assert sorted(now) == sorted(then), HOW
    for asset in now:
        for part in now[asset]:
            assert now[asset][part] == then[asset].get(part), f"{part} of {asset}: {HOW}"


def test_the_snapshot_notices_a_change(tiny_project: Path) -> None:
    """A technique, a column or a line of SQL that changes is seen in it."""
    path = tiny_project / "data/purposes/smoking.yaml"
    before, text = graph(tiny_project), path.read_text("utf-8")
    for old, new, part in [
        ("smoker:\n        why: this is what", "cost:\n        why: it tells\n        technique: {kind: keep}\n"
         "      smoker:\n        why: this is what", "columns"),
        ("SELECT patient_id, sex, age", "SELECT patient_id, sex, CASE WHEN sex = 'F' THEN age ELSE age END AS age",
         "lineage"),
        ("lawful_basis: consent", "lawful_basis: legitimate_interests", "tags"),
        ("owner: team:clinic-data", "owner: team:others", "owners"),
        ("at_least_subjects: 5", "utility: {metric: accuracy, at_least: 0}", "checks"),
    ]:  # fmt: skip
        assert old in text
        changed = text.replace(old, new)
        if part == "lineage":
            changed = changed.replace("  sql: |", "  categories: {age: ['<30', '[30,50)', '>=50']}\n  sql: |")
        path.write_text(changed, "utf-8")
        after = graph(tiny_project)
        assert any(after[asset][part] != before[asset][part] for asset in before), part


# ---- jobs and schedule


def test_the_job_corridor_makes_everything_but_sources(tiny: dg.Definitions, tiny_project: Path) -> None:
    """From raw to the models."""
    assert keys(job(tiny, CORRIDOR).selection, tiny) == {str(asset) for asset in load(tiny_project).assets()}


def test_each_purpose_has_a_job_of_what_it_needs() -> None:
    """Its own assets and the raw datasets they come from, consents among them; nothing of another purpose."""
    definitions, project = build_definitions(ROOT, env={}), load(ROOT)
    for name in project.purposes:
        made = keys(job(definitions, f"{CORRIDOR}_{name}").selection, definitions)
        own = {str(asset) for asset in project.assets() if asset.purpose == name}
        raw = {f"raw/{dataset}" for dataset in (*project.purposes[name].datasets, "consents")}
        assert made == own | raw
    assert len(project.purposes) == 3


def test_the_job_verification_asks_every_check_and_makes_nothing(tiny: dg.Definitions) -> None:
    """It is the nightly one, at three o'clock, off until somebody switches it on."""
    selection = job(tiny, VERIFICATION).selection
    assert keys(selection, tiny) == set()
    found = tiny.resolve_asset_graph()
    assert selection.resolve_checks(found) == found.asset_check_keys
    nightly = schedule(tiny, "nightly_verification")
    assert (nightly.name, nightly.job_name, nightly.cron_schedule) == (
        "nightly_verification", VERIFICATION, "0 3 * * *",
    )  # fmt: skip
    assert nightly.execution_timezone == "UTC"
    assert nightly.default_status is dg.DefaultScheduleStatus.STOPPED


def test_what_lapsed_is_erased_before_it_is_verified(tiny: dg.Definitions) -> None:
    """At two o'clock, off until somebody switches it on; it selects no asset, so that it makes only what it has to."""
    expiry = schedule(tiny, "nightly_expiry")
    assert (expiry.job_name, expiry.cron_schedule, expiry.execution_timezone) == (EXPIRY, "0 2 * * *", "UTC")
    assert expiry.default_status is dg.DefaultScheduleStatus.STOPPED


def schedule(definitions: dg.Definitions, name: str) -> dg.ScheduleDefinition:
    """The schedule of this name."""
    (found,) = (one for one in definitions.schedules or () if one.name == name)
    assert isinstance(found, dg.ScheduleDefinition)
    return found


def test_all_jobs_run_in_one_process(tiny: dg.Definitions) -> None:
    """The engine's threads are what runs at once."""
    assert tiny.executor is dg.in_process_executor
    for one in ("corridor", "corridor_smoking", "verification"):
        assert tiny.resolve_job_def(one).executor_def is dg.in_process_executor


def test_beside_other_definitions_the_corridor_keeps_to_itself(tiny_project: Path) -> None:
    """Its jobs select its own assets and checks in one process; others keep their executor, and may name their own."""

    @dg.asset(deps=[dg.AssetKey(["training", "smoking"])])
    def mine() -> None: ...

    @dg.asset_check(asset=mine)
    def looked_at() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    theirs = dg.Definitions(
        assets=[mine], asset_checks=[looked_at], executor=dg.multiprocess_executor,
        jobs=[dg.define_asset_job("all_of_mine", selection=[mine])],
    )  # fmt: skip
    both = dg.Definitions.merge(corridor_of(load(tiny_project), env={}), theirs)
    dg.Definitions.validate_loadable(both)
    project, found = load(tiny_project), both.resolve_asset_graph()
    own = {key_of(asset) for asset in project.assets()}
    for name in (CORRIDOR, f"{CORRIDOR}_smoking", VERIFICATION):
        selection = job(both, name).selection
        assert selection.resolve(found) <= own
        checks = selection.resolve_checks(found)
        assert checks == {check for check in found.asset_check_keys if check.asset_key in own}
        assert both.resolve_job_def(name).executor_def is dg.in_process_executor
    assert both.resolve_job_def("all_of_mine").executor_def is dg.multiprocess_executor


def test_verification_passes_on_what_was_published_and_writes_nothing(
    published: Gate, environment: dict[str, str], quiet: None
) -> None:
    """The job as the schedule runs it: green after the corridor, red where a file was changed."""
    definitions = build_definitions(published.project.root, env=environment)
    size = published.ledger.size
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def(VERIFICATION).execute_in_process(instance=instance)
        assert result.success
        checks = definitions.resolve_asset_graph().asset_check_keys
        assert {one.asset_check_key for one in result.get_asset_check_evaluations()} == checks
    assert published.ledger.size == size


# ---- sources


def test_a_source_is_observed_by_a_keyed_digest(tiny_project: Path, environment: dict[str, str], quiet: None) -> None:
    """The same bytes have the same data version, other bytes another; under another key all are others."""

    def observed(env: dict[str, str]) -> dict[str, str]:
        definitions = build_definitions(tiny_project, env=env)
        found = definitions.resolve_asset_graph().external_asset_keys
        with dg.DagsterInstance.ephemeral() as instance:
            everything = definitions.resolve_implicit_global_asset_job_def()
            assert everything.execute_in_process(instance=instance, asset_selection=sorted(found)).success
            records = {key: instance.fetch_observations(key, limit=1).records for key in found}
        return {key.path[-1]: record.asset_observation.data_version for key, (record,) in records.items()}

    before = observed(environment)
    assert observed(environment) == before
    path = tiny_project / "data/samples/patients.csv"
    path.write_text(path.read_text("utf-8").replace("p-01", "p-91"), "utf-8")
    after = observed(environment)
    assert after["consents"] == before["consents"]
    assert after["patients"] != before["patients"]
    other = observed({name: f"{value}-other" for name, value in environment.items()})
    assert not set(other.values()) & set(after.values())


def test_a_source_that_is_not_there_fails_in_words(
    tiny_project: Path, environment: dict[str, str], quiet: None
) -> None:
    """The failure names the dataset's file and what to do."""
    (tiny_project / "data/samples/patients.csv").unlink()
    definitions = build_definitions(tiny_project, env=environment)
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(dg.Failure, match="patients"):
        definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance, asset_selection=[source_key("patients")]
        )


# ---- where things are


def test_looking_at_the_definitions_makes_neither_home_nor_key(
    tiny: dg.Definitions, tiny_project: Path, environment: dict[str, str]
) -> None:
    """The graph can be looked at by whoever has no key, and leaves nothing behind; nor does the gate open."""

    def opened() -> Gate:
        raise AssertionError

    before = set(tiny_project.rglob("*"))
    dg.Definitions.validate_loadable(tiny)
    dg.Definitions.validate_loadable(build_definitions(tiny_project, open_gate=opened))
    assert set(tiny_project.rglob("*")) == before
    assert not any(Path(path).exists() for path in environment.values())


def test_a_run_asks_the_gate_that_it_is_given(published: Gate, environment: dict[str, str], quiet: None) -> None:
    """Every part can be replaced: here the home is opened by the caller."""
    opened: list[Gate] = []

    def open_gate() -> Gate:
        opened.append(published)
        return published

    definitions = build_definitions(published.project.root, env={}, open_gate=open_gate)
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def(CORRIDOR).execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey(["features", "smoking"])]
        )
    assert result.success
    assert opened == [published]


def test_no_asset_gives_a_value_to_an_io_manager(tiny: dg.Definitions) -> None:
    """All outputs are of the type Nothing, so that Dagster stores none; nothing is read through it either."""
    for one in tiny.assets or ():
        assert isinstance(one, dg.AssetsDefinition)
        outputs = [output for output in one.op.output_defs if one.keys_by_output_name.get(output.name)]
        assert all(output.dagster_type.is_nothing for output in outputs)
        assert all(entry.dagster_type.is_nothing for entry in one.op.input_defs)


def test_the_location_has_one_name() -> None:
    """In the workspace and in the project's settings, so that links and histories agree."""
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text("utf-8"))
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["dagster"]
    (entry,) = workspace["load_from"]
    assert entry["python_file"]["location_name"] == settings["code_location_name"] == "privacy_assets"
    assert entry["python_file"]["relative_path"] == f"{settings['module_name']}.py"
    assert (ROOT / "definitions.py").is_file()


def test_dagster_tells_nobody_and_keeps_no_output() -> None:
    """Telemetry is off, and what steps print is stored nowhere."""
    settings = yaml.safe_load((ROOT / "dagster.yaml").read_text("utf-8"))
    assert settings["telemetry"] == {"enabled": False}
    assert settings["compute_logs"]["class"] == "NoOpComputeLogManager"
    assert settings["storage"]["custom"]["module"] == "privacy_assets.history"


if __name__ == "__main__":
    SNAPSHOT.parent.mkdir(exist_ok=True)
    SNAPSHOT.write_text(json.dumps(graph(ROOT), indent=1, ensure_ascii=False) + "\n", "utf-8")
