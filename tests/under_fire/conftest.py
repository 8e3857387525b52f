"""A process of its own for whatever is to be killed, and the tools that give it faults.

Belongs here: what several tests under fire share. Does not belong here: what they try.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

WORKER = Path(__file__).with_name("worker.py")
ROOT = Path(__file__).parents[2]

WRITING = (
    "open openat write pwrite64 fsync fdatasync ftruncate truncate rename renameat renameat2 link linkat unlink "
    "unlinkat mkdir mkdirat rmdir chmod fchmod fchmodat flock"
)
"""The calls between which a file system's state changes."""
READING = "read pread64 newfstatat getdents64"


class Parent:
    """A process that has imported everything, and forks a child for each order; `prefix` starts it elsewhere."""

    def __init__(self, prefix: Sequence[str] = ()) -> None:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PRIVACY_ASSETS", "DAGSTER"))}
        env |= {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
        self.process = subprocess.Popen(
            [*prefix, sys.executable, str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
        )
        self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@dataclass
class Workshop:
    """A project in a folder of its own, and the process that forks a child for each order about it."""

    folder: Path
    parent: Parent
    count: int = 0

    def __post_init__(self) -> None:
        (self.folder / "said").mkdir()

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def start(self, do: str, *, hold: bool = False, **given: Any) -> Child:
        """A child that does this; one that is held waits for `release`."""
        self.count += 1
        said = self.folder / "said" / str(self.count)
        fifo = said.with_suffix(".hold")
        if hold:
            os.mkfifo(fifo)
        env = {
            "PRIVACY_ASSETS_HOME": str(self.home),
            "PRIVACY_ASSETS_KEY_FILE": str(self.folder / "guards" / "master.key"),
            "PRIVACY_ASSETS_WITNESS": str(self.folder / "guards" / "witness"),
            "PRIVACY_ASSETS_PROJECT": "clinic",
        }
        places = {"root": str(self.project), "cwd": str(self.folder), "said": str(said)}
        order = {"do": do, "with": given, "env": env, **places}
        pid = self.parent.ask(order | {"hold": str(fifo) if hold else ""})["pid"]
        return Child(self, pid, said, fifo)

    def do(self, do: str, **given: Any) -> dict[str, Any]:
        """What a child says that nobody disturbs."""
        return self.start(do, **given).end()

    def under(self, inject: str, do: str, **given: Any) -> tuple[dict[str, Any], str]:
        """What a child says to which strace does this from its first move on ("" : nothing), and what strace wrote."""
        child = self.start(do, hold=True, **given)
        log = child.said.with_suffix(".strace")
        traced = ",".join(f"{WRITING} {READING}".split())
        command = ["strace", "-f", "-y", "-o", str(log), "-e", f"trace={traced}", "-p", str(child.pid)]
        if inject:
            command += ["-e", f"inject={inject}"]
        strace = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert strace.stderr is not None
        assert "attached" in strace.stderr.readline()
        child.release()
        said = child.end()
        strace.wait()
        strace.stderr.close()
        return said, log.read_text(errors="replace")


@dataclass
class Child:
    """A process that was started, and may be held."""

    shop: Workshop
    pid: int
    said: Path
    fifo: Path

    def release(self) -> None:
        self.fifo.write_bytes(b"go")

    def end(self) -> dict[str, Any]:
        """How it ended (`status`: its exit code, or the signal as a negative number), and what it said."""
        status = self.shop.parent.ask({"wait": self.pid})["status"]
        text = self.said.read_text(errors="replace") if self.said.exists() else ""
        *before, last = text.rstrip("\n").split("\n")
        said = json.loads(last) if last.startswith("{") else {}
        return {"status": status, "text": "\n".join(before if said or last == "{}" else [*before, last]), **said}


@pytest.fixture(scope="session")
def parent() -> Iterator[Parent]:
    """The process for all projects that need none of their own."""
    shared = Parent()
    yield shared
    shared.close()


@pytest.fixture
def write_project(pytestconfig: pytest.Config) -> Callable[[Path], None]:
    """Puts the tiny project, with the settings of Dagster, into a folder."""
    plugin = pytestconfig.pluginmanager.get_plugin(str(ROOT / "tests" / "conftest.py"))

    def written(project: Path) -> None:
        plugin.write_tiny_project(project)  # type: ignore[union-attr]
        shutil.copy(ROOT / "dagster.yaml", project)

    return written
