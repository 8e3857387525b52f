"""Raw: as received, what cannot be read apart, and the two add up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from privacy_assets.build import steps
from privacy_assets.errors import BadSource
from privacy_assets.gate import Gate
from privacy_assets.stages.step import carry_out
from privacy_assets.words import AssetName

PATIENTS = AssetName.parse("raw/patients")
SOURCE = "data/samples/patients.csv"

Rows = Callable[..., list[tuple[Any, ...]]]
Make = Callable[..., Any]


def test_nothing_is_dropped_or_changed(published: Gate, rows: Rows, tiny_project: Path) -> None:
    """Every row of the file is there, needed or not, consenting or not."""
    lines = (tiny_project / SOURCE).read_text("utf-8").splitlines()
    found = rows(published, PATIENTS, "SELECT patient_id, email, cost FROM DATA ORDER BY ALL")
    assert [(person, email, str(cost)) for person, email, cost in found] == sorted(
        (cells[0], cells[1], cells[5]) for cells in (line.split(";") for line in lines[1:])
    )


def test_a_bad_row_waits_with_its_reason_and_rows_add_up(
    published: Gate, rows: Rows, make: Make, tiny_project: Path
) -> None:
    """One row in sixty: raw is published, and tells how many wait."""
    path = tiny_project / SOURCE
    path.write_text(path.read_text("utf-8").replace(";M;21;", ";M;unknown;", 1), "utf-8")
    passport = make(published, PATIENTS).passport
    assert rows(published, PATIENTS, "SELECT count(*) FROM held.main.quarantine") == [(1,)]
    assert passport.rows == 59
    numbers = {one.finding.name: dict(one.finding.numbers) for one in passport.measured}
    assert numbers["quarantine_share"]
    assert any(60 in found.values() and 59 in found.values() for found in numbers.values())


def test_the_same_rows_in_another_order_are_the_same_data(published: Gate, make: Make, tiny_project: Path) -> None:
    """The content digest is of what is in the file, not of how it lies there; the source's digest is of its bytes."""
    before = published.latest(PATIENTS)
    path = tiny_project / SOURCE
    head, *lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([head, *reversed(lines)]) + "\n", "utf-8")
    after = make(published, PATIENTS).passport
    assert after.content_digest == before.content_digest
    assert after.source_digest != before.source_digest
    path.write_text("\n".join([head, *lines, lines[0].replace("p-01", "p-61")]) + "\n", "utf-8")
    assert make(published, PATIENTS).passport.content_digest != before.content_digest


@pytest.mark.parametrize("content", ["", "patient_id;email;sex;age;smoker;cost;registered\n"], ids=["empty", "header"])
def test_a_source_without_rows_is_refused(published: Gate, tiny_project: Path, content: str) -> None:
    """What is empty by mistake does not take the place of what is there."""
    before = published.latest(PATIENTS)
    (tiny_project / SOURCE).write_text(content, "utf-8")
    with pytest.raises(BadSource):
        carry_out(steps(published.project)[PATIENTS], published)
    assert published.latest(PATIENTS) == before


def test_without_a_subject_column_rows_are_numbered(
    published: Gate, reopen: Callable[[], Gate], rows: Rows, tiny_project: Path
) -> None:
    """`_row` counts the rows of the file from 1."""
    path = tiny_project / "data/contracts/consents.odcs.yaml"
    path.write_text(path.read_text("utf-8").replace("        column: patient_id\n", "", 1), "utf-8")
    gate = reopen()
    consents = AssetName.parse("raw/consents")
    carry_out(steps(gate.project)[consents], gate).raise_faults()
    found = rows(gate, consents, "SELECT _row, patient_id FROM DATA ORDER BY _row")
    assert found == [(number, f"p-{number:02}") for number in range(1, 60)]
