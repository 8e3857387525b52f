"""What must be true of each asset, and in which line of which file that was promised.

Belongs here: turning a contract or a purpose into the invariants of one asset. Does not belong here: asking them
(`gate.py`) or what they mean (`invariants/`). A line that is removed from a file removes the promise, and the gate
then meets versions that were measured for more, never for less.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import combinations, pairwise
from types import ModuleType
from typing import Any

from privacy_assets.attacks import ATTACKS
from privacy_assets.contracts import drift, synthesis, withstanding
from privacy_assets.contracts.anonymity import (
    SPLIT,
    asked_of,
    member_column,
    quasi_identifiers,
    suppressed_at_most,
)
from privacy_assets.contracts.columns import SMALLEST_DOMAIN
from privacy_assets.contracts.contract import ROW, Contract
from privacy_assets.contracts.known_identifiers import known_identifiers
from privacy_assets.contracts.loading import Project
from privacy_assets.contracts.purpose import PlainNumbers, Purpose, Statistics, Synthetic, Transfer
from privacy_assets.invariants import INVARIANTS
from privacy_assets.techniques.aggregate import AGGREGATE
from privacy_assets.techniques.noise import Mechanism, rho_within
from privacy_assets.techniques.pseudonymize import PSEUDONYMIZE
from privacy_assets.threat_models._asked import Settled
from privacy_assets.words import AssetName, Column, LawfulBasis, Role, Stage

RETENTION_FROM = "_retention_from"
"""The column that minimized adds where rows may be kept for a time only: the date that the time runs from."""

STATISTICS_COLUMNS = (
    Column("query", "VARCHAR", description="as the purpose calls it"),
    Column("cell", "VARCHAR", description="the group, by declared values"),
    Column("measure", "VARCHAR", description="what the number is"),
    Column("value", "DOUBLE", technique="noise", description="with noise; a count may be below zero"),
    Column("low_95", "DOUBLE", technique="noise", description="the exact number of the bounded rows lies from here"),
    Column("high_95", "DOUBLE", technique="noise", description="to here, in 95 % of releases, for each cell by itself"),
    Column("accuracy_95", "DOUBLE", description="by how much the value may be off; of a quantile in rows"),
    Column("mechanism", "VARCHAR", description="how noise was drawn"),
    Column("scale", "DOUBLE", description="of the noise"),
    Column("epsilon", "DOUBLE", description="what all cells of this measure cost a person together"),
    Column("delta", "DOUBLE", description="at which that ε holds; 0 where it is pure"),
    Column("rho", "DOUBLE", description="the same in ρ; unknown where it is pure"),
)
"""What statistics hold, one row for each cell and measure of each query."""

PLAIN_COLUMNS = (
    Column("query", "VARCHAR", description="as the purpose calls it"),
    Column("cell", "VARCHAR", description="the group, by declared values"),
    Column("measure", "VARCHAR", description="what the number is"),
    Column("value", "DOUBLE", technique="suppression", description="as it is; unknown where it is not told"),
    Column("suppressed", "BOOLEAN", description="it is not told: it, or what it would give away, is of few people"),
)
"""What statistics without noise hold, one row for each cell and measure of each query."""

CELLS = "cells"
SUMS = "sums"
"""What the cells of plain statistics, and which add up to which, are called where it is measured what they tell."""

KNOWN = "known_"
"""Begins what another dataset is called in which identifiers of the same people stand."""

LINKED = "linked"
"""What the rows of an anonymized table are called while their person's token still stands beside them."""

DAYS = "days_of_"
"""Begins what all days of a dataset together are called, where they are an input."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One invariant asked of one asset. `where` is the file and line that asks for it.

    `later` is what takes too long to be measured before a version is published: nobody reads it until the red team did.
    """

    parameters: Any
    where: str
    later: bool = False

    @property
    def invariant(self) -> ModuleType:
        """The module that asks and judges."""
        return INVARIANTS[self.parameters.kind]

    @property
    def name(self) -> str:
        """The name of its finding, unique within the asset."""
        about = self.invariant.about(self.parameters)
        return f"{self.parameters.kind}__{about}" if about else str(self.parameters.kind)


