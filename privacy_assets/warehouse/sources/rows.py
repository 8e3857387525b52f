"""Rows of any source on their way into a candidate: staged as they came, judged by the contract, written.

Belongs here: what a promise means for a value that was received. Does not belong here: where rows come from
(`files.py`, `postgres.py`, `generator.py`), how much quarantine is too much (an invariant).

What it writes into the candidate, in one transaction:

    data        the contract's columns in its order and types, `_row` where every row is another person, then columns
                that the contract does not know, as text
    quarantine  `_row`, `_reasons`, `_line` and every column as it was received, as text
    evidence    (name, value): source_rows (without those of the erased), data_rows, quarantined_rows, unknown_columns,
                erased_rows

A reason is `<column>:<fault>`, never a value: `unreadable` (not of its type, not without loss, or a date outside of the
years 1 to 9999), `missing` (required, or the key), `no subject`, `outside domain`, `duplicate` (of a key or a unique
column; the first row in the order of the source stays), or `malformed line` for text that is no row; such a line has no
`_row`, and its text is in `_line`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from privacy_assets.contracts.columns import naming_columns
from privacy_assets.contracts.contract import ROW, Contract, ContractColumn, Files
from privacy_assets.errors import BadSource, Fault
from privacy_assets.warehouse.connections import engine_errors, literal, quoted
from privacy_assets.warehouse.tombstones import Tombstones
from privacy_assets.words import Role

ERASED = "erased_rows"

LINE = "_line"
"""The column of quarantine with the text of a line that is no row."""

_RESERVED = (ROW, "_reasons", LINE)
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
    held = dict(zip(table.names, table.types, strict=True))
    for column in contract.columns:
        identifies = column.name == contract.subject_column or column.privacy.role is Role.DIRECT_IDENTIFIER
        if identifies and column.type.upper() == "VARCHAR" and held.get(column.name) in ("DOUBLE", "FLOAT"):
            # as text it would be 10.0, which no other table calls this person
            yield Fault(
                f"the column {column.name} names people, and holds numbers with a fraction",
                where=table.place,
                expected="text or whole numbers",
                found=held[column.name],
                next_step="deliver it as text or as whole numbers, or promise a whole number's type in the contract",
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


def settle(
    con: duckdb.DuckDBPyConnection, contract: Contract, staged: Staged, tombstones: Tombstones | None = None
) -> None:
    """Judge what is staged, and write it into `candidate.main`: every row, or nothing. Raises BadSource without one.

    Rows of those who were erased are left out, and counted.
    """
    with engine_errors("sorting rows of the source into data and quarantine"):
        erased = _leave_out(con, contract, staged, tombstones) if tombstones else 0
        _judge(con, contract, staged)
        _mark_duplicates(con, contract)
        source_rows = count(con, "temp.staged") + count(con, "temp.malformed")
        if source_rows + erased == 0:
            source = contract.source
            header = isinstance(source, Files) and source.format == "csv" and source.reading.header
            raise BadSource.of(
                "the source has no row",
                where=contract.source.place,
                expected="at least one row" + (" below the header" if header else ""),
                next_step="deliver it again",
            )
        with _whole_or_not(con):
            not_twice = (
                "AND number NOT IN (SELECT number FROM temp.duplicates)" if count(con, "temp.duplicates") else ""
            )
            con.execute(f"""
                CREATE TABLE candidate.main.data AS
                SELECT {_data(contract, staged)} FROM temp.judged WHERE {_sound(con)} {not_twice}
            """)
            _write_quarantine(con, staged, source_rows, erased)
        _clear(con)


def _leave_out(con: duckdb.DuckDBPyConnection, contract: Contract, staged: Staged, tombstones: Tombstones) -> int:
    """Take the rows and lines of those who were erased out of what is staged, before any is written; how many."""
    columns = naming_columns(contract)
    texts = [(naming, as_text(staged.places[naming.name], naming.type)) for naming in columns]
    parts = [(naming, as_text("part", naming.type)) for naming in columns]
    gone = {
        "temp.staged": tombstones.named(con, "temp.staged", texts),
        "temp.malformed": tombstones.lines_naming(con, "temp.malformed", "line", parts),
    }
    taken = 0
    for table, conditions in gone.items():
        if conditions:
            row = con.execute(f"DELETE FROM {table} WHERE {' OR '.join(conditions)}").fetchone()
            taken += int(row[0]) if row else 0
    return taken


def as_text(column: str, type_: str) -> str:
    """The SQL of an identifier as text, written as its type writes it where it can be read as that without loss."""
    text = f"CAST({column} AS VARCHAR)"
    return f"coalesce(CAST({read_as(type_, text)} AS VARCHAR), {text})"


def settle_at_once(
    con: duckdb.DuckDBPyConnection,
    contract: Contract,
    staged: Staged,
    selects: Sequence[str],
    is_whole: Callable[[Sequence[int]], bool],
) -> bool:
    """As `stage` and `settle`, in the one pass that reads; False, and nothing is written, where a row has any fault.

    Each of `selects` is the SQL of a table's rows, by their places in `temp.staged`, which must be empty; `is_whole`
    says whether so many rows of each are all that there are. Most deliveries have no fault: they are spared two passes.
    """
    try:
        with _whole_or_not(con):
            taken: list[int] = []
            for select in selects:
                number = f"row_number() OVER () + {sum(taken)} AS number, " if contract.subject_column == ROW else ""
                into = "INSERT INTO candidate.main.data" if taken else "CREATE TABLE candidate.main.data AS"
                # a table may lack what others have beyond the contract
                of_all = f"SELECT * FROM temp.staged UNION ALL BY NAME {select}" if len(selects) > 1 else select
                judged = _judged(contract, staged, f"SELECT {number}* FROM ({of_all})")
                row = con.execute(f"""
                    {into} SELECT {_data(contract, staged)} FROM ({judged})
                    WHERE CASE WHEN {_has_fault(contract, staged)} THEN error('a row has a fault') ELSE true END
                """).fetchone()
                taken.append(int(row[0]) if row else 0)
            if not any(taken) or not is_whole(taken) or _has_duplicates(con, contract):
                raise _NotSound
            _judge(con, contract, staged)
            _mark_duplicates(con, contract)
            _write_quarantine(con, staged, sum(taken))
    except (duckdb.InternalException, duckdb.FatalException, duckdb.InterruptException):
        raise
    except (_NotSound, duckdb.Error):
        return False
    _clear(con)
    return True


class _NotSound(Exception):
    """Rows are to be looked at one by one."""


@contextmanager
def _whole_or_not(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    con.execute("BEGIN")
    try:
        yield
    except BaseException:
        con.execute("ROLLBACK")
        raise
    con.execute("COMMIT")


def _clear(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("DROP VIEW temp.judged")
    for table in ("staged", "malformed", "findings", "duplicates"):
        con.execute(f"DROP TABLE temp.{table}")


def _judge(con: duckdb.DuckDBPyConnection, contract: Contract, staged: Staged) -> None:
    """`temp.judged`: each row as it will be written, were it without faults; `temp.findings`: the rows that have some.

    `judged` is a view: what a value is costs less than to keep it twice. It gives a value also where reading it would
    lose something, so it holds only for rows that are not among the findings.
    """
    judged = _judged(contract, staged, "SELECT rowid + 1 AS number, * FROM temp.staged")
    con.execute(
        f"CREATE TEMP VIEW judged AS SELECT *, ({_has_fault(contract, staged)}) IS TRUE AS has_fault FROM ({judged})"
    )
    found = ["NULL"]
    for place, column in enumerate(contract.columns):
        cases = [
            f"WHEN {condition} THEN {literal(f'{column.name}:{fault}')}"
            for condition, fault in _faults(contract, column, place, staged)
        ]
        if cases:
            found.append(f"CASE {' '.join(cases)} END")
    con.execute(f"""
        CREATE TEMP TABLE findings AS
        SELECT number, concat_ws({_SEPARATOR}, {", ".join(found)}) AS faults FROM temp.judged WHERE has_fault
    """)


def _judged(contract: Contract, staged: Staged, select: str) -> str:
    """The SQL of the rows of `select` with each column's text (`t0`, …) and value (`v0`, …)."""
    source = contract.source
    reading = source.reading if isinstance(source, Files) and source.format == "csv" else None
    texts, values = [], []
    for place, column in enumerate(contract.columns):
        text = staged.places[column.name]
        if reading is not None:
            text = f"trim({text}, {_SPACE})" if reading.trim else text
            if reading.null_text:
                text = f"CASE WHEN {text} NOT IN ({', '.join(map(literal, reading.null_text))}) THEN {text} END"
        texts.append(f"{text} AS t{place}")
        promised = column.name in staged.promised
        values.append(f"{f't{place}' if promised else _cast(column.type, f't{place}')} AS v{place}")
    return f"SELECT *, {', '.join(values)} FROM (SELECT *, {', '.join(texts)} FROM ({select}))"


