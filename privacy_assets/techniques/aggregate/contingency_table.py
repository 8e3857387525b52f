"""contingency_table: how many rows there are of each combination of two columns or more.

**Sensitivity.** As of `count`: a row is in one combination, or in none. A person moves the vector of all combinations
by at most `rows` in L1, and in L2. Margins are sums of noisy cells: they agree with the table, and cost nothing more.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.techniques.aggregate import count
from privacy_assets.techniques.aggregate._grouped import (
    ColumnName,
    Columns,
    Grouped,
    group_cells,
    group_fault,
    group_select,
)

plan = count.plan
answer = count.answer


class Parameters(Grouped):
    """Counts combinations of the columns `by`."""

    kind: Literal["contingency_table"]
    by: Annotated[tuple[ColumnName, ...], Field(min_length=2)]


def fault(parameters: Parameters, columns: Columns) -> tuple[str, str] | None:
    """Fits columns with declared values."""
    return group_fault(parameters, columns)


def reads(parameters: Parameters) -> tuple[str, ...]:
    """The columns of the table."""
    return parameters.by


def cells(parameters: Parameters, columns: Columns) -> tuple[str, ...]:
    """All combinations of declared values."""
    return group_cells(parameters, columns)


def exact(parameters: Parameters, columns: Columns) -> exp.Select:
    """The number of rows of each combination."""
    return group_select(parameters, [exp.Count(this=exp.Star())])
