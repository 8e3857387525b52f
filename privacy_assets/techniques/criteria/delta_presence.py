"""delta-presence: nobody can tell from the table whether a person of the population is in it at all.

at_least <= members(class) / population(class) <= at_most, for every class of the generalized population. The table
that is anonymized holds the whole population; the BOOLEAN column `member` says whose rows are published. Source:
Nergiz, Atzori, Clifton: Hiding the presence of individuals from shared databases (SIGMOD 2007).

What it does not cover: another population than the one that stands in the table.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from privacy_assets.techniques.criteria._classes import Bools, Classes
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen


class Parameters(Frozen):
    """Who is published, and between which shares of its class of the population that may lie."""

    kind: Literal["delta_presence"]
    member: Annotated[str, Field(min_length=1, max_length=128), Weaker.ANY]
    at_least: Annotated[float, Field(ge=0, le=1), Weaker.LESS] = 0.0
    at_most: Annotated[float, Field(gt=0, le=1), Weaker.MORE]

    @model_validator(mode="after")
    def _rises(self) -> Parameters:
        if self.at_least > self.at_most:
            raise ValueError("`at_least` must not be above `at_most`")
        return self


def merges(parameters: Parameters) -> bool:
    """A share of the one and a share of the other have their mean."""
    return False


def holds(parameters: Parameters, classes: Classes) -> Bools:
    """The share of members lies between the two."""
    share = classes.rows / np.maximum(classes.population, 1)
    inside: Bools = (share >= parameters.at_least) & (share <= parameters.at_most)
    return inside


def nearest(parameters: Parameters, whole: Classes) -> str:
    """The share of the whole."""
    share = int(whole.rows[0]) / max(int(whole.population[0]), 1)
    return f"a range that holds {share:.3g}, the share of everybody who is published"


def fault(parameters: Parameters, column: Column) -> str | None:
    """Speaks of no sensitive column."""
    return None
