"""minimized: only what the purpose needs, of those who may be used for it.

On arrival: raw, with everything. On leaving: only columns for which the purpose states a need; only rows with
consent for this purpose where that is its lawful basis (objections honoured where it is another), inside retention; of
free text only what its redaction leaves, without the direct identifiers that the project knows of the row's person.
Rows that are refused are counted by the rule, and with them the rows add up to raw's. A row that is past retention is
counted there, whatever its person decided.
Who may read it: pseudonymized.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from sqlglot import exp

from privacy_assets.contracts import entitlement
from privacy_assets.contracts.contract import ROW, Contract
from privacy_assets.contracts.known_identifiers import Known, known_identifiers
from privacy_assets.contracts.loading import Project
from privacy_assets.contracts.promises import KNOWN, RETENTION_FROM
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.gate import moment_for
from privacy_assets.lineage.columns import column_lineage
from privacy_assets.stages import functions
from privacy_assets.stages.step import DATA, Step, View, Work, declared
from privacy_assets.techniques.minimize import MINIMIZE
from privacy_assets.techniques.pseudonymize import PSEUDONYMIZE
from privacy_assets.warehouse.connections import engine_errors
from privacy_assets.words import AssetName, Column, Role, Stage

CONSENTS = "consents_of_subjects"
"""What the query calls the table of decisions, apart from any dataset's name."""

_WORD = r"[\p{L}\p{M}\p{N}]{3,}|\p{Lu}[\p{L}\p{M}]"
"""A part of a name that names somebody by itself: `Bo`, but not the `de` of a family's name."""


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

    needs = purpose.datasets[dataset].columns
    raw = {column.name: column for column in project.raw_columns(dataset)}
    redacted = [name for name in wanted if raw[name].free_text]
    modules = {needs[name].technique.kind: PSEUDONYMIZE[needs[name].technique.kind] for name in redacted}
    sources = known_identifiers(contract, project.contracts) if redacted else ()
    joined = [source for source in sources if source.dataset != dataset or not _is_unique(contract)]
    for source in sources:
        if source.dataset == dataset:
            seen |= dict.fromkeys((source.subject, *source.identifiers))
        else:
            views[source.dataset] = View(
                AssetName(Stage.RAW, dataset=source.dataset),
                tuple(dict.fromkeys((source.subject, *source.identifiers))),
                project.contracts[source.dataset].deliveries is not None,
            )

    projections: list[exp.Expr] = []
    for name in wanted:
        value: exp.Expr = exp.column(name, table=row, quoted=True)
        if name in redacted:
            technique, known = needs[name].technique, _known_of(row, sources, joined, dataset)
            leaves = modules[technique.kind].expression(technique, raw[name], value, known)
            value = exp.alias_(leaves, name, quoted=True)
        projections.append(value)
    if retention:
        projections.append(
            exp.alias_(exp.column(retention.column, table=row, quoted=True), RETENTION_FROM, quoted=True)
        )
    query = exp.select(*projections).from_(exp.alias_(exp.to_table(dataset), row, table=True)).where(*conditions)
    for source in joined:
        query = _joining(query, source, contract.subject_column or ROW, row)
    views = {dataset: View(AssetName(Stage.RAW, dataset=dataset), tuple(seen), contract.deliveries is not None)} | views

    def write(work: Work) -> None:
        for kind, module in modules.items():
            functions.make_function(work, kind, module)
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
        made_by=(
            sys.modules[__name__],
            entitlement,
            *MINIMIZE.values(),
            functions,
            *functions.sources(modules.values()),
        ),
        references={"input": dataset}
        | ({"consents": CONSENTS} if records else {})
        | {f"{KNOWN}{source.dataset}": source.dataset for source in sources if source.dataset != dataset},
        counts=refused,
        streams=True,
    )


def _is_unique(contract: Contract) -> bool:
    """Whether nobody has two rows, so that a row holds all that its dataset knows of the person."""
    subject = contract.subject_column
    return subject is None or subject == ROW or contract.primary_key == (subject,) or contract.column(subject).unique


def _known_of(row: str, sources: Sequence[Known], joined: Sequence[Known], dataset: str) -> exp.Expr | None:
    """SQL for the list of identifiers that are known of the row's person; None where nothing knows any.

    The row's own are always among them: a row without a subject is joined with nothing.
    """
    lists = [_written(source, row) for source in sources if source.dataset == dataset]
    lists += [[exp.column("identifiers", table=_alias(source), quoted=True)] for source in joined]
    each = [one for found in lists for one in found]
    return _together(each) if each else None


def _written(source: Known, table: str) -> list[exp.Expr]:
    """SQL for the lists of identifiers in one row of `table`: all of them, and the words of each name."""

    def text(name: str) -> exp.Expr:
        return exp.cast(exp.column(name, table=table, quoted=True), "text")

    words = [
        exp.Anonymous(this="regexp_extract_all", expressions=[text(name), exp.Literal.string(_WORD)])
        for name in source.names
    ]
    return [exp.Array(expressions=[text(name) for name in source.identifiers]), *words]


def _together(lists: Sequence[exp.Expr]) -> exp.Expr:
    """One list of several; one that is NULL has nothing in it."""
    whole, *others = lists
    for other in others:
        whole = exp.Anonymous(this="list_concat", expressions=[whole, other])
    return whole


def _joining(query: exp.Select, source: Known, subject: str, row: str) -> exp.Select:
    """The query, with what `source` knows beside each row: one row for each person, so that none is doubled."""
    person = exp.cast(exp.column(source.subject, table="knowing", quoted=True), "text")
    gathered = [
        exp.Anonymous(this="flatten", expressions=[exp.ArrayAgg(this=one)]) for one in _written(source, "knowing")
    ]
    known = (
        exp.select(
            exp.alias_(person, "person", quoted=True), exp.alias_(_together(gathered), "identifiers", quoted=True)
        )
        .from_(exp.alias_(exp.to_table(source.dataset), "knowing", table=True))
        .group_by(person.copy())
    )
    same = exp.EQ(
        this=exp.column("person", table=_alias(source), quoted=True),
        expression=exp.cast(exp.column(subject, table=row, quoted=True), "text"),
    )
    return query.join(known.subquery(_alias(source)), on=same, join_type="left")


def _alias(source: Known) -> str:
    return f"{KNOWN}{source.dataset}"
