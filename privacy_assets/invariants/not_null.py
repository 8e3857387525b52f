"""not_null: a column that must be known is known in every row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ask, judged, legal, named
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows", "nulls")
NEXT_STEP = "mend the rows that lack the value at their source, or stop promising that it is always there"


class Parameters(Frozen):
    """The column."""

    kind: Annotated[Literal["not_null"], Weaker.ELSEWHERE]
    column: Annotated[ColumnName, Weaker.ANY]


def about(parameters: Parameters) -> str:
    """The column."""
    return legal(parameters.column)


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows, and those in which the column is NULL."""
    return ask(
        'SELECT count(*) AS "rows", count_if($column IS NULL) AS "nulls" FROM $output',
        output=output,
        column=named(parameters.column),
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept without a single NULL."""
    return judged(
        "not_null",
        about(parameters),
        f"{parameters.column} is known in every row",
        numbers,
        NUMBERS,
        lambda found: found["nulls"] == 0,
    )
