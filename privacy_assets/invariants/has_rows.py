"""has_rows: there is something in the table.

`rows >= at_least`. Says nothing of whose rows they are; that is `has_subjects`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.invariants._asking import ask, judged
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows",)
NEXT_STEP = "find out why so few rows arrive: look at the row counts of the assets before it"


class Parameters(Frozen):
    """The least number of rows."""

    kind: Annotated[Literal["has_rows"], Weaker.ELSEWHERE]
    at_least: Annotated[int, Field(ge=1), Weaker.LESS] = 1


def about(parameters: Parameters) -> str:
    """The whole table."""
    return ""


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts the rows."""
    return ask('SELECT count(*) AS "rows" FROM $output', output=output)


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept from `at_least` rows on."""
    least = parameters.at_least
    promise = f"at least {least} row{'s' if least > 1 else ''}"
    return judged("has_rows", "", promise, numbers, NUMBERS, lambda found: found["rows"] >= least, evidence=None)
