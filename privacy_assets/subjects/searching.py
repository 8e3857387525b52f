"""That nothing of a person is left: every store of the home is read as it can be read, and searched for their values.

    versions      every table of every version that is kept, decrypted: data, quarantine, vaults, class tables,
                  evidence, models (the members of the archive that a model is: its JSON, its arrays of text)
    declarations  every text that is kept of a contract or purpose, decrypted
    databases     every table of Dagster's SQLite files, and their bytes
    files         every other file of the home and of the witness, byte by byte

The list is made of what lies there, not of what should. In each store a control is planted on the way that its
content is read, and must be found: a search that finds nothing because it read nothing is not taken for proof.

Belongs here: that search. Does not belong here: which values (`people.presence`, `tracing.stand_ins`).

Not seen: what lies outside of the home and the witness (sources, exports, backups, memory of other machines), values
written in another way than raw holds them (but for telephone numbers in text), numbers within a model, and short
values (under SHORTEST letters) within longer texts, or in columns of numbers: raw itself is asked for those by its own
columns.
"""

from __future__ import annotations

import io
import json
import secrets
import sqlite3
import time
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any
from uuid import uuid4

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl

from privacy_assets.durable import disk_errors
from privacy_assets.errors import Fault, Tampered
from privacy_assets.gate import Gate, Passport
from privacy_assets.subjects.people import opened
from privacy_assets.warehouse import declarations
from privacy_assets.warehouse.connections import engine_errors, quoted
from privacy_assets.words import Stage

SHORTEST = 6
"""Of fewer letters a value is looked for as a whole, and in text: never within one, never among numbers."""

_WORD = r"[\p{L}\p{N}]+"
_HEX = "^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$"
_TEXTS = ("VARCHAR", "VARCHAR[]")

_E164 = "^\\+[1-9][0-9]{6,14}$"
_DIALLED = r"\b\d(?:[ ().\-/]{0,2}\d){6,}\b"
"""What may be a telephone number within a text: digits with at most two letters of these in between."""

_DATED = r"^(?:19|20)\d\d-\d\d-\d\d"
"""What is none, but the beginning of a moment: 2026-06-01 09:00 is not 202 606 0109."""

_AT_ONCE = 2
"""How many versions are searched at a time: each holds the distinct values of one of its columns in memory."""

_EQUAL = {"UUID": "UUID"} | dict.fromkeys(
    ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"), "HUGEINT"
)
"""The columns of which the engine itself can tell what stands in them, and the type as which it compares."""

_SQLITE, _ARRAY = b"SQLite format 3\0", b"\x93NUMPY"


