"""identifiers_absent: no direct identifier of the input stands in a text of the output.

Every value of the input's identifier columns, as text, is looked for among the values of the output's text columns;
`found` counts those that are equal. It does not look inside a longer text, nor for another way to write the same
identifier. Reference: `input`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from sqlglot import exp

from privacy_assets.invariants._asking import ColumnNames, ask, judged, named
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows", "input_rows", "identifiers", "found")
NEXT_STEP = "give the column that lets the identifier through a technique that replaces or removes it"


class Parameters(Frozen):
    """The identifier columns of the input, and the text columns of the output."""

    kind: Annotated[Literal["identifiers_absent"], Weaker.ELSEWHERE]
    identifiers: Annotated[ColumnNames, Weaker.REMOVED]
    texts: Annotated[ColumnNames, Weaker.REMOVED]


def about(parameters: Parameters) -> str:
    """The whole table."""
    return ""


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows, rows of the input, different identifiers in it, and values of the output equal to one of them."""
    return ask(
        """WITH "identifiers" AS (
             SELECT DISTINCT "value" FROM (SELECT unnest($identifiers) AS "value" FROM $input) AS "all"
             WHERE trim("value") <> ''
           ), "texts" AS (
             SELECT "value", count(*) AS "times" FROM (SELECT unnest($texts) AS "value" FROM $output) AS "all"
             GROUP BY "value"
           )
           SELECT (SELECT count(*) FROM $output) AS "rows",
                  (SELECT count(*) FROM $input) AS "input_rows",
                  (SELECT count(*) FROM "identifiers") AS "identifiers",
                  (
                    SELECT coalesce(sum("times"), 0) FROM "texts" WHERE "value" IN (SELECT "value" FROM "identifiers")
                  ) AS "found" """,
        output=output,
        input=references["input"],
        identifiers=_as_texts(parameters.identifiers),
        texts=_as_texts(parameters.texts),
    )


def _as_texts(columns: tuple[str, ...]) -> exp.Array:
    return exp.Array(expressions=[exp.cast(exp.Column(this=named(name)), "text") for name in columns])


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept if none is found, and there was an input to look into."""
    return judged(
        "identifiers_absent",
        "",
        "no direct identifier of the input stands in a text of the output",
        numbers,
        NUMBERS,
        lambda found: found["rows"] > 0 and found["found"] == 0,
        evidence="input_rows",
    )
