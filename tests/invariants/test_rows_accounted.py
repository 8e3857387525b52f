"""rows_accounted: cases, and what its own law is."""

from privacy_assets.invariants.rows_accounted import Parameters, judge
from privacy_assets.words import Verdict

_EVIDENCE = "SELECT * FROM (VALUES ('source_rows', 5.0), ('unknown_columns', 7.0)) AS v(name, value)"
_THREE, _TWO = "SELECT range AS a FROM range(3)", "SELECT range AS number FROM range(2)"
KEPT = [
    {
        "asks": {},
        "output": _THREE,
        "quarantine": _TWO,
        "evidence": _EVIDENCE,
        "numbers": {"source_rows": 5, "data_rows": 3, "quarantined_rows": 2},
    },
]
BROKEN = [
    {"asks": {}, "output": _TWO, "quarantine": _TWO, "evidence": _EVIDENCE},
    {"asks": {}, "output": _THREE, "quarantine": _THREE, "evidence": _EVIDENCE},
]


def test_a_source_without_rows_decides_nothing():
    """Zero is zero and zero, and proves nothing."""
    numbers = {"source_rows": 0, "data_rows": 0, "quarantined_rows": 0}
    assert judge(Parameters(kind="rows_accounted"), numbers).verdict is Verdict.INCONCLUSIVE
