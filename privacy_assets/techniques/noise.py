"""All noise of this program, drawn by OpenDP: integers in, integers out, and the privacy map is OpenDP's own.

Belongs here: the mechanisms, what they cost (the maps), how far they are off (accuracy), and the conversion between ρ
and (ε, δ). Does not belong here: sensitivities (`aggregate/`, beside each query), budgets (`ledger/budget.py`).

Values are integers, and the samplers are exact (Canonne, Kamath, Steinke: "The Discrete Gaussian for Differential
Privacy", 2020): no rounding of floating-point numbers tells anything of what was put in (Mironov 2012). Randomness
comes from the operating system through OpenDP's core; there is no seed, and none can be given.

    measure   additive noise       selection               loss at sensitivity d and scale s, by OpenDP's map
    PURE      discrete Laplace     exponential noise, max  ε = d / s          ε = 2 d / s
    ZCDP      discrete Gaussian    Gumbel noise, max       ρ = (d / s)² / 2   ρ = (d / s)² / 2

A `Response` is drawn for one value at a time, before anything is added up: ε is what one answer tells of one value
(randomized response; Warner 1965, for m categories Kairouz, Bonawitz, Ramage 2016).

`d` is how far a person can move the vector of all cells: in L1 under PURE, in L2 under ZCDP, in L∞ for the scores of a
selection. What it does not cover: the time that drawing takes, and readers who learn what was *not* released.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from privacy_assets.words import PrivacyLoss

LARGEST = 2**62
"""Integers beyond this (either sign) are refused: noise must find room in 64 bits."""

_STEPS = 60  # of halving: more than a double has bits


class Measure(StrEnum):
    """In what the loss is counted: ε of pure differential privacy, or ρ of zero-concentrated."""

    PURE = "epsilon"
    ZCDP = "rho"


class Mechanism(StrEnum):
    """How an answer was made."""

    DISCRETE_LAPLACE = "discrete_laplace"
    DISCRETE_GAUSSIAN = "discrete_gaussian"
    NOISY_MAX_EXPONENTIAL = "noisy_max_exponential"
    NOISY_MAX_GUMBEL = "noisy_max_gumbel"


ADDITIVE = {Measure.PURE: Mechanism.DISCRETE_LAPLACE, Measure.ZCDP: Mechanism.DISCRETE_GAUSSIAN}
SELECTION = {Measure.PURE: Mechanism.NOISY_MAX_EXPONENTIAL, Measure.ZCDP: Mechanism.NOISY_MAX_GUMBEL}


@dataclass(frozen=True, slots=True)
class Noise:
    """A mechanism that is ready to be drawn from: `loss` (ε or ρ) is what OpenDP's map says of it, once per draw."""

    mechanism: Mechanism
    sensitivity: int
    scale: float
    loss: float

    def add(self, exact: Sequence[int]) -> list[int]:
        """The vector of all cells with noise of its own in each: one draw. TypeError for what is no integer."""
        if self.mechanism not in ADDITIVE.values():
            raise TypeError(f"{self.mechanism} selects, and adds nothing")
        return [int(number) for number in _measurement(self.mechanism, self.scale)(_integers(exact))]

    def select_smallest(self, scores: Sequence[int]) -> int:
        """The place of a score that is probably one of the smallest: one draw. TypeError for what is no integer."""
        if self.mechanism not in SELECTION.values():
            raise TypeError(f"{self.mechanism} adds, and selects nothing")
        return int(_measurement(self.mechanism, self.scale)(_integers(scores)))

    def accuracy(self, alpha: float = 0.05, *, of: int = 1, added: int = 1) -> float:
        """The answer is off by no more than this with probability 1 - `alpha`.

        Of additive noise: by OpenDP's tail of this distribution, for one cell. Of n = `added` cells that are added up:
        by Chernoff's bound, the least (ln(2 / alpha) + n ln E exp(λX)) / λ over λ, where ln E exp(λX) is at most
        λ²s²/2 for discrete Gaussian noise (Canonne et al., fact 1.6), and with p = exp(-1/s) is
        2 ln(1 - p) - ln(1 - p exp(λ)) - ln(1 - p exp(-λ)) for discrete Laplace noise. Of a selection among `of`
        scores: the score of what is chosen is above the smallest by at most s ln(of / alpha): McSherry and Talwar
        2007, theorem 6; exponential noise is never worse (McKenna and Sheldon 2020).
        """
        from opendp import accuracy

        if added > 1:
            return self._accuracy_of_sum(alpha, added)
        match self.mechanism:
            case Mechanism.DISCRETE_LAPLACE:
                return float(accuracy.discrete_laplacian_scale_to_accuracy(self.scale, alpha))
            case Mechanism.DISCRETE_GAUSSIAN:
                return float(accuracy.discrete_gaussian_scale_to_accuracy(self.scale, alpha))
        return self.scale * math.log(of / alpha)

    def _accuracy_of_sum(self, alpha: float, added: int) -> float:
        if self.mechanism is Mechanism.DISCRETE_GAUSSIAN:
            return self.scale * math.sqrt(2 * added * math.log(2 / alpha))

        def one(u: float) -> float:  # ln E exp(λX) at λ = u / s
            whole, near, far = (math.log(-math.expm1(-(1 + shift) / self.scale)) for shift in (0, -u, u))
            return 2 * whole - near - far

        # any λ bounds it, so that the best of a grid does
        grid = (step / 200 for step in range(1, 200))
        return min((math.log(2 / alpha) + added * one(u)) * self.scale / u for u in grid)


