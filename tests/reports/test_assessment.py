"""The skeleton of an impact assessment."""

from __future__ import annotations

from privacy_assets.build import flows, steps
from privacy_assets.contracts.promises import promises
from privacy_assets.gate import Gate
from privacy_assets.invariants import INVARIANTS
from privacy_assets.reports._document import markdown
from privacy_assets.reports._told import numbers_of
from privacy_assets.reports.assessment import KINDS, NOT_ASKED, assessment


def told(gate: Gate) -> str:
    return markdown(assessment(gate, flows(steps(gate.project))))


def test_every_measured_fact_has_its_version_and_entry(published: Gate) -> None:
    """Each finding of each asset of the purpose, once."""
    text = told(published)
    lines = text.splitlines()
    for asset in published.project.assets():
        passport = published.latest(asset)
        if asset.purpose and passport:
            for promise in promises(published.project, asset):
                (line,) = [one for one in lines if one.startswith(f"| {asset} | {promise.name} |")]
                assert "| kept |" in line and f"| {passport.version} | {passport.position} |" in line


def test_what_was_never_measured_is_no_fact(gate: Gate) -> None:
    """It says so, with no number, version or entry."""
    lines = [line for line in told(gate).splitlines() if "has_subjects__" in line]
    assert lines and all(line.endswith("| not measured | - | none | - | - |") for line in lines)


def test_what_no_clause_asks_for_is_not_measured(published: Gate) -> None:
    """No attack was asked for, which is not that none succeeds."""
    lines = told(published).splitlines()
    assert lines[lines.index("#### Attacks") + 2] == NOT_ASKED
    assert lines[lines.index("#### Identifiers") + 2] != NOT_ASKED


def test_what_only_people_can_answer_is_open(published: Gate) -> None:
    """No answer is filled in."""
    asked = [line for line in told(published).splitlines() if line.startswith("| OPEN |")]
    assert len(asked) == 13 and all(line.endswith(" |  |  |") for line in asked)


def test_budget_rows_left_out_and_retention_are_told(published: Gate) -> None:
    """None declared is told as that; a version that is kept, with the day from which it is refused."""
    text = told(published)
    assert "| patients | none declared | - | - | - |" in text
    assert "#### Rows left out" in text and "#### Retention" in text
    passport = next(one for one in published.held() if one.asset.purpose)
    assert f"| {passport.version} | {passport.position} | {passport.time:%Y-%m-%d} |" in text


def test_an_excess_is_told_with_its_interval() -> None:
    """And what was counted; without tries there is none."""
    counted = {"tried": 2000, "succeeded": 13, "control_tried": 2000, "control_succeeded": 19}
    assert (
        numbers_of("attack_excess", counted)
        == "excess -0.003, 95 % from -0.009 to +0.003 (13 of 2,000; on others 19 of 2,000)"
    )
    assert "excess" not in numbers_of("attack_excess", {"tried": 0, "control_tried": 0})


def test_headings_name_invariants_that_there_are() -> None:
    """A finding that is called otherwise tomorrow would stand under Form unnoticed."""
    assert {kind for kinds in KINDS.values() for kind in kinds} <= set(INVARIANTS)
