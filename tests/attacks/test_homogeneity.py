"""homogeneity: of whom the class leaves no doubt, with and without knowing others in it."""

from __future__ import annotations

import numpy as np

from privacy_assets.attacks._trying import Tries
from privacy_assets.attacks.homogeneity import Parameters, attack
from tests.attacks.generalized import generalized


def tried(secrets: list[list[int]], known: int = 0, seed: int = 0) -> Tries:
    """One class for each list of secrets."""
    rows = [(0, 1, number) for number, each in enumerate(secrets) for _ in each]
    table = generalized(rows, [secret for each in secrets for secret in each])
    asked = Parameters(kind="homogeneity", secret="illness", others_known=known)
    [found] = attack(asked, table, np.random.default_rng(seed))
    return found


def test_who_shares_a_class_of_one_illness_is_known_to_have_it():
    """Every class has an illness of its own: all are found, hardly anybody where illnesses are dealt by chance."""
    found = tried([[number % 4] * 5 for number in range(100)])
    assert found.succeeded == found.tried == 500
    assert found.control_succeeded < 50


def test_two_illnesses_in_every_class_leave_doubt_about_everybody():
    """What l-diversity asks for is what the attack does not get past."""
    assert tried([[0, 0, 0, 0, 1] for _ in range(100)]).succeeded == 0


def test_who_knows_one_of_the_class_is_sure_of_the_rest():
    """Background knowledge: the one who is different is known, so the other four are sure, if it is that one."""
    found = tried([[0, 0, 0, 0, 1] for _ in range(200)], known=1)
    # of the four alike, the different one is the one that is known with a chance of a quarter
    assert 0.15 < found.succeeded / found.tried < 0.25
    assert tried([[0, 0, 0, 1, 1] for _ in range(200)], known=1).succeeded == 0


def test_where_illness_has_nothing_to_do_with_who_people_are_there_is_no_excess():
    """Small classes are uniform now and then, here as in the control."""
    generator = np.random.default_rng(1)
    found = tried([generator.integers(2, size=3).tolist() for _ in range(3000)])
    assert abs(found.succeeded - found.control_succeeded) / found.tried < 0.05
    assert found.succeeded > 0


def test_rows_that_are_suppressed_are_nobodys_to_find():
    """They are not in the table."""
    table = generalized([(0, 1, -1), (1, 1, -1)], [0, 0])
    [found] = attack(Parameters(kind="homogeneity", secret="illness"), table, np.random.default_rng(0))
    assert found.tried == 0
