"""What depends on a column, a dataset, a purpose, a technique or a model, and what that depends on.

Belongs here: what a person may ask of the graph, and the answer as rows. Does not belong here: the graph
(`lineage/flows.py`), terminals (`cli.py`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from privacy_assets.contracts.loading import Project
from privacy_assets.errors import BadDeclaration
from privacy_assets.gate import PERSON, READERS
from privacy_assets.lineage.flows import Flows, Place, Reached
from privacy_assets.lineage.roles import Roles
from privacy_assets.reports.foreign import KEY, UNKNOWN, Around, Point, Surroundings
from privacy_assets.words import AssetName, Stage

HEADS = ("", "asset", "column", "role", "technique", "by", "via")
UP, DOWN = "from", "to"


@dataclass(frozen=True, slots=True)
class Impact:
    """The answer to one question: where it begins, and what was reached from there, up and down, nearest first.

    `around` is what was reached beside the corridor, in the Dagster project that has taken it in, by direction.
    """

    asked: str
    flows: Flows
    starts: Sequence[Place]
    upstream: Sequence[Reached]
    downstream: Sequence[Reached]
    roles: Mapping[Place, Roles]
    around: Mapping[str, Sequence[Around]]

    def released(self) -> list[AssetName]:
        """The assets downstream, or asked for, that people may read."""
        again = ((self.flows.named[one.point[0]], one.point[1]) for one in self.around[DOWN] if not one.foreign)
        places = (*self.starts, *(one.place for one in self.downstream), *again)
        return [asset for asset in self.flows.made if PERSON in READERS[asset.stage] and asset in dict(places)]


def impact(
    project: Project,
    flows: Flows,
    asked: str,
    roles: Mapping[Place, Roles],
    surroundings: Surroundings | None = None,
) -> Impact:
    """What depends on `asked`, and what that depends on; `roles` are those that each place still carries.

    `surroundings` is the Dagster project around the corridor, if there is one.

    `asked` is a column (`raw/patients.email`), an asset (`model/readmission_model`), a dataset, a purpose, a kind of
    technique, or an asset of the project around the corridor: its key, or `<key>.<column>`, after `key:` where that is
    the name of something else, too. Raises BadDeclaration for anything else, with what it may have meant.
    """
    foreign = surroundings.asked(flows, asked) if surroundings else None
    starts = _starts(project, flows, asked, surroundings, foreign)
    inside = set(starts)
    found = [list(reached(starts).values()) for reached in (flows.upstream, flows.downstream)]
    up, down = ([one for one in each if one.place not in inside] for each in found)
    around = {
        direction: surroundings.reached(flows, starts, every, up=direction == UP, foreign=foreign)
        if surroundings
        else []
        for direction, every in ((UP, up), (DOWN, down))
    }
    return Impact(asked, flows, starts, up, down, roles, around)


def _starts(
    project: Project, flows: Flows, asked: str, surroundings: Surroundings | None, foreign: Point | None
) -> list[Place]:
    """The places of the corridor that are asked for; none where it is an asset around it."""
    every = flows.places(flows.made)
    meant: dict[str, list[Place]] = {}
    for name, where in (
        *((f"{asset}.{column}", (asset, column)) for asset, column in every),
        *((str(asset), (asset, column)) for asset, column in every),
        *((asset.purpose, (asset, column)) for asset, column in every if asset.purpose),
        *((asset.dataset, (asset, column)) for asset, column in every if asset.stage is Stage.RAW),
        *((flows.technique(place), place) for place in every if flows.technique(place)),
    ):
        meant.setdefault(name, []).append(where)
    kinds = {
        "a dataset": asked in project.contracts,
        "a purpose": asked in project.purposes,
        "a technique": any(flows.technique(at) == asked for at in every),
        "an asset around the corridor": foreign is not None,
    }
    if sum(kinds.values()) > 1:
        raise BadDeclaration.of(
            f"{asked!r} is the name of several things: {', '.join(kind for kind, so in kinds.items() if so)}",
            expected="what only one thing is called",
            next_step=f"for the dataset: raw/{asked}; for an asset around the corridor: {KEY}{asked}",
        )
    if foreign is not None:
        return []
    if asked in meant:
        return list(dict.fromkeys(meant[asked]))
    known = [*meant, *(surroundings.names(flows) if surroundings else ())]
    near = difflib.get_close_matches(asked, known, n=3, cutoff=0.6)
    raise BadDeclaration.of(
        f"there is no column, asset, dataset, purpose or technique {asked!r}",
        expected="raw/<dataset>.<column>, <stage>/<purpose>, a dataset, a purpose or a technique of this project, or "
        "the key of an asset around it",
        next_step=f"did you mean {', '.join(near)}?" if near else "`privacy-assets show ASSET` lists columns",
    )


def rows(found: Impact) -> Iterator[tuple[str, ...]]:
    """Each place that was reached, in the order of the corridor: direction, what it is, by what, from or through where.

    `by` is `value`, or how a column decides: filter, join, group, order, window, distinct, setop, unnest. Assets around
    the corridor come last, by `lineage` (the project tells which column it is) or by `dependency`.
    """
    order = {asset: place for place, asset in enumerate(found.flows.made)}
    for direction, every in ((UP, found.upstream), (DOWN, found.downstream)):
        for one in sorted(every, key=lambda one: (order[one.place[0]], one.steps, one.place)):
            told = record(found, one)
            yield direction, *(str(told[name]) for name in HEADS[1:])
        for around in found.around[direction]:
            told = beside(found, around)
            yield direction, *(str(told[name]) for name in HEADS[1:])


def record(found: Impact, one: Reached) -> dict[str, Any]:
    """One place that was reached, for machines."""
    return {
        "asset": str(one.place[0]),
        "column": one.place[1],
        "role": " + ".join(sorted(found.roles.get(one.place, ()))) or "none",
        "technique": found.flows.technique(one.place),
        "by": one.kind,
        "via": f"{one.via[0]}.{one.via[1]}",
        "steps": one.steps,
    }


def beside(found: Impact, one: Around) -> dict[str, Any]:
    """One place that was reached through an asset around the corridor, for machines; `foreign`: it is such an asset."""
    asset, column = one.point
    place = None if one.foreign else (found.flows.named[asset], column)
    return {
        "asset": asset,
        "column": column,
        "role": (" + ".join(sorted(found.roles.get(place, ()))) or "none") if place else UNKNOWN,
        "technique": found.flows.technique(place) if place else "",
        "by": one.by,
        "via": ".".join(part for part in one.via if part),
        "steps": one.steps,
        "foreign": one.foreign,
    }


def summary(project: Project, found: Impact) -> Iterator[str]:
    """In a few lines: how far it reaches, and who reads what it reaches."""
    for what, every in (("it depends on", found.upstream), ("on it depend", found.downstream)):
        if not found.starts:
            break  # it is itself around the corridor
        assets = {one.place[0] for one in every}
        values = sum(one.direct for one in every)
        yield f"{found.asked}: {what} {len(every):,} columns of {len(assets)} assets, {values:,} of them by value"
    for direction, what in ((UP, "it depends on"), (DOWN, "on it depend")):
        if foreign := {one.point[0] for one in found.around[direction] if one.foreign}:
            yield f"{found.asked}: {what} {len(foreign):,} assets around the corridor; of these, roles are {UNKNOWN}"
        if again := {one.point for one in found.around[direction] if not one.foreign}:
            names = {name for name, _ in again}
            yield f"{found.asked}: {what} {len(again):,} columns of {len(names)} assets by way of such an asset"
    for asset in found.released():
        left = sorted(frozenset().union(*(found.roles.get(at, frozenset()) for at in found.flows.places([asset]))))
        recipients = ", ".join(project.purposes[asset.purpose].recipients) or "nobody outside is named"
        yield (
            f"people read {asset}, which still carries {' + '.join(left) or 'no role'} "
            f"(for {asset.purpose}; recipients: {recipients})"
        )


def as_json(project: Project, found: Impact) -> dict[str, Any]:
    """The whole answer, for machines."""
    return {
        "asked": found.asked,
        "starts": [f"{asset}.{column}" for asset, column in found.starts] or [found.asked],
        "upstream": [record(found, one) for one in found.upstream],
        "downstream": [record(found, one) for one in found.downstream],
        "around": {
            "upstream": [beside(found, one) for one in found.around[UP]],
            "downstream": [beside(found, one) for one in found.around[DOWN]],
        },
        "read_by_people": [
            {"asset": str(asset), "recipients": list(project.purposes[asset.purpose].recipients)}
            for asset in found.released()
        ],
    }
