"""utility_floor: cases, and what its own law is."""

from privacy_assets.invariants.utility_floor import Parameters, judge
from privacy_assets.words import Verdict


def _metrics(*rows):
    values = ", ".join(
        f"('{metric}', '{split}', {value}e0, {value}e0 - 0.1, {value}e0 + 0.1, 100)" for metric, split, value in rows
    )
    return f"SELECT * FROM (VALUES {values}) AS v(metric, split, value, low, high, n)"


_ASKS = {"metric": "roc_auc", "at_least": 0.7}
_GOOD = _metrics(("roc_auc", "test", 0.75), ("roc_auc", "validation", 0.5), ("accuracy", "test", 0.6))
_BAD = _metrics(("roc_auc", "test", 0.69), ("roc_auc", "validation", 0.9))
_TWICE = _metrics(("roc_auc", "test", 0.75), ("roc_auc", "test", 0.9))
KEPT = [
    {"asks": _ASKS, "output": _GOOD, "metrics": _GOOD, "numbers": {"measured": 1, "n": 100}},
    {"asks": {"metric": "accuracy", "at_least": 0.6}, "output": _GOOD, "metrics": _GOOD},
]
BROKEN = [
    {"asks": _ASKS, "output": _BAD, "metrics": _BAD},
    {"asks": _ASKS, "output": _TWICE, "metrics": _TWICE, "numbers": {"measured": 2}},
]


def test_a_metric_that_was_not_measured_decides_nothing():
    """The floor of another metric is not this one's."""
    parameters = Parameters(kind="utility_floor", metric="r2", at_least=0)
    assert judge(parameters, {"measured": 0, "n": 0}).verdict is Verdict.INCONCLUSIVE