def _has_fault(contract: Contract, staged: Staged) -> str:
    """The SQL of whether a row that is judged has any fault; NULL: none."""
    every = [_faults(contract, column, place, staged) for place, column in enumerate(contract.columns)]
    return " OR ".join(f"({condition})" for faults in every for condition, _ in faults) or "false"


def read_as(type_: str, text: str) -> str:
    """The SQL of the value that the text means, NULL where it means none of this type, or would lose something."""
    return f"CASE WHEN {_readable(type_, text)} THEN {_cast(type_, text)} END"


def _cast(type_: str, text: str) -> str:
    kind = type_.upper()
    if kind == "VARCHAR":
        return text
    cast = f"TRY_CAST({text} AS {type_})"
    if kind == "TIMESTAMP":
        # Read without an offset it costs a fourth, and is the same where it is written as the engine writes it.
        zoned = f"(TRY_CAST({text} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')"
        return f"CASE WHEN CAST({cast} AS VARCHAR) = {text} THEN {cast} ELSE {zoned} END"
    return cast


def _readable(type_: str, text: str) -> str:
    """The SQL of whether a text that is not NULL means a value of this type, and the engine's cast is that value.

    The cast rounds 1.7 to 1, takes the time of day off a date and the offset off a timestamp. What is written as the
    engine would write it is what it means: asking that first spares nearly every row the pattern. Later steps add days
    to dates: out of the years 1 to 9999 the engine would fail there.
    """
    kind, cast = type_.upper(), _cast(type_, text)
    same = f"CAST({cast} AS VARCHAR) = {text}"
    if kind == "VARCHAR":
        return "true"
    if kind in _INTEGERS:
        exact = rf"regexp_full_match({text}, '\s*[+-]?\d+(\.0*)?\s*')"
        return f"CASE WHEN {same} THEN true ELSE {cast} IS NOT NULL AND {exact} END"
    if kind.startswith("DECIMAL("):
        scale = int(kind.rstrip(")").partition(",")[2] or 0)
        exact = rf"regexp_full_match({text}, '\s*[+-]?\d*(\.\d{{0,{scale}}}0*)?\s*')"
        return f"CASE WHEN {same} THEN true ELSE {cast} IS NOT NULL AND {exact} END"
    if kind in ("DOUBLE", "FLOAT"):
        return f"coalesce(isfinite({cast}) AND NOT contains({text}, '_'), false)"
    if kind == "DATE":
        exact = rf"regexp_full_match({text}, '\s*\d{{4}}[-/]\d{{1,2}}[-/]\d{{1,2}}([ T]00:00(:00(\.0+)?)?)?\s*')"
        loose = f"{_BEGINS_WITH_DIGIT.format(text)} AND NOT contains({text}, '(') AND {exact}"
        loose = f"coalesce({_in_years(kind, cast)} AND {loose}, false)"
        return f"CASE WHEN strlen({text}) = 10 AND {same} THEN true ELSE {loose} END"
    if kind == "TIMESTAMP":
        # no place on earth is further from UTC than 14 hours
        near = rf"NOT regexp_matches({text}, ':\d\d(\.\d+)?\s*[+-](1[5-9]|[2-9]\d)')"
        begins = _BEGINS_WITH_DIGIT.format(f"ltrim({text}, {_SPACE})")
        near += rf" AND NOT regexp_matches({text}, '\.\d{{6}}\d*[1-9]')"  # finer than a microsecond
        plain = f"CAST(TRY_CAST({text} AS TIMESTAMP) AS VARCHAR) = {text}"
        return f"coalesce({begins} AND {_in_years(kind, cast)} AND CASE WHEN {plain} THEN true ELSE {near} END, false)"
    return f"{cast} IS NOT NULL"


