"""What every threat model tries, with ceilings of its own: all attacks that there are.

Belongs here: the parameters that they share, and the way from them to attacks. Does not belong here: who it is that is
feared, and how much may come of it (one file each).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import Field, model_validator

from privacy_assets.attacks import ATTACKS
from privacy_assets.attacks._shadows import FALSE_POSITIVES, Shadows
from privacy_assets.attacks._trying import EVERYONE, MOST_EXPOSED
from privacy_assets.threat_models._asked import Asked, Ceiling
from privacy_assets.weakening import Weaker
from privacy_assets.words import Frozen

ATTACKED = (
    "singling_out",
    "singling_out_multivariate",
    "linkability",
    "attribute_inference",
    "reconstruction",
    "copies",
    "membership",
)

MORE = {"singling_out_multivariate": 5, "attribute_inference": 5, "minimality": 5}
"""How many halves of the tries it takes where chance succeeds often, or tries share people: else the innocent fail."""


class Ceilings(Frozen):
    """How often each attack is tried, how few tries decide nothing, and the excess that each may have.

    `most_exposed` is of the one percent of people who are least like others; `others_known` (of anonymized rows) how
    many people of a class an adversary knows; `shadows` how often a model, or a release, is made anew. Of both,
    `members_at_least` is how few tries decide nothing, and `members_at_most`, `members_at_most_of_few` and (of models)
    `members_at_most_of_half` are the excess where 1 %, 0.1 % and a half of the strangers are called members. Of fewer
    people than `members_at_least` pairs decide: by how much the area under the curve may be over one half
    (`members_at_most_of_pairs`). The same of rows of nobody that are planted: `canaries_at_most` and
    `canaries_at_most_of_half`, where 1 % and a half of those that were not are called planted.
    """

    tries: Annotated[int, Field(ge=1, le=400_000), Weaker.LESS] = 2000
    tries_at_least: Annotated[int, Field(ge=1, le=1_000_000), Weaker.LESS] = 500
    most_exposed_at_least: Annotated[int, Field(ge=1, le=1_000_000), Weaker.LESS] = 50
    excess_at_most: Annotated[float, Field(gt=0, lt=1), Weaker.MORE] = 0.05
    most_exposed_at_most: Annotated[float, Field(gt=0, lt=1), Weaker.MORE] = 0.09
    others_known: Annotated[int, Field(ge=0, le=1000), Weaker.LESS] = 1
    shadows: Annotated[Shadows, Weaker.LESS] = 48
    members_at_least: Annotated[int, Field(ge=1, le=1_000_000), Weaker.LESS] = 1000
    members_at_most: Annotated[float, Field(gt=0, lt=1), Weaker.MORE] = 0.02
    members_at_most_of_few: Annotated[float, Field(gt=0, lt=1), Weaker.MORE] = 0.0075
    members_at_most_of_half: Annotated[float, Field(gt=0, lt=1), Weaker.MORE] = 0.09
    members_at_most_of_pairs: Annotated[float, Field(gt=0, lt=0.5), Weaker.MORE] = 0.1
    canaries_at_most: Annotated[float, Field(gt=0, lt=1), Weaker.MORE] = 0.02
    canaries_at_most_of_half: Annotated[float, Field(gt=0, lt=1), Weaker.MORE] = 0.09

    @model_validator(mode="after")
    def _can_be_decided(self) -> Ceilings:
        if self.tries < max(self.tries_at_least, self.most_exposed_at_least):
            raise ValueError("`tries` are fewer than decide anything (`tries_at_least`, `most_exposed_at_least`)")
        if self.tries < self.members_at_least:
            raise ValueError("`tries` are fewer than `members_at_least`, so that no rate would ever decide")
        return self


def on_synthetic(parameters: Ceilings, secret: Sequence[str]) -> Iterator[Asked]:
    """Everything that is tried on synthetic rows."""
    ceilings = {
        EVERYONE: Ceiling(parameters.excess_at_most, parameters.tries_at_least),
        MOST_EXPOSED: Ceiling(parameters.most_exposed_at_most, parameters.most_exposed_at_least, "value"),
    }
    about = {
        "attribute_inference": tuple(secret),
        "copies": ("exact", "near"),
        "singling_out_multivariate": ("3_columns",),
    }
    for kind in ATTACKED:
        asked = ATTACKS[kind].Parameters(kind=kind, tries=parameters.tries * MORE.get(kind, 2) // 2)
        groups = {EVERYONE: ceilings[EVERYONE]} if kind == "attribute_inference" else ceilings
        yield Asked(asked, about.get(kind, ("",)), groups)
    few, some, _ = _members(parameters)
    shadows = ATTACKS["shadow_releases"].Parameters(
        kind="shadow_releases", tries=parameters.tries, shadows=parameters.shadows
    )
    yield from _by_rate(shadows, (few, some))


def on_anonymized(parameters: Ceilings, secret: Sequence[str], k: int) -> Iterator[Asked]:
    """Downcoding, being sure of a secret, and inferring it from how coarse rows were made."""
    if k >= 2:
        asked = ATTACKS["downcoding"].Parameters(kind="downcoding", k=k, tries=parameters.tries)
        yield Asked(asked, ("",), {EVERYONE: Ceiling(parameters.excess_at_most, 1)})
    for column in secret:
        asked = ATTACKS["homogeneity"].Parameters(
            kind="homogeneity", secret=column, others_known=parameters.others_known, tries=parameters.tries
        )
        ceilings = {EVERYONE: Ceiling(parameters.excess_at_most, parameters.tries_at_least)}
        yield Asked(asked, (column,), ceilings)
        if k >= 2:
            asked = ATTACKS["minimality"].Parameters(
                kind="minimality", secret=column, tries=parameters.tries * MORE["minimality"] // 2
            )
            yield Asked(asked, (column,), ceilings)


def on_model(parameters: Ceilings) -> Iterator[Asked]:
    """Whether a model tells whom it learned from, and whether its like remembers rows that are like no other."""
    attack = ATTACKS["shadow_models"].Parameters(
        kind="shadow_models", tries=parameters.tries, shadows=parameters.shadows
    )
    yield from _by_rate(attack, _members(parameters))
    least, of_pairs = parameters.members_at_least, parameters.members_at_most_of_pairs
    planted = (
        Ceiling(parameters.canaries_at_most, least, "upper_end", of_pairs, 0.01),
        Ceiling(parameters.canaries_at_most_of_half, least, "upper_end", of_pairs, 0.5),
    )
    yield from _by_rate(ATTACKS["canaries"].Parameters(kind="canaries", tries=parameters.tries), planted)


def _members(parameters: Ceilings) -> tuple[Ceiling, Ceiling, Ceiling]:
    """What may come of an attack that is told how many strangers it may take for members."""
    few, some, half = parameters.members_at_most_of_few, parameters.members_at_most, parameters.members_at_most_of_half
    least, of_pairs = parameters.members_at_least, parameters.members_at_most_of_pairs
    return (
        # two strangers of two thousand: the interval of so few is wider than what may be
        Ceiling(few, least, "value", of_pairs, 0.001),
        Ceiling(some, least, "upper_end", of_pairs, 0.01),
        Ceiling(half, least, "upper_end", of_pairs, 0.5),
    )


def _by_rate(attack: Any, ceilings: Sequence[Ceiling]) -> Iterator[Asked]:
    for name, rate in FALSE_POSITIVES.items():
        yield from (Asked(attack, (name,), {EVERYONE: ceiling}) for ceiling in ceilings if ceiling.rate == rate)
