"""minimality: what labels tell beyond the values that they stand for."""

from __future__ import annotations

import numpy as np

from privacy_assets.attacks._trying import Tries
from privacy_assets.attacks.minimality import Parameters, attack
from tests.attacks.generalized import generalized


def tried(levels: np.ndarray, secrets: np.ndarray, seed: int = 0) -> Tries:
    """Rows of all four ages alike, at these levels and with these secrets; all in one class."""
    rows = [(place % 4, int(level), 0) for place, level in enumerate(levels)]
    [found] = attack(
        Parameters(kind="minimality", secret="illness", tries=500),
        generalized(rows, secrets.tolist()),
        np.random.default_rng(seed),
    )
    return found


def test_levels_that_follow_the_secret_tell_it() -> None:
    """Who was ill was made coarse: the label says so, the age does not."""
    ill = np.random.default_rng(1).integers(2, size=2000)
    found = tried(ill, ill)
    assert found.tried == found.succeeded == 500
    assert 200 < found.control_succeeded < 300


def test_levels_that_were_chosen_without_it_tell_nothing_more() -> None:
    """The age decides the illness: whoever has the true age knows at least as much."""
    draw = np.random.default_rng(2)
    old = np.arange(2000) % 4 >= 2
    ill = np.where(draw.random(2000) < 0.8, old, ~old).astype(np.int64)
    found = tried(draw.integers(3, size=2000), ill)
    assert found.succeeded <= found.control_succeeded
    assert found.control_succeeded > 350


def test_a_rare_secret_counts_as_much_as_a_frequent_one() -> None:
    """One in twenty is ill: whoever always says "well" would be right of nearly everybody, and tells nobody apart."""
    ill = (np.random.default_rng(4).random(4000) < 0.05).astype(np.int64)
    found = tried(ill, ill)
    assert found.succeeded == 500 and found.control_succeeded < 320


def test_one_secret_of_all_is_nobodys() -> None:
    """There are no two to tell apart: every try has failed, on either side; without rows nothing was tried."""
    found = tried(np.zeros(100, dtype=np.int64), np.zeros(100, dtype=np.int64))
    assert (found.tried, found.succeeded, found.control_succeeded) == (50, 0, 0)
    none = generalized([(0, 0, -1)], [0])
    [found] = attack(Parameters(kind="minimality", secret="illness"), none, np.random.default_rng(0))
    assert found.tried == 0


def test_the_same_chances_give_the_same_counts() -> None:
    """By the generator alone."""
    ill = np.random.default_rng(3).integers(2, size=1000)
    assert tried(ill // 2, ill, seed=5) == tried(ill // 2, ill, seed=5)
