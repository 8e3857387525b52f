"""A model as its adversary meets it.

Belongs here: what an attack on models is given. Does not belong here: any attack (one file each), how a model is
fitted (`techniques/train/`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Modelled:
    """Rows that a model learned from and others of the same population, and how to fit more such models.

    `person` (rows,) numbers whose row each is, from 0; `member` (rows,) says whether the model learned from it, the
    same for all rows of a person. `learn(learned, told)` fits a model of the same sort to the rows at the places
    `learned`, and gives what that says of the rows at `told`; `said` (rows,) is what the model that is to be released
    says of them: the probability of the class that is true (`task` classification), or the predicted minus the true
    number (regression).

    `plant(learned, canaries, first)` fits one to the rows at `learned` and to the first of the canaries, so many, and
    gives what that says of every canary. A canary is the places (canaries, `inputs` + 1) of the rows from which each
    of its inputs, and last its truth, is taken.
    """

    person: Places
    member: npt.NDArray[np.bool_]
    said: Floats
    learn: Callable[[Places, Places], Floats]
    task: Literal["classification", "regression"]
    inputs: int
    plant: Callable[[Places, Places, int], Floats]
