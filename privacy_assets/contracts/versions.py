"""Semantic versions of contracts and purposes: which change asks for which, and whether it has it.

    patch   what people read, and nothing that is promised
    minor   who relies on it goes on as before: a promise more, something optional more
    major   somebody has to look: less is promised, or it could be less

Belongs here: sizes and version numbers. Does not belong here: finding changes (`weakening.py`, `lineage/diff.py`,
`drafting/drift.py`).
"""

from __future__ import annotations

from enum import IntEnum

from privacy_assets.weakening import Effect


class Size(IntEnum):
    """How much of a promise changes."""

    PATCH = 1
    MINOR = 2
    MAJOR = 3


def size_of(effect: Effect) -> Size:
    """The least that a change with this effect makes of a version."""
    if effect.weakens:
        return Size.MAJOR
    return Size.PATCH if effect is Effect.WORDS else Size.MINOR


def next_version(version: str, size: Size) -> str:
    """The version that follows by a change of this size."""
    major, minor, patch = _parts(version)
    match size:
        case Size.MAJOR:
            return f"{major + 1}.0.0"
        case Size.MINOR:
            return f"{major}.{minor + 1}.0"
        case _:
            return f"{major}.{minor}.{patch + 1}"


def step(before: str, after: str) -> Size | None:
    """How much later a version says that it is; None where it is the same, or an earlier one."""
    was, now = _parts(before), _parts(after)
    if now <= was:
        return None
    return Size.MAJOR if now[0] > was[0] else Size.MINOR if now[1] > was[1] else Size.PATCH


def _parts(version: str) -> tuple[int, int, int]:
    major, minor, patch = map(int, version.split("."))
    return major, minor, patch
