"""Whom an adversary is tried on: as many people of the release as of the control, and those who stand out most.

Belongs here: drawing people, and how exposed each is. Does not belong here: what is tried on them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from privacy_assets.attacks._rows import in_order
from privacy_assets.attacks._trying import EVERYONE, MOST_EXPOSED, Target
from privacy_assets.coded import Coded
from privacy_assets.errors import BadDeclaration

EXPOSED_SHARE = 0.01
"""Which part of the people are the most exposed."""
EXPOSED_AT_LEAST = 200
EXPOSED_AT_BEST = 1_000
"""How many they are at least: so many, or a twentieth of the people; of fewer, no count tells an excess from chance."""
BINS = 64
"""How many values of a column are told apart when rare ones are looked for."""
PAIRED = 24
"""Of how many columns the pairs are looked at: those whose values tell most."""


def as_many(target: Target, generator: np.random.Generator) -> tuple[Coded, Coded]:
    """The fitted and the control, of the larger as many as the other has, drawn at random.

    Whatever is counted per table (a predicate that only one row meets, a neighbour's distance) depends on how many
    rows there are: of unequal tables, one of people who have nothing to do with the release would look at risk.
    """
    size = min(target.fitted.rows, target.control.rows)
    return sample(target.fitted, size, generator), sample(target.control, size, generator)


def sample(table: Coded, size: int, generator: np.random.Generator) -> Coded:
    """So many of its rows at random, or all. How the rows were ordered before makes no difference."""
    return in_order(table).take(generator.permutation(table.rows)[:size])


def groups(
    fitted: Coded, control: Coded, tries: int, generator: np.random.Generator
) -> Iterator[tuple[str, Coded, Coded]]:
    """Each group with its people, at most `tries` of either table, equally many: the most exposed first."""
    first, second = exposed(fitted, control)
    yield MOST_EXPOSED, fitted.take(first[:tries]), control.take(second[:tries])
    size = min(fitted.rows, control.rows, tries)
    yield EVERYONE, sample(fitted, size, generator), sample(control, size, generator)


def exposed(fitted: Coded, control: Coded) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The places of the most exposed in either table, equally many, most exposed first."""
    scores = exposure(Coded(fitted.domains, np.concatenate([fitted.codes, control.codes])))
    size = min(fitted.rows, control.rows)
    share = max(math.ceil(EXPOSED_SHARE * size), min(EXPOSED_AT_BEST, size // 20))
    size = min(size, max(EXPOSED_AT_LEAST, share))
    found = (np.argsort(-part, kind="stable")[:size] for part in np.split(scores, [fitted.rows]))
    return next(found), next(found)


def exposure(table: Coded) -> npt.NDArray[np.float64]:
    """(rows,) how rare a row's values are, alone and two by two: the sum of -log of how many rows share them.

    Ordered columns are counted in 62 equally wide bins of the domain, NULL apart; of categories the 62 most frequent,
    and all others together.
    """
    if not table.rows:
        return np.zeros(0)
    binned = [_binned(table, column) for column in range(len(table.domains))]
    alone = [_rarity(codes) for codes in binned]
    scores = np.sum(alone, axis=0) if alone else np.zeros(table.rows)
    telling = sorted(range(len(binned)), key=lambda column: (-alone[column].mean(), table.domains[column].name))
    for one, other in combinations(telling[:PAIRED], 2):
        scores += _rarity(binned[one] * BINS + binned[other])
    # columns may be added up in any order, and the same rarity stays the same number
    return scores.round(6)


def _binned(table: Coded, column: int) -> npt.NDArray[np.int64]:
    domain, codes = table.domains[column], table.codes[:, column].astype(np.int64)
    if domain.ordered:
        return np.where(codes == domain.size, BINS - 1, codes * (BINS - 2) // max(1, domain.size))
    if domain.size < BINS:
        return codes
    counts = np.bincount(codes, minlength=domain.size + 1)
    ranks = np.empty(len(counts), np.int64)
    ranks[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return np.minimum(ranks, BINS - 1)[codes]


def _rarity(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    counts = np.bincount(codes)
    return (math.log(len(codes)) - np.log(np.maximum(counts, 1)))[codes]


def places(target: Target, names: Sequence[str]) -> tuple[int, ...]:
    """The places of the columns with these names; raises BadDeclaration where the tables have no such column."""
    have = {domain.name: place for place, domain in enumerate(target.released.domains)}
    if missing := [name for name in names if name not in have]:
        raise BadDeclaration.of(
            "an attack names columns that the release does not have",
            found=", ".join(missing),
            expected=f"some of {', '.join(have)}",
        )
    return tuple(have[name] for name in names)


def known_without(target: Target, column: int) -> tuple[int, ...]:
    """What an adversary knows of somebody whose value in `column` they want; all the other columns if nothing else."""
    known = target.known or range(len(target.released.domains))
    return tuple(place for place in known if place != column)


def strangers(people: Coded, generator: np.random.Generator) -> Coded:
    """As many rows of values of the domains, each as likely: what is guessed by who has seen no release."""
    drawn = [generator.integers(domain.size, size=people.rows, dtype=np.int32) for domain in people.domains]
    return Coded(people.domains, np.stack(drawn, axis=1) if drawn else people.codes)
