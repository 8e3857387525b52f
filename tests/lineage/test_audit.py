"""Clauses, controls, evidence: what hangs together, and each thing that does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from privacy_assets.build import flows, steps
from privacy_assets.contracts import promises as promised
from privacy_assets.contracts.contract import DatasetPrivacy
from privacy_assets.contracts.loading import load
from privacy_assets.contracts.promises import Promise, promises
from privacy_assets.contracts.purpose import Drift, Guarantee, Purpose, RareGroups
from privacy_assets.gate import Gate, Input
from privacy_assets.lineage.audit import (
    CONTRADICTIONS,
    NOT_MEASURED,
    PENDING,
    PEOPLE,
    Audit,
    _orphan_clauses,
    _orphan_controls,
    audit,
    clauses,
)
from privacy_assets.stages.step import carry_out
from privacy_assets.verify import verify
from privacy_assets.words import AssetName

ROOT = Path(__file__).parents[2]
TRAINING = AssetName.parse("training/smoking")
RAW = AssetName.parse("raw/patients")

Edit = Callable[[str, str, str], None]


@pytest.fixture
def edit(tiny_project: Path) -> Edit:
    """Replaces a text, which must be there, in a file of the tiny project."""

    def replaced(file: str, old: str, new: str) -> None:
        path = tiny_project / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")

    return replaced


def of(gate: Gate) -> Audit:
    return audit(gate, flows(steps(gate.project)))


def said(gate: Gate) -> dict[str, list[str]]:
    return {str(asset): [fault.what for fault in faults] for asset, faults in of(gate).findings().items()}


def failing(gate: Gate) -> dict[str, list[str]]:
    """What `verify` does not let pass, and what it says of it."""
    return {str(line.asset): [one.what for one in line.faults] for line in verify(gate, None) if not line.passes}


def test_what_was_published_has_no_finding(published: Gate) -> None:
    """Every clause that a check keeps has evidence on the version that stands, and nothing was appended for it."""
    size = published.ledger.size
    found = of(published)
    assert not found.findings()
    for one in found.answered:
        assert one.clause.kept_by or one.evidence, one.clause.name
        for each in one.evidence:
            passport = published.latest(each.asset)
            assert passport and (each.version, each.position) == (passport.version, passport.position)
            assert each.verdict == "kept" and each.numbers
    assert published.ledger.size == size


def test_what_was_never_published_is_no_finding_here(gate: Gate) -> None:
    """It is missing, which `verify` says; there is no evidence that could be stale."""
    found = of(gate)
    assert not found.findings()
    assert {each.verdict for one in found.answered for each in one.evidence} == {NOT_MEASURED}


def _sample() -> tuple[list, dict[AssetName, tuple[Promise, ...]]]:
    project = load(ROOT)
    return list(clauses(project)), {asset: promises(project, asset) for asset in sorted(project.assets())}


def test_every_control_of_the_sample_is_missed_when_it_is_gone() -> None:
    """A mutant for each promise: without it a clause is an orphan. What only may be asked follows from another."""
    found, asked = _sample()
    assert not list(_orphan_clauses(found, asked)) and not list(_orphan_controls(found, asked))
    silent: set[str] = set()
    for asset, every in asked.items():
        for promise in every:
            alike = [
                one for one in every if (one.parameters.kind, one.where) == (promise.parameters.kind, promise.where)
            ]
            left = {**asked, asset: tuple(one for one in every if one not in alike)}
            orphans = list(_orphan_clauses(found, left))
            if orphans:
                assert any(promise.parameters.kind in fault.expected for _, fault in orphans)
            else:
                silent.add(promise.parameters.kind)
    assert silent == {"in_domain", "within_bounds"}


def test_every_clause_that_is_taken_out_leaves_its_controls_alone() -> None:
    """A mutant for each clause: what no other clause asks for is an orphan then."""
    found, asked = _sample()
    for clause in found:
        left = [one for one in found if one is not clause]
        others = {check for one in left for check in (*one.checks, *one.may)}
        alone = [check for check in clause.checks if check not in others]
        orphans = {fault.where for _, fault in _orphan_controls(left, asked)}
        assert {check.where for check in alone} <= orphans, clause.name


@pytest.mark.parametrize(
    ("model", "prefix", "apart"),
    [
        (Guarantee, ("guarantee",), set()),
        (DatasetPrivacy, ("privacy",), {"subject", "consent_records"}),
        (
            Purpose,
            (),
            # they name, say in words, or hold what has clauses of its own
            {"kind", "purpose", "version", "title", "why", "owner", "datasets", "guarantee"},
        ),
    ],
)
def test_every_field_of_a_declaration_is_a_clause_or_said_to_be_none(
    model: type, prefix: tuple[str, ...], apart: set[str]
) -> None:
    """A field that is new does not go by unnoticed."""
    project = load(ROOT)
    own = {clause.place for clause in clauses(project)} | set(_by_hand())
    for name in set(model.model_fields) - apart:
        place = (*prefix, name)
        assert any(one[: len(place)] == place for one in own), place


def _by_hand() -> Iterator[tuple[str, ...]]:
    """Clauses that the sample does not have."""
    yield ("guarantee", "utility")


def test_what_is_asked_of_drift_has_its_controls() -> None:
    """Each part of it, and no control without one."""
    project = load(ROOT)
    purpose = project.purposes["readmission_model"]
    asked = Drift(
        k_falls_at_most=2,
        rare_groups=RareGroups(fewer_than=5, share_rises_at_most=0.1),
        distinct_share_at_most=0.9,
        metric_falls_at_most=0.1,
    )
    guarantee = purpose.guarantee.model_copy(update={"drift": asked})
    drifting = replace(
        project, purposes={**project.purposes, purpose.purpose: purpose.model_copy(update={"guarantee": guarantee})}
    )
    found, every = list(clauses(drifting)), {asset: promises(drifting, asset) for asset in drifting.assets()}
    assert not list(_orphan_clauses(found, every))
    assert not list(_orphan_controls(found, every))
    without = {asset: [one for one in each if "drift" not in one.parameters.kind] for asset, each in every.items()}
    assert len(list(_orphan_clauses(found, without))) == 4


def test_a_purpose_that_promises_people_about_nobody_is_an_orphan(gate: Gate) -> None:
    """A written threshold that nothing can measure is found by the declarations alone."""
    purpose = gate.project.purposes["smoking"]
    features = purpose.features.model_copy(update={"subject": None})
    mutant = replace(gate.project, purposes={"smoking": purpose.model_copy(update={"features": features})})
    asked = {asset: promises(mutant, asset) for asset in mutant.assets() if asset.stage != "model"}
    orphans = [fault.what for _, fault in _orphan_clauses(list(clauses(mutant)), asked)]
    assert any("guarantee.at_least_subjects has no control" in what for what in orphans)


def test_an_orphan_clause_fails_verify(published: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that measures less than it says is found, though all that it measures is kept."""
    whole = promised._training

    def less(*given: object) -> Iterator[Promise]:
        return (one for one in whole(*given) if one.parameters.kind != "splits_disjoint")

    monkeypatch.setattr(promised, "_training", less)
    (faults,) = [failing(published)[str(TRAINING)]]
    assert faults == ["the clause training.split has no control: nothing measures whether it is kept"]


