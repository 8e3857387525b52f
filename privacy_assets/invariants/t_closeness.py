"""t_closeness: whoever finds a person's class learns little beyond what the whole table says of everybody.

`farthest = max over classes of EMD(class, table)`, `farthest <= t`: the earth mover's distance between the share p_i of
each value in the class and its share q_i in the whole table. Li, Li, Venkatasubramanian: t-Closeness: Privacy beyond
k-anonymity and l-diversity, ICDE 2007, sections 4 and 5. What it costs to move from one value to another is, by
distance,

* equal: 1. EMD = 1/2 sum |p_i - q_i|;
* ordered: the steps between them / (m - 1). EMD = 1/(m - 1) sum over i < m of |(p_1 - q_1) + ... + (p_i - q_i)|. The m
  values are the declared `order`, with those that no row has; without one (a number, a date) the different values
  that the table has, in their own order, an unknown value (NULL) last;
* hierarchical: the height of their lowest common ancestor / H. EMD = sum over inner nodes N of height(N)/H min(pos(N),
  neg(N)), where pos and neg sum what the children of N have too much and too little. Rows of `hierarchy` are (leaf,
  ..., root) as in ARX; all have H + 1 labels, so that height(N) is a place in the row. There, with S_h the sum of what
  the nodes at height h have too much (the equal distance between labels of that height), min(pos(N), neg(N)) summed
  over height h is S_(h-1) - S_h, S_H = 0, and the sum is (S_0 + ... + S_(H-1)) / H, which is what is asked.

`outside` counts rows whose value is not declared, NULL among them; there must be none, and `farthest` is measured on
the rest. In the distance equal NULL is a value of its own. All sums are of whole numbers (more than 3e9 rows are an
error of the engine, not a wrong answer), divided once at the end. What it does not cover: that two classes are far from
each other though both are near to the table, several sensitive columns together, what the table as a whole gives away,
and a text that is ordered without a declared order: it is taken by its letters.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator
from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ColumnNames, ask, judged, legal, named
from privacy_assets.invariants._classes import cells, places
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows", "classes", "farthest", "outside")
NEXT_STEP = "generalize the quasi-identifiers further, or suppress the classes that are far from the whole"

Labels = Annotated[tuple[str, ...], Field(min_length=2)]


class Parameters(Frozen):
    """The quasi-identifiers, the sensitive column, the largest distance, and what the distance is made of."""

    kind: Literal["t_closeness"]
    quasi_identifiers: Annotated[ColumnNames, Weaker.REMOVED]
    column: Annotated[ColumnName, Weaker.ANY]
    t: Annotated[float, Field(ge=0, le=1), Weaker.MORE]
    distance: Annotated[Literal["equal", "ordered", "hierarchical"], Weaker.ANY] = "equal"
    order: Annotated[Labels | None, Weaker.ANY] = None
    hierarchy: Annotated[Annotated[tuple[Labels, ...], Field(min_length=1)] | None, Weaker.ANY] = None

    @model_validator(mode="after")
    def _what_is_declared_suits_the_distance(self) -> Parameters:
        if self.order is not None and self.distance != "ordered":
            raise ValueError("an order is given with the distance ordered alone")
        if self.order is not None and len(set(self.order)) < len(self.order):
            raise ValueError("a value stands twice in the order")
        if (self.hierarchy is None) == (self.distance == "hierarchical"):
            raise ValueError("a hierarchy is given with the distance hierarchical, and with no other")
        if self.hierarchy is not None:
            _must_be_a_tree(self.hierarchy)
        return self


def _must_be_a_tree(rows: tuple[tuple[str, ...], ...]) -> None:
    if len({len(row) for row in rows}) > 1:
        raise ValueError("the rows of a hierarchy have different lengths")
    if len({row[0] for row in rows}) < len(rows):
        raise ValueError("a leaf stands twice in the hierarchy")
    if len({row[-1] for row in rows}) > 1:
        raise ValueError("a hierarchy has one root")
    for below, above in pairwise(zip(*rows, strict=True)):
        if len(set(zip(below, above, strict=True))) > len(set(below)):
            raise ValueError("a node of the hierarchy has two parents")


def about(parameters: Parameters) -> str:
    """The distance and the sensitive column."""
    return legal(f"{parameters.distance}_{parameters.column}")


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows, classes and rows outside, and measures the farthest class."""
    column: exp.Expr = exp.Column(this=named(parameters.column))
    if parameters.distance == "equal":
        return ask(_equal(parameters), output=output, column=column)
    declared = _declared(parameters)
    steps = _ordered(parameters) if parameters.distance == "ordered" else _hierarchical(parameters)
    return ask(
        f"""WITH "cells" AS MATERIALIZED ({cells(parameters.quasi_identifiers)}),
                 "classes" AS MATERIALIZED (
                     SELECT row_number() OVER () AS "class", sum("rows") AS "rows",
                            CAST(coalesce(sum("rows") FILTER (WHERE $inside), 0) AS BIGINT) AS "n",
                            list(struct_pack("value" := "value", "rows" := "rows")) FILTER (WHERE $inside) AS "cells"
                     FROM "cells" GROUP BY {places(parameters.quasi_identifiers)}),
                 "held" AS (SELECT "class", "n", "cell"."value" AS "value", "cell"."rows" AS "rows"
                            FROM (SELECT "class", "n", unnest("cells") AS "cell" FROM "classes") AS "each"),
                 "whole" AS MATERIALIZED (
                     SELECT "value", CAST(sum("rows") AS BIGINT) AS "everywhere" FROM "cells" WHERE $inside
                     GROUP BY "value"),
                 "total" AS (SELECT sum("everywhere") AS "total" FROM "whole"),
                 {steps}
            SELECT coalesce(sum("rows"), 0) AS "rows", count(*) AS "classes",
                   coalesce((SELECT max("distance") FROM "distances"), 0) AS "farthest",
                   coalesce(sum("rows" - "n"), 0) AS "outside"
            FROM "classes" """,
        output=output,
        column=exp.cast(column, "TEXT") if declared else column,
        inside=exp.column("value", quoted=True).isin(*declared) if declared else exp.true(),
    )


