"""Changes a contract's text in a few lines, and leaves every other line as people wrote it, comments included.

Belongs here: where the lines of a promise begin and end, and the text with them changed. Does not belong here: what has
to change (`drift.py`), whether the result is a contract (`contracts/loading.py`, which is asked before it counts).

A promise is a block of lines, deeper than the line that it starts in. What is written otherwise (several things in one
line) is not touched: that is a fault, which says where a person has to do it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from privacy_assets.errors import Fault

Place = tuple[str | int, ...]

_WRITTEN_AT = 6
"""How deep `writing.column_lines` writes a column."""


@dataclass
class Editor:
    """The text of one contract while it is changed: changes are noted, and made all at once by `text`.

    `where` answers with `file:line` of a place, as `Project.where` does for this contract.
    """

    before: str
    where: Callable[..., str]
    faults: list[Fault] = field(default_factory=list)
    _changes: list[tuple[int, int, list[str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lines = self.before.splitlines()
        self._end = "\r\n" if "\r\n" in self.before else "\n"

    def text(self) -> str:
        """The text with all changes made."""
        lines = self.before.splitlines(keepends=True)
        whole = self.before.endswith(("\n", "\r"))
        if lines and not whole:
            lines[-1] += self._end
        # from the last line to the first, so that no change moves another; of one place the later noted comes later
        noted = [(start, end, number, new) for number, (start, end, new) in enumerate(self._changes)]
        for start, end, _, new in sorted(noted, reverse=True):
            lines[start:end] = [line + self._end for line in new]
        return "".join(lines) if whole else "".join(lines).removesuffix(self._end)

    def put(self, place: Place, key: str, value: str) -> None:
        """Another value in the line of a key, which has to stand there alone; a comment behind it stays."""
        at = self._line(place)
        found = re.fullmatch(rf"(\s*(?:- )?{key}:\s+)([^\s#{{[&*|>]\S*|\"[^\"]*\")(\s+#.*)?", self._lines[at])
        if found is None:
            self._by_hand(place, f"`{key}: {value}`")
        else:
            self._change(at, at + 1, [f"{found[1]}{value}{found[3] or ''}"])

    def swap(self, place: Place, key: str, before: str, after: str) -> None:
        """Another value of a key that may stand among others in its line, once."""
        at = self._line(place)
        new, often = re.subn(rf"\b{key}:\s*{before}\b", f"{key}: {after}", self._lines[at])
        if often == 1:
            self._change(at, at + 1, [new])
        else:
            self._by_hand(place, f"`{key}: {after}`")

    def take_away(self, place: Place, key: str) -> None:
        """Without a key and all that stands below it."""
        at = self._line(place)
        if re.match(rf"\s*{key}:", self._lines[at]):
            self._change(at, self._block_end(at), [])
        else:
            self._by_hand(place, f"nothing in place of `{key}`")

    def rewrite(self, place: Place, key: str, lines: Sequence[str]) -> None:
        """Other lines in place of a key and all that stands below it, as deep as it stood; they are written from 0."""
        at = self._line(place)
        if re.match(rf"\s*{key}:\s*$", self._lines[at]):
            self._change(at, self._block_end(at), [" " * _depth(self._lines[at]) + line for line in lines])
        else:
            self._by_hand(place, f"`{key}:` and its keys, one a line")

    def add_category(self, place: Place, how_many: int, values: Sequence[str]) -> None:
        """More values, written as YAML, at the end of a list `- value: …` of `how_many` lines."""
        at = self._line((*place, how_many - 1))
        item = re.match(r"(\s*- )value:", self._lines[at])
        if item is None:
            self._by_hand(place, "the list with one `- value: …` a line")
        else:
            end = self._block_end(at)
            self._change(end, end, [f"{item[1]}value: {value}" for value in values])

    def add_column(self, after: Place, lines: Sequence[str]) -> None:
        """A column behind the one at `after`; `lines` are as `writing.column_lines` writes them."""
        at = self._line(after)
        if not self._is_item(at):
            self._by_hand(after, "each column as a list item of its own lines")
            return
        deeper = _depth(self._lines[at]) - _WRITTEN_AT
        end = self._block_end(at)
        flat = [line for text in lines for line in text.split("\n")]
        self._change(end, end, [" " * deeper + line if deeper >= 0 else line[-deeper:] for line in flat])

    def take_column_away(self, place: Place) -> None:
        """Without a column, and the comment directly above it, unless it is the first: that may speak of all."""
        at = self._line(place)
        if not self._is_item(at):
            self._by_hand(place, "each column as a list item of its own lines")
            return
        start, deep = at, _depth(self._lines[at])
        while start and self._lines[start - 1].startswith(" " * deep + "#"):
            start -= 1
        if start and self._lines[start - 1].rstrip().endswith("properties:"):
            start = at
        self._change(start, self._block_end(at), [])

    def _line(self, place: Place) -> int:
        return int(self.where(*place).rpartition(":")[2]) - 1

    def _is_item(self, at: int) -> bool:
        return re.match(r"\s*- [^{\[]", self._lines[at]) is not None

    def _block_end(self, at: int) -> int:
        """The first line behind the block that starts in line `at`; blank lines and comments behind it are not its."""
        deep = _depth(self._lines[at])
        end = last = at + 1
        while end < len(self._lines):
            line = self._lines[end]
            if line.strip():
                # the items of a list may stand as deep as its key
                inside = _depth(line) > deep or (
                    _depth(line) == deep
                    and line.lstrip().startswith("- ")
                    and not self._lines[at].lstrip().startswith("-")
                )
                if not inside:
                    break
                last = end + 1
            end += 1
        return last

    def _change(self, start: int, end: int, lines: list[str]) -> None:
        self._changes.append((start, end, lines))

    def _by_hand(self, place: Place, expected: str) -> None:
        self.faults.append(
            Fault(
                "this is written in a way that is not changed by a program", self.where(*place), expected=expected,
                next_step="change it by hand, or write it one key a line and run it again",
            )
        )  # fmt: skip


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
