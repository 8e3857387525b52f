"""Runs a technique as the stage does: on a table of one column and its subjects, in an engine in memory."""

from __future__ import annotations

import inspect
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import polars as pl
import pytest
from scipy.stats import beta
from sqlglot import exp

from privacy_assets.techniques.pseudonymize import PSEUDONYMIZE
from privacy_assets.words import Column, IdentifierDomain

KEY = "5e" * 32
PLAIN = IdentifierDomain(name="plain")
NOBODY = pl.DataFrame(schema={"mac": pl.String, "surrogate": pl.String})


ALPHA = 1e-6
"""How often what is right may be accused by an interval of Clopper and Pearson, both sides together."""


def interval(hits: int, draws: int) -> tuple[float, float]:
    """Clopper and Pearson: between what probabilities `hits` of `draws` are, at `ALPHA`."""
    low = float(beta.ppf(ALPHA / 2, hits, draws - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - ALPHA / 2, hits + 1, draws - hits)) if hits < draws else 1.0
    return low, high


@dataclass(frozen=True)
class Applied:
    """What left, row by row: the values (text of them where Python has no such type), their type, who is violated."""

    values: list[Any]
    type: str
    violated: list[bool]


@dataclass(frozen=True)
class Bench:
    """An engine with the ways to ask a technique of it."""

    con: duckdb.DuckDBPyConnection

    def leave(
        self,
        parameters: Any,
        column: Column,
        values: Sequence[Any],
        subjects: Sequence[str] | None = None,
        key: str = KEY,
    ) -> Applied:
        """Applies the technique to `values`, which belong to `subjects` (one each if they are not given)."""
        subjects = subjects or [f"person {place}" for place in range(len(values))]
        self._fill(column, values, subjects)
        return self._left(parameters, column, key)

    def often(self, parameters: Any, column: Column, value: Any, times: int) -> list[Any]:
        """What leaves of `times` people who all have this one value, which the engine may keep only once."""
        self._fill(column, [value], [""])
        self.con.execute(
            f"CREATE OR REPLACE TABLE arrived AS SELECT range::INTEGER AS place, range::VARCHAR AS subject, "
            f'"{column.name}" FROM arrived, range({times})'
        )
        return self._left(parameters, column, KEY).values

    def _left(self, parameters: Any, column: Column, key: str) -> Applied:
        module = PSEUDONYMIZE[parameters.kind]
        self._make_function(parameters.kind, module)
        maps, mapped = getattr(module, "MAPS", None), None
        source = {None: None, "value": exp.column(column.name, table="row", quoted=True), "subject": "row.subject"}[
            maps
        ]
        joined = ""
        if source is not None:
            texts = self.con.execute(f"SELECT DISTINCT CAST({source} AS VARCHAR) FROM arrived AS row").fetchall()
            known = pl.Series("value", [text for (text,) in texts if text is not None], pl.String)
            domain = column.identifier_domain or PLAIN
            found = self._mapped(module, parameters, known, key, domain)
            self._register(known, found, module.mapped_type(parameters))
            joined = f"LEFT JOIN map ON CAST({source} AS VARCHAR) = map.value"
            mapped = exp.column("mapped", table="map")
        value = exp.column(column.name, table="row", quoted=True)
        leaves = module.expression(parameters, column, value, mapped).sql(dialect="duckdb")
        self.con.execute(
            f'CREATE OR REPLACE TABLE "left" AS SELECT place, {leaves} AS "{column.name}" FROM arrived AS row {joined}'
        )
        return self._read(parameters, column)

    def accused(self, parameters: Any, column: Column, values: Sequence[Any]) -> list[bool]:
        """Which of `values`, written as they are, the technique says it can never have put out."""
        self._fill(column, values, ["" for _ in values])
        self.con.execute('CREATE OR REPLACE TABLE "left" AS FROM arrived')
        return self._read(parameters, column).violated

    def _make_function(self, kind: str, module: Any) -> None:
        known = "SELECT 1 FROM duckdb_functions() WHERE function_name = ?"
        if not hasattr(module, "FUNCTION") or self.con.execute(known, [kind]).fetchone():
            return

        def function(*columns: Any) -> Any:
            return module.function(*(pl.Series(pl.from_arrow(column)) for column in columns)).to_arrow()

        function.__signature__ = inspect.signature(module.function)
        *arguments, result = module.FUNCTION
        draws = getattr(module, "DRAWS", False)
        self.con.create_function(kind, function, arguments, result, type="arrow", side_effects=draws)

    def _fill(self, column: Column, values: Sequence[Any], subjects: Sequence[str]) -> None:
        self.con.execute(
            f'CREATE OR REPLACE TABLE arrived (place INTEGER, subject VARCHAR, "{column.name}" {column.type})'
        )
        rows = [(place, subject, value) for place, (subject, value) in enumerate(zip(subjects, values, strict=True))]
        self.con.executemany("INSERT INTO arrived VALUES (?, ?, ?)", rows)

    def _mapped(self, module: Any, parameters: Any, values: pl.Series, key: str, domain: IdentifierDomain) -> pl.Series:
        if not getattr(module, "VAULT", False):
            return module.map_values(parameters, values, key, domain)
        issued = module.issue(parameters, values, key, domain, NOBODY)
        return module.map_values(parameters, values, key, domain, known=issued)

    def _register(self, values: pl.Series, mapped: pl.Series, mapped_type: str) -> None:
        self.con.register("arriving", pl.DataFrame({"value": values, "mapped": mapped}).to_arrow())
        self.con.execute(
            f"CREATE OR REPLACE TABLE map AS SELECT value, CAST(mapped AS {mapped_type}) AS mapped FROM arriving"
        )
        self.con.unregister("arriving")

    def _read(self, parameters: Any, column: Column) -> Applied:
        condition = PSEUDONYMIZE[parameters.kind].violated(parameters, column).sql(dialect="duckdb")
        rows = self.con.execute(
            f'SELECT "{column.name}", coalesce({condition}, false) FROM "left" ORDER BY place'
        ).fetchall()
        described = self.con.execute(f'SELECT typeof("{column.name}") FROM "left" LIMIT 1').fetchone()
        return Applied([row[0] for row in rows], described[0] if described else "", [row[1] for row in rows])


