"""l_diversity: cases, and what its own laws are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlglot import exp

from privacy_assets.invariants.l_diversity import Parameters, judge, question
from tests.invariants.brute_force import table
from tests.invariants.engine import measured

_DISTINCT = {"quasi_identifiers": ["q"], "column": "illness", "l": 2}
_ENTROPY = _DISTINCT | {"form": "entropy"}
_RECURSIVE = _DISTINCT | {"form": "recursive", "c": 3.0}


def _rows(**classes):
    rows = [f"('{name}', {value})" for name, values in classes.items() for value in values]
    return f"SELECT * FROM (VALUES {', '.join(rows)}) AS v(q, illness)"


_A, _B, _C, _NULL = "'flu'", "'gout'", "'measles'", "NULL"
KEPT = [
    {"asks": _DISTINCT, "output": _rows(x=[_A, _B], y=[_A, _C, _C]), "numbers": {"rows": 5, "classes": 2, "worst": 2}},
    {"asks": _DISTINCT, "output": _rows(x=[_A, _NULL]), "numbers": {"worst": 2}},
    {"asks": _ENTROPY, "output": _rows(x=[_A, _B], y=[_A, _B, _A, _B])},
    {"asks": _ENTROPY | {"l": 3}, "output": _rows(x=[_A, _B, _C] * 7, y=[_A, _B, _NULL])},
    {"asks": _ENTROPY | {"l": 1.8}, "output": _rows(x=[_A, _A, _B])},
    {"asks": _RECURSIVE, "output": _rows(x=[_A, _A, _B], y=[_A, _B, _NULL]), "numbers": {"worst": 2.0, "short": 0}},
    {"asks": _RECURSIVE | {"l": 1, "c": 1.5}, "output": _rows(x=[_A, _A]), "numbers": {"worst": 1.0, "short": 0}},
    {
        "asks": _RECURSIVE | {"l": 3, "c": 2.5},
        "output": _rows(x=[_A, _A, _B, _B, _C, _NULL]),
        "numbers": {"worst": 1.0, "short": 0},
    },
]
BROKEN = [
    {"asks": _DISTINCT, "output": _rows(x=[_A, _B], y=[_C, _C]), "numbers": {"worst": 1}},
    {"asks": _DISTINCT, "output": _rows(x=[_NULL, _NULL]), "numbers": {"worst": 1}},
    {"asks": _ENTROPY, "output": _rows(x=[_A, _B], y=[_A, _B, _A])},
    {"asks": _RECURSIVE, "output": _rows(x=[_A, _A, _A, _B]), "numbers": {"worst": 3.0, "short": 0}},
    {"asks": _RECURSIVE, "output": _rows(x=[_A, _B], y=[_A]), "numbers": {"worst": 1.0, "short": 1}},
    {"asks": _RECURSIVE, "output": _rows(x=[_A], y=[_NULL]), "numbers": {"worst": 0, "short": 2}},
]


@given(table(["q"], st.sampled_from(["a", "b", "c", None])))
def test_entropy_is_never_more_than_distinct(rows):
    """exp of the entropy is the number of values only where all are equally frequent."""
    asks = {"quasi_identifiers": ["q"], "column": "s", "l": 1}
    entropy = measured("l_diversity", asks | {"form": "entropy"}, output=rows)["worst"]
    assert 1 - 1e-9 <= entropy <= measured("l_diversity", asks, output=rows)["worst"] + 1e-9


@pytest.mark.parametrize("values", [2, 3, 7, 10, 100])
def test_exactly_l_equally_frequent_values_are_l(values):
    """What a logarithm rounds away breaks no promise; a thousandth does."""
    rows = [{"q": None, "s": value} for value in range(values)] * 9
    asks = {"quasi_identifiers": ["q"], "column": "s", "form": "entropy", "l": values}
    found = measured("l_diversity", asks, output=rows)
    assert judge(Parameters(kind="l_diversity", **asks), found).kept
    assert not judge(Parameters(kind="l_diversity", **asks | {"l": values + 0.001}), found).kept


def test_only_the_l_of_recursive_stands_in_the_question():
    """It decides what is summed; every other threshold is judged."""

    def asked(**asks):
        return question(Parameters(kind="l_diversity", **asks), exp.to_table("t"), {})

    assert asked(**_DISTINCT) == asked(**_DISTINCT | {"l": 5})
    assert asked(**_ENTROPY) == asked(**_ENTROPY | {"l": 5})
    assert asked(**_RECURSIVE) != asked(**_RECURSIVE | {"l": 5})


@pytest.mark.parametrize(
    "wrong",
    [
        _DISTINCT | {"l": 0.5},
        _DISTINCT | {"l": 2.5},
        _DISTINCT | {"c": 2.0},
        _ENTROPY | {"c": 2.0},
        _RECURSIVE | {"c": None},
        _RECURSIVE | {"c": 0.0},
        _RECURSIVE | {"l": 2.5},
    ],
)
def test_what_does_not_suit_the_form_is_refused(wrong):
    """l below one, a part of a value, a c too many or too few."""
    with pytest.raises(ValidationError):
        Parameters(kind="l_diversity", **wrong)
