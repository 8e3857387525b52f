"""Private logistic regression: what one person moves, what it spends, and the mutants that the auditor catches."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.techniques.train import TRAIN, _descent, _fitting
from privacy_assets.techniques.train import private_logistic_regression as private
from privacy_assets.words import Column
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


def _train(m: int = M, columns: int = COLUMNS, **asks: Any) -> tuple[Callable[[Any], Any], float]:
    """A fit, and the ρ that it is debited."""
    said = {"epsilon": 1.0, "delta": 1e-5, "steps": STEPS} | asks
    parameters = private.Parameters(kind="private_logistic_regression", **said)
    rho = private.cost(parameters).rho
    assert rho is not None

    def train(table: Rows) -> Weights:
        unfitted = private.build(parameters, "classification", 0, columns=columns, rows_per_person=m)
        model = unfitted.fit(table.numbers, table.truth)
        return Weights(np.concatenate([model.intercept_, model.coef_[0]]))

    return train, rho


@settings(max_examples=60, deadline=None)
@given(person=PERSON, epsilon=st.sampled_from([0.1, 1.0, 20.0]))
def test_whoever_is_added_moves_no_more_than_is_argued(person: Any, epsilon: float) -> None:
    """Any rows of one person, out of bounds or no numbers at all: the auditor has nothing to say."""
    numbers, truth = np.array([row for row, _ in person]), np.array([yes for _, yes in person])
    train, rho = _train(epsilon=epsilon)
    assert accused(train, others(), others().and_of(numbers, truth), rho) == []


def _extreme() -> tuple[Rows, Rows]:
    """One person more, whose rows move as much as rows can: all at the bounds, and of the class that is less likely."""
    return others(), others().and_of(np.ones((M, COLUMNS)), np.zeros(M, dtype=bool))


def test_the_largest_move_is_seen() -> None:
    """The tables that mutants are tried on do not hide them: m rows move by more than m - 1 may."""
    assert accused(_train()[0], *_extreme(), _train()[1]) == []
    assert "counts move further than their sensitivity" in accused(_train(M - 1)[0], *_extreme(), _train()[1])


def test_the_bound_is_reached() -> None:
    """Of weights that are sure and wrong: the sensitivity is not larger than it has to be."""
    rows = _descent.kept(np.ones((M, COLUMNS)), COLUMNS)
    moved = private.gradient(rows, np.zeros(M, dtype=bool), np.full(1 + COLUMNS, 16.0))
    length = math.sqrt(sum(int(one) ** 2 for one in moved))
    assert private.moves(COLUMNS, M) - 1 < length <= private.moves(COLUMNS, M)


def test_rows_longer_than_declared_are_left_out() -> None:
    """Four inputs of one column are a category, of which one is 1: a row with two would be longer."""
    assert _descent.kept(np.array([[0, 1, 0, 0]]), 1).tolist() == [[_descent.Q, 0, _descent.Q, 0, 0]]
    assert not _descent.kept(np.array([[0, 1, 0, 1]]), 1).any()


def test_sums_are_the_same_in_any_order_and_company() -> None:
    """Rows of others give the same integers, however many stand beside them."""
    table, weights = others(1000), np.random.default_rng(1).normal(size=1 + COLUMNS)
    rows = _descent.kept(table.numbers, COLUMNS)
    whole = private.gradient(rows, table.truth, weights)
    turned = np.random.default_rng(2).permutation(1000)
    assert (private.gradient(rows[turned], table.truth[turned], weights) == whole).all()
    parts = [private.gradient(rows[a : a + 1], table.truth[a : a + 1], weights) for a in range(1000)]
    assert (np.sum(parts, axis=0) == whole).all()


def test_it_follows_the_gradient_of_the_logistic_loss() -> None:
    """The control: what is noised is, but for rounding, what it is called."""
    table, weights = others(1000), np.array([0.3, -1.0, 2.0, 0.5, 0.0])
    inputs = np.column_stack([np.ones(1000), table.numbers])
    exact = inputs.T @ (1 / (1 + np.exp(-inputs @ weights)) - table.truth)
    ours = private.gradient(_descent.kept(table.numbers, COLUMNS), table.truth, weights) / (_descent.P * _descent.Q)
    assert ours == pytest.approx(exact, abs=2.0)


# ---- what it spends


@pytest.mark.parametrize(("epsilon", "delta"), [(0.1, 1e-6), (1.0, 1e-6), (5.0, 1e-5), (20.0, 1e-3)])
@pytest.mark.parametrize("steps", [1, 50])
def test_another_accountant_agrees(epsilon: float, delta: float, steps: int) -> None:
    """Google's dp-accounting, given each draw's noise multiplier, finds no more than was debited."""
    train, _ = _train(epsilon=epsilon, delta=delta, steps=steps)
    _, draws = taped(train, others())
    assert len(draws) == steps + 1
    accountant = RdpAccountant(orders=np.geomspace(1.05, 2000, 2000))
    for draw in draws:
        accountant.compose(dp_event.GaussianDpEvent(draw.noise.scale / draw.noise.sensitivity))
    debited = private.cost(
        private.Parameters(kind="private_logistic_regression", epsilon=epsilon, delta=delta, steps=steps)
    )
    assert debited.epsilon <= epsilon
    assert 0.8 * debited.epsilon < accountant.get_epsilon(delta) <= debited.epsilon * 1.001


def test_more_budget_is_less_noise() -> None:
    """Scales fall as ε grows, and every fit is another."""
    scales = [taped(_train(epsilon=epsilon)[0], others())[1][1].noise.scale for epsilon in (0.1, 1.0, 10.0)]
    assert scales == sorted(scales, reverse=True) and len(set(scales)) == 3
    train, _ = _train()
    assert (train(others()).codes != train(others()).codes).any()


def test_with_a_large_budget_it_is_as_good_as_without() -> None:
    """Of many people, who are told apart nearly as well as by the estimator without noise."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    table, fresh = others(8000), others(4000, seed=1)
    parameters = private.Parameters(kind="private_logistic_regression", epsilon=1.0, delta=1e-6)
    ours = private.build(parameters, "classification", 0, rows_per_person=1).fit(table.numbers, table.truth)
    plain = LogisticRegression().fit(table.numbers, table.truth)
    found, best = (roc_auc_score(fresh.truth, model.predict_proba(fresh.numbers)[:, 1]) for model in (ours, plain))
    assert found > best - 0.02 and best > 0.7


