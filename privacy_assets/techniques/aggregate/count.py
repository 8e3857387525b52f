"""count: how many rows there are, by group.

**Sensitivity.** A person has at most `rows` rows in `bounded`. Each is in one cell or in none, and adds 1 to it. So a
person moves the vector of all cells by at most `rows` in L1; and in L2, which is never more than L1. That is reached
where all rows of the person are in one cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from sqlglot import exp

from privacy_assets.techniques.aggregate._grouped import (
    Answer,
    Columns,
    Exact,
    Grouped,
    Plain,
    group_axes,
    group_cells,
    group_fault,
    group_select,
)
from privacy_assets.techniques.noise import Measure, Noise, additive


class Parameters(Grouped):
    """Counts rows, of whatever content."""

    kind: Literal["count"]


def fault(parameters: Parameters, columns: Columns) -> tuple[str, str] | None:
    """Fits every table."""
    return group_fault(parameters, columns)


def reads(parameters: Parameters) -> tuple[str, ...]:
    """The columns of the groups."""
    return parameters.by


def cells(parameters: Parameters, columns: Columns) -> tuple[str, ...]:
    """All combinations of declared groups."""
    return group_cells(parameters, columns)


def exact(parameters: Parameters, columns: Columns) -> exp.Select:
    """The number of rows of each cell."""
    return group_select(parameters, [exp.Count(this=exp.Star())])


def plan(parameters: Grouped, measure: Measure, loss: float, rows: int) -> tuple[Noise, ...]:
    """One draw for the vector of all cells."""
    return (additive(measure, rows, loss),)


def answer(parameters: Parameters, columns: Columns, exact: Exact, mechanisms: Sequence[Noise]) -> Iterator[Answer]:
    """The noisy counts: not biased, and so below zero at times."""
    return answers(cells(parameters, columns), exact, mechanisms)


def answers(labels: Sequence[str], exact: Exact, mechanisms: Sequence[Noise]) -> Iterator[Answer]:
    """One draw for all these cells."""
    (noise,) = mechanisms
    accuracy = noise.accuracy()
    for cell, value in zip(labels, noise.add([exact.get(cell, (0,))[0] for cell in labels]), strict=True):
        yield Answer(
            cell, "count", value, value - accuracy, value + accuracy, accuracy, noise.mechanism, noise.scale, noise.loss
        )


def plain(parameters: Grouped, columns: Columns) -> Plain:
    """The number of rows of each group."""
    return Plain(group_axes(parameters, columns), tell)


def tell(rows: int, amount: int) -> Mapping[str, float]:
    """The number of rows, as it is."""
    return {"count": rows}
