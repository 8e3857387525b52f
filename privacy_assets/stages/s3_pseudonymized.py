"""pseudonymized: direct identifiers replaced by keyed tokens of this purpose, attributes masked by rule.

On arrival: minimized. On leaving: the same rows; a person's token is the same in every table of the purpose and
unlinkable to the tokens of another purpose or epoch; no value that its technique cannot put out. It is still personal
data for whoever holds the key. Who may read it: features; synthetic, where a purpose asks for a synthesizer of several
tables.

Keyed techniques are run on distinct values only, then joined: a table `map_<column>` of value and mapped value, in
memory. Its key is HKDF(pseudonym root; purpose, epoch, identifier domain); each technique derives its own from that.

Techniques that draw (`DRAWS`) draw anew for each version, which spends their local ε once more: two versions are two
answers of the same people. What a version spends is among its measures: for each such column, for a row (their sum),
for a person (times the rows that one person has, rounded up to a power of two, since the greatest number is somebody's
own), and for a person in all versions of this asset so far, those destroyed as well. Not counted: other days, datasets
and purposes; they add up.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

import polars as pl
from sqlglot import exp

from privacy_assets.contracts.contract import Contract
from privacy_assets.contracts.loading import Project
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.gate import Gate
from privacy_assets.lineage.columns import Lineage, column_lineage
from privacy_assets.stages import functions, vault
from privacy_assets.stages.step import DATA, Step, View, Work, declared
from privacy_assets.techniques.noise import added_up
from privacy_assets.techniques.pseudonymize import PSEUDONYMIZE, _domains, _keyed
from privacy_assets.warehouse.connections import engine_errors, quoted
from privacy_assets.words import AssetName, Column, IdentifierDomain, Stage

MEASURES = "candidate.main.measures"

OF_A_PERSON = "local_epsilon_of_a_person"


def pseudonymized(project: Project, purpose: Purpose, contract: Contract) -> Step:
    """The step that takes the names off one dataset of one purpose."""
    dataset = contract.name
    needs = purpose.datasets[dataset].columns
    before = {column.name: column for column in project.minimized_columns(purpose.purpose, dataset)}
    mapped = {name: _mapped_from(name, need.technique, contract) for name, need in needs.items()}
    redacted = {needs[name].technique.kind for name, column in before.items() if name in needs and column.technique}
    losses = {name: loss for name, need in needs.items() if (loss := local_epsilon(need.technique))}
    query = _query(dataset, before, {name: need.technique for name, need in needs.items()}, mapped)

    def write(work: Work) -> None:
        for kind, module in modules.items():
            if kind not in redacted:
                functions.make_function(work, kind, module)
        for name, source in mapped.items():
            if source is not None:
                _make_map(work, purpose, dataset, name, before[source], needs[name].technique, before.values())
        work.create(query, "pseudonymizing")
        if losses:
            _tell_losses(work, losses, contract.subject_column)

    by_day = contract.deliveries is not None
    view = View(AssetName(Stage.MINIMIZED, purpose.purpose, dataset), tuple(needs), by_day)
    modules = {need.technique.kind: PSEUDONYMIZE[need.technique.kind] for need in needs.values()}
    return Step(
        asset=AssetName(Stage.PSEUDONYMIZED, purpose.purpose, dataset),
        views={dataset: view},
        columns=project.pseudonymized_columns(purpose.purpose, dataset),
        query=query,
        lineage=_lineage(query, view, dataset, mapped),
        write=write,
        declared=declared(
            ("contract", f"{dataset}@{contract.version}", contract.digest),
            ("purpose", f"{purpose.purpose}@{purpose.version}", project.digest(purpose.purpose)),
        ),
        made_by=(sys.modules[__name__], vault, functions, _domains, _keyed, *functions.sources(modules.values())),
        references={"input": dataset},
        measures=MEASURES if losses else None,
        epoch=purpose.epoch,
    )


def map_key(gate: Gate, purpose: Purpose, domain: IdentifierDomain) -> str:
    """The key (64 hex) of one identifier domain in one purpose and epoch."""
    return gate.secrets.derive("pseudonyms", purpose.purpose, str(purpose.epoch), domain.name).hex()


def local_epsilon(technique: Any) -> float:
    """The ε that one row's value of a column spends under this technique; 0 where nothing is drawn."""
    module = _module(technique)
    return float(module.local_epsilon(technique)) if getattr(module, "DRAWS", False) else 0.0


