"""Five people who look alike, whatever else they have in common."""

from __future__ import annotations

import pytest

from privacy_assets.words import Column, Role
from tests.techniques.anonymize.tables import Row
from tests.techniques.profiles.standards import ILL, broken, classes, left_out

COLUMNS = (Column("place", "VARCHAR", Role.QUASI_IDENTIFIER), ILL)


@pytest.mark.parametrize(
    ("counts", "breaks"),
    [([(5,), (2, 2, 1)], []), ([(5,), (4,)], ["k_anonymity"]), ([(100,), (1,)], ["k_anonymity"])],
    ids=["fives", "one four", "one alone"],
)
def test_five_are_enough_and_four_are_not(counts: list[tuple[int, ...]], breaks: list[str]):
    """Each class is counted; that all of one have one illness is not asked about."""
    assert broken("k5", COLUMNS, classes(*counts)) == breaks


def test_one_of_twenty_may_be_left_out_and_not_two():
    """0.05 of the rows: two that are alone take everybody up to where they have company."""
    together: list[Row] = [("a0", "1", "f", "flu", at) for at in range(19)]
    assert left_out("k5", [*together, ("b0", "1", "f", "flu", 19)]) == 1
    assert left_out("k5", [*together[:18], ("b0", "1", "f", "flu", 18), ("b1", "1", "f", "flu", 19)]) == 0
