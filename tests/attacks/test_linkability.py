"""linkability: two halves of a person that one released row puts together."""

import numpy as np
import pytest
from pydantic import ValidationError

from privacy_assets.attacks._trying import Target
from privacy_assets.attacks.linkability import Parameters
from privacy_assets.coded import Domain
from privacy_assets.errors import BadDeclaration
from tests.attacks.hand_made import line, table

DOMAINS = tuple(Domain(name, low=0, high=1_000) for name in "abcd")
HALVES = {"one": ("a", "b"), "other": ("c", "d")}


def _spread(rows: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(1_001, size=(rows, 4))


def test_whoever_was_released_is_linked() -> None:
    """Both find the same row; of other people both find hardly ever the same."""
    fitted, control = table(DOMAINS, _spread(300)), table(DOMAINS, _spread(300, 1))
    found = line("linkability", Target(fitted, fitted, control, (), ()), **HALVES)
    assert found.succeeded == 300
    assert found.control_succeeded < 15


def test_halves_of_different_rows_link_nobody() -> None:
    """Each half was released, but not together."""
    rows = _spread(300)
    apart = np.concatenate([rows[:, :2], np.roll(rows[:, 2:], 1, axis=0)], axis=1)
    target = Target(table(DOMAINS, apart), table(DOMAINS, rows), table(DOMAINS, _spread(300, 1)), (), ())
    assert line("linkability", target, **HALVES).succeeded < 15


def test_rows_that_are_equally_near_do_not_agree_by_themselves() -> None:
    """Where everybody is the same in both halves, two guesses agree as often as two draws."""
    everyone = table(DOMAINS, np.zeros((1_000, 4)))
    found = line("linkability", Target(everyone, everyone, everyone, (), ()), neighbours=10, **HALVES)
    assert found.succeeded == found.control_succeeded
    assert 50 < found.baseline_succeeded < 150


def test_more_neighbours_link_more() -> None:
    """Also by chance, which the control shows."""
    fitted, control = table(DOMAINS, _spread(300)), table(DOMAINS, _spread(300, 1))
    target = Target(control, fitted, control, (), ())
    found = [line("linkability", target, neighbours=neighbours, **HALVES) for neighbours in (1, 10, 50)]
    assert found[0].succeeded < found[1].succeeded < found[2].succeeded
    assert found[0].baseline_succeeded < found[1].baseline_succeeded < found[2].baseline_succeeded


def test_halves_are_two_and_share_nothing() -> None:
    """What cannot be tried is refused; a column that is not there is named."""
    for halves in ({"one": ("a",)}, {"one": ("a", "b"), "other": ("b",)}):
        with pytest.raises(ValidationError):
            Parameters(kind="linkability", **halves)
    everyone = table(DOMAINS, _spread(5))
    with pytest.raises(BadDeclaration, match="nowhere"):
        line("linkability", Target(everyone, everyone, everyone, (), ()), one=("a",), other=("nowhere",))
