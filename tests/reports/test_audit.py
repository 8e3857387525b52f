"""The audit pack, as it is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from privacy_assets.build import flows, steps
from privacy_assets.contracts import promises as promised
from privacy_assets.contracts.promises import promises
from privacy_assets.gate import Gate
from privacy_assets.invariants import INVARIANTS
from privacy_assets.lineage.audit import CONTRADICTIONS
from privacy_assets.reports._document import markdown
from privacy_assets.reports._told import DOES
from privacy_assets.reports.audit import pack, says
from privacy_assets.subjects import erasing
from privacy_assets.subjects.erasing import erase
from privacy_assets.subjects.people import find
from privacy_assets.words import AssetName, Stage


def told(gate: Gate, purpose: str | None = None) -> str:
    return markdown(pack(gate, flows(steps(gate.project)), purpose))


def test_every_promise_stands_beside_its_clause_with_its_evidence(published: Gate) -> None:
    """File and line, check, verdict, version and entry."""
    lines = told(published).splitlines()
    for asset in published.project.assets():
        passport = published.latest(asset)
        assert passport
        for promise in promises(published.project, asset):
            found = [
                one for one in lines if f"| {promise.where} | {asset}: " in one and f"| {promise.name} | kept |" in one
            ]
            assert found and all(f"| {passport.version} | {passport.position} |" in one for one in found)


def test_every_check_is_explained_in_its_own_words(published: Gate) -> None:
    """Each that is measured once, by the first sentence of its module; and every stage says what it does."""
    project = published.project
    kinds = {promise.parameters.kind for asset in project.assets() for promise in promises(project, asset)}
    _, _, lines = told(published).partition("What each check says")
    explained = {
        kind: said
        for kind, said in (line.strip("| ").split(" | ")[:2] for line in lines.splitlines() if line.startswith("| "))
        if kind in INVARIANTS
    }
    assert set(explained) == kinds
    assert explained["splits_disjoint"].startswith("nobody stands in two splits")
    assert all(len(says(kind)) > 20 for kind in INVARIANTS)
    assert set(DOES) == set(Stage)


def test_without_findings_it_says_none_of_each_kind(published: Gate) -> None:
    """And what was looked at."""
    text = told(published)
    assert text.count("\nNone.\n") == 4
    assert all(f"| {name} |" in text for name in CONTRADICTIONS)


def test_findings_are_told_with_file_and_line(published: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """An orphan clause, and the control that is not there."""
    whole = promised._training
    monkeypatch.setattr(
        promised, "_training", lambda *given: (one for one in whole(*given) if one.parameters.kind != "splits_filled")
    )
    text = told(published)
    assert "the clause training.split has no control" in text and "splits_filled of training/smoking" in text
    assert text.count("\nNone.\n") == 3


def test_a_contradicted_fact_is_told(published: Gate) -> None:
    """What was expected, and what was found."""
    asset = AssetName.parse("training/smoking")
    passport = published.latest(asset)
    assert passport
    columns = tuple((name, "BLOB" if name == "age" else kind) for name, kind in passport.columns)
    published.publish(replace(passport, columns=columns), since=published.ledger.size)
    assert "| age VARCHAR | age BLOB |" in told(published)


def test_of_one_purpose_its_contracts_are_told_too(published: Gate) -> None:
    """Those that it takes rows from, and those that decide about them."""
    text = told(published, "smoking")
    assert all(f"\n## {name}" in text for name in ("Contract consents", "Contract patients", "Purpose smoking"))


def test_what_people_keep_is_open(published: Gate) -> None:
    """Never called kept."""
    lines = [one for one in told(published).splitlines() if "| people: nothing here can tell" in one]
    assert lines and all("| open |" in one for one in lines)


def test_erasures_are_told_from_their_first_entry_to_their_last(
    published: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Why, how many people and versions, what was found, and that one is not finished; in a purpose's own pack not."""
    made, key = steps(published.project), "\n## Erasures\n\n"
    assert told(published).split(key)[1].startswith("Nobody was erased")
    done = erase(published, made, find(published, ["p-07"]), "asked by letter")
    (line,) = [line for line in told(published).splitlines() if line.startswith(f"| {done.erasure.id} |")]
    assert f"| asked by letter | 1 | entry {done.erasure.position}, " in line
    assert f"| {len(done.receipts)} | 0 | - | 0 of {len(done.searched)} | entry {done.end}, " in line
    people = find(published, ["p-08"])

    def interrupts(*given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(erasing, "_rewrite", interrupts)
        erase(published, made, people, "asked on the telephone")
    (line,) = [line for line in told(published).splitlines() if "asked on the telephone" in line]
    assert line.endswith("| 0 | 0 | - | - | NOT FINISHED |")
    assert key not in told(published, "smoking")
