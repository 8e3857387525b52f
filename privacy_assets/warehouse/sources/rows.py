"""Rows of any source on their way into a candidate: staged as they came, judged by the contract, written.

Belongs here: what a promise means for a value that was received. Does not belong here: where rows come from
(`files.py`, `postgres.py`, `generator.py`), how much quarantine is too much (an invariant).

What it writes into the candidate, in one transaction:

    data        the contract's columns in its order and types, `_row` where every row is another person, then columns
                that the contract does not know, as text
    quarantine  `_row`, `_reasons`, `_line` and every column as it was received, as text
    evidence    (name, value): source_rows, data_rows, quarantined_rows, unknown_columns

A reason is `<column>:<fault>`, never a value: `unreadable` (not of its type, not without loss, or a date outside of the
years 1 to 9999), `missing` (required, or the key), `no subject`, `outside domain`, `duplicate` (of a key or a unique
column; the first row in the order of the source stays), or `malformed line` for text that is no row; such a line has no
`_row`, and its text is in `_line`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import duckdb

from privacy_assets.contracts.contract import ROW, Contract, ContractColumn, Files
from privacy_assets.errors import BadSource, Fault
from privacy_assets.warehouse.connections import engine_errors, literal, quoted

_RESERVED = (ROW, "_reasons", "_line")
_INTEGERS = {f"{sign}{size}" for sign in ("", "U") for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")}
_SPACE = "E' \\t\\r\\n'"
_UNSEEN = r"[\s\p{Z}\p{Cc}\p{Cf}\x{034F}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{2800}\x{3164}\x{FFA0}\x{FE00}-\x{FE0F}]"
"""What leaves no mark: space, controls, and letters and marks that are drawn as nothing."""
_SEPARATOR = "chr(31)"


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was delivered: its columns' names and engine types, in order; `place` is what to call it."""

    place: str
    names: tuple[str, ...]
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Staged:
    """Where each column lies in the staging table `temp.staged`: its name -> its place (`c0`, `c1`, …).

    `promised` are the columns that every table holds in the contract's own type, with that type; all others are there
    as text. Row n of the source has rowid n - 1.
    """

    places: Mapping[str, str]
    promised: Mapping[str, str]
    unknown: tuple[str, ...]

    def held(self, name: str) -> str:
        """The place of a column, however it is capitalized where the contract does not know it."""
        if name in self.places:
            return self.places[name]
        return next(place for known, place in self.places.items() if known.lower() == name.lower())

    def cells(self, table: Table) -> dict[str, str]:
        """SQL of each column of a delivered table, cast for `temp.staged`, by its place there."""
        return {
            self.held(name): f"CAST({quoted(name)} AS {self.promised.get(name, 'VARCHAR')})" for name in table.names
        }


def header_faults(table: Table, contract: Contract) -> Iterator[Fault]:
    """What makes it impossible to take the table in: columns that are missing, or cannot be told apart."""
    # Names that were found are not shown: where the header is missing they are the first person's values.
    found = f"{len(table.names)} columns"
    for column in contract.columns:
        if column.name not in table.names:
            yield Fault(
                f"the column {column.name} is missing in the source",
                where=table.place,
                expected=f"a column {column.name} ({column.type}), as {contract.path} promises",
                found=found,
                next_step="deliver the column, or release a new major version of the contract without it",
            )
    if any("\0" in name for name in table.names):
        yield Fault(
            "a column of the source has a name that no table can keep",
            where=table.place,
            expected="names without a NUL character",
            found=found,
            next_step="rename the column in the source",
        )
    folded = [name.lower() for name in table.names]
    if len(set(folded)) < len(folded) or any(name in _RESERVED for name in folded):
        yield Fault(
            "columns of the source cannot be told apart",
            where=table.place,
            expected=f"names that differ in more than case, none of them {', '.join(_RESERVED)}",
            found=found,
            next_step="rename the columns in the source",
        )


def stage(con: duckdb.DuckDBPyConnection, contract: Contract, tables: Iterable[Table]) -> Staged:
    """Make room for the rows of these tables: `temp.staged`, and `temp.malformed` for lines that are no rows."""
    known = [column.name for column in contract.columns]
    unknown: dict[str, str] = {}
    held_as = [dict(zip(table.names, table.types, strict=True)) for table in tables]
    for held in held_as:
        for name in held:
            if name not in known:
                unknown.setdefault(name.lower(), name)
    places = {name: f"c{place}" for place, name in enumerate((*known, *unknown.values()))}
    promised = {
        column.name: column.type
        for column in contract.columns
        if {held[column.name] for held in held_as} == {column.type}
    }
    rooms = ", ".join(f"{place} {promised.get(name, 'VARCHAR')}" for name, place in places.items())
    with engine_errors("making room for the source"):
        con.execute(f"CREATE TEMP TABLE staged ({rooms})")
        con.execute("CREATE TEMP TABLE malformed (line VARCHAR)")
    return Staged(places, promised, tuple(unknown.values()))


