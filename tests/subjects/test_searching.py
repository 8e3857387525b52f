"""That a search finds what is there, in every kind of store, and says where it could not look."""

from __future__ import annotations

import io
import sqlite3
import zipfile
from threading import Event
from uuid import UUID

import duckdb
import numpy as np
import polars as pl
import pytest
import scipy.sparse
import skops.io

from privacy_assets.build import steps
from privacy_assets.contracts.meaning import text_of
from privacy_assets.errors import Tampered
from privacy_assets.gate import Gate, Passport
from privacy_assets.stages.step import carry_out
from privacy_assets.subjects import searching
from privacy_assets.subjects.people import find
from privacy_assets.subjects.searching import Searched, Sought, search
from privacy_assets.subjects.tracing import stand_ins
from privacy_assets.warehouse import declarations
from privacy_assets.words import AssetName


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


def test_tokens_are_found_in_columns_of_tokens(published: Gate) -> None:
    """However they are written; a token that nobody has is nowhere."""
    given = stand_ins(published, find(published, ["p-07"]), frozenset())
    assert len(given) == 2, "one token, with strokes and without"
    for token in given:
        assert {store.split()[0] for store in hits(published, token.upper())} == {
            "pseudonymized/smoking/patients",
            "features/smoking",
            "training/smoking",
        }
    assert hits(published, str(UUID(int=7))) == {}


def test_where_something_is_found_is_told_by_columns_that_are_declared(published: Gate) -> None:
    """A header may be somebody's name: what no contract names has no name here; a file has no columns."""
    source = published.project.root / "data/samples/patients.csv"
    head, *rows = source.read_text().splitlines()
    source.write_text("\n".join([f"{head};zoe", *(f"{row};p-07" for row in rows)]) + "\n")
    step = steps(published.project)[AssetName.parse("raw/patients")]
    carry_out(step, published).raise_faults()
    latest = published.latest(step.asset)
    assert latest
    (published.home.path / "spill" / "left.txt").write_text("x cleo7@example.org y")
    found = {one.store: one for one in search(published, ["p-07", "cleo7@example.org"]) if one.hits}
    told = found[f"raw/patients {latest.version[:8]} data"]
    assert set(told.columns) == {"patient_id", "email", "a column that is not declared"}
    assert "zoe" not in str(told.fault()) and "patient_id" in told.fault().found
    assert "under another identifier" in told.fault().next_step
    assert found["home/spill/left.txt"].columns == ()
    assert "who wrote that" in found["home/spill/left.txt"].fault().next_step
    (card,) = (one for one in search(published, ["logistic_regression"]) if one.store.endswith(" card"))
    assert card.columns == ("content",), "that is a column of ours"
    assert "could not be searched" in Searched("home/x", 0, False).fault().what


