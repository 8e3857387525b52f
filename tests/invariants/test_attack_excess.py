"""attack_excess: cases, the intervals it stands on, and how often it refuses the innocent."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import binomtest

from privacy_assets.invariants import attack_excess
from privacy_assets.invariants._intervals import difference, wilson
from privacy_assets.invariants.attack_excess import NUMBERS, Parameters, about, excess, judge, tries_that_decide
from privacy_assets.words import Verdict

_COLUMNS = ", ".join(("attack", "about", '"group"', *NUMBERS[1:]))


def _attacks(*rows):
    values = ", ".join(str(row) for row in rows)
    return f"SELECT * FROM (VALUES {values}) AS v({_COLUMNS})"


_ASKS = {"attack": "copies", "about": "exact", "excess_at_most": 0.05, "tries_at_least": 2_000}
_OTHERS = (
    ("copies", "near", "everyone", 2_000, 2_000, 2_000, 0, 2_000, 0),
    ("copies", "exact", "most_exposed", 2_000, 2_000, 2_000, 0, 2_000, 0),
    ("membership", "exact", "everyone", 2_000, 2_000, 2_000, 0, 2_000, 0),
)
_GOOD = _attacks(("copies", "exact", "everyone", 2_000, 500, 2_000, 480, 2_000, 0), *_OTHERS)
_BAD = _attacks(("copies", "exact", "everyone", 2_000, 560, 2_000, 480, 2_000, 0))
KEPT = [
    {"asks": _ASKS, "output": _GOOD, "attacks": _GOOD, "numbers": {"measured": 1, "tried": 2_000, "succeeded": 500}},
    {"asks": _ASKS | {"excess_at_most": 0.07}, "output": _BAD, "attacks": _BAD},
]
BROKEN = [
    {"asks": _ASKS, "output": _BAD, "attacks": _BAD},
    {"asks": _ASKS | {"group": "most_exposed"}, "output": _GOOD, "attacks": _GOOD},
    {"asks": _ASKS | {"about": "near"}, "output": _GOOD, "attacks": _GOOD},
]
PROMISE = Parameters(kind="attack_excess", attack="copies", excess_at_most=0.05, tries_at_least=2_000)


def _numbers(succeeded, control, baseline=0, tried=2_000, control_tried=2_000, measured=1):
    counts = (measured, tried, succeeded, control_tried, control, 2_000, baseline)
    return dict(zip(NUMBERS, counts, strict=True))


def test_too_few_tries_decide_nothing():
    """Neither of the two may be fewer than was promised, however far the excess is from its ceiling."""
    assert judge(PROMISE, _numbers(0, 0)).verdict is Verdict.KEPT
    assert judge(PROMISE, _numbers(0, 0, tried=1_999)).verdict is Verdict.INCONCLUSIVE
    assert judge(PROMISE, _numbers(0, 0, control_tried=1_999)).verdict is Verdict.INCONCLUSIVE
    assert judge(PROMISE, _numbers(1_999, 0, tried=1_999)).verdict is Verdict.INCONCLUSIVE


def test_an_attack_that_was_not_made_or_twice_decides_nothing():
    """The same people twice are not twice the evidence."""
    assert judge(PROMISE, _numbers(0, 0, measured=0)).verdict is Verdict.INCONCLUSIVE
    assert judge(PROMISE, _numbers(0, 0, measured=2)).verdict is Verdict.INCONCLUSIVE


def test_an_attack_that_is_weaker_than_a_guess_did_not_work():
    """As good as a guess is what an innocent release gives; surely weaker by more than the ceiling is a failure."""
    assert judge(PROMISE, _numbers(500, 500, baseline=520)).verdict is Verdict.KEPT
    assert judge(PROMISE, _numbers(500, 500, baseline=700)).verdict is Verdict.INCONCLUSIVE
    without = _numbers(500, 500) | {"baseline_tried": 0}
    assert judge(PROMISE, without).verdict is Verdict.INCONCLUSIVE


def test_promises_that_differ_have_names_that_differ():
    """No attack, variation and group can be read as others; a legal name stays as it is."""
    asks = {"kind": "attack_excess", "excess_at_most": 0.05, "tries_at_least": 1}
    names = {
        about(Parameters(**asks, attack=attack, about=variation, group=group))
        for attack in ("copies", "copies_exact")
        for variation in ("", "exact", "exact__near", "capital-gain", "everyone", "a b")
        for group in ("everyone", "most_exposed")
    }
    assert len(names) == 24
    assert {"copies__everyone", "copies__exact__most_exposed"} <= names
    with pytest.raises(ValidationError):
        Parameters(**asks, attack="copies__exact")


@pytest.mark.parametrize("tried", [1, 2, 10, 50, 200, 2_000])
def test_wilson_is_that_of_scipy(tried):
    """The ends agree with scipy's own."""
    for succeeded in {0, 1, tried // 3, tried}:
        ours = wilson(succeeded, tried)
        other = binomtest(succeeded, tried).proportion_ci(method="wilson")
        assert ours.low == pytest.approx(other.low, abs=1e-12)
        assert ours.high == pytest.approx(other.high, abs=1e-12)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_the_difference_is_that_of_newcombes_table(counts, low, high):
    """Method 10 on the examples of the paper (Newcombe 1998, table II)."""
    found = difference(*counts)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize("tried", [200, 2_000])
@pytest.mark.parametrize("shares", [(0.001, 0.001), (0.01, 0.01), (0.5, 0.5), (0.05, 0.0), (0.3, 0.2), (1.0, 0.98)])
def test_the_interval_covers(tried, shares):
    """The true difference is inside nineteen times in twenty, and over the upper end at most once in thirty."""
    draw = np.random.default_rng(5)
    pairs = np.stack([draw.binomial(tried, share, 4_000) for share in shares], axis=1)
    found = [difference(one, tried, other, tried) for one, other in pairs.tolist()]
    truth = shares[0] - shares[1]
    assert np.mean([low <= truth <= high for _, low, high in found]) >= 0.935
    assert np.mean([high < truth for _, _, high in found]) <= 0.035


def test_exchanging_the_two_mirrors_the_interval():
    """What is lost by one is gained by the other."""
    one, other = excess(_numbers(300, 100)), excess(_numbers(100, 300))
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))


