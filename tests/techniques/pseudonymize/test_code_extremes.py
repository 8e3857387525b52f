"""code_extremes: nothing beyond the bounds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from privacy_assets.techniques.pseudonymize import code_extremes
from privacy_assets.words import Column, Role

AGE = Column("age", "INTEGER", Role.QUASI_IDENTIFIER)
BOUND = st.none() | st.integers(-(2**31), 2**31 - 1)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1), BOUND, BOUND)
def test_extremes_become_the_bound(bench: Any, made: Any, ages: list[int], low: int | None, high: int | None) -> None:
    """As the nearest number between the bounds; whatever is beyond is noticed, and nothing else."""
    if (low is None and high is None) or (low is not None and high is not None and low >= high):
        return
    asked = made("code_extremes", low=low, high=high)
    least, most = -(2**31) if low is None else low, 2**31 if high is None else high
    assert bench.leave(asked, AGE, ages).values == [min(max(age, least), most) for age in ages]
    assert bench.accused(asked, AGE, ages) == [not least <= age <= most for age in ages]


def test_types_stay(bench: Any, made: Any) -> None:
    """Decimals and binary fractions keep their type; NULL and NaN are NULL, so that NaN is not the greatest number."""
    cost = bench.leave(made("code_extremes", high=99.95), Column("cost", "DECIMAL(9,2)"), [Decimal("99.96"), 1, None])
    assert (cost.type, cost.values) == ("DECIMAL(9,2)", [Decimal("99.95"), Decimal(1), None])
    weight = bench.leave(made("code_extremes", low=0.1), Column("weight", "FLOAT"), [0.0, float("nan"), 5.0])
    assert weight.type == "FLOAT"
    assert weight.values == [pytest.approx(0.1), None, 5.0]


def test_bounds_are_bounds(made: Any) -> None:
    """At least one, the lower one below, each one a value that the column can hold."""
    for wrong in ({}, {"low": 2, "high": 1}, {"low": 1, "high": 1}, {"high": float("nan")}):
        with pytest.raises(ValidationError):
            made("code_extremes", **wrong)
    assert code_extremes.fault(made("code_extremes", high=90), AGE) is None
    assert "90.5" in str(code_extremes.fault(made("code_extremes", high=90.5), AGE))
    assert code_extremes.fault(made("code_extremes", high=300), Column("x", "TINYINT")) is not None
    assert code_extremes.fault(made("code_extremes", high=90), Column("x", "VARCHAR")) is not None
    assert (
        code_extremes.fault(made("code_extremes", high=90), Column("x", "BIGINT", Role.DIRECT_IDENTIFIER)) is not None
    )
