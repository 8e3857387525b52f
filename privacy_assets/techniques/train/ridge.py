"""ridge: linear least squares with an L2 penalty.

Holds one weight for each column and nothing of a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from privacy_assets.weakening import Weaker
from privacy_assets.words import Frozen

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

TASKS = ("regression",)


class Parameters(Frozen):
    """`alpha` is the strength of the penalty."""

    kind: Literal["ridge"]
    alpha: Annotated[float, Field(gt=0), Weaker.LESS] = 1.0


def build(parameters: Parameters, task: str, seed: int) -> BaseEstimator:
    """Unfitted; solved in closed form, so the seed changes nothing."""
    from sklearn.linear_model import Ridge

    return Ridge(alpha=parameters.alpha, solver="cholesky", random_state=seed)
