"""copies: who has the release looks for a person's row in it, the very same or nearly so.

`exact`: the row was released as it is. `near`: a row was released that differs in at most one column, or whose mean
Gower distance over all columns is at most `within`. Baseline: rows of values of the domains, each as likely.

Rows whose values are common are released by chance as well, and found in the control as often: only the excess is a
copy. The most exposed, whose rows nobody has by chance, are where few copies among many rows show.

Distance alone proves nothing: a release can be a fixed map of the rows, and far from each (`reconstruction`); see Yao
et al., "The DCR delusion", 2025, arXiv 2505.01524. This attack finds, it does not acquit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from privacy_assets.attacks._nearest import near
from privacy_assets.attacks._people import as_many, groups, strangers
from privacy_assets.attacks._rows import identical, in_order
from privacy_assets.attacks._trying import Count, Target, Tries
from privacy_assets.words import Frozen, Stage

ADVERSARY = "Who looks for a person's own row in the release."
ON = Stage.SYNTHETIC
OF_A_PERSON = True


class Parameters(Frozen):
    """For how many people they look, and how near a row must be, as a mean over columns of 0 (same) to 1."""

    kind: Literal["copies"]
    tries: Count = 2_000
    within: Annotated[float, Field(ge=0, lt=1)] = 0.002


def attack(parameters: Parameters, target: Target, generator: np.random.Generator) -> Sequence[Tries]:
    """A line for `exact` and one for `near` of each group."""
    released = in_order(target.released)
    found = []
    for group, *people in groups(*as_many(target, generator), parameters.tries, generator):
        tried = (*people, strangers(people[0], generator))
        found.append(Tries.counted("exact", group, *(identical(some, released) for some in tried)))
        found.append(Tries.counted("near", group, *(near(some, released, parameters.within) for some in tried)))
    return found
