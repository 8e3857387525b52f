"""has_columns: every promised column is there, with the promised type.

Asked of the engine's own catalogue (`duckdb_columns()`). Columns that nobody promised are allowed: they flow nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.invariants._asking import ColumnName, ask, judged
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("columns", "missing")
NEXT_STEP = "materialize it again under the contract as it is now"


class Parameters(Frozen):
    """Names and engine types that there must be, such as `(("age", "SMALLINT"),)`."""

    kind: Annotated[Literal["has_columns"], Weaker.ELSEWHERE]
    columns: Annotated[tuple[tuple[ColumnName, str], ...], Field(min_length=1), Weaker.ANY]


def about(parameters: Parameters) -> str:
    """The whole table."""
    return ""


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts the table's columns, and the promised ones that are not there or of another type."""
    promised = tuple(dict.fromkeys(f"{name} {kind}" for name, kind in parameters.columns))
    return ask(
        'SELECT count(*) AS "columns", '
        '$expected - count_if("column_name" || \' \' || "data_type" IN $promised) AS "missing" FROM duckdb_columns() '
        'WHERE "database_name" = $catalog AND "schema_name" = $schema AND "table_name" = $table',
        promised=promised,
        expected=len(promised),
        catalog=output.catalog or exp.func("current_database"),
        schema=output.db or exp.func("current_schema"),
        table=output.name,
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept with none missing."""
    return judged(
        "has_columns",
        "",
        f"the {len(set(parameters.columns))} promised columns, of the promised types",
        numbers,
        NUMBERS,
        lambda found: found["missing"] == 0,
        evidence="columns",
    )
