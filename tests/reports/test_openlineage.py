"""Each event says what the ledger says, in the words of the standard, and nothing that nobody knows."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit
from uuid import UUID

import attr
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openlineage.client.event_v2 import RunEvent
from openlineage.client.generated.base import BaseFacet
from openlineage.client.serde import Serde
from referencing import Registry, Resource
from typer.testing import CliRunner

from privacy_assets import cli
from privacy_assets.build import flows, steps
from privacy_assets.errors import Refused
from privacy_assets.gate import Gate, Input
from privacy_assets.lineage import columns
from privacy_assets.lineage.flows import VALUE, Flows
from privacy_assets.reports import openlineage
from privacy_assets.reports.openlineage import SUBTYPES, events, lines
from privacy_assets.stages.step import carry_out
from privacy_assets.words import AssetName, Stage


def graph(gate: Gate) -> Flows:
    return flows(steps(gate.project))


def written(gate: Gate) -> list[dict[str, Any]]:
    """What stands in the file."""
    return [json.loads(line) for line in lines(gate, graph(gate)).decode().splitlines()]


# ---- the standard: the classes of its own client, which are made of its JSON schemas, read strictly


def _subclasses(kind: type) -> Iterator[type]:
    for one in kind.__subclasses__():
        yield one
        yield from _subclasses(one)


FACETS = {one._get_schema(): one for one in _subclasses(BaseFacet)}


def faults(told: Any, kind: Any, where: str = "") -> Iterator[str]:
    """Where JSON is not of a type of the client: what is required and missing, unknown, or of another type."""
    origin = get_origin(kind)
    if kind is Any:
        return
    if origin in (Union, UnionType):
        found = [list(faults(told, one, where)) for one in get_args(kind)]
        if all(found):
            yield from min(found, key=len)
    elif kind is NoneType:
        if told is not None:
            yield f"{where}: expected nothing"
    elif origin is list:
        if not isinstance(told, list):
            yield f"{where}: expected a list"
            return
        for at, one in enumerate(told):
            yield from faults(one, get_args(kind)[0], f"{where}[{at}]")
    elif origin is dict:
        if not isinstance(told, dict):
            yield f"{where}: expected an object"
            return
        for name, one in told.items():
            yield from faults(one, get_args(kind)[1], f"{where}.{name}")
    elif isinstance(kind, type) and issubclass(kind, Enum):
        if told not in [one.value for one in kind]:
            yield f"{where}: expected one of {kind.__name__}"
    elif attr.has(kind):
        yield from _faults_of_object(told, kind, where)
    elif not isinstance(told, kind) or (kind is int and isinstance(told, bool)):
        yield f"{where}: expected {kind.__name__}"


def _faults_of_object(told: Any, kind: Any, where: str) -> Iterator[str]:
    if not isinstance(told, dict):
        yield f"{where}: expected {kind.__name__}"
        return
    if issubclass(kind, BaseFacet):
        named = FACETS.get(told.get("_schemaURL"))
        if named is None or not issubclass(named, kind):
            yield f"{where}: no facet of this kind has the schema {told.get('_schemaURL')}"
            return
        kind = named
    hints = get_type_hints(kind)
    fields = {one.name: one for one in attr.fields(kind) if not one.name.startswith("_skip")}
    for name, field in fields.items():
        always = name in ("_producer", "_schemaURL", "producer", "schemaURL")
        if name not in told and (always or field.default is attr.NOTHING):
            yield f"{where}: {name} is missing"
    for name, one in told.items():
        if name not in fields:
            yield f"{where}: {name} is unknown"
        else:
            yield from faults(one, hints[name], f"{where}.{name}")


def test_every_event_is_of_the_standard(published: Gate) -> None:
    """Every object has what its class in the client requires, and nothing that the class does not know."""
    for event in written(published):
        assert not list(faults(event, RunEvent))
        UUID(event["run"]["runId"])
        assert event["eventType"] == "COMPLETE"
        assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda event: event["run"].pop("runId"), "runId is missing"),
        (lambda event: event.pop("producer"), "producer is missing"),
        (lambda event: event["outputs"][0].pop("namespace"), "namespace is missing"),
        (lambda event: event["outputs"][0].update(rows=1), "rows is unknown"),
        (lambda event: event.update(eventType="DONE"), "expected one of EventType"),
        (lambda event: event["outputs"][0]["facets"]["version"].update(_schemaURL="x"), "no facet of this kind"),
        (lambda event: event["outputs"][0]["facets"]["version"].pop("datasetVersion"), "datasetVersion is missing"),
        (lambda event: event["outputs"][0]["outputFacets"]["outputStatistics"].update(rowCount="1"), "rowCount"),
        (lambda event: event["outputs"][0]["facets"]["columnLineage"].pop("fields"), "fields is missing"),
    ],
)
def test_what_is_not_of_the_standard_is_found(published: Gate, spoil: Callable[[Any], Any], said: str) -> None:
    """A thing that is missing, unknown or of another type."""
    event = written(published)[-1]
    spoil(event)
    assert any(said in fault for fault in faults(event, RunEvent))


# ---- the standard itself: its own JSON schemas, where somebody has them

SPEC = os.environ.get("PRIVACY_ASSETS_OPENLINEAGE_SPEC", "")
"""The folder `spec` of a checkout of the standard, which is in no package; best of the client's release."""

