"""only_columns: the table has exactly the columns that it may have.

Asked of the engine's own catalogue (`duckdb_columns()`), not of what a stage believes to have written. Names are
compared letter by letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from sqlglot import exp

from privacy_assets.invariants._asking import ColumnNames, ask, judged
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers

NUMBERS = ("columns", "unexpected", "missing")
NEXT_STEP = "state in the purpose why the column is needed, or stop it from flowing"


class Parameters(Frozen):
    """The names that there must be, and no others."""

    kind: Annotated[Literal["only_columns"], Weaker.ELSEWHERE]
    columns: Annotated[ColumnNames, Weaker.ADDED]


def about(parameters: Parameters) -> str:
    """The whole table."""
    return ""


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """Counts the table's columns, those that are not among the names, and the names that are no column."""
    allowed = tuple(dict.fromkeys(parameters.columns))
    return ask(
        """SELECT count(*) AS "columns",
                  count_if("column_name" NOT IN $allowed) AS "unexpected",
                  $expected - count_if("column_name" IN $allowed) AS "missing"
           FROM duckdb_columns()
           WHERE "database_name" = $catalog AND "schema_name" = $schema AND "table_name" = $table""",
        allowed=allowed,
        expected=len(allowed),
        catalog=output.catalog or exp.func("current_database"),
        schema=output.db or exp.func("current_schema"),
        table=output.name,
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept with no column too many and none too few."""
    return judged(
        "only_columns",
        "",
        f"exactly the {len(set(parameters.columns))} columns that are declared",
        numbers,
        NUMBERS,
        lambda found: found["unexpected"] == 0 and found["missing"] == 0,
        evidence="columns",
    )