_BEGINS_WITH_DIGIT = "({0} >= '0' AND {0} < ':')"


def _sane(type_: str, value: str) -> str:
    """The same of a value that has the contract's type already; "" where every one is."""
    kind = type_.upper()
    if kind in ("DATE", "TIMESTAMP"):
        return _in_years(kind, value)
    return f"isfinite({value})" if kind in ("DOUBLE", "FLOAT") else ""


def _in_years(kind: str, value: str) -> str:
    return f"{value} BETWEEN {kind} '0001-01-01' AND {kind} '9999-12-31 23:59:59'"


def _faults(contract: Contract, column: ContractColumn, place: int, staged: Staged) -> list[tuple[str, str]]:
    """The SQL of each condition with the fault that it is; of those that hold the first counts."""
    text, value = f"t{place}", f"v{place}"
    cases = []
    if column.name == contract.subject_column:
        cases.append((f"{text} IS NULL", "no subject"))
        if column.type.upper() == "VARCHAR" and (contract.privacy.consents or contract.privacy.consent_records):
            # Decisions are matched by the subject as it is written: so spelt, a refusal would be nobody's.
            seen = f"({text} = '' OR (ord({text}) BETWEEN 33 AND 126 AND {text}[-1] BETWEEN '!' AND '~'))"
            unseen = f"regexp_matches({text}, '^{_UNSEEN}|{_UNSEEN}$')"
            cases.append((f"CASE WHEN {seen} THEN false ELSE {unseen} END", "space around it"))
    elif column.required or column.name in contract.primary_key:
        cases.append((f"{text} IS NULL", "missing"))
    promised = column.name in staged.promised
    readable = _sane(column.type, text) if promised else _readable(column.type, text)
    if readable and column.type.upper() != "VARCHAR":
        cases.append((f"{text} IS NOT NULL AND NOT {readable}", "unreadable"))
    if column.domain is not None:
        allowed = ", ".join(f"TRY_CAST({literal(member)} AS {column.type})" for member in column.domain)
        cases.append((f"{value} IS NOT NULL AND ({value} IN ({allowed})) IS NOT TRUE", "outside domain"))
    return cases