FORMATS = FormatChecker(formats=["uuid"])


@FORMATS.checks("date-time", raises=ValueError)
def _is_moment(told: object) -> bool:
    """By RFC 3339: with seconds and a zone."""
    form = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
    return not isinstance(told, str) or bool(re.fullmatch(form, told) and datetime.fromisoformat(told))


@FORMATS.checks("uri", raises=ValueError)
def _is_uri(told: object) -> bool:
    """With a scheme and something that it is about."""
    return not isinstance(told, str) or bool(re.fullmatch(r"[a-z][a-z0-9+.-]*:\S+", told) and urlsplit(told))


def _schema(address: str) -> dict[str, Any]:
    """The file that an address is about. A checkout has one version of each: those in addresses are not followed."""
    name = urlsplit(address).path.rpartition("/")[2]
    (file,) = [one for one in (Path(SPEC) / name, Path(SPEC) / "facets" / name) if one.is_file()]
    return dict(json.loads(file.read_text("utf-8")))


SCHEMAS: Registry[Any] = Registry(retrieve=lambda address: Resource.from_contents(_schema(address)))


def named(told: Any) -> Iterator[tuple[str, Any]]:
    """The event and each of its facets, with the address of the schema that it names."""
    if isinstance(told, dict):
        for key, one in told.items():
            if key in ("schemaURL", "_schemaURL"):
                yield one, told
            else:
                yield from named(one)
    elif isinstance(told, list):
        for one in told:
            yield from named(one)


def invalid(event: dict[str, Any]) -> list[str]:
    """What the standard's schemas say against an event, and against each facet."""
    return [
        f"{fault.json_path}: {fault.message}"
        for address, told in named(event)
        for fault in Draft202012Validator({"$ref": address}, registry=SCHEMAS, format_checker=FORMATS).iter_errors(told)
    ]


@pytest.fixture
def official() -> None:
    if not SPEC:
        pytest.skip("PRIVACY_ASSETS_OPENLINEAGE_SPEC names no folder `spec` of a checkout of OpenLineage")


@pytest.fixture
def full(published: Gate) -> dict[str, Any]:
    """An event with every facet that there is: of a day, made by a run of Dagster's."""
    passport = published.latest(AssetName.parse("minimized/smoking/patients"))
    assert passport
    day = dataclasses.replace(
        passport, asset=passport.asset.of("2026-11-02"), run="0193a1e4-0000-7000-8000-000000000000"
    )
    event: dict[str, Any] = json.loads(Serde.to_json(openlineage._event("x://y", graph(published), day, first=False)))
    assert set(event["run"]["facets"]) == {"nominalTime", "parent"}
    assert set(event["outputs"][0]["facets"]) == {"version", "schema", "lifecycleStateChange", "columnLineage"}
    return event


@pytest.mark.usefixtures("official")
def test_every_event_is_valid_by_the_official_schemas(published: Gate, full: dict[str, Any]) -> None:
    """The event, and each facet by the schema that it names, of the same major version."""
    major = re.compile(r"/spec/(?:facets/)?(\d+)-\d+-\d+/")
    for event in [*written(published), full]:
        assert not invalid(event)
        for address, _ in named(event):
            assert major.findall(_schema(address)["$id"]) == major.findall(address), address


def _first(found: Any) -> Any:
    return next(iter(found.values()))


