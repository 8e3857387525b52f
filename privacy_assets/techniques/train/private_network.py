"""private_network: a small neural network that tells two classes apart, under differential privacy.

Holds the weights of one hidden layer, and nothing of a row but through noise. What a logistic regression cannot tell,
such as that only both of two together matter, it can; for that it has some ten times as many weights, each of which
gets noise: it needs more people or a larger ε before it is better.

    w ← w + step · momentum of (noisy sum of clipped gradients) / (noisy number of rows),  `steps` times

**The argument.** Neighbours differ by all rows of one person, of which there are at most m (`contribution`, kept by
`aggregate/_bounding`). A row is integers z, as `_descent` says; weights V, of the hidden layer, and u are rounded to a
grid; T and S are tables of tanh and of the logistic function, in integers. Of each row by itself,

* hidden units say h = (H, T[z·V₁], …, T[z·V_k]); the row is off by r = S[h·u] - P [y = second class];
* its gradient is r h for u, and δⱼ z for Vⱼ, where δⱼ = r uⱼ (1 - tanh²), rounded. Its squared length is
  r² ‖h‖² + ‖δ‖² ‖z‖²: of the small vectors alone, so that only they have to be shortened;
* where that is longer than L = ⌊`clip` · P Q⌋, r and δ are multiplied by less than L over the length, and rounded
  towards zero, by which no part becomes longer. That r² ‖h‖² + ‖δ‖² ‖z‖² ≤ L² then is looked up in integers, and a row
  of which it were not true is left out;
* so one row moves the sum of gradients by at most L in L2, one person by m L (`moves`), and the number of rows by m.

Weights start by a seed, which knows no row. `_descent` says why nothing else of a row reaches the weights, and what
the steps cost together.

**No overflow.** All numbers are whole, and below 2^63: |z| ≤ Q and |weights| ≤ FAR · GRID make sums of up to
2^26 (1 + d) for d inputs, so of up to 2^35. r uⱼ (H² - h²) ≤ 2^46. r² ‖h‖² ≤ 2^40 (1 + k), ‖δ‖² ≤ 2^28 k,
‖z‖² ≤ 2^20 (1 + c); the last two are multiplied as doubles, of each row by itself, to know by how much to shorten, and
are not multiplied to look up the bound, but L² - r² ‖h‖² ≤ 2^48 is divided. Sums over n rows are up to n L ≤ 2^24 n;
`product` refuses what might be too large.

Source: clipped and noisy gradients, Abadi et al., "Deep learning with differential privacy", CCS 2016; composed as
zCDP, Bun and Steinke 2016. All rows in each step, so that no amplification by sampling has to be argued. Not covered:
the metrics, which are of other people and without noise, and that a fit fails because train holds one class only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from privacy_assets.techniques.synthesize._spending import cost as cost
from privacy_assets.techniques.train import _descent
from privacy_assets.techniques.train._descent import FAR, GRID, Descending, Floats, Hits, Integers, P, Q, Whole
from privacy_assets.weakening import Weaker

if TYPE_CHECKING:
    from sklearn.neural_network import MLPClassifier

TASKS = ("classification",)

H = Q
"""What 1 is in the integers of what a hidden unit says. As in those of a row, so that parts of a gradient are alike."""
SHORTER = 1 - 2**-40
"""Is multiplied by what a row is shortened by, for the last digits of doubles."""


class Parameters(Descending):
    """What it may cost; how large the net is, how long a row's gradient may be, and how far a step goes.

    A small `clip` has little noise and treats rows that the net is wrong about as those that it is unsure about.
    """

    kind: Literal["private_network"]
    steps: Annotated[int, Field(ge=1, le=1000), Weaker.NONE] = 100
    hidden: Annotated[int, Field(ge=1, le=64), Weaker.NONE] = 8
    clip: Annotated[float, Field(ge=0.01, le=16), Weaker.NONE] = 0.5
    rate: Annotated[float, Field(gt=0, le=100), Weaker.NONE] = 8.0


def build(parameters: Parameters, task: str, seed: int, *, columns: int = 0, rows_per_person: int = 1) -> Descent:
    """Unfitted. The seed decides where weights start; noise takes none."""
    return Descent(parameters, seed, columns, rows_per_person)


class Descent(_descent.Descent):
    """What is not fitted yet."""

    def __init__(self, asked: Parameters, seed: int, columns: int, rows_per_person: int) -> None:
        super().__init__(asked, columns, rows_per_person)
        self._seed, self._hidden, self._longest, self._rate = seed, asked.hidden, longest(asked.clip), asked.rate

    def start(self, numbers: int, columns: int) -> Floats:
        """Drawn by the seed, so that hidden units differ, and are neither sure nor flat."""
        draw = np.random.default_rng(self._seed)
        into = draw.normal(size=(numbers, self._hidden)) / np.sqrt(1 + columns)
        out = draw.normal(size=1 + self._hidden) / np.sqrt(1 + self._hidden)
        return np.concatenate([into.ravel(), out])

    def gradient(self, rows: Whole, positive: Hits, weights: Floats) -> Integers:
        """As below."""
        return gradient(rows, positive, weights, self._hidden, self._longest)

    def moves(self, columns: int, rows_per_person: int) -> int:
        """As below."""
        return moves(self._longest, rows_per_person)

    def step(self, columns: int) -> float:
        """As declared."""
        return self._rate

    def as_model(self, weights: Floats, classes: npt.NDArray[Any]) -> MLPClassifier:
        """The weights where scikit-learn keeps them."""
        from sklearn.neural_network import MLPClassifier
        from sklearn.preprocessing import LabelBinarizer

        into, out = layers(weights, self._hidden)
        model = MLPClassifier(hidden_layer_sizes=(self._hidden,), activation="tanh")
        model.classes_, model.n_features_in_ = classes, len(into) - 1
        model.coefs_, model.intercepts_ = [into[1:], out[1:, None]], [into[0], out[:1]]
        model.n_layers_, model.n_outputs_, model.out_activation_ = 3, 1, "logistic"
        model._label_binarizer = LabelBinarizer().fit(classes)
        return model


def longest(clip: float) -> int:
    """L: how long the gradient of one row may be, in integers."""
    return int(clip * P * Q)


def moves(longest: int, rows_per_person: int) -> int:
    """How far one person moves the gradient at most, in L2: m L."""
    return rows_per_person * longest


def layers(weights: Floats, hidden: int) -> tuple[Floats, Floats]:
    """V, (1 + inputs, hidden), and u, (1 + hidden,)."""
    return weights[: -1 - hidden].reshape(-1, hidden), weights[-1 - hidden :]


def gradient(rows: Whole, positive: Hits, weights: Floats, hidden: int, longest: int) -> Integers:
    """The sum over the rows of the gradient of each, which is no longer than `longest`, in the order of `weights`."""
    into, out = layers(_descent.on_grid(weights), hidden)
    sums = _descent.product(rows, into, Q * FAR * GRID)
    said = np.column_stack([np.full(len(rows), H, dtype=np.int64), _descent.looked_up(_tanh(), sums, Q * GRID)])
    odds = _descent.product(said.astype(np.float64), out[:, None], H * FAR * GRID)[:, 0]
    off = _descent.looked_up(_descent.logistic(), odds, H * GRID) - P * positive
    back = _towards_zero(off[:, None] * out[1:].astype(np.int64) * (H * H - said[:, 1:] ** 2), GRID * H * H)
    off, back = clipped(off, back, (said * said).sum(axis=1), _descent.lengths(rows), longest)
    to_out = _descent.product(off[None].astype(np.float64), said.astype(np.float64), P * H)
    to_into = _descent.product(rows.T, back.astype(np.float64), longest)
    return np.concatenate([to_into.ravel(), to_out[0]])


def clipped(
    off: Integers, back: Integers, of_said: Integers, of_row: Integers, longest: int
) -> tuple[Integers, Integers]:
    """r and δ of each row, shortened so that r² ‖h‖² + ‖δ‖² ‖z‖² ≤ `longest`²; 0 where they would not be."""
    length = np.sqrt((off * off * of_said).astype(np.float64) + _squared(back).astype(np.float64) * of_row)
    by = np.where(length > longest, SHORTER * longest / np.maximum(length, 1), 1.0)
    off, back = np.trunc(off * by).astype(np.int64), np.trunc(back * by[:, None]).astype(np.int64)
    left = longest * longest - off * off * of_said
    short = (of_row > 0) & (left >= 0) & (_squared(back) <= left // np.maximum(of_row, 1))
    return off * short, back * short[:, None]


def _squared(back: Integers) -> Integers:
    """‖δ‖² of each row."""
    squared: Integers = (back * back).sum(axis=1)
    return squared


def _towards_zero(numbers: Integers, divisor: int) -> Integers:
    rounded: Integers = np.sign(numbers) * (np.abs(numbers) // divisor)
    return rounded


def _tanh() -> Integers:
    """H times the hyperbolic tangent, rounded."""
    table: Integers = np.rint(H * np.tanh(_descent.arguments())).astype(np.int64)
    return table
