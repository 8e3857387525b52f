"""What people and their code take out: through the gate, with an entry in the ledger before the data leaves.

Belongs here: the three ways out (a frame, a model, an encrypted copy). Does not belong here: who may (`gate.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, overload

import polars as pl
import pyarrow as pa

from privacy_assets.contracts.loading import Folders
from privacy_assets.durable import disk_errors
from privacy_assets.errors import BadDeclaration, BadEnvironment, Refused
from privacy_assets.gate import Gate
from privacy_assets.techniques.train import _fitting
from privacy_assets.warehouse.connections import engine_errors, governed, quoted
from privacy_assets.warehouse.copies import sealed_copy
from privacy_assets.warehouse.home import Home
from privacy_assets.words import AssetName, Stage


def find_root(start: Path | None = None) -> Path:
    """The project that `start` (default: the current folder) lies in: the nearest folder that has contracts.

    They are in its data/contracts, or where [tool.privacy_assets] in its pyproject.toml says.
    """
    start = Path(start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if Folders.of(folder).contracts.is_dir():
            return folder
    raise BadEnvironment.of(
        "this is not a project of privacy_assets",
        where=str(start),
        expected="a folder with data/contracts, here or above, or one whose pyproject.toml says where contracts lie",
        next_step=(
            "change to the project's folder, or name it (`--root`, in Python `root=`); a new one begins with an empty "
            'data/contracts; where contracts lie elsewhere, write contracts = "…" and purposes = "…" under '
            "[tool.privacy_assets] in its pyproject.toml"
        ),
    )


def gate_of(root: Path | None = None, kept: Mapping[str, bytes] = MappingProxyType({})) -> Gate:
    """The gate of the project that `root` lies in, to ask about its data; `kept` is as `Gate.open` has it.

    Raises BadEnvironment where nothing was ever published: no home is made for a question.
    """
    folder = find_root(root)
    Home.require(folder)
    return Gate.open(folder, kept=kept)


@overload
def read(asset: str, *, purpose: str, format: Literal["polars"] = ..., root: Path | None = ...) -> pl.DataFrame: ...
@overload
def read(asset: str, *, purpose: str, format: Literal["arrow"], root: Path | None = ...) -> pa.Table: ...
def read(
    asset: str, *, purpose: str, format: Literal["polars", "arrow"] = "polars", root: Path | None = None
) -> pl.DataFrame | pa.Table:
    """The published rows of an asset, as a polars frame or an Arrow table, for the purpose that they were made for.

    `read("training/readmission_model", purpose="readmission_model")`. Tokens arrive as text. The access is in the
    ledger before the data leaves; the actor is the user of the operating system, recorded as claimed.

    Raises Refused (not published, not kept any more, another purpose, a stage that people may not read), Stale
    (somebody in it withdrew too long ago), Tampered, or BadEnvironment (a disk that fails), each with what to do next.
    """
    name = AssetName.parse(asset)
    if name.stage is Stage.MODEL:
        raise Refused.of(
            f"{asset} is a model, not a table", next_step=f"load_model({asset!r}, purpose={purpose!r}) returns it"
        )
    if format not in ("polars", "arrow"):
        raise BadDeclaration.of(f"there is no format {format!r}", expected="polars or arrow")
    with (
        disk_errors(f"{asset}, in its home"),
        gate_of(root).open_version(name, purpose=purpose) as (con, passport),
    ):
        columns = ", ".join(quoted(column) for column, _ in passport.columns)
        with engine_errors(f"reading {asset}"):
            table = con.execute(f"SELECT {columns} FROM released.main.data").to_arrow_table()
    return pl.DataFrame(pl.from_arrow(table)) if format == "polars" else table


def load_model(asset: str, *, purpose: str, root: Path | None = None) -> Any:
    """The fitted scikit-learn pipeline of a published model, loaded through skops from an encrypted file.

    Raises what `read` raises.
    """
    name = AssetName.parse(asset)
    if name.stage is not Stage.MODEL:
        raise Refused.of(f"{asset} is no model", expected="model/<purpose>", next_step=f"read({asset!r}, …) returns it")
    with (
        disk_errors(f"{asset}, in its home"),
        gate_of(root).open_version(name, purpose=purpose) as (con, _),
        engine_errors(f"reading {asset}"),
    ):
        (content,) = con.execute("SELECT content FROM released.main.artefact").fetchone() or (b"",)
    return _fitting.load(content)


def export(asset: str, *, purpose: str, to: Path, key_file: Path, root: Path | None = None) -> int:
    """Write an encrypted copy of a published asset, under a key of its own; the number of rows written.

    The copy is a DuckDB database (AES-256-GCM) with the table `data`; the key (64 hex) is written to `key_file`, mode
    0600, which may not lie in the folder of the copy: whoever carries both carries the data.
    Open it with `ATTACH 'copy.duckdb' (ENCRYPTION_KEY '<text of the key file>')`.
    """
    name = AssetName.parse(asset)
    if name.stage is Stage.MODEL:
        raise Refused.of(f"{asset} is a model: there are no rows to export", next_step="load_model returns it")
    gate = gate_of(root)
    with (
        sealed_copy(gate.home, asset, to, key_file) as copy,
        gate.open_version(name, purpose=purpose) as (_, passport),
    ):
        inputs = {"released": gate.attachment(passport)}
        with governed(gate.home.spill, inputs=inputs, candidate=copy) as con, engine_errors(f"exporting {asset}"):
            columns = ", ".join(quoted(column) for column, _ in passport.columns)
            con.execute(f"CREATE TABLE candidate.main.data AS SELECT {columns} FROM released.main.data")
    return passport.rows
