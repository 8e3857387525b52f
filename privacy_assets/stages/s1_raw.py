"""raw: the dataset as received, encrypted.

On arrival: a source that its contract describes. On leaving: every row is in `data` or, with its reason, in
`quarantine`, and the two add up to the source, without those who were erased, whose rows are counted and written
nowhere; what the contract promises of columns holds in `data`. An unknown
column stays here and flows nowhere. Who may read it: minimized.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from privacy_assets.contracts.contract import Contract
from privacy_assets.contracts.loading import Project
from privacy_assets.gate import Gate
from privacy_assets.lineage.columns import Lineage
from privacy_assets.stages.step import DATA, LEFT_OUT, Step, Work, declared
from privacy_assets.warehouse import sources
from privacy_assets.warehouse.connections import engine_errors
from privacy_assets.warehouse.sources import rows
from privacy_assets.warehouse.versions import Candidate
from privacy_assets.words import AssetName, Stage

QUARANTINE = "candidate.main.quarantine"
EVIDENCE = "candidate.main.evidence"


def raw(project: Project, contract: Contract) -> Step:
    """The step that takes one dataset in."""

    @contextmanager
    def opens(gate: Gate, candidate: Candidate) -> Iterator[duckdb.DuckDBPyConnection]:
        day = AssetName.parse(candidate.asset).day
        with sources.opened(contract, project.root, gate.home.spill, candidate, day=day) as con:
            yield con

    def write(work: Work) -> str:
        return sources.read(
            work.con,
            contract,
            project.root,
            source_key(work.gate),
            day=work.asset.day,
            tombstones=work.gate.tombstones(),
        )

    def reasons(work: Work) -> dict[str, int]:
        with engine_errors("counting the quarantine"):
            each = f"SELECT unnest(_reasons) AS reason FROM {QUARANTINE}"
            found = work.con.execute(
                f"SELECT reason, count(*) FROM ({each}) GROUP BY reason ORDER BY reason"
            ).fetchall()
            gone = f"SELECT sum(value) FROM {EVIDENCE} WHERE name = '{rows.ERASED}'"
            (erased,) = work.con.execute(gone).fetchone() or (0,)
        return {f"quarantined, {reason}": count for reason, count in found} | (
            {LEFT_OUT: int(erased)} if erased else {}
        )

    return Step(
        asset=AssetName(Stage.RAW, dataset=contract.name),
        views={},
        columns=project.raw_columns(contract.name),
        query=None,
        lineage=Lineage({}, {}),
        write=write,
        declared=declared(("contract", f"{contract.name}@{contract.version}", contract.digest)),
        made_by=(sys.modules[__name__], rows, *sources.KINDS),
        references={"quarantine": QUARANTINE, "evidence": EVIDENCE},
        tables=(DATA, QUARANTINE),
        opens=opens,
        counts=reasons,
    )


def source_key(gate: Gate) -> bytes:
    """By which digests of sources are keyed."""
    return gate.secrets.derive("digests", "source")
