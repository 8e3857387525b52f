"""copies: what counts as found."""

from privacy_assets.attacks._trying import MOST_EXPOSED, Target
from privacy_assets.coded import Domain
from tests.attacks.hand_made import line, table

DOMAINS = (Domain("sex", ("f", "m")), Domain("town", tuple("abcdef")), Domain("age", low=0, high=100))
FITTED = table(DOMAINS, [[0, 0, 30], [1, 1, 40], [0, 2, 50], [1, 3, 60]])
CONTROL = table(DOMAINS, [[1, 5, 10], [0, 5, 11], [1, 4, 12], [0, 4, 13]])


def test_the_very_same_and_nearly_the_same_rows_are_told_apart() -> None:
    """One row as it is, one with another age, one with another age and town; a control's row by chance."""
    released = table(DOMAINS, [[0, 0, 30], [1, 1, 99], [0, 3, 99], [1, 5, 10]])
    target = Target(released, FITTED, CONTROL, (), ())
    exact, close = line("copies", target, "exact"), line("copies", target, "near")
    assert (exact.tried, exact.succeeded, exact.control_tried, exact.control_succeeded) == (4, 1, 4, 1)
    assert (close.succeeded, close.control_succeeded) == (2, 1)


def test_how_near_is_a_parameter() -> None:
    """Two columns that differ are a copy for who takes two thirds of the way for near."""
    released = table(DOMAINS, [[0, 3, 99]])
    target = Target(released, FITTED, CONTROL, (), ())
    assert line("copies", target, "near", within=0.3).succeeded == 0
    assert line("copies", target, "near", within=0.6).succeeded == 3


def test_few_people_are_all_among_the_most_exposed() -> None:
    """Nobody is left out of the group where there are fewer than it needs."""
    assert line("copies", Target(FITTED, FITTED, CONTROL, (), ()), "exact", MOST_EXPOSED).succeeded == 4
