"""The version before, as the measures of drift see it: its numbers, from the ledger, where it can be compared with.

The version before is the last one that was published of the same asset, whatever became of its file since. It is
compared with where it was made under the same major versions of its purpose and of every contract that it comes from:
whoever changes a declaration so that somebody has to look (`contracts/versions.py`) has said that what comes is
something else, and the comparison begins anew. Of its numbers those are shown that answered the very question that is
asked now.

Belongs here: that choice, and the table of these numbers. Does not belong here: what is measured against them
(`invariants/*_drift.py`), rows of an earlier version (`_comparing.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import duckdb
from sqlglot import exp

from privacy_assets.contracts.promises import Promise
from privacy_assets.gate import Gate, Passport, compares, question_digest
from privacy_assets.invariants._before import PREVIOUS
from privacy_assets.warehouse.connections import engine_errors
from privacy_assets.words import AssetName, Number

_TABLE = exp.table_("numbers before", db="main", catalog="temp", quoted=True)
"""No dataset and no step can have a name like this."""


def numbers(
    gate: Gate, asset: AssetName, asked: Iterable[Promise], made_of: Iterable[Mapping[str, str]], position: int
) -> Mapping[str, Number] | None:
    """The numbers of the version before, as `<finding>.<number>`; None where nothing that is `asked` compares.

    `made_of` is what the version at hand and all that it is made from say of their declarations, nearest first;
    `position` is where the ledger was when it was made: what was published from there on is not before it.
    """
    comparing = {promise.name: promise for promise in asked if compares(promise.parameters.kind)}
    if not comparing:
        return None
    before = next((found for found in reversed(gate.history(asset)) if found.position < position), None)
    if before is None or majors(made_of) != majors(made.declared for made in gate.ancestry(before)):
        return {}
    return dict(_recorded(before, comparing))


def majors(made_of: Iterable[Mapping[str, str]]) -> Mapping[str, str]:
    """The first part of the version of each declaration that passports name: `{"contract visits": "2"}`.

    Where two passports were made under two of them, the first one's counts, so that what is nearest comes first.
    """
    found: dict[str, str] = {}
    for declared in made_of:
        for named in declared:
            name, _, version = named.partition("@")
            found.setdefault(name, version.partition(".")[0])
    return found


def _recorded(before: Passport, comparing: Mapping[str, Promise]) -> Iterable[tuple[str, Number]]:
    for measured in before.measured:
        promise = comparing.get(measured.finding.name)
        if promise is not None and measured.question == question_digest(promise):
            for name, number in measured.finding.numbers.items():
                yield f"{measured.finding.name}.{name}", number


def shown(con: duckdb.DuckDBPyConnection, numbers: Mapping[str, Number] | None) -> dict[str, exp.Table]:
    """The numbers as a table of this connection, under its name as a reference; nothing where nobody asks for it."""
    if numbers is None:
        return {}
    table = _TABLE.sql(dialect="duckdb")
    with engine_errors("showing the version before"):
        con.execute(f"CREATE TEMP TABLE {table} (name VARCHAR, value DOUBLE)")
        rows: Sequence[list[str | float]] = [[name, float(number)] for name, number in numbers.items()]
        if rows:
            con.executemany(f"INSERT INTO {table} VALUES (?, ?)", rows)
    return {PREVIOUS: _TABLE}
