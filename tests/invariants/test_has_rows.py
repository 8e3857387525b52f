"""has_rows: cases, and what its own law is."""

import pytest
from pydantic import ValidationError

from privacy_assets.invariants.has_rows import Parameters

KEPT = [
    {"asks": {"at_least": 1}, "output": "SELECT 1 AS a", "numbers": {"rows": 1}},
    {"asks": {"at_least": 3}, "output": "SELECT range AS a FROM range(3)", "numbers": {"rows": 3}},
]
BROKEN = [{"asks": {"at_least": 4}, "output": "SELECT range AS a FROM range(3)"}]


def test_asking_for_no_rows_at_all_is_refused():
    """A promise that cannot break is none."""
    with pytest.raises(ValidationError):
        Parameters(kind="has_rows", at_least=0)
