"""What a Dagster project has around the corridor: assets of its own that depend on ours, or that ours depend on.

Belongs here: walking on, in the graph that Dagster resolved, from what was reached in the corridor. Does not belong
here: what flows inside (`lineage/flows.py`), how the project is loaded (`resolved.py`).

Of such an asset only what it declares is known: that it depends on another; which column comes from which, where its
metadata has `dagster/column_lineage`; its columns, where it has `dagster/column_schema`. Dagster's column lineage does
not tell what decides about rows, so that beside a column that it leads to the asset is reached as a whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.metadata import TableMetadataSet

from privacy_assets.lineage.flows import Flows, Place, Reached

UNKNOWN = "not known: read through the gate or not"
"""The role of a column of an asset that is not ours: nobody knows what it does with what it reads."""

KEY = "key:"
DEPENDENCY, TOLD = "dependency", "lineage"
WHOLE = ""
"""The column of an asset of which no columns are told."""

Point = tuple[str, str]
"""An asset, by its key as text, and one of its columns."""


@dataclass(frozen=True, slots=True)
class Around:
    """A column (or WHOLE) that was reached through an asset of the project's own, last from `via`.

    `by` is `lineage` where the project told that column of it, else `dependency`. `foreign` is false for what is of
    the corridor again.
    """

    point: Point
    via: Point
    by: str
    steps: int
    foreign: bool


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The resolved graph, and which of its keys are the corridor's: what it makes, its sources, its reports."""

    graph: AssetGraph
    ours: Collection[dg.AssetKey]

    def asked(self, flows: Flows, asked: str) -> Point | None:
        """The asset of this key that is none of the corridor's flows, as a WHOLE, or `<key>.<column>` of it; else None.

        `key:` may stand before it, as in Dagster's selections. A column is known where the asset's metadata, or that of
        one below it, tells of it.
        """
        asked = asked.removeprefix(KEY)
        names = {key.to_user_string(): key for key in self.graph.get_all_asset_keys()}
        if asked in names:
            return None if asked in flows.named else (asked, WHOLE)
        name, _, column = asked.rpartition(".")
        known = name in names and name not in flows.named and column in self._known(names[name])
        return (name, column) if known else None

    def names(self, flows: Flows) -> list[str]:
        """The keys that `asked` finds."""
        every = (key.to_user_string() for key in self.graph.get_all_asset_keys())
        return sorted(name for name in every if name not in flows.named)

    def reached(
        self,
        flows: Flows,
        starts: Collection[Place],
        found: Collection[Reached],
        *,
        up: bool,
        foreign: Point | None = None,
    ) -> list[Around]:
        """What lies below (or, going `up`, above) `starts` and what was `found` from them, nearest first; or `foreign`.

        Only what the corridor's own flows do not lead to: assets that are not ours, and through them ours again.
        """
        steps = {_point(place): 0 for place in starts} | {_point(one.place): one.steps for one in found}
        steps |= {foreign: 0} if foreign else {}
        waiting = deque(sorted(steps, key=lambda point: (steps[point], point)))
        around = []
        while waiting:
            here = waiting.popleft()
            for point, by in self._next(flows, here, up=up):
                if point in steps:
                    continue
                steps[point] = steps[here] + 1
                waiting.append(point)
                key = dg.AssetKey.from_user_string(point[0])
                if key not in self.ours or point[0] in flows.named:
                    around.append(Around(point, here, by, steps[point], key not in self.ours))
        return sorted(around, key=lambda one: (one.steps, one.point))

    def _next(self, flows: Flows, here: Point, *, up: bool) -> Iterator[tuple[Point, str]]:
        name, column = here
        key = dg.AssetKey.from_user_string(name)
        if asset := flows.named.get(name):
            for place, _ in (flows.into if up else flows.out_of).get((asset, column), ()):
                yield _point(place), DEPENDENCY
        if not self.graph.has(key):
            return
        node = self.graph.get(key)
        for other_key in sorted(node.parent_keys if up else node.child_keys):
            other = other_key.to_user_string()
            if name in flows.named and other in flows.named:
                continue  # what flows between two assets of the corridor was walked above, by column
            for told in self._told(key, column, other_key, up=up):
                yield (other, told), TOLD
            for known in self._columns(flows, other_key):
                yield (other, known), DEPENDENCY

    def _told(self, key: dg.AssetKey, column: str, other: dg.AssetKey, *, up: bool) -> Iterator[str]:
        """The columns of `other` that the one of the two that depends on the other ties to this column of `key`."""
        below, above = (key, other) if up else (other, key)
        lineage = TableMetadataSet.extract(self.graph.get(below).metadata).column_lineage
        for made, sources in (lineage.deps_by_column if lineage else {}).items():
            for source in sources:
                here, there = (made, source.column_name) if up else (source.column_name, made)
                if source.asset_key == above and column in (here, WHOLE):
                    yield there

    def _known(self, key: dg.AssetKey) -> set[str]:
        """The columns that are told of an asset that is not ours: by itself, or by those below it."""
        node = self.graph.get(key)
        told = TableMetadataSet.extract(node.metadata)
        found = {column.name for column in told.column_schema.columns} if told.column_schema else set()
        found |= set(told.column_lineage.deps_by_column) if told.column_lineage else set()
        for below in node.child_keys:
            lineage = TableMetadataSet.extract(self.graph.get(below).metadata).column_lineage
            every = (one for sources in (lineage.deps_by_column if lineage else {}).values() for one in sources)
            found |= {source.column_name for source in every if source.asset_key == key}
        return found

    def _columns(self, flows: Flows, key: dg.AssetKey) -> list[str]:
        """What stands for all of an asset: its columns where they are known and not told apart, else the WHOLE."""
        if asset := flows.named.get(key.to_user_string()):
            return [column for _, column in flows.places([asset])]
        told = TableMetadataSet.extract(self.graph.get(key).metadata)
        if told.column_schema and not told.column_lineage:
            return [column.name for column in told.column_schema.columns]
        return [WHOLE]


def _point(place: Place) -> Point:
    return str(place[0]), place[1]
