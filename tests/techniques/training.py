"""What the tests of private estimators share: tables as the auditor hands them on, people, and mutants of any of them.

Belongs here: what they all use. Does not belong here: laws (`test_private_*.py`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from privacy_assets.techniques import noise
from privacy_assets.techniques.noise import Measure, Noise
from privacy_assets.techniques.synthesize import _spending
from privacy_assets.techniques.train import _descent

M = 3
COLUMNS = 4
STEPS = 6


@dataclass
class Rows:
    """A table as the auditor hands it on."""

    numbers: np.ndarray
    truth: np.ndarray

    def and_of(self, numbers: Any, truth: Any) -> Rows:
        """With the rows of one person more."""
        return Rows(np.concatenate([self.numbers, numbers]), np.concatenate([self.truth, truth]))


@dataclass
class Weights:
    """What came out."""

    codes: np.ndarray


def others(rows: int = 200, seed: int = 0) -> Rows:
    """People of whom the first column tells something."""
    draw = np.random.default_rng(seed)
    numbers = np.clip(draw.normal(size=(rows, COLUMNS)), -1, 1)
    truth = numbers[:, 0] + draw.normal(size=rows) > 0
    truth[:2] = [False, True]
    return Rows(numbers, truth)


WILD = st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf, 1.0, -1.0])
"""Out of bounds, or no number at all."""
PERSON = st.lists(st.tuples(st.lists(WILD, min_size=COLUMNS, max_size=COLUMNS), st.booleans()), min_size=1, max_size=M)
"""Any rows of one person."""


# ---- mutants


def half_scale(patch: pytest.MonkeyPatch) -> None:
    """Noise is half of what is paid for."""

    def additive(measure: Measure, sensitivity: int, loss: float) -> Noise:
        found = noise.additive(measure, sensitivity, loss)
        return Noise(found.mechanism, found.sensitivity, found.scale / 2, found.loss)

    class Room:
        def __getattr__(self, name: str) -> Any:
            return additive if name == "additive" else getattr(noise, name)

    patch.setattr(_spending, "noise", Room())


def measured(patch: pytest.MonkeyPatch) -> None:
    """Columns are brought to the variance 1 that they have."""
    kept = _descent.kept
    patch.setattr(_descent, "kept", lambda numbers, columns: kept(numbers / numbers.std(axis=0), columns))


def _free(patch: pytest.MonkeyPatch, gradients: bool) -> None:
    class Free:
        sensitivity, scale = 1, 1.0

        def add(self, exact: list[int]) -> list[int]:
            return exact

    bought = _spending.Account.additive
    patch.setattr(
        _spending.Account,
        "additive",
        lambda self, moves, share: Free() if (moves > M) == gradients else bought(self, moves, share),
    )


def exact_gradient(patch: pytest.MonkeyPatch) -> None:
    """Gradients get no noise."""
    _free(patch, gradients=True)


def exact_count(patch: pytest.MonkeyPatch) -> None:
    """Nor does the number of rows."""
    _free(patch, gradients=False)


def unpaid(patch: pytest.MonkeyPatch) -> None:
    """Each step spends what all may."""
    patch.setattr(_spending.Account, "_paid", lambda self, bought: bought)
    bought = _spending.Account.additive
    patch.setattr(_spending.Account, "additive", lambda self, moves, share: bought(self, moves, share * STEPS))
