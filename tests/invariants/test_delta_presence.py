"""delta_presence: cases, and what its own laws are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from privacy_assets.invariants.delta_presence import Parameters
from tests.invariants.brute_force import table
from tests.invariants.engine import measured

_ASKS = {"quasi_identifiers": ["age"], "member": "is in", "at_most": 0.5}


def _people(**classes):
    rows = [f"('{name}', {member})" for name, members in classes.items() for member in members]
    return f'SELECT nullif(age, \'unknown\') AS age, "is in" FROM (VALUES {", ".join(rows)}) AS v(age, "is in")'


_HALF, _NONE, _ALL = ["TRUE", "FALSE"], ["FALSE", "FALSE"], ["TRUE", "TRUE"]
_CASE = {"asks": _ASKS, "output": "SELECT 'young' AS age"}
KEPT = [
    _CASE | {"linked": _people(young=_HALF, old=_NONE), "numbers": {"population": 4, "members": 1, "lowest": 0.0}},
    _CASE | {"linked": _people(young=_HALF, unknown=_HALF), "numbers": {"classes": 2, "highest": 0.5}},
    _CASE | {"asks": _ASKS | {"at_least": 0.5}, "linked": _people(young=_HALF), "numbers": {"lowest": 0.5}},
    {
        "asks": _ASKS | {"reference": "everybody"},
        "output": "SELECT 'young' AS age",
        "everybody": _people(young=_HALF),
    },
]
BROKEN = [
    _CASE | {"linked": _people(young=_HALF, old=_ALL), "numbers": {"highest": 1.0}},
    _CASE | {"linked": _people(young=_HALF + _NONE, unknown=_ALL), "numbers": {"highest": 1.0}},
    _CASE | {"asks": _ASKS | {"at_least": 0.1}, "linked": _people(young=_HALF, old=_NONE), "numbers": {"lowest": 0.0}},
    _CASE | {"linked": _people(young=[*_HALF, "NULL"]), "numbers": {"unknown": 1}},
]


@given(table(["q1", "q2"], st.booleans()))
def test_coarser_classes_bring_the_shares_nearer(rows):
    """Of merged classes the lowest share is no lower, and the highest no higher."""
    fine, coarse = (
        measured(
            "delta_presence",
            {"quasi_identifiers": columns, "member": "s", "at_most": 1.0},
            output=rows,
            linked=rows,
        )
        for columns in (["q1", "q2"], ["q1"])
    )
    assert fine["lowest"] <= coarse["lowest"] <= coarse["highest"] <= fine["highest"]


def test_bounds_with_nothing_between_them_are_refused():
    """Such a promise could never be kept."""
    with pytest.raises(ValidationError, match="no share"):
        Parameters(kind="delta_presence", **_ASKS | {"at_least": 0.6})
