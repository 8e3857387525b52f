"""within_retention: cases, and what its own law is."""

import duckdb
import pytest
from sqlglot import exp

from privacy_assets.invariants.within_retention import Parameters, question
from privacy_assets.techniques.minimize import MINIMIZE


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


@pytest.mark.parametrize("kind", ["DATE", "TIMESTAMP"])
def test_it_counts_the_rows_that_minimization_refuses(kind):
    """Two ways to ask the same, day by day around the last one."""
    dates = ["2026-06-03", "2026-06-04", "2026-06-05", "2026-06-06", "2026-06-15", "2026-07-01", None]
    rule = MINIMIZE["retention"]
    admits = rule.admits(rule.Parameters(kind="retention", column="seen on", days=10), "held", None)
    asked = question(Parameters(kind="within_retention", **_ASKS), exp.to_table("held"), {})
    now = {"now": "2026-06-15 12:00:00"}
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE held AS {_dates(*dates, kind=kind)}")
        refused = con.execute(f"SELECT count(*) FROM held WHERE NOT ({admits.sql(dialect='duckdb')})", now).fetchone()
        assert con.execute(asked.sql(dialect="duckdb"), now).fetchone() == (7, *refused) == (7, 3)
