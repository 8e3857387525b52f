"""What flows from which column of which asset into which: the lineage of every step, joined into one graph.

    raw/patients.email ──value──► minimized/…/patients.email ──value──► …
    raw/consents.decision ──filter──► every column of minimized/…

Belongs here: that graph, and what can be reached in it, up or down. Does not belong here: the lineage of one query
(`columns.py`), what a person asks of it (`reports/impact.py`). It is made anew each time of the steps that Dagster's
assets are made of, and is kept nowhere.

A place is a column of an asset. It is reached *directly* where values flow all the way, and *indirectly* where, on
every way, somewhere a column only decides which rows there are, how they are grouped, joined or ordered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from privacy_assets.lineage.columns import Lineage
from privacy_assets.words import AssetName, Column, Stage

VALUE = "value"
Place = tuple[AssetName, str]


@dataclass(frozen=True, slots=True)
class Made:
    """An asset as its step declares it: what it holds, from which inputs (by view), and how.

    `code` and `declared` are what a passport says of a version that is made so: by which code and query, under which
    contract and purpose; `made_by` are the names of the modules whose source is part of `code`.
    """

    columns: tuple[Column, ...]
    reads: Mapping[str, AssetName]
    lineage: Lineage
    code: str = ""
    declared: Mapping[str, str] = field(default_factory=dict)
    made_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reached:
    """A place that was reached, last from `via`, after so many `steps`.

    `kind` is `value` where values flow all the way; else how, on the way that was found, a column decides first.
    """

    place: Place
    via: Place
    kind: str
    steps: int

    @property
    def direct(self) -> bool:
        """Whether values flow all the way."""
        return self.kind == VALUE


class Flows:
    """The graph. `into` are the edges that end in a place, `out_of` those that begin there: (other place, kind).

    `made` are its assets in the order of the corridor, `named` the same assets by their name as text.
    """

    def __init__(self, made: Mapping[AssetName, Made]) -> None:
        self.made = made
        self.named = {str(asset): asset for asset in made}
        self._declared = {(asset, column.name): column for asset, one in made.items() for column in one.columns}
        self.into: dict[Place, set[tuple[Place, str]]] = defaultdict(set)
        self.out_of: dict[Place, set[tuple[Place, str]]] = defaultdict(set)
        for asset, one in made.items():
            for column, sources in one.lineage.direct.items():
                for view, name in sources:
                    self._add((one.reads[view], name), (asset, column), VALUE)
            for column, edges in one.lineage.indirect.items():
                for view, name, kind in edges:
                    self._add((one.reads[view], name), (asset, column), kind)

    def _add(self, source: Place, target: Place, kind: str) -> None:
        self.into[target].add((source, kind))
        self.out_of[source].add((target, kind))

    def places(self, assets: Iterable[AssetName]) -> list[Place]:
        """Every column of these assets, in their order."""
        return [(asset, column.name) for asset in assets for column in self.made[asset].columns]

    def column(self, place: Place) -> Column | None:
        """What is declared of a place; None for a column that decides and is not held itself."""
        return self._declared.get(place)

    def technique(self, place: Place) -> str:
        """By what kind of technique a place was made; "" for none."""
        column = self.column(place)
        return column.technique if column else ""

    def downstream(self, starts: Collection[Place]) -> dict[Place, Reached]:
        """What depends on any of these places, nearest first."""
        return _reached(starts, self.out_of)

    def upstream(self, starts: Collection[Place]) -> dict[Place, Reached]:
        """What any of these places depends on, nearest first."""
        return _reached(starts, self.into)


def origins(flows: Flows, places: Iterable[Place]) -> dict[Place, Mapping[Place, bool]]:
    """Of each of these places the columns of raw that it comes from, and whether values flow all the way from there."""
    found: dict[Place, dict[Place, bool]] = {}

    def of(place: Place) -> dict[Place, bool]:
        if place not in found:
            into = flows.into.get(place, ())
            known = {place: True} if place[0].stage is Stage.RAW else {}
            for source, kind in into:
                for origin, direct in of(source).items():
                    known[origin] = known.get(origin, False) or (direct and kind == VALUE)
            found[place] = known
        return found[place]

    return {place: of(place) for place in places}


def assets_below(flows: Flows, starts: Iterable[Place]) -> set[AssetName]:
    """The assets of these places, and those that depend on any of them."""
    waiting = list(starts)
    seen = set(waiting)
    while waiting:
        for other, _ in flows.out_of.get(waiting.pop(), ()):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return {asset for asset, _ in seen}


def _reached(starts: Collection[Place], edges: Mapping[Place, set[tuple[Place, str]]]) -> dict[Place, Reached]:
    """First along values alone, then along all that there is: what was reached by values stays so."""
    found: dict[Place, Reached] = {}
    for direct in (True, False):
        steps = dict.fromkeys(starts, 0) | {place: one.steps for place, one in found.items()}
        waiting = [(far, place) for place, far in steps.items()]
        heapify(waiting)
        while waiting:
            far, place = heappop(waiting)
            for other, kind in sorted(edges.get(place, ())):
                if other not in steps and (kind == VALUE or not direct):
                    steps[other] = far + 1
                    before = found[place].kind if place in found else VALUE
                    found[other] = Reached(other, place, kind if before == VALUE else before, far + 1)
                    heappush(waiting, (far + 1, other))
    return found
