"""within_bounds: a column holds only numbers between its declared bounds; an unknown value (NULL) is none.

The bounds are part of the question: a version that was measured with others was not measured with these. NaN lies
outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Literal

from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ask, judged, legal, named
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows", "outside")
NEXT_STEP = "look at what made the number, or declare wider bounds"


class Parameters(Frozen):
    """The column, and its bounds; of dates in days since 1970-01-01 (`days`)."""

    kind: Annotated[Literal["within_bounds"], Weaker.ELSEWHERE]
    column: Annotated[ColumnName, Weaker.ANY]
    low: Annotated[float, Weaker.LESS]
    high: Annotated[float, Weaker.MORE]
    days: Annotated[bool, Weaker.ANY] = False


def about(parameters: Parameters) -> str:
    """The column."""
    return legal(parameters.column)


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows, and those that are below or above, or no number."""
    between = "$column BETWEEN $low AND $high"
    low, high = (
        exp.cast(exp.Literal.string(str(date(1970, 1, 1) + timedelta(days=end))), "DATE")
        if parameters.days
        else exp.convert(end)
        for end in (parameters.low, parameters.high)
    )
    return ask(
        f'SELECT count(*) AS "rows", count_if($column IS NOT NULL AND NOT ({between})) AS "outside" FROM $output',
        output=output,
        column=named(parameters.column),
        low=low,
        high=high,
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept without a value outside."""
    promise = f"{parameters.column} lies from {parameters.low:g} to {parameters.high:g}"
    return judged("within_bounds", about(parameters), promise, numbers, NUMBERS, lambda found: found["outside"] == 0)
