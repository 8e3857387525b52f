"""Everything in one go, from raw to the models: what `privacy-assets run` does.

    datasets that come as a whole ─► each day that is due, of those that come by day ─► all that is made from them

Statistics, and what else is paid from a budget, are left as they are while they can be read: each release costs the
people in it (`ledger/budget.py`), so a new one is asked for by name.

Belongs here: the order of Dagster's runs. Does not belong here: which days are due (`stages/days.py`), what a person is
told of it (`cli.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg

from privacy_assets.build import CORRIDOR, DELIVERIES, build_definitions, steps
from privacy_assets.contracts.loading import Project, load
from privacy_assets.gate import PASSING, Gate
from privacy_assets.stages.asset import key_of
from privacy_assets.stages.days import due
from privacy_assets.words import AssetName, Stage

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_all(
    root: Path,
    instance: dg.DagsterInstance,
    starts: Callable[[str, int], None],
    done: Callable[[], None],
) -> Iterator[dg.ExecuteInProcessResult]:
    """One result for each run of Dagster. `starts` is told what begins, and how many steps it has; `done` of each."""
    project = load(root)
    definitions, made = build_definitions(root), steps(project)
    by_day = {name: contract for name, contract in project.contracts.items() if contract.deliveries}
    stand = _paid_that_stand(root, project)
    whole = [asset for asset in made if asset.dataset not in by_day and asset not in stand]

    @dg.success_hook
    def tick(context: dg.HookContext) -> None:
        done()

    def carried_out(job: str, assets: list[AssetName], day: str = "") -> dg.ExecuteInProcessResult:
        starts(f"materializing {day}".strip(), len(assets))
        return (
            definitions.resolve_job_def(job)
            .with_hooks({tick})
            .execute_in_process(
                instance=instance,
                asset_selection=[key_of(asset) for asset in assets],
                partition_key=day or None,
                raise_on_error=False,
                run_config=QUIET,
            )
        )

    if not by_day:
        yield carried_out(CORRIDOR, whole)
        return
    first = [asset for asset in whole if asset.stage is Stage.RAW]
    if first:
        yield carried_out(CORRIDOR, first)
    for name, contract in by_day.items():
        gate = Gate.open(root, project=project)
        for one in due(made, gate, contract):
            yield carried_out(f"{DELIVERIES}_{name}", [step.asset for step in one.steps], one.day)
    yield carried_out(CORRIDOR, [asset for asset in whole if asset.stage is not Stage.RAW])


def _paid_that_stand(root: Path, project: Project) -> frozenset[AssetName]:
    asked = [asset for purpose in project.purposes for asset in project.paid(purpose)]
    gate = Gate.open(root, project=project) if asked else None
    return frozenset(asset for asset in asked if gate and gate.examine(asset).standing in PASSING)
