"""Tombstones tell who was erased, however their identifier is written, and count only as the ledger says."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from privacy_assets.contracts.columns import Naming
from privacy_assets.errors import Tampered
from privacy_assets.warehouse.home import Home
from privacy_assets.warehouse.sources.rows import as_text
from privacy_assets.warehouse.tombstones import Known, Tombstones, read, write
from privacy_assets.words import IdentifierDomain

KEY = "ab" * 32
EMAIL, NUMBER = IdentifierDomain(name="email", normalization="email"), IdentifierDomain(name="number")
NOBODY = Tombstones(KEY)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    env = {
        "PRIVACY_ASSETS_HOME": str(tmp_path / "home"),
        "PRIVACY_ASSETS_KEY_FILE": str(tmp_path / "guards" / "key"),
        "PRIVACY_ASSETS_WITNESS": str(tmp_path / "guards"),
    }
    (tmp_path / "guards").mkdir()
    return Home.open(tmp_path / "project", env)


def test_who_was_erased_is_recognized_as_the_domain_writes_it() -> None:
    """In that domain alone, under that key alone, and the lines tell nothing."""
    stones = Tombstones(KEY, NOBODY.of(EMAIL, ["Ada@Example.org"]))
    asked = pl.Series(["ada@example.org", " ADA@EXAMPLE.ORG", "bo@example.org"])
    assert stones.erased(asked, EMAIL).to_list() == asked[:2].to_list()
    assert stones.erased(asked, NUMBER).is_empty()
    assert Tombstones("cd" * 32, stones.lines).erased(asked, EMAIL).is_empty()
    assert "ada" not in str(stones.lines)
    assert not NOBODY.erased(asked, EMAIL).to_list()
    assert not NOBODY


@pytest.mark.parametrize(
    ("kind", "erased", "named", "others"),
    [
        ("VARCHAR", "p-07", ['"p-07";half', '{"id": "p-07", ', "x p-07"], ["p-070;x", ""]),
        ("VARCHAR", "AB 12/34", ['x;"AB 12/34";half'], ["AB 12;/34"]),
        ("INTEGER", "7", ["007;half", "7.0|x", "+7 x"], ["7.6;half", "70;x", "0x7"]),
        ("VARCHAR", "7", ["7;half"], ["007;half"]),
    ],
)
def test_lines_that_are_no_rows_are_looked_through(kind: str, erased: str, named: list[str], others: list[str]) -> None:
    """Whatever parts the values; a number however it is written, and no other number that would be rounded to it."""
    stones = Tombstones(KEY, NOBODY.of(NUMBER, [erased]))
    columns = [(Naming("patient_id", kind, NUMBER), as_text("part", kind))]
    with duckdb.connect() as con:
        con.execute("CREATE TABLE malformed AS SELECT unnest($lines) AS line", {"lines": [*named, *others]})
        con.execute("INSERT INTO malformed VALUES (NULL)")
        (condition,) = stones.lines_naming(con, "malformed", "line", columns)
        assert con.execute(f"SELECT line FROM malformed WHERE {condition} ORDER BY rowid").fetchall() == [
            (line,) for line in named
        ]
        con.execute("DELETE FROM malformed")
        assert stones.lines_naming(con, "malformed", "line", columns) == []


def test_only_as_many_count_as_the_ledger_says(home: Home) -> None:
    """What was written before a crash came does not count until an entry says so."""
    lines = NOBODY.of(NUMBER, ["p-07"])
    write(home, NOBODY, lines)
    assert read(home, Known(), KEY) == NOBODY
    assert read(home, NOBODY.known(lines), KEY).lines == lines
    write(home, Tombstones(KEY, lines), NOBODY.of(NUMBER, ["p-08"]))
    assert read(home, NOBODY.known(lines), KEY).lines == lines


@pytest.mark.parametrize("lost", ["home", "witness", "both"])
def test_lost_tombstones_are_put_back_or_missed(home: Home, lost: str) -> None:
    """One copy is enough; with none nobody can tell who is to be left out."""
    lines = NOBODY.of(NUMBER, ["p-07"])
    write(home, NOBODY, lines)
    places = {"home": home.tombstones, "witness": home.witness_folder / "tombstones"}
    for name, path in places.items():
        if lost in (name, "both"):
            path.write_text("0" * 64)
    if lost == "both":
        with pytest.raises(Tampered):
            read(home, NOBODY.known(lines), KEY)
    else:
        assert read(home, NOBODY.known(lines), KEY).lines == lines
        assert home.tombstones.read_text().split() == list(lines)
