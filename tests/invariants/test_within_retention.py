"""within_retention: cases, and what its own law is."""

from sqlglot import exp

from privacy_assets.invariants.within_retention import Parameters, question


def _dates(*dates, kind="DATE"):
    literals = [f"'{date}'" if date else "NULL" for date in dates]
    values = ", ".join(f"(CAST({literal} AS {kind}))" for literal in literals)
    return f'SELECT * FROM (VALUES {values}) AS v("seen on")'


_ASKS = {"column": "seen on", "days": 10}
KEPT = [
    {"asks": _ASKS, "output": _dates("2026-06-05", "2026-06-15", "2027-01-01"), "numbers": {"rows": 3, "past": 0}},
    {"asks": _ASKS, "output": _dates("2026-06-05 00:00:00", kind="TIMESTAMP")},
]
BROKEN = [
    {"asks": _ASKS, "output": _dates("2026-06-04", "2026-06-05"), "numbers": {"rows": 2, "past": 1}},
    {"asks": _ASKS, "output": _dates("2026-06-04 23:59:59", kind="TIMESTAMP")},
    {"asks": _ASKS, "output": _dates("2026-06-15", None), "numbers": {"past": 1}},
]


def test_another_retention_is_another_question():
    """What was measured for one number of days says nothing of another."""
    asked = [
        question(Parameters(kind="within_retention", column="d", days=days), exp.to_table("o"), {}) for days in (1, 2)
    ]
    assert asked[0] != asked[1]
