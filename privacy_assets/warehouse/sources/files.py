"""Files as a source: CSV (any one delimiter), Parquet and newline-delimited JSON, on this machine or in a store.

Belongs here: finding the files that a contract names, and staging each of their rows. Does not belong here: what the
contract makes of a row (`rows.py`), how a store is reached (`_store.py`), opening the connection (`connections.py`).
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import hmac
import io
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from glob import glob
from pathlib import Path
from typing import BinaryIO, Protocol

import duckdb

from privacy_assets.contracts.contract import Contract, Files
from privacy_assets.errors import BadSource, Fault, PrivacyAssetsError, raise_gathered
from privacy_assets.warehouse.connections import Reach, engine_errors, literal, quoted
from privacy_assets.warehouse.sources import _patterns, _store, rows
from privacy_assets.warehouse.sources._patterns import of_day
from privacy_assets.warehouse.sources._variables import filled
from privacy_assets.warehouse.sources.rows import Staged, Table, count
from privacy_assets.warehouse.tombstones import Tombstones

_ENCODINGS = {"ascii": "utf-8", "utf-8": "utf-8", "iso8859-1": "latin-1", "utf-16": "utf-16"}
_LINE_END = r"\r\n|\r|\n"
_LONGEST_LINE = 64 << 20
"""A line of JSON may have so many bytes; a longer one is refused."""


class File(Protocol):
    """A file, wherever it lies: its address for the engine, its bytes, and what tells its content from another."""

    @property
    def url(self) -> str:
        """Its path, or its URL."""

    def open(self) -> BinaryIO:
        """Its bytes from the first on."""

    def fingerprint(self) -> str:
        """Changes when the content does."""


@dataclass(frozen=True, slots=True)
class Local:
    """A file on this machine; see `File`."""

    path: Path

    @property
    def url(self) -> str:
        """Its path."""
        return str(self.path)

    def open(self) -> BinaryIO:
        """Its bytes from the first on."""
        return self.path.open("rb")

    def fingerprint(self) -> str:
        """SHA-256 (hex) of its bytes."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class _Described(Table):
    """A file with its columns; `place` tells it apart from the others without its own name.

    `header_lines` is how many lines that are not blank its header takes up.
    """

    file: File
    header_lines: int = 0


