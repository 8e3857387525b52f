"""Train on released rows, test on real people: the laws of the comparison."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from privacy_assets.errors import NotKept
from privacy_assets.techniques.train import decision_tree, logistic_regression
from privacy_assets.techniques.train._transfer import FEWEST, Compared, transfer
from privacy_assets.words import Column

INPUTS = (Column("x", "DOUBLE"), Column("group", "VARCHAR", domain=("a", "b")))


def people(seed: int, rows: int = 400) -> pl.DataFrame:
    """Whoever has more of x is ill more often; two groups alike."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=rows)
    ill = draw.random(rows) < 1 / (1 + np.exp(-2 * x))
    return pl.DataFrame({"x": x, "group": np.where(np.arange(rows) % 2, "a", "b"), "ill": ill})


def compared(
    released: pl.DataFrame, control: pl.DataFrame, metric: str = "roc_auc", **more: Any
) -> dict[str, Compared]:
    groups = {f"group={name}": (control["group"] == name).to_numpy() for name in ("a", "b")}
    asked = {"people": np.arange(control.height), "groups": groups, "seed": 3} | more
    found = transfer(
        released, people(1), control, inputs=INPUTS, target="ill", task="classification",
        estimator=logistic_regression.Parameters(kind="logistic_regression"), metric=metric, **asked,
    )  # fmt: skip
    return {one.measure + (f"[{one.group}]" if one.group else ""): one for one in found}


def test_the_real_rows_themselves_lose_nothing() -> None:
    """Both models are the same then, for everybody, every group and every resample."""
    found = compared(people(1), people(2))
    for name in ("transfer_loss", "transfer_loss[group=a]", "transfer_loss[group=b]", "disparity"):
        assert (found[name].value, found[name].low, found[name].high) == (0, 0, 0)
    assert found["transfer"].value == found["transfer_real"].value > 0.8


def test_rows_that_say_nothing_lose_what_there_is_to_lose() -> None:
    """Shuffled targets teach nothing: the interval of the loss is far from none."""
    shuffled = people(1).with_columns(pl.col("ill").shuffle(seed=5))
    found = compared(shuffled, people(2))
    assert found["transfer_loss"].low > 0.02
    assert found["transfer_loss"].low < found["transfer_loss"].value < found["transfer_loss"].high


def test_a_group_that_loses_more_stands_out() -> None:
    """Released rows of one group say the opposite: its loss is larger than everybody's, and that is the disparity."""
    turned = people(1).with_columns(ill=pl.when(pl.col("group") == "a").then(~pl.col("ill")).otherwise(pl.col("ill")))
    found = compared(turned, people(2), metric="accuracy")
    worst = max(found["transfer_loss[group=a]"].value, found["transfer_loss[group=b]"].value)
    assert found["disparity"].value == pytest.approx(worst - found["transfer_loss"].value)


def stays(seed: int, forgotten: float = 0.0, rows: int = 4000) -> pl.DataFrame:
    """How long people stay: both groups by as much for each x, but x differs three times as much in b as in a.

    `forgotten` is by how much less x counts in rows that were released.
    """
    draw = np.random.default_rng(seed)
    in_b = np.arange(rows) % 2 == 1
    x = draw.choice([-1.0, 1.0], size=rows) * np.where(in_b, 3.0, 1.0)
    days = 5 + x - forgotten * np.sign(x) + draw.normal(size=rows) / 10
    return pl.DataFrame({"x": x, "group": np.where(in_b, "b", "a"), "days": days})


def lost(released: pl.DataFrame, control: pl.DataFrame) -> dict[str, Compared]:
    found = transfer(
        released, stays(1), control, inputs=INPUTS, target="days", task="regression",
        estimator=decision_tree.Parameters(kind="decision_tree", min_samples_leaf=100), metric="r2",
        people=np.arange(control.height),
        groups={f"group={name}": (control["group"] == name).to_numpy() for name in ("a", "b")}, seed=3,
    )  # fmt: skip
    return {one.measure + (f"[{one.group}]" if one.group else ""): one for one in found}


def test_the_same_error_is_the_same_loss_in_a_group_that_varies_little() -> None:
    """Half a day is missed in every stay: by the variance of its own group a would lose nine times as much as b."""
    found = lost(stays(1, forgotten=0.5), stays(2))
    everybody = found["transfer_loss"].value
    assert everybody == pytest.approx(0.25 / 5, rel=0.1)
    for group in ("a", "b"):
        assert found[f"transfer_loss[group={group}]"].value == pytest.approx(everybody, rel=0.1)
    assert found["disparity"].high < 0.1 * everybody


def test_what_groups_lose_comes_to_what_everybody_loses() -> None:
    """R² of groups is on one scale: weighted by their rows, their losses have everybody's as their mean."""
    released = stays(1).with_columns(days=pl.when(pl.col("group") == "a").then(5.0).otherwise(pl.col("days")))
    control = stays(2).filter((pl.col("group") == "b") | (pl.int_range(pl.len()) < 1000))
    found = lost(released, control)
    sizes = [found[f"transfer_loss[group={group}]"] for group in ("a", "b")]
    assert sum(one.value * one.n for one in sizes) / control.height == pytest.approx(found["transfer_loss"].value)
    # and a group of which all is lost stands out, by what it is of the variance of everybody
    assert found["disparity"].low > 0.05


def test_a_group_that_the_metric_does_not_define_is_no_pass() -> None:
    """All of one group are ill: its AUC is nothing, and so is what is said of the disparity."""
    control = people(2).with_columns(ill=pl.col("ill") | (pl.col("group") == "a"))
    assert np.isnan(compared(people(1), control)["disparity"].value)
    assert np.isfinite(compared(people(1), control, metric="accuracy")["disparity"].value)


def test_nothing_is_told_of_a_few_people() -> None:
    """However many rows they have."""
    control = people(2).with_columns(
        group=pl.when(pl.int_range(pl.len()) < 100).then(pl.lit("a")).otherwise(pl.lit("b"))
    )
    whose = np.where(np.arange(400) < 100, np.arange(400) % (FEWEST - 1), np.arange(400))
    found = compared(people(1), control, people=whose)
    assert "transfer_loss[group=a]" not in found and "transfer_loss[group=b]" in found


def test_a_control_of_a_few_people_decides_nothing() -> None:
    """However many rows they have: no number is told, so that no floor is kept; of a few more it is."""
    few, enough = (compared(people(1), people(2), people=np.arange(400) % number) for number in (FEWEST - 1, FEWEST))
    assert {"transfer", "transfer_real", "transfer_loss"} == set(few) and all(
        np.isnan(one.value) for one in few.values()
    )
    assert np.isfinite(enough["transfer_loss"].value)


def test_a_control_without_targets_is_said() -> None:
    """Not a library's complaint about shapes."""
    with pytest.raises(NotKept, match="nobody of those that it is tried on has a known ill"):
        compared(people(1), people(2).with_columns(ill=pl.lit(None, dtype=pl.Boolean)))
