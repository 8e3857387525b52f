"""decision_tree: one tree, small enough to be read.

Holds splits and leaf values; a leaf is an aggregate of at least 20 training rows.
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
    """At most `max_depth` levels, leaves of at least `min_samples_leaf` rows."""

    kind: Literal["decision_tree"]
    max_depth: Annotated[int, Field(ge=1, le=30), Weaker.MORE] = 5
    min_samples_leaf: Annotated[int, Field(ge=20), Weaker.LESS] = 20


def build(parameters: Parameters, task: str, seed: int) -> BaseEstimator:
    """Unfitted; the seed decides between splits that are equally good."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeClassifier if task == "classification" else DecisionTreeRegressor
    return kind(random_state=seed, **parameters.model_dump(exclude={"kind"}))