@pytest.mark.usefixtures("official")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda event: event.pop("run"),
        lambda event: event.update(eventType="DONE"),
        lambda event: event.update(eventTime="2026-11-02 10:00"),
        lambda event: event.update(producer="nobody"),
        lambda event: event["run"].update(runId="1"),
        lambda event: event["inputs"][0].pop("name"),
        lambda event: event["job"]["facets"]["jobType"].pop("processingType"),
        lambda event: event["run"]["facets"]["parent"]["job"].pop("namespace"),
        lambda event: event["run"]["facets"]["nominalTime"].update(nominalStartTime="2026-11-02"),
        lambda event: event["outputs"][0]["facets"]["version"].pop("datasetVersion"),
        lambda event: event["outputs"][0]["facets"]["schema"]["fields"][0].pop("name"),
        lambda event: event["outputs"][0]["facets"]["lifecycleStateChange"].update(lifecycleStateChange="MADE"),
        lambda event: event["outputs"][0]["outputFacets"]["outputStatistics"].update(rowCount="1"),
        lambda event: _first(event["outputs"][0]["facets"]["columnLineage"]["fields"])["inputFields"][0].pop("field"),
        lambda event: _first(event["outputs"][0]["facets"]["columnLineage"]["fields"]).pop("inputFields"),
    ],
)
def test_a_spoiled_event_is_invalid_by_the_official_schemas(full: dict[str, Any], spoil: Callable[[Any], Any]) -> None:
    """In the event, and in every facet."""
    assert not invalid(full)
    spoil(full)
    assert invalid(full)


# ---- the ledger


def test_there_is_an_event_for_each_version_with_what_its_passport_says(published: Gate) -> None:
    """In the order of the ledger: version, inputs with their versions, columns, rows."""
    told = written(published)
    passports = published.publications()
    assert [event["run"]["runId"] for event in told] == [str(UUID(hex=one.version)) for one in passports]
    assert [event["job"]["name"] for event in told] == [str(one.asset) for one in passports]
    for event, passport in zip(told, passports, strict=True):
        (output,) = event["outputs"]
        assert output["name"] == str(passport.asset)
        assert output["facets"]["version"]["datasetVersion"] == passport.version
        fields = output["facets"]["schema"]["fields"]
        assert [(one["name"], one["type"]) for one in fields] == list(passport.columns)
        assert output["outputFacets"]["outputStatistics"]["rowCount"] == passport.rows
        assert output["facets"]["lifecycleStateChange"]["lifecycleStateChange"] == "CREATE"
        read = {one["name"]: one["facets"]["version"]["datasetVersion"] for one in event["inputs"]}
        if passport.asset.stage is Stage.RAW:
            assert read == {f"source/{passport.asset.dataset}": passport.source_digest}
        else:
            assert read == {str(one.asset): one.version for one in passport.inputs}


def test_a_second_version_writes_over_the_first(published: Gate) -> None:
    """Both have their event, by the life cycle of the dataset."""
    step = steps(published.project)[AssetName.parse("raw/consents")]
    carry_out(step, published).raise_faults()
    changes = [
        event["outputs"][0]["facets"]["lifecycleStateChange"]["lifecycleStateChange"]
        for event in written(published)
        if event["job"]["name"] == "raw/consents"
    ]
    assert changes == ["CREATE", "OVERWRITE"]


def test_days_are_runs_of_the_whole(published: Gate) -> None:
    """A day has its nominal time; what read several days read one dataset, of no one version."""
    minimized, later = AssetName.parse("minimized/smoking/patients"), AssetName.parse("pseudonymized/smoking/patients")
    one, other = published.latest(minimized), published.latest(later)
    assert one and other
    day = dataclasses.replace(one, asset=one.asset.of("2026-11-02"), run="0193a1e4-0000-7000-8000-000000000000")
    event = openlineage._event("here", graph(published), day, first=True)
    assert event.job.name == event.outputs[0].name == "minimized/smoking/patients"
    assert event.run.facets["nominalTime"].nominalStartTime == "2026-11-02T00:00:00Z"
    assert event.run.facets["parent"].run.runId == day.run
    read = tuple(Input(minimized.of(f"2026-11-0{at}"), f"{at}") for at in (1, 2))
    (source,) = openlineage._inputs("here", dataclasses.replace(other, inputs=read))
    assert source.name == str(minimized) and not source.facets


# ---- lineage by column


