"""quantile: one of some declared candidates, below which about the share `q` of the numbers lies, by group.

With q = a / b, and for a candidate c the numbers below it counted as u and those above it as v, its score is
|(b - a) u - a v|: 0 where c is exactly the quantile (Smith 2011). The candidate of the smallest score is selected with
noise.

**Sensitivity.** A row adds 1 to u or to v of a candidate, or to neither, so it moves each score by at most
m = max(a, b - a), and a person who has r rows in a cell moves every score of that cell by at most r m: L-infinity.
Cells are selected one after the other, and a row is in one of them. Under pure ε a selection costs 2 d / s at distance
d: over the cells that adds up to 2 (r_1 + r_2 + ...) m / s <= 2 `rows` m / s. Under ρ it costs (d / s)²/2, and the sum
of squares is at most the square of the sum. So all cells together cost what one cell with all `rows` rows costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, model_validator
from sqlglot import exp

from privacy_assets.techniques.aggregate._grouped import (
    Answer,
    Bounded,
    Columns,
    Exact,
    bounded_cells,
    bounded_fault,
    bounded_reads,
    group_select,
    parse,
    whole,
)
from privacy_assets.techniques.noise import Measure, Noise, selection
from privacy_assets.weakening import Weaker
from privacy_assets.words import Number

MOST_CANDIDATES = 1000
_PLACE = "place"


fault, reads, cells = bounded_fault, bounded_reads, bounded_cells


class Parameters(Bounded):
    """The share `q` (0.5: the median; two decimals); candidates go from `low` to `high` in steps of `step`."""

    kind: Literal["quantile"]
    q: Annotated[float, Field(ge=0.01, le=0.99), Weaker.ANY]
    step: Annotated[Number, Field(gt=0), Weaker.LESS]

    @model_validator(mode="after")
    def _has_candidates(self) -> Parameters:
        steps = (self.units(self.high) - self.units(self.low)) / max(self.units(self.step), 1)
        if self.units(self.step) < 1 or steps != int(steps) or not 1 <= steps < MOST_CANDIDATES:
            raise ValueError(
                f"`step` must be whole in `decimals` digits, and lead from `low` to `high` in {MOST_CANDIDATES} steps"
            )
        if abs(self.q * 100 - round(self.q * 100)) > 1e-9:
            raise ValueError("`q` has two decimals")
        return self

    @property
    def share(self) -> Fraction:
        """`q` as a fraction in lowest terms."""
        return Fraction(round(self.q * 100), 100)

    @property
    def candidates(self) -> tuple[int, ...]:
        """In units of the last decimal, rising."""
        return tuple(range(self.units(self.low), self.units(self.high) + 1, self.units(self.step)))

    @property
    def per_row(self) -> int:
        """The most that one row can move a score."""
        return max(self.share.numerator, self.share.denominator - self.share.numerator)


def exact(parameters: Parameters, columns: Columns) -> exp.Select:
    """How many numbers lie at each place: 2i at the candidate i (from 0), 2i + 1 between it and the next.

    A number below all candidates counts as the smallest, one above all as the greatest. That is done to each number by
    itself, before anything is counted: it moves no person's rows into another cell of the argument above.
    """
    steps = parse("$value - $low", value=whole(parameters, columns), low=parameters.units(parameters.low))
    place = parse(
        "2 * (($steps) // $step) + CASE WHEN ($steps) % $step > 0 THEN 1 ELSE 0 END",
        steps=steps,
        step=parameters.units(parameters.step),
    )
    return group_select(parameters, [exp.Count(this=exp.Star())], (_PLACE, place))


def plan(parameters: Parameters, measure: Measure, loss: float, rows: int) -> tuple[Noise, ...]:
    """One selection a cell, which cost together what one costs with all rows of a person in it."""
    return (selection(measure, rows * parameters.per_row, loss),)


def scores(parameters: Parameters, counts: Sequence[int]) -> list[int]:
    """The score of each candidate, from how many numbers lie at each place."""
    below, all_of, found = 0, sum(counts), []
    a, b = parameters.share.numerator, parameters.share.denominator
    for at in range(len(parameters.candidates)):
        above = all_of - below - counts[2 * at]
        found.append(abs((b - a) * below - a * above))
        below += sum(counts[2 * at : 2 * at + 2])
    return found


def answer(parameters: Parameters, columns: Columns, exact: Exact, mechanisms: Sequence[Noise]) -> Iterator[Answer]:
    """The selected candidates. No interval in units of the value is known; `accuracy` is by how many rows it is off."""
    labels = cells(parameters, columns)
    (noise,) = mechanisms
    unit, places = 10**parameters.decimals, 2 * len(parameters.candidates) - 1
    accuracy = noise.accuracy(of=len(parameters.candidates)) / parameters.share.denominator
    for cell in labels:
        prefix = "" if not parameters.by else f"{cell}, "
        counts = [exact.get(f"{prefix}{_PLACE}={place}", (0,))[0] for place in range(places)]
        chosen = parameters.candidates[noise.select_smallest(scores(parameters, counts))]
        yield Answer(cell, "quantile", chosen / unit, None, None, accuracy, noise.mechanism, noise.scale, noise.loss)


def plain(parameters: Parameters, columns: Columns) -> None:
    """Not at all: without noise it is the number of one person, or lies between those of two."""
