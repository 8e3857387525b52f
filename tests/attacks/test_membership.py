"""membership: true positives at few false ones."""

import numpy as np
import pytest

from privacy_assets.attacks._trying import Target
from tests.attacks.hand_made import line
from tests.attacks.people import population


@pytest.mark.parametrize("false_positives", [0.01, 0.1])
def test_false_positives_are_as_many_as_declared(false_positives: float) -> None:
    """On average of twenty draws, in the half on which no threshold was set, and by the guess without a release."""
    shares = []
    for seed in range(20):
        draw = np.random.default_rng(seed)
        released, fitted, control = (population(1_000, draw) for _ in range(3))
        target = Target(released, fitted, control, (), ())
        found = line("membership", target, seed=1_000 + seed, false_positives=false_positives)
        assert found.tried == found.control_tried == 500
        shares.append((found.succeeded / 500, found.control_succeeded / 500, found.baseline_succeeded / 500))
    assert np.mean(shares, axis=0) == pytest.approx([false_positives] * 3, rel=0.4)


def test_members_of_a_copy_are_known() -> None:
    """Nearly all where the rows were released, with one stranger in a hundred taken for a member."""
    draw = np.random.default_rng(1)
    fitted, control = population(2_000, draw), population(2_000, draw)
    found = line("membership", Target(fitted, fitted, control, (), ()))
    assert found.succeeded > 900
    assert found.control_succeeded < 40


def test_who_stays_alike_in_population_and_release_is_nobody_in_particular() -> None:
    """Where everybody is the same, no score is over any threshold."""
    everyone = population(1, np.random.default_rng(2)).take(np.zeros(100, np.int64))
    found = line("membership", Target(everyone, everyone, everyone, (), ()))
    assert (found.succeeded, found.control_succeeded) == (0, 0)
