"""How often each value of each column is there, with noise: the one-way marginals.

A column with few values is counted value by value. An ordered column with many is counted in steps: ranges of equal
width first; then, of those ranges alone in which noise does not explain what was counted, each sixteenth by itself, and
so on down to single values. So a point that many share is found among a million, and where nobody is, nothing is drawn.

**Sensitivity.** A person has at most m rows. In one step each row adds 1 to one range, or to the cell of NULL, or to
none (where its range was not looked into). So a person moves the vector of a step by at most m in L1, and in L2, which
is never more. Each step of each column is a draw of its own, paid by itself; which ranges are looked into is told by
the noisy counts of the step before.

What is made of the counts afterwards (`Histogram.shares`) looks at nobody: counts are brought to sum up to the total,
none below zero, by the same subtraction from all that stay ("norm-sub", Wang et al., NDSS 2020: the nearest such
vector in L2), ranges first and their parts within them. Where a range was not looked into its values are alike. NULL is
kept only if noise alone would hardly be as large (1 in 10,000), so that a column without NULL keeps having none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from privacy_assets.coded import Coded, Codes, Domain
from privacy_assets.techniques.synthesize._drawing import Floats, Ints
from privacy_assets.techniques.synthesize._spending import Account

FIRST = 256
"""So many ranges at most are counted first."""

PARTS = 16
"""Into so many parts a range is cut."""

TELLING = 3.0
"""A range is looked into if it counts more than so many standard deviations of the noise."""

NULL_BY_NOISE = 0.0001


@dataclass(frozen=True, slots=True)
class Step:
    """Noisy `counts` (ranges) of the ranges `places` (ranges), each `width` values wide."""

    width: int
    places: Ints
    counts: Floats
    scale: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """What was counted of one column: its steps, coarse to fine, and how often NULL was there, if it is told."""

    size: int
    steps: tuple[Step, ...]
    nulls: float
    null_told: bool

    @property
    def total(self) -> float:
        """How many rows there are, by this column alone."""
        return float(self.steps[0].counts.sum()) + self.nulls

    @property
    def variance(self) -> float:
        """Of `total`."""
        return self.steps[0].scale ** 2 * (len(self.steps[0].counts) + 1)

    def shares(self, total: float) -> Floats:
        """(size + 1,) the share of each value among `total` > 0 rows, that of NULL last; they sum up to 1."""
        step, *finer = self.steps
        estimates = norm_sub(np.append(step.counts, self.nulls) if self.null_told else step.counts, total)
        cells = np.zeros(self.size + 1)
        if self.null_told:
            cells[-1], estimates = estimates[-1], estimates[:-1]
        _spread(cells, step, estimates)
        for parts in finer:
            parents, starts = np.unique(parts.places * parts.width // step.width, return_index=True)
            whole = estimates[np.searchsorted(step.places, parents)]
            split = np.split(parts.counts, starts[1:])
            estimates = np.concatenate([norm_sub(part, mass) for part, mass in zip(split, whole, strict=True)])
            _spread(cells, parts, estimates)
            step = parts
        shares: Floats = cells / cells.sum()
        return shares


def _spread(cells: Floats, step: Step, estimates: Floats) -> None:
    """Deal what each range holds to its values, all alike."""
    starts = step.places * step.width
    widths = np.minimum(starts + step.width, len(cells) - 1) - starts
    within = np.arange(widths.sum()) - np.repeat(np.cumsum(widths) - widths, widths)
    cells[np.repeat(starts, widths) + within] = np.repeat(estimates / widths, widths)


def total(histograms: Sequence[Histogram]) -> float:
    """How many rows there are, by all columns: a mean weighted by how sure each is, never below 1."""
    weights = np.array([1 / histogram.variance for histogram in histograms])
    found = np.array([histogram.total for histogram in histograms])
    return max(1.0, float(weights @ found / weights.sum()))


def norm_sub(counts: Floats, total: float) -> Floats:
    """The vector nearest to `counts` (any shape) that is nowhere below zero and sums up to `total` >= 0."""
    falling = np.sort(counts, axis=None)[::-1]
    excess = (np.cumsum(falling) - total) / np.arange(1, len(falling) + 1)
    last = np.flatnonzero(falling - excess > 0)
    less = excess[last[-1]] if len(last) else falling[0]
    kept: Floats = np.maximum(counts - less, 0.0)
    return kept


def counted(codes: Codes, domain: Domain, rows_per_person: int, account: Account, share: float) -> Histogram:
    """One column, for a share of what may be spent."""
    widths = _widths(domain)
    known = codes[codes < domain.size].astype(np.int64)
    places = np.arange(-(-domain.size // widths[0]), dtype=np.int64)
    steps: list[Step] = []
    nulls, null_told = 0.0, False
    for width in widths:
        noise = account.additive(rows_per_person, share / len(widths))
        exact = np.bincount(known // width, minlength=-(-domain.size // width))[places].tolist()
        if not steps:
            *found, nulls = noise.add([*exact, len(codes) - len(known)])
            null_told = nulls > noise.accuracy(NULL_BY_NOISE)
        else:
            found = noise.add(exact)
        step = Step(width, places, np.array(found, dtype=np.float64), noise.scale)
        steps.append(step)
        inside = places[step.counts > TELLING * noise.scale]
        places = (inside[:, None] * PARTS + np.arange(PARTS)).ravel()
        places = places[places * (width // PARTS) < domain.size]
        if not len(places):
            break
    return Histogram(domain.size, tuple(steps), float(nulls), null_told)


def _widths(domain: Domain) -> list[int]:
    """Of the ranges of each step: sixteenths of those before, down to 1."""
    widths = [1]
    while domain.ordered and domain.size > FIRST * widths[0]:
        widths.insert(0, widths[0] * PARTS)
    return widths


def counted_all(table: Coded, rows_per_person: int, account: Account, share: float) -> list[Histogram]:
    """All columns, each for the same share of `share`."""
    each = share / len(table.domains)
    return [
        counted(table.codes[:, place], domain, rows_per_person, account, each)
        for place, domain in enumerate(table.domains)
    ]
