"""What is asked of the graph of the sample, and what is answered."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from privacy_assets import cli
from privacy_assets.build import flows, steps
from privacy_assets.contracts.loading import Project, load
from privacy_assets.errors import BadDeclaration
from privacy_assets.gate import Gate
from privacy_assets.lineage.flows import Flows
from privacy_assets.lineage.roles import carried, declared, evidence
from privacy_assets.reports.impact import Impact, as_json, rows, summary
from privacy_assets.reports.impact import impact as found_of

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
