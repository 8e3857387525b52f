"""What is asked of the graph of the sample, and what is answered."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner

from privacy_assets import cli
from privacy_assets.build import build_definitions, corridor_of, flows, steps
from privacy_assets.contracts.loading import Project, load
from privacy_assets.errors import BadDeclaration
from privacy_assets.gate import Gate
from privacy_assets.lineage.flows import Flows
from privacy_assets.lineage.roles import carried, declared, evidence
from privacy_assets.reports.foreign import UNKNOWN, Surroundings
from privacy_assets.reports.impact import Impact, as_json, rows, summary
from privacy_assets.reports.impact import impact as found_of
from privacy_assets.words import AssetName, Role

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def project() -> Project:
    """The sample."""
    return load(ROOT)


@pytest.fixture(scope="module")
def graph(project: Project) -> Flows:
    """Its columns."""
    return flows(steps(project))


def impact(project: Project, graph: Flows, asked: str) -> Impact:
    """With the roles that there would be if everything promised were kept."""
    roles = carried(graph, {asset: declared(project, asset) for asset in graph.made})
    return found_of(project, graph, asked, roles)


def _places(found: Any) -> set[str]:
    return {f"{one.place[0]}.{one.place[1]}" for one in found}


def test_a_column_that_no_purpose_needs_reaches_nobody(project: Project, graph: Flows) -> None:
    """An e-mail address stays in raw; nobody reads it."""
    found = impact(project, graph, "raw/patients.email")
    assert not found.downstream and not found.upstream and not found.released()


def test_a_column_reaches_what_is_made_of_it_by_value_and_what_it_decides(project: Project, graph: Flows) -> None:
    """A postcode becomes a district; consent decides about rows of each purpose that asks for it, and is no value."""
    found = impact(project, graph, "raw/patients.postcode")
    direct = _places(one for one in found.downstream if one.direct)
    assert "features/readmission_model.district" in direct and "model/readmission_model.value" in direct
    assert not any("capacity_planning" in place for place in _places(found.downstream))
    decided = impact(project, graph, "raw/consents.decision")
    assert decided.downstream and not any(one.direct for one in decided.downstream)
    assert {one.kind for one in decided.downstream} == {"filter"}
    assert "model/readmission_model.value" in _places(decided.downstream)


def test_a_model_depends_on_what_it_learned_from_and_who_was_let_in(project: Project, graph: Flows) -> None:
    """Up to raw, by value and by consent; and who reads it is said."""
    found = impact(project, graph, "model/readmission_model")
    places = _places(found.upstream)
    assert {"raw/patients.postcode", "raw/consents.decision", "raw/visits.readmitted"} <= places
    assert not places & {"raw/patients.email", "raw/patients.given_name"}
    assert [str(asset) for asset in found.released()] == ["model/readmission_model"]
    assert any("the clinic's discharge team" in line for line in summary(project, found))


def test_datasets_purposes_and_techniques_are_asked_for_by_name(project: Project, graph: Flows) -> None:
    """A dataset is its raw asset; a purpose all of its own; a technique every column that it made."""
    assert impact(project, graph, "visits").starts == impact(project, graph, "raw/visits").starts
    purpose = impact(project, graph, "capacity_planning")
    assert {place[0].purpose for place in purpose.starts} == {"capacity_planning"}
    assert all(one.place[0].stage == "raw" for one in purpose.upstream) and not purpose.downstream
    token = impact(project, graph, "token")
    assert {graph.technique(place) for place in token.starts} == {"token"}
    assert "raw/visits.patient_id" in _places(token.upstream)


def test_what_is_not_there_is_said_with_what_may_have_been_meant(project: Project, graph: Flows) -> None:
    """A column, an asset, a word; and a name of two things is refused with the way out."""
    for asked, meant in (
        ("raw/patients.emial", "raw/patients.email"),
        ("model/readmission", "model/readmission_model"),
    ):
        with pytest.raises(BadDeclaration, match=meant):
            impact(project, graph, asked)
    with pytest.raises(BadDeclaration, match="privacy-assets show"):
        impact(project, graph, "zzz")
    both = dataclasses.replace(project, purposes={**project.purposes, "visits": project.purposes["capacity_planning"]})
    with pytest.raises(BadDeclaration, match="raw/visits"):
        impact(both, graph, "visits")


# Assets around the corridor: what Dagster resolved of a project that has taken it in.

_TOLD = dg.TableColumnLineage({"years": [dg.TableColumnDep(dg.AssetKey(["training", "smoking"]), "age")]})
_COLUMNS = dg.TableSchema(columns=[dg.TableColumn("branch"), dg.TableColumn("count")])
OTHERS = [
    dg.AssetSpec("crm"),
    dg.AssetSpec("feed", deps=["crm"]),
    dg.AssetSpec(["team", "report"], deps=[["training", "smoking"]], metadata={"dagster/column_lineage": _TOLD}),
    dg.AssetSpec("board", deps=[["team", "report"]], metadata={"dagster/column_schema": _COLUMNS}),
    dg.AssetSpec("unrelated"),
]


def _with(project: Project, others: list[dg.AssetSpec], source: str, feed: str) -> Surroundings:
    """The corridor of a project that has `others` too, of which `feed` feeds the source of a dataset."""
    corridor = corridor_of(project)
    fed = dg.map_asset_specs(
        lambda spec: spec.merge_attributes(deps=[feed] if spec.key == dg.AssetKey(["source", source]) else []),
        list(corridor.assets or ()),
    )
    both = dg.Definitions(assets=[*fed, *others])
    return Surroundings(both.resolve_asset_graph(), corridor.resolve_asset_graph().get_all_asset_keys())


@pytest.fixture
def taken_in(tiny_project: Path) -> Surroundings:
    """The tiny project's corridor with assets of others above and below it."""
    return _with(load(tiny_project), OTHERS, "patients", "feed")


