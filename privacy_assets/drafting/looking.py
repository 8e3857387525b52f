"""What files are, and what is counted of each of their columns.

Belongs here: format, delimiter, header and encoding of files that nobody has described, and counting. Does not belong
here: what a column says about a person (`judging.py`), taking rows in (`warehouse/sources`).

Nothing is written but what the engine may spill, encrypted. No value leaves but in memory: in a sample, and those that
so many people share that they are nobody's own.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl

from privacy_assets.contracts.contract import (
    ROW,
    Contract,
    ContractColumn,
    DatasetPrivacy,
    Files,
    Generator,
    Postgres,
    Reading,
    Source,
)
from privacy_assets.drafting.addresses import is_address, source_at
from privacy_assets.drafting.combinations import Codes
from privacy_assets.drafting.detectors import DETECTORS
from privacy_assets.drafting.judging import SAMPLED, Facts
from privacy_assets.drafting.naming import are_values, name_somebody
from privacy_assets.errors import BadSource
from privacy_assets.warehouse.connections import engine_errors, literal, quoted
from privacy_assets.warehouse.sources import days, files, find, opened
from privacy_assets.warehouse.sources import rows as rows_of
from privacy_assets.words import LawfulBasis

ROWS = 1_000_000
"""So many rows of each file are counted; what comes after them is measured when the files are taken in."""

SHARED, CATEGORIES = 100, 50
"""Text is a category where at least so many people have each of its values, and there are at most so many of these.

Where no column tells people apart every row counts as another person.
"""

SubjectOf = Callable[[Sequence[Facts]], str | None]
"""Which of the columns names a person, if one does."""

NULLS = ("NA", "N/A", "n/a", "NULL", "null", "None", "nan", "NaN", "?", "-", ".")
"""How programs write that there is no value."""

SPACE = " \t\r\n"
"""What a contract that says `trim` takes away."""

_KNOWN = "CSV, TSV, Parquet or newline-delimited JSON"
_DELIMITERS = (",", ";", "\t", "|", " ")
_PEEK = 1 << 18
_MAGIC = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
}
_YEAR = re.compile(r"(19|20)[0-9]{2}")
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,:/ -]*%?")


@dataclass(frozen=True, slots=True)
class Look:
    """What was found: how the files are read, their columns in order, and how many rows were counted.

    `codes` has for each column a number a row (of at most `ROWS` rows, drawn by chance), alike where its values are.
    """

    source: Files | Postgres
    columns: tuple[Facts, ...]
    rows: int
    codes: tuple[Codes, ...] = ()


def _nobody(columns: Sequence[Facts]) -> None:
    """No column names a person."""


def look(given: str, root: Path, subject_of: SubjectOf = _nobody) -> Look:
    """Look at the files that a pattern names (relative to `root`, as in a contract), or at what is at an address.

    `subject_of` is asked before it is counted how many people share a value, so its columns have no such values.

    Raises BadSource where they cannot be read, are empty or hold no table.
    """
    if is_address(given):
        source = source_at(given)
        if isinstance(source, Files):
            source = _described(source, files.find(source, root).files[0])
        return _through(source, root, subject_of)
    found = files.find(Files("local", given, "csv"), root).files
    source = _described(Files("local", given, "csv"), found[0])
    if source.format == "ndjson":
        return _through(source, root, subject_of)
    return _looked(source, tuple(Path(file.url) for file in found), subject_of)


def _through(source: Files | Postgres, root: Path, subject_of: SubjectOf) -> Look:
    """Look at a source as it is taken in: all of it."""
    if isinstance(source, Files) and source.format == "csv" and not source.reading.header:
        raise BadSource.of(
            "the first line does not name the columns", where=source.place, expected="a header",
            next_step="deliver it with one, or copy a file of it to this machine and draft that",
        )  # fmt: skip
    nobody = DatasetPrivacy(subject=None, lawful_bases=(LawfulBasis.LEGITIMATE_INTERESTS,))
    contract = Contract("draft", "1.0.0", "", "", "", (), (), nobody, source, None, "the draft", "")
    found = look_at(contract, root, subject_of)
    return Look(source, found.columns, found.rows, found.codes)


def _looked(source: Files, paths: Sequence[Path], subject_of: SubjectOf) -> Look:
    pattern = source.path
    with _connected(paths) as con, engine_errors("looking at the source"):
        names = _staged(con, source, paths)
        if source.format == "csv" and not source.reading.trim and _has_space(con, len(names)):
            # further down than was peeked: what is looked at has to be what is taken in
            source = replace(source, reading=source.reading.model_copy(update={"trim": True}))
            con.execute("DROP TABLE staged")
            names = _staged(con, source, paths)
        rows = int((con.execute("SELECT count(*) FROM staged").fetchone() or (0,))[0])
        if not rows:
            raise BadSource.of("the source has no row", where=pattern, next_step="deliver the file again")
        places = {name: f"c{place}" for place, name in enumerate(names)}
        columns = _columns(con, places, rows, subject_of)
        codes = _codes(con, len(names), rows)
    return Look(source, columns, rows, codes)


@dataclass(frozen=True, slots=True)
class Against:
    """What a declared column's values are beside its promise: how many do not read as its type, how many rows hold a
    value outside of its domain, how many different ones these are, and those that are common (`SHARED`)."""

    unread: int
    outside: int = 0
    outside_different: int = 0
    outside_common: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a contract's source holds now: as in `Look`, and how its declared columns are beside what is declared."""

    columns: tuple[Facts, ...]
    rows: int
    codes: tuple[Codes, ...]
    against: Mapping[str, Against]


