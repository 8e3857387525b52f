"""not_null: cases, and what its own law is."""

from privacy_assets.invariants.not_null import Parameters, about

KEPT = [
    {"asks": {"column": "a"}, "output": "SELECT 1 AS a", "numbers": {"rows": 1, "nulls": 0}},
    {"asks": {"column": 'order "by"'}, "output": 'SELECT \'\' AS "order ""by"""'},
]
BROKEN = [
    {"asks": {"column": "a"}, "output": "SELECT * FROM (VALUES (1), (NULL)) AS v(a)", "numbers": {"nulls": 1}},
    {"asks": {"column": "education-num"}, "output": 'SELECT NULL AS "education-num"'},
]


def test_columns_that_look_alike_have_names_that_differ():
    """Making a name legal never makes two columns one."""
    names = {about(Parameters(kind="not_null", column=column)) for column in ("a-b", "a_b", "a b", "ä_b", "ö_b")}
    assert len(names) == 5
    assert "a_b" in names
