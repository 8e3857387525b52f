"""Keeps the first characters of a text: the part of a postcode that names a region.

Belongs here: codes that become coarser from left to right (postcodes, ICD-10, NUTS, occupation codes). Does not
belong here: free text, whose first words may be a name; direct identifiers.

What it does not cover: a text no longer than what is kept leaves whole, and a short prefix of a rare code is still
rare. How many share a value is a question to the table, not to this column.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.techniques.pseudonymize._columns import TEXT, identifies, reference, unlike
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen


class Parameters(Frozen):
    """`keep` is the number of characters (Unicode code points) that stay."""

    kind: Literal["truncate_text"]
    keep: Annotated[int, Field(ge=1, le=100), Weaker.MORE]


def expression(parameters: Parameters, column: Column, value: exp.Expr, mapped: exp.Expr | None) -> exp.Expr:
    """The first characters."""
    return exp.Left(this=value, expression=exp.Literal.number(parameters.keep))


def output(parameters: Parameters, column: Column) -> Column:
    """Still what it was, coarser; a declared domain is cut likewise, in its order."""
    domain = column.domain and tuple(dict.fromkeys(value[: parameters.keep] for value in column.domain))
    return replace(column, technique=parameters.kind, domain=domain, identifier_domain=None)


def violated(parameters: Parameters, column: Column) -> exp.Expr:
    """True for a text that is longer than what is kept."""
    return exp.GT(this=exp.Length(this=reference(column)), expression=exp.Literal.number(parameters.keep))


def fault(parameters: Parameters, column: Column) -> str | None:
    """Fits text that is no direct identifier."""
    return identifies(column) or unlike(column, TEXT, "text")
