"""rare_drift: cases, and what its own laws are."""

from tests.invariants.engine import measured

_ASKS = {"columns": ["ward"], "fewer_than": 3, "rises_at_most": 0.1}
_ROWS = "SELECT unnest(['a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'b', NULL]) AS ward, unnest(range(10)) AS person"


def _before(share):
    return f"SELECT * FROM (VALUES ('rare_drift__ward.rare_share', {share}e0)) AS v(name, value)"


_NEVER = "SELECT * FROM (VALUES ('rare_drift__sex.rare_share', 0e0)) AS v(name, value)"
_CLASSES = "SELECT * FROM (VALUES ('rare_drift.rare_share', 0e0)) AS v(name, value)"
KEPT = [
    {"asks": _ASKS, "output": _ROWS, "previous": _before(0.15),
     "numbers": {"rows": 10, "groups": 3, "rare_share": 0.2, "compared": 1, "rare_share_before": 0.15}},
    {"asks": _ASKS | {"subject": "person"}, "output": _ROWS, "previous": _before(0.9)},
    {"asks": _ASKS, "output": _ROWS, "previous": _NEVER, "numbers": {"compared": 0, "rare_share_before": 0}},
    {"asks": _ASKS | {"fewer_than": 2, "rises_at_most": 0.2}, "output": _ROWS, "previous": _before(0.0)},
]  # fmt: skip
BROKEN = [
    {"asks": _ASKS | {"columns": ["ward", "person"]}, "output": _ROWS, "previous": _CLASSES,
     "numbers": {"groups": 10, "rare_share": 1.0}},
    {"asks": _ASKS, "output": _ROWS, "previous": _before(0.0)},
    {"asks": _ASKS | {"subject": "person"}, "output": "SELECT 'a' AS ward, 1 AS person FROM range(9)",
     "previous": _before(0.5), "numbers": {"rare_share": 1.0}},
]  # fmt: skip


def _share(rows, **more):
    previous = [{"name": "other", "value": 1.0}]
    return measured("rare_drift", _ASKS | more, output=rows, previous=previous)["rare_share"]


def test_one_person_with_many_rows_is_a_rare_group():
    """People are counted where they are named, rows where they are not."""
    rows = [{"ward": "a", "person": 1}] * 5
    assert _share(rows) == 0
    assert _share(rows, subject="person") == 1


def test_a_group_that_grows_out_of_rarity_lowers_the_share():
    """One person more, and the group is rare no more."""
    rows = [{"ward": "a"}] * 2 + [{"ward": "b"}] * 6
    assert _share(rows) == 0.25
    assert _share([*rows, {"ward": "a"}]) == 0
