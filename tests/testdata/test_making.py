"""Test data in order: what may be read, what is on record, and that nobody's rows are what it is made from."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from privacy_assets.build import steps
from privacy_assets.errors import BadDeclaration, Refused, Tampered
from privacy_assets.gate import Gate
from privacy_assets.stages.step import carry_out
from privacy_assets.testdata import making as module
from privacy_assets.testdata.making import make, require_noise
from privacy_assets.words import AssetName, Stage
from tests.stages.test_s6_synthetic import making  # noqa: F401
from tests.testdata.conftest import SYNTHETIC, Edit, make_noisy

DAY = date(2026, 11, 2)
PATIENTS = "data/contracts/patients.odcs.yaml"


def accesses(gate: Gate) -> list[tuple[str, str]]:
    entries = gate.ledger.entries()
    return [(one.body["asset"], one.body["version"]) for one in entries if one.body["action"] == "access"]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_columns_are_drawn_from_rows_under_noise_and_the_read_is_on_record(noisy: Gate, tmp_path: Path) -> None:
    """Row by row, of the version that stands; what the features do not hand on is made by the contract."""
    made = make(noisy, "smoking", rows=400, day=DAY, to=tmp_path / "to")
    passport = noisy.latest(SYNTHETIC)
    assert passport is not None and made.read == (passport,)
    assert accesses(noisy) == [("synthetic/smoking", passport.version)]
    sources = {one.column: one.source for one in made.data.made_from if one.dataset == "patients"}
    drawn = {name for name, source in sources.items() if passport.version in source}
    assert drawn == {"sex", "age", "cost", "smoker"}
    assert "under ε = " in sources["sex"] and sources["email"] == "contract: keys of nobody"
    with noisy.open_version(SYNTHETIC, purpose="smoking") as (con, _):
        released = set(con.execute("SELECT sex, age, cost, smoker FROM released.main.data").fetchall())
    rows = made.data.tables["patients"].select("sex", "age", "cost", "smoker").drop_nulls().rows()
    assert len(rows) > 300 and set(rows) <= released


def test_the_same_seed_day_and_version_give_the_same_bytes(noisy: Gate, tmp_path: Path) -> None:
    """Another seed, another day or another version do not."""
    asked: dict[str, dict[str, Any]] = {"one": {}, "same": {}, "seed": {"seed": 1}, "day": {"day": date(2026, 11, 3)}}
    for name, said in asked.items():
        make(noisy, "smoking", rows=100, **{"day": DAY, "to": tmp_path / name, **said})
    made = {name: content(tmp_path / name) for name in asked}
    assert set(made["one"]) == {"patients.csv", "consents.csv"}
    assert made["one"] == made["same"] and made["one"] not in (made["seed"], made["day"])
    carry_out(steps(noisy.project)[SYNTHETIC], noisy).raise_faults()
    make(noisy, "smoking", rows=100, day=DAY, to=tmp_path / "version")
    assert content(tmp_path / "version") != made["one"]


def test_rows_of_people_are_not_opened(noisy: Gate, tmp_path: Path) -> None:
    """It needs neither raw rows, nor what is made of them: their files may be gone."""
    for asset in ("raw/patients", "pseudonymized/smoking/patients", "features/smoking"):
        passport = noisy.latest(AssetName.parse(asset))
        assert passport is not None
        noisy.versions.path(asset, passport.copy).unlink()
    assert make(noisy, "smoking", rows=10, to=tmp_path / "to").read


def test_without_noise_nothing_is_read(treed: Gate, tmp_path: Path, reopen: Any) -> None:
    """Rows by trees contribute nothing, and still do not when the purpose names another synthesizer afterwards."""
    made = make(treed, "smoking", rows=50, to=tmp_path / "trees")
    assert made.read == () and "without differential privacy" in made.notes[0]
    make_noisy(treed.project.root)
    later = reopen()
    made = make(later, "smoking", rows=50, to=tmp_path / "later")
    assert made.read == () and "was not drawn under differential privacy" in made.notes[0]
    assert not any("synthetic" in one.source for one in made.data.made_from)
    assert accesses(later) == []


def test_where_rows_of_people_were_read_nothing_is_written(noisy: Gate, tmp_path: Path, monkeypatch: Any) -> None:
    """The check is on what was read, whoever read it, and comes before the folder."""
    features = noisy.latest(AssetName(Stage.FEATURES, "smoking"))
    assert features is not None
    with pytest.raises(Refused, match="from people's rows") as raised:
        require_noise(noisy, (features,))
    assert "features/smoking ◄ pseudonymized/smoking/patients ◄ minimized" in raised.value.faults[0].where
    monkeypatch.setattr(module, "_noisy", lambda gate, purpose: (None, (features,), ()))
    with pytest.raises(Refused, match="from people's rows"):
        make(noisy, "smoking", rows=10, to=tmp_path / "to")
    assert not (tmp_path / "to").exists() and not list(tmp_path.glob(".to*"))


def test_what_is_refused_is_said(noisy: Gate, tmp_path: Path) -> None:
    """Columns are made by the contract then; a version whose file was changed stops it."""
    passport = noisy.latest(SYNTHETIC)
    assert passport is not None
    path = noisy.versions.path(str(SYNTHETIC), passport.copy)
    held = path.read_bytes()
    path.write_bytes(held + b"0")
    with pytest.raises(Tampered):
        make(noisy, "smoking", rows=5, to=tmp_path / "forged")
    assert not (tmp_path / "forged").exists()
    path.write_bytes(held)
    noisy.withdraw(passport, [], seed=1)
    made = make(noisy, "smoking", rows=5, to=tmp_path / "withdrawn")
    assert made.read == () and "cannot be read now (it was withdrawn" in made.notes[0]


def test_a_purpose_that_publishes_nothing(gate: Gate, edit: Edit, reopen: Any, tmp_path: Path) -> None:
    """There is nothing to read, and that is said, with what a run on so few would be stopped by."""
    edit("data/purposes/smoking.yaml", "at_least_subjects: 5", "at_least_subjects: 50")
    made = make(reopen(), "smoking", rows=40, to=tmp_path / "to")
    assert "publishes no synthetic rows" in made.notes[0] and "asks for 50 people" in made.notes[1]


def test_a_purpose_that_has_not_published_yet(making: Gate, reopen: Any, tmp_path: Path) -> None:  # noqa: F811
    """It would publish under noise, and nothing is there."""
    make_noisy(making.project.root)
    made = make(reopen(), "smoking", rows=40, to=tmp_path / "to")
    assert "was never published" in made.notes[0]


def test_tokens_of_few_values_are_told_of(visited: Gate, tmp_path: Path) -> None:
    """A run would stop where fewer than 10,000 addresses get stand-ins."""
    notes = make(visited, "reaching", rows=40, to=tmp_path / "to").notes
    assert any("asks for 10,000 different email" in note for note in notes)


@pytest.mark.parametrize(
    ("purpose", "rows", "to", "said"),
    [
        ("smokin", 10, "to", "one of smoking"),
        ("smoking", 0, "to", "from 1 to 1,000,000"),
        ("smoking", -3, "to", "found: -3"),
        ("smoking", 1_000_001, "to", "from 1 to 1,000,000"),
        ("smoking", 10, "project", "not empty"),
        ("smoking", 10, "home/here", "outside the home"),
    ],
)
def test_bad_input_is_said_in_words(gate: Gate, tmp_path: Path, purpose: str, rows: int, to: str, said: str) -> None:
    """What, where, expected, found and what to do; and nothing is written."""
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BadDeclaration) as raised:
        make(gate, purpose, rows=rows, to=tmp_path / to)
    assert said in str(raised.value) and raised.value.faults[0].next_step
    assert sorted(tmp_path.rglob("*")) == before


def test_a_day_before_all_days_is_refused(gate: Gate, tmp_path: Path) -> None:
    """There is no room for lives before it."""
    with pytest.raises(BadDeclaration, match="nothing can lie before"):
        make(gate, "smoking", rows=5, day=date(3, 1, 1), to=tmp_path / "to")
    assert make(gate, "smoking", rows=5, day=module.FIRST_DAY, to=tmp_path / "to").paths


def test_a_column_that_cannot_be_made_stops_before_anything_is_read(noisy: Gate, reopen: Any, tmp_path: Path) -> None:
    """No access is on record for what came to nothing."""
    edited = noisy.project.root / PATIENTS
    edited.write_text(edited.read_text().replace("- name: smoker\n", "- name: smoker\n        unique: true\n"))
    with pytest.raises(BadDeclaration, match="smoker of patients cannot be made"):
        make(replaced := reopen(), "smoking", rows=40, to=tmp_path / "to")
    assert accesses(replaced) == [] and not (tmp_path / "to").exists()


def test_where_a_contract_looks_for_its_file(gate: Gate) -> None:
    """With the day in it, where files come by day."""
    contract = gate.project.contracts["patients"]
    assert module.place_of(contract, DAY) == "data/samples/patients.csv"
    by_day = replace(contract, source=replace(contract.source, path="in/{day}/patients.csv"))  # type: ignore[type-var]
    assert module.place_of(by_day, DAY) == "in/2026-11-02/patients.csv"


def test_what_is_made_is_taken_in(gate: Gate, tiny_project: Path, tmp_path: Path) -> None:
    """By the contracts, without one row in quarantine, up to the features: every person arrives."""
    made = make(gate, "smoking", rows=300, to=tmp_path / "to")
    for path in made.paths:
        path.replace(tiny_project / "data/samples" / path.name)
    for step in steps(gate.project).values():
        if step.asset.stage in (Stage.RAW, Stage.MINIMIZED, Stage.PSEUDONYMIZED, Stage.FEATURES):
            carry_out(step, gate).raise_faults()
    features = gate.latest(AssetName(Stage.FEATURES, "smoking"))
    assert features is not None and features.rows == 300
    raw = gate.latest(AssetName(Stage.RAW, dataset="patients"))
    assert raw is not None and raw.rows == 300 and not raw.counts
    assert isinstance(made.data.tables["patients"], pl.DataFrame)
