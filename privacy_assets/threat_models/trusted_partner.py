"""trusted_partner: named recipients who are bound by a contract, and somebody among them who is curious all the same.

Everything that is tried for `public_release` is tried, with about twice the ceilings: who may not publish, link or keep
the rows, and answers for it, has more to lose. For a purpose whose recipients are named.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from privacy_assets.threat_models._everything import Ceilings
from privacy_assets.threat_models._everything import on_anonymized as on_anonymized
from privacy_assets.threat_models._everything import on_model as on_model
from privacy_assets.threat_models._everything import on_synthetic as on_synthetic

WHO = "somebody among named recipients who are bound by a contract"
NAMED_RECIPIENTS = True
"""A purpose that trusts its recipients names them."""


class Parameters(Ceilings):
    """As of `public_release`, with other ceilings."""

    kind: Literal["trusted_partner"]
    excess_at_most: Annotated[float, Field(gt=0, lt=1)] = 0.1
    most_exposed_at_most: Annotated[float, Field(gt=0, lt=1)] = 0.15
    others_known: Annotated[int, Field(ge=0, le=1000)] = 0
    members_at_most: Annotated[float, Field(gt=0, lt=1)] = 0.04
    members_at_most_of_few: Annotated[float, Field(gt=0, lt=1)] = 0.015
    members_at_most_of_half: Annotated[float, Field(gt=0, lt=1)] = 0.15
    members_at_most_of_pairs: Annotated[float, Field(gt=0, lt=0.5)] = 0.15
    canaries_at_most: Annotated[float, Field(gt=0, lt=1)] = 0.04
    canaries_at_most_of_half: Annotated[float, Field(gt=0, lt=1)] = 0.15