@dataclass(frozen=True, slots=True)
class Delivered:
    """The files that a source names today, sorted by name; see `sources.Delivery`."""

    source: Files
    files: Sequence[File]
    reach: Reach

    def digest(self, con: duckdb.DuckDBPyConnection, contract: Contract, key: bytes) -> str:
        """HMAC-SHA-256 (hex) over what each file's content is told by, in order. Keyed: small ones could be guessed."""
        try:
            told = [file.fingerprint() for file in self.files]
        except OSError:
            raise _changed(self.source) from None
        return hmac.new(key, json.dumps(told).encode(), hashlib.sha256).hexdigest()

    def stage(self, con: duckdb.DuckDBPyConnection, contract: Contract, key: bytes) -> tuple[Staged, str]:
        """Every row of every file in order."""
        before = self.digest(con, contract, key)
        tables, staged = self._room(con, contract)
        self._fill(con, contract, staged, [(table, partial(_lines_held, self.source, table)) for table in tables])
        self._require(before, self.digest(con, contract, key))
        return staged, before

    def take(
        self, con: duckdb.DuckDBPyConnection, contract: Contract, key: bytes, tombstones: Tombstones | None = None
    ) -> str:
        """Every row of every file in order, in one pass where none has a fault and nobody was erased."""
        digest = partial(self.digest, con, contract, key)
        before = digest()
        tables, staged = self._room(con, contract)
        with ThreadPoolExecutor(1) as beside:
            counted = [(table, beside.submit(_lines_held, self.source, table).result) for table in tables]
            # asked when the engine has read everything, beside what it has to do then
            after = None
            if not tombstones:
                after = self._taken_at_once(con, contract, staged, counted, partial(beside.submit, digest))
            if after is not None:
                self._require(before, after.result())
                return before
            self._fill(con, contract, staged, counted)
        self._require(before, digest())
        rows.settle(con, contract, staged, tombstones)
        return before

    def _room(self, con: duckdb.DuckDBPyConnection, contract: Contract) -> tuple[tuple[_Described, ...], Staged]:
        tables = tuple(self._described(con, contract))
        raise_gathered(BadSource, [fault for table in tables for fault in rows.header_faults(table, contract)])
        return tables, rows.stage(con, contract, tables)

    def _fill(self, con: duckdb.DuckDBPyConnection, contract: Contract, staged: Staged, counted: _Counted) -> None:
        for table, lines in counted:
            with _source_errors(self.source, table.place):
                _STAGE[self.source.format](con, self.source, contract, table, staged, lines)

    def _taken_at_once(
        self,
        con: duckdb.DuckDBPyConnection,
        contract: Contract,
        staged: Staged,
        counted: _Counted,
        digest: Callable[[], Future[str]],
    ) -> Future[str] | None:
        """The digest of the files after they were read, where every row was sound and is written; None otherwise."""
        if self.source.format not in _READ:
            return None
        after: Future[str] | None = None

        def is_whole(taken: Sequence[int]) -> bool:
            nonlocal after
            if self.source.format == "csv":
                lines = [found + table.header_lines for (table, _), found in zip(counted, taken, strict=True)]
                if _rejected(con) or lines != [held() for _, held in counted]:
                    return False
            after = digest()
            return True

        selects = [_READ[self.source.format](self.source, table, staged) for table, _ in counted]
        with engine_errors("reading the source"):
            return after if rows.settle_at_once(con, contract, staged, selects, is_whole) else None

    def _require(self, before: str, after: str) -> None:
        if before != after:
            raise _changed(self.source)

    def _described(self, con: duckdb.DuckDBPyConnection, contract: Contract) -> Iterator[_Described]:
        source, many = self.source, len(self.files)
        for number, file in enumerate(self.files, 1):
            place = source.path if many == 1 else f"{source.path} (file {number} of {many}, sorted by name)"
            types: tuple[str, ...] = ()
            header_lines = 0
            if source.format == "parquet":
                with _source_errors(source, place):
                    described = con.execute(f"DESCRIBE {_read_parquet(file)}").fetchall()
                names, types = (tuple(str(row[at]) for row in described) for at in (0, 1))
            elif source.format == "ndjson":
                with _source_errors(source, place):
                    names = _keys(con, file, contract)
            elif source.reading.header:
                names = header(source, file, place)
                header_lines = 1 + sum(map(_further, names))
            else:
                names = tuple(column.name for column in contract.columns)
            # A nameless column is an index that somebody's program wrote: unknown, like any other.
            names = tuple(name or f"unnamed_{at}" for at, name in enumerate(names, 1))
            yield _Described(place, names, types or ("VARCHAR",) * len(names), file, header_lines)


def find(source: Files, root: Path, env: Mapping[str, str] = os.environ, day: str = "") -> Delivered:
    """The files that the source names, sorted; at least one. Of one `day`, or of all, where they come by day.

    A path is relative to `root`; `*`, `?`, `[…]` and `**` match as in a shell. Raises BadSource where a variable is not
    set, no file is found, or the store cannot be reached.
    """
    source = replace(source, path=of_day(source.path, day))
    reach = Reach()
    found: Sequence[File] = ()
    if source.type == "s3":
        found, reach = _store.find(source, root, env)
    else:
        paths = sorted({(root / path).resolve() for path in _matches(source, root, env)})
        found, reach = tuple(map(Local, paths)), Reach(paths=tuple(map(str, paths)))
    if not found:
        raise BadSource.of(
            "there is no file of this source",
            where=source.place,
            expected="at least one file, relative to the project" if source.type == "local" else "at least one object",
            next_step="put the file there, or mend the path in the contract's server",
        )
    return Delivered(source, found, reach)


