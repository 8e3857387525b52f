"""A tiny project whose purpose publishes rows under differential privacy, and one whose rows are not.

Belongs here: what several tests of test data need. Does not belong here: what one test alone needs.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from privacy_assets.build import steps
from privacy_assets.gate import Gate
from privacy_assets.stages.step import carry_out
from tests.conftest import environment_in
from tests.stages.conftest import REACHING, VISITS
from tests.stages.test_s6_synthetic import BUDGET, NOISY, PURPOSE, SYNTHETIC, TREES, made  # noqa: F401

Edit = Callable[[str, str, str], None]


def make_noisy(project: Path) -> None:
    """Have the purpose name a synthesizer under differential privacy, and the contracts a budget."""
    path = project / PURPOSE
    text = path.read_text("utf-8").replace(TREES, NOISY).replace("  seed: 3\n", "  contribution: {rows: 1}\n")
    path.write_text(text, "utf-8")
    for name, bases in (("patients", "consent, legitimate_interests"), ("consents", "legal_obligation")):
        path = project / f"data/contracts/{name}.odcs.yaml"
        before = f"lawful_bases: [{bases}]\n"
        path.write_text(path.read_text("utf-8").replace(before, BUDGET.format(bases, " " * 6)), "utf-8")


def _published(features: Path, folder: Path, change: Callable[[Path], None]) -> Path:
    shutil.copytree(features, folder)
    change(folder / "project")
    gate = Gate.open(folder / "project", environment_in(folder))
    carry_out(steps(gate.project)[SYNTHETIC], gate).raise_faults()
    return folder


@pytest.fixture(scope="session")
def under_noise(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """A folder with the project, whose synthetic rows are under differential privacy. To be copied."""
    return _published(made, tmp_path_factory.mktemp("noisy") / "copy", make_noisy)


@pytest.fixture(scope="session")
def by_trees(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """A folder with the project, whose synthetic rows are by trees, without differential privacy. To be copied."""
    return _published(made, tmp_path_factory.mktemp("trees") / "copy", lambda _: None)


@pytest.fixture
def noisy(under_noise: Path, tmp_path: Path, reopen: Callable[[], Gate]) -> Gate:
    """The gate of a copy."""
    shutil.copytree(under_noise, tmp_path, dirs_exist_ok=True)
    return reopen()


@pytest.fixture
def treed(by_trees: Path, tmp_path: Path, reopen: Callable[[], Gate]) -> Gate:
    """The gate of a copy."""
    shutil.copytree(by_trees, tmp_path, dirs_exist_ok=True)
    return reopen()


@pytest.fixture
def edit(tiny_project: Path) -> Edit:
    """Replaces a text, which must be there, in a file of the tiny project."""

    def replaced(file: str, old: str, new: str) -> None:
        path = tiny_project / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    return replaced


@pytest.fixture
def visited(tiny_project: Path, reopen: Callable[[], Gate]) -> Gate:
    """The gate of the tiny project with visits, and the purpose `reaching`; nothing is published."""
    (tiny_project / "data/contracts/visits.odcs.yaml").write_text(VISITS, "utf-8")
    (tiny_project / "data/purposes/reaching.yaml").write_text(REACHING, "utf-8")
    return reopen()
