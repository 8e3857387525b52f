"""The auditor of private synthesizers: every draw of noise is written down, and given again to a neighbour.

Two tables that differ by one person's rows are synthesized. The noisy answers of the first are given to the second in
the same order, and rows are drawn from one seed. Then

* each question must be the same question: as many cells, the same scale, the same sensitivity;
* the exact answers may differ by no more than that sensitivity (L2 of counts, L∞ of scores);
* each ρ is that of its scale and sensitivity by the formula, and their sum is no more than what is debited;
* what comes out must be the same, to the last cell: nothing but the noisy answers reaches it.

So whatever tells the two tables apart is in the noise, and the noise is enough. Belongs here: what the tests of all
private synthesizers use. Does not belong here: the mutants, and the tables.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from privacy_assets.coded import Coded
from privacy_assets.techniques import noise
from privacy_assets.techniques.noise import Noise
from privacy_assets.techniques.synthesize import _drawing, _spending

Synthesize = Callable[[Coded], Coded]


@dataclass
class Draw:
    """One draw: the mechanism, what it was asked, and what it said."""

    noise: Noise
    exact: list[int]
    said: Any

    @property
    def additive(self) -> bool:
        """Whether it answers with counts, and not with a choice."""
        return self.noise.mechanism in noise.ADDITIVE.values()

    @property
    def rho(self) -> float:
        """By the formula."""
        return (self.noise.sensitivity / self.noise.scale) ** 2 / 2


@dataclass
class Tape:
    """What was drawn; what `replays` said is said again."""

    replays: Sequence[Draw] = ()
    draws: list[Draw] = field(default_factory=list)

    def answer(self, bought: Noise, exact: Sequence[int], drawn: Callable[[Sequence[int]], Any]) -> Any:
        """Of one draw."""
        at = len(self.draws)
        replayed = at < len(self.replays) and len(self.replays[at].exact) == len(exact)
        self.draws.append(Draw(bought, list(exact), self.replays[at].said if replayed else drawn(exact)))
        return self.draws[-1].said


class Taped:
    """A mechanism whose draws are written down."""

    def __init__(self, bought: Noise, tape: Tape) -> None:
        self._bought, self._tape = bought, tape

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bought, name)

    def add(self, exact: Sequence[int]) -> list[int]:
        """As the mechanism does."""
        return list(self._tape.answer(self._bought, exact, self._bought.add))

    def select_smallest(self, scores: Sequence[int]) -> int:
        """As the mechanism does."""
        return int(self._tape.answer(self._bought, scores, self._bought.select_smallest))


def taped(synthesize: Synthesize, table: Coded, replays: Sequence[Draw] = ()) -> tuple[Coded, list[Draw]]:
    """What is made of the table, and every draw there was."""
    tape = Tape(replays)
    bought = _spending.Account._paid
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_spending.Account, "_paid", lambda self, one: Taped(bought(self, one), tape))
        patch.setattr(_drawing, "fresh", lambda: np.random.default_rng(7))
        return synthesize(table), tape.draws


def accused(synthesize: Synthesize, one: Coded, other: Coded, rho: float) -> list[str]:
    """What the auditor says against a synthesizer that was debited ρ, of two neighbouring tables."""
    made, draws = taped(synthesize, one)
    made_again, drawn_again = taped(synthesize, other, draws)
    said = []
    if len(draws) != len(drawn_again):
        said.append("asks more of one than of the other")
    for first, second in zip(draws, drawn_again, strict=False):
        if len(first.exact) != len(second.exact) or first.noise != second.noise:
            said.append("asks them differently")
            break
        moved = np.subtract(first.exact, second.exact, dtype=np.float64)
        distance = np.linalg.norm(moved) if first.additive else np.abs(moved).max()
        if distance > first.noise.sensitivity:
            said.append(f"{'counts' if first.additive else 'scores'} move further than their sensitivity")
        if first.noise.loss < first.rho * (1 - 1e-9):
            said.append("noise is smaller than what is paid for")
    if math.fsum(draw.rho for draw in draws) > rho * (1 + 1e-9):
        said.append("spends more than is debited")
    if not np.array_equal(made.codes, made_again.codes):
        said.append("tells more than its noisy answers")
    return said
