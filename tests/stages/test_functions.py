"""Functions of techniques: what draws is called for every row, also where the engine keeps a value once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import duckdb
import polars as pl
import pytest

from privacy_assets.stages import functions

ROWS = 10_000


def counting(*, draws: bool) -> ModuleType:
    """A technique whose every draw is another number."""
    module, numbers = ModuleType("counting"), itertools.count()
    told: dict[str, Any] = {
        "DRAWS": draws,
        "FUNCTION": ("VARCHAR", "BIGINT", "BIGINT"),
        "function": lambda values, _: pl.Series(values.name, list(itertools.islice(numbers, len(values))), pl.Int64),
    }
    vars(module).update(told)
    return module


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A file whose column `two` the engine keeps in a dictionary, and `one` as a constant."""
    with duckdb.connect(tmp_path / "kept.duckdb") as con:
        con.execute(f"CREATE TABLE kept AS SELECT ['x', 'y'][range % 2 + 1] AS two, 'x' AS one FROM range({ROWS})")
        con.execute("CHECKPOINT")
    with duckdb.connect(tmp_path / "kept.duckdb") as con:
        yield con


@pytest.mark.parametrize("value", ["two", "one", "'x'", "coalesce(NULLIF(one, 'x'), 'y')"])
def test_what_draws_is_called_for_every_row(con: duckdb.DuckDBPyConnection, value: str) -> None:
    """As many draws as rows: of two values, of one, of a constant, and where nothing was there."""
    functions.make_function(SimpleNamespace(con=con), "drawn", counting(draws=True))  # type: ignore[arg-type]
    assert con.execute(f"SELECT count(DISTINCT drawn({value}, 3)) FROM kept").fetchone() == (ROWS,)


def test_without_saying_so_rows_would_share_a_draw(con: duckdb.DuckDBPyConnection) -> None:
    """The control: of a technique that does not say that it draws, rows with one value get one and the same."""
    functions.make_function(SimpleNamespace(con=con), "shared", counting(draws=False))  # type: ignore[arg-type]
    (draws,) = con.execute("SELECT count(DISTINCT shared(two, 3)) FROM kept").fetchone() or (ROWS,)
    assert draws < ROWS / 2


def test_what_sql_says_needs_no_function(con: duckdb.DuckDBPyConnection) -> None:
    """A technique without one makes nothing known; its sources are its own and what it is built of."""
    module, helper = ModuleType("plain"), ModuleType("helper")
    functions.make_function(SimpleNamespace(con=con), "plain", module)  # type: ignore[arg-type]
    assert con.execute("SELECT 1 FROM duckdb_functions() WHERE function_name = 'plain'").fetchone() is None
    vars(module)["BUILT_OF"] = (helper,)
    assert functions.sources([module]) == [module, helper]
