"""Who is meant by an identifier, and which rows of raw are theirs.

Belongs here: from an identifier to a person, their rows and what identifies them. Does not belong here: what is done
with that.

A person is the value of a subject column, in the identifier domain of that column: rows of every dataset whose subject
is of the same domain are theirs. Where every row of a dataset is another person, they are the identifier that was
given, in each column of its domain. Raw is asked, its quarantine as well, in every version that is kept.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb
import polars as pl

from privacy_assets.contracts.columns import Naming, identifier_columns, naming_columns
from privacy_assets.contracts.contract import ROW, Contract
from privacy_assets.errors import BadDeclaration, Fault
from privacy_assets.gate import Gate, Passport
from privacy_assets.warehouse.connections import engine_errors, governed, quoted
from privacy_assets.warehouse.sources.rows import as_text
from privacy_assets.warehouse.tombstones import written
from privacy_assets.warehouse.versions import SUBJECTS
from privacy_assets.words import IdentifierDomain, Role, Stage

TABLES = ("data", "quarantine")
"""Where rows of people lie in a version of raw."""

Key = tuple[str, str]
"""An identifier domain's name, and an identifier as that domain writes it."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person, by the identifiers that rows of theirs are found by. Never shown."""

    keys: frozenset[Key] = field(repr=False)


def find(gate: Gate, identifiers: Sequence[str]) -> tuple[Person, ...]:
    """The people whom these identifiers name, in their order, each once.

    Raises BadDeclaration, with every fault, for an identifier that names nobody, or several people.
    """
    asked = list(dict.fromkeys(text.strip() for text in identifiers))
    found: dict[str, set[Key]] = {text: set() for text in asked}
    for passport in held_raw(gate):
        contract = gate.project.contracts[passport.asset.dataset]
        with opened(gate, passport) as con:
            for table in TABLES:
                for text, key in _named(con, table, contract, asked):
                    found[text].add(key)
    faults = []
    for place, (text, keys) in enumerate(found.items(), 1):
        subjects = {key for key in keys if key[0] in _subject_domains(gate)} or keys
        if not text or not keys:
            what = "nobody is named by this identifier in any dataset of the home"
            faults.append(Fault(what, where=f"identifier {place}", next_step="look at how the datasets write it"))
        elif len({domain for domain, _ in subjects}) < len(subjects):
            what = f"several people are named by this identifier ({len(subjects)})"
            faults.append(Fault(what, where=f"identifier {place}", next_step="name the subject of a dataset instead"))
    if faults or not asked:
        raise BadDeclaration(*(faults or [Fault("no identifier was given", expected="one a line")]))
    people = [Person(frozenset(keys)) for keys in found.values()]
    return tuple(dict.fromkeys(people))


def held_raw(gate: Gate) -> Iterator[Passport]:
    """The versions of raw that are kept, and of which the project still knows the dataset."""
    for passport in gate.held():
        if passport.asset.stage is Stage.RAW and passport.asset.dataset in gate.project.contracts:
            yield passport


@contextmanager
def opened(gate: Gate, passport: Passport) -> Iterator[duckdb.DuckDBPyConnection]:
    """A sound version, read-only, as the catalog `held`. Raises what `Gate.require_sound` raises."""
    gate.require_sound(passport)
    with governed(gate.home.spill, inputs={"held": gate.attachment(passport)}, candidate=None) as con:
        yield con


def theirs(contract: Contract, keys: Collection[Key]) -> list[tuple[Naming, list[str]]]:
    """By which columns of a dataset these people's rows are found, and by which identifiers in each."""
    named = [
        (naming, [value for domain, value in keys if domain == naming.domain.name])
        for naming in naming_columns(contract)
    ]
    return [(naming, values) for naming, values in named if values]


def marked(con: duckdb.DuckDBPyConnection, table: str, contract: Contract, keys: Collection[Key]) -> str:
    """The SQL of whether a row of `table` is of these people; `false` where nobody of them is there."""
    conditions = []
    for place, (naming, values) in enumerate(theirs(contract, keys)):
        text = as_text(quoted(naming.name), naming.type)
        spelled = _spelled(con, table, text, naming.domain, values)
        if len(spelled):
            name = f"theirs_{hashlib.sha256(table.encode()).hexdigest()[:16]}_{place}"
            _register(con, name, {"value": spelled})
            conditions.append(f"coalesce({text} IN (SELECT value FROM temp.{name}), false)")
    return f"({' OR '.join(conditions)})" if conditions else "false"


