"""What an adversary is given of anonymized rows.

Belongs here: the shape of such a target. Does not belong here: any attack (one file each), how rows were generalized.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from privacy_assets.coded import Codes


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