def test_lineage_by_column_is_that_of_the_graph(published: Gate) -> None:
    """Every edge into every column, direct or indirect by its kind, and no other."""
    made = graph(published)
    counted = 0
    for event in written(published):
        asset = AssetName.parse(event["job"]["name"])
        if asset.stage is Stage.RAW:
            continue
        fields = event["outputs"][0]["facets"]["columnLineage"]["fields"]
        for column in made.made[asset].columns:
            told = {
                ((AssetName.parse(one["name"]), one["field"]), way["type"], way["subtype"], way.get("description"))
                for one in fields.get(column.name, {"inputFields": []})["inputFields"]
                for way in one["transformations"]
                if way["type"] == "INDIRECT"
            }
            edges = made.into.get((asset, column.name), set())
            assert told == {(at, "INDIRECT", SUBTYPES[kind], kind) for at, kind in edges if kind != VALUE}
            direct = {
                (AssetName.parse(one["name"]), one["field"])
                for one in fields.get(column.name, {"inputFields": []})["inputFields"]
                if any(way["type"] == "DIRECT" for way in one["transformations"])
            }
            assert direct == {at for at, kind in edges if kind == VALUE}
            counted += len(edges)
    assert counted > 50


def test_every_kind_of_edge_has_its_word() -> None:
    """All kinds that the reader of queries makes."""
    source = Path(columns.__file__).read_text("utf-8")
    assert set(re.findall(r'decides\("(\w+)"\)', source)) == set(SUBTYPES)


def _direct(gate: Gate, asset: str, column: str) -> tuple[str, bool]:
    (event,) = [event for event in written(gate) if event["job"]["name"] == asset]
    sources = event["outputs"][0]["facets"]["columnLineage"]["fields"][column]["inputFields"]
    (way,) = [way for source in sources for way in source["transformations"] if way["type"] == "DIRECT"]
    return way["subtype"], way["masking"]


@pytest.mark.parametrize(
    ("asset", "column", "subtype", "masking"),
    [
        ("raw/patients", "email", "IDENTITY", False),
        ("minimized/smoking/patients", "age", "IDENTITY", False),
        ("pseudonymized/smoking/patients", "patient_id", "TRANSFORMATION", True),
        ("pseudonymized/smoking/patients", "age", "TRANSFORMATION", True),
        ("pseudonymized/smoking/patients", "smoker", "IDENTITY", False),
        ("features/smoking", "patient_id", "IDENTITY", False),
        ("training/smoking", "age", "IDENTITY", False),
    ],
)
def test_masking_is_said_where_a_technique_masks_and_once(
    published: Gate, asset: str, column: str, subtype: str, masking: bool
) -> None:
    """Where a token or a bucket takes the value's place; a kept value, and a token that passes on, are as they were."""
    assert _direct(published, asset, column) == (subtype, masking)


def test_a_version_of_other_declarations_has_no_lineage_by_column(
    published: Gate, tiny_project: Path, reopen: Callable[[], Gate]
) -> None:
    """Today's query is not the one that it was made by; what nothing changed for has its own."""
    path = tiny_project / "data/purposes/smoking.yaml"
    path.write_text(path.read_text("utf-8").replace("title: Who smokes", "title: Who smoked"), encoding="utf-8")
    told = {event["job"]["name"]: "columnLineage" in event["outputs"][0]["facets"] for event in written(reopen())}
    assert told["raw/patients"] and not told["features/smoking"] and not told["model/smoking"]


# ---- the command


@pytest.fixture
def say(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tiny_project: Path) -> Callable[..., Any]:
    """Runs `privacy-assets lineage` in the tiny project."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return lambda *words: CliRunner().invoke(cli.app, ["lineage", *map(str, words), "--root", str(tiny_project)])


def test_the_file_has_an_event_a_line_and_no_value(published: Gate, tmp_path: Path, say: Callable[..., Any]) -> None:
    """As many as versions; nothing of anybody's row."""
    file = tmp_path / "told" / "events.ndjson"
    assert say("--openlineage", file).exit_code == 0
    text = file.read_text("utf-8")
    assert len(text.splitlines()) == len(published.publications()) == len(list(events(published, graph(published))))
    assert "example.org" not in text and "p-01" not in text


def test_where_nothing_was_published_nothing_is_written(gate: Gate, tmp_path: Path, say: Callable[..., Any]) -> None:
    """A refusal with the next step, and no file."""
    file = tmp_path / "events.ndjson"
    said = say("--openlineage", file)
    assert isinstance(said.exception, Refused) and "nothing was ever published" in str(said.exception)
    assert "lineage --html" in str(said.exception) and not file.exists()