def identifying(gate: Gate, people: Iterable[Person]) -> frozenset[str]:
    """The values by which these people can be recognized: what raw holds of them in direct identifiers, as it is there.

    Without what somebody else has as well: a name, an address or a number that is shared tells nothing of one of them.
    """
    keys = frozenset(key for person in people for key in person.keys)
    own: set[str] = set()
    shared: set[str] = set()
    for passport in held_raw(gate):
        contract = gate.project.contracts[passport.asset.dataset]
        columns = [
            column.name
            for column in contract.columns
            if column.privacy.role is Role.DIRECT_IDENTIFIER and not column.privacy.free_text
        ]
        if contract.subject_column is None:
            continue
        with opened(gate, passport) as con:
            for table in (f"held.main.{name}" for name in TABLES):
                mark = marked(con, table, contract, keys)
                if mark == "false":
                    continue
                for column in columns:
                    text = f"trim(CAST({quoted(column)} AS VARCHAR))"
                    with engine_errors("collecting what identifies"):
                        each = con.execute(
                            f"SELECT {text}, bool_and({mark}) FROM {table} WHERE {text} IN "
                            f"(SELECT {text} FROM {table} WHERE {mark}) GROUP BY ALL"
                        ).fetchall()
                    for value, alone in each:
                        (own if alone else shared).add(str(value))
    return frozenset(own - shared - {""})


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


def _named(
    con: duckdb.DuckDBPyConnection, table: str, contract: Contract, asked: Sequence[str]
) -> Iterator[tuple[str, Key]]:
    """For each of the identifiers that a row has: the key of that row's person."""
    where = f"held.main.{table}"
    naming = naming_columns(contract)
    if not naming:
        return
    columns = {column.name: column for column in (*naming, *identifier_columns(contract))}
    for column in columns.values():
        wanted = dict(zip(asked, written(pl.Series(asked, dtype=pl.String), column.domain).to_list(), strict=True))
        text = as_text(quoted(column.name), column.type)
        spelled = _spelled(con, where, text, column.domain, list(wanted.values()))
        if spelled.is_empty():
            continue
        as_written = dict(zip(spelled.to_list(), written(spelled, column.domain).to_list(), strict=True))
        _register(con, "meant", {"value": spelled})
        whose = naming[0] if contract.subject_column != ROW else column
        subject = as_text(quoted(whose.name), whose.type)
        with engine_errors("looking for a person"):
            rows = con.execute(
                f"SELECT DISTINCT {text}, {subject} FROM {where} WHERE {text} IN (SELECT value FROM temp.meant)"
            ).fetchall()
        for value, person in rows:
            if person is None:
                continue
            key = (whose.domain.name, written(pl.Series([person], dtype=pl.String), whose.domain)[0])
            yield from ((text, key) for text, meant in wanted.items() if meant == as_written[value])


def _spelled(
    con: duckdb.DuckDBPyConnection, table: str, text: str, domain: IdentifierDomain, values: Sequence[str]
) -> pl.Series:
    """How these identifiers, as their domain writes them, are spelled in a column."""
    with engine_errors("looking for a person"):
        if domain.normalization == "none":
            _register(con, "sought", {"value": pl.Series(values, dtype=pl.String)})
            asked = f"trim({text}) IN (SELECT value FROM temp.sought)"
        elif domain.normalization == "phone":
            # to read every number there is takes minutes: those that end alike are read
            ends = pl.Series([value[-4:] for value in values], dtype=pl.String).unique()
            _register(con, "sought", {"value": ends})
            asked = rf"right(regexp_replace({text}, '\D', '', 'g'), 4) IN (SELECT value FROM temp.sought)"
        else:
            asked = f"{text} IS NOT NULL"
        arrived = con.execute(f"SELECT DISTINCT {text} AS value FROM {table} WHERE {asked}").to_arrow_table()
    held = pl.DataFrame(pl.from_arrow(arrived), schema={"value": pl.String})["value"]
    return held.filter(written(held, domain).is_in(list(values)))


def _register(con: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, pl.Series]) -> None:
    con.register("given", pl.DataFrame(dict(columns)).to_arrow())
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM given")
    con.unregister("given")
