"""canaries: who knows all of a row but whether it was learned from sees it by how sure a model is of it.

A canary is a row of nobody: each of its inputs is that of another row, drawn by chance from people whom no model here
learns from, and so is its truth. Some canaries are planted among the rows of train, a model of the same sort is fitted
to both, and tells of every canary how sure it is of the truth: the probability of the class that is true, or how near
it comes to a number. As many canaries that were not planted, drawn alike, set the threshold, which 1 %
(`fpr_1_percent`) or half (`fpr_50_percent`) of them exceed; as many others are the control; among equal scores, chance
decides. Counted are the planted above it, and the others above it, and in how many pairs (`pairs`) the planted one
scores higher. As many models are fitted, each with canaries of its own, as there have to be canaries; their scores are
ranked together. Baseline: calling that part of the canaries planted, at random.

A half, since a model that only ever answers with a class is sure of every planted canary, and by chance of many others:
the highest hundredth of those cannot be told from the rest.

At most a hundredth of what a model learns from is planted: rows without sense are noise to it, and what many of them do
together is not what is asked. With more it would be another model than the one that is to be released, and might know
one canary by another. A model learns from at most `rows` rows of train, drawn anew for each: with fewer than there are
it remembers more, so that what is found is too much rather than too little.

This is the exposure of Carlini et al., "The secret sharer", USENIX Security 2019, arXiv 1802.08232, in counts: theirs
is log2 of how many canaries there can be, minus log2 of the rank of a planted one among them. The score is raw: what it
would be without the canary is known of all that were drawn alike, and not of any single one (`shadow_models` asks how
much surer a model is than others that did not learn that row). So what is missed is whatever is smaller than by how
much canaries differ; what is found needs no shadow model. It is said of the sort of model, its parameters and the rows
of train, and not of the one fit that is to be released.

**What was seen**, of invented people of whom little can be told (9 columns, half of the rows in train), 20 seeds each:
how many are called planted more often than others are, on average (least to most), and how many of the 20 the ceilings
of `public_release` stop:

    rows                                                    of 1 %             of a half   stopped
    9,000  logistic regression, c: 0.002    0.000 (-0.007 to 0.008)  0.00 (-0.03 to 0.04)       0
    9,000  logistic regression, c: 1.0      0.001 (-0.007 to 0.009)  0.00 (-0.02 to 0.03)       0
    3,000  logistic regression, c: 1.0      0.001 (-0.003 to 0.007)   0.01 (0.00 to 0.04)       0
    9,000  a tree, leaves of 20 rows        0.003 (-0.002 to 0.009)  0.04 (-0.01 to 0.08)       2
    4,000  a tree, leaves of one row        0.012 (-0.001 to 0.025)   0.50 (0.47 to 0.52)      20
    4,000  a forest of 10 such trees         0.082 (0.041 to 0.141)   0.47 (0.44 to 0.53)      20

A tree of twenty rows in a leaf remembers a little: a planted row is one of them.

Of a few columns with a few values a canary is like rows that were learned anyway, planted or not, and shows nothing.
Not covered either: people who are more exposed than rows of chance, adversaries who plant rows to make others stand
out, or who look inside a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from privacy_assets.attacks import _shadows
from privacy_assets.attacks._modelled import Floats, Modelled
from privacy_assets.attacks._shadows import counted
from privacy_assets.attacks._trying import Count, Tries
from privacy_assets.words import Frozen, Stage

ADVERSARY = "Who may ask a model, knows a row that is like no other, and wants to know whether it was learned."
ON = Stage.MODEL
FALSE_POSITIVES = {name: rate for name, rate in _shadows.FALSE_POSITIVES.items() if rate >= 0.01}
"""Which part of the canaries that were not planted are taken for planted, by the name of the variation."""
PLANTED = 0.01
"""The part of the rows learned from that may be planted."""
FITS = 8
"""How many models are fitted at least: what one of them remembers by chance is not what all of them do."""


class Parameters(Frozen):
    """How many canaries are planted in all, in at most how many models, each of which learns from at most `rows` rows.

    Of a few rows as few canaries are tried as may be planted in `fits` models.
    """

    kind: Literal["canaries"]
    tries: Count = 2_000
    fits: Annotated[int, Field(ge=FITS, le=1_000)] = 128
    rows: Annotated[int, Field(ge=100, le=10_000_000)] = 10_000


def attack(parameters: Parameters, target: Modelled, generator: np.random.Generator) -> Sequence[Tries]:
    """A line for each rate of false positives, and one of pairs."""
    members, strangers = np.flatnonzero(target.member), np.flatnonzero(~target.member)
    rows = min(parameters.rows, members.size)
    planted = min(int(rows * PLANTED), -(-parameters.tries // FITS))
    fits = min(parameters.fits, -(-parameters.tries // planted)) if planted and strangers.size else 0
    scores = np.empty((3, fits, planted))
    for fit in range(fits):
        learned = np.sort(generator.choice(members, size=rows, replace=False))
        canaries = generator.choice(strangers, size=(3 * planted, target.inputs + 1))
        scores[:, fit] = _sure(target.plant(learned, canaries, planted), target).reshape(3, planted)
    in_all, *others = scores.reshape(3, -1)[:, : parameters.tries]
    return counted(in_all, np.concatenate(others), FALSE_POSITIVES, generator)


def _sure(said: Floats, target: Modelled) -> Floats:
    return said if target.task == "classification" else -np.abs(said)
