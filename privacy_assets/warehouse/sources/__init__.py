"""Where data about people comes from: one kind of source, one file.

A source is found as its contract names it (`find`), reached by a connection that reaches nothing else (`opened`), and
taken into a candidate (`read`): every row it holds ends in `data` or, with the reason, in `quarantine`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

import duckdb

from privacy_assets.contracts.contract import Contract, Files, Generator, Postgres
from privacy_assets.warehouse.connections import Reach, ingest
from privacy_assets.warehouse.sources import files, generator, postgres, rows
from privacy_assets.warehouse.tombstones import Tombstones
from privacy_assets.warehouse.versions import Candidate

KINDS = (files, postgres, generator)
"""The kinds of source there are."""


class Delivery(Protocol):
    """What a source holds now."""

    @property
    def reach(self) -> Reach:
        """What a connection has to reach."""

    def stage(self, con: duckdb.DuckDBPyConnection, contract: Contract, key: bytes) -> tuple[rows.Staged, str]:
        """Every row into `temp.staged` or `temp.malformed`, and the keyed digest of what was read. Raises BadSource."""

    def digest(self, con: duckdb.DuckDBPyConnection, contract: Contract, key: bytes) -> str:
        """The digest that `stage` would give now, without keeping anything. Raises BadSource."""


def find(contract: Contract, root: Path, env: Mapping[str, str] = os.environ, *, day: str = "") -> Delivery:
    """What the contract's source holds now (of one `day`); `${NAME}` in it is taken from `env`. Raises BadSource."""
    match contract.source:
        case Files() as source:
            return files.find(source, root, env, day)
        case Postgres() as source:
            return postgres.find(source, root, env)
        case Generator() as source:
            return generator.find(source)


@contextmanager
def opened(
    contract: Contract, root: Path, spill: Path, candidate: Candidate | None, *, day: str = ""
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reaches the contract's source, and writes the candidate. Raises BadSource where it cannot."""
    with ingest(spill, candidate, find(contract, root, day=day).reach) as con:
        yield con


def read(
    con: duckdb.DuckDBPyConnection,
    contract: Contract,
    root: Path,
    key: bytes,
    *,
    day: str = "",
    tombstones: Tombstones | None = None,
) -> str:
    """Take every row of the contract's source into `candidate.main`, or nothing; returns its keyed digest (hex).

    But for rows of those who were erased, by `tombstones`: none of them is written anywhere.

    `con` is one of `opened`, outside of a transaction. Raises BadSource, with all faults at once, where a column of the
    contract is missing, the source cannot be read as declared or changes meanwhile, or there is no row at all. Columns
    that the contract does not know are kept and counted.
    """
    delivery = find(contract, root, day=day)
    if isinstance(delivery, files.Delivered):
        return delivery.take(con, contract, key, tombstones)
    staged, digest = delivery.stage(con, contract, key)
    rows.settle(con, contract, staged, tombstones)
    return digest


@dataclass(frozen=True, slots=True)
class Days:
    """The days that were delivered, with when each was last changed; and those of which nothing is taken in."""

    taken: Mapping[str, datetime]
    passed_over: tuple[str, ...]
    """No date, before the first one that the contract speaks of, or after today."""


def days(contract: Contract, root: Path) -> Days:
    """The days of a dataset that comes by day, in order; none of any other. Raises BadSource."""
    source = contract.source
    if not isinstance(source, Files) or source.deliveries is None:
        return Days({}, ())
    held, since, today = files.days(source, root), source.deliveries.since, datetime.now(UTC).date().isoformat()
    taken = {day: changed for day, changed in held.items() if _is_date(day) and since <= day <= today}
    return Days(taken, tuple(day for day in held if day not in taken))


def _is_date(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def digest(contract: Contract, root: Path, spill: Path, key: bytes, *, day: str = "") -> str:
    """The keyed digest (hex) that `read` would give now."""
    found = find(contract, root, day=day)
    with ingest(spill, None, found.reach) as con:
        return found.digest(con, contract, key)
