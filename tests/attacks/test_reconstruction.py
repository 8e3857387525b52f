"""reconstruction: disguises that are undone, and what is left of chance."""

import numpy as np
import pytest

from privacy_assets.attacks._trying import Target
from privacy_assets.attacks.reconstruction import _by_marginals, _by_pairs, _shifts
from privacy_assets.coded import Coded, Domain
from tests.attacks.hand_made import line
from tests.attacks.people import disguised, marginals, population

AGES = Domain("age", low=0, high=90)


@pytest.mark.parametrize("shift", [-20, -1, 0, 3, 25])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_shift_is_read_off_the_marginals(shift: int, mirrored: bool) -> None:
    """Of a column with a shape of its own, upwards or mirrored; NULL stays NULL."""
    draw = np.random.default_rng(0)
    ages = np.clip(25 + draw.gamma(2, 6, 4_000), 25, 60).astype(np.int32)
    released = (90 - ages if mirrored else ages) + shift
    found = _by_marginals(ages[:1_000], released[1_000:].astype(np.int32), AGES)
    assert found[30:50].tolist() == [(90 - age if mirrored else age) + shift for age in range(30, 50)]
    assert found[91] == 91


def test_all_shifts_are_tried_at_once() -> None:
    """The sums of the transform are those of the loop."""
    draw = np.random.default_rng(1)
    for size in (1, 2, 9, 16):
        counts, likely = draw.random(size), draw.random(size)
        sums = {
            shift: sum(counts[v] * likely[v + shift] for v in range(size) if 0 <= v + shift < size)
            for shift in range(1 - size, size)
        }
        value, shift = _shifts(counts, likely)
        assert value == pytest.approx(max(sums.values()), abs=1e-6)
        assert sums[shift] == pytest.approx(value, abs=1e-6)


def test_names_are_read_off_the_pairs() -> None:
    """What most known values are next to; what nobody knows stays."""
    letters = Domain("letter", tuple("abcd"))
    known, partners = np.int32([0, 0, 0, 1, 1, 2, 4]), np.int32([1, 1, 2, 0, 0, 2, 1])
    assert _by_pairs(known, partners, letters, np.arange(5, dtype=np.int32)).tolist() == [1, 0, 2, 3, 4]


@pytest.mark.parametrize("seed", range(3))
def test_the_rows_behind_a_fixed_map_are_found(seed: int) -> None:
    """Most people of the release, hardly anybody of the control."""
    draw = np.random.default_rng(seed)
    fitted, control = population(2_000, draw), population(2_000, draw)
    found = line("reconstruction", Target(disguised(fitted, draw), fitted, control, (), ()))
    assert found.succeeded > 700
    assert found.control_succeeded < 50


def test_nothing_is_found_behind_marginals() -> None:
    """No map makes rows of columns that have nothing to do with each other."""
    draw = np.random.default_rng(4)
    fitted, control = population(2_000, draw), population(2_000, draw)
    found = line("reconstruction", Target(marginals(fitted, 2_000, draw), fitted, control, (), ()))
    assert abs(found.succeeded - found.control_succeeded) < 20


def test_a_release_as_it_is_needs_no_map() -> None:
    """Rows that are not disguised are found as they are."""
    draw = np.random.default_rng(5)
    fitted, control = population(600, draw), population(600, draw)
    found = line("reconstruction", Target(Coded(fitted.domains, fitted.codes), fitted, control, (), ()))
    assert found.succeeded == found.tried == 300