def days(source: Files, root: Path, env: Mapping[str, str] = os.environ) -> dict[str, datetime]:
    """The days of which there are files, in order, and when the last of them arrived or was changed.

    A day is what `{day}` stands for, be there such a date or not. Raises BadSource as `find`, but not where there is
    none.
    """
    whole = replace(source, path=of_day(source.path, ""))
    pattern = filled(source.path, env, place=source.place)
    if source.type == "s3":
        changed = {found.url: found.changed for found in _store.find(whole, root, env)[0]}
    else:
        changed = {path: _changed_at(root / path) for path in _matches(whole, root, env)}
    held: dict[str, datetime] = {}
    for path, moment in changed.items():
        if day := _patterns.day_of(pattern, path):
            held[day] = max(moment, held.get(day, moment))
    return dict(sorted(held.items()))


def _changed_at(path: Path) -> datetime:
    try:
        found = path.stat()
    except OSError:  # it went away meanwhile
        return datetime.now(UTC)
    return datetime.fromtimestamp(max(found.st_mtime, found.st_ctime), UTC)


def _matches(source: Files, root: Path, env: Mapping[str, str]) -> list[str]:
    pattern = filled(source.path, env, place=source.place)
    found = glob(pattern, root_dir=root, recursive=True)  # noqa: PTH207 - a pattern of Path.glob cannot be absolute
    return [path for path in found if (root / path).is_file()]


def header(source: Files, file: File, place: str) -> tuple[str, ...]:
    """The names in the first line of a delimited file; `place` is what to call it. Raises BadSource."""
    encoding = _encoding(source, place)
    try:
        with file.open() as first:
            if encoding == "utf-16" and first.read(2) == codecs.BOM_UTF16_BE:
                raise _unreadable(source, place, "utf-16 that is big-endian")
        # A character that cannot be read is left to the engine, which quarantines its line.
        with io.TextIOWrapper(
            file.open(), encoding="utf-8-sig" if encoding == "utf-8" else encoding, errors="replace", newline=""
        ) as text:
            if len(source.delimiter) == 1:
                cells = next(csv.reader(text, delimiter=source.delimiter), [])
            else:
                cells = text.readline().rstrip("\r\n").split(source.delimiter)
    except (csv.Error, UnicodeError, OSError) as error:
        raise _unreadable(source, place, type(error).__name__) from None
    return tuple(cell.strip() if source.reading.trim else cell for cell in cells)


_Lines = Callable[[], int]
"""How many lines that are not blank a file has, by `_lines_held`."""
_Counted = Sequence[tuple[_Described, _Lines]]


def _stage_parquet(
    con: duckdb.DuckDBPyConnection,
    source: Files,
    contract: Contract,
    table: _Described,
    staged: Staged,
    lines: _Lines,
) -> None:
    con.execute(f"INSERT INTO temp.staged BY NAME {_parquet(source, table, staged)}")


def _stage_csv(
    con: duckdb.DuckDBPyConnection,
    source: Files,
    contract: Contract,
    table: _Described,
    staged: Staged,
    lines: _Lines,
) -> None:
    before = count(con, "temp.staged")
    con.execute(f"INSERT INTO temp.staged BY NAME {_csv(source, table, staged)}")
    taken, rejected = count(con, "temp.staged") - before, _keep_malformed(con)
    # There are never fewer than none of the lines that are lost, nor of those that rows take up beyond one: where there
    # are as many lines as rows there are none of both, and nobody has to look into the rows.
    if rejected or lines() != taken + table.header_lines:
        taken += _further_lines_of_rows(con, [staged.held(name) for name in table.names], before)
    _account(table, lines(), taken + rejected + table.header_lines)