def look_at(contract: Contract, root: Path, subject_of: SubjectOf | None = None) -> Delivered:
    """Look at the source that a contract names, of whatever kind it is, read as the contract says.

    Its subject is that of the contract, unless `subject_of` is asked.
    Where it comes day by day, its last day is looked at: what came before has been taken in as it was.
    Raises BadSource where it cannot be read, or has no row.
    """
    source = contract.source
    # without columns nothing is missing, and all that is there comes as text; some names stand in the contract alone
    unnamed = isinstance(source, Generator) or (
        isinstance(source, Files) and source.format == "csv" and not source.reading.header
    )
    asked = contract if unnamed else replace(contract, columns=())
    day = next(reversed(tuple(days(contract, root).taken)), "")
    with (
        TemporaryDirectory(prefix="privacy_assets_") as spill,
        opened(contract, root, Path(spill), None, day=day) as con,
    ):
        delivered = find(contract, root, day=day)
        if isinstance(delivered, files.Delivered):
            _check_not_empty(delivered)
        # the digest is not kept, so its key need not be
        staged, _ = delivered.stage(con, asked, secrets.token_bytes(32))
        with engine_errors("looking at the source"):
            rows = _as_read(con, source, len(staged.places))
            if not rows:
                raise BadSource.of(
                    "the source has no row that can be read", where=source.place,
                    next_step="deliver it again, or mend how the contract reads it",
                )  # fmt: skip
            subject = contract.subject_column if contract.subject_column != ROW else None
            columns = _columns(con, staged.places, rows, subject_of or (lambda _: subject))
            declared = {column.name: column for column in contract.columns}
            against = {
                name: _against(con, declared[name], place, _each(staged.places, subject))
                for name, place in staged.places.items()
                if name in declared
            }
            codes = _codes(con, len(staged.places), rows)
    return Delivered(columns, rows, codes, against)


def _check_not_empty(delivered: files.Delivered) -> None:
    """Without a header there are no columns, of which a table has one at least."""
    for file in delivered.files:
        with file.open() as stream:
            if not stream.read(2).strip():
                raise BadSource.of("the file is empty", where=delivered.source.place, next_step="deliver it again")


