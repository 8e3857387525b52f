"""shadow_models: a model that remembers is caught, one that does not is let through."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from privacy_assets.attacks._trying import EVERYONE, Tries
from privacy_assets.threat_models import THREAT_MODELS
from privacy_assets.words import Verdict
from tests.attacks.modelled import invented, lines, made_up, modelled, verdicts

RATES = {"fpr_01_percent": 0.001, "fpr_1_percent": 0.01, "fpr_50_percent": 0.5}
OVERFITTED = {"min_samples_leaf": 1, "n_estimators": 20}


def _verdicts(found: dict[str, Tries], kind: str = "public_release", fewest: int = 1000) -> dict[str, Verdict]:
    return verdicts("shadow_models", found, kind, fewest)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_false_positives_are_as_many_as_declared(task: str) -> None:
    """Of models that remember nobody, members and strangers alike are called members as often as was said."""
    found = [lines(made_up(1200, 0.0, seed, task=task), seed, shadows=16) for seed in range(20)]
    for about, rate in RATES.items():
        # of as many others as set a threshold, one more than those above it is above it on average
        exceeded = (int(300 * rate) + 1) / 301
        for which, expected in (("", exceeded), ("control_", exceeded), ("baseline_", rate)):
            share = np.mean([getattr(one[about], f"{which}succeeded") for one in found]) / 300
            assert share == pytest.approx(expected, abs=4 * np.sqrt(expected / 6000))


def test_the_more_a_model_remembers_the_more_members_are_found() -> None:
    """Nothing, little, much: at each rate."""
    found = [lines(made_up(4000, much), shadows=32) for much in (0.0, 1.0, 4.0)]
    for about in RATES:
        few, some, many = (one[about].succeeded for one in found)
        assert few < some < many
    assert found[2]["fpr_1_percent"].succeeded > 0.9 * found[2]["fpr_1_percent"].tried


def test_members_and_strangers_are_as_many_and_none_twice() -> None:
    """Half of the strangers set the threshold, as many others are the control; no more are tried than was asked."""
    one = lines(made_up(600, 0.0), tries=200)["fpr_1_percent"]
    assert (one.tried, one.control_tried, one.baseline_tried, one.group) == (150, 150, 150, EVERYONE)
    assert lines(made_up(600, 0.0), tries=100)["fpr_1_percent"].tried == 100


def test_rows_of_one_person_count_together() -> None:
    """They are learned together (the target asserts it), counted once, and tell more together than one of them."""
    one, five = (lines(made_up(2000, 1.0, rows=rows), shadows=32)["fpr_1_percent"] for rows in (1, 5))
    assert one.tried == five.tried == 500
    assert five.succeeded > 2 * one.succeeded


def test_the_same_seed_gives_the_same_counts() -> None:
    """And another one other counts."""
    target = made_up(800, 1.0)
    assert lines(target, 3, shadows=16) == lines(target, 3, shadows=16)
    assert lines(target, 3, shadows=16) != lines(target, 4, shadows=16)


def test_a_model_that_is_sure_of_all_members_is_caught_though_scores_are_equal() -> None:
    """Always right about members, right about every second stranger: nothing tells them apart but that."""
    target = made_up(4000, 0.0, task="classification")
    right = target.member | (np.random.default_rng(1).random(4000) < 0.5)

    def learn(learned: np.ndarray, told: np.ndarray) -> np.ndarray:
        return np.isin(told, learned) | (np.random.default_rng(int(learned.sum())).random(told.size) < 0.5)

    found = lines(dataclasses.replace(target, said=right.astype(float), learn=learn))
    assert found["fpr_50_percent"].succeeded > 0.9 * found["fpr_50_percent"].tried
    assert _verdicts(found)["fpr_50_percent"] is Verdict.BROKEN


@pytest.mark.parametrize("people", [0, 1, 2, 3, 8])
def test_a_handful_of_people_is_counted(people: int) -> None:
    """No member, no stranger, one: counts, no error; and they decide nothing."""
    found = lines(made_up(people, 1.0), shadows=16)
    assert {about: one.tried for about, one in found.items()} == dict.fromkeys(RATES, people // 4) | {
        "pairs": people // 2
    }
    assert Verdict.KEPT not in _verdicts(found).values()


def test_of_few_people_pairs_decide() -> None:
    """T-MIA-1 with a few hundred: what remembers nobody is kept, what remembers is broken, by an exact interval."""
    assert set(_verdicts(lines(made_up(2000, 0.0), shadows=16)).values()) == {Verdict.KEPT}
    assert set(_verdicts(lines(made_up(2000, 4.0), shadows=16)).values()) == {Verdict.BROKEN}


@pytest.mark.parametrize(
    ("kind", "task", "asks"),
    [
        ("logistic_regression", "classification", {}),
        ("decision_tree", "classification", {}),
        ("ridge", "regression", {}),
    ],
)
def test_a_plain_model_passes(kind: str, task: str, asks: dict[str, Any], figures: Callable[..., None]) -> None:
    """T-MIA-1: of a few thousand people a linear model, and a small tree, tell hardly anybody who is meant."""
    found = lines(modelled(kind, invented(8000), task, **asks))
    assert set(_verdicts(found).values()) == {Verdict.KEPT}
    told = {f"called members at {about}": one.succeeded for about, one in found.items()}
    figures(f"T-MIA-1 {kind}", tried=found["fpr_1_percent"].tried, **told)


@pytest.mark.parametrize(
    ("kind", "task", "asks", "at_least"),
    [
        ("random_forest", "classification", OVERFITTED, 0.3),
        ("random_forest", "regression", OVERFITTED, 0.3),
        ("random_forest", "classification", {"n_estimators": 20}, 0.1),
        ("decision_tree", "classification", {"min_samples_leaf": 1, "max_depth": None}, 0.0),
    ],
)
def test_an_overfitted_model_is_stopped(
    kind: str, task: str, asks: dict[str, Any], at_least: float, figures: Callable[..., None]
) -> None:
    """T-MIA-1, the control: trees that hold few rows in a leaf tell who they are, in both threat models."""
    found = lines(modelled(kind, invented(3000), task, **asks), tries=500)
    one = found["fpr_1_percent"]
    assert one.succeeded >= at_least * one.tried
    for threat in THREAT_MODELS:
        assert Verdict.BROKEN in _verdicts(found, threat, fewest=500).values()
    told = {f"called members at {about}": one.succeeded for about, one in found.items()}
    figures(f"T-MIA-1 control, {kind} {task} {asks}", tried=one.tried, **told)