def _equal(parameters: Parameters) -> str:
    """The whole question for the distance equal: sum (p - q)+, to which values that the class lacks add nothing."""
    return f"""
        WITH "cells" AS MATERIALIZED ({cells(parameters.quasi_identifiers)}),
             "whole" AS MATERIALIZED (
                 SELECT "value", CAST(sum("rows") AS BIGINT) AS "everywhere" FROM "cells" GROUP BY "value"),
             "total" AS (SELECT CAST(sum("everywhere") AS BIGINT) AS "total" FROM "whole"),
             "classes" AS (
                 SELECT CAST(sum("rows") AS BIGINT) AS "n", list(row("rows", "everywhere")) AS "shares"
                 FROM "cells" JOIN "whole" ON "cells"."value" IS NOT DISTINCT FROM "whole"."value"
                 GROUP BY {places(parameters.quasi_identifiers)}),
             "moves" AS (
                 SELECT "n", "total", list_sum(list_transform(
                     "shares", lambda "share": greatest("share"[1] * "total" - "share"[2] * "n", 0))) AS "moved"
                 FROM "classes", "total")
        SELECT coalesce(sum("n"), 0) AS "rows", count(*) AS "classes",
               coalesce(max("moved" / ("n" * "total")), 0) AS "farthest", 0 AS "outside"
        FROM "moves" """


def _declared(parameters: Parameters) -> tuple[str, ...]:
    """The values that there may be; none where any may."""
    return parameters.order or tuple(row[0] for row in parameters.hierarchy or ())


def _hierarchical(parameters: Parameters) -> str:
    """The distances as the mean, over the heights below the root, of what the nodes have too much: sum (p - q)+."""
    rows = parameters.hierarchy or ()
    top = len(rows[0]) - 1
    above = ", ".join(
        f"({_text(row[0])}, {height}, {_text(label)})" for row in rows for height, label in enumerate(row[:top])
    )
    # only where the class has rows can it have too much: nodes that it lacks need not be looked at
    return f"""
        "above" AS (SELECT * FROM (VALUES {above}) AS "listed"("value", "height", "label")),
        "nodes" AS (SELECT "class", "n", "height", "label", CAST(sum("rows") AS BIGINT) AS "rows"
                    FROM "held" JOIN "above" USING ("value") GROUP BY "class", "n", "height", "label"),
        "shares" AS (SELECT "height", "label", CAST(sum("everywhere") AS BIGINT) AS "everywhere"
                     FROM "whole" JOIN "above" USING ("value") GROUP BY "height", "label"),
        "excess" AS (
            SELECT "n", sum(greatest("rows" * CAST("total" AS BIGINT) - "everywhere" * "n", 0)) AS "moved"
            FROM "nodes" JOIN "shares" USING ("height", "label"), "total" GROUP BY "class", "n"),
        "distances" AS (SELECT "moved" / ("n" * "total" * {top}) AS "distance" FROM "excess", "total")"""


