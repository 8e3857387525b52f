"""unique: cases, and what its own law is."""

from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.invariants.unique import Parameters, about

_PAIRS = "SELECT * FROM (VALUES (1, 'x'), (1, 'y'), (2, 'x'), (NULL, 'x'), (NULL, 'x')) AS v(a, \"b c\")"
KEPT = [
    {"asks": {"columns": ["a", "b c"]}, "output": _PAIRS, "numbers": {"rows": 5, "incomplete": 2, "repeated": 0}},
    {"asks": {"columns": ["a"]}, "output": "SELECT range AS a FROM range(5)"},
]
BROKEN = [
    {"asks": {"columns": ["a"]}, "output": _PAIRS, "numbers": {"repeated": 1}},
    {"asks": {"columns": ["b c"]}, "output": _PAIRS, "numbers": {"repeated": 3}},
]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(st.text("ab_-", min_size=1, max_size=3), min_size=1, max_size=3), min_size=2, max_size=2))
def test_different_keys_have_different_names(keys):
    """However columns are put together, the name tells which they are."""
    one, other = (about(Parameters(kind="unique", columns=tuple(key))) for key in keys)
    assert (one == other) == (keys[0] == keys[1])
