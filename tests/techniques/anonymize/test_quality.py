"""What a recoding costs and how far it protects: each figure by hand, and the laws that it owes.

The tables have two columns: a letter of four (a and b below ab, c and d below cd) and a sex. Each recoding is written
out, so that no technique has a part in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import log2
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.errors import NotKept
from privacy_assets.techniques.anonymize import ANONYMIZE
from privacy_assets.techniques.anonymize._quality import measures
from privacy_assets.techniques.anonymize._tuples import Levels, Recoding, Tuples
from tests.techniques.anonymize.tables import TABLES, Row, asked, rows_of_people, tuples_of

LETTERS = [("a", "ab", "*"), ("b", "ab", "*"), ("c", "cd", "*"), ("d", "cd", "*")]
SEXES = [("f", "*"), ("m", "*")]
RISKS = ("prosecutor_risk", "marketer_risk", "journalist_risk")


def table(counts: Mapping[str, int], weights: tuple[float, float] = (1, 1), **more: Any) -> Tuples:
    """So many rows of each combination, such as `af`, in the order in which they are given."""
    columns = tuple(
        Levels.of(name, [pl.Series(texts) for texts in zip(*labels, strict=True)], weight)
        for name, labels, weight in zip(("letter", "sex"), (LETTERS, SEXES), weights, strict=True)
    )
    codes = np.array([["abcd".index(letter), "fm".index(sex)] for letter, sex in counts])
    return Tuples(columns, codes, np.array(list(counts.values())), **more)


def recoded(tuples: Tuples, levels: Sequence[tuple[int, int]], suppressed: Sequence[int] = ()) -> Recoding:
    """Each combination at levels of its own; those with one label are one class, apart from those left out."""
    each = np.array(levels)
    cells = tuples.labels_as(each)
    labels = list(zip(*(cell.to_list() for cell in cells), strict=True))
    classes = np.array([labels.index(label) for label in labels])
    classes[list(suppressed)] = -1
    return Recoding(classes, cells, tuples.losses_as(each))


def full(tuples: Tuples, node: tuple[int, int], suppressed: Sequence[int] = ()) -> Recoding:
    return recoded(tuples, [node] * len(tuples.rows), suppressed)


SIX = {"af": 3, "bf": 1, "cm": 2}


def test_the_loss_is_the_mean_of_cells_and_one_where_nothing_is_told():
    """Iyengar: (leaves below the label - 1) / (leaves - 1), so ab costs 1/3, and * of a sex 1."""
    tuples = table(SIX)
    assert measures(full(tuples, (0, 0)), tuples)["loss"] == 0
    assert measures(full(tuples, (2, 1)), tuples)["loss"] == 1
    # letters at level 1: each of six rows loses (1/3 + 0) / 2
    assert measures(full(tuples, (1, 0)), tuples)["loss"] == pytest.approx(1 / 6)
    # two rows are left out: (4 * 1/6 + 2 * 1) / 6, and 4 * 1/6 / 4 of what is published
    found = measures(full(tuples, (1, 0), [2]), tuples)
    assert found["loss"] == pytest.approx((4 / 6 + 2) / 6)
    assert found["loss_published"] == pytest.approx(1 / 6)


def test_a_weight_says_how_much_a_columns_loss_counts():
    """The letter counts three times what the sex does: 3/4 * 1/3 beside 1/4 * 1."""
    tuples = table(SIX, weights=(3, 1))
    assert measures(full(tuples, (1, 0)), tuples)["loss"] == pytest.approx(3 / 4 * 1 / 3)
    assert measures(full(tuples, (0, 1)), tuples)["loss"] == pytest.approx(1 / 4)
    assert measures(full(tuples, (1, 0), [0, 1, 2]), tuples)["loss"] == 1


def test_discernibility_is_the_company_that_a_row_has_and_everybody_where_it_is_left_out():
    """Bayardo and Agrawal: the sum of |class|^2, and of rows for each suppressed row, here as a share of rows^2."""
    tuples = table(SIX)
    assert measures(full(tuples, (0, 0)), tuples)["discernibility"] == pytest.approx((9 + 1 + 4) / 36)
    assert measures(full(tuples, (1, 0)), tuples)["discernibility"] == pytest.approx((16 + 4) / 36)
    assert measures(full(tuples, (1, 0), [2]), tuples)["discernibility"] == pytest.approx((16 + 2 * 6) / 36)
    assert measures(full(tuples, (2, 1)), tuples)["discernibility"] == 1


def test_the_average_class_and_the_counts_are_of_what_is_published():
    """Four rows in one class; the two that are left out are of none."""
    tuples = table(SIX)
    found = measures(full(tuples, (1, 0), [2]), tuples)
    assert {name: found[name] for name in ("average_class", "classes", "published", "suppressed")} == {
        "average_class": 4,
        "classes": 1,
        "published": 4,
        "suppressed": 2,
    }
    assert found["suppressed_share"] == pytest.approx(2 / 6)
    assert measures(full(tuples, (0, 0)), tuples)["average_class"] == 6 / 3


def test_entropy_is_what_a_label_leaves_open_as_a_share_of_what_is_open_without_it():
    """-log2 P(leaf | label) over the cells: of ab 3 of 4 are a and 1 of 4 is b, of cd both are c."""
    tuples = table(SIX)
    letters = -(3 * log2(3 / 6) + 1 * log2(1 / 6) + 2 * log2(2 / 6))
    sexes = -(4 * log2(4 / 6) + 2 * log2(2 / 6))
    below_ab = -(3 * log2(3 / 4) + 1 * log2(1 / 4))
    assert measures(full(tuples, (0, 0)), tuples)["entropy"] == 0
    assert measures(full(tuples, (1, 0)), tuples)["entropy"] == pytest.approx(below_ab / (letters + sexes))
    assert measures(full(tuples, (0, 1)), tuples)["entropy"] == pytest.approx(sexes / (letters + sexes))
    assert measures(full(tuples, (2, 1)), tuples)["entropy"] == pytest.approx(1)


def test_what_is_left_out_tells_no_more_than_a_star():
    """Two rows of cm are left out: of their cells as much is open as if nothing stood there."""
    tuples = table(SIX)
    letters = -(3 * log2(3 / 6) + 1 * log2(1 / 6) + 2 * log2(2 / 6))
    sexes = -(4 * log2(4 / 6) + 2 * log2(2 / 6))
    found = measures(full(tuples, (0, 0), [2]), tuples)["entropy"]
    assert found == pytest.approx(-(2 * log2(2 / 6) + 2 * log2(2 / 6)) / (letters + sexes))
    assert measures(full(tuples, (0, 0), [0, 1, 2]), tuples)["entropy"] == pytest.approx(1)


def test_a_leaf_with_two_labels_is_counted_under_each_by_its_own_rows():
    """Local recoding: af stays a, am is ab with bf; of the rows that say ab one of two is a."""
    tuples = table({"af": 3, "am": 1, "bm": 1})
    recoding = recoded(tuples, [(0, 0), (1, 0), (1, 0)])
    letters = -(4 * log2(4 / 5) + 1 * log2(1 / 5))
    sexes = -(3 * log2(3 / 5) + 2 * log2(2 / 5))
    assert measures(recoding, tuples)["entropy"] == pytest.approx(-2 * log2(1 / 2) / (letters + sexes))


def test_null_is_a_leaf_of_its_own():
    """One of three does not say: it costs nothing as it is, half of the column as one of two, and has its entropy."""
    column = Levels.of("letter", [pl.Series(["a", "b", None]), pl.Series(["ab", "ab", None]), pl.Series(["*"] * 3)])
    tuples = Tuples((column,), np.array([[0], [1], [2]]), np.array([1, 1, 2]))
    levels = [np.full((3, 1), level) for level in range(3)]
    found = [
        measures(Recoding(np.array(classes), tuples.labels_as(node), tuples.losses_as(node)), tuples)
        for classes, node in zip(([0, 1, 2], [0, 0, 1], [0, 0, 0]), levels, strict=True)
    ]
    # ab is two of three leaves: 1/2 for two of four rows
    assert [one["loss"] for one in found] == [0, pytest.approx(1 / 4), 1]
    # 1 bit for each of the two below ab, of -(2 log2 1/4 + 2 log2 1/2) = 6
    assert [one["entropy"] for one in found] == [0, pytest.approx(2 / 6), pytest.approx(1)]
    assert [one["prosecutor_risk"] for one in found] == [1, 1 / 2, 1 / 4]


def test_risks_are_one_of_the_smallest_class_and_classes_of_people():
    """Classes of 3, 1 and 2, then of 4 and 2, then of 4 alone."""
    tuples = table(SIX)
    for node, suppressed, prosecutor, marketer in (
        ((0, 0), [], 1, 3 / 6),
        ((1, 0), [], 1 / 2, 2 / 6),
        ((1, 0), [2], 1 / 4, 1 / 4),
    ):
        found = measures(full(tuples, node, suppressed), tuples)
        assert found["prosecutor_risk"] == pytest.approx(prosecutor)
        assert found["marketer_risk"] == pytest.approx(marketer)
        assert "journalist_risk" not in found


def test_rows_of_one_person_are_one_person():
    """Three rows of a are of two people: the smallest class has two, and four people are published."""
    tuples = table({"af": 3, "cm": 2}, people=(np.array([0, 0, 1, 1]), np.array([7, 8, 9, 10])))
    found = measures(full(tuples, (0, 0)), tuples)
    assert found["prosecutor_risk"] == 1 / 2
    assert found["marketer_risk"] == pytest.approx(2 / 4)
    assert found["average_class"] == 5 / 2


def test_somebody_in_several_classes_is_one_person_and_a_chance_in_each():
    """Two people in both of two classes: two are found by 2 of 2 at most, not by 2 of 4.

    One match in each class finds a person with 1 - (1/2)^2 = 3/4.
    """
    twice = np.array([0, 0, 1, 1]), np.array([7, 8, 7, 8])
    tuples = table({"af": 2, "cm": 2}, people=twice)
    found = measures(full(tuples, (0, 0)), tuples)
    assert found["marketer_risk"] == pytest.approx(3 / 4)
    assert measures(full(tuples, (0, 0), [1]), tuples)["marketer_risk"] == 1 / 2
    assert measures(full(tuples, (2, 1)), tuples)["marketer_risk"] == 1 / 2


def test_the_journalist_does_not_know_who_of_the_population_is_in():
    """Two of ten a and one of twenty c are published: the smallest class of the population has ten.

    More than are published at all (three), which is no bound. Who is left out is nobody's risk.
    """
    tuples = table({"af": 2, "cm": 1, "dm": 1}, population=np.array([10, 20, 4]))
    found = measures(full(tuples, (0, 0), [2]), tuples)
    assert found["journalist_risk"] == pytest.approx(1 / 10)
    assert found["prosecutor_risk"] == 1
    found = measures(full(tuples, (1, 0)), tuples)
    assert found["journalist_risk"] == pytest.approx(1 / 10)
    assert found["prosecutor_risk"] == 1 / 2


def test_of_the_published_the_journalist_counts_people_too():
    """Five rows of one person among eight of the population: one, and three others."""
    tuples = table({"af": 5}, population=np.array([8]), people=(np.array([0]), np.array([7])))
    assert measures(full(tuples, (0, 0)), tuples)["journalist_risk"] == 1 / 4


def test_combinations_of_nobody_who_is_published_count_for_nothing():
    """Those who are only possible members: no loss, no class, no entropy, and no number that is none."""
    plain = table(SIX)
    beside = table({**SIX, "dm": 0, "am": 0}, population=np.array([3, 1, 2, 9, 9]))
    for node in ((0, 0), (1, 0), (2, 1)):
        found = dict(measures(full(beside, node), beside))
        del found["journalist_risk"]
        assert found == pytest.approx(measures(full(plain, node), plain))


def test_where_nobody_is_published_nothing_is_kept_and_nobody_at_risk():
    """All is left out."""
    tuples = table(SIX, population=np.array([3, 3, 3]))
    found = measures(full(tuples, (0, 0), [0, 1, 2]), tuples)
    assert (found["loss"], found["discernibility"]) == (1, 1)
    assert found["entropy"] == pytest.approx(1)
    assert [found[risk] for risk in RISKS] == [0, 0, 0]
    assert found["classes"] == found["average_class"] == found["loss_published"] == 0


def by_kind(kind: str, tuples: Tuples) -> Recoding | None:
    """What a technique makes of it where one row of ten may be left out; None where it cannot."""
    module = ANONYMIZE[kind]
    try:
        return module.recode(module.Parameters(kind=kind), tuples, [asked("k_anonymity", k=3)], 0.1)
    except NotKept:
        return None


@pytest.mark.parametrize("people", [False, True], ids=["rows", "people"])
@pytest.mark.parametrize("kind", sorted(ANONYMIZE))
@settings(max_examples=30, deadline=None)
@given(rows=rows_of_people, weights=st.sampled_from([(1.0, 1.0, 1.0), (5.0, 1.0, 0.5)]), data=st.data())
def test_every_figure_is_within_its_bounds_and_that_of_the_rows_in_any_order(
    kind: str, people: bool, rows: list[Row], weights: tuple[float, ...], data: st.DataObject
):
    """Shares and risks lie in 0..1; combinations, classes and persons in another order or under other numbers change
    none of them."""
    tuples = tuples_of(rows, people=people, weights=weights)
    if (recoding := by_kind(kind, tuples)) is None:
        return
    found = measures(recoding, tuples)
    shares = ("loss", "loss_published", "discernibility", "entropy", "suppressed_share", *RISKS[:2])
    assert all(0 <= found[name] <= 1 + 1e-9 for name in shares)
    assert 1 / len(rows) <= found["marketer_risk"] + 1e-12 and found["prosecutor_risk"] <= 1 / 3
    if not people:
        # the mean of 1 / class is no more than the largest
        assert found["marketer_risk"] <= found["prosecutor_risk"] + 1e-12
        assert found["average_class"] == pytest.approx(1 / found["marketer_risk"])
    order = np.array(data.draw(st.permutations(range(len(tuples.rows)))))
    place = np.argsort(order)
    shuffled = replace(
        tuples,
        codes=tuples.codes[order],
        rows=tuples.rows[order],
        people=None if tuples.people is None else (place[tuples.people[0]], 40 - tuples.people[1]),
    )
    renamed = np.where(recoding.classes < 0, -1, recoding.classes.max(initial=0) - recoding.classes)[order]
    again = replace(
        recoding,
        classes=renamed,
        cells=tuple(cell[order.tolist()] for cell in recoding.cells),
        loss=recoding.loss[order],
    )
    assert measures(again, shuffled) == pytest.approx(found)


@settings(max_examples=60, deadline=None)
@given(
    rows=rows_of_people,
    node=st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 1)),
    step=st.integers(0, 2),
    suppressed=st.booleans(),
)
def test_a_coarser_recoding_never_loses_less_nor_leaves_a_higher_risk(
    rows: list[Row], node: tuple[int, int, int], step: int, suppressed: bool
):
    """One column one level up, with the same row left out or none."""
    tuples = tuples_of(rows)
    above = tuple(
        min(level + (at == step), height) for at, (level, height) in enumerate(zip(node, (2, 3, 1), strict=True))
    )
    found = []
    for levels in (node, above):
        classes = tuples.classes_at(levels).numbers(len(tuples.rows))
        if suppressed:
            classes = np.where(np.arange(len(classes)) == 0, -1, classes)
        cells = tuples.labels_as(np.broadcast_to(levels, tuples.codes.shape))
        found.append(measures(Recoding(classes, cells, tuples.loss_at(levels)), tuples))
    fine, coarse = found
    for costs in ("loss", "loss_published", "discernibility", "average_class", "entropy"):
        assert fine[costs] <= coarse[costs] + 1e-9, costs
    for risk in RISKS[:2]:
        assert fine[risk] >= coarse[risk] - 1e-12, risk


@settings(max_examples=60, deadline=None)
@given(rows=rows_of_people, kind=st.sampled_from(["full_domain", "local", "top_down"]))
def test_entropy_is_that_of_gionis_and_tassa_or_less(rows: list[Row], kind: str):
    """Counted row by row: theirs asks how many of all rows have a leaf below the label, a star where nothing is told.

    The same where one level holds in every row and nothing is left out.
    """
    tuples = tuples_of(rows)
    if (recoding := by_kind(kind, tuples)) is None:
        return
    theirs, most = 0.0, 0.0
    codes = {tuple(code): at for at, code in enumerate(tuples.codes.tolist())}
    leaves = [[row[0] for row in known] for known in TABLES.values()]
    for place, known in enumerate(TABLES.values()):
        counts = Counter(row[place] for row in rows)
        for row in rows:
            at = codes[tuple(each.index(row[column]) for column, each in enumerate(leaves))]
            label = recoding.cells[place][at] if recoding.classes[at] >= 0 else "*"
            below = sum(counts[leaf] for leaf, *_ in (levels for levels in known if label in levels))
            theirs -= log2(Fraction(counts[row[place]], below))
            most -= log2(Fraction(counts[row[place]], len(rows)))
    ours = measures(recoding, tuples)["entropy"]
    assert ours <= (theirs / most if most else 0.0) + 1e-9
    if kind == "full_domain" and (recoding.classes >= 0).all():
        assert ours == pytest.approx(theirs / most if most else 0.0)


def test_a_class_is_what_the_recoding_says_and_not_who_has_one_label():
    """Two classes that happen to read alike are told apart by their numbers: the smaller one is the risk."""
    tuples = table({"af": 3, "bf": 2})
    levels = np.array([(1, 0), (1, 0)])
    apart = Recoding(np.array([0, 1]), tuples.labels_as(levels), tuples.losses_as(levels))
    assert measures(apart, tuples)["prosecutor_risk"] == 1 / 2
    assert measures(apart, tuples)["classes"] == 2
