"""Adds noise to a number within declared bounds, so that nobody's own is known and means and shares still are.

Belongs here: amounts and counts whose sum or mean over many is asked for. Does not belong here: categories
(`randomized_response`); numbers that only need their extremes hidden (`code_extremes`); bounds learned from the data.

The argument: the number is moved into [low, high] and counted in steps from `low`, so two people are at most
d = (high - low) / step steps apart; discrete Laplace noise of scale d / ε (OpenDP's, by its map) makes that ε-local
differential privacy (Dwork, McSherry, Nissim, Smith 2006, with d the sensitivity of one value). Moving the result into
[low, high] again looks at the noisy number alone, so it spends nothing. A step is 1 for whole numbers, the last decimal
for DECIMAL, 2⁻²⁰ of the range for binary fractions: only whole steps leave, whose last digits tell nothing (Mironov
2012).

NULL and NaN arrive as the middle of the range, so that nobody sees whether there was a number, and none leaves;
infinity is beyond the bounds. Means are drawn towards the middle by both, and by moving the result into the bounds: at
ε = 1 the scale of the noise is the range itself, and six or seven rows of ten leave as `low` or `high`. So the mean of
what leaves is no estimate of the mean. Where one is needed, ask for statistics (`aggregate/`), whose noise is added
once, not by row.

What it does not cover: ε is for one value. Columns of a row add up, rows of a person add up, and so do versions: each
draws anew, and the average of many tells the truth.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Literal

import polars as pl
from pydantic import Field, model_validator
from sqlglot import exp

from privacy_assets.techniques import noise
from privacy_assets.techniques.pseudonymize._columns import (
    FLOATS,
    INTEGERS,
    NUMBERS,
    constant,
    decimals,
    engine_type,
    fits,
    identifies,
    is_float,
    reference,
    unlike,
)
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen, Number

DRAWS = True
BUILT_OF = (noise,)
FUNCTION = ("BIGINT", "BIGINT", "DOUBLE", "BIGINT")

LARGEST = 2**48
"""Bounds and steps beyond this are refused: up to it a double holds every step exactly."""

_STEPS_OF_FLOATS = 2**20
_NARROWEST = 1e-6  # of the greater bound: a FLOAT tells no narrower range from one number

Bound = Annotated[Number, Field(ge=-LARGEST, le=LARGEST)]


class Parameters(Frozen):
    """`low` and `high` are the least and the greatest number that leave; `epsilon` is spent on each value."""

    kind: Literal["bounded_noise"]
    low: Annotated[Bound, Weaker.LESS]
    high: Annotated[Bound, Weaker.MORE]
    epsilon: Annotated[float, Field(ge=0.001, le=10), Weaker.MORE]

    @model_validator(mode="after")
    def _bounded(self) -> Parameters:
        if self.low >= self.high:
            raise ValueError("`low` must be less than `high`")
        return self


def local_epsilon(parameters: Parameters) -> float:
    """What one value of one row spends."""
    return parameters.epsilon


def steps(parameters: Parameters, column: Column) -> int:
    """How many steps lie between `low` and `high`, which is how far two people can be apart."""
    kind = engine_type(column)
    if kind in FLOATS:
        return _STEPS_OF_FLOATS
    apart = Decimal(str(parameters.high)) - Decimal(str(parameters.low))
    return int(apart if kind in INTEGERS else apart.scaleb(decimals(column)))


def function(places: pl.Series, apart: pl.Series, epsilon: pl.Series) -> pl.Series:
    """For each place from 0 to `apart` one with noise of its own, there too (`apart`, `epsilon` alike in all rows)."""
    if places.is_empty():
        return places
    most = int(apart[0])
    drawn = noise.additive(noise.Measure.PURE, most, float(epsilon[0])).add(places.clip(0, most).to_list())
    return pl.Series(places.name, drawn, pl.Int64).clip(0, most)


def expression(parameters: Parameters, column: Column, value: exp.Expr, mapped: exp.Expr | None) -> exp.Expr:
    """The place between the bounds, with noise, as a number again."""
    most = steps(parameters, column)
    low, high = constant(parameters.low, column), constant(parameters.high, column)
    least = _double(float(parameters.low))
    step = _double((float(parameters.high) - float(parameters.low)) / most)
    cases = exp.Case().when(exp.Is(this=value, expression=exp.null()), _whole(most // 2))
    if is_float(column):
        cases = cases.when(exp.IsNan(this=value.copy()), _whole(most // 2))
    cases = cases.when(exp.LTE(this=value.copy(), expression=low), _whole(0))
    cases = cases.when(exp.GTE(this=value.copy(), expression=high), _whole(most))
    above = exp.paren(exp.Sub(this=exp.cast(value.copy(), "DOUBLE"), expression=least))
    place = exp.cast(exp.Round(this=exp.Div(this=above, expression=step)), "BIGINT")
    spent = _double(parameters.epsilon)
    drawn = exp.Anonymous(this=parameters.kind, expressions=[cases.else_(place), _whole(most), spent])
    number = exp.Add(this=least.copy(), expression=exp.Mul(this=drawn, expression=step.copy()))
    whole: exp.Expr = exp.Round(this=number) if engine_type(column) in INTEGERS else number
    # the last digit of a binary fraction may lie beyond a bound; no NULL leaves, and to ask for one would draw again
    inside = exp.cast(whole, column.type, dialect="duckdb")
    above_low = exp.Greatest(this=inside, expressions=[low.copy()], ignore_nulls=True)
    return exp.Least(this=above_low, expressions=[high.copy()], ignore_nulls=True)


def _whole(number: int) -> exp.Expr:
    return exp.cast(exp.Literal.string(str(number)), "BIGINT")


def _double(number: float) -> exp.Expr:
    return exp.cast(exp.Literal.string(repr(number)), "DOUBLE")


def output(parameters: Parameters, column: Column) -> Column:
    """The same type, still what it was, of which no number is known to be true."""
    return replace(column, technique=parameters.kind, domain=None, identifier_domain=None)


def violated(parameters: Parameters, column: Column) -> exp.Expr:
    """True for a number beyond a bound, NaN among them, and for NULL."""
    value = reference(column)
    return exp.or_(
        exp.Is(this=value, expression=exp.null()),
        exp.LT(this=value.copy(), expression=constant(parameters.low, column)),
        exp.GT(this=value.copy(), expression=constant(parameters.high, column)),
    )


def fault(parameters: Parameters, column: Column) -> str | None:
    """Fits numbers that are no direct identifiers, whose type can hold the bounds, and not too many steps between."""
    if found := identifies(column) or unlike(column, NUMBERS, "a number"):
        return found
    for bound in (parameters.low, parameters.high):
        if not fits(bound, column):
            return f"the bound {bound} is no value that {column.type} can hold"
    if is_float(column):
        apart = parameters.high - parameters.low
        if apart < max(_NARROWEST * max(abs(parameters.low), abs(parameters.high)), 1e-30):
            return f"the range from {parameters.low} to {parameters.high} is too narrow for {column.type}"
    elif steps(parameters, column) > LARGEST:
        return f"there are more than {LARGEST} steps of {column.type} between the bounds"
    return None
