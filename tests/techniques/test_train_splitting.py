"""_splitting: who goes into which split."""

from collections import Counter

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from privacy_assets.contracts.purpose import Split
from privacy_assets.techniques.train._splitting import split_expression

DEFAULT = Split()


def _deal(subjects, shares=DEFAULT, seed=0):
    """The split of each subject, as DuckDB says."""
    dealt = split_expression(exp.column("the person", quoted=True), shares, seed).sql(dialect="duckdb")
    rows = 'SELECT unnest(CAST($subjects AS VARCHAR[])) AS "the person"'
    return [split for (split,) in duckdb.execute(f"SELECT {dealt} FROM ({rows})", {"subjects": subjects}).fetchall()]


def _deal_range(number, shares, seed):
    dealt = split_expression(exp.column("range"), shares, seed).sql(dialect="duckdb")
    return dict(duckdb.sql(f"SELECT {dealt} AS split, count(*) FROM range({number}) GROUP BY split").fetchall())


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("shares", [Split(), Split(train=0.5, validation=0.2, test=0.3)])
def test_shares_are_as_declared(shares, seed):
    """Of 40,000 subjects each split has its share, to one part in a hundred."""
    found = _deal_range(40_000, shares, seed)
    assert set(found) == {"train", "validation", "test"}
    for split, rows in found.items():
        assert rows / 40_000 == pytest.approx(getattr(shares, split), abs=0.01)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.text(max_size=5), max_size=20), st.integers(-5, 5))
def test_rows_of_one_subject_are_never_apart(subjects, seed):
    """A subject's split depends on nobody else and on no order."""
    together = dict(zip(subjects, _deal(subjects, seed=seed), strict=True))
    assert _deal(subjects[::-1], seed=seed) == [together[subject] for subject in subjects[::-1]]
    assert all(_deal([subject], seed=seed) == [together[subject]] for subject in subjects[:3])


def test_another_seed_deals_anew():
    """The seed decides, and the same seed decides the same."""
    subjects = [str(number) for number in range(200)]
    assert _deal(subjects, seed=1) == _deal(subjects, seed=1)
    assert _deal(subjects, seed=1) != _deal(subjects, seed=2)


def test_a_row_without_a_subject_has_no_split():
    """Nobody cannot be kept apart from anybody, so it is left for the measure to find."""
    assert _deal([None, "a"])[0] is None


@settings(deadline=None, max_examples=20)
@given(st.floats(0.01, 0.97), st.floats(0.01, 0.98))
def test_growing_train_takes_nobody_out_of_it(one, other):
    """Who is in train stays there when its share grows."""
    small, large = sorted((one, other))
    subjects = [str(number) for number in range(60)]
    before, after = (
        _deal(subjects, Split(train=train, validation=(1 - train) / 2, test=(1 - train) / 2))
        for train in (small, large)
    )
    assert all(now == "train" for then, now in zip(before, after, strict=True) if then == "train")


def test_shares_at_the_edge_still_name_a_split():
    """However small a share is, every subject has a split."""
    found = Counter(_deal([str(number) for number in range(500)], Split(train=1 - 2e-10, validation=1e-10, test=1e-10)))
    assert found == {"train": 500}
