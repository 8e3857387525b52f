"""What an adversary is given, and what is counted of the tries.

Belongs here: the shape of targets and counts. Does not belong here: any attack (one file each), thresholds
(`invariants/`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from privacy_assets.coded import Coded, Codes

EVERYONE = "everyone"
MOST_EXPOSED = "most_exposed"
"""The groups that are told of: all who were tried, and those of them who are least like others."""


@dataclass(frozen=True, slots=True)
class Target:
    """A release and the people whom it is tried on. All three tables are over the same domains.

    `released` is what the adversary sees; `fitted` the real rows that it was made from; `control` real rows of other
    people, which it was not made from. `known` and `secret` are places of columns: what an adversary may know of
    somebody, and what they would learn.
    """

    released: Coded
    fitted: Coded
    control: Coded
    known: tuple[int, ...]
    secret: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tries:
    """How often one adversary tried and succeeded: on people of the release, of the control, and without the release.

    `about` names the variation (a secret column, a number of columns; "" where there is one), a legal check name;
    `group` is the group of people that was tried on.
    """

    about: str
    group: str
    tried: int
    succeeded: int
    control_tried: int
    control_succeeded: int
    baseline_tried: int
    baseline_succeeded: int


@dataclass(frozen=True, slots=True)
class Generalized:
    """An anonymized table with what is behind it, each combination of quasi-identifiers once.

    `hierarchies` has for each column (levels, leaves): the group of each leaf at each level, which everybody knows.
    `leaves` and `levels` (combinations, columns) are what is true and at which level it was published, `classes`
    (combinations,) the published class, -1 where it was suppressed, `rows` how many there are. `secrets` are for each
    sensitive column three arrays of one length: combination, value, rows.
    """

    hierarchies: tuple[Codes, ...]
    leaves: Codes
    levels: Codes
    classes: Codes
    rows: Codes
    secrets: Mapping[str, tuple[Codes, Codes, Codes]]
