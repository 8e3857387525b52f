"""Minimized: only what is needed, only of those who may be used for it, inside retention."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from privacy_assets.build import steps
from privacy_assets.errors import EngineFailed
from privacy_assets.gate import Gate
from privacy_assets.stages.step import carry_out, measure_again
from privacy_assets.techniques.pseudonymize import redact_identifiers
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


A_NOTE = """\
      - name: note
        logicalType: string
        customProperties:
          - property: privacy
            value: {role: sensitive, category: user.content, free_text: true}
"""
A_NAME = """\
      - name: called
        logicalType: string
        customProperties:
          - property: privacy
            value: {role: direct_identifier, category: user.name}
"""
VISITS = AssetName.parse("minimized/reaching/visits")
SECRET = "Zquorp"


def _with_notes(edit: Edit, root: Path, *, needed: str = "") -> None:
    """Patients with a note, that names their number and address, and (where it is `needed`) the technique for it."""
    edit("data/contracts/patients.odcs.yaml", "      - name: sex\n", f"{A_NOTE}      - name: sex\n")
    if needed:
        need = f"      note: {{why: it tells how they are, technique: {needed}}}\n"
        edit("data/purposes/smoking.yaml", "      sex:\n", f"{need}      sex:\n")
    path = root / "data/samples/patients.csv"
    header, *lines = path.read_text("utf-8").splitlines()
    told = [header.replace("email;", "email;note;")]
    for line in lines:
        person, email, *others = line.split(";")
        note = f"{person.upper()} ({email}) sleeps badly, {SECRET} was told at 030 123 45 67"
        told.append(";".join([person, email, note, *others]))
    path.write_text("\n".join(told) + "\n", "utf-8")


def test_free_text_that_no_purpose_names_is_dropped(
    published: Gate, reopen: Callable[[], Gate], rows: Rows, make: Make, edit: Edit, tiny_project: Path
) -> None:
    """It is in raw, as received, and goes nowhere."""
    _with_notes(edit, tiny_project)
    gate = reopen()
    make(gate, PATIENTS, MINIMIZED)
    assert rows(gate, PATIENTS, f"SELECT count(*) FROM DATA WHERE note LIKE '%{SECRET}%'") == [(60,)]
    passport = gate.latest(MINIMIZED)
    assert passport is not None
    assert "note" not in dict(passport.columns)


@pytest.mark.parametrize(
    ("technique", "left"),
    [
        ("{kind: redact_identifiers}", f"[subject] ([subject]) sleeps badly, {SECRET} was told at [phone]"),
        ("{kind: redact_identifiers, kinds: [email]}",
         f"[subject] ([subject]) sleeps badly, {SECRET} was told at 030 123 45 67"),
        ("{kind: redact, replacement: a note}", "a note"),
        ("{kind: redact}", None),
    ],
)  # fmt: skip
def test_free_text_is_redacted_before_it_is_minimized(
    published: Gate, reopen: Callable[[], Gate], rows: Rows, make: Make, edit: Edit, tiny_project: Path,
    technique: str, left: str | None,
) -> None:  # fmt: skip
    """What the person is known by is out though the purpose does not take it, and what no form is stays as it is."""
    _with_notes(edit, tiny_project, needed=technique)
    gate = reopen()
    pseudonymized = AssetName.parse("pseudonymized/smoking/patients")
    make(gate, PATIENTS, MINIMIZED, pseudonymized)
    for asset in (MINIMIZED, pseudonymized):
        assert rows(gate, asset, "SELECT DISTINCT note FROM DATA") == [(left,)]


def _visits_with_notes(edit: Edit, root: Path) -> None:
    """Visits with a note that names the person as another dataset knows them, and the person of the next row."""
    edit("data/contracts/visits.odcs.yaml", "      - name: admitted\n", f"{A_NOTE}      - name: admitted\n")
    edit("data/contracts/patients.odcs.yaml", "      - name: sex\n", f"{A_NAME}      - name: sex\n")
    need = "      note: {why: it tells how they are, technique: {kind: redact_identifiers, kinds: [email]}}\n"
    edit("data/purposes/reaching.yaml", "      contact:", f"{need}      contact:")

    def name(person: str) -> str:
        return "Zq" + person[2:].translate(str.maketrans("0123456789", "abcdefghij"))

    patients = root / "data/samples/patients.csv"
    header, *lines = patients.read_text("utf-8").splitlines()
    named = [header.replace("email;", "email;called;")]
    for line in lines:
        person, email, *others = line.split(";")
        named.append(";".join([person, email, f"Vrax, {name(person)} Ub", *others]))
    patients.write_text("\n".join(named) + "\n", "utf-8")
    visits = root / "data/samples/visits.csv"
    header, *lines = visits.read_text("utf-8").splitlines()
    told = [header.replace("contact,", "contact,note,")]
    for line in lines:
        visit, person, contact, admitted = line.split(",")
        other = f"{person}-{'1' if visit.endswith('2') else '2'}"
        note = f"{name(person).upper()} of {other} and {name('p-99')} VRAX (Ub)"
        told.append(f"{visit},{person},{contact},{note},{admitted}")
    visits.write_text("\n".join(told) + "\n", "utf-8")


def test_what_other_datasets_and_rows_know_of_the_person_is_out(
    reaching: Gate, reopen: Callable[[], Gate], rows: Rows, make: Make, edit: Edit, tiny_project: Path
) -> None:
    """The name stands in another dataset, the other number in another row; a word of a name counts by itself."""
    _visits_with_notes(edit, tiny_project)
    gate = reopen()
    make(gate, PATIENTS, AssetName.parse("raw/visits"))
    before = len(rows(gate, AssetName.parse("raw/visits"), "SELECT 1 FROM DATA"))
    make(gate, VISITS)
    assert rows(gate, VISITS, "SELECT DISTINCT note FROM DATA") == [
        ("[subject] of [subject] and Zqjj [subject] ([subject])",)
    ]
    assert rows(gate, VISITS, "SELECT count(*) FROM DATA") == [(before - 2,)]
    passport = gate.latest(VISITS)
    assert passport is not None
    assert PATIENTS in [made_from.asset for made_from in passport.inputs]
    lineage = steps(gate.project)[VISITS].lineage
    assert ("patients", "called") in lineage.direct["note"]
    # the nightly verification asks again, of the very inputs
    assert not measure_again(steps(gate.project)[VISITS], gate, passport).faults


def test_a_redaction_that_does_not_work_publishes_nothing(
    published: Gate, reopen: Callable[[], Gate], make: Make, edit: Edit, tiny_project: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The text is asked of the output alone: one that lets all through, or only the person, is found out."""
    _with_notes(edit, tiny_project, needed="{kind: redact_identifiers}")
    gate = reopen()
    make(gate, PATIENTS)
    before = gate.latest(MINIMIZED)
    for function, broken in [
        (lambda texts, kinds, known: texts, {"masked", "own_identifiers_absent"}),
        (lambda texts, kinds, known: texts.str.replace_all(r"[0-9]{3}|@.*", "*"), {"own_identifiers_absent"}),
    ]:
        monkeypatch.setattr(redact_identifiers, "function", function)
        outcome = carry_out(steps(gate.project)[MINIMIZED], gate)
        assert {found.finding.invariant for found in outcome.measured if not found.finding.kept} == broken
        assert SECRET not in str(outcome.faults)
        assert all("smoking.yaml:" in fault.where for fault in outcome.faults)
    assert gate.latest(MINIMIZED) == before


def test_a_redaction_that_fails_says_nothing_of_a_text(
    published: Gate, reopen: Callable[[], Gate], make: Make, edit: Edit, tiny_project: Path,
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """What a library says of a text quotes it; none of it is in what is raised or printed."""
    _with_notes(edit, tiny_project, needed="{kind: redact_identifiers}")
    gate = reopen()
    make(gate, PATIENTS)

    def fails(texts: pl.Series, kinds: pl.Series, known: pl.Series) -> pl.Series:
        raise ValueError(texts[0])

    monkeypatch.setattr(redact_identifiers, "function", fails)
    with pytest.raises(EngineFailed) as raised:
        carry_out(steps(gate.project)[MINIMIZED], gate)
    said = "".join(traceback.format_exception(raised.value))
    assert SECRET not in said + "".join(capfd.readouterr())
