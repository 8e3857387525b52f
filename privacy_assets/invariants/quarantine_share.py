"""quarantine_share: few rows of a source are unusable.

`quarantined_rows / source_rows <= at_most`, where `source_rows` are those taken in, in quarantine, and left out since
their people were erased or their time was over: an erasure makes no source worse. References: `quarantine`, and
`evidence` (name, value) with the number of rows that were left out (`erased_rows`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.invariants._asking import ask, judged
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("source_rows", "quarantined_rows", "share")
NEXT_STEP = "the reasons are counted below: mend the source, or the contract"


class Parameters(Frozen):
    """The largest share (0 to 1) of rows that may be in quarantine."""

    kind: Annotated[Literal["quarantine_share"], Weaker.ELSEWHERE]
    at_most: Annotated[float, Field(ge=0, le=1), Weaker.MORE]


def about(parameters: Parameters) -> str:
    """The whole table."""
    return ""


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows, rows in quarantine, and their share (NULL where there are no rows)."""
    return ask(
        """SELECT "taken" + "aside" + "erased" AS "source_rows",
                  "aside" AS "quarantined_rows",
                  "aside" / nullif("taken" + "aside" + "erased", 0) AS "share"
           FROM (SELECT (SELECT count(*) FROM $output) AS "taken",
                        (SELECT count(*) FROM $quarantine) AS "aside",
                        (SELECT coalesce(sum("value"), 0) FROM $evidence WHERE "name" = 'erased_rows') AS "erased"
                ) AS "counted" """,
        output=output,
        quarantine=references["quarantine"],
        evidence=references["evidence"],
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept up to `at_most`."""
    promise = f"at most {parameters.at_most:.4g} of the rows in quarantine"
    return judged(
        "quarantine_share",
        "",
        promise,
        numbers,
        NUMBERS,
        lambda found: found["share"] <= parameters.at_most,
        evidence="source_rows",
    )
