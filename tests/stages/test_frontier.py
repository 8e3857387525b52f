"""Techniques and k of a purpose, each with its risk and its utility, and the choice that is kept."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.contracts.purpose import Anonymized
from privacy_assets.errors import BadDeclaration, Refused
from privacy_assets.gate import Gate
from privacy_assets.reports.frontier import RISKS, decisions, write
from privacy_assets.stages.frontier import KS, chosen, decide, frontier, sound_reason, sweep
from privacy_assets.warehouse.connections import governed
from privacy_assets.words import AssetName
from tests.contracts.test_anonymity import ASKED, BEFORE
from tests.techniques.anonymize.tables import Row, rows_of_people, tuples_of
from tests.techniques.anonymize.tables import asked as criterion

SMOKING = "data/purposes/smoking.yaml"
ANONYMIZED = AssetName.parse("anonymized/smoking")

Edit = Callable[[str, str, str], None]
Make = Callable[..., Any]


@pytest.fixture
def weighed(published: Gate, edit: Edit, reopen: Callable[[], Gate], make: Make) -> Gate:
    """The gate of the tiny project, whose purpose asks for anonymity now; its features stand."""
    edit(SMOKING, BEFORE, ASKED)
    gate = reopen()
    make(gate, *map(AssetName.parse, ("minimized/smoking/patients", "pseudonymized/smoking/patients",
                                      "features/smoking")))  # fmt: skip
    return gate


def techniques(*kinds: str, **more: Any) -> Anonymized:
    return Anonymized.model_validate({"techniques": [{"kind": kind, **more} for kind in kinds]})


def test_every_technique_of_the_same_form_is_tried_with_every_k(weighed: Gate):
    """The purpose's own first, then the others that use hierarchies; `mondrian` leaves another form."""
    found = frontier(weighed, "smoking")
    tried = [(point.technique, point.k) for point in found.points]
    assert tried == [(kind, k) for kind in ("full_domain", "top_down", "local") for k in KS]
    assert [point.number for point in found.points] == list(range(1, len(tried) + 1))
    assert found.beside == ("l_diversity of smoker (form distinct, l 2)",)
    assert found.suppressed_at_most == 0.2


def test_a_technique_of_another_form_is_alone(weighed: Gate, edit: Edit, reopen: Callable[[], Gate]):
    """Where the purpose names `mondrian`, nothing that uses hierarchies could take its place."""
    edit(SMOKING, "[{kind: full_domain}, {kind: top_down}]", "[{kind: mondrian}]")
    # of lists of values no model learns
    edit(SMOKING, "training:\n  from: anonymized\n", BEFORE)
    assert {point.technique for point in frontier(reopen(), "smoking").points} == {"mondrian"}


def test_the_same_data_and_seed_give_the_same_points(weighed: Gate, reopen: Callable[[], Gate]):
    """Also from a gate that is opened anew; with another seed the purpose's own stay as they are."""
    assert frontier(weighed, "smoking", seed=7) == frontier(reopen(), "smoking", seed=7)
    own, other = frontier(weighed, "smoking"), frontier(weighed, "smoking", seed=8)
    assert {point.parameters["seed"] for point in other.points if point.technique == "local"} == {8}
    assert chosen(own, None).figures == chosen(other, None).figures


def test_with_another_seed_the_purposes_own_point_stands_beside(weighed: Gate, edit: Edit, reopen: Callable[[], Gate]):
    """A technique that draws is declared with its seed, which is a parameter like others."""
    edit(SMOKING, "[{kind: full_domain}, {kind: top_down}]", "[{kind: local, seed: 3}]")
    found = frontier(reopen(), "smoking", seed=8)
    [declared] = [point for point in found.points if point.declared]
    assert (declared.technique, declared.parameters, declared.k) == ("local", {"seed": 3}, 3)
    assert declared.current


def test_what_is_taken_now_is_what_the_stage_takes(weighed: Gate, make: Make):
    """The same figures as in the passport of what is published, and in no point else that is marked."""
    before = weighed.ledger.size
    [current] = [point for point in frontier(weighed, "smoking").points if point.current]
    assert weighed.ledger.size == before
    assert weighed.latest(ANONYMIZED) is None
    make(weighed, ANONYMIZED)
    measures = weighed.latest(ANONYMIZED).measures
    assert measures[f"chosen[{current.technique}]"] == 1
    assert {name: measures[name] for name in current.figures} == current.figures


