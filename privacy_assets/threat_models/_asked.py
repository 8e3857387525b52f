"""One attack of a threat model, and what may come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Ceiling:
    """By how much more often an attack may succeed, and how few tries decide nothing.

    `judged_on` is the upper end of the interval, or the value, where a group has too few people for an interval.
    """

    excess_at_most: float
    tries_at_least: int
    judged_on: Literal["upper_end", "value"] = "upper_end"


@dataclass(frozen=True, slots=True)
class Asked:
    """`attack` are the parameters of a member of `ATTACKS`; `about` its variations (secret columns, or "").

    `ceilings` are those of each group of people: how much more often it may succeed against those whom the release was
    made from than against others.
    """

    attack: Any
    about: tuple[str, ...]
    ceilings: dict[str, Ceiling]
