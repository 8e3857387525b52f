"""The budget: sums that are never too small, periods, caps, and that it holds whoever asks, however it ends."""

from __future__ import annotations

import math
import multiprocessing
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from privacy_assets.contracts.contract import PrivacyBudget
from privacy_assets.errors import BadEnvironment, Fault, Refused
from privacy_assets.ledger.budget import Debit, account, overspent
from privacy_assets.ledger.log import Entry, Ledger
from privacy_assets.techniques.noise import epsilon_of
from privacy_assets.words import PrivacyLoss
from tests.accountants import RdpAccountant, dp_event

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PURE = PrivacyBudget(epsilon=1.0, period_days=30, lifetime_epsilon=2.0)
RHO = PrivacyBudget(epsilon=1.0, delta=1e-6, period_days=30)


def debit(epsilon: float = 0.25, days_ago: float = 0, *, rho: float | None = None, dataset: str = "visits") -> Debit:
    loss = PrivacyLoss(epsilon, 0 if rho is None else 1e-6, rho)
    return Debit("statistics/x", (dataset,), loss, ("q",), 0, NOW - timedelta(days=days_ago))


def test_the_account_adds_up_the_period_and_the_lifetime() -> None:
    """What is older than the period counts in the lifetime alone; other datasets do not count."""
    found = account("visits", PURE, [debit(), debit(0.5, 29), debit(0.5, 31), debit(9, dataset="people")], NOW)
    assert (found.epsilon_spent, found.epsilon_left) == (pytest.approx(0.75), pytest.approx(0.25))
    assert found.epsilon_lifetime == pytest.approx(1.25)
    assert found.debits == 3
    assert found.frees_at == NOW - timedelta(days=29) + timedelta(days=30)
    empty = account("visits", PURE, [], NOW)
    assert (empty.epsilon_spent, empty.epsilon_left, empty.frees_at) == (0, 1.0, None)


def test_a_loss_that_does_not_fit_is_refused_with_what_is_left() -> None:
    """Of the period, or of the lifetime; in words and numbers."""
    spent = [debit(0.5), debit(0.25, 5)]
    assert overspent("visits", PURE, spent, PrivacyLoss(0.24), NOW) is None
    fault = overspent("visits", PURE, spent, PrivacyLoss(0.26), NOW)
    assert fault is not None
    assert "0.25 left" in fault.found and "30 days" in fault.expected and "wait until 2026-06-26" in fault.next_step
    old = [debit(0.95, days) for days in (40, 80)]
    fault = overspent("visits", PURE, old, PrivacyLoss(0.2), NOW)
    assert fault is not None and "lifetime" in fault.expected and "wait" not in fault.next_step
    assert account("visits", PURE, old, NOW).epsilon_left == pytest.approx(0.1)


def test_the_period_slides() -> None:
    """No two periods are spent around one midnight: in any 30 days ε is at most 1."""
    assert overspent("visits", PURE, [debit(0.9, 29.99)], PrivacyLoss(0.2), NOW) is not None
    assert overspent("visits", PURE, [debit(0.9, 30)], PrivacyLoss(0.2), NOW) is None


def test_a_budget_is_counted_in_one_way() -> None:
    """ρ does not fit a pure budget; pure ε counts as ε²/2 in one of ρ."""
    fault = overspent("visits", PURE, [], PrivacyLoss(0.1, 1e-6, 0.0001), NOW)
    assert fault is not None and "pure" in fault.what
    one = account("visits", RHO, [debit(0.1)], NOW)
    assert one.spent == pytest.approx(0.005)
    assert one.epsilon_spent == pytest.approx(epsilon_of(0.005, 1e-6))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(1e-4, 0.3), min_size=1, max_size=30))
def test_pure_losses_are_what_dp_accounting_says(losses: list[float]) -> None:
    """To 1e-6, and never less (T-DP-3): its Rényi accountant at an order that is nearly infinite."""
    found = account("visits", PURE, [debit(loss) for loss in losses], NOW)
    accountant = RdpAccountant([1e9])
    for loss in losses:
        accountant.compose(dp_event.LaplaceDpEvent(1 / loss))
    assert found.epsilon_spent == pytest.approx(accountant.get_epsilon(1e-9), abs=1e-6)
    assert found.epsilon_spent >= math.fsum(losses)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(1e-4, 0.01), min_size=1, max_size=20))
