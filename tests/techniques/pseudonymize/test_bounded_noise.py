"""bounded_noise: within the bounds, as wide as was said, the same for whoever has no number."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from privacy_assets.techniques import noise
from privacy_assets.techniques.pseudonymize import bounded_noise
from privacy_assets.words import Column, Role

AGE = Column("age", "INTEGER", Role.QUASI_IDENTIFIER)
WEIGHT = Column("weight", "DOUBLE", Role.SENSITIVE)
COST = Column("cost", "DECIMAL(9,2)", Role.SENSITIVE)
AUDITED = 20_000


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-(2**31), 2**31 - 1) | st.none(), min_size=1), st.integers(-500, 0), st.integers(1, 500))
def test_whole_numbers_stay_whole_and_in_range(bench: Any, made: Any, ages: list[Any], low: int, high: int) -> None:
    """Whatever comes in, a whole number from `low` to `high` leaves."""
    left = bench.leave(made("bounded_noise", low=low, high=high, epsilon=1.0), AGE, ages)
    assert left.type == "INTEGER"
    assert all(type(value) is int and low <= value <= high for value in left.values)


def test_types_stay_and_only_steps_leave(bench: Any, made: Any) -> None:
    """Two decimals stay two; of binary fractions only 2⁻²⁰ parts of the range leave; a TINYINT is wide enough."""
    cost = bench.leave(made("bounded_noise", low=0.05, high=99.95, epsilon=2), COST, [Decimal("50.01")] * 500)
    assert cost.type == "DECIMAL(9,2)"
    assert all(Decimal("0.05") <= value <= Decimal("99.95") for value in cost.values)
    assert len(set(cost.values)) > 100
    weight = bench.leave(made("bounded_noise", low=0, high=1, epsilon=5), WEIGHT, [0.123456789] * 500)
    assert all((value * 2**20).is_integer() for value in weight.values)
    small = bench.leave(made("bounded_noise", low=-128, high=127, epsilon=5), Column("x", "TINYINT"), [-128, 127, 0])
    assert small.type == "TINYINT"


@pytest.mark.parametrize(("column", "low", "high"), [(AGE, 18, 90), (WEIGHT, 30.5, 180.0), (COST, 0.01, 100)])
def test_the_scale_is_that_of_theory(
    bench: Any, made: Any, between: Any, figures: Any, column: Column, low: float, high: float
) -> None:
    """From `low`, the probability to leave within a quarter of the range is 1 - e^(-ε/4) / 2, by half a step."""
    asked = made("bounded_noise", low=low, high=high, epsilon=3.0)
    left = bench.often(asked, column, low, AUDITED)
    steps = bounded_noise.steps(asked, column)
    within = steps // 4
    # of discrete Laplace noise with ratio a = e^(-ε/steps): P(X <= k) = 1 - a^(k + 1) / (1 + a)
    ratio = math.exp(-3.0 / steps)
    expected = 1 - ratio ** (within + 1) / (1 + ratio)
    hits = sum(float(value) <= low + (high - low) * (within + 0.25) / steps for value in left)
    figures(f"bounded_noise, {column.name}", expected=round(expected, 4), seen=hits / AUDITED)
    lower, upper = between(hits, AUDITED)
    assert lower <= expected <= upper


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 2.0])
@pytest.mark.parametrize(("column", "low", "high"), [(AGE, 0, 40), (WEIGHT, -1.0, 1.0)])
def test_no_number_tells_more_than_was_said(
    bench: Any, made: Any, loss_shown: Any, figures: Any, epsilon: float, column: Column, low: float, high: float
) -> None:
    """Between the two ends, and a missing number, the lower bound of the likelihood ratio stays below e^ε."""
    asked = made("bounded_noise", low=low, high=high, epsilon=epsilon)
    left = [bench.often(asked, column, value, AUDITED) for value in (low, high, None)]
    shown = max(loss_shown(one, other) for one in left for other in left)
    figures(f"bounded_noise, ε = {epsilon}, {column.name}", shown=round(shown, 3))
    assert 0 <= epsilon - shown < 0.45


def test_half_the_scale_is_caught(
    bench: Any, made: Any, loss_shown: Any, figures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same test accuses noise of half the width."""
    honest = noise.additive
    monkeypatch.setattr(noise, "additive", lambda measure, sensitivity, loss: honest(measure, sensitivity, 2 * loss))
    asked = made("bounded_noise", low=0, high=40, epsilon=1.0)
    one, other = (bench.often(asked, AGE, value, AUDITED) for value in (0, 40))
    figures("bounded_noise, half the scale, ε = 1", shown=round(loss_shown(one, other), 3))
    assert loss_shown(one, other) > 1.0


