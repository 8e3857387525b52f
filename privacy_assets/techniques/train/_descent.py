"""Noisy descent on whole numbers: what estimators under differential privacy share.

Belongs here: rows as integers, tables of functions, products that are exact, and the steps that are paid from one
account. Does not belong here: what is fitted, and how far a person moves its gradient (one file each beside this).

**The argument that they share.** Numbers come in within [-1, 1], by *declared* bounds, and categories as 0 or 1
(`_fitting`), so that nothing of a row is measured on other rows. Everything that touches rows is done in integers, row
by row: a row is z = (Q, round(Q x₁), …, round(Q x_d)), clipped to [-Q, Q]; one with more than c of its x apart from 0
is left out, where c is the number of columns before categories became several. So ‖z‖² ≤ Q² (1 + c). No number of a
row is ever rounded together with one of another row, so that rows of others contribute, to the last bit, the same to
both neighbours. Noise is discrete Gaussian and drawn by OpenDP; `synthesize/_spending` hands it out, and says why
`steps` + 1 draws, each of which may depend on what was drawn before, cost ρ together. Weights are made of noisy sums
alone, so that they, and what is asked of them, cost nothing more (post-processing).

**Exact products.** A matrix product of floating-point numbers may give other last bits for a row when other rows stand
beside it. Here it is one of whole numbers whose partial sums, in whichever order, stay below 2^53: each of them is a
double, and nothing is rounded (`product`, which cuts longer sums into pieces). It is some ten times as fast as one of
integers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from privacy_assets.techniques.noise import LARGEST
from privacy_assets.techniques.synthesize._spending import Account, Private
from privacy_assets.weakening import Weaker

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Whole = npt.NDArray[np.float64]
"""Whole numbers, held as doubles."""
Hits = npt.NDArray[np.bool_]

Q = 1 << 10
"""What 1 is in the integers of a row."""
P = 1 << 10
"""What 1 is in the integers of a probability."""
GRID = 1 << 12
"""What 1 is in the integers of a weight."""
TABLE = 1 << 8
"""How many values of a function there are in its table between two whole numbers."""
FAR = 16
"""Weights beyond this count as this; so do the arguments of functions."""
EXACT = 1 << 53
"""Up to here each whole number is a double."""
COUNT = 0.02
"""The share of ρ that the number of rows is told with."""


class Descending(Private):
    """What it may cost; how many steps share it, and how much of a step the next one keeps."""

    steps: Annotated[int, Field(ge=1, le=1000), Weaker.NONE] = 50
    momentum: Annotated[float, Field(ge=0, lt=1), Weaker.NONE] = 0.8


class Descent(ABC):
    """What is not fitted yet. A kind of model says where it starts, where it goes, and how far a person moves that.

    `columns` is how many columns there are, categories as one (0: as many as come in), `rows_per_person` the m of the
    argument, to which the rows must have been bounded.
    """

    def __init__(self, asked: Descending, columns: int, rows_per_person: int) -> None:
        self._asked, self._columns, self._rows_per_person = asked, columns, rows_per_person

    def fit(self, numbers: Floats, truth: npt.NDArray[Any]) -> Any:
        """A model fitted to rows (rows, inputs) within [-1, 1] and their class. ValueError for other than two."""
        classes = np.unique(truth)
        if len(classes) != 2:
            raise ValueError("two classes are told apart, no more and no fewer")
        columns = self._columns or numbers.shape[1]
        rows, positive = kept(numbers, columns), np.asarray(truth == classes[1])
        return self.as_model(self._descended(rows, positive, columns), classes)

    def _descended(self, rows: Whole, positive: Hits, columns: int) -> Floats:
        account, most = Account(self._asked), self._rows_per_person
        (counted,) = account.additive(most, COUNT).add([len(rows)])
        share = (1 - COUNT) / self._asked.steps
        noises = [account.additive(self.moves(columns, most), share) for _ in range(self._asked.steps)]
        weights = self.start(rows.shape[1], columns)
        last = np.zeros(len(weights))
        for noise in noises:
            noisy = np.array(noise.add(self.gradient(rows, positive, weights).tolist()), dtype=np.float64)
            last = self._asked.momentum * last - self.step(columns) * noisy / (P * Q * max(counted, 1))
            weights = np.clip(weights + last, -FAR, FAR)
        return weights

    @abstractmethod
    def start(self, numbers: int, columns: int) -> Floats:
        """The weights before the first step, for rows of so many integers. Knows no row."""

    @abstractmethod
    def gradient(self, rows: Whole, positive: Hits, weights: Floats) -> Integers:
        """The sum over the rows of the gradient of each, where 1 is P Q."""

    @abstractmethod
    def moves(self, columns: int, rows_per_person: int) -> int:
        """How far one person moves that at most, in L2, rounded up."""

    @abstractmethod
    def step(self, columns: int) -> float:
        """How far a step goes down a mean gradient of 1."""

    @abstractmethod
    def as_model(self, weights: Floats, classes: npt.NDArray[Any]) -> Any:
        """A scikit-learn estimator that says what the weights say."""


def kept(numbers: Floats, columns: int) -> Whole:
    """The z of each row, (rows, 1 + inputs); all zero where one is longer than the argument says."""
    scaled = np.rint(np.clip(np.nan_to_num(numbers), -1, 1) * Q)
    rows = np.column_stack([np.full(len(scaled), Q, dtype=np.float64), scaled])
    rows[lengths(rows) > Q * Q * (1 + columns)] = 0
    return rows


def lengths(rows: Whole) -> Integers:
    """‖z‖² of each row."""
    squared: Integers = np.einsum("ij,ij->i", rows, rows).astype(np.int64)
    return squared


def on_grid(weights: Floats) -> Whole:
    """The weights in whole numbers: at most FAR · GRID."""
    return np.rint(weights * GRID)


def product(left: Whole, right: Whole, largest: int) -> Integers:
    """`left @ right` to the last digit, of whole numbers where no product of two is larger than `largest`.

    OverflowError where a sum might be larger than noise can be drawn for.
    """
    added = left.shape[1]
    if added * largest > LARGEST:
        raise OverflowError(f"{added:,} products of up to {largest:,} may be too large for an integer of 64 bits")
    piece = max(EXACT // largest, 1)
    total = np.zeros((left.shape[0], right.shape[1]), dtype=np.int64)
    for at in range(0, added, piece):
        total += (left[:, at : at + piece] @ right[at : at + piece]).astype(np.int64)
    return total


def looked_up(table: Integers, sums: Integers, one: int) -> Integers:
    """The function of each sum, where `one`, a multiple of TABLE, is 1 in the integers of a sum."""
    found: Integers = table[np.clip(sums // (one // TABLE), -FAR * TABLE, FAR * TABLE) + FAR * TABLE]
    return found


def arguments() -> Floats:
    """Where a function is tabulated: the middles of all steps from -FAR to FAR."""
    middles: Floats = (np.arange(-FAR * TABLE, FAR * TABLE + 1) + 0.5) / TABLE
    return middles


def logistic() -> Integers:
    """P times the logistic function, rounded."""
    return np.rint(P / (1 + np.exp(-arguments()))).astype(np.int64)
