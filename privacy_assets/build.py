"""Contracts and purposes in, Dagster definitions out.

Belongs here: which steps there are, and the jobs, schedule and sources around them. Does not belong here: what a
step does (`stages/`). Every part can be replaced by the caller, as tests do.
"""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from privacy_assets.contracts.contract import Contract
from privacy_assets.contracts.loading import Project, load
from privacy_assets.gate import Gate
from privacy_assets.lineage.flows import Flows, Made
from privacy_assets.stages.asset import asset_of, days_of, guarded, key_of, redteam_job, source_key
from privacy_assets.stages.lineage_page import lineage_page
from privacy_assets.stages.report_pages import report_pages
from privacy_assets.stages.s1_raw import raw
from privacy_assets.stages.s2_minimized import minimized
from privacy_assets.stages.s3_pseudonymized import pseudonymized
from privacy_assets.stages.s4_features import features
from privacy_assets.stages.s5_anonymized import anonymized
from privacy_assets.stages.s6_synthetic import synthetic
from privacy_assets.stages.s7_statistics import statistics
from privacy_assets.stages.s8_training import training
from privacy_assets.stages.s9_model import model
from privacy_assets.stages.step import Step
from privacy_assets.subjects.job import expiry_job
from privacy_assets.warehouse import sources as taken_from
from privacy_assets.words import AssetName

CORRIDOR = "corridor"
DELIVERIES = "deliveries"
VERIFICATION = "verification"
REDTEAM = "redteam"
EXPIRY = "expiry"


def steps(project: Project) -> Mapping[AssetName, Step]:
    """Every step of the project, in the order of the corridor."""
    made = [raw(project, contract) for contract in project.contracts.values()]
    for purpose in project.purposes.values():
        contracts = [project.contracts[dataset] for dataset in purpose.datasets]
        made += [minimized(project, purpose, contract) for contract in contracts]
        made += [pseudonymized(project, purpose, contract) for contract in contracts]
        made.append(features(project, purpose))
        if purpose.anonymized and purpose.guarantee.anonymity:
            made.append(anonymized(project, purpose, purpose.anonymized, purpose.guarantee.anonymity))
        if purpose.synthetic:
            made.append(synthetic(project, purpose, purpose.synthetic))
        if purpose.statistics:
            made.append(statistics(project, purpose, purpose.statistics))
        if purpose.training:
            made.append(training(project, purpose, purpose.training))
        if purpose.model:
            made.append(model(project, purpose, purpose.model))
    return {step.asset: step for step in made}


def flows(made: Mapping[AssetName, Step]) -> Flows:
    """What flows from column to column through these steps."""
    reads = {asset: {view: read.asset for view, read in step.views.items()} for asset, step in made.items()}
    return Flows(
        {
            asset: Made(step.columns, reads[asset], step.lineage, step.code_version, step.declared, step.modules)
            for asset, step in made.items()
        }
    )


def build_definitions(
    root: Path, *, env: Mapping[str, str] = os.environ, open_gate: Callable[[], Gate] | None = None
) -> dg.Definitions:
    """The definitions of the project at `root`; raises BadDeclaration with every fault of its files.

    Everything is run in one process. `open_gate` opens the home when a step runs; loading definitions touches neither
    home nor key.
    """
    corridor = corridor_of(load(root), env=env, open_gate=open_gate)
    return dg.Definitions.merge(corridor, dg.Definitions(executor=dg.in_process_executor))