@settings(max_examples=60, deadline=None)
@given(rows_of_people, st.booleans(), st.sampled_from([0.0, 0.1, 1.0]))
def test_a_larger_k_costs_utility_and_lowers_risk(rows: list[Row], people: bool, at_most: float):
    """Of the best that full_domain has, by its proof: never more utility, never a higher prosecutor's risk.

    The best for a smaller k whose classes are large enough is the best for the larger one, too; else its smallest class
    is smaller. Of several that are equally good either may be taken, so there nothing is said of risk but its limit.
    """
    tuples = tuples_of(rows, people=people)
    points = sweep(tuples, techniques("full_domain"), [criterion("k_anonymity", k=4)], at_most)
    kept = [point for point in points if point.kept]
    assert [point.k for point in kept] == [point.k for point in points][: len(kept)]
    for one, larger in itertools.pairwise(kept):
        assert larger.utility <= one.utility + 1e-9
        if abs(larger.utility - one.utility) > 1e-9:
            assert larger.risks[0] <= one.risks[0]
    for point in kept:
        assert point.risks[0] <= 1 / (point.k or 1) or not point.figures["published"]


@settings(max_examples=40, deadline=None)
@given(rows_of_people)
def test_optimal_is_what_nothing_else_beats(rows: list[Row]):
    """Counted by hand, point against point; and something always is, where anything can be kept."""
    points = sweep(
        tuples_of(rows), techniques("full_domain", "top_down", "local"), [criterion("k_anonymity", k=2)], 0.1
    )
    kept = [point for point in points if point.kept]
    for place, risk in enumerate(RISKS):
        for point in kept:
            beaten = [
                one
                for one in kept
                if one.risks[place] <= point.risks[place] and one.utility >= point.utility
                if (one.risks[place], one.utility) != (point.risks[place], point.utility)
            ]
            assert (risk in point.optimal) == (not beaten)
        assert any(risk in point.optimal for point in kept) == bool(kept)
    assert not any(point.optimal for point in points if not point.kept)


def test_a_model_is_measured_on_what_it_would_learn_from(
    weighed: Gate, edit: Edit, reopen: Callable[[], Gate], make: Make
):
    """On validation: the figure of the point that is taken now is the one that the model's own stage measures."""
    gate = reopen()
    found = frontier(gate, "smoking", with_model=True)
    assert found.metric == "roc_auc"
    current = chosen(found, None)
    make(gate, ANONYMIZED, *map(AssetName.parse, ("training/smoking", "model/smoking")))
    sql = "SELECT value FROM held.main.data WHERE metric = 'roc_auc' AND split = 'validation'"
    model = gate.latest(AssetName.parse("model/smoking"))
    with governed(gate.home.spill, inputs={"held": gate.attachment(model)}, candidate=None) as con:
        assert con.execute(sql).fetchall() == [(current.figures["model"],)]
    assert [point.number for point in found.points if point.kept and not 0 <= point.figures["model"] <= 1] == []
    assert frontier(gate, "smoking", with_model=True) == found
    edit(SMOKING, "  from: anonymized", "  from: features\n  reason: the doctors who treat these people learn nothing")
    with pytest.raises(BadDeclaration, match="no model that learns from anonymized rows"):
        frontier(reopen(), "smoking", with_model=True)


def test_without_a_k_the_others_are_tried_beside_what_is_asked(weighed: Gate):
    """Where the criteria speak of no k, the point that asks for none is the purpose's own."""
    points = sweep(tuples_of([("a0", "0", "f", "flu", one) for one in range(8)]), techniques("top_down"), [], 0.0)
    assert [point.k for point in points] == [None, *KS]
    assert [point.k for point in points if point.current] == [None]
    assert [point.kept for point in points] == [True] * 4 + [False] * 3


def test_what_cannot_be_kept_is_told_with_the_reason(weighed: Gate, edit: Edit, reopen: Callable[[], Gate]):
    """59 people are no class of 60; the points that can be kept are there all the same."""
    edit(SMOKING, "k_anonymity, k: 3", "k_anonymity, k: 60")
    found = frontier(reopen(), "smoking")
    impossible = [point for point in found.points if not point.kept]
    assert {point.k for point in impossible} == {60}
    assert all("k_anonymity (k 60) cannot be kept by any recoding" in point.why[0] for point in impossible)
    assert all("k of at most 59" in point.why[0] for point in impossible)
    assert not any(point.current for point in found.points)
    with pytest.raises(BadDeclaration, match="cannot be kept, so it cannot be chosen"):
        chosen(found, None)
    with pytest.raises(BadDeclaration, match="no point of this number"):
        chosen(found, impossible[0].number)


