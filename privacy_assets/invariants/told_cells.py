"""told_cells: every number that is told is of at least k people, and no few of them have most of it.

For each told cell, counted anew from the features: `people` in it, and for its rows, and for the number that it adds
up, the share that the `largest` people with most have, of their absolute contributions:

    smallest = min people >= at_least_subjects        dominant = max share <= share_at_most

Of the numbers of a told sum or mean those of k people and more are above the lower bound, and of as many below the
upper one (`varied` is the least of these): it would tell those of the few that are not.

Whatever is told as a count must be the number of rows (`otherwise` counts those that are not), and a cell that is told
must be one that somebody is in (`unfounded`).

Reference: `input`, the features. What it does not cover: what told cells give away of others (`untold_cells`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ask, judged, named
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Number, Numbers

NUMBERS = ("told", "smallest", "dominant", "varied", "otherwise", "unfounded")
NEXT_STEP = "a told cell with few people is a fault: report it, and tell nobody of this version"


class Interval(Frozen):
    """One group of a column of numbers: those from `low` on and below `high`; None where there is no such bound."""

    label: Annotated[str, Weaker.ANY]
    low: Annotated[Number | None, Weaker.ANY]
    high: Annotated[Number | None, Weaker.ANY]


class Axis(Frozen):
    """What a cell's label says of one column: its value, or its interval."""

    column: Annotated[ColumnName, Weaker.ANY]
    intervals: Annotated[tuple[Interval, ...], Weaker.ANY] = ()


class Amount(Frozen):
    """The number that a query adds up, brought between two bounds and rounded."""

    column: Annotated[ColumnName, Weaker.ANY]
    low: Annotated[Number, Weaker.LESS]
    high: Annotated[Number, Weaker.MORE]
    decimals: Annotated[int, Field(ge=0), Weaker.MORE] = 0


class Asked(Frozen):
    """The cells of one query that have the same columns in their label, in that order."""

    query: Annotated[str, Weaker.ANY]
    axes: Annotated[tuple[Axis, ...], Weaker.ANY] = ()
    amount: Annotated[Amount | None, Weaker.ANY] = None


class Parameters(Frozen):
    """How few people are too few, the dominance rule, who a row is about, and what was asked."""

    kind: Annotated[Literal["told_cells"], Weaker.ELSEWHERE]
    at_least_subjects: Annotated[int, Field(ge=1), Weaker.LESS]
    largest: Annotated[int, Field(ge=1), Weaker.LESS]
    share_at_most: Annotated[float, Field(gt=0, lt=1), Weaker.MORE]
    subject: Annotated[ColumnName, Weaker.ANY]
    tables: Annotated[tuple[Asked, ...], Field(min_length=1), Weaker.ADDED]


def about(parameters: Parameters) -> str:
    """The whole table."""
    return ""


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts told cells, the fewest people in one, the largest share, and those that are not what the features hold."""
    persons = " UNION ALL ".join(_persons(asked, place) for place, asked in enumerate(parameters.tables))
    share = "list_sum(max({0}, $largest)) / nullif(sum({0}), 0)"
    return ask(
        f"""SELECT count("value") AS "told", min("people") FILTER ("value" IS NOT NULL) AS "smallest",
                   coalesce(max(greatest("of_rows", coalesce("of_amount", 0))) FILTER ("value" IS NOT NULL), 0)
                       AS "dominant",
                   coalesce(min("varied") FILTER ("value" IS NOT NULL AND "measure" IN ('sum', 'mean')), $enough)
                       AS "varied",
                   count_if("value" IS NOT NULL AND "measure" = 'count' AND "value" IS DISTINCT FROM "rows")
                       AS "otherwise",
                   count_if("value" IS NOT NULL AND "people" IS NULL) AS "unfounded"
            FROM $output AS "output" LEFT JOIN (
                SELECT "query", "cell", count(*) AS "people", sum("rows") AS "rows",
                       {share.format('"rows"')} AS "of_rows", {share.format('"amount"')} AS "of_amount",
                       least(count_if("above"), count_if("below")) AS "varied"
                FROM ({persons}) AS "persons" GROUP BY "query", "cell") AS "counted" USING ("query", "cell")""",
        output=output,
        input=references["input"],
        subject=named(parameters.subject),
        largest=parameters.largest,
        enough=parameters.at_least_subjects,
        **{f"query_{place}": asked.query for place, asked in enumerate(parameters.tables)},
    )


def _persons(asked: Asked, place: int) -> str:
    """One row for each cell and person of a table: its rows, and the absolute value of what they add up to."""
    labels = " || ', ' || ".join(map(_label, asked.axes)) if asked.axes else "'all'"
    amount, above, below, where = "NULL::DOUBLE", "NULL::BOOLEAN", "NULL::BOOLEAN", ""
    if asked.amount is not None:
        low, high, column = asked.amount.low, asked.amount.high, f"CAST({_quoted(asked.amount.column)} AS DOUBLE)"
        value = f"round(least(greatest({column}, {low!r}), {high!r}), {asked.amount.decimals})"
        amount, above, below = f"abs(sum({value}))", f"max({value}) > {low!r}", f"min({value}) < {high!r}"
        where = f"WHERE NOT isnan({column})"
    return (
        f'SELECT $query_{place} AS "query", {labels} AS "cell", $subject AS "person", count(*) AS "rows", '
        f'{amount} AS "amount", {above} AS "above", {below} AS "below" FROM $input {where} GROUP BY ALL'
    )


def _label(axis: Axis) -> str:
    prefix = exp.Literal.string(f"{axis.column}=").sql(dialect="duckdb")
    value = _quoted(axis.column)
    if not axis.intervals:
        return f"{prefix} || CAST({value} AS VARCHAR)"
    cases = []
    for interval in axis.intervals:
        number = f"CAST({value} AS DOUBLE)"
        low = "true" if interval.low is None else f"{number} >= CAST({interval.low!r} AS DOUBLE)"
        high = "true" if interval.high is None else f"{number} < CAST({interval.high!r} AS DOUBLE)"
        text = exp.Literal.string(interval.label).sql(dialect="duckdb")
        cases.append(f"WHEN {low} AND {high} AND NOT isnan({number}) THEN {text}")
    return f"{prefix} || CASE {' '.join(cases)} END"


def _quoted(column: str) -> str:
    return exp.to_identifier(column, quoted=True).sql(dialect="duckdb")


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept where every told number is of enough people, none of few, and all are as the features have them."""
    return judged(
        "told_cells",
        about(parameters),
        f"at least {parameters.at_least_subjects} people in every told cell, of whom {parameters.largest} have at most "
        f"{parameters.share_at_most:g} of it",
        numbers,
        NUMBERS,
        lambda found: (
            found["smallest"] >= parameters.at_least_subjects
            and found["dominant"] <= parameters.share_at_most + 1e-9
            and found["varied"] >= parameters.at_least_subjects
            and found["otherwise"] == found["unfounded"] == 0
        ),
        evidence="told",
    )
