"""Private network: what one person moves, what it spends, that its sums are exact, and the mutants that are caught."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from privacy_assets.techniques.train import TRAIN, _descent
from privacy_assets.techniques.train import private_network as private
from privacy_assets.techniques.train._descent import FAR, GRID, P, Q
from tests.accountants import RdpAccountant, dp_event
from tests.techniques.synthesize.auditing import accused, taped
from tests.techniques.training import (
    COLUMNS,
    PERSON,
    STEPS,
    M,
    Rows,
    Weights,
    exact_count,
    exact_gradient,
    half_scale,
    measured,
    others,
    unpaid,
)

HIDDEN = 3
CLIP = 0.25
"""So little that each row of which the net is not sure has to be shortened."""
INPUTS = 200
SIZE = HIDDEN * (1 + COLUMNS) + 1 + HIDDEN


def _parameters(**asks: Any) -> private.Parameters:
    said = {"epsilon": 1.0, "delta": 1e-5, "steps": STEPS, "hidden": HIDDEN, "clip": CLIP} | asks
    return private.Parameters(kind="private_network", **said)


def _train(m: int = M, **asks: Any) -> tuple[Callable[[Any], Any], float]:
    """A fit, and the ρ that it is debited."""
    rho = private.cost(_parameters(**asks)).rho
    assert rho is not None

    def train(table: Rows) -> Weights:
        unfitted = private.build(_parameters(**asks), "classification", 0, columns=COLUMNS, rows_per_person=m)
        model = unfitted.fit(table.numbers, table.truth)
        return Weights(np.concatenate([part.ravel() for part in (*model.coefs_, *model.intercepts_)]))

    return train, rho


def _gradient(numbers: Any, truth: Any, weights: Any, clip: float = CLIP, columns: int = COLUMNS) -> np.ndarray:
    hidden = (len(weights) - 1) // (2 + np.shape(numbers)[1])
    rows = _descent.kept(np.asarray(numbers, dtype=float), columns)
    return private.gradient(rows, np.asarray(truth, dtype=bool), weights, hidden, private.longest(clip))


@settings(max_examples=60, deadline=None)
@given(person=PERSON, epsilon=st.sampled_from([0.1, 1.0, 20.0]), clip=st.sampled_from([0.01, CLIP, 16.0]))
def test_whoever_is_added_moves_no_more_than_is_argued(person: Any, epsilon: float, clip: float) -> None:
    """Any rows of one person, out of bounds or no numbers at all: the auditor has nothing to say."""
    numbers, truth = np.array([row for row, _ in person]), np.array([yes for _, yes in person])
    train, rho = _train(epsilon=epsilon, clip=clip)
    assert accused(train, others(), others().and_of(numbers, truth), rho) == []


@settings(max_examples=200, deadline=None)
@given(
    row=st.lists(st.floats(-2, 2), min_size=COLUMNS, max_size=COLUMNS),
    yes=st.booleans(),
    weights=st.lists(st.floats(-FAR, FAR), min_size=SIZE, max_size=SIZE),
    clip=st.sampled_from([0.01, 0.1, 1.0, 16.0]),
)
def test_the_gradient_of_a_row_is_no_longer_than_declared(row: Any, yes: bool, weights: Any, clip: float) -> None:
    """Of any weights that there can be, counted in integers without an end."""
    found = _gradient([row], [yes], np.array(weights), clip)
    assert sum(int(part) ** 2 for part in found) <= private.longest(clip) ** 2


def _extreme() -> tuple[Rows, Rows]:
    """One person more, whose rows are all at the bounds, and of the class that the net starts off against."""
    table, corner = others(), np.ones((M, COLUMNS))
    start = private.build(_parameters(), "classification", 0).start(1 + COLUMNS, COLUMNS)
    [against] = [yes for yes in (False, True) if np.abs(_gradient(corner[:1], [yes], start, 16.0)[-4]) > P * Q / 2]
    return table, table.and_of(corner, np.full(M, against))


def test_the_largest_move_is_seen() -> None:
    """The tables that mutants are tried on do not hide them: m rows move by more than m - 1 may, at the first step."""
    assert accused(_train()[0], *_extreme(), _train()[1]) == []
    assert "counts move further than their sensitivity" in accused(_train(M - 1)[0], *_extreme(), _train()[1])


def test_the_bound_is_reached() -> None:
    """But for what is rounded towards zero: the sensitivity is not larger than it has to be."""
    one, other = _extreme()
    weights = np.random.default_rng(3).normal(size=SIZE)
    moved = _gradient(other.numbers, other.truth, weights) - _gradient(one.numbers, one.truth, weights)
    most = private.moves(private.longest(CLIP), M)
    assert 0.98 * most < math.sqrt(sum(int(part) ** 2 for part in moved)) <= most


def test_rows_longer_than_declared_are_left_out() -> None:
    """Four inputs of one column are a category, of which one is 1: a row with two has no gradient at all."""
    weights = np.random.default_rng(3).normal(size=SIZE)
    assert _gradient([[0, 1, 0, 0]], [True], weights, columns=1).any()
    assert not _gradient([[0, 1, 0, 1]], [True], weights, columns=1).any()


def test_a_row_that_is_not_short_enough_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were doubles to shorten it too little, integers would tell."""
    weights = np.random.default_rng(3).normal(size=SIZE)
    corner = [[1, 1, 1, 1]]
    assert _gradient(corner, [False], weights).any() and _gradient(corner, [True], weights).any()
    monkeypatch.setattr(private, "SHORTER", 1.02)
    assert not _gradient(corner, [False], weights).any() and not _gradient(corner, [True], weights).any()
    assert accused(_train()[0], *_extreme(), _train()[1]) == []


