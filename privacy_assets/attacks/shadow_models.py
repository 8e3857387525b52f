"""shadow_models: who can fit many models of the same sort decides whether a person was among those one learned from.

Of each person tried, half of the shadow models learned and half did not, which half is drawn anew for each person; all
learned from others of train besides. What models say of a row is x = log((p + c) / (1 - p + c)), where p is the
probability of the class that is true and c = 0.01, or x = predicted - true of a number. With a Gaussian fitted to the
x of both halves, a person's score is the sum over their rows of log N(x | learned) - log N(x | not), at the x of the
model that is to be released. A member is whoever scores above a threshold that 0.1 % (`fpr_01_percent`), 1 %
(`fpr_1_percent`) or half (`fpr_50_percent`) of the people in one half of the others exceed; among equal scores, chance
decides. Counted are, among people of train, true positives, and as many false positives in the other half, and
besides, of how many pairs of a member and a stranger the member scores higher (`pairs`). Baseline: calling that part of
the people members, at random.

This is the likelihood ratio attack, online: Carlini et al., "Membership inference attacks from first principles", S&P
2022, arXiv 2112.03570. Three things differ. Theirs has c = 0, with which a forest, whose trees often all agree, told
a quarter as much. A variance out of a few dozen models is a guess itself, so each is drawn towards the mean of all
rows' (as if `PRIOR` models more had that; theirs is either). And the adversary knows the rows of everybody of train who
is not tried, as many as `others`: the more of them, the more alike shadow and model.

Not covered: adversaries who look inside the model rather than ask it, who put rows of their own into train, or who ask
of rows near a person's. A threshold for 0.1 % is an estimate from half of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from privacy_assets.attacks._modelled import Floats, Modelled, Places
from privacy_assets.attacks._shadows import FALSE_POSITIVES, Shadows, chosen, counted, learns, ratio
from privacy_assets.attacks._trying import Count, Tries
from privacy_assets.words import Frozen, Stage

ADVERSARY = "Who may ask a model, knows a person, and wants to know whether it learned from them."
ON = Stage.MODEL
CERTAIN = 0.01
"""Is added to both probabilities: of few trees many say 0 or 1, which are not infinitely far from the next value."""


class Parameters(Frozen):
    """How many people of either sort are tried, with how many shadow models, and how many others these learn from.

    `others` counts rows. As many people are tried as there are: of train, and half of those who are not.
    """

    kind: Literal["shadow_models"]
    tries: Count = 2_000
    shadows: Shadows = 48
    others: Annotated[int, Field(ge=0, le=10_000_000)] = 6_000


def attack(parameters: Parameters, target: Modelled, generator: np.random.Generator) -> Sequence[Tries]:
    """A line for each rate of false positives, and one of pairs."""
    members, strangers = (
        generator.permutation(np.unique(target.person[chosen])) for chosen in (target.member, ~target.member)
    )
    ours, theirs = chosen(parameters.tries, members.size, strangers.size)
    people = np.concatenate([members[:ours], strangers[:theirs]])
    score = _scores(parameters, target, people, generator) if people.size else np.empty(0)
    return counted(score[:ours], score[ours:], FALSE_POSITIVES, generator)


def _scores(parameters: Parameters, target: Modelled, people: Places, generator: np.random.Generator) -> Floats:
    """(people,) how much better what the model says of a person is explained by having learned from them."""
    place = np.full(int(target.person.max()) + 1, -1)
    place[people] = np.arange(people.size)
    of_row = place[target.person]  # whose row it is among those tried, -1 for the others
    told = np.flatnonzero(of_row >= 0)
    others = generator.permutation(np.flatnonzero((of_row < 0) & target.member))[: parameters.others]
    inside = learns(people.size, parameters.shadows, generator)[of_row[told]].T  # (shadows, rows)
    said = [target.learn(np.sort(np.concatenate([others, told[mask]])), told) for mask in inside]
    shadows, released = _signal(np.stack(said), target), _signal(target.said[told], target)
    found = ratio(released, shadows, inside)
    return np.bincount(of_row[told], found, minlength=people.size).astype(np.float64)


def _signal(said: Floats, target: Modelled) -> Floats:
    if target.task == "regression":
        return said
    signal: Floats = np.log(said + CERTAIN) - np.log(1 - said + CERTAIN)
    return signal
