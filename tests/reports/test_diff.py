"""The privacy impact of a change, as the command tells it: table, Markdown, JSON and exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from privacy_assets import cli
from privacy_assets.contracts.contract import Retention
from privacy_assets.contracts.versions import Size
from privacy_assets.gate import Gate
from privacy_assets.lineage.diff import Approval, Change, Declaration, Diff, Measured, Versioned, Way
from privacy_assets.reports.diff import LONGEST, MOST, as_json, markdown, rows, summary
from privacy_assets.weakening import Effect
from privacy_assets.words import AssetName, Role
from tests.conftest import environment_in, write_tiny_project

PURPOSE = "data/purposes/smoking.yaml"
SMOKING, PATIENTS = Declaration("purpose", "smoking"), Declaration("contract", "patients")
Say = Callable[..., Result]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    """Runs the command in the tiny project, beside a copy of it as it was."""
    write_tiny_project(tmp_path / "base")
    write_tiny_project(tmp_path / "project")
    for name, value in environment_in(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path / "project")

    def run(*words: str, edits: dict[str, str] | None = None) -> Result:
        for before, after in (edits or {}).items():
            text = Path(PURPOSE).read_text("utf-8")
            assert before in text
            Path(PURPOSE).write_text(text.replace(before, after), "utf-8")
        return CliRunner().invoke(cli.app, ["diff", *(words or ("--base", "../base"))])

    return run


RECIPIENT = {"recipients: [": "recipients: [an insurer, "}


@pytest.mark.parametrize(
    ("edits", "code"),
    [
        ({}, 0),
        ({"title:": "# who\ntitle:"}, 0),
        ({"why: Tell whom": "why: Tell all whom"}, 1),
        ({"why: Tell whom": "why: Tell all whom", "1.0.0": "1.0.1"}, 0),
        ({"at_least_subjects: 5": "at_least_subjects: 6", "1.0.0": "1.0.1"}, 1),
        ({"at_least_subjects: 5": "at_least_subjects: 6", "1.0.0": "1.1.0"}, 0),
        (RECIPIENT, 1),
        ({**RECIPIENT, "1.0.0": "1.1.0"}, 1),
        ({**RECIPIENT, "1.0.0": "2.0.0"}, 3),
    ],
    ids=str,
)
def test_the_exit_code_says_how_bad_it_is(say: Say, edits: dict[str, str], code: int):
    """0 nothing weaker, 1 a version does not say what was changed, 3 weaker, and major; in every form."""
    result = say(edits=edits)
    assert result.exit_code == code, result.output
    for form in ("--json", "--markdown"):
        assert say("--base", "../base", form).exit_code == code


def test_nothing_is_made_by_looking(say: Say, tmp_path: Path):
    """No home, no key, no id of the project."""
    before = sorted(tmp_path.rglob("*"))
    assert say(edits=RECIPIENT).exit_code == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_where_a_home_cannot_be_read_the_rest_is_told(say: Say, tmp_path: Path):
    """What was measured is beside the point then, and it is said why it is missing; the exit code is the same."""
    gate = Gate.open(tmp_path / "project")
    assert "What was measured is not told" not in say(edits=RECIPIENT).stdout
    gate.home.key_file.unlink()
    result = say()
    assert result.exit_code == 1 and "What was measured is not told: the key file is missing" in result.stdout
    assert not gate.home.key_file.exists()


def test_faults_of_the_base_end_it_with_its_name(say: Say, tmp_path: Path):
    """And a project of today that does not load ends it as any command."""
    text = (tmp_path / "base" / PURPOSE).read_text("utf-8")
    (tmp_path / "base" / PURPOSE).write_text(text.replace("retention_days: 365", "retention_days: many"), "utf-8")
    result = say()
    assert result.exit_code == 1 and f"../base:{PURPOSE}:" in str(result.exception)
    assert say("--base", "../base", "--json", "--markdown").exit_code == 2
    assert say("--root", ".").exit_code == 2


def test_what_it_says_is_the_same_by_whatever_chance(say: Say, tmp_path: Path):
    """Python orders sets by chance, and the JSON does not."""
    edits = {
        **RECIPIENT,
        "      smoker:\n": "      cost:\n        why: who pays smokes less\n        technique: {kind: keep}\n"
        "      registered:\n        why: since when\n        technique: {kind: keep}\n      smoker:\n",
        "age, smoker": "age, cost, year(registered) AS since, smoker",
    }
    first = say("--base", "../base", "--json", edits=edits)
    told = json.loads(first.stdout)
    assert [one["what"] for one in told["changes"]][:2] == ["patients.cost", "patients.registered"]
    told_by: set[str] = set()
    for seed in ("1", "2", "3"):
        done = subprocess.run(
            [sys.executable, "-m", "privacy_assets.cli", "diff", "--base", "../base", "--json"],
            capture_output=True, text=True, check=False, env={**os.environ, "PYTHONHASHSEED": seed},
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        told_by.add(done.stdout)
    assert told_by == {first.stdout}


def _diff(*changes: Change, **more: Any) -> Diff:
    return Diff("main", changes, more.pop("versions", ()), more.pop("approvals", ()), more.pop("models", ()), **more)


def _change(before: Any, after: Any, what: str = "x", topic: str = "declaration") -> Change:
    return Change(topic, SMOKING, what, before, after, Effect.WEAKER, "data/purposes/smoking.yaml:1")


def _told(before: Any, after: Any, topic: str = "declaration") -> tuple[str, ...]:
    (line,) = rows(_diff(_change(before, after, topic=topic)))
    return line[4:6]


def test_values_are_told_as_they_are_written():
    """Nothing is a dash, a model its keys; of two long texts what is read is where they part."""
    assert _told(None, Retention(column="seen_on", days=30)) == ("-", '{"column": "seen_on", "days": 30}')
    assert _told((1.5, "a"), Role.SENSITIVE) == ('[1.5, "a"]', "sensitive")
    assert _told(("v",) * (MOST + 1), ()) == (f"{MOST + 1} entries", "[]")
    before, after = _told("s" * 500 + "ONE", "s" * 500 + "OTHER")
    assert before.endswith("ONE") and after.endswith("OTHER") and before.startswith("…")
    assert all(len(text) <= LONGEST + 1 for text in _told("a" * 500, "b" * 500))


def test_a_flow_is_told_by_stages_and_roles():
    """Where values come to, as what, and where the column only decides."""
    features, model = AssetName.parse("features/smoking"), AssetName.parse("model/smoking")
    reach = {features: Way(True, frozenset({Role.SENSITIVE})), model: Way(False, frozenset())}
    assert _told(None, reach, "flow") == ("-", "features (sensitive); decides about model")
    told = as_json(_diff(_change(None, reach, topic="flow")))["changes"][0]
    assert told["before"] is None
    assert told["after"] == [
        {"asset": "features/smoking", "by": "value", "roles": ["sensitive"]},
        {"asset": "model/smoking", "by": "decides", "roles": []},
    ]


def test_markdown_is_text_wherever_it_comes_from():
    """Who writes a recipient's name into a pull request writes no link, mention, image or row of the table."""
    page = markdown(_diff(_change(("[a](https://example.org) | <b>@all</b>\n| `x` | ![y](z)",), None, "a|b")))
    (line,) = [line for line in page.splitlines() if "example" in line]
    assert line.replace("\\|", "").count("|") == 8
    for live in ("[a]", "<b>", "@all", "`x`", "!["):
        assert live not in line.replace("\\[", "").replace("\\<", "").replace("\\`", "").replace("\\!", "")


