"""Halves of halves, cut where a group is widest."""

from __future__ import annotations

import numpy as np
import polars as pl

from privacy_assets.techniques.anonymize import mondrian
from privacy_assets.techniques.anonymize._tuples import Levels, Tuples
from privacy_assets.words import Column
from tests.techniques.anonymize.tables import asked, published, tuples_of

PARAMETERS = mondrian.Parameters(kind="mondrian")


def numbers(values: list[float], rows: list[int]) -> Tuples:
    leaves = pl.Series([str(value) for value in values])
    column = Levels.of("n", [leaves, pl.repeat("*", len(values), eager=True)], numbers=np.array(values))
    return Tuples((column,), np.arange(len(values))[:, None], np.array(rows))


def test_a_number_leaves_as_the_middle_of_its_groups_range():
    """Eight people at 1 to 8: two groups of four, in the middle of 1..4 and 5..8."""
    recoding = mondrian.recode(PARAMETERS, numbers([*range(1, 9)], [1] * 8), [asked("k_anonymity", k=3)], 0.0)
    assert recoding.cells[0].to_list() == [2.5] * 4 + [6.5] * 4
    assert np.allclose(recoding.loss, 3 / 7)


def test_the_cut_is_at_the_median_of_people_and_not_of_values():
    """Ten people at the lowest value are a half by themselves."""
    recoding = mondrian.recode(PARAMETERS, numbers([1, 2, 3, 4], [10, 3, 3, 3]), [asked("k_anonymity", k=6)], 0.0)
    assert recoding.cells[0].to_list() == [1.0, 3.0, 3.0, 3.0]


def test_one_value_is_never_cut():
    """Many people at one value are one group, however many."""
    recoding = mondrian.recode(PARAMETERS, numbers([1], [100]), [asked("k_anonymity", k=2)], 0.0)
    assert recoding.cells[0].to_list() == [1.0]


def test_who_has_no_number_leaves_as_the_group_does():
    """NULL beside known numbers hides in their range; a group of nothing but NULL has none."""
    table = numbers([1.0, 2.0, 9.0, np.nan], [2, 2, 3, 1])
    recoding = mondrian.recode(PARAMETERS, table, [asked("k_anonymity", k=3)], 0.0)
    assert recoding.cells[0].to_list() == [1.5, 1.5, 9.0, 9.0]
    recoding = mondrian.recode(PARAMETERS, numbers([1.0, np.nan], [3, 3]), [asked("k_anonymity", k=3)], 0.0)
    assert recoding.cells[0].to_list() == [1.0, None]


def test_a_text_that_is_not_there_is_told_from_an_empty_one():
    """In a list it is called unknown; alone it is NULL."""
    leaves = pl.Series(["a", "", "b", None])
    column = Levels.of("t", [leaves, pl.repeat("*", 4, eager=True)])
    for rows, cells in (([2, 0, 3, 1], ["a", None, "b|unknown", "b|unknown"]), ([3, 3, 3, 3], ["a", "", "b", None])):
        there = np.flatnonzero(rows)
        table = Tuples((column,), there[:, None], np.array(rows)[there])
        recoding = mondrian.recode(PARAMETERS, table, [asked("k_anonymity", k=2)], 0.0)
        assert recoding.cells[0].to_list() == [cells[at] for at in there]


def test_text_leaves_as_the_list_of_what_its_group_holds():
    """Three towns of two people each, in groups of at least three."""
    rows = [(town, "1", "f", "flu", at) for at, town in enumerate(["a0", "a0", "a1", "a1", "b0", "b0"])]
    tuples = tuples_of(rows)
    recoding = mondrian.recode(PARAMETERS, tuples, [asked("k_anonymity", k=3)], 0.0)
    assert {cells[0] for cells in published(rows, tuples, recoding)} == {"a0|a1|b0"}
    recoding = mondrian.recode(PARAMETERS, tuples, [asked("k_anonymity", k=2)], 0.0)
    assert {cells[0] for cells in published(rows, tuples, recoding)} == {"a0", "a1", "b0"}


def test_where_the_widest_column_cannot_be_cut_the_next_is():
    """Place is widest and separates illnesses; the year does not."""
    rows = [("a0", str(year), "f", "flu", year) for year in (0, 7)] * 2
    rows += [("b2", str(year), "f", "cold", year) for year in (0, 7)] * 2
    tuples = tuples_of(rows)
    criteria = [asked("k_anonymity", k=2), asked("l_diversity", column="ill", l=2)]
    recoding = mondrian.recode(PARAMETERS, tuples, criteria, 0.0)
    assert sorted(published(rows, tuples, recoding)) == [("a0|b2", 0.0, "f"), ("a0|b2", 7.0, "f")]


def test_numbers_are_numbers_afterwards_and_lists_have_no_declared_domain():
    """So a model learns from the first alone."""
    assert mondrian.output(PARAMETERS, Column("age", "SMALLINT"), None).type == "DOUBLE"
    town = mondrian.output(PARAMETERS, Column("town", "VARCHAR", domain=("a", "b")), ("a", "b", "*"))
    assert (town.type, town.domain) == ("VARCHAR", None)
