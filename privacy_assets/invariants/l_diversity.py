"""l_diversity: whoever finds a person's class learns little of the sensitive value, since the class holds several.

With r_1 >= ... >= r_m the numbers of rows of the m different values in a class of n rows, p_i = r_i / n:

* distinct: m >= l in every class; `worst` is the smallest m;
* entropy: exp(-sum p_i ln p_i) >= l in every class; `worst` is the smallest one. Judged with a tolerance of 1e-9 of l,
  since l equally frequent values have exactly l, which a binary number need not show;
* recursive (c, l): r_1 < c (r_l + ... + r_m) in every class; `worst` is the largest r_1 / (r_l + ... + r_m). A class
  with fewer than l values breaks it whatever c is: such classes are counted as `short` (0 in the other forms).

An unknown value (NULL) is one of its own. Machanavajjhala, Gehrke, Kifer, Venkitasubramaniam: l-Diversity: Privacy
beyond k-anonymity, ICDE 2006 (TKDD 1, 2007). It does not know that two different values can mean the same (two kinds
of one illness) nor that a value is rare in the whole table: `t_closeness` does. Of several sensitive columns each is
measured by itself.

The l of recursive stands in the question: what is measured depends on it. All other thresholds are judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator
from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ColumnNames, ask, judged, legal, named
from privacy_assets.invariants._classes import cells, places
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows", "classes", "worst", "short")
NEXT_STEP = "generalize the quasi-identifiers further, or suppress the classes that hold too few values"
TOLERANCE = 1e-9


class Parameters(Frozen):
    """The quasi-identifiers, the sensitive column, the form, and its l; c for recursive alone."""

    kind: Literal["l_diversity"]
    quasi_identifiers: Annotated[ColumnNames, Weaker.REMOVED]
    column: Annotated[ColumnName, Weaker.ANY]
    form: Annotated[Literal["distinct", "entropy", "recursive"], Weaker.ANY] = "distinct"
    l: Annotated[float, Field(ge=1), Weaker.LESS]  # noqa: E741  the paper's letter
    c: Annotated[Annotated[float, Field(gt=0)] | None, Weaker.MORE] = None

    @model_validator(mode="after")
    def _l_and_c_suit_the_form(self) -> Parameters:
        if self.form != "entropy" and not self.l.is_integer():
            raise ValueError(f"l of {self.form} l-diversity is a whole number")
        if (self.c is None) == (self.form == "recursive"):
            raise ValueError("c is given with recursive l-diversity, and with no other")
        return self


def about(parameters: Parameters) -> str:
    """The form and the sensitive column."""
    return legal(f"{parameters.form}_{parameters.column}")


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows and classes, finds the worst class, and counts those with fewer than l values."""
    of_class, worst, short = _measure(parameters)
    return ask(
        f"""SELECT coalesce(sum("n"), 0) AS "rows", count(*) AS "classes", {worst} AS "worst", {short} AS "short"
            FROM (SELECT sum("rows") AS "n", {of_class} AS "measure"
                  FROM ({cells(parameters.quasi_identifiers)}) AS "cells"
                  GROUP BY {places(parameters.quasi_identifiers)}) AS "classes" """,
        output=output,
        column=named(parameters.column),
        head=int(parameters.l) - 1,
    )


def _measure(parameters: Parameters) -> tuple[str, str, str]:
    """What is measured of a class, which of the classes' measures is the worst, and how many classes are short."""
    match parameters.form:
        case "distinct":
            return "count(*)", 'min("measure")', "0"
        case "entropy":
            # ln n - (sum r ln r) / n; summed as decimals, so that the order of rows changes nothing
            summed = 'sum(CAST("rows" * ln("rows") AS DECIMAL(38, 15)))'
            return f'ln(sum("rows")) - CAST({summed} AS DOUBLE) / sum("rows")', 'exp(min("measure"))', "0"
        case "recursive":
            head = 'list_sum(max("rows", $head))' if parameters.l > 1 else "0"
            ratio = f'max("rows") / nullif(sum("rows") - {head}, 0)'
            # without a tail there is no ratio: the class is short
            return ratio, 'coalesce(max("measure"), 0)', 'count(*) - count("measure")'


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept where the worst class is diverse enough and none is short."""
    least = f"{parameters.l:.4g}"
    if parameters.form == "recursive":
        least = f"({parameters.c:.4g}, {least})"
    return judged(
        "l_diversity",
        about(parameters),
        f"{parameters.form} {least}-diversity of {parameters.column} in every class",
        numbers,
        NUMBERS,
        lambda found: found["short"] == 0 and _diverse(parameters, found["worst"]),
    )


def _diverse(parameters: Parameters, worst: float) -> bool:
    if parameters.c is not None:
        return worst < parameters.c
    return worst >= parameters.l * (1 - TOLERANCE)