def _as_read(con: duckdb.DuckDBPyConnection, source: Source, columns: int) -> int:
    """Put the view `staged` over what was received, as the contract's reading wants it; how many rows it has."""
    con.execute("ALTER TABLE temp.staged RENAME TO received")
    reading = source.reading if isinstance(source, Files) and source.format == "csv" else None
    cells = []
    for place in range(columns):
        cell = text = _trimmed(f"c{place}") if reading and reading.trim else f"c{place}"
        if reading and reading.null_text:
            cell = f"CASE WHEN {text} NOT IN ({', '.join(map(literal, reading.null_text))}) THEN {text} END"
        cells.append(f"{cell} AS c{place}")
    con.execute(f"CREATE TEMP VIEW staged AS SELECT {', '.join(cells)} FROM temp.received")
    return int((con.execute("SELECT count(*) FROM staged").fetchone() or (0,))[0])


def _against(con: duckdb.DuckDBPyConnection, column: ContractColumn, place: str, each: str) -> Against:
    value = rows_of.read_as(column.type, place)
    (unread,) = con.execute(
        f"SELECT count(*) FROM staged WHERE {place} IS NOT NULL AND {value} IS NULL"
    ).fetchone() or (0,)
    if column.domain is None:
        return Against(unread)
    known = ", ".join(map(literal, column.domain))
    counted = f"SELECT CAST({value} AS VARCHAR) AS value, count(*) AS often, {each} AS people FROM staged GROUP BY 1"
    rows, different, common = con.execute(
        "SELECT coalesce(sum(often), 0)::BIGINT, count(*), "
        f"list(value ORDER BY value) FILTER (WHERE people >= {SHARED}) FROM ({counted}) WHERE value NOT IN ({known})"
    ).fetchone() or (0, 0, None)
    return Against(unread, rows, different, tuple(_nobodys(common or ())))


def _each(places: Mapping[str, str], subject: str | None) -> str:
    """The SQL of how many people some rows are of; of a subject that is not there, none is known."""
    return "count(*)" if subject is None else f"count(DISTINCT {places.get(subject, 'NULL')})"


def _nobodys(values: Sequence[str]) -> list[str]:
    """The values that may be written down: none that names somebody, however many share it."""
    named = name_somebody(pl.Series(values, dtype=pl.String))
    return [value for value, is_somebody in zip(values, named, strict=True) if not is_somebody]


def _described(source: Files, file: files.File) -> Files:
    """The source with what its first file says of all of them: format, delimiter, header, encoding."""
    pattern = source.path
    with file.open() as stream:
        head = stream.read(_PEEK)
    if head.startswith(b"PAR1"):
        return replace(source, format="parquet")
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            raise BadSource.of(
                "the file is no table of text", where=pattern, expected=_KNOWN, found=what,
                next_step="unpack or export it first",
            )  # fmt: skip
    if not head.strip():
        raise BadSource.of("the file is empty", where=pattern, next_step="deliver the file again")
    encoding, text = _decoded(file, head, pattern)
    lines = text[: text.rfind("\n") + 1] or text
    if encoding == "utf-8" and _holds_object(lines.lstrip().partition("\n")[0]):
        return replace(source, format="ndjson")
    delimiter, rows = _delimited(lines)
    ((cells, often),) = Counter(map(len, rows)).most_common(1) or [(0, 0)]
    if rows and len(rows[0]) != cells and often > 1:
        raise BadSource.of(
            "the first line is neither a header nor a row", where=pattern, expected=f"{cells} cells, as in most lines",
            found=f"{len(rows[0])} cells", next_step="take what stands above the table away, or mend the header",
        )  # fmt: skip
    if cells == 1 and (later := _table_below(lines)):
        raise BadSource.of(
            "lines stand above the table", where=pattern, expected="the header in the first line",
            found=f"a table from line {later} on", next_step="take what stands above it away",
        )  # fmt: skip
    trim = any(cell != cell.strip(SPACE) for row in rows for cell in row)
    rows = [[cell.strip() for cell in row] for row in rows]
    if not any(any(row) for row in rows):  # a mark of the encoding, delimiters
        raise BadSource.of("the file is empty", where=pattern, next_step="deliver the file again")
    header = _has_header(rows)
    held = {cell for row in rows[header:] for cell in row}
    nulls = ("", *(text for text in NULLS if text in held))
    reading = Reading(header=header, null_text=nulls, trim=trim)
    return replace(source, delimiter=delimiter, encoding=encoding, reading=reading)