def test_a_bound_that_is_not_applied_is_caught(bench: Any, made: Any, loss_shown: Any) -> None:
    """Somebody a hundred times beyond the bound leaves as somebody at the bound does: an outlier tells no more."""
    asked = made("bounded_noise", low=0, high=40, epsilon=1.0)
    one, other = (bench.often(asked, AGE, value, AUDITED) for value in (4000, 0))
    assert loss_shown(one, other) <= 1.0


def test_what_is_no_number_is_the_middle(bench: Any, made: Any, between: Any) -> None:
    """NULL and NaN leave above and below the middle alike, never as NULL; infinity is the bound."""
    asked = made("bounded_noise", low=0, high=100, epsilon=8.0)
    for absent in (None, float("nan")):
        left = bench.often(asked, WEIGHT, absent, AUDITED)
        assert None not in left
        low, high = between(sum(value < 50 for value in left), AUDITED)
        assert low <= 0.5 <= high
    for infinite, bound in ((float("inf"), 100.0), (float("-inf"), 0.0)):
        left = bench.often(asked, WEIGHT, infinite, 2000)
        assert 800 < left.count(bound) < 1200


def test_noise_is_drawn_once_for_each_number(bench: Any, made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is looked at twice would be drawn twice: once to see that it is there, and again to leave."""
    honest, drawn = noise.Noise.add, []
    monkeypatch.setattr(noise.Noise, "add", lambda self, exact: drawn.extend(exact) or honest(self, exact))
    for column in (AGE, WEIGHT, COST):
        drawn.clear()
        bench.often(made("bounded_noise", low=0, high=40, epsilon=1.0), column, 7, 50)
        assert len(drawn) == 50


def test_what_was_let_through_is_noticed(bench: Any, made: Any) -> None:
    """Numbers beyond the bounds, NULL and NaN."""
    asked = made("bounded_noise", low=0, high=100, epsilon=1)
    values = [0.0, 100.0, -0.1, 100.1, None, float("nan"), float("inf")]
    assert bench.accused(asked, WEIGHT, values) == [False, False, True, True, True, True, True]


def test_it_fits_numbers_that_hold_the_bounds(made: Any) -> None:
    """No bound between two values, no range without steps or with too many, nothing that names somebody."""
    asked = made("bounded_noise", low=0, high=90.5, epsilon=1)
    assert "90.5" in str(bounded_noise.fault(asked, AGE))
    assert bounded_noise.fault(asked, WEIGHT) is bounded_noise.fault(asked, COST) is None
    assert bounded_noise.fault(asked, Column("x", "VARCHAR")) is not None
    assert bounded_noise.fault(asked, Column("x", "DOUBLE", Role.DIRECT_IDENTIFIER)) is not None
    assert bounded_noise.fault(made("bounded_noise", low=1e9, high=1e9 + 1, epsilon=1), WEIGHT) is not None
    assert bounded_noise.fault(made("bounded_noise", low=0, high=10**14, epsilon=1), Column("x", "DECIMAL(38,9)"))


def test_bounds_are_bounds(made: Any) -> None:
    """The lower one below, and both such that a double holds every step."""
    good = {"low": 0, "high": 1, "epsilon": 1}
    for wrong in ({"low": 1}, {"low": 2}, {"high": 2**49}, {"epsilon": 0}, {"epsilon": 11}, {"high": float("inf")}):
        with pytest.raises(ValidationError):
            made("bounded_noise", **{**good, **wrong})
