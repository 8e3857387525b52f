"""delta_presence: from a release nobody learns much of whether a person of the population is in it.

In each class of the population (its rows that agree in all quasi-identifiers, NULL being a value of its own),
`share = members / rows` is the probability P(t in T | T*) that one of them is in the release, to whoever knows the
whole population; `at_least <= share <= at_most` is asked of every row t of it. Nergiz, Atzori, Clifton: Hiding the
presence of individuals from shared databases, SIGMOD 2007.

A class without a member has the share 0. It breaks every `at_least` above 0, as the paper has it: that somebody is
*not* in the release is then certain. `lowest` and `highest` are over all classes.

Reference: the one that the parameters name, with a row for each of the population, generalized as the release is, and
a BOOLEAN `member`: whether that row is released. A row of which it is `unknown` (NULL) breaks the promise; without a
member there is nothing to say. That its members are the output is `persons_per_class`'s to measure. It counts rows: of
somebody with several rows each is taken for a person. What it does not cover: an adversary who knows another
population, or more of a person than the quasi-identifiers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator
from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ColumnNames, ask, judged, legal, named
from privacy_assets.invariants._classes import renamed
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("population", "members", "unknown", "classes", "lowest", "highest")
NEXT_STEP = "generalize the quasi-identifiers further, or release fewer rows of the classes that are nearly whole"

Share = Annotated[float, Field(ge=0, le=1)]


class Parameters(Frozen):
    """The quasi-identifiers, the column that says who is released, and the bounds of its share in every class."""

    kind: Literal["delta_presence"]
    quasi_identifiers: Annotated[ColumnNames, Weaker.REMOVED]
    member: Annotated[ColumnName, Weaker.ANY]
    at_least: Annotated[Share, Weaker.LESS] = 0.0
    at_most: Annotated[Share, Weaker.MORE]
    reference: Annotated[str, Weaker.ELSEWHERE] = "linked"

    @model_validator(mode="after")
    def _bounds_hold_something(self) -> Parameters:
        if self.at_least > self.at_most:
            raise ValueError("at_least is above at_most: no share is between them")
        return self


def about(parameters: Parameters) -> str:
    """The column that says who is released."""
    return legal(parameters.member)


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts the population, its members and classes, and finds the lowest and the highest share."""
    return ask(
        f"""SELECT coalesce(sum("rows"), 0) AS "population", coalesce(sum("members"), 0) AS "members",
                   coalesce(sum("unknown"), 0) AS "unknown", count(*) AS "classes",
                   min("members" / "rows") AS "lowest", max("members" / "rows") AS "highest"
            FROM (SELECT {renamed(parameters.quasi_identifiers)}, count(*) AS "rows", count_if($member) AS "members",
                         count_if($member IS NULL) AS "unknown"
                  FROM $population GROUP BY ALL) AS "classes" """,
        population=references[parameters.reference],
        member=named(parameters.member),
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept where the share of every class is within the bounds, and everybody's membership is known."""
    return judged(
        "delta_presence",
        about(parameters),
        f"from {parameters.at_least:.4g} to {parameters.at_most:.4g} of every class of the population released",
        numbers,
        NUMBERS,
        lambda found: (
            found["unknown"] == 0 and parameters.at_least <= found["lowest"] and found["highest"] <= parameters.at_most
        ),
        evidence="members",
    )
