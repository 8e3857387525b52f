"""A report in its two forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from privacy_assets.errors import BadDeclaration
from privacy_assets.gate import Gate
from privacy_assets.reports._document import Section, Table, html, markdown, questions, write

HOSTILE = "<script>x</script> | [a](http://b) @someone\n# head"


def test_text_is_only_ever_text() -> None:
    """What somebody declared becomes no markup, no link, no mention, no other cell, in neither form."""
    report = Section("T", [HOSTILE, Table(("a", "b"), [(HOSTILE, "x")])], [Section(HOSTILE)])
    told = markdown(report)
    assert "<script>" not in told and "<script>" not in html(report).decode()
    assert "\\<script\\>" in told and "\\[a\\]" in told and "@\u200bsomeone" in told
    assert next(line for line in told.splitlines() if line.startswith("|")) == "| a | b |"
    assert all(line.startswith(("# T", "## \\<script")) for line in told.splitlines() if line.startswith("#"))


def test_a_page_lets_in_its_own_style_alone() -> None:
    """No script, nothing from elsewhere."""
    page = html(Section("T", ["x"])).decode()
    assert "default-src 'none'" in page and "<script" not in page and "http:" not in page


def test_a_table_without_lines_says_so() -> None:
    """Nothing there is told, and not left to be seen."""
    report = Section("T", [Table(("a",), [])])
    assert "None." in markdown(report) and "<p>None.</p>" in html(report).decode()
    assert "| OPEN | why? |  |  |" in markdown(Section("T", [questions(["why?"])]))


def test_it_is_written_outside_of_the_home(gate: Gate, tmp_path: Path) -> None:
    """Two files of one name, in place of older ones; the home keeps nothing but its own."""
    for _ in range(2):
        paths = write(gate, "record", Section("T"), tmp_path / "out")
    assert [path.name for path in paths] == ["record.md", "record.html"]
    assert sorted((tmp_path / "out").iterdir()) == sorted(paths)
    with pytest.raises(BadDeclaration, match="its own files"):
        write(gate, "record", Section("T"), gate.home.path / "out")
