"""in_domain: cases, and what its own law is."""

import pytest
from pydantic import ValidationError

from privacy_assets.invariants.in_domain import Parameters

_SEXES = "SELECT * FROM (VALUES ('f'), ('m'), (NULL)) AS v(sex)"
KEPT = [
    {"asks": {"column": "sex", "values": ["f", "m", "x"]}, "output": _SEXES, "numbers": {"rows": 3, "outside": 0}},
    {"asks": {"column": "grade", "values": ["1", "2"]}, "output": "SELECT 1 AS grade"},
    {"asks": {"column": "said", "values": ["it's"]}, "output": "SELECT 'it''s' AS said"},
]
BROKEN = [
    {"asks": {"column": "sex", "values": ["f"]}, "output": _SEXES, "numbers": {"outside": 1}},
    {"asks": {"column": "sex", "values": ["F", "M"]}, "output": _SEXES, "numbers": {"outside": 2}},
]


def test_an_empty_domain_is_refused():
    """A column without a category could hold nothing."""
    with pytest.raises(ValidationError):
        Parameters(kind="in_domain", column="sex", values=())
