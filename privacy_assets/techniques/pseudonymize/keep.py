"""Lets a column through as it is, where the purpose needs it so and it names nobody.

Belongs here: columns whose every value is needed as it was. Does not belong here: direct identifiers; there is no
purpose whose training data needs one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from sqlglot import exp

from privacy_assets.techniques.pseudonymize._columns import identifies
from privacy_assets.words import Column, Frozen


class Parameters(Frozen):
    """Nothing to choose."""

    STRENGTH: ClassVar[int] = 0

    kind: Literal["keep"]


def expression(parameters: Parameters, column: Column, value: exp.Expr, mapped: exp.Expr | None) -> exp.Expr:
    """The value itself."""
    return value


def output(parameters: Parameters, column: Column) -> Column:
    """All that was known is still true."""
    return replace(column, technique=parameters.kind)


def violated(parameters: Parameters, column: Column) -> exp.Expr:
    """Never: what arrives may leave."""
    return exp.false()


def fault(parameters: Parameters, column: Column) -> str | None:
    """Fits every column but a direct identifier."""
    return identifies(column)
