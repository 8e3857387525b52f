"""k = 5: the smallest class that guidance on releases to known recipients under a contract still names.

Source: El Emam, Dankar: Protecting privacy using k-anonymity (JAMIA 2008): "a k of 5 is common". What it does not
promise: anything about sensitive values, and anything for publication to everybody (`k11`).
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
