"""What a contract or a purpose was, and which columns its assets had, on any day: from the ledger alone.

Every publication names the declarations that it was made under, by version and digest, and the columns that were
observed in it. A *state* of an asset are its publications in a row that agree in both; where the next one begins, a
declaration or a schema changed. The text under a digest is kept in the home (`warehouse/declarations.py`), so that two
of them can be compared; older releases kept none.

Belongs here: these states, the difference of each to the one before, the texts and their differences, value by value.
Does not belong here: how a contract differs from its source now (`drafting/drift.py`), what a change does to flows and
models, for which both sides' whole projects are needed (`lineage/diff.py`), terminals (`cli.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import yaml

from privacy_assets.contracts.meaning import read
from privacy_assets.errors import BadDeclaration
from privacy_assets.gate import Gate, Passport
from privacy_assets.lineage.diff import topic
from privacy_assets.reports.diff import plain, texts
from privacy_assets.weakening import Difference, differences
from privacy_assets.words import AssetName

FEWEST = 4
"""Hex digits of a digest that name it."""
CHANGES = ("", "about", "what", "before", "now")
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


@dataclass(frozen=True, slots=True)
class Text:
    """What a declaration meant (canonical JSON), of which version it was."""

    version: str
    digest: str
    text: str


def text(gate: Gate, kind: Kind, name: str, asked: str) -> Text:
    """The text of the version of a declaration that is `asked` for: its number, or how its digest begins.

    Raises BadDeclaration where nothing was published under it, where several texts had that number, or where it was not
    kept; Tampered where what is kept is not what the ledger names.
    """
    known = {state.digest: state.declared_version for state in history(gate, kind, name)}
    found = [digest for digest, version in known.items() if asked == version]
    found = found or [digest for digest in known if len(asked) >= FEWEST and digest.startswith(asked)]
    if len(found) != 1:
        raise BadDeclaration.of(
            f"{'several texts' if found else 'no text'} of the {kind} `{name}` can be meant",
            where=asked,
            expected="one of " + ", ".join(f"{version} ({digest[:16]})" for digest, version in known.items()),
            next_step=f"name the version, or {FEWEST} digits or more with which its digest begins",
        )
    (digest,) = found
    kept = gate.declaration(digest)
    if kept is None:
        raise BadDeclaration.of(
            "the text of this version was not kept: a release published under it that kept none",
            where=f"{kind} {name}@{known[digest]} ({digest[:16]})",
            next_step="look for it in git; what is published from now on keeps it",
        )
    return Text(known[digest], digest, kept)


def between(kind: Kind, before: Text, after: Text) -> tuple[Difference, ...]:
    """Every value that differs between two texts of a declaration, with what that does, in the order of the file.

    What `lineage/diff.py` compares promise by promise, by way of what an asset is asked, nobody ranks here.
    """
    was, now = read(kind, before.text), read(kind, after.text)
    return tuple(one for one in differences(was, now, alone=True) if one.place != ("version",))


def changes(found: Sequence[Difference]) -> Iterator[tuple[str, ...]]:
    """The cells of each difference as text."""
    for one in found:
        yield one.effect.value, topic(one.place), ".".join(map(str, one.place)), *texts(one.before, one.after)


def as_yaml(kept: Text) -> str:
    """A text for people to read, as YAML, with the digest that the ledger names."""
    meant = yaml.safe_dump(json.loads(kept.text), allow_unicode=True, sort_keys=False, width=120)
    return f"# version {kept.version}, digest {kept.digest}\n{meant}"


def between_as_json(kind: Kind, name: str, before: Text, after: Text) -> Mapping[str, Any]:
    """The differences for machines."""
    return {
        "kind": kind.value,
        "name": name,
        "between": [{"version": one.version, "digest": one.digest} for one in (before, after)],
        "changes": [
            {
                "effect": one.effect.value,
                "topic": topic(one.place),
                "what": ".".join(map(str, one.place)),
                "before": plain(one.before),
                "after": plain(one.after),
            }
            for one in between(kind, before, after)
        ],
    }


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