@pytest.mark.parametrize("ceiling", [0.05, 0.09])
@pytest.mark.parametrize("rate", [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.9])
def test_with_as_many_tries_as_decide_the_innocent_is_hardly_ever_refused(ceiling, rate):
    """Once in a thousand by the formula; at most five times in a thousand, drawn 20,000 times."""
    tries = tries_that_decide(ceiling, rate)
    promise = PROMISE.model_copy(update={"excess_at_most": ceiling, "tries_at_least": tries})
    draw = np.random.default_rng(6)
    pairs, times = np.unique(draw.binomial(tries, rate, (20_000, 2)), axis=0, return_counts=True)
    refused = sum(
        count
        for (one, other), count in zip(pairs.tolist(), times.tolist(), strict=True)
        if not judge(promise, _numbers(one, other, tried=tries, control_tried=tries)).kept
    )
    assert refused <= 100


def test_the_table_of_how_many_tries_is_what_the_function_says():
    """The docstring's figures are computed."""
    rates = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5)
    for ceiling in (0.05, 0.09):
        line = next(line for line in attack_excess.__doc__.splitlines() if line.strip().startswith(f"{ceiling} "))
        assert line.split()[1:] == [f"{tries_that_decide(ceiling, rate):,}" for rate in rates]


def test_a_lower_ceiling_needs_more_tries():
    """And so does an attack that succeeds by chance as often as not."""
    assert tries_that_decide(0.02, 0.1) > tries_that_decide(0.05, 0.1) > tries_that_decide(0.09, 0.1)
    assert tries_that_decide(0.05, 0.5) > tries_that_decide(0.05, 0.1) > tries_that_decide(0.05, 0.01)


def test_a_small_group_is_judged_as_counted():
    """Two hundred people cannot show an excess of 0.09 at the upper end where chance does it half the time."""
    numbers = dict(zip(NUMBERS, (1, 200, 104, 200, 100, 200, 10), strict=True))
    asked = {"kind": "attack_excess", "attack": "copies", "excess_at_most": 0.09, "tries_at_least": 50}
    assert judge(Parameters(**asked), numbers).verdict is Verdict.BROKEN
    assert judge(Parameters(**asked, judged_on="value"), numbers).verdict is Verdict.KEPT
    worse = numbers | {"succeeded": 119}
    assert judge(Parameters(**asked, judged_on="value"), worse).verdict is Verdict.BROKEN
