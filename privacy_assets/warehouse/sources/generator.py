"""Rows of nobody, invented as a contract describes them: for trying a project out before there is any data.

Belongs here: one value after another that fits its column. Does not belong here: synthetic data that is to be like real
data, which is fitted on it and attacked before it is released.

Columns are independent of each other. Identifiers are numbered, so that datasets of one identifier domain join; a
column that need not be filled is empty in one row of fifty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import polars as pl

from privacy_assets.contracts.contract import Contract, ContractColumn, Generator, Invention
from privacy_assets.warehouse.connections import Reach, content_digest, engine_errors
from privacy_assets.warehouse.sources import rows
from privacy_assets.warehouse.sources.rows import Staged, Table

_DIFFERENT = 2_000
"""So many different values of a kind are invented; rows take them at random."""
_EMPTY = 0.02
_AT_ONCE = 100_000
_FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)
"""Days are those of the two years from here on, and births those of the eighty years before."""
_WRITTEN_AS = {"DATE": "%Y-%m-%d", "TIMESTAMP": "%Y-%m-%d %H:%M:%S"}
_INTEGERS = {"BIGINT", "INTEGER", "SMALLINT"}

_WRITTEN = (
    ("user.name", "name"),
    ("user.contact.email", "email"),
    ("user.contact.phone", "phone_number"),
    ("user.contact.address.street", "street_address"),
    ("user.contact.address.city", "city"),
    ("user.contact.address.postal_code", "postcode"),
    ("user.contact.address.country", "country"),
    ("user.contact.url", "url"),
    ("user.device.ip_address", "ipv4"),
    ("user.workplace", "job"),
    ("user.content", "sentence"),
)
"""Category of the Fides taxonomy -> what Faker calls such a text."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What would be invented; see `sources.Delivery`."""

    source: Generator
    reach: Reach

    def digest(self, con: duckdb.DuckDBPyConnection, contract: Contract, key: bytes) -> str:
        """Keyed digest (hex) of the rows, which are invented for it."""
        with engine_errors("inventing rows"):
            try:
                return self.stage(con, contract, key)[1]
            finally:
                con.execute("DROP TABLE IF EXISTS temp.staged")
                con.execute("DROP TABLE IF EXISTS temp.malformed")

    def stage(self, con: duckdb.DuckDBPyConnection, contract: Contract, key: bytes) -> tuple[Staged, str]:
        """Every row, as text."""
        names = tuple(column.name for column in contract.columns)
        staged = rows.stage(con, contract, (Table(self.source.place, names, ("VARCHAR",) * len(names)),))
        invention = self.source.invention
        columns = [_Column.of(contract, one, place, invention) for place, one in enumerate(contract.columns)]
        with engine_errors("inventing rows"):
            for first in range(1, invention.rows + 1, _AT_ONCE):
                size = min(_AT_ONCE, invention.rows + 1 - first)
                invented = pl.DataFrame(
                    {staged.places[one.column.name]: one.values(first, size) for one in columns},
                    schema={staged.places[name]: pl.String for name in names},
                ).to_arrow()
                con.register("invented", invented)
                con.execute("INSERT INTO temp.staged BY NAME SELECT * FROM invented")
                con.unregister("invented")
        return staged, content_digest(con, "temp.staged", key)


def find(source: Generator) -> Delivered:
    """What the generator would invent."""
    return Delivered(source, Reach())


@dataclass(frozen=True, slots=True)
class _Column:
    """How one column is invented: numbered, each number once or again and again, or from a pool of different values."""

    column: ContractColumn
    seed: tuple[int, int]
    once: bool
    persons: int
    filled: bool
    pool: Sequence[str]

    @classmethod
    def of(cls, contract: Contract, column: ContractColumn, place: int, invention: Invention) -> _Column:
        once = column.unique or contract.primary_key == (column.name,)
        numbered = once or column.privacy.identifier_domain is not None
        return cls(
            column=column,
            seed=(invention.seed, place),
            once=once,
            # where a person can have several rows, there are a third as many persons
            persons=max(1, invention.rows // 3),
            filled=column.required or once or column.name in (contract.subject_column, *contract.primary_key),
            pool=() if numbered else _pool(column, invention.seed, place),
        )

    def values(self, first: int, size: int) -> list[str | None]:
        """The values of the rows from number `first` on."""
        import numpy as np

        rng = np.random.default_rng([*self.seed, first])
        domain = str(self.column.privacy.identifier_domain or self.column.name)
        if self.once:
            made = [_identifier(self.column, domain, number) for number in range(first, first + size)]
        elif not self.pool:
            numbers = rng.integers(1, self.persons + 1, size).tolist()
            made = [_identifier(self.column, domain, number) for number in numbers]
        else:
            made = [self.pool[at] for at in rng.integers(0, len(self.pool), size).tolist()]
        if self.filled:
            return list(made)
        empty = (rng.random(size) < _EMPTY).tolist()
        return [None if gone else value for value, gone in zip(made, empty, strict=True)]


def _identifier(column: ContractColumn, domain: str, number: int) -> str:
    kind = column.type
    if kind in _WRITTEN_AS:
        return (_FIRST_DAY + timedelta(days=number)).strftime(_WRITTEN_AS[kind])
    if kind != "VARCHAR":
        return str(number)
    if "email" in domain:
        return f"person{number}@example.org"
    if "phone" in domain:
        return f"+4930{number:08d}"
    return f"{domain}-{number:07d}"


def _pool(column: ContractColumn, seed: int, place: int) -> Sequence[str]:
    """The different values of a column, each as text."""
    import numpy as np

    if column.domain is not None:
        return column.domain
    rng = np.random.default_rng([seed, place])
    kind, category = column.type, column.privacy.category
    if kind == "VARCHAR":
        return _texts(category, seed + place)
    if kind == "BOOLEAN":
        return ("true", "false")
    if kind in _INTEGERS:
        return [str(number) for number in rng.integers(0, 100, _DIFFERENT).tolist()]
    if kind.startswith("DECIMAL("):
        precision, scale = (int(part) for part in kind[8:-1].split(","))
        most = 10.0 ** min(precision - scale, 4) - 1
        return [f"{number:.{scale}f}" for number in rng.uniform(0, max(most, 0), _DIFFERENT).tolist()]
    if kind in ("DOUBLE", "FLOAT"):
        return [f"{number:.3f}" for number in rng.lognormal(3, 1, _DIFFERENT).tolist()]
    if kind == "TIME":
        return [f"{number // 60:02d}:{number % 60:02d}:00" for number in rng.integers(0, 1440, _DIFFERENT).tolist()]
    birth = "birth" in category or "birth" in column.name.lower() or "age" in category
    since = [-number for number in rng.integers(1, 29_000, _DIFFERENT)] if birth else rng.integers(0, 700, _DIFFERENT)
    return [(_FIRST_DAY + timedelta(days=int(days))).strftime(_WRITTEN_AS[kind]) for days in since]


def _texts(category: str, seed: int) -> list[str]:
    from faker import Faker

    faker = Faker()
    faker.seed_instance(seed)
    said = next((said for begins, said in _WRITTEN if f"{category}.".startswith(f"{begins}.")), "word")
    invent: Callable[[], Any] = getattr(faker, said)
    return [str(invent()) for _ in range(_DIFFERENT)]
