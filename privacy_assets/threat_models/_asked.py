"""One attack of a threat model, and what may come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ceiling:
    """By how much more often an attack may succeed, and how few tries decide nothing."""

    excess_at_most: float
    tries_at_least: int


@dataclass(frozen=True, slots=True)
class Asked:
    """`attack` are the parameters of a member of `ATTACKS`; `about` its variations (secret columns, or "").

    `ceilings` are those of each group of people: how much more often it may succeed against those whom the release was
    made from than against others.
    """

    attack: Any
    about: tuple[str, ...]
    ceilings: dict[str, Ceiling]
