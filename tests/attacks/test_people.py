"""Whom an adversary is tried on: as many of both, those who stand out first."""

from __future__ import annotations

import numpy as np

from privacy_assets.attacks._people import EXPOSED_AT_LEAST, as_many, exposed, exposure, groups, sample
from privacy_assets.attacks._rows import _among, all_but_one, identical, in_order, marks
from privacy_assets.attacks._trying import EVERYONE, MOST_EXPOSED, Target
from privacy_assets.coded import Coded, Domain
from tests.attacks.people import population


def test_of_the_larger_table_as_many_are_drawn_as_the_other_has() -> None:
    """Whichever that is."""
    draw = np.random.default_rng(0)
    small, large = population(50, draw), population(90, draw)
    for fitted, control in ((small, large), (large, small)):
        assert [table.rows for table in as_many(Target(small, fitted, control, (), ()), draw)] == [50, 50]


def test_a_sample_does_not_depend_on_the_order_of_rows() -> None:
    """The same seed draws the same rows, and every row now and then."""
    table = population(300, np.random.default_rng(1))
    turned = table.take(np.random.default_rng(2).permutation(300))
    drawn = [sample(one, 20, np.random.default_rng(3)).codes.tolist() for one in (table, turned)]
    assert drawn[0] == drawn[1]
    assert sorted(in_order(table).codes.tolist()) == sorted(table.codes.tolist())


def test_a_mark_is_of_the_row_and_of_no_order_of_columns() -> None:
    """Values that change places change the mark, columns that do so with their names do not."""
    domains = (Domain("one", ("a", "b")), Domain("two", ("a", "b")))
    rows = np.int32([[0, 1], [1, 0], [0, 1], [2, 0]])
    here = marks(Coded(domains, rows))
    assert here[0] == here[2] and len(set(here.tolist())) == 3
    assert here.tolist() == marks(Coded(domains[::-1], np.ascontiguousarray(rows[:, ::-1]))).tolist()


def test_rows_that_are_the_same_and_rows_that_differ_in_one_column() -> None:
    """NULL is a value like any other."""
    domains = tuple(Domain(name, ("x", "y", "z")) for name in "abc")
    released = Coded(domains, np.int32([[0, 1, 2], [3, 3, 3]]))
    people = Coded(domains, np.int32([[0, 1, 2], [0, 1, 0], [0, 0, 0], [3, 3, 0], [3, 3, 3]]))
    assert identical(people, released).tolist() == [True, False, False, False, True]
    assert all_but_one(people, released).tolist() == [True, True, False, True, True]


def test_the_odd_ones_are_the_most_exposed() -> None:
    """A rare value, and a pair of frequent values that nobody else has."""
    domains = (Domain("one", ("a", "b")), Domain("two", ("x", "y")), Domain("number", low=0, high=100))
    rows = np.int32([[0, 0, 50]] * 500 + [[1, 1, 50]] * 500)
    rows[7], rows[800] = [0, 1, 50], [1, 1, 100]
    assert set(np.argsort(-exposure(Coded(domains, rows)))[:2].tolist()) == {7, 800}


def test_exposure_depends_on_no_order() -> None:
    """Neither of rows nor of columns."""
    table, order = population(400, np.random.default_rng(4)), [3, 1, 0, 2, 8, 7, 6, 5, 4]
    turned = Coded(tuple(table.domains[place] for place in order), np.ascontiguousarray(table.codes[::-1, order]))
    assert exposure(turned)[::-1].tolist() == exposure(table).tolist()


def test_the_most_exposed_are_one_in_a_hundred_and_not_too_few() -> None:
    """At least as many as can be told apart from chance, and all where there are no more."""
    draw = np.random.default_rng(5)
    for rows, expected in ((60, 60), (1_500, EXPOSED_AT_LEAST), (8_000, 400), (30_000, 1_000), (300_000, 3_000)):
        found = exposed(population(rows, draw), population(rows, draw))
        assert [len(places) for places in found] == [expected, expected]


def test_the_most_exposed_are_tried_first() -> None:
    """Both groups, of both tables equally many, at most as many as tries."""
    draw = np.random.default_rng(6)
    told = list(groups(population(900, draw), population(900, draw), 150, draw))
    assert [(group, fitted.rows, control.rows) for group, fitted, control in told] == [
        (MOST_EXPOSED, 150, 150),
        (EVERYONE, 150, 150),
    ]


def test_who_is_among_many_is_found_as_by_looking_at_all() -> None:
    """Whatever the last bits of the marks are."""
    draw = np.random.default_rng(7)
    many = draw.integers(0, 1 << 20, 50_000).astype(np.uint64)
    few = np.concatenate(
        [many[:300], many[:300] + np.uint64(1 << 40), draw.integers(0, 1 << 20, 300).astype(np.uint64)]
    )
    assert _among(few, many).tolist() == np.isin(few, many).tolist()
    assert _among(few[:0], many).tolist() == [] and not _among(few, many[:0]).any()
