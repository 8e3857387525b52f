"""Admits the rows that may still be kept.

Belongs here: storage limitation by the age of a row (GDPR art. 5(1)(e)). Does not belong here: destroying what is
too old at its source, which is not ours.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.weakening import Weaker
from privacy_assets.words import Frozen


class Parameters(Frozen):
    """A row may be used until `days` days after the date in `column`, the last of them included."""

    kind: Literal["retention"]
    column: Annotated[str, Weaker.ANY]
    days: Annotated[int, Field(ge=1), Weaker.MORE]


def admits(parameters: Parameters, row: str, consents: exp.Table | None) -> exp.Expr:
    """True where `column` + `days` is today (by `$now`) or later; a row without a date is not admitted.

    The days are taken from today, not added to the column: so the engine compares with one constant, and no date is
    too late to add to.
    """
    column = exp.column(parameters.column, table=row, quoted=True)
    today = exp.cast(exp.Placeholder(this="now"), "DATE")
    oldest = exp.DateSub(this=today, expression=exp.Literal.number(parameters.days), unit=exp.var("DAY"))
    return exp.and_(
        exp.Is(this=column, expression=exp.null()).not_(),
        # a date again, which is what the difference is not: so the column is compared as it lies there
        exp.GTE(this=exp.cast(column.copy(), "DATE"), expression=exp.cast(oldest, "DATE")),
    )
