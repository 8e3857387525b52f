"""Files as a source: CSV (any one delimiter) and Parquet.

Belongs here: finding the files that a contract names, and taking each of their rows into a candidate. Does not belong
here: opening the connection (`connections.py`), how much quarantine is too much (an invariant).

What it writes into the candidate, in one transaction:

    data        the contract's columns in its order and types, `_row` where every row is another person, then columns
                that the contract does not know, as text
    quarantine  `_row`, `_reasons`, `_line` and every column as it was received, as text
    evidence    (name, value): source_rows, data_rows, quarantined_rows, unknown_columns

A reason is `<column>:<fault>`, never a value: `unreadable` (not of its type, not without loss, or a date outside of the
years 1 to 9999), `missing` (required, or the key), `no subject`, `outside domain`, `duplicate` (of a key or a unique
column; the first row in the order of the files stays), or `malformed line` for text that is no row; such a line has no
`_row`, and its text is in `_line`.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import hmac
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from glob import glob
from pathlib import Path

import duckdb

from privacy_assets.contracts.contract import ROW, Contract, ContractColumn, Source
from privacy_assets.errors import BadSource, Fault, raise_gathered
from privacy_assets.warehouse.connections import engine_errors, literal, quoted

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_ENCODINGS = {"ascii": "utf-8", "utf-8": "utf-8", "iso8859-1": "latin-1", "utf-16": "utf-16"}
_RESERVED = (ROW, "_reasons", "_line")
_INTEGERS = {f"{sign}{size}" for sign in ("", "U") for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")}
_SPACE = "E' \\t\\r\\n'"
_UNSEEN = r"[\s\p{Z}\p{Cf}]"
_SEPARATOR = "chr(31)"
_LINE_END = r"\r\n|\r|\n"


@dataclass(frozen=True, slots=True)
class _File:
    """A file with the names and types of its columns in their order; `place` tells it apart without its own name."""

    path: Path
    place: str
    names: tuple[str, ...]
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Staged:
    """Where each column lies in the staging table `temp.staged`: its name -> its place (`c0`, `c1`, …).

    `as_promised` are the columns that every file holds in the contract's own type; all others are there as text.
    """

    places: Mapping[str, str]
    as_promised: frozenset[str]
    unknown: tuple[str, ...]


def paths(source: Source, root: Path, env: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """The files that the source names, sorted; at least one.

    The path is relative to `root`; `${NAME}` in it is taken from `env`; `*`, `?`, `[…]` and `**` match as in a shell.
    Raises BadSource where a variable is not set or no file is found.
    """
    unset = sorted({name for name in _VARIABLE.findall(source.path) if name not in env})
    if unset:
        raise BadSource.of(
            f"the path of the source needs {', '.join(unset)}",
            where=source.path,
            found="not set",
            next_step=f"set {' and '.join(unset)} in the environment",
        )
    pattern = _VARIABLE.sub(lambda match: env[match[1]], source.path)
    matches = glob(pattern, root_dir=root, recursive=True)  # noqa: PTH207 - a pattern of Path.glob cannot be absolute
    found = sorted({(root / path).resolve() for path in matches if (root / path).is_file()})
    if not found:
        raise BadSource.of(
            "there is no file of this source",
            where=source.path,
            expected="at least one file, relative to the project",
            next_step="put the file there, or mend the path in the contract's server",
        )
    return tuple(found)


def source_digest(paths: Sequence[Path], key: bytes) -> str:
    """HMAC-SHA-256 (hex) over the digests of the files, in this order. Keyed: small files could be guessed."""
    digests = []
    for path in paths:
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return hmac.new(key, json.dumps(digests).encode(), hashlib.sha256).hexdigest()


def read(con: duckdb.DuckDBPyConnection, contract: Contract, root: Path) -> None:
    """Take every row of the contract's source into `candidate.main`, or nothing.

    `con` is a connection of `connections.ingest` over the same `paths`, outside of a transaction. Raises BadSource,
    with all faults at once, where a column of the contract is missing, a file cannot be read as declared, or there is
    no row at all. Columns that the contract does not know are kept and counted.
    """
    found = paths(contract.source, root)
    files = tuple(_described(con, contract, found))
    raise_gathered(BadSource, [fault for file in files for fault in _header_faults(file, contract)])
    staged = _stage(con, contract, files)
    with engine_errors("sorting rows of the source into data and quarantine"):
        _judge(con, contract, staged)
        _mark_duplicates(con, contract)
        source_rows = _count(con, "temp.staged") + _count(con, "temp.malformed")
        if source_rows == 0:
            raise BadSource.of(
                "the source has no row",
                where=contract.source.path,
                expected="at least one row" + (" below the header" if contract.source.reading.header else ""),
                next_step="deliver the file again",
            )
        con.execute("BEGIN")
        try:
            _write(con, contract, staged, source_rows)
        except BaseException:
            con.execute("ROLLBACK")
            raise
        con.execute("COMMIT")
        con.execute("DROP VIEW temp.judged")
        for table in ("staged", "malformed", "findings", "duplicates"):
            con.execute(f"DROP TABLE temp.{table}")


def _described(con: duckdb.DuckDBPyConnection, contract: Contract, found: Sequence[Path]) -> Iterator[_File]:
    source = contract.source
    for number, path in enumerate(found, 1):
        place = source.path if len(found) == 1 else f"{source.path} (file {number} of {len(found)}, sorted by name)"
        if source.format == "parquet":
            with _source_errors(source, place):
                described = con.execute(f"DESCRIBE {_parquet(path)}").fetchall()
            names, types = (tuple(str(row[at]) for row in described) for at in (0, 1))
        elif source.reading.header:
            names = header(source, path, place)
        else:
            names = tuple(column.name for column in contract.columns)
        # A nameless column is an index that somebody's program wrote: unknown, like any other.
        names = tuple(name or f"unnamed_{at}" for at, name in enumerate(names, 1))
        yield _File(path, place, names, types if source.format == "parquet" else ("VARCHAR",) * len(names))


def header(source: Source, path: Path, place: str) -> tuple[str, ...]:
    """The names in the first line of a delimited file; `place` is what to call it. Raises BadSource."""
    encoding = _encoding(source, place)
    try:
        # A character that cannot be read is left to the engine, which quarantines its line.
        with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, errors="replace", newline="") as file:
            if len(source.delimiter) == 1:
                cells = next(csv.reader(file, delimiter=source.delimiter), [])
            else:
                cells = file.readline().rstrip("\r\n").split(source.delimiter)
    except (csv.Error, UnicodeError, OSError) as error:
        raise _unreadable(source, place, type(error).__name__) from None
    return tuple(cell.strip() if source.reading.trim else cell for cell in cells)


def _header_faults(file: _File, contract: Contract) -> Iterator[Fault]:
    # Names that were found are not shown: where the header is missing they are the first person's values.
    found = f"{len(file.names)} columns"
    for column in contract.columns:
        if column.name not in file.names:
            yield Fault(
                f"the column {column.name} is missing in the source",
                where=file.place,
                expected=f"a column {column.name} ({column.type}), as {contract.path} promises",
                found=found,
                next_step="deliver the column, or release a new major version of the contract without it",
            )
    folded = [name.lower() for name in file.names]
    if len(set(folded)) < len(folded) or any(name in _RESERVED for name in folded):
        yield Fault(
            "columns of the source cannot be told apart",
            where=file.place,
            expected=f"names that differ in more than case, none of them {', '.join(_RESERVED)}",
            found=found,
            next_step="rename the columns in the source",
        )


def _stage(con: duckdb.DuckDBPyConnection, contract: Contract, files: Sequence[_File]) -> _Staged:
    """Every row of every file in order, as it is promised or as text: row n has rowid n - 1."""
    known = [column.name for column in contract.columns]
    unknown: dict[str, str] = {}
    for file in files:
        for name in file.names:
            if name not in known:
                unknown.setdefault(name.lower(), name)
    names = (*known, *unknown.values())
    places = {name: f"c{place}" for place, name in enumerate(names)}
    held_as = [dict(zip(file.names, file.types, strict=True)) for file in files]
    promised = {
        column.name: column.type
        for column in contract.columns
        if {held[column.name] for held in held_as} == {column.type}
    }
    rooms = ", ".join(f"{place} {promised.get(name, 'VARCHAR')}" for name, place in places.items())
    with engine_errors("making room for the source"):
        con.execute(f"CREATE TEMP TABLE staged ({rooms})")
        con.execute("CREATE TEMP TABLE malformed (line VARCHAR)")
    for file in files:
        held = [places[name if name in places else unknown[name.lower()]] for name in file.names]
        with _source_errors(contract.source, file.place):
            if contract.source.format == "parquet":
                cells = ", ".join(
                    f"CAST({quoted(name)} AS {promised.get(name, 'VARCHAR')}) AS {place}"
                    for name, place in zip(file.names, held, strict=True)
                )
                con.execute(f"INSERT INTO temp.staged BY NAME {_parquet(file.path, cells)}")
            else:
                before = _count(con, "temp.staged")
                con.execute(f"INSERT INTO temp.staged BY NAME {_csv(contract.source, file, held)}")
                accounted = _lines_of_rows(con, held, before) + _keep_malformed(con)
                _account(contract.source, file, accounted)
    return _Staged(places, frozenset(promised), tuple(unknown.values()))


def _parquet(path: Path, cells: str = "*") -> str:
    return f"SELECT {cells} FROM read_parquet({literal(str(path))}, hive_partitioning = false)"


def _csv(source: Source, file: _File, places: Sequence[str]) -> str:
    """Nothing is left to be guessed."""
    columns = ", ".join(f"'{place}': 'VARCHAR'" for place in places)
    kept_as_text = ", ".join(f"'{place}'" for place in places)
    return f"""
        SELECT * FROM read_csv({literal(str(file.path))}, auto_detect = false, columns = {{{columns}}},
            header = {str(source.reading.header).lower()}, delim = {literal(source.delimiter)},
            encoding = {literal(_encoding(source, file.place))}, quote = '"', escape = '"', compression = 'none',
            strict_mode = true, null_padding = false, force_not_null = [{kept_as_text}],
            hive_partitioning = false, store_rejects = true, rejects_limit = 0)
    """


def _lines_of_rows(con: duckdb.DuckDBPyConnection, places: Sequence[str], after: int) -> int:
    """How many lines that are not blank the rows after the first `after` take up: cells may hold line ends."""
    further = " + ".join(
        f"CASE WHEN contains({place}, chr(10)) OR contains({place}, chr(13)) THEN {_further_lines(place)} ELSE 0 END"
        for place in places
    )
    row = con.execute(
        f"SELECT count(*) + coalesce(sum({further}), 0) FROM temp.staged WHERE rowid >= {after}"
    ).fetchone()
    return int(row[0]) if row else 0


def _further_lines(cell: str) -> str:
    # The first and the last part share their line with a quote; those between them may be blank.
    parts = f"string_split_regex({cell}, '{_LINE_END}')"
    return f"len({parts}) - 1 - len(list_filter({parts}[2:-2], lambda part: part = ''))"


def _keep_malformed(con: duckdb.DuckDBPyConnection) -> int:
    """Keep the lines that the engine rejected, and return how many.

    A quote that is never closed swallows the lines after it: each of them is a row that was not read.
    """
    before = _count(con, "temp.malformed")
    con.execute(f"""
        INSERT INTO temp.malformed
        SELECT line FROM (
            SELECT unnest(string_split_regex(csv_line, '{_LINE_END}')) AS line
            FROM (SELECT any_value(csv_line) AS csv_line FROM reject_errors GROUP BY scan_id, file_id, line)
        ) WHERE line <> ''
    """)
    con.execute("DROP TABLE reject_errors")
    con.execute("DROP TABLE reject_scans")
    return _count(con, "temp.malformed") - before


def _account(source: Source, file: _File, accounted: int) -> None:
    """Compare with the lines of the file, counted apart from the engine: it cuts what it rejects after 10,000 bytes.

    Raises BadSource where a line is neither in a row nor rejected.
    """
    encoding = "utf-16" if _encoding(source, file.place) == "utf-16" else "latin-1"
    try:
        with file.path.open(encoding=encoding) as lines:
            # In a file of one column a blank line is a row.
            held = sum(1 for line in lines if line != "\n" or len(file.names) == 1)
    except UnicodeError as error:  # the end is missing, which the engine overlooks
        raise _unreadable(source, file.place, type(error).__name__) from None
    expected = accounted + source.reading.header
    if held != expected:
        raise BadSource(
            Fault(
                "not every line of the source could be read or set aside",
                where=file.place,
                expected=f"{held} lines",
                found=f"{expected} lines in rows and in malformed lines",
                next_step="look for a quote that is opened and never closed, and deliver the file again",
            )
        )


def _judge(con: duckdb.DuckDBPyConnection, contract: Contract, staged: _Staged) -> None:
    """`temp.judged`: each row with its values in the contract's types and its faults as one text, empty if it has none.

    A value that is what was staged is not written a second time: `temp.findings` holds the others, row beside row.
    """
    reading = contract.source.reading
    texts, values, faults, found = [], [], [], []
    shown = ["number", "faults", *(staged.places[name] for name in staged.unknown)]
    for place, column in enumerate(contract.columns):
        text = staged.places[column.name]
        if contract.source.format == "csv":
            text = f"trim({text}, {_SPACE})" if reading.trim else text
            if reading.null_text:
                text = f"CASE WHEN {text} NOT IN ({', '.join(map(literal, reading.null_text))}) THEN {text} END"
        texts.append(f"{text} AS t{place}")
        value = _promised_value if column.name in staged.as_promised else read_as
        values.append(f"{value(column.type, f't{place}')} AS v{place}")
        if text == staged.places[column.name] and value(column.type, text) == text:
            shown.append(f"{text} AS v{place}")
        else:
            shown.append(f"v{place}")
            found.append(f"v{place}")
        faults.append(_fault(contract, column, f"t{place}", f"v{place}"))
    con.execute(f"""
        CREATE TEMP TABLE findings AS
        SELECT {", ".join(["number", *found])}, concat_ws({_SEPARATOR}, {", ".join(faults)}) AS faults
        FROM (SELECT *, {", ".join(values)} FROM (SELECT rowid + 1 AS number, {", ".join(texts)} FROM temp.staged))
    """)
    shown_ = ", ".join(shown)
    con.execute(f"CREATE TEMP VIEW judged AS SELECT {shown_} FROM temp.staged POSITIONAL JOIN temp.findings")


def _promised_value(type_: str, value: str) -> str:
    """The SQL of a value that has the contract's type already: the number that is none is NULL, as in `read_as`."""
    return f"CASE WHEN isfinite({value}) THEN {value} END" if type_.upper() in ("DOUBLE", "FLOAT") else value


