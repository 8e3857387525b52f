"""What an adversary is given, and what is counted of the tries.

Belongs here: the shape of targets and counts. Does not belong here: any attack (one file each), thresholds
(`invariants/`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from privacy_assets.coded import Coded

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Hits = npt.NDArray[np.bool_]

EVERYONE = "everyone"
MOST_EXPOSED = "most_exposed"
"""The groups that are told of: all who were tried, and those of them who are least like others."""


@dataclass(frozen=True, slots=True)
class Target:
    """A release and the people whom it is tried on. All three tables are over the same domains.

    `released` is what the adversary sees; `fitted` the real rows that it was made from; `control` real rows of other
    people, which it was not made from. `known` and `secret` are places of columns: what an adversary may know of
    somebody, and what they would learn. `again` makes a release of the same sort of some of these people, told by a
    mask over `fitted` and then `control`; None where that cannot be done.
    """

    released: Coded
    fitted: Coded
    control: Coded
    known: tuple[int, ...]
    secret: tuple[int, ...]
    again: Callable[[Hits], Coded] | None = None


@dataclass(frozen=True, slots=True)
class Tries:
    """How often one adversary tried and succeeded: on people of the release, of the control, and without the release.

    `about` names the variation (a secret column, a number of columns; "" where there is one); `group` is the group of
    people that was tried on.
    """

    about: str
    group: str
    tried: int
    succeeded: int
    control_tried: int
    control_succeeded: int
    baseline_tried: int
    baseline_succeeded: int

    @classmethod
    def counted(cls, about: str, group: str, hits: Hits, control: Hits, baseline: Hits) -> Tries:
        """The counts of what came of each single try."""
        counts: list[Any] = [int(n) for tried in (hits, control, baseline) for n in (tried.size, tried.sum())]
        return cls(about, group, *counts)