def test_losses_in_rho_are_what_dp_accounting_says(rhos: list[float]) -> None:
    """As Gaussian releases, to 1e-6 (T-DP-3)."""
    found = account("visits", RHO, [debit(rho=rho) for rho in rhos], NOW)
    best = 1 + math.sqrt(math.log(1e6) / sum(rhos))
    accountant = RdpAccountant([1 + (best - 1) * 1.0005**step for step in range(-1500, 1501)])
    for rho in rhos:
        accountant.compose(dp_event.GaussianDpEvent(math.sqrt(1 / (2 * rho))))
    assert found.epsilon_spent == pytest.approx(accountant.get_epsilon(1e-6), rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.01, 0.6), max_size=20), st.sampled_from([PURE, RHO]))
def test_whatever_is_asked_the_budget_holds(asked: list[float], budget: PrivacyBudget) -> None:
    """A debit for each that fits: the sum is within the limit; what was refused would have gone beyond."""
    debits: list[Debit] = []
    for epsilon in asked:
        loss = PrivacyLoss(epsilon) if budget is PURE else PrivacyLoss(epsilon, 1e-6, epsilon**2 / 10)
        if overspent("visits", budget, debits, loss, NOW) is None:
            debits.append(Debit("x", ("visits",), loss, (), 0, NOW))
    found = account("visits", budget, debits, NOW)
    assert found.epsilon_spent <= budget.epsilon * (1 + 1e-12)
    assert found.epsilon_left + found.epsilon_spent >= budget.epsilon * (1 - 1e-9)


def test_a_debit_comes_back_from_the_ledger() -> None:
    """As it was; and what cannot be understood stops everything."""
    one = debit(rho=0.01)
    body = one.body("actor", {"purpose x@1.0.0": "digest"})
    assert Debit.parse(Entry(0, NOW, body)) == one
    with pytest.raises(BadEnvironment):
        Debit.parse(Entry(0, NOW, {"action": "debit", "asset": "x"}))


@pytest.mark.parametrize(
    "said",
    [{"epsilon": 0}, {"epsilon": math.inf}, {"epsilon": 1, "delta": 0.1}, {"epsilon": 1, "lifetime_epsilon": 0.5},
     {"epsilon": 1, "period_days": 0}],
)  # fmt: skip
def test_a_budget_is_a_finite_promise(said: dict[str, Any]) -> None:
    """None that is no bound, and no lifetime under one period."""
    with pytest.raises(ValidationError):
        PrivacyBudget(**said)


# ---- whoever asks, however it ends (T-DP-4)


def _opened(place: Path) -> Ledger:
    return Ledger.open(
        place / "ledger", origin="privacy-assets/p-test", signing_seed=b"s" * 32, witness_folder=place / "witness"
    )


def _debits(ledger: Ledger) -> list[Debit]:
    return [Debit.parse(entry) for entry in ledger.entries() if entry.body["action"] == "debit"]


def ask(ledger: Ledger, budget: PrivacyBudget, loss: PrivacyLoss) -> bool:
    """One client that asks once, as the gate does: whether it was debited."""

    def overspends(entries: Any) -> Fault | None:
        debits = [Debit.parse(entry) for entry in entries if entry.body["action"] == "debit"]
        return overspent("visits", budget, debits, loss, datetime.now(UTC))

    try:
        ledger.append(Debit("x", ("visits",), loss).body("actor", {}), unless=overspends)
    except Refused:
        return False
    return True


def client(place: Path, queries: int, results: Any) -> None:
    """Asks again and again, and draws only for what was debited."""
    ledger, drawn = _opened(place), 0
    for _ in range(queries):
        drawn += ask(ledger, PURE, PrivacyLoss(0.01))
    results.put(drawn)


