"""What was published, as OpenLineage run events: for a catalogue that shows lineage of many systems (Marquez, DataHub).

    passport in the ledger ─► one COMPLETE event: job = asset, run = version, inputs, output with its facets

Belongs here: which fact of a passport goes into which facet of the standard. Does not belong here: sending (nothing is
sent: the events are a file), the graph (`lineage/flows.py`).

Job and output of an event bear the asset's name, the run the version's id as a UUID, so that the ledger's entry of an
event, and the other way round, is found by it. A day of a dataset is a run of the whole asset, with the day as its
nominal time. What an event says was so when the version was published, by the ledger. The ledger does not hold lineage
by column: it is told only where the passport names the code, the query and the declarations of today, from which it is
read (`columns.py`). An older version has none; it could only be guessed.

Direct edges are IDENTITY where a value passes through unchanged, AGGREGATION in statistics and of a model's metrics,
else TRANSFORMATION (what a purpose's SQL computes is called so, aggregates too); a condition of CASE counts as direct.
Every indirect edge stands at each column that it decides about, since catalogues read a column's fields and not the
newer list for a whole dataset. `masking` is true on the one step at which the technique was applied.

Source: the OpenLineage specification 2-0-2, ColumnLineageDatasetFacet 1-2-0, as `openlineage-python` models them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from uuid import UUID

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    DatasetFacet,
    RunFacet,
    column_lineage_dataset,
    dataset_version_dataset,
    job_type_job,
    lifecycle_state_change_dataset,
    nominal_time_run,
    output_statistics_output_dataset,
    parent_run,
    schema_dataset,
)
from openlineage.client.serde import Serde

from privacy_assets.errors import Refused
from privacy_assets.gate import Gate, Passport
from privacy_assets.lineage.flows import VALUE, Flows, Place
from privacy_assets.reports import _page
from privacy_assets.words import AssetName, Column, Stage

SUBTYPES = {
    "filter": "FILTER",
    "join": "JOIN",
    "group": "GROUP_BY",
    "order": "SORT",
    "window": "WINDOW",
    "distinct": "GROUP_BY",
    "setop": "FILTER",
    "unnest": "FILTER",
}
"""What the standard calls our kinds of indirect edges; the kind itself stands in the description."""

_MASKS_NOTHING = frozenset({"", "keep", "sql", "split", "retention"})
_PRODUCER = f"urn:privacy-assets:{version('privacy-assets')}"


def events(gate: Gate, flows: Flows) -> Iterator[RunEvent]:
    """One event for each version that was ever published, in the order of the ledger."""
    seen: set[AssetName] = set()
    for passport in gate.publications():
        yield _event(
            f"privacy-assets://{gate.home.project_id}", flows, passport, first=passport.asset.whole not in seen
        )
        seen.add(passport.asset.whole)


def lines(gate: Gate, flows: Flows) -> bytes:
    """The events as newline-delimited JSON (UTF-8). Raises Refused where nothing was ever published."""
    told = [Serde.to_json(event) for event in events(gate, flows)]
    if not told:
        raise Refused.of(
            "there is no event to write: nothing was ever published",
            where=str(gate.home.path),
            next_step="`privacy-assets run` first; `lineage --html` draws what is declared without it",
        )
    return "".join(f"{line}\n" for line in told).encode()


def write(gate: Gate, flows: Flows, to: Path) -> Path:
    """Write the events; raises BadDeclaration for a file inside the home, Refused where there is no event."""
    path = _page.file_for(gate, to)
    _page.write(path.parent, {path.name: lines(gate, flows)})
    return path


def _event(namespace: str, flows: Flows, passport: Passport, *, first: bool) -> RunEvent:
    asset = passport.asset
    return RunEvent(
        eventType=RunState.COMPLETE,
        eventTime=f"{passport.time:%Y-%m-%dT%H:%M:%S.%fZ}",
        producer=_PRODUCER,
        run=Run(str(UUID(hex=passport.version)), _run_facets(namespace, passport)),
        job=Job(
            namespace,
            str(asset.whole),
            {"jobType": job_type_job.JobTypeJobFacet("BATCH", "PRIVACY_ASSETS", "ASSET", producer=_PRODUCER)},
        ),
        inputs=list(_inputs(namespace, passport)),
        outputs=[
            OutputDataset(
                namespace,
                str(asset.whole),
                facets=_facets(namespace, flows, passport, first=first),
                outputFacets={
                    "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
                        rowCount=passport.rows, producer=_PRODUCER
                    )
                },
            )
        ],
    )


def _run_facets(namespace: str, passport: Passport) -> dict[str, RunFacet]:
    facets: dict[str, RunFacet] = {}
    if passport.asset.day:
        start = f"{passport.asset.day}T00:00:00Z"
        facets["nominalTime"] = nominal_time_run.NominalTimeRunFacet(start, producer=_PRODUCER)
    with suppress(ValueError):  # who called a step without Dagster may have named no run, or another way
        run = parent_run.Run(str(UUID(passport.run)))
        facets["parent"] = parent_run.ParentRunFacet(run, parent_run.Job(namespace, "dagster"), producer=_PRODUCER)
    return facets


def _version(versions: Sequence[str]) -> dict[str, DatasetFacet]:
    """Of a dataset that was read or written; none where several days were read, each of a version of its own."""
    if len(versions) != 1:
        return {}
    return {"version": dataset_version_dataset.DatasetVersionDatasetFacet(versions[0], producer=_PRODUCER)}


def _inputs(namespace: str, passport: Passport) -> Iterator[InputDataset]:
    if passport.asset.stage is Stage.RAW:
        digest = [passport.source_digest] if passport.source_digest else []
        yield InputDataset(namespace, _source(passport.asset), facets=_version(digest))
        return
    read: dict[AssetName, list[str]] = defaultdict(list)
    for made_from in passport.inputs:
        read[made_from.asset.whole].append(made_from.version)
    for asset, versions in read.items():
        yield InputDataset(namespace, str(asset), facets=_version(versions))


def _source(raw: AssetName) -> str:
    """The name of what a raw asset was taken in from: that of its external asset in Dagster."""
    return f"source/{raw.dataset}"


def _facets(namespace: str, flows: Flows, passport: Passport, *, first: bool) -> dict[str, DatasetFacet]:
    change = lifecycle_state_change_dataset.LifecycleStateChange
    facets = _version([passport.version]) | {
        "schema": schema_dataset.SchemaDatasetFacet(
            [schema_dataset.SchemaDatasetFacetFields(name, kind) for name, kind in passport.columns],
            producer=_PRODUCER,
        ),
        "lifecycleStateChange": lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet(
            change.CREATE if first else change.OVERWRITE, producer=_PRODUCER
        ),
    }
    made = flows.made.get(passport.asset.whole)
    if made is not None and (made.code, made.declared) == (passport.code, passport.declared):
        fields = {
            column.name: column_lineage_dataset.Fields(found)
            for column in made.columns
            if (found := list(_fields(namespace, flows, (passport.asset.whole, column.name), column)))
        }
        facets["columnLineage"] = column_lineage_dataset.ColumnLineageDatasetFacet(fields, producer=_PRODUCER)
    return facets


def _fields(namespace: str, flows: Flows, place: Place, column: Column) -> Iterator[column_lineage_dataset.InputField]:
    """What a column comes from: each source once, with all the ways in which it does."""
    if place[0].stage is Stage.RAW:
        same = column_lineage_dataset.Transformation("DIRECT", "IDENTITY", masking=False)
        yield column_lineage_dataset.InputField(namespace, _source(place[0]), column.name, [same])
        return
    ways: dict[Place, list[str]] = defaultdict(list)
    for source, kind in sorted(flows.into.get(place, ()), key=lambda edge: (edge[0], edge[1] != VALUE, edge[1])):
        ways[source].append(kind)
    values = [source for source, kinds in ways.items() if VALUE in kinds]
    for source, kinds in ways.items():
        told = [
            _direct(flows, place, column, source, len(values))
            if kind == VALUE
            else column_lineage_dataset.Transformation("INDIRECT", SUBTYPES[kind], kind, masking=False)
            for kind in kinds
        ]
        yield column_lineage_dataset.InputField(namespace, str(source[0]), source[1], told)


def _direct(
    flows: Flows, place: Place, column: Column, source: Place, sources: int
) -> column_lineage_dataset.Transformation:
    """How values came from one of so many sources. A technique that the source bears already was applied before."""
    technique, before = column.technique, flows.technique(source) == column.technique
    computed = place[0].stage is Stage.FEATURES and technique == "sql"
    if place[0].stage in (Stage.STATISTICS, Stage.MODEL):
        subtype = "AGGREGATION"
    elif sources == 1 and not computed and (before or technique == "keep"):
        subtype = "IDENTITY"
    else:
        subtype = "TRANSFORMATION"
    masking = technique not in _MASKS_NOTHING and not before
    return column_lineage_dataset.Transformation("DIRECT", subtype, technique or None, masking=masking)
