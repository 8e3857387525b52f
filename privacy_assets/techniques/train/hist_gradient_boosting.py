"""hist_gradient_boosting: trees that each correct the ones before, grown on binned columns.

Holds bin edges, splits and leaf values; a leaf is an aggregate of at least 20 training rows. Bin edges are quantiles of
one column: single values of train stand among them, tied to no other value of their row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from privacy_assets.weakening import Weaker
from privacy_assets.words import Frozen

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

TASKS = ("classification", "regression")


class Parameters(Frozen):
    """`max_iter` trees of at most `max_leaf_nodes` leaves, each of at least `min_samples_leaf` rows."""

    kind: Literal["hist_gradient_boosting"]
    learning_rate: Annotated[float, Field(gt=0, le=1), Weaker.MORE] = 0.1
    max_iter: Annotated[int, Field(ge=1, le=2000), Weaker.MORE] = 100
    max_leaf_nodes: Annotated[int, Field(ge=2, le=255), Weaker.MORE] = 31
    min_samples_leaf: Annotated[int, Field(ge=20), Weaker.LESS] = 20
    l2_regularization: Annotated[float, Field(ge=0), Weaker.LESS] = 0.0


def build(parameters: Parameters, task: str, seed: int) -> BaseEstimator:
    """Unfitted; the seed decides which rows the bin edges are estimated from."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if task == "classification" else HistGradientBoostingRegressor
    # early stopping would hold out rows at random, not people
    return kind(early_stopping=False, random_state=seed, **parameters.model_dump(exclude={"kind"}))
