"""Cell suppression against a reader who tries every table that there could be."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from privacy_assets.errors import NotKept
from privacy_assets.techniques.aggregate import _suppression
from privacy_assets.techniques.aggregate._suppression import Measured, untold

K = 2
GRID = [(row, column) for row in range(2) for column in range(3)]
NAMES: list[Any] = [*GRID, *((row, None) for row in range(2)), *((None, column) for column in range(3)), None]
"""The cells of a table of two rows and three columns, its margins and the total."""


def _all_cells(inner: Sequence[int]) -> list[int]:
    """Every cell of the table with these inner ones."""
    return [int(cell) for cell in _all_of(np.array([inner]))[0]]


def _all_of(inner: np.ndarray) -> np.ndarray:
    """Every cell of each table, a row a table."""
    tables = inner.reshape(-1, 2, 3)
    return np.hstack([inner, tables.sum(axis=2), tables.sum(axis=1), inner.sum(axis=1, keepdims=True)])


SUMS = [
    *((NAMES.index((row, None)), [NAMES.index((row, column)) for column in range(3)]) for row in range(2)),
    *((NAMES.index((None, column)), [NAMES.index((row, column)) for row in range(2)]) for column in range(3)),
    (NAMES.index(None), [NAMES.index((row, None)) for row in range(2)]),
    (NAMES.index(None), [NAMES.index((None, column)) for column in range(3)]),
]


def _counts(cells: Sequence[int], *, asked: Sequence[bool] | None = None) -> Measured:
    exact = np.array(cells, dtype=float)
    would = np.ones(len(cells), dtype=bool) if asked is None else np.array(asked)
    few = exact < K
    return Measured(
        exact=exact,
        asked=would,
        primary=would & few,
        fixed=np.zeros(len(cells), dtype=bool),
        before=np.zeros(len(cells), dtype=bool),
        need=np.full(len(cells), float(K)),
        whole=True,
    )


def _tables(total: int) -> np.ndarray:
    """Every table with so many rows at most: all its cells, a row a table."""
    bars = np.array(list(itertools.combinations(range(total + 6), 6)))
    return _all_of(np.diff(bars, axis=1, prepend=-1) - 1)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=6, max_size=6), st.sampled_from([True, False]))
def test_whoever_tries_every_table_finds_no_small_cell(inner: list[int], margins: bool) -> None:
    """Among all tables that are told alike there is one with k more people in each cell that is too small to tell."""
    cells = _all_cells(inner)
    asked = [margins or name in GRID or name is None for name in NAMES]
    measured = _counts(cells, asked=asked)
    out, _ = untold(SUMS, [measured])
    told = measured.asked & ~out
    assert not (told & measured.primary).any()
    known = np.array(cells)[told]
    # where nothing is told of the whole, k more people for each cell are enough to look for
    tables = _tables(sum(inner) + K)
    most = tables[(tables[:, told] == known).all(axis=1)].max(axis=0)
    assert all(most[at] >= cells[at] + K for at in np.flatnonzero(measured.primary))


def test_one_cell_too_small_takes_others_with_it() -> None:
    """The textbook's table: one cell cannot be left out alone, and three more go; the margins stay."""
    cells = _all_cells([1, 20, 30, 10, 12, 25])
    out, _ = untold(SUMS, [_counts(cells)])
    hidden = [NAMES[at] for at in np.flatnonzero(out)]
    assert len(hidden) == 4
    assert (0, 0) in hidden
    assert all(name in GRID for name in hidden)
    assert sorted(sum(row == which for row, _ in hidden) for which in range(2)) == [2, 2]


def test_the_small_cell_alone_is_given_away() -> None:
    """The control: without the others every table that is told alike has the same number there."""
    cells = _all_cells([1, 4, 3, 2, 4, 2])
    told = np.array([name != (0, 0) for name in NAMES])
    tables = _tables(sum(cells[:6]) + K)
    alike = (tables[:, told] == np.array(cells)[told]).all(axis=1)
    assert set(tables[alike, 0].tolist()) == {1}