@dataclass(frozen=True, slots=True)
class Response:
    """Randomized response among `categories`: `truth` is the probability of the true one, `loss` OpenDP's ε per answer.

    Each of the other categories has the probability (1 - truth) / (categories - 1).
    """

    categories: int
    truth: float
    loss: float

    def answer(self, codes: Sequence[int]) -> list[int]:
        """For each code, 0 to `categories` - 1, an answer of its own. A code that is none of them leaves as any alike.

        TypeError for what is no integer. OpenDP draws one answer at a time.
        """
        respond = _response(self.categories, self.truth)
        return [int(respond(code)) for code in _integers(codes)]


def randomized_response(categories: int, loss: float) -> Response:
    """The truth as probable as it may be: e^ε / (e^ε + m - 1), of which OpenDP's map says that it costs at most ε."""
    if isinstance(categories, bool) or not isinstance(categories, int) or not 2 <= categories <= LARGEST:
        raise ValueError(f"a response has two categories or more, not {categories!r}")
    if not (math.isfinite(loss) and loss > 0):
        raise ValueError(f"a loss is a finite number above 0, not {loss!r}")
    lie = math.exp(-loss)  # of one other category, as a share of the truth's probability; e^ε itself may be infinite
    uniform, truth = 1 / categories, 1 / (1 + (categories - 1) * lie)
    less = 0.0
    while (claimed := float(_response(categories, truth).map(1))) > loss:
        # the map rounds up, so the probability of the textbook may cost a last digit too much
        less = max(less * 2, 2**-52)
        truth = max(uniform, truth - less)
        if truth == uniform:
            raise ValueError(f"no answer among {categories} categories is worth a loss of {loss!r}")
    return Response(categories, truth, claimed)


def additive(measure: Measure, sensitivity: int, loss: float) -> Noise:
    """Noise to add to integers, with the least scale of which OpenDP's map says that it costs at most `loss`."""
    return _calibrated(ADDITIVE[measure], sensitivity, loss)


def selection(measure: Measure, sensitivity: int, loss: float) -> Noise:
    """A noisy choice of the smallest score, with the least scale that costs at most `loss`."""
    return _calibrated(SELECTION[measure], sensitivity, loss)


def total(measure: Measure, losses: Sequence[float], delta: float) -> PrivacyLoss:
    """What draws cost together, by sequential composition: ε or ρ added up, rounded up."""
    added = added_up(losses)
    if measure is Measure.PURE:
        return PrivacyLoss(added)
    return PrivacyLoss(epsilon_of(added, delta), delta, added)


def added_up(losses: Sequence[float]) -> float:
    """The sum as a double that is never below it: the sum itself where it is one, else the next above."""
    nearest = math.fsum(losses)
    short = math.fsum([*losses, -nearest]) > 0  # the sign of what is missing is exact
    return math.nextafter(nearest, math.inf) if short else nearest


def rho_of(epsilon: float) -> float:
    """The ρ that pure ε implies, by OpenDP's conversion (Bun and Steinke 2016: ε²/2)."""
    from opendp import combinators, measurements

    _enable()
    space = _vector("l1_distance", "f64")
    converted: Any = combinators.make_pureDP_to_zCDP(measurements.make_laplace(*space, scale=1.0))
    return math.nextafter(float(converted.map(epsilon)), math.inf)


