"""One attack of a threat model, and what may come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """`attack` are the parameters of a member of `ATTACKS`; `about` its variations (secret columns, or "").

    `excess_at_most` is, for each group of people, by how much more often it may succeed against those whom the release
    was made from; fewer tries than `tries_at_least` decide nothing.
    """

    attack: Any
    about: tuple[str, ...]
    excess_at_most: dict[str, float]
    tries_at_least: int
