"""The subset of YAML that a promise may be written in."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.contracts._yaml import DEEPEST, LARGEST_FILE, Document, read
from privacy_assets.errors import BadDeclaration


@pytest.fixture
def say(tmp_path: Path) -> Path:
    return tmp_path / "said.yaml"


def reading(path: Path, text: str | bytes) -> Document:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read(path, "said.yaml")


def test_values_and_lines(say: Path) -> None:
    """Every value comes with the line it stands in."""
    document = reading(say, "a: 1\nb: [1.5, x, true, null]\nc:\n  - d: 'no'\n    e: |\n      SELECT 1\n      FROM t\n")
    assert document.value == {"a": 1, "b": [1.5, "x", True, None], "c": [{"d": "no", "e": "SELECT 1\nFROM t\n"}]}
    assert document.where(("c", 0, "d")) == "said.yaml:4"
    assert document.where(("c", 0, "e")) == "said.yaml:5"
    assert document.blocks == {("c", 0, "e"): (6, 6)}


def test_what_is_not_there_has_the_line_it_would_stand_in(say: Path) -> None:
    """Parts of a way that do not exist are stepped over."""
    document = reading(say, "a:\n  b: 1\n  c: 2\n")
    assert document.where(("a", "z")) == "said.yaml:1"
    assert document.where(("a", "tag", "c")) == "said.yaml:3"
    assert document.at(("a", "z", "c")) is None


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "does not say anything"),
        ("# nothing\n", 1, "does not say anything"),
        ("- 1\n", 1, "does not say anything"),
        ("a: 1\nb: &x 2\n", 2, "anchors"),
        ("a: 1\nb: *x\n", 2, "aliases"),
        ("a: 1\nb: !!str 2\n", 2, "tags"),
        ("a: 1\nb: ! x\n", 2, "tags"),
        ("a: 1\nb: !!python/object/apply:os.system [x]\n", 2, "tags"),
        ("a: 1\nb: !!set {x}\n", 2, "tags"),
        ("a: 1\n<<: {b: 2}\n", 2, "disagree"),
        ("a: 1\na: 2\n", 2, "twice"),
        ("a: {b: 1,\n  b: 2}\n", 2, "twice"),
        ("'a': 1\na: 2\n", 2, "twice"),
        ("a: 1\n2: b\n", 2, "a key is text"),
        ("a: 1\ntrue: b\n", 2, "a key is text"),
        ("a: 1\n? [b]\n: c\n", 2, "a key is text"),
        ("a: 1\n---\nb: 1\n", 2, "one document"),
        ("%YAML 1.1\n---\na: 1\n", 1, "directives"),
        ("a: 1\nb: [\n", 3, "not YAML"),
        ("a: 1\n b: 2\n", 2, "not YAML"),
        ("a: 1\nb: 'x\n", 3, "not YAML"),
        ("a: 1\n\tb: 2\n", 2, "not YAML"),
        ("a: 1\nb: \x07\n", 2, "nobody can see"),
        ("a: 1\nb: \u202eevil\n", 2, "nobody can see"),
        ("a: 1\nb\u200b: 2\n", 2, "nobody can see"),
        ("\ufeffa: 1\n", 1, "nobody can see"),
        (b"a: 1\nb: \xff\n", 2, "not UTF-8"),
        ("a: 1\nb: " + "[" * 100 + "]" * 100, 2, "too deep"),
        ("a: 1\nb:\n" + "".join("  " * depth + "- \n" for depth in range(1, 100)), 2 + DEEPEST, "too deep"),
        ("#" * (LARGEST_FILE + 1), 1, "too large"),
    ],
)
def test_doubtful_yaml_is_refused(say: Path, text: str | bytes, line: int, says: str) -> None:
    """What a reader could take in two ways, or what grows without bound, is refused in its line."""
    with pytest.raises(BadDeclaration, match=says) as caught:
        reading(say, text)
    assert f"said.yaml:{line}" in [fault.where for fault in caught.value.faults]


DISPUTED = [
    "yes", "No", "on", "OFF", "y", "012", "0x1F", "0b11", "0o17", "1_000", "12:30", "1:30:00.5", "1e5", "1.", ".5",
    "1.5e3", ".inf", "-.INF", ".nan", "2024-01-31", "2024-01-31 12:00:00", "2024-01-31T12:00:00Z", "=", "1.5e+999",
    "99999999999999999999",
]  # fmt: skip


@pytest.mark.parametrize("text", DISPUTED)
def test_disputed_words_are_refused_unless_quoted(say: Path, text: str) -> None:
    """`no` is a country to one reader and false to another: in quotes it is text to both."""
    with pytest.raises(BadDeclaration, match="readers of YAML disagree"):
        reading(say, f"a: {text}\n")
    assert reading(say, f"a: '{text}'\n").value == {"a": text}


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    """A folder in the place of a file is said to be unreadable, not passed over."""
    with pytest.raises(BadDeclaration, match="cannot be read"):
        read(tmp_path, "said.yaml")


def test_all_faults_of_a_file_are_said(say: Path) -> None:
    """One reading finds what can be found."""
    with pytest.raises(BadDeclaration) as caught:
        reading(say, "a: &x 1\nb: *x\nc: no\na: 2\n")
    assert [fault.where for fault in caught.value.faults] == [f"said.yaml:{line}" for line in (1, 2, 3, 4)]


PLAIN = st.text(alphabet="0123456789+-._:eExTZnoyes~ ", min_size=1, max_size=8).map(str.strip).filter(bool)


@settings(deadline=None)
@given(PLAIN)
def test_other_readers_read_the_same(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Law: whatever we accept, a reader of YAML 1.1 accepts, and reads the same."""
    path = tmp_path_factory.getbasetemp() / "law.yaml"
    try:
        value = reading(path, f"a: {text}\n").value
    except BadDeclaration:
        return
    theirs = yaml.safe_load(f"a: {text}\n")
    assert theirs == value
    assert type(theirs["a"]) is type(value["a"])