def settle(con: duckdb.DuckDBPyConnection, contract: Contract, staged: Staged) -> None:
    """Judge what is staged, and write it into `candidate.main`: every row, or nothing. Raises BadSource without one."""
    with engine_errors("sorting rows of the source into data and quarantine"):
        _judge(con, contract, staged)
        _mark_duplicates(con, contract)
        source_rows = count(con, "temp.staged") + count(con, "temp.malformed")
        if source_rows == 0:
            below = isinstance(contract.source, Files) and contract.source.format == "csv"
            header = below and contract.source.reading.header  # type: ignore[union-attr]
            raise BadSource.of(
                "the source has no row",
                where=contract.source.place,
                expected="at least one row" + (" below the header" if header else ""),
                next_step="deliver it again",
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


def _judge(con: duckdb.DuckDBPyConnection, contract: Contract, staged: Staged) -> None:
    """`temp.judged`: each row as it will be written, were it without faults; `temp.findings`: the rows that have some.

    `judged` is a view: what a value is costs less than to keep it twice. It gives a value also where reading it would
    lose something, so it holds only for rows that are not among the findings.
    """
    source = contract.source
    reading = source.reading if isinstance(source, Files) and source.format == "csv" else None
    texts, values, whens, found = [], [], [], []
    for place, column in enumerate(contract.columns):
        text = staged.places[column.name]
        if reading is not None:
            text = f"trim({text}, {_SPACE})" if reading.trim else text
            if reading.null_text:
                text = f"CASE WHEN {text} NOT IN ({', '.join(map(literal, reading.null_text))}) THEN {text} END"
        texts.append(f"{text} AS t{place}")
        cast, faithful = _reading(column.type, f"t{place}")
        if column.name in staged.promised:
            cast, faithful = f"t{place}", _finite(column.type, f"t{place}")
        values.append(f"{cast} AS v{place}")
        faults = _faults(contract, column, f"t{place}", f"v{place}", faithful)
        whens += [condition for condition, _ in faults]
        cases = " ".join(f"WHEN {condition} THEN {literal(f'{column.name}:{fault}')}" for condition, fault in faults)
        found.append(f"CASE {cases} END" if cases else "NULL")
    any_of = " OR ".join(f"({condition})" for condition in whens) or "false"
    con.execute(f"""
        CREATE TEMP VIEW judged AS
        SELECT *, ({any_of}) IS TRUE AS has_fault FROM (
            SELECT *, {", ".join(values)} FROM (SELECT rowid + 1 AS number, *, {", ".join(texts)} FROM temp.staged)
        )
    """)
    con.execute(f"""
        CREATE TEMP TABLE findings AS
        SELECT number, concat_ws({_SEPARATOR}, {", ".join(found)}) AS faults FROM temp.judged WHERE has_fault
    """)


def read_as(type_: str, text: str) -> str:
    """The SQL of the value that the text means, NULL where it means none of this type, or would lose something.

    The engine's own cast rounds 1.7 to 1, takes the time of day off a date and the offset off a timestamp.
    """
    cast, faithful = _reading(type_, text)
    return f"CASE WHEN {faithful} THEN {cast} END" if faithful else cast


def _reading(type_: str, text: str) -> tuple[str, str]:
    """The SQL of the engine's cast, and of whether it is what the text means ("": always, where it is not NULL).

    Where the second is a comparison with the text again, that is for speed: it spares nearly every row the pattern.
    """
    cast = f"TRY_CAST({text} AS {type_})"
    kind = type_.upper()
    if kind == "VARCHAR":
        return text, ""
    if kind in _INTEGERS:
        return cast, _same(cast, text, r"\s*[+-]?\d+(\.0*)?\s*")
    if kind.startswith("DECIMAL("):
        scale = int(kind.rstrip(")").partition(",")[2] or 0)
        return cast, _same(cast, text, rf"\s*[+-]?\d*(\.\d{{0,{scale}}}0*)?\s*")
    if kind in ("DOUBLE", "FLOAT"):
        return cast, f"(isfinite({cast}) AND NOT contains({text}, '_'))"
    if kind == "DATE":
        same = _same(cast, text, r"\s*\d{4}[-/]\d{1,2}[-/]\d{1,2}([ T]00:00(:00(\.0+)?)?)?\s*")
        return cast, f"({_BEGINS_WITH_DIGIT.format(text)} AND NOT contains({text}, '(') AND {same})"
    if kind == "TIMESTAMP":
        # Read without an offset it costs a fourth, and is the same where it is written as the engine writes it.
        plain = f"CAST({cast} AS VARCHAR) = {text}"
        zoned = f"(TRY_CAST({text} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')"
        # no place on earth is further from UTC than 14 hours
        near = rf"NOT regexp_matches({text}, ':\d\d(\.\d+)?\s*[+-](1[5-9]|[2-9]\d)')"
        return (
            f"CASE WHEN {plain} THEN {cast} ELSE {zoned} END",
            f"({_BEGINS_WITH_DIGIT.format(f'ltrim({text}, {_SPACE})')} AND ({plain} OR {near}))",
        )
    return cast, ""


_BEGINS_WITH_DIGIT = "({0} >= '0' AND {0} < ':')"


def _same(cast: str, text: str, pattern: str) -> str:
    return f"(CAST({cast} AS VARCHAR) = {text} OR regexp_full_match({text}, '{pattern}'))"


def _finite(type_: str, value: str) -> str:
    """Of a value that has the contract's type already."""
    return f"isfinite({value})" if type_.upper() in ("DOUBLE", "FLOAT") else ""


def _faults(contract: Contract, column: ContractColumn, text: str, value: str, faithful: str) -> list[tuple[str, str]]:
    """The SQL of each condition with the fault that it is; of those that hold the first counts."""
    cases = []
    if column.name == contract.subject_column:
        cases.append((f"{text} IS NULL", "no subject"))
        if column.type.upper() == "VARCHAR" and (contract.privacy.consents or contract.privacy.consent_records):
            # Decisions are matched by the subject as it is written: so spelt, a refusal would be nobody's.
            cases.append((f"regexp_matches({text}, '^{_UNSEEN}|{_UNSEEN}$')", "space around it"))
    elif column.required or column.name in contract.primary_key:
        cases.append((f"{text} IS NULL", "missing"))
    if value_differs := column.type.upper() != "VARCHAR":
        unfaithful = f" OR ({faithful}) IS NOT TRUE" if faithful else ""
        cases.append((f"{text} IS NOT NULL AND ({value} IS NULL{unfaithful})", "unreadable"))
    if value_differs and (kind := column.type.upper()) in ("DATE", "TIMESTAMP"):
        # Later steps add days to dates: beyond these years the engine would fail there.
        cases.append((f"{value} NOT BETWEEN {kind} '0001-01-01' AND {kind} '9999-12-31 23:59:59'", "unreadable"))
    if column.domain is not None:
        allowed = ", ".join(f"TRY_CAST({literal(member)} AS {column.type})" for member in column.domain)
        cases.append((f"{value} IS NOT NULL AND ({value} IN ({allowed})) IS NOT TRUE", "outside domain"))
    return cases


def _mark_duplicates(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Of the rows without other faults: all but the first that share a primary key or a unique value."""
    con.execute("CREATE TEMP TABLE duplicates (number BIGINT, fault VARCHAR)")
    places = {column.name: f"v{place}" for place, column in enumerate(contract.columns)}
    keys = [contract.primary_key] if contract.primary_key else []
    keys += [(column.name,) for column in contract.columns if column.unique and (column.name,) not in keys]
    sound = _sound(con)
    for key in keys:
        held = ", ".join(places[name] for name in key)
        present = " AND ".join(f"{places[name]} IS NOT NULL" for name in key)
        con.execute(f"""
            INSERT INTO temp.duplicates
            SELECT number, {literal(f"{'+'.join(key)}:duplicate")}
            FROM temp.judged JOIN (
                SELECT {held}, min(number) AS earliest FROM temp.judged WHERE {sound} AND {present}
                GROUP BY {held} HAVING count(*) > 1
            ) USING ({held})
            WHERE {sound} AND number > earliest
        """)


def _sound(con: duckdb.DuckDBPyConnection) -> str:
    """The SQL of whether a row has no fault of its own; where no row has one nobody asks.

    It is asked of the row, not of the findings: a join would not keep the order of the rows.
    """
    return "NOT has_fault" if count(con, "temp.findings") else "true"


def _write(con: duckdb.DuckDBPyConnection, contract: Contract, staged: Staged, source_rows: int) -> None:
    data = [f"v{place} AS {quoted(column.name)}" for place, column in enumerate(contract.columns)]
    if contract.subject_column == ROW:
        data.append(f"number AS {ROW}")
    data += [f"{staged.places[name]} AS {quoted(name)}" for name in staged.unknown]
    received = [f"CAST({place} AS VARCHAR) AS {quoted(name)}" for name, place in staged.places.items()]
    not_twice = "AND number NOT IN (SELECT number FROM temp.duplicates)" if count(con, "temp.duplicates") else ""
    con.execute(f"""
        CREATE TABLE candidate.main.data AS
        SELECT {", ".join(data)} FROM temp.judged WHERE {_sound(con)} {not_twice}
    """)
    con.execute(f"""
        CREATE TABLE candidate.main.quarantine AS
        WITH reasons AS (
            SELECT number, string_split(faults, {_SEPARATOR}) AS found FROM temp.findings
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
            {"name": "data_rows", "value": count(con, "candidate.main.data")},
            {"name": "quarantined_rows", "value": count(con, "candidate.main.quarantine")},
            {"name": "unknown_columns", "value": len(staged.unknown)},
        ],
    )


def count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    """How many rows a table (written as in SQL) has."""
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0
