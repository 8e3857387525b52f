"""sum: a number added up, by group.

**Sensitivity.** A value counts as a whole number of units of its last decimal, between `low` and `high`; an unknown one
adds nothing. So a row moves its cell by at most B = max(|low|, |high|) units, a person, with at most `rows` rows, the
vector of all cells by at most `rows` x B in L1; and in L2. `low` is there to be 0 where numbers are never below it: it
does not shrink B, but says what is meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from sqlglot import exp

from privacy_assets.techniques.aggregate._grouped import (
    Answer,
    Bounded,
    Columns,
    Exact,
    Plain,
    amount_name,
    bounded_cells,
    bounded_fault,
    bounded_reads,
    group_axes,
    group_select,
    known_axis,
    whole,
    within,
)
from privacy_assets.techniques.noise import Measure, Noise, additive

fault, reads, cells = bounded_fault, bounded_reads, bounded_cells


class Parameters(Bounded):
    """Adds up the column."""

    kind: Literal["sum"]

    @property
    def bound(self) -> int:
        """The most that one row can add or take away, in units."""
        return max(abs(self.units(self.low)), abs(self.units(self.high)))


def exact(parameters: Parameters, columns: Columns) -> exp.Select:
    """The sum of each cell, in units."""
    return group_select(parameters, [within(exp.Sum(this=whole(parameters, columns)))])


def plan(parameters: Parameters, measure: Measure, loss: float, rows: int) -> tuple[Noise, ...]:
    """One draw for the vector of all cells."""
    return (additive(measure, rows * parameters.bound, loss),)


def answer(parameters: Parameters, columns: Columns, exact: Exact, mechanisms: Sequence[Noise]) -> Iterator[Answer]:
    """The noisy sums."""
    labels = cells(parameters, columns)
    (noise,) = mechanisms
    unit = 10**parameters.decimals
    accuracy = noise.accuracy() / unit
    for cell, units in zip(labels, noise.add([exact.get(cell, (0,))[0] for cell in labels]), strict=True):
        value = units / unit
        yield Answer(
            cell,
            "sum",
            value,
            value - accuracy,
            value + accuracy,
            accuracy,
            noise.mechanism,
            noise.scale / unit,
            noise.loss,
        )


def plain(parameters: Parameters, columns: Columns) -> Plain:
    """The sum of each group, of the rows whose number is known."""
    unit = 10**parameters.decimals
    return Plain(
        (*group_axes(parameters, columns), known_axis(parameters, columns)),
        lambda rows, amount: {"sum": amount / unit},
        counts=False,
        amount=whole(parameters, columns),
        amount_name=amount_name(parameters),
        bounds=(parameters.units(parameters.low), parameters.units(parameters.high)),
    )
