"""The table as the search sees it: leaves, levels and classes as numbers, and what is asked of classes.

Each law is held against rows that are gone through one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.errors import NotKept
from privacy_assets.techniques.anonymize import _tuples
from privacy_assets.techniques.anonymize._tuples import Grouping, Judge, Levels, Sensitive, Tuples
from tests.techniques.anonymize.tables import ILLS, TABLES, Row, asked, holds, rows_of_people, tuples_of

HEIGHTS = tuple(len(table[0]) - 1 for table in TABLES.values())
nodes = st.tuples(*(st.integers(0, height) for height in HEIGHTS))


def labels_at(row: Row, node: Sequence[int]) -> tuple[str, ...]:
    """What somebody reads of a row at a node."""
    return tuple(
        next(levels for levels in table if levels[0] == row[place])[level]
        for place, (table, level) in enumerate(zip(TABLES.values(), node, strict=True))
    )


def by_hand(rows: Sequence[Row], node: Sequence[int]) -> dict[tuple[str, ...], list[Row]]:
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(labels_at(row, node), []).append(row)
    return found


def named(tuples: Tuples, grouping: Grouping, node: Sequence[int]) -> list[tuple[str, ...]]:
    """The labels of each class."""
    cells = tuples.labels_as(np.broadcast_to(np.array(node), tuples.codes.shape))
    return [tuple(cell[int(at)] for cell in cells) for at in grouping.order[grouping.starts]]


def ills(rows: Sequence[Row]) -> tuple[int, ...]:
    counts = Counter(row[3] for row in rows)
    return tuple(counts[ill] for ill in ILLS)


def told(tuples: Tuples, node: Sequence[int]) -> dict[tuple[str, ...], tuple[int, int, tuple[int, ...]]]:
    """Rows, people and illnesses of each class of a node, by its labels."""
    grouping = tuples.classes_at(node)
    judge = Judge(tuples, [asked("l_diversity", column="ill", l=1)])
    rows, people = Judge(tuples, ()).counts(grouping)
    table = judge._tables(grouping, np.arange(len(grouping)), judge.criteria)["ill"]
    names = named(tuples, grouping, node)
    return {
        name: (int(rows[at]), int(people[at]), tuple(int(count) for count in table[at]))
        for at, name in enumerate(names)
    }


def test_levels_number_their_groups_in_the_order_of_the_leaves():
    """Iyengar's loss stands beside each leaf: of four leaves one other below the label is a third."""
    levels = Levels.of(
        "letter", [pl.Series(["a", "b", "c", "d"]), pl.Series(["x", "y", "x", "y"]), pl.Series(["*"] * 4)]
    )
    assert [group.tolist() for group in levels.groups] == [[0, 1, 2, 3], [0, 1, 0, 1], [0, 0, 0, 0]]
    assert [labels.to_list() for labels in levels.labels] == [["a", "b", "c", "d"], ["x", "y"], ["*"]]
    assert [loss.tolist() for loss in levels.loss] == [[0] * 4, pytest.approx([1 / 3] * 4), [1] * 4]
    assert levels.height == 2
    some, at = np.array([3, 2, 1]), np.array([0, 1, 2])
    assert levels.group_at(some, at).tolist() == [3, 0, 0]
    assert levels.loss_at(some, at).tolist() == pytest.approx([0, 1 / 3, 1])


def test_null_is_a_label_of_its_own_and_a_single_leaf_loses_nothing():
    """A NULL is no `*` and no empty text; a column of one leaf has nothing to lose."""
    levels = Levels.of("letter", [pl.Series(["", None, "*"]), pl.Series(["*", "*", "*"])])
    assert levels.groups[0].tolist() == [0, 1, 2]
    assert levels.labels[0].to_list() == ["", None, "*"]
    one = Levels.of("letter", [pl.Series(["a"]), pl.Series(["*"])])
    assert [loss.tolist() for loss in one.loss] == [[0], [0]]


@settings(max_examples=60, deadline=None)
@given(rows=rows_of_people, node=nodes)
def test_a_class_is_all_rows_that_read_alike(rows: list[Row], node: tuple[int, ...]):
    """With its rows, its people and its illnesses, as whoever goes through the rows counts them."""
    found = told(tuples_of(rows, people=True), node)
    assert found == {
        name: (len(members), len({row[4] for row in members}), ills(members))
        for name, members in by_hand(rows, node).items()
    }


@settings(max_examples=40, deadline=None)
@given(rows=rows_of_people, node=nodes, data=st.data())
def test_numbers_that_do_not_fit_number_the_same_classes(rows: list[Row], node: tuple[int, ...], data: st.DataObject):
    """With room for ten combinations at once, of all tuples and of some."""
    tuples = tuples_of(rows)
    chosen = data.draw(st.lists(st.sampled_from(range(len(tuples.rows))), min_size=1, unique=True).map(sorted))
    for among in (None, np.array(chosen)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_tuples, "MOST_KEYS", 10)
            crowded = replace(tuples)
            assert crowded.keys is None
            few = crowded.classes_at(node, among)
        many = tuples.classes_at(node, among)
        assert sorted(map(sorted, _members(few))) == sorted(map(sorted, _members(many)))


