"""minimality: labels that were chosen by a look at what is secret tell of it, more than the values that they stand for.

Where classes have to be diverse in a secret, how coarse a row was made depends on the secrets of its class: a row that
stayed coarse is one whose finer class had one illness alone. The adversary learns from half of the published rows
(whose secrets stand beside them) what labels and their levels say of the secret. Of two others with different secrets
they then say which has which: so that a rare secret counts as much as a frequent one.

Control: who learns in the same way from the true values of the same rows, at every level, and so knows all that labels
could say if they had been chosen without the secrets. Labels are coarser than values: where they tell more, it was put
there by the choice. Baseline: a coin.

Wong, Fu, Wang, Pei: Minimality attack in privacy preserving data publishing (VLDB 2007). A model that is trained on
such rows learns the same, and looks better than it is. What it does not cover: an adversary who knows the program and
searches for the secrets that would have led to these labels; `mondrian`, whose ranges have no level.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from privacy_assets.attacks._generalized import Generalized
from privacy_assets.attacks._trying import EVERYONE, Hits, Tries
from privacy_assets.words import Frozen, Stage

ADVERSARY = "Who sees how coarse each row was made, and infers the secret for whose sake it was."
ON = Stage.ANONYMIZED

LEARNED_FROM = 10_000
"""Rows that are learned from at most."""

ROUNDS = 40
"""Trees of each learner."""

Ints = npt.NDArray[np.int64]


class Parameters(Frozen):
    """`secret` is the column that is guessed; it is tried on so many pairs of rows."""

    kind: Literal["minimality"]
    secret: Annotated[str, Field(min_length=1)]
    tries: Annotated[int, Field(ge=1, le=1_000_000)] = 2000


def attack(parameters: Parameters, target: Generalized, generator: np.random.Generator) -> Sequence[Tries]:
    """Guesses about pairs of rows that were not learned from, by their labels and by their true values."""
    combinations, values, rows = target.secrets[parameters.secret]
    published = target.classes[combinations] >= 0
    whose: Ints = np.repeat(combinations[published], rows[published]).astype(np.int64)
    secrets: Ints = np.repeat(values[published], rows[published]).astype(np.int64)
    drawn = generator.permutation(len(whose))[: 2 * LEARNED_FROM]
    learned, others = np.split(drawn, [len(drawn) // 2])
    # of rows that are not learned from, and only of secrets that could be
    others = others[np.isin(secrets[others], secrets[learned])]
    if len(np.unique(secrets[others])) < 2:  # nobody has anything that others do not
        tried = min(parameters.tries, len(others))
        return [Tries(parameters.secret, EVERYONE, tried, 0, tried, 0, tried, 0)]
    pairs = others[generator.integers(len(others), size=(2, 20 * parameters.tries))]
    one, other = pairs[:, secrets[pairs[0]] != secrets[pairs[1]]][:, : parameters.tries]
    seed = int(generator.integers(2**31))
    by_labels, by_values = (
        _right(_learned(told[whose[learned]], secrets[learned], seed), told, whose, secrets, one, other)
        for told in (_labels(target), _values(target))
    )
    return [Tries.counted(parameters.secret, EVERYONE, by_labels, by_values, generator.random(len(one)) < 0.5)]


def _labels(target: Generalized) -> Ints:
    """(combinations, 2 x columns) the level of each cell, and its group at that level."""
    groups = [
        numbers[target.levels[:, place], target.leaves[:, place]] for place, numbers in enumerate(target.hierarchies)
    ]
    return np.hstack([target.levels, np.stack(groups, axis=1)]).astype(np.int64)


def _values(target: Generalized) -> Ints:
    """(combinations, levels of all columns) the group of each true value at every level."""
    return np.vstack(
        [numbers[:, target.leaves[:, place]] for place, numbers in enumerate(target.hierarchies)]
    ).T.astype(np.int64)


def _learned(known: Ints, secrets: Ints, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):  # the order of sums decides their last bits
        learner = HistGradientBoostingClassifier(max_iter=ROUNDS, random_state=seed, early_stopping=False)
        return learner.fit(known.astype(float), secrets)


def _right(learner: Any, told: Ints, whose: Ints, secrets: Ints, one: Ints, other: Ints) -> Hits:
    """(pairs,) whether it is the first who more probably has the first's secret rather than the second's."""
    from threadpoolctl import threadpool_limits

    places = np.searchsorted(learner.classes_, np.stack([secrets[one], secrets[other]]))
    with threadpool_limits(limits=1):
        chances = [np.log(learner.predict_proba(told[whose[rows]].astype(float)) + 1e-300) for rows in (one, other)]
    at = np.arange(len(one))
    first, second = (chance[at, places[0]] - chance[at, places[1]] for chance in chances)
    # of two who look alike a coin decides, and the same coin for both adversaries
    right: Hits = np.where(first == second, at % 2 == 0, first > second)
    return right
