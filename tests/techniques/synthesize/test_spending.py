"""What private synthesizers cost is what they draw, and a second accountant says the same."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from privacy_assets.techniques.synthesize import SYNTHESIZE
from privacy_assets.techniques.synthesize._spending import Account, Private, cost
from tests.accountants import RdpAccountant, dp_event
from tests.techniques.synthesize.auditing import taped
from tests.techniques.synthesize.tables import people

PRIVATE = ["independent_marginals", "marginal_tree"]


def _orders(rho: float, delta: float) -> list[float]:
    best = 1 + math.sqrt(math.log(1 / delta) / rho)
    return [order for step in range(-1500, 1501) if (order := 1 + (best - 1) * 1.0005**step) > 1.0001]


@settings(max_examples=15, deadline=None)
@given(st.floats(0.01, 20), st.sampled_from([1e-3, 1e-5, 1e-9]))
def test_the_epsilon_that_is_debited_is_what_dp_accounting_says(epsilon: float, delta: float) -> None:
    """To 1e-6, and never more than was asked for."""
    loss = cost(Private(epsilon=epsilon, delta=delta))
    assert loss.rho is not None
    accountant = RdpAccountant(_orders(loss.rho, delta))
    accountant.compose(dp_event.ZCDpEvent(loss.rho))
    assert loss.epsilon <= epsilon
    assert loss.epsilon == pytest.approx(epsilon, rel=1e-6)
    assert accountant.get_epsilon(delta) == pytest.approx(loss.epsilon, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("kind", PRIVATE)
@pytest.mark.parametrize("m", [1, 4])
def test_all_draws_together_are_what_is_debited(kind: str, m: int) -> None:
    """Each as a Gaussian release of its own scale (of a choice: of its own ρ), for a person with all their rows."""
    module = SYNTHESIZE[kind]
    parameters = module.Parameters(kind=kind, epsilon=1, delta=1e-5)
    draws = taped(
        lambda table: module.synthesize(parameters, table, rows=None, rows_per_person=m, seed=1), people(900)
    )[1]
    loss = module.cost(parameters)
    accountant = RdpAccountant(_orders(loss.rho, 1e-5))
    for draw in draws:
        assert draw.noise.sensitivity == m
        event: Any = dp_event.GaussianDpEvent(draw.noise.scale / m) if draw.additive else dp_event.ZCDpEvent(draw.rho)
        accountant.compose(event)
    spent = accountant.get_epsilon(1e-5)
    assert spent <= loss.epsilon * (1 + 1e-6)
    # steps in which no range stands out are not taken, and what was for them is left
    assert math.fsum(draw.noise.loss for draw in draws) <= loss.rho
    assert spent >= 0.8 * loss.epsilon


def test_an_account_gives_no_more_than_there_is() -> None:
    """All of it, once; then nothing."""
    account = Account(Private(epsilon=1, delta=1e-5))
    for _ in range(10):
        account.additive(1, 0.05)
        account.selection(1, 0.05)
    with pytest.raises(RuntimeError, match="no more than was debited"):
        account.additive(1, 1e-6)
    with pytest.raises(RuntimeError, match="no more than was debited"):
        account.selection(1, 1e-6)


@pytest.mark.parametrize("kind", PRIVATE)
@pytest.mark.parametrize(
    ("epsilon", "delta"),
    [(0, 1e-5), (-1, 1e-5), (21, 1e-5), (math.nan, 1e-5), (math.inf, 1e-5), (1, 0), (1, 0.01), (1, -1e-5)],
)
def test_what_is_no_promise_is_refused(kind: str, epsilon: float, delta: float) -> None:
    """ε above 0 and at most 20, δ above 0 and at most 1 in 1,000."""
    with pytest.raises(ValidationError):
        SYNTHESIZE[kind].Parameters(kind=kind, epsilon=epsilon, delta=delta)
