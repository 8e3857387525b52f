"""private_logistic_regression: a linear model of the log-odds of two classes, under differential privacy.

Holds one weight for each column, and nothing of a row but through noise.

    w ← w + step · momentum of (noisy sum of gradients) / (noisy number of rows),  `steps` times, from w = 0

**The argument.** Neighbours differ by all rows of one person, of which there are at most m (`contribution`, kept by
`aggregate/_bounding`). A row is integers z, with ‖z‖² ≤ Q² (1 + c) for c columns, as `_descent` says, and

* what it is off by is r = S[z·v] - P [y = second class], where v are the weights rounded to a grid and S is a table of
  the logistic function, rounded to integers from 0 to P. So |r| ≤ P;
* the gradient is Σ r z. One row moves it by at most P Q √(1 + c) in L2, one person by m times that, which is rounded
  up (`moves`). One person moves the number of rows by m.

`_descent` says why nothing else of a row reaches the weights, and what the steps cost together.

Source: noisy gradients, Song, Chaudhuri, Sarwate, "Stochastic gradient descent with differentially private updates",
2013; composed as zCDP, Bun and Steinke 2016. All rows in each step, so that no amplification by sampling has to be
argued. Not covered: the metrics, which are of other people and without noise, and that a fit fails because train holds
one class only.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from privacy_assets.techniques.synthesize._spending import cost as cost
from privacy_assets.techniques.train import _descent
from privacy_assets.techniques.train._descent import FAR, GRID, Descending, Floats, Hits, Integers, P, Q, Whole

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

TASKS = ("classification",)


class Parameters(Descending):
    """What it may cost; how many steps share it, and how much of a step the next one keeps."""

    kind: Literal["private_logistic_regression"]


def build(parameters: Parameters, task: str, seed: int, *, columns: int = 0, rows_per_person: int = 1) -> Descent:
    """Unfitted. Noise takes no seed: nothing is changed by it."""
    return Descent(parameters, columns, rows_per_person)


class Descent(_descent.Descent):
    """What is not fitted yet."""

    def start(self, numbers: int, columns: int) -> Floats:
        """All zero."""
        return np.zeros(numbers)

    def gradient(self, rows: Whole, positive: Hits, weights: Floats) -> Integers:
        """As below."""
        return gradient(rows, positive, weights)

    def moves(self, columns: int, rows_per_person: int) -> int:
        """As below."""
        return moves(columns, rows_per_person)

    def step(self, columns: int) -> float:
        """1 / 4 is the most that the logistic function bends, and no row is longer than √(1 + c)."""
        return 4 / (1 + columns)

    def as_model(self, weights: Floats, classes: npt.NDArray[Any]) -> LogisticRegression:
        """The weights where scikit-learn keeps them."""
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression()
        model.classes_, model.n_features_in_ = classes, len(weights) - 1
        model.intercept_, model.coef_ = weights[:1], weights[None, 1:]
        model.n_iter_ = np.array([0], dtype=np.int32)
        return model


def moves(columns: int, rows_per_person: int) -> int:
    """How far one person moves the gradient at most, in L2, rounded up: m P Q √(1 + columns)."""
    return math.isqrt((rows_per_person * P * Q) ** 2 * (1 + columns) - 1) + 1


def gradient(rows: Whole, positive: Hits, weights: Floats) -> Integers:
    """The sum over the rows of r z, in integers, so in any order the same."""
    odds = _descent.product(rows, _descent.on_grid(weights)[:, None], Q * FAR * GRID)[:, 0]
    off = _descent.looked_up(_descent.logistic(), odds, Q * GRID) - P * positive
    total: Integers = _descent.product(off[None].astype(np.float64), rows, P * Q)[0]
    return total
