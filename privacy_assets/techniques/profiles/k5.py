"""k = 5: nobody among fewer than five, as is usual between parties that have a contract.

Source: the choice of k is discussed by El Emam and Dankar (Protecting privacy using k-anonymity, JAMIA 2008); no
authority set this one. What it does not promise: anything about sensitive values, and anything for publication to
everybody (`k11`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from privacy_assets.techniques.criteria import k_anonymity
from privacy_assets.words import Column, Frozen

SUPPRESSED_AT_MOST = 0.05


class Parameters(Frozen):
    """The name says it."""

    kind: Literal["k5"]


def criteria(parameters: Parameters, columns: Sequence[Column]) -> tuple[Any, ...]:
    """Five people in each class."""
    return (k_anonymity.Parameters(kind="k_anonymity", k=5),)
