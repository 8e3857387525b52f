"""That a search finds what is there, in every kind of store, and says where it could not look."""

from __future__ import annotations

import sqlite3
import zipfile

import polars as pl
import pytest

from privacy_assets.contracts.meaning import text_of
from privacy_assets.gate import Gate
from privacy_assets.subjects.searching import Sought, search
from privacy_assets.warehouse import declarations


def hits(gate: Gate, *values: str) -> dict[str, int]:
    found = search(gate, values)
    assert all(one.control for one in found)
    return {one.store: one.hits for one in found if one.hits}


def test_what_is_in_versions_is_found_decrypted(published: Gate) -> None:
    """Whole values, whatever their case, in each table that has them."""
    assert {store.split()[0] for store in hits(published, "CLEO7@example.org")} == {"raw/patients"}
    assert {store.split()[0] for store in hits(published, "p-07")} == {
        "raw/consents",
        "raw/patients",
        "minimized/smoking/patients",
    }
    assert hits(published, "nobody@example.org") == {}


def test_what_lies_in_files_of_the_home_is_found(published: Gate) -> None:
    """Plain, in an archive, in a database, and in a database from which it was deleted only."""
    home = published.home.path
    (home / "spill" / "left.txt").write_text("x cleo7@example.org y")
    with zipfile.ZipFile(home / "dagster" / "left.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner", "cleo7@example.org")
    for name, sql in (("rows.db", ""), ("deleted.db", "DELETE FROM t")):
        with sqlite3.connect(home / "dagster" / name) as con:
            con.execute("PRAGMA secure_delete = off")
            con.execute("CREATE TABLE t (a TEXT)")
            con.execute("INSERT INTO t VALUES ('cleo7@example.org')")
            if sql:
                con.commit()
                con.execute(sql)
        con.close()
    found = hits(published, "cleo7@example.org")
    assert {store for store in found if store.startswith("home/")} == {
        "home/spill/left.txt",
        "home/dagster/left.zip",
        "home/dagster/rows.db",
        "home/dagster/deleted.db",
    }


def test_what_stands_in_a_declaration_is_found(published: Gate) -> None:
    """Its sealed text is read; what is listed there as a category is somebody's all the same."""
    kept = declarations.kept(published.home)
    stores = {one.store for one in search(published, ["nobody@example.org"])}
    assert kept and stores >= {f"home/declarations/{digest[:16]}" for digest in kept}
    text = text_of(published.project.contracts["patients"])
    declarations.keep(published.home, published._seal(), text.replace("team:clinic-data", "cleo7@example.org"))
    (store,) = (store for store in hits(published, "cleo7@example.org") if store.startswith("home/"))
    assert store.startswith("home/declarations/")


def test_a_store_that_is_not_read_is_not_clean(published: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finding nothing because nothing was looked at is no proof."""
    monkeypatch.setattr(Sought, "matches", lambda self, texts, **how: pl.Series([False] * len(texts), dtype=pl.Boolean))
    assert not any(one.clean for one in search(published, ["p-07"]))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("p-07", True),
        ("P-07 ", True),
        ("seen p-07 today", False),  # too short to tell anybody in a longer text
        ("wrote to cleo7@example.org.", True),
        ("cleo7 (at) example.org", False),
        ("Cleo7-Example_Org", True),
        ("xcleo7@example.org", False),
        ("cleo7@example.organic", False),
        ("cleo7@example.org, cleo7@example.organic", True),
        ("seen Weiß-07 today", True),
        ('{"seen": "Wei\\u00df-07"}', True),
        ("", False),
    ],
)
def test_values_match_as_wholes(text: str, found: bool) -> None:
    """A longer word that holds one is another value."""
    sought = Sought(frozenset({"p-07", "cleo7@example.org", "Weiß-07"}))
    assert sought.matches(pl.Series([text])).to_list() == [found]


def test_many_texts_with_values_of_different_lengths_are_marked() -> None:
    """In whatever order they are found."""
    sought = Sought({"one word", "another", "cleo7@example.org", "Weiß-07"})
    texts = [f"{number} holds {value}." for number in range(50) for value in ("one word", "another", "nobody")]
    assert sought.matches(pl.Series(texts)).to_list() == [True, True, False] * 50
