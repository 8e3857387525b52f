"""What techniques ask of a column: how it is named in SQL, what its type can hold.

Belongs here: questions that several techniques ask of a `Column`, and the words in which they say no. Does not belong
here: what is done to a value; that stands in the file of its technique.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from functools import lru_cache

from sqlglot import exp

from privacy_assets.words import Column, Number, Role

TEXT = frozenset({exp.DType.TEXT, exp.DType.VARCHAR})
DAYS = frozenset({exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ})
FLOATS = frozenset({exp.DType.FLOAT, exp.DType.DOUBLE})
INTEGERS = {
    exp.DType.TINYINT: (-(2**7), 2**7 - 1),
    exp.DType.SMALLINT: (-(2**15), 2**15 - 1),
    exp.DType.INT: (-(2**31), 2**31 - 1),
    exp.DType.BIGINT: (-(2**63), 2**63 - 1),
    exp.DType.INT128: (-(2**127), 2**127 - 1),
    exp.DType.UTINYINT: (0, 2**8 - 1),
    exp.DType.USMALLINT: (0, 2**16 - 1),
    exp.DType.UINT: (0, 2**32 - 1),
    exp.DType.UBIGINT: (0, 2**64 - 1),
    exp.DType.UINT128: (0, 2**128 - 1),
}
NUMBERS = frozenset({*INTEGERS, *FLOATS, exp.DType.DECIMAL})


def reference(column: Column) -> exp.Column:
    """The column in SQL, without a table: the query that it is used in has one place it can come from."""
    return exp.column(column.name, quoted=True)


@lru_cache
def _parsed(type_name: str) -> exp.DataType:
    return exp.DataType.build(type_name, dialect="duckdb")


def engine_type(column: Column) -> exp.DType:
    """The family of the column's type."""
    found = _parsed(column.type).this
    return found if isinstance(found, exp.DType) else exp.DType.UNKNOWN


def is_float(column: Column) -> bool:
    """Whether the column can hold NaN, which is larger than every number for the engine and is none."""
    return engine_type(column) in FLOATS


def fits(number: Number, column: Column) -> bool:
    """Whether a numeric column can hold exactly this number as it was declared (binary fractions: the nearest one)."""
    kind = engine_type(column)
    if kind in FLOATS:
        return True
    exact = Decimal(str(number))
    if kind in INTEGERS:
        low, high = INTEGERS[kind]
        return exact == exact.to_integral_value() and low <= exact <= high
    width, scale = _width_and_scale(column)
    return abs(exact) < Decimal(10) ** (width - scale) and exact == round(exact, scale)


def decimals(column: Column) -> int:
    """How many decimals a DECIMAL column has."""
    return _width_and_scale(column)[1]


def _width_and_scale(column: Column) -> tuple[int, int]:
    declared = [int(part.name) for part in _parsed(column.type).expressions]
    if not declared:
        return 18, 3  # the engine's own default, where a contract says DECIMAL and no more
    return declared[0], declared[1] if len(declared) > 1 else 0


def constant(number: Number, column: Column) -> exp.Expr:
    """The number in the column's own type, or as a DOUBLE where that cannot hold it.

    It is written as text and cast, because a literal is a DECIMAL for the engine and would drag the column along.
    """
    written = str(int(number)) if number == int(number) else repr(number)
    return exp.cast(exp.Literal.string(written), column.type if fits(number, column) else "DOUBLE", dialect="duckdb")


def unlike(column: Column, types: Collection[exp.DType], wanted: str) -> str | None:
    """A fault in words if the column is none of `types`, which people call `wanted`."""
    return None if engine_type(column) in types else f"it needs {wanted}, and the column is {column.type}"


def identifies(column: Column) -> str | None:
    """A fault in words if the column is a direct identifier: a coarser form of one still points at the person."""
    if column.role is Role.DIRECT_IDENTIFIER:
        return "the column is a direct identifier: replace it (token, surrogate) or remove it (redact)"
    return None


def nameless(column: Column) -> str | None:
    """A fault in words if the column has no identifier domain, and so no key to replace its values with."""
    if column.identifier_domain is None:
        return "the column has no `identifier_domain` in its contract, so there is no key for it"
    return None
