"""Reads the public hierarchies that purposes refer to: text files in the form of ARX.

Belongs here: opening them for `loading.py`, and saying what is wrong with the line and the file. Does not belong here:
what a table has to be (`techniques/hierarchies/table.py`).
"""

from __future__ import annotations

import csv
from pathlib import Path

from privacy_assets.contracts._faults import Faults
from privacy_assets.contracts._yaml import Place
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.techniques.hierarchies import table

LARGEST_FILE = 16 << 20
"""Bytes of a file that is read."""


def with_tables(root: Path, purpose: Purpose, faults: Faults) -> Purpose:
    """The purpose with the rows of every file that its hierarchies name; a file that cannot be used is a fault."""
    if purpose.anonymized is None:
        return purpose
    hierarchies = dict(purpose.anonymized.hierarchies)
    for name, asked in hierarchies.items():
        if isinstance(asked, table.Parameters) and asked.file is not None:
            place: Place = ("anonymized", "hierarchies", name, "file")
            rows = _rows(root, asked.file, place, faults)
            if rows is not None:
                hierarchies[name] = asked.model_copy(update={"rows": rows})
    return purpose.model_copy(update={"anonymized": purpose.anonymized.model_copy(update={"hierarchies": hierarchies})})


def files_of(purpose: Purpose) -> tuple[str, ...]:
    """The files that its hierarchies name, as they name them."""
    hierarchies = purpose.anonymized.hierarchies.values() if purpose.anonymized else ()
    return tuple(one.file for one in hierarchies if isinstance(one, table.Parameters) and one.file is not None)


def _rows(root: Path, file: str, place: Place, faults: Faults) -> tuple[tuple[str, ...], ...] | None:
    path = (root / file).resolve()
    if not path.is_relative_to(root.resolve()):
        faults.add(place, "the file lies outside the project", expected="a path from the project's folder on")
        return None
    try:
        if path.stat().st_size > LARGEST_FILE:
            faults.add(place, "the file is too large for a hierarchy", expected=f"at most {LARGEST_FILE >> 20} MiB")
            return None
        text = path.read_text(encoding="utf-8-sig")
        rows = tuple(tuple(row) for row in csv.reader(text.splitlines(), delimiter=";", strict=True) if row)
    except FileNotFoundError:
        faults.add(place, "there is no such file", found=f"`{file}`", next_step="put it there, or mend the path")
        return None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        faults.add(
            place,
            "the file cannot be read",
            expected="text in UTF-8, one line a value, from the value to the root, separated by `;`",
            found=type(error).__name__,
        )
        return None
    wrong = ["it is empty"] if not rows else table.faults_of(rows)
    if not wrong and any(not label for row in rows for label in row):
        wrong = [f"row {next(at for at, row in enumerate(rows, start=1) if not all(row))} has an empty label"]
    for what in wrong:
        faults.add(place, f"this is no hierarchy: {what}", expected="one line a value, from the value to the root")
    return None if wrong else rows
