"""distinct_drift: a column has not begun to look like an identifier since the version before.

`distinct_share = different values / rows that have one`, towards 1 where each row has a value of its own. Broken where
it is over `at_most` and was not before: a column that always told rows apart (a measurement to the last digit) did not
begin to, and is a matter for its technique. Reference: `previous` (`_before.py`).

Few rows have high shares by themselves; values of equal shares may be other ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ask, judged, legal, named
from privacy_assets.invariants._before import PREVIOUS, before, is_first, recorded
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows", "distinct_share", "compared", "distinct_share_before")
NEXT_STEP = "look at what the column holds now: an identifier needs another role, and a technique that makes it coarser"
OF_PREVIOUS = True


class Parameters(Frozen):
    """The column, and the share of different values from which on it looks like an identifier."""

    kind: Annotated[Literal["distinct_drift"], Weaker.ELSEWHERE]
    column: Annotated[ColumnName, Weaker.ANY]
    at_most: Annotated[float, Field(gt=0, lt=1), Weaker.MORE]


def about(parameters: Parameters) -> str:
    """The column."""
    return legal(parameters.column)


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows, and the share of different values among those that are known, now and then."""
    return ask(
        f"""SELECT count(*) AS "rows",
                   coalesce(count(DISTINCT $column) / nullif(count($column), 0), 0) AS "distinct_share",
                   {before("distinct_share")}
            FROM $output""",
        output=output,
        column=named(parameters.column),
        previous=references[PREVIOUS],
        recorded=recorded("distinct_drift", about(parameters), "distinct_share"),
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept up to `at_most`, where it was over that before, or there was no version before."""
    return judged(
        "distinct_drift",
        about(parameters),
        f"no share of different values over {parameters.at_most:.4g}, unless the version before had one",
        numbers,
        NUMBERS,
        lambda found: (
            is_first(found)
            or found["distinct_share"] <= parameters.at_most
            or found["distinct_share_before"] > parameters.at_most
        ),
    )
