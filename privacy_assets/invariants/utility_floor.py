"""utility_floor: a model is good enough on people that it has never seen, or the data was used for nothing.

Judged on the value of the metric on the split `test`; its 95 % confidence interval is recorded beside it. Reference:
`metrics` (metric VARCHAR, split VARCHAR, value DOUBLE, low DOUBLE, high DOUBLE, n BIGINT).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.invariants._asking import ask, judged, legal
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Name, Numbers

NUMBERS = ("measured", "value", "low", "high", "n")
NEXT_STEP = "improve the features or the estimator, or lower the floor as a major version of the purpose"


class Parameters(Frozen):
    """The metric, and the least value of it."""

    kind: Annotated[Literal["utility_floor"], Weaker.ELSEWHERE]
    metric: Annotated[Name, Weaker.ANY]
    at_least: Annotated[float, Field(ge=-1, le=1), Weaker.LESS]


def about(parameters: Parameters) -> str:
    """The metric."""
    return legal(parameters.metric)


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """The metric's value on test, its interval, the rows behind it, and how often it was measured (once)."""
    return ask(
        """SELECT count("value") AS "measured", min("value") AS "value", min("low") AS "low", max("high") AS "high",
                  coalesce(sum("n"), 0) AS "n"
           FROM $metrics WHERE "metric" = $metric AND "split" = 'test'""",
        metrics=references["metrics"],
        metric=parameters.metric,
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept from `at_least` on; never if the metric was measured twice."""
    promise = f"{parameters.metric} of at least {parameters.at_least:.4g} on test"
    return judged(
        "utility_floor",
        about(parameters),
        promise,
        numbers,
        NUMBERS,
        lambda found: found["measured"] == 1 and found["value"] >= parameters.at_least,
        evidence="n",
    )
