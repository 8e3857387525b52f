"""downcoding: what it finds in a table that was generalized no further than needed, and its arithmetic."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from privacy_assets.attacks._trying import Tries
from privacy_assets.attacks.downcoding import Parameters, _chances, attack
from tests.attacks.generalized import generalized


def tried(table: object, k: int, tries: int = 2000) -> Tries:
    [found] = attack(Parameters(kind="downcoding", k=k, tries=tries), table, np.random.default_rng(0))
    return found


def test_pairs_of_a_minimal_table_are_one_of_each():
    """Two rows that share a decade and no age are one of each age: who knows the rule is right about all of them."""
    rows = [(age, 1, number) for number in range(200) for age in (0, 1)]
    found = tried(generalized(rows), k=2)
    assert (found.tried, found.succeeded) == (200, 200)
    assert 0.4 < found.control_succeeded / found.control_tried < 0.6


def test_a_table_that_was_not_minimal_gives_away_less_than_chance():
    """Where everybody of a class has the same age after all, nothing that is said of one row is right."""
    rows = [(number % 2, 1, number) for number in range(200) for _ in range(2)]
    found = tried(generalized(rows), k=2)
    assert found.succeeded == 0
    assert found.control_succeeded > 0


def test_what_is_published_as_it_is_cannot_be_made_finer():
    """Leaves have no finer label, suppressed rows no class, large classes no single row: every try has failed."""
    large = [(age % 2, 1, 1) for age in range(101)]
    table = generalized([(0, 0, 0), (0, 0, 0), (3, 2, -1), *large])
    found = tried(table, k=2)
    assert (found.tried, found.succeeded, found.control_succeeded) == (2, 0, 0)
    assert tried(generalized([(3, 2, -1)]), k=2).tried == 0  # nothing is published: that decides nothing


def test_the_most_promising_classes_come_first():
    """With fewer tries than classes those are taken of which it is most probable."""
    certain = [(age, 1, number) for number in range(20) for age in (0, 1)]
    crowds = [(2 + age % 2, 1, 100 + number) for number in range(20) for age in range(12)]
    found = tried(generalized([*crowds, *certain]), k=2, tries=20)
    assert (found.tried, found.succeeded) == (20, 20)


@pytest.mark.parametrize(("shares", "size", "k"), [((0.5, 0.5), 3, 3), ((0.2, 0.3, 0.5), 6, 4), ((0.1, 0.9), 5, 2)])
def test_the_chance_is_that_of_all_ways_that_the_rule_allows(shares: tuple[float, ...], size: int, k: int):
    """Counted out: of all ways to deal the rows to the parts, those in which no part has k rows."""
    weights = {}
    for dealt in itertools.product(range(len(shares)), repeat=size):
        counts = tuple(dealt.count(part) for part in range(len(shares)))
        weights[counts] = weights.get(counts, 0.0) + math.prod(shares[part] for part in dealt)
    allowed = {counts: weight for counts, weight in weights.items() if max(counts) < k}
    chosen = allowed or weights  # a table that cannot have come from the rule is read without it
    for part, chance in enumerate(_chances(shares, size, k)):
        exact = sum(weight for counts, weight in chosen.items() if counts[part] == 1) / sum(chosen.values())
        assert chance == pytest.approx(exact)
