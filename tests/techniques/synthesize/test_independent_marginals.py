"""Columns by themselves: each as it was, and nothing between them."""

from __future__ import annotations

import numpy as np

from privacy_assets.techniques.synthesize import independent_marginals
from tests.techniques.synthesize.tables import DOMAINS, distance, people

ASKED = independent_marginals.Parameters(kind="independent_marginals", epsilon=5, delta=1e-5)


def test_columns_are_near_and_know_nothing_of_each_other() -> None:
    """Older people smoke less; here they do not."""
    table = people(8000)
    made = independent_marginals.synthesize(ASKED, table, rows=None, rows_per_person=1, seed=1)
    for place in range(len(DOMAINS)):
        assert distance(made, table, place) < 0.03
    assert np.corrcoef(table.codes[:, 1], table.codes[:, 3])[0, 1] < -0.35
    assert abs(np.corrcoef(made.codes[:, 1], made.codes[:, 3])[0, 1]) < 0.05


def test_less_is_known_for_less() -> None:
    """A smaller ε is further off, and so is a bound of more rows a person."""
    table = people(2000)

    def off(epsilon: float, m: int) -> float:
        asked = independent_marginals.Parameters(kind="independent_marginals", epsilon=epsilon, delta=1e-5)
        made = independent_marginals.synthesize(asked, table, rows=2000, rows_per_person=m, seed=1)
        return sum(distance(made, table, place) for place in range(len(DOMAINS)))

    assert off(5, 1) < off(0.1, 1)
    assert off(5, 1) < off(5, 50)