def _ordered(parameters: Parameters) -> str:
    """The distances as sums of differences between cumulative shares, from one value of a class to its next.

    At place i the table has `reached` Q_i of its N rows, and `area` A_i = Q_1 + ... + Q_i; place 0 is before all. From
    the place s of one value of a class up to the place e of its next (the last place m, after its last), the class
    has reached a of its n rows, and adds sum over s <= i < e of |a N - Q_i n|. As Q rises, the terms change their sign
    once, after the last such place x where Q_x <= a N / n:
    (2 x - s - e + 2) a N + n (A_(s-1) + A_(e-1) - 2 A_x).
    """
    if parameters.order:
        listed = ", ".join(f"({_text(value)}, {place})" for place, value in enumerate(parameters.order, start=1))
        line = f"""SELECT "value", "place", coalesce("everywhere", 0) AS "everywhere"
                   FROM (VALUES {listed}) AS "listed"("value", "place") LEFT JOIN "whole" USING ("value")"""
    else:
        line = (
            """SELECT "value", row_number() OVER (ORDER BY "value" NULLS LAST) AS "place", "everywhere" FROM "whole" """
        )
    return f"""
        "line" AS ({line}),
        "sums" AS (SELECT *, sum("everywhere") OVER (ORDER BY "place") AS "reached" FROM "line"),
        "scale" AS MATERIALIZED (SELECT *, sum("reached") OVER (ORDER BY "place") AS "area" FROM "sums"),
        "end" AS (SELECT max("place") AS "last", max("area") - max("reached") AS "area" FROM "scale"),
        "turns" AS (SELECT CAST("reached" AS BIGINT) AS "reached", max("place") AS "place", max("area") AS "area"
                    FROM (SELECT "reached", "place", "area" FROM "scale" UNION ALL SELECT 0, 0, 0) AS "all"
                    GROUP BY "reached"),
        "starts" AS (
            SELECT "class", "n", "place", "rows", "area" - "reached" AS "before"
            FROM "held" JOIN "scale" ON "held"."value" IS NOT DISTINCT FROM "scale"."value"
            UNION ALL SELECT "class", "n", 0, 0, 0 FROM "classes" WHERE "n" > 0),
        "parts" AS (
            SELECT "class", CAST("n" AS HUGEINT) AS "n", "place", "before",
                   sum("rows") OVER "along" * "total" AS "held",
                   lead("place", 1, "last") OVER "along" AS "next",
                   lead("before", 1, "end"."area") OVER "along" AS "next_before"
            FROM "starts", "end", "total" WINDOW "along" AS (PARTITION BY "class" ORDER BY "place")),
        "turned" AS (
            SELECT "parts".*, CASE WHEN "turns"."place" < "parts"."place" THEN "parts"."place" - 1
                                   ELSE least("turns"."place", "next" - 1) END AS "turn",
                   CASE WHEN "turns"."place" < "parts"."place" THEN "before"
                        WHEN "turns"."place" > "next" - 1 THEN "next_before" ELSE "turns"."area" END AS "turn_area"
            FROM (SELECT *, CAST("held" // "n" AS BIGINT) AS "level" FROM "parts") AS "parts"
            ASOF JOIN "turns" ON "parts"."level" >= "turns"."reached"),
        "moves" AS (
            SELECT "n", sum((2 * "turn" - "place" - "next" + 2) * "held"
                            + "n" * ("before" + "next_before" - 2 * "turn_area")) AS "moved"
            FROM "turned" GROUP BY "class", "n"),
        "distances" AS (SELECT coalesce("moved" / nullif("n" * "total" * ("last" - 1), 0), 0) AS "distance"
                        FROM "moves", "end", "total")"""


def _text(value: str) -> str:
    return exp.Literal.string(value).sql(dialect="duckdb")


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept up to `t`, with every value declared where values are."""
    return judged(
        "t_closeness",
        about(parameters),
        f"{parameters.column} in every class within {parameters.t:.4g} ({parameters.distance} distance) of the whole",
        numbers,
        NUMBERS,
        lambda found: found["farthest"] <= parameters.t and found["outside"] == 0,
    )