def promises(project: Project, asset: AssetName) -> tuple[Promise, ...]:
    """All that is promised of `asset`; KeyError where project has no such contract or purpose."""
    if asset.stage is Stage.RAW:
        return tuple(_raw(project, project.contracts[asset.dataset]))
    purpose = project.purposes[asset.purpose]
    match asset.stage:
        case Stage.MINIMIZED:
            found = _minimized(project, purpose, project.contracts[asset.dataset])
        case Stage.PSEUDONYMIZED:
            found = _pseudonymized(project, purpose, project.contracts[asset.dataset])
        case Stage.FEATURES:
            found = _features(project, purpose)
        case Stage.ANONYMIZED:
            found = _anonymized(project, purpose)
        case Stage.SYNTHETIC:
            found = _synthetic(project, purpose, purpose.synthetic) if purpose.synthetic else iter(())
        case Stage.STATISTICS:
            found = _statistics(project, purpose, purpose.statistics) if purpose.statistics else iter(())
        case Stage.TRAINING:
            found = _training(project, purpose)
        case Stage.MODEL:
            found = _model(project, purpose)
    return tuple(found)


def _ask(kind: str, where: str, **parameters: Any) -> Promise:
    return Promise(INVARIANTS[kind].Parameters(kind=kind, **parameters), where)


def _raw(project: Project, contract: Contract) -> Iterator[Promise]:
    def where(*path: str | int) -> str:
        return project.where("contract", contract.name, *path)

    yield _ask("has_rows", where(), at_least=1)
    yield _ask("rows_accounted", where())
    yield _ask("has_columns", where(), columns=tuple((column.name, column.type) for column in contract.columns))
    yield _ask("quarantine_share", where("privacy", "quarantine_at_most"), at_most=contract.privacy.quarantine_at_most)
    if contract.primary_key:
        place = where("columns", contract.primary_key[0], "primaryKey")
        yield _ask("unique", place, columns=contract.primary_key)
    for column in contract.columns:
        at = ("columns", column.name)
        if column.required:
            yield _ask("not_null", where(*at, "required"), column=column.name)
        if column.unique and contract.primary_key != (column.name,):
            yield _ask("unique", where(*at, "unique"), columns=(column.name,))
        if column.domain is not None:
            yield _ask("in_domain", where(*at, "enum"), column=column.name, values=column.domain)


def _minimized(project: Project, purpose: Purpose, contract: Contract) -> Iterator[Promise]:
    def where(*path: str | int) -> str:
        return project.where("purpose", purpose.purpose, *path)

    retention = contract.privacy.retention
    allowed = tuple(purpose.datasets[contract.name].columns) + ((RETENTION_FROM,) if retention else ())
    yield _ask("has_rows", where("datasets", contract.name), at_least=1)
    yield _ask("only_columns", where("datasets", contract.name, "columns"), columns=allowed)
    if contract.privacy.consents and contract.subject_column:
        records = project.contracts[contract.privacy.consents].privacy.consent_records
        if records is not None:
            yield _ask(
                "consent_valid",
                where("lawful_basis"),
                subject=contract.subject_column,
                purpose=purpose.purpose,
                basis="consent" if purpose.lawful_basis is LawfulBasis.CONSENT else "other",
                records_subject=records.subject,
                records_purpose=records.purpose,
                records_decision=records.decision,
                records_decided_at=records.decided_at,
            )
    if retention:
        yield _ask(
            "within_retention",
            project.where("contract", contract.name, "privacy", "retention"),
            column=RETENTION_FROM,
            days=retention.days,
        )
    yield from _redacted(project, purpose, contract)


def _redacted(project: Project, purpose: Purpose, contract: Contract) -> Iterator[Promise]:
    """Of free text: nothing that its redaction can never put out, nothing that is known of the row's own person."""
    # what is no free text has no technique yet, and is masked on its way to pseudonymized
    texts = [column for column in project.minimized_columns(purpose.purpose, contract.name) if column.technique]
    known = known_identifiers(contract, project.contracts) if texts else ()
    for column in texts:
        technique = purpose.datasets[contract.name].columns[column.name].technique
        module = PSEUDONYMIZE[technique.kind]
        where = project.where(
            "purpose", purpose.purpose, "datasets", contract.name, "columns", column.name, "technique"
        )
        yield _masked(where, column, technique)
        if known and hasattr(module, "PLACEHOLDERS"):
            yield _ask(
                "own_identifiers_absent",
                where,
                column=column.name,
                subject=contract.subject_column,
                known=[
                    {
                        "reference": "input" if one.dataset == contract.name else f"{KNOWN}{one.dataset}",
                        "subject": one.subject,
                        "identifiers": one.identifiers,
                        "names": one.names,
                    }
                    for one in known
                ],
                placeholders=(module.SUBJECT, *module.PLACEHOLDERS.values()),
            )