def _tell_losses(work: Work, losses: Mapping[str, float], subject: str | None) -> None:
    """Write what the version spends beside its rows: by column, of a row, and of a person where it is about people."""
    told = {f"local_epsilon[{name}]": loss for name, loss in losses.items()}
    told["local_epsilon_of_a_row"] = added_up(list(losses.values()))
    with engine_errors("telling the local loss"):
        if subject is not None:
            each = f"SELECT count(*) AS rows FROM {DATA} GROUP BY {quoted(subject)}"
            (most,) = work.con.execute(f"SELECT coalesce(max(rows), 0) FROM ({each})").fetchone() or (0,)
            # 2 ** bit_length(most - 1) is the power of two that is not below it
            told[OF_A_PERSON] = told["local_epsilon_of_a_row"] * (1 << max(most - 1, 0).bit_length())
            before = [found.measures.get(OF_A_PERSON, 0.0) for found in work.gate.history(work.asset)]
            told[f"{OF_A_PERSON}_so_far"] = added_up([*before, told[OF_A_PERSON]])
        work.con.execute(f"CREATE TABLE {MEASURES} (name VARCHAR, value DOUBLE)")
        work.con.executemany(f"INSERT INTO {MEASURES} VALUES (?, ?)", list(told.items()))


def _module(technique: Any) -> ModuleType:
    return PSEUDONYMIZE[technique.kind]


def _mapped_from(name: str, technique: Any, contract: Contract) -> str | None:
    """The column whose values the technique's map is keyed by; None where it needs no map."""
    match getattr(_module(technique), "MAPS", None):
        case "value":
            return name
        case "subject":
            return contract.subject_column
    return None


def _query(
    dataset: str, before: Mapping[str, Column], techniques: Mapping[str, Any], mapped: Mapping[str, str | None]
) -> exp.Select:
    row = f"{dataset}_row"
    projections, joins = [], []
    for name, technique in techniques.items():
        source, arrives = mapped[name], exp.column(name, table=row, quoted=True)
        found = None
        if source is not None:
            table = map_table(name)
            found = exp.column("mapped", table=table)
            key = exp.cast(exp.column(source, table=row, quoted=True), "text")
            joins.append((table, exp.EQ(this=key, expression=exp.column("value", table=table))))
        # free text arrives as its redaction left it
        leaves = (
            arrives
            if before[name].technique
            else _module(technique).expression(technique, before[name], arrives, found)
        )
        projections.append(exp.alias_(leaves, name, quoted=True))
    query = exp.select(*projections).from_(exp.alias_(exp.to_table(dataset), row, table=True))
    for table, condition in joins:
        query = query.join(exp.Table(this=exp.to_identifier(table, quoted=True)), on=condition, join_type="left")
    return query


def map_table(column: str) -> str:
    """The name of the in-memory table that holds a column's map."""
    return f"map_{column}"


def _make_map(
    work: Work,
    purpose: Purpose,
    dataset: str,
    name: str,
    source: Column,
    technique: Any,
    columns: Iterable[Column],
) -> None:
    module = _module(technique)
    domain = source.identifier_domain or IdentifierDomain(name=source.name)
    key = map_key(work.gate, purpose, domain)
    values = _distinct(work, dataset, [source.name])
    if getattr(module, "VAULT", False):
        # no stand-in may equal a real value of the domain, in whichever column it stands
        alike = [column.name for column in columns if column.identifier_domain == domain]
        mapped = vault.surrogates(work, purpose, domain, technique, values, _distinct(work, dataset, alike), key)
    else:
        with engine_errors("mapping identifiers"):
            mapped = module.map_values(technique, values, key, domain)
    with engine_errors("joining mapped identifiers"):
        work.con.register("arriving", pl.DataFrame({"value": values, "mapped": mapped}).to_arrow())
        work.con.execute(
            f"CREATE TEMP TABLE {quoted(map_table(name))} AS "
            f"SELECT value, CAST(mapped AS {module.mapped_type(technique)}) AS mapped FROM arriving"
        )
        work.con.unregister("arriving")


def _distinct(work: Work, dataset: str, columns: Sequence[str]) -> pl.Series:
    each = " UNION ".join(f"SELECT CAST({quoted(column)} AS VARCHAR) FROM main.{quoted(dataset)}" for column in columns)
    with engine_errors("collecting distinct identifiers"):
        found = work.con.execute(
            f"SELECT DISTINCT value FROM ({each}) AS found (value) WHERE value IS NOT NULL"
        ).to_arrow_table()
        return pl.DataFrame(pl.from_arrow(found), schema={"value": pl.String})["value"]


def _lineage(query: exp.Select, view: View, dataset: str, mapped: Mapping[str, str | None]) -> Lineage:
    """The query's lineage with every map seen through: a mapped value comes from the column that it was keyed by."""
    behind = {map_table(name): source for name, source in mapped.items() if source}
    found = column_lineage(query, {dataset: view.columns} | dict.fromkeys(behind, ("value", "mapped")))
    return Lineage(
        {
            out: frozenset((dataset, behind.get(table, column)) for table, column in sources)
            for out, sources in found.direct.items()
        },
        {
            # a left join on a map adds no row and drops none, so its key decides nothing but the mapped value
            out: frozenset(edge for edge in sources if edge[0] not in behind and not _is_map_key(edge, behind))
            for out, sources in found.indirect.items()
        },
    )


def _is_map_key(edge: tuple[str, str, str], behind: Mapping[str, str]) -> bool:
    return edge[2] == "join" and edge[1] in behind.values()
