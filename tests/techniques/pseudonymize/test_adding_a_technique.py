"""docs/adding-a-technique.md is run: its file is added to a copy of the package, and the conformance suite meets it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

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


WRONG = {
    "unmasked": ("exp.paren(steps), expression", "value, expression", "test_what_leaves_is_what_was_told"),
    "retyped": ("exp.cast(multiple, column.type", 'exp.cast(multiple, "DOUBLE"', "test_what_leaves_is_what_was_told"),
    "naming": ("return identifies(column) or unlike", "return unlike", "test_no_direct_identifier_is_left"),
    "blind": (
        "return exp.NEQ(this=rest",
        "return exp.LT(this=exp.null()",
        "test_a_value_that_was_let_through_is_noticed",
    ),
}
"""What is wrong with a technique: the text of the document, what stands there instead, and the test that notices."""


def told() -> tuple[Path, str]:
    """The file that the document adds, and its text."""
    path, code = re.findall(
        r"^`(privacy_assets/\S+\.py)`\n\n```python\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL
    )[0]
    return Path(path), code


def conform(folder: Path, files: dict[str, str], asked: str) -> subprocess.CompletedProcess[str]:
    """What the conformance suite, or what is asked of it, says of a copy of the package with these techniques in it."""
    shutil.copytree(ROOT / "privacy_assets", folder / "privacy_assets", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / SUITE).mkdir(parents=True)
    shutil.copy(ROOT / SUITE / "conftest.py", folder / SUITE)
    suite = (ROOT / SUITE / "test_pseudonymize.py").read_text(encoding="utf-8")
    assert "max_examples=25," in suite
    # what is wrong here must be met in every run, not in most
    (folder / SUITE / "test_pseudonymize.py").write_text(suite.replace("max_examples=25,", "max_examples=150,"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "conftest.py").write_text(QUICKLY, encoding="utf-8")
    for kind, code in files.items():
        (folder / HERE / f"{kind}.py").write_text(code, encoding="utf-8")
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "--tb=line",
            "-rA",
            "-k",
            asked,
            str(SUITE),
        ],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "HYPOTHESIS_STORAGE_DIRECTORY": str(ROOT / ".hypothesis")},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


def test_the_document_works_and_the_suite_sees(tmp_path: Path) -> None:
    """The file as printed conforms with nothing else to edit; each wrong one is noticed by the test that it is for."""
    path, code = told()
    assert path.parent == HERE
    assert all(code.count(right) == 1 for right, _, _ in WRONG.values())
    changed = {kind: code.replace(right, wrong) for kind, (right, wrong, _) in WRONG.items()}
    files = {kind: text.replace(f'"{path.stem}"', f'"{kind}"') for kind, text in changed.items()}
    noticed = [f"({noticed_by} and {kind})" for kind, (_, _, noticed_by) in WRONG.items()]
    said = conform(tmp_path, {path.stem: code, **files}, " or ".join([path.stem, *noticed])).stdout
    outcomes = {test: verdict for verdict, test in re.findall(r"^(PASSED|FAILED) \S+::(\S+)", said, re.MULTILINE)}
    printed = {verdict for test, verdict in outcomes.items() if test.endswith(f"[{path.stem}]")}
    assert printed == {"PASSED"}, said
    for kind, (_, _, noticed_by) in WRONG.items():
        assert outcomes[f"{noticed_by}[{kind}]"] == "FAILED", said


def test_the_document_names_what_there_is() -> None:
    """Every function of the protocol is explained, and every file that the page names exists."""
    for part in ("Parameters", "fault", "expression", "output", "violated"):
        assert f"| `{part}` |" in DOCUMENT
    for name in re.findall(r"`([a-z_]+\.py)`", DOCUMENT):
        assert (ROOT / HERE / name).exists()
