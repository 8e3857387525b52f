"""within_bounds: cases, and what its own law is."""

from privacy_assets.invariants.within_bounds import Parameters

_AGES = "SELECT * FROM (VALUES (17), (90), (NULL)) AS v(age)"
_DAYS = "SELECT DATE '2020-01-01' AS day"
KEPT = [
    {"asks": {"column": "age", "low": 17, "high": 90}, "output": _AGES, "numbers": {"rows": 3, "outside": 0}},
    {"asks": {"column": "day", "low": 0, "high": 18262, "days": True}, "output": _DAYS},
]
BROKEN = [
    {"asks": {"column": "age", "low": 18, "high": 89}, "output": _AGES, "numbers": {"outside": 2}},
    {"asks": {"column": "day", "low": 0, "high": 18261, "days": True}, "output": _DAYS, "numbers": {"outside": 1}},
    {"asks": {"column": "age", "low": 0, "high": 9}, "output": "SELECT 'NaN'::DOUBLE AS age"},
]


def test_the_bounds_are_part_of_what_is_asked():
    """Wider bounds are no threshold that could be lowered afterwards: they are what rows were made for."""
    from privacy_assets.contracts.promises import Promise
    from privacy_assets.gate import question_digest

    asked = [Parameters(kind="within_bounds", column="age", low=0, high=high) for high in (90, 99)]
    assert len({question_digest(Promise(each, "")) for each in asked}) == 2