def test_a_search_that_fails_does_not_wait_for_what_is_being_read(
    published: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One version is broken, and another would take minutes: that one is interrupted, and no other is begun."""
    first, second, *_ = published.held()
    begun, ended = Event(), []

    def version(gate: Gate, passport: Passport, con: duckdb.DuckDBPyConnection, sought: Sought) -> list[Searched]:
        if passport.version == first.version:
            assert begun.wait(60)
            raise Tampered.of("it was changed", where=str(passport.asset))
        begun.set()
        try:
            con.execute("SELECT count(*) FROM range(400000) a, range(400000) b WHERE hash(a.range + b.range) = 1")
        except (duckdb.Error, RuntimeError):
            ended.append(passport.version)
            raise
        return []

    monkeypatch.setattr(searching, "_version", version)
    with pytest.raises(Tampered, match="it was changed"):
        search(published, ["p-07"])
    assert ended == [second.version]


def test_what_is_being_searched_is_told_before(published: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each version: who waits for a long one sees which."""
    told: list[str] = []
    read: list[bool] = []
    monkeypatch.setattr(
        searching, "_version", lambda gate, passport, *given: read.append(str(passport.asset) in told) or []
    )
    search(published, ["p-07"], told.append)
    assert len(read) == len(published.held())
    assert all(read)


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
    (published.home.declarations / kept[0]).write_bytes(b"x" * 64)
    (unread,) = (one for one in search(published, ["nobody@example.org"]) if not one.clean)
    assert unread.store == f"home/declarations/{kept[0][:16]}"


def test_a_store_that_is_not_read_is_not_clean(published: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finding nothing because nothing was looked at is no proof."""
    monkeypatch.setattr(Sought, "matches", lambda self, texts: pl.Series([False] * len(texts), dtype=pl.Boolean))
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


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0113 496 0007", True),
        ("call (0113)4960007, not before 9", True),
        ("+44 (0)113 / 496-0007.", False),  # three letters in between: that may be two numbers
        ("+44 (0)113 496-0007", True),
        ("00441134960007", True),
        ("2026-01-01 0113.496.0007", False),  # nobody knows where the number begins
        ("on 2026-01-01, 0113.496.0007", True),
        ("0113 496 0008 or 0113 496 0007", True),
        ("0113 496 00071", False),
        ("496 0007", False),
        ("113 496", False),
        ("a1134960007", False),
        ("at 2026-06-01 09:00:00", False),
        ("at 202 606 0109", True),
    ],
)
def test_telephone_numbers_match_however_they_are_written(text: str, found: bool) -> None:
    """Within their country or from elsewhere; not a part of one, and of a number of few digits only the whole."""
    sought = Sought({"+441134960007", "+12026060109", "+37212345", "+999"})
    assert sought.matches(pl.Series([text, "x", "12345"])).to_list() == [found, False, False]
    assert Sought({"0113 496 0007"}).matches(pl.Series(["+44 113 496 0007"])).to_list() == [False]


def test_many_texts_with_values_of_different_lengths_are_marked() -> None:
    """In whatever order they are found."""
    sought = Sought({"one word", "another", "cleo7@example.org", "Weiß-07"})
    texts = [f"{number} holds {value}." for number in range(50) for value in ("one word", "another", "nobody")]
    assert sought.matches(pl.Series(texts)).to_list() == [True, True, False] * 50


def test_what_a_model_holds_is_found(published: Gate) -> None:
    """In its arrays of text and of records, in its JSON, short values too; an array of objects is not unpickled."""
    model = {
        "texts": np.array(["x", "cleo7@example.org"]),
        "bytes": np.array([b"dan8@example.org"]),
        "records": np.array([(1, "Weiß-09")], dtype=[("n", "i8"), ("who", "U9")]),
        "objects": np.array(["p-07", None], dtype=object),
        "plain": "p-08",
        "sparse": scipy.sparse.csr_matrix(np.eye(3)),
    }
    pickled = io.BytesIO()
    np.save(pickled, np.array([_Told()], dtype=object), allow_pickle=True)
    home = published.home.path
    (home / "spill" / "model.skops").write_bytes(skops.io.dumps(model))
    (home / "spill" / "left.npy").write_bytes(pickled.getvalue())
    for value in ("cleo7@example.org", "dan8@example.org", "weiß-09", "p-07", "p-08"):
        assert "home/spill/model.skops" in hits(published, value)
    assert "home/spill/left.npy" in hits(published, "gone1@example.org")
    assert hits(published, "nobody@example.org") == {}
    assert not _Told.restored


class _Told:
    """What says so when it is unpickled."""

    restored = False

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return _restored, ("gone1@example.org",)


def _restored(text: str) -> str:
    _Told.restored = True
    return text


def test_a_model_whose_arrays_are_not_read_is_not_clean(published: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control lies in an array, too."""
    monkeypatch.setattr(searching, "_elements", lambda array: iter(()))
    assert {one.store.split()[2] for one in search(published, ["p-99"]) if not one.control} == {"artefact"}
