"""Trees of pairs: the pairs that matter are chosen, rows have them, and a target is known by every column."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.coded import Coded, Domain
from privacy_assets.errors import BadDeclaration
from privacy_assets.techniques.synthesize import marginal_tree
from privacy_assets.techniques.synthesize._bins import Bins
from privacy_assets.techniques.synthesize._spending import Account
from tests.techniques.synthesize.tables import DOMAINS, coded, people


def _asked(epsilon: float = 2.0, target: str | None = None) -> marginal_tree.Parameters:
    return marginal_tree.Parameters(kind="marginal_tree", epsilon=epsilon, delta=1e-5, target=target)


def _made(table: Coded, **said: object) -> Coded:
    return marginal_tree.synthesize(_asked(**said), table, rows=table.rows, rows_per_person=1, seed=1)  # type: ignore[arg-type]


def _chain(rows: int, columns: int = 5) -> Coded:
    """Each column is the one before it, but for a tenth of the rows."""
    dice = np.random.default_rng(1)
    found = [dice.integers(0, 4, rows)]
    for _ in range(columns - 1):
        found.append(np.where(dice.random(rows) < 0.1, dice.integers(0, 4, rows), found[-1]))
    domains = tuple(Domain(f"c{place}", ("a", "b", "c", "d")) for place in range(columns))
    return coded(*found, domains=domains)


def _bins(table: Coded) -> list[Bins]:
    return [
        Bins(np.arange(5), np.bincount(table.codes[:, place], minlength=5) / table.rows)
        for place in range(len(table.domains))
    ]


def test_the_tree_of_a_chain_is_the_chain() -> None:
    """Neighbours are the farthest from not knowing each other."""
    table = _chain(5000)
    tree = marginal_tree.chosen(table.codes.T, _bins(table), 5000.0, None, 1, Account(_asked(5.0)))
    assert sorted(tree) == [(0, 1), (1, 2), (2, 3), (3, 4)]


@settings(max_examples=12, deadline=None)
@given(st.none() | st.integers(0, 5), st.floats(0.05, 20))
def test_it_is_a_spanning_tree_of_all_but_the_target(target: int | None, epsilon: float) -> None:
    """However noisy the choices are."""
    table = _chain(60, columns=6)
    tree = marginal_tree.chosen(table.codes.T, _bins(table), 60.0, target, 1, Account(_asked(epsilon)))
    reached = {place: place for place in range(6) if place != target}
    for one, two in tree:
        assert one < two and reached[one] != reached[two]
        reached = {place: reached[one] if its == reached[two] else its for place, its in reached.items()}
    assert len(set(reached.values())) == 1


@pytest.mark.parametrize("target", [None, "smoker"])
def test_rows_have_the_pairs_of_people(target: str | None) -> None:
    """Older people smoke less, and wards have their ages; a third costs nothing."""
    table = people(8000)
    made = _made(table, target=target)
    known = made.codes[:, 1] <= 72
    assert np.corrcoef(made.codes[known, 1], made.codes[known, 3])[0, 1] < -0.3
    assert np.corrcoef(made.codes[known, 1], made.codes[known, 0])[0, 1] > 0.75
    assert (made.codes[:, 2] == 0).mean() == pytest.approx(1 / 3, abs=0.03)


def test_a_target_is_known_by_columns_that_the_tree_would_pass_by() -> None:
    """Two causes of one outcome, of which the tree without a target can know but one beside a twin of each."""
    dice = np.random.default_rng(1)
    one, two = dice.integers(0, 2, 8000), dice.integers(0, 2, 8000)
    outcome = dice.random(8000) < 0.1 + 0.3 * one + 0.5 * two
    domains = tuple(Domain(name, ("no", "yes")) for name in ("one", "twin", "two", "outcome"))
    table = coded(one, one, two, outcome, domains=domains)
    made = _made(table, target="outcome").codes
    for place in (0, 2):
        lift = made[made[:, place] == 1, 3].mean() - made[made[:, place] == 0, 3].mean()
        assert lift == pytest.approx(0.3 if place == 0 else 0.5, abs=0.06)
    assert (made[:, 0] == made[:, 1]).mean() > 0.95


def test_a_target_that_is_no_column_is_refused_with_those_that_are() -> None:
    """By name."""
    with pytest.raises(BadDeclaration) as caught:
        _made(people(50), target="smokes")
    assert "smokes" in caught.value.faults[0].found
    assert all(domain.name in caught.value.faults[0].expected for domain in DOMAINS)


def test_the_order_of_rows_is_not_looked_at() -> None:
    """Counts and scores of people in another order are the same."""
    from tests.techniques.synthesize.auditing import accused

    table = people(300)
    shuffled = table.take(np.random.default_rng(1).permutation(300))
    rho = marginal_tree.cost(_asked()).rho
    assert rho is not None
    assert accused(lambda one: _made(one, target="age"), table, shuffled, rho) == []
