"""Erasing people, beside making everything again once: the work is shared, so that many cost as much as one."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from bench import people
from bench.corridor import SMALLEST
from bench.measuring import Row, Run, Table, alone

ERASED = (1, 10, 1_000)
GOAL = 1.2

SPARED = "10 who withdrew"
"""Nobody of them is in what comes after raw: that is left as it is, once it is seen that it comes out alike."""

GOAL_OF_SPARED = 0.5


def rows(run: Run) -> list[Table]:
    """The one table of this theme."""
    size = max(2 * SMALLEST, run.rows // 10)
    found = alone("bench.erasure:erased", folder=str(run.folder), rows=size)
    table = Table("Erasing people", head=("what", "ours", "made again once", "ratio", "goal", "reached"))
    for whom, one in found["erased"].items():
        again, goal = one["again"], GOAL_OF_SPARED if whom == SPARED else GOAL
        ratio, until = one["wall"] / again, one["made"] / again
        what = f"{whom}, of {found['people']:,}, {size:,} rows"
        told = (f"{one['wall']:.2f} s", f"{again:.2f} s", f"{ratio:.2f}")
        table.rows.append(Row(what, *told, f"≤ {goal}", ratio <= goal))
        table.rows.append(Row("of it until all is made again", f"{one['made']:.2f} s", "", f"{until:.2f}"))
    table.notes.append(
        "One after the other in one home: each time raw to the model is carried out once more, then other people are "
        "erased, from the identifier to the end of the search of every store."
    )
    return [table]


def erased(folder: str, rows: int) -> dict[str, Any]:
    """How long each erasure takes, and everything once more before it."""
    import duckdb

    from privacy_assets.build import steps
    from privacy_assets.gate import Gate
    from privacy_assets.stages.step import carry_out
    from privacy_assets.subjects import erasing
    from privacy_assets.subjects.people import find

    root = people.project(Path(folder), rows)
    env = people.environment(Path(folder), rows)
    env |= {name: f"{path}-erasure" for name, path in env.items() if name != "PRIVACY_ASSETS_PROJECT"}
    gate = Gate.open(root, env)
    made = steps(gate.project)

    def again() -> float:
        began = time.perf_counter()
        for step in made.values():
            carry_out(step, gate).raise_faults()
        return time.perf_counter() - began

    again()
    samples = Path(root) / "data" / "samples"
    decided = duckdb.execute(
        f"""SELECT DISTINCT decision, email
            FROM '{samples / "consents.parquet"}' SEMI JOIN '{samples / "stays.parquet"}' USING (email) ORDER BY ALL"""
    ).fetchall()
    people_of = {kind: [email for decision, email in decided if decision == kind] for kind in ("granted", "withdrawn")}
    found: dict[str, Any] = {"people": len(decided), "erased": {}}
    cases = [(f"{count:,}", count, "granted") for count in ERASED] + [(SPARED, 10, "withdrawn")]
    for whom, count, decision in cases:
        if count > len(decided) // 20:
            continue
        asked, people_of[decision] = people_of[decision][:count], people_of[decision][count:]
        once = again()
        began, last = time.perf_counter(), 0.0

        def done(step: Any, outcome: Any) -> None:
            nonlocal last
            last = time.perf_counter()

        result = erasing.erase(gate, made, find(gate, asked), "benchmark", done)
        unclean = [(one.store, one.hits, one.control) for one in result.searched if not one.clean]
        assert result.complete, (result.failed, unclean)
        found["erased"][whom] = {"wall": time.perf_counter() - began, "made": last - began, "again": once}
    return found
