"""Who is meant by an identifier, and which rows of raw are theirs.

Belongs here: from an identifier to a person, their rows and what identifies them. Does not belong here: what is done
with that.

A person is the value of a subject column, in the identifier domain of that column: rows of every dataset whose subject
is of the same domain are theirs. Where every row of a dataset is another person, they are the identifier that was
given, in each column of its domain: whoever has the same one there is meant as well. Raw is asked, its quarantine as
well, in every version that is kept, and what was minimized from a version of raw that is not kept any more.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import duckdb
import polars as pl

from privacy_assets.contracts.columns import Naming, identifier_columns, naming_columns
from privacy_assets.contracts.contract import ROW, Contract
from privacy_assets.errors import BadDeclaration, Fault, Refused
from privacy_assets.gate import Gate, Input, Passport, is_bounded
from privacy_assets.warehouse import tombstones
from privacy_assets.warehouse.connections import engine_errors, governed, quoted
from privacy_assets.warehouse.sources.rows import LINE, as_text
from privacy_assets.warehouse.tombstones import written
from privacy_assets.warehouse.versions import SUBJECTS
from privacy_assets.words import AssetName, IdentifierDomain, Role, Stage

TABLES = ("data", "quarantine")
"""Where rows of people lie in a version of raw."""

_SPACE = "".join(letter for letter in map(chr, range(1, 0x3001)) if letter.isspace())
"""Every letter that is white space, of which the engine takes off none but the space unless it is told."""

_OF_ONE = 0.8
"""The share of a column's values that are of one subject each, from which on the column is taken to identify them."""

Key = tuple[str, str]
"""An identifier domain's name, and an identifier as that domain writes it."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person, by the identifiers that rows of theirs are found by. Never shown."""

    keys: frozenset[Key] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Presence:
    """What the home holds of people where they came into it.

    `rooted` are the versions of raw, and those that outlive what they were made from, each with how many rows of
    theirs; None for one that does not say whose a row is: anybody may be in it. `own` are the direct identifiers that
    nobody else has in one of these; `shared` are those that somebody else has in one: a name, an address or a number
    that tells nothing of one of them, but two of these tell together whom they are of.
    """

    rooted: Mapping[Input, int | None] = field(default_factory=dict)
    own: frozenset[str] = field(default=frozenset(), repr=False)
    shared: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def telling(self) -> frozenset[str]:
        """By what they can be recognized: what nobody else has anywhere."""
        return self.own - self.shared


def find(gate: Gate, identifiers: Sequence[str]) -> tuple[Person, ...]:
    """The people whom these identifiers name, in their order, each once.

    Where the same text is somebody else's in another identifier domain, it is written `<domain>=<identifier>`. Raises
    BadDeclaration, with every fault, for an identifier that names nobody, or several people, or that stands only where
    it does not say whose a row is; Refused for a home in which nothing was ever published.
    """
    if identifiers:
        require_published(gate)
    contracts = gate.project.contracts.values()
    domains = {one.domain.name for contract in contracts for one in _identifying_columns(contract)}
    asked = {text: _asked(text, domains) for text in dict.fromkeys(text.strip() for text in identifiers)}
    found: dict[str, dict[str, set[Key]]] = {text: {} for text in asked}
    unknown: set[str] = set()
    untold: dict[str, set[str]] = {text: set() for text in asked}
    for passport in {(one.asset, one.content_digest): one for one in firsts(gate)}.values():
        if anybody(gate, passport):
            unknown |= {str(passport.asset)} if passport.asset.stage is Stage.RAW else set()
            continue
        contract = gate.project.contracts[passport.asset.dataset]
        with opened(gate, passport) as con:
            for table in tables_of(passport):
                for text, column, key in _named(con, table, contract, asked):
                    if key is None:
                        untold[text].add(f"{contract.name}.{column.name}")
                    else:
                        found[text].setdefault(column.domain.name, set()).add(key)
    elsewhere = f"; to look in {', '.join(sorted(unknown))}, declare that again" if unknown else ""
    faults = []
    people = []
    whose = _subject_domains(gate)
    for place, (text, by_domain) in enumerate(found.items(), 1):
        keys = frozenset(key for each in by_domain.values() for key in each)
        people.append(Person(keys))
        subjects = {key for key in keys if key[0] in whose} or keys
        if untold[text] and not keys:
            faults.append(
                Fault(
                    "this identifier is there, in a column too many of whose values are several people's: it does not "
                    "say whose a row is",
                    where=f"identifier {place}",
                    found=", ".join(sorted(untold[text])),
                    next_step="name the subject of the dataset instead, each of those that are meant",
                )
            )
        elif not text or not keys:
            what = "nobody is named by this identifier in any dataset of the home"
            next_step = f"look at how the datasets write it{elsewhere}"
            faults.append(Fault(what, where=f"identifier {place}", next_step=next_step))
        elif not frozenset.intersection(*map(frozenset, by_domain.values())):
            faults.append(
                Fault(
                    "this identifier names somebody in each of several identifier domains",
                    where=f"identifier {place}",
                    found=", ".join(sorted(by_domain)),
                    next_step="write <domain>=<identifier>, on a line of its own for each that is meant",
                )
            )
        elif len({domain for domain, _ in subjects}) < len(subjects):
            what = f"several people are named by this identifier ({len(subjects)})"
            faults.append(Fault(what, where=f"identifier {place}", next_step="name the subject of a dataset instead"))
    if faults or not asked:
        raise BadDeclaration(*(faults or [Fault("no identifier was given", expected="one a line")]))
    return tuple(dict.fromkeys(people))


