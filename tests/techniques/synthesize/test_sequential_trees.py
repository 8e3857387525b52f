"""Trees of columns: leaves speak of many, heaps stay, and what goes together keeps going together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from privacy_assets.coded import Coded, Domain
from privacy_assets.techniques.synthesize import sequential_trees
from privacy_assets.techniques.synthesize.sequential_trees import Parameters, _drawn, _labels_in_order, _leaves
from tests.techniques.synthesize.tables import DOMAINS, only, people

AGE = Domain("age", low=18, high=90)


def _made(table: Coded, rows: int | None = None) -> Coded:
    asked = Parameters(kind="sequential_trees")
    return sequential_trees.synthesize(asked, table, rows=rows, rows_per_person=1, seed=1)


def test_rows_have_what_people_have() -> None:
    """Older people smoke less, wards have their ages, a third costs nothing, a twentieth of ages is unknown."""
    made = _made(people(8000)).codes
    known = made[:, 1] <= 72
    assert np.corrcoef(made[known, 1], made[known, 3])[0, 1] < -0.35
    assert np.corrcoef(made[known, 1], made[known, 0])[0, 1] > 0.8
    assert (made[:, 2] == 0).mean() == pytest.approx(1 / 3, abs=0.03)
    assert (~known).mean() == pytest.approx(0.05, abs=0.02)


@pytest.mark.parametrize("least", [20, 60])
@pytest.mark.parametrize("place", [1, 2, 3])
def test_no_leaf_speaks_of_few(place: int, least: int) -> None:
    """Each has as many rows as were asked for."""
    table = people(700)
    known = table.codes.astype(np.float32)
    leaves, _ = _leaves(DOMAINS[: place + 1], table.codes[:, place], known[:, :place], known[:5, :place], least, 1)
    assert np.unique(leaves, return_counts=True)[1].min() >= least


def test_labels_have_no_order_of_their_own() -> None:
    """In whatever order they were declared, the leaves on the way to a number are the same."""
    dice = np.random.default_rng(1)
    wards, domains = dice.integers(12, size=3000), (Domain("ward", tuple("abcdefghijkl")), AGE)
    ages = np.clip(dice.integers(60, size=12)[wards] + dice.integers(12, size=3000), 0, 72).astype(np.int32)
    found = []
    for order in (np.arange(12), dice.permutation(12)):
        known = order[wards][:, None].astype(np.float32)
        found.append(_leaves(domains, ages, known, known[:5], 400, 1)[0])
    assert len(np.unique(found[0])) == len(np.unique(found[1])) == len(np.unique(np.stack(found), axis=1).T) > 4


def test_a_label_of_few_stands_close_to_the_middle() -> None:
    """However far out their numbers are: by the place of a label nothing is told of one person."""
    wards = np.repeat([0, 1, 2], [500, 500, 1])[:, None].astype(np.float32)
    numbers = np.repeat([0.0, 10.0, 1000.0], [500, 500, 1])
    ward = Domain("ward", ("a", "b", "rare"))
    low, high, rare = np.unique(_labels_in_order([ward], numbers, wards, wards, 250)[0][[0, 500, 1000]])
    assert low < numbers.mean() < high < rare < numbers.mean() + 5


def test_a_number_of_one_person_is_hardly_ever_drawn() -> None:
    """While a heap that many share stays one."""
    dice = np.random.default_rng(1)
    mine = np.unique(dice.integers(1, 99_999, 500))
    table = only([*mine.tolist(), *[0] * 500], Domain("cost", low=0, high=99_999))
    made = _made(table, 10_000).codes[:, 0]
    assert np.isin(made, mine).mean() < 0.05
    assert (made == 0).mean() == pytest.approx(500 / (len(mine) + 500), abs=0.02)
    assert made.max() <= mine.max()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 73), st.integers(0, 2)), min_size=1, max_size=40), st.integers(0, 99))
def test_a_value_stays_within_its_leaf(rows: list[tuple[int, int]], seed: int) -> None:
    """Between the smallest and the largest there, and unknown only where some are."""
    codes, leaves = (np.array(column, dtype=np.int32) for column in zip(*rows, strict=True))
    wanted = np.repeat(np.unique(leaves), 30)
    drawn = _drawn(AGE, codes, leaves, wanted, np.random.default_rng(seed))
    for leaf in np.unique(leaves):
        there, made = codes[leaves == leaf], drawn[wanted == leaf]
        unknown = there == AGE.size
        assert unknown.any() or (made < AGE.size).all()
        if not unknown.all():
            known = made[made < AGE.size]
            assert ((known >= there[~unknown].min()) & (known <= there[~unknown].max())).all()
        else:
            assert (made == AGE.size).all()


@pytest.mark.parametrize("least", [0, 1, 19, 100_001])
def test_leaves_of_few_cannot_be_asked_for(least: int) -> None:
    """20 at least."""
    with pytest.raises(ValidationError):
        Parameters(kind="sequential_trees", min_samples_leaf=least)
