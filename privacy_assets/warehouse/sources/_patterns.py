"""Patterns of paths as in a shell, and the day in them.

Belongs here: what matches. Does not belong here: where the paths come from.
"""

from __future__ import annotations

import fnmatch
import re

DAY = "{day}"
ANY_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_MAGIC = re.compile(r"[*?[]|\{day\}")
_A_DAY, _THE_DAY = r"(?P<day>\d{4}-\d{2}-\d{2})", "(?P=day)"
_FOLDERS = r"(?:(?!\.)[^/]+/)*"


def of_day(pattern: str, day: str) -> str:
    """The pattern with this day in it; with any day, where none is named."""
    return pattern.replace(DAY, day or ANY_DAY)


def expression(pattern: str) -> re.Pattern[str]:
    """What a whole path matches: `*` and `?` stay within a folder, `**` is any number of folders.

    A name that begins with a dot is matched by a dot alone. `{day}` is a day, written `2026-11-01`, the same one
    wherever it stands; it is the group `day`.
    """
    *folders, name = pattern.split("/")
    text = "".join(_FOLDERS if folder == "**" else f"{_named(folder)}/" for folder in folders)
    text += f"{_FOLDERS}{_named('*')}" if name == "**" else _named(name)
    first, *others = text.split(re.escape(DAY))
    return re.compile(first + "".join(f"{_THE_DAY if n else _A_DAY}{other}" for n, other in enumerate(others)))


def _named(pattern: str) -> str:
    """What one name within a path matches."""
    text = ""
    for part in re.split(r"(\*+|\?|\[!?\]?[^\]]*\])", pattern):
        if part.startswith("*"):
            text += "[^/]*"
        elif part == "?":
            text += "[^/]"
        elif part.startswith("[") and part.endswith("]"):
            text += "(?!/)" + fnmatch.translate(part).removesuffix(r"\Z")
        else:
            text += re.escape(part)
    return text if pattern.startswith((".", DAY)) or not _MAGIC.match(pattern) else rf"(?!\.){text}"


def beginning(pattern: str) -> str:
    """What every path that matches begins with."""
    magic = _MAGIC.search(pattern)
    return pattern[: magic.start()] if magic else pattern


def day_of(pattern: str, path: str) -> str | None:
    """The day in a path that matches; None where it does not."""
    match = expression(pattern).fullmatch(path)
    return match["day"] if match else None