def read_as(type_: str, text: str) -> str:
    """The SQL of the value that the text means, NULL where it means none of this type, or would lose something.

    The engine's own cast rounds 1.7 to 1, takes the time of day off a date and the offset off a timestamp.
    """
    cast = f"TRY_CAST({text} AS {type_})"
    kind = type_.upper()
    if kind == "VARCHAR":
        return text
    if kind in _INTEGERS:
        return _faithful(cast, text, r"\s*[+-]?\d+(\.0*)?\s*")
    if kind.startswith("DECIMAL("):
        scale = int(kind.rstrip(")").partition(",")[2] or 0)
        return _faithful(cast, text, rf"\s*[+-]?\d*(\.\d{{0,{scale}}}0*)?\s*")
    if kind in ("DOUBLE", "FLOAT"):
        return f"CASE WHEN isfinite({cast}) AND NOT contains({text}, '_') THEN {cast} END"
    if kind == "DATE":
        return _faithful(cast, text, r"\s*\d{4}[-/]\d{1,2}[-/]\d{1,2}([ T]00:00(:00(\.0+)?)?)?\s*")
    if kind == "TIMESTAMP":
        cast = f"(TRY_CAST({text} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')"
        return rf"CASE WHEN regexp_matches({text}, '^\s*\d') THEN {cast} END"
    return cast


