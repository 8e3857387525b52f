"""Reads one YAML file into plain values, and knows the line of each.

Belongs here: the subset of YAML that a promise may be written in. Does not belong here: what the values mean.

A declaration must read the same to every person and every program, so whatever makes that doubtful is refused with
its line: anchors, aliases, tags, merge keys, directives, several documents, duplicate keys, invisible characters, and
plain words that YAML 1.1 and 1.2 read differently (`no`, `012`, `1_000`, `12:30`, `2024-01-31`). Aliases are also how
small files grow without bound; size and depth are limited for the same reason.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from privacy_assets.errors import BadDeclaration, Fault

LARGEST_FILE = 2**20
DEEPEST = 32

Place = tuple[str | int, ...]
"""The way to a value: keys of mappings and positions in lists, from 0."""

_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,17}\.[0-9]{1,17}([eE][-+][0-9]{1,3})?")
# https://yaml.org/type/{bool,int,float,timestamp,merge,value}.html, where YAML 1.2's core schema reads another value
_DISPUTED = re.compile(
    r"y|Y|n|N|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|=|<<"
    r"|[-+]?\.(inf|Inf|INF|nan|NaN|NAN)"
    r"|[-+]?0[bxo][0-9a-fA-F_]+"
    r"|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"
    r"|[-+]?(\.[0-9][0-9_]*|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt\s][0-9:.\s]*(Z|[-+][0-9:]+)?)?"
)
_NOTHING = {"", "~", "null", "Null", "NULL"}
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
# not printable in YAML, or printed elsewhere than it stands (bidirectional controls)
_INVISIBLE = re.compile(
    r"[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
    r"|[\u200b-\u200f\u2028-\u202e\u2060-\u2069]"
)


@dataclass(frozen=True, slots=True)
class Document:
    """What one file says. `file` is its path in the project, `lines` the line (from 1) of each place in it.

    `blocks` has the line on which the text of each literal block (`|`) starts, and its indentation in characters.
    """

    file: str
    value: dict[str, Any]
    lines: Mapping[Place, int]
    blocks: Mapping[Place, tuple[int, int]]

    def nearest(self, place: Place) -> Place:
        """The longest way along `place` that exists; parts that do not exist are stepped over."""
        found: Place = ()
        for part in place:
            if (*found, part) in self.lines:
                found = (*found, part)
        return found

    def where(self, place: Place) -> str:
        """`file:line` of the place, or of what it would stand in."""
        return f"{self.file}:{self.lines[self.nearest(place)]}"

    def at(self, place: Place) -> Any:
        """The value at the place; None where there is none."""
        value: Any = self.value
        for part in place:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value


def read(path: Path, file: str) -> Document:
    """What the file at `path` says; `file` is the name that faults give it.

    Raises BadDeclaration with every fault of the file, as far as it can be read.
    """
    reader = _Reader(file)
    text = reader.text(path)
    value = reader.document(text) if text is not None else None
    if not reader.faults and not isinstance(value, dict):
        reader.fault(1, "the file does not say anything", expected="keys and values: `key: value`, one a line")
    if reader.faults or not isinstance(value, dict):
        raise BadDeclaration(*reader.faults)
    return Document(file, value, reader.lines, reader.blocks)


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []
        self.lines: dict[Place, int] = {(): 1}
        self.blocks: dict[Place, tuple[int, int]] = {}
        self.source: list[str] = []

    def fault(self, line: int, what: str, *, expected: str = "", found: str = "", next_step: str = "") -> None:
        self.faults.append(Fault(what, f"{self.file}:{line}", expected, found, next_step))

    def text(self, path: Path) -> str | None:
        try:
            with path.open("rb") as stream:
                raw = stream.read(LARGEST_FILE + 1)
        except OSError as error:
            self.fault(1, "the file cannot be read", found=type(error).__name__, next_step="mend its permissions")
            return None
        if len(raw) > LARGEST_FILE:
            self.fault(1, "the file is too large", expected=f"at most {LARGEST_FILE} bytes")
            return None
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            self.fault(line, "the file is not UTF-8 text", next_step="save it as UTF-8, without a byte order mark")
            return None
        for match in _INVISIBLE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            self.fault(line, "there is a character that nobody can see", found=f"U+{ord(match[0]):04X}")
        return None if self.faults else text

    def document(self, text: str) -> Any:
        self.source = text.splitlines()
        events: Iterator[Event] = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        try:
            documents = 0
            value: Any = None
            for event in events:
                if isinstance(event, DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        self.fault(_line(event), "a file holds one document", next_step="make it two files")
                        return value
                    if event.version or event.tags:
                        line = 1 + next(place for place, line in enumerate(self.source) if line.startswith("%"))
                        self.fault(line, "directives (`%…`) are not read", next_step="remove them")
                elif isinstance(event, NodeEvent):
                    value = self.node(event, events, ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.fault(
                mark.line + 1 if mark else 1,
                "this is not YAML",
                found=str(error.problem or error.context or ""),
                next_step="look at the indentation, the colons and the quotes of this line and the one before",
            )
            return None
        except _TooDeepError:
            return None
        return value

    def node(self, event: NodeEvent, events: Iterator[Event], place: Place) -> Any:
        line = _line(event)
        if isinstance(event, AliasEvent):
            self.fault(line, "aliases (`*…`) are not read", next_step="write the value where it is meant")
            return None
        if event.anchor is not None:
            self.fault(line, "anchors (`&…`) are not read", next_step="remove it")
        if isinstance(event, ScalarEvent | CollectionStartEvent) and event.tag is not None:
            self.fault(line, "tags (`!…`) are not read", next_step="remove it")
        if len(place) >= DEEPEST:
            self.fault(line, "this is nested too deep", expected=f"at most {DEEPEST} levels")
            raise _TooDeepError
        if isinstance(event, MappingStartEvent):
            return self.mapping(events, place)
        if isinstance(event, SequenceStartEvent):
            return self.sequence(events, place)
        if isinstance(event, ScalarEvent):
            return self.scalar(event, place)
        raise TypeError(f"unknown YAML event {type(event).__name__}")

    def mapping(self, events: Iterator[Event], place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in events:
            if isinstance(event, MappingEndEvent):
                break
            assert isinstance(event, NodeEvent)
            before = len(self.faults)
            key = self.node(event, events, place)
            line = _line(event)
            if not isinstance(key, str):
                if len(self.faults) == before:
                    self.fault(line, "a key is text", next_step="put it in quotes, if it is meant")
                key = ""
            elif key in found:
                first = self.lines[(*place, key)]
                self.fault(line, f"`{key}` stands here twice", found=f"first in line {first}", next_step="keep one")
            self.lines.setdefault((*place, key), line)
            found[key] = self.node(_node(events), events, (*place, key))
        return found

    def sequence(self, events: Iterator[Event], place: Place) -> list[Any]:
        found: list[Any] = []
        for event in events:
            if isinstance(event, SequenceEndEvent):
                break
            assert isinstance(event, NodeEvent)
            here = (*place, len(found))
            self.lines[here] = _line(event)
            found.append(self.node(event, events, here))
        return found

    def scalar(self, event: ScalarEvent, place: Place) -> Any:
        text: str = event.value
        if event.style == "|":
            first = _line(event)
            written = next((line for line in self.source[first:] if line.strip()), "")
            self.blocks[place] = (first + 1, len(written) - len(written.lstrip(" ")))
        if event.style:
            return text
        if text in _NOTHING:
            return None
        if text in _TRUTH:
            return _TRUTH[text]
        if _WHOLE.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text) and math.isfinite(float(text)):
            return float(text)
        if _DISPUTED.fullmatch(text):
            self.fault(
                _line(event),
                "readers of YAML disagree about this value",
                expected="text in quotes, `true` or `false`, or a plain number such as 12 or 0.5",
                found=text[:40],
                next_step=f"write '{text[:40]}' in quotes, if it is meant as text",
            )
        return text


class _TooDeepError(Exception):
    """Ends the reading of a file whose fault is already noted."""


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1


def _node(events: Iterator[Event]) -> NodeEvent:
    event = next(events)
    assert isinstance(event, NodeEvent)
    return event
