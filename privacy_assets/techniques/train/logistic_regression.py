"""logistic_regression: a linear model of the log-odds, with an L2 penalty.

Holds one weight for each column (and class) and nothing of a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from privacy_assets.weakening import Weaker
from privacy_assets.words import Frozen

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

TASKS = ("classification",)


class Parameters(Frozen):
    """`c` is the inverse strength of the penalty; at most `max_iter` steps of L-BFGS are taken."""

    kind: Literal["logistic_regression"]
    c: Annotated[float, Field(gt=0), Weaker.MORE] = 1.0
    max_iter: Annotated[int, Field(ge=10, le=100_000), Weaker.MORE] = 1000


def build(parameters: Parameters, task: str, seed: int) -> BaseEstimator:
    """Unfitted; L-BFGS draws nothing, so the seed changes nothing."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=parameters.c, max_iter=parameters.max_iter, random_state=seed)
