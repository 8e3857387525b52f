"""fidelity: released rows are as like the real ones as is asked, or what is learned from them is as good.

Judged on the value; its 95 % interval is recorded beside it (the value twice, where it has none). Reference: `fidelity`
(measure VARCHAR, about VARCHAR, value DOUBLE, low DOUBLE, high DOUBLE, n BIGINT), of which the rows about nobody in
particular count. What each measure is stands where it is made: `stages/_comparing.py`, `stages/_transferring.py`,
`techniques/train/_transfer.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import model_validator
from sqlglot import exp

from privacy_assets.invariants._asking import ask, judged, legal
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Name, Numbers

NUMBERS = ("measured", "value", "low", "high", "n")
NEXT_STEP = "another technique, or more of its budget, may reach it; or lower the floor as a major version"


class Parameters(Frozen):
    """The measure, and the least or the largest that it may be."""

    kind: Annotated[Literal["fidelity"], Weaker.ELSEWHERE]
    measure: Annotated[Name, Weaker.ANY]
    at_least: Annotated[float | None, Weaker.LESS] = None
    at_most: Annotated[float | None, Weaker.MORE] = None

    @model_validator(mode="after")
    def _one_end(self) -> Parameters:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("say `at_least` or `at_most`")
        return self


def about(parameters: Parameters) -> str:
    """The measure."""
    return legal(parameters.measure)


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """The measure's value, its interval, the rows behind it, and how often it was measured (once)."""
    return ask(
        """SELECT count("value") AS "measured", min("value") AS "value", min(coalesce("low", "value")) AS "low",
                  max(coalesce("high", "value")) AS "high",
                  coalesce(sum("n"), 0) AS "n"
           FROM $found WHERE "measure" = $measure AND "about" = $everybody""",
        found=references["fidelity"],
        measure=parameters.measure,
        everybody="",
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept from `at_least` on, or up to `at_most`; never if it was measured twice."""
    low, high = parameters.at_least, parameters.at_most
    end = f"at least {low:.4g}" if low is not None else f"at most {high:.4g}"
    return judged(
        "fidelity",
        about(parameters),
        f"{parameters.measure} of {end}",
        numbers,
        NUMBERS,
        lambda found: (
            found["measured"] == 1
            and (low is None or found["value"] >= low)
            and (high is None or found["value"] <= high)
        ),
        evidence="n",
    )
