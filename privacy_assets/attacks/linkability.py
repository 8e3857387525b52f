"""linkability: who knows some values of a person finds others of the same person by way of the release.

Two adversaries hold one half of a person's columns each. Both look up the `neighbours` released rows that are nearest
by Gower's distance in their half (of equally near ones, any, and not the same ones by agreement). They link the
person if a row is among both: what each holds belongs together, because one released row says so.

Source: Giomi et al., "A unified framework for quantifying privacy risk in synthetic data", PoPETs 2023(2), section
5.2, after Article 29 Working Party, WP 216. Baseline: each draws as many released rows at random.

The halves are `one` and `other`, names of columns; without them what an adversary may know, or else all columns that
are not secret, every second one in the order of their names. Fewer than two columns cannot be linked. Not covered:
more than two holders, halves that share columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from privacy_assets.attacks._nearest import nearest
from privacy_assets.attacks._people import as_many, groups, places
from privacy_assets.attacks._rows import in_order
from privacy_assets.attacks._trying import Count, Hits, Target, Tries
from privacy_assets.coded import Coded
from privacy_assets.words import Frozen, Stage

ADVERSARY = "Two who each know a part of a person's values, and want to put them together."
ON = Stage.SYNTHETIC
OF_A_PERSON = True
Names = tuple[Annotated[str, Field(min_length=1, max_length=128)], ...]


class Parameters(Frozen):
    """How often they try, how many rows each considers, and which columns each holds."""

    kind: Literal["linkability"]
    tries: Count = 2_000
    neighbours: Annotated[int, Field(ge=1, le=100)] = 1
    one: Names = ()
    other: Names = ()

    @model_validator(mode="after")
    def _halves(self) -> Parameters:
        if bool(self.one) != bool(self.other) or set(self.one) & set(self.other):
            raise ValueError("`one` and `other` go together, and share no column")
        return self


def attack(parameters: Parameters, target: Target, generator: np.random.Generator) -> Sequence[Tries]:
    """A line for each group."""
    halves = _halves(parameters, target)
    found = []
    for group, fitted, control in groups(*as_many(target, generator), parameters.tries, generator):
        hits, control_hits = _linked((fitted, control), in_order(target.released), halves, parameters, generator)
        baseline = _guessed(fitted.rows, target.released.rows, parameters.neighbours, generator)
        found.append(Tries.counted("", group, hits, control_hits, baseline))
    return found


def _halves(parameters: Parameters, target: Target) -> tuple[Sequence[int], Sequence[int]]:
    if parameters.one:
        return places(target, parameters.one), places(target, parameters.other)
    domains = target.released.domains
    held = target.known or [place for place in range(len(domains)) if place not in target.secret]
    held = sorted(held, key=lambda place: domains[place].name)
    return held[::2], held[1::2]


def _linked(
    people: Sequence[Coded],
    released: Coded,
    halves: tuple[Sequence[int], Sequence[int]],
    parameters: Parameters,
    generator: np.random.Generator,
) -> list[Hits]:
    """For each table of people, (people,) whether a row is near in both halves."""
    if not all(halves):
        return [np.zeros(some.rows, np.bool_) for some in people]
    near: list[list[npt.NDArray[np.int64]]] = []
    for half in halves:
        # equally near rows are in another order for each half: two who choose the first would agree by chance
        order = generator.permutation(released.rows)
        shuffled = released.take(order)
        near.append([order[nearest(some, shuffled, half, parameters.neighbours)[0]] for some in people])
    return [(one[:, :, None] == other[:, None, :]).any(axis=(1, 2)) for one, other in zip(*near, strict=True)]


def _guessed(people: int, released: int, neighbours: int, generator: np.random.Generator) -> Hits:
    """(people,) whether two draws of so many different rows share one."""
    some = min(neighbours, released)
    if not some:
        return np.zeros(people, np.bool_)
    # how many of the second draw are among the first, which may be any rows
    return generator.hypergeometric(some, released - some, some, size=people) > 0
