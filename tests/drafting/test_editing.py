"""A contract's text is changed in a few lines, whoever wrote it and however; all others are as they were."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from privacy_assets.contracts.loading import load
from privacy_assets.drafting.editing import Editor
from privacy_assets.words import Role

SAMPLE = Path(__file__).parents[2] / "data"
ADDED = [
    "      # a guess: its evidence", "      - name: extra\n        logicalType: string",
    "        customProperties:\n          - property: privacy\n            value:",
    "              role: attribute\n              category: user",
]  # fmt: skip


class Written:
    """One contract of the sample, as people wrote it, and what it becomes."""

    def __init__(self, root: Path, name: str) -> None:
        self.root, self.name = root, name
        self.path = root / "data/contracts" / f"{name}.odcs.yaml"
        self.before = self.path.read_bytes().decode()

    def editor(self) -> Editor:
        project = load(self.root)
        return Editor(self.before, lambda *place: project.where("contract", self.name, *place))

    def after(self, editor: Editor) -> dict[str, object]:
        self.path.write_bytes(editor.text().encode())
        return {column.name: column for column in load(self.root).contracts[self.name].columns}

    def changed(self, editor: Editor) -> tuple[list[str], list[str]]:
        """The lines that are gone, and those that are new."""
        before, after = self.before.splitlines(), editor.text().splitlines()
        gone = [line for line in before if before.count(line) > after.count(line)]
        return gone, [line for line in after if after.count(line) > before.count(line)]


@pytest.fixture(params=["\n", "\r\n"], ids=["lines end in LF", "lines end in CR LF"])
def patients(tmp_path: Path, request: pytest.FixtureRequest) -> Written:
    """The sample's contract of patients, alone with that of consents."""
    folder = tmp_path / "data/contracts"
    folder.mkdir(parents=True)
    for name in ("patients", "consents"):
        shutil.copy(SAMPLE / f"contracts/{name}.odcs.yaml", folder)
    path = folder / "patients.odcs.yaml"
    path.write_bytes(path.read_text().replace("\n", request.param).encode())
    return Written(tmp_path, "patients")


def test_without_a_change_the_text_is_the_same(patients: Written) -> None:
    """To the byte, also its line ends."""
    assert patients.editor().text() == patients.before


@pytest.mark.parametrize("text", ["", "a: 1", "a: 1\n", "a: 1\r\nb: 2\n", "a: 1\nb: 2\r\n"])
def test_every_line_keeps_its_own_end(text: str) -> None:
    """Also where a file has several kinds, or none after its last line."""
    editor = Editor(text, lambda *place: "x:1")
    assert editor.text() == text
    if text:
        editor.put(("a",), "a", "3")
        assert editor.text().split() == text.replace("1", "3").split()
        assert editor.text().count("\n") == text.count("\n")


def test_a_value_is_put_in_its_line(patients: Written) -> None:
    """And nothing else is changed."""
    editor = patients.editor()
    editor.put(("version",), "version", "1.0.1")
    assert patients.changed(editor) == (["version: 1.0.0"], ["version: 1.0.1"])


def test_a_role_is_swapped_among_other_keys(patients: Written) -> None:
    """In a line that holds the category, too."""
    editor = patients.editor()
    editor.swap(("columns", "sex", "privacy", "role"), "role", "quasi_identifier", "sensitive")
    assert patients.after(editor)["sex"].privacy.role is Role.SENSITIVE  # type: ignore[attr-defined]
    assert len(patients.changed(editor)[1]) == 1


def test_a_key_is_taken_away_with_all_below_it(patients: Written) -> None:
    """The comment above it stays: it may speak of more."""
    editor = patients.editor()
    editor.take_away(("columns", "sex", "enum"), "enum")
    assert patients.after(editor)["sex"].domain is None  # type: ignore[attr-defined]
    assert not any("#" in line for line in patients.changed(editor)[0])


def test_a_category_comes_last(patients: Written) -> None:
    """As deep as the others."""
    editor = patients.editor()
    editor.add_category(("columns", "sex", "enum"), 3, ["unknown"])
    assert patients.after(editor)["sex"].domain == ("female", "male", "other", "unknown")  # type: ignore[attr-defined]
    assert patients.changed(editor) == ([], ["          - value: unknown"])


