"""Minimized: only what is needed, only of those who may be used for it, inside retention."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from privacy_assets.build import steps
from privacy_assets.gate import Gate
from privacy_assets.stages.step import carry_out
from privacy_assets.words import AssetName, Verdict

MINIMIZED = AssetName.parse("minimized/smoking/patients")
CONSENTS = AssetName.parse("raw/consents")
PATIENTS = AssetName.parse("raw/patients")

Rows = Callable[..., list[tuple[Any, ...]]]
Make = Callable[..., Any]
Edit = Callable[[str, str, str], None]


def people(gate: Gate, rows: Rows) -> set[str]:
    return {person for (person,) in rows(gate, MINIMIZED, "SELECT patient_id FROM DATA")}


@pytest.mark.parametrize(
    ("decision", "stays"),
    [("withdrawn,2026-03-01", False), ("objected,2026-03-01", False), ("withdrawn,2026-01-01", True),
     ("withdrawn,2099-01-01", True), ("granted,2026-03-01", True)],
)  # fmt: skip
def test_the_last_decision_up_to_now_counts(
    published: Gate, rows: Rows, make: Make, edit: Edit, decision: str, stays: bool
) -> None:
    """Whoever took back a yes is left out, and nobody else."""
    edit("data/samples/consents.csv", "p-01,smoking", f"p-01,smoking,{decision} 09:00:00\np-01,smoking")
    make(published, CONSENTS, MINIMIZED)
    assert people(published, rows) == {f"p-{number:02}" for number in range(1 if stays else 2, 60)}


def test_on_another_basis_silence_is_no_refusal(
    published: Gate, reopen: Callable[[], Gate], rows: Rows, make: Make, edit: Edit
) -> None:
    """Whoever never decided is in; whoever objected is out."""
    edit("data/purposes/smoking.yaml", "lawful_basis: consent", "lawful_basis: legitimate_interests")
    edit("data/samples/consents.csv", "p-01,smoking", "p-01,smoking,objected,2026-03-01 09:00:00\np-01,smoking")
    gate = reopen()
    make(gate, CONSENTS, MINIMIZED)
    assert people(gate, rows) == {f"p-{number:02}" for number in range(2, 61)}


def test_rows_past_retention_are_left_out(
    published: Gate, reopen: Callable[[], Gate], rows: Rows, make: Make, edit: Edit, tiny_project: Path
) -> None:
    """The last day is included; the date that it runs from is kept beside the row."""
    today = published.now().date()
    path = tiny_project / "data/samples/patients.csv"
    dates = iter([today - timedelta(days=days) for days in (400, 401, *[0] * 58)])
    path.write_text(re.sub(r"2026-01-\d\d", lambda _: next(dates).isoformat(), path.read_text("utf-8")), "utf-8")
    edit("data/contracts/patients.odcs.yaml", "days: 3650", "days: 400")
    gate = reopen()
    gate.now = lambda: published.now().replace(hour=23, minute=59, second=59)
    make(gate, PATIENTS, CONSENTS, MINIMIZED)
    assert people(gate, rows) == {f"p-{number:02}" for number in range(1, 60) if number != 2}
    (kept,) = rows(gate, MINIMIZED, "SELECT _retention_from FROM DATA WHERE patient_id = 'p-01'")
    assert kept == (today - timedelta(days=400),)


def test_nobody_left_is_not_a_table(published: Gate, make: Make, tiny_project: Path) -> None:
    """Where everybody withdrew, nothing is published: an empty table keeps every promise and is worth none."""
    path = tiny_project / "data/samples/consents.csv"
    path.write_text(path.read_text("utf-8").replace("granted", "withdrawn"), "utf-8")
    make(published, CONSENTS)
    before = published.latest(MINIMIZED)
    outcome = carry_out(steps(published.project)[MINIMIZED], published)
    assert outcome.passport is None
    verdicts = {one.finding.name: one.finding.verdict for one in outcome.measured}
    assert verdicts["has_rows"] is not Verdict.KEPT
    assert published.latest(MINIMIZED) == before


def test_consent_is_an_input_like_any_other(published: Gate) -> None:
    """The passport names the version of the decisions that were asked."""
    made = {str(one.asset): one.version for one in published.latest(MINIMIZED).inputs}
    assert made == {
        "raw/patients": published.latest(PATIENTS).version, "raw/consents": published.latest(CONSENTS).version,
    }  # fmt: skip


def test_without_retention_no_date_is_kept(reaching: Gate) -> None:
    """The visits of the tiny clinic may be kept for ever, so nothing is added to them."""
    columns = [name for name, _ in reaching.latest(AssetName.parse("minimized/reaching/visits")).columns]
    assert columns == ["patient_id", "contact", "admitted"]
