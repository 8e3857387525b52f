"""metric_drift: cases, and what its own law is."""

from privacy_assets.invariants.metric_drift import Parameters, judge
from privacy_assets.words import Verdict


def _metrics(*rows):
    values = ", ".join(f"('{metric}', '{split}', {value}e0, 100)" for metric, split, value in rows)
    return f"SELECT * FROM (VALUES {values}) AS v(metric, split, value, n)"


def _before(value):
    return f"SELECT * FROM (VALUES ('metric_drift__r2.value', {value}e0)) AS v(name, value)"


_ASKS = {"metric": "r2", "falls_at_most": 0.125}
_NOW = _metrics(("r2", "test", 0.5), ("r2", "validation", 0.1), ("accuracy", "test", 0.1))
_TWICE = _metrics(("r2", "test", 0.5), ("r2", "test", 0.5))
_NEVER = "SELECT * FROM (VALUES ('metric_drift__accuracy.value', 0.9e0)) AS v(name, value)"
KEPT = [
    {"asks": _ASKS, "output": _NOW, "metrics": _NOW, "previous": _before(0.625),
     "numbers": {"measured": 1, "value": 0.5, "compared": 1, "value_before": 0.625}},
    {"asks": _ASKS, "output": _NOW, "metrics": _NOW, "previous": _before(-0.5)},
    {"asks": _ASKS, "output": _NOW, "metrics": _NOW, "previous": _NEVER, "numbers": {"compared": 0}},
]  # fmt: skip
BROKEN = [
    {"asks": _ASKS, "output": _NOW, "metrics": _NOW, "previous": _before(0.75)},
    {"asks": _ASKS, "output": _TWICE, "metrics": _TWICE, "previous": _before(0.5), "numbers": {"measured": 2}},
]


def test_a_metric_that_was_not_measured_decides_nothing():
    """Neither does a first version keep it."""
    parameters = Parameters(kind="metric_drift", **_ASKS)
    assert judge(parameters, {"measured": 0, "n": 0, "compared": 0, "value_before": 0}).verdict is Verdict.INCONCLUSIVE
