"""mean: the average of a number, by group, made of a noisy count and a noisy sum around the middle of the range.

With m the middle of `low` and `high` in units of the last decimal, n the rows of a cell whose number is known, and
s the sum of (x - m) over them, mean = m + s / n.

**Sensitivity.** n: as of `count`, `rows`. s: |x - m| is at most B = max(high - m, m - low) for a bounded x, so a person
moves the vector of all cells by at most `rows` x B in L1; and in L2. The two are two draws, each with half of the loss:
sequential composition. The division is post-processing. Summing around the middle needs half of the noise that
summing x itself does.
"""

from __future__ import annotations

import itertools
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
    parse,
    whole,
    within,
)
from privacy_assets.techniques.noise import Measure, Noise, additive

fault, reads, cells = bounded_fault, bounded_reads, bounded_cells


class Parameters(Bounded):
    """Averages the column."""

    kind: Literal["mean"]

    @property
    def middle(self) -> int:
        """What is taken off each value, in units."""
        return (self.units(self.low) + self.units(self.high)) // 2

    @property
    def bound(self) -> int:
        """The most that a value is away from the middle, in units."""
        return max(self.units(self.high) - self.middle, self.middle - self.units(self.low))


def exact(parameters: Parameters, columns: Columns) -> exp.Select:
    """How many values each cell has, and their sum around the middle, in units."""
    value = whole(parameters, columns)
    centred = exp.Sum(this=parse("$value - $middle", value=value.copy(), middle=parameters.middle))
    return group_select(parameters, [exp.Count(this=value), within(centred)])


def plan(parameters: Parameters, measure: Measure, loss: float, rows: int) -> tuple[Noise, ...]:
    """Two draws, each with half of the loss: counts and sums."""
    return additive(measure, rows, loss / 2), additive(measure, rows * parameters.bound, loss / 2)


def answer(parameters: Parameters, columns: Columns, exact: Exact, mechanisms: Sequence[Noise]) -> Iterator[Answer]:
    """The noisy counts, and the means within `low` and `high`; the middle where the noisy count is not above zero.

    The interval of a mean is where count and sum may lie with 97.5 % each, so that it holds with 95 % at least.
    """
    labels = cells(parameters, columns)
    counting, summing = mechanisms
    unit: int = 10**parameters.decimals
    counts = counting.add([exact.get(cell, (0, 0))[0] for cell in labels])
    sums = summing.add([exact.get(cell, (0, 0))[1] for cell in labels])
    around, off_count, off_sum = counting.accuracy(), counting.accuracy(0.025), summing.accuracy(0.025)

    def mean(count: float, total: float) -> float:
        around_middle = total / count if count > 0 else 0.0
        return float(min(max((parameters.middle + around_middle) / unit, parameters.low), parameters.high))

    for cell, count, total in zip(labels, counts, sums, strict=True):
        yield Answer(
            cell,
            "count",
            count,
            count - around,
            count + around,
            around,
            counting.mechanism,
            counting.scale,
            counting.loss,
        )
        value = mean(count, total)
        low, high = float(parameters.low), float(parameters.high)
        if count - off_count >= 1:
            corners = itertools.product((count - off_count, count + off_count), (total - off_sum, total + off_sum))
            reached = [mean(*corner) for corner in corners]
            low, high = min(reached), max(reached)
        yield Answer(
            cell,
            "mean",
            value,
            low,
            high,
            max(value - low, high - value),
            summing.mechanism,
            summing.scale / unit,
            summing.loss,
        )


def plain(parameters: Parameters, columns: Columns) -> Plain:
    """How many numbers are known in each group, and their mean."""
    unit = 10**parameters.decimals
    return Plain(
        (*group_axes(parameters, columns), known_axis(parameters, columns)),
        lambda rows, amount: {"count": rows, "mean": amount / rows / unit},
        amount=whole(parameters, columns),
        amount_name=amount_name(parameters),
        bounds=(parameters.units(parameters.low), parameters.units(parameters.high)),
    )
