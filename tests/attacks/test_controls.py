"""T-SYN-1: releases that leak are flagged by the suite, releases that do not are let through.

Flagged is what does not keep every promise below. They are those of T-SYN-2: an excess of at most 0.05 on everyone, of
at most 0.09 on the most exposed, upper 95 % ends. On the most exposed, who are few, only attacks are promised that
hardly ever succeed by chance: of 200 people an excess of 0.09 of an attack that succeeds half the time cannot be told
from none (`tries_that_decide`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from privacy_assets.attacks import ATTACKS
from privacy_assets.attacks._suite import tried
from privacy_assets.attacks._trying import Target
from privacy_assets.coded import Coded
from privacy_assets.invariants.attack_excess import Parameters, judge
from privacy_assets.stages._attacking import counts
from privacy_assets.words import Stage
from tests.attacks.people import SECRET, disguised, marginals, memorized, partly_copied, population

ROWS = 4_000
"""The fewest with which 2,000 people are left to be tried where an attack learns from half of them."""
MORE = 8_000
"""With more people, guesses that single out depend less on one another: see `attack_excess.py`."""
SUITE = [
    module.Parameters(kind=kind)
    for kind, module in ATTACKS.items()
    if module.ON is Stage.SYNTHETIC and not hasattr(module, "MAKES_SHADOWS")
]
RARE = [("copies", "exact"), ("copies", "near"), ("linkability", ""), ("membership", ""), ("reconstruction", "")]
OFTEN = [("attribute_inference", "ill"), ("attribute_inference", "income"), ("singling_out_multivariate", "3_columns")]


def _promise(attack: str, about: str, group: str, excess_at_most: float, tries_at_least: int) -> Parameters:
    return Parameters(
        kind="attack_excess", attack=attack, about=about, group=group, excess_at_most=excess_at_most,
        tries_at_least=tries_at_least,
    )  # fmt: skip


PROMISES = [
    *(_promise(*attack, "everyone", 0.05, 2_000) for attack in RARE + OFTEN),
    *(_promise(*attack, "most_exposed", 0.09, 200) for attack in RARE),
]
LEAKING: dict[str, Callable[[Coded, np.random.Generator], Coded]] = {
    "the very rows": lambda fitted, _: fitted,
    "half of the rows": partly_copied,
    "one row in a hundred, of those who stand out": memorized,
    "the rows behind a fixed map": disguised,
}
INNOCENT: dict[str, Callable[[Coded, np.random.Generator], Coded]] = {
    "other people": lambda fitted, generator: population(fitted.rows, generator),
    "marginals": lambda fitted, generator: marginals(fitted, fitted.rows, generator),
}


@cache
def broken(
    make: Callable[[Coded, np.random.Generator], Coded], seed: int, rows: int = ROWS
) -> set[tuple[str, str, str]]:
    """The promises that the release does not keep; asked alike, the seed gives the same."""
    generator = np.random.default_rng(seed)
    fitted, control = population(rows, generator), population(rows, generator)
    lines = tried(SUITE, Target(make(fitted, generator), fitted, control, (), SECRET), seed)
    return {
        (one.attack, one.about, one.group)
        for one in PROMISES
        if not judge(one, counts(lines, one.attack, one.about, one.group)).kept
    }


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("what", LEAKING)
def test_a_release_that_leaks_is_flagged(what: str, seed: int) -> None:
    """Each of the four, by some attack on some group."""
    assert broken(LEAKING[what], seed)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("what", INNOCENT)
def test_a_release_that_does_not_leak_is_let_through(what: str, seed: int) -> None:
    """Neither of the two, by any attack on any group."""
    assert broken(INNOCENT[what], seed) == set()


def test_few_rows_of_people_who_stand_out_are_seen_among_these() -> None:
    """One row in a hundred hardly shows among everyone, and clearly among the most exposed."""
    assert ("copies", "exact", "most_exposed") in broken(memorized, 0)
    assert ("copies", "exact", "everyone") not in broken(memorized, 0)


def test_a_fixed_map_is_seen_by_reconstruction_and_by_no_distance() -> None:
    """Distance alone acquits it."""
    found = broken(disguised, 0)
    assert ("reconstruction", "", "everyone") in found
    assert not {attack for attack, *_ in found} & {"copies", "linkability", "membership"}


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_twenty_times_over(figures: Callable[..., None]) -> None:
    """T-SYN-1: 4/4 and 0/2 with twenty seeds."""
    flagged = sum(bool(broken(make, seed, MORE)) for make in LEAKING.values() for seed in range(100, 120))
    refused = sum(bool(broken(make, seed, MORE)) for make in INNOCENT.values() for seed in range(100, 120))
    figures("T-SYN-1 releases that leak", tried=80, flagged=flagged)
    figures("T-SYN-1 releases that do not leak", tried=40, flagged=refused)
    assert flagged == 80
    assert refused == 0
