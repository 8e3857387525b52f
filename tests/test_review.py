"""What docs/review.md tells people to put into their CI."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import write_tiny_project

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "review.md").read_text("utf-8")


def _block(name: str) -> str:
    found = re.search(rf"<!-- {name}:[^>]*-->\n```\w+\n(.*?)```\n<!-- /{name} -->", PAGE, re.DOTALL)
    assert found, f"docs/review.md has no block {name}"
    return found[1]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the tiny project, committed once, and our command as people type it."""
    write_tiny_project(tmp_path / "project")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "privacy-assets").write_text(f'#!/bin/sh\nexec {sys.executable} -m privacy_assets.cli "$@"\n')
    (tools / "gh").write_text('#!/bin/sh\necho "$@" >> gh.txt\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    _sh(tmp_path, "git init -q -b main . && git add -A && git commit -q -m before")
    return tmp_path / "project"


def _sh(top: Path, script: str, **more: str) -> subprocess.CompletedProcess[str]:
    folder = top / "project"
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "PATH": f"{top / 'tools'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        **{f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        **more,
    }
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    return done


def _edited(repository: Path, before: str, after: str) -> None:
    purpose = repository / "data/purposes/smoking.yaml"
    purpose.write_text(purpose.read_text("utf-8").replace(before, after), "utf-8")


def test_the_shell_and_the_workflow_do_what_the_page_says(repository: Path):
    """A weaker change fails unversioned, and passes for those who agree where it is major; both have the Markdown."""
    workflow = yaml.safe_load(_block("workflow"))
    (step,) = [step for step in workflow["jobs"]["diff"]["steps"] if "env" in step]
    assert not re.search(r"\$\{\{", step["run"])  # what a pull request names never becomes shell
    top, summary = repository.parent, repository.parent / "summary.md"
    actions = {"BASE": "main", "NUMBER": "7", "GITHUB_STEP_SUMMARY": str(summary)}
    _edited(repository, "recipients: [", "recipients: [an insurer, ")
    for script in (_block("shell"), step["run"]):
        assert _sh(top, script, **actions).returncode == 1
        assert "an insurer" in (repository / "impact.md").read_text("utf-8")
    assert "an insurer" in summary.read_text("utf-8")
    assert "pr comment 7" in (repository / "gh.txt").read_text("utf-8")
    _edited(repository, "version: 1.0.0", "version: 2.0.0")
    said = _sh(top, _block("shell"), **actions)
    assert said.returncode == 0 and "weaker, and versioned" in said.stdout
    assert _sh(top, step["run"], **actions).returncode == 0
