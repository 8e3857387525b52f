"""What a person is given of what is held of them: all of theirs, nobody else's, sealed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from privacy_assets.build import steps
from privacy_assets.errors import BadDeclaration
from privacy_assets.gate import Gate, Input
from privacy_assets.stages.step import carry_out
from privacy_assets.subjects.handing_out import hand_out
from privacy_assets.subjects.people import find, presence
from privacy_assets.words import AssetName

from .conftest import deliver_by_day, rewrite_source


def opened(to: Path, key_file: Path) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(f"ATTACH '{to}' AS theirs (READ_ONLY, ENCRYPTION_KEY '{key_file.read_text()}')")
    return con


def test_a_person_gets_their_rows_and_who_uses_them(published: Gate, made: dict, tmp_path: Path) -> None:
    """With columns as the contract names them; the ledger says that it was handed out, and not of whom."""
    (tmp_path / "a").mkdir()
    to, key_file = tmp_path / "a" / "theirs.duckdb", tmp_path / "their.key"
    (person,) = find(published, ["p-07"])
    counts, position = hand_out(published, made, person, to, key_file)
    assert counts == {"consents": 1, "patients": 1, "_uses": 7}
    with opened(to, key_file) as con:
        assert con.execute("SELECT patient_id, email, age FROM theirs.patients").fetchall() == [
            ("p-07", "cleo7@example.org", 27)
        ]
        uses = con.execute("SELECT asset, rows, purpose, recipients FROM theirs._uses ORDER BY ALL").fetchall()
    assert ("features/smoking", 1, "Who smokes", "the clinic's own doctors") in uses
    assert ("model/smoking", None, "Who smokes", "the clinic's own doctors") in uses
    assert b"cleo7" not in to.read_bytes()
    entry = published.ledger.entries(position)[0].body
    assert entry["action"] == "hand_out"
    assert "p-07" not in str(entry)


@pytest.mark.parametrize("place", ["beside", "home", "nowhere", "there"])
def test_a_copy_that_would_not_be_safe_is_refused(published: Gate, made: dict, tmp_path: Path, place: str) -> None:
    """Before anything is written, in the ledger too."""
    (tmp_path / "a").mkdir()
    to, key_file = {
        "beside": (tmp_path / "x.duckdb", tmp_path / "x.key"),
        "home": (published.home.path / "x.duckdb", tmp_path / "x.key"),
        "nowhere": (tmp_path / "b" / "x.duckdb", tmp_path / "x.key"),
        "there": (tmp_path / "a" / "x.duckdb", tmp_path / "x.key"),
    }[place]
    if place == "there":
        to.write_text("somebody's")
    size = published.ledger.size
    with pytest.raises(BadDeclaration):
        hand_out(published, made, find(published, ["p-07"])[0], to, key_file)
    assert published.ledger.size == size
    assert not key_file.exists()


def test_days_with_other_columns_are_handed_out_together(
    tiny_project: Path, reopen: Callable[[], Gate], tmp_path: Path
) -> None:
    """Raw keeps what a delivery has beyond its contract: on one day there is more than on another."""
    deliver_by_day(tiny_project)
    lines = (tiny_project / "data/samples/patients.csv").read_text().splitlines()
    more = [f"{lines[0]};more", *(f"{line};1" for line in lines[1:])]
    gate = reopen()
    for day, delivered in (("2026-11-01", lines), ("2026-11-02", more), ("2026-11-03", lines)):
        (tiny_project / "data/samples" / day).mkdir()
        (tiny_project / "data/samples" / day / "patients.csv").write_text("\n".join(delivered) + "\n")
        carry_out(steps(gate.project)[AssetName.parse("raw/patients")].of(day), gate).raise_faults()
    (tmp_path / "a").mkdir()
    to, key_file = tmp_path / "a" / "theirs.duckdb", tmp_path / "their.key"
    (person,) = find(gate, ["p-07"])
    counts, _ = hand_out(gate, steps(gate.project), person, to, key_file)
    assert counts["patients"] == 3
    with opened(to, key_file) as con:
        assert con.execute("SELECT more FROM theirs.patients ORDER BY ALL").fetchall() == [("1",), (None,), (None,)]


def test_datasets_of_any_name_are_handed_out(published: Gate, reopen: Callable[[], Gate], tmp_path: Path) -> None:
    """Also those that are called like what stands beside them in the copy."""
    root = published.project.root
    contract = (root / "data/contracts/consents.odcs.yaml").read_text()
    records = "      consent_records:\n" + "".join(
        f"        {line}\n"
        for line in ("subject: patient_id", "purpose: purpose", "decision: decision", "decided_at: decided_at")
    )
    assert records in contract
    for name in ("uses", "patients_quarantine"):
        text = contract.replace(records, "").replace("tiny-consents", f"tiny-{name}")
        text = text.replace("- name: consents\n", f"- name: {name}\n")
        (root / f"data/contracts/{name}.odcs.yaml").write_text(text)
    rewrite_source(root, "patients", adding="p-07;a@example.org;Q;30;true;1.00;2026-01-01")
    gate = reopen()
    made = steps(gate.project)
    for name in ("uses", "patients_quarantine", "patients"):
        carry_out(made[AssetName.parse(f"raw/{name}")], gate).raise_faults()
    (tmp_path / "a").mkdir()
    to, key_file = tmp_path / "a" / "theirs.duckdb", tmp_path / "their.key"
    counts, _ = hand_out(gate, made, find(gate, ["p-07"])[0], to, key_file)
    assert {name: count for name, count in counts.items() if name != "_uses"} == {
        "consents": 1, "patients": 1, "patients_quarantine": 1, "_patients_quarantine": 1, "uses": 1,
    }  # fmt: skip
    with opened(to, key_file) as con:
        for name, count in counts.items():
            assert con.execute(f"SELECT count(*) FROM theirs.{name}").fetchone() == (count,)


def test_a_line_that_is_no_row_is_not_handed_out(published: Gate, made: dict, tmp_path: Path) -> None:
    """It may be somebody else's; an erasure takes it all the same."""
    raw = AssetName.parse("raw/patients")
    rewrite_source(published.project.root, "patients", adding='p-08;"p-07";half a line')
    carry_out(made[raw], published).raise_faults()
    (tmp_path / "a").mkdir()
    (person,) = find(published, ["p-07"])
    counts, _ = hand_out(published, made, person, tmp_path / "a" / "theirs.duckdb", tmp_path / "their.key")
    assert "_patients_quarantine" not in counts
    assert presence(published, [person]).rooted[Input(raw, published.history(raw)[-1].version)] == 2
