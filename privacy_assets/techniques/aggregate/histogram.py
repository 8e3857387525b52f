"""histogram: how many rows have a number in each of some intervals, by group.

**Sensitivity.** As of `count`: the intervals do not overlap, so a row is in one cell of group and interval, or, where
its number is not known, in none. A person moves the vector of all cells by at most `rows` in L1, and in L2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator
from sqlglot import exp

from privacy_assets.techniques.aggregate import count
from privacy_assets.techniques.aggregate._grouped import (
    Answer,
    Axis,
    ColumnName,
    Columns,
    Exact,
    Grouped,
    Plain,
    column,
    group_axes,
    group_cells,
    group_fault,
    group_select,
    number_fault,
    parse,
)
from privacy_assets.techniques.noise import Noise
from privacy_assets.weakening import Weaker
from privacy_assets.words import Number

plan = count.plan


class Parameters(Grouped):
    """`edges` are the inner bounds, rising: n make n + 1 intervals, which hold their lower bound, not their upper."""

    kind: Literal["histogram"]
    column: Annotated[ColumnName, Weaker.ANY]
    edges: Annotated[tuple[Number, ...], Field(min_length=1, max_length=500), Weaker.ADDED]

    @field_validator("edges")
    @classmethod
    def _rise(cls, edges: tuple[Number, ...]) -> tuple[Number, ...]:
        if any(low >= high for low, high in pairwise(edges)):
            raise ValueError("edges must rise from one to the next")
        return edges

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the intervals in their order: edges 18 and 30 give "<18", "[18,30)" and ">=30"."""
        names = [str(int(edge)) if edge == int(edge) else repr(edge) for edge in self.edges]
        return f"<{names[0]}", *(f"[{low},{high})" for low, high in pairwise(names)), f">={names[-1]}"


def fault(parameters: Parameters, columns: Columns) -> tuple[str, str] | None:
    """Fits numbers."""
    return group_fault(parameters, columns) or number_fault(parameters.column, columns)


def reads(parameters: Parameters) -> tuple[str, ...]:
    """The columns of the groups, and the number."""
    return (*parameters.by, parameters.column)


def cells(parameters: Parameters, columns: Columns) -> tuple[str, ...]:
    """All combinations of declared groups and intervals."""
    return group_cells(parameters, columns, (parameters.column, parameters.labels))


def exact(parameters: Parameters, columns: Columns) -> exp.Select:
    """The number of rows of each cell."""
    return group_select(parameters, [exp.Count(this=exp.Star())], (parameters.column, interval(parameters)))


def interval(parameters: Parameters) -> exp.Expr:
    """The label of a row's interval; NULL where the number is not known."""
    value = parse("CAST($value AS DOUBLE)", value=column(parameters.column))
    found = exp.Case().when(parse("$value IS NULL OR ISNAN($value)", value=value.copy()), exp.null())
    for edge, label in zip(parameters.edges, parameters.labels, strict=False):
        bound = exp.cast(exp.convert(edge), "DOUBLE")
        found = found.when(exp.LT(this=value.copy(), expression=bound), exp.Literal.string(label))
    return found.else_(exp.Literal.string(parameters.labels[-1]))


def answer(parameters: Parameters, columns: Columns, exact: Exact, mechanisms: Sequence[Noise]) -> Iterator[Answer]:
    """The noisy counts."""
    return count.answers(cells(parameters, columns), exact, mechanisms)


def plain(parameters: Parameters, columns: Columns) -> Plain:
    """The number of rows of each group and interval."""
    value = parse("$prefix || $interval", prefix=f"{parameters.column}=", interval=interval(parameters))
    labels = tuple(f"{parameters.column}={label}" for label in parameters.labels)
    return Plain((*group_axes(parameters, columns), Axis(parameters.column, labels, value)), count.tell)