def require_published(gate: Gate) -> None:
    """Raise Refused for a home in which nothing was ever published: it may be another one than is meant."""
    if not gate.publications():
        raise Refused.of(
            "nothing was ever published in this home: that nobody is found in it says nothing",
            where=str(gate.home.path),
            next_step="PRIVACY_ASSETS_HOME names the home: look whether it is the one that is meant",
        )


def held_raw(gate: Gate) -> Iterator[Passport]:
    """The versions of raw that are kept, and of which the project still knows the dataset."""
    for passport in gate.held():
        if passport.asset.stage is Stage.RAW and passport.asset.dataset in gate.project.contracts:
            yield passport


def outliving(gate: Gate) -> Iterator[Passport]:
    """The versions that are kept longer than what they were made from, so that it does not tell who is in them.

    Of a minimized one it is its own raw that counts; a release under differential privacy is none of them.
    """
    held = gate.held()
    kept = {(one.asset, one.version) for one in held}
    for passport in held:
        asset, made_from = passport.asset, passport.inputs
        if asset.stage is Stage.MINIMIZED:
            made_from = tuple(one for one in made_from if one.asset.dataset == asset.dataset)
        gone = any((one.asset, one.version) not in kept for one in made_from)
        if gone and not is_bounded(passport) and (asset, passport.version) not in gate.spared():
            yield passport


def firsts(gate: Gate) -> Iterator[Passport]:
    """The versions by which people are in the home: of raw, and those that outlive what they were made from."""
    yield from (one for one in gate.held() if one.asset.stage is Stage.RAW)
    yield from outliving(gate)


def says_whose(gate: Gate, passport: Passport) -> bool:
    """Whether a minimized version has the columns that say whose its rows are."""
    contract = gate.project.contracts.get(passport.asset.dataset)
    if contract is None or passport.asset.stage is not Stage.MINIMIZED:
        return False
    present = {name for name, _ in passport.columns}
    return all(naming.name in present for naming in naming_columns(contract))


def anybody(gate: Gate, passport: Passport) -> bool:
    """Whether a version of these does not say whose its rows are: anybody may be in it."""
    known = passport.asset.dataset in gate.project.contracts
    return not (known if passport.asset.stage is Stage.RAW else says_whose(gate, passport))


def tables_of(passport: Passport) -> tuple[str, ...]:
    """Where rows of people lie in a version of raw or minimized that is `opened`."""
    return tuple(f"held.main.{name}" for name in (TABLES if passport.asset.stage is Stage.RAW else TABLES[:1]))


@contextmanager
def opened(gate: Gate, passport: Passport) -> Iterator[duckdb.DuckDBPyConnection]:
    """A sound version, read-only, as the catalog `held`. Raises what `Gate.require_sound` raises."""
    gate.require_sound(passport)
    with governed(gate.home.spill, inputs={"held": gate.attachment(passport)}, candidate=None) as con:
        yield con


