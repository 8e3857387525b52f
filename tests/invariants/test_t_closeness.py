"""t_closeness: cases, the paper's own examples, and what its own laws are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from privacy_assets.invariants.t_closeness import Parameters
from tests.invariants.brute_force import table
from tests.invariants.engine import measured

_EQUAL = {"quasi_identifiers": ["q"], "column": "s", "t": 0.25}
_ORDERED = _EQUAL | {"distance": "ordered"}
_DECLARED = _ORDERED | {"order": ["low", "middle", "high"]}
_TREE = [["flu", "lungs", "*"], ["cough", "lungs", "*"], ["ulcer", "belly", "*"], ["gastritis", "belly", "*"]]
_HIERARCHICAL = _EQUAL | {"distance": "hierarchical", "hierarchy": _TREE}


def _rows(**classes):
    rows = [f"('{name}', {value!r})" for name, values in classes.items() for value in values]
    return f"SELECT * FROM (VALUES {', '.join(rows)}) AS v(q, s)".replace("None", "NULL")


KEPT = [
    {"asks": _EQUAL, "output": _rows(x="ab", y="aabb"), "numbers": {"rows": 6, "classes": 2, "farthest": 0.0}},
    {"asks": _EQUAL, "output": _rows(x=[1, 2], y=[1, 2, 2, 2]), "numbers": {"farthest": 1 / 6}},
    {"asks": _EQUAL, "output": _rows(x=[None, "a"], y=["a", None]), "numbers": {"farthest": 0.0, "outside": 0}},
    {"asks": _ORDERED, "output": _rows(x=[1, 2, 3], y=[2, 2, 2]), "numbers": {"farthest": 1 / 6}},
    {"asks": _ORDERED, "output": _rows(x=[7, 7], y=[7]), "numbers": {"farthest": 0}},
    {"asks": _DECLARED, "output": _rows(x=["low"] * 2, y=["middle", "low"]), "numbers": {"farthest": 0.125}},
    {"asks": _HIERARCHICAL, "output": _rows(x=["flu", "ulcer"], y=["cough", "gastritis"]), "numbers": {"outside": 0}},
]  # fmt: skip
BROKEN = [
    {"asks": _EQUAL | {"t": 0.24}, "output": _rows(x="ab", y="bb"), "numbers": {"farthest": 0.25}},
    {"asks": _EQUAL, "output": _rows(x=[None], y=["a"]), "numbers": {"farthest": 0.5}},
    {"asks": _ORDERED, "output": _rows(x=[1, 1], y=[9, 9]), "numbers": {"farthest": 0.5}},
    {"asks": _ORDERED, "output": _rows(x=[1, 1], y=[None, None]), "numbers": {"farthest": 0.5, "outside": 0}},
    {"asks": _DECLARED, "output": _rows(x=["low"] * 2, y=["high"] * 2), "numbers": {"farthest": 0.5}},
    {"asks": _DECLARED, "output": _rows(x=["low", "high"], y=["low", "other", None]), "numbers": {"outside": 2}},
    {"asks": _HIERARCHICAL, "output": _rows(x=["flu", "cough"], y=["ulcer", "ulcer"]), "numbers": {"farthest": 0.5}},
    {"asks": _HIERARCHICAL, "output": _rows(x=["flu", None], y=["flu"]), "numbers": {"outside": 1, "farthest": 0.0}},
    {"asks": _HIERARCHICAL, "output": _rows(x=[None, None]), "numbers": {"outside": 2, "farthest": 0}},
]  # fmt: skip


def _farthest(asks, rows):
    return measured("t_closeness", asks, output=rows)["farthest"]


def _paper(*salaries):
    """Three classes of nine people, as in table 3 and table 5."""
    return [{"q": place // 3, "s": salary} for place, salary in enumerate(salaries)]


def test_the_papers_salaries():
    """Section 4.2: D[{3k,4k,5k}, Q] = 0.375, D[{6k,8k,11k}, Q] = 0.167; table 5 has 0.167-closeness of the salary."""
    assert _farthest(_ORDERED, _paper(3, 4, 5, 6, 11, 8, 7, 9, 10)) == pytest.approx(0.375, abs=1e-12)
    assert _farthest(_ORDERED, _paper(3, 5, 9, 6, 11, 8, 4, 7, 10)) == pytest.approx(1 / 6, abs=1e-12)


_ILLNESS = [
    ["gastric ulcer", "stomach", "digestive", "*"],
    ["gastritis", "stomach", "digestive", "*"],
    ["stomach cancer", "stomach", "digestive", "*"],
    ["flu", "infection", "respiratory", "*"],
    ["pneumonia", "lung", "respiratory", "*"],
    ["bronchitis", "lung", "respiratory", "*"],
]


@given(table(["q"], st.sampled_from([row[0] for row in _ILLNESS])))
def test_a_tree_without_depth_is_the_equal_distance(rows):
    """Where every leaf hangs on the root, all values are equally far; depth brings siblings nearer to each other."""
    flat = _HIERARCHICAL | {"hierarchy": [[row[0], "*"] for row in _ILLNESS]}
    equal = _farthest(_EQUAL, rows)
    assert _farthest(flat, rows) == pytest.approx(equal, abs=1e-12)
    assert _farthest(_HIERARCHICAL | {"hierarchy": _ILLNESS}, rows) <= equal + 1e-12


@given(table([], st.one_of(st.none(), st.integers(0, 9))))
def test_a_single_class_is_as_the_whole(rows):
    """Its distance is nothing, whatever the values are."""
    rows = [row | {"q": "one"} for row in rows]
    assert _farthest(_EQUAL, rows) == _farthest(_ORDERED, rows) == 0


@given(table(["q"], st.one_of(st.none(), st.integers(0, 9))), st.randoms(use_true_random=False))
def test_shuffling_rows_changes_nothing(rows, random):
    """To the last digit."""
    shuffled = random.sample(rows, len(rows))
    for asks in (_EQUAL, _ORDERED):
        assert _farthest(asks, shuffled) == _farthest(asks, rows)


@given(table(["q"], st.integers(0, 9)))
def test_turning_an_order_around_changes_nothing(rows):
    """A step up costs what a step down does."""
    order = [str(value) for value in range(10)]
    assert _farthest(_ORDERED | {"order": order}, rows) == pytest.approx(
        _farthest(_ORDERED | {"order": order[::-1]}, rows), abs=1e-12
    )


@pytest.mark.parametrize(
    "wrong",
    [
        _EQUAL | {"t": 1.1},
        _EQUAL | {"order": ["a", "b"]},
        _ORDERED | {"order": ["a", "a"]},
        _EQUAL | {"hierarchy": _TREE},
        _HIERARCHICAL | {"hierarchy": None},
        _HIERARCHICAL | {"hierarchy": _TREE + [["flu", "lungs", "*"]]},
        _HIERARCHICAL | {"hierarchy": _TREE + [["cold", "*"]]},
        _HIERARCHICAL | {"hierarchy": _TREE + [["cold", "lungs", "all"]]},
        _HIERARCHICAL | {"hierarchy": [["a", "x", "u", "*"], ["b", "x", "v", "*"]]},
    ],
)
def test_what_does_not_suit_the_distance_is_refused(wrong):
    """An order or a hierarchy too many or too few, and a hierarchy that is no tree."""
    with pytest.raises(ValidationError):
        Parameters(kind="t_closeness", **wrong)
