"""The token vault: which stand-in a person's identifier was given, so that it is given the same one again.

A pseudonymized version that holds surrogates keeps its part of the vault beside its data, in the same encrypted file:
table `vault` of identifier domain, keyed MAC of the identifier (never the identifier) and surrogate. What the other
datasets of the purpose were given in this epoch is known when a new one is made; what a version no longer needs is
gone with the version. Nothing but this module reads it.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from privacy_assets.contracts.purpose import Purpose
from privacy_assets.stages.step import Work
from privacy_assets.techniques.pseudonymize import PSEUDONYMIZE
from privacy_assets.warehouse.connections import engine_errors, governed
from privacy_assets.words import AssetName, IdentifierDomain, Stage

VAULT = "candidate.main.vault"
SCHEMA = {"mac": pl.String, "surrogate": pl.String}


def surrogates(
    work: Work, purpose: Purpose, domain: IdentifierDomain, technique: Any, values: pl.Series, real: pl.Series, key: str
) -> pl.Series:
    """The surrogate of each distinct value, in order; those that are used are kept in the candidate's vault.

    `real` are all values of the domain in the dataset, `values` among them: none of them is given out as a stand-in.
    """
    module = PSEUDONYMIZE[technique.kind]
    known = _known(work, purpose, domain)
    vault = pl.concat([known, module.issue(technique, real, key, domain, known)]).unique("mac", keep="last")
    mapped: pl.Series = module.map_values(technique, values, key, domain, known=vault)
    with engine_errors("keeping surrogates"):
        work.con.execute(f"CREATE TABLE IF NOT EXISTS {VAULT} (domain VARCHAR, mac VARCHAR, surrogate VARCHAR)")
        work.con.register("used", vault.filter(pl.col("surrogate").is_in(mapped.unique().to_list())).to_arrow())
        work.con.execute(
            f"INSERT INTO {VAULT} SELECT $domain, mac, surrogate FROM used "
            f"WHERE mac NOT IN (SELECT held.mac FROM {VAULT} AS held WHERE held.domain = $domain)",
            {"domain": domain.name},
        )
        work.con.unregister("used")
    return mapped


def given(con: Any, catalog: str, technique: Any, values: pl.Series, key: str, domain: IdentifierDomain) -> list[str]:
    """The stand-ins that a version gave these values, of those that it knows. Raises EngineFailed."""
    macs = PSEUDONYMIZE[technique.kind].vault_macs(technique, values, key, domain)
    held = _read(con, catalog, domain)
    return held.filter(pl.col("mac").is_in(macs.to_list()))["surrogate"].to_list()


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