def _masked(where: str, column: Column, technique: Any) -> Promise:
    violated = PSEUDONYMIZE[technique.kind].violated(technique, column)
    domain = column.identifier_domain
    declared = [technique.model_dump(mode="json"), domain.model_dump(mode="json") if domain else None]
    return _ask(
        "masked",
        where,
        column=column.name,
        condition=violated.sql(dialect="duckdb"),
        technique=json.dumps(declared, sort_keys=True),
    )


def _pseudonymized(project: Project, purpose: Purpose, contract: Contract) -> Iterator[Promise]:
    def where(*path: str | int) -> str:
        return project.where("purpose", purpose.purpose, "datasets", contract.name, *path)

    needs = purpose.datasets[contract.name].columns
    before = {column.name: column for column in project.minimized_columns(purpose.purpose, contract.name)}
    yield _ask("has_rows", where(), at_least=1)
    yield _ask("only_columns", where("columns"), columns=tuple(needs))
    counted = tokenized(purpose, contract) if contract.deliveries is None else ()
    for name, need in needs.items():
        place = where("columns", name, "technique")
        yield _masked(place, before[name], need.technique)
        if name in counted:
            yield _ask("large_domain", place, column=name, at_least=SMALLEST_DOMAIN)
    identifiers, texts = identifiers_and_texts(project, purpose, contract)
    if identifiers and texts:
        yield _ask("identifiers_absent", where("columns"), identifiers=identifiers, texts=texts)
    if contract.subject_column:
        yield _ask(
            "subjects_kept_apart",
            where("columns", contract.subject_column, "technique"),
            subject=contract.subject_column,
            token=contract.subject_column,
        )


