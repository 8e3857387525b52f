"""The graph of columns: what is reached is what can be reached, and by values only where values flow all the way."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.build import build_definitions, flows, steps
from privacy_assets.contracts.loading import load
from privacy_assets.lineage.columns import Lineage
from privacy_assets.lineage.flows import VALUE, Flows, Made, Place
from privacy_assets.words import AssetName, Column, Stage

ROOT = Path(__file__).parents[2]
KINDS = (VALUE, "filter", "group")
Edges = frozenset[tuple[int, int, str]]


def _asset(number: int) -> AssetName:
    return AssetName(Stage.FEATURES, f"p{number}")


def _graph(edges: Edges, size: int) -> Flows:
    """One column an asset; the edges of a column as the lineage of its asset."""
    made = {}
    for number in range(size):
        into = [(source, kind) for source, target, kind in edges if target == number]
        direct = frozenset((f"v{source}", "x") for source, kind in into if kind == VALUE)
        indirect = frozenset((f"v{source}", "x", kind) for source, kind in into if kind != VALUE)
        reads = {f"v{other}": _asset(other) for other in range(size)}
        made[_asset(number)] = Made((Column("x", "BIGINT"),), reads, Lineage({"x": direct}, {"x": indirect}))
    return Flows(made)


def _closure(edges: set[tuple[int, int]], start: int) -> set[int]:
    """By force: all that a chain of edges leads to."""
    found: set[int] = set()
    while True:
        more = {target for source, target in edges if source == start or source in found} - found
        if not more:
            return found - {start}
        found |= more


_pairs = st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda pair: pair[0] < pair[1])
_edges = st.frozensets(st.tuples(_pairs, st.sampled_from(KINDS)).map(lambda one: (*one[0], one[1])), max_size=20)


@settings(max_examples=300, deadline=None)
@given(edges=_edges, start=st.integers(0, 7))
def test_what_is_reached_is_what_can_be_reached(edges: Edges, start: int) -> None:
    """Both ways; directly where a chain of values leads there; by the kind that decides first on the way named."""
    graph = _graph(edges, 8)
    origin: Place = (_asset(start), "x")
    for reached, turned in ((graph.downstream, False), (graph.upstream, True)):
        oriented = {(target, source, kind) if turned else (source, target, kind) for source, target, kind in edges}
        every = {(source, target) for source, target, _ in oriented}
        values = {(source, target) for source, target, kind in oriented if kind == VALUE}
        found = reached([origin])
        assert {place[0] for place in found} == {_asset(at) for at in _closure(every, start)}
        assert {place[0] for place, one in found.items() if one.direct} == {
            _asset(at) for at in _closure(values, start)
        }
        for place, one in found.items():
            numbers = [int(at[0].purpose[1:]) for at in (one.via, place)]
            before = VALUE if one.via == origin else found[one.via].kind
            last = {kind for source, target, kind in oriented if [source, target] == numbers}
            assert one.kind == before if before != VALUE else one.kind in last
            assert one.steps == 1 + (0 if one.via == origin else found[one.via].steps)


def test_the_graph_is_dagsters() -> None:
    """Which asset reads which is what Dagster resolved of the definitions, for every asset of the sample."""
    graph = flows(steps(load(ROOT)))
    resolved = build_definitions(ROOT).resolve_asset_graph()
    for asset, made in graph.made.items():
        (node,) = [node for node in resolved.asset_nodes if node.key.path == list(asset.path)]
        parents = {"/".join(key.path) for key in node.parent_keys if key.path[0] != "source"}
        assert parents == {str(read) for read in made.reads.values()}


def test_every_column_of_the_sample_that_is_not_raw_comes_from_somewhere() -> None:
    """But for names that are declared: no column's origin is forgotten on the way."""
    graph = flows(steps(load(ROOT)))
    declared = {
        "metric",
        "split",
        "query",
        "cell",
        "measure",
        "accuracy_95",
        "mechanism",
        "scale",
        "epsilon",
        "delta",
        "rho",
    }
    for place in graph.places(graph.made):
        if place[0].stage is Stage.RAW or place[1] in declared:
            continue
        raws = {one.place[0].stage for one in graph.upstream([place]).values()}
        assert Stage.RAW in raws, place
