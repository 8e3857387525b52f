"""trusted_partner: named recipients who are bound by a contract, and somebody among them who is curious all the same.

The same attacks as in `public_release`, with an excess of 0.1 in the place of 0.05, and about twice that of models: who
may not publish, link or keep the rows, and answers for it, tries less often and on fewer people. For a purpose whose
recipients are named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field

from privacy_assets.threat_models import public_release
from privacy_assets.threat_models._asked import Asked

WHO = "somebody among named recipients who are bound by a contract"
NAMED_RECIPIENTS = True
"""A purpose that trusts its recipients names them."""


class Parameters(public_release.Parameters):
    """As of `public_release`, with other ceilings."""

    kind: Literal["trusted_partner"]  # type: ignore[assignment]  # another member's name
    excess_at_most: Annotated[float, Field(gt=0, lt=1)] = 0.1
    most_exposed_at_most: Annotated[float, Field(gt=0, lt=1)] = 0.15
    others_known: Annotated[int, Field(ge=0, le=1000)] = 0
    members_at_most: Annotated[float, Field(gt=0, lt=1)] = 0.04
    members_at_most_of_few: Annotated[float, Field(gt=0, lt=1)] = 0.015
    members_at_most_of_half: Annotated[float, Field(gt=0, lt=1)] = 0.15


def on_synthetic(parameters: Parameters, secret: Sequence[str]) -> Iterator[Asked]:
    """Everything that is tried on synthetic rows."""
    return public_release.on_synthetic(parameters, secret)


def on_anonymized(parameters: Parameters, secret: Sequence[str], k: int) -> Iterator[Asked]:
    """Downcoding, and being sure of a secret."""
    return public_release.on_anonymized(parameters, secret, k)


def on_model(parameters: Parameters) -> Iterator[Asked]:
    """Whether a model tells whom it learned from."""
    return public_release.on_model(parameters)
