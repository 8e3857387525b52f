"""Two releases of the same people: what they tell apart together."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
from hypothesis import given, settings

from privacy_assets.errors import NotKept
from privacy_assets.techniques.anonymize import full_domain, local
from privacy_assets.techniques.anonymize._releases import ClassTable, smallest_apart
from privacy_assets.techniques.anonymize._tuples import Recoding, Tuples
from tests.techniques.anonymize.tables import TABLES, Row, asked, published, rows_of_people, tuples_of

K = [asked("k_anonymity", k=3)]
FULL, LOCAL = full_domain.Parameters(kind="full_domain"), local.Parameters(kind="local")


def table(rows: list[Row], tuples: Tuples, recoding: Recoding) -> ClassTable:
    seen = published(rows, tuples, recoding)
    labels = {name: pl.Series([cells[at] for cells in seen], dtype=pl.String) for at, name in enumerate(TABLES)}
    return ClassTable(labels, np.array([len(members) for members in seen.values()], dtype=np.int64))


def release(rows: list[Row], parameters: object = FULL, at_most: float = 1.0) -> tuple[Tuples, Recoding, ClassTable]:
    tuples = tuples_of(rows)
    module = full_domain if parameters is FULL else local
    recoding = module.recode(parameters, tuples, K, at_most)
    return tuples, recoding, table(rows, tuples, recoding)


def people(place: str, year: str, sex: str, number: int) -> list[Row]:
    return [(place, year, sex, "flu", at) for at in range(number)]


@settings(max_examples=30, deadline=None)
@given(rows=rows_of_people)
def test_the_same_release_twice_tells_nothing_more(rows: list[Row]):
    """Full-domain: each class overlaps itself alone."""
    try:
        tuples, recoding, before = release(rows)
    except NotKept:
        return
    assert smallest_apart(tuples, recoding, before) == 0


def test_a_class_that_grew_by_two_is_two_people_apart():
    """Differencing: the same labels, and two people more."""
    _, _, before = release(people("a0", "1", "f", 5) + people("b0", "2", "m", 5))
    tuples, recoding, _ = release(people("a0", "1", "f", 7) + people("b0", "2", "m", 5))
    assert smallest_apart(tuples, recoding, before) == 2
    tuples, recoding, _ = release(people("a0", "1", "f", 12) + people("b0", "2", "m", 5))
    assert smallest_apart(tuples, recoding, before) == 7


def test_a_region_that_grew_by_one_is_one_person_apart():
    """Towns before, their region now: six people were in it, now there are seven."""
    _, _, before = release(people("a0", "1", "f", 3) + people("a1", "1", "f", 3))
    rows = people("a0", "1", "f", 3) + people("a1", "1", "f", 3) + people("a2", "1", "f", 1)
    tuples, recoding, now = release(rows, at_most=0.0)
    assert now.labels["place"].to_list() == ["a*"]
    assert smallest_apart(tuples, recoding, before) == 1


def test_classes_that_cross_leave_whoever_lies_in_both():
    """Intersection: before by place, now by sex; two women of one place are all that lie in both classes.

    Counted by an attacker who goes through the people.
    """
    rows = people("a0", "1", "f", 2) + people("a0", "1", "m", 4) + people("b0", "1", "f", 4) + people("b0", "1", "m", 4)
    tuples = tuples_of(rows)
    before = ClassTable(
        {
            "place": pl.Series(["a0", "b0"]),
            "year": pl.Series(["1", "1"]),
            "sex": pl.Series(["*", "*"]),
        },
        np.array([6, 8]),
    )
    levels = np.broadcast_to([2, 0, 0], tuples.codes.shape)
    by_sex = [tuples.codes[:, 2] == 0, tuples.codes[:, 2] == 1]
    recoding = Recoding(np.where(by_sex[0], 0, 1), tuples.labels_as(levels), np.zeros(len(tuples.rows)))
    attacked = Counter((row[0], row[2]) for row in rows)
    assert smallest_apart(tuples, recoding, before) == min(attacked.values()) == 2


def test_who_could_be_in_several_earlier_classes_hides_among_the_largest():
    """Local recoding before: three stayed in their town, others of the region went up."""
    rows = people("a0", "1", "f", 3) + people("a1", "1", "f", 2) + people("a2", "1", "f", 1)
    _, _, before = release(rows, LOCAL)
    assert sorted(before.labels["place"].to_list()) == ["a*", "a0"]
    levels = {"place": 1, "year": 0, "sex": 0}
    tuples = tuples_of(rows)
    recoding = Recoding(
        np.zeros(len(tuples.rows), dtype=np.int64),
        tuples.labels_as(np.broadcast_to(list(levels.values()), tuples.codes.shape)),
        np.zeros(len(tuples.rows)),
    )
    # all six look alike now; of before the region's class fits everybody
    assert smallest_apart(tuples, recoding, before) in (0, 3)


def test_labels_that_nobody_knows_any_more_fit_only_themselves():
    """Another hierarchy: nothing is said of its classes but of those that are called alike."""
    tuples, recoding, before = release(people("a0", "1", "f", 5))
    other = ClassTable(before.labels | {"place": pl.Series(["somewhere"])}, before.people)
    assert smallest_apart(tuples, recoding, other) == 5
    assert smallest_apart(tuples, recoding, ClassTable({"height": pl.Series(["1"])}, np.array([1]))) == 0


def test_a_label_that_has_no_place_today_may_be_of_anybody():
    """A range or list of the same asset that is no more: one person; of another purpose it fits itself alone."""
    tuples, recoding, before = release(people("a0", "1", "f", 5) + people("b0", "2", "m", 5))
    place, *others = before.labels
    moved = {name: before.labels[name] for name in others}
    moved[place] = pl.Series(["1.5", *before.labels[place][1:].to_list()])
    assert smallest_apart(tuples, recoding, ClassTable(before.labels, before.people, own=True)) == 0
    assert smallest_apart(tuples, recoding, ClassTable(moved, before.people, own=True)) == 1
    assert smallest_apart(tuples, recoding, ClassTable(moved, before.people)) != 1
