"""Which assets, versions and models hold a person: their rows where rows are somebody's, else what was made from them.

    raw, minimized       rows by the subject's identifier
    pseudonymized on     rows by the token that this purpose and epoch gave them
    where nobody can be told apart (anonymized, synthetic, statistics, models): whether it was made from rows of theirs

Belongs here: finding them. Does not belong here: who is meant (`people.py`), ending it (`erasing.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from privacy_assets.contracts.contract import ROW
from privacy_assets.gate import Gate, Input, Passport
from privacy_assets.stages import vault
from privacy_assets.stages.step import Step
from privacy_assets.subjects.people import (
    Key,
    Person,
    anybody,
    count_rows,
    marked_or_named,
    opened,
    outliving,
    pseudonym,
    register,
    tables_of,
)
from privacy_assets.techniques.pseudonymize import PSEUDONYMIZE
from privacy_assets.warehouse.connections import quoted
from privacy_assets.words import AssetName, IdentifierDomain, Stage

TRACED = "trace"


@dataclass(frozen=True, slots=True)
class Held:
    """A version that holds somebody: so many `rows` of theirs, or None where it was made from rows of theirs.

    Where it is not `known` anybody may be in it: it is of a dataset that is declared no more, outlives what it was made
    from, or was made from such a version. `latest` says that it is the one that stands.
    """

    passport: Passport
    rows: int | None
    latest: bool
    known: bool = True


def trace(gate: Gate, made: Mapping[AssetName, Step], people: Sequence[Person]) -> tuple[tuple[Held, ...], int]:
    """Every version that holds any of these people, in the order of the corridor, and the position of the entry.

    That they were looked up is in the ledger before the answer is there. Raises what `Gate.require_sound` raises.
    """
    body = {
        "action": TRACED,
        "subjects": [pseudonym(gate, person) for person in people],
        "actor_claimed": gate.actor(),
    }
    position = gate.ledger.append(body)
    return tuple(holding(gate, made, people)), position


def holding(gate: Gate, made: Mapping[AssetName, Step], people: Sequence[Person]) -> Iterator[Held]:
    """The same, without an entry."""
    keys = frozenset(key for person in people for key in person.keys)
    outlive = {(one.asset, one.version) for one in outliving(gate)}
    known: dict[Input, bool] = {}
    for passport in sorted(gate.held(), key=along_the_corridor):
        rows = _rows(gate, made, passport, keys)
        made_from = [known[one] for one in passport.inputs if one in known]
        if rows is None and (passport.asset.stage is Stage.RAW or (passport.asset, passport.version) in outlive):
            made_from.append(False)
        if rows or (rows is None and made_from):
            known[Input(passport.asset, passport.version)] = certain = bool(rows) or any(made_from)
            latest = gate.latest(passport.asset)
            yield Held(passport, rows, latest is not None and latest.version == passport.version, certain)


def along_the_corridor(passport: Passport) -> tuple[int, int]:
    """By what to sort versions so that what one was made from comes before it, also where an erasure spared it."""
    return list(Stage).index(passport.asset.stage), passport.position


def _rows(gate: Gate, made: Mapping[AssetName, Step], passport: Passport, keys: frozenset[Key]) -> int | None:
    asset = passport.asset
    if asset.stage in (Stage.RAW, Stage.MINIMIZED):
        return _first_rows(gate, passport, keys)
    if asset.stage not in (Stage.PSEUDONYMIZED, Stage.FEATURES, Stage.TRAINING) or asset.whole not in made:
        return None
    columns = [
        column
        for column in made[asset.whole].columns
        if column.identifier_domain is not None and column.technique == "token"
    ]
    domains = {column.identifier_domain.name for column in columns if column.identifier_domain} & dict(keys).keys()
    columns = [column for column in columns if column.identifier_domain and column.identifier_domain.name in domains]
    if not columns:
        return None
    said = []
    for column in columns:
        assert column.identifier_domain is not None
        values = [value for domain, value in keys if domain == column.identifier_domain.name]
        given = tokens(gate, asset.purpose, passport.epoch or _epoch(gate, passport), column.identifier_domain, values)
        said.append((column.name, given))
    with opened(gate, passport) as con:
        conditions = []
        for place, (name, given) in enumerate(said):
            register(con, f"given_{place}", {"value": pl.Series(given, dtype=pl.String)})
            text = f"replace(CAST({quoted(name)} AS VARCHAR), '-', '')"
            conditions.append(f"coalesce({text} IN (SELECT value FROM temp.given_{place}), false)")
        return count_rows(con, "held.main.data", " OR ".join(conditions))


def _first_rows(gate: Gate, passport: Passport, keys: frozenset[Key]) -> int | None:
    if anybody(gate, passport):
        return None
    contract = gate.project.contracts[passport.asset.dataset]
    with opened(gate, passport) as con:
        tables = tables_of(passport)
        return sum(count_rows(con, table, marked_or_named(con, table, contract, keys)) for table in tables)


def _epoch(gate: Gate, passport: Passport) -> int:
    """Of which epoch the tokens are that this version got from what it was made from."""
    found = [one.epoch for one in gate.ancestry(passport) if one.epoch is not None]
    return found[0] if found else gate.project.purposes[passport.asset.purpose].epoch


def tokens(gate: Gate, purpose: str, epoch: int, domain: IdentifierDomain, values: Sequence[str]) -> list[str]:
    """The tokens (32 hex) that a purpose gave identifiers of a domain in an epoch."""
    key = gate.secrets.derive("pseudonyms", purpose, str(epoch), domain.name).hex()
    module = PSEUDONYMIZE["token"]
    made = module.map_values(module.Parameters(kind="token"), pl.Series(values, dtype=pl.String), key, domain)
    return [str(token).replace("-", "") for token in made.to_list()]


def stand_ins(gate: Gate, people: Sequence[Person], identifiers: frozenset[str]) -> frozenset[str]:
    """The tokens and surrogates under which purposes know these people: by their keys, and by all that identifies them.

    Asked of every version that is kept, for its epoch.
    """
    found: set[str] = set()
    asked: set[tuple[str, str]] = set()
    for passport in gate.held():
        asset = passport.asset
        purpose, contract = gate.project.purposes.get(asset.purpose), gate.project.contracts.get(asset.dataset)
        if asset.stage is not Stage.PSEUDONYMIZED or purpose is None or asset.dataset not in purpose.datasets:
            continue  # it is declared no more: its techniques are not known, and it is destroyed whole
        assert contract is not None
        needs = purpose.datasets[asset.dataset].columns
        for name, need in needs.items():
            module = PSEUDONYMIZE[need.technique.kind]
            if name == ROW or getattr(module, "MAPS", None) != "value" or passport.epoch is None:
                continue
            domain = contract.column(name).privacy.identifier_domain or IdentifierDomain(name=name)
            values = {value for person in people for kind, value in person.keys if kind == domain.name} | identifiers
            series = pl.Series(sorted(values), dtype=pl.String)
            key = gate.secrets.derive("pseudonyms", asset.purpose, str(passport.epoch), domain.name).hex()
            if need.technique.kind == "token":
                if (key, domain.normalization) in asked:
                    continue  # of a purpose, an epoch and a domain every version has the same tokens
                asked.add((key, domain.normalization))
                mapped = module.map_values(need.technique, series, key, domain)
                plain = mapped.cast(pl.String).str.replace_all("-", "", literal=True)
                found |= {*plain, *plain.str.replace(r"(.{8})(.{4})(.{4})(.{4})", "$1-$2-$3-$4-")}
            elif getattr(module, "VAULT", False):
                with opened(gate, passport) as con:
                    found.update(vault.given(con, "held", need.technique, series, key, domain))
    return frozenset(found)
