"""suppressed_share: cases, and what its own law is."""

import pytest
from pydantic import ValidationError

from privacy_assets.invariants.suppressed_share import Parameters, judge

_ASKS = {"at_most": 0.1}
_TEN = 'SELECT range AS a, range % 2 = 0 AS "is in" FROM range(10)'
_CASE = {"asks": _ASKS, "input": _TEN}
_MEMBERS = {"asks": _ASKS | {"member": "is in"}, "input": _TEN + " UNION ALL SELECT 99, NULL"}
KEPT = [
    _CASE | {"output": "SELECT 1 AS a FROM range(9)", "numbers": {"before": 10, "rows": 9, "share": 0.1}},
    _CASE | {"output": "SELECT 1 AS a FROM range(10)", "numbers": {"share": 0.0}},
    _MEMBERS | {"output": "SELECT 1 AS a FROM range(5)", "numbers": {"before": 5, "share": 0.0}},
]
BROKEN = [
    _CASE | {"output": "SELECT 1 AS a FROM range(8)", "numbers": {"share": 0.2}},
    _CASE | {"output": "SELECT 1 AS a FROM range(11)", "numbers": {"share": -0.1}},
    _MEMBERS | {"output": "SELECT 1 AS a FROM range(4)", "numbers": {"before": 5, "share": 0.2}},
]


def test_a_table_of_which_nothing_is_left_is_inconclusive():
    """Even where everything may be left out: there is nothing to say of it."""
    parameters = Parameters(kind="suppressed_share", at_most=1.0)
    assert not judge(parameters, {"before": 10, "rows": 0, "share": 1.0}).kept
    assert judge(parameters, {"before": 10, "rows": 1, "share": 0.9}).kept


def test_a_share_is_between_nothing_and_all():
    """Above one is a mistake in the declaration."""
    with pytest.raises(ValidationError):
        Parameters(kind="suppressed_share", at_most=1.5)
