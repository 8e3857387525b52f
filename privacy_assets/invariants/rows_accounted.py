"""rows_accounted: every row of the source was taken in or put into quarantine; none is lost, none made up.

`source_rows = data_rows + quarantined_rows`. References: `quarantine`, and `evidence` (name, value) with the number of
rows that the reader saw in the source (`source_rows`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from sqlglot import exp

from privacy_assets.invariants._asking import ask, judged
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("source_rows", "data_rows", "quarantined_rows")
NEXT_STEP = "the reader lost or invented rows: report it as a fault of this program, and do not work around it"


class Parameters(Frozen):
    """None are needed."""

    kind: Annotated[Literal["rows_accounted"], Weaker.ELSEWHERE]


def about(parameters: Parameters) -> str:
    """The whole table."""
    return ""


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts what the source had, what was taken in and what was put aside."""
    return ask(
        """SELECT (SELECT sum("value") FROM $evidence WHERE "name" = 'source_rows') AS "source_rows",
                  (SELECT count(*) FROM $output) AS "data_rows",
                  (SELECT count(*) FROM $quarantine) AS "quarantined_rows" """,
        output=output,
        quarantine=references["quarantine"],
        evidence=references["evidence"],
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept where the sum is exact."""
    return judged(
        "rows_accounted",
        "",
        "rows of the source = rows taken in + rows in quarantine",
        numbers,
        NUMBERS,
        lambda found: found["source_rows"] == found["data_rows"] + found["quarantined_rows"],
        evidence="source_rows",
    )
