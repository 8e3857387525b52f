"""A home in a temporary folder, with its key file and its witness beside it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from privacy_assets.warehouse.connections import governed
from privacy_assets.warehouse.home import Home
from privacy_assets.warehouse.keys import KeyFile
from privacy_assets.warehouse.versions import Candidate, Versions


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """What the environment says of the places outside the project."""
    return {
        "PRIVACY_ASSETS_KEY_FILE": str(tmp_path / "outside" / "master.key"),
        "PRIVACY_ASSETS_WITNESS": str(tmp_path / "outside" / "witness"),
    }


@pytest.fixture
def home(tmp_path: Path, env: dict[str, str]) -> Home:
    """A new home of a new project."""
    (tmp_path / "project").mkdir()
    return Home.open(tmp_path / "project", env)


@pytest.fixture
def provider(home: Home) -> KeyFile:
    """The key file of the home."""
    return KeyFile.open(home)


@pytest.fixture
def versions(home: Home, provider: KeyFile) -> Versions:
    """The versions of the home."""
    return Versions(home, provider)


@pytest.fixture
def publish(home: Home, versions: Versions) -> Callable[..., Candidate]:
    """Writes a version with the table `data` made from this SQL, and keeps it."""

    def write(asset: str, sql: str) -> Candidate:
        with versions.candidate(asset) as candidate:
            with governed(home.spill, inputs={}, candidate=candidate) as con:
                con.execute(f"CREATE TABLE candidate.main.data AS {sql}")
            candidate.seal()
            candidate.keep()
        return candidate

    return write


@pytest.fixture
def files() -> Callable[[Path], set[str]]:
    """The relative paths of all files in a folder."""

    def found(folder: Path) -> set[str]:
        return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}

    return found


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PRIVACY_ASSETS_")]:
        monkeypatch.delenv(name)