def identifiers_and_texts(
    project: Project, purpose: Purpose, contract: Contract
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The direct identifiers that arrive to be replaced, and the columns that leave as text: one could stand there."""
    before = project.minimized_columns(purpose.purpose, contract.name)
    after = project.pseudonymized_columns(purpose.purpose, contract.name)
    return (
        tuple(column.name for column in before if column.role is Role.DIRECT_IDENTIFIER and column.name != ROW),
        tuple(column.name for column in after if column.type == "VARCHAR" and column.domain is None),
    )


def tokenized(purpose: Purpose, contract: Contract) -> tuple[str, ...]:
    """The columns of a dataset that are replaced value by value, but for the subject's own key."""
    return tuple(
        name
        for name, need in purpose.datasets[contract.name].columns.items()
        if getattr(PSEUDONYMIZE[need.technique.kind], "MAPS", None) == "value" and name != contract.subject_column
    )


def _features(project: Project, purpose: Purpose) -> Iterator[Promise]:
    def where(*path: str | int) -> str:
        return project.where("purpose", purpose.purpose, *path)

    for dataset in purpose.datasets:
        # a day has few values; here all of them come together
        for name in tokenized(purpose, project.contracts[dataset]) if project.contracts[dataset].deliveries else ():
            place = where("datasets", dataset, "columns", name, "technique")
            of_days = f"{DAYS}{dataset}"
            yield _ask("large_domain", place, column=name, at_least=SMALLEST_DOMAIN, reference=of_days)
    columns: tuple[Column, ...] = project.features(purpose.purpose).columns
    yield _ask("has_rows", where("features"), at_least=1)
    yield _ask("only_columns", where("features", "sql"), columns=tuple(column.name for column in columns))
    yield _ask("unique", where("features", "key"), columns=purpose.features.key)
    if purpose.features.subject:
        yield _ask("not_null", where("features", "subject"), column=purpose.features.subject)
        yield _ask(
            "has_subjects",
            where("guarantee", "at_least_subjects"),
            column=purpose.features.subject,
            at_least=purpose.guarantee.at_least_subjects,
        )
    for name, values in purpose.features.categories.items():
        yield _ask("in_domain", where("features", "categories", name), column=name, values=values)
    place = where("guarantee", "drift", "rare_groups")
    for name in drift.categories(purpose, columns):
        yield _rare(purpose, place, (name,), purpose.features.subject)
    yield from _distinct(purpose, columns, where("guarantee", "drift", "distinct_share_at_most"))


def _rare(purpose: Purpose, place: str, columns: tuple[str, ...], subject: str | None) -> Promise:
    asked = purpose.guarantee.drift
    assert asked is not None and asked.rare_groups is not None
    rare = asked.rare_groups
    at_most = rare.share_rises_at_most
    return _ask(
        "rare_drift", place, columns=columns, subject=subject, fewer_than=rare.fewer_than, rises_at_most=at_most
    )


def _distinct(purpose: Purpose, columns: tuple[Column, ...], place: str) -> Iterator[Promise]:
    asked = purpose.guarantee.drift
    if asked is not None and asked.distinct_share_at_most is not None:
        for name in drift.comparable(purpose, columns):
            yield _ask("distinct_drift", place, column=name, at_most=asked.distinct_share_at_most)


def _anonymized(project: Project, purpose: Purpose) -> Iterator[Promise]:
    def where(*path: str | int) -> str:
        return project.where("purpose", purpose.purpose, *path)

    asked = purpose.guarantee.anonymity
    if asked is None:
        return
    before, after = project.features(purpose.purpose).columns, project.anonymized_columns(purpose.purpose)
    of_people = tuple(column.name for column in quasi_identifiers(purpose, before))
    names = tuple(column.name for column in after)
    member, subject = member_column(purpose), purpose.features.subject
    yield _ask("has_rows", where("anonymized"), at_least=1)
    yield _ask("only_columns", where("anonymized"), columns=names)
    for each in asked_of(purpose, before):
        criterion, place = each.criterion, where(*each.place)
        asks = criterion.model_dump(exclude={"kind"})
        if "quasi_identifiers" in INVARIANTS[criterion.kind].Parameters.model_fields:
            asks["quasi_identifiers"] = of_people
        yield _ask(criterion.kind, place, **asks)
        if criterion.kind == "k_anonymity":
            yield _ask(
                "persons_per_class",
                place,
                quasi_identifiers=of_people,
                subject=subject,
                k=criterion.k,
                reference=LINKED,
                columns=names,
                member=member,
            )
    place = where("guarantee", "anonymity", "suppressed_at_most")
    yield _ask("suppressed_share", place, at_most=suppressed_at_most(asked), member=member)
    for column in after:
        if column.name in of_people and column.domain is not None:
            place = where("anonymized", "hierarchies", column.name)
            yield _ask("in_domain", place, column=column.name, values=column.domain)
    if SPLIT in names:
        yield _ask("splits_disjoint", where("training", "split"), subject=subject, split=SPLIT, reference=LINKED)
    fair = purpose.guarantee.fairness
    if fair is not None and fair.disparity_at_most is not None:
        place = where("guarantee", "fairness", "disparity_at_most")
        yield _ask("fidelity", place, measure="disparity", at_most=fair.disparity_at_most)
    if asked.transfer is not None:
        yield from _transfer(asked.transfer, where("guarantee", "anonymity", "transfer"))
    if fair is not None and fair.transfer_disparity_at_most is not None:
        place = where("guarantee", "fairness", "transfer_disparity_at_most")
        yield _ask("fidelity", place, measure="transfer_disparity", at_most=fair.transfer_disparity_at_most)
    drifts = purpose.guarantee.drift
    if drifts is not None and drifts.k_falls_at_most is not None:
        place = where("guarantee", "drift", "k_falls_at_most")
        yield _ask("k_drift", place, quasi_identifiers=of_people, falls_at_most=drifts.k_falls_at_most)
    if drifts is not None and drifts.rare_groups is not None:
        yield _rare(purpose, where("guarantee", "drift", "rare_groups"), of_people, None)
    yield from _distinct(purpose, after, where("guarantee", "drift", "distinct_share_at_most"))
    yield from _withstands(purpose, before, Stage.ANONYMIZED, where("guarantee", "withstands"))


def _synthetic(project: Project, purpose: Purpose, asked: Synthetic) -> Iterator[Promise]:
    def where(*path: str | int) -> str:
        return project.where("purpose", purpose.purpose, *path)

    before, after = project.features(purpose.purpose).columns, project.synthetic_columns(purpose.purpose)
    yield _ask("has_rows", where("synthetic", "rows"), at_least=asked.rows or 1)
    yield _ask("only_columns", where("synthetic"), columns=tuple(column.name for column in after))
    for domain in synthesis.domains(asked.bounds, after):
        if domain.ordered:
            place = where("synthetic", "bounds", domain.name)
            days = not isinstance(asked.bounds[domain.name].low, float)
            yield _ask("within_bounds", place, column=domain.name, low=domain.low, high=domain.high, days=days)
        else:
            yield _ask("in_domain", where("synthetic"), column=domain.name, values=domain.labels)
    yield from _withstands(purpose, before, Stage.SYNTHETIC, where("guarantee", "withstands"))
    yield from _fidelity(purpose, where)


def _withstands(purpose: Purpose, columns: tuple[Column, ...], stage: Stage, place: str) -> Iterator[Promise]:
    loss = withstanding.synthetic_loss(purpose) if stage is Stage.SYNTHETIC else None
    for tried in withstanding.withstood(purpose, columns, stage):
        for about in tried.about:
            for group, ceiling in tried.ceilings.items():
                bounded = loss is not None and getattr(ATTACKS[tried.attack.kind], "OF_A_PERSON", False)
                asked = _ask(
                    "attack_excess",
                    place,
                    attack=tried.attack.kind,
                    about=about,
                    group=group,
                    asked=tried.attack.model_dump_json(),
                    **asdict(ceiling),
                    **({"epsilon": loss.epsilon, "delta": loss.delta} if loss is not None and bounded else {}),
                )
                yield replace(asked, later=tried.settled is Settled.LATER)


def _fidelity(purpose: Purpose, where: Callable[..., str]) -> Iterator[Promise]:
    asked, fair = purpose.guarantee.fidelity, purpose.guarantee.fairness
    if asked is None:
        return
    at = ("guarantee", "fidelity")
    yield _ask("fidelity", where(*at, "marginals"), measure="marginals", at_most=asked.marginals)
    yield _ask("fidelity", where(*at, "pairs"), measure="pairs", at_most=asked.pairs)
    if asked.rows_per_person is not None:
        place = where(*at, "rows_per_person")
        yield _ask("fidelity", place, measure="rows_per_person", at_most=asked.rows_per_person)
    if (transfer := asked.transfer) is not None:
        yield from _transfer(transfer, where(*at, "transfer"))
        if fair is not None and fair.disparity_at_most is not None:
            place = where("guarantee", "fairness", "disparity_at_most")
            yield _ask("fidelity", place, measure="disparity", at_most=fair.disparity_at_most)


def _transfer(asked: Transfer, place: str) -> Iterator[Promise]:
    yield _ask("fidelity", place, measure="transfer", at_least=asked.at_least)
    yield _ask("fidelity", place, measure="transfer_loss", at_most=asked.loses_at_most)


def _statistics(project: Project, purpose: Purpose, asked: Statistics) -> Iterator[Promise]:
    def where(*path: str | int) -> str:
        return project.where("purpose", purpose.purpose, "statistics", *path)

    columns = {column.name: column for column in project.features(purpose.purpose).columns}
    cells = {name: AGGREGATE[query.kind].cells(query, columns) for name, query in asked.queries.items()}
    yield _ask("has_rows", where("queries"), at_least=sum(map(len, cells.values())))
    leaves = tuple(column.name for column in statistics_columns(asked))
    yield _ask("only_columns", where(), columns=leaves)
    yield _ask("unique", where("queries"), columns=("query", "cell", "measure"))
    yield _ask("in_domain", where("queries"), column="query", values=tuple(cells))
    declared = tuple(dict.fromkeys(cell for each in cells.values() for cell in each))
    yield _ask("in_domain", where("queries"), column="cell", values=declared)
    if isinstance(asked.privacy, PlainNumbers):
        yield from _plain(purpose, asked, asked.privacy, where("privacy", "at_least_subjects"))
        return
    yield _ask("in_domain", where("privacy"), column="mechanism", values=tuple(Mechanism))
    yield _ask("not_null", where("queries"), column="value")
    yield _ask(
        "noise_declared",
        where("privacy", "epsilon"),
        epsilon_at_most=asked.privacy.epsilon,
        delta_at_most=asked.privacy.delta,
        rho_at_most=rho_within(asked.privacy.epsilon, asked.privacy.delta) if asked.privacy.delta else None,
    )


def _plain(purpose: Purpose, asked: Statistics, rule: PlainNumbers, place: str) -> Iterator[Promise]:
    tables: list[dict[str, Any]] = []
    for name, query in asked.queries.items():
        axes: list[dict[str, Any]] = [{"column": column} for column in query.by]
        amount = None
        if query.kind == "histogram":
            bounds = (None, *query.edges, None)
            intervals = [
                {"label": label, "low": low, "high": high}
                for label, (low, high) in zip(query.labels, pairwise(bounds), strict=True)
            ]
            axes.append({"column": query.column, "intervals": intervals})
        elif query.kind in ("sum", "mean"):
            amount = {name: getattr(query, name) for name in ("column", "low", "high", "decimals")}
        sizes = range(len(axes) + 1) if query.kind == "contingency_table" else (len(axes),)
        for size in sizes:
            tables += [{"query": name, "axes": each, "amount": amount} for each in combinations(axes, size)]
    yield _ask(
        "told_cells",
        place,
        at_least_subjects=rule.at_least_subjects,
        largest=rule.dominance.largest,
        share_at_most=rule.dominance.share_at_most,
        subject=purpose.features.subject,
        tables=tables,
    )
    yield _ask("untold_cells", place, at_least_subjects=rule.at_least_subjects)


def statistics_columns(asked: Statistics) -> tuple[Column, ...]:
    """The columns of statistics, with noise or without."""
    return PLAIN_COLUMNS if isinstance(asked.privacy, PlainNumbers) else STATISTICS_COLUMNS


def _training(project: Project, purpose: Purpose) -> Iterator[Promise]:
    def where(*path: str | int) -> str:
        return project.where("purpose", purpose.purpose, *path)

    columns = tuple(column.name for column in project.training_columns(purpose.purpose))
    unit = purpose.features.subject or purpose.features.key[0]
    of_features = purpose.training is not None and purpose.training.source == "features"
    yield _ask("has_rows", where("training"), at_least=1)
    yield _ask("only_columns", where("features"), columns=columns)
    if of_features:  # where it is anonymized nobody has a name, and splits were dealt and measured before
        yield _ask("splits_disjoint", where("training", "split"), subject=unit, split=SPLIT)
    yield _ask("splits_filled", where("training", "split"), split=SPLIT)
    if purpose.features.subject and of_features:
        yield _ask(
            "has_subjects",
            where("guarantee", "at_least_subjects"),
            column=purpose.features.subject,
            at_least=purpose.guarantee.at_least_subjects,
        )
    if purpose.model:
        yield _ask("not_null", where("model", "target"), column=purpose.model.target)


def _model(project: Project, purpose: Purpose) -> Iterator[Promise]:
    def where(*path: str | int) -> str:
        return project.where("purpose", purpose.purpose, *path)

    yield _ask("has_rows", where("model"), at_least=1)
    floor = purpose.guarantee.utility
    if floor is not None:
        yield _ask("utility_floor", where("guarantee", "utility"), metric=floor.metric, at_least=floor.at_least)
        drifts = purpose.guarantee.drift
        if drifts is not None and drifts.metric_falls_at_most is not None:
            place = where("guarantee", "drift", "metric_falls_at_most")
            yield _ask("metric_drift", place, metric=floor.metric, falls_at_most=drifts.metric_falls_at_most)
    columns = project.training_columns(purpose.purpose)
    yield from _withstands(purpose, columns, Stage.MODEL, where("guarantee", "withstands"))
