"""One attack of a threat model, and what may come of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal


class Settled(StrEnum):
    """What decides about a ceiling: the attack, before a release is published; the same, by the red team, after that,
    where it takes too long; or the accountant of differential privacy, who leaves no more than that."""

    BY_ATTACK = "by_attack"
    LATER = "later"
    BY_ACCOUNTANT = "by_accountant"


@dataclass(frozen=True, slots=True)
class Ceiling:
    """By how much more often an attack may succeed, and how few tries decide nothing.

    `judged_on` is the upper end of the interval, or the value, where a group has too few people for an interval;
    `small_sample_at_most` is what decides with fewer tries, and `rate` the share of others that the attack is told to
    succeed with (`invariants/attack_excess`).
    """

    excess_at_most: float
    tries_at_least: int
    judged_on: Literal["upper_end", "value"] = "upper_end"
    small_sample_at_most: float | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """`attack` are the parameters of a member of `ATTACKS`; `about` its variations (secret columns, or "").

    `ceilings` are those of each group of people: how much more often it may succeed against those whom the release was
    made from than against others. `settled` says by what, and when (`contracts/withstanding`).
    """

    attack: Any
    about: tuple[str, ...]
    ceilings: dict[str, Ceiling]
    settled: Settled = Settled.BY_ATTACK