def _mark_duplicates(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Of the rows without other faults: all but the first that share a primary key or a unique value."""
    con.execute("CREATE TEMP TABLE duplicates (number BIGINT, fault VARCHAR)")
    places = {column.name: f"v{place}" for place, column in enumerate(contract.columns)}
    sound = _sound(con)
    for key in _keys(contract):
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


def _has_duplicates(con: duckdb.DuckDBPyConnection, contract: Contract) -> bool:
    for key in _keys(contract):
        held = ", ".join(map(quoted, key))
        present = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in key)
        twice = f"SELECT 1 FROM candidate.main.data WHERE {present} GROUP BY {held} HAVING count(*) > 1 LIMIT 1"
        if con.execute(twice).fetchone():
            return True
    return False


def _keys(contract: Contract) -> list[tuple[str, ...]]:
    """The sets of columns of which no two rows may share the values."""
    keys = [contract.primary_key] if contract.primary_key else []
    return keys + [(column.name,) for column in contract.columns if column.unique and (column.name,) not in keys]


def _data(contract: Contract, staged: Staged) -> str:
    """The SQL of the columns of `data`, of a row that is judged."""
    data = [f"v{place} AS {quoted(column.name)}" for place, column in enumerate(contract.columns)]
    if contract.subject_column == ROW:
        data.append(f"number AS {ROW}")
    return ", ".join([*data, *(f"{staged.places[name]} AS {quoted(name)}" for name in staged.unknown)])


def _write_quarantine(con: duckdb.DuckDBPyConnection, staged: Staged, source_rows: int, erased: int = 0) -> None:
    received = [f"CAST({place} AS VARCHAR) AS {quoted(name)}" for name, place in staged.places.items()]
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
            {"name": ERASED, "value": erased},
        ],
    )


def count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    """How many rows a table (written as in SQL) has."""
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0
