"""distinct_drift: cases, and what its own law is."""

import pytest
from pydantic import ValidationError

from privacy_assets.invariants.distinct_drift import Parameters

_ASKS = {"column": "code", "at_most": 0.7}
_FEW = "SELECT unnest([1, 1, 1, 2, NULL]) AS code"
_MANY = "SELECT unnest([1, 2, 3, 4, 4]) AS code"


def _before(share):
    return f"SELECT * FROM (VALUES ('distinct_drift__code.distinct_share', {share}e0)) AS v(name, value)"


_NEVER = "SELECT * FROM (VALUES ('distinct_drift__age.distinct_share', 0.1e0)) AS v(name, value)"
KEPT = [
    {"asks": _ASKS, "output": _FEW, "previous": _before(0.1),
     "numbers": {"rows": 5, "distinct_share": 0.5, "compared": 1, "distinct_share_before": 0.1}},
    {"asks": _ASKS, "output": _MANY, "previous": _before(0.75), "numbers": {"distinct_share": 0.8}},
    {"asks": _ASKS, "output": _MANY, "previous": _NEVER, "numbers": {"compared": 0, "distinct_share_before": 0}},
    {"asks": _ASKS, "output": "SELECT unnest([NULL::INTEGER, NULL]) AS code", "previous": _before(0.1),
     "numbers": {"distinct_share": 0}},
]  # fmt: skip
BROKEN = [
    {"asks": _ASKS, "output": _MANY, "previous": _before(0.1)},
    {"asks": _ASKS, "output": _MANY, "previous": _before(0.7)},
]


@pytest.mark.parametrize("at_most", [0, 1, 1.5])
def test_a_share_that_nothing_can_cross_is_none(at_most):
    """A threshold of 1 would be a promise that cannot be broken."""
    with pytest.raises(ValidationError):
        Parameters(kind="distinct_drift", column="code", at_most=at_most)