def _around(found: Impact, direction: str) -> dict[str, str]:
    return {".".join(one.point): one.by for one in found.around[direction]}


def test_assets_around_the_corridor_are_found_below_it(tiny_project: Path, taken_in: Surroundings) -> None:
    """By column where they tell it, else as a whole or by the columns that they have; a bystander is not among them."""
    project = load(tiny_project)
    graph = flows(steps(project))
    age = found_of(project, graph, "raw/patients.age", {}, taken_in)
    assert _around(age, "to") == {
        "team/report.years": "lineage",
        "team/report.": "dependency",
        "board.branch": "dependency",
        "board.count": "dependency",
    }
    assert {one["role"] for one in as_json(project, age)["around"]["downstream"]} == {UNKNOWN}
    assert any(line[:2] == ("to", "team/report") and line[3] == UNKNOWN for line in rows(age))
    assert any("2 assets around the corridor" in line for line in summary(project, age))
    sex = found_of(project, graph, "pseudonymized/smoking/patients.sex", {}, taken_in)
    assert "team/report.years" not in _around(sex, "to") and "team/report." in _around(sex, "to")
    email = found_of(project, graph, "raw/patients.email", {}, taken_in)
    assert not email.downstream and not _around(email, "to")


def test_assets_around_the_corridor_are_found_above_it(tiny_project: Path, taken_in: Surroundings) -> None:
    """Through the source that they feed, which is the corridor's own and told as no foreign one."""
    project = load(tiny_project)
    found = found_of(project, flows(steps(project)), "model/smoking", {}, taken_in)
    assert _around(found, "from") == {"feed.": "dependency", "crm.": "dependency"}
    assert {one.foreign for one in found.around["from"]} == {True}


def test_the_corridor_is_found_again_behind_an_asset_of_others(tiny_project: Path) -> None:
    """What one purpose publishes, and somebody's asset feeds to a source, reaches what is made of that source."""
    project = load(tiny_project)
    around = _with(project, [dg.AssetSpec("export", deps=[["raw", "patients"]])], "consents", "export")
    roles = {(AssetName.parse("raw/consents"), "decision"): frozenset({Role.SENSITIVE})}
    found = found_of(project, flows(steps(project)), "raw/patients.email", roles, around)
    assert {"export.", "raw/consents.decision", "training/smoking.age"} <= set(_around(found, "to"))
    (decision,) = [one for one in as_json(project, found)["around"]["downstream"] if one["column"] == "decision"]
    assert decision["asset"] == "raw/consents" and decision["role"] == "sensitive" and not decision["foreign"]


