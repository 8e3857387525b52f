"""untold_cells: what is told does not give away a cell that is not.

A reader knows which cells add up to which, and that no count is below zero. From that they narrow down the cells that
are not told, again and again (the shuttle algorithm: Buzzigoli and Giusti 1999), for each cell with low <= x <= high:

    high(part) <= high(whole) - sum of low(other parts)      high(whole) <= sum of high(parts)
    low(part)  >= low(whole) - sum of high(other parts)      low(whole)  >= sum of low(parts)

Of every protected cell the highest number that it could have must be at least `need` above the one that it has;
`narrow` counts those where it is not. `ROUNDS` rounds are taken.

References: `cells` (measure, place, told, exact, need, negative: `told` is NULL where it is not, `need` where nothing
has to be protected) and `sums` (sum, whole, part). They say more than a reader knows: every cell that must be zero.

What it does not cover: the bounds are wider than the narrowest that there are, in tables of three and more axes; so
this finds faults and proves no protection, which the search does by another table that is told alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.invariants._asking import ask, judged
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("cells", "narrow")
NEXT_STEP = "a cell that can be worked out is a fault: report it, and tell nobody of this version"
ROUNDS = 8


class Parameters(Frozen):
    """Below how many people a cell is protected."""

    kind: Annotated[Literal["untold_cells"], Weaker.ELSEWHERE]
    at_least_subjects: Annotated[int, Field(ge=1), Weaker.LESS]


def about(parameters: Parameters) -> str:
    """The whole table."""
    return ""


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts cells, and those protected ones that can be narrowed down too far."""
    rounds = ", ".join(_round(number) for number in range(1, ROUNDS + 1))
    return ask(
        f"""WITH "r0" AS (
                SELECT "measure", "place",
                       CASE WHEN "told" IS NOT NULL THEN "told" WHEN "negative" THEN '-inf'::DOUBLE ELSE 0 END AS "low",
                       coalesce("told", 'inf'::DOUBLE) AS "high"
                FROM $cells), {rounds}
            SELECT count(*) AS "cells", count(*) FILTER ("high" < "exact" + "need" * (1 - 1e-6)) AS "narrow"
            FROM $cells AS "cells" JOIN "r{ROUNDS}" USING ("measure", "place")""",
        cells=references["cells"],
        sums=references["sums"],
    )


def _round(number: int) -> str:
    """One round: bounds from the other cells of each sum, each with what is infinite in it counted apart."""
    before = f'"r{number - 1}"'
    lows = """sum(CASE WHEN isinf("p"."low") THEN 0 ELSE "p"."low" END)"""
    highs = """sum(CASE WHEN isinf("p"."high") THEN 0 ELSE "p"."high" END)"""
    return f"""
        "s{number}" AS MATERIALIZED (
            SELECT "p"."measure", "s"."sum", any_value("s"."whole") AS "whole",
                   {lows} AS "lows", count_if(isinf("p"."low")) AS "no_lows",
                   {highs} AS "highs", count_if(isinf("p"."high")) AS "no_highs"
            FROM $sums AS "s" JOIN {before} AS "p" ON "p"."place" = "s"."part" GROUP BY "p"."measure", "s"."sum"),
        "o{number}" AS MATERIALIZED (
            SELECT "p"."measure", "p"."place", "w"."low", "w"."high",
                   "t"."lows" - CASE WHEN isinf("p"."low") THEN 0 ELSE "p"."low" END AS "lows",
                   "t"."highs" - CASE WHEN isinf("p"."high") THEN 0 ELSE "p"."high" END AS "highs",
                   "t"."no_lows" - CAST(isinf("p"."low") AS INTEGER) AS "no_lows",
                   "t"."no_highs" - CAST(isinf("p"."high") AS INTEGER) AS "no_highs"
            FROM $sums AS "s" JOIN {before} AS "p" ON "p"."place" = "s"."part"
            JOIN "s{number}" AS "t" ON "t"."measure" = "p"."measure" AND "t"."sum" = "s"."sum"
            JOIN {before} AS "w" ON "w"."measure" = "p"."measure" AND "w"."place" = "s"."whole"),
        "r{number}" AS MATERIALIZED (
            SELECT "measure", "place", max("low") AS "low", min("high") AS "high" FROM (
                SELECT "measure", "place", "low", "high" FROM {before}
                UNION ALL
                SELECT "measure", "whole", CASE WHEN "no_lows" > 0 THEN '-inf'::DOUBLE ELSE "lows" END,
                       CASE WHEN "no_highs" > 0 THEN 'inf'::DOUBLE ELSE "highs" END FROM "s{number}"
                UNION ALL
                SELECT "measure", "place", CASE WHEN "no_highs" > 0 THEN '-inf'::DOUBLE ELSE "low" - "highs" END,
                       CASE WHEN "no_lows" > 0 THEN 'inf'::DOUBLE ELSE "high" - "lows" END FROM "o{number}"
            ) AS "bounds" GROUP BY ALL)"""


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept where nothing that is protected is narrowed down too far."""
    return judged(
        "untold_cells",
        about(parameters),
        f"no cell with fewer than {parameters.at_least_subjects} people can be worked out from those that are told",
        numbers,
        NUMBERS,
        lambda found: found["narrow"] == 0,
        evidence="cells",
    )
