"""k_anonymity: every row looks the same as at least k - 1 others, to whoever knows its quasi-identifiers.

`smallest = min over classes of the number of rows`, `smallest >= k`; a class is all rows that agree in all
quasi-identifiers, an unknown value (NULL) being one of its own. Samarati, Sweeney: Protecting privacy when disclosing
information: k-anonymity and its enforcement through generalization and suppression, 1998.

It counts rows, not persons (`persons_per_class` does), and says nothing of what the rows of a class have in common
(`l_diversity`, `t_closeness`), nor of what another release of the same people adds. Which columns are quasi-identifiers
is the contract's word: one that was forgotten is not in the measure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.invariants._asking import ColumnNames, ask, judged
from privacy_assets.invariants._classes import renamed
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows", "classes", "smallest")
NEXT_STEP = "generalize the quasi-identifiers further, or suppress the rows of the small classes"


class Parameters(Frozen):
    """The quasi-identifiers, and the least number of rows in a class."""

    kind: Literal["k_anonymity"]
    quasi_identifiers: Annotated[ColumnNames, Weaker.REMOVED]
    k: Annotated[int, Field(ge=1), Weaker.LESS]


def about(parameters: Parameters) -> str:
    """The whole table."""
    return ""


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows, classes, and the rows of the smallest class."""
    return ask(
        f"""SELECT coalesce(sum("rows"), 0) AS "rows", count(*) AS "classes", min("rows") AS "smallest"
            FROM (SELECT {renamed(parameters.quasi_identifiers)}, count(*) AS "rows"
                  FROM $output GROUP BY ALL) AS "classes" """,
        output=output,
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept from `k` rows in the smallest class on."""
    return judged(
        "k_anonymity",
        about(parameters),
        f"at least {parameters.k} rows in every class of {len(set(parameters.quasi_identifiers))} quasi-identifiers",
        numbers,
        NUMBERS,
        lambda found: found["smallest"] >= parameters.k,
    )
