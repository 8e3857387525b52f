"""What may be told to Dagster: one allow-list, through which all metadata goes.

Dagster keeps what it is told in plain text and for ever. So a fact is a number, a truth value, a moment, a word of a
closed family, a digest, a declared name, a schema, a lineage, a figure or a query of ours; free text is refused, since
it could hold a value of a person.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TypeAlias

import dagster as dg
from sqlglot import exp


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest or version id in hexadecimal."""

    hex: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9a-f]{16,128}", self.hex):
            raise TypeError("a digest is 16 to 128 hexadecimal digits")


@dataclass(frozen=True, slots=True)
class Declared:
    """Text that stands in a contract, a purpose or this program's source, such as a title or a promise."""

    text: str


@dataclass(frozen=True, slots=True)
class Rows:
    """A small table of declared words and numbers."""

    rows: tuple[Mapping[str, str | int | float | bool], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure of numbers that may be told, drawn by this program: a PNG."""

    png: bytes

    def __post_init__(self) -> None:
        if not self.png.startswith(b"\x89PNG"):
            raise TypeError("a picture is a PNG")


Fact: TypeAlias = (
    int
    | float
    | bool
    | datetime
    | Enum
    | Digest
    | Declared
    | Rows
    | Picture
    | exp.Expr
    | dg.TableSchema
    | dg.TableColumnLineage
    | dg.CodeReferencesMetadataValue
)


def metadata(facts: Mapping[str, Fact]) -> dict[str, dg.MetadataValue]:
    """The facts as Dagster keeps them. TypeError for what is not on the list, naming the key, not the value."""
    return {name: _value(name, fact) for name, fact in facts.items()}


def _value(name: str, fact: Fact) -> dg.MetadataValue:
    match fact:
        case bool():
            return dg.MetadataValue.bool(fact)
        case Enum():
            return dg.MetadataValue.text(str(fact.value))
        case int():
            return dg.MetadataValue.int(fact)
        case float():
            # Dagster plots floats: what is not finite has no place on an axis
            return dg.MetadataValue.float(fact) if math.isfinite(fact) else dg.MetadataValue.null()
        case datetime():
            return dg.MetadataValue.timestamp(fact)
        case Digest(hex=text) | Declared(text=text):
            return dg.MetadataValue.text(text)
        case exp.Expr():
            return dg.MetadataValue.md(f"```sql\n{fact.sql(dialect='duckdb', pretty=True)}\n```")
        case Rows():
            return dg.MetadataValue.table([dg.TableRecord(dict(row)) for row in fact.rows])
        case Picture(png=png):
            return dg.MetadataValue.md(f"![figure](data:image/png;base64,{base64.b64encode(png).decode()})")
        case dg.TableSchema():
            return dg.MetadataValue.table_schema(fact)
        case dg.TableColumnLineage():
            return dg.MetadataValue.column_lineage(fact)
        case dg.CodeReferencesMetadataValue():
            return fact
    raise TypeError(f"metadata {name!r} is of type {type(fact).__name__}, which is not on the list of what may be told")
