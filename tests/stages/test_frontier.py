"""The frontier: what other techniques and other k would cost, and what was decided."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from privacy_assets.errors import BadDeclaration, Refused
from privacy_assets.gate import Gate
from privacy_assets.reports import frontier as report
from privacy_assets.stages.frontier import frontier
from privacy_assets.words import AssetName
from tests.contracts.test_anonymity import ASKED, BEFORE

SMOKING = "data/purposes/smoking.yaml"
FEATURES = [
    AssetName.parse(name)
    for name in (
        "raw/consents",
        "raw/patients",
        "minimized/smoking/patients",
        "pseudonymized/smoking/patients",
        "features/smoking",
    )
]
REASON = "three people in a class are what this tiny clinic can have"

Make = Callable[..., Any]
Edit = Callable[[str, str, str], None]


@pytest.fixture
def gate(edit: Edit, reopen: Callable[[], Gate], make: Make) -> Gate:
    """The tiny project whose purpose asks for anonymity, made up to its features."""
    edit(SMOKING, BEFORE, ASKED)
    opened = reopen()
    make(opened, *FEATURES)
    return opened


def test_more_people_in_a_class_are_less_risk_and_less_utility(gate: Gate):
    """For the proven best levels; and the purpose's own k is among the points."""
    points = [point for point in frontier(gate, "smoking") if point.technique == "full_domain" and point.measures]
    assert [point.k for point in points] == sorted(point.k for point in points)
    for less, more in pairwise(points):
        assert more.risk <= less.risk + 1e-12
        assert more.utility <= less.utility + 1e-12
    assert [point.k for point in points if point.own] == [3]
    assert all(point.risk <= 1 / point.k for point in points)


def test_it_publishes_nothing_and_is_the_same_again(gate: Gate):
    """Nothing is written, in the home or in the ledger."""
    before = gate.ledger.size, sorted(gate.home.versions.rglob("*"))
    assert frontier(gate, "smoking") == frontier(gate, "smoking")
    assert (gate.ledger.size, sorted(gate.home.versions.rglob("*"))) == before


def test_what_cannot_be_kept_is_a_point_with_its_reason(edit: Edit, gate: Gate, reopen: Callable[[], Gate]):
    """59 people are no class of 80."""
    edit(SMOKING, "k_anonymity, k: 3", "k_anonymity, k: 80")
    (own, _) = (point for point in frontier(reopen(), "smoking") if point.own)
    assert not own.measures
    assert "cannot be kept by any recoding" in own.why
    with pytest.raises(BadDeclaration, match="cannot be chosen"):
        report.decide(gate, "smoking", own, REASON)


def test_a_point_is_best_if_no_other_is_better_in_both(gate: Gate):
    """By hand, over made-up points."""

    def point(risk: float, loss: float) -> report.Point:
        return report.Point("local", 2, False, {"prosecutor_risk": risk, "loss": loss})

    points = [point(0.5, 0.1), point(0.2, 0.2), point(0.2, 0.3), report.Point("local", 9, False, {})]
    assert report.best(points) == {0, 1}


def test_a_decision_is_kept_with_its_reason(gate: Gate):
    """Signed, in the ledger, each after the other; a reason that says nothing is none."""
    points = frontier(gate, "smoking")
    for place in (0, 1):
        report.decide(gate, "smoking", points[place], REASON)
    assert [one["k"] for one in report.decisions(gate, "smoking")] == [points[0].k, points[1].k]
    assert report.decisions(gate, "smoking")[0]["reason"] == REASON
    for reason in ("because", "x" * 501):
        with pytest.raises(BadDeclaration, match="a decision needs its reason"):
            report.decide(gate, "smoking", points[0], reason)


def test_picture_and_page_hold_figures_alone(gate: Gate):
    """A PNG that is the same each time, a page that needs nothing else; a reason is no markup."""
    points = frontier(gate, "smoking")
    assert report.picture(points, "smoking") == report.picture(points, "smoking")
    assert report.picture(points, "smoking").startswith(b"\x89PNG")
    page = report.page(points, "smoking", [{"technique": "local", "k": 3, "reason": "<script>alert(1)</script>"}])
    assert "<script>" not in page
    assert "http" not in page
    assert not any(f"p-{number:02}" in page for number in range(60))


def test_a_purpose_without_anonymity_is_told_what_to_declare(published: Gate, tiny_project: Path):
    """And one that there is not, which there are."""
    with pytest.raises(BadDeclaration, match="asks for no anonymity"):
        frontier(published, "smoking")
    with pytest.raises(BadDeclaration, match="there is no purpose"):
        frontier(published, "drinking")


def test_features_that_may_not_be_read_are_not_swept(edit: Edit, reopen: Callable[[], Gate]):
    """The gate is asked as the stage asks it."""
    edit(SMOKING, BEFORE, ASKED)
    with pytest.raises(Refused, match="never published"):
        frontier(reopen(), "smoking")