def _holds_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _decoded(file: files.File, head: bytes, pattern: str) -> tuple[str, str]:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return "utf-16", codecs.getincrementaldecoder("utf-16")().decode(head)
        except UnicodeDecodeError:
            raise BadSource.of(
                "the file cannot be read as UTF-16, which it says it is", where=pattern,
                next_step="deliver it again, or export it as UTF-8",
            ) from None  # fmt: skip
    if b"\0" in head:
        raise BadSource.of(
            "the file is no table of text", where=pattern, expected=_KNOWN, found="NUL bytes",
            next_step="export it as CSV or Parquet first",
        )  # fmt: skip
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        text = decoder.decode(head)
        with file.open() as stream:
            stream.read(len(head))
            while chunk := stream.read(1 << 20):
                decoder.decode(chunk)
    except UnicodeDecodeError:
        return "latin-1", head.decode("latin-1")
    return "utf-8", text


def _delimited(lines: str) -> tuple[str, list[list[str]]]:
    """The delimiter by which most lines have one number of cells, and the rows by it."""
    best: tuple[float, str, list[list[str]]] | None = None
    for delimiter in _DELIMITERS:
        try:
            rows = [row for row in csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter) if row][:1000]
        except csv.Error:
            continue
        ((cells, often),) = Counter(map(len, rows)).most_common(1) or [(0, 0)]
        if cells > 1 and often >= 0.9 * len(rows):
            weight = often / len(rows) * (1 if delimiter != " " else 0.5) + min(cells, 50) / 1000
            if best is None or weight > best[0]:
                best = weight, delimiter, rows
    if best is None:
        return ",", [[line] for line in lines.splitlines() if line][:1000]
    return best[1], best[2]


