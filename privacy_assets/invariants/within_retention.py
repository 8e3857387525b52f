"""within_retention: no row is older than it may be kept.

A row may be kept through the day that is `days` days after the date in its column (both as calendar days, UTC); a row
without a date is past. The days are part of the question, since how old the oldest row is would tell of one person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ask, judged, legal, named
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows", "past")
NEXT_STEP = "materialize it again, so that the rows past retention leave"


class Parameters(Frozen):
    """The column that the time runs from, and the days that a row may be kept."""

    kind: Annotated[Literal["within_retention"], Weaker.ELSEWHERE]
    column: Annotated[ColumnName, Weaker.ANY]
    days: Annotated[int, Field(ge=1), Weaker.MORE]


def about(parameters: Parameters) -> str:
    """The date column."""
    return legal(parameters.column)


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows, and those past retention at `$now`."""
    return ask(
        """SELECT count(*) AS "rows",
                  count_if(
                    coalesce(date_diff('day', CAST($column AS DATE), CAST($now AS DATE)) > $days, TRUE)
                  ) AS "past"
           FROM $output""",
        output=output,
        column=named(parameters.column),
        days=parameters.days,
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept without a row past."""
    promise = f"no row more than {parameters.days} days after its {parameters.column}"
    return judged("within_retention", about(parameters), promise, numbers, NUMBERS, lambda found: found["past"] == 0)
