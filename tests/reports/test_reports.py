"""What every report keeps to, by its existing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from privacy_assets import cli
from privacy_assets.build import flows, steps
from privacy_assets.errors import BadDeclaration
from privacy_assets.gate import Gate
from privacy_assets.reports._document import html, markdown
from privacy_assets.reports._told import NOTHING_YET
from privacy_assets.reports.reports import KINDS

kinds = pytest.mark.parametrize("kind", KINDS)


def told(gate: Gate, kind: str, purpose: str | None = None) -> str:
    return markdown(KINDS[kind].make(gate, flows(steps(gate.project)), purpose))


@kinds
def test_it_says_what_it_was_made_of_and_writes_nothing(published: Gate, kind: str) -> None:
    """By how many entries; no entry and no file more. The same ledger gives the same text."""
    size, files = published.ledger.size, sorted(published.home.path.rglob("*"))
    text = told(published, kind)
    assert f"by {size:,} ledger entries" in text and NOTHING_YET not in text
    assert told(published, kind) == text
    assert (published.ledger.size, sorted(published.home.path.rglob("*"))) == (size, files)


@kinds
def test_a_home_with_nothing_gives_the_declared_part_and_says_so(gate: Gate, kind: str) -> None:
    """And no version, no entry, no number."""
    text = told(gate, kind)
    assert NOTHING_YET in text and "smoking" in text
    assert not re.search(r"\b[0-9a-f]{32}\b", text)


@kinds
def test_no_value_of_a_person_is_in_it(published: Gate, kind: str) -> None:
    """No number, address or date of anybody in the rows."""
    report = KINDS[kind].make(published, flows(steps(published.project)), None)
    for text in (markdown(report), html(report).decode()):
        assert not re.search(r"\bp-\d\d\b|example\.org|2026-01-", text)


@kinds
def test_another_name_is_refused(gate: Gate, kind: str) -> None:
    """With the one that was meant."""
    with pytest.raises(BadDeclaration, match="did you mean smoking"):
        told(gate, kind, "smokin")


@kinds
def test_a_changed_ledger_refuses(
    published: Gate, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    """The command exits 1, and writes no report."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    path = published.home.ledger / "entries"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"rows":', b'"rowz":', 1))
    assert path.read_bytes() != whole
    arguments = ["report", kind, "--to", str(tmp_path / "out"), "--root", str(published.project.root)]
    result = CliRunner().invoke(cli.app, arguments)
    assert type(result.exception).__name__ == "Tampered" and not (tmp_path / "out").exists()


def test_the_command_writes_both_forms(
    published: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    """Of all purposes, or of one; another kind is misspelt."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    root = ["--root", str(published.project.root)]
    out = tmp_path / "out"
    for more in ([], ["smoking"]):
        assert CliRunner().invoke(cli.app, ["report", "record", *more, "--to", str(out), *root]).exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "record-smoking.html", "record-smoking.md", "record.html", "record.md",
    ]  # fmt: skip
    assert CliRunner().invoke(cli.app, ["report", "recrod", *root]).exit_code == 2