def _faithful(cast: str, text: str, pattern: str) -> str:
    # The first comparison is there for speed: it spares nearly every row the pattern.
    return (
        f"CASE WHEN CAST({cast} AS VARCHAR) = {text} AND regexp_matches({text}, '\\d$') THEN {cast} "
        f"WHEN regexp_full_match({text}, '{pattern}') THEN {cast} END"
    )


def _fault(contract: Contract, column: ContractColumn, text: str, value: str) -> str:
    cases = []
    if column.name == contract.subject_column:
        cases.append((f"{text} IS NULL", "no subject"))
        if column.type.upper() == "VARCHAR" and (contract.privacy.consents or contract.privacy.consent_records):
            # Decisions are matched by the subject as it is written: so spelt, a refusal would be nobody's.
            cases.append((f"regexp_matches({text}, '^{_UNSEEN}|{_UNSEEN}$')", "space around it"))
    elif column.required or column.name in contract.primary_key:
        cases.append((f"{text} IS NULL", "missing"))
    cases.append((f"{text} IS NOT NULL AND {value} IS NULL", "unreadable"))
    if (kind := column.type.upper()) in ("DATE", "TIMESTAMP"):
        # Later steps add days to dates: beyond these years the engine would fail there.
        cases.append((f"{value} NOT BETWEEN {kind} '0001-01-01' AND {kind} '9999-12-31 23:59:59'", "unreadable"))
    if column.domain is not None:
        allowed = ", ".join(f"TRY_CAST({literal(member)} AS {column.type})" for member in column.domain)
        cases.append((f"{value} IS NOT NULL AND ({value} IN ({allowed})) IS NOT TRUE", "outside domain"))
    whens = " ".join(f"WHEN {condition} THEN {literal(f'{column.name}:{fault}')}" for condition, fault in cases)
    return f"CASE {whens} END"


