"""The least loss of all levels, proven by looking at each of them."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.errors import NotKept
from privacy_assets.techniques.anonymize import full_domain
from privacy_assets.techniques.anonymize._tuples import Levels, Tuples
from tests.techniques.anonymize.tables import TABLES, Row, asked, holds, rows_of_people, tuples_of

PARAMETERS = full_domain.Parameters(kind="full_domain")
K = [asked("k_anonymity", k=3)]
L = [asked("k_anonymity", k=2), asked("l_diversity", column="ill", l=2)]


def by_hand(rows: list[Row], criteria: list[object], at_most: float, weights: tuple[float, ...]) -> float | None:
    """The least loss of all nodes that suppress no more than may be, each looked at row by row."""
    best = None
    for node in itertools.product(*(range(len(table[0])) for table in TABLES.values())):
        labels = [{row[0]: row[level] for row in table} for table, level in zip(TABLES.values(), node, strict=True)]
        seen: dict[tuple[str, ...], list[Row]] = {}
        for row in rows:
            seen.setdefault(tuple(known[row[place]] for place, known in enumerate(labels)), []).append(row)
        kept = [
            members for members in seen.values() if all(holds(one, members, rows, people=False) for one in criteria)
        ]
        number = sum(map(len, kept))
        if len(rows) - number > at_most * len(rows) + 1e-9:
            continue
        loss = float(len(rows) - number)
        for place, known in enumerate(labels):
            sizes = {label: list(known.values()).count(label) for label in known.values()}
            cells = (sizes[known[row[place]]] - 1 for members in kept for row in members)
            loss += sum(cells) / (len(known) - 1) * weights[place] / sum(weights)
        best = loss / len(rows) if best is None else min(best, loss / len(rows))
    return best


@settings(max_examples=60, deadline=None)
@given(
    rows=rows_of_people,
    at_most=st.sampled_from([0.0, 0.05, 0.2, 0.6]),
    criteria=st.sampled_from([K, L]),
    weights=st.sampled_from([(1.0, 1.0, 1.0), (5.0, 1.0, 0.5)]),
)
def test_the_loss_is_the_least_of_all_nodes(
    rows: list[Row], at_most: float, criteria: list[object], weights: tuple[float, ...]
):
    """A second search, without any bound, finds nothing better; and nothing where nothing is found."""
    tuples = tuples_of(rows, weights=weights)
    expected = by_hand(rows, criteria, at_most, weights)
    if expected is None:
        with pytest.raises(NotKept, match="not even all rows together"):
            full_domain.recode(PARAMETERS, tuples, criteria, at_most)
        return
    found = full_domain.recode(PARAMETERS, tuples, criteria, at_most)
    loss = np.where(found.classes < 0, 1.0, found.loss)
    assert float((loss * tuples.rows).sum()) / tuples.number == pytest.approx(expected, abs=1e-12)
    assert found.optimal


def test_leaving_one_out_saves_the_others_their_towns():
    """One person alone in another region: left out where one may be, else all are of everywhere."""
    rows = [("a0", "1", "f", "flu", at) for at in range(9)] + [("b0", "1", "f", "flu", 9)]
    assert full_domain.recode(PARAMETERS, tuples_of(rows), K, 0.0).levels == (2, 0, 0)
    assert full_domain.recode(PARAMETERS, tuples_of(rows), K, 0.1).levels == (0, 0, 0)


def test_more_levels_than_can_be_searched_are_thinned_and_said(monkeypatch: pytest.MonkeyPatch):
    """What is found then is sound, and is not called the best."""
    monkeypatch.setattr(full_domain, "MOST_NODES", 12)
    rows = [("a0", str(at % 8), "fm"[at % 2], "flu", at) for at in range(16)]
    found = full_domain.recode(PARAMETERS, tuples_of(rows), K, 0.0)
    assert not found.optimal
    assert found.levels is not None and found.levels[1] in (0, 1, 2, 3)
    monkeypatch.setattr(full_domain, "MOST_NODES", 4)
    with pytest.raises(NotKept, match="too many quasi-identifiers"):
        full_domain.recode(PARAMETERS, tuples_of(rows), K, 0.0)


def test_more_combinations_than_numbers_are_told_apart_all_the_same():
    """Twelve columns of a hundred thousand values each: 10^60 combinations, and two people alike in all but one."""
    leaves = pl.Series([str(at) for at in range(100_000)])
    column = Levels.of("c", [leaves, pl.repeat("*", 100_000, eager=True)])
    codes = np.zeros((3, 12), dtype=np.int64)
    codes[2, 11] = codes[0, 5] = codes[1, 5] = 99_999
    tuples = Tuples((column,) * 12, codes[1:], np.array([2, 2]))
    assert tuples.keys is None
    grouping = tuples.classes_at((0,) * 12)
    assert len(grouping) == 2
    assert len(tuples.classes_at((0,) * 5 + (1,) + (0,) * 5 + (1,))) == 1
    assert len(tuples.classes_at((0,) * 11 + (1,))) == 2
    found = full_domain.recode(PARAMETERS, tuples, [asked("k_anonymity", k=3)], 0.0)
    assert found.levels == (0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1)
