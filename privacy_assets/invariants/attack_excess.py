"""attack_excess: an adversary does hardly better on people of the release than on people whom it never saw.

The excess is the share of successes on people of the release minus that on the control; what is judged is the upper
end of its 95 % interval (Newcombe's), or, of a group that has too few people for that, the excess itself. Zero success
would be the wrong floor: a release of entirely other people is "attacked" with some success as well (population,
chance). Reference: `attacks` (attack VARCHAR, about VARCHAR, "group" VARCHAR, tried, succeeded, control_tried,
control_succeeded, baseline_tried, baseline_succeeded, all BIGINT); the line `pairs` of an attack, where it has one,
counts `paired` and `paired_won`.

Inconclusive, which is no pass, is

* too few tries, on people of the release or of the control, where nothing else decides (below);
* tries that were counted in several lines: the same people twice are not twice the evidence;
* an attack without a baseline, or one that is surely (upper end of the interval of its difference to the baseline)
  weaker than the baseline by more than `excess_at_most`. Such an attack did not work, and says nothing of who would
  guess instead; Giomi et al., PoPETs 2023, throw it away likewise. One that is as good as a guess is kept: on a
  release without any tie to people no attack is better.

**With fewer tries** than were promised, an excess that is surely over the ceiling (the lower end of its interval)
breaks it all the same. Else one of two may keep the promise, where it names it:

* `small_sample_at_most`: an attack that gives every person a score is counted in *pairs* besides, each of a person of
  the release and one of the control, drawn without regard to their scores, nobody twice: how often the first scores
  higher. That share is the area under the ROC curve (a tie is broken by chance), and of people drawn independently the
  interval of Clopper and Pearson holds for any number of them. Kept is an area of at most one half and
  `small_sample_at_most`, at the upper end; broken one that is surely over it. It speaks of the release at hand, and of
  what an adversary learns on average: it is much weaker than the rates, since a few who are surely found move it
  little.
* `epsilon` and `delta`, which the accountant found and the ledger debited, for attacks whose success is an event of one
  person's row and of what was released (`OF_A_PERSON`). With q the share on the control that means an excess of at
  most min(e^2ε q + δ', 1 - e^-2ε (1 - q - δ')) - q, δ' = (1 + e^ε) δ (Wasserman and Zhou 2010, theorem 2.4; Kairouz,
  Oh and Viswanath 2015): 2ε, since a person of the control stands beside a release of as many others. q is `rate`, or
  what that comes to with so few tries, where an attack sets its false positives itself; else the upper end of what
  was counted.

**How many tries.** An innocent release has no excess, and is refused if chance puts the upper end over the ceiling.
That happens the less, the more tries there are and the farther the attack's chance successes are from one half.
`tries_that_decide` gives the number from which a promise refuses an innocent release hardly ever; promise no fewer
where there are many attacks: twenty promises that each err once in a hundred refuse one innocent release in five. For
a false alarm of 1 in 1,000:

    ceiling   chance success 0.001   0.01   0.05   0.1   0.25   0.5
    0.05                       166    337  1,032 1,883  3,862 5,135
    0.09                        82    144    342   595  1,199 1,590

Guesses that single somebody out are no independent tries: many are of the same few people. Of 4,000 people their excess
varied 1.6 to 2.1 times as much as this supposes (5,000 guesses over three columns, 60 innocent releases), the less, the
more people there are: promise 5,000 tries and have several thousand people for them. On the most exposed, who are few,
promise only attacks that hardly succeed by chance (copies, linkability, membership, reconstruction).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from statistics import NormalDist
from typing import Annotated, Literal

from pydantic import Field
from sqlglot import exp

from privacy_assets.invariants._asking import ask, legal
from privacy_assets.invariants._intervals import Interval, difference, exact, wilson
from privacy_assets.weakening import Weaker
from privacy_assets.words import Finding, Frozen, Numbers, Verdict

NUMBERS = (
    "measured", "tried", "succeeded", "control_tried", "control_succeeded", "baseline_tried", "baseline_succeeded",
    "paired", "paired_won",
)  # fmt: skip
NEXT_STEP = "spend less of the budget, fit on fewer columns, or give more people to the control; then make it anew"

MOST_TRIES = 100_000_000
"""Where `tries_that_decide` stops looking."""

Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=63)]


class Parameters(Frozen):
    """Which attack on whom, what it may gain at most, and how often it must have been tried at least.

    `asked` are the attack's own parameters: what was tried otherwise answers another question.
    """

    kind: Literal["attack_excess"]
    attack: Annotated[Word, Weaker.ANY]
    about: Annotated[str, Field(max_length=128), Weaker.ANY] = ""
    group: Annotated[Word, Weaker.ANY] = "everyone"
    excess_at_most: Annotated[float, Field(gt=0, lt=1), Weaker.ELSEWHERE]
    tries_at_least: Annotated[int, Field(ge=1), Weaker.ELSEWHERE]
    judged_on: Annotated[Literal["upper_end", "value"], Weaker.ELSEWHERE] = "upper_end"
    small_sample_at_most: Annotated[Annotated[float, Field(gt=0, lt=0.5)] | None, Weaker.ELSEWHERE] = None
    epsilon: Annotated[Annotated[float, Field(gt=0)] | None, Weaker.ELSEWHERE] = None
    delta: Annotated[float, Field(ge=0, lt=1), Weaker.ELSEWHERE] = 0.0
    rate: Annotated[Annotated[float, Field(gt=0, lt=1)] | None, Weaker.ELSEWHERE] = None
    asked: Annotated[str, Weaker.ELSEWHERE] = ""


def about(parameters: Parameters) -> str:
    """The attack, its variation and the group, `__` between them; no two promises share it."""
    variation = (legal(parameters.about),) if parameters.about else ()
    return "__".join((parameters.attack, *variation, parameters.group))


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """What the attack's tries came to, in how many lines they were counted (one), and its pairs."""
    return ask(
        """SELECT count(*) FILTER ("about" = $about) AS "measured",
                  coalesce(sum("tried") FILTER ("about" = $about), 0) AS "tried",
                  coalesce(sum("succeeded") FILTER ("about" = $about), 0) AS "succeeded",
                  coalesce(sum("control_tried") FILTER ("about" = $about), 0) AS "control_tried",
                  coalesce(sum("control_succeeded") FILTER ("about" = $about), 0) AS "control_succeeded",
                  coalesce(sum("baseline_tried") FILTER ("about" = $about), 0) AS "baseline_tried",
                  coalesce(sum("baseline_succeeded") FILTER ("about" = $about), 0) AS "baseline_succeeded",
                  coalesce(sum("tried") FILTER ("about" = 'pairs'), 0) AS "paired",
                  coalesce(sum("succeeded") FILTER ("about" = 'pairs'), 0) AS "paired_won"
           FROM $attacks WHERE "attack" = $attack AND "group" = $people""",
        attacks=references["attacks"],
        attack=parameters.attack,
        about=parameters.about,
        people=parameters.group,
    )


