"""Patterns of paths as in a shell, and the day in them.

Belongs here: what matches. Does not belong here: where the paths come from.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable

DAY = "{day}"
ANY_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_MAGIC = re.compile(r"[*?[]|\{day\}")
_KNOWN = {"**/": "(?:[^/]+/)*", "*": "[^/]*", "?": "[^/]"}


def of_day(pattern: str, day: str) -> str:
    """The pattern with this day in it; with any day, where none is named."""
    return pattern.replace(DAY, day or ANY_DAY)


def expression(pattern: str) -> re.Pattern[str]:
    """What a whole path matches: `*` and `?` stay within a folder, `**/` is any number of folders.

    `{day}` is a day, written `2026-11-01`, the same one wherever it stands; it is the group `day`.
    """
    parts = re.split(r"(\*\*/|\*|\?|\[[^\]]+\]|\{day\})", pattern)
    text, seen = "", False
    for part in parts:
        if part == DAY:
            text, seen = text + ("(?P=day)" if seen else r"(?P<day>\d{4}-\d{2}-\d{2})"), True
        else:
            of_set = part.startswith("[") and part.endswith("]")
            text += _KNOWN.get(part) or (fnmatch.translate(part)[4:-3] if of_set else re.escape(part))
    return re.compile(text)


def beginning(pattern: str) -> str:
    """What every path that matches begins with."""
    magic = _MAGIC.search(pattern)
    return pattern[: magic.start()] if magic else pattern


def days(pattern: str, paths: Iterable[str]) -> tuple[str, ...]:
    """The days of which there is a path, in order."""
    matches = map(expression(pattern).fullmatch, paths)
    return tuple(sorted({match["day"] for match in matches if match}))
