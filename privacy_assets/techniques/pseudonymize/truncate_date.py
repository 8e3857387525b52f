"""Coarsens a date to the first day of its month, quarter or year.

Belongs here: dates of which the period is needed (a season, an age in years). Does not belong here: dates between
which days are counted (`shift_dates`).

What it does not cover: how many people share a period; a birth year of 1907 is still rare (`code_extremes` on the age).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from sqlglot import exp

from privacy_assets.techniques.pseudonymize._columns import DAYS, identifies, reference, unlike
from privacy_assets.weakening import Ranked
from privacy_assets.words import Column, Frozen

_FIRST_MONTHS = {"month": tuple(range(1, 13)), "quarter": (1, 4, 7, 10), "year": (1,)}


class Parameters(Frozen):
    """`to` is the period that stays."""

    kind: Literal["truncate_date"]
    to: Annotated[Literal["month", "quarter", "year"], Ranked(("month", "quarter", "year"))]


def expression(parameters: Parameters, column: Column, value: exp.Expr, mapped: exp.Expr | None) -> exp.Expr:
    """The first day of the period, as a DATE; NULL for NULL and for the engine's infinity, which is in no period."""
    first: dict[str, exp.Expr] = {
        "month": _part("MONTH", value),
        "quarter": exp.Sub(
            this=exp.Mul(this=_part("QUARTER", value), expression=exp.Literal.number(3)),
            expression=exp.Literal.number(2),
        ),
        "year": exp.Literal.number(1),
    }
    # Not DATE_TRUNC, which goes by way of a TIMESTAMP and stops the run at dates that this cannot hold.
    return exp.DateFromParts(year=_part("YEAR", value), month=first[parameters.to], day=exp.Literal.number(1))


def output(parameters: Parameters, column: Column) -> Column:
    """A DATE, still what it was, coarser."""
    return replace(column, type="DATE", technique=parameters.kind, domain=None, identifier_domain=None)


def violated(parameters: Parameters, column: Column) -> exp.Expr:
    """True for a date that is not the first day of a period, and for a time of day."""
    day = exp.cast(reference(column), "DATE")
    months = [exp.Literal.number(month) for month in _FIRST_MONTHS[parameters.to]]
    return exp.or_(
        exp.NEQ(this=exp.Extract(this=exp.var("DAY"), expression=day), expression=exp.Literal.number(1)),
        exp.Extract(this=exp.var("MONTH"), expression=day.copy()).isin(*months).not_(),
        exp.NEQ(this=reference(column), expression=day.copy()),
    )


def fault(parameters: Parameters, column: Column) -> str | None:
    """Fits DATE and TIMESTAMP; one with a time zone has another day in another place."""
    return identifies(column) or unlike(column, DAYS, "DATE or TIMESTAMP")


def _part(unit: str, value: exp.Expr) -> exp.Extract:
    return exp.Extract(this=exp.var(unit), expression=value.copy())
