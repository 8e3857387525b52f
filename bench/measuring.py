"""How things are measured: in a process of their own, several times in turn, by the clock, the CPU and the memory.

Belongs here: rows of the table, medians, child processes. Does not belong here: what is measured.

A measurement is a function that takes plain values and returns plain values, named `bench.theme:function`. It is run in
a new process, so that its peak of memory is its own; what it imports before `Clock` is entered is not timed.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Row:
    """One line of the table; `goal` is an upper bound for "at most", a lower one for "at least"."""

    what: str
    ours: str
    floor: str = ""
    ratio: str = ""
    goal: str = ""
    reached: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """As text, in the order of the table's head."""
        reached = "" if self.reached is None else "yes" if self.reached else "no"
        return self.what, self.ours, self.floor, self.ratio, self.goal, reached


HEAD = ("what", "ours", "floor", "ratio", "goal", "reached")


@dataclass
class Table:
    """Rows under a title, with what must be known to read them. A head of its own is for what is no comparison;
    `pictures` lie beside the page, by their names there."""

    title: str
    rows: list[Row | tuple[str, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    head: tuple[str, ...] = HEAD
    pictures: dict[str, bytes] = field(default_factory=dict)

    def texts(self) -> Iterator[tuple[str, ...]]:
        """Each row as text."""
        for row in self.rows:
            yield row.cells() if isinstance(row, Row) else row


@dataclass(frozen=True)
class Run:
    """How large, how often, and where: `rows` of the largest table, `times` each measurement, a folder to fill."""

    rows: int
    times: int
    folder: Path


def compared(
    what: str, ours: float, floor: float, *, at_most: float | None = None, at_least: float | None = None
) -> Row:
    """Seconds of ours beside seconds of the floor. "At least" is how many times faster than the other side ours is."""
    if at_least is not None:
        ratio = floor / ours
        return Row(what, f"{ours:.2f} s", f"{floor:.2f} s", f"{ratio:.2f}", f"≥ {at_least:g}", ratio >= at_least)
    ratio = ours / floor
    if at_most is None:
        return Row(what, f"{ours:.2f} s", f"{floor:.2f} s", f"{ratio:.2f}")
    return Row(what, f"{ours:.2f} s", f"{floor:.2f} s", f"{ratio:.2f}", f"≤ {at_most:g}", ratio <= at_most)


def memory(what: str, mib: float, at_most_gib: float | None = None, floor_mib: float | None = None) -> Row:
    """A peak of memory (resident set) in MiB beside its bound in GiB."""
    floor = f"{floor_mib:,.0f} MiB" if floor_mib else ""
    ratio = f"{mib / floor_mib:.2f}" if floor_mib else ""
    if at_most_gib is None:
        return Row(what, f"{mib:,.0f} MiB", floor, ratio)
    return Row(what, f"{mib:,.0f} MiB", floor, ratio, f"≤ {at_most_gib:g} GiB", mib <= at_most_gib * 1024)


class Clock:
    """Seconds by the clock and by the CPU (of this process, all its threads), while it is entered."""

    wall = cpu = 0.0

    def __enter__(self) -> Clock:
        self._from = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter() - self._from[0]
        self.cpu += time.process_time() - self._from[1]

    def taken(self) -> dict[str, float]:
        """As a measurement returns it."""
        return {"wall": self.wall, "cpu": self.cpu}


def _peak() -> float:
    """The most memory (MiB, resident) that this process has held; Linux counts the parent's into `ru_maxrss`."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    except (OSError, IndexError):
        unit = 2**20 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def alone(function: str, **arguments: Any) -> dict[str, Any]:
    """What the function returns, measured in a new process, and `peak`: the most memory (MiB) that process held."""
    command = [sys.executable, "-m", "bench.measuring", function, json.dumps(arguments)]
    env = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{function} failed\n{done.stdout}\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def in_turn(times: int, *measurements: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Each measurement, `times` times in turn, so that what else the machine does meets all; the median of each number.

    The peak of memory is the highest one.
    """
    found: list[list[dict[str, Any]]] = [[] for _ in measurements]
    for _ in range(times):
        for place, (function, arguments) in enumerate(measurements):
            found[place].append(alone(function, **arguments))
    return [_median(results) for results in found]


def _median(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    medians: dict[str, Any] = {}
    for name, value in results[0].items():
        if isinstance(value, (int, float)):
            choose = max if name == "peak" else statistics.median
            medians[name] = choose(result[name] for result in results)
        elif isinstance(value, dict):
            medians[name] = _median([result[name] for result in results])
        else:
            medians[name] = value
    return medians


PEERS = "PRIVACY_ASSETS_PEERS"


def python_with(module: str) -> str | None:
    """The first Python of those that PRIVACY_ASSETS_PEERS names (separated as in PATH) which has the module."""
    look = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    for python in filter(None, os.environ.get(PEERS, "").split(os.pathsep)):
        if not subprocess.run([python, "-c", look], check=False).returncode:
            return python
    return None


def peer(python: str, function: str, asked: Path) -> dict[str, Any]:
    """What a function of `bench/peers.py` finds in the file, in a process of that Python."""
    command = [python, str(Path(__file__).with_name("peers.py")), function, str(asked)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextlib.contextmanager
def scratch(run: Run, name: str) -> Iterator[Path]:
    """A folder that is gone afterwards."""
    folder = run.folder / name
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Run one measurement, and print what it found as the last line."""
    module, _, name = sys.argv[1].partition(":")
    result = getattr(importlib.import_module(module), name)(**json.loads(sys.argv[2]))
    result["peak"] = _peak()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
