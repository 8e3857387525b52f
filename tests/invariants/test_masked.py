"""masked: cases, and what its own law is."""

import pytest
from pydantic import ValidationError

from privacy_assets.invariants.masked import Parameters

_TOKENS = "SELECT * FROM (VALUES ('ab'), ('cd'), (NULL)) AS v(\"the token\")"
_LENGTH = {"column": "the token", "condition": 'LENGTH("the token") <> 2', "technique": "{}"}
KEPT = [
    {"asks": _LENGTH, "output": _TOKENS, "numbers": {"rows": 3, "violating": 0}},
    {"asks": {"column": "a", "condition": '"a" IS NOT NULL', "technique": "{}"}, "output": "SELECT NULL AS a"},
    {"asks": {"column": "a", "condition": "FALSE", "technique": "{}"}, "output": "SELECT 1 AS a"},
]
BROKEN = [
    {"asks": _LENGTH, "output": f"{_TOKENS} UNION ALL SELECT 'abc'", "numbers": {"violating": 1}},
    {"asks": {"column": "a", "condition": '"a" IS NOT NULL', "technique": "{}"}, "output": "SELECT 1 AS a"},
    {
        "asks": {"column": "a", "condition": 'TRY_CAST("a" AS INTEGER) <> 1', "technique": "{}"},
        "output": "SELECT 'x' AS a",
    },
    {"asks": {"column": "a", "condition": '"a" = 1 OR "a" = 2', "technique": "{}"}, "output": "SELECT 2 AS a"},
]


@pytest.mark.parametrize("text", ["SELECT 1", "DROP TABLE a", "((", ""])
def test_what_is_no_condition_is_refused(text):
    """Only a condition can be true for a value."""
    with pytest.raises(ValidationError):
        Parameters(kind="masked", column="a", condition=text, technique="{}")
