"""What a contract or a purpose was, and which columns its assets had, on any day: from the ledger alone.

Every publication names the declarations that it was made under, by version and digest, and the columns that were
observed in it. A *state* of an asset are its publications in a row that agree in both; where the next one begins, a
declaration or a schema changed. The text of a declaration is not in the ledger: its digest is that of what git has.

Belongs here: these states, and the difference of each to the one before. Does not belong here: how a contract differs
from its source now (`drafting/drift.py`), what a change means for people (`lineage/diff.py`), terminals (`cli.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from privacy_assets.errors import BadDeclaration
from privacy_assets.gate import Gate, Passport
from privacy_assets.words import AssetName

HEADS = ("From (UTC)", "Until", "Version", "Digest", "Asset", "Published", "Columns")


class Kind(StrEnum):
    """What is declared."""

    CONTRACT = "contract"
    PURPOSE = "purpose"


@dataclass(frozen=True, slots=True)
class State:
    """Publications of one asset in a row, under one declaration and with the same columns; `changes` to those before.

    `until` is when the next state began, None where this one stands. `asset` is the whole one, where it is kept by day.
    """

    asset: AssetName
    declared_version: str
    digest: str
    columns: tuple[tuple[str, str], ...]
    changes: tuple[str, ...]
    publications: tuple[Passport, ...]
    until: datetime | None

    @property
    def since(self) -> datetime:
        """When it was published first."""
        return self.publications[0].time


def history(gate: Gate, kind: Kind, name: str) -> tuple[State, ...]:
    """The states of all assets that were ever published under a declaration, oldest first.

    Raises BadDeclaration, with those that the ledger knows, where nothing was.
    """
    published: dict[AssetName, list[tuple[str, str, Passport]]] = {}
    known = set()
    for passport in gate.publications():
        for declared, digest in passport.declared.items():
            of, _, version = declared.removeprefix(f"{kind} ").partition("@")
            if declared.startswith(f"{kind} "):
                known.add(of)
            if declared.startswith(f"{kind} {name}@"):
                published.setdefault(passport.asset.whole, []).append((version, digest, passport))
    if not published:
        raise BadDeclaration.of(
            f"nothing was ever published under a {kind} `{name}`",
            expected=f"one of {', '.join(sorted(known))}" if known else "an asset that was published",
            next_step="`privacy-assets run` publishes what is declared",
        )
    states = [state for asset, found in published.items() for state in _states(asset, found)]
    return tuple(sorted(states, key=lambda state: state.publications[0].position))


def _states(asset: AssetName, found: Sequence[tuple[str, str, Passport]]) -> Iterator[State]:
    groups: list[list[tuple[str, str, Passport]]] = []
    for one in found:
        same = bool(groups) and _state(groups[-1][0]) == _state(one)
        groups[-1].append(one) if same else groups.append([one])
    before: tuple[tuple[str, str], ...] | None = None
    for place, group in enumerate(groups):
        version, digest, first = group[0]
        until = groups[place + 1][0][2].time if place + 1 < len(groups) else None
        changes = () if before is None else tuple(changed(before, first.columns))
        yield State(asset, version, digest, first.columns, changes, tuple(one[2] for one in group), until)
        before = first.columns


def _state(one: tuple[str, str, Passport]) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    version, digest, passport = one
    return version, digest, passport.columns


def changed(before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]]) -> Iterator[str]:
    """How columns (name, type) differ, a line each: `- name TYPE`, `+ name TYPE`, `name TYPE → TYPE`, order."""
    was, now = dict(before), dict(after)
    yield from (f"- {name} {kind}" for name, kind in was.items() if name not in now)
    yield from (f"+ {name} {kind}" for name, kind in now.items() if name not in was)
    yield from (f"{name} {was[name]} → {kind}" for name, kind in now.items() if was.get(name, kind) != kind)
    if set(was) == set(now) and list(was) != list(now):
        yield "in another order"


def rows(states: Sequence[State]) -> Iterator[tuple[str, ...]]:
    """The cells of each state as text: of the first of an asset all columns, then what changed."""
    seen: set[AssetName] = set()
    for state in states:
        first = state.asset not in seen
        seen.add(state.asset)
        held = ", ".join(f"{name} {kind}" for name, kind in state.columns)
        yield (
            f"{state.since:%Y-%m-%d %H:%M}",
            f"{state.until:%Y-%m-%d %H:%M}" if state.until else "the last",
            state.declared_version,
            state.digest[:16],
            str(state.asset),
            f"{len(state.publications)}×",
            held if first else "; ".join(state.changes) or "as before",
        )


def as_json(kind: Kind, name: str, states: Sequence[State]) -> Mapping[str, Any]:
    """The same for machines, with every column and publication."""
    return {
        "kind": kind.value,
        "name": name,
        "states": [
            {
                "asset": str(state.asset),
                "version": state.declared_version,
                "digest": state.digest,
                "since": state.since.isoformat(),
                "until": state.until.isoformat() if state.until else None,
                "columns": [{"name": column, "type": held} for column, held in state.columns],
                "changes": list(state.changes),
                "publications": [
                    {
                        "asset": str(passport.asset),
                        "version": passport.version,
                        "time": passport.time.isoformat(),
                        "ledger_entry": passport.position,
                    }
                    for passport in state.publications
                ],
            }
            for state in states
        ],
    }