def _race(place: Path, clients: int, queries: int) -> int:
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    _opened(place)
    running = [context.Process(target=client, args=(place, queries, results)) for _ in range(clients)]
    for one in running:
        one.start()
    drawn = sum(results.get(timeout=500) for _ in running)
    for one in running:
        one.join()
    return drawn


def test_clients_that_race_never_spend_more_than_there_is(tmp_path: Path, figures: Callable[..., None]) -> None:
    """Four at once, 40 questions each, of 0.01: a hundred are answered, no more, and each is in the ledger."""
    drawn = _race(tmp_path, 4, 40)
    debits = _debits(_opened(tmp_path))
    found = account("visits", PURE, debits, datetime.now(UTC))
    figures("T-DP-4 racing", asked=160, answered=drawn, debited=len(debits))
    assert drawn == len(debits)
    assert drawn in (99, 100) and found.epsilon_spent <= 1.0


@pytest.mark.long
def test_eight_clients_and_a_thousand_questions_each(tmp_path: Path, figures: Callable[..., None]) -> None:
    """The same, with more of both."""
    drawn = _race(tmp_path, 8, 1000)
    debits = _debits(_opened(tmp_path))
    figures("T-DP-4 racing, long", asked=8000, answered=drawn, debited=len(debits))
    assert drawn == len(debits) <= 100
    assert account("visits", PURE, debits, datetime.now(UTC)).epsilon_spent <= 1.0


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from tests.ledger import test_budget as t
from privacy_assets import durable
from privacy_assets.ledger.log import Ledger
from privacy_assets.ledger.witness import Witness

place, at = Path(sys.argv[1]), sys.argv[2]

def dies(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def dies_after(name, of):
    inner = getattr(of, name)
    def outer(*args, **kwargs):
        inner(*args, **kwargs)
        dies()
    setattr(of, name, outer)

ledger = t._opened(place)
if at == "before the debit":
    dies()
if at == "before the line is written":
    Ledger._write = dies
if at == "after the line is written":
    dies_after("_write", Ledger)
if at == "after the witness signed":
    Witness.keep_leaves = dies
if at == "before the witness has recorded it":
    durable.replace = dies
if t.ask(ledger, t.PURE, t.PrivacyLoss(0.25)):
    if at == "after the debit":
        dies()
    (place / "released").open("a").write("drawn\\n")
    if at == "after the release":
        dies()
"""
POINTS = [
    "before the debit", "before the line is written", "after the line is written", "after the witness signed",
    "before the witness has recorded it", "after the debit", "after the release", "never",
]  # fmt: skip


def _killed(place: Path, at: str) -> None:
    (place / "killed.py").write_text(KILLED, "utf-8")
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, str(place / "killed.py"), str(place), at, str(root)], check=False, cwd=root)


def _check(place: Path) -> tuple[int, int]:
    released = place / "released"
    drawn = len(released.read_text("utf-8").splitlines()) if released.exists() else 0
    debits = _debits(_opened(place))
    assert drawn <= len(debits)
    assert account("visits", PURE, debits, datetime.now(UTC)).epsilon_spent <= 1.0
    return drawn, len(debits)


def test_a_kill_wastes_what_was_debited_and_never_releases_what_was_not(
    tmp_path: Path, figures: Callable[..., None]
) -> None:
    """kill -9 at each point of one question after the other: spent is never less than released, nor over the budget."""
    _opened(tmp_path)
    for at in POINTS:
        _killed(tmp_path, at)
        _check(tmp_path)
    drawn, debited = _check(tmp_path)
    figures("T-DP-4 kills", points=len(POINTS) - 1, released=drawn, debited=debited)
    assert drawn >= 1 and debited == 4
    assert not ask(_opened(tmp_path), PURE, PrivacyLoss(0.25))


@pytest.mark.long
@pytest.mark.parametrize("at", POINTS[:-1])
def test_fifty_kills_at_each_point(tmp_path: Path, at: str) -> None:
    """The same point again and again, each time in a ledger that the kill before left."""
    _opened(tmp_path)
    for _ in range(50):
        _killed(tmp_path, at)
    _check(tmp_path)
