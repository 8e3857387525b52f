"""Ten people, three values among them, distributed as in the whole table but for a fifth."""

from __future__ import annotations

from typing import Any

import pytest

from privacy_assets.words import Column, Role
from tests.techniques.anonymize.tables import Row
from tests.techniques.profiles.standards import ILL, asked_of, broken, classes, left_out

COLUMNS = (Column("place", "VARCHAR", Role.QUASI_IDENTIFIER), ILL)
DRUG = Column("drug", "VARCHAR", Role.SENSITIVE, "user.health_and_medical")


@pytest.mark.parametrize(
    ("counts", "breaks"),
    [
        pytest.param([(5, 3, 2), (5, 3, 2)], [], id="alike"),
        pytest.param([(3, 3, 3), (4, 4, 4)], ["k_anonymity"], id="nine people"),
        pytest.param([(5, 5), (5, 5)], ["l_diversity of ill"], id="two values"),
        pytest.param([(5, 3, 0, 2), (5, 3, 0, 2)], [], id="NULL is the third"),
        # whole: 8, 8, 4 of 20; |6/10 - 8/20| + |2/10 - 8/20|, halved, is 0.2
        pytest.param([(6, 2, 2), (2, 6, 2)], [], id="a fifth away"),
        # whole: 9, 7, 4 of 20; |7/10 - 9/20| and what it lacks of the second are 0.25
        pytest.param([(7, 1, 2), (2, 6, 2)], ["t_closeness of ill"], id="a quarter away"),
        pytest.param(
            [(9,), (4, 4, 4)],
            ["k_anonymity", "l_diversity of ill", "t_closeness of ill"],
            id="all of it",
        ),
    ],
)
def test_each_part_is_broken_by_a_table_of_its_own(counts: list[tuple[int, ...]], breaks: list[str]):
    """One that the other parts keep."""
    assert broken("k10_l3_t02", COLUMNS, classes(*counts)) == breaks


def test_each_sensitive_column_is_asked_about():
    """Illnesses are diverse and close, and everybody takes one drug; without a sensitive column k is what is left."""
    table: list[dict[str, Any]] = [{**row, "drug": "aspirin"} for row in classes((5, 3, 2), (5, 3, 2))]
    assert broken("k10_l3_t02", (*COLUMNS, DRUG), table) == ["l_diversity of drug"]
    assert [one.kind for one in asked_of("k10_l3_t02", COLUMNS[:1])] == ["k_anonymity"]


def test_one_of_twenty_may_be_left_out_and_not_two():
    """0.05 of the rows: who is alone in a town."""
    ills = ("cold", "flu", "gout")
    together: list[Row] = [("a0", "1", "f", ills[at % 3], at) for at in range(20)]
    assert left_out("k10_l3_t02", [*together[:19], ("b0", "1", "f", "cold", 19)]) == 1
    alone: list[Row] = [("b0", "1", "f", "cold", 18), ("b1", "1", "f", "flu", 19)]
    assert left_out("k10_l3_t02", [*together[:18], *alone]) == 0
