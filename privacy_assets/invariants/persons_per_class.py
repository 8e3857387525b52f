"""persons_per_class: every class holds at least k persons: k counts people, not rows.

`smallest = min over classes of the number of different subjects`, `smallest >= k`; a class is all rows that agree in
all quasi-identifiers, NULL being a value of its own. A row whose subject is NULL is nobody's. Where a person has
several rows, `k_anonymity` can be kept by one person's rows, who is then alone in a class of k rows.

The output has no subjects any more. Reference: the one that the parameters name, the output's rows with the subject's
token beside them (and, with `member`, other rows that were not released: only those where it is TRUE count). That
it is the output which was measured is part of the measure: `unlike` counts the rows by which output and reference
differ in `columns`, as bags, in both directions (the rows of both EXCEPT ALL). It must be 0.

What it does not cover: that two subjects are one person (`subjects_kept_apart`), or belong together (a family).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ColumnNames, ask, judged, legal, named
from privacy_assets.invariants._classes import places, renamed
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows", "classes", "smallest", "unlike")
NEXT_STEP = "generalize the quasi-identifiers further, or suppress the rows of the classes with few persons"


class Parameters(Frozen):
    """The quasi-identifiers, the subject's token, the least number of persons, and how output and reference compare."""

    kind: Annotated[Literal["persons_per_class"], Weaker.ELSEWHERE]
    quasi_identifiers: Annotated[ColumnNames, Weaker.REMOVED]
    subject: Annotated[ColumnName, Weaker.ANY]
    k: Annotated[int, Field(ge=1), Weaker.LESS]
    reference: Annotated[str, Weaker.ELSEWHERE] = "linked"
    columns: Annotated[ColumnNames, Weaker.ANY]
    member: Annotated[ColumnName | None, Weaker.ANY] = None


def about(parameters: Parameters) -> str:
    """The subject."""
    return legal(parameters.subject)


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts the reference's rows, its classes, the persons of the smallest, and the rows by which the two differ."""
    columns = renamed(parameters.columns)
    return ask(
        f"""SELECT coalesce(sum("rows"), 0) AS "rows", count(*) AS "classes", min("persons") AS "smallest",
                   (SELECT coalesce(sum(abs("more")), 0)
                    FROM (SELECT sum("times") AS "more"
                          FROM (SELECT {columns}, 1 AS "times" FROM $output
                                UNION ALL SELECT {columns}, -1 FROM $linked WHERE $released) AS "both"
                          GROUP BY {places(parameters.columns)}) AS "rows") AS "unlike"
            FROM (SELECT {renamed(parameters.quasi_identifiers)}, count(*) AS "rows",
                         count(DISTINCT $subject) AS "persons"
                  FROM $linked WHERE $released GROUP BY ALL) AS "classes" """,
        output=output,
        linked=references[parameters.reference],
        subject=named(parameters.subject),
        released=named(parameters.member) if parameters.member else exp.true(),
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept from `k` persons in the smallest class on, if they are the output's."""
    return judged(
        "persons_per_class",
        about(parameters),
        f"at least {parameters.k} persons in every class of {len(set(parameters.quasi_identifiers))} quasi-identifiers",
        numbers,
        NUMBERS,
        lambda found: found["smallest"] >= parameters.k and found["unlike"] == 0,
    )