def _stage_ndjson(
    con: duckdb.DuckDBPyConnection,
    source: Files,
    contract: Contract,
    table: _Described,
    staged: Staged,
    lines: _Lines,
) -> None:
    """A line is a row if it holds one object whose keys are all different; a blank one is none."""
    con.execute(f"""
        CREATE TEMP TABLE lines AS
        SELECT line, coalesce(json_type(CASE WHEN json_valid(line) THEN line END) = 'OBJECT', false) AS holds_object
        FROM ({_lines(table.file)}) WHERE NOT regexp_full_match(line, '\\s*')
    """)
    rejected = _keep_malformed(con)
    con.execute("""
        UPDATE temp.lines SET holds_object = false
        WHERE holds_object AND len(json_keys(line)) <> len(list_distinct(json_keys(line)))
    """)
    _write_out_numbers(con, contract, table)
    cells = ", ".join(
        f"json_extract_string(line, {literal(_json_path(name))}) AS {staged.held(name)}" for name in table.names
    )
    con.execute(f"INSERT INTO temp.staged BY NAME SELECT {cells} FROM temp.lines WHERE holds_object ORDER BY rowid")
    con.execute("INSERT INTO temp.malformed SELECT line FROM temp.lines WHERE NOT holds_object")
    accounted = count(con, "temp.lines") + rejected
    con.execute("DROP TABLE temp.lines")
    _account(table, lines(), accounted)


_STAGE = {"parquet": _stage_parquet, "csv": _stage_csv, "ndjson": _stage_ndjson}


def _parquet(source: Files, table: _Described, staged: Staged) -> str:
    """The SQL of a file's rows, each cell by its place in `temp.staged`."""
    held = staged.cells(table)
    for name, type_ in zip(table.names, table.types, strict=True):
        if type_ == "BLOB":  # how many programs write text; what is none is shown with its bytes escaped
            held[staged.held(name)] = f"coalesce(TRY(decode({quoted(name)})), CAST({quoted(name)} AS VARCHAR))"
    return _read_parquet(table.file, ", ".join(f"{cell} AS {place}" for place, cell in held.items()))


def _read_parquet(file: File, cells: str = "*") -> str:
    return f"SELECT {cells} FROM read_parquet({literal(file.url)}, hive_partitioning = false)"


def _write_out_numbers(con: duckdb.DuckDBPyConnection, contract: Contract, table: _Described) -> None:
    """In `temp.lines`, make a text of each number that the engine would print in another way: 1.10, or 20 digits.

    Where a floating-point number is promised it is read as one, and its digits are not kept anyway.
    """
    floats = {column.name for column in contract.columns if column.type.upper() in ("DOUBLE", "FLOAT")}
    paths = [literal(_json_path(name)) for name in table.names if name not in floats]
    # a key that is a star asks for all of them
    printed = " OR ".join(f"CAST(json_type(line, {path}) AS VARCHAR) = 'DOUBLE'" for path in paths)
    if printed:
        con.create_function("with_numbers_as_text", _with_numbers_as_text, [str], str)
        con.execute(f"""
            UPDATE temp.lines SET line = with_numbers_as_text(line)
            WHERE holds_object AND regexp_matches(line, '[0-9][.eE]') AND ({printed})
        """)
        con.remove_function("with_numbers_as_text")


class _Written(str):
    """A number as it was written."""


def _with_numbers_as_text(line: str) -> str:
    """The object with its own numbers as texts, exponents written out; those within its lists and objects are left."""
    try:
        written = json.loads(line, parse_float=_Written, parse_int=_Written)
        read = json.loads(line)
    except (ValueError, RecursionError):
        return line
    return json.dumps(
        {key: _plain(value) if isinstance(value, _Written) else read[key] for key, value in written.items()}
    )


def _plain(number: str) -> str:
    """The number without an exponent, where that is not long: 3e1 is 30."""
    exponent = number.lower().partition("e")[2].lstrip("+-")
    return format(Decimal(number), "f") if exponent and len(exponent) < 3 else number


def _json_path(name: str) -> str:
    return "$." + json.dumps(name, ensure_ascii=False)


