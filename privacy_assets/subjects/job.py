"""What a schedule runs: rows whose time is over, out of raw and of everything that was made from it.

Belongs here: the job as Dagster sees it. Does not belong here: the erasure (`erasing.py`).
"""

# No `from __future__ import annotations` here: Dagster reads the type of `context` from the function itself.
from collections.abc import Callable, Mapping

import dagster as dg

from privacy_assets.errors import Fault
from privacy_assets.gate import Gate
from privacy_assets.stages.asset import guarded, tell_published
from privacy_assets.stages.step import Outcome, Step
from privacy_assets.subjects.erasing import Erased, erase_lapsed, resume
from privacy_assets.words import AssetName


def expiry_job(name: str, made: Mapping[AssetName, Step], open_gate: Callable[[], Gate]) -> dg.JobDefinition:
    """A job of one step: erasures that were interrupted are finished, and what has lapsed is erased."""
    about = "Erases rows of those who withdrew, objected or passed retention, through to the models."

    @dg.op(name="erase_what_lapsed", description=about, out=dg.Out(dg.Nothing))
    def erases(context: dg.OpExecutionContext) -> None:
        def work() -> list[Erased]:
            gate = open_gate()

            def told(step: Step, outcome: Outcome) -> None:
                tell_published(context.instance, gate, step, outcome)

            done = resume(gate, made, told)
            found = erase_lapsed(gate, made, told)
            return [*done, *([found] if found else [])]

        failed: list[Fault] = []
        for one in guarded(work):
            context.log.info(f"erasure {one.erasure.id}: {len(one.receipts)} versions destroyed")
            failed += [fault for faults in one.failed.values() for fault in faults]
            failed += [store.fault() for store in one.searched if not store.clean]
        if failed:
            raise dg.Failure("\n".join(map(str, dict.fromkeys(failed))), allow_retries=False)

    return dg.GraphDefinition(name=name, description=about, node_defs=[erases]).to_job(
        executor_def=dg.in_process_executor
    )
