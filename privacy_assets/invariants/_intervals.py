"""Intervals of shares and of differences between two, in closed form.

Belongs here: the arithmetic. Does not belong here: what a difference means.
"""

from __future__ import annotations

import math
from typing import NamedTuple

Z_95 = 1.959963984540054
"""The standard normal's 97.5 % point: two-sided 95 %."""


class Interval(NamedTuple):
    """An estimate, and from where to where it may be."""

    value: float
    low: float
    high: float


def wilson(succeeded: float, tried: float) -> Interval:
    """The share of successes with Wilson's score interval (1927), which holds for few tries and for shares of 0 and 1.

    With p = succeeded / tried, n = tried and z: (p + z²/2n ± z sqrt(p(1 - p)/n + z²/4n²)) / (1 + z²/n).
    """
    share, square = succeeded / tried, Z_95**2
    middle = share + square / (2 * tried)
    half = Z_95 * math.sqrt(share * (1 - share) / tried + square / (4 * tried**2))
    whole = 1 + square / tried
    # what rounds past the estimate at 0 and at 1 would be a root of something negative later
    low, high = (middle - half) / whole, (middle + half) / whole
    return Interval(share, max(0.0, min(low, share)), min(1.0, max(high, share)))


def exact(succeeded: int, tried: int) -> Interval:
    """The share of successes with the interval of Clopper and Pearson (1934): at least 95 %, however few the tries.

    Its ends are quantiles of beta distributions, B(2.5 %; k, n - k + 1) and B(97.5 %; k + 1, n - k).
    """
    from scipy.special import betaincinv

    low = float(betaincinv(succeeded, tried - succeeded + 1, 0.025)) if succeeded else 0.0
    high = float(betaincinv(succeeded + 1, tried - succeeded, 0.975)) if succeeded < tried else 1.0
    return Interval(succeeded / tried, low, high)


def difference(succeeded: float, tried: float, other_succeeded: float, other_tried: float) -> Interval:
    """One share minus another of other people, with Newcombe's hybrid score interval.

    d - sqrt((p1 - l1)² + (u2 - p2)²) to d + sqrt((u1 - p1)² + (p2 - l2)²), l and u from Wilson: method 10 of Newcombe,
    "Interval estimation for the difference between independent proportions", Statistics in Medicine 17, 1998.
    """
    one, other = wilson(succeeded, tried), wilson(other_succeeded, other_tried)
    apart = one.value - other.value
    below = math.hypot(one.value - one.low, other.high - other.value)
    above = math.hypot(one.high - one.value, other.value - other.low)
    return Interval(apart, apart - below, apart + above)
