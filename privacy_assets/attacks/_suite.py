"""Several attacks on one release, from one seed.

Belongs here: running them. Does not belong here: which are run (the purpose says so), what is too much (`invariants`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from privacy_assets.attacks import ATTACKS, Attack
from privacy_assets.attacks._trying import Target, Tries


def tried(attacks: Sequence[Attack], target: Target, seed: int) -> list[tuple[str, Tries]]:
    """The kind of each attack, with each of its lines.

    Each has a generator of its own, made of the seed and its parameters: one more changes nothing of the others.
    """
    found = []
    for parameters in attacks:
        own = int.from_bytes(hashlib.sha256(parameters.model_dump_json().encode()).digest()[:8], "big")
        lines = ATTACKS[parameters.kind].attack(parameters, target, np.random.default_rng((seed, own)))
        found += [(str(parameters.kind), line) for line in lines]
    return found
