"""Noise: what it costs by OpenDP's maps, how far it is off, and what it does not take."""

from __future__ import annotations

import ast
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.techniques.noise import (
    LARGEST,
    Measure,
    Mechanism,
    Noise,
    Response,
    added_up,
    additive,
    epsilon_of,
    randomized_response,
    rho_of,
    rho_within,
    selection,
    total,
)
from tests.accountants import RdpAccountant, dp_event

PACKAGE = Path(__file__).parents[2] / "privacy_assets"
GENERATORS = (".random", "default_rng", "RandomState", "Generator", ".laplace", ".normal", ".geometric", ".choice")
SEEDED = {
    "stages/s6_synthetic.py",
    "stages/_comparing.py",
    "stages/_transferring.py",
    "techniques/anonymize/_drawn.py",
    "techniques/train/_transfer.py",
    "techniques/train/_again.py",
    "techniques/train/_fitting.py",
    "techniques/train/private_network.py",
    "techniques/anonymize/local.py",
    "warehouse/sources/generator.py",
    "testdata/keys.py",
    "testdata/people.py",
    "testdata/values.py",
    "drafting/combinations.py",
    "techniques/synthesize/_sdv.py",
    "techniques/synthesize/sequential_trees.py",
}
"""Where models, invented people and samples are made again from a seed: nothing there is called private, but a net,
whose weights start at numbers that know no row."""

AFTER_NOISE = {"techniques/synthesize/_drawing.py"}
"""Where rows are drawn from shares that are noisy already."""

LOSSES = st.floats(1e-3, 20)
SENSITIVITIES = st.integers(1, 10**12)


@settings(max_examples=60, deadline=None)
@given(SENSITIVITIES, LOSSES, st.sampled_from(Measure), st.sampled_from([additive, selection]))
def test_a_mechanism_costs_what_was_asked_and_hardly_less(
    sensitivity: int, loss: float, measure: Measure, kind: Any
) -> None:
    """OpenDP's map says at most that; a millionth less would need a larger scale."""
    noise = kind(measure, sensitivity, loss)
    assert loss * (1 - 1e-9) <= noise.loss <= loss
    assert kind(measure, sensitivity, loss * (1 - 1e-6)).scale > noise.scale


def test_scales_are_those_of_the_textbook() -> None:
    """d / ε, d / √(2ρ), 2 d / ε, d / √(2ρ)."""
    found = [kind(measure, 6, 0.5) for kind in (additive, selection) for measure in Measure]
    assert [noise.mechanism for noise in found] == list(Mechanism)
    assert [noise.scale for noise in found] == pytest.approx([12, 6, 24, 6], rel=1e-9)


@pytest.mark.parametrize("measure", list(Measure))
@pytest.mark.parametrize("loss", [0, -1, math.nan, math.inf])
def test_a_loss_is_finite_and_above_zero(measure: Measure, loss: float) -> None:
    """Nothing is drawn for free, and nothing without noise."""
    for kind in (additive, selection):
        with pytest.raises(ValueError, match="a loss"):
            kind(measure, 1, loss)


@pytest.mark.parametrize("sensitivity", [0, -1, 0.5, True, math.nan, LARGEST + 1])
def test_a_sensitivity_is_a_whole_number(sensitivity: Any) -> None:
    """No person moves a whole number by less than one."""
    with pytest.raises(ValueError, match="a sensitivity"):
        additive(Measure.PURE, sensitivity, 1.0)


@pytest.mark.parametrize("exact", [[1.0], [math.nan], [math.inf], [True], [None], [LARGEST + 1], ["1"]])
def test_only_bounded_integers_get_noise(exact: Any) -> None:
    """NaN, infinity and floating-point numbers are refused."""
    for measure in Measure:
        with pytest.raises(TypeError):
            additive(measure, 1, 1.0).add(exact)
        with pytest.raises(TypeError):
            selection(measure, 1, 1.0).select_smallest(exact)


def test_a_mechanism_does_only_what_it_is_for() -> None:
    """Noise to add selects nothing, and the other way round."""
    with pytest.raises(TypeError):
        additive(Measure.PURE, 1, 1.0).select_smallest([1])
    with pytest.raises(TypeError):
        selection(Measure.PURE, 1, 1.0).add([1])


@pytest.mark.parametrize("measure", list(Measure))
def test_each_cell_has_noise_of_its_own_and_no_two_draws_are_alike(measure: Measure) -> None:
    """2,000 cells: hardly any two have the same noise, in one draw or in two."""
    noise = additive(measure, 1000, 0.01)
    first, second = noise.add([0] * 2000), noise.add([0] * 2000)
    assert len(set(first)) > 1000
    assert sum(one == other for one, other in zip(first, second, strict=True)) < 20


@pytest.mark.parametrize("measure", list(Measure))
def test_accuracy_holds_in_95_of_100(measure: Measure) -> None:
    """Of 20,000 cells between 94.5 % and 97 % are off by no more (integers: a little over 95 %)."""
    noise = additive(measure, 50, 0.5)
    drawn = noise.add([7] * 20_000)
    held = sum(abs(one - 7) <= noise.accuracy() for one in drawn) / len(drawn)
    assert 0.945 < held < 0.97
    assert noise.accuracy(0.01) > noise.accuracy()