@dataclass(frozen=True, slots=True)
class Searched:
    """One store: what it is called, in how many places of it something was found, whether its control was found.

    `columns` are those of a table in which something was found: by name where they are declared.
    """

    store: str
    hits: int
    control: bool
    columns: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Nothing was found, and it would have been."""
        return self.control and not self.hits

    def fault(self) -> Fault:
        """What is wrong with a store that is not clean, for a person who has to look."""
        if not self.hits:
            return Fault(
                "it could not be searched for those who were erased: the planted control was not found",
                where=self.store,
                next_step="`privacy-assets verify` says whether its file is sound; then ask for the erasure again",
            )
        return Fault(
            "something that identified those who were erased stands there",
            where=self.store,
            found=f"{self.hits} places" + (f" in {', '.join(self.columns)}" if self.columns else ""),
            next_step="their own rows are gone, and these are of others: look whether they are the same people under "
            "another identifier (erase that, too), speak of them, or only share a word"
            if self.columns
            else "look whether it is only a word that they share, or who wrote that: no program of ours puts anything "
            "of a person there",
        )


class _Among:
    """Texts to look others up in. Polars makes a set of them each time: where few are asked for, there is one."""

    def __init__(self, values: pl.Series) -> None:
        self._list, self._set = values.implode(), frozenset(values)

    def __bool__(self) -> bool:
        return bool(self._set)

    def has(self, texts: pl.Series) -> pl.Series:
        """Whether each text is one of them."""
        if len(texts) < len(self._set):
            return pl.Series([text in self._set for text in texts], dtype=pl.Boolean)
        return texts.is_in(self._list)


class Sought:
    """What is looked for: values as they stand, whatever their case, and a control (a random word that nobody has).

    A long value is found within a text as well, as the same words in the same order, whatever stands between them. A
    telephone number that is given in E.164 is found in whatever way it is written there, with its country or without.
    Columns of tokens and of whole numbers are asked for `equal` values, by type: a control that nobody has, and those
    that are written so.
    """

    def __init__(self, values: Iterable[str]) -> None:
        self.control = f"control{secrets.token_hex(12)}"
        values = frozenset(values)
        escaped = (json.dumps(value)[1:-1] for value in values)  # ü is \u00fc in Dagster's events
        texts = pl.Series([self.control, *values, *escaped]).str.to_lowercase().str.strip_chars().unique()
        every = texts.filter(texts != "")
        self._whole = _Among(every)
        phrases = _phrases(every.filter(every.str.len_chars() >= SHORTEST))
        self._telling = _Among(phrases["telling"])
        self._phrases = {
            (int(length), int(before)): _Among(of["phrase"])
            for (length, before), of in phrases.group_by("length", "before")
        }
        self._numbers = _Among(_numbers(every.filter(every.str.contains(_E164))))
        alone = phrases.filter(pl.col("length") == 1)["phrase"]
        self._alone = _Among(alone)
        numbers = alone.filter(alone.str.contains("^[1-9][0-9]{0,37}$"))
        self.equal = {
            "UUID": pl.Series([str(uuid4()), *every.filter(every.str.contains(_HEX))]),
            "HUGEINT": pl.Series([str(10**37 + secrets.randbelow(10**37)), *numbers]),
        }

    def matches(self, texts: pl.Series) -> pl.Series:
        """Whether each text (not null) is one of the values, or holds a long one."""
        lower = texts.str.to_lowercase().str.strip_chars()
        found = self._whole.has(lower)
        if not len(lower):
            return found
        # one word is no longer text in which something could be found: most columns have nothing else
        several = (~lower.str.contains(f"^{_WORD}$")).arg_true()
        found |= self._alone.has(lower)
        words = pl.DataFrame({"text": several, "word": lower.gather(several).str.extract_all(_WORD)})
        words = words.explode("word", empty_as_null=False)
        places = self._telling.has(words["word"]).arg_true().cast(pl.Int64)
        holding = [pl.Series([], dtype=several.dtype)]
        for (length, before), phrases in self._phrases.items():
            first = (places - before).filter((places >= before) & (places - before + length <= len(words)))
            parts = [words["word"].gather(first + place) for place in range(length)]
            phrase = pl.select(pl.concat_str(parts, separator=" ")).to_series()
            text, last = words["text"].gather(first), words["text"].gather(first + length - 1)
            holding.append(text.filter((text == last) & phrases.has(phrase)))
        if self._numbers:
            holding.append(self._dialled(lower).cast(several.dtype))
        places = pl.concat(holding).unique().sort()
        return found.scatter(places, True) if len(places) else found

    def _dialled(self, texts: pl.Series) -> pl.Series:
        """The places of the texts in which a telephone number is."""
        places = texts.str.contains(_DIALLED).arg_true()
        runs = texts.gather(places).str.replace_all("(0)", "", literal=True).str.extract_all(_DIALLED)
        each = pl.DataFrame({"text": places, "run": runs}).explode("run").drop_nulls()
        each = each.filter(~each["run"].str.contains(_DATED))
        digits = each["run"].str.replace_all(r"\D", "").str.strip_chars_start("0")
        return each["text"].filter(self._numbers.has(digits))

    def counted(self, texts: Iterable[str]) -> tuple[int, bool]:
        """In how many texts something is found, and whether the control is in one of them."""
        series = pl.Series(list(texts), dtype=pl.String) if not isinstance(texts, pl.Series) else texts
        found = series.filter(self.matches(series)) if len(series) else series
        controls = found.str.contains(self.control, literal=True)
        return int((~controls).sum()), bool(controls.any())


def _numbers(values: pl.Series) -> pl.Series:
    """How telephone numbers in E.164 are dialled, within their country and from elsewhere, without zeros before."""
    if values.is_empty():
        return values
    import phonenumbers  # only who has numbers to look for should pay for its tables

    found = []
    for value in values:
        with suppress(phonenumbers.NumberParseException):
            number = str(phonenumbers.parse(value).national_number)
            found += [value[1:], number] if len(number) > SHORTEST else [value[1:]]
    return pl.Series(found, dtype=pl.String)


def _phrases(values: pl.Series) -> pl.DataFrame:
    """Each value as its words (`phrase`, of `length` words), with the one of them that the fewest values have.

    That word is `telling`, and stands `before` so many: where it does not stand, the phrase need not be looked for.
    """
    words = values.str.extract_all(_WORD)
    each = pl.DataFrame({"length": words.list.len(), "phrase": words.list.join(" "), "telling": words}).unique("phrase")
    each = each.filter(pl.col("length") > 0).explode("telling")
    return (
        each.with_columns(before=pl.int_range(pl.len()).over("phrase"), times=pl.len().over("telling"))
        .sort("times", pl.col("telling").str.len_chars(), descending=[False, True])
        .unique("phrase", keep="first", maintain_order=True)
    )


def search(gate: Gate, values: Iterable[str], progress: Callable[[str], None] = lambda store: None) -> list[Searched]:
    """Search every store. Raises what `Gate.require_sound` raises, and BadEnvironment where a file cannot be read."""
    sought = Sought(values)
    found: list[Searched] = []
    found += _versions(gate, sought, progress)
    found += [_declaration(gate, digest, sought) for digest in declarations.kept(gate.home)]
    for name, root in (("home", gate.home.path), ("witness", gate.home.witness_folder)):
        for path in sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink()):
            if path.is_relative_to(gate.home.versions) or path.is_relative_to(gate.home.declarations):
                continue  # encrypted, and read above; what no publication names is swept
            progress(f"{name}/{path.relative_to(root)}")
            with disk_errors(str(path)):
                found.append(_file(f"{name}/{path.relative_to(root)}", path, sought))
    return found


def _versions(gate: Gate, sought: Sought, progress: Callable[[str], None]) -> list[Searched]:
    """Every version that is kept, some at a time. Whoever interrupts it does not wait for what is being read."""
    reading: set[duckdb.DuckDBPyConnection] = set()
    stopped = Event()

    def searched(passport: Passport) -> list[Searched]:
        progress(str(passport.asset))
        with opened(gate, passport) as con, engine_errors(f"searching {passport.asset}"):
            reading.add(con)
            try:
                return [] if stopped.is_set() else list(_version(gate, passport, con, sought))
            finally:
                reading.discard(con)

    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        return [store for stores in pool.map(searched, gate.held()) for store in stores]
    except BaseException:
        stopped.set()
        pool.shutdown(wait=False, cancel_futures=True)
        while reading:  # again and again: between two statements nothing is interrupted
            for con in tuple(reading):
                with suppress(duckdb.Error):  # it has just ended by itself
                    con.interrupt()
            time.sleep(0.01)
        raise
    finally:
        pool.shutdown()


def _version(gate: Gate, passport: Passport, con: duckdb.DuckDBPyConnection, sought: Sought) -> Iterator[Searched]:
    tables = con.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'held' ORDER BY ALL"
    ).fetchall()
    declared = None
    if passport.asset.stage is Stage.RAW:  # which keeps what is delivered besides, by whatever name
        contract = gate.project.contracts.get(passport.asset.dataset)
        declared = {column.name for column in contract.columns} if contract else set()
    for schema, table in tables:
        store = f"{passport.asset} {passport.version[:8]} {table}"
        yield _table(con, store, f"{schema}.{quoted(table)}", sought, declared)


def _table(
    con: duckdb.DuckDBPyConnection, store: str, table: str, sought: Sought, declared: Collection[str] | None
) -> Searched:
    """A table, with the columns in which something was found: by name where they are `declared` (None: all are)."""
    hits, seen, columns = 0, True, []
    for name, kind, *_ in con.execute(f"DESCRIBE held.{table}").fetchall():
        if kind == "BLOB":
            contents = con.execute(f"SELECT {quoted(name)} FROM held.{table}").fetchall()
            found, _ = sought.counted(text for (content,) in contents if content for text in _decoded(content))
            control = all(sought.counted(_decoded(planted))[1] for planted in _planted(sought.control))
        elif kind in _EQUAL:
            found, control = _equal(con, f"held.{table}", name, kind, sought)
        else:
            each = con.execute(
                f"""SELECT CAST(value AS VARCHAR) AS value
                    FROM (SELECT DISTINCT {quoted(name)} AS value FROM held.{table}) UNION ALL SELECT $control""",
                {"control": sought.control},
            ).to_arrow_table()
            texts = pl.DataFrame(pl.from_arrow(each), schema={"value": pl.String})["value"].drop_nulls()
            if kind not in _TEXTS:  # the age 17 is not the patient 17
                texts = texts.filter(texts.str.len_chars() >= SHORTEST)
            found, control = sought.counted(texts)
        hits, seen = hits + found, seen and control
        if found:
            known = declared is None or name in declared or name.startswith("_")
            columns.append(name if known else "a column that is not declared")
    return Searched(store, hits, seen, tuple(dict.fromkeys(columns)))


def _equal(con: duckdb.DuckDBPyConnection, table: str, column: str, kind: str, sought: Sought) -> tuple[int, bool]:
    """How many of the values are in a column of tokens or of whole numbers, and whether the control was found."""
    type_, values = _EQUAL[kind], sought.equal[_EQUAL[kind]]
    value, long = "value", "true"
    if type_ == "HUGEINT":  # -123456 holds 123456; the age 17 is not the patient 17
        value, long = "abs(value)", f"length(CAST(value AS VARCHAR)) >= {SHORTEST}"
    con.register("sought", values.to_frame("value").to_arrow())
    found = con.execute(
        f"""SELECT DISTINCT CAST({value} AS VARCHAR) FROM (
                SELECT CAST({quoted(column)} AS {type_}) AS value FROM {table}
                UNION ALL SELECT CAST($control AS {type_})
            ) WHERE {value} IN (SELECT TRY_CAST(value AS {type_}) FROM sought) AND {long}""",
        {"control": values[0]},
    ).fetchall()
    con.unregister("sought")
    control = (values[0],) in found
    return len(found) - control, control


def _declaration(gate: Gate, digest: str, sought: Sought) -> Searched:
    store = f"home/{gate.home.declarations.name}/{digest[:16]}"
    try:
        text = gate.declaration(digest) or ""
    except Tampered:
        return Searched(store, 0, False)  # `verify` says what is wrong with it; here it could not be read
    return _text(store, text.encode(), sought)


def _file(store: str, path: Path, sought: Sought) -> Searched:
    content = path.read_bytes()
    if content.startswith(_SQLITE):
        return _database(store, path, content, sought)
    return _text(store, content, sought)


def _text(store: str, content: bytes, sought: Sought) -> Searched:
    found, control = sought.counted([*_decoded(content), sought.control])
    return Searched(store, found, control)


def _database(store: str, path: Path, content: bytes, sought: Sought) -> Searched:
    """Its bytes, in which deleted rows may still lie, and its rows, which may lie in several pieces."""
    hits, seen = sought.counted([*_decoded(content), sought.control])
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as con:
        con.text_factory = lambda content: content.decode(errors="replace")
        tables = [name for (name,) in con.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = [row[1] for row in con.execute(f"PRAGMA table_info({quoted(table)})")]
            for column in columns:
                texts = con.execute(
                    f"SELECT CAST({quoted(column)} AS TEXT) FROM {quoted(table)} UNION ALL SELECT ?", [sought.control]
                )
                found, control = sought.counted(text for (text,) in texts if text)
                hits, seen = hits + found, seen and control
    return Searched(store, hits, seen)


def _decoded(content: bytes) -> Iterator[str]:
    """A file as texts: itself, the members of an archive, the strings of JSON and of an array. Nothing is executed."""
    if content.startswith(b"PK") and zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield member
                yield from _decoded(archive.read(member))
        return
    yield from content.decode(errors="replace").splitlines()
    if content.startswith(_ARRAY):
        with suppress(ValueError):  # of objects: what was pickled stays so, and its text is among the bytes
            yield from _elements(np.load(io.BytesIO(content), allow_pickle=False))
    elif content.startswith((b"{", b"[", b'"')):
        with suppress(ValueError, RecursionError):
            yield from _strings(json.loads(content))


def _elements(array: npt.NDArray[Any]) -> Iterator[str]:
    """The texts of an array, and of the fields of its records."""
    for name in array.dtype.names or ():
        yield from _elements(array[name])
    if array.dtype.kind in "SU":
        every = np.char.decode(array, errors="replace") if array.dtype.kind == "S" else array
        yield from map(str, every.ravel().tolist())


def _strings(value: Any) -> Iterator[str]:
    """The strings of a JSON value; one that is JSON itself, as a model keeps a plain value, as what it says."""
    if isinstance(value, dict):
        yield from (text for pair in value.items() for part in pair for text in _strings(part))
    elif isinstance(value, list):
        yield from (text for part in value for text in _strings(part))
    elif isinstance(value, str):
        yield value
        if value.startswith('"'):
            with suppress(ValueError):
                yield str(json.loads(value))


def _planted(control: str) -> Iterator[bytes]:
    """The control as every kind of content that is decoded: bytes, JSON that escapes, and an array in an archive."""
    yield control.encode()
    yield json.dumps(control).replace("c", "\\u0063").encode()
    array, archive = io.BytesIO(), io.BytesIO()
    np.save(array, np.array([control]), allow_pickle=False)
    with zipfile.ZipFile(archive, "w") as planted:
        planted.writestr("control.npy", array.getvalue())
    yield archive.getvalue()
