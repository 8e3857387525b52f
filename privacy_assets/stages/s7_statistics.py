"""statistics: numbers about the features under differential privacy, paid from the budgets of the datasets.

On arrival: features, whose rows depend on one person each. On leaving: one row for each cell and measure of each query,
with its interval, mechanism, scale and loss; every declared cell is there, whoever is in it or not. Who may read it:
people, through `read` and `export`.

    count (exact, in memory, never written) ─► debit (ledger) ─► draw noise ─► write the answers

Every materialization is a new release with new noise, and costs its people again, also where nothing changed: the
average of many answers would be the exact one. Measuring a version again draws nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from privacy_assets.contracts.loading import Project
from privacy_assets.contracts.promises import CELLS, PLAIN_COLUMNS, STATISTICS_COLUMNS, SUMS
from privacy_assets.contracts.purpose import PlainNumbers, Purpose, Statistics
from privacy_assets.errors import BadDeclaration
from privacy_assets.lineage.columns import Lineage, column_lineage
from privacy_assets.stages import _plain_statistics
from privacy_assets.stages.step import DATA, Step, View, Work, declared
from privacy_assets.techniques import noise
from privacy_assets.techniques.aggregate import AGGREGATE, _bounding, _grouped, _planning, _tables
from privacy_assets.techniques.aggregate._grouped import Columns, Exact
from privacy_assets.techniques.aggregate._tables import Tables
from privacy_assets.warehouse.connections import engine_errors
from privacy_assets.words import AssetName, Stage

FEATURES = _bounding.FEATURES
_FROM_VALUES = ("value", "low_95", "high_95")


def statistics(project: Project, purpose: Purpose, asked: Statistics) -> Step:
    """The step that answers what one purpose asks of its features."""
    arrives = project.features(purpose.purpose).columns
    columns = {column.name: column for column in arrives}
    subject, key = purpose.features.subject, purpose.features.key
    if subject is None:
        raise BadDeclaration.of("statistics protect people, and the features are about nobody")
    if isinstance(asked.privacy, PlainNumbers):
        return _plain(project, purpose, asked, asked.privacy, columns, subject)
    asset = AssetName(Stage.STATISTICS, purpose.purpose)
    privacy, rows = asked.privacy, asked.contribution.rows if asked.contribution else 1
    query = _planning.statement(asked.queries, columns, subject=subject, key=key, rows=rows)

    def write(work: Work) -> None:
        with engine_errors("counting"):
            counted = work.con.execute(query.sql(dialect="duckdb")).fetchall()
        found = _by_query(counted)
        plan = _planning.planned(asked.queries, epsilon=privacy.epsilon, delta=privacy.delta, rows=rows)
        work.gate.debit(asset, plan.loss, tuple(asked.queries))
        answers = list(_answers(asked, columns, plan, found))
        kinds = {column.name: pl.String if column.type == "VARCHAR" else pl.Float64 for column in STATISTICS_COLUMNS}
        frame = pl.DataFrame(answers, schema=kinds, orient="row")
        with engine_errors("writing the answers"):
            work.con.register("answered", frame.to_arrow())
            listed = ", ".join(f'CAST("{column.name}" AS {column.type}) AS "{column.name}"'
                               for column in STATISTICS_COLUMNS)  # fmt: skip
            work.con.execute(f"CREATE TABLE {DATA} AS SELECT {listed} FROM answered")
            work.con.unregister("answered")

    used = tuple(dict.fromkeys((*_planning.reads(asked.queries), subject, *key)))
    return Step(
        asset=asset,
        views={FEATURES: View(AssetName(Stage.FEATURES, purpose.purpose), used)},
        columns=STATISTICS_COLUMNS,
        query=query,
        lineage=_lineage(asked, columns, subject, key),
        write=write,
        declared=declared(("purpose", f"{purpose.purpose}@{purpose.version}", project.digest(purpose.purpose))),
        made_by=(
            sys.modules[__name__],
            noise,
            _grouped,
            _bounding,
            _planning,
            *(AGGREGATE[kind] for kind in sorted({query.kind for query in asked.queries.values()})),
        ),
        epoch=purpose.epoch,
    )


def _plain(
    project: Project, purpose: Purpose, asked: Statistics, rule: PlainNumbers, columns: Columns, subject: str
) -> Step:
    """The step that tells the numbers as they are, but for cells with few people."""
    plain = {name: AGGREGATE[query.kind].plain(query, columns) for name, query in asked.queries.items()}
    query = Tables(plain).statement(subject, rule.dominance.largest)
    used = tuple(dict.fromkeys((*_planning.reads(asked.queries), subject)))
    from_rows = frozenset((FEATURES, query.column) for query in asked.queries.values() if hasattr(query, "low"))
    decides = frozenset((FEATURES, name, "group") for name in used)
    direct = {column.name: frozenset[tuple[str, str]]() for column in PLAIN_COLUMNS} | {"value": from_rows}
    indirect = {
        name: decides if name in ("value", "suppressed") else frozenset[tuple[str, str, str]]() for name in direct
    }
    return Step(
        asset=AssetName(Stage.STATISTICS, purpose.purpose),
        views={FEATURES: View(AssetName(Stage.FEATURES, purpose.purpose), used)},
        columns=PLAIN_COLUMNS,
        query=query,
        lineage=Lineage(direct, indirect),
        write=lambda work: _plain_statistics.write(work, plain, rule, subject),
        declared=declared(("purpose", f"{purpose.purpose}@{purpose.version}", project.digest(purpose.purpose))),
        made_by=(
            sys.modules[__name__],
            _plain_statistics,
            _plain_statistics.SUPPRESSION,
            _grouped,
            _tables,
            *(AGGREGATE[kind] for kind in sorted({query.kind for query in asked.queries.values()})),
        ),
        references={"input": FEATURES, CELLS: f"main.{CELLS}", SUMS: f"main.{SUMS}"},
        measures=_plain_statistics.MEASURES,
        epoch=purpose.epoch,
    )


def _by_query(counted: list[tuple[Any, ...]]) -> Mapping[str, Exact]:
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    for query, cell, *exact in counted:
        if cell is not None:
            found.setdefault(query, {})[cell] = tuple(number for number in exact if number is not None)
    return found


def _answers(
    asked: Statistics, columns: Columns, plan: _planning.Plan, found: Mapping[str, Exact]
) -> Iterator[tuple[str | float | None, ...]]:
    """The rows of the table: from here on nothing is exact any more."""
    for name, query in asked.queries.items():
        module = AGGREGATE[query.kind]
        for answer in module.answer(query, columns, found.get(name, {}), plan.mechanisms[name]):
            pure = plan.measure is noise.Measure.PURE
            yield (
                name,
                answer.cell,
                answer.measure,
                answer.value,
                answer.low,
                answer.high,
                answer.accuracy,
                answer.mechanism,
                answer.scale,
                answer.loss if pure else noise.epsilon_of(answer.loss, plan.delta),
                plan.delta,
                None if pure else answer.loss,
            )


def _lineage(asked: Statistics, columns: Columns, subject: str, key: tuple[str, ...]) -> Lineage:
    """Read off what counts, over the bounded rows: these are the features' own, chosen by subject and key."""
    read = _planning.reads(asked.queries) or (subject,)
    counted = column_lineage(_planning.counting(asked.queries, columns), {"bounded": read})
    chosen = {(FEATURES, name, "filter") for name in (subject, *key)}
    direct = {name: frozenset((FEATURES, column) for _, column in sources) for name, sources in counted.direct.items()}
    indirect = {
        name: frozenset({(FEATURES, column, kind) for _, column, kind in edges} | chosen)
        for name, edges in counted.indirect.items()
    }
    exact = ("exact_1", "exact_2")
    values = frozenset[tuple[str, str]]().union(*(direct[name] for name in exact))
    decide = frozenset[tuple[str, str, str]]().union(*(indirect[name] for name in exact))
    of = dict.fromkeys(_FROM_VALUES, values)
    others = [column.name for column in STATISTICS_COLUMNS if column.name not in of]
    nothing: frozenset[tuple[str, str]] = frozenset()
    return Lineage(of | dict.fromkeys(others, nothing), dict.fromkeys(_FROM_VALUES, decide) | {
        name: frozenset() for name in others})  # fmt: skip
