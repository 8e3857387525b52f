"""homogeneity: who finds a person's class is sure of what they keep to themselves, where its people have it in common.

The adversary knows somebody's quasi-identifiers, so their class, and the secret of `others_known` other rows in it
(background knowledge: colleagues, relatives, themselves). They are sure where all that is left in the class has one
value. It is tried on up to `tries` published rows, drawn alike. Control: the same adversary where secrets have
nothing to do with who people are: the same secrets dealt to the same classes by chance, which makes small classes
uniform now and then. Baseline: nobody, since
without the table no one is sure.

Machanavajjhala et al.: l-diversity (ACM TKDD 2007), section 2: the homogeneity and the background-knowledge attack.
That a class says something of its people is what a table is for: only those count of whom it leaves no doubt. What it
does not cover: being nearly sure (t-closeness and recursive l-diversity bound that), knowledge about the world that
excludes values, rows of one person in several classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from privacy_assets.attacks._generalized import Generalized
from privacy_assets.attacks._trying import EVERYONE, Tries
from privacy_assets.words import Frozen, Stage

ADVERSARY = "Who knows how a person looks in the table, and wants to learn what they keep to themselves."
ON = Stage.ANONYMIZED

Ints = npt.NDArray[np.int64]


class Parameters(Frozen):
    """`secret` is the column that is learned; `others_known` how many rows of the class are known beforehand."""

    kind: Literal["homogeneity"]
    secret: Annotated[str, Field(min_length=1)]
    others_known: Annotated[int, Field(ge=0, le=1000)] = 0
    tries: Annotated[int, Field(ge=1, le=1_000_000)] = 2000


def attack(parameters: Parameters, target: Generalized, generator: np.random.Generator) -> Sequence[Tries]:
    """Of how many drawn rows somebody is sure, in the table and in one whose secrets were dealt by chance."""
    combinations, held, rows = target.secrets[parameters.secret]
    published = target.classes[combinations] >= 0
    _, numbers = np.unique(target.classes[combinations][published], return_inverse=True)
    classes: Ints = np.repeat(numbers, rows[published]).astype(np.int64)
    values: Ints = np.repeat(held[published], rows[published]).astype(np.int64)
    tried = min(parameters.tries, len(values))
    drawn = generator.permutation(len(values))[:tried]
    sure = [
        _sure(classes, dealt, drawn, parameters.others_known, generator)
        for dealt in (values, generator.permutation(values))
    ]
    return [Tries(parameters.secret, EVERYONE, tried, sure[0], tried, sure[1], tried, 0)]


def _sure(classes: Ints, values: Ints, drawn: Ints, known: int, generator: np.random.Generator) -> int:
    """Of how many of the drawn rows the rest of the class leaves no doubt."""
    order = np.lexsort((values, classes))
    starts = np.searchsorted(classes[order], np.arange(int(classes.max(initial=-1)) + 2))
    if not known:
        # sorted by value within the class, so that the first and the last tell whether all are alike
        first, last = starts[:-1], starts[1:] - 1
        uniform = values[order[first]] == values[order[last]]
        return int(uniform[classes[drawn]].sum())
    found = 0
    for row in drawn:
        others = order[starts[classes[row]] : starts[classes[row] + 1]]
        left = generator.permutation(others[others != row])[known:]
        found += bool((values[left] == values[row]).all())
    return found