def _mark_duplicates(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Of the rows without other faults: all but the first that share a primary key or a unique value."""
    con.execute("CREATE TEMP TABLE duplicates (number BIGINT, fault VARCHAR)")
    places = {column.name: f"v{place}" for place, column in enumerate(contract.columns)}
    keys = [contract.primary_key] if contract.primary_key else []
    keys += [(column.name,) for column in contract.columns if column.unique and (column.name,) not in keys]
    for key in keys:
        held = ", ".join(places[name] for name in key)
        present = " AND ".join(f"{places[name]} IS NOT NULL" for name in key)
        con.execute(f"""
            INSERT INTO temp.duplicates
            SELECT number, {literal(f"{'+'.join(key)}:duplicate")}
            FROM temp.judged JOIN (
                SELECT {held}, min(number) AS earliest FROM temp.judged WHERE faults = '' AND {present}
                GROUP BY {held} HAVING count(*) > 1
            ) USING ({held})
            WHERE faults = '' AND number > earliest
        """)


def _write(con: duckdb.DuckDBPyConnection, contract: Contract, staged: _Staged, source_rows: int) -> None:
    data = [f"v{place} AS {quoted(column.name)}" for place, column in enumerate(contract.columns)]
    if contract.subject_column == ROW:
        data.append(f"number AS {ROW}")
    data += [f"{staged.places[name]} AS {quoted(name)}" for name in staged.unknown]
    received = [f"CAST({place} AS VARCHAR) AS {quoted(name)}" for name, place in staged.places.items()]
    con.execute(f"""
        CREATE TABLE candidate.main.data AS
        SELECT {", ".join(data)} FROM temp.judged
        WHERE faults = '' AND number NOT IN (SELECT number FROM temp.duplicates)
    """)
    con.execute(f"""
        CREATE TABLE candidate.main.quarantine AS
        WITH reasons AS (
            SELECT number, string_split(faults, {_SEPARATOR}) AS found FROM temp.judged WHERE faults <> ''
            UNION ALL
            SELECT number, list(fault ORDER BY fault) FROM temp.duplicates GROUP BY number
        )
        SELECT number AS {ROW}, found AS _reasons, CAST(NULL AS VARCHAR) AS _line, {", ".join(received)}
        FROM reasons JOIN temp.staged ON number = staged.rowid + 1
        UNION ALL BY NAME
        SELECT ['malformed line'] AS _reasons, line AS _line FROM temp.malformed
    """)
    con.execute("CREATE TABLE candidate.main.evidence (name VARCHAR, value DOUBLE)")
    con.executemany(
        "INSERT INTO candidate.main.evidence VALUES ($name, $value)",
        [
            {"name": "source_rows", "value": source_rows},
            {"name": "data_rows", "value": _count(con, "candidate.main.data")},
            {"name": "quarantined_rows", "value": _count(con, "candidate.main.quarantine")},
            {"name": "unknown_columns", "value": len(staged.unknown)},
        ],
    )


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0


def _encoding(source: Source, place: str) -> str:
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
def _source_errors(source: Source, place: str) -> Iterator[None]:
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


def _unreadable(source: Source, place: str, found: str) -> BadSource:
    how = f"{source.encoding}, delimiter {source.delimiter!r}, one kind of line end"
    return BadSource(
        Fault(
            f"the source cannot be read as {source.format}",
            where=place,
            expected="Parquet that is not encrypted" if source.format == "parquet" else how,
            found=found,
            next_step="deliver the file again, or mend the contract's server",
        )
    )