def test_an_orphan_control_fails_verify(published: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is measured for no clause is found: nobody would see it go."""
    whole = promised._training

    def elsewhere(*given: object) -> Iterator[Promise]:
        return (
            replace(one, where="nowhere:1") if one.parameters.kind == "splits_filled" else one for one in whole(*given)
        )

    monkeypatch.setattr(promised, "_training", elsewhere)
    assert any(
        "splits_filled__split is measured of training/smoking, and no clause" in what
        for what in failing(published)[str(TRAINING)]
    )


def test_evidence_under_another_declaration_is_stale(published: Gate, reopen: Callable[[], Gate], edit: Edit) -> None:
    """The numbers stand, and answer another question than is asked today; `verify` fails, too."""
    edit("data/contracts/patients.odcs.yaml", "          - value: X\n", "          - value: X\n          - value: U\n")
    gate = reopen()
    stale = {(str(asset), fault.what) for asset, fault in of(gate).stale}
    assert ("raw/patients", "in_domain__sex was measured of something else than is promised now") in stale
    assert "raw/patients" in failing(gate)


def test_what_was_never_measured_on_what_stands_is_stale(
    published: Gate, reopen: Callable[[], Gate], edit: Edit
) -> None:
    """A promise is new, and the version is old."""
    edit("data/contracts/patients.odcs.yaml", "      - name: email\n", "      - name: email\n        required: true\n")
    assert "not_null__email was never measured on the published version" in said(reopen())["raw/patients"]


def test_evidence_older_than_results_are_kept_is_stale_and_what_is_kept_contradicts(published: Gate) -> None:
    """A day before it is neither; raw has no purpose whose retention could pass."""
    now = published.now
    published.now = lambda: now() + timedelta(days=364)
    assert not of(published).findings()
    published.now = lambda: now() + timedelta(days=366)
    found = of(published)
    assert {asset.purpose for asset, _ in found.stale} == {"smoking"}
    assert any("is older than the purpose keeps its results" in fault.what for _, fault in found.stale)
    assert {asset for asset, _ in found.contradicted} == {one for one in published.published() if one.purpose}
    lines = {line.asset: line for line in verify(published, None)}
    assert any("kept for longer" in fault.what for fault in lines[TRAINING].faults)


def test_evidence_of_an_older_version_is_stale(
    published: Gate, reopen: Callable[[], Gate], edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is tried after a publication was tried on the version before this one."""
    whole = promised._training

    def later(*given: object) -> Iterator[Promise]:
        return (replace(one, later=one.parameters.kind == "splits_filled") for one in whole(*given))

    monkeypatch.setattr(promised, "_training", later)
    passport = published.latest(TRAINING)
    assert passport
    body = next(one for one in passport.measured if one.finding.invariant == "splits_filled").body()
    attest = {
        "action": "attest",
        "asset": str(TRAINING),
        "version": passport.version,
        "findings": [body],
        "actor_claimed": "",
    }
    position = published.ledger.append(attest)
    (evidence,) = {
        each.position
        for one in of(published).answered
        for each in one.evidence
        if each.promise.parameters.kind == "splits_filled"
    }
    assert evidence == position
    edit("data/purposes/smoking.yaml", "seed: 7}", "seed: 8}")
    gate = reopen()
    carry_out(steps(gate.project)[TRAINING], gate).raise_faults()
    found = of(gate)
    (fault,) = [fault for asset, fault in found.stale if asset == TRAINING]
    assert fault.what == "the latest evidence of splits_filled__split is older than the version"
    assert PENDING in {each.verdict for one in found.answered for each in one.evidence}


def test_other_columns_than_are_declared_contradict(published: Gate) -> None:
    """A type that is another, a column that nobody declared; but raw may hold what is let on nowhere."""
    passport, raw = published.latest(TRAINING), published.latest(RAW)
    assert passport and raw
    published.publish(replace(raw, columns=(*raw.columns, ("new", "VARCHAR"))), since=published.ledger.size)
    assert not of(published).contradicted
    retyped = tuple((name, "BLOB" if name == "age" else kind) for name, kind in passport.columns)
    published.publish(replace(passport, columns=(*retyped, ("new", "VARCHAR"))), since=published.ledger.size)
    ((asset, fault),) = of(published).contradicted
    assert (asset, fault.found) == (TRAINING, "age BLOB, new VARCHAR")
    assert str(TRAINING) in failing(published)


def test_other_inputs_than_are_declared_contradict(published: Gate) -> None:
    """A training set that says it is of features, and was made of raw."""
    passport, raw = published.latest(TRAINING), published.latest(RAW)
    assert passport and raw
    made_from = (*passport.inputs, Input(RAW, raw.version))
    published.publish(replace(passport, inputs=made_from), since=published.ledger.size)
    ((asset, fault),) = of(published).contradicted
    assert (asset, fault.found) == (TRAINING, "raw/patients")


@pytest.mark.parametrize(
    ("asset", "purpose", "wrong"),
    [("training/smoking", "smoking", False), ("training/smoking", "another", True), ("raw/patients", "smoking", True)],
)
def test_an_access_for_whom_it_was_not_made_contradicts(published: Gate, asset: str, purpose: str, wrong: bool) -> None:
    """The purpose is another one, or nobody may read that stage; `verify` fails as long as the entry stands."""
    passport = published.latest(AssetName.parse(asset))
    assert passport
    entry = {"action": "access", "asset": asset, "version": passport.version, "purpose": purpose, "rows": 1,
             "columns": [], "declared": {}, "actor_claimed": ""}  # fmt: skip
    position = published.ledger.append(entry)
    contradicted = of(published).contradicted
    assert [(str(one), fault.where) for one, fault in contradicted] == (
        [(asset, f"ledger entry {position}")] if wrong else []
    )
    assert (asset in failing(published)) == wrong


def test_a_dataset_about_nobody_with_identifiers_contradicts(tiny_project: Path, reopen: Callable[[], Gate]) -> None:
    """By the declarations alone."""
    (tiny_project / "data/contracts/wards.odcs.yaml").write_text(
        "apiVersion: v3.2.0\nkind: DataContract\nid: wards\nversion: 1.0.0\nteam: {name: clinic-data}\n"
        "servers: [{server: file, type: local, path: data/samples/wards.csv, format: csv}]\n"
        "customProperties:\n  - property: privacy\n    value: {subject: null, lawful_bases: [public_task]}\n"
        "schema:\n  - name: wards\n    properties:\n      - name: head\n        logicalType: string\n"
        "        customProperties:\n          - property: privacy\n            value:\n"
        "              {role: attribute, category: user.unique_id, identifier_domain: {name: patient_id}}\n",
        "utf-8",
    )
    ((asset, fault),) = of(reopen()).contradicted
    assert (str(asset), fault.found) == ("raw/wards", "`head`")


def test_what_people_keep_is_told_and_fails_nothing(published: Gate) -> None:
    """Recipients, third parties, notice of a breach: nobody here can say that they are kept."""
    kept = {one.clause.name for one in of(published).answered if one.clause.kept_by.startswith(PEOPLE)}
    assert kept == {"recipients", "privacy.third_parties", "privacy.breach_notice_hours"}
    assert set(CONTRADICTIONS) == {"schema", "inputs", "accesses", "retention", "nobody"}