def test_a_choice_is_in_the_ledger_and_a_second_one_too(weighed: Gate, reopen: Callable[[], Gate]):
    """With what was chosen, its figures, of which text of the purpose, by whom and why; the latest comes first."""
    found = frontier(weighed, "smoking")
    first, second = chosen(found, None), chosen(found, found.points[-1].number)
    positions = [
        decide(weighed, found, first, "what we had"),
        decide(weighed, found, second, "  the board wants\n a larger k "),
    ]
    gate = reopen()
    gate.ledger.verify()
    body = gate.ledger.entries()[positions[1]].body
    assert body["action"] == "decide"
    assert (body["purpose"], body["digest"]) == ("smoking", gate.project.digest("smoking"))
    assert (body["technique"], body["k"], body["figures"]) == (second.technique, second.k, second.figures)
    assert body["features"].startswith(
        f"features/smoking version {gate.latest(AssetName.parse('features/smoking')).version}"
    )
    assert body["reason"] == "the board wants a larger k"
    assert body["actor_claimed"] == gate.actor()
    assert [one.position for one in decisions(gate, "smoking")] == positions[::-1]
    assert [one.said for one in decisions(gate, "smoking")] == [second.said, first.said]
    assert decisions(gate, "another") == ()


def test_a_choice_changes_nothing_that_stands(weighed: Gate, make: Make):
    """The gate reads on as before: a decision is a record."""
    make(weighed, ANONYMIZED)
    found = frontier(weighed, "smoking")
    decide(weighed, found, chosen(found, None), "what we had")
    assert weighed.examine(ANONYMIZED).standing.value == "kept"


@pytest.mark.parametrize("because", ["", " \n ", "x" * 501, "a\u202eb", "a\x00b"])
def test_a_reason_is_a_few_words_that_can_be_read(because: str):
    """Nothing, too much and what cannot be seen are refused, and not quoted."""
    with pytest.raises(BadDeclaration, match="no reason that can be kept") as caught:
        sound_reason(because)
    assert not because.strip() or because not in str(caught.value)


def test_a_purpose_without_anonymity_is_refused_with_the_next_step(published: Gate):
    """And one that there is not."""
    with pytest.raises(BadDeclaration, match="asks for no anonymity") as caught:
        frontier(published, "smoking")
    assert "add both" in caught.value.faults[0].next_step
    assert caught.value.faults[0].where.startswith(SMOKING)
    with pytest.raises(BadDeclaration, match="there is no purpose") as caught:
        frontier(published, "smokin")
    assert "smoking" in caught.value.faults[0].expected


def test_features_are_read_through_the_gate(gate: Gate, edit: Edit, reopen: Callable[[], Gate]):
    """Where they are not published nothing is weighed."""
    edit(SMOKING, BEFORE, ASKED)
    with pytest.raises(Refused, match="features/smoking"):
        frontier(reopen(), "smoking")


def test_neither_points_nor_files_know_what_people_hold(
    published: Gate, edit: Edit, reopen: Callable[[], Gate], make: Make, tiny_project: Path, tmp_path: Path
):
    """With other words for the same people all is the same, byte for byte, but for versions and digests."""
    patients, contract = "data/samples/patients.csv", "data/contracts/patients.odcs.yaml"
    edit(SMOKING, BEFORE, ASKED)
    remade = [AssetName.parse(asset) for asset in (
        "raw/patients", "minimized/smoking/patients", "pseudonymized/smoking/patients", "features/smoking",
    )]  # fmt: skip
    make(reopen(), *remade)
    before = frontier(reopen(), "smoking")
    text = (tiny_project / patients).read_text("utf-8")
    for sex, word in (("F", "FERN"), ("M", "MIRA"), ("X", "XYLA")):
        text = text.replace(f";{sex};", f";{word};")
        edit(contract, f"value: {sex}\n", f"value: {word}\n")
        edit(SMOKING, f'[{sex}, "*"]', f'[{word}, "*"]')
    (tiny_project / patients).write_text(text, "utf-8")
    gate = reopen()
    make(gate, *remade)
    after = frontier(gate, "smoking")
    assert after.digest != before.digest
    assert after.points == before.points
    files = write(tmp_path / "after", after, ())
    assert replace(after, digest=before.digest, features=before.features) == before
    held = b"".join(path.read_bytes() for path in files)
    assert not [word for word in (b"FERN", b"MIRA", b"XYLA", b"example.org", b"p-01", b"ada1") if word in held]


def test_a_reason_is_kept_for_a_person_to_read(weighed: Gate, tmp_path: Path):
    """The page lists decisions with their reasons, as text and never as marks."""
    found = frontier(weighed, "smoking")
    decide(weighed, found, chosen(found, None), "<script>alert(1)</script> & more")
    _, html = write(tmp_path / "page", found, decisions(weighed, "smoking"))
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in html.read_text("utf-8")
    assert "<script" not in html.read_text("utf-8")
