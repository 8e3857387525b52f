"""singling_out_multivariate: who has the release guesses that what is unique in it across columns is one person's only.

A guess takes a released row and some columns at random: categories as they are, numbers "at least" the row's where it
lies above the column's median and "at most" it elsewhere, NULL as NULL. It is kept if that row alone meets it in the
release, and succeeds where exactly one real row meets it. Of `everyone` guesses are counted; of the `most_exposed`
people who are singled out by any of them.

Source: Giomi et al., "A unified framework for quantifying privacy risk in synthetic data", PoPETs 2023(2), section
5.1 (multivariate). Baseline: columns, values of the domain and comparisons that are drawn at random.

Some of the guesses single somebody out of any table of that size, also of people whom the release never saw: that is
what the control is for. Guesses are drawn until there are `tries`, or until 1,000 draws find no new one. Not covered:
predicates that are sought out rather than drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from privacy_assets.attacks import _singling
from privacy_assets.attacks._people import as_many
from privacy_assets.attacks._predicates import Index, Predicates, distinct_columns, guessed
from privacy_assets.attacks._rows import in_order
from privacy_assets.attacks._trying import Count, Target, Tries
from privacy_assets.coded import Coded
from privacy_assets.words import Frozen, Stage

ADVERSARY = "Who takes a combination of values that is unique in the release for one person's only."
ON = Stage.SYNTHETIC
DRAWS = 1_000
"""How many guesses are drawn at most for a new one."""


class Parameters(Frozen):
    """How often they guess, and over how many columns at a time."""

    kind: Literal["singling_out_multivariate"]
    tries: Count = 5_000
    columns: Annotated[int, Field(ge=2, le=20)] = 3


def attack(parameters: Parameters, target: Target, generator: np.random.Generator) -> Sequence[Tries]:
    """A line for each group."""
    fitted, control = as_many(target, generator)
    columns = min(parameters.columns, len(target.released.domains))
    guesses = _unique(in_order(target.released), parameters.tries, columns, generator)
    blind = guessed(fitted, guesses.size, columns, generator)
    return _singling.counted(f"{parameters.columns}_columns", parameters.tries, fitted, control, guesses, blind)


def _unique(released: Coded, tries: int, columns: int, generator: np.random.Generator) -> Predicates:
    """Different predicates that one released row meets, as many as are wanted and can be found."""
    index, medians = Index(released), _medians(released)
    kept, size = _drawn(released, medians, 0, columns, generator), 2 * tries
    while released.rows and kept.size < tries:
        before, more = kept.size, _drawn(released, medians, size, columns, generator)
        kept = _different(kept, more.take(index.alone(more) >= 0))
        new = kept.size - before
        if new * DRAWS < size:
            break
        size = int(np.clip(1.2 * (tries - kept.size) * size / new, tries, 50 * tries))
    return kept.take(np.arange(min(tries, kept.size)))


def _drawn(
    released: Coded, medians: npt.NDArray[np.float64], size: int, columns: int, generator: np.random.Generator
) -> Predicates:
    chosen = np.sort(distinct_columns(released, size, columns, generator), axis=1)
    rows = generator.integers(max(1, released.rows), size=size)
    sizes = np.array([domain.size for domain in released.domains])[chosen]
    ordered = np.array([domain.ordered for domain in released.domains])[chosen]
    values = released.codes[rows[:, None], chosen].astype(np.int64) if size else np.zeros((0, columns), np.int64)
    compared = ordered & (values < sizes)
    above = values > medians[chosen]
    low, high = np.where(compared & ~above, 0, values), np.where(compared & above, sizes - 1, values)
    return Predicates(np.stack([chosen, low, high], axis=2))


def _medians(released: Coded) -> npt.NDArray[np.float64]:
    """(columns,) the median code of what is not NULL; of no value 0."""
    found = []
    for column, domain in enumerate(released.domains):
        codes = released.codes[:, column]
        known = codes[codes < domain.size]
        found.append(np.median(known) if known.size else 0.0)
    return np.array(found)


def _different(kept: Predicates, more: Predicates) -> Predicates:
    """Both, every predicate once, in the order in which they were drawn."""
    parts = np.concatenate([kept.parts, more.parts])
    _, first = np.unique(parts, axis=0, return_index=True)
    return Predicates(parts[np.sort(first)])