def test_all_that_follows_is_told():
    """Versions that say too little, models, owners with clauses, numbers, notes; in Markdown, too."""
    found = _diff(
        _change(1, 2),
        versions=(Versioned(SMOKING, "1.0.0", "1.1.0", Size.MAJOR), Versioned(PATIENTS, "2.0.0", "1.0.0", None)),
        approvals=(Approval(PATIENTS, "team:clinic-data", ("a laboratory",)),),
        models=(AssetName.parse("model/smoking"),),
        measured=(Measured(AssetName.parse("anonymized/smoking"), "k_anonymity smallest", 5, 3),),
        notes=("What was measured is not told: the key is missing.",),
    )
    lines, page = "\n".join(summary(found)), markdown(found)
    for said in ("2.0.0 at least", "an earlier version than it was", "model/smoking", "team:clinic-data",
                 "a laboratory", "anonymized/smoking", "not told", "2 versions do not say so"):  # fmt: skip
        assert said in lines and said in page.replace("\\", "")
    told = as_json(found)
    assert told["versions"][0] == {
        "of": {"kind": "purpose", "name": "smoking"},
        "before": "1.0.0",
        "after": "1.1.0",
        "needed": "major",
        "kept": False,
    }
    assert not told["versioned"] and told["weakens"] and told["measured"][0]["after"] == 3
    assert "Nothing that concerns people differs from main" in markdown(_diff())
