"""What a private synthesizer may spend, and that it spends no more.

Belongs here: the parameters that private synthesizers share, what they cost, and the account from which their noise is
paid. Does not belong here: sensitivities, which are argued beside what is counted.

**The argument.** All noise of one synthesizer comes from one `Account`. It hands a mechanism out only if OpenDP's map
of it, added to those handed out before, is at most ρ. Each mechanism may be chosen by what earlier ones told, but the ρ
of each step is fixed beforehand, so that by adaptive composition (Bun and Steinke 2016, lemma 1.7) all together are
ρ-zCDP; what is made of their answers alone is post-processing. ρ is the largest that implies no more than ε at δ.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from privacy_assets.techniques import noise
from privacy_assets.techniques.noise import Measure, Noise
from privacy_assets.weakening import Weaker
from privacy_assets.words import Frozen, PrivacyLoss

_ROUNDING = 1 - 1e-9
"""What is dealt out of ρ: the rest is for the last digits of sums and of maps, which round up."""


class Private(Frozen):
    """(ε, δ): nobody's rows change the probability of anything by more than e^ε, but for δ. Counted as ρ-zCDP."""

    STRENGTH: ClassVar[int] = 2

    epsilon: Annotated[float, Field(gt=0, le=20), Weaker.MORE]
    delta: Annotated[float, Field(gt=0, le=1e-3), Weaker.MORE]


def cost(parameters: Private) -> PrivacyLoss:
    """ρ, and what it implies at δ: never more than the ε asked for."""
    return noise.total(Measure.ZCDP, [noise.rho_within(parameters.epsilon, parameters.delta)], parameters.delta)


class Account:
    """ρ of one synthesizer, of which shares are spent. `losses` is what was."""

    def __init__(self, parameters: Private) -> None:
        self.rho = noise.rho_within(parameters.epsilon, parameters.delta)
        self.losses: list[float] = []

    def additive(self, sensitivity: int, share: float) -> Noise:
        """Noise for one vector of counts, for a share of all of ρ."""
        return self._paid(noise.additive(Measure.ZCDP, sensitivity, share * self.rho * _ROUNDING))

    def selection(self, sensitivity: int, share: float) -> Noise:
        """Noise for one choice, for a share of all of ρ."""
        return self._paid(noise.selection(Measure.ZCDP, sensitivity, share * self.rho * _ROUNDING))

    def _paid(self, bought: Noise) -> Noise:
        if noise.added_up([*self.losses, bought.loss]) > self.rho:
            raise RuntimeError("a synthesizer may spend no more than was debited")
        self.losses.append(bought.loss)
        return bought
