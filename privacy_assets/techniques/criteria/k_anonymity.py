"""k-anonymity: whoever knows the quasi-identifiers of a person finds at least k people who have them.

people(class) >= k for every class. Source: Samarati, Sweeney (1998); with several rows of one person people are
counted, not rows: (X,Y)-anonymity of Wang and Fung (2006).

What it does not cover: what the k have in common (`l_diversity`, `t_closeness`), and what is known beside the
quasi-identifiers.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from privacy_assets.techniques.criteria._classes import Bools, Classes
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen


class Parameters(Frozen):
    """How many people at least."""

    kind: Literal["k_anonymity"]
    k: Annotated[int, Field(ge=1), Weaker.LESS]


def merges(parameters: Parameters) -> bool:
    """More people are never fewer."""
    return True


def holds(parameters: Parameters, classes: Classes) -> Bools:
    """people >= k."""
    return classes.people >= parameters.k


def nearest(parameters: Parameters, whole: Classes) -> str:
    """As many as there are."""
    return f"k of at most {int(whole.people[0])}, which is everybody"


def fault(parameters: Parameters, column: Column) -> str | None:
    """Speaks of no sensitive column."""
    return None
