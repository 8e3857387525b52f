"""k_drift: cases, and what its own law is."""

from privacy_assets.invariants.k_drift import Parameters, judge

_ASKS = {"quasi_identifiers": ["age"], "falls_at_most": 1}
_ROWS = "SELECT unnest([1, 1, 2, 2, 2]) AS age"


def _before(smallest):
    return f"SELECT * FROM (VALUES ('k_drift.smallest', {smallest}e0), ('k_drift.rows', 90e0)) AS v(name, value)"


_NEVER = "SELECT * FROM (VALUES ('k_anonymity.smallest', 9e0)) AS v(name, value)"
KEPT = [
    {"asks": _ASKS, "output": _ROWS, "previous": _before(3),
     "numbers": {"rows": 5, "smallest": 2, "compared": 1, "smallest_before": 3}},
    {"asks": _ASKS, "output": _ROWS, "previous": _before(1)},
    {"asks": _ASKS, "output": _ROWS, "previous": _NEVER, "numbers": {"compared": 0, "smallest_before": 0}},
]  # fmt: skip
BROKEN = [
    {"asks": _ASKS, "output": _ROWS, "previous": _before(4)},
    {"asks": _ASKS | {"falls_at_most": 0}, "output": _ROWS, "previous": _before(3)},
]


def test_whoever_allows_more_keeps_what_was_kept():
    """A threshold that is raised never breaks what a lower one let pass."""
    numbers = {"rows": 50, "smallest": 5, "compared": 1, "smallest_before": 8}
    kept = [judge(Parameters(kind="k_drift", **_ASKS | {"falls_at_most": at}), numbers).kept for at in range(6)]
    assert kept == sorted(kept) == [False] * 3 + [True] * 3
