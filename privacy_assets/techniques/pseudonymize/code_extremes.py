"""Top- and bottom-coding: numbers beyond a bound become the bound, because extremes single people out.

Belongs here: numbers with a thin tail of known people (the oldest, the richest). Does not belong here: bounds that
are learned from the data; a maximum that is computed is itself the value of a person.

Source: ISO/IEC 20889:2018, "top and bottom coding". What it does not cover: values inside the bounds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import model_validator
from sqlglot import exp

from privacy_assets.techniques.pseudonymize._columns import (
    NUMBERS,
    constant,
    fits,
    identifies,
    is_float,
    reference,
    unlike,
)
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen, Number


class Parameters(Frozen):
    """`low` and `high` are the least and the greatest number that leave; one of them may be absent."""

    kind: Literal["code_extremes"]
    low: Annotated[Number | None, Weaker.LESS] = None
    high: Annotated[Number | None, Weaker.MORE] = None

    @model_validator(mode="after")
    def _bounded(self) -> Parameters:
        if self.low is None and self.high is None:
            raise ValueError("give `low`, `high` or both")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError("`low` must be less than `high`")
        return self


def expression(parameters: Parameters, column: Column, value: exp.Expr, mapped: exp.Expr | None) -> exp.Expr:
    """The number between the bounds that is nearest; NULL for NULL and for NaN."""
    cases = exp.Case()
    if is_float(column):
        cases = cases.when(exp.IsNan(this=value), exp.null())
    if parameters.low is not None:
        low = constant(parameters.low, column)
        cases = cases.when(exp.LT(this=value.copy(), expression=low), low.copy())
    if parameters.high is not None:
        high = constant(parameters.high, column)
        cases = cases.when(exp.GT(this=value.copy(), expression=high), high.copy())
    return cases.else_(value.copy())


def output(parameters: Parameters, column: Column) -> Column:
    """The same number, still what it was, without its extremes."""
    return replace(column, technique=parameters.kind, domain=None, identifier_domain=None)


def violated(parameters: Parameters, column: Column) -> exp.Expr:
    """True for a number beyond a bound."""
    value = reference(column)
    beyond: list[exp.Expr] = []
    if parameters.low is not None:
        beyond.append(exp.LT(this=value, expression=constant(parameters.low, column)))
    if parameters.high is not None:
        beyond.append(exp.GT(this=value.copy(), expression=constant(parameters.high, column)))
    return exp.or_(*beyond)


def fault(parameters: Parameters, column: Column) -> str | None:
    """Fits numbers that are no direct identifiers, and whose type can hold the bounds."""
    found = identifies(column) or unlike(column, NUMBERS, "a number")
    if found:
        return found
    for bound in (parameters.low, parameters.high):
        if bound is not None and not fits(bound, column):
            return f"the bound {bound} is no value that {column.type} can hold"
    return None
