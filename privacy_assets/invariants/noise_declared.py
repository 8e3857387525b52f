"""noise_declared: every published number says by which noise it was made, and all together cost what was promised.

The loss of a query's measure is that of the one draw that all its cells share, so it counts once: `epsilon_spent` and
`rho_spent` are sums over queries and measures. Under ρ (a δ above 0) ρ is what adds up. Whether it was debited is asked
of the ledger, before the noise is drawn; whether the noise is that of its mechanism cannot be seen in one table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.invariants._asking import ask, judged
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("rows", "unnoised", "disagreeing", "epsilon_spent", "rho_spent", "delta")
NEXT_STEP = "ask for less, or raise ε as a major version of the purpose; a number without noise is a fault: report it"


class Parameters(Frozen):
    """The most that one release may cost: ε at δ; and in ρ, where δ is above 0."""

    kind: Annotated[Literal["noise_declared"], Weaker.ELSEWHERE]
    epsilon_at_most: Annotated[float, Field(gt=0), Weaker.MORE]
    delta_at_most: Annotated[float, Field(ge=0, lt=1), Weaker.MORE] = 0.0
    rho_at_most: Annotated[Annotated[float, Field(gt=0)] | None, Weaker.MORE] = None


def about(parameters: Parameters) -> str:
    """The whole table."""
    return ""


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts rows, those without noise, measures whose cells say different things, and adds up the losses."""
    return ask(
        """SELECT coalesce(sum("rows"), 0) AS "rows", coalesce(sum("unnoised"), 0) AS "unnoised",
                  count_if("kinds" <> 1) AS "disagreeing", coalesce(fsum("epsilon"), 0) AS "epsilon_spent",
                  coalesce(fsum("rho"), 0) AS "rho_spent", coalesce(max("delta"), 0) AS "delta"
           FROM (SELECT "query", "measure", count(*) AS "rows",
                        count_if(("mechanism" <> '' AND "scale" > 0 AND isfinite("scale") AND "epsilon" > 0
                                  AND "delta" >= 0 AND ("delta" = 0 OR "rho" > 0)) IS NOT TRUE) AS "unnoised",
                        count(DISTINCT ("mechanism", "scale", "epsilon", "delta", "rho")) AS "kinds",
                        max("epsilon") AS "epsilon", max("rho") AS "rho", max("delta") AS "delta"
                 FROM $output GROUP BY "query", "measure") AS "measures" """,
        output=output,
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept where every row has noise, and the losses add up to no more than promised."""
    rho = parameters.rho_at_most
    promise = f"every number has noise, and all cost at most ε {parameters.epsilon_at_most:.4g}" + (
        f" at δ {parameters.delta_at_most:g} (ρ {rho:.4g})" if rho is not None else ""
    )

    def kept(found: Numbers) -> bool:
        within = found["rho_spent"] <= rho if rho is not None else found["epsilon_spent"] <= parameters.epsilon_at_most
        return found["unnoised"] == found["disagreeing"] == 0 and found["delta"] <= parameters.delta_at_most and within

    return judged("noise_declared", about(parameters), promise, numbers, NUMBERS, kept)