def naming_in(con: duckdb.DuckDBPyConnection, table: str, contract: Contract) -> tuple[Naming, ...]:
    """The columns of `table` that say whose a row is.

    A version may be older than its contract. Raises Refused where it does not have the subject of today's.
    """
    present = columns_of(con, table)
    naming = tuple(one for one in naming_columns(contract) if one.name in present)
    if not naming and contract.subject_column not in (None, ROW):
        raise Refused.of(
            f"a version of {contract.name} is older than its contract, and does not have the column that says whose "
            "a row is",
            expected=f"a column {contract.subject_column}",
            next_step=f"materialize raw/{contract.name} until the older versions are superseded",
        )
    return naming


def columns_of(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """The columns of a table, each with its type."""
    with engine_errors("looking for a person"):
        return {name: kind for name, kind, *_ in con.execute(f"DESCRIBE {table}").fetchall()}


def text_of(naming: Naming, kind: str) -> str:
    """The SQL of an identifier's text, in a column of type `kind`: quarantine has text where data has numbers."""
    column = quoted(naming.name)
    return f"CAST({column} AS VARCHAR)" if kind == naming.type else as_text(column, naming.type)


def marked(con: duckdb.DuckDBPyConnection, table: str, contract: Contract, keys: Collection[Key]) -> str:
    """The SQL of whether a row of `table` is of these people; `false` where nobody of them is there."""
    named, kinds = naming_in(con, table, contract), columns_of(con, table)
    return _either(_marks(con, table, {naming: text_of(naming, kinds[naming.name]) for naming in named}, keys))


def marked_or_named(con: duckdb.DuckDBPyConnection, table: str, contract: Contract, keys: Collection[Key]) -> str:
    """The same, or a line that is no row and of which a part names one of them: somebody else may be meant by it."""
    return _either([marked(con, table, contract, keys), _lines_naming(con, table, contract, keys)])


def _lines_naming(con: duckdb.DuckDBPyConnection, table: str, contract: Contract, keys: Collection[Key]) -> str:
    if LINE not in columns_of(con, table):
        return "false"
    parts = tombstones.parted(con, table, LINE)
    texts = {naming: as_text("part", naming.type) for naming in naming_columns(contract)}
    named = _either(_marks(con, parts, texts, keys))
    return "false" if named == "false" else f"coalesce({LINE} IN (SELECT line FROM {parts} WHERE {named}), false)"


def _marks(
    con: duckdb.DuckDBPyConnection, table: str, texts: Mapping[Naming, str], keys: Collection[Key]
) -> Iterator[str]:
    for place, (naming, text) in enumerate(texts.items()):
        values = [value for domain, value in keys if domain == naming.domain.name]
        if not values:
            continue
        spelled = _spelled(con, table, text, naming.domain, values)
        if len(spelled):
            name = f"theirs_{hashlib.sha256(table.encode()).hexdigest()[:16]}_{place}"
            register(con, name, {"value": spelled})
            yield f"coalesce({text} IN (SELECT value FROM temp.{name}), false)"


def _either(conditions: Iterable[str]) -> str:
    return f"({' OR '.join(every)})" if (every := [one for one in conditions if one != "false"]) else "false"


def presence(gate: Gate, people: Iterable[Person]) -> Presence:
    """What the home holds of these people: raw is asked, and what is left of it. Raises what `opened` raises."""
    keys = frozenset(key for person in people for key in person.keys)
    rooted: dict[Input, int | None] = {}
    counted: dict[tuple[AssetName, str], int] = {}
    alone: dict[bool, set[str]] = {True: set(), False: set()}
    theirs: dict[str, dict[str, set[str]]] = {}
    without: list[Passport] = []
    for passport in firsts(gate):
        named, content = Input(passport.asset, passport.version), (passport.asset, passport.content_digest)
        if anybody(gate, passport):
            rooted[named] = None
            continue
        if content not in counted:
            contract = gate.project.contracts[passport.asset.dataset]
            with opened(gate, passport) as con:
                marks = {table: marked(con, table, contract, keys) for table in tables_of(passport)}
                counted[content] = sum(
                    count_rows(con, table, _either([mark, _lines_naming(con, table, contract, keys)]))
                    for table, mark in marks.items()
                )
                if all(mark == "false" for mark in marks.values()):
                    without.append(passport)
                elif contract.subject_column is not None:
                    for column, value, only in _direct_identifiers(con, contract, marks):
                        theirs.setdefault(contract.name, {}).setdefault(column, set()).add(value)
                        alone[only].add(value)
        if counted[content]:
            rooted[named] = counted[content]
    for passport in (one for one in without if one.asset.dataset in theirs):
        with opened(gate, passport) as con:
            for table in tables_of(passport):
                contract = gate.project.contracts[passport.asset.dataset]
                alone[False].update(_standing(con, table, contract, theirs[contract.name]))
    own, shared = (frozenset(alone[only] - {""}) for only in (True, False))
    return Presence(rooted, own, shared)


def count_rows(
    con: duckdb.DuckDBPyConnection, table: str, where: str = "true", values: Mapping[str, datetime] | None = None
) -> int:
    """How many rows (alias `held_row`) of a table fulfil a condition."""
    with engine_errors("counting rows of people"):
        counted = con.execute(f"SELECT count(*) FROM {table} AS held_row WHERE {where}", values).fetchone()
    return int(counted[0]) if counted else 0


def _direct_identifiers(
    con: duckdb.DuckDBPyConnection, contract: Contract, marks: Mapping[str, str]
) -> Iterator[tuple[str, str, bool]]:
    """The direct identifiers in the rows that each table's mark tells: the column, the value, and whether it stands in
    that column of no other row. Telephone numbers also as their domain writes them, in whatever way they stand there.
    """
    direct = [one.name for one in contract.columns if one.privacy.role is Role.DIRECT_IDENTIFIER]
    direct = [name for name in direct if not contract.column(name).privacy.free_text]
    tables: dict[str, list[tuple[str, str]]] = {name: [] for name in direct}
    with engine_errors("collecting what identifies"):
        for place, (table, mark) in enumerate(marks.items()):
            kinds = columns_of(con, table)
            if present := [name for name in direct if name in kinds]:
                names = ", ".join(map(quoted, present))
                con.execute(f"CREATE OR REPLACE TEMP TABLE theirs_{place} AS SELECT {names} FROM {table} WHERE {mark}")
            for name in present:
                tables[name].append(
                    (_texts(name, f"temp.theirs_{place}", kinds[name]), _texts(name, table, kinds[name]))
                )
        for name, found in tables.items():
            if not found:
                continue
            own, every = (" UNION ALL ".join(texts) for texts in zip(*found, strict=True))
            rows = con.execute(
                f"""WITH own AS (SELECT value, sum(times) AS times FROM ({own}) GROUP BY value)
                    SELECT own.value, own.times = sum(every.times)
                    FROM ({every}) AS every JOIN own ON own.value = every.value GROUP BY own.value, own.times"""
            ).fetchall()
            yield from ((name, value, only) for value, only in rows)
            if domain := _numbered(contract, name):
                present = [table for table in marks if name in columns_of(con, table)]
                yield from ((name, number, only) for number, only in _numbers(con, present, name, domain, dict(rows)))


def _numbers(
    con: duckdb.DuckDBPyConnection,
    tables: Iterable[str],
    column: str,
    domain: IdentifierDomain,
    theirs: Mapping[str, bool],
) -> Iterator[tuple[str, bool]]:
    """Telephone numbers in E.164, and whether each stands in no other row, in whatever way it is written there.

    `theirs` are the texts in their rows, each with whether it stands in no other row.
    """
    numbers = dict(zip(theirs, written(pl.Series(list(theirs), dtype=pl.String), domain), strict=True))
    shared = {numbers[text] for text, only in theirs.items() if not only}
    for table in tables:
        spelled = _spelled(con, table, _text(column, columns_of(con, table)[column]), domain, list(numbers.values()))
        shared.update(written(spelled.filter(~spelled.is_in(list(theirs))), domain))
    yield from ((number, number not in shared) for number in set(numbers.values()) if number.startswith("+"))


def _numbered(contract: Contract, column: str) -> IdentifierDomain | None:
    """The identifier domain of a column of telephone numbers."""
    domain = contract.column(column).privacy.identifier_domain
    return domain if domain and domain.normalization == "phone" else None


def _standing(
    con: duckdb.DuckDBPyConnection, table: str, contract: Contract, sought: Mapping[str, Collection[str]]
) -> Iterator[str]:
    """Those of the texts, by column, that stand in that column of a table."""
    kinds = columns_of(con, table)
    for name in (name for name in sought if name in kinds):
        register(con, "sought", {"value": pl.Series(list(sought[name]), dtype=pl.String)})
        with engine_errors("collecting what identifies"):
            texts = _texts(name, table, kinds[name])
            yield from (
                value
                for (value,) in con.execute(
                    f"SELECT DISTINCT value FROM ({texts}) WHERE value IN (SELECT value FROM temp.sought)"
                ).fetchall()
            )
        if domain := _numbered(contract, name):
            yield from written(_spelled(con, table, _text(name, kinds[name]), domain, list(sought[name])), domain)


def _texts(column: str, table: str, kind: str) -> str:
    """The SQL of the texts in a column (`value`), and how often each stands there (`times`).

    Text is taken once each, and only then without space around it: that takes long.
    """
    each = f"SELECT held, count(*) AS times FROM (SELECT {quoted(column)} AS held FROM {table}) GROUP BY held"
    return f"SELECT {_text('held', kind)} AS value, times FROM ({each})"


def _text(column: str, kind: str) -> str:
    return f"trim({quoted(column)})" if kind == "VARCHAR" else f"CAST({quoted(column)} AS VARCHAR)"


def pseudonym(gate: Gate, person: Person) -> str:
    """What the ledger calls a person (32 hex), by a key of theirs that their erasure destroys."""
    key = bytes.fromhex(gate.versions.subject(_name(gate, person)))
    return hmac.new(key, b"subject", hashlib.sha256).hexdigest()[:32]


def last_pseudonym(gate: Gate, person: Person) -> str:
    """What the ledger calls a person in their erasure: as before, or by chance where it never spoke of them.

    A key that nobody has yet would be made to be destroyed.
    """
    known = gate.versions.has_subject(_name(gate, person))
    return pseudonym(gate, person) if known else secrets.token_hex(16)


def forget(gate: Gate, names: Iterable[str]) -> None:
    """Destroy the keys of people: from then on nobody can tell which entries of the ledger are about them."""
    for name in names:
        if gate.versions.has_subject(name):
            gate.versions.destroy(SUBJECTS, name)


def names(gate: Gate, people: Iterable[Person]) -> list[str]:
    """Under which names (32 hex, keyed) the keys of people lie."""
    return [_name(gate, person) for person in people]


def _name(gate: Gate, person: Person) -> str:
    text = "\0".join(f"{domain}={value}" for domain, value in sorted(person.keys))
    key = gate.secrets.derive("pseudonyms", "subjects")
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]


