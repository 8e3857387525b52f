"""Which columns a model can learn from.

Belongs here: what is asked when purposes are loaded, so without any library that computes. Does not belong here:
fitting (`_fitting.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from privacy_assets.errors import Fault
from privacy_assets.words import Column

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_NUMBERS = frozenset((*_INTEGERS, *(f"U{kind}" for kind in _INTEGERS), "FLOAT", "DOUBLE", "DECIMAL"))
_TIMES = frozenset(("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"))


def faults(inputs: Sequence[Column]) -> tuple[Fault, ...]:
    """What a model cannot learn from, and why: text without a declared domain, and types that are no number."""
    if not inputs:
        return (
            Fault(
                "there is no column to learn from",
                expected="a feature column beside key, subject and target",
                next_step="select one in the features' SQL",
            ),
        )
    return tuple(fault for column in inputs if (fault := _fault(column)) is not None)


def _fault(column: Column) -> Fault | None:
    kind = kind_of(column)
    if kind == "VARCHAR" and not column.domain:
        return Fault(
            f"a model cannot learn from the text column {column.name!r}: its categories are not declared",
            expected="a declared domain; categories are never learned from data",
            next_step="declare its `categories` under `features`, or leave it out of the features' SQL",
        )
    if kind not in _NUMBERS | _TIMES | {"VARCHAR", "BOOLEAN"}:
        return Fault(
            f"a model cannot learn from {column.name!r}",
            expected="a number, a date, true/false, or text with a declared domain",
            found=column.type,
            next_step="leave it out of the features' SQL, or make it the key or the subject",
        )
    return None


def kind_of(column: Column) -> str:
    """The column's engine type without its parameters, such as DECIMAL."""
    return column.type.split("(")[0].strip().upper()
