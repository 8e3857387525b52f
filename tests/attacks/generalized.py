"""Generalized tables by hand, for attacks on anonymized rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from privacy_assets.attacks._generalized import Generalized

AGES = np.array([[0, 1, 2, 3], [0, 0, 1, 1], [0, 0, 0, 0]], dtype=np.int32)
"""Four ages, two decades, everybody."""


def generalized(rows: Sequence[tuple[int, int, int]], secrets: Sequence[int] | None = None) -> Generalized:
    """One column of ages. A row is (age, level, class); each is one person, with a secret where there are some."""
    leaves, levels, classes = (np.array(part, dtype=np.int32) for part in zip(*rows, strict=True))
    ones = np.ones(len(rows), dtype=np.int32)
    held = {}
    if secrets is not None:
        held["illness"] = (np.arange(len(rows), dtype=np.int32), np.array(secrets, dtype=np.int32), ones)
    return Generalized((AGES,), leaves[:, None], levels[:, None], classes, ones, held)
