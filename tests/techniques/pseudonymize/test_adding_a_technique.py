"""docs/adding-a-technique.md is run: its file is added to a copy of the package, and the conformance suite meets it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs/adding-a-technique.md").read_text(encoding="utf-8")
HERE = Path("privacy_assets/techniques/pseudonymize")
SUITE = Path("tests/techniques/pseudonymize")


QUICKLY = """
from hypothesis import Phase, settings
settings.register_profile("quickly", phases=[Phase.generate], database=None)
settings.load_profile("quickly")
"""
"""A failure is wanted here, not the smallest example of it."""


def told() -> tuple[Path, str]:
    """The file that the document adds, and its text."""
    path, code = re.findall(
        r"^`(privacy_assets/\S+\.py)`\n\n```python\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL
    )[0]
    return Path(path), code


def conform(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """What the conformance suite says of a copy of the package with this file in it."""
    path, _ = told()
    shutil.copytree(ROOT / "privacy_assets", folder / "privacy_assets", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / SUITE).mkdir(parents=True)
    for name in ("conftest.py", "test_pseudonymize.py"):
        shutil.copy(ROOT / SUITE / name, folder / SUITE)
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "conftest.py").write_text(QUICKLY, encoding="utf-8")
    (folder / path).write_text(code, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", path.stem, SUITE.as_posix()],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_document_works(tmp_path: Path) -> None:
    """The file as printed conforms, with nothing else to edit."""
    ran = conform(tmp_path, told()[1])
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"\b[1-9]\d* passed|\.{5,}", ran.stdout)


@pytest.mark.parametrize(
    ("right", "wrong", "noticed_by"),
    [
        ("exp.paren(steps), expression", "value, expression", "what_leaves_is_what_was_told"),
        ('return exp.cast(multiple, column.type, dialect="duckdb")', "return exp.cast(multiple, 'DOUBLE')", "was_told"),
        ("return identifies(column) or unlike", "return unlike", "no_direct_identifier"),
        ("return exp.NEQ(this=rest", "return exp.LT(this=exp.null()", "let_through_is_noticed"),
    ],
)
def test_a_wrong_technique_does_not_conform(tmp_path: Path, right: str, wrong: str, noticed_by: str) -> None:
    """The suite notices a value that is not masked, another type, an identifier that stays, a blind check."""
    _, code = told()
    assert right in code
    ran = conform(tmp_path, code.replace(right, wrong))
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert noticed_by in ran.stdout


def test_the_document_names_what_there_is() -> None:
    """Every function of the protocol is explained, and every file that the page names exists."""
    for part in ("Parameters", "fault", "expression", "output", "violated"):
        assert f"| `{part}` |" in DOCUMENT
    for name in re.findall(r"`([a-z_]+\.py)`", DOCUMENT):
        assert (ROOT / HERE / name).exists()
