"""What every query has in common: groups that are declared, cells that are known beforehand, answers in one form.

Belongs here: parameters, labels and SQL that all kinds share. Does not belong here: noise, sensitivities.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import sqlglot
from pydantic import Field, StringConstraints, field_validator, model_validator
from sqlglot import exp

from privacy_assets.techniques.noise import LARGEST
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen, Number

ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Columns = Mapping[str, Column]
Exact = Mapping[str, tuple[int, ...]]
"""What was counted, by cell: `exact_1`, and `exact_2` where there is one. A cell without anybody is missing."""

ALL = "all"
"""The one cell of a query without groups."""

WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"})
LARGEST_BOUND = 10**12
"""The most that one value may count for, in units of its last decimal: sums of millions of rows fit 64 bits."""


class Grouped(Frozen):
    """`by` are the columns of the groups; `weight` is the share of the loss that this query gets beside others."""

    by: Annotated[tuple[ColumnName, ...], Weaker.ADDED] = ()
    weight: Annotated[float, Field(gt=0, le=1000), Weaker.NONE] = 1.0

    @field_validator("by")
    @classmethod
    def _each_once(cls, by: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(by)) < len(by):
            raise ValueError("a column stands in `by` twice")
        return by


class Bounded(Grouped):
    """A number of each row, brought between `low` and `high` before it counts, and rounded to `decimals` digits."""

    column: Annotated[ColumnName, Weaker.ANY]
    low: Annotated[Number, Weaker.LESS]
    high: Annotated[Number, Weaker.MORE]
    decimals: Annotated[int, Field(ge=0, le=9), Weaker.MORE] = 0

    @model_validator(mode="after")
    def _is_a_range(self) -> Bounded:
        if not self.low < self.high:
            raise ValueError("`low` must be under `high`")
        for bound in (self.low, self.high):
            units = bound * 10**self.decimals
            if abs(units) > LARGEST_BOUND:
                raise ValueError(f"`low` and `high` may be {LARGEST_BOUND:g} units of the last decimal at most")
            if abs(units - round(units)) > 1e-6 * max(1.0, abs(units)):
                raise ValueError("`low` and `high` must be written in `decimals` digits")
        return self

    def units(self, number: Number) -> int:
        """A number of the declaration in units of the last decimal."""
        units: int = round(number * 10**self.decimals)
        return units


@dataclass(frozen=True, slots=True)
class Answer:
    """One number of an answer, with the interval that holds the exact one with 95 %, and what it was made by.

    The exact one is that of the bounded rows. `accuracy` is in units of the value; of a quantile it is in rows. `scale`
    is in units of what the noise was added to. `loss` is the ε or ρ of the one draw that all cells of this measure
    share.
    """

    cell: str
    measure: str
    value: float
    low: float | None
    high: float | None
    accuracy: float
    mechanism: str
    scale: float
    loss: float


@dataclass(frozen=True, slots=True)
class Axis:
    """One way to part the rows: each has one of the declared `labels`, or none of them (`value` is NULL then).

    Two axes of one `name` part them alike. A label that is empty is not written: of rows whose number is known.
    """

    name: str
    labels: tuple[str, ...]
    value: exp.Expr


@dataclass(frozen=True, slots=True)
class Plain:
    """How a query is answered without noise: one number or two for each cell of the tables that `axes` make.

    `margins`: the tables of fewer axes, down to none, are answered as well. `amount` is what is added up of a row, a
    whole number of units between the `bounds` (NULL adds nothing), or None where rows are counted; `amount_name` is the
    same for amounts that are the same. `tell` makes the answers from rows and sum, by measure.
    """

    axes: tuple[Axis, ...]
    tell: Callable[[int, int], Mapping[str, float]]
    counts: bool = True
    margins: bool = False
    amount: exp.Expr | None = None
    amount_name: str = ""
    bounds: tuple[int, int] = (0, 0)

    @property
    def tables(self) -> tuple[tuple[Axis, ...], ...]:
        """The axes of each table that is told, all of them first."""
        sizes = range(len(self.axes), -1, -1) if self.margins else (len(self.axes),)
        return tuple(each for size in sizes for each in itertools.combinations(self.axes, size))


def parse(text: str, **parts: Any) -> exp.Expr:
    """DuckDB SQL with every `$name` replaced by the part of that name: an expression, or a plain value."""
    return exp.replace_placeholders(sqlglot.parse_one(text, dialect="duckdb"), **parts)


def column(name: str) -> exp.Column:
    """A column by its quoted name."""
    return exp.column(exp.to_identifier(name, quoted=True))


def domain(found: Column) -> tuple[str, ...] | None:
    """The declared values of a column as text; None where they are not declared."""
    return ("false", "true") if found.type == "BOOLEAN" else found.domain


def group_fault(parameters: Grouped, columns: Columns) -> tuple[str, str] | None:
    """Groups are declared, never found: that a group exists must not depend on anybody."""
    for name in parameters.by:
        if name not in columns:
            return "by", f"there is no column `{name}` in the features"
        if domain(columns[name]) is None:
            return "by", (
                f"the values of `{name}` are not declared, and which of them occur would tell of people: declare "
                "`enum:` in its contract, or `features.categories`"
            )
    return None


def number_fault(name: str, columns: Columns) -> tuple[str, str] | None:
    """A value to calculate with is a number."""
    if name not in columns:
        return "column", f"there is no column `{name}` in the features"
    kind = columns[name].type
    if kind in WHOLE or kind in ("DOUBLE", "FLOAT", "HUGEINT") or kind.startswith("DECIMAL"):
        return None
    return "column", f"`{name}` is {kind}, and no number"


def group_axes(parameters: Grouped, columns: Columns) -> tuple[Axis, ...]:
    """One axis for each column of the groups."""
    axes = []
    for name in parameters.by:
        declared = domain(columns[name]) or ()
        value = parse(
            "CASE WHEN CAST($value AS TEXT) IN $declared THEN $prefix || CAST($value AS TEXT) END",
            value=column(name),
            declared=exp.convert(declared),
            prefix=f"{name}=",
        )
        axes.append(Axis(name, tuple(f"{name}={one}" for one in declared), value))
    return tuple(axes)


def known_axis(parameters: Bounded, columns: Columns) -> Axis:
    """Tells the rows whose number is known from the others."""
    value = parse("CASE WHEN $value IS NOT NULL THEN '' END", value=whole(parameters, columns))
    return Axis(known(parameters.column), ("",), value)


def known(column: str) -> str:
    """What the axis is called that tells the rows whose number is known: as no column can be."""
    return f"{column}\x1fis known"


def amount_name(parameters: Bounded) -> str:
    """The same for queries that add up the same number of each row."""
    return f"{parameters.column} in [{parameters.low}, {parameters.high}], {parameters.decimals} decimals"


def label_of(parts: Sequence[str]) -> str:
    """The label of a cell, from those of its axes."""
    return ", ".join(part for part in parts if part) or ALL


def bounded_fault(parameters: Bounded, columns: Columns) -> tuple[str, str] | None:
    """Fits numbers, by declared groups."""
    return group_fault(parameters, columns) or number_fault(parameters.column, columns)


def bounded_reads(parameters: Bounded) -> tuple[str, ...]:
    """The columns of the groups, and the number."""
    return (*parameters.by, parameters.column)


def bounded_cells(parameters: Bounded, columns: Columns) -> tuple[str, ...]:
    """All combinations of declared groups."""
    return group_cells(parameters, columns)


def group_cells(parameters: Grouped, columns: Columns, *inner: tuple[str, Sequence[str]]) -> tuple[str, ...]:
    """The label of every cell, `ward=surgery, severity=3`: all combinations of declared values."""
    axes = [(name, domain(columns[name]) or ()) for name in parameters.by]
    written = [[f"{name}={value}" for value in values] for name, values in (*axes, *inner)]
    return tuple(label_of(parts) for parts in itertools.product(*written))


def group_select(parameters: Grouped, exact: Sequence[exp.Expr], *inner: tuple[str, exp.Expr]) -> exp.Select:
    """Counts by group over `bounded`. A row whose group is unknown (NULL) or not declared is in no cell."""
    axes = [(name, column(name)) for name in parameters.by] + list(inner)
    labels = [parse("$prefix || CAST($value AS TEXT)", prefix=f"{name}=", value=value.copy()) for name, value in axes]
    label: exp.Expr = exp.Literal.string(ALL)
    if labels:
        label = labels[0]
        for further in labels[1:]:
            label = parse("$label || ', ' || $further", label=label, further=further)
    exacts = [*exact, *[exp.cast(exp.null(), "BIGINT")] * (2 - len(exact))]
    selected = exp.select(
        exp.alias_(label, "cell", quoted=True),
        *(exp.alias_(one, f"exact_{place}", quoted=True) for place, one in enumerate(exacts, 1)),
    ).from_(exp.to_table("bounded", dialect="duckdb"))
    return selected.group_by(*(value.copy() for _, value in axes)) if axes else selected


def whole(parameters: Bounded, columns: Columns) -> exp.Expr:
    """The value of a row in units of the last decimal, between `low` and `high`; NULL for NULL and NaN.

    It is bounded before and after it is rounded: that a value is within holds by comparing integers, whatever
    floating-point numbers do. Infinity is beyond `high` or `low`, and becomes that.
    """
    low, high = parameters.units(parameters.low), parameters.units(parameters.high)
    value = column(parameters.column)
    kind = columns[parameters.column].type
    if kind in WHOLE and parameters.decimals == 0:
        # LEAST and GREATEST pass over NULL, and would make a bound of it
        text = "CASE WHEN $value IS NOT NULL THEN CAST(GREATEST(LEAST($value, $high), $low) AS BIGINT) END"
        return parse(text, value=value, low=low, high=high)
    return parse(
        """CASE WHEN NOT isnan(CAST($value AS DOUBLE)) THEN GREATEST(LEAST(CAST(ROUND(
             GREATEST(LEAST(CAST($value AS DOUBLE), $above), $below) * $unit) AS BIGINT), $high), $low) END""",
        value=value,
        low=low,
        high=high,
        below=exp.cast(exp.convert(parameters.low), "DOUBLE"),
        above=exp.cast(exp.convert(parameters.high), "DOUBLE"),
        unit=10**parameters.decimals,
    )


def within(total: exp.Expr) -> exp.Expr:
    """A sum that fits 64 bits with room for noise: cutting it off moves two neighbours no further apart."""
    return parse("CAST(GREATEST(LEAST(COALESCE($total, 0), $most), -$most) AS BIGINT)", total=total, most=LARGEST)
