"""How guesses that single somebody out are counted: shared by the attacks that make them.

Belongs here: the counting. Does not belong here: the guesses (`singling_out.py`, `singling_out_multivariate.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from privacy_assets.attacks._people import exposed
from privacy_assets.attacks._predicates import Index, Predicates
from privacy_assets.attacks._trying import EVERYONE, MOST_EXPOSED, Tries
from privacy_assets.coded import Coded


def counted(
    about: str, tries: int, fitted: Coded, control: Coded, guesses: Predicates, blind: Predicates
) -> Sequence[Tries]:
    """Of everyone, how many guesses single out one row; of the most exposed, how many people are singled out by any.

    `blind` are as many guesses of who has seen no release. Who has fewer guesses than `tries` (and people) has nothing
    to say in the rest of them, which have failed.
    """
    left = max(0, min(tries, fitted.rows) - guesses.size)
    among, others = Index(fitted), Index(control)
    singled = among.alone(guesses), others.alone(guesses), among.alone(blind)
    people = exposed(fitted, control)
    found = [np.isin(exposed_, places) for exposed_, places in zip((*people, people[0]), singled, strict=True)]
    return (
        Tries.counted(about, MOST_EXPOSED, *found),
        Tries.counted(about, EVERYONE, *(np.pad(places >= 0, (0, left)) for places in singled)),
    )
