"""What Dagster sees of a step: definitions, runs that end well, and runs that do not."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from privacy_assets import build
from privacy_assets.build import build_definitions, steps
from privacy_assets.contracts.loading import load
from privacy_assets.contracts.promises import promises
from privacy_assets.errors import unexpected
from privacy_assets.gate import Gate
from privacy_assets.stages.asset import asset_of, key_of, source_key
from privacy_assets.stages.step import carry_out
from privacy_assets.words import AssetName, Stage

FEATURES, TRAINING, MODEL = (AssetName(stage, "smoking") for stage in (Stage.FEATURES, Stage.TRAINING, Stage.MODEL))
PATIENTS = AssetName(Stage.RAW, dataset="patients")
MINIMIZED = AssetName(Stage.MINIMIZED, "smoking", "patients")
PURPOSE = "data/purposes/smoking.yaml"
CANARY = "ada1@example.org"


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Dagster's own logger is not told what a test does on purpose."""
    logger = logging.getLogger("dagster")
    before, logger.disabled = logger.disabled, True
    yield
    logger.disabled = before


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A history that nothing is in yet."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def assets_of(root: Path, environment: dict[str, str]) -> list[dg.AssetsDefinition]:
    definitions = build_definitions(root, env=environment)
    return [asset for asset in definitions.assets or () if isinstance(asset, dg.AssetsDefinition)]


@pytest.fixture
def materialize(
    tiny_project: Path, environment: dict[str, str], instance: dg.DagsterInstance
) -> Callable[..., dg.ExecuteInProcessResult]:
    """Runs a selection of the tiny project's assets, declared as they are when it is called."""

    def run(selection: dg.AssetSelection | AssetName, *others: AssetName) -> dg.ExecuteInProcessResult:
        if isinstance(selection, AssetName):
            selection = dg.AssetSelection.assets(*map(key_of, (selection, *others)))
        return dg.materialize(
            assets_of(tiny_project, environment), selection=selection, instance=instance, raise_on_error=False
        )

    return run


def events(result: dg.ExecuteInProcessResult, kind: dg.DagsterEventType, asset: AssetName | None = None) -> list[Any]:
    return [
        event
        for event in result.all_events
        if event.event_type is kind and (asset is None or event.step_key == "__".join(asset.path))
    ]