def test_nothing_is_left_out_where_all_are_many() -> None:
    """No cell is small, and all are told."""
    assert not untold(SUMS, [_counts(_all_cells([9, 9, 9, 9, 9, 9]))])[0].any()


def test_what_is_known_anyway_protects_nothing() -> None:
    """A cell that everybody knows cannot be the one that is smaller instead: its margin has to go."""
    cells = _all_cells([1, 8, 9, 4, 8, 7])
    free = _counts(cells)
    known = np.array([name == (1, 0) for name in NAMES])
    margin = NAMES.index((None, 0))
    assert untold(SUMS, [replace(free, fixed=known, asked=~known)])[0][margin]
    assert not untold(SUMS, [free])[0][margin]


def test_what_was_told_before_protects_nothing_either() -> None:
    """Another cell has to; where there is none, the release that leaves the small one bare is named."""
    cells = _all_cells([1, 8, 9, 4, 8, 7])
    told = _counts(cells)
    beside = NAMES.index((1, 0))
    out, bare = untold(SUMS, [told])
    assert out[beside] and not bare.any()
    known = np.array([name == (1, 0) for name in NAMES])
    out, bare = untold(SUMS, [replace(told, before=known)])
    assert out[NAMES.index((None, 0))] and not bare.any()
    known = np.array([name != (0, 0) for name in NAMES])
    out, bare = untold(SUMS, [replace(told, before=known)])
    assert np.flatnonzero(bare).tolist() == [NAMES.index((0, 0))]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(-40, 40), min_size=6, max_size=6),
    st.sets(st.sampled_from(range(6)), min_size=1, max_size=3),
    st.booleans(),
)
def test_amounts_cannot_be_told_to_within_the_largest(inner: list[int], primary: set[int], negative: bool) -> None:
    """The highest sum that a protected cell could have, by a linear program of its own, is so much above its own."""
    from scipy.optimize import linprog

    assume(negative or min(inner) >= 0)
    cells = _all_cells(inner)
    size = len(cells)
    chosen = np.array([at in primary for at in range(size)])
    need = np.where(chosen, 7.0, 1.0)
    measured = Measured(
        np.array(cells, dtype=float),
        np.ones(size, dtype=bool),
        chosen,
        np.zeros(size, dtype=bool),
        np.zeros(size, dtype=bool),
        need,
        False,
        negative,
    )
    out, _ = untold(SUMS, [measured])
    assert (out & chosen).sum() == chosen.sum()
    equal, right = [], []
    for whole, parts in SUMS:
        row = np.zeros(size)
        row[whole], row[parts] = 1, -1
        equal.append(row)
        right.append(0.0)
    bounds = [(None if negative else 0, None) if out[at] else (cells[at], cells[at]) for at in range(size)]
    for at in np.flatnonzero(chosen):
        found = linprog(-np.eye(size)[at], A_eq=np.array(equal), b_eq=right, bounds=bounds)
        assert found.status == 3 or -found.fun >= cells[at] + 7 - 1e-4


def test_measures_share_what_is_not_told() -> None:
    """A cell that one measure hides is hidden in the other."""
    cells = _all_cells([9, 9, 9, 9, 9, 9])
    counts = _counts(cells)
    dominated = replace(counts, primary=np.array([name == (1, 2) for name in NAMES]), whole=False)
    assert untold(SUMS, [counts, dominated])[0][NAMES.index((1, 2))]


def test_a_search_that_does_not_end_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an answer in time nothing is told, and what to do is."""
    monkeypatch.setattr(_suppression, "MOST_SECONDS", 0.0)
    with pytest.raises(NotKept, match="could not be found out"):
        untold(SUMS, [_counts(_all_cells([1, 20, 30, 10, 12, 25]))])
