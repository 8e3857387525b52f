"""randomized_response: the truth as often as was said, and no more to be learned from it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

from privacy_assets.techniques import noise
from privacy_assets.techniques.pseudonymize import randomized_response
from privacy_assets.words import Column, Role

SMOKER = Column("smoker", "BOOLEAN", Role.SENSITIVE)
FIVE = ("never", "once", "seldom", "often", "daily")
HABIT = Column("habit", "VARCHAR", Role.SENSITIVE, domain=FIVE)
ROWS = 10_000
AUDITED = 6000


@pytest.mark.parametrize("column", [SMOKER, HABIT], ids=lambda column: column.name)
@pytest.mark.parametrize("missing", ["a_category", "as_any"])
@pytest.mark.parametrize("epsilon", [0.5, 2.0, 5])
def test_the_truth_leaves_as_often_as_was_said(
    bench: Any, made: Any, between: Any, figures: Any, column: Column, missing: str, epsilon: float
) -> None:
    """p = e^ε / (e^ε + m - 1) lies in the interval of Clopper and Pearson at 1e-6, so does q for the others."""
    asked = made("randomized_response", epsilon=epsilon, missing=missing)
    leave = randomized_response.categories(asked, column)
    truth = math.exp(epsilon) / (math.exp(epsilon) + len(leave) - 1)
    value = leave[1] if column.domain else True
    left = bench.often(asked, column, value, ROWS)
    for category in leave if column.domain else (True, False, None)[: len(leave)]:
        low, high = between(left.count(category), ROWS)
        assert low <= (truth if category == value else (1 - truth) / (len(leave) - 1)) <= high
    figures(
        f"randomized_response, ε = {epsilon}, m = {len(leave)}", expected=round(truth, 4), seen=left.count(value) / ROWS
    )


@pytest.mark.parametrize("missing", ["a_category", "as_any"])
def test_what_is_unknown_leaves_as_any(bench: Any, made: Any, between: Any, missing: str) -> None:
    """A value that was never declared, each category alike; NULL too, where it is no category."""
    asked = made("randomized_response", epsilon=5.0, missing=missing)
    leave = randomized_response.categories(asked, HABIT)
    for unknown in ["hourly", None][: 2 if missing == "as_any" else 1]:
        left = bench.often(asked, HABIT, unknown, ROWS)
        for category in leave:
            low, high = between(left.count(category), ROWS)
            assert low <= 1 / len(leave) <= high


def test_a_missing_value_is_hidden_and_hides(bench: Any, made: Any, between: Any) -> None:
    """NULL leaves as a value, and a value as NULL, each with the probability of a lie; or no NULL leaves at all."""
    asked = made("randomized_response", epsilon=1.0)
    lie = 1 / (math.e + 2)
    absent, present = (bench.often(asked, SMOKER, value, ROWS) for value in (None, True))
    for hits in (absent.count(True), absent.count(False), present.count(None)):
        low, high = between(hits, ROWS)
        assert low <= lie <= high
    without = bench.leave(made("randomized_response", epsilon=1.0, missing="as_any"), SMOKER, [None, True] * 100)
    assert None not in without.values


@pytest.mark.parametrize("missing", ["a_category", "as_any"])
@pytest.mark.parametrize("epsilon", [0.5, 1.0])
def test_no_answer_tells_more_than_was_said(
    bench: Any, made: Any, loss_shown: Any, figures: Any, missing: str, epsilon: float
) -> None:
    """The lower bound of the likelihood ratio stays below e^ε, for all inputs against all."""
    asked = made("randomized_response", epsilon=epsilon, missing=missing)
    left = [bench.often(asked, SMOKER, value, AUDITED) for value in (False, True, None)]
    shown = max(loss_shown(one, other) for one in left for other in left)
    figures(f"randomized_response, ε = {epsilon}, {missing}", shown=round(shown, 3))
    assert 0 <= epsilon - shown < 0.45


def test_twice_the_loss_is_caught(
    bench: Any, made: Any, loss_shown: Any, figures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same test accuses a response that spends twice what it says."""
    honest = noise.randomized_response
    monkeypatch.setattr(noise, "randomized_response", lambda many, loss: honest(many, 2 * loss))
    asked = made("randomized_response", epsilon=1.0, missing="as_any")
    one, other = (bench.often(asked, SMOKER, value, AUDITED) for value in (False, True))
    figures("randomized_response, twice ε = 1", shown=round(loss_shown(one, other), 3))
    assert loss_shown(one, other) > 1.0


@pytest.mark.parametrize("missing", ["a_category", "as_any"])
def test_a_count_is_recovered(bench: Any, made: Any, figures: Any, missing: str) -> None:
    """The estimate is within five standard deviations of the truth, for each value."""
    asked = made("randomized_response", epsilon=1.0, missing=missing)
    counts = dict(zip(FIVE, (6000, 2500, 1000, 400, 100), strict=True))
    left = bench.leave(asked, HABIT, [value for value, count in counts.items() for _ in range(count)]).values
    many = len(randomized_response.categories(asked, HABIT))
    truth, lie = (odds / (math.e + many - 1) for odds in (math.e, 1))
    for value, count in counts.items():
        found = randomized_response.estimate(asked, HABIT, left.count(value), ROWS)
        figures(f"randomized_response, {value}, {missing}", true=count, estimated=round(found))
        assert abs(found - count) <= 5 * math.sqrt(ROWS / 4) / (truth - lie)


def test_rows_that_the_engine_keeps_once_are_drawn_each(bench: Any, made: Any, between: Any) -> None:
    """Neighbouring rows of one value agree as often as independent draws do, also where all rows are alike."""
    asked = made("randomized_response", epsilon=1.0)
    left = bench.often(asked, HABIT, "often", 2 * ROWS)
    truth, lie = (odds / (math.e + 5) for odds in (math.e, 1))
    low, high = between(sum(one == other for one, other in zip(left[::2], left[1::2], strict=True)), ROWS)
    assert low <= truth**2 + 5 * lie**2 <= high


def test_what_was_let_through_is_noticed(bench: Any, made: Any) -> None:
    """A text that was never declared, and NULL where none leaves."""
    assert bench.accused(made("randomized_response", epsilon=1), HABIT, ["daily", "hourly", None]) == [
        False,
        True,
        False,
    ]
    asked = made("randomized_response", epsilon=1, missing="as_any")
    assert bench.accused(asked, HABIT, ["daily", "hourly", None]) == [False, True, True]
    assert bench.accused(asked, SMOKER, [True, None]) == [False, True]


def test_it_fits_what_has_two_values_or_more(made: Any) -> None:
    """Truth values and declared text; no numbers, no undeclared text, nothing that names somebody."""
    asked = made("randomized_response", epsilon=1)
    alone = made("randomized_response", epsilon=1, missing="as_any")
    one = Column("one", "VARCHAR", domain=("only",))
    assert randomized_response.fault(asked, SMOKER) is randomized_response.fault(asked, HABIT) is None
    assert randomized_response.fault(asked, one) is None
    assert randomized_response.fault(alone, one) is not None
    for column in (Column("x", "VARCHAR"), Column("x", "INTEGER"), Column("x", "BOOLEAN", Role.DIRECT_IDENTIFIER)):
        assert randomized_response.fault(asked, column) is not None


@pytest.mark.parametrize("epsilon", [0, -1, 10.1, float("nan"), float("inf")])
def test_the_loss_has_bounds(made: Any, epsilon: float) -> None:
    """Above 0, and not so large that hardly anybody lies."""
    with pytest.raises(ValidationError):
        made("randomized_response", epsilon=epsilon)
