"""bucket: the interval that a number lies in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from privacy_assets.techniques.pseudonymize import bucket
from privacy_assets.words import Column, Role

AGE = Column("age", "INTEGER", Role.QUASI_IDENTIFIER)
WEIGHT = Column("weight", "DOUBLE", Role.QUASI_IDENTIFIER)


def test_labels_come_from_the_edges(made: Any) -> None:
    """They read as the intervals do, and are the domain."""
    asked = made("bucket", edges=[-1, 18, 30.5, 65])
    labels = ("<-1", "[-1,18)", "[18,30.5)", "[30.5,65)", ">=65")
    assert asked.labels == labels
    assert bucket.output(asked, AGE).domain == labels
    assert bucket.output(asked, AGE).type == "VARCHAR"


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(allow_nan=False), min_size=1, max_size=20),
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5, unique=True).map(sorted),
)
def test_numbers_fall_into_their_interval(bench: Any, made: Any, numbers: list[float], edges: list[float]) -> None:
    """As counting the edges below a number says."""
    asked = made("bucket", edges=edges)
    expected = [asked.labels[sum(edge <= number for edge in edges)] for number in numbers]
    assert bench.leave(asked, WEIGHT, numbers).values == expected


def test_an_edge_belongs_to_the_bucket_above(bench: Any, made: Any) -> None:
    """At the edge itself, one below it, and where the edge lies between two whole numbers."""
    asked = made("bucket", edges=[18, 29.5])
    assert bench.leave(asked, AGE, [17, 18, 29, 30]).values == ["<18", "[18,29.5)", "[18,29.5)", ">=29.5"]


def test_what_is_no_number_has_no_bucket(bench: Any, made: Any) -> None:
    """NULL and NaN leave as NULL; NaN is not the greatest number."""
    asked = made("bucket", edges=[18])
    assert bench.leave(asked, WEIGHT, [None, float("nan"), float("inf")]).values == [None, None, ">=18"]


def test_a_number_that_slipped_through_is_noticed(bench: Any, made: Any) -> None:
    """A value that is no label is noticed, as number or as text."""
    asked = made("bucket", edges=[18])
    assert bench.accused(asked, AGE, [17, None]) == [True, False]
    assert bench.accused(asked, Column("age", "VARCHAR"), ["17", "<18"]) == [True, False]


@pytest.mark.parametrize("edges", [[], [1, 1], [2, 1], [float("nan")], [float("inf")]])
def test_edges_rise(edges: list[float], made: Any) -> None:
    """No edges, equal or falling ones, and none that is no number."""
    with pytest.raises(ValidationError):
        made("bucket", edges=edges)
