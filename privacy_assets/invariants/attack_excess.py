"""attack_excess: an adversary does hardly better on people of the release than on people whom it never saw.

The excess is the share of successes on people of the release minus that on the control; what is judged is the upper
end of its 95 % interval (Newcombe's), or, of a group that has too few people for that, the excess itself. Zero success
would be the wrong floor: a release of entirely other people is "attacked" with some success as well (population,
chance). Reference: `attacks` (attack VARCHAR, about VARCHAR, "group" VARCHAR, tried, succeeded, control_tried,
control_succeeded, baseline_tried, baseline_succeeded, all BIGINT).

Inconclusive, which is no pass, is

* too few tries, on people of the release or of the control;
* tries that were counted in several lines: the same people twice are not twice the evidence;
* an attack without a baseline, or one that is surely (upper end of the interval of its difference to the baseline)
  weaker than the baseline by more than `excess_at_most`. Such an attack did not work, and says nothing of who would
  guess instead; Giomi et al., PoPETs 2023, throw it away likewise. One that is as good as a guess is kept: on a
  release without any tie to people no attack is better.

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
from privacy_assets.invariants._intervals import Interval, difference
from privacy_assets.words import Finding, Frozen, Numbers, Verdict

NUMBERS = (
    "measured", "tried", "succeeded", "control_tried", "control_succeeded", "baseline_tried", "baseline_succeeded",
)  # fmt: skip
NEXT_STEP = "spend less of the budget, fit on fewer columns, or give more people to the control; then make it anew"

MOST_TRIES = 100_000_000
"""Where `tries_that_decide` stops looking."""

Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=63)]


class Parameters(Frozen):
    """Which attack on whom, what it may gain at most, and how often it must have been tried at least."""

    kind: Literal["attack_excess"]
    attack: Word
    about: Annotated[str, Field(max_length=128)] = ""
    group: Word = "everyone"
    excess_at_most: Annotated[float, Field(gt=0, lt=1)]
    tries_at_least: Annotated[int, Field(ge=1)]
    judged_on: Literal["upper_end", "value"] = "upper_end"


def about(parameters: Parameters) -> str:
    """The attack, its variation and the group, `__` between them; no two promises share it."""
    variation = (legal(parameters.about),) if parameters.about else ()
    return "__".join((parameters.attack, *variation, parameters.group))


def question(parameters: Parameters, output: exp.Table, references: Mapping[str, exp.Table]) -> exp.Select:
    """What the attack's tries came to, and in how many lines they were counted (one)."""
    return ask(
        """SELECT count(*) AS "measured", coalesce(sum("tried"), 0) AS "tried",
                  coalesce(sum("succeeded"), 0) AS "succeeded", coalesce(sum("control_tried"), 0) AS "control_tried",
                  coalesce(sum("control_succeeded"), 0) AS "control_succeeded",
                  coalesce(sum("baseline_tried"), 0) AS "baseline_tried",
                  coalesce(sum("baseline_succeeded"), 0) AS "baseline_succeeded"
           FROM $attacks WHERE "attack" = $attack AND "about" = $about AND "group" = $people""",
        attacks=references["attacks"],
        attack=parameters.attack,
        about=parameters.about,
        people=parameters.group,
    )


def judge(parameters: Parameters, numbers: Numbers) -> Finding:
    """Kept up to `excess_at_most`, with its uncertainty; inconclusive without the evidence for it."""
    how = "with 95 % confidence" if parameters.judged_on == "upper_end" else "as counted"
    promise = (
        f"{parameters.attack} of {parameters.group} succeeds at most {parameters.excess_at_most:.4g} more often than "
        f"of people whom the release never saw, {how}, {parameters.tries_at_least:,} tries or more"
    )
    return Finding("attack_excess", _verdict(parameters, numbers), numbers, promise, about(parameters))


def _verdict(parameters: Parameters, numbers: Numbers) -> Verdict:
    if any(not math.isfinite(numbers.get(name, math.nan)) for name in NUMBERS):
        return Verdict.INCONCLUSIVE
    fewest = min(numbers["tried"], numbers["control_tried"])
    if numbers["measured"] != 1 or fewest < parameters.tries_at_least or numbers["baseline_tried"] < 1:
        return Verdict.INCONCLUSIVE
    if over_baseline(numbers).high < -parameters.excess_at_most:
        return Verdict.INCONCLUSIVE
    return Verdict.KEPT if judged(parameters.judged_on, numbers) <= parameters.excess_at_most else Verdict.BROKEN


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
