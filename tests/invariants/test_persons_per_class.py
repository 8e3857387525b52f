"""persons_per_class: cases, and what its own laws are."""

from hypothesis import given
from hypothesis import strategies as st

from privacy_assets.invariants.persons_per_class import Parameters, about
from tests.invariants.brute_force import table
from tests.invariants.engine import measured

_ASKS = {"quasi_identifiers": ["age"], "subject": "the person", "k": 2, "columns": ["age", "cost"]}
_RELEASED = _ASKS | {"member": "is in"}


def _rows(*rows):
    return f'SELECT * FROM (VALUES {", ".join(rows)}) AS v(age, cost, "the person", "is in")'


_TWO = ("('old', 1, 'p', TRUE)", "('old', 2, 'q', TRUE)")


def _case(*linked, asks=_ASKS, output="SELECT age, cost FROM ({linked})", **numbers):
    linked = _rows(*linked)
    return {"asks": asks, "output": output.format(linked=linked), "linked": linked, "numbers": numbers}


KEPT = [
    _case(*_TWO, rows=2, classes=1, smallest=2, unlike=0),
    _case(*_TWO, "(NULL, 1, 'p', TRUE)", "(NULL, NULL, 'q', TRUE)", classes=2, smallest=2, unlike=0),
    _case(*_TWO, "('new', 3, 'r', FALSE)", "('new', 3, 'r', NULL)",
          asks=_RELEASED, output="SELECT age, cost FROM ({linked}) WHERE \"is in\"", rows=2, unlike=0),
]  # fmt: skip
BROKEN = [
    _case("('old', 1, 'p', TRUE)", "('old', 2, 'p', TRUE)", rows=2, smallest=1, unlike=0),
    _case("('old', 1, 'p', TRUE)", "('old', 2, NULL, TRUE)", smallest=1),
    _case("('old', 1, NULL, TRUE)", smallest=0),
    _case(*_TWO, "(NULL, 1, 'p', TRUE)", classes=2, smallest=1),
    _case(*_TWO, output="SELECT age, cost FROM ({linked}) UNION ALL SELECT 'old', 2", smallest=2, unlike=1),
    _case(*_TWO, output="SELECT age, cost FROM ({linked}) LIMIT 1", smallest=2, unlike=1),
    _case(*_TWO, output="SELECT age, cost + 5 AS cost FROM ({linked})", smallest=2, unlike=4),
    _case(*_TWO, output="SELECT age, NULL AS cost FROM ({linked})", smallest=2, unlike=4),
    _case(*_TWO, "('old', 3, 'r', FALSE)", asks=_RELEASED, smallest=2, unlike=1),
    _case(*_TWO, output="SELECT age, 1 AS cost FROM ({linked})", unlike=2),
]


def test_it_speaks_of_the_subject():
    """The name is that of the subject's column."""
    assert about(Parameters(kind="persons_per_class", **_ASKS | {"subject": "token"})) == "token"


_QIS = ["q1", "q2"]


@given(table(_QIS, st.one_of(st.none(), st.integers(0, 5))))
def test_persons_are_never_more_than_rows(rows):
    """It is at least as strict as k-anonymity, and equal where everybody has one row."""
    asks = {"quasi_identifiers": _QIS, "subject": "s", "k": 1, "columns": _QIS}
    smallest = measured("k_anonymity", {"quasi_identifiers": _QIS, "k": 1}, output=rows)["smallest"]
    persons = measured("persons_per_class", asks, output=rows, linked=rows)
    assert persons["smallest"] <= smallest and persons["unlike"] == 0
    each = [row | {"s": place} for place, row in enumerate(rows)]
    assert measured("persons_per_class", asks, output=each, linked=each)["smallest"] == smallest


@given(table(_QIS, most=12), table(_QIS, most=12))
def test_unlike_is_what_except_all_leaves(one, other):
    """In both directions, duplicates and unknown values counted."""
    asks = {"quasi_identifiers": _QIS, "subject": "q1", "k": 1, "columns": _QIS}
    left = [tuple(row[name] for name in _QIS) for row in one]
    right = [tuple(row[name] for name in _QIS) for row in other]
    for row in list(left):
        if row in right:
            left.remove(row)
            right.remove(row)
    assert measured("persons_per_class", asks, output=one, linked=other)["unlike"] == len(left) + len(right)
