"""The corridor: one stage against its floor, the whole chain against its floor, overhead, memory, the curve."""

from __future__ import annotations

import functools
import importlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import floors, people
from bench.measuring import Clock, Run, Table, alone, compared, in_turn, memory

if TYPE_CHECKING:
    from privacy_assets.gate import Gate

SMALLEST = 13_000
"""Fewer stays than this, and tokens are refused: under 10,000 different identifiers would be left."""

STAGES = ("raw/stays", "minimized", "pseudonymized", "features", "training", "model")


def rows(run: Run) -> list[Table]:
    """All tables of the corridor."""
    _run("bench.corridor:built", run, run.rows, upto="raw")
    return [_one_stage(run), _chain(run), _overhead(run), _curve(run)]


def _run(function: str, run: Run, rows_: int, **more: Any) -> dict[str, Any]:
    return alone(function, folder=str(run.folder), rows=rows_, **more)


def _one_stage(run: Run) -> Table:
    where = {"folder": str(run.folder), "rows": run.rows}
    ours, floor = in_turn(
        run.times,
        ("bench.corridor:stage", {**where, "stage_": "minimized"}),
        ("bench.corridor:minimized_by_hand", where),
    )
    what = f"raw → minimized, {run.rows:,} rows × 12 columns"
    table = Table("One stage")
    table.rows += [
        compared(what, ours["wall"], floor["wall"], at_most=1.25),
        compared("the same, CPU seconds", ours["cpu"], floor["cpu"]),
        memory("the same, peak of memory", ours["peak"], 0.8, floor["peak"]),
    ]
    parts = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in ours["parts"].items())
    table.notes.append(f"Ours is the whole step, with every promise measured: {parts}.")
    return table


