"""Tables as files in the format that each contract reads, in one folder that is whole or not there.

Belongs here: how a value is written, the folder, the rename at the end. Does not belong here: what the values are.

`<dataset>.csv`, `.parquet` or `.ndjson`: with the delimiter, the encoding, the header and the text for what is missing
that the contract's server names; a dataset of another kind of source (a server's table) is CSV, comma and header.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from privacy_assets.contracts.contract import Contract, Files, Reading
from privacy_assets.durable import disk_errors
from privacy_assets.errors import BadDeclaration

_PLAIN = Files(type="local", path="", format="csv", reading=Reading())


def source_of(contract: Contract) -> Files:
    """In which form the dataset is written."""
    return contract.source if isinstance(contract.source, Files) else _PLAIN


def name_of(contract: Contract) -> str:
    """What the dataset's file is called."""
    return f"{contract.name}.{source_of(contract).format}"


def require_free(folder: Path) -> None:
    """Raise BadDeclaration where the folder cannot be made: it holds something, or is none, or its parent is none."""
    if folder.exists() and not folder.is_dir():
        raise BadDeclaration.of("this is no folder", where=str(folder), next_step="name another with --to")
    if folder.is_dir() and (held := sum(1 for _ in folder.iterdir())):
        raise BadDeclaration.of(
            "the folder is not empty",
            where=str(folder),
            expected="a folder that is empty, or not there yet",
            found=f"{held} entries",
            next_step="remove what is in it, or name another with --to",
        )
    above = next(one for one in folder.parents if one.exists())
    if not above.is_dir():
        raise BadDeclaration.of("this is no folder", where=str(above), next_step="name another with --to")


def write(folder: Path, contracts: Mapping[str, Contract], tables: Mapping[str, pl.DataFrame]) -> tuple[Path, ...]:
    """Write a file for each table: all of them, or nothing. `folder` is empty or not there."""
    with disk_errors(str(folder)):
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.unfinished")
        unfinished.mkdir()
        try:
            for name, frame in tables.items():
                (unfinished / name_of(contracts[name])).write_bytes(_content(contracts[name], frame))
            unfinished.rename(folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return tuple(folder / name_of(contracts[name]) for name in tables)


def _content(contract: Contract, frame: pl.DataFrame) -> bytes:
    source = source_of(contract)
    if source.format == "parquet":
        held = io.BytesIO()
        frame.write_parquet(held)
        return held.getvalue()
    if source.format == "ndjson":
        names = frame.columns
        lines = (json.dumps(dict(zip(names, row, strict=True)), default=str) for row in frame.iter_rows())
        return "".join(f"{line}\n" for line in lines).encode("ascii")
    text = _csv(frame, source)
    try:
        # the mark of the order of bytes is what tells it: the same on every machine
        return (
            codecs.BOM_UTF16_LE + text.encode("utf-16-le")
            if source.encoding == "utf-16"
            else text.encode(source.encoding)
        )
    except UnicodeEncodeError:
        raise BadDeclaration.of(
            f"a declared value of {contract.name} cannot be written in its encoding",
            where=contract.path,
            expected=source.encoding,
            next_step="name another encoding in the contract's server, or mend the `enum`",
        ) from None


def _csv(frame: pl.DataFrame, source: Files) -> str:
    reading, held = source.reading, io.StringIO()
    missing = "" if "" in reading.null_text else next(iter(reading.null_text), "")
    columns = [[missing if cell is None else _text(cell) for cell in column] for column in frame.iter_columns()]
    rows = [frame.columns] if reading.header else []
    if len(source.delimiter) > 1:
        return "".join(source.delimiter.join(row) + "\n" for row in [*rows, *map(list, zip(*columns, strict=True))])
    writer = csv.writer(held, delimiter=source.delimiter, lineterminator="\n")
    writer.writerows(rows)
    writer.writerows(zip(*columns, strict=True))
    return held.getvalue()


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell)
