"""suppressed_share: few rows are left out, so that what is released still speaks of those it was made from.

`share = (before - rows) / before <= at_most`: of `before` rows of the input, `rows` are in the output. Reference:
`input`, of which, with `member`, only the rows count where that column is TRUE. More rows after than before break it:
rows do not come from nowhere. It counts rows and does not say whose are left out: people who are rare are left out
first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ask, judged, named
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("before", "rows", "share")
NEXT_STEP = "generalize the quasi-identifiers further, so that fewer rows are alone, or allow more as a major version"


class Parameters(Frozen):
    """The largest share (0 to 1) of rows that may be left out, and which rows of the input there were to release."""

    kind: Literal["suppressed_share"]
    at_most: Annotated[float, Field(ge=0, le=1), Weaker.MORE]
    member: Annotated[ColumnName | None, Weaker.ANY] = None


def about(parameters: Parameters) -> str:
    """The whole table."""
    return ""


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows before and after, and the share that is gone (NULL where there were none)."""
    return ask(
        """SELECT "before", "rows", ("before" - "rows") / nullif("before", 0) AS "share"
           FROM (SELECT (SELECT count(*) FROM $input WHERE $released) AS "before",
                        (SELECT count(*) FROM $output) AS "rows") AS "counted" """,
        output=output,
        input=references["input"],
        released=named(parameters.member) if parameters.member else exp.true(),
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept up to `at_most`; never if there are more rows than before."""
    return judged(
        "suppressed_share",
        about(parameters),
        f"at most {parameters.at_most:.4g} of the rows left out",
        numbers,
        NUMBERS,
        lambda found: 0 <= found["share"] <= parameters.at_most,
    )
