"""The folder: each format is taken in as it was made, row by row, and the folder is whole or not there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from privacy_assets.contracts.contract import Contract, Files, Postgres, PostgresConnection
from privacy_assets.errors import BadDeclaration, BadEnvironment
from privacy_assets.testdata import files, values
from privacy_assets.warehouse.home import Home
from privacy_assets.warehouse.versions import Versions
from tests.warehouse.conftest import env, home, provider, versions  # noqa: F401
from tests.warehouse.sources.taking import column, contract, taken

ROWS = 300
EVERY = (
    column("sex", domain=("F", "M", "a, b", 'q"q')),
    column("children", "SMALLINT"),
    column("n", "BIGINT"),
    column("cost", "DECIMAL(10,2)"),
    column("weight", "DOUBLE"),
    column("dose", "FLOAT"),
    column("smoker", "BOOLEAN"),
    column("came", "DATE"),
    column("told", "TIMESTAMP"),
    column("at", "TIME"),
    column("town"),
)


def table(gone: bool = True) -> pl.DataFrame:
    chance = np.random.default_rng(1)
    dated = values.days([one for one in EVERY if one.name in ("came", "told")], ROWS, chance, date(2026, 11, 2), 900)
    made = [
        dated[one.name] if one.name in dated else values.values(one, ROWS, chance, (-5.0, 5.0)) for one in EVERY
    ]  # fmt: skip
    frame = pl.DataFrame(made)
    if gone:
        keep = pl.Series(np.arange(ROWS) % 7 > 0)
        frame = frame.with_columns(pl.when(keep).then(pl.col("town", "n", "came", "smoker")))
    return frame


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"delimiter": ";"},
        {"delimiter": "||"},
        {"encoding": "latin-1"},
        {"encoding": "utf-16"},
        {"header": False},
        {"null_text": ("NA", "-")},
        {"trim": True},
        {"format_": "parquet", "path": "in/*.parquet"},
        {"format_": "ndjson", "path": "in/*.ndjson"},
    ],
    ids=lambda said: ",".join(map(str, said.values())) or "csv",
)
def test_every_format_is_read_as_it_was_made(said: dict[str, Any], home: Home, versions: Versions) -> None:  # noqa: F811
    """Of every type, with what is missing: nothing in quarantine, no cell another one."""
    domain = ("F", "M") if said.get("delimiter") == "||" else EVERY[0].domain
    promised = contract(replace(EVERY[0], domain=domain), *EVERY[1:], **said)
    frame = (
        table().with_columns(pl.col("sex").replace({'q"q': "F", "a, b": "M"})) if len(domain or ()) == 2 else table()
    )
    (path,) = files.write(home.root / "in", {"people": promised}, {"people": frame})
    assert path.name == f"people.{said.get('format_', 'csv')}"
    found = taken(promised, home, versions)
    assert found.evidence["quarantined_rows"] == 0
    assert [row[: len(EVERY)] for row in found.data] == frame.rows()


def test_a_table_of_a_server_is_csv() -> None:
    """Whoever fills a table with it has tools for that."""
    server = Postgres("db", 5432, "clinic", "public", "people", PostgresConnection(user="reader"))
    promised = contract(column("a"), source=server)
    assert files.name_of(promised) == "people.csv"
    assert files.source_of(promised).delimiter == ","


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    """In every format."""
    for format_ in ("csv", "parquet", "ndjson"):
        promised = contract(*EVERY, format_=format_)
        one, other = (
            files.write(tmp_path / f"{format_}{n}", {"p": promised}, {"p": table()})[0].read_bytes() for n in "12"
        )
        assert one == other


def test_a_folder_that_is_not_free_is_refused(tmp_path: Path) -> None:
    """One that holds something, and what is none; an empty one is taken."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    files.require_free(tmp_path / "empty")
    files.require_free(tmp_path / "not" / "there")
    for name, said in (("full", "not empty"), ("full/file", "no folder"), ("full/file/below", "no folder")):
        with pytest.raises(BadDeclaration, match=said):
            files.require_free(tmp_path / name)


def test_nothing_is_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that fails, or a disk, leaves neither folder nor what was begun."""
    promised: Contract = contract(*EVERY)
    written = files._content

    def fails(one: Contract, frame: pl.DataFrame) -> bytes:
        if frame.height == 1:
            raise OSError(28, "full")
        return written(one, frame)

    monkeypatch.setattr(files, "_content", fails)
    tables = {"first": table(), "second": table().head(1)}
    with pytest.raises(BadEnvironment, match="cannot be read or written"):
        files.write(tmp_path / "to", dict.fromkeys(tables, promised), tables)
    assert list(tmp_path.iterdir()) == []


def test_a_category_that_the_encoding_does_not_know_is_said(tmp_path: Path) -> None:
    """Nothing of it is written."""
    promised = contract(column("sex", domain=("♀",)), encoding="latin-1")
    with pytest.raises(BadDeclaration, match="encoding"):
        files.write(tmp_path / "to", {"people": promised}, {"people": pl.DataFrame({"sex": ["♀"]})})
    assert list(tmp_path.iterdir()) == []
    assert isinstance(promised.source, Files)
