"""A report as sections, paragraphs and tables, and the two forms in which people get it: Markdown, and one HTML page.

Belongs here: the parts of a report, and how each form writes them. Does not belong here: what is told (one file a
report), the frame of a page (`_page.py`). All text is text: nothing that is declared becomes markup, a link or a
mention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from privacy_assets.gate import Gate
from privacy_assets.reports import _page

OPEN = "OPEN"
"""Marks what only people can answer."""


@dataclass(frozen=True, slots=True)
class Table:
    """Lines of as many cells as there are heads. Without lines it says so."""

    heads: Sequence[str]
    lines: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Section:
    """A title, paragraphs and tables, and the sections within. A report is one of these."""

    title: str
    parts: Sequence[str | Table] = ()
    within: Sequence[Section] = ()


def questions(asked: Sequence[str]) -> Table:
    """Questions that only people can answer, with room for the answers."""
    return Table(("", "question", "answer", "by whom, when"), [(OPEN, one, "", "") for one in asked])


def markdown(report: Section) -> str:
    """The whole report as Markdown."""
    return "\n".join(_markdown(report, 1)).rstrip() + "\n"


def _markdown(section: Section, level: int) -> list[str]:
    lines = [f"{'#' * min(level, 6)} {cell(section.title)}", ""]
    for part in section.parts:
        lines += [cell(part), ""] if isinstance(part, str) else table(part.heads, part.lines)
    for one in section.within:
        lines += _markdown(one, level + 1)
    return lines


def table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """A table as lines of Markdown, the last one empty."""
    if not lines:
        return ["None.", ""]
    every = [tuple(map(cell, heads)), tuple("---" for _ in heads), *(tuple(map(cell, line)) for line in lines)]
    return [*(f"| {' | '.join(line)} |" for line in every), ""]


def cell(text: str) -> str:
    """What is declared is text in the comment or file that it comes to, never markup, a link or a mention."""
    flat = " ".join(text.split()).replace("@", "@\u200b")
    return "".join(f"\\{letter}" if letter in "\\`*[]<>|~#!" else letter for letter in flat)


def html(report: Section) -> bytes:
    """The whole report as one page, which asks nothing of any network."""
    return _page.page(report.title, "\n".join(_html(report, 1)))


def _html(section: Section, level: int) -> list[str]:
    heading = min(level, 6)
    found = [f"<h{heading}>{escape(section.title)}</h{heading}>"] if level > 1 else []
    for part in section.parts:
        if isinstance(part, str):
            found.append(f"<p>{escape(part)}</p>")
        else:
            found.append(_page.table(part.heads, part.lines) if part.lines else "<p>None.</p>")
    for one in section.within:
        found += _html(one, level + 1)
    return found


def write(gate: Gate, name: str, report: Section, to: Path | None) -> tuple[Path, ...]:
    """Write both forms, `<name>.md` and `<name>.html`, into the folder `to` (default: `reports` in the project).

    Raises BadDeclaration for a folder inside the home.
    """
    folder = _page.folder_for(gate, "reports", "", to)
    return _page.write(folder, {f"{name}.md": markdown(report).encode(), f"{name}.html": html(report)})
