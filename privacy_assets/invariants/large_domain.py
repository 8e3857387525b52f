"""large_domain: an identifier has too many different values to be found by how often each occurs.

`values = count(distinct column)` without NULL, `values >= at_least`. A deterministic token of a small domain falls to
frequency analysis, whatever its key (Naveed, Kamara, Wright: Inference attacks on property-preserving encrypted
databases, CCS 2015). Of data that comes by day all days are counted together, since whoever has them would.

References: the one that the parameters name, if they name one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ask, judged, legal, named
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows", "values")
NEXT_STEP = "redact or truncate the column instead of giving it tokens: it has too few different values for them"


class Parameters(Frozen):
    """The column, the least number of different values, and the input that has it, where it is not the output."""

    kind: Annotated[Literal["large_domain"], Weaker.ELSEWHERE]
    column: Annotated[ColumnName, Weaker.ANY]
    at_least: Annotated[int, Field(ge=2), Weaker.LESS] = 10_000
    reference: Annotated[str | None, Weaker.ELSEWHERE] = None


def about(parameters: Parameters) -> str:
    """The column, and where it is."""
    return legal(parameters.column if parameters.reference is None else f"{parameters.reference}_{parameters.column}")


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows and different values."""
    return ask(
        'SELECT count(*) AS "rows", count(DISTINCT $column) AS "values" FROM $output',
        output=output if parameters.reference is None else references[parameters.reference],
        column=named(parameters.column),
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept from `at_least` values on."""
    promise = f"at least {parameters.at_least} different values of {parameters.column}"
    return judged(
        "large_domain",
        about(parameters),
        promise,
        numbers,
        NUMBERS,
        lambda found: found["values"] >= parameters.at_least,
    )