def _bound(hits: int, others: int) -> float:
    return (hits - 5 * math.sqrt(hits)) / (others + 5 * math.sqrt(others) + 12)


@pytest.fixture(scope="session")
def between() -> Callable[[int, int], tuple[float, float]]:
    """The interval of Clopper and Pearson."""
    return interval


@pytest.fixture(scope="session")
def loss_shown() -> Callable[[Sequence[Any], Sequence[Any]], float]:
    """The ε that draws from two inputs show at least: of the value that tells most, the lower bound of ln(p / q).

    The value is chosen on one half of the draws, and counted on the other: so `ALPHA` holds, and proves nothing more.
    """

    def shown(one: Sequence[Any], other: Sequence[Any]) -> float:
        half = len(one) // 2
        first, against = Counter(one[:half]), Counter(other[:half])
        # by what its bound would be, were it the one: a rare value has a high ratio by chance
        most = max(first, key=lambda value: _bound(first[value], against[value]))
        low, _ = interval(sum(value == most for value in one[half:]), len(one) - half)
        _, high = interval(sum(value == most for value in other[half:]), len(other) - half)
        return math.log(low / high) if low else 0.0

    return shown


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    """An engine in memory."""
    with duckdb.connect() as con:
        yield Bench(con)


@pytest.fixture(scope="session")
def made() -> Callable[..., Any]:
    """Parameters of a technique as a purpose writes them."""

    def made(kind: str, **parameters: Any) -> Any:
        return PSEUDONYMIZE[kind].Parameters.model_validate({"kind": kind, **parameters})

    return made
