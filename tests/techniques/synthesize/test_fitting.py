"""Noisy counts are brought to fit: margins agree, nothing is below zero, and what fits already stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.techniques.synthesize._fitting import Pair, fitted, margins, raked
from privacy_assets.techniques.synthesize.marginal_tree import clique


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 1000), st.floats(0.1, 300))
def test_a_pair_has_the_margins_of_its_columns(rows: int, columns: int, seed: int, scale: float) -> None:
    """However noisy it was."""
    dice = np.random.default_rng(seed)
    one, other = dice.dirichlet(np.ones(rows) * 5), dice.dirichlet(np.ones(columns) * 5)
    noisy = np.outer(one, other) * 1000 + dice.normal(0, scale, (rows, columns))
    found = fitted(Pair(noisy, scale), one, other, 1000.0)
    assert (found >= 0).all()
    assert found.sum(axis=0) == pytest.approx(other, abs=1e-9)
    assert found.sum(axis=1) == pytest.approx(one, abs=0.02)


def test_what_fits_already_stays() -> None:
    """Without noise nothing is moved."""
    exact = np.array([[0.1, 0.2, 0.0], [0.3, 0.05, 0.35]])
    one, other = exact.sum(axis=1), exact.sum(axis=0)
    assert fitted(Pair(exact * 500, 1.0), one, other, 500.0) == pytest.approx(exact, abs=1e-6)
    known = margins([one, other], [1.0, 1.0], {(0, 1): Pair(exact * 500, 1.0)}, 500.0)
    assert known[0] == pytest.approx(one, abs=1e-6) and known[1] == pytest.approx(other, abs=1e-6)


def test_a_column_that_is_counted_twice_is_known_better() -> None:
    """What is surer weighs more."""
    even, uneven = np.array([0.5, 0.5]), np.array([[0.9 * 500, 0.9 * 500], [50.0, 50.0]])
    sure = margins([even, even], [1000.0, 1.0], {(0, 1): Pair(uneven, 1.0)}, 1000.0)[0]
    unsure = margins([even, even], [1.0, 1.0], {(0, 1): Pair(uneven, 1000.0)}, 1000.0)[0]
    assert sure[0] == pytest.approx(0.9, abs=0.01) and unsure[0] == pytest.approx(0.5, abs=0.01)


def test_a_clique_has_three_margins_and_nothing_of_its_own() -> None:
    """What three columns have together is what their pairs imply (the most even of all that have these pairs)."""
    dice = np.random.default_rng(2)
    cube = dice.dirichlet(np.ones(24)).reshape(2, 3, 4)
    pairs = cube.sum(axis=2), cube.sum(axis=0), cube.sum(axis=1)
    found = clique(*pairs)
    assert found.sum(axis=2) == pytest.approx(pairs[0], abs=1e-3)
    assert found.sum(axis=0) == pytest.approx(pairs[1], abs=1e-3)
    assert found.sum(axis=1) == pytest.approx(pairs[2], abs=1e-3)
    logs = np.log(found)
    own = logs[1, 1:, 1:] - logs[0, 1:, 1:] - (logs[1, 1:, :1] - logs[0, 1:, :1])
    assert own - (logs[1, :1, 1:] - logs[0, :1, 1:]) + (logs[1, :1, :1] - logs[0, :1, :1]) == pytest.approx(
        np.zeros((2, 3)), abs=1e-4
    )


def test_raking_leaves_what_cannot_be() -> None:
    """A margin that is nothing stays nothing, without a warning."""
    found = raked(np.array([[0.0, 0.0], [0.5, 0.5]]), {(0,): np.array([0.0, 1.0]), (1,): np.array([0.3, 0.7])})
    assert found.tolist() == [[0, 0], pytest.approx([0.3, 0.7])]
