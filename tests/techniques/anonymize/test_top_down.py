"""Down from the root while the parts keep every criterion; nobody is ever left out."""

from __future__ import annotations

from hypothesis import given, settings

from privacy_assets.errors import NotKept
from privacy_assets.techniques.anonymize import top_down
from tests.techniques.anonymize.tables import Row, asked, published, rows_of_people, tuples_of

PARAMETERS = top_down.Parameters(kind="top_down")


@settings(max_examples=40, deadline=None)
@given(rows=rows_of_people)
def test_nobody_is_left_out(rows: list[Row]):
    """Whatever is asked: everybody is in some class."""
    tuples = tuples_of(rows)
    try:
        recoding = top_down.recode(PARAMETERS, tuples, [asked("k_anonymity", k=2)], 0.0)
    except NotKept:
        return
    assert (recoding.classes >= 0).all()


def test_children_that_are_too_few_stay_together_under_the_old_label():
    """Five of one town go down to it; two of each of two others stay where they were, as four."""
    rows = [("a0", "1", "f", "flu", at) for at in range(5)]
    rows += [
        ("a1", "1", "f", "flu", 5),
        ("a1", "1", "f", "flu", 6),
        ("a2", "1", "f", "flu", 7),
        ("a2", "1", "f", "flu", 8),
    ]
    tuples = tuples_of(rows)
    recoding = top_down.recode(PARAMETERS, tuples, [asked("k_anonymity", k=3)], 0.0)
    assert {cells: len(members) for cells, members in published(rows, tuples, recoding).items()} == {
        ("a0", "1", "f"): 5,
        ("a*", "1", "f"): 4,
    }


def test_a_mixture_is_kept_at_every_step():
    """Women of one town all have one illness: no step separates them."""
    rows = [("a0", "1", "f", "flu", at) for at in range(4)] + [("a0", "1", "m", "cold", at) for at in range(4, 8)]
    tuples = tuples_of(rows)
    criteria = [asked("k_anonymity", k=2), asked("l_diversity", column="ill", l=2)]
    recoding = top_down.recode(PARAMETERS, tuples, criteria, 0.0)
    assert list(published(rows, tuples, recoding)) == [("a0", "1", "*")]
