"""fidelity: cases, and what its own law is."""

import pytest
from pydantic import ValidationError

from privacy_assets.invariants.fidelity import Parameters, judge
from privacy_assets.words import Verdict

_HEAD = "SELECT * FROM (VALUES {}) AS v(measure, about, value, low, high, n)"
_PAIRS = _HEAD.format("('pairs', '', 0.04e0, NULL, NULL, 500), ('pairs', 'sex', 0.9e0, NULL, NULL, 500)")
_LEARNED = _HEAD.format("('transfer', '', 0.81e0, 0.79e0, 0.83e0, 500)")
_TWICE = _HEAD.format("('pairs', '', 0.1e0, NULL, NULL, 5), ('pairs', '', 0.1e0, NULL, NULL, 5)")
KEPT = [
    {
        "asks": {"measure": "pairs", "at_most": 0.05},
        "output": _PAIRS,
        "fidelity": _PAIRS,
        "numbers": {"value": 0.04, "measured": 1},
    },
    {
        "asks": {"measure": "transfer", "at_least": 0.8},
        "output": _LEARNED,
        "fidelity": _LEARNED,
        "numbers": {"low": 0.79, "high": 0.83},
    },
]
BROKEN = [
    {"asks": {"measure": "pairs", "at_most": 0.03}, "output": _PAIRS, "fidelity": _PAIRS},
    {"asks": {"measure": "transfer", "at_least": 0.82}, "output": _LEARNED, "fidelity": _LEARNED},
    {
        "asks": {"measure": "pairs", "at_most": 1},
        "output": _PAIRS,
        "fidelity": _TWICE,
    },
]


def test_what_was_not_measured_decides_nothing():
    """A measure that is not there, or that nothing defines, is no pass."""
    parameters = Parameters(kind="fidelity", measure="transfer", at_least=-1)
    for numbers in ({"measured": 0, "n": 0}, {"measured": 0, "n": 5}):
        assert judge(parameters, numbers).verdict is Verdict.INCONCLUSIVE


def test_what_asks_for_nothing_is_refused():
    """A floor and a ceiling at once, or neither, is no promise."""
    for ends in ({}, {"at_least": 0, "at_most": 1}):
        with pytest.raises(ValidationError):
            Parameters(kind="fidelity", measure="pairs", **ends)
