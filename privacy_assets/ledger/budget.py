"""The privacy budget: what releases have cost the people of a dataset, and whether one more may be made.

A debit is an entry of the ledger, appended before noise is drawn and under the ledger's lock, so that what was spent is
never less than what was released: not after a crash, not after a kill, not where many ask at once. A crash between
debit and release wastes what was debited; nothing gives it back.

**How losses compose.** Each dataset's budget is counted in one way, which its contract decides:

* `delta: 0`    pure ε. The sum of all ε is at most `epsilon` (basic composition; holds also where each question is
                chosen by the answers before it: Rogers, Roth, Ullman, Vadhan 2016). A loss in ρ is refused.
* `delta: d`    ρ-zCDP. The sum of all ρ is at most the ρ that implies (`epsilon`, d), by OpenDP's conversion; the same
                holds of it under adaptive choice (Feldman and Zrnic 2021; Whitehouse et al. 2023). A pure ε counts as
                ρ = ε²/2, which is much for an ε near the whole budget.

Composition is sequential always: of two releases each is counted in full, whatever rows they look at. Counting only
the larger one is right where no person is in both, which days, wards and splits of rows do not promise: a person comes
back. Within one query that argument is made beside the query (`techniques/aggregate`), and bounded by person.

The period is a sliding one: what was debited in the last `period_days` days counts, so that no two periods can be
spent around one midnight. The loss of a lifetime, over all debits, is always counted, and capped where the contract
says so. Numbers are added up with a rounding that never goes below the true sum.

What it does not cover: what was released outside of this ledger; the same people in another dataset, or the same data
under another name, which have a budget of their own; a clock that somebody sets forward.

Belongs here: debits, their sum, the decision. Does not belong here: who pays (`gate.py`), mechanisms (`techniques/`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from privacy_assets.contracts.contract import PrivacyBudget
from privacy_assets.errors import BadEnvironment, Fault
from privacy_assets.ledger.log import Entry
from privacy_assets.techniques.noise import added_up, epsilon_of, rho_of, rho_within
from privacy_assets.words import PrivacyLoss

ACTION = "debit"


@dataclass(frozen=True, slots=True)
class Debit:
    """What one release cost the people of each of `datasets`. `what` names its parts, such as the queries."""

    asset: str
    datasets: tuple[str, ...]
    loss: PrivacyLoss
    what: tuple[str, ...] = ()
    position: int = -1
    time: datetime | None = None

    def body(self, actor: str, declared: Mapping[str, str]) -> dict[str, Any]:
        """As it stands in the ledger."""
        return {
            "action": ACTION,
            "asset": self.asset,
            "datasets": list(self.datasets),
            "epsilon": self.loss.epsilon,
            "delta": self.loss.delta,
            "rho": self.loss.rho,
            "what": list(self.what),
            "declared": dict(declared),
            "actor_claimed": actor,
        }

    @classmethod
    def parse(cls, entry: Entry) -> Debit:
        """From its ledger entry."""
        body = entry.body
        try:
            return cls(
                body["asset"],
                tuple(body["datasets"]),
                PrivacyLoss(body["epsilon"], body["delta"], body["rho"]),
                tuple(body["what"]),
                entry.position,
                entry.time,
            )
        except (KeyError, TypeError):
            raise BadEnvironment.of(
                "the ledger holds a debit that this release does not understand",
                where=f"ledger entry {entry.position}",
                next_step="use the release that wrote it",
            ) from None


@dataclass(frozen=True, slots=True)
class Account:
    """How a dataset's budget stands. ε is at the budget's δ where it is counted in ρ.

    `epsilon_left` is what one more release may cost; `frees_at` is when the oldest debit of the period ends to count.
    `lifetime` is the loss of all debits there ever were.
    """

    dataset: str
    budget: PrivacyBudget
    spent: float
    left: float
    lifetime: float
    debits: int
    frees_at: datetime | None

    @property
    def epsilon_spent(self) -> float:
        """The ε spent in the period."""
        return self._epsilon(self.spent)

    @property
    def epsilon_left(self) -> float:
        """The ε that is left: of one release, where it is counted in ρ."""
        return self._epsilon(self.left)

    @property
    def epsilon_lifetime(self) -> float:
        """The ε of all releases."""
        return self._epsilon(self.lifetime)

    def _epsilon(self, amount: float) -> float:
        return epsilon_of(amount, self.budget.delta) if self.budget.delta else amount


def account(dataset: str, budget: PrivacyBudget, debits: Sequence[Debit], now: datetime) -> Account:
    """The account of a dataset at the moment `now`, from all debits of the ledger."""
    own = [debit for debit in debits if dataset in debit.datasets]
    since = now - timedelta(days=budget.period_days)
    recent = [debit for debit in own if debit.time is None or debit.time > since]
    spent, lifetime = (added_up([_amount(budget, debit.loss) for debit in each]) for each in (recent, own))
    left = _limit(budget, budget.epsilon) - spent
    if budget.lifetime_epsilon is not None:
        left = min(left, _limit(budget, budget.lifetime_epsilon) - lifetime)
    oldest = min((debit.time for debit in recent if debit.time is not None), default=None)
    frees_at = oldest + timedelta(days=budget.period_days) if oldest else None
    return Account(dataset, budget, spent, max(left, 0.0), lifetime, len(own), frees_at)


def overspent(
    dataset: str, budget: PrivacyBudget, debits: Sequence[Debit], loss: PrivacyLoss, now: datetime
) -> Fault | None:
    """Why this loss may not be added to the debits; None where it fits."""
    if loss.rho is not None and budget.delta == 0:
        return Fault(
            f"the budget of {dataset} is counted in pure ε, and the release would lose ρ",
            expected="a release with δ 0",
            found=f"ρ {loss.rho:.4g}, δ {loss.delta:g}",
            next_step="ask without a δ, or give the contract's budget one, for all to see",
        )
    new = Debit("", (dataset,), loss)
    after, before = account(dataset, budget, [*debits, new], now), account(dataset, budget, debits, now)
    within = after.spent <= _limit(budget, budget.epsilon)
    cap = budget.lifetime_epsilon
    if within and (cap is None or after.lifetime <= _limit(budget, cap)):
        return None
    limit = f"ε {budget.epsilon:g} in {budget.period_days} days" if not within else f"ε {cap:g} in a lifetime"
    waiting = f"wait until {before.frees_at:%Y-%m-%d %H:%M} UTC, when the oldest debit ends to count; " if (
        not within and before.frees_at
    ) else ""  # fmt: skip
    return Fault(
        f"the budget of {dataset} does not hold this release",
        expected=limit + (f" at δ {budget.delta:g}" if budget.delta else ""),
        found=f"ε {loss.epsilon:.4g} asked, ε {before.epsilon_left:.4g} left, ε {before.epsilon_spent:.4g} spent in "
        f"the period, ε {before.epsilon_lifetime:.4g} in the lifetime",
        next_step=f"{waiting}ask for less, or raise the budget in the contract, for all to see; "
        "`privacy-assets budget` shows what was debited",
    )


def _amount(budget: PrivacyBudget, loss: PrivacyLoss) -> float:
    """A loss in what the budget is counted in. One that cannot be expressed in it is infinite."""
    if budget.delta == 0:
        return loss.epsilon if loss.rho is None else math.inf
    return loss.rho if loss.rho is not None else rho_of(loss.epsilon)


def _limit(budget: PrivacyBudget, epsilon: float) -> float:
    return rho_within(epsilon, budget.delta) if budget.delta else epsilon
