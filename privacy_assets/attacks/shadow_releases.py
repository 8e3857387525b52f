"""shadow_releases: who can run the same synthesizer often decides whether a person was among those it learned from.

Of each person tried, half of the shadows learned and half did not, which half is drawn anew for each; all learned from
the others of the source besides. What is seen of a release is how near its rows come to a person: x = log(d + e), where
d is the Gower distance to the nearest row, and once more the mean of those to the `NEIGHBOURS` nearest, and e a
hundredth of a column. With a Gaussian fitted to each x of both halves, the score is the sum of
log N(x | learned) - log N(x | not), at the x of what is to be released. A member is whoever scores above a threshold
that 0.1 % (`fpr_01_percent`) or 1 % (`fpr_1_percent`) of the people in one half of the control exceed; among equal
scores chance decides. Counted are, among people of the release, true positives, and as many false positives in the
other half, and besides, of how many pairs of a member and a stranger the member scores higher (`pairs`). Baseline:
calling that part of the people members, at random.

The likelihood ratio attack, online (Carlini et al., S&P 2022, arXiv 2112.03570), on releases instead of models, as the
shadow models of Stadler, Oprisanu, Troncoso: "Synthetic Data - Anonymisation Groundhog Day", USENIX Security 2022,
arXiv 2011.07018. The adversary knows the rows of everybody of the source who is not tried, up to `others`, and sees up
to `seen` rows of a release. Shadows learn from as many people as the release did, where there are enough others.

Not covered: adversaries who see more of a release than its rows' distances, or who put rows of their own into the
source. A threshold for 0.1 % is an estimate from half of the control.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from privacy_assets.attacks._nearest import nearest
from privacy_assets.attacks._rows import in_order, order
from privacy_assets.attacks._shadows import FALSE_POSITIVES, Floats, Shadows, chosen, counted, learns, ratio
from privacy_assets.attacks._trying import Count, Target, Tries
from privacy_assets.coded import Coded
from privacy_assets.words import Frozen, Stage

ADVERSARY = "Who knows a person and how a release was made, and makes many like it with and without the person."
ON = Stage.SYNTHETIC
OF_A_PERSON = True
MAKES_SHADOWS = True
"""The synthesizer is run once for each shadow: where it is slow, after the release was made."""
NEIGHBOURS = 5
CLOSE = 0.01
"""Distances far below this are alike: nothing grows without bound where two rows are the same."""
RATES = {name: rate for name, rate in FALSE_POSITIVES.items() if rate < 0.1}
"""Rows of chance are never surely about anybody, so that being right about many who are members is not asked for."""


class Parameters(Frozen):
    """How many people are tried, with how many shadows, and how many others are known and rows looked at."""

    kind: Literal["shadow_releases"]
    tries: Count = 2_000
    shadows: Shadows = 48
    others: Annotated[int, Field(ge=0, le=10_000_000)] = 20_000
    seen: Annotated[int, Field(ge=1, le=10_000_000)] = 10_000


def attack(parameters: Parameters, target: Target, generator: np.random.Generator) -> Sequence[Tries]:
    """A line for each rate of false positives, and one of pairs; nothing of a target that cannot be made again."""
    if target.again is None:
        return []
    members, strangers = (generator.permutation(order(table)) for table in (target.fitted, target.control))
    ours, theirs = chosen(parameters.tries, members.size, strangers.size)
    if not ours:
        return counted(np.empty(0), np.empty(0), RATES, generator)
    tried = np.concatenate([members[:ours], target.fitted.rows + strangers[:theirs]])
    people = _together(target.fitted.take(members[:ours]), target.control.take(strangers[:theirs]))
    # half of those tried learn besides: a shadow learns from as many as the release did, as far as it can be
    others = members[ours:][: max(0, min(parameters.others, members.size - tried.size // 2))]
    inside = learns(tried.size, parameters.shadows, generator).T  # (shadows, people)
    shadows = []
    for mask in inside:
        learned = np.zeros(target.fitted.rows + target.control.rows, dtype=bool)
        learned[others] = learned[tried[mask]] = True
        shadows.append(_seen(people, target.again(learned), parameters.seen))
    released = _seen(people, target.released, parameters.seen)
    ratios = [ratio(at, seen, inside) for at, seen in zip(released, np.stack(shadows, axis=1), strict=True)]
    score: Floats = np.sum(ratios, axis=0)
    return counted(score[:ours], score[ours:], RATES, generator)


def _together(one: Coded, other: Coded) -> Coded:
    return Coded(one.domains, np.concatenate([one.codes, other.codes]))


def _seen(people: Coded, released: Coded, most: int) -> Floats:
    """(2, people,) how near the nearest row of a release comes, and the nearest few; as far as can be without any."""
    rows = in_order(released).take(np.arange(min(most, released.rows)))
    columns = len(people.domains)
    distances = nearest(people, rows, range(columns), NEIGHBOURS)[1]
    if not distances.shape[1]:
        distances = np.full((people.rows, 1), float(columns))
    found: Floats = np.log(np.stack([distances[:, 0], distances.mean(axis=1)]) + CLOSE)
    return found
