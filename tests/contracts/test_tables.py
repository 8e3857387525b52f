"""Public hierarchies in files of ARX's form."""

from __future__ import annotations

from pathlib import Path

import pytest

from privacy_assets.contracts.loading import check, load
from tests.contracts.test_anonymity import ASKED, BEFORE, SMOKING

FILE = "data/hierarchies/sex.csv"


@pytest.fixture
def file(tiny_project: Path) -> Path:
    """The hierarchy of a column, in a file that the purpose names."""
    asked = ASKED.replace('rows: [[F, "*"], [M, "*"], [X, "*"]]', f"file: {FILE}")
    purpose = tiny_project / SMOKING
    purpose.write_text(purpose.read_text("utf-8").replace(BEFORE, asked), "utf-8")
    path = tiny_project / FILE
    path.parent.mkdir()
    path.write_text("F;*\nM;*\nX;*\n", "utf-8")
    return path


def test_a_file_is_read_and_part_of_what_the_purpose_means(tiny_project: Path, file: Path):
    """Another line, another purpose: what was made before was made under an older declaration."""
    before = load(tiny_project)
    assert before.purposes["smoking"].anonymized.hierarchies["sex"].rows == (("F", "*"), ("M", "*"), ("X", "*"))
    file.write_text("F;of two;*\nM;of two;*\nX;X;*\n", "utf-8")
    assert load(tiny_project).digest("smoking") != before.digest("smoking")
    file.write_text("\ufeffF;*\r\nM;*\r\n\r\nX;*\r\n", "utf-8")
    assert load(tiny_project).digest("smoking") == before.digest("smoking")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "it is empty"),
        (b"F;*\nM\nX;*\n", "row 2 has 1 levels, and row 1 has 2"),
        (b"F;*\nM;\nX;*\n", "several labels"),
        (b"F;;*\nM;;*\nX;;*\n", "row 1 has an empty label"),
        (b"F;a;*\nM;a;+\nX;a;*\n", "it does not nest"),
        (b"F;\xff\n", "cannot be read"),
        (b'F;"*\nM;*\n', "cannot be read"),
    ],
)
def test_a_file_that_is_no_hierarchy_is_refused_with_the_row(tiny_project: Path, file: Path, content: bytes, what: str):
    """At the line of the purpose that names it."""
    file.write_bytes(content)
    found = check(tiny_project)
    assert any(what in fault.what for fault in found), found
    assert all(fault.where.startswith(SMOKING) and fault.next_step for fault in found)


def test_a_file_that_is_too_large_is_not_read(tiny_project: Path, file: Path):
    """A hierarchy has a line a value, and never so many."""
    with file.open("r+b") as opened:
        opened.truncate(17 << 20)
    assert "too large" in check(tiny_project)[0].what
