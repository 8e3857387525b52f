"""k = 10, l = 3, t = 0.2: nobody among fewer than ten, three values of each sensitive column among them, and none of
these distributed further than 0.2 from the whole table.

Sources: Samarati and Sweeney (1998), Machanavajjhala et al. (2006, distinct form), Li et al. (2007, equal distance).
The figures are those that teaching and tools use; no authority set them. What it does not promise: protection against
somebody who knows more than the quasi-identifiers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from privacy_assets.techniques.criteria import k_anonymity, l_diversity, t_closeness
from privacy_assets.words import Column, Frozen

SUPPRESSED_AT_MOST = 0.05


class Parameters(Frozen):
    """The name says it."""

    kind: Literal["k10_l3_t02"]


def criteria(parameters: Parameters, columns: Sequence[Column]) -> tuple[Any, ...]:
    """Ten people in each class, and of each sensitive column three values, close to the whole."""
    return (
        k_anonymity.Parameters(kind="k_anonymity", k=10),
        l_diversity.Parameters(kind="l_diversity", l=3),
        t_closeness.Parameters(kind="t_closeness", t=0.2),
    )
