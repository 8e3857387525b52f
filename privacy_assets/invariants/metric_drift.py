"""metric_drift: a model is not much worse than the version before.

`value_before - value <= falls_at_most`, of the metric on the split `test`; `utility_floor` holds besides. References:
`metrics` (as of `utility_floor`) and `previous` (`_before.py`).

Two versions are tried on other people where the data has changed, so that a part of any difference is chance: a
threshold below the width of the metric's interval will be broken by it. What falls slowly is stopped by the floor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.invariants._asking import ask, judged, legal
from privacy_assets.invariants._before import PREVIOUS, before, is_first, recorded
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Name, Numbers

NUMBERS = ("measured", "value", "n", "compared", "value_before")
NEXT_STEP = "look at what changed in the data; where that is meant, raise `metric_falls_at_most` as a major version"
OF_PREVIOUS = True


class Parameters(Frozen):
    """The metric, and by how much it may be less than before."""

    kind: Annotated[Literal["metric_drift"], Weaker.ELSEWHERE]
    metric: Annotated[Name, Weaker.ANY]
    falls_at_most: Annotated[float, Field(ge=0, le=2), Weaker.MORE]


def about(parameters: Parameters) -> str:
    """The metric."""
    return legal(parameters.metric)


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """The metric's value on test, how often it was measured (once) and on how many rows; its value before."""
    return ask(
        f"""SELECT count("value") AS "measured", min("value") AS "value", coalesce(sum("n"), 0) AS "n",
                   {before("value")}
            FROM $metrics WHERE "metric" = $metric AND "split" = 'test'""",
        metrics=references["metrics"],
        metric=parameters.metric,
        previous=references[PREVIOUS],
        recorded=recorded("metric_drift", about(parameters), "value"),
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept where it has fallen by `falls_at_most` at most, or there was no version before; never if measured twice."""
    return judged(
        "metric_drift",
        about(parameters),
        f"{parameters.metric} on test at most {parameters.falls_at_most:.4g} less than in the version before",
        numbers,
        NUMBERS,
        lambda found: (
            found["measured"] == 1
            and (is_first(found) or found["value_before"] - found["value"] <= parameters.falls_at_most)
        ),
        evidence="n",
    )