def _table_below(lines: str) -> int | None:
    """The line from which on all have one delimiter as often, where those above do not; None where there is none."""
    texts = [line for line in lines.splitlines() if line.strip()][:1000]
    for delimiter in _DELIMITERS[:-1]:
        counts = [line.count(delimiter) for line in texts]
        start = len(counts)
        while start and counts[start - 1] == counts[-1] > 0:
            start -= 1
        if 0 < start <= len(counts) - 2:
            return start + 1
    return None


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names columns: mostly words, none of them a value below it or a person's.

    Two of a name are a fault of the header, which is refused, and no row.
    """
    first, below = rows[0], rows[1:]
    if not all(first):
        return False
    columns = [[row[place] for row in below if place < len(row)] for place in range(len(first))]
    # a year can be what a column is called, among words, if it is not above years; any other number is somebody's
    numbers = [place for place, cell in enumerate(first) if _NUMBER.fullmatch(cell)]
    if 2 * len(numbers) > len(first) or not all(_YEAR.fullmatch(first[place]) for place in numbers):
        return False
    if any(_YEAR.fullmatch(cell) for place in numbers for cell in columns[place]):
        return False
    if any(cell in column for cell, column in zip(first, columns, strict=True)):
        return False
    stands_over_numbers = any(
        cell not in NULLS and 2 * sum(bool(_NUMBER.fullmatch(value)) for value in column) > len(column)
        for cell, column in zip(first, columns, strict=True)
    )
    return not _is_somebody(first, also_by_name=not stands_over_numbers)


def _is_somebody(cells: Sequence[str], *, also_by_name: bool) -> bool:
    """Whether a row could be a person's: then it is none of headers, which are shown and written down.

    Names and places are words as well, so they are asked for only where nothing else says that the row is a header.
    """
    row = pl.Series(cells, dtype=pl.String)
    if are_values(row).any():
        return True
    by_name = DETECTORS["person_name"].fits(row) & row.str.contains(r"^\p{Lu}\p{Ll}+(?: |$)")
    return also_by_name and bool(by_name.any())


def _connected(paths: Sequence[Path]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
    named = ", ".join(literal(str(path)) for path in paths)
    # nothing is spilled: what does not fit into memory is an error, and no value lies on the disk
    for setting in ("temp_directory = ''", f"allowed_paths = [{named}]", "python_enable_replacements = false",
                    "enable_external_access = false", "lock_configuration = true"):  # fmt: skip
        con.execute(f"SET {setting}")
    return con


def _staged(con: duckdb.DuckDBPyConnection, source: Files, paths: Sequence[Path]) -> list[str]:
    """The table `staged` of texts c0, c1, … as the contract will read them; the names of its columns."""
    names: list[str] = []
    for number, path in enumerate(paths):
        here = _names(con, source, path)
        if number and here != names:
            raise BadSource.of(
                "the files of the source do not have the same columns", where=source.path,
                expected=f"{len(names)} columns, named alike", found=f"{len(here)} columns in file {number + 1}",
                next_step="draft one of them, or make them alike",
            )  # fmt: skip
        names = here
        if source.format == "parquet":
            cells = ", ".join(f"CAST({quoted(name)} AS VARCHAR)" for name in names)
            rows = f"SELECT {cells} FROM read_parquet({literal(str(path))}, hive_partitioning = false) LIMIT {ROWS}"
        else:
            columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(names)))
            nulls = ", ".join(map(literal, source.reading.null_text))
            cells = ", ".join(
                f"CASE WHEN {text} NOT IN ({nulls}) THEN {text} END"
                for text in (
                    _trimmed(f"c{place}") if source.reading.trim else f"c{place}" for place in range(len(names))
                )
            )
            rows = (
                f"SELECT {cells} FROM read_csv({literal(str(path))}, auto_detect = false, columns = {{{columns}}}, "
                f"header = {str(source.reading.header).lower()}, delim = {literal(source.delimiter)}, quote = '\"', "
                f"escape = '\"', encoding = {literal(source.encoding)}, ignore_errors = true, null_padding = false, "
                f"compression = 'none') LIMIT {ROWS}"
            )
        if not number:
            rooms = ", ".join(f"c{place} VARCHAR" for place in range(len(names)))
            con.execute(f"CREATE TABLE staged ({rooms})")
        con.execute(f"INSERT INTO staged {rows}")
    return names


def _trimmed(cell: str) -> str:
    """As a contract that says `trim` reads it."""
    return f"trim({cell}, E' \\t\\r\\n')"


def _has_space(con: duckdb.DuckDBPyConnection, columns: int) -> bool:
    """Whether there is space around any value."""
    changed = " OR ".join(f"c{place} <> {_trimmed(f'c{place}')}" for place in range(columns))
    return con.execute(f"SELECT coalesce(bool_or({changed}), false) FROM staged").fetchone() == (True,)


def _names(con: duckdb.DuckDBPyConnection, source: Files, path: Path) -> list[str]:
    if source.format == "parquet":
        return [
            str(row[0]) for row in con.execute(f"DESCRIBE SELECT * FROM read_parquet({literal(str(path))})").fetchall()
        ]
    first = files.header(source, files.Local(path), source.path)
    if source.reading.header and len({name.casefold() for name in first}) < len(first):
        raise BadSource.of(
            "columns of the source cannot be told apart", where=source.path,
            expected="names that differ in more than case", found=f"{len(first)} columns",
            next_step="rename the columns in the source; where the first line is a row, put a header above it",
        )  # fmt: skip
    return list(first) if source.reading.header else [f"column_{at}" for at in range(1, len(first) + 1)]


def _columns(
    con: duckdb.DuckDBPyConnection, places: Mapping[str, str], rows: int, subject_of: SubjectOf
) -> tuple[Facts, ...]:
    columns = [_facts(con, name, place, rows) for name, place in places.items()]
    each = _each(places, subject_of(columns))
    return tuple(_with_common(con, facts, places[facts.name], each) for facts in columns)


def _facts(con: duckdb.DuckDBPyConnection, name: str, place: str, rows: int) -> Facts:
    filled, distinct = con.execute(f"SELECT count({place}), count(DISTINCT {place}) FROM staged").fetchone() or (0, 0)
    sampled = con.execute(
        f"SELECT value FROM (SELECT DISTINCT {place} AS value FROM staged WHERE {place} IS NOT NULL) "
        f"ORDER BY hash(value) LIMIT {SAMPLED}"
    ).to_arrow_table()
    sample = pl.DataFrame(pl.from_arrow(sampled), schema={"value": pl.String})["value"]
    return Facts(name, _type(con, place, sample), rows, filled, distinct, sample)


def _with_common(con: duckdb.DuckDBPyConnection, facts: Facts, place: str, each: str) -> Facts:
    """What is known of a column, with the values that are common."""
    # where nearly every value is another one, none can be common
    if facts.type != "VARCHAR" or facts.distinct < 2 or facts.filled - facts.distinct < SHARED - 1:
        return facts
    counted = con.execute(
        f"SELECT {place}, count(*) FROM staged WHERE {place} IS NOT NULL GROUP BY 1 HAVING {each} >= {SHARED} "
        f"ORDER BY 2 DESC, 1 LIMIT {CATEGORIES}"
    ).fetchall()
    often: dict[str, int] = dict(counted)
    common = tuple(sorted(_nobodys(list(often))))
    if len(common) == facts.distinct:
        return replace(facts, shared=common)
    return replace(facts, common=common, common_rows=sum(often[value] for value in common))


def _codes(con: duckdb.DuckDBPyConnection, columns: int, rows: int) -> tuple[Codes, ...]:
    """The engine's own hashes of 64 bits: two values of a million that share one are a chance of 1 to 36 million."""
    hashed = ", ".join(f"hash(c{place}) AS c{place}" for place in range(columns))
    drawn = f" USING SAMPLE reservoir({ROWS} ROWS) REPEATABLE (0)" if rows > ROWS else ""
    found = con.execute(f"SELECT {hashed} FROM staged{drawn}").fetchnumpy()
    return tuple(found[f"c{place}"] for place in range(columns))


