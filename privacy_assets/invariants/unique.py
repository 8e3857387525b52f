"""unique: no two rows have the same key.

A key is compared where all its columns are known, as SQL's UNIQUE does; whether they must be known is `not_null`'s
question. `repeated = complete - count(distinct key)`: the rows too many; `incomplete` keys are counted beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from sqlglot import exp

from privacy_assets.invariants._asking import ColumnNames, ask, judged, legal, named
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows", "incomplete", "repeated")
NEXT_STEP = "mend what makes the key repeat (a join that multiplies rows, a source that repeats them)"


class Parameters(Frozen):
    """The columns of the key."""

    kind: Annotated[Literal["unique"], Weaker.ELSEWHERE]
    columns: Annotated[ColumnNames, Weaker.ANY]


def about(parameters: Parameters) -> str:
    """The columns of the key."""
    return legal(*parameters.columns)


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows, rows with an incomplete key, and rows whose complete key stood before."""
    columns = [exp.Column(this=named(name)) for name in parameters.columns]
    return ask(
        """SELECT coalesce(sum("times"), 0) AS "rows",
                  coalesce(sum("times") FILTER (WHERE NOT "complete"), 0) AS "incomplete",
                  coalesce(sum("times" - 1) FILTER (WHERE "complete"), 0) AS "repeated"
           FROM (SELECT count(*) AS "times", $complete AS "complete" FROM $output GROUP BY $key) AS "keys" """,
        output=output,
        complete=exp.and_(*(column.is_(exp.null()).not_() for column in columns)),
        key=exp.Tuple(expressions=columns),
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept without a repeated key."""
    promise = f"no two rows with the same {', '.join(parameters.columns)}"
    return judged("unique", about(parameters), promise, numbers, NUMBERS, lambda found: found["repeated"] == 0)
