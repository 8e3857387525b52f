"""Broken mechanisms are caught, correct ones are not accused (T-DP-1).

A release is drawn very often on two neighbouring inputs. If some event is seen with probability p on one and q on the
other, the loss is at least ln(p / q): its lower confidence bound (Clopper and Pearson, both sides at alpha / 2) must
not be above what is claimed. Events are chosen on one half of the draws, and counted on the other. No such test proves
privacy: it is here to catch mutants, and the claim is OpenDP's map.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from scipy.stats import beta

from privacy_assets.techniques import noise
from privacy_assets.techniques.noise import Measure, Mechanism, Noise

ALPHA = 0.001
DRAWS = 60_000
ROWS = 5
"""How many rows a person may have: neighbours are that far apart."""

Release = Callable[[Sequence[int]], Sequence[float]]
"""Draws noise for a vector of exact numbers."""


def _at_least(hits: int, draws: int) -> float:
    return float(beta.ppf(ALPHA / 2, hits, draws - hits + 1)) if hits else 0.0


def _at_most(hits: int, draws: int) -> float:
    return float(beta.ppf(1 - ALPHA / 2, hits + 1, draws - hits)) if hits < draws else 1.0


def _bound(one: Sequence[float], other: Sequence[float], delta: float = 0.0) -> float:
    """The loss that the best event shows: outputs up to a number, from a number on, or exactly one."""
    half = len(one) // 2
    first, second = sorted(one[:half]), sorted(other[:half])
    exactly, against = Counter(first), Counter(second)
    events: list[tuple[float, Callable[[float], bool]]] = []
    for at in {first[min(int(half * share), half - 1)] for share in (0.001, 0.003, 0.01, 0.05, 0.5)}:
        events.append((_ratio(sum(x <= at for x in first), sum(x <= at for x in second)), lambda x, at=at: x <= at))
    for at in {first[int(half * share)] for share in (0.5, 0.95, 0.99, 0.997, 0.999)}:
        events.append((_ratio(sum(x >= at for x in first), sum(x >= at for x in second)), lambda x, at=at: x >= at))
    likely = max(exactly, key=lambda x: _ratio(exactly[x], against[x]) if exactly[x] > 50 else 0.0)
    events.append((_ratio(exactly[likely], against[likely]), lambda x: x == likely))
    _, event = max(events, key=lambda found: found[0])
    rest = len(one) - half
    p, q = sum(map(event, one[half:])), sum(map(event, other[half:]))
    low = _at_least(p, rest) - delta
    return math.log(low / _at_most(q, rest)) if low > 0 else 0.0


def _ratio(hits: int, others: int) -> float:
    """Chooses an event: the lower bound that it would have, were it the one."""
    return (hits - 3.3 * math.sqrt(hits)) / (others + 3.3 * math.sqrt(others) + 5)


def _loss(release: Release, claimed: float) -> str:
    """One number, two neighbours."""
    one, other = release([0] * DRAWS), release([ROWS] * DRAWS)
    found = max(_bound(one, other), _bound(other, one))
    return f"a loss of {found:.2f}" if found > claimed else ""


def _joint(release: Release, claimed: float) -> str:
    """Two numbers of one release, of which a person is in the first: what their difference tells."""
    draws = DRAWS // 20
    pairs = [[release(pair) for _ in range(draws)] for pair in ([0, 0], [ROWS, 0])]
    one, other = ([float(first - second) for first, second in drawn] for drawn in pairs)
    found = max(_bound(one, other), _bound(other, one))
    return f"a joint loss of {found:.2f}" if found > claimed else ""


def _repeats(release: Release, claimed: float) -> str:
    """The same question twice: the same noise twice is no noise."""
    first, second = release([0] * 200), release([0] * 200)
    return "the same noise again" if list(first) == list(second) else ""


def _support(release: Release, claimed: float) -> str:
    """Mironov's: what can come out of one input can come out of its neighbour; here, every output is a whole number."""
    drawn = [*release([0] * 2000), *release([1] * 2000)]
    return "outputs that tell the input" if any(x != int(x) for x in drawn) else ""


def accused(release: Release, claimed: float) -> list[str]:
    """What the testers say against a release that claims this ε."""
    return [said for test in (_loss, _joint, _repeats, _support) if (said := test(release, claimed))]


def _correct(epsilon: float) -> Release:
    return noise.additive(Measure.PURE, ROWS, epsilon).add


def _half_scale(epsilon: float) -> Release:
    found = noise.additive(Measure.PURE, ROWS, epsilon)
    return Noise(found.mechanism, found.sensitivity, found.scale / 2, found.loss).add


def _by_row(epsilon: float) -> Release:
    return noise.additive(Measure.PURE, 1, epsilon).add


def _gaussian(epsilon: float) -> Release:
    return Noise(Mechanism.DISCRETE_GAUSSIAN, ROWS, ROWS / epsilon, epsilon).add


def _skipping(epsilon: float) -> Release:
    found = noise.additive(Measure.PURE, ROWS, epsilon)
    chance = random.SystemRandom()

    def release(exact: Sequence[int]) -> list[int]:
        return [x if chance.random() < 0.01 else y for x, y in zip(exact, found.add(exact), strict=True)]

    return release


def _reusing(epsilon: float) -> Release:
    found = noise.additive(Measure.PURE, ROWS, epsilon)

    def release(exact: Sequence[int]) -> list[int]:
        if len(exact) != 2:
            return found.add(exact)
        (shift,) = found.add([0])
        return [x + shift for x in exact]

    return release


