"""What every technique owes: whoever adds one gets these tests by its file being there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privacy_assets.errors import NotKept
from privacy_assets.techniques.anonymize import ANONYMIZE
from privacy_assets.techniques.anonymize._tuples import Recoding, Tuples
from privacy_assets.words import Column, Role
from tests.techniques.anonymize.tables import ILLS, TABLES, Row, asked, holds, published, rows_of_people, tuples_of

MEMBERS = sorted(ANONYMIZE)
CRITERIA = {
    "k": [asked("k_anonymity", k=3)],
    "k and l": [asked("k_anonymity", k=2), asked("l_diversity", column="ill", l=2)],
    "k and t": [asked("k_anonymity", k=2), asked("t_closeness", column="ill", t=0.4)],
}
TOWN = [("a0", "1", "f", ILLS[at % 3], at) for at in range(6)] + [("b2", "7", "m", ILLS[at % 3], at) for at in range(6)]


def recode(kind: str, tuples: Tuples, criteria: list[object], at_most: float = 1.0) -> Recoding:
    module = ANONYMIZE[kind]
    return module.recode(module.Parameters(kind=kind), tuples, criteria, at_most)


@pytest.mark.parametrize("people", [False, True], ids=["rows", "people"])
@pytest.mark.parametrize("named", CRITERIA)
@pytest.mark.parametrize("kind", MEMBERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows_of_people, at_most=st.sampled_from([0.0, 0.1, 1.0]))
def test_every_published_class_keeps_every_criterion(
    kind: str, named: str, people: bool, rows: list[Row], at_most: float
):
    """Counted by hand, from what somebody sees; and no more is left out than may be."""
    tuples, criteria = tuples_of(rows, people=people), CRITERIA[named]
    try:
        recoding = recode(kind, tuples, criteria, at_most)
    except NotKept:
        return
    seen = published(rows, tuples, recoding)
    everyone = [row for members in seen.values() for row in members]
    for members in seen.values():
        assert all(holds(criterion, members, everyone, people=people) for criterion in criteria)
    assert len(rows) - len(everyone) <= at_most * len(rows) + 1e-9


@pytest.mark.parametrize("kind", MEMBERS)
def test_rows_that_look_alike_already_stay_as_they_are(kind: str):
    """Nothing is generalized where nothing stands out."""
    tuples = tuples_of(TOWN)
    recoding = recode(kind, tuples, CRITERIA["k"], 0.0)
    assert len(published(TOWN, tuples, recoding)) == 2
    assert recoding.loss.tolist() == [0, 0]


@pytest.mark.parametrize("kind", MEMBERS)
@given(rows=rows_of_people)
@settings(max_examples=30, deadline=None)
def test_a_cell_says_nothing_that_is_not_true(kind: str, rows: list[Row]):
    """A label is one of those above the leaf; a list or a range holds it; the loss is that of what stands there."""
    tuples = tuples_of(rows)
    try:
        recoding = recode(kind, tuples, CRITERIA["k"])
    except NotKept:
        return
    for place, (name, table) in enumerate(TABLES.items()):
        above = {row[0]: row for row in table}
        for at, code in enumerate(tuples.codes[:, place]):
            cell, leaf = recoding.cells[place][at], table[code][0]
            if recoding.classes[at] < 0:
                continue
            if isinstance(cell, float):
                assert 0 <= cell <= 7
            else:
                assert cell in above[leaf] or leaf in cell.split("|"), name
    assert (recoding.loss >= 0).all() and (recoding.loss <= 1 + 1e-9).all()


@pytest.mark.parametrize("kind", MEMBERS)
def test_the_order_of_rows_changes_nothing(kind: str):
    """The same people in another order are the same table."""
    rng = np.random.default_rng(5)
    rows = [(f"{'ab'[a]}{b}", str(c), "fm"[d], ILLS[e], at) for at, (a, b, c, d, e) in enumerate(
        zip(*(rng.integers(0, top, 80) for top in (2, 3, 8, 2, 3)), strict=True))]  # fmt: skip
    one, other = tuples_of(rows), tuples_of([rows[at] for at in rng.permutation(len(rows))])
    first, second = recode(kind, one, CRITERIA["k and l"]), recode(kind, other, CRITERIA["k and l"])
    assert [cell.to_list() for cell in first.cells] == [cell.to_list() for cell in second.cells]


@pytest.mark.parametrize("kind", MEMBERS)
@pytest.mark.parametrize(
    ("criterion", "nearest"),
    [
        (asked("k_anonymity", k=13), "at most 12"),
        (asked("l_diversity", column="ill", l=4), "at most 3"),
        (asked("l_diversity", column="ill", l=3.5, form="entropy"), "about 3.00"),
        (asked("l_diversity", column="ill", l=3, c=0.9, form="recursive"), "c above 1"),
    ],
)
def test_what_cannot_be_kept_is_named_with_the_nearest_that_can(kind: str, criterion: object, nearest: str):
    """Not even everybody in one class would keep it."""
    with pytest.raises(NotKept, match="not even all rows together") as caught:
        recode(kind, tuples_of(TOWN), [criterion])
    assert nearest in caught.value.faults[0].expected
    assert not any(ill in str(caught.value) for ill in ILLS)


@pytest.mark.parametrize("kind", MEMBERS)
def test_a_table_of_one_row_is_one_class_or_none(kind: str):
    """k = 1 keeps it as it is; k = 2 cannot be."""
    tuples = tuples_of(TOWN[:1])
    assert recode(kind, tuples, [asked("k_anonymity", k=1)], 0.0).loss.tolist() == [0]
    with pytest.raises(NotKept):
        recode(kind, tuples, [asked("k_anonymity", k=2)], 1.0)


@pytest.mark.parametrize("kind", MEMBERS)
def test_what_leaves_identifies_nobody_by_itself(kind: str):
    """Whatever a column was, afterwards it is of no identifier domain, and its technique is told."""
    module = ANONYMIZE[kind]
    column = Column("age", "INTEGER", Role.QUASI_IDENTIFIER)
    after = module.output(module.Parameters(kind=kind), column, ("1", "*"))
    assert after.identifier_domain is None
    assert after.technique == kind
    assert module.EXACT