@lru_cache(maxsize=1024)
def epsilon_of(rho: float, delta: float) -> float:
    """The ε that ρ implies at `delta`, by OpenDP's conversion, rounded up."""
    from opendp import combinators, measurements

    if rho == 0:
        return 0.0
    _enable()
    unit = measurements.make_gaussian(*_vector("l2_distance", "f64"), scale=1.0)
    distance = math.nextafter(math.sqrt(2 * rho), math.inf)
    converted: Any = combinators.make_zCDP_to_approxDP(unit)
    return math.nextafter(float(converted.map(distance).epsilon(delta)), math.inf)


@lru_cache(maxsize=1024)
def rho_within(epsilon: float, delta: float) -> float:
    """The largest ρ that implies no more than `epsilon` at `delta`, rounded down."""
    low, high = 0.0, 1.0
    while epsilon_of(high, delta) <= epsilon:
        low, high = high, high * 2
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if epsilon_of(middle, delta) <= epsilon else (low, middle)
    return low


def _calibrated(mechanism: Mechanism, sensitivity: int, loss: float) -> Noise:
    if isinstance(sensitivity, bool) or not isinstance(sensitivity, int) or not 0 < sensitivity <= LARGEST:
        raise ValueError(f"a sensitivity is a whole number from 1 to {LARGEST}, not {sensitivity!r}")
    if not (math.isfinite(loss) and loss > 0):
        raise ValueError(f"a loss is a finite number above 0, not {loss!r}")
    match mechanism:
        case Mechanism.DISCRETE_LAPLACE:
            scale = sensitivity / loss
        case Mechanism.NOISY_MAX_EXPONENTIAL:
            scale = 2 * sensitivity / loss
        case _:
            scale = sensitivity / math.sqrt(2 * loss)
    grown = 0.0
    while (claimed := _map(mechanism, scale, sensitivity)) > loss:
        # the map rounds up, so the scale of the textbook may cost a last digit too much
        grown = max(grown * 2, 2**-52)
        scale *= 1 + grown
    return Noise(mechanism, sensitivity, scale, claimed)


def _map(mechanism: Mechanism, scale: float, sensitivity: int) -> float:
    distance = float(sensitivity) if mechanism is Mechanism.DISCRETE_GAUSSIAN else sensitivity
    return float(_measurement(mechanism, scale).map(distance))


@lru_cache(maxsize=4096)
def _measurement(mechanism: Mechanism, scale: float) -> Any:
    """OpenDP's measurement on vectors of 64-bit integers."""
    from opendp import measurements, measures

    _enable()
    match mechanism:
        case Mechanism.DISCRETE_LAPLACE:
            return measurements.make_laplace(*_vector("l1_distance", "i64"), scale=scale)
        case Mechanism.DISCRETE_GAUSSIAN:
            return measurements.make_gaussian(*_vector("l2_distance", "f64"), scale=scale)
        case Mechanism.NOISY_MAX_EXPONENTIAL:
            measure = measures.max_divergence()
        case Mechanism.NOISY_MAX_GUMBEL:
            measure = measures.zero_concentrated_divergence()
    return measurements.make_noisy_max(*_vector("linf_distance", "i64"), measure, scale=scale, negate=True)


@lru_cache(maxsize=256)
def _response(categories: int, truth: float) -> Any:
    """OpenDP's measurement on codes: what is no code is answered by any category, each as probable as the others."""
    from opendp import measurements

    _enable()
    return measurements.make_randomized_response(list(range(categories)), truth, T="i64")


def _vector(metric: str, distance: str) -> tuple[Any, Any]:
    from opendp import domains, metrics

    return domains.vector_domain(domains.atom_domain(T="i64")), getattr(metrics, metric)(T=distance)


@lru_cache(maxsize=1)
def _enable() -> None:
    from opendp.mod import enable_features

    # constructors whose proofs are public, and not all reviewed: docs.opendp.org, "contrib"
    enable_features("contrib")


def _integers(numbers: Sequence[int]) -> list[int]:
    if any(isinstance(number, bool) or not isinstance(number, int) for number in numbers):
        raise TypeError("noise is drawn for integers: bound and round before")
    if any(not -LARGEST <= number <= LARGEST for number in numbers):
        raise TypeError("an integer is too large for noise: bound it before")
    return list(numbers)
