"""downcoding: who knows that rows were generalized no further than needed undoes a part of it, and finds one of them.

The adversary looks for a predicate that exactly one row has: a published class, and one finer label in one of its
columns ("this class, and of its ages 20 to 39 the 20 to 29"). A recoding that loses as little as possible would have
published the finer label for whoever has k others to share it with; so in a class of n rows, whose column could be
split into parts with shares p_1 .. p_m, each part has 0 to k - 1 rows. With n_i Poisson and truncated at k - 1,

    P(n_i = 1 | sum n = N) = p_i [x^(N-1)] prod_{j != i} f_j  /  [x^N] prod_j f_j,   f_j(x) = sum_{a < k} (p_j x)^a / a!

They take, of each class, the predicate with the largest probability, and begin where it is largest. Control: what the
same predicates find among N other people, each of whom has the finer label with chance p_i: labels that were
chosen without a look at how many have them. Baseline: any finer label of the class. Shares are those that
the release itself shows, each row spread over the leaves of its label.

Cohen: Attacks on deidentification's defenses (USENIX Security 2022), section 3; predicates that single out: Cohen and
Nissim (PNAS 2020), who show that chance alone finds one row with 1/e (0.37)
at best. What it does not cover: two columns made finer at once,
rules beside k (l-diversity keeps more together, so that less can be told), `mondrian`, whose labels have no level.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from privacy_assets.attacks._generalized import Generalized
from privacy_assets.attacks._trying import EVERYONE, Tries
from privacy_assets.words import Frozen, Stage

ADVERSARY = "Who has the table and the program, and wants to say something that is true of one row in it."
ON = Stage.ANONYMIZED

STRANGERS = 10
"""How often the control is drawn for each class."""

LARGEST = 100
"""Rows of the largest class that is looked at: of more, nobody finds one by a single label."""

Floats = npt.NDArray[np.float64]


class Parameters(Frozen):
    """`k` is the number that the table was made for; at most `tries` classes are attacked."""

    kind: Literal["downcoding"]
    k: Annotated[int, Field(ge=2)]
    tries: Annotated[int, Field(ge=1, le=1_000_000)] = 2000


def attack(parameters: Parameters, target: Generalized, generator: np.random.Generator) -> Sequence[Tries]:
    """One predicate a class, by each of the three adversaries: how many are of exactly one row."""
    published = np.flatnonzero(target.classes >= 0)
    order = published[np.argsort(target.classes[published], kind="stable")]
    _, starts = np.unique(target.classes[order], return_index=True)
    sizes = np.add.reduceat(target.rows[order], starts) if len(order) else np.zeros(0, np.int64)
    shares = _shares(target, published)
    guesses = [
        guess
        for start, end, size in zip(starts, np.append(starts, len(order))[1:], sizes, strict=True)
        if size <= LARGEST
        and (guess := _of_class(parameters.k, target, shares, order[start:end], int(size), generator)) is not None
    ]
    took = sorted(guesses, key=lambda guess: -guess.chance)[: parameters.tries]
    # of a class that cannot be looked into there is nothing to say, and the try has failed
    tried = min(parameters.tries, len(starts))
    sizes_of, shares_of = np.array([(guess.size, guess.share) for guess in took]).reshape(-1, 2).T
    control = int((generator.binomial(sizes_of.astype(np.int64), shares_of, (STRANGERS, len(took))) == 1).sum())
    found, any_label = sum(guess.found for guess in took), sum(guess.any_label for guess in took)
    return [Tries("", EVERYONE, tried, found, tried * STRANGERS, control, tried, any_label)]


@dataclass(frozen=True, slots=True)
class _Guess:
    """One class of `size` rows, and the adversary's predicate, which a `share` of people has.

    `chance` is how probable they think that it is of exactly one row, `found` whether it is, `any_label` whether that
    of a finer label drawn by chance is.
    """

    chance: float
    size: int
    share: float
    found: bool
    any_label: bool


def _shares(target: Generalized, published: npt.NDArray[np.intp]) -> list[Floats]:
    """The share of each leaf of each column, as the release shows it."""
    found = []
    for place, groups in enumerate(target.hierarchies):
        leaves, levels = target.leaves[published, place], target.levels[published, place]
        total = np.zeros(groups.shape[1])
        for level, numbers in enumerate(groups):
            at = levels == level
            rows = np.bincount(numbers[leaves[at]], weights=target.rows[published][at], minlength=numbers.max() + 1)
            total += (rows / np.bincount(numbers))[numbers]
        # nobody knows of a leaf that nobody has it
        found.append((total + 1e-9) / (total + 1e-9).sum())
    return found


def _of_class(
    k: int,
    target: Generalized,
    shares: Sequence[Floats],
    members: npt.NDArray[np.intp],
    size: int,
    generator: np.random.Generator,
) -> _Guess | None:
    """The predicates about one class; None where no column of it could be finer."""
    first, rows = members[0], target.rows[members]
    best = (-1.0, 0.0, 0, 0)
    finer: list[tuple[int, int]] = []
    for place, groups in enumerate(target.hierarchies):
        level = int(target.levels[first, place])
        if level == 0:
            continue
        inside = groups[level] == groups[level][target.leaves[first, place]]
        children, parts = np.unique(groups[level - 1][inside], return_inverse=True)
        weights = np.bincount(parts, weights=shares[place][inside])
        told = tuple(np.round(weights / weights.sum(), 6).tolist())
        chances = _chances(told, size, k)
        likely = int(np.argmax(chances))
        if chances[likely] > best[0]:
            best = (chances[likely], told[likely], place, int(children[likely]))
        finer += [(place, int(child)) for child in children]
    if not finer:
        return None

    def is_one(place: int, child: int) -> bool:
        level = int(target.levels[first, place])
        labels = target.hierarchies[place][level - 1][target.leaves[members, place]]
        return int(rows[labels == child].sum()) == 1

    chance, share, *predicate = best
    drawn = finer[int(generator.integers(len(finer)))]
    return _Guess(chance, size, share, is_one(*predicate), is_one(*drawn))


@lru_cache(maxsize=1 << 16)
def _chances(shares: tuple[float, ...], size: int, k: int) -> tuple[float, ...]:
    """For each part the chance that exactly one row is in it, where no part has k; without that where it cannot be."""
    numbers = np.arange(k)
    inverse = np.array([1 / math.factorial(number) for number in range(k)])
    # each part's mean is its expected number, so that no term is too small
    terms = [inverse * (share * size) ** numbers * math.exp(-share * size) for share in shares]
    before, after = [np.ones(1)], [np.ones(1)]
    for own, other in zip(terms, terms[::-1], strict=True):
        before.append(np.convolve(before[-1], own)[: size + 1])
        after.append(np.convolve(after[-1], other)[: size + 1])
    whole = before[-1][size] if len(before[-1]) > size else 0.0
    if whole <= 0:
        return tuple(size * share * (1 - share) ** (size - 1) for share in shares)
    found = []
    for place, own in enumerate(terms):
        others = np.convolve(before[place], after[len(shares) - 1 - place])
        found.append(float(own[1] * others[size - 1] / whole) if len(others) >= size else 0.0)
    return tuple(found)
