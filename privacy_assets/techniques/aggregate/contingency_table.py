"""contingency_table: how many rows there are of each combination of two columns or more, with its margins.

**Sensitivity.** As of `count`: a row is in one combination, or in none. A person moves the vector of all combinations
by at most `rows` in L1, and in L2. Margins are sums of noisy cells: they agree with the table, and cost nothing more.
They are further off than counts of their own would be: by the sum of all the noise in them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.techniques.aggregate import count
from privacy_assets.techniques.aggregate._grouped import (
    Answer,
    ColumnName,
    Columns,
    Exact,
    Grouped,
    Plain,
    group_axes,
    group_cells,
    group_fault,
    group_select,
    label_of,
)
from privacy_assets.techniques.noise import Noise
from privacy_assets.weakening import Weaker

plan = count.plan


class Parameters(Grouped):
    """Counts combinations of the columns `by`."""

    kind: Literal["contingency_table"]
    by: Annotated[tuple[ColumnName, ...], Field(min_length=2, max_length=8), Weaker.ADDED]


def fault(parameters: Parameters, columns: Columns) -> tuple[str, str] | None:
    """Fits columns with declared values."""
    return group_fault(parameters, columns)


def reads(parameters: Parameters) -> tuple[str, ...]:
    """The columns of the table."""
    return parameters.by


def cells(parameters: Parameters, columns: Columns) -> tuple[str, ...]:
    """All combinations of declared values, then those of fewer columns, down to `all`."""
    return tuple(_parts(parameters, columns))


def _parts(parameters: Parameters, columns: Columns) -> Mapping[str, tuple[str, ...]]:
    """The combinations that each cell is the sum of."""
    axes = group_axes(parameters, columns)
    parts: dict[str, list[str]] = {}
    for table in plain(parameters, columns).tables:
        for cell in itertools.product(*(axis.labels if axis in table else ("",) for axis in axes)):
            parts[label_of(cell)] = []
    for combination in itertools.product(*(axis.labels for axis in axes)):
        for cell in itertools.product(*((label, "") for label in combination)):
            parts[label_of(cell)].append(label_of(combination))
    return {cell: tuple(of) for cell, of in parts.items()}


def exact(parameters: Parameters, columns: Columns) -> exp.Select:
    """The number of rows of each combination."""
    return group_select(parameters, [exp.Count(this=exp.Star())])


def answer(parameters: Parameters, columns: Columns, exact: Exact, mechanisms: Sequence[Noise]) -> Iterator[Answer]:
    """The noisy counts of all combinations, from one draw, and their sums."""
    (noise,) = mechanisms
    combinations = group_cells(parameters, columns)
    counts = dict(zip(combinations, noise.add([exact.get(cell, (0,))[0] for cell in combinations]), strict=True))
    for cell, of in _parts(parameters, columns).items():
        value, accuracy = sum(counts[one] for one in of), noise.accuracy(added=len(of))
        yield Answer(
            cell, "count", value, value - accuracy, value + accuracy, accuracy, noise.mechanism, noise.scale, noise.loss
        )


def plain(parameters: Parameters, columns: Columns) -> Plain:
    """The number of rows of each combination, and of those of fewer columns."""
    return Plain(group_axes(parameters, columns), count.tell, margins=True)
