"""k = 11: a risk of at most 0.09 that a person is found, as for the publication of clinical data.

1/11 = 0.0909 is 0.09 as it is rounded there; a strict reading asks for 12. Sources: European Medicines Agency,
Policy 0070, external guidance (2016 and later), 5.3; Health Canada, Public release of clinical information (2019). What
it does not promise: anything about sensitive values that a class shares; both guidances ask for a judgement of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from privacy_assets.techniques.criteria import k_anonymity
from privacy_assets.words import Column, Frozen

SUPPRESSED_AT_MOST = 0.05


class Parameters(Frozen):
    """The name says it."""

    kind: Literal["k11"]


def criteria(parameters: Parameters, columns: Sequence[Column]) -> tuple[Any, ...]:
    """Eleven people in each class."""
    return (k_anonymity.Parameters(kind="k_anonymity", k=11),)
