"""The privacy impact of a change, told: as a table, as Markdown for a pull request, as JSON.

Belongs here: words and order of what people and machines read. Does not belong here: what differs (`lineage/diff.py`),
terminals (`cli.py`).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from datetime import date
from enum import Enum
from itertools import takewhile
from typing import Any

from pydantic import BaseModel

from privacy_assets.contracts.versions import Size, next_version
from privacy_assets.lineage.diff import Change, Diff, Reach, Versioned
from privacy_assets.reports._document import cell, table
from privacy_assets.words import Role

HEADS = ("", "about", "in", "what", "before", "now", "where")
LONGEST = 80
"""Characters of a value that is shown; JSON has all of it."""
MOST = 50
"""Entries of a list that JSON has; of more it says how many."""


def rows(found: Diff) -> Iterator[tuple[str, ...]]:
    """Each change: what it does, what it is about, in which declaration, the value before and now, file and line."""
    for one in found.changes:
        yield one.effect.value, one.topic, str(one.of), one.what, *_texts(one), one.where


def _texts(one: Change) -> tuple[str, str]:
    if one.topic == "flow":
        return _reach(one.before), _reach(one.after)
    return texts(one.before, one.after)


def texts(old: Any, new: Any) -> tuple[str, str]:
    """Two declared values, as they are shown beside each other."""
    before, after = _text(old), _text(new)
    # of two long texts what is read is where they part
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))
    same = sum(1 for _ in alike) if min(len(before), len(after)) > LONGEST else 0
    return _short(before, same), _short(after, same)


def _reach(reach: Reach | None) -> str:
    """Where values come to, with the roles that they still have; and where the column only decides."""
    if reach is None:
        return "-"
    valued = [
        f"{asset.stage} ({_roles(way.roles)})" if way.roles else str(asset.stage)
        for asset, way in reach.items()
        if way.by_value
    ]
    decided = [str(asset.stage) for asset, way in reach.items() if not way.by_value]
    told = [", ".join(dict.fromkeys(valued))] if valued else []
    return "; ".join(told + ([f"decides about {', '.join(dict.fromkeys(decided))}"] if decided else []))


def _roles(roles: frozenset[Role]) -> str:
    return " + ".join(sorted(roles))


def _text(value: Any) -> str:
    if value is None:
        return "-"
    said = plain(value)
    return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)


def _short(text: str, same: int) -> str:
    """The text from shortly before a place on, with what was left out marked."""
    start = max(0, min(same, len(text)) - LONGEST // 4)
    left = text[start:]
    return ("…" if start else "") + (left if len(left) <= LONGEST else f"{left[: LONGEST - 1]}…")


def plain(value: Any) -> Any:
    """A declared value as JSON has it: what is left at its default is left out."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, BaseModel):
        written = value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return {name: plain(one) for name, one in written.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        every = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
        return {name: plain(one) for name, one in every.items() if one not in (None, "", ())}
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value] if len(value) <= MOST else f"{len(value):,} entries"
    return value.isoformat() if isinstance(value, date) else value


def summary(found: Diff) -> Iterator[str]:
    """In a few lines: versions, models, approvals, what was measured, and what it comes to."""
    for one in found.versions:
        yield f"{one.of}: {_version(one)}"
    if found.models:
        yield f"models touched: {', '.join(map(str, found.models))}"
    for approval in found.approvals:
        clauses = f"; third parties: {', '.join(approval.third_parties)}" if approval.third_parties else ""
        yield f"to approve: {approval.owner}, who owns the {approval.of}{clauses}"
    for number in found.measured:
        yield f"measured: {number.asset}: {number.what} was {number.before:.4g}, and is {number.after:.4g}"
    yield from found.notes
    yield verdict(found)


def _version(one: Versioned) -> str:
    said = f"version {one.before}" + (f" → {one.after}" if one.before != one.after else ", as before")
    if one.kept:
        return said
    if one.needed is None:
        return f"{said}: an earlier version than it was"
    needed = next_version(one.before, one.needed)
    return f"{said}, and what was changed is {one.needed.name.lower()}: {needed} at least"


def verdict(found: Diff) -> str:
    """What it comes to, in one sentence."""
    weaker = sum(change.effect.weakens for change in found.changes)
    if not found.changes and not found.versions:
        return f"Nothing that concerns people differs from {found.base}."
    wrong = sum(not one.kept for one in found.versions)
    said = f"{weaker:,} of {len(found.changes):,} changes are weaker, wider, or to be looked at"
    return f"Beside {found.base}: {said}; " + (
        f"{wrong:,} {'versions do' if wrong > 1 else 'version does'} not say so."
        if wrong
        else "every version says what was changed."
    )


def markdown(found: Diff) -> str:
    """For a pull request: the verdict, then tables."""
    parts = ["## Privacy impact", "", verdict(found), ""]
    if found.changes:
        parts += table(HEADS, list(rows(found)))
    if found.versions:
        lines = [(str(one.of), "kept" if one.kept else "not kept", _version(one)) for one in found.versions]
        parts += ["### Versions", "", *table(("declaration", "", "version"), lines)]
    if found.models:
        parts += ["### Models touched", "", *(f"- {cell(str(asset))}" for asset in found.models), ""]
    if found.approvals:
        approvals = [(one.owner, str(one.of), ", ".join(one.third_parties)) for one in found.approvals]
        parts += ["### To approve", "", *table(("owner", "of", "third parties"), approvals)]
    if found.measured:
        numbers = [(str(one.asset), one.what, f"{one.before:.4g}", f"{one.after:.4g}") for one in found.measured]
        parts += ["### Measured", "", *table(("asset", "what", "before", "now"), numbers)]
    parts += [f"{cell(note)}\n" for note in found.notes]
    return "\n".join(parts).rstrip() + "\n"


def as_json(found: Diff) -> dict[str, Any]:
    """The whole answer, for machines; the same declarations give the same text."""
    return {
        "base": found.base,
        "weakens": found.weakens,
        "versioned": found.versioned,
        "changes": [
            {
                "effect": one.effect.value,
                "topic": one.topic,
                "of": {"kind": one.of.kind, "name": one.of.name},
                "what": one.what,
                "before": _reached(one.before) if one.topic == "flow" else plain(one.before),
                "after": _reached(one.after) if one.topic == "flow" else plain(one.after),
                "where": one.where,
                "assets": sorted({str(asset) for asset, _ in one.starts}),
            }
            for one in found.changes
        ],
        "versions": [
            {
                "of": {"kind": one.of.kind, "name": one.of.name},
                "before": one.before,
                "after": one.after,
                "needed": one.needed.name.lower() if isinstance(one.needed, Size) else None,
                "kept": one.kept,
            }
            for one in found.versions
        ],
        "models": [str(asset) for asset in found.models],
        "approvals": [
            {
                "owner": one.owner,
                "of": {"kind": one.of.kind, "name": one.of.name},
                "third_parties": list(one.third_parties),
            }
            for one in found.approvals
        ],
        "measured": [
            {"asset": str(one.asset), "what": one.what, "before": one.before, "after": one.after}
            for one in found.measured
        ],
        "notes": list(found.notes),
    }


def _reached(reach: Reach | None) -> list[dict[str, Any]] | None:
    if reach is None:
        return None
    return [
        {"asset": str(asset), "by": "value" if way.by_value else "decides", "roles": sorted(way.roles)}
        for asset, way in reach.items()
    ]