def corridor_of(
    project: Project, *, env: Mapping[str, str] = os.environ, open_gate: Callable[[], Gate] | None = None
) -> dg.Definitions:
    """The corridor alone, to stand beside other definitions.

    Its jobs select its own assets and checks, and run in one process; how anything else is run is not said here.
    """

    @functools.cache
    def gate() -> Gate:
        return open_gate() if open_gate else Gate.open(project.root, env, project)

    made = steps(project)
    assets = [asset_of(project, step, gate) for step in made.values()]
    sources = [
        _daily(contract) if contract.deliveries else _source(project, contract, gate)
        for contract in project.contracts.values()
    ]
    by_day = {name: contract for name, contract in project.contracts.items() if contract.deliveries}
    of_days = dg.AssetSelection.assets(*(key_of(asset) for asset in made if asset.dataset in by_day))
    whole = dg.AssetSelection.assets(*(key_of(asset) for asset in made)) - of_days
    corridor = dg.define_asset_job(
        CORRIDOR,
        selection=whole,
        description="Everything, from raw to the models" + (", but what is kept by day." if by_day else "."),
        executor_def=dg.in_process_executor,
    )
    by_purpose = [
        dg.define_asset_job(
            f"{CORRIDOR}_{name}",
            selection=whole
            & dg.AssetSelection.assets(*(key_of(asset) for asset in made if asset.purpose == name)).upstream(),
            description=f"All that the purpose {name} needs: {purpose.title}.",
            executor_def=dg.in_process_executor,
            tags={"privacy/purpose": name},
        )
        for name, purpose in project.purposes.items()
    ]
    deliveries = [
        dg.define_asset_job(
            f"{DELIVERIES}_{name}",
            selection=dg.AssetSelection.assets(*(key_of(asset) for asset in made if asset.dataset == name)),
            description=f"A day of {name}, from raw until it is pseudonymized.",
            executor_def=dg.in_process_executor,
        )
        for name in by_day
    ]
    verification = dg.define_asset_job(
        VERIFICATION,
        selection=dg.AssetSelection.checks_for_assets(*assets),
        description="Measures every published version again; nothing is written.",
        executor_def=dg.in_process_executor,
    )
    nightly = dg.ScheduleDefinition(
        name="nightly_verification",
        job=verification,
        cron_schedule="0 3 * * *",
        execution_timezone="UTC",
        description="Every night at 03:00 UTC, once it is switched on.",
    )
    expiry = expiry_job(EXPIRY, made, gate)
    before = dg.ScheduleDefinition(
        name="nightly_expiry",
        job=expiry,
        cron_schedule="0 2 * * *",
        execution_timezone="UTC",
        description="Every night at 02:00 UTC, once it is switched on.",
    )
    jobs: list[Any] = [corridor, *by_purpose, *deliveries, verification, expiry]
    schedules = [nightly, before]
    if any(step.attack for step in made.values()):
        attacks = redteam_job(REDTEAM, made, gate)
        jobs.append(attacks)
        schedules.append(
            dg.ScheduleDefinition(
                name="weekly_redteam",
                job=attacks,
                cron_schedule="0 4 * * 0",
                execution_timezone="UTC",
                description="Every Sunday at 04:00 UTC, once it is switched on.",
            )
        )
    graph = flows(made)
    pages = [lineage_page(graph, gate), *report_pages(graph, gate)]
    return dg.Definitions(assets=[*assets, *sources, *pages], jobs=jobs, schedules=schedules)


def _daily(contract: Contract) -> dg.AssetSpec:
    """A source that is delivered by day; each day's raw asset has the digest of what it was made from."""
    return dg.AssetSpec(
        source_key(contract.name),
        group_name="s0_sources",
        description=f"Where {contract.name} comes from, day by day.",
        tags={"privacy/contract": contract.name},
        partitions_def=days_of(contract),
    )


def _source(project: Project, contract: Contract, gate: Callable[[], Gate]) -> dg.AssetsDefinition:
    key = source_key(contract.name)

    def version() -> str:
        opened = gate()
        secret = opened.secrets.derive("digests", "source")
        return taken_from.digest(contract, project.root, opened.home.spill, secret)

    def observed() -> Iterator[dg.ObserveResult]:
        yield dg.ObserveResult(asset_key=key, data_version=dg.DataVersion(guarded(version)))

    spec = dg.AssetSpec(
        key,
        group_name="s0_sources",
        description=f"Where {contract.name} comes from. Its data version is a keyed digest of its bytes.",
        tags={"privacy/contract": contract.name},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # the release is pinned, and a test looks at what comes out
        source: dg.AssetsDefinition = dg.multi_observable_source_asset(name="__".join(key.path), specs=[spec])(observed)
    return source
