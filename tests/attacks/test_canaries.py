"""canaries: a sort of model that remembers rows of nobody is caught, one that does not is let through."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from privacy_assets.attacks._trying import EVERYONE, Tries
from privacy_assets.threat_models import THREAT_MODELS
from privacy_assets.words import Verdict
from tests.attacks.modelled import fitted, invented, lines, made_up, modelled, verdicts

RATES = {"fpr_1_percent": 0.01, "fpr_50_percent": 0.5}
FOREST = {"min_samples_leaf": 1, "n_estimators": 10}
DEEP = {"min_samples_leaf": 1, "max_depth": None}


def _lines(target: Any, seed: int = 1, **asks: Any) -> dict[str, Tries]:
    return lines(target, seed, "canaries", **asks)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_false_positives_are_as_many_as_declared(task: str) -> None:
    """Of models that remember nothing, planted and other canaries alike are called planted as often as was said."""
    found = [_lines(made_up(4000, 0.0, seed, task=task), seed) for seed in range(20)]
    for about, rate in RATES.items():
        for which in ("", "control_", "baseline_"):
            counted = [getattr(one[about], f"{which}succeeded") / getattr(one[about], f"{which}tried") for one in found]
            assert np.mean(counted) == pytest.approx(rate, abs=4 * np.sqrt(2 * rate / 40_000))
        assert verdicts("canaries", found[0])[about] is Verdict.KEPT


def test_the_more_a_model_remembers_the_more_canaries_are_found() -> None:
    """Nothing, little, much: at each rate."""
    found = [_lines(made_up(4000, much)) for much in (0.0, 1.0, 100.0)]
    for about in RATES:
        few, some, many = (one[about].succeeded for one in found)
        assert few < some < many
    assert found[2]["fpr_50_percent"].succeeded > 0.99 * found[2]["fpr_50_percent"].tried


@pytest.mark.parametrize(("people", "tried"), [(4000, 2000), (40_000, 2000), (2000, 1280), (200, 128), (198, 0)])
def test_as_many_are_tried_as_may_be_planted(people: int, tried: int) -> None:
    """At most a hundredth of train in each model, which the target asserts; in eight models, or as many as asked."""
    target, fits = made_up(people, 0.0), []

    def plant(learned: np.ndarray, canaries: np.ndarray, first: int) -> np.ndarray:
        fits.append((len(learned), first, len(canaries)))
        return target.plant(learned, canaries, first)

    one = _lines(dataclasses.replace(target, plant=plant))["fpr_1_percent"]
    assert (one.tried, one.control_tried, one.baseline_tried, one.group) == (tried, tried, tried, EVERYONE)
    assert not tried or 8 <= len(fits) <= 128
    assert all(3 * first == canaries and 100 * first <= learned <= 10_000 for learned, first, canaries in fits)


def test_the_same_seed_gives_the_same_counts() -> None:
    """And another one other counts."""
    target = made_up(2000, 1.0)
    assert _lines(target, 3) == _lines(target, 3)
    assert _lines(target, 3) != _lines(target, 4)


def test_a_model_that_is_sure_of_all_planted_is_caught_though_scores_are_equal() -> None:
    """Always right about what it learned, right about every second other: of the highest hundredth nothing is seen."""
    target = made_up(4000, 0.0, task="classification")

    def plant(learned: np.ndarray, canaries: np.ndarray, first: int) -> np.ndarray:
        draw = np.random.default_rng(int(canaries.sum()))
        return ((np.arange(len(canaries)) < first) | (draw.random(len(canaries)) < 0.5)).astype(float)

    found = _lines(dataclasses.replace(target, plant=plant))
    assert found["fpr_50_percent"].succeeded == found["fpr_50_percent"].tried
    assert found["fpr_1_percent"].succeeded < 0.04 * found["fpr_1_percent"].tried
    assert verdicts("canaries", found)["fpr_50_percent"] is Verdict.BROKEN


@pytest.mark.parametrize("people", [0, 1, 2, 8, 198])
def test_a_handful_of_people_is_counted(people: int) -> None:
    """A hundredth of them is none: counts, no error; and they decide nothing."""
    found = _lines(made_up(people, 1.0))
    assert {one.tried for one in found.values()} == {0}
    assert set(verdicts("canaries", found).values()) == {Verdict.INCONCLUSIVE}


def test_who_has_no_strangers_to_draw_from_decides_nothing() -> None:
    """A canary has nothing of a person whom a model here learns from."""
    target = dataclasses.replace(made_up(4000, 1.0), member=np.ones(4000, dtype=bool))
    assert {one.tried for one in _lines(target).values()} == {0}


# ---- what is planted


def test_what_is_planted_is_a_row_like_any_other() -> None:
    """It has of each row the input, and the truth, that was drawn; as were it a row of the frame, that is learned."""
    frame = invented(400)
    names = ["x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "ward", "yes"]
    canaries = np.random.default_rng(2).integers(400, size=(12, 10))
    drawn = pl.DataFrame({name: frame[name].gather(canaries[:, at]) for at, name in enumerate(names)})
    whole = pl.concat([frame, drawn.with_columns(number=pl.lit(0.0), split=pl.lit("test")).select(frame.columns)])
    plain, again = fitted("decision_tree", frame), fitted("decision_tree", whole)
    learned, planted = np.arange(0, 400, 2), np.arange(400, 404)
    expected = again.learn(np.concatenate([learned, planted]), np.arange(400, 412))
    assert plain.inputs == 9
    assert (plain.plant(learned, canaries, 4) == expected).all()
    assert (plain.plant(learned, canaries, 0) != expected).any()


def test_of_one_class_alone_no_model_is_fitted() -> None:
    """It would say that everybody is of that class."""
    frame = invented(400)
    again = fitted("logistic_regression", frame)
    [of_one] = [np.flatnonzero(frame["yes"].to_numpy())]
    others = np.flatnonzero(~frame["yes"].to_numpy())
    canaries = np.stack([np.full(10, place) for place in (of_one[0], of_one[1], others[0])])
    assert again.plant(of_one, canaries, 2).tolist() == [1, 1, 0]
    assert 0 < again.plant(of_one, canaries[::-1], 1)[0] < 1


# ---- sorts of models


@pytest.mark.parametrize(
    ("kind", "task", "asks"),
    [("logistic_regression", "classification", {"c": 0.002}), ("ridge", "regression", {})],
)
def test_a_plain_model_passes(kind: str, task: str, asks: dict[str, Any], figures: Callable[..., None]) -> None:
    """T-MIA-2: rows of chance among those it learned from stand where rows stand that it never saw."""
    found = _lines(modelled(kind, invented(9000), task, **asks))
    assert set(verdicts("canaries", found).values()) == {Verdict.KEPT}
    told = {f"called planted at {about}": one.succeeded for about, one in found.items()}
    figures(f"T-MIA-2 {kind}", canaries=found["fpr_1_percent"].tried, **told)


@pytest.mark.parametrize(
    ("kind", "task", "asks"),
    [
        ("random_forest", "classification", FOREST),
        ("decision_tree", "classification", DEEP),
        ("decision_tree", "regression", DEEP),
    ],
)
def test_a_model_that_remembers_is_stopped(
    kind: str, task: str, asks: dict[str, Any], figures: Callable[..., None]
) -> None:
    """T-MIA-2, the control: trees that hold one row in a leaf, in both threat models."""
    found = _lines(modelled(kind, invented(3000), task, **asks), tries=300)
    for threat in THREAT_MODELS:
        assert Verdict.BROKEN in verdicts("canaries", found, threat, fewest=300).values()
    told = {f"called planted at {about}": one.succeeded for about, one in found.items()}
    figures(f"T-MIA-2 control, {kind} {task} {asks}", canaries=found["fpr_1_percent"].tried, **told)


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize(
    ("kind", "asks", "broken"),
    [
        ("logistic_regression", {"c": 0.002}, 0),
        ("logistic_regression", {}, 0),
        ("random_forest", FOREST, 20),
        ("decision_tree", DEEP, 20),
    ],
)
def test_twenty_times_over(kind: str, asks: dict[str, Any], broken: int, figures: Callable[..., None]) -> None:
    """T-MIA-2: 0 of 20 innocent models, and 20 of 20 that remember, are stopped by the ceilings of public release."""
    stopped = 0
    for seed in range(20):
        found = _lines(modelled(kind, invented(9000, seed=seed), **asks), seed)
        stopped += set(verdicts("canaries", found).values()) != {Verdict.KEPT}
    figures(f"T-MIA-2 {kind} {asks}", tried=20, stopped=stopped)
    assert stopped == broken