# ---- sums are exact


def test_sums_are_the_same_in_any_order_and_company() -> None:
    """Rows of others give the same integers, however many stand beside them."""
    table, weights = others(1000), np.random.default_rng(1).normal(size=SIZE)
    whole = _gradient(table.numbers, table.truth, weights)
    turned = np.random.default_rng(2).permutation(1000)
    assert (_gradient(table.numbers[turned], table.truth[turned], weights) == whole).all()
    parts = [_gradient(table.numbers[a : a + 1], table.truth[a : a + 1], weights) for a in range(1000)]
    assert (np.sum(parts, axis=0) == whole).all()


def _by_hand(numbers: Any, yes: bool, weights: np.ndarray, hidden: int, clip: float) -> list[Fraction]:
    """The gradient of one row by Python's numbers, which have no end; not rounded after it is shortened."""
    rows = [Q, *(round(Q * number) for number in numbers)]
    whole = [int(one) for one in np.rint(weights * GRID)]
    into, out = [whole[j : len(rows) * hidden : hidden] for j in range(hidden)], whole[len(rows) * hidden :]

    def looked_up(table: Any, number: int) -> int:
        place = math.floor(Fraction(number * _descent.TABLE, Q * GRID))
        return int(table[min(max(place, -FAR * _descent.TABLE), FAR * _descent.TABLE) + FAR * _descent.TABLE])

    said = [private.H, *(looked_up(private._tanh(), sum(map(int.__mul__, rows, one))) for one in into)]
    off = looked_up(_descent.logistic(), sum(map(int.__mul__, said, out))) - P * yes
    back = [
        math.trunc(Fraction(off * u * (Q * Q - h * h), GRID * Q * Q)) for u, h in zip(out[1:], said[1:], strict=True)
    ]
    gradient = [Fraction(one * z) for z in rows for one in back] + [Fraction(off * h) for h in said]
    length = math.isqrt(int(sum(one * one for one in gradient))) + 1
    return [one * min(1, Fraction(private.longest(clip), length)) for one in gradient]


@pytest.mark.parametrize("hidden", [1, 64])
@pytest.mark.parametrize("clip", [0.01, 16.0])
@pytest.mark.parametrize("size", [1.0, 1000.0])
def test_nothing_overflows(hidden: int, clip: float, size: float) -> None:
    """The largest weights, many inputs at their bounds: as by Python's own integers, but for one unit of r or δ."""
    draw = np.random.default_rng(4)
    numbers = np.sign(draw.normal(size=INPUTS))
    into = np.outer(np.concatenate([[1], numbers]), draw.normal(size=hidden)) * size / INPUTS
    weights = np.clip(np.concatenate([into.ravel(), draw.normal(size=1 + hidden) * size]), -FAR, FAR)
    for yes in (False, True):
        found = _gradient(numbers[None], [yes], weights, clip, columns=INPUTS)
        exact = _by_hand(numbers, yes, weights, hidden, clip)
        assert max(abs(int(one) - other) for one, other in zip(found, exact, strict=True)) <= 2 * Q


