"""What every criterion owes: whoever adds one gets these tests by its file being there."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from privacy_assets.invariants import INVARIANTS
from privacy_assets.techniques.criteria import CRITERIA
from privacy_assets.techniques.criteria._classes import Classes, Values
from tests.techniques.anonymize.tables import asked

EXAMPLES: dict[str, list[Any]] = {
    "k_anonymity": [asked("k_anonymity", k=3)],
    "l_diversity": [
        asked("l_diversity", column="ill", l=2),
        asked("l_diversity", column="ill", l=1.8, form="entropy"),
        asked("l_diversity", column="ill", l=2, c=1.5, form="recursive"),
    ],
    "t_closeness": [
        asked("t_closeness", column="ill", t=0.3),
        asked("t_closeness", column="ill", t=0.3, distance="ordered", order=("a", "b", "c")),
        asked(
            "t_closeness",
            column="ill",
            t=0.3,
            distance="hierarchical",
            hierarchy=(("a", "x", "*"), ("b", "x", "*"), ("c", "y", "*")),
        ),
    ],
    "hipaa_safe_harbor": [asked("hipaa_safe_harbor", years=("born",), ages=("age",), zips=("zip",))],
    "delta_presence": [asked("delta_presence", member="in_study", at_least=0.1, at_most=0.6)],
}


def classes(counts: np.ndarray, whole: np.ndarray | None = None) -> Classes:
    rows = counts.sum(axis=1)
    whole = counts.sum(axis=0) if whole is None else whole
    return Classes(rows, rows, 2 * rows + 1, {"ill": Values(("a", "b", "c"), counts, whole)})


def test_every_criterion_has_an_example_here():
    """A new one is added with the cases that it has to stand."""
    assert set(EXAMPLES) == set(CRITERIA)


@pytest.mark.parametrize("kind", sorted(CRITERIA))
def test_an_invariant_of_the_same_name_measures_what_it_promises(kind: str):
    """With parameters of the same names, so that what is asked can be handed on."""
    of_invariant = INVARIANTS[kind].Parameters.model_fields
    assert set(CRITERIA[kind].Parameters.model_fields) <= set(of_invariant)


@pytest.mark.parametrize("criterion", [one for each in EXAMPLES.values() for one in each], ids=str)
@settings(max_examples=150, deadline=None)
@given(counts=arrays(np.int64, (4, 3), elements=st.integers(0, 5)))
def test_what_is_said_of_merging_is_true(criterion: Any, counts: np.ndarray):
    """Where a criterion says that it survives merging, a class that keeps it does with any other; else two that keep
    it do together."""
    counts = counts[counts.sum(axis=1) > 0]
    if not len(counts):
        return
    module, whole = CRITERIA[criterion.kind], counts.sum(axis=0)
    kept = module.holds(criterion, classes(counts, whole))
    assert kept.shape == (len(counts),)
    for one in range(len(counts)):
        for other in range(one):
            if kept[one] and (kept[other] or module.merges(criterion)):
                merged = classes((counts[one] + counts[other])[None, :], whole)
                if criterion.kind != "delta_presence":
                    assert module.holds(criterion, merged).all()


def test_k_counts_people_and_not_rows():
    """Five rows of two people are a class of two."""
    two = Classes(np.array([2, 3]), np.array([5, 3]), np.array([5, 3]), {})
    assert CRITERIA["k_anonymity"].holds(asked("k_anonymity", k=3), two).tolist() == [False, True]


@pytest.mark.parametrize(
    ("counts", "form", "l", "c", "kept"),
    [
        ([3, 0, 0], "distinct", 2, None, False),
        ([3, 1, 0], "distinct", 2, None, True),
        ([2, 2, 0], "entropy", 2, None, True),
        ([3, 1, 0], "entropy", 2, None, False),
        ([3, 1, 1], "recursive", 2, 2.0, True),
        ([3, 1, 1], "recursive", 2, 1.5, False),
        ([3, 1, 1], "recursive", 3, 4.0, True),
        ([3, 1, 0], "recursive", 3, 100.0, False),
    ],
)
def test_l_diversity_by_hand(counts: list[int], form: str, l: float, c: float | None, kept: bool):  # noqa: E741
    """Each form's inequality at its edge."""
    criterion = asked("l_diversity", column="ill", form=form, l=l, c=c)
    assert CRITERIA["l_diversity"].holds(criterion, classes(np.array([counts]))).tolist() == [kept]