def test_columns_are_added_and_taken_away_at_once(patients: Written) -> None:
    """Each place is that of the text as it was, whatever else is changed."""
    names = list(patients.after(patients.editor()))
    editor = patients.editor()
    editor.take_column_away(("columns", "phone"))
    editor.add_column(("columns", "email"), ADDED)
    editor.put(("version",), "version", "2.0.0")
    editor.add_category(("columns", "sex", "enum"), 3, ["unknown"])
    after = list(patients.after(editor))
    at = names.index("phone")
    assert after == [*names[:at], "extra", *names[at + 1 :]]


@pytest.mark.parametrize("end", [0, -1])
def test_the_first_and_the_last_column_are_taken_away(patients: Written, end: int) -> None:
    """The comment above the first one, which speaks of all, stays."""
    names = list(patients.after(patients.editor()))
    editor = patients.editor()
    editor.take_column_away(("columns", names[end]))
    gone, new = patients.changed(editor)
    assert f"      - name: {names[end]}" in gone
    assert not new
    assert "# Each column has a role" in editor.text()
    assert f"- name: {names[1]}" in editor.text()


def test_a_column_takes_the_comment_directly_above_it_along(patients: Written) -> None:
    """One that stands elsewhere stays."""
    text = patients.before.replace("      - name: email", "      # Of the column below.\n      - name: email")
    patients.before = text
    patients.path.write_bytes(text.encode())
    editor = patients.editor()
    editor.take_column_away(("columns", "email"))
    assert "Of the column below" not in editor.text()
    assert "email" not in patients.after(editor)


def test_a_list_as_deep_as_its_key_and_a_block_of_text_are_one_block(patients: Written) -> None:
    """As YAML has it."""
    deep = patients.before.replace("\r\n", "\n")
    start, end = deep.index("      - name: sex"), deep.index("      - name: email")
    flat = (
        "      - name: sex\n        enum:\n        - value: a\n        - value: b\n        description: |\n"
        "          # no comment\n\n          but text\n        logicalType: string\n        customProperties:\n"
        "        - property: privacy\n          value: {role: attribute, category: user}\n"
    )
    patients.before = deep[:start] + flat + deep[end:]
    patients.path.write_text(patients.before)
    editor = patients.editor()
    editor.take_away(("columns", "sex", "enum"), "enum")
    editor.take_away(("columns", "sex", "description"), "description")
    column = patients.after(editor)["sex"]
    assert (column.domain, column.description) == (None, "")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("before", "after"),
    [("version: 1.0.0", "version: {a: 1}"), ("version: 1.0.0", "version: >-\n  1.0.0"),
     ("version: 1.0.0", "? version\n: 1.0.0")],
)  # fmt: skip
def test_a_line_of_another_form_is_a_fault_and_stays(patients: Written, before: str, after: str) -> None:
    """Its place is told, for a person."""
    editor = Editor(
        patients.before.replace(before, after),
        lambda *place: f"x:{1 + patients.before.split(before)[0].count(chr(10))}",
    )
    editor.put(("version",), "version", "2.0.0")
    assert editor.text() == editor.before
    assert [fault.what for fault in editor.faults] == ["this is written in a way that is not changed by a program"]


@pytest.mark.parametrize("change", ["take_column_away", "add_column", "take_away", "rewrite", "swap", "add_category"])
def test_what_stands_in_one_line_is_a_fault_and_stays(change: str) -> None:
    """Of each kind of change."""
    editor = Editor("columns: [{name: a, enum: [{value: x}]}]\n", lambda *place: "x:1")
    words: dict[str, tuple[object, ...]] = {
        "add_column": (ADDED,), "take_away": ("enum",), "rewrite": ("enum", ["enum:"]), "swap": ("role", "a", "b"),
        "add_category": (1, ["y"]),
    }  # fmt: skip
    getattr(editor, change)(("columns", "a"), *words.get(change, ()))
    assert (editor.text(), len(editor.faults)) == (editor.before, 1)
