"""A checkout of the project in a folder of its own, with home, key and witness, used as people use it: by commands.

Belongs here: what the end-to-end tests share. The corridor of the sample is carried out once, by what the README tells
people to type; tests read it, or work on a copy.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Checkout:
    """A project and what lies outside it, in one folder. `example` are the README's commands that filled it."""

    folder: Path

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def env(self) -> dict[str, str]:
        """The environment of its commands: nothing of the person who runs the tests but the interpreter."""
        bare = {name: value for name, value in os.environ.items() if not name.startswith(("PRIVACY_ASSETS", "DAGSTER"))}
        return bare | {
            "HOME": str(self.folder / "user"),
            "XDG_CONFIG_HOME": str(self.folder / "user" / ".config"),
            "TMPDIR": str(self.folder / "tmp"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PRIVACY_ASSETS_HOME": str(self.home),
            "PRIVACY_ASSETS_KEY_FILE": str(self.folder / "key" / "master.key"),
            "PRIVACY_ASSETS_WITNESS": str(self.folder / "witness"),
            "PRIVACY_ASSETS_PROJECT": "clinic",
            "DAGSTER_HOME": str(self.project),
        }

    def run(self, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
        """One command in the project's folder."""
        return subprocess.run(
            command, cwd=self.project, env=self.env | env, capture_output=True, text=True, timeout=500
        )

    def shell(self, script: str, *without: str) -> subprocess.CompletedProcess[str]:
        """A script as CI runs it, stopping at the first command that fails; `without` are variables left out."""
        env = {name: value for name, value in self.env.items() if name not in without}
        command = ["bash", "-euo", "pipefail", "-c", script]
        return subprocess.run(command, cwd=self.project, env=env, capture_output=True, text=True, timeout=500)

    def materialize(self, *assets: str, module: str = "definitions") -> subprocess.CompletedProcess[str]:
        """`dagster asset materialize` of these assets and no others."""
        selection = " or ".join(f'key:"{asset}"' for asset in assets)
        return self.run("dagster", "asset", "materialize", "-m", module, "--select", selection)

    def edit(self, file: str, before: str, after: str) -> None:
        """Change a file of the project; the text to change must be there."""
        path = self.project / file
        text = path.read_text(encoding="utf-8")
        assert before in text, f"{file} has no {before!r}"
        path.write_text(text.replace(before, after), encoding="utf-8")

    def copy(self, folder: Path) -> Checkout:
        """The same state elsewhere."""
        shutil.copytree(self.folder, folder)
        return Checkout(folder)

    @classmethod
    def make(cls, folder: Path, data: Path) -> Checkout:
        """A checkout whose `data` are those of another folder."""
        made = cls(folder)
        for name in ("tmp", "user"):
            (folder / name).mkdir(parents=True)
        made.project.mkdir()
        for name in ("definitions.py", "dagster.yaml", "workspace.yaml"):
            shutil.copy(ROOT / name, made.project / name)
        for name in ("contracts", "purposes"):
            shutil.copytree(data / name, made.project / "data" / name)
        return made


@dataclass(frozen=True)
class Corridor:
    """The corridor of the sample after it was carried out: where, and what its commands said."""

    checkout: Checkout
    said: subprocess.CompletedProcess[str]


def readme_block(name: str) -> str:
    """The code of one marked block of the README, as it stands there."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- {name}: [^>]*-->\n```\w+\n(.*?)```\n<!-- /{name} -->", text, re.DOTALL)
    assert found, f"README.md has no block {name}"
    return found[1]


def make_clinic(folder: Path) -> Checkout:
    """A checkout of the sample as it is in the repository: nothing invented yet, nothing materialized."""
    made = Checkout.make(folder, ROOT / "data")
    (made.project / "data" / "samples").mkdir()
    shutil.copy(ROOT / "data" / "samples" / "clinic.py", made.project / "data" / "samples")
    return made


@pytest.fixture(scope="session")
def readme() -> dict[str, str]:
    """The README's marked blocks that people run."""
    return {name: readme_block(name) for name in ("ci-throwaway", "ci-persistent", "example")}


@pytest.fixture
def clinic(tmp_path: Path) -> Checkout:
    """A checkout in which nothing was run yet."""
    return make_clinic(tmp_path / "clinic")


@pytest.fixture(scope="session")
def corridor(tmp_path_factory: pytest.TempPathFactory, readme: dict[str, str]) -> Corridor:
    """The sample's corridor for 5,000 patients, by the README's block for a home that stays. To be read only."""
    made = make_clinic(tmp_path_factory.mktemp("end_to_end") / "clinic")
    invented = made.run("python", "data/samples/clinic.py", "--patients", "5000")
    assert invented.returncode == 0, invented.stderr
    return Corridor(made, made.shell(readme["ci-persistent"].replace("/mnt", str(made.folder))))


@pytest.fixture
def checkout(corridor: Corridor, tmp_path: Path) -> Checkout:
    """A copy of the corridor that was carried out, to do with as one likes."""
    return corridor.checkout.copy(tmp_path / "clinic")


@pytest.fixture(scope="session")
def make_checkout() -> type[Checkout]:
    """`Checkout`, for tests that make one of other declarations."""
    return Checkout
