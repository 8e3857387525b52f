"""Which attacks a purpose's releases have to survive, from the declarations alone.

Belongs here: what an adversary is taken to know and to want, and the attacks that a threat model names for a stage.
Does not belong here: what an attack does (`attacks/`), how much may come of it (`threat_models/`), what is promised
(`promises.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from privacy_assets.contracts import anonymity
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.threat_models import THREAT_MODELS
from privacy_assets.threat_models._asked import Asked
from privacy_assets.words import Column, Role, Stage


@dataclass(frozen=True, slots=True)
class Adversary:
    """The columns that somebody may know of a person, and those that they want to learn."""

    known: tuple[str, ...]
    secret: tuple[str, ...]


def adversary(purpose: Purpose, columns: Sequence[Column]) -> Adversary:
    """Quasi-identifiers are known; what is sensitive is secret, else what the model predicts, else all the others."""
    leaves = anonymity.leaving(purpose, columns)
    names = [column.name for column in leaves]
    known = [column.name for column in leaves if column.role is Role.QUASI_IDENTIFIER]
    secret = [column.name for column in leaves if column.role is Role.SENSITIVE]
    if not secret:
        secret = [purpose.model.target] if purpose.model else [name for name in names if name not in known]
    known = [name for name in known if name not in secret] or [name for name in names if name not in secret]
    return Adversary(tuple(known), tuple(secret))


def counted(purpose: Purpose, columns: Sequence[Column]) -> frozenset[str]:
    """The sensitive columns of which attacks on anonymized rows have to know the values."""
    asked = withstood(purpose, columns, Stage.ANONYMIZED) if purpose.anonymized else ()
    return frozenset(each.attack.secret for each in asked if hasattr(each.attack, "secret"))


def withstood(purpose: Purpose, columns: Sequence[Column], stage: Stage) -> tuple[Asked, ...]:
    """Which attacks the rows of a stage have to survive, and what may come of each; none where none is asked for."""
    asked = purpose.guarantee.withstands
    if asked is None:
        return ()
    module = THREAT_MODELS[asked.kind]
    if stage is Stage.SYNTHETIC:
        return tuple(module.on_synthetic(asked, adversary(purpose, columns).secret))
    criteria = [each.criterion for each in anonymity.asked_of(purpose, columns)]
    # labels of Mondrian have no level that could be undone
    levels = purpose.anonymized is not None and all(one.kind != "mondrian" for one in purpose.anonymized.techniques)
    k = max((criterion.k for criterion in criteria if criterion.kind == "k_anonymity"), default=0)
    secret = [column.name for column in anonymity.sensitive(purpose, columns)]
    return tuple(module.on_anonymized(asked, secret, k if levels else 0))