def _members(grouping: Grouping) -> list[list[int]]:
    return [part.tolist() for part in np.split(grouping.order, grouping.starts[1:])]


@settings(max_examples=60, deadline=None)
@given(rows=rows_of_people, low=nodes, high=nodes)
def test_rolled_up_tells_the_same_at_every_node_above(rows: list[Row], low: tuple[int, ...], high: tuple[int, ...]):
    """Rows, people, illnesses and the population; and no more tuples than there are classes."""
    tuples = tuples_of(rows, people=True)
    tuples = replace(tuples, population=tuples.rows + np.arange(len(tuples.rows)))
    above = tuple(map(max, low, high))
    rolled = tuples.rolled_up(tuples.classes_at(low))
    assert len(rolled.rows) == len(by_hand(rows, low))
    assert told(rolled, above) == told(tuples, above)
    everyone = []
    for one in (rolled, tuples):
        grouping = one.classes_at(above)
        assert one.population is not None
        everyone.append(dict(zip(named(one, grouping, above), grouping.sums(one.population).tolist(), strict=True)))
    assert everyone[0] == everyone[1]


@settings(max_examples=40, deadline=None)
@given(rows=rows_of_people, weights=st.tuples(*[st.sampled_from([0.5, 1.0, 7.0])] * 3), data=st.data())
def test_cells_and_losses_of_levels_of_ones_own(rows: list[Row], weights: tuple[float, ...], data: st.DataObject):
    """A tuple's cells are its leaf's labels, its loss is their mean by weight; and a node's where all are at one."""
    tuples = tuples_of(rows, weights=weights)
    levels = np.array([data.draw(nodes) for _ in tuples.rows])
    cells, losses = tuples.labels_as(levels), tuples.losses_as(levels)
    assert tuples.weights.sum() == pytest.approx(1)
    for at, (codes, node) in enumerate(zip(tuples.codes, levels, strict=True)):
        expected = 0.0
        for place, table in enumerate(TABLES.values()):
            label = table[codes[place]][node[place]]
            assert cells[place][at] == label
            below = sum(row[node[place]] == label for row in table)
            expected += weights[place] / sum(weights) * (below - 1) / (len(table) - 1)
        assert losses[at] == pytest.approx(expected)
    one = np.broadcast_to(levels[0], tuples.codes.shape)
    assert tuples.loss_at(levels[0]) == pytest.approx(tuples.losses_as(one))


@settings(max_examples=60, deadline=None)
@given(
    keys=st.lists(st.sampled_from([0, 1, 5, 2**40, 2**62 - 1]), max_size=30),
    large=st.booleans(),
)
def test_grouping_puts_equal_keys_together_in_their_order(keys: list[int], large: bool):
    """However large the keys are; counts are summed, and what is said of a class is said of each in it."""
    found = np.array([key if large else key % 7 for key in keys], dtype=np.int64)
    among = np.arange(len(keys)) * 2 + 1
    grouping = Grouping.by(found, among)
    expected = [[2 * at + 1 for at, key in enumerate(found) if key == one] for one in sorted(set(found.tolist()))]
    assert (_members(grouping) if keys else []) == expected
    assert len(grouping) == len(expected)
    assert grouping.sums(np.arange(2 * len(keys))).tolist() == [sum(members) for members in expected]
    numbers = grouping.numbers(2 * len(keys))
    assert (numbers[::2] == -1).all()
    for number, members in enumerate(expected):
        assert (numbers[members] == number).all()


def test_people_of_a_class_with_too_few_rows_are_not_counted():
    """Two rows of one person are no class of three, whoever they are; three rows of one person are counted."""
    rows: list[Row] = [("a0", "1", "f", "flu", 1)] * 2 + [("b0", "1", "f", "flu", 2)] * 3
    tuples = tuples_of(rows, people=True)
    grouping = tuples.classes_at((0, 0, 0))
    assert [counts.tolist() for counts in Judge(tuples, [asked("k_anonymity", k=3)]).counts(grouping)] == [
        [2, 3],
        [2, 1],
    ]
    assert [counts.tolist() for counts in Judge(tuples, ()).counts(grouping)] == [[2, 3], [1, 1]]


ASKED = [
    [asked("k_anonymity", k=3)],
    [asked("k_anonymity", k=2), asked("l_diversity", column="ill", l=2)],
    [asked("k_anonymity", k=2), asked("t_closeness", column="ill", t=0.3)],
]