def _lines(file: File) -> str:
    """The lines of a file as they are: nothing in them is a delimiter, a quote or an escape."""
    return f"""
        SELECT * FROM read_csv({literal(file.url)}, auto_detect = false, columns = {{'line': 'VARCHAR'}},
            header = false, delim = chr(1), quote = '', escape = '', compression = 'none', strict_mode = false,
            null_padding = false, force_not_null = ['line'], max_line_size = {_LONGEST_LINE},
            hive_partitioning = false, store_rejects = true, rejects_limit = 0)
    """


def _keys(con: duckdb.DuckDBPyConnection, file: File, contract: Contract) -> tuple[str, ...]:
    """The contract's columns, of which a line may leave any out, then keys that it does not know, in their order."""
    found = con.execute(f"""
        SELECT key FROM (
            SELECT unnest(keys) AS key, generate_subscripts(keys, 1) AS place FROM (
                SELECT json_keys(line) AS keys FROM ({_lines(file)})
                WHERE json_valid(line) AND json_type(CASE WHEN json_valid(line) THEN line END) = 'OBJECT'
            )
        ) GROUP BY key ORDER BY min(place), key
    """).fetchall()
    _rejected(con)
    known = [column.name for column in contract.columns]
    held = dict.fromkeys(str(key) for (key,) in found)
    # a column that no line has is missing, not empty
    return (*(name for name in known if name in held), *(name for name in held if name not in known))


def _csv(source: Files, table: _Described, staged: Staged) -> str:
    """The SQL of a file's rows, each cell by its place in `temp.staged`. Nothing is left to be guessed."""
    places = [staged.held(name) for name in table.names]
    columns = ", ".join(f"'{place}': 'VARCHAR'" for place in places)
    kept_as_text = ", ".join(f"'{place}'" for place in places)
    return f"""
        SELECT * FROM read_csv({literal(table.file.url)}, auto_detect = false, columns = {{{columns}}},
            header = {str(source.reading.header).lower()}, delim = {literal(source.delimiter)},
            encoding = {literal(_encoding(source, table.place))}, quote = '"', escape = '"', compression = 'none',
            strict_mode = true, null_padding = false, force_not_null = [{kept_as_text}],
            hive_partitioning = false, store_rejects = true, rejects_limit = 0)
    """


_READ = {"parquet": _parquet, "csv": _csv}
"""What is read in one pass; lines of JSON are looked at one by one."""


def _rejected(con: duckdb.DuckDBPyConnection) -> int:
    """How many lines the engine rejected, of which it keeps no record after this."""
    rejected = count(con, "reject_errors")
    con.execute("DROP TABLE reject_errors")
    con.execute("DROP TABLE reject_scans")
    return rejected


def _further_lines_of_rows(con: duckdb.DuckDBPyConnection, places: Sequence[str], after: int) -> int:
    """How many lines that are not blank the rows after the first `after` take up beyond one: cells may hold line ends.

    One cell after the other: a file may have thousands.
    """
    row = con.execute(f"""
        SELECT coalesce(sum({_further_lines("cell")}), 0) FROM (
            SELECT unnest([{", ".join(places)}]) AS cell FROM temp.staged WHERE rowid >= {after}
        ) WHERE contains(cell, chr(10)) OR contains(cell, chr(13))
    """).fetchone()
    return int(row[0]) if row else 0


def _further_lines(cell: str) -> str:
    # The first and the last part share their line with a quote; those between them may be blank.
    parts = f"string_split_regex({cell}, '{_LINE_END}')"
    return f"len({parts}) - 1 - len(list_filter({parts}[2:-2], lambda part: part = ''))"


def _further(cell: str) -> int:
    """The same of one cell."""
    parts = re.split(_LINE_END, cell)
    return len(parts) - 1 - parts[1:-1].count("")


