"""masked: a column holds nothing that its technique can never put out.

The condition is the technique's own (`violated`), as SQL text: true for a value that cannot have come from it. A value
that is known while the condition is not (NULL) counts against it: what cannot be judged is not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Literal

import sqlglot
from pydantic import AfterValidator
from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ask, judged, legal, named
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows", "violating")
NEXT_STEP = "the technique did not do its work: report it as a fault of this program, and do not work around it"


@cache
def _is_condition(text: str) -> str:
    try:
        parsed = sqlglot.parse_one(text, dialect="duckdb")
    except sqlglot.errors.ParseError:
        raise ValueError("the condition is no SQL") from None
    if not isinstance(parsed, exp.Condition):
        raise ValueError("the condition is a statement")
    return text


class Parameters(Frozen):
    """The column, and the condition (DuckDB SQL) that is true for a value which violates its technique.

    `technique` is what was declared (the technique's parameters, the identifier domain): two techniques may have the
    same impossible values, and what holds of one says nothing of the other.
    """

    kind: Annotated[Literal["masked"], Weaker.ELSEWHERE]
    column: Annotated[ColumnName, Weaker.ANY]
    condition: Annotated[str, AfterValidator(_is_condition), Weaker.ANY]
    technique: Annotated[str, Weaker.ANY]


def about(parameters: Parameters) -> str:
    """The column."""
    return legal(parameters.column)


def meaning(parameters: Parameters) -> str:
    """What was declared."""
    return parameters.technique


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows, and those whose value violates the technique."""
    return ask(
        'SELECT count(*) AS "rows", count_if(coalesce($condition, $column IS NOT NULL)) AS "violating" FROM $output',
        output=output,
        column=named(parameters.column),
        condition=exp.paren(sqlglot.parse_one(parameters.condition, dialect="duckdb")),
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept without a violating value."""
    promise = f"{parameters.column} holds only what its technique puts out"
    return judged("masked", about(parameters), promise, numbers, NUMBERS, lambda found: found["violating"] == 0)