_TYPES = ("BOOLEAN", "BIGINT", "DOUBLE", "DATE", "TIMESTAMP")


def _type(con: duckdb.DuckDBPyConnection, place: str, sample: pl.Series) -> str:
    """The first type that every value reads as, by the rules of those who take rows in; else text.

    Digits after a leading zero are text: a postal code or a number of somebody, which a number would cut.
    """
    if sample.is_empty() or sample.str.contains(r"^[+-]?0[0-9]").any():
        return "VARCHAR"
    for type_ in _TYPES:
        if type_ == "BOOLEAN" and not sample.str.to_lowercase().is_in(["true", "false"]).all():
            continue
        con.register("sampled", sample.rename("value").to_frame().to_arrow())
        few = con.execute(f"SELECT bool_and({rows_of.read_as(type_, 'value')} IS NOT NULL) FROM sampled").fetchone()
        con.unregister("sampled")
        if few != (True,):
            continue
        unread = con.execute(
            f"SELECT count(*) FROM staged WHERE {place} IS NOT NULL AND {rows_of.read_as(type_, place)} IS NULL"
        ).fetchone()
        if unread == (0,):
            return "VARCHAR" if type_ == "DOUBLE" and _loses_digits(con, place) else type_
    return "VARCHAR"


def _loses_digits(con: duckdb.DuckDBPyConnection, place: str) -> bool:
    """Whether numbers would be others as DOUBLE: whole ones with more than 15 digits, or two that become one."""
    digits = f"length(ltrim(regexp_replace({place}, '[eE].*|[^0-9]', '', 'g'), '0')) > 15"
    lost = con.execute(
        f"SELECT coalesce(bool_or(regexp_matches({place}, '^\\s*[+-]?0*[1-9][0-9]{{15}}')), false) "
        f"OR count(DISTINCT {place}) FILTER ({digits}) > count(DISTINCT CAST({place} AS DOUBLE)) FILTER ({digits}) "
        "FROM staged"
    ).fetchone()
    return lost == (True,)
