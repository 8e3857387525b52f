"""Little loss where rows have company, company at the root for those who have none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from privacy_assets.errors import NotKept
from privacy_assets.techniques.anonymize import full_domain, local
from tests.techniques.anonymize.tables import Row, asked, published, rows_of_people, tuples_of

PARAMETERS = local.Parameters(kind="local")
K = [asked("k_anonymity", k=3)]


def test_levels_differ_from_row_to_row():
    """Three of one town stay there; three of one region are of the region."""
    rows = [("a0", "1", "f", "flu", at) for at in range(3)]
    rows += [(f"b{at}", "1", "f", "flu", 3 + at) for at in range(3)]
    tuples = tuples_of(rows)
    recoding = local.recode(PARAMETERS, tuples, K, 0.0)
    assert sorted(published(rows, tuples, recoding)) == [("a0", "1", "f"), ("b*", "1", "f")]


def test_who_is_left_at_the_root_is_suppressed_or_joined_by_the_last():
    """One row without company: left out where one may be, else with those that were found last."""
    rows = [("a0", "1", "f", "flu", at) for at in range(3)]
    rows += [("b0", "7", "m", "flu", at) for at in range(4, 7)] + [("b1", "2", "f", "flu", 7)]
    tuples = tuples_of(rows)
    assert sum(local.recode(PARAMETERS, tuples, K, 0.15).classes < 0) == 1
    joined = published(rows, tuples, local.recode(PARAMETERS, tuples, K, 0.0))
    assert sorted(map(len, joined.values())) == [3, 4]
    assert ("*", "*", "*") in joined


@settings(max_examples=40, deadline=None)
@given(rows=rows_of_people)
def test_it_loses_no_more_than_one_level_for_all(rows: list[Row]):
    """Under k-anonymity alone and the same ceiling: what one level for all rows costs is more, or the same."""
    tuples = tuples_of(rows)
    try:
        best = full_domain.recode(full_domain.Parameters(kind="full_domain"), tuples, K, 0.0)
    except NotKept:
        return
    found = local.recode(PARAMETERS, tuples, K, 0.0)
    apart = [(one.loss * tuples.rows).sum() / tuples.number for one in (found, best)]
    # greedy: three rows that are left can drag a class to the root, which is at most 2k - 1 rows of loss
    assert apart[0] <= apart[1] + 5 / len(rows) + 1e-9


def test_a_lattice_that_is_too_large_is_walked_along_chains(monkeypatch: pytest.MonkeyPatch):
    """What comes out is sound all the same, and the same for the same seed."""
    rows = [("a0", str(at % 8), "fm"[at % 2], "flu", at) for at in range(40)]
    monkeypatch.setattr(local, "MOST_NODES", 5)
    monkeypatch.setattr(local, "CHAINS", 3)
    tuples = tuples_of(rows)
    first, second = (local.recode(PARAMETERS, tuples, K, 0.0) for _ in range(2))
    assert min(map(len, published(rows, tuples, first).values())) >= 3
    assert first.classes.tolist() == second.classes.tolist()
    assert first.looks < 24
