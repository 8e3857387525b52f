"""public_release: anybody may have the rows for good, knows much about some people, and tries whatever there is.

The ceilings are those of the field where there are any: an excess of 0.05 at the upper end of its interval, and 0.09
for the one percent of people who are least like others (the threshold of EMA policy 0070 and Health Canada for data
that is published). Both are parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field

from privacy_assets.attacks import ATTACKS
from privacy_assets.attacks._trying import EVERYONE, MOST_EXPOSED
from privacy_assets.threat_models._asked import Asked
from privacy_assets.words import Frozen

WHO = "anybody, for good"

ATTACKED = (
    "singling_out",
    "singling_out_multivariate",
    "linkability",
    "attribute_inference",
    "reconstruction",
    "copies",
    "membership",
)


class Parameters(Frozen):
    """How often each attack is tried, how few tries decide nothing, and the excess that each may have."""

    kind: Literal["public_release"]
    tries: Annotated[int, Field(ge=100, le=1_000_000)] = 2000
    tries_at_least: Annotated[int, Field(ge=50, le=1_000_000)] = 500
    excess_at_most: Annotated[float, Field(gt=0, lt=1)] = 0.05
    most_exposed_at_most: Annotated[float, Field(gt=0, lt=1)] = 0.09
    others_known: Annotated[int, Field(ge=0, le=1000)] = 1


def on_synthetic(parameters: Parameters, secret: Sequence[str]) -> Iterator[Asked]:
    """Everything that is tried on synthetic rows."""
    groups = {EVERYONE: parameters.excess_at_most, MOST_EXPOSED: parameters.most_exposed_at_most}
    about = {"attribute_inference": tuple(secret), "copies": ("exact", "near")}
    for kind in (kind for kind in ATTACKED if kind in ATTACKS):
        asked = ATTACKS[kind].Parameters(kind=kind, tries=parameters.tries)
        yield Asked(asked, about.get(kind, ("",)), groups, parameters.tries_at_least)


def on_anonymized(parameters: Parameters, secret: Sequence[str], k: int) -> Iterator[Asked]:
    """Downcoding, and being sure of a secret."""
    groups = {EVERYONE: parameters.excess_at_most}
    if k >= 2:
        asked = ATTACKS["downcoding"].Parameters(kind="downcoding", k=k, tries=parameters.tries)
        yield Asked(asked, ("",), groups, 1)
    for column in secret:
        asked = ATTACKS["homogeneity"].Parameters(
            kind="homogeneity", secret=column, others_known=parameters.others_known, tries=parameters.tries
        )
        yield Asked(asked, (column,), groups, parameters.tries_at_least)
