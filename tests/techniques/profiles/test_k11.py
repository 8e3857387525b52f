"""A risk of 0.09: eleven people who look alike."""

from __future__ import annotations

import pytest

from privacy_assets.words import Column, Role
from tests.techniques.anonymize.tables import Row
from tests.techniques.profiles.standards import ILL, asked_of, broken, classes, left_out

COLUMNS = (Column("place", "VARCHAR", Role.QUASI_IDENTIFIER), ILL)


def test_its_k_is_the_risk_that_authorities_name():
    """1 / 11 is 0.09 in two digits, and 1 / 10 is not."""
    [criterion] = asked_of("k11", COLUMNS)
    assert round(1 / criterion.k, 2) == 0.09
    assert round(1 / (criterion.k - 1), 2) > 0.09


@pytest.mark.parametrize(
    ("counts", "breaks"),
    [([(11,), (5, 6)], []), ([(11,), (10,)], ["k_anonymity"])],
    ids=["elevens", "one ten"],
)
def test_eleven_are_enough_and_ten_are_not(counts: list[tuple[int, ...]], breaks: list[str]):
    """That all of a class have one illness is not asked about."""
    assert broken("k11", COLUMNS, classes(*counts)) == breaks


def test_one_of_twenty_may_be_left_out_and_not_two():
    """0.05 of the rows."""
    together: list[Row] = [("a0", "1", "f", "flu", at) for at in range(19)]
    assert left_out("k11", [*together, ("b0", "1", "f", "flu", 19)]) == 1
    assert left_out("k11", [*together[:18], ("b0", "1", "f", "flu", 18), ("b1", "1", "f", "flu", 19)]) == 0
