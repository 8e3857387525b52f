"""k_drift: the smallest class has not lost more rows since the version before than was declared.

`smallest_before - smallest <= falls_at_most`; a class is as in `k_anonymity`, whose threshold holds besides: this one
notices that a table is on its way there. Reference: `previous` (`_before.py`).

It compares two numbers, of the smallest class then and now, which need not be of the same people; and one version with
the one before: what falls slowly is stopped by `k_anonymity` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.invariants._asking import ColumnNames, ask, judged
from privacy_assets.invariants._before import PREVIOUS, before, is_first, recorded
from privacy_assets.invariants._classes import renamed
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows", "smallest", "compared", "smallest_before")
NEXT_STEP = "look at which people are missing; where that is meant, raise `k_falls_at_most` as a major version"
OF_PREVIOUS = True


class Parameters(Frozen):
    """The quasi-identifiers, and by how many rows the smallest class may shrink."""

    kind: Annotated[Literal["k_drift"], Weaker.ELSEWHERE]
    quasi_identifiers: Annotated[ColumnNames, Weaker.REMOVED]
    falls_at_most: Annotated[int, Field(ge=0), Weaker.MORE]


def about(parameters: Parameters) -> str:
    """The whole table."""
    return ""


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows, and those of the smallest class, now and then."""
    return ask(
        f"""SELECT coalesce(sum("rows"), 0) AS "rows", coalesce(min("rows"), 0) AS "smallest", {before("smallest")}
            FROM (SELECT {renamed(parameters.quasi_identifiers)}, count(*) AS "rows"
                  FROM $output GROUP BY ALL) AS "classes" """,
        output=output,
        previous=references[PREVIOUS],
        recorded=recorded("k_drift", about(parameters), "smallest"),
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept where the smallest class has lost `falls_at_most` rows at most, or there was no version before."""
    return judged(
        "k_drift",
        about(parameters),
        f"the smallest class has at most {parameters.falls_at_most} rows fewer than in the version before",
        numbers,
        NUMBERS,
        lambda found: is_first(found) or found["smallest_before"] - found["smallest"] <= parameters.falls_at_most,
    )
