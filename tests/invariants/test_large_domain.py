"""large_domain: cases, and what its own law is."""

from privacy_assets.invariants.large_domain import Parameters

KEPT = [
    {"asks": {"column": "a"}, "output": "SELECT range AS a FROM range(10000)", "numbers": {"values": 10000}},
    {"asks": {"column": "a", "at_least": 3}, "output": "SELECT range % 3 AS a FROM range(9)"},
]
_DAYS = {"asks": {"column": "a", "at_least": 3, "reference": "days"}, "output": "SELECT 1 AS b"}
KEPT.append(_DAYS | {"days": "SELECT range % 3 AS a FROM range(9)", "numbers": {"rows": 9, "values": 3}})
BROKEN = [
    _DAYS | {"days": "SELECT range % 2 AS a FROM range(9)", "numbers": {"values": 2}},
    {"asks": {"column": "a"}, "output": "SELECT nullif(range, 0) AS a FROM range(10000)", "numbers": {"values": 9999}},
    {"asks": {"column": "a", "at_least": 4}, "output": "SELECT range % 3 AS a FROM range(9)"},
]


def test_ten_thousand_values_are_asked_for_where_nothing_is_said():
    """The default is the house's."""
    assert Parameters(kind="large_domain", column="a").at_least == 10_000
