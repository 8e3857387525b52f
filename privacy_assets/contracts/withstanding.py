"""Which attacks a purpose's releases have to survive, from the declarations alone.

Belongs here: what an adversary is taken to know and to want, and the attacks that a threat model names for a stage.
Does not belong here: what an attack does (`attacks/`), how much may come of it (`threat_models/`), what is promised
(`promises.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from privacy_assets.attacks import ATTACKS
from privacy_assets.contracts import anonymity, synthesis
from privacy_assets.contracts._faults import Faults
from privacy_assets.contracts._yaml import Place
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.invariants.attack_excess import most_under
from privacy_assets.techniques.synthesize import SYNTHESIZE
from privacy_assets.threat_models import THREAT_MODELS
from privacy_assets.threat_models._asked import Asked, Settled
from privacy_assets.words import Column, PrivacyLoss, Role, Stage


@dataclass(frozen=True, slots=True)
class Adversary:
    """The columns that somebody may know of a person, and those that they want to learn."""

    known: tuple[str, ...]
    secret: tuple[str, ...]


def adversary(purpose: Purpose, columns: Sequence[Column]) -> Adversary:
    """Quasi-identifiers are known; what is sensitive is secret, else what a model predicts, else all the others."""
    leaves = anonymity.leaving(purpose, columns)
    names = [column.name for column in leaves]
    known = [column.name for column in leaves if column.role is Role.QUASI_IDENTIFIER]
    secret = [column.name for column in leaves if column.role is Role.SENSITIVE]
    learned = synthesis.transferred(purpose) or anonymity.transferred(purpose) or purpose.model
    if not secret and learned is not None and learned.target in names:
        secret = [learned.target]
    secret = secret or [name for name in names if name not in known] or names
    known = [name for name in known if name not in secret]
    # who knows one column only has no two halves to link
    if len(known) < 2:
        known = [name for name in names if name not in secret]
    if len(known) < 2:
        known = names
    return Adversary(tuple(known), tuple(secret))


def check(purpose: Purpose, columns: Sequence[Column], faults: Faults) -> None:
    """Note where a threat model is named, and nothing could be tried on what is released."""
    asked = purpose.guarantee.withstands
    if asked is None:
        return
    place: Place = ("guarantee", "withstands")
    released = ((Stage.ANONYMIZED, purpose.anonymized), (Stage.SYNTHETIC, purpose.synthetic))
    for stage, declared in released:
        if declared is not None and not withstood(purpose, columns, stage):
            faults.add(
                place,
                f"no attack of `{asked.kind}` can be tried on {stage} rows, so that the name would promise nothing",
                expected="a k with labels that have levels (not `mondrian`), or a sensitive column",
                next_step="look at the roles in the contracts, or leave `withstands` out",
            )
    if getattr(THREAT_MODELS[asked.kind], "NAMED_RECIPIENTS", False) and not purpose.recipients:
        faults.add(
            place,
            f"`{asked.kind}` trusts recipients, and none is named",
            expected="`recipients: [...]`",
            next_step="name them, or take `public_release`",
        )


def counted(purpose: Purpose, columns: Sequence[Column]) -> frozenset[str]:
    """The sensitive columns of which attacks on anonymized rows have to know the values."""
    asked = withstood(purpose, columns, Stage.ANONYMIZED) if purpose.anonymized else ()
    return frozenset(each.attack.secret for each in asked if hasattr(each.attack, "secret"))


def withstood(purpose: Purpose, columns: Sequence[Column], stage: Stage) -> tuple[Asked, ...]:
    """Which attacks what a stage releases has to survive, and what may come of each; none where none is asked for."""
    asked = purpose.guarantee.withstands
    if asked is None:
        return ()
    module = THREAT_MODELS[asked.kind]
    if stage is Stage.SYNTHETIC:
        found = module.on_synthetic(asked, adversary(purpose, columns).secret)
        return tuple(replace(each, settled=_settled(purpose, each)) for each in found)
    if stage is Stage.MODEL:
        return tuple(module.on_model(asked))
    criteria = [each.criterion for each in anonymity.asked_of(purpose, columns)]
    # labels of Mondrian have no level that could be undone
    levels = purpose.anonymized is not None and all(one.kind != "mondrian" for one in purpose.anonymized.techniques)
    k = max((criterion.k for criterion in criteria if criterion.kind == "k_anonymity"), default=0)
    secret = [column.name for column in anonymity.sensitive(purpose, columns)]
    return tuple(module.on_anonymized(asked, secret, k if levels else 0))


def synthetic_loss(purpose: Purpose) -> PrivacyLoss | None:
    """What one version of the synthetic rows costs a person; None where there is no such promise."""
    if purpose.synthetic is None:
        return None
    found: PrivacyLoss | None = SYNTHESIZE[purpose.synthetic.synthesizer.kind].cost(purpose.synthetic.synthesizer)
    return found


def _settled(purpose: Purpose, asked: Asked) -> Settled:
    """An attack that runs the synthesizer many times over is not tried where the accountant leaves it nothing, and is
    tried after the release was made where that takes long."""
    if purpose.synthetic is None or not getattr(ATTACKS[asked.attack.kind], "MAKES_SHADOWS", False):
        return Settled.BY_ATTACK
    loss, ceilings = synthetic_loss(purpose), asked.ceilings.values()
    if loss is not None and all(
        each.rate and most_under(loss.epsilon, loss.delta, each.rate) <= each.excess_at_most for each in ceilings
    ):
        return Settled.BY_ACCOUNTANT
    slow = getattr(SYNTHESIZE[purpose.synthetic.synthesizer.kind], "SLOW", False)
    return Settled.LATER if slow else Settled.BY_ATTACK
