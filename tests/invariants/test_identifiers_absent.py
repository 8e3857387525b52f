"""identifiers_absent: cases, and what its own law is."""

from privacy_assets.invariants.identifiers_absent import Parameters, judge

_PEOPLE = "SELECT * FROM (VALUES ('Ann', 17), ('Bob', NULL), (NULL, 4), ('', 5)) AS v(\"full name\", id)"
_ASKS = {"identifiers": ["full name", "id"], "texts": ["note", "more text"]}
_CLEAN = "SELECT * FROM (VALUES ('x', NULL), ('', 'Ann B.')) AS v(note, \"more text\")"
KEPT = [
    {
        "asks": _ASKS,
        "output": _CLEAN,
        "input": _PEOPLE,
        "numbers": {"rows": 2, "input_rows": 4, "identifiers": 5, "found": 0},
    },
    {
        "asks": {"identifiers": ["name"], "texts": ["note"]},
        "output": "SELECT 'x' AS note",
        "input": "SELECT CAST(NULL AS VARCHAR) AS name",
        "numbers": {"identifiers": 0},
    },
]
BROKEN = [
    {"asks": _ASKS, "output": f"{_CLEAN} UNION ALL SELECT 'Ann', 'Bob'", "input": _PEOPLE, "numbers": {"found": 2}},
    {"asks": _ASKS, "output": f"{_CLEAN} UNION ALL SELECT NULL, '17'", "input": _PEOPLE, "numbers": {"found": 1}},
]


def test_an_output_without_rows_is_not_kept():
    """Nothing is found where nothing is."""
    parameters = Parameters(kind="identifiers_absent", identifiers=("a",), texts=("b",))
    assert not judge(parameters, {"rows": 0, "input_rows": 3, "identifiers": 3, "found": 0}).kept
