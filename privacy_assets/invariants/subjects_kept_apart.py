"""subjects_kept_apart: as many tokens leave as people arrive: nobody was collapsed into another or split.

`subjects = count(distinct subject of input)`, `tokens = count(distinct token)`, both without NULL; equal numbers are
asked for. One collapse and one split in the same table would hide each other. Reference: `input`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ask, judged, legal, named
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("subjects", "tokens")
NEXT_STEP = "two ways to write one identifier, or two people with one: mend the identifiers, or their normalization"


class Parameters(Frozen):
    """The subject's column in the input, and the token's in the output."""

    kind: Annotated[Literal["subjects_kept_apart"], Weaker.ELSEWHERE]
    subject: Annotated[ColumnName, Weaker.ANY]
    token: Annotated[ColumnName, Weaker.ANY]


def about(parameters: Parameters) -> str:
    """The token column."""
    return legal(parameters.token)


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts different subjects of the input and different tokens of the output."""
    return ask(
        """SELECT (SELECT count(DISTINCT $subject) FROM $input) AS "subjects",
                  (SELECT count(DISTINCT $token) FROM $output) AS "tokens" """,
        output=output,
        input=references["input"],
        subject=named(parameters.subject),
        token=named(parameters.token),
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept where the numbers are equal."""
    return judged(
        "subjects_kept_apart",
        about(parameters),
        "as many different tokens as different subjects",
        numbers,
        NUMBERS,
        lambda found: found["tokens"] == found["subjects"],
        evidence="subjects",
    )
