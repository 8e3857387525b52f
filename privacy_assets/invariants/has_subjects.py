"""has_subjects: enough different people stand in the table.

`subjects = count(distinct column)` without NULL, `subjects >= at_least`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ask, judged, legal, named
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows", "subjects")
NEXT_STEP = "take in more people, or lower `at_least_subjects` as a major version of the purpose"


class Parameters(Frozen):
    """The column of person tokens, and the least number of different ones."""

    kind: Annotated[Literal["has_subjects"], Weaker.ELSEWHERE]
    column: Annotated[ColumnName, Weaker.ANY]
    at_least: Annotated[int, Field(ge=1), Weaker.LESS]


def about(parameters: Parameters) -> str:
    """The subject column."""
    return legal(parameters.column)


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows and different subjects."""
    return ask(
        'SELECT count(*) AS "rows", count(DISTINCT $column) AS "subjects" FROM $output',
        output=output,
        column=named(parameters.column),
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept from `at_least` subjects on."""
    promise = f"at least {parameters.at_least} different subjects"
    return judged(
        "has_subjects",
        about(parameters),
        promise,
        numbers,
        NUMBERS,
        lambda found: found["subjects"] >= parameters.at_least,
    )
