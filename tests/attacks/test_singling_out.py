"""singling_out: what a release suggests about one column, and whom it singles out."""

import numpy as np

from privacy_assets.attacks._trying import MOST_EXPOSED, Target
from privacy_assets.coded import Domain
from tests.attacks.hand_made import line, table

DOMAINS = (Domain("town", tuple("abcdef")), Domain("age", low=0, high=100))


def test_unique_values_and_extremes_are_guessed() -> None:
    """Towns b and c, ages 30, 41, 42 and NULL once each; at most 30, at least 42. Town a is there twice."""
    released = table(DOMAINS, [[0, 30], [0, 41], [1, 42], [2, 101]])
    people = table(DOMAINS, [[1, 42], [0, 29], [0, 20], [3, 101]])
    others = table(DOMAINS, [[1, 42], [1, 42], [3, 31], [3, 32]])
    found = line("singling_out", Target(released, people, others, (), ()))
    # of the people: b, 42, NULL, at least 42; at most 30 are two. Of the others none: b and 42 are two.
    assert (found.tried, found.succeeded, found.control_tried, found.control_succeeded) == (8, 4, 8, 0)


def test_people_are_counted_among_the_most_exposed() -> None:
    """Three people are singled out by four guesses."""
    released = table(DOMAINS, [[0, 30], [0, 41], [1, 42], [2, 101]])
    people = table(DOMAINS, [[1, 42], [0, 29], [0, 20], [3, 101]])
    found = line("singling_out", Target(released, people, people, (), ()), group=MOST_EXPOSED)
    assert (found.tried, found.succeeded) == (4, 2)


def test_marginals_of_numbers_that_only_one_person_has_are_no_protection() -> None:
    """A number that is drawn from the people's own is some person's: columns drawn independently single out."""
    draw = np.random.default_rng(0)
    wide = (Domain("town", tuple("abcdef")), Domain("account", low=0, high=900_000))
    people, others = (np.stack([draw.integers(6, size=3_000), draw.integers(900_001, size=3_000)], 1) for _ in "ab")
    released = np.stack([draw.choice(people[:, 0], 3_000), draw.choice(people[:, 1], 3_000)], 1)
    found = line("singling_out", Target(*(table(wide, rows) for rows in (released, people, others)), (), ()))
    assert found.succeeded > 1_000 > 10 > found.control_succeeded
