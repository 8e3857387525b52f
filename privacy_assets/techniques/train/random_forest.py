"""random_forest: the average of many trees, each grown on a resample of the rows.

Holds splits and leaf values; a leaf is an aggregate of at least 5 training rows, which may be rows of one person.
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
    """`n_estimators` trees of at most `max_depth` levels (None: any), leaves of at least `min_samples_leaf` rows."""

    kind: Literal["random_forest"]
    n_estimators: Annotated[int, Field(ge=1, le=2000), Weaker.ANY] = 100
    max_depth: Annotated[Annotated[int, Field(ge=1, le=64)] | None, Weaker.MORE] = None
    min_samples_leaf: Annotated[int, Field(ge=5), Weaker.LESS] = 5


def build(parameters: Parameters, task: str, seed: int) -> BaseEstimator:
    """Unfitted; the seed decides resamples and the columns tried at each split."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestClassifier if task == "classification" else RandomForestRegressor
    return kind(random_state=seed, n_jobs=1, **parameters.model_dump(exclude={"kind"}))