@pytest.mark.parametrize("measure", list(Measure))
def test_the_error_of_a_count_is_that_of_theory(measure: Measure) -> None:
    """Mean absolute error of counts: at most 1.1 times the scale (Laplace), or √(2/π) of it (Gauss)."""
    noise = additive(measure, 5, 0.5)
    drawn = noise.add([100] * 50_000)
    theory = noise.scale * (1 if measure is Measure.PURE else math.sqrt(2 / math.pi))
    assert 0.9 * theory < sum(abs(one - 100) for one in drawn) / len(drawn) <= 1.1 * theory


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 1000), st.floats(1e-3, 10))
def test_a_response_costs_what_was_asked_and_hardly_less(categories: int, loss: float) -> None:
    """OpenDP's map says at most that; the truth is as probable as the textbook says, and not more."""
    response = randomized_response(categories, loss)
    assert loss * (1 - 1e-8) <= response.loss <= loss
    assert response.truth == pytest.approx(math.exp(loss) / (math.exp(loss) + categories - 1), rel=1e-9)


@pytest.mark.parametrize(("categories", "loss"), [(1, 1.0), (True, 1.0), (2.0, 1.0), (2, 0), (2, -1), (2, math.nan),
                                                  (2, math.inf)])  # fmt: skip
def test_a_response_has_something_to_choose_and_a_loss(categories: Any, loss: float) -> None:
    """Two categories or more, a loss that is finite and above 0."""
    with pytest.raises(ValueError, match=r"two categories|a loss"):
        randomized_response(categories, loss)


def test_only_whole_codes_are_answered() -> None:
    """Nothing is guessed of what is no integer."""
    for wrong in ([1.0], [True], [None], ["1"]):
        with pytest.raises(TypeError):
            randomized_response(2, 1.0).answer(wrong)


def test_selection_prefers_the_smallest(figures: Any) -> None:
    """Nearly always with a wide gap, no more often than others without one."""
    for measure in Measure:
        noise = selection(measure, 1, 1.0)
        assert sum(noise.select_smallest([900, 0, 900]) == 1 for _ in range(100)) == 100
        assert 30 < sum(noise.select_smallest([5, 5]) == 1 for _ in range(200)) < 170


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1e3), max_size=50))
def test_losses_are_never_added_up_to_less(losses: list[float]) -> None:
    """As fractions: at least the true sum, and less than one last digit above it."""
    found, exact = added_up(losses), sum(map(Fraction, losses))
    assert Fraction(found) >= exact
    assert found == 0 or Fraction(math.nextafter(found, 0)) < exact
    assert added_up([0.25] * 4) == 1.0


@pytest.mark.parametrize("rho", [1e-6, 1e-3, 0.0243, 0.5, 3.0])
@pytest.mark.parametrize("delta", [1e-9, 1e-6, 1e-4])
def test_rho_is_converted_as_dp_accounting_does(rho: float, delta: float) -> None:
    """To 1e-6 of ε, where its grid of orders is fine (T-DP-3); and back, never up."""
    best = 1 + math.sqrt(math.log(1 / delta) / rho)
    orders = [1 + (best - 1) * 1.0005**step for step in range(-1500, 1501)]
    accountant = RdpAccountant([order for order in orders if order > 1.0001])
    accountant.compose(dp_event.ZCDpEvent(rho))
    assert epsilon_of(rho, delta) == pytest.approx(accountant.get_epsilon(delta), rel=1e-6, abs=1e-6)
    within = rho_within(epsilon_of(rho, delta), delta)
    assert within == pytest.approx(rho, rel=1e-6)
    assert epsilon_of(within, delta) <= epsilon_of(rho, delta)


def test_pure_loss_is_half_its_square_in_rho() -> None:
    """Rounded up."""
    assert rho_of(0.5) == pytest.approx(0.125)
    assert rho_of(0.5) >= 0.125
    assert total(Measure.PURE, [0.25, 0.5], 0).rho is None
    assert total(Measure.ZCDP, [0.25, 0.5], 1e-6).rho == pytest.approx(0.75)


def test_nobody_else_draws_noise() -> None:
    """No module but this one knows OpenDP, and none draws numbers that a seed or numpy could give (T-DP-2).

    Seeded generators stand where splits, models and invented people are made again from their seed.
    """
    opendp, generators = set(), set()
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == "opendp" for name in names):
                opendp.add(path.relative_to(PACKAGE).as_posix())
            drawn = isinstance(node, ast.Attribute) and ast.unparse(node).endswith(GENERATORS)
            if drawn or any(name.split(".")[0] == "random" or name.startswith("numpy.random") for name in names):
                generators.add(path.relative_to(PACKAGE).as_posix())
    assert opendp == {"techniques/noise.py"}
    # attacks are tried by chances that are on record, and draw nothing that is released
    assert {name for name in generators if not name.startswith("attacks/")} <= SEEDED | AFTER_NOISE


def test_a_mechanism_has_no_seed() -> None:
    """Nothing that could be one is a field."""
    assert list(Noise.__dataclass_fields__) == ["mechanism", "sensitivity", "scale", "loss"]
    assert list(Response.__dataclass_fields__) == ["categories", "truth", "loss"]
