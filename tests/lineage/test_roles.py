"""Roles travel with values, and stop only on evidence of the version that stands."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from privacy_assets.build import flows, steps
from privacy_assets.contracts.loading import Project, load
from privacy_assets.gate import Gate
from privacy_assets.lineage.flows import VALUE, Flows, Place
from privacy_assets.lineage.roles import Evidence, Roles, carried, declared, evidence
from privacy_assets.words import AssetName, Role, Stage

ROOT = Path(__file__).parents[2]
QUASI, SENSITIVE, DIRECT = Role.QUASI_IDENTIFIER, Role.SENSITIVE, Role.DIRECT_IDENTIFIER


@pytest.fixture(scope="module")
def project() -> Project:
    """The sample."""
    return load(ROOT)


@pytest.fixture(scope="module")
def graph(project: Project) -> Flows:
    """Its columns."""
    return flows(steps(project))


def _carried(project: Project, graph: Flows, *without: str) -> dict[Place, Roles]:
    """As if everything promised were kept, but for findings of these kinds."""
    found = {}
    for asset in graph.made:
        every = declared(project, asset)
        kept = {name for name in every.kept if not name.startswith(without)} if without else every.kept
        found[asset] = dataclasses.replace(every, kept=kept)
    return carried(graph, found)


def _at(roles: dict[Place, Roles], place: str) -> set[Role]:
    asset, _, column = place.rpartition(".")
    return set(roles[AssetName.parse(asset), column])


def test_without_any_evidence_what_raw_holds_is_carried_to_the_end(project: Project, graph: Flows) -> None:
    """Nothing published yet: every column has all roles of the raw columns that values flow from, and no other."""
    nothing = {asset: Evidence(declared(project, asset).asked, ()) for asset in graph.made}
    roles = carried(graph, nothing)
    for place in graph.places(graph.made):
        sources = {one.place for one in graph.upstream([place]).values() if one.direct} | {place}
        raws = {graph.column(source).role for source in sources if source[0].stage is Stage.RAW}  # type: ignore[union-attr]
        assert roles[place] == raws - {Role.ATTRIBUTE}, place
    assert DIRECT in _at(roles, "training/readmission_model.age") or QUASI in _at(
        roles, "training/readmission_model.age"
    )


def test_what_is_kept_lowers_what_it_speaks_of_and_nothing_else(project: Project, graph: Flows) -> None:
    """A token is no name any more; classes end quasi-identifiers, diversity one secret, attacks and noise the rest."""
    roles = _carried(project, graph)
    assert _at(roles, "raw/visits.patient_id") == {DIRECT}
    assert _at(roles, "minimized/readmission_model/visits.patient_id") == {DIRECT}
    assert _at(roles, "pseudonymized/readmission_model/visits.patient_id") == {QUASI}
    assert _at(roles, "features/readmission_model.district") == {QUASI}
    assert _at(roles, "anonymized/readmission_model.district") == set()
    assert _at(roles, "anonymized/readmission_model.readmitted") == set()  # l-diverse
    assert _at(roles, "anonymized/readmission_model.smoker") == {SENSITIVE}  # of which nothing is promised
    assert _at(roles, "training/readmission_model.smoker") == {SENSITIVE}
    assert _at(roles, "model/readmission_model.value") == set()
    assert _at(roles, "synthetic/research_sharing.ward") == set()
    assert _at(roles, "statistics/capacity_planning.value") == set()


@pytest.mark.parametrize(
    ("kind", "place", "expected"),
    [
        ("masked__patient_id", "pseudonymized/readmission_model/visits.patient_id", {DIRECT}),
        ("k_anonymity", "anonymized/readmission_model.district", {QUASI}),
        ("persons_per_class", "anonymized/readmission_model.district", {QUASI}),
        ("l_diversity", "anonymized/readmission_model.readmitted", {SENSITIVE}),
        ("attack_excess", "synthetic/research_sharing.ward", {SENSITIVE}),
        ("attack_excess__copies__exact__everyone", "synthetic/research_sharing.ward", {SENSITIVE}),
        ("noise_declared", "statistics/capacity_planning.value", {QUASI}),
    ],
)
def test_without_its_evidence_a_role_is_carried_on(
    project: Project, graph: Flows, kind: str, place: str, expected: set[Role]
) -> None:
    """One finding less, and the taint stays, here and in all that values flow into."""
    roles = _carried(project, graph, kind)
    assert expected <= _at(roles, place)
    asset, _, column = place.rpartition(".")
    for other, how in graph.out_of.get((AssetName.parse(asset), column), ()):
        if how == VALUE and other[0].stage is Stage.TRAINING:
            assert expected <= set(roles[other])


def test_a_model_without_a_threat_model_carries_what_it_learned_from(published: Gate) -> None:
    """Nothing is promised of what it tells, so nothing ends there, however well all else is kept."""
    graph = flows(steps(published.project))
    roles = carried(graph, {asset: declared(published.project, asset) for asset in graph.made})
    model = AssetName.parse("model/smoking")
    assert roles[model, "value"] and roles[model, "value"] >= {QUASI}


def test_evidence_is_of_the_version_that_stands(published: Gate) -> None:
    """What was published and is asked for today counts; what was withdrawn, or never published, does not."""
    asset = AssetName.parse("pseudonymized/smoking/patients")
    found = evidence(published, asset)
    assert set(found.kept) == {promise.name for promise in found.asked}
    passport = published.latest(asset)
    assert passport is not None
    published.withdraw(passport, passport.measured[:1], seed=1)
    assert not evidence(published, asset).kept
    assert not evidence(published, AssetName.parse("training/smoking")).kept  # made from it
    assert evidence(published, AssetName.parse("raw/patients")).kept