def meaning(parameters: Parameters) -> str:
    """What was counted by another attack, or under another ε, says nothing of this one."""
    return f"{parameters.asked}, epsilon {parameters.epsilon!r}, delta {parameters.delta!r}"


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept up to `excess_at_most`, with its uncertainty; inconclusive without the evidence for it."""
    how = "with 95 % confidence" if parameters.judged_on == "upper_end" else "as counted"
    promise = (
        f"{parameters.attack} of {parameters.group} succeeds at most {parameters.excess_at_most:.4g} more often than "
        f"of people whom the release never saw, {how}, {parameters.tries_at_least:,} tries or more{_else(parameters)}"
    )
    return Finding("attack_excess", _verdict(parameters, numbers), numbers, promise, about(parameters))


def _verdict(parameters: Parameters, numbers: Numbers) -> Verdict:
    if any(not math.isfinite(numbers.get(name, math.nan)) for name in NUMBERS):
        return Verdict.INCONCLUSIVE
    fewest = min(numbers["tried"], numbers["control_tried"])
    if numbers["measured"] > 1:
        return Verdict.INCONCLUSIVE
    if numbers["measured"] < 1 or fewest < parameters.tries_at_least:
        return _of_few(parameters, numbers)
    if numbers["baseline_tried"] < 1:
        return Verdict.INCONCLUSIVE
    if over_baseline(numbers).high < -parameters.excess_at_most:
        return Verdict.INCONCLUSIVE
    return Verdict.KEPT if judged(parameters.judged_on, numbers) <= parameters.excess_at_most else Verdict.BROKEN


def _else(parameters: Parameters) -> str:
    """What decides with fewer tries, in words."""
    area, epsilon = parameters.small_sample_at_most, parameters.epsilon
    instead = [f"an area under the curve of at most {0.5 + area:g} of fewer, exactly counted"] if area else []
    instead += [f"what ε = {epsilon:.4g} leaves, δ = {parameters.delta:g}"] if epsilon else []
    return "; or " + ", or ".join(instead) if instead else ""


def _of_few(parameters: Parameters, numbers: Numbers) -> Verdict:
    """With fewer tries than were promised: by what is sure all the same, by pairs, by the accountant, or not at all."""
    both = numbers["measured"] and numbers["tried"] and numbers["control_tried"]
    if both and excess(numbers).low > parameters.excess_at_most:
        return Verdict.BROKEN
    most, paired = parameters.small_sample_at_most, numbers["paired"]
    if most is not None and both and paired:
        area = exact(int(numbers["paired_won"]), int(paired))
        if area.low > 0.5 + most:
            return Verdict.BROKEN
        if area.high <= 0.5 + most:
            return Verdict.KEPT
    if parameters.epsilon is None or (rate := _rate(parameters, numbers)) is None:
        return Verdict.INCONCLUSIVE
    left = most_under(parameters.epsilon, parameters.delta, rate)
    return Verdict.KEPT if left <= parameters.excess_at_most else Verdict.INCONCLUSIVE


def _rate(parameters: Parameters, numbers: Numbers) -> float | None:
    """The largest share of the control that the attack may succeed on; None where nothing says so."""
    tried = numbers["control_tried"]
    if parameters.rate is not None:
        # of so few that set a threshold, one more than those above it is above it on average
        return (math.floor(parameters.rate * tried) + 1) / (tried + 1) if tried else parameters.rate
    return wilson(numbers["control_succeeded"], tried).high if tried else None


def most_under(epsilon: float, delta: float, rate: float) -> float:
    """The largest excess that (ε, δ) allows of an attack whose share of successes on the control is at most `rate`.

    ε is of adding or removing a person; somebody of the control is compared with somebody in their place, which is two
    such steps.
    """
    if epsilon > 300:  # e^2ε is no double any more, and nothing is bounded
        return 1.0
    one, ratio = math.exp(epsilon), math.exp(2 * epsilon)
    delta = min(1.0, (1 + one) * delta)
    steepness = ratio - 1 / ratio
    if steepness <= 0:
        return delta
    # here both bounds meet: beyond it more successes on the control leave less
    peak = (1 - delta) * (1 - 1 / ratio) / steepness
    share = min(rate, peak)
    return min(1.0, min(ratio * share + delta, 1 - (1 - share - delta) / ratio) - share)


def judged(on: Literal["upper_end", "value"], numbers: Numbers) -> float:
    """What is held against the ceiling."""
    found = excess(numbers)
    return found.high if on == "upper_end" else found.value


def excess(numbers: Numbers) -> Interval:
    """How much more often the attack succeeds on people of the release than on the control."""
    return difference(*(numbers[name] for name in ("succeeded", "tried", "control_succeeded", "control_tried")))


def over_baseline(numbers: Numbers) -> Interval:
    """How much more often the attack succeeds on people of the release than a guess without it."""
    return difference(*(numbers[name] for name in ("succeeded", "tried", "baseline_succeeded", "baseline_tried")))


def tries_that_decide(excess_at_most: float, rate: float, false_alarm: float = 0.001) -> int:
    """The fewest tries with which a release without any excess is hardly ever refused.

    Both shares are `rate`; the excess that chance makes lies, but for `false_alarm`, under z times its standard error
    s = sqrt(2 rate (1 - rate) / n), and one success more where successes are few. The number is the fewest n for which
    the upper end at that excess is under the ceiling. Meant for planning, not for judging.
    """
    z = NormalDist().inv_cdf(1 - false_alarm)

    def decides(tries: int) -> bool:
        chance = z * math.sqrt(rate * (1 - rate) / (2 * tries))
        other = max(0.0, rate - chance)
        one = min(1.0, other + 2 * chance + 1 / tries)
        return difference(one * tries, tries, other * tries, tries).high <= excess_at_most

    return bisect_left(range(1, MOST_TRIES), True, key=decides) + 1


def pairs_that_decide(small_sample_at_most: float, false_alarm: float = 0.001) -> int:
    """The fewest pairs with which an area of one half is hardly ever refused; meant for planning, not for judging."""
    z = NormalDist().inv_cdf(1 - false_alarm)

    def decides(pairs: int) -> bool:
        won = min(pairs, math.ceil(pairs / 2 + z * math.sqrt(pairs) / 2))
        return exact(won, pairs).high <= 0.5 + small_sample_at_most

    return bisect_left(range(1, MOST_TRIES), True, key=decides) + 1
