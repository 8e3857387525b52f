"""in_domain: a column holds only categories that were declared; an unknown value (NULL) is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ask, judged, legal, named
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows", "outside")
NEXT_STEP = "declare the category that is missing in the contract or purpose, or mend the source"


class Parameters(Frozen):
    """The column and its declared categories."""

    kind: Annotated[Literal["in_domain"], Weaker.ELSEWHERE]
    column: Annotated[ColumnName, Weaker.ANY]
    values: Annotated[tuple[str, ...], Field(min_length=1), Weaker.NONE]


def about(parameters: Parameters) -> str:
    """The column."""
    return legal(parameters.column)


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows, and those whose value, as text, was not declared."""
    return ask(
        'SELECT count(*) AS "rows", count_if(CAST($column AS TEXT) NOT IN $values) AS "outside" FROM $output',
        output=output,
        column=named(parameters.column),
        values=parameters.values,
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept without a value outside."""
    promise = f"{parameters.column} holds only its {len(parameters.values)} declared categories"
    return judged("in_domain", about(parameters), promise, numbers, NUMBERS, lambda found: found["outside"] == 0)
