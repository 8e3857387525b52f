"""A process that has imported everything and opened nothing; each order that it reads is done by a forked child.

Belongs here: what the children do, in words of JSON. Does not belong here: which faults they are given
(`test_faults.py`). An order is one line on stdin: {"do": a function below, "root", "cwd", "env", "hold", ...}. The
answer is one line: the child's pid, or, for {"wait": pid}, how it ended and what it said (the last line of its output);
{"prepare": true} forks nobody.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb_extension_httpfs  # noqa: F401  what a command imports on its way, imported once
import numpy.random  # noqa: F401
import pandas  # noqa: F401
import pyarrow.compute  # noqa: F401
import pydantic  # noqa: F401
import rich.progress
import rich.table  # noqa: F401

import privacy_assets.history
import privacy_assets.running
import privacy_assets.verify  # noqa: F401
from privacy_assets import cli
from privacy_assets.build import CORRIDOR, build_definitions, steps
from privacy_assets.contracts.loading import Project, load
from privacy_assets.drafting import choosing, drafting  # noqa: F401
from privacy_assets.errors import PrivacyAssetsError
from privacy_assets.gate import Gate
from privacy_assets.stages.asset import key_of
from privacy_assets.stages.step import Step, carry_out, measure_again
from privacy_assets.subjects import erasing, searching
from privacy_assets.subjects.people import find
from privacy_assets.techniques.train import _fitting
from privacy_assets.word_lists import texts
from privacy_assets.words import AssetName

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


_LOADED: dict[tuple[object, ...], Project] = {}
_STEPS: dict[int, Mapping[AssetName, Step]] = {}


def _gate(root: Path) -> Gate:
    return Gate.open(root, project=_project(root))


def _project(root: Path) -> Project:
    """The declarations, read once by the parent for as long as they do not change."""
    read = (root, *((path, path.stat().st_mtime_ns) for path in sorted(root.rglob("*.yaml"))))
    if read not in _LOADED:
        _LOADED[read] = load(root)
        _STEPS[id(_LOADED[read])] = steps(_LOADED[read])
    return _LOADED[read]


def _steps(project: Project) -> Mapping[AssetName, Step]:
    return _STEPS[id(project)]


def made(root: Path, assets: list[str], times: int = 1) -> dict[str, Any]:
    """Carry out steps as they are, without Dagster."""
    gate = _gate(root)
    passports = [carry_out(_steps(gate.project)[AssetName.parse(asset)], gate) for asset in assets * times]
    for outcome in passports:
        outcome.raise_faults()
    return {"versions": [one.passport.version for one in passports], "digests": [_digest(one) for one in passports]}


def _digest(outcome: Any) -> str:
    return str(outcome.passport.content_digest)


def materialized(root: Path, assets: list[str]) -> dict[str, Any]:
    """Carry out steps in a run of Dagster."""
    os.environ["DAGSTER_HOME"] = str(root)
    job = build_definitions(root).resolve_job_def(CORRIDOR)
    selected = [key_of(AssetName.parse(asset)) for asset in assets] or None
    with dg.DagsterInstance.get() as instance:
        result = job.execute_in_process(
            instance=instance, asset_selection=selected, run_config=QUIET, raise_on_error=False
        )
        failed = [
            event.step_failure_data.user_failure_data.description
            for event in result.all_events
            if event.is_step_failure and event.step_failure_data.user_failure_data
        ]
        return {"success": result.success, "failed": failed}


def history(root: Path, assets: list[str]) -> dict[str, Any]:
    """Which versions Dagster knows of an asset, newest first, and which one the ledger says stands."""
    os.environ["DAGSTER_HOME"] = str(root)
    asset, gate = AssetName.parse(assets[0]), _gate(root)
    with dg.DagsterInstance.get() as instance:
        records = instance.fetch_materializations(key_of(asset), limit=1000).records
    known = [str(record.asset_materialization.metadata["version"].value) for record in records]
    repaired = sum("repaired" in str(record.asset_materialization.description) for record in records)
    return {
        "known": known,
        "repaired": repaired,
        "stands": gate.latest(asset).version,
        "published": [one.version for one in gate.history(asset)],
    }


def commanded(root: Path, argv: list[str]) -> dict[str, Any]:
    """A command, as people type it; it ends the process."""
    sys.argv = ["privacy-assets", *argv, "--root", str(root)]
    cli.main()
    sys.exit(0)


def examined(root: Path, assets: list[str]) -> dict[str, Any]:
    """How assets stand, measured again from ledger and file; and what lies in the home that nobody names."""
    gate = _gate(root)
    gate.ledger.verify()
    found: dict[str, Any] = {"size": gate.ledger.size}
    for asset in assets:
        name = AssetName.parse(asset)
        examination, passport = gate.examine(name), gate.latest(name)
        faults = [str(fault) for fault in examination.faults]
        if passport is not None:
            faults += [str(fault) for fault in measure_again(_steps(gate.project)[name], gate, passport).faults]
        found[asset] = {
            "version": passport and passport.version,
            "digest": passport and passport.content_digest,
            "rows": passport and passport.rows,
            "standing": examination.standing.value,
            "faults": faults,
        }
    named = {
        (str(asset), one.copy)
        for asset in gate.project.assets()
        for one in gate.history(asset)
        if (asset, one.version) not in gate._destroyed
    }
    expected = {gate.versions.path(*one).with_suffix(suffix) for one in named for suffix in (".duckdb", ".key")}
    present = {path for path in gate.home.versions.rglob("*") if path.is_file()}
    found["missing"] = sorted(path.name for path in expected - present)
    found["orphans"] = sorted(path.name for path in present - expected)
    found["spill"] = len(list(gate.home.spill.iterdir()))
    others = (path for path in gate.home.path.rglob("*") if path.is_file())
    apart = (gate.home.versions, gate.home.declarations, gate.home.spill, gate.home.dagster)
    found["others"] = sorted(
        str(path.relative_to(gate.home.path)) for path in others if not any(map(path.is_relative_to, apart))
    )
    return found


def recovered(root: Path, assets: list[str]) -> dict[str, Any]:
    """How things stand after a fault; then the assets are carried out, and how they stand."""
    found = examined(root, assets)
    made(root, assets)
    return {"fault": found, "next": examined(root, assets)}


def told(root: Path, assets: list[str]) -> dict[str, Any]:
    """What Dagster knows after a fault, and after the next run."""
    found = history(root, assets)
    success = materialized(root, assets)["success"]
    return {"fault": found, "success": success, "next": history(root, assets)}


def filled(root: Path, leave: int) -> dict[str, Any]:
    """Take all space of the home's file system but about `leave` bytes."""
    path = Path(os.environ["PRIVACY_ASSETS_HOME"]) / "ballast"
    with path.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 65536)
    os.truncate(path, max(0, path.stat().st_size - leave))
    return {"ballast": path.stat().st_size}


