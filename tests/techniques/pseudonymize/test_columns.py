"""What a column can hold is judged as the engine would."""

from __future__ import annotations

from typing import Any

import pytest

from privacy_assets.techniques.pseudonymize import _columns
from privacy_assets.words import Column, Number


@pytest.mark.parametrize(
    ("number", "type_name", "fits"),
    [
        (127, "TINYINT", True),
        (128, "TINYINT", False),
        (-1, "UTINYINT", False),
        (2**64 - 1, "UBIGINT", True),
        (2**127 - 1, "HUGEINT", True),
        (2**128 - 1, "UHUGEINT", True),
        (18.0, "INTEGER", True),
        (18.5, "INTEGER", False),
        (99.99, "DECIMAL(4,2)", True),
        (100, "DECIMAL(4,2)", False),
        (0.125, "DECIMAL(4,2)", False),
        (0.125, "DECIMAL", True),
        (0.1, "FLOAT", True),
        (1e300, "DOUBLE", True),
    ],
)
def test_fits(number: Number, type_name: str, fits: bool, bench: Any) -> None:
    """A number fits if casting it to the type and back gives it again; a constant is of the type that it fits."""
    column = Column("x", type_name)
    assert _columns.fits(number, column) is fits
    sql = _columns.constant(number, column).sql(dialect="duckdb")
    kind, value = bench.con.execute(f"SELECT typeof({sql}), CAST({sql} AS DOUBLE)").fetchone()
    assert value == pytest.approx(float(number))
    assert (kind == "DOUBLE") is (not fits or type_name == "DOUBLE")


def test_a_column_is_quoted() -> None:
    """Any name that a contract may hold can be asked for."""
    assert _columns.reference(Column('a "b"; DROP', "DATE")).sql(dialect="duckdb") == '"a ""b""; DROP"'
