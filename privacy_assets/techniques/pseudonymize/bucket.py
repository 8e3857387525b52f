"""Replaces a number by the interval that it lies in, with a known list of intervals.

Belongs here: ages, amounts, counts, where the order of magnitude is what matters. Does not belong here: numbers that
a model needs as numbers (`code_extremes`).

What it does not cover: an interval that few people lie in; choose edges by what people share, not by round numbers.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator
from sqlglot import exp

from privacy_assets.techniques.pseudonymize._columns import (
    NUMBERS,
    constant,
    identifies,
    is_float,
    reference,
    unlike,
)
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen, Number


class Parameters(Frozen):
    """`edges` are the inner bounds, rising: n make n + 1 buckets. A bucket holds its lower bound, not its upper."""

    kind: Literal["bucket"]
    edges: Annotated[tuple[Number, ...], Field(min_length=1), Weaker.ADDED]

    @field_validator("edges")
    @classmethod
    def _rise(cls, edges: tuple[Number, ...]) -> tuple[Number, ...]:
        if any(low >= high for low, high in pairwise(edges)):
            raise ValueError("edges must rise from one to the next")
        return edges

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the buckets in their order: edges 18 and 30 give "<18", "[18,30)" and ">=30"."""
        names = [str(int(edge)) if edge == int(edge) else repr(edge) for edge in self.edges]
        return f"<{names[0]}", *(f"[{low},{high})" for low, high in pairwise(names)), f">={names[-1]}"


def expression(parameters: Parameters, column: Column, value: exp.Expr, mapped: exp.Expr | None) -> exp.Expr:
    """The label of the bucket; NULL for NULL and for NaN."""
    cases = exp.Case().when(exp.Is(this=value, expression=exp.null()), exp.null())
    if is_float(column):
        cases = cases.when(exp.IsNan(this=value.copy()), exp.null())
    for edge, label in zip(parameters.edges, parameters.labels, strict=False):
        cases = cases.when(exp.LT(this=value.copy(), expression=constant(edge, column)), exp.Literal.string(label))
    return cases.else_(exp.Literal.string(parameters.labels[-1]))


def output(parameters: Parameters, column: Column) -> Column:
    """A text of a known domain, still what it was, coarser."""
    return replace(column, type="VARCHAR", technique=parameters.kind, domain=parameters.labels, identifier_domain=None)


def violated(parameters: Parameters, column: Column) -> exp.Expr:
    """True for a text that is no label."""
    return exp.cast(reference(column), "VARCHAR").isin(*parameters.labels).not_()


def fault(parameters: Parameters, column: Column) -> str | None:
    """Fits numbers that are no direct identifiers."""
    return identifies(column) or unlike(column, NUMBERS, "a number")
