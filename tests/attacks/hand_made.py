"""Tables written by hand, and the line of one attack on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from privacy_assets.attacks import ATTACKS
from privacy_assets.attacks._trying import EVERYONE, Target, Tries
from privacy_assets.coded import Coded, Domain


def table(domains: Sequence[Domain], rows: Sequence[Sequence[int]]) -> Coded:
    """The rows as codes."""
    return Coded(tuple(domains), np.array(rows, np.int32).reshape(-1, len(domains)))


def line(kind: str, target: Target, about: str = "", group: str = EVERYONE, seed: int = 0, **asks: object) -> Tries:
    """What this attack came to on this group."""
    made = ATTACKS[kind].attack(ATTACKS[kind].Parameters(kind=kind, **asks), target, np.random.default_rng(seed))
    return next(one for one in made if (one.about, one.group) == (about, group))
