"""The token vault: which stand-in a person's identifier was given, so that it is given the same one again.

A pseudonymized version that holds surrogates keeps its part of the vault beside its data, in the same encrypted file:
table `vault` of identifier domain, keyed MAC of the identifier (never the identifier) and surrogate. What the other
datasets of the purpose were given in this epoch is known when a new one is made; what a version no longer needs is
gone with the version. Nothing but this module reads it.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import polars as pl

from privacy_assets.contracts.purpose import Purpose
from privacy_assets.stages.step import Work
from privacy_assets.warehouse.connections import engine_errors, governed
from privacy_assets.words import AssetName, IdentifierDomain, Stage

VAULT = "candidate.main.vault"
SCHEMA = {"mac": pl.String, "surrogate": pl.String}


def surrogates(
    work: Work, purpose: Purpose, domain: IdentifierDomain, module: ModuleType, technique: Any, values: pl.Series, key: str
) -> pl.Series:
    """The surrogate of each distinct value, in order; new ones are issued and kept in the candidate's vault."""
    known = _known(work, purpose, domain)
    issued = module.issue(technique, values, key, domain, known)
    with engine_errors("keeping surrogates"):
        work.con.execute(f"CREATE TABLE IF NOT EXISTS {VAULT} (domain VARCHAR, mac VARCHAR, surrogate VARCHAR)")
        work.con.register("issued", pl.concat([known, issued]).to_arrow())
        work.con.execute(
            f"INSERT INTO {VAULT} SELECT ?, mac, surrogate FROM issued "
            f"WHERE NOT EXISTS (FROM {VAULT} AS held WHERE held.domain = ? AND held.mac = issued.mac)",
            [domain.name, domain.name],
        )
        work.con.unregister("issued")
    mapped: pl.Series = module.map_values(technique, values, key, domain, known=pl.concat([known, issued]))
    return mapped


def _known(work: Work, purpose: Purpose, domain: IdentifierDomain) -> pl.DataFrame:
    """What this purpose has issued in this domain and epoch, from the versions that stand, and from this candidate."""
    frames = [pl.DataFrame(schema=SCHEMA)]
    gate = work.gate
    for dataset in purpose.datasets:
        passport = gate.latest(AssetName(Stage.PSEUDONYMIZED, purpose.purpose, dataset))
        if passport is None or passport.epoch != purpose.epoch or not gate.is_sound(passport):
            continue
        with governed(gate.home.spill, inputs={"earlier": gate.attachment(passport)}, candidate=None) as con:
            frames.append(_read(con, "earlier", domain))
    frames.append(_read(work.con, "candidate", domain))
    return pl.concat(frames).unique("mac", keep="first", maintain_order=True)


def _read(con: Any, catalog: str, domain: IdentifierDomain) -> pl.DataFrame:
    with engine_errors("reading the vault"):
        held = con.execute(
            "SELECT count(*) FROM duckdb_tables() WHERE database_name = ? AND table_name = 'vault'", [catalog]
        ).fetchone()
        if not held[0]:
            return pl.DataFrame(schema=SCHEMA)
        found = con.execute(f"SELECT mac, surrogate FROM {catalog}.main.vault WHERE domain = ?", [domain.name])
        return pl.DataFrame(pl.from_arrow(found.to_arrow_table()), schema_overrides=SCHEMA)
