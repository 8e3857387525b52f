"""Which columns of a purpose are compared with the version before, where `guarantee.drift` asks for it.

Belongs here: that choice, and what it takes for there to be any. Does not belong here: how drift is measured
(`invariants/*_drift.py`), which version is the one before (`stages/_previous.py`), how a source drifts from its
contract (`drafting/drift.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from privacy_assets.contracts._faults import Faults
from privacy_assets.contracts.anonymity import SPLIT
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.words import Column


def comparable(purpose: Purpose, columns: Sequence[Column]) -> tuple[str, ...]:
    """The columns that could begin to look like an identifier: all but those that are one, and the split."""
    apart = {*purpose.features.key, purpose.features.subject, SPLIT}
    return tuple(
        column.name
        for column in columns
        if column.name not in apart and column.identifier_domain is None and column.type != "BOOLEAN"
    )


def categories(purpose: Purpose, columns: Sequence[Column]) -> tuple[str, ...]:
    """The features whose groups may become rare: those with declared values; none where nobody asks."""
    asked = purpose.guarantee.drift
    if asked is None or asked.rare_groups is None:
        return ()
    return tuple(
        name
        for name in comparable(purpose, columns)
        if next(column for column in columns if column.name == name).domain is not None
    )


def check(purpose: Purpose, columns: Sequence[Column], faults: Faults) -> None:
    """Note what is asked of drift where the features have nothing that could."""
    asked = purpose.guarantee.drift
    if asked is None:
        return
    if asked.rare_groups is not None and purpose.anonymized is None and not categories(purpose, columns):
        faults.add(
            ("guarantee", "drift", "rare_groups"),
            "no group could become rare: no feature has declared values, and nothing is anonymized",
            next_step="declare them (`enum` in the contract, or `features.categories`), or leave it out",
        )
    if asked.distinct_share_at_most is not None and not comparable(purpose, columns):
        faults.add(
            ("guarantee", "drift", "distinct_share_at_most"),
            "the features have no column but identifiers and truth values",
            next_step="leave it out",
        )
