"""Takes a value away, and leaves the same in every row.

Belongs here: columns whose presence is needed (a schema that a program expects) and whose values are not. Does not
belong here: columns that nobody needs; those are not named in the purpose, and do not pass minimization.

The argument: the output is a constant, so it tells nothing, not even whether there was a value.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.techniques.pseudonymize._columns import TEXT, reference, unlike
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen, Role

REDACTS = True


class Parameters(Frozen):
    """`replacement` is the text that stands in every row; without it the column is NULL. SQL holds no NUL character."""

    STRENGTH: ClassVar[int] = 2

    kind: Literal["redact"]
    replacement: Annotated[Annotated[str, Field(pattern=r"^[^\x00]*$")] | None, Weaker.NONE] = None


def expression(parameters: Parameters, column: Column, value: exp.Expr, mapped: exp.Expr | None) -> exp.Expr:
    """The constant, in the column's type."""
    constant = exp.null() if parameters.replacement is None else exp.Literal.string(parameters.replacement)
    return exp.cast(constant, column.type, dialect="duckdb")


def output(parameters: Parameters, column: Column) -> Column:
    """An attribute of which all is known, and which identifies nobody any more."""
    return replace(
        column,
        role=Role.ATTRIBUTE,
        technique=parameters.kind,
        domain=None if parameters.replacement is None else (parameters.replacement,),
        identifier_domain=None,
        free_text=False,
    )


def violated(parameters: Parameters, column: Column) -> exp.Expr:
    """True for everything but the constant."""
    value = reference(column)
    if parameters.replacement is None:
        return exp.Is(this=value, expression=exp.null()).not_()
    return exp.NullSafeNEQ(this=value, expression=exp.Literal.string(parameters.replacement))


def fault(parameters: Parameters, column: Column) -> str | None:
    """NULL fits every column, a text only columns of text."""
    return None if parameters.replacement is None else unlike(column, TEXT, "text for a `replacement`")
