"""Checks declarations against each other: contracts among themselves, a purpose against the contracts it names.

Belongs here: what no single file can be judged on. Does not belong here: opening files (`loading.py`), what one
contract must be (`_odcs.py`), measuring data (`invariants/`).
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from privacy_assets.contracts import (
    anonymity,
    drift,
    features_sql,
    linked_tables,
    person_wise,
    rights,
    synthesis,
    withstanding,
)
from privacy_assets.contracts._faults import Faults, echo
from privacy_assets.contracts._odcs import INTEGERS, aliases, owner_fault
from privacy_assets.contracts._yaml import Place
from privacy_assets.contracts.anonymity import SPLIT
from privacy_assets.contracts.columns import (
    SMALLEST_DOMAIN,
    needed_columns,
    pseudonymized_columns,
    raw_columns,
    subject_domain,
)
from privacy_assets.contracts.contract import Contract
from privacy_assets.contracts.features_sql import FeatureQuery
from privacy_assets.contracts.purpose import Model, PlainNumbers, Purpose, Statistics, Synthetic, Transfer
from privacy_assets.errors import BadDeclaration
from privacy_assets.techniques.aggregate import AGGREGATE
from privacy_assets.techniques.aggregate._grouped import Plain, domain
from privacy_assets.techniques.aggregate._tables import MOST_CELLS as MOST_PLAIN_CELLS
from privacy_assets.techniques.aggregate._tables import Tables
from privacy_assets.techniques.pseudonymize import PSEUDONYMIZE
from privacy_assets.techniques.train import TRAIN, _inputs
from privacy_assets.words import Column, IdentifierDomain, LawfulBasis

MOST_CELLS = 100_000
"""Cells of one query: more are noise beside noise."""

METRICS: Mapping[str, frozenset[str]] = {
    "classification": frozenset({"roc_auc", "balanced_accuracy", "accuracy"}),
    "regression": frozenset({"r2"}),
}


def check_contracts(contracts: Mapping[str, Contract], datasets: Collection[str], faults: Mapping[str, Faults]) -> None:
    """Note what does not fit between contracts.

    `datasets` are the names of all contract files, also of those that have faults of their own: nothing is said about
    them here. `faults` has at least the files that have a contract.
    """
    seen: dict[str, tuple[IdentifierDomain, str]] = {}
    for contract in contracts.values():
        own = faults[contract.name]
        places = aliases(own.document)
        for column in contract.columns:
            domain = column.privacy.identifier_domain
            if domain is None:
                continue
            place: Place = (*places["columns", column.name, "privacy"], "identifier_domain")
            first, where = seen.setdefault(domain.name, (domain, own.document.where(place)))
            if first != domain:
                own.add(
                    place,
                    f"the identifier domain `{domain.name}` is not declared as elsewhere, so it would not join",
                    expected=f"as in {where}: {_written(first)}",
                    found=_written(domain),
                    next_step="declare it alike, or give it another name",
                )
        if contract.privacy.consents:
            _check_consents(contract, contracts, datasets, faults[contract.name])


def _written(domain: IdentifierDomain) -> str:
    return f"normalization {domain.normalization}" + (f", region {domain.region}" if domain.region else "")


def _check_consents(
    contract: Contract, contracts: Mapping[str, Contract], datasets: Collection[str], own: Faults
) -> None:
    name = contract.privacy.consents or ""
    place: Place = (*aliases(own.document)["privacy",], "consents")
    if name not in datasets:
        own.unknown(place, f"there is no contract `{name}`", name, datasets)
    elif name in contracts:
        records = contracts[name].privacy.consent_records
        if records is None:
            own.add(
                place,
                f"`{name}` does not record decisions",
                expected="a dataset whose contract has `consent_records`",
                next_step=f"add `consent_records` to the contract of `{name}`, or name another dataset",
            )
            return
        if (asked := subject_domain(contract)) is not None and asked.normalization != "none":
            own.add(
                place,
                "decisions are matched by the subject as it is written, and this domain has several ways to write it",
                expected="a subject column whose identifier domain has `normalization: none`",
                found=f"`normalization: {asked.normalization}`",
                next_step="name the subject by an opaque identifier, in this dataset and in the decisions",
            )
        asked, held = subject_domain(contract), contracts[name].column(records.subject).privacy.identifier_domain
        if asked is not None and asked.name != (held.name if held else None):
            own.add(
                place,
                f"the subjects of `{name}` are of another identifier domain, so decisions would be matched to nobody",
                expected=f"identifier domain `{asked.name}` on `{records.subject}`",
                found=f"`{held.name}`" if held else "none",
            )


def check_purpose(
    purpose: Purpose, name: str, contracts: Mapping[str, Contract], datasets: Collection[str], faults: Faults
) -> FeatureQuery | None:
    """Note what of a purpose does not fit the contracts; its features where everything fits.

    `name` is the stem of its file. `datasets` are the names of all contract files, also of those that have faults of
    their own: nothing is said about them here.
    """
    before = len(faults.found)
    if purpose.purpose != name:
        faults.add(
            ("purpose",), "the purpose is not named as its file", expected=f"`{name}`", found=echo(purpose.purpose)
        )
    if what := owner_fault(purpose.owner):
        faults.add(("owner",), what, expected="`team:clinic-data` or `name@example.org`", found=echo(purpose.owner))
    used = {dataset: contracts[dataset] for dataset in purpose.datasets if dataset in contracts}
    permitted = rights.bases(used.values())
    for dataset in purpose.datasets:
        if dataset not in datasets:
            faults.unknown(("datasets", dataset), f"there is no contract `{dataset}`", dataset, datasets)
        elif dataset in contracts:
            _check_use(purpose, contracts[dataset], permitted, faults)
            _check_decisions(purpose, contracts[dataset], contracts, faults)
    _check_one_domain(used, faults)
    if len(faults.found) > before or len(used) < len(purpose.datasets):
        rights.check(purpose, None, used, contracts, faults)
        return None
    tables = {dataset: pseudonymized_columns(contract, purpose.datasets[dataset]) for dataset, contract in used.items()}
    features = _features(purpose, used, tables, faults)
    rights.check(purpose, features, used, contracts, faults)
    if features is None:
        return None
    _check_features(purpose, features, faults)
    anonymity.check(purpose, features.columns, faults)
    synthesis.check(purpose, features.columns, faults)
    withstanding.check(purpose, features.columns, faults)
    drift.check(purpose, features.columns, faults)
    if purpose.synthetic:
        _check_synthetic(purpose, purpose.synthetic, features, used, contracts, faults)
        linked_tables.check(purpose, purpose.synthetic, used, tables, features, faults)
    if purpose.statistics:
        _check_statistics(purpose, purpose.statistics, features, used, contracts, faults)
    if purpose.model:
        learned = features.columns
        if purpose.training and purpose.training.source == "anonymized" and len(faults.found) == before:
            learned = anonymity.anonymized_columns(purpose, features.columns)[:-1]
        elif purpose.training and purpose.training.source == "synthetic":
            learned = synthesis.synthetic_columns(purpose, features.columns)[:-1]
        _check_model(purpose, purpose.model, ("model",), learned, faults)
        if purpose.model.differential is not None:
            _check_private_model(purpose, purpose.model, features, used, contracts, faults)
        if purpose.guarantee.utility:
            _check_metric(purpose.guarantee.utility.metric, ("guarantee", "utility"), purpose.model, learned, faults)
    elif purpose.guarantee.utility:
        faults.add(
            ("guarantee", "utility"), "a floor of utility needs a `model`", next_step="add `model:`, or remove it"
        )
    if len(faults.found) == before:
        _check_transfer_of_anonymized(purpose, features, faults)
    return features if len(faults.found) == before else None


def _check_use(purpose: Purpose, contract: Contract, permitted: Collection[LawfulBasis], faults: Faults) -> None:
    """One dataset of a purpose: its basis, its columns, and what is done to each.

    `permitted` are the bases that all datasets of the purpose permit; where there is none, `rights.py` says so.
    """
    place: Place = ("datasets", contract.name)
    use, privacy = purpose.datasets[contract.name], contract.privacy
    known = [column.name for column in raw_columns(contract)]
    for name in use.columns:
        if name not in known:
            faults.unknown((*place, "columns", name), f"`{contract.name}` has no such column", name, known)
    if privacy.retention and purpose.retention_days > privacy.retention.days:
        faults.add(
            ("retention_days",),
            f"the purpose would keep results longer than `{contract.name}` may be kept",
            expected=f"at most {privacy.retention.days} days",
            found=f"{purpose.retention_days} days",
        )
    subject = contract.subject_column
    if subject is not None:
        if permitted and purpose.lawful_basis not in privacy.lawful_bases:
            faults.add(
                ("lawful_basis",),
                f"`{contract.name}` may not be used on this lawful basis",
                expected=f"one of {', '.join(sorted(permitted))}",
                found=purpose.lawful_basis,
                next_step="change the purpose's basis; the contract's bases are what people were told",
            )
        if subject not in use.columns:
            faults.add(
                (*place, "columns"),
                f"the subject column `{subject}` is missing, so no row could be traced to a person and erased",
                next_step=f"add `{subject}` with the technique `token`",
            )
        elif use.columns[subject].technique.kind != "token":
            faults.add(
                (*place, "columns", subject, "technique"),
                f"`{subject}` names the person, so its technique is `token`",
                found=f"`{use.columns[subject].technique.kind}`",
            )
    if not set(use.columns) <= set(known):
        return
    before = len(faults.found)
    for column in needed_columns(contract, use):
        technique = use.columns[column.name].technique
        module = PSEUDONYMIZE[technique.kind]
        at = (*place, "columns", column.name, "technique")
        if contract.deliveries and getattr(module, "VAULT", False):
            faults.add(
                at,
                f"`{technique.kind}` keeps its stand-ins beside a whole dataset, and `{contract.name}` is kept by day",
                next_step="use `token`, which needs no memory",
            )
        if column.free_text and not getattr(module, "REDACTS", False):
            faults.add(
                at,
                f"`{column.name}` is free text, in which anybody can be named, and `{technique.kind}` redacts nothing",
                expected="one of " + ", ".join(f"`{kind}`" for kind in redactions()),
                found=f"`{technique.kind}`",
                next_step="name a redaction, or leave the column out: what no purpose names is dropped",
            )
            continue
        if what := module.fault(technique, column):
            faults.add(at, f"`{technique.kind}` does not fit `{column.name}`: {what}")
        mapped = getattr(module, "MAPS", None) == "value" and column.name != subject
        if mapped and column.domain is not None and len(column.domain) < SMALLEST_DOMAIN:
            faults.add(
                at,
                f"`{technique.kind}` hides nothing of `{column.name}`: so few values are found by how often they occur",
                expected=f"at least {SMALLEST_DOMAIN} declared values",
                found=f"{len(column.domain)}",
                next_step="keep, truncate or redact the column",
            )
        if getattr(module, "MAPS", None) == "subject" and subject is None:
            faults.add(at, f"`{technique.kind}` works by subject, and `{contract.name}` is about nobody")
    if len(faults.found) == before:
        _check_others(purpose, contract, faults)


def redactions() -> tuple[str, ...]:
    """The techniques that free text may have."""
    return tuple(sorted(kind for kind, module in PSEUDONYMIZE.items() if getattr(module, "REDACTS", False)))


def _check_decisions(purpose: Purpose, contract: Contract, contracts: Mapping[str, Contract], faults: Faults) -> None:
    """The dataset of decisions knows this purpose: else nobody could say no to it."""
    records = contracts.get(contract.privacy.consents or "")
    if records is None or records.privacy.consent_records is None or contract.subject_column is None:
        return
    decided = records.column(records.privacy.consent_records.purpose)
    if purpose.purpose not in (decided.domain or ()):
        faults.add(
            ("purpose",),
            f"nobody can decide about this purpose: `{records.name}.{decided.name}` does not know it",
            expected=f"`{purpose.purpose}` in the `enum` of that column",
            next_step=f"add it to the contract of `{records.name}`",
        )


def _check_others(purpose: Purpose, contract: Contract, faults: Faults) -> None:
    """Nobody comes in through a column beside the subject's: rows are chosen by the subject's decisions alone."""
    place: Place = ("datasets", contract.name, "columns")
    domain = subject_domain(contract)
    for column in pseudonymized_columns(contract, purpose.datasets[contract.name]):
        other = column.name != contract.subject_column and column.identifier_domain is not None
        if other and domain is not None and column.identifier_domain == domain:
            faults.add(
                (*place, column.name),
                f"`{column.name}` names another person than the row's subject, who was never asked",
                expected=f"no column of the identifier domain `{domain.name}` but `{contract.subject_column}`",
                next_step="leave it out, or give it the technique `redact`",
            )


def _check_one_domain(used: Mapping[str, Contract], faults: Faults) -> None:
    domains = {name: domain.name for name, contract in used.items() if (domain := subject_domain(contract))}
    if len(set(domains.values())) > 1:
        faults.add(
            ("datasets",),
            "the datasets name their subjects in different identifier domains, so they cannot be one person",
            expected="one domain for the subjects of all datasets of a purpose",
            found=", ".join(f"{name}: `{domain}`" for name, domain in domains.items()),
            next_step="make a purpose for each, or correct the domain in the contract that is wrong",
        )


def _features(
    purpose: Purpose, used: Mapping[str, Contract], tables: Mapping[str, tuple[Column, ...]], faults: Faults
) -> FeatureQuery | None:
    domain = next((domain.name for contract in used.values() if (domain := subject_domain(contract))), None)
    try:
        features = features_sql.analyse(purpose, tables, subject_domain=domain)
    except BadDeclaration as error:
        faults.found.extend(dataclasses.replace(fault, where=_in_file(fault.where, faults)) for fault in error.faults)
        return None
    for column in features.columns:
        if purpose.features.subject is None and column.identifier_domain and column.identifier_domain.name == domain:
            faults.add(
                ("features", "subject"),
                f"the rows are said to be about nobody, and `{column.name}` names a person in each",
                next_step=f"write `subject: {column.name}`, or leave it out of the SQL",
            )
    return features


def _in_file(where: str, faults: Faults) -> str:
    """The place in the file of a place in the SQL, `SQL line:column`: exact where the SQL is a literal block (`|`)."""
    sql: Place = ("features", "sql")
    at = re.fullmatch(r"SQL (\d+):(\d+)", where)
    block = faults.document.blocks.get(sql)
    if at is None or block is None:
        return f"{faults.document.where(sql)} ({where})" if where else faults.document.where(sql)
    written = str(faults.document.at(sql))
    skipped = written[: len(written) - len(written.lstrip())]
    line, column = int(at[1]), int(at[2])
    if line == 1:
        column += len(skipped) - skipped.rfind("\n") - 1
    first, indentation = block
    return f"{faults.document.file}:{first + skipped.count(chr(10)) + line - 1}:{column + indentation}"


def _check_features(purpose: Purpose, features: FeatureQuery, faults: Faults) -> None:
    columns = {column.name: column for column in features.columns}
    asked = purpose.features
    named: list[tuple[Place, str]] = [(("features", "key", index), key) for index, key in enumerate(asked.key)]
    if asked.subject is not None:
        named.append((("features", "subject"), asked.subject))
    named += [(("features", "categories", name), name) for name in asked.categories]
    for place, name in named:
        if name not in columns:
            faults.unknown(place, "there is no such column in the features", name, columns)
    if purpose.training and anonymity.SPLIT in columns:
        faults.add(
            ("features", "sql"),
            f"`{anonymity.SPLIT}` is a column that training adds",
            next_step="name yours otherwise",
        )


def _check_statistics(
    purpose: Purpose,
    asked: Statistics,
    features: FeatureQuery,
    used: Mapping[str, Contract],
    contracts: Mapping[str, Contract],
    faults: Faults,
) -> None:
    """Queries fit the features, the features are person by person, and there is a budget that holds one release."""
    at: Place = ("statistics",)
    columns = {column.name: column for column in features.columns}
    _check_people_bounded(purpose, features, used, faults)
    for name, query in asked.queries.items():
        place: Place = (*at, "queries", name)
        module = AGGREGATE[query.kind]
        if found := module.fault(query, columns):
            faults.add((*place, found[0]), f"`{query.kind}` does not fit: {found[1]}")
            continue
        size = math.prod(len(domain(columns[group]) or ()) + 1 for group in query.by)  # counted before any is made
        if size > MOST_CELLS or (size := len(cells := module.cells(query, columns))) > MOST_CELLS:
            faults.add(place, "its answer has too many cells", expected=f"at most {MOST_CELLS:,}", found=f"{size:,}")
        elif len(set(cells)) < len(cells):
            faults.add(place, "two of its cells would be written alike", next_step="rename the declared values")
    if isinstance(asked.privacy, PlainNumbers):
        if not faults.found:
            _check_plain(asked, columns, faults)
        return
    _check_budget((*at, "privacy"), asked.privacy.epsilon, asked.privacy.delta, used, contracts, faults)


def _check_people_bounded(
    purpose: Purpose, features: FeatureQuery, used: Mapping[str, Contract], faults: Faults
) -> None:
    """Each row of the features depends on one person, so that bounding rows bounds what a person changes."""
    subject = purpose.features.subject
    if subject is None:
        faults.add(
            ("features", "subject"),
            "differential privacy protects people, and the features are about nobody",
            next_step="name the subject, or leave it out: a table about nobody needs none",
        )
    elif what := person_wise.fault(
        features.expression, {name: contract.subject_column for name, contract in used.items()}, subject
    ):
        faults.add(
            ("features", "sql"),
            f"a row of the features may depend on several people, and people are bounded by their rows: {what}",
            expected="one SELECT that joins, groups and orders within one subject (contracts/person_wise.py)",
            next_step="write it so, or make a purpose of its own for what has noise",
        )


def _check_budget(
    at: Place,
    epsilon: float,
    delta: float,
    used: Mapping[str, Contract],
    contracts: Mapping[str, Contract],
    faults: Faults,
) -> None:
    """There is a budget that holds one release, and it is counted as the release is."""
    for dataset in paying(used.values(), contracts):
        budget = contracts[dataset].privacy.budget
        if budget is None:
            faults.add(
                at,
                f"`{dataset}` has no budget, and each release costs its people",
                expected="`budget: {epsilon: …, delta: …, period_days: …}` in its contract",
                next_step=f"declare `budget` in the privacy property of the contract of `{dataset}`",
            )
        elif (delta > 0) != (budget.delta > 0) or delta > budget.delta:
            faults.add(
                (*at, "delta"),
                f"the budget of `{dataset}` is counted otherwise",
                expected="0: it is counted in ε" if budget.delta == 0 else f"above 0, at most {budget.delta:g}",
                found=f"{delta:g}",
            )
        elif epsilon > budget.epsilon:
            faults.add(
                (*at, "epsilon"),
                f"one release would cost more than the whole budget of `{dataset}`",
                expected=f"at most {budget.epsilon:g}",
                found=f"{epsilon:g}",
            )


def _check_synthetic(
    purpose: Purpose,
    asked: Synthetic,
    features: FeatureQuery,
    used: Mapping[str, Contract],
    contracts: Mapping[str, Contract],
    faults: Faults,
) -> None:
    """What is paid has a budget, and what is measured of the rows can be measured."""
    if asked.differential is not None:
        _check_people_bounded(purpose, features, used, faults)
        _check_budget(("synthetic", "synthesizer"), *asked.differential, used, contracts, faults)
    made = synthesis.synthetic_columns(purpose, features.columns)
    transfer, model = purpose.guarantee.fidelity and purpose.guarantee.fidelity.transfer, synthesis.transferred(purpose)
    if transfer and model:
        of_rows = [column for column in made if column.name != SPLIT]
        _check_transfer(purpose, transfer, model, ("guarantee", "fidelity", "transfer"), of_rows, faults)


def _check_transfer(
    purpose: Purpose, transfer: Transfer, model: Model, place: Place, columns: Sequence[Column], faults: Faults
) -> None:
    """What is learned from released rows can be measured on real ones, whose columns these are."""
    if model.differential is not None:
        faults.add(
            (*place, "model", "estimator") if transfer.model else place,
            "what rows are worth is measured without noise, on two fits that nobody gets",
            expected="an estimator without differential privacy",
            next_step="name another `model` under `transfer`",
        )
    if transfer.model:
        _check_model(purpose, model, (*place, "model"), columns, faults)
    _check_metric(transfer.metric, place, model, columns, faults)


def _check_transfer_of_anonymized(purpose: Purpose, features: FeatureQuery, faults: Faults) -> None:
    """As that; what is learned to be told stands in the rows as it is, and each text says what it can be."""
    asked, model = purpose.guarantee.anonymity, anonymity.transferred(purpose)
    if asked is None or asked.transfer is None or model is None:
        return
    place: Place = ("guarantee", "anonymity", "transfer")
    generalized = {column.name for column in anonymity.quasi_identifiers(purpose, features.columns)}
    columns = anonymity.true_columns(purpose, features.columns)
    if model.target in generalized:
        faults.add(
            (*place, "model", "target") if asked.transfer.model else place,
            f"`{model.target}` is generalized, so what is told of it cannot be compared with what is true",
            expected="a target that is no quasi-identifier",
            next_step="name another `model` under `transfer`, or look at its role in the contract",
        )
    _check_transfer(purpose, asked.transfer, model, place, columns, faults)
    if not asked.transfer.model:
        _check_model(purpose, model, ("model",), columns, faults)


def _check_plain(asked: Statistics, columns: Mapping[str, Column], faults: Faults) -> None:
    """Without noise every query can be told, no column is looked at in two ways, and the cells can be searched."""
    told: dict[str, Plain] = {}
    ways: dict[str, dict[str, str]] = {}
    for name, query in asked.queries.items():
        place: Place = ("statistics", "queries", name)
        plain = AGGREGATE[query.kind].plain(query, columns)
        if plain is None:
            faults.add(
                (*place, "kind"),
                f"`{query.kind}` without noise is the number of one person",
                next_step="ask for a `histogram`, or for `privacy: {kind: differential, …}`",
            )
            continue
        told[name] = plain
        for axis in plain.axes:
            if axis.labels != ("",):
                ways.setdefault(axis.name, {}).setdefault(f"the groups {', '.join(axis.labels)}", name)
        if plain.amount is not None:
            ways.setdefault(query.column, {}).setdefault(f"the sum of {plain.amount_name}", name)
    for column, of in ways.items():
        if len(of) > 1:
            first, second, *_ = of.values()
            faults.add(
                ("statistics", "queries", second),
                f"`{column}` is looked at in another way than in `{first}`, and the two can be subtracted",
                expected="one way for each column: one set of intervals, one pair of bounds, or groups",
                next_step="leave one out, or ask under `privacy: {kind: differential, …}`",
            )
    if not faults.found and (size := Tables(told).size) > MOST_PLAIN_CELLS:
        faults.add(
            ("statistics", "queries"),
            "the tables have too many cells to search for those that cannot be told",
            expected=f"at most {MOST_PLAIN_CELLS:,}, margins and unknown groups among them",
            found=f"{size:,}",
            next_step="ask for fewer or coarser groups",
        )


def paying(used: Iterable[Contract], contracts: Mapping[str, Contract]) -> tuple[str, ...]:
    """The datasets whose people pay for a release: those it descends from that are about people, decisions as well."""
    named = [name for contract in used for name in (contract.name, contract.privacy.consents or "")]
    found = [name for name in dict.fromkeys(named) if name in contracts]
    return tuple(name for name in found if contracts[name].subject_column is not None)


def _check_model(purpose: Purpose, model: Model, at: Place, learned: Sequence[Column], faults: Faults) -> None:
    columns = {column.name: column for column in learned}
    apart = {*purpose.features.key, purpose.features.subject}
    if model.task not in TRAIN[model.estimator.kind].TASKS:
        faults.add(
            (*at, "estimator", "kind"),
            f"`{model.estimator.kind}` does no {model.task}",
            expected=", ".join(sorted(kind for kind, module in TRAIN.items() if model.task in module.TASKS)),
        )
    place = (*at, "target")
    target = columns.get(model.target)
    if target is None:
        faults.unknown(place, "there is no such column in the features", model.target, columns)
    elif target.name in apart:
        faults.add(place, f"`{target.name}` tells units or people apart: nothing can be learned about it")
    elif model.task == "classification" and target.domain is None and target.type != "BOOLEAN":
        faults.add(
            place,
            f"the classes of `{target.name}` are not declared",
            expected="a BOOLEAN, or a column with a declared domain",
            found=target.type,
            next_step="declare `enum:` in its contract, or `features.categories` for a column that the SQL makes",
        )
    elif model.task == "regression" and not _is_number(target):
        faults.add(place, f"`{target.name}` is not a number", found=target.type)
    inputs = [column for column in learned if column.name not in apart and column.name != model.target]
    for fault in _inputs.faults(inputs):
        faults.found.append(dataclasses.replace(fault, where=faults.document.where(("features", "sql"))))


def _check_private_model(
    purpose: Purpose,
    model: Model,
    features: FeatureQuery,
    used: Mapping[str, Contract],
    contracts: Mapping[str, Contract],
    faults: Faults,
) -> None:
    """It learns from people, who are bounded and have a budget, and nothing of its columns is measured."""
    at: Place = ("model", "estimator")
    if purpose.training is None or purpose.training.source != "features":
        faults.add(
            at,
            "it would spend a budget on rows that are nobody's: a person of the features is not bounded by them",
            expected="`training.from: features`",
            next_step="learn from the features, or take an estimator without differential privacy",
        )
        return
    _check_people_bounded(purpose, features, used, faults)
    assert model.differential is not None
    _check_budget(at, *model.differential, used, contracts, faults)
    columns = {column.name: column for column in features.columns}
    target = columns.get(model.target)
    if target is not None and target.type != "BOOLEAN" and len(target.domain or ()) != 2:
        faults.add(
            ("model", "target"),
            f"`{model.estimator.kind}` tells two classes apart",
            expected="a BOOLEAN, or a column with two declared values",
        )
    apart = {*purpose.features.key, purpose.features.subject, model.target}
    told = {
        name
        for name, column in columns.items()
        if name not in apart and _inputs.kind_of(column) not in ("VARCHAR", "BOOLEAN")
    }
    for name in told - model.bounds.keys():
        faults.add(
            ("model", "bounds"),
            f"nothing says what `{name}` can be, and what is measured is somebody's",
            expected=f"`{name}: {{low: …, high: …}}`",
        )
    for name in model.bounds.keys() - told:
        faults.add(("model", "bounds", name), f"`{name}` is no number or date that is learned from: it needs no bounds")


def _check_metric(metric: str, at: Place, model: Model, learned: Sequence[Column], faults: Faults) -> None:
    """A floor is of a metric that measures the model's task."""
    target = next((column for column in learned if column.name == model.target), None)
    if metric not in METRICS[model.task]:
        faults.add(
            (*at, "metric"),
            f"`{metric}` does not measure {model.task}",
            expected=f"one of {', '.join(sorted(METRICS[model.task]))}",
        )
    elif metric == "roc_auc" and target is not None and target.domain is not None and len(target.domain) != 2:
        faults.add(
            (*at, "metric"),
            f"`roc_auc` tells two classes apart, and `{target.name}` has {len(target.domain)}",
            expected="`balanced_accuracy` or `accuracy`",
        )


def _is_number(column: Column) -> bool:
    return column.type in INTEGERS or column.type in ("DOUBLE", "FLOAT", "HUGEINT") or column.type.startswith("DECIMAL")
