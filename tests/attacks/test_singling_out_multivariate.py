"""singling_out_multivariate: predicates over several columns, and the rows that meet them."""

import numpy as np
import pytest

from privacy_assets.attacks._predicates import NONE, SEVERAL, Index, Predicates, guessed
from privacy_assets.attacks._trying import Target
from tests.attacks.hand_made import line
from tests.attacks.people import population


@pytest.mark.parametrize("rows", [1, 5, 3_000])
@pytest.mark.parametrize("columns", [1, 2, 4])
def test_who_is_alone_is_found_as_by_looking_at_everybody(rows: int, columns: int) -> None:
    """Nobody, one with their place, or several: the same as comparing every row with every predicate."""
    draw = np.random.default_rng(rows + columns)
    table = population(rows, draw)
    predicates = guessed(table, 400, columns, draw)
    found = Index(table).alone(predicates)
    for place, parts in zip(found.tolist(), predicates.parts.tolist(), strict=True):
        meets = np.ones(rows, np.bool_)
        for column, low, high in parts:
            meets &= (table.codes[:, column] >= low) & (table.codes[:, column] <= high)
        who = np.flatnonzero(meets).tolist()
        assert place == (who[0] if len(who) == 1 else SEVERAL if who else NONE)
    if rows > 5:
        assert {NONE, SEVERAL} < set(found.tolist())


def test_no_predicate_is_met_by_nobody() -> None:
    """Without a row, or without a predicate, there is nothing to find."""
    table = population(10, np.random.default_rng(0))
    assert Index(table.take(np.arange(0))).alone(guessed(table, 5, 2, np.random.default_rng(0))).tolist() == [NONE] * 5
    assert Index(table).alone(Predicates(np.zeros((0, 2, 3), np.int64))).tolist() == []


def test_what_is_unique_in_a_copy_is_unique_in_the_people() -> None:
    """Every guess succeeds where the release is the people; fewer on others."""
    draw = np.random.default_rng(1)
    fitted, control = population(1_000, draw), population(1_000, draw)
    target = Target(fitted, fitted, control, (), ())
    for columns in (3, 4):
        found = line("singling_out_multivariate", target, f"{columns}_columns", tries=300, columns=columns)
        assert found.tried == found.succeeded == 300
        assert 0 < found.control_succeeded < 200
        assert found.baseline_succeeded < 200


def test_a_release_in_which_nobody_is_unique_offers_no_guess() -> None:
    """Every row twice: nothing is kept, and no try succeeds."""
    draw = np.random.default_rng(2)
    half, control = population(100, draw), population(100, draw)
    twice = half.take(np.repeat(np.arange(100), 2))
    assert line("singling_out_multivariate", Target(twice, half, control, (), ()), "3_columns", tries=20).succeeded == 0
