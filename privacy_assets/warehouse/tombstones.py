"""Tombstones: who was erased, so that nobody takes them in again, from their source or from a backup.

    <home>/tombstones      one line for each: the keyed MAC (64 hex) of an identifier domain and an identifier
    <witness>/tombstones   the same, outside of the home, for the day on which an older home is put back

Belongs here: the two files, and recognizing who is named by them. Does not belong here: what an erasure is and which
tombstones count (the ledger says so: `gate.py`), what happens to rows of those who are erased (`sources/rows.py`).

A tombstone has to tell one person from all others for as long as a source may deliver them again: with the project's
secrets somebody can be looked up in it, without them it is a random number. Identifiers are compared as their domain
writes them, without white space around them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl

from privacy_assets import durable
from privacy_assets.contracts.columns import Naming
from privacy_assets.errors import Tampered
from privacy_assets.techniques.pseudonymize import _domains, _keyed
from privacy_assets.warehouse.connections import engine_errors
from privacy_assets.warehouse.home import Home
from privacy_assets.words import IdentifierDomain

_BETWEEN = (re.compile(r"[^\w@.+\-]+"), re.compile(r"[,;|\t\"]+"))
"""What may part the values of a line that could not be read: values may hold spaces, strokes and brackets."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger says of the tombstones: how many count, and the SHA-256 (hex) of their lines."""

    count: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Tombstones:
    """Those that count. `key` (64 hex) is what their MACs are made with."""

    key: str = field(repr=False)
    lines: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lines)

    def of(self, domain: IdentifierDomain, values: Iterable[str]) -> tuple[str, ...]:
        """The tombstones of identifiers of a domain, in order."""
        return tuple(self._macs(pl.Series(list(values), dtype=pl.String), domain).to_list())

    def known(self, lines: Iterable[str] = ()) -> Known:
        """What the ledger is to say of these tombstones, and of `lines` after them."""
        every = (*self.lines, *lines)
        return Known(len(every), _digest(every))

    def erased(self, values: pl.Series, domain: IdentifierDomain) -> pl.Series:
        """Of distinct values (text, not null) of a domain: those that name somebody who was erased."""
        if not self.lines or values.is_empty():
            return values.clear()
        return values.filter(self._macs(values, domain).is_in(list(self.lines)))

    def named(self, con: duckdb.DuckDBPyConnection, table: str, columns: Sequence[tuple[Naming, str]]) -> list[str]:
        """The SQL conditions under which a row of `table` is of somebody who was erased; none where nobody is there.

        `columns` are those that say whose a row is, each with the SQL of its text.
        """
        found = []
        for naming, text in columns:
            with engine_errors("looking for the erased"):
                arrived = con.execute(f"SELECT DISTINCT {text} AS value FROM {table} WHERE {text} IS NOT NULL")
                values = pl.DataFrame(pl.from_arrow(arrived.to_arrow_table()), schema={"value": pl.String})["value"]
                gone = self.erased(values, naming.domain)
                if len(gone):
                    name = f"erased_{hashlib.sha256(f'{table} {text}'.encode()).hexdigest()[:16]}"
                    con.register("gone", gone.alias("value").to_frame().to_arrow())
                    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT value FROM gone")
                    con.unregister("gone")
                    found.append(f"coalesce({text} IN (SELECT value FROM temp.{name}), false)")
        return found

    def lines_naming(
        self, con: duckdb.DuckDBPyConnection, table: str, line: str, columns: Sequence[tuple[Naming, str]]
    ) -> list[str]:
        """The same for lines that are no rows, in the column `line`: of which a part names somebody who was erased.

        `columns` have the SQL of the text of `part`.
        """
        parts = parted(con, table, line)
        gone = self.named(con, parts, columns)
        return [f"coalesce({line} IN (SELECT line FROM {parts} WHERE {' OR '.join(gone)}), false)"] if gone else []

    def _macs(self, values: pl.Series, domain: IdentifierDomain) -> pl.Series:
        if values.is_empty():
            return values
        return _keyed.macs(written(values, domain), self.key, f"tombstone/{domain.name}")


def parted(con: duckdb.DuckDBPyConnection, table: str, line: str) -> str:
    """The temporary table (line, part) of what stands between separators in the lines of a column."""
    name = f"parts_{hashlib.sha256(table.encode()).hexdigest()[:16]}"
    with engine_errors("looking through lines that are no rows"):
        found = con.execute(f"SELECT DISTINCT {line} FROM {table} WHERE {line} IS NOT NULL").fetchall()
        parts = [(text, part) for (text,) in found for part in dict.fromkeys(_parts(text)) if part]
        con.register("given", pl.DataFrame(parts, {"line": pl.String, "part": pl.String}, orient="row").to_arrow())
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM given")
        con.unregister("given")
    return f"temp.{name}"


def _parts(line: str) -> list[str]:
    return [part.strip() for between in _BETWEEN for part in between.split(line)]


def written(values: pl.Series, domain: IdentifierDomain) -> pl.Series:
    """Identifiers (text, not null) as they are compared: as their domain writes them, without white space around."""
    return _domains.normalized(values.str.strip_chars(), domain)


def read(home: Home, known: Known, key: str) -> Tombstones:
    """The tombstones that count. Where the home has lost them, they are put back from beside the witness.

    Raises Tampered where neither place has those that the ledger speaks of.
    """
    for path in _places(home):
        lines = (durable.read(path) or b"").decode(errors="replace").split()[: known.count]
        if _digest(lines) == known.digest or not known.count:
            if path != home.tombstones:
                durable.replace(home.tombstones, _content(lines))
            return Tombstones(key, tuple(lines))
    raise Tampered.of(
        "the tombstones of those who were erased are gone or changed, so nobody may be taken in",
        where=" and ".join(map(str, _places(home))),
        expected=f"{known.count} lines with the SHA-256 that the ledger holds",
        next_step="put either file back from a backup that is as new as the ledger",
    )


def write(home: Home, tombstones: Tombstones, lines: Sequence[str]) -> None:
    """Put tombstones behind those that there are, in both places. They count when the ledger says so."""
    for path in _places(home):
        durable.replace(path, _content((*tombstones.lines, *lines)))


def _places(home: Home) -> tuple[Path, Path]:
    return home.tombstones, home.witness_folder / home.tombstones.name


def _content(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _digest(lines: Sequence[str]) -> str:
    return hashlib.sha256(_content(lines)).hexdigest()