def _seeded(epsilon: float) -> Release:
    def release(exact: Sequence[int]) -> list[int]:
        drawn = random.Random(7)
        scale = ROWS / epsilon
        return [x + round(drawn.expovariate(1 / scale) - drawn.expovariate(1 / scale)) for x in exact]

    return release


def _floats(epsilon: float) -> Release:
    chance = random.SystemRandom()
    scale = ROWS / epsilon

    def one() -> float:
        share = chance.random() - 0.5
        return -scale * math.copysign(math.log(1 - 2 * abs(share)), share)

    return lambda exact: [x + one() for x in exact]


MUTANTS: dict[str, tuple[Callable[[float], Release], float]] = {
    "half the scale": (_half_scale, 1.0),
    "sensitivity of a row": (_by_row, 1.0),
    "gaussian noise sold as pure": (_gaussian, 1.0),
    "noise skipped in 1 %": (_skipping, 0.1),
    "noise used again": (_reusing, 1.0),
    "a fixed seed": (_seeded, 1.0),
    "floating-point Laplace": (_floats, 1.0),
}


@pytest.mark.parametrize("name", list(MUTANTS))
def test_a_broken_mechanism_is_caught(name: str, figures: Any) -> None:
    """Some tester says what is wrong. Two mutants more are those of bounds and NaN, below."""
    mutant, epsilon = MUTANTS[name]
    said = accused(mutant(epsilon), epsilon)
    figures(f"T-DP-1 {name}", mutants=1, killed=bool(said))
    assert said


@pytest.mark.parametrize("measure", list(Measure))
@pytest.mark.parametrize("epsilon", [1.0, 0.1])
def test_a_correct_mechanism_is_not_accused(measure: Measure, epsilon: float, figures: Any) -> None:
    """20 times with fresh randomness: no loss above the claim. ρ is held to its ε at a δ, which is taken off."""
    alarms = 0
    for _ in range(20):
        if measure is Measure.PURE:
            release, claimed, delta = _correct(epsilon), epsilon, 0.0
            alarms += bool(_repeats(release, claimed)) + bool(_support(release, claimed))
        else:
            delta = 1e-3
            rho = noise.rho_within(epsilon, delta)
            release, claimed = noise.additive(measure, ROWS, rho).add, epsilon
        one, other = release([0] * (DRAWS // 4)), release([ROWS] * (DRAWS // 4))
        alarms += max(_bound(one, other, delta), _bound(other, one, delta)) > claimed
    figures(f"T-DP-1 correct {measure}, ε {epsilon}", runs=20, alarms=alarms)
    assert not alarms


def test_the_whole_panel_does_not_accuse_a_correct_mechanism() -> None:
    """Also the joint test, which takes longest."""
    assert accused(_correct(1.0), 1.0) == []


def test_correct_selections_are_not_accused() -> None:
    """The choice between two, of which a person moves both scores by all they may, in opposite ways."""
    for measure in Measure:
        rho = noise.rho_within(1.0, 1e-3)
        found = noise.selection(measure, ROWS, 1.0 if measure is Measure.PURE else rho)
        one, other = ([float(found.select_smallest(scores)) for _ in range(4000)] for scores in ([0, 0], [ROWS, -ROWS]))
        delta = 0.0 if measure is Measure.PURE else 1e-3
        assert max(_bound(one, other, delta), _bound(other, one, delta)) <= 1.0
        if measure is Measure.PURE:
            tight = Noise(found.mechanism, ROWS, found.scale / 3, found.loss)
            one, other = (
                [float(tight.select_smallest(scores)) for _ in range(4000)] for scores in ([0, 0], [ROWS, -ROWS])
            )
            assert max(_bound(one, other), _bound(other, one)) > 1.0


@pytest.mark.parametrize("mutant", ["unclamped input", "NaN and infinity let in"])
def test_a_value_that_is_not_bounded_is_caught(mutant: str, monkeypatch: pytest.MonkeyPatch, figures: Any) -> None:
    """The law of neighbours breaks where a number is taken as it is; with the bound it holds."""
    import duckdb

    from privacy_assets.techniques.aggregate import AGGREGATE, _grouped
    from privacy_assets.techniques.aggregate import sum as summing
    from privacy_assets.techniques.aggregate._planning import statement
    from privacy_assets.words import Column

    columns = {"visit": Column("visit", "BIGINT"), "cost": Column("cost", "DOUBLE")}
    query = AGGREGATE["sum"].Parameters(kind="sum", column="cost", low=0, high=10)
    values = [1e15] if mutant == "unclamped input" else [math.nan, math.inf]

    def moved() -> float:
        text = statement({"q": query}, columns, subject="visit", key=("visit",), rows=1).sql(dialect="duckdb")
        totals = []
        for extra in ([], values):
            con = duckdb.connect()
            con.execute("CREATE TABLE features (visit BIGINT, cost DOUBLE)")
            for at, value in enumerate([1.0, 2.0, *extra]):
                con.execute("INSERT INTO features VALUES (?, ?)", [at, value])
            try:
                totals.append(con.execute(text).fetchall()[0][2])
            except duckdb.Error:
                return math.inf  # the release fails, or not, for what one person's value is
        return abs(totals[1] - totals[0])

    sensitivity = query.bound * len(values)
    assert moved() <= sensitivity
    unbounded = {
        "unclamped input": "CAST(ROUND($value) AS BIGINT)",
        "NaN and infinity let in": "CAST(ROUND($value) AS BIGINT)",
    }[mutant]
    monkeypatch.setattr(
        summing, "whole", lambda asked, known: _grouped.parse(unbounded, value=_grouped.column(asked.column))
    )
    killed = moved() > sensitivity
    figures(f"T-DP-1 {mutant}", mutants=1, killed=killed)
    assert killed