def _subject_domains(gate: Gate) -> set[str]:
    subjects = [one for one in gate.project.contracts.values() if one.subject_column not in (None, ROW)]
    return {naming.domain.name for contract in subjects for naming in naming_columns(contract)}


def _identifying_columns(contract: Contract) -> tuple[Naming, ...]:
    """The columns by whose values somebody can be named."""
    columns = {column.name: column for column in (*naming_columns(contract), *identifier_columns(contract))}
    return tuple(columns.values())


def _asked(text: str, domains: Collection[str]) -> tuple[str, str]:
    """The identifier domain that is meant ("" for every one), and the identifier."""
    domain, _, identifier = text.partition("=")
    return (domain, identifier.strip()) if domain in domains and identifier.strip() else ("", text)


def _named(
    con: duckdb.DuckDBPyConnection, where: str, contract: Contract, asked: Mapping[str, tuple[str, str]]
) -> Iterator[tuple[str, Naming, Key | None]]:
    """For each of the identifiers that a row has: the column, and the key of that row's person.

    None where the column does not tell people apart.
    """
    naming, present = naming_in(con, where, contract), columns_of(con, where)
    if not naming:
        return
    for column in (one for one in _identifying_columns(contract) if one.name in present):
        meant = {text: value for text, (domain, value) in asked.items() if domain in ("", column.domain.name)}
        values = _as_written(con, list(meant.values()), column)
        wanted = dict(zip(meant, values.to_list(), strict=True))
        text = text_of(column, present[column.name])
        spelled = _spelled(con, where, text, column.domain, list(wanted.values()))
        if spelled.is_empty():
            continue
        as_written = dict(zip(spelled.to_list(), written(spelled, column.domain).to_list(), strict=True))
        register(con, "meant", {"value": spelled})
        whose = naming[0] if contract.subject_column != ROW else column
        if column.domain.name == whose.domain.name and column.name != whose.name:
            continue  # whoever is named there is another subject than the row's (who referred them, a next of kin)
        subject = text_of(whose, present[whose.name])
        if column.name != whose.name and not _tells_one(con, where, text, subject):
            there = set(as_written.values())
            yield from ((one, column, None) for one, sought in wanted.items() if sought in there)
            continue
        with engine_errors("looking for a person"):
            rows = con.execute(
                f"SELECT DISTINCT {text}, {subject} FROM {where} "
                f"WHERE {text} IN (SELECT value FROM temp.meant) AND {subject} IS NOT NULL"
            ).fetchall()
        askers: dict[str, list[str]] = {}
        for one, sought in wanted.items():
            askers.setdefault(sought, []).append(one)
        persons = written(pl.Series([person for _, person in rows], dtype=pl.String), whose.domain).to_list()
        for (value, _), person in zip(rows, persons, strict=True):
            yield from ((one, column, (whose.domain.name, person)) for one in askers[as_written[value]])


