"""Gower's nearest rows: the same as by looking at every pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.attacks._nearest import gower, near, nearest
from privacy_assets.coded import Coded, Domain

DOMAINS = (
    Domain("category", ("a", "b", "c")),
    Domain("flag", ("no", "yes")),
    Domain("only", ("one",)),
    Domain("age", low=0, high=90),
    Domain("weight", low=0, high=70_000, step=0.5),
    Domain("same", low=3, high=3),
)


def _table(rows: int, generator: np.random.Generator) -> Coded:
    """Rows with NULL in every column, and of ordered values often near ones."""
    drawn = [generator.integers(domain.size + 1, size=rows) for domain in DOMAINS]
    drawn[4] = np.where(generator.random(rows) < 0.5, drawn[4] // 10_000, drawn[4])
    return Coded(DOMAINS, np.stack(drawn, axis=1).astype(np.int32))


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    rows=st.sampled_from([1, 2, 7, 300, 3_000]),
    columns=st.lists(st.integers(0, len(DOMAINS) - 1), min_size=1, unique=True),
    k=st.sampled_from([1, 2, 10]),
)
def test_they_are_those_of_every_pair(seed: int, rows: int, columns: list[int], k: int) -> None:
    """Places and distances, whatever the columns are; of equally near rows the first."""
    generator = np.random.default_rng(seed)
    released, people = _table(rows, generator), _table(20, generator)
    apart = sum(
        gower(people.codes[:, None, place], released.codes[None, :, place], DOMAINS[place]) for place in columns
    )
    expected = np.argsort(np.round(apart, 9), axis=1, kind="stable")[:, :k]
    found, distances = nearest(people, released, columns, k)
    assert found.tolist() == expected.tolist()
    assert distances == pytest.approx(np.take_along_axis(apart, expected, axis=1), abs=1e-9)


def test_distances_by_hand() -> None:
    """Equal or not, a part of the domain, NULL as far as can be, two NULLs alike."""
    assert gower(np.int32([0, 1, 3, 3]), np.int32([0, 2, 0, 3]), DOMAINS[0]).tolist() == [0, 1, 1, 0]
    assert gower(np.int32([0, 9, 91, 91]), np.int32([90, 0, 5, 91]), DOMAINS[3]).tolist() == [1, 0.1, 1, 0]
    assert gower(np.int32([0, 1]), np.int32([0, 0]), DOMAINS[5]).tolist() == [0, 1]


def test_near_is_all_but_one_or_close() -> None:
    """One category that differs is near; two are not; small steps in many numbers are."""
    numbers = tuple(Domain(name, low=0, high=1_000) for name in "abcd")
    released = Coded(numbers, np.int32([[500, 500, 500, 500]]))
    people = Coded(
        numbers, np.int32([[500, 500, 500, 0], [501, 499, 501, 499], [500, 500, 0, 0], [520, 520, 500, 500]])
    )
    assert near(people, released, 0.002).tolist() == [True, True, False, False]


def test_nothing_is_near_nothing() -> None:
    """Without a released row, or without anybody, there are no neighbours."""
    some, none = _table(3, np.random.default_rng(0)), _table(0, np.random.default_rng(0))
    assert nearest(some, none, [0, 3])[0].shape == (3, 0)
    assert nearest(none, some, [0, 3])[0].shape == (0, 1)
    assert near(some, none, 0.5).tolist() == [False] * 3
