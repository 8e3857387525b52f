"""Moves all dates of one person by the same secret number of days, so that the days between them stay true.

Belongs here: dates whose order and distance within a person matter (admission, discharge). Does not belong here:
dates that are compared between people or with the calendar (`truncate_date`).

The argument: the shift is a keyed function of the person, the same in every table of a purpose, never 0, and tells
nothing of the person's token. What it does not cover: the date lies within `max_days` of what is seen; a pattern of
distances that is known from elsewhere names the person and the shift; an event that everybody had on one day shows
everybody's shift.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import polars as pl
from pydantic import Field
from sqlglot import exp

from privacy_assets.techniques.pseudonymize._columns import DAYS, identifies, unlike
from privacy_assets.techniques.pseudonymize._domains import normalized
from privacy_assets.techniques.pseudonymize._keyed import macs
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen, IdentifierDomain

MAPS = "subject"


class Parameters(Frozen):
    """Dates move by at least 1 and at most `max_days` days, to either side."""

    kind: Literal["shift_dates"]
    max_days: Annotated[int, Field(ge=1, le=3652), Weaker.LESS]


def mapped_type(parameters: Parameters) -> str:
    """Whole days."""
    return "INTEGER"


def map_values(parameters: Parameters, values: pl.Series, key: str, domain: IdentifierDomain) -> pl.Series:
    """The shift of each subject in days: uniform on [-max_days, max_days] without 0, to within 2^-47.

    The first 60 bits of the subject's MAC, modulo 2 `max_days`, are dealt to -max_days … -1, 1 … max_days. Columns
    with the same `max_days` move together, others apart.
    """
    mac = macs(normalized(values, domain), key, f"{parameters.kind}/{parameters.max_days}")
    dealt = mac.str.slice(0, 15).str.to_integer(base=16) % (2 * parameters.max_days)
    days = dealt - parameters.max_days
    return (days + (days >= 0).cast(pl.Int64)).cast(pl.Int32)


def expression(parameters: Parameters, column: Column, value: exp.Expr, mapped: exp.Expr | None) -> exp.Expr:
    """The date or time, moved by whole days; NULL for a row without a subject, never the date as it was."""
    days = mapped if mapped is not None else exp.cast(exp.null(), "INTEGER")
    return exp.cast(exp.Add(this=value, expression=exp.ToDays(this=days)), column.type, dialect="duckdb")


def output(parameters: Parameters, column: Column) -> Column:
    """The same type, still what it was, no longer the day that it was."""
    return replace(column, technique=parameters.kind, domain=None, identifier_domain=None)


def violated(parameters: Parameters, column: Column) -> exp.Expr:
    """Never: every date is some date moved."""
    return exp.false()


def fault(parameters: Parameters, column: Column) -> str | None:
    """Fits DATE and TIMESTAMP."""
    return identifies(column) or unlike(column, DAYS, "DATE or TIMESTAMP")
