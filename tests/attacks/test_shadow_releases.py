"""shadow_releases: a synthesizer that remembers is caught, one that does not is let through."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from privacy_assets.attacks import shadow_releases
from privacy_assets.attacks._trying import EVERYONE, Target, Tries
from privacy_assets.coded import Coded
from privacy_assets.invariants import attack_excess
from privacy_assets.stages._attacking import counts
from privacy_assets.techniques.synthesize import SYNTHESIZE
from privacy_assets.threat_models import THREAT_MODELS
from privacy_assets.words import Verdict
from tests.attacks.people import SECRET, marginals, memorized, partly_copied, population

Make = Callable[[Coded, int], Coded]
"""Of rows and a seed, others."""

LEAKING: dict[str, Make] = {
    "the very rows": lambda table, _: table,
    "half of the rows": lambda table, seed: partly_copied(table, np.random.default_rng(seed)),
    "a tenth, of those who stand out": lambda table, seed: memorized(table, np.random.default_rng(seed), 0.1),
}
INNOCENT: dict[str, Make] = {
    "other people": lambda table, seed: population(table.rows, np.random.default_rng(seed)),
    "marginals": lambda table, seed: marginals(table, table.rows, np.random.default_rng(seed)),
    "trees": lambda table, seed: _by("sequential_trees", table, seed, min_samples_leaf=50),
    "noisy marginals": lambda table, seed: _by("marginal_tree", table, seed, epsilon=1.0, delta=1e-6),
}


def _by(kind: str, table: Coded, seed: int, **asks: Any) -> Coded:
    module = SYNTHESIZE[kind]
    parameters = module.Parameters(kind=kind, **asks)
    made: Coded = module.synthesize(parameters, table, rows=None, rows_per_person=1, seed=seed)
    return made


def _target(make: Make, rows: int = 1000, seed: int = 1) -> Target:
    """A release made of `rows` people, twice as many others, and how to make more of it, each by chances of its own."""
    generator = np.random.default_rng(seed)
    fitted, control = population(rows, generator), population(2 * rows, generator)
    every = Coded(fitted.domains, np.concatenate([fitted.codes, control.codes]))

    def again(mask: np.ndarray) -> Coded:
        assert mask.shape == (every.rows,)
        return make(every.take(np.flatnonzero(mask)), int(np.flatnonzero(mask).sum()))

    return Target(make(fitted, 5), fitted, control, (), SECRET, again)


def _lines(target: Target, seed: int = 1, **asks: Any) -> dict[str, Tries]:
    asked = shadow_releases.Parameters(kind="shadow_releases", **{"shadows": 16, "tries": 500, **asks})
    return {line.about: line for line in shadow_releases.attack(asked, target, np.random.default_rng(seed))}


def _verdicts(found: dict[str, Tries], fewest: int = 300) -> dict[str, Verdict]:
    """What `public_release` says of it, by rate."""
    model, judged = THREAT_MODELS["public_release"], {}
    for asked in model.on_synthetic(model.Parameters(kind="public_release", members_at_least=fewest), ()):
        if asked.attack.kind != "shadow_releases":
            continue
        (about,), ceiling = asked.about, asked.ceilings[EVERYONE]
        parameters = attack_excess.Parameters(
            kind="attack_excess", attack="shadow_releases", about=about, **dataclasses.asdict(ceiling)
        )
        lines = [("shadow_releases", line) for line in found.values()]
        numbers = counts(lines, "shadow_releases", about, EVERYONE)
        judged[about] = attack_excess.judge(parameters, numbers).verdict
    return judged


@pytest.mark.parametrize("what", LEAKING)
def test_a_synthesizer_that_remembers_is_caught(what: str, figures: Callable[..., None]) -> None:
    """By one rate at least."""
    found = _lines(_target(LEAKING[what]))
    figures(f"T-SYN-1, shadows of {what}", tried=500, **{about: line.succeeded for about, line in found.items()})
    assert Verdict.BROKEN in _verdicts(found).values()


@pytest.mark.parametrize("what", INNOCENT)
def test_a_synthesizer_that_does_not_is_let_through(what: str, figures: Callable[..., None]) -> None:
    """With as many tries as the ceilings take; no rate speaks against it."""
    found = _lines(_target(INNOCENT[what], 1200), tries=1200)
    figures(f"T-SYN-1, shadows of {what}", tried=1200, **{about: line.succeeded for about, line in found.items()})
    assert set(_verdicts(found, 1000).values()) == {Verdict.KEPT}


def test_false_positives_are_as_many_as_declared() -> None:
    """Of rows that have nothing to do with anybody, members and strangers are called members as often as was said."""
    target = [_target(INNOCENT["marginals"], 300, seed) for seed in range(10)]
    found = [_lines(one, seed, tries=300) for seed, one in enumerate(target)]
    for about, rate in shadow_releases.RATES.items():
        exceeded = (int(300 * rate) + 1) / 301
        for which, expected in (("", exceeded), ("control_", exceeded), ("baseline_", rate)):
            share = np.mean([getattr(one[about], f"{which}succeeded") for one in found]) / 300
            assert share == pytest.approx(expected, abs=4 * np.sqrt(expected / 3000))
    won = sum(one["pairs"].succeeded for one in found)
    assert won == pytest.approx(1500, abs=4 * np.sqrt(750))


def test_nobody_is_tried_twice_and_pairs_are_won_by_one_of_two() -> None:
    """As many members as there are, or half as many as others; what one of a pair loses the other wins."""
    found = _lines(_target(INNOCENT["marginals"], 200), tries=1000)
    assert {(line.tried, line.control_tried, line.group) for line in found.values()} == {(200, 200, EVERYONE)}
    assert found["pairs"].succeeded + found["pairs"].control_succeeded == 200


def test_the_same_seed_gives_the_same_counts_in_any_order_of_rows() -> None:
    """And another seed others."""
    target = _target(LEAKING["the very rows"], 300)
    assert _lines(target, 3) == _lines(target, 3)
    assert _lines(target, 3) != _lines(target, 4)
    dice = np.random.default_rng(8)
    fitted, control = dice.permutation(300), dice.permutation(600)
    assert target.again is not None
    again = target.again

    def turned(mask: np.ndarray) -> Coded:
        whole = np.zeros(900, dtype=bool)
        whole[fitted], whole[300 + control] = mask[:300], mask[300:]
        return again(whole)

    moved = dataclasses.replace(
        target, fitted=target.fitted.take(fitted), control=target.control.take(control), again=turned
    )
    assert _lines(moved, 3) == _lines(target, 3)


@pytest.mark.parametrize("tries", [50, 300, 600])
def test_shadows_learn_from_as_many_as_the_release_did(tries: int) -> None:
    """On average to the person, however many are tried: more people would show less of each."""
    target, sizes = _target(INNOCENT["other people"], 1000), []

    def again(mask: np.ndarray) -> Coded:
        sizes.append(int(mask.sum()))
        return target.released

    _lines(dataclasses.replace(target, again=again), tries=tries)
    assert len(sizes) == 16 and np.mean(sizes) == target.fitted.rows


def test_what_cannot_be_made_again_is_not_tried() -> None:
    """No line, so that a promise of it is inconclusive."""
    assert _lines(dataclasses.replace(_target(LEAKING["the very rows"], 100), again=None)) == {}


@pytest.mark.parametrize("people", [0, 1, 2, 3])
def test_a_handful_of_people_is_counted(people: int) -> None:
    """No person, one, two: counts, no error; and they keep nothing."""
    for make in (LEAKING["the very rows"], INNOCENT["marginals"]):
        found = _lines(_target(make, people))
        assert all(line.tried == people for line in found.values())
        assert Verdict.KEPT not in _verdicts(found).values()


def test_a_release_without_rows_tells_nothing() -> None:
    """Everybody is as far as can be, from it and from its shadows."""
    found = _lines(_target(lambda table, _: table.take(np.arange(0)), 200))
    assert found["pairs"].succeeded == pytest.approx(100, abs=30)