def _chain(run: Run) -> Table:
    size = max(SMALLEST, run.rows // 10)
    where = {"folder": str(run.folder), "rows": size}
    people.project(run.folder, size)
    ours, floor = in_turn(run.times, ("bench.corridor:chain", where), ("bench.corridor:chain_by_hand", where))
    table = Table("The chain")
    table.rows.append(
        compared(f"source → … → model, {size:,} rows, by Dagster", ours["wall"], floor["wall"], at_most=2.5)
    )
    for stage_ in STAGES:
        table.rows.append(compared(f"of it {stage_}", ours["stages"][stage_], floor["stages"][stage_]))
    table.rows.append(compared("the same, CPU seconds", ours["cpu"], floor["cpu"]))
    table.rows.append(memory("the same, peak of memory", ours["peak"], None, floor["peak"]))
    table.notes.append(
        "The floor believes its source (no quarantine), trains with as many threads as it likes and measures each "
        "metric once; ours trains on one thread, so that the same rows give the same model, and draws 1,000 resamples "
        "for its intervals. Libraries are imported before either clock starts."
    )
    return table


def _overhead(run: Run) -> Table:
    found = in_turn(run.times, ("bench.corridor:chain", {"folder": str(run.folder), "rows": SMALLEST}))[0]
    table = Table("Overhead", head=("stage", "the step", "of it the query", "all the rest", "goal", "reached"))
    for stage_, wall in found["stages"].items():
        query = found["queries"][stage_]
        rest = wall - query
        reached = "yes" if rest < 0.5 else "no"
        table.rows.append((stage_, f"{wall:.2f} s", f"{query:.2f} s", f"{rest:.2f} s", "< 0.5 s", reached))
    steps_ = len(found["stages"])
    rest = (found["wall"] - sum(found["queries"].values())) / steps_
    mean = (f"mean of {steps_}, with the run around them", f"{found['wall'] / steps_:.2f} s", "", f"{rest:.2f} s")
    table.rows.append((*mean, "< 0.5 s", "yes" if rest < 0.5 else "no"))
    table.notes.append(f"{SMALLEST:,} rows, of which 10 thousand pass minimization; one Dagster run with all checks.")
    return table


def _curve(run: Run) -> Table:
    sizes = [SMALLEST]
    while sizes[-1] < run.rows:
        sizes.append(min(run.rows, 100_000 if sizes[-1] == SMALLEST else sizes[-1] * 10))
    found = {size: _run("bench.corridor:built", run, size, upto="training") for size in sizes[:-1]}
    found[sizes[-1]] = {"stages": {}}
    for name in STAGES[:-1]:
        one = alone("bench.corridor:stage", folder=str(run.folder), rows=sizes[-1], stage_=name)
        found[sizes[-1]]["stages"][name] = one
    table = Table("How cost grows", head=("stage", *(f"{size:,} rows" for size in sizes), "peak at the largest"))
    for name in STAGES[:-1]:
        largest = found[sizes[-1]]["stages"][name]
        seconds = [f"{found[size]['stages'][name]['wall']:.2f} s" for size in sizes]
        table.rows.append((name, *seconds, f"{largest['peak']:,.0f} MiB"))
    peak = max(found[sizes[-1]]["stages"][name]["peak"] for name in STAGES[1:-1])
    table.notes.append("Each stage once; at the largest size each in a process of its own. No model: see the chain.")
    row = memory(f"raw → training, {run.rows:,} rows, peak of memory", peak, 4)
    table.notes.append(f"{row.what}: {row.ours}, goal {row.goal}, reached: {'yes' if row.reached else 'no'}.")
    return table


# ---- what runs in a process of its own


def _gate(folder: str, rows: int, home: str = "") -> Gate:
    from privacy_assets.gate import Gate

    where = Path(folder)
    env = people.environment(where, rows)
    if home:
        env |= {name: path + home for name, path in env.items() if name != "PRIVACY_ASSETS_PROJECT"}
    return Gate.open(people.project(where, rows), env)


def _named(asset: Any) -> str:
    return str(asset) if str(asset).startswith("raw/") else asset.stage.value


def built(folder: str, rows: int, upto: str) -> dict[str, Any]:
    """The home with everything up to a stage published, without Dagster; how long each took."""
    from privacy_assets.build import steps
    from privacy_assets.stages.step import carry_out

    _imported()
    gate = _gate(folder, rows)
    stages = {}
    for asset, step in steps(gate.project).items():
        if STAGES.index(_stage_of(asset)) > STAGES.index(_upto(upto)):
            break
        with Clock() as clock:
            carry_out(step, gate).raise_faults()
        stages[_named(asset)] = clock.taken()
    return {"stages": stages}


def _stage_of(asset: Any) -> str:
    return "raw/stays" if asset.stage.value == "raw" else asset.stage.value


def _upto(stage_: str) -> str:
    return "raw/stays" if stage_ == "raw" else stage_


def stage(folder: str, rows: int, stage_: str) -> dict[str, Any]:
    """One step over what is published, without Dagster: its seconds, and where they went."""
    from privacy_assets.build import steps
    from privacy_assets.stages.step import carry_out

    _imported_by_the_engine()
    gate = _gate(folder, rows)
    step = next(step for asset, step in steps(gate.project).items() if _named(asset) == stage_)
    with _parts() as parts, Clock() as clock:
        carry_out(step, gate).raise_faults()
    return {**clock.taken(), "parts": {name: part.wall for name, part in parts.items()}}


def _parts() -> Any:
    """Clocks around the moves of a step, by the names that people know."""
    import contextlib

    from privacy_assets.gate import Gate
    from privacy_assets.stages import step as step_module

    named = {
        "asking the gate": (Gate, "require"),
        "the query": (step_module.Work, "create"),
        "measuring promises": (step_module, "measure"),
        "content digest": (Gate, "content_digest"),
        "file digests": (step_module, "file_digest"),
        "publishing": (Gate, "publish"),
        "destroying what is superseded": (Gate, "destroy_superseded"),
    }

    @contextlib.contextmanager
    def clocked() -> Any:
        clocks = {name: Clock() for name in named}
        before = {name: getattr(*place) for name, place in named.items()}
        for name, (owner, attribute) in named.items():
            setattr(owner, attribute, _timed(before[name], clocks[name]))
        try:
            yield clocks
        finally:
            for name, (owner, attribute) in named.items():
                setattr(owner, attribute, before[name])

    return clocked()


def _timed(function: Any, clock: Clock) -> Any:
    @functools.wraps(function)
    def timed(*arguments: Any, **named: Any) -> Any:
        with clock:
            return function(*arguments, **named)

    return timed


def minimized_by_hand(folder: str, rows: int) -> dict[str, Any]:
    """The floor of one stage, from the same encrypted versions."""
    from privacy_assets.words import AssetName, Stage

    _imported_by_the_engine()
    gate = _gate(folder, rows)
    stays, consents = (
        gate.attachment(gate.latest(AssetName(Stage.RAW, dataset=name)))  # type: ignore[arg-type]
        for name in ("stays", "consents")
    )
    to = Path(folder) / "minimized_by_hand.duckdb"
    with Clock() as clock:
        floors.minimized((stays.path, stays.key), (consents.path, consents.key), to)
    to.unlink()
    return clock.taken()


def chain(folder: str, rows: int) -> dict[str, Any]:
    """All steps by Dagster, with every check, in a home of their own: seconds of each, and of its query."""
    from dataclasses import replace

    import dagster as dg

    from privacy_assets.build import steps
    from privacy_assets.stages.asset import asset_of, key_of

    _imported()
    gate = _gate(folder, rows, home="_chain")
    queries: dict[str, Clock] = {}
    assets = []
    for asset, step in steps(gate.project).items():
        clock = queries[_named(asset)] = Clock()
        assets.append(asset_of(gate.project, replace(step, write=_timed(step.write, clock)), lambda: gate))
    job = dg.Definitions(
        assets=assets,
        jobs=[dg.define_asset_job("all", [key_of(asset) for asset in steps(gate.project)])],
        executor=dg.in_process_executor,
    ).resolve_job_def("all")
    history = Path(folder) / "history"
    history.mkdir()
    (history / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    try:
        with dg.DagsterInstance.from_config(str(history)) as instance, Clock() as clock:
            result = job.execute_in_process(
                instance=instance, run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
            )
            names = {"__".join(asset.path): _named(asset) for asset in steps(gate.project)}
            statistics = instance.get_run_step_stats(result.run_id)
        stages = {names[one.step_key]: one.end_time - one.start_time for one in statistics}  # type: ignore[operator]
    finally:
        shutil.rmtree(history)
        shutil.rmtree(gate.home.path)
        shutil.rmtree(gate.home.witness_folder)
        gate.home.key_file.unlink()
    return {**clock.taken(), "stages": stages, "queries": {name: query.wall for name, query in queries.items()}}


def _imported() -> None:
    """What both sides of the chain need is imported before a clock starts."""
    _imported_by_the_engine()
    for name in ("sklearn.ensemble", "sklearn.pipeline", "sklearn.metrics", "skops.io", "polars_hash", "pyarrow"):
        importlib.import_module(name)


def _imported_by_the_engine() -> None:
    """At the first bound value of a process; a floor without one would not pay for it."""
    importlib.import_module("pandas")


def chain_by_hand(folder: str, rows: int) -> dict[str, Any]:
    """All stages by hand, each into an encrypted file."""
    _imported()
    made = Path(folder) / "by_hand"
    made.mkdir()
    samples = people.project(Path(folder), rows) / "data" / "samples"
    at = {name: made / f"{name}.duckdb" for name in ("stays", "consents", *STAGES[1:])}
    held = {name: (path, floors.KEY) for name, path in at.items()}
    moves = {
        "raw/consents": lambda: floors.raw(samples / "consents.parquet", at["consents"]),
        "raw/stays": lambda: floors.raw(samples / "stays.parquet", at["stays"]),
        "minimized": lambda: floors.minimized(held["stays"], held["consents"], at["minimized"]),
        "pseudonymized": lambda: floors.pseudonymized(held["minimized"], at["pseudonymized"]),
        "features": lambda: floors.features(held["pseudonymized"], at["features"]),
        "training": lambda: floors.training(held["features"], at["training"]),
        "model": lambda: floors.model(held["training"], at["model"]),
    }
    stages = {}
    whole = Clock()
    try:
        with whole:
            for name, move in moves.items():
                with Clock() as clock:
                    move()
                stages[name] = clock.wall
    finally:
        shutil.rmtree(made)
    return {**whole.taken(), "stages": stages}