@pytest.mark.parametrize("criteria", ASKED, ids=["k", "k and l", "k and t"])
@settings(max_examples=60, deadline=None)
@given(rows=rows_of_people, node=nodes)
def test_what_may_be_published_keeps_every_criterion_beside_what_is_published(
    criteria: list[Any], rows: list[Row], node: tuple[int, ...]
):
    """Of `kept` the published are the whole, of `kept_by_the_whole` all rows; `necessary` leaves out what merging
    cannot mend, and nothing else."""
    tuples = tuples_of(rows, people=True)
    judge, grouping = Judge(tuples, criteria), tuples.classes_at(node)
    classes = by_hand(rows, node)
    names = named(tuples, grouping, node)

    def by_rows(everyone: Sequence[Row], asked_for: Sequence[Any]) -> list[bool]:
        return [all(holds(one, classes[name], everyone, people=True) for one in asked_for) for name in names]

    assert judge.kept_by_the_whole(grouping).tolist() == by_rows(rows, criteria)
    merging = [one for one in criteria if one.kind != "t_closeness"]
    necessary = judge.necessary(grouping)
    assert necessary.tolist() == by_rows(rows, merging)
    kept = judge.kept(grouping)
    published = [row for name, stays in zip(names, kept, strict=True) if stays for row in classes[name]]
    if published:
        assert all(held or not stays for held, stays in zip(by_rows(published, criteria), kept, strict=True))
    assert judge.kept(grouping, necessary).tolist() == kept.tolist()
    assert (necessary | ~kept).all()


def test_what_is_suppressed_is_not_part_of_the_whole():
    """Cold and flu of three towns: 1 and 2, 9 and 1, 0 and 6. Each is held against what is still published, until all
    of it stays.

    All have 10/19 of cold: a0 is 0.19 away, a1 0.37, b0 0.53. Without b0 it is 10/13: a0 is 0.44 away, a1 0.13.
    """
    of = {"a0": (1, 2), "a1": (9, 1), "b0": (0, 6)}
    rows: list[Row] = [
        (town, "1", "f", ill, 0)
        for town, both in of.items()
        for ill, n in zip(ILLS[:2], both, strict=True)
        for _ in range(n)
    ]
    tuples = tuples_of(rows)
    grouping = tuples.classes_at((0, 0, 0))
    judge = Judge(tuples, [asked("t_closeness", column="ill", t=0.38)])
    assert judge.kept_by_the_whole(grouping).tolist() == [True, True, False]
    assert judge.kept(grouping).tolist() == [False, True, False]


def test_nobody_is_published_where_no_round_is_the_last(monkeypatch: pytest.MonkeyPatch):
    """One town goes in the first round, and the second finds that the other stays: after one round nothing is known."""
    monkeypatch.setattr(_tuples, "ROUNDS", 1)
    rows: list[Row] = [("a0", "1", "f", ill, 0) for ill in ("cold", "flu")] + [("b0", "1", "f", "gout", 0)]
    tuples = tuples_of(rows)
    judge = Judge(tuples, [asked("t_closeness", column="ill", t=0.4)])
    assert judge.kept(tuples.classes_at((0, 0, 0))).tolist() == [False, False]
    monkeypatch.undo()
    assert judge.kept(tuples.classes_at((0, 0, 0))).tolist() == [True, False]


def test_a_class_of_nobody_who_is_published_is_not_published():
    """Where a population is asked about, whoever is only possibly a member is no class by themselves."""
    tuples = tuples_of([("a0", "1", "f", "flu", 0), ("b0", "1", "f", "flu", 1)])
    tuples = replace(tuples, rows=np.array([2, 0]), population=np.array([4, 4]))
    judge = Judge(tuples, [asked("delta_presence", member="in_study", at_most=0.5)])
    assert judge.kept(tuples.classes_at((0, 0, 0))).tolist() == [True, False]
    assert judge.kept(tuples.classes_at((2, 0, 0))).tolist() == [True]


def test_too_many_values_to_look_at_are_refused_without_saying_one(monkeypatch: pytest.MonkeyPatch):
    """Two classes of three values are six counts."""
    monkeypatch.setattr(_tuples, "MOST_CELLS", 5)
    tuples = tuples_of([("a0", "1", "f", ill, 0) for ill in ILLS] + [("b0", "1", "f", "flu", 1)])
    judge = Judge(tuples, [asked("l_diversity", column="ill", l=1)])
    with pytest.raises(NotKept, match="too many different values") as caught:
        judge.kept(tuples.classes_at((0, 0, 0)))
    assert not any(value in str(caught.value) for value in (*ILLS, "a0", "b0"))
    assert judge.kept(tuples.classes_at((2, 0, 0))).all()


def test_criteria_of_two_columns_look_at_their_own():
    """All have another illness and one drug: diverse in the one, not in the other."""
    tuples = tuples_of([("a0", "1", "f", ill, 0) for ill in ILLS])
    drug = Sensitive(np.array([0]), np.array([0]), np.array([3]), ("aspirin",))
    tuples = replace(tuples, sensitive={**(tuples.sensitive or {}), "drug": drug})
    grouping = tuples.classes_at((0, 0, 0))
    of_ill, of_drug = (asked("l_diversity", column=name, l=2) for name in ("ill", "drug"))
    assert Judge(tuples, [of_ill]).kept(grouping).tolist() == [True]
    assert Judge(tuples, [of_ill, of_drug]).kept(grouping).tolist() == [False]
    assert Judge(tuples, [of_ill, of_drug]).fails_at_the_root() == [of_drug]
