"""k_anonymity: cases, and what its own laws are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from privacy_assets.invariants.k_anonymity import Parameters
from tests.invariants.brute_force import k, table
from tests.invariants.engine import measured

_ASKS = {"quasi_identifiers": ["the age", "rows"], "k": 2}


def _rows(*rows):
    return f'SELECT * FROM (VALUES {", ".join(rows)}) AS v("the age", "rows")'


KEPT = [
    {
        "asks": _ASKS,
        "output": _rows("(1, 'a')", "(1, 'a')", "(2, 'b')", "(2, 'b')", "(2, 'b')"),
        "numbers": {"rows": 5, "classes": 2, "smallest": 2},
    },
    {"asks": _ASKS, "output": _rows("(NULL, 'a')", "(NULL, 'a')", "(1, NULL)", "(1, NULL)"), "numbers": {"classes": 2}},
    {"asks": _ASKS | {"k": 1}, "output": _rows("(1, 'a')"), "numbers": {"smallest": 1}},
]
BROKEN = [
    {"asks": _ASKS, "output": _rows("(1, 'a')", "(1, 'a')", "(2, 'b')"), "numbers": {"smallest": 1}},
    {"asks": _ASKS, "output": _rows("(1, 'a')", "(1, 'a')", "(1, NULL)"), "numbers": {"classes": 2, "smallest": 1}},
    {"asks": _ASKS, "output": _rows("(1, 'a')", "(1, 'b')"), "numbers": {"classes": 2}},
]
_QIS = ["q1", "q2"]


def _smallest(rows):
    return measured("k_anonymity", {"quasi_identifiers": _QIS, "k": 1}, output=rows)["smallest"]


@given(table(_QIS), st.data())
def test_merging_two_classes_never_lowers_k(rows, data):
    """What makes two classes one leaves no class smaller than the smallest was."""
    pair = st.sampled_from(sorted({(row["q1"], row["q2"]) for row in rows}, key=repr))
    one, other = data.draw(pair), data.draw(pair)
    merged = [
        row | dict(zip(_QIS, one, strict=True)) if (row["q1"], row["q2"]) == other else row
        for row in rows
    ]  # fmt: skip
    assert _smallest(merged) >= _smallest(rows)


@given(table(_QIS), st.randoms(use_true_random=False))
def test_shuffling_rows_changes_nothing(rows, random):
    """The order is no part of the data, and the second implementation says the same."""
    shuffled = random.sample(rows, len(rows))
    assert _smallest(shuffled) == _smallest(rows) == k(rows, _QIS)


def test_a_k_below_one_is_none():
    """Every class has a row."""
    with pytest.raises(ValidationError):
        Parameters(kind="k_anonymity", quasi_identifiers=["a"], k=0)