def test_an_asset_around_the_corridor_is_asked_for_by_its_key(tiny_project: Path, taken_in: Surroundings) -> None:
    """Above it, what it is made from; below, what becomes of it; by column where that is told."""
    project = load(tiny_project)
    graph = flows(steps(project))
    report = found_of(project, graph, "team/report", {}, taken_in)
    above = _around(report, "from")
    assert {"training/smoking.age", "training/smoking.sex", "raw/patients.email", "feed.", "crm."} - set(above) == {
        "raw/patients.email"}  # fmt: skip
    assert above["training/smoking.age"] == "lineage" and above["training/smoking.sex"] == "dependency"
    assert _around(report, "to") == {"board.branch": "dependency", "board.count": "dependency"}
    assert as_json(project, report)["starts"] == ["team/report"] and not report.released()
    assert not any("0 columns of 0 assets" in line for line in summary(project, report))
    years = found_of(project, graph, "team/report.years", {}, taken_in)
    assert _around(years, "from")["training/smoking.age"] == "lineage"
    feed = found_of(project, graph, "feed", {}, taken_in)
    below = _around(feed, "to")
    assert {"raw/patients.age", "training/smoking.age", "team/report.", "board.count"} <= set(below)
    assert [str(asset) for asset in feed.released()] == ["training/smoking", "model/smoking"]
    assert any("assets by way of such an asset" in line for line in summary(project, feed))
    assert any(line.startswith("people read training/smoking") for line in summary(project, feed))
    source = found_of(project, graph, "source/patients", {}, taken_in)
    assert _around(source, "from") == {"feed.": "dependency", "crm.": "dependency"}
    lonely = found_of(project, graph, "unrelated", {}, taken_in)
    assert not any(lonely.around.values())


def test_what_is_around_the_corridor_and_is_not_known_is_said(tiny_project: Path, taken_in: Surroundings) -> None:
    """A column that nobody tells of, what looks alike, and a name that several things have."""
    project = load(tiny_project)
    graph = flows(steps(project))
    for asked, meant in (("team/reports", "did you mean .*team/report"), ("team/report.salary", "team/report")):
        with pytest.raises(BadDeclaration, match=meant):
            found_of(project, graph, asked, {}, taken_in)
    with pytest.raises(BadDeclaration):
        found_of(project, graph, "team/report", {})
    both = _with(project, [dg.AssetSpec("patients")], "consents", "patients")
    with pytest.raises(BadDeclaration, match="a dataset, an asset around the corridor") as error:
        found_of(project, graph, "patients", {}, both)
    assert "raw/patients" in str(error.value) and "key:patients" in str(error.value)
    assert "raw/consents.decision" in _around(found_of(project, graph, "key:patients", {}, both), "to")
    assert found_of(project, graph, "raw/patients", {}, both).downstream


def test_without_a_project_around_it_the_corridor_is_the_answer(project: Project, graph: Flows) -> None:
    """And the corridor's own project, resolved, adds nothing to it."""
    alone = impact(project, graph, "raw/patients.postcode")
    assert not any(alone.around.values())
    resolved = build_definitions(ROOT).resolve_asset_graph()
    whole = found_of(
        project, graph, "raw/patients.postcode", alone.roles, Surroundings(resolved, resolved.get_all_asset_keys())
    )
    assert as_json(project, whole) == as_json(project, alone)


def _same(found: Impact, said: dict[str, Any]) -> bool:
    return len(said["upstream"]) == len(found.upstream) and len(said["downstream"]) == len(found.downstream)


def test_the_command_tells_people_and_machines_the_same(published: Gate) -> None:
    """As many lines as places, with the roles that are left by the ledger; JSON with the same."""
    root, graph = published.project.root, flows(steps(published.project))
    roles = carried(graph, {asset: evidence(published, asset) for asset in graph.made})
    found = found_of(published.project, graph, "raw/patients.age", roles)
    words = ["impact", "raw/patients.age", "--root", str(root)]
    told = CliRunner().invoke(cli.app, words)
    assert told.exit_code == 0, told.output
    assert sum(line.strip().startswith(("to ", "from ")) for line in told.output.splitlines()) == len(list(rows(found)))
    said = json.loads(CliRunner().invoke(cli.app, [*words, "--json"]).output)
    assert said == as_json(published.project, found) and _same(found, said) and said["downstream"]
    assert "training/smoking" in {one["asset"] for one in said["read_by_people"]}
