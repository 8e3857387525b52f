"""Answers for everybody with a lie of known probability: the true value with p = e^ε / (e^ε + m - 1), else any other.

Belongs here: a truth value, or text with declared values, that is asked of many and is nobody's business of one.
Does not belong here: what a person is found by (`token`); numbers (`bounded_noise`).

The argument: whatever leaves, no value of the m that could have arrived makes it more than e^ε times as probable as
another (ε-local differential privacy; Warner 1965; for m categories Kairouz, Bonawitz, Ramage 2016, "Discrete
distribution estimation under local privacy"). It holds against whoever knows everything else, the key's holder too.
OpenDP draws, and its map says what is spent.

What it does not cover: ε is for one value. Columns of a row add up, rows of a person add up, and so do versions: each
draws anew, and the average of many tells the truth. Values that hang together tell of each other beside their noise.

Counting: of n rows with c answers z, (c - n q) / (p - q) is an unbiased estimate of how many z there were, where
q = (1 - p) / (m - 1); its variance is at most n / (4 (p - q)²). `estimate` is that. Rows of `missing: as_any` that had
no value are not among the n: leave them out of the count, or the estimate is too high by their m-th part.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import polars as pl
from pydantic import Field
from sqlglot import exp

from privacy_assets.techniques import noise
from privacy_assets.techniques.pseudonymize._columns import TEXT, engine_type, identifies, reference
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen

DRAWS = True
BUILT_OF = (noise,)
FUNCTION = ("BIGINT", "BIGINT", "DOUBLE", "BIGINT")

_TRUTHS = ("false", "true")


class Parameters(Frozen):
    """`epsilon` is spent on each value. `missing` says what NULL is: a category more (it leaves, as a truth or a lie).

    Or, `as_any`: a row without a value leaves as any of the values, all alike, and no NULL leaves. That is for columns
    that always have a value, of which one category less tells more. Either way nobody sees whether there was one.
    """

    kind: Literal["randomized_response"]
    epsilon: Annotated[float, Field(ge=0.001, le=10), Weaker.MORE]
    missing: Annotated[Literal["a_category", "as_any"], Weaker.ANY] = "a_category"


def local_epsilon(parameters: Parameters) -> float:
    """What one value of one row spends."""
    return parameters.epsilon


def categories(parameters: Parameters, column: Column) -> tuple[str | None, ...]:
    """What can leave, in the order of the codes: the declared values, then perhaps NULL."""
    values = column.domain if column.domain is not None else _TRUTHS
    return (*values, None) if parameters.missing == "a_category" else tuple(values)


def function(codes: pl.Series, many: pl.Series, epsilon: pl.Series) -> pl.Series:
    """For each code an answer of its own, among `many` categories (alike in all rows, as is `epsilon`)."""
    if codes.is_empty():
        return codes
    response = noise.randomized_response(int(many[0]), float(epsilon[0]))
    return pl.Series(codes.name, response.answer(codes.to_list()), pl.Int64)


def estimate(parameters: Parameters, column: Column, answers: int, rows: int) -> float:
    """How many of `rows` had a value that `answers` of them left with: unbiased, so it may be below 0 or above all."""
    many = len(categories(parameters, column))
    truth = noise.randomized_response(many, parameters.epsilon).truth
    lie = (1 - truth) / (many - 1)
    return (answers - rows * lie) / (truth - lie)


def expression(parameters: Parameters, column: Column, value: exp.Expr, mapped: exp.Expr | None) -> exp.Expr:
    """An answer. What is no declared value arrives as none of the codes, and leaves as any category alike."""
    leave = categories(parameters, column)
    cases = exp.Case().when(exp.Is(this=value, expression=exp.null()), _whole(len(leave) - 1 if None in leave else -1))
    for code, category in enumerate(leave):
        if category is not None:
            text = exp.cast(value.copy(), "VARCHAR")
            cases = cases.when(exp.EQ(this=text, expression=exp.Literal.string(category)), _whole(code))
    spent = exp.cast(exp.Literal.string(repr(parameters.epsilon)), "DOUBLE")
    drawn = exp.Anonymous(this=parameters.kind, expressions=[cases.else_(_whole(-1)), _whole(len(leave)), spent])
    listed = exp.Array(
        expressions=[exp.null() if category is None else exp.Literal.string(category) for category in leave]
    )
    place = exp.Add(this=drawn, expression=exp.Literal.number(1))
    answer = exp.Anonymous(this="list_extract", expressions=[exp.cast(listed, "TEXT[]"), place])
    return exp.cast(answer, column.type, dialect="duckdb")


def _whole(number: int) -> exp.Expr:
    return exp.cast(exp.Literal.string(str(number)), "BIGINT")


def output(parameters: Parameters, column: Column) -> Column:
    """The same values, still what they were, of which none is known to be true."""
    return replace(column, technique=parameters.kind, identifier_domain=None)


def violated(parameters: Parameters, column: Column) -> exp.Expr:
    """True for a text that is no declared value, and for NULL where none leaves."""
    wrong: list[exp.Expr] = []
    if column.domain is not None:
        wrong.append(reference(column).isin(*column.domain).not_())
    if parameters.missing == "as_any":
        wrong.append(exp.Is(this=reference(column), expression=exp.null()))
    return exp.or_(*wrong) if wrong else exp.false()


def fault(parameters: Parameters, column: Column) -> str | None:
    """Fits truth values and text with declared values, that are no direct identifiers: two categories or more."""
    if what := identifies(column):
        return what
    if engine_type(column) is not exp.DType.BOOLEAN and (engine_type(column) not in TEXT or column.domain is None):
        return f"it needs a truth value, or text with declared values (`enum`), and the column is {column.type}"
    if len(set(categories(parameters, column))) < 2:
        return "it needs two values or more to choose among, and the column can leave with one"
    return None