def _tells_one(con: duckdb.DuckDBPyConnection, table: str, text: str, subject: str) -> bool:
    """Whether a column identifies the subjects: most of its values are of one of them each.

    A doctor's number stands in the rows of all of their patients, and is not who any of these is.
    """
    each = f"SELECT count(DISTINCT {subject}) AS subjects FROM {table} WHERE {text} IS NOT NULL GROUP BY {text}"
    with engine_errors("looking for a person"):
        (share,) = con.execute(f"SELECT avg(CAST(subjects = 1 AS INTEGER)) FROM ({each})").fetchone() or (0,)
    return (share or 0) >= _OF_ONE


def _as_written(con: duckdb.DuckDBPyConnection, values: Sequence[str], column: Naming) -> pl.Series:
    """Identifiers that were typed as a column and its domain write them: 007 is 7 where they are numbers."""
    with engine_errors("looking for a person"):
        each = f"SELECT {as_text('value', column.type)} FROM (SELECT unnest($values::VARCHAR[]) AS value)"
        texts = [text for (text,) in con.execute(each, {"values": list(values)}).fetchall()]
    return written(pl.Series(texts, dtype=pl.String), column.domain)


def _spelled(
    con: duckdb.DuckDBPyConnection, table: str, text: str, domain: IdentifierDomain, values: Sequence[str]
) -> pl.Series:
    """How these identifiers, as their domain writes them, are spelled in a column."""
    with engine_errors("looking for a person"):
        if domain.normalization == "none":
            register(con, "sought", {"value": pl.Series(values, dtype=pl.String)})
            # the engine takes long to look for so many letters; nearly every text begins and ends with one that is seen
            seen = f"regexp_full_match({text}, '(?s)[!-~]|[!-~].*[!-~]')"
            bare = f"CASE WHEN {seen} THEN {text} ELSE trim({text}, '{_SPACE}') END"
            asked = f"{bare} IN (SELECT value FROM temp.sought)"
        elif domain.normalization == "phone":
            # to read every number there is takes minutes: those that end alike are read
            ends = pl.Series([value[-4:] for value in values], dtype=pl.String).unique()
            register(con, "sought", {"value": ends})
            asked = rf"right(regexp_replace({text}, '\D', '', 'g'), 4) IN (SELECT value FROM temp.sought)"
        else:
            asked = f"{text} IS NOT NULL"
        arrived = con.execute(f"SELECT DISTINCT {text} AS value FROM {table} WHERE {asked}").to_arrow_table()
    held = pl.DataFrame(pl.from_arrow(arrived), schema={"value": pl.String})["value"]
    return held.filter(written(held, domain).is_in(list(values)))


def register(con: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, pl.Series]) -> None:
    """Put columns into a temporary table, to be looked up in SQL."""
    con.register("given", pl.DataFrame(dict(columns)).to_arrow())
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM given")
    con.unregister("given")
