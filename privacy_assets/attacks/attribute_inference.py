"""attribute_inference: who knows some of a person's values takes the secret one from the most similar released row.

The adversary knows a person's `known` columns and guesses, for each `secret` one, the value of the released row that
is nearest by Gower's distance on what is known (of several equally near ones, any). A guess of a category is right if
it is the value; of a number, if it is as near the truth as only a `tolerance` of the pairs of strangers in the control
are to each other: a share of the value would be years for a day, and everything for a column of years. A missing value
is guessed by a missing one.

Source: Giomi, Boenisch, Wehmeyer, Tasnadi, "A unified framework for quantifying privacy risk in synthetic data",
PoPETs 2023(2), section 5.3. Baseline: a value of the domain, each as likely.

What follows from the population alone is no leak: the control's rows are guessed as well by it. A common value is
guessed often by chance, so that an excess is seen late: 5,000 tries by default, where 2,000 refuse one innocent
release in nine (see `invariants/attack_excess.py`). Not covered: a learned model as the guesser, several neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from privacy_assets.attacks._nearest import nearest
from privacy_assets.attacks._people import as_many, groups, known_without
from privacy_assets.attacks._rows import in_order
from privacy_assets.attacks._trying import Count, Hits, Target, Tries
from privacy_assets.coded import Codes, Domain
from privacy_assets.words import Frozen, Stage

ADVERSARY = "Who knows some of a person's values, and wants another one."
ON = Stage.SYNTHETIC
OF_A_PERSON = True


class Parameters(Frozen):
    """How often they try, and how near a guessed number must be: nearer than all but such a part of strangers are."""

    kind: Literal["attribute_inference"]
    tries: Count = 5_000
    tolerance: Annotated[float, Field(ge=0, lt=1)] = 0.05


def attack(parameters: Parameters, target: Target, generator: np.random.Generator) -> Sequence[Tries]:
    """One line for each secret column and group."""
    released = in_order(target.released)
    near = {secret: _near(target.control.codes[:, secret], parameters.tolerance, generator) for secret in target.secret}
    found = []
    for group, fitted, control in groups(*as_many(target, generator), parameters.tries, generator):
        people = fitted, control
        neighbours = {
            known: [nearest(some, released, known)[0] for some in people]
            for known in sorted({known_without(target, secret) for secret in target.secret})
        }
        for secret in target.secret:
            domain = released.domains[secret]
            truths = [some.codes[:, secret] for some in people]
            hits, control_hits = (
                _right(truth, released.codes[:, secret][places], domain, near[secret])
                for truth, places in zip(truths, neighbours[known_without(target, secret)], strict=True)
            )
            guesses = generator.integers(domain.size, size=(len(truths[0]), 1), dtype=np.int32)
            baseline = _right(truths[0], guesses, domain, near[secret])
            found.append(Tries.counted(domain.name, group, hits, control_hits, baseline))
    return found


def _near(codes: Codes, tolerance: float, generator: np.random.Generator) -> int:
    """How many steps apart such a part of the pairs of strangers are at most."""
    if len(codes) < 2:
        return 0
    ordered = np.sort(codes).astype(np.int64)
    apart = np.abs(ordered - ordered[generator.permutation(len(ordered))])
    return int(np.quantile(apart, tolerance, method="inverted_cdf")) if tolerance else 0


def _right(truth: Codes, guesses: Codes, domain: Domain, near: int) -> Hits:
    """(people,) of (people,) and (people, 0 or 1): without a released row there is no guess, and none is right."""
    if not guesses.shape[1]:
        return np.zeros(len(truth), np.bool_)
    guess = guesses[:, 0]
    right: Hits = truth == guess
    if domain.ordered:
        known = (guess < domain.size) & (truth < domain.size)
        right |= known & (np.abs(guess.astype(np.int64) - truth) <= near)
    return right