def evaluations(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {f"{one.asset_key.to_user_string()}:{one.check_name}": one for one in result.get_asset_check_evaluations()}


def failure(result: dg.ExecuteInProcessResult, asset: AssetName) -> str:
    (event,) = events(result, dg.DagsterEventType.STEP_FAILURE, asset)
    return str(event.step_failure_data.user_failure_data.description)


def everything(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> str:
    """All that Dagster keeps of a run, as text."""
    return "\n".join(dg.serialize_value(entry) for entry in instance.all_logs(result.run_id))


def edit(root: Path, file: str, old: str, new: str) -> None:
    path = root / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def check_only(*assets: AssetName) -> dg.AssetSelection:
    return dg.AssetSelection.checks_for_assets(*map(key_of, assets))


# ---- runs that end well


def test_a_run_materializes_everything_and_each_check_passes(
    tiny_project: Path, environment: dict[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The whole job, from raw to the model; what Dagster recorded of each asset is what the ledger holds.

    Nothing is stored through Dagster: no output value lies in its folder, and nothing of the data in its history.
    """
    definitions = build_definitions(tiny_project, env=environment)
    folder = tmp_path / "dagster"
    folder.mkdir()
    with dg.DagsterInstance.ephemeral(tempdir=str(folder)) as instance:
        result = definitions.resolve_job_def(build.CORRIDOR).execute_in_process(instance=instance)
        assert result.success
        gate = Gate.open(tiny_project, environment)
        recorded = {}
        for asset in steps(gate.project):
            event = instance.get_latest_materialization_event(key_of(asset))
            assert event is not None
            assert event.asset_materialization is not None
            recorded[asset] = event.asset_materialization
        for asset, materialization in recorded.items():
            passport = gate.latest(asset)
            assert passport is not None
            told = {name: value.value for name, value in materialization.metadata.items()}
            assert told["version"] == passport.version
            assert told["dagster/row_count"] == passport.rows
            assert told["file_digest"] == passport.file_digest
            assert told["ledger_entry"] == passport.position
            assert materialization.tags is not None
            assert materialization.tags["dagster/data_version"] == passport.content_digest
            assert passport.run == result.run_id
        checks = evaluations(result)
        assert set(checks) == {
            f"{asset}:{promise.name}" for asset in recorded for promise in promises(gate.project, asset)
        }
        assert all(check.passed for check in checks.values())
        assert {check.metadata["subject"].value for check in checks.values()} == {"published version"}
        stored = [path for path in folder.rglob("*") if path.is_file()]
        assert {path.parent.name for path in stored} <= {"compute_logs"}
        # the control: a value that an asset returns would lie there
        dg.materialize([dg.asset(name="careless")(lambda: CANARY)], instance=instance)
        assert CANARY.encode() in b"".join(path.read_bytes() for path in folder.rglob("careless"))
        kept = everything(instance, result)
        for value in (CANARY, "p-01", "2026-01-05"):
            assert value not in kept
            assert value not in caplog.text


def test_executing_checks_measures_the_published_version_again(
    published: Gate, materialize: Callable[..., dg.ExecuteInProcessResult]
) -> None:
    """With only checks selected nothing is written or published, and every promise is answered."""
    size = published.ledger.size
    result = materialize(check_only(FEATURES, TRAINING))
    assert result.success
    assert not events(result, dg.DagsterEventType.ASSET_MATERIALIZATION)
    assert set(evaluations(result)) == {
        f"{asset}:{one.name}" for asset in (FEATURES, TRAINING) for one in promises(published.project, asset)
    }
    assert published.ledger.size == size


def test_executing_checks_notices_a_promise_that_is_raised(
    published: Gate, materialize: Callable[..., dg.ExecuteInProcessResult]
) -> None:
    """What was kept then and is not now fails, and says that it is the published version that it speaks of."""
    edit(published.project.root, PURPOSE, "at_least_subjects: 5", "at_least_subjects: 500")
    result = materialize(check_only(FEATURES))
    assert not result.success
    found = evaluations(result)["features/smoking:has_subjects__patient_id"]
    assert not found.passed
    assert found.metadata["subject"].value == "published version"
    assert failure(result, FEATURES).startswith("features/smoking: published, but not kept now")


def test_checks_of_what_was_never_published_fail(materialize: Callable[..., dg.ExecuteInProcessResult]) -> None:
    """Nothing to measure is not a pass."""
    result = materialize(check_only(PATIENTS))
    assert not result.success
    assert not evaluations(result)
    assert "raw/patients was never published" in failure(result, PATIENTS)


def test_one_check_alone_can_be_executed(
    published: Gate, materialize: Callable[..., dg.ExecuteInProcessResult]
) -> None:
    """As the button in the UI does, and an asset without its checks is measured all the same."""
    one = dg.AssetCheckKey(key_of(FEATURES), "has_rows")
    assert materialize(dg.AssetSelection.checks(one)).success
    without = materialize(dg.AssetSelection.assets(key_of(FEATURES)).without_checks())
    assert without.success
    assert len(evaluations(without)) == len(promises(published.project, FEATURES))


# ---- runs that do not


def test_a_broken_promise_fails_the_run_and_what_depends_on_it_is_not_made(
    published: Gate, materialize: Callable[..., dg.ExecuteInProcessResult], tmp_path: Path
) -> None:
    """The failed check speaks of the candidate; the failure says what, where, expected, found and next.

    No version is published, no materialization recorded, the candidate is gone, and the steps after it are skipped.
    """
    edit(published.project.root, PURPOSE, "at_least_subjects: 5", "at_least_subjects: 500")
    line = published.project.where("purpose", "smoking", "guarantee", "at_least_subjects")
    size = published.ledger.size
    files = set(published.home.versions.rglob("*"))
    result = materialize(FEATURES, TRAINING, MODEL)
    assert not result.success
    found = evaluations(result)
    assert [name for name, one in found.items() if not one.passed] == ["features/smoking:has_subjects__patient_id"]
    broken = found["features/smoking:has_subjects__patient_id"]
    assert broken.severity is dg.AssetCheckSeverity.ERROR
    assert broken.metadata["subject"].value == "candidate"
    assert broken.metadata["verdict"].value == "broken"
    assert broken.metadata["promised_in"].value == line
    assert broken.metadata["subjects"].value == 59
    text = failure(result, FEATURES)
    assert text.startswith("features/smoking: not published")
    for part in (line, "expected: at least 500", "found: ", "next: "):
        assert part in text
    assert not [
        event
        for event in events(result, dg.DagsterEventType.ASSET_MATERIALIZATION)
        if "repaired" not in str(event.step_materialization_data.materialization.description)
    ]
    started = {event.step_key for event in events(result, dg.DagsterEventType.STEP_START)}
    assert started == {"features__smoking"}
    assert (published.ledger.size, set(published.home.versions.rglob("*"))) == (size, files)


def test_an_input_that_is_not_released_fails_the_run_alone(
    published: Gate, materialize: Callable[..., dg.ExecuteInProcessResult], instance: dg.DagsterInstance
) -> None:
    """In a later run too: training asks the gate, which knows that features are not kept any more."""
    edit(published.project.root, PURPOSE, "at_least_subjects: 5", "at_least_subjects: 500")
    result = materialize(TRAINING)
    assert not result.success
    assert not evaluations(result)
    assert "has_subjects__patient_id is broken" in failure(result, TRAINING)
    assert PURPOSE in failure(result, TRAINING)


def test_the_faults_stand_as_a_table_beside_the_text(
    published: Gate, materialize: Callable[..., dg.ExecuteInProcessResult]
) -> None:
    """One row a fault, and what is refused once is not tried again."""
    edit(published.project.root, PURPOSE, "at_least_subjects: 5", "at_least_subjects: 500")
    result = materialize(FEATURES)
    (event,) = events(result, dg.DagsterEventType.STEP_FAILURE, FEATURES)
    data = event.step_failure_data.user_failure_data
    (record,) = data.metadata["faults"].records
    assert set(record.data) == {"what", "where", "expected", "found", "next_step"}
    assert not events(result, dg.DagsterEventType.STEP_UP_FOR_RETRY)


def test_the_text_of_an_unexpected_error_is_withheld(
    published: Gate, environment: dict[str, str], instance: dg.DagsterInstance
) -> None:
    """An error that nobody foresaw could quote a person: its kind and place are told, its text is nowhere."""

    def fails(work: object) -> None:
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            raise RuntimeError(f"while reading {CANARY}") from error

    step = replace(steps(published.project)[FEATURES], write=fails)
    asset = asset_of(published.project, step, lambda: Gate.open(published.project.root, environment))
    result = dg.materialize([asset], instance=instance, raise_on_error=False)
    assert not result.success
    assert CANARY not in everything(instance, result)
    text = failure(result, FEATURES)
    assert text.startswith("RuntimeError (its text is withheld")
    assert f"{Path(__file__).name}:" in text
    assert "in fails" in text


def test_a_home_that_cannot_be_opened_is_told_in_words(
    tiny_project: Path, environment: dict[str, str], materialize: Callable[..., dg.ExecuteInProcessResult]
) -> None:
    """What a person must mend on the machine fails the run with its text."""
    environment["PRIVACY_ASSETS_KEY_FILE"] = str(tiny_project / "master.key")
    result = materialize(PATIENTS)
    assert not result.success
    assert "key" in failure(result, PATIENTS)
    assert "withheld" not in failure(result, PATIENTS)


def test_an_unexpected_error_is_told_by_kind_and_place() -> None:
    """The innermost frames, by file name without its folder."""
    try:
        os.fspath(CANARY.encode).decode()
    except TypeError as error:
        text = unexpected(error)
    assert CANARY not in text
    assert text.splitlines()[0] == "TypeError (its text is withheld: it could hold data)"
    assert str(Path(__file__).parent) not in text


# ---- the ledger and Dagster's history


def test_a_version_that_dagster_missed_is_told_at_the_next_run(
    published: Gate, materialize: Callable[..., dg.ExecuteInProcessResult], instance: dg.DagsterInstance
) -> None:
    """A crash between ledger and history leaves a version that Dagster does not know: it is told, outside of a run."""
    before = published.latest(FEATURES)
    assert before is not None
    assert instance.get_latest_materialization_event(key_of(FEATURES)) is None
    materialize(check_only(FEATURES))
    event = instance.get_latest_materialization_event(key_of(FEATURES))
    assert event is not None
    assert event.run_id == ""
    repaired = event.asset_materialization
    assert repaired is not None
    assert "repaired from the ledger" in str(repaired.description)
    assert repaired.metadata["version"].value == before.version
    assert repaired.metadata["dagster/row_count"].value == before.rows
    assert repaired.tags is not None
    assert repaired.tags["dagster/data_version"] == before.content_digest


def test_what_dagster_knows_is_not_told_twice(
    published: Gate, materialize: Callable[..., dg.ExecuteInProcessResult], instance: dg.DagsterInstance
) -> None:
    """One event for a version, however often it is looked at; another one for a version that came from elsewhere."""
    key = key_of(FEATURES)

    def told() -> list[Any]:
        return instance.fetch_materializations(key, limit=10).records[::-1]

    materialize(check_only(FEATURES))
    materialize(check_only(FEATURES))
    assert len(told()) == 1
    outcome = carry_out(steps(published.project)[FEATURES], published)
    assert outcome.passport is not None
    materialize(check_only(FEATURES))
    versions = [record.asset_materialization.metadata["version"].value for record in told()]
    assert len(versions) == 2
    assert versions[-1] == outcome.passport.version


# ---- definitions


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, corridor_that_ran: Path) -> dg.AssetGraph:
    """The graph of the tiny project."""
    definitions = build_definitions(corridor_that_ran / "project", env={})
    return definitions.resolve_asset_graph()


def names(graph: dg.AssetGraph) -> list[AssetName]:
    made = (key.path for key in sorted(graph.materializable_asset_keys))
    return [AssetName(Stage(path[0]), *_rest(path)) for path in made if path[0] != "reports"]


def _rest(path: Any) -> tuple[str, str]:
    if path[0] == "raw":
        return "", path[1]
    return path[1], path[2] if len(path) > 2 else ""


def test_every_promise_is_a_blocking_check(corridor_that_ran: Path, tiny: dg.AssetGraph) -> None:
    """What is not kept stops what comes after it: there is no check that only warns."""
    project = load(corridor_that_ran / "project")
    assert {(key.asset_key, key.name) for key in tiny.asset_check_keys} == {
        (key_of(asset), promise.name) for asset in project.assets() for promise in promises(project, asset)
    }
    for key in tiny.asset_check_keys:
        check = tiny.get_check_spec(key)
        assert check.blocking
        assert "Promised in data/" in str(check.description)


def test_groups_stand_in_the_order_of_the_corridor(tiny: dg.AssetGraph) -> None:
    """One group a stage, and their names sort as data walks."""
    groups = {asset.stage: tiny.get(key_of(asset)).group_name for asset in names(tiny)}
    assert [groups[stage] for stage in Stage if stage in groups] == sorted(groups.values())
    assert sorted(groups.values())[0] == "s1_raw"
    assert sorted(groups.values())[-1] == "s9_model"
    assert {tiny.get(key).group_name for key in tiny.external_asset_keys} == {"s0_sources"}


def test_each_asset_says_whose_it_is_and_what(tiny: dg.AssetGraph) -> None:
    """Owner, kind, tags and description, from contract and purpose."""
    for asset in names(tiny):
        node = tiny.get(key_of(asset))
        assert node.owners == ["team:clinic-data"]
        assert node.kinds == ({"scikitlearn"} if asset.stage is Stage.MODEL else {"duckdb"})
        assert node.description
        tags = {name: value for name, value in node.tags.items() if name.startswith("privacy/")}
        expected = {"privacy/stage": asset.stage.value}
        if asset.purpose:
            expected |= {
                "privacy/purpose": "smoking", "privacy/purpose_version": "1.0.0", "privacy/lawful_basis": "consent",
            }  # fmt: skip
        if asset.dataset:
            expected |= {"privacy/contract": asset.dataset, "privacy/contract_version": "1.0.0"}
        assert tags.pop("privacy/data_class") in {"identified", "pseudonymous", "derived"}
        assert tags == expected


def test_what_pseudonyms_are_made_of_is_not_called_anonymous(tiny: dg.AssetGraph) -> None:
    """Identified until pseudonymized, pseudonymous until the model."""
    classes = {asset.stage: tiny.get(key_of(asset)).tags["privacy/data_class"] for asset in names(tiny)}
    order = [classes[stage] for stage in Stage if stage in classes]
    assert order == [*["identified"] * 2, *["pseudonymous"] * 3, "derived"]


def test_columns_are_shown_with_role_category_and_technique(tiny: dg.AssetGraph) -> None:
    """As tags of each column, before anything runs."""
    pseudonymized = AssetName(Stage.PSEUDONYMIZED, "smoking", "patients")
    shown = {}
    for asset in (PATIENTS, pseudonymized):
        schema = tiny.get(key_of(asset)).metadata["dagster/column_schema"].value
        shown[asset] = {column.name: (column.type, dict(column.tags)) for column in schema.columns}
    assert shown[PATIENTS]["patient_id"] == ("VARCHAR", {"role": "direct_identifier", "category": "user.unique_id"})
    assert shown[PATIENTS]["smoker"][1] == {"role": "sensitive", "category": "user.health_and_medical"}
    assert shown[pseudonymized]["patient_id"] == (
        "UUID", {"role": "quasi_identifier", "category": "user.unique_id", "technique": "token"},
    )  # fmt: skip
    assert shown[pseudonymized]["age"][1]["technique"] == "bucket"


def test_metadata_before_a_run_is_the_schema_the_sql_and_the_lineage(
    corridor_that_ran: Path, tiny: dg.AssetGraph
) -> None:
    """The keys are always the same ones; lineage is both Dagster's own and a table that the UI shows."""
    project = load(corridor_that_ran / "project")
    for asset, step in steps(project).items():
        told = tiny.get(key_of(asset)).metadata
        always = {"dagster/column_schema", "column_lineage", "note", "dagster/code_references"}
        sometimes = {"sql": step.query is not None, "dagster/column_lineage": bool(step.lineage.direct)}
        assert set(told) == always | {name for name, there in sometimes.items() if there}
        assert "published before stands" in told["note"].value
        rows = [record.data for record in told["column_lineage"].records]
        assert rows
        assert all(set(row) == {"column", "from", "through", "technique"} for row in rows)
        if "dagster/column_lineage" in told:
            for dependencies in told["dagster/column_lineage"].value.deps_by_column.values():
                assert {one.asset_key for one in dependencies} <= {key_of(name) for name in step.inputs}


def test_consent_is_seen_in_the_lineage_table(tiny: dg.AssetGraph) -> None:
    """What only filters is shown with how: the decision and the date of retention decide about every column."""
    rows = [record.data for record in tiny.get(key_of(MINIMIZED)).metadata["column_lineage"].records]
    through = {(row["from"], row["through"]) for row in rows if row["column"] in ("smoker", "every row")}
    assert ("raw/patients.smoker", "value") in through
    assert {("raw/consents.decision", "filter"), ("raw/patients.registered", "filter")} <= through


def test_code_references_lead_to_lines_that_are_there(corridor_that_ran: Path, tiny: dg.AssetGraph) -> None:
    """The stage's source and the declarations; the file and the line exist."""
    for asset in names(tiny):
        references = tiny.get(key_of(asset)).metadata["dagster/code_references"].code_references
        labels = [reference.label for reference in references]
        assert labels == [
            f"{asset.stage} stage",
            *([f"contract {asset.dataset}"] if asset.dataset else []),
            *([f"purpose {asset.purpose}"] if asset.purpose else []),
        ]
        for reference in references:
            assert 1 <= reference.line_number <= len(Path(reference.file_path).read_text("utf-8").splitlines())
        assert Path(references[0].file_path).name == f"s{list(Stage).index(asset.stage) + 1}_{asset.stage}.py"


def test_an_asset_follows_its_inputs_and_waits_for_their_checks(tiny: dg.AssetGraph) -> None:
    """The automation condition asks for the blocking checks of what it depends on."""
    for asset in names(tiny):
        condition = tiny.get(key_of(asset)).automation_condition
        assert condition is not None
        assert condition.get_label() == "when inputs change and their checks passed"
        parts = [child.get_label() or child.name for child in condition.children]
        assert parts == ["eager", "all_deps_blocking_checks_passed"]


def test_freshness_is_asked_of_raw_where_its_contract_says_so(tiny: dg.AssetGraph) -> None:
    """Two days of latency in the contract of patients, none in that of consents, and none elsewhere."""
    policies = {asset: tiny.get(key_of(asset)).freshness_policy for asset in names(tiny)}
    asked = {asset: policy for asset, policy in policies.items() if policy is not None}
    assert set(asked) == {PATIENTS}
    assert asked[PATIENTS] == dg.FreshnessPolicy.time_window(timedelta(hours=48))


def test_an_asset_depends_on_what_its_step_reads(corridor_that_ran: Path, tiny: dg.AssetGraph) -> None:
    """Raw on its source, all others on exactly the views of their query."""
    for asset, step in steps(load(corridor_that_ran / "project")).items():
        expected = {key_of(name) for name in step.inputs} or {source_key(asset.dataset)}
        assert tiny.get(key_of(asset)).parent_keys == expected


def test_code_versions_differ_by_what_makes_the_asset(corridor_that_ran: Path, tiny: dg.AssetGraph) -> None:
    """Each is the digest of its source and query, and another query has another."""
    made = steps(load(corridor_that_ran / "project"))
    for asset, step in made.items():
        assert tiny.get(key_of(asset)).code_version == step.code_version
    assert made[FEATURES].code_version != replace(made[FEATURES], query=made[TRAINING].query).code_version
    assert made[FEATURES].code_version != replace(made[FEATURES], epoch=2).code_version
