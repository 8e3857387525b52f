"""singling_out: who has the release guesses that a value which is unique in it is one person's only.

A guess is a predicate over one column: "is v" for a v that one released row has, "at most" the least and "at least"
the largest released value of an ordered column, "is NULL" where one row has none. It succeeds where exactly one real
row meets it. Of `everyone` guesses are counted; of the `most_exposed` people who are singled out by any of them.

Source: Giomi et al., "A unified framework for quantifying privacy risk in synthetic data", PoPETs 2023(2), section
5.1 (univariate), after Article 29 Working Party, WP 216. Baseline: columns, values of the domain and comparisons that
are drawn at random.

A release offers a few guesses where its columns have few values: the other tries have failed then, since there was
nothing to say. Not covered: ranges inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from privacy_assets.attacks import _singling
from privacy_assets.attacks._people import as_many
from privacy_assets.attacks._predicates import Predicates, guessed
from privacy_assets.attacks._trying import Count, Target, Tries
from privacy_assets.coded import Coded
from privacy_assets.words import Frozen, Stage

ADVERSARY = "Who takes a value that is unique in the release for one person's only."
ON = Stage.SYNTHETIC


class Parameters(Frozen):
    """How often they guess at most."""

    kind: Literal["singling_out"]
    tries: Count = 2_000


def attack(parameters: Parameters, target: Target, generator: np.random.Generator) -> Sequence[Tries]:
    """A line for each group."""
    fitted, control = as_many(target, generator)
    guesses = _unique(target.released)
    guesses = guesses.take(generator.permutation(guesses.size)[: parameters.tries])
    return _singling.counted(
        "", parameters.tries, fitted, control, guesses, guessed(fitted, guesses.size, 1, generator)
    )


def _unique(released: Coded) -> Predicates:
    """All predicates over one column that the release suggests."""
    found = []
    for column in sorted(range(len(released.domains)), key=lambda place: released.domains[place].name):
        domain, codes = released.domains[column], released.codes[:, column]
        values, counts = np.unique(codes, return_counts=True)
        found += [(column, value, value) for value in values[counts == 1].tolist()]
        if domain.ordered and (known := values[values < domain.size]).size:
            found += [(column, 0, int(known[0])), (column, int(known[-1]), domain.size - 1)]
    return Predicates(np.array(found, np.int64).reshape(-1, 1, 3))
