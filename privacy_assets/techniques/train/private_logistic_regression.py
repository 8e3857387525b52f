"""private_logistic_regression: a linear model of the log-odds of two classes, under differential privacy.

Holds one weight for each column, and nothing of a row but through noise.

    w ← w + step · momentum of (noisy sum of gradients) / (noisy number of rows),  `steps` times, from w = 0

**The argument.** Neighbours differ by all rows of one person, of which there are at most m (`contribution`, kept by
`aggregate/_bounding`). Numbers come in within [-1, 1], by *declared* bounds, and categories as 0 or 1 (`_fitting`), so
that nothing of a row is measured on other rows. Everything that touches rows is done in integers, row by row:

* a row is z = (Q, round(Q x₁), …, round(Q x_d)), clipped to [-Q, Q]; one with more than c of its x apart from 0 is
  left out, where c is the number of columns before categories became several. So ‖z‖² ≤ Q² (1 + c);
* what it is off by is r = S[z·v] - P [y = second class], where v are the weights rounded to a grid and S is a table of
  the logistic function, rounded to integers from 0 to P. So |r| ≤ P;
* the gradient is Σ r z. One row moves it by at most P Q √(1 + c) in L2, one person by m times that, which is rounded
  up (`moves`). One person moves the number of rows by m.

No floating-point number of a row is ever added to one of another row, so that rows of others contribute, to the last
bit, the same to both neighbours. Noise is discrete Gaussian and drawn by OpenDP; `synthesize/_spending` hands it out,
and says why `steps` + 1 draws, each of which may depend on what was drawn before, cost ρ together. Weights are made of
noisy sums alone, so that they, and what is asked of them, cost nothing more (post-processing).

Source: noisy gradients, Song, Chaudhuri, Sarwate, "Stochastic gradient descent with differentially private updates",
2013; composed as zCDP, Bun and Steinke 2016. All rows in each step, so that no amplification by sampling has to be
argued. Not covered: the metrics, which are of other people and without noise, and that a fit fails because train holds
one class only.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from privacy_assets.techniques.synthesize._spending import Account, Private
from privacy_assets.techniques.synthesize._spending import cost as cost

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

TASKS = ("classification",)
Integers = npt.NDArray[np.int64]

Q = 1 << 10
"""What 1 is in the integers of a row."""
P = 1 << 10
"""What 1 is in the integers of a probability."""
GRID = 1 << 12
"""What 1 is in the integers of a weight."""
TABLE = 1 << 8
"""How many values of the logistic function there are between two whole numbers."""
FAR = 16
"""Log-odds beyond this count as this."""
COUNT = 0.02
"""The share of ρ that the number of rows is told with."""


class Parameters(Private):
    """What it may cost; how many steps share it, and how much of a step the next one keeps."""

    kind: Literal["private_logistic_regression"]
    steps: Annotated[int, Field(ge=1, le=1000)] = 50
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.8


def build(parameters: Parameters, task: str, seed: int, *, columns: int = 0, rows_per_person: int = 1) -> Descent:
    """Unfitted. Noise takes no seed: nothing is changed by it.

    `columns` is how many columns there are, categories as one (0: as many as come in), `rows_per_person` the m of the
    argument, to which the rows must have been bounded.
    """
    return Descent(parameters, columns, rows_per_person)


class Descent:
    """What is not fitted yet."""

    def __init__(self, parameters: Parameters, columns: int, rows_per_person: int) -> None:
        self._asked, self._columns, self._rows_per_person = parameters, columns, rows_per_person

    def fit(self, numbers: npt.NDArray[np.float64], truth: npt.NDArray[Any]) -> LogisticRegression:
        """A model fitted to rows (rows, inputs) within [-1, 1] and their class. ValueError for other than two."""
        classes = np.unique(truth)
        if len(classes) != 2:
            raise ValueError("two classes are told apart, no more and no fewer")
        columns = self._columns or numbers.shape[1]
        rows, positive = _kept(numbers, columns), np.asarray(truth == classes[1])
        weights = self._descended(rows, positive, columns)
        return _as_model(weights, classes)

    def _descended(self, rows: Integers, positive: npt.NDArray[np.bool_], columns: int) -> npt.NDArray[np.float64]:
        account, most = Account(self._asked), self._rows_per_person
        (counted,) = account.additive(most, COUNT).add([len(rows)])
        share = (1 - COUNT) / self._asked.steps
        noises = [account.additive(moves(columns, most), share) for _ in range(self._asked.steps)]
        weights = kept = np.zeros(rows.shape[1])
        for noise in noises:
            noisy = np.array(noise.add(gradient(rows, positive, weights).tolist()), dtype=np.float64)
            # 1 / 4 is the most that the logistic function bends, and no row is longer than √(1 + c)
            step = 4 / (1 + columns) * noisy / (P * Q * max(counted, 1))
            kept = self._asked.momentum * kept - step
            weights = np.clip(weights + kept, -FAR, FAR)
        return weights


def moves(columns: int, rows_per_person: int) -> int:
    """How far one person moves the gradient at most, in L2, rounded up: m P Q √(1 + columns)."""
    return math.isqrt((rows_per_person * P * Q) ** 2 * (1 + columns) - 1) + 1


def _kept(numbers: npt.NDArray[np.float64], columns: int) -> Integers:
    """The z of each row, (rows, 1 + inputs); all zero where one is longer than the argument says."""
    scaled = np.rint(np.clip(np.nan_to_num(numbers), -1, 1) * Q).astype(np.int64)
    rows = np.column_stack([np.full(len(scaled), Q, dtype=np.int64), scaled])
    rows[(rows * rows).sum(axis=1) > Q * Q * (1 + columns)] = 0
    return rows


def gradient(rows: Integers, positive: npt.NDArray[np.bool_], weights: npt.NDArray[np.float64]) -> Integers:
    """The sum over the rows of r z, in integers, so in any order the same."""
    odds = rows @ np.rint(weights * GRID).astype(np.int64)
    place = np.clip(odds * TABLE // (Q * GRID), -FAR * TABLE, FAR * TABLE) + FAR * TABLE
    off = _logistic()[place] - P * positive
    total: Integers = off @ rows
    return total


def _logistic() -> Integers:
    """P times the logistic function, rounded, from -FAR to FAR."""
    odds = (np.arange(-FAR * TABLE, FAR * TABLE + 1) + 0.5) / TABLE
    return np.rint(P / (1 + np.exp(-odds))).astype(np.int64)


def _as_model(weights: npt.NDArray[np.float64], classes: npt.NDArray[Any]) -> LogisticRegression:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression()
    model.classes_, model.n_features_in_ = classes, len(weights) - 1
    model.intercept_, model.coef_ = weights[:1], weights[None, 1:]
    model.n_iter_ = np.array([0], dtype=np.int32)
    return model