def test_products_are_exact_up_to_what_a_double_holds() -> None:
    """Sums that one double holds, sums that need several pieces, and none that would be too large for noise."""
    draw = np.random.default_rng(5)
    for bits, columns in ((20, 1000), (40, 1000), (51, 300)):
        left, right = (draw.integers(-(2**most), 2**most, size=(3, columns)) for most in (bits // 2, bits - bits // 2))
        found = _descent.product(left.astype(float), right.T.astype(float), 2**bits)
        assert (found == left.astype(object) @ right.T.astype(object)).all()
    with pytest.raises(OverflowError):
        _descent.product(np.ones((1, 8)), np.ones((8, 1)), 2**60)


def test_floats_have_not_the_property_that_products_have() -> None:
    """The control: the same rows beside others, or in another order, add up to other last bits."""
    draw = np.random.default_rng(6)
    rows, weights = draw.normal(size=(4001, 108)), draw.normal(size=(108, 1))
    whole = (rows @ weights)[:, 0]
    alone = np.concatenate([rows[at : at + 1] @ weights for at in range(4001)])[:, 0]
    summed, turned = rows.T @ whole, rows[::-1].T @ whole[::-1]
    assert (whole != alone).any() or (summed != turned).any()


def test_it_follows_the_gradient_of_the_loss() -> None:
    """What is noised is, but for rounding, the numerical gradient; clipped, it is that of each row, shortened."""
    table, weights = others(1000), np.random.default_rng(8).normal(size=SIZE)
    inputs = np.column_stack([np.ones(1000), table.numbers])

    def losses(at: np.ndarray) -> np.ndarray:
        into, out = private.layers(at, HIDDEN)
        odds = out[0] + np.tanh(inputs @ into) @ out[1:]
        return np.logaddexp(0, odds) - odds * table.truth

    nudges = np.eye(SIZE) * 1e-5
    exact = np.stack([(losses(weights + one) - losses(weights - one)) / 2e-5 for one in nudges], axis=1)
    ours = _gradient(table.numbers, table.truth, weights, 16.0) / (P * Q)
    assert ours == pytest.approx(exact.sum(axis=0), abs=4.0)
    shortened = exact * np.minimum(1, CLIP / np.linalg.norm(exact, axis=1))[:, None]
    ours = _gradient(table.numbers, table.truth, weights) / (P * Q)
    assert ours == pytest.approx(shortened.sum(axis=0), abs=4.0)
    assert np.abs(shortened.sum(axis=0)).max() > 30


# ---- what it spends, and what it learns


@pytest.mark.parametrize(("epsilon", "delta", "steps"), [(0.1, 1e-6, 50), (1.0, 1e-6, 1), (20.0, 1e-3, 50)])
def test_another_accountant_agrees(epsilon: float, delta: float, steps: int) -> None:
    """Google's dp-accounting, given each draw's noise multiplier, finds no more than was debited."""
    train, _ = _train(epsilon=epsilon, delta=delta, steps=steps)
    _, draws = taped(train, others())
    assert len(draws) == steps + 1
    accountant = RdpAccountant(orders=np.geomspace(1.05, 2000, 2000))
    for draw in draws:
        accountant.compose(dp_event.GaussianDpEvent(draw.noise.scale / draw.noise.sensitivity))
    debited = private.cost(_parameters(epsilon=epsilon, delta=delta, steps=steps))
    assert debited.epsilon <= epsilon
    assert 0.8 * debited.epsilon < accountant.get_epsilon(delta) <= debited.epsilon * 1.001


def test_more_budget_is_less_noise_and_no_two_fits_are_alike() -> None:
    """Scales fall as ε grows; the seed is that of the start, and of no noise."""
    scales = [taped(_train(epsilon=epsilon)[0], others())[1][1].noise.scale for epsilon in (0.1, 1.0, 10.0)]
    assert scales == sorted(scales, reverse=True) and len(set(scales)) == 3
    train, _ = _train()
    assert (train(others()).codes != train(others()).codes).any()


def test_it_learns_what_a_linear_model_cannot() -> None:
    """Of two signs only whether they are the same counts: each by itself tells nothing."""
    from sklearn.metrics import roc_auc_score

    draw = np.random.default_rng(0)
    numbers = draw.uniform(-1, 1, size=(6000, 2))
    truth = numbers[:, 0] * numbers[:, 1] > 0
    asked = {"epsilon": 20.0, "delta": 1e-5, "steps": 200}
    found = {}
    for kind in ("private_network", "private_logistic_regression"):
        unfitted = TRAIN[kind].build(TRAIN[kind].Parameters(kind=kind, **asked), "classification", 0)
        model = unfitted.fit(numbers[:4000], truth[:4000])
        found[kind] = roc_auc_score(truth[4000:], model.predict_proba(numbers[4000:])[:, 1])
    assert found["private_network"] > 0.9 and found["private_logistic_regression"] < 0.6


def test_what_it_says_is_what_was_fitted() -> None:
    """The estimator's probabilities are those of the net that gradients were taken of; classes keep their names."""
    table, weights = others(), np.random.default_rng(8).normal(size=SIZE)
    model = private.build(_parameters(), "classification", 0).as_model(weights, np.array(["no", "yes"]))
    into, out = private.layers(weights, HIDDEN)
    odds = out[0] + np.tanh(into[0] + table.numbers @ into[1:]) @ out[1:]
    assert model.predict_proba(table.numbers)[:, 1] == pytest.approx(1 / (1 + np.exp(-odds)))
    assert (model.predict(table.numbers) == np.where(odds > 0, "yes", "no")).all()


def test_weights_start_by_the_seed_alone() -> None:
    """The same for the same seed, whatever the rows; another for another."""
    starts = [private.build(_parameters(), "classification", seed).start(9, 4).tolist() for seed in (1, 1, 2)]
    assert starts[0] == starts[1] != starts[2]


def test_other_than_two_classes_are_refused_before_noise() -> None:
    """One class, or three."""
    for truth in (np.zeros(200, int), np.arange(200) % 3):
        with pytest.raises(ValueError, match="two classes"):
            _train()[0](Rows(others().numbers, truth))


@pytest.mark.parametrize("asks", [{"hidden": 0}, {"hidden": 65}, {"clip": 0.0}, {"clip": 17.0}, {"rate": 0.0}])
def test_what_the_argument_does_not_hold_for_cannot_be_asked(asks: dict[str, float]) -> None:
    """Sizes beyond which integers could overflow, and a bound that rounds to nothing."""
    with pytest.raises(ValidationError):
        _parameters(**asks)


# ---- mutants


def _of_a_row(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(private, "moves", lambda longest, _, moves=private.moves: moves(longest, 1))


def _clipped(off: Any, back: Any, of_said: Any, of_row: Any, longest: int) -> Any:
    """As it is, without the look at integers afterwards: what mutants are made of."""
    length = np.sqrt((off * off * of_said + (back * back).sum(axis=1) * of_row).astype(float))
    by = np.where(length > longest, longest / np.maximum(length, 1), 1.0)
    return np.trunc(off * by).astype(np.int64), np.trunc(back * by[:, None]).astype(np.int64)


def _as_it_is(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(private, "clipped", _clipped)


def _unshortened(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(private, "clipped", lambda off, back, *_: (off, back))


def _hidden_alone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(private, "clipped", lambda off, *given: (off, _clipped(off, *given)[1]))


def _output_alone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(private, "clipped", lambda off, back, *given: (_clipped(off, back, *given)[0], back))


def _without_the_row(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(private, "clipped", lambda off, back, of_said, of_row, longest: _clipped(
        off, back, of_said, np.full_like(of_row, Q * Q), longest))  # fmt: skip


def _upwards(patch: pytest.MonkeyPatch) -> None:
    def clipped(*given: Any) -> Any:
        return tuple(short + np.sign(short) for short in _clipped(*given))

    patch.setattr(private, "clipped", clipped)


def _by_the_longest(patch: pytest.MonkeyPatch) -> None:
    def clipped(off: Any, back: Any, of_said: Any, of_row: Any, longest: int) -> Any:
        length = np.sqrt((off * off * of_said + (back * back).sum(axis=1) * of_row).astype(float))
        by = longest / length.max()
        return np.trunc(off * by).astype(np.int64), np.trunc(back * by).astype(np.int64)

    patch.setattr(private, "clipped", clipped)


MOVES = "counts move further than their sensitivity"
MUTANTS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], str]] = {
    "half the scale": (half_scale, "noise is smaller than what is paid for"),
    "sensitivity of a row": (_of_a_row, MOVES),
    "gradients that are not shortened": (_unshortened, MOVES),
    "gradients of the hidden layer alone shortened": (_hidden_alone, MOVES),
    "gradients of the output alone shortened": (_output_alone, MOVES),
    "lengths without that of the row": (_without_the_row, MOVES),
    "rounded away from zero": (_upwards, MOVES),
    "shortened by what the longest needs": (_by_the_longest, MOVES),
    "columns that are measured": (measured, MOVES),
    "gradients without noise": (exact_gradient, "tells more than its noisy answers"),
    "rows that are counted exactly": (exact_count, "tells more than its noisy answers"),
    "every step spends all": (unpaid, "spends more than is debited"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_fit_is_caught(name: str, monkeypatch: pytest.MonkeyPatch, figures: Any) -> None:
    """The auditor says what is wrong with it: at the first step, to which chance has not come yet."""
    mutate, expected = MUTANTS[name]
    train, rho = _train(epsilon=20.0)
    one, other = _extreme()
    if name == "columns that are measured":
        other = one.and_of(np.full((M, COLUMNS), 50.0), other.truth[-M:])
    if name == "shortened by what the longest needs":  # people who are all alike, and nearer to the middle than one
        one = Rows(np.zeros((200, COLUMNS)), np.arange(200) > 0)
        other = one.and_of(other.numbers[-M:], other.truth[-M:])
    mutate(monkeypatch)
    said = accused(train, one, other, rho)
    figures(f"T-DP-1 private network, {name}", mutants=1, killed=expected in said)
    assert expected in said, said


def test_what_mutants_are_made_of_is_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: it is the mutation that is caught."""
    _as_it_is(monkeypatch)
    train, rho = _train(epsilon=20.0)
    assert accused(train, *_extreme(), rho) == []
