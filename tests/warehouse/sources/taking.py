"""Contracts about people, and what lies in a candidate after their source was read.

Belongs here: what the tests of every kind of source need. Does not belong here: a source.
"""

from __future__ import annotations

from typing import Any

import duckdb

from privacy_assets.contracts.contract import (
    ColumnPrivacy,
    Contract,
    ContractColumn,
    DatasetPrivacy,
    Files,
    Reading,
    Source,
    Subject,
)
from privacy_assets.warehouse import sources
from privacy_assets.warehouse.connections import columns
from privacy_assets.warehouse.home import Home
from privacy_assets.warehouse.versions import Versions
from privacy_assets.words import LawfulBasis, Role


def column(name: str, type_: str = "VARCHAR", **promised: Any) -> ContractColumn:
    return ContractColumn(name, type_, ColumnPrivacy(role=Role.ATTRIBUTE, category="user"), **promised)


def contract(
    *held: ContractColumn,
    source: Source | None = None,
    path: str = "in/*.csv",
    format_: str = "csv",
    subject: str | None = None,
    primary_key: tuple[str, ...] = (),
    delimiter: str = ",",
    encoding: str = "utf-8",
    **reading: Any,
) -> Contract:
    return Contract(
        name="people",
        version="1.0.0",
        title="",
        description="",
        owner="",
        columns=held,
        primary_key=primary_key,
        privacy=DatasetPrivacy(subject=Subject(kind="person", column=subject), lawful_bases=(LawfulBasis.CONSENT,)),
        source=source or Files("local", path, format_, delimiter, encoding, Reading(**reading)),  # type: ignore[arg-type]
        fresh_within_hours=None,
        path="data/contracts/people.odcs.yaml",
        digest="",
    )


class Taken:
    """What lies in a candidate after a source was read into it."""

    digest = ""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.columns = columns(con, "candidate.main.data")
        self.data = con.execute("FROM candidate.main.data").fetchall()
        self.quarantine = con.execute("SELECT _row, _reasons FROM candidate.main.quarantine ORDER BY _row").fetchall()
        self.quarantined_columns = columns(con, "candidate.main.quarantine")
        self.lines = con.execute("SELECT _line FROM candidate.main.quarantine WHERE _line IS NOT NULL").fetchall()
        self.received = con.execute(
            "SELECT * EXCLUDE (_row, _reasons, _line) FROM candidate.main.quarantine ORDER BY _row"
        ).fetchall()
        self.evidence = dict(con.execute("FROM candidate.main.evidence").fetchall())

    @property
    def is_accounted(self) -> bool:
        evidence = self.evidence
        return bool(
            evidence["source_rows"] == evidence["data_rows"] + evidence["quarantined_rows"]
            and evidence["data_rows"] == len(self.data)
            and evidence["quarantined_rows"] == len(self.quarantine)
        )


def taken(promised: Contract, home: Home, versions: Versions) -> Taken:
    """What came of reading the contract's source into a candidate."""
    with versions.candidate("raw/people") as candidate:
        with sources.opened(promised, home.root, home.spill, candidate) as con:
            digest = sources.read(con, promised, home.root, b"key")
            assert con.execute("SELECT count(*) FROM duckdb_tables() WHERE temporary").fetchone() == (0,)
            found = Taken(con)
            found.digest = digest
        candidate.seal()
    return found