def freed(root: Path) -> dict[str, Any]:
    """Give it back."""
    (Path(os.environ["PRIVACY_ASSETS_HOME"]) / "ballast").unlink()
    return {}


def mounted(root: Path, options: str) -> dict[str, Any]:
    """Mount the home's file system otherwise; only in a namespace of its own."""
    command = ["mount", "-o", options, os.environ["PRIVACY_ASSETS_HOME"]]
    return {"mount": subprocess.run(command, check=True).returncode}


def erased(root: Path, people: list[str]) -> dict[str, Any]:
    """Erase people, in what has been made."""
    gate = _gate(root)
    done = erasing.erase(gate, _steps(gate.project), find(gate, people), "asked by letter")
    return {"complete": done.complete}


def resumed(root: Path, people: list[str]) -> dict[str, Any]:
    """Finish what was begun; whether these people are gone, and where something of them is all the same."""
    gate = _gate(root)
    gate.ledger.verify()
    done = erasing.resume(gate, _steps(gate.project))
    try:
        find(gate, people)
        gone = False
    except PrivacyAssetsError:
        gone = True
    found = searching.search(gate, people) if gone else []
    return {"resumed": len(done), "gone": gone, "unclean": [one.store for one in found if not one.clean]}


_ALL = (made, materialized, history, commanded, examined, recovered, told, filled, freed, mounted, erased, resumed)
DOES = {one.__name__: one for one in _ALL}


def _prepare() -> None:
    """Import what models and drafts import on their way: it takes seconds, which few tests need."""
    import sklearn.compose
    import sklearn.linear_model  # noqa: F401

    _fitting.skops_io()
    for provider in ("person", "address"):
        list(texts(provider, re.compile("no list")))


def _child(order: dict[str, Any]) -> None:
    descriptor = os.open(order["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    if order.get("hold"):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(0x59616D61, -1, 0, 0, 0)  # PR_SET_PTRACER: anyone of ours may trace it
        Path(order["hold"]).read_bytes()
    code = 0
    try:
        said = DOES[order["do"]](Path(order["root"]), **order["with"])
    except PrivacyAssetsError as error:
        faults = [{"kind": type(error).__name__, "text": str(fault), "next": fault.next_step} for fault in error.faults]
        said = {"faults": faults}
    except SystemExit as error:
        said, code = {}, error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        said = {"foreign": traceback.format_exc()}
    print("\n" + json.dumps(said), flush=True)
    os._exit(code)


def main() -> None:
    """Read orders until there are no more."""
    print(json.dumps({"threads": len(list(Path("/proc/self/task").iterdir()))}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if "prepare" in order:
            _prepare()
            print(json.dumps({}), flush=True)
            continue
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            print(json.dumps({"status": os.waitstatus_to_exitcode(status)}), flush=True)
            continue
        with contextlib.suppress(PrivacyAssetsError):  # what is wrong is for the child to find, and to say
            _project(Path(order["root"]))
        pid = os.fork()
        if not pid:
            _child(order)
        print(json.dumps({"pid": pid}), flush=True)


if __name__ == "__main__":
    main()
