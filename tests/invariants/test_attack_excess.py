"""attack_excess: cases, the intervals it stands on, and how often it refuses the innocent."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import binomtest

from privacy_assets.invariants import attack_excess
from privacy_assets.invariants._intervals import difference, exact, wilson
from privacy_assets.invariants.attack_excess import (
    NUMBERS,
    Parameters,
    about,
    excess,
    judge,
    meaning,
    most_under,
    tries_that_decide,
)
from privacy_assets.words import Verdict

_COLUMNS = ", ".join(("attack", "about", '"group"', *NUMBERS[1:7]))


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
_PAIRS = ("copies", "pairs", "everyone", 400, 210, 400, 190, 400, 200)
_FEW = _attacks(("copies", "exact", "everyone", 400, 12, 400, 8, 400, 8), _PAIRS)
KEPT = [
    {
        "asks": _ASKS | {"small_sample_at_most": 0.1},
        "output": _FEW,
        "attacks": _FEW,
        "numbers": {"measured": 1, "tried": 400, "paired": 400, "paired_won": 210},
    },
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
    counts = (measured, tried, succeeded, control_tried, control, 2_000, baseline, 0, 0)
    return dict(zip(NUMBERS, counts, strict=True))


def test_too_few_tries_decide_nothing():
    """Neither of the two may be fewer than was promised, however far the excess is from its ceiling."""
    assert judge(PROMISE, _numbers(0, 0)).verdict is Verdict.KEPT
    assert judge(PROMISE, _numbers(0, 0, tried=1_999)).verdict is Verdict.INCONCLUSIVE
    assert judge(PROMISE, _numbers(0, 0, control_tried=1_999)).verdict is Verdict.INCONCLUSIVE
    assert judge(PROMISE, _numbers(90, 0, tried=1_999)).verdict is Verdict.INCONCLUSIVE


def _few(won, paired=400, **numbers):
    return _numbers(12, 8, tried=400, control_tried=400) | {"paired": paired, "paired_won": won} | numbers


PAIRED = PROMISE.model_copy(update={"small_sample_at_most": 0.1})


def test_of_few_people_pairs_decide_where_they_were_asked_for():
    """Surely under the ceiling, surely over it, neither; and no pairs, or none asked for, say nothing."""
    assert judge(PAIRED, _few(210)).verdict is Verdict.KEPT
    assert judge(PAIRED, _few(270)).verdict is Verdict.BROKEN
    assert judge(PAIRED, _few(240)).verdict is Verdict.INCONCLUSIVE
    assert judge(PAIRED, _few(11, 20)).verdict is Verdict.INCONCLUSIVE
    assert judge(PAIRED, _few(0, 0)).verdict is Verdict.INCONCLUSIVE
    assert judge(PROMISE, _few(210)).verdict is Verdict.INCONCLUSIVE
    assert judge(PAIRED, _few(210, measured=2)).verdict is Verdict.INCONCLUSIVE


def test_with_enough_tries_pairs_decide_nothing():
    """The rates are what was promised; pairs, and the accountant, are for those who have too few people for them."""
    accounted = PAIRED.model_copy(update={"epsilon": 0.01})
    assert judge(accounted, _numbers(560, 480) | {"paired": 2_000, "paired_won": 1_000}).verdict is Verdict.BROKEN


@pytest.mark.parametrize("tried", [1, 2, 10, 50, 400])
def test_the_exact_interval_is_that_of_scipy(tried):
    """Clopper and Pearson."""
    for succeeded in {0, 1, tried // 3, tried}:
        ours, other = exact(succeeded, tried), binomtest(succeeded, tried).proportion_ci(method="exact")
        assert (ours.low, ours.high) == pytest.approx((other.low, other.high), abs=1e-12)


@pytest.mark.parametrize("pairs", [30, 200, 600])
def test_pairs_hardly_ever_keep_what_is_over_the_ceiling(pairs):
    """With an area at the ceiling, at most once in forty; of an innocent one, six hundred pairs keep nearly all."""
    draw = np.random.default_rng(7)
    kept = {}
    for area in (0.5, 0.6):
        won, times = np.unique(draw.binomial(pairs, area, 4_000), return_counts=True)
        verdicts = [judge(PAIRED, _few(one, pairs)).kept for one in won.tolist()]
        kept[area] = np.sum(times[verdicts]) / 4_000
    assert kept[0.6] <= 0.03
    if pairs == 600:
        assert kept[0.5] > 0.99


@pytest.mark.parametrize("epsilon", [0.01, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("delta", [0.0, 1e-5, 0.01])
def test_what_epsilon_leaves_is_the_largest_that_it_allows(epsilon, delta):
    """Of all shares that two neighbouring steps allow on members, given one on strangers: searched, none is over it."""
    ratio, delta_of_two, grid = np.exp(2 * epsilon), (1 + np.exp(epsilon)) * delta, np.linspace(0, 1, 2_001)
    for rate in (0.001, 0.01, 0.2, 0.5, 0.9, 1.0):
        strangers, members = np.meshgrid(grid * rate, grid, indexing="ij")
        allowed = (members <= ratio * strangers + delta_of_two) & (
            1 - strangers <= ratio * (1 - members) + delta_of_two
        )
        most = (members - strangers)[allowed].max()
        assert most <= most_under(epsilon, delta, rate) + 1e-12
        assert most == pytest.approx(most_under(epsilon, delta, rate), abs=2e-3)


def test_an_epsilon_of_nothing_or_of_far_too_much_leaves_nothing_or_all():
    """No division by zero, no number that is too large."""
    assert most_under(5e-324, 0.0, 0.01) == 0 and most_under(1e-17, 1e-6, 0.5) == pytest.approx(2e-6)
    assert most_under(1e6, 0.0, 0.01) == 1


def test_two_steps_are_what_it_takes():
    """Person by person added or removed a mechanism keeps ε, and tells one in the place of another by 2ε."""
    epsilon, people = 0.5, 5
    share = {count: 1 / (1 + np.exp(-epsilon * (count - people))) for count in (people, people + 1)}
    assert share[people + 1] - share[people] <= most_under(epsilon, 0.0, share[people])


def test_the_accountant_decides_what_few_tries_do_not():
    """By the rate that an attack sets itself, also untried; else by what was counted; and it excuses nothing."""
    accounted = PROMISE.model_copy(update={"epsilon": 0.5, "delta": 1e-6})
    set_rate = accounted.model_copy(update={"excess_at_most": 0.02, "rate": 0.01})
    untried = dict.fromkeys(NUMBERS, 0)
    assert judge(set_rate, untried).verdict is Verdict.KEPT
    assert judge(set_rate.model_copy(update={"excess_at_most": 0.017}), untried).verdict is Verdict.INCONCLUSIVE
    # of twenty who set a threshold one in twenty-one is above it, and not one in a hundred
    assert judge(set_rate, _numbers(1, 1, tried=20, control_tried=20)).verdict is Verdict.INCONCLUSIVE
    assert judge(accounted, untried).verdict is Verdict.INCONCLUSIVE
    assert judge(accounted, _numbers(3, 2, tried=500, control_tried=500)).verdict is Verdict.KEPT
    assert judge(accounted, _numbers(30, 40, tried=500, control_tried=500)).verdict is Verdict.INCONCLUSIVE
    assert judge(PROMISE, _numbers(3, 2, tried=500, control_tried=500)).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("more", [{}, {"small_sample_at_most": 0.1}, {"epsilon": 0.1}])
def test_what_is_surely_over_the_ceiling_breaks_it_with_any_number(more):
    """Neither pairs nor the accountant excuse what was seen: five thousand copies beside too few strangers."""
    promise = PROMISE.model_copy(update=more)
    assert judge(promise, _numbers(2_000, 0, tried=2_000, control_tried=1_999)).verdict is Verdict.BROKEN
    few = _numbers(120, 1, tried=999, control_tried=999) | {"paired": 999, "paired_won": 520}
    assert judge(promise, few).verdict is Verdict.BROKEN


def test_what_was_counted_under_another_epsilon_answers_another_question():
    """The question's text says neither ε nor how often the attack was made; its meaning does."""
    one, other = (PROMISE.model_copy(update={"epsilon": epsilon}) for epsilon in (1.0, 2.0))
    assert len({meaning(PROMISE), meaning(one), meaning(other)}) == 3
    assert meaning(PROMISE) != meaning(PROMISE.model_copy(update={"asked": '{"kind": "copies", "tries": 9}'}))


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
    numbers = dict(zip(NUMBERS, (1, 200, 104, 200, 100, 200, 10, 0, 0), strict=True))
    asked = {"kind": "attack_excess", "attack": "copies", "excess_at_most": 0.09, "tries_at_least": 50}
    assert judge(Parameters(**asked), numbers).verdict is Verdict.BROKEN
    assert judge(Parameters(**asked, judged_on="value"), numbers).verdict is Verdict.KEPT
    worse = numbers | {"succeeded": 119}
    assert judge(Parameters(**asked, judged_on="value"), worse).verdict is Verdict.BROKEN
