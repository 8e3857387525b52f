"""minimized: only what the purpose needs, of those who may be used for it.

On arrival: raw, with everything. On leaving: only columns for which the purpose states a need; only rows with
consent for this purpose where that is its lawful basis (objections honoured where it is another), inside retention;
those that are refused are counted by the rule, and with them the rows add up to raw's. A row that is past retention is
counted there, whatever its person decided.
Who may read it: pseudonymized.
"""

from __future__ import annotations

import sys

from sqlglot import exp

from privacy_assets.contracts import entitlement
from privacy_assets.contracts.contract import Contract
from privacy_assets.contracts.loading import Project
from privacy_assets.contracts.promises import RETENTION_FROM
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.gate import moment_for
from privacy_assets.lineage.columns import column_lineage
from privacy_assets.stages.step import DATA, Step, View, Work, declared
from privacy_assets.techniques.minimize import MINIMIZE
from privacy_assets.warehouse.connections import engine_errors
from privacy_assets.words import AssetName, Column, Role, Stage

CONSENTS = "consents_of_subjects"
"""What the query calls the table of decisions, apart from any dataset's name."""


def minimized(project: Project, purpose: Purpose, contract: Contract) -> Step:
    """The step that takes from one dataset what one purpose may use."""
    dataset, retention = contract.name, contract.privacy.retention
    row = f"{dataset}_row"
    wanted = tuple(purpose.datasets[dataset].columns)
    seen = dict.fromkeys(wanted)
    conditions: list[exp.Expr] = []
    views: dict[str, View] = {}

    records = entitlement.consent_records(project, contract)
    if records and contract.subject_column and contract.privacy.consents:
        conditions.append(entitlement.entitled(purpose, contract.subject_column, records, row, exp.to_table(CONSENTS)))
        views[CONSENTS] = View(
            AssetName(Stage.RAW, dataset=contract.privacy.consents),
            (records.subject, records.purpose, records.decision, records.decided_at),
        )
    if retention:
        conditions.append(entitlement.retained(retention.days, retention.column, row))
        seen[retention.column] = None

    projections: list[exp.Expr] = [exp.column(name, table=row, quoted=True) for name in wanted]
    if retention:
        projections.append(
            exp.alias_(exp.column(retention.column, table=row, quoted=True), RETENTION_FROM, quoted=True)
        )
    query = exp.select(*projections).from_(exp.alias_(exp.to_table(dataset), row, table=True)).where(*conditions)
    views = {dataset: View(AssetName(Stage.RAW, dataset=dataset), tuple(seen))} | views

    def write(work: Work) -> None:
        work.create(query, "minimizing")

    def refused(work: Work) -> dict[str, int]:
        row_table = exp.alias_(exp.to_table(dataset), row, table=True)
        kept = entitlement.retained(retention.days, retention.column, row) if retention else exp.true()
        counted = exp.select("count(*)", exp.func("count_if", exp.not_(exp.paren(kept)))).from_(row_table)
        with engine_errors("counting the rows that are refused"):
            moment = moment_for(counted, work.now)
            rows, past = work.con.execute(counted.sql(dialect="duckdb"), moment).fetchone() or (0, 0)
            (admitted,) = work.con.execute(f"SELECT count(*) FROM {DATA}").fetchone() or (0,)
        asked = {"refused, retention": past, "refused, consent": rows - past - admitted}
        return {rule: count for rule, count in asked.items() if count}

    columns = project.minimized_columns(purpose.purpose, dataset)
    if retention:
        kept_from = contract.column(retention.column)
        columns += (Column(RETENTION_FROM, kept_from.type, Role.ATTRIBUTE, kept_from.privacy.category, "retention"),)
    return Step(
        asset=AssetName(Stage.MINIMIZED, purpose.purpose, dataset),
        views=views,
        columns=columns,
        query=query,
        lineage=column_lineage(query, {name: view.columns for name, view in views.items()}),
        write=write,
        declared=declared(
            ("contract", f"{dataset}@{contract.version}", contract.digest),
            ("purpose", f"{purpose.purpose}@{purpose.version}", project.digest(purpose.purpose)),
        ),
        made_by=(sys.modules[__name__], entitlement, *MINIMIZE.values()),
        references={"input": dataset} | ({"consents": CONSENTS} if records else {}),
        counts=refused,
        streams=True,
    )