@pytest.mark.parametrize(
    ("distance", "expected"), [("equal", 2 / 3), ("ordered", 1 / 2), ("hierarchical", 1 / 2 * (1 / 3) + 1 / 3)]
)
def test_t_closeness_by_hand(distance: str, expected: float):
    """A class of `a` alone, in a table of a, b, c alike: one third moves to b, one third to c.

    ordered: (1/3 * 1 + 1/3 * 2) / 2. hierarchical: a third to the sibling costs 1/2, a third over the root costs 1.
    """
    of_each = {one.distance: one for one in EXAMPLES["t_closeness"]}
    found = CRITERIA["t_closeness"].distances(of_each[distance], classes(np.array([[3, 0, 0]]), np.array([5, 5, 5])))
    assert found[0] == pytest.approx(expected)


def test_a_value_that_stands_in_no_order_is_infinitely_far():
    """Nothing is close to what nobody knows the place of."""
    module = CRITERIA["t_closeness"]
    for criterion in (
        asked("t_closeness", column="ill", t=1, distance="ordered", order=("a", "b")),
        asked("t_closeness", column="ill", t=1, distance="hierarchical", hierarchy=(("a", "*"), ("b", "*"))),
    ):
        assert not module.holds(criterion, classes(np.array([[1, 1, 1]]))).any()
        assert module.holds(criterion, classes(np.array([[1, 1, 0]]))).all()


def test_delta_presence_by_hand():
    """Two of five of a class are published: between a tenth and a half, and not between a half and all."""
    two_of_five = Classes(np.array([2]), np.array([2]), np.array([5]), {})
    module = CRITERIA["delta_presence"]
    assert module.holds(asked("delta_presence", member="m", at_least=0.1, at_most=0.5), two_of_five).all()
    assert not module.holds(asked("delta_presence", member="m", at_least=0.5, at_most=1.0), two_of_five).any()


@pytest.mark.parametrize(
    ("column", "labels", "told"),
    [
        ("born", ["1950", "1960-1969", "*", None], True),
        ("born", ["1950-01"], False),
        ("age", ["89", ">=90", ">=75", "90+", "[85,90)", "<20"], True),
        ("age", ["90"], False),
        ("age", ["[85,95)"], False),
        ("age", ["<95"], False),
        ("age", [">=95"], False),
        ("zip", ["021**", "000"], True),
        ("zip", ["0213*"], False),
        ("zip", ["036**"], False),
        ("sex", ["whatever"], True),
    ],
)
def test_safe_harbor_closes_levels_that_tell_too_much(column: str, labels: list[str | None], told: bool):
    """One label is enough."""
    [asked_of] = EXAMPLES["hipaa_safe_harbor"]
    assert CRITERIA["hipaa_safe_harbor"].coarse_enough(asked_of, column, pl.Series(labels, dtype=pl.String)) is told


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("hipaa_safe_harbor", {}),
        ("l_diversity", {"l": 2.5}),
        ("l_diversity", {"l": 2, "c": 1.0}),
        ("l_diversity", {"l": 2, "form": "recursive"}),
        ("t_closeness", {"t": 1.1}),
        ("t_closeness", {"t": 0.1, "order": ("a",)}),
        ("t_closeness", {"t": 0.1, "distance": "hierarchical"}),
        ("t_closeness", {"t": 0.1, "distance": "hierarchical", "hierarchy": (("a", "x", "*"), ("b", "x", "y"))}),
        ("delta_presence", {"member": "m", "at_least": 0.6, "at_most": 0.5}),
        ("k_anonymity", {"k": 0}),
    ],
)
def test_what_means_nothing_is_refused(kind: str, parameters: dict[str, Any]):
    """When it is declared, before anything runs."""
    with pytest.raises(ValidationError):
        CRITERIA[kind].Parameters(kind=kind, **parameters)