def _keep_malformed(con: duckdb.DuckDBPyConnection) -> int:
    """Keep the lines that the engine rejected, and return how many.

    A quote that is never closed swallows the lines after it: each of them is a row that was not read.
    """
    before = count(con, "temp.malformed")
    con.execute(f"""
        INSERT INTO temp.malformed
        SELECT line FROM (
            SELECT unnest(string_split_regex(csv_line, '{_LINE_END}')) AS line
            FROM (SELECT any_value(csv_line) AS csv_line FROM reject_errors GROUP BY scan_id, file_id, line)
        ) WHERE line <> ''
    """)
    _rejected(con)
    return count(con, "temp.malformed") - before


def _account(table: _Described, lines: int, accounted: int) -> None:
    """Raises BadSource where not as many lines are accounted for as the file has."""
    if lines != accounted:
        raise BadSource(
            Fault(
                "not every line of the source could be read or set aside",
                where=table.place,
                expected=f"{lines} lines",
                found=f"{accounted} lines in rows and in malformed lines",
                next_step="look for a quote that is opened and never closed, and deliver the file again",
            )
        )


def _lines_held(source: Files, table: _Described) -> int:
    """How many lines the file has that are not blank, counted apart from the engine: it cuts what it rejects.

    In a delimited file of one column a blank line is a row.
    """
    if source.format == "parquet":
        return 0
    encoding = "utf-16" if _encoding(source, table.place) == "utf-16" else "latin-1"
    blank_counts = len(table.names) == 1
    try:
        with io.TextIOWrapper(table.file.open(), encoding=encoding) as lines:
            if source.format == "csv":
                return sum(1 for line in lines if line != "\n" or blank_counts)
            return sum(1 for line in lines if line.strip(" \t\n\f\v"))
    except UnicodeError as error:  # the end is missing, which the engine overlooks
        raise _unreadable(source, table.place, type(error).__name__) from None


def _encoding(source: Files, place: str) -> str:
    try:
        return _ENCODINGS[codecs.lookup(source.encoding).name]
    except LookupError:
        raise BadSource.of(
            f"the encoding {source.encoding} cannot be read",
            where=place,
            expected="utf-8, utf-16 or latin-1",
            next_step="convert the file, and name its encoding in the contract's server",
        ) from None


@contextmanager
def _source_errors(source: Files, place: str) -> Iterator[None]:
    """An error of the engine that blames the file is BadSource, any other EngineFailed; neither holds its text."""
    with engine_errors("reading the source"):
        try:
            yield
        except (
            duckdb.OutOfMemoryException,
            duckdb.InternalException,
            duckdb.FatalException,
            duckdb.InterruptException,
        ):
            raise
        except duckdb.Error as error:
            raise _unreadable(source, place, type(error).__name__) from None


def _unreadable(source: Files, place: str, found: str) -> BadSource:
    encoded = _READ_OF.get(_ENCODINGS.get(codecs.lookup(source.encoding).name, ""), source.encoding)
    how = {
        "parquet": "Parquet that is whole, not encrypted, and holds no text or time that is none",
        "ndjson": f"UTF-8, one JSON object a line, none longer than {_LONGEST_LINE >> 20} MiB",
        "csv": f"{encoded}, delimiter {source.delimiter!r}, one kind of line end",
    }
    return BadSource(
        Fault(
            f"the source cannot be read as {source.format}",
            where=place,
            expected=how[source.format],
            found=found,
            next_step="deliver the file again, or mend the contract's server"
            + (f": {source.encoding} is not read in full, convert it to UTF-8" if encoded != source.encoding else ""),
        )
    )


_READ_OF = {
    "utf-16": "utf-16 that is little-endian, without characters beyond U+FFFF (such as emoji)",
    "latin-1": "latin-1 without the bytes 80 to 9F (a file that has them is windows-1252)",
}
"""What the engine reads of an encoding, where that is not all of it."""


def _changed(source: Files) -> PrivacyAssetsError:
    return BadSource.of(
        "the source was changed while it was read",
        where=source.place,
        next_step="run it again when the delivery is complete; deliver under another name, then rename",
    )
