"""quarantine_share: cases, and what its own law is."""

from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.invariants.quarantine_share import Parameters, judge

_NINE, _ONE = "SELECT range AS a FROM range(9)", "SELECT 1 AS number"
_NONE = "SELECT 1 AS number WHERE FALSE"
_NOBODY = "SELECT 'source_rows' AS name, 10.0 AS value"
_TEN_ERASED = "SELECT 'source_rows' AS name, 10.0 AS value UNION ALL SELECT 'erased_rows', 10.0"
KEPT = [
    {
        "asks": {"at_most": 0.1},
        "output": _NINE,
        "quarantine": _ONE,
        "evidence": _NOBODY,
        "numbers": {"source_rows": 10, "quarantined_rows": 1, "share": 0.1},
    },
    {"asks": {"at_most": 0.0}, "output": _NINE, "quarantine": _NONE, "evidence": _NOBODY, "numbers": {"share": 0}},
    {  # those who were erased were delivered, too
        "asks": {"at_most": 0.05},
        "output": _NINE,
        "quarantine": _ONE,
        "evidence": _TEN_ERASED,
        "numbers": {"source_rows": 20, "quarantined_rows": 1, "share": 0.05},
    },
]
BROKEN = [
    {"asks": {"at_most": 0.05}, "output": _NINE, "quarantine": _ONE, "evidence": _NOBODY},
    {"asks": {"at_most": 0.99}, "output": _NONE, "quarantine": _ONE, "evidence": _NOBODY, "numbers": {"share": 1}},
]


@settings(deadline=None, max_examples=50)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_ceiling_never_breaks_what_a_smaller_one_keeps(share, one, other):
    """The verdict is monotone in the threshold."""
    numbers = {"source_rows": 100, "quarantined_rows": share * 100, "share": share}
    low, high = (
        judge(Parameters(kind="quarantine_share", at_most=at_most), numbers).kept for at_most in sorted((one, other))
    )
    assert high or not low
