"""What cannot be kept is named once and for all, with what can be asked for in its place."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.errors import NotKept
from privacy_assets.techniques.anonymize import ANONYMIZE
from privacy_assets.techniques.anonymize._refusing import refuse_the_impossible, said
from privacy_assets.techniques.anonymize._tuples import Judge, Tuples
from tests.techniques.anonymize.tables import ILLS, Row, asked, holds, published, rows_of_people, tuples_of

ORDERED = asked("t_closeness", column="ill", t=1, distance="ordered", order=("cold", "flu"))


def refused(tuples: Tuples, *criteria: Any) -> NotKept | None:
    try:
        refuse_the_impossible(Judge(tuples, criteria))
    except NotKept as error:
        return error
    return None


def nearest(tuples: Tuples, criterion: Any, pattern: str) -> float:
    """The figure that is named in place of what cannot be kept."""
    error = refused(tuples, criterion)
    assert error is not None
    found = re.search(pattern, error.faults[0].expected)
    assert found is not None, error.faults[0].expected
    return float(found[1])


@pytest.mark.parametrize("people", [False, True], ids=["rows", "people"])
@settings(max_examples=40, deadline=None)
@given(rows=rows_of_people)
def test_the_k_that_is_named_is_the_largest_that_can_be(people: bool, rows: list[Row]):
    """People, where somebody has several rows: the one named is possible, one more is not."""
    tuples = tuples_of(rows, people=people)
    number = len({row[4] for row in rows}) if people else len(rows)
    largest = nearest(tuples, asked("k_anonymity", k=len(rows) + 1), r"k of at most (\d+)")
    assert largest == number
    assert refused(tuples, asked("k_anonymity", k=int(largest))) is None
    assert refused(tuples, asked("k_anonymity", k=int(largest) + 1)) is not None


@settings(max_examples=40, deadline=None)
@given(rows=rows_of_people)
def test_the_l_that_is_named_is_the_largest_that_can_be(rows: list[Row]):
    """As many values as there are; of entropy about as much, in two digits."""
    tuples = tuples_of(rows)
    largest = nearest(tuples, asked("l_diversity", column="ill", l=4), r"l of at most (\d+)")
    assert largest == len({row[3] for row in rows})
    assert refused(tuples, asked("l_diversity", column="ill", l=int(largest))) is None
    about = nearest(tuples, asked("l_diversity", column="ill", l=3.5, form="entropy"), r"about ([\d.]+)")
    assert refused(tuples, asked("l_diversity", column="ill", l=max(about - 0.01, 1), form="entropy")) is None
    assert refused(tuples, asked("l_diversity", column="ill", l=about + 0.01, form="entropy")) is not None


def test_of_recursive_diversity_the_c_is_named_or_the_values_that_there_are():
    """Five, three and two: for l = 2 five are fewer than c times five; for l = 4 no value is left."""
    rows: list[Row] = [("a0", "1", "f", ill, 0) for ill, n in zip(ILLS, (5, 3, 2), strict=True) for _ in range(n)]
    tuples = tuples_of(rows)
    recursive = {"column": "ill", "form": "recursive"}
    assert nearest(tuples, asked("l_diversity", l=2, c=1, **recursive), r"c above ([\d.]+) for this l") == 1
    assert refused(tuples, asked("l_diversity", l=2, c=1.01, **recursive)) is None
    assert nearest(tuples, asked("l_diversity", l=4, c=100, **recursive), r"l of at most (\d+)") == 3
    assert refused(tuples, asked("l_diversity", l=3, c=100, **recursive)) is None


def test_of_presence_the_share_is_named_that_everybody_has():
    """One of four is published: a range below or above it does not hold it, one with it does."""
    tuples = tuples_of([("a0", "1", "f", "flu", 0), ("b0", "1", "f", "flu", 1)])
    tuples = replace(tuples, rows=np.array([1, 0]), population=np.array([1, 3]))
    for at_least, at_most in ((0.3, 1.0), (0.0, 0.2)):
        asks = asked("delta_presence", member="in_study", at_least=at_least, at_most=at_most)
        assert nearest(tuples, asks, r"a range that holds ([\d.]+)") == 0.25
    assert refused(tuples, asked("delta_presence", member="in_study", at_least=0.25, at_most=0.25)) is None


def test_all_that_cannot_be_kept_is_said_at_once_and_nothing_else():
    """Three of four criteria: each with its figures, the rows that there are and what to do, and with no value."""
    rows: list[Row] = [("a0", "1", "f", ill, at) for at, ill in enumerate(ILLS)]
    error = refused(
        tuples_of(rows),
        asked("k_anonymity", k=4),
        asked("l_diversity", column="ill", l=3),
        asked("l_diversity", column="ill", l=4),
        ORDERED,
    )
    assert error is not None
    assert [fault.what.split(" cannot be kept")[0] for fault in error.faults] == [
        "k_anonymity (k 4)",
        "l_diversity of ill (form distinct, l 4)",
        "t_closeness of ill (t 1, distance ordered)",
    ]
    assert {fault.found for fault in error.faults} == {"3 rows"}
    assert "stand in its order or hierarchy" in error.faults[2].expected
    assert all("new major version" in fault.next_step for fault in error.faults)
    assert not any(value in str(error) for value in (*ILLS, "a0"))


def test_what_can_be_kept_is_not_refused():
    """Three people with three illnesses, in one class."""
    tuples = tuples_of([("a0", str(at), "f", ill, at) for at, ill in enumerate(ILLS)])
    assert refused(tuples, asked("k_anonymity", k=3), asked("l_diversity", column="ill", l=3)) is None
    assert refused(tuples) is None


@pytest.mark.parametrize(
    ("criterion", "words"),
    [
        (asked("k_anonymity", k=5), "k_anonymity (k 5)"),
        (asked("l_diversity", column="ill", l=3), "l_diversity of ill (form distinct, l 3)"),
        (asked("l_diversity", l=2, c=1.5, form="recursive"), "l_diversity (form recursive, l 2, c 1.5)"),
        (asked("t_closeness", column="ill", t=0.25), "t_closeness of ill (t 0.25, distance equal)"),
        (ORDERED, "t_closeness of ill (t 1, distance ordered)"),
        (asked("delta_presence", member="in_study", at_most=0.5), "delta_presence (at_least 0, at_most 0.5)"),
    ],
    ids=str,
)
def test_a_criterion_in_a_few_words(criterion: Any, words: str):
    """Its kind, its column and its figures; no value that an order or a hierarchy lists."""
    assert said(criterion) == words


@pytest.mark.parametrize("kind", sorted(ANONYMIZE))
@settings(max_examples=40, deadline=None)
@given(
    rows=rows_of_people,
    at_most=st.sampled_from([0.0, 0.1]),
    t=st.sampled_from([0.1, 0.2]),
)
def test_a_technique_refuses_nothing_that_everybody_in_one_class_keeps(
    kind: str, rows: list[Row], at_most: float, t: float
):
    """Whatever may be left out: there is always the root."""
    module = ANONYMIZE[kind]
    criteria = [asked("k_anonymity", k=2), asked("t_closeness", column="ill", t=t)]
    tuples = tuples_of(rows)
    if refused(tuples, *criteria) is None:
        recoding = module.recode(module.Parameters(kind=kind), tuples, criteria, at_most)
        assert tuples.rows[recoding.classes < 0].sum() <= at_most * len(rows) + 1e-9
    else:
        with pytest.raises(NotKept, match="not even all rows together"):
            module.recode(module.Parameters(kind=kind), tuples, criteria, at_most)


def test_local_takes_everybody_to_the_root_where_the_parts_would_be_too_far_from_what_is_left():
    """Ten people, of whom two may be left out: classes that were found one by one leave four too far from the rest."""
    of = (
        "a0 1 f cold, a1 4 f cold, a1 4 f flu, a2 1 m cold, a2 2 m cold, "
        "b0 2 m cold, b0 7 f cold, b0 7 m cold, b1 7 m flu, b2 2 m cold"
    )
    rows: list[Row] = []
    for at, words in enumerate(of.split(", ")):
        place, year, sex, ill = words.split()
        rows.append((place, year, sex, ill, at))
    criteria = [asked("k_anonymity", k=2), asked("t_closeness", column="ill", t=0.2)]
    local, tuples = ANONYMIZE["local"], tuples_of(rows)
    recoding = local.recode(local.Parameters(kind="local"), tuples, criteria, 0.2)
    classes = published(rows, tuples, recoding).values()
    everyone = [row for members in classes for row in members]
    assert len(everyone) >= 8
    assert all(holds(one, members, everyone, people=False) for members in classes for one in criteria)
