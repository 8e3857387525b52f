"""splits_disjoint: nobody stands in two splits, so that a model is never tested on people it was trained on.

`shared` counts subjects with rows in more than one split; `unassigned` rows lack a subject or a split.

References: the one that the parameters name, where the output has no subject any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ask, judged, legal, named
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("subjects", "shared", "unassigned")
NEXT_STEP = "see that every row has its subject; the splits are dealt by it"


class Parameters(Frozen):
    """The subject's column and the split's, and the reference that has both, where it is not the output."""

    kind: Annotated[Literal["splits_disjoint"], Weaker.ELSEWHERE]
    subject: Annotated[ColumnName, Weaker.ANY]
    split: Annotated[ColumnName, Weaker.ANY]
    reference: Annotated[str | None, Weaker.ELSEWHERE] = None


def about(parameters: Parameters) -> str:
    """The split column."""
    return legal(parameters.split)


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts subjects, subjects in more than one split, and rows that nothing can be said of."""
    return ask(
        """SELECT count("subject") AS "subjects",
                  count_if("subject" IS NOT NULL AND "splits" > 1) AS "shared",
                  coalesce(sum(CASE WHEN "subject" IS NULL THEN "rows" ELSE "without" END), 0) AS "unassigned"
           FROM (SELECT $subject AS "subject", count(DISTINCT $split) AS "splits", count(*) AS "rows",
                        count_if($split IS NULL) AS "without"
                 FROM $output GROUP BY $subject) AS "people" """,
        output=output if parameters.reference is None else references[parameters.reference],
        subject=named(parameters.subject),
        split=named(parameters.split),
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept if nobody is shared and no row is unassigned."""
    return judged(
        "splits_disjoint",
        about(parameters),
        "no subject in two splits",
        numbers,
        NUMBERS,
        lambda found: found["shared"] == 0 and found["unassigned"] == 0,
        evidence="subjects",
    )