def test_other_than_two_classes_are_refused_before_noise() -> None:
    """One class, or three."""
    for truth in (np.zeros(200, int), np.arange(200) % 3):
        with pytest.raises(ValueError, match="two classes"):
            _train()[0](Rows(others().numbers, truth))


# ---- nothing of a column is measured

INPUTS = (Column("age", "BIGINT"), Column("born", "DATE"), Column("sex", "VARCHAR", domain=("f", "m")))
DECLARED = _fitting.Declared({"age": (0.0, 100.0), "born": (0.0, 20_000.0)}, 1)


def _fitted(ages: list[int | None]) -> _fitting.Fitted:
    rows = len(ages)
    frame = pl.DataFrame(
        {
            "age": pl.Series(ages, dtype=pl.Int64),
            "born": pl.Series(range(rows), dtype=pl.Int32).cast(pl.Date),
            "sex": ["f", "m"] * (rows // 2),
            "ill": [False, True] * (rows // 2),
            "split": ["train"] * rows,
        }
    )
    parameters = TRAIN["private_logistic_regression"].Parameters(
        kind="private_logistic_regression", epsilon=1.0, delta=1e-5, steps=2
    )
    return _fitting.fit(
        frame, inputs=INPUTS, target="ill", task="classification", estimator=parameters, seed=0, declared=DECLARED
    )


def test_columns_become_the_same_numbers_whoever_is_there() -> None:
    """By declared bounds: what is beyond is the bound, NULL the middle; another person changes no number of others."""
    shown = pl.DataFrame(
        {
            "age": [0, 50, 100, 1000, None],
            "born": pl.Series([0, 20_000, 10_000, -5, None], dtype=pl.Int32).cast(pl.Date),
            "sex": ["f", "m", "x", None, "f"],
        }
    )
    one, other = _fitted([30, 40, 50, 60]), _fitted([1_000_000, None, 0, 7, 8, 9])
    found = [fitted.pipeline.named_steps["columns"].transform(shown) for fitted in (one, other)]
    assert (found[0] == found[1]).all()
    assert found[0].tolist() == [[1, 0, -1, -1], [0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 1, -1], [1, 0, 0, 0]]


def test_a_private_model_is_told_what_others_measure() -> None:
    """Without bounds and contribution nothing is fitted; what is saved comes back, and is no more than weights."""
    fitted = _fitted([30, 40, 50, 60])
    parameters = private.Parameters(kind="private_logistic_regression", epsilon=1.0, delta=1e-5)
    with pytest.raises(TypeError, match="told bounds"):
        _fitting.unfitted(parameters, "classification", 0, None, 3)
    again = _fitting.load(_fitting.save(fitted))
    assert (again.named_steps["model"].coef_ == fitted.pipeline.named_steps["model"].coef_).all()


# ---- mutants


def _of_a_row(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(private, "moves", lambda columns, _, moves=private.moves: moves(columns, 1))


def _without_columns(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(private, "moves", lambda _, rows, moves=private.moves: moves(1, rows))


def _unclipped(patch: pytest.MonkeyPatch) -> None:
    def kept(numbers: Any, columns: int) -> Any:
        scaled = np.rint(np.nan_to_num(numbers) * _descent.Q)
        return np.column_stack([np.full(len(scaled), _descent.Q), scaled])

    patch.setattr(_descent, "kept", kept)


MUTANTS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], str]] = {
    "half the scale": (half_scale, "noise is smaller than what is paid for"),
    "sensitivity of a row": (_of_a_row, "counts move further than their sensitivity"),
    "sensitivity of one column": (_without_columns, "counts move further than their sensitivity"),
    "numbers out of bounds": (_unclipped, "counts move further than their sensitivity"),
    "columns that are measured": (measured, "counts move further than their sensitivity"),
    "gradients without noise": (exact_gradient, "tells more than its noisy answers"),
    "rows that are counted exactly": (exact_count, "tells more than its noisy answers"),
    "every step spends all": (unpaid, "spends more than is debited"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_fit_is_caught(name: str, monkeypatch: pytest.MonkeyPatch, figures: Any) -> None:
    """The auditor says what is wrong with it."""
    mutate, expected = MUTANTS[name]
    train, rho = _train(epsilon=20.0, steps=STEPS if name == "every step spends all" else 20)  # so sure that it errs
    one, other = _extreme()
    if name in ("numbers out of bounds", "columns that are measured"):
        other = one.and_of(np.full((M, COLUMNS), 50.0), np.zeros(M, dtype=bool))
    mutate(monkeypatch)
    said = accused(train, one, other, rho)
    figures(f"T-DP-1 private training, {name}", mutants=1, killed=expected in said)
    assert expected in said, said
