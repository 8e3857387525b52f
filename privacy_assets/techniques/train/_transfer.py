"""What is learned from released rows, measured on real people: train on synthetic, test on real (TSTR).

    transfer = metric of the model that learned from the released rows, on people of the control
    loss     = metric of the one that learned from the real rows, on the same people, minus transfer

Esteban, Hyland, Rätsch: Real-valued (medical) time series generation with recurrent conditional GANs, 2017. Both models
have the same estimator and seed. Intervals are 95 % percentile bootstraps over people of the control, the same
resamples for both models, so that the loss has an interval of its own: of other people, not of another release or fit.

    loss of a group    the same, of the people of the group, on the scale of everybody
    disparity          the largest loss of a group - the loss of everybody

On the scale of everybody the R² of a group is 1 - its mean squared error / the variance of everybody: the errors of
groups are compared as they are (bounded group loss: Agarwal, Dudík, Wu: Fair Regression, 2019). By its own variance a
group whose target varies half as much would lose twice as much by the same error, and be called worse off by that
alone. So the losses in R², weighted by the rows of the groups, have everybody's loss as their mean; the disparity is 0
where all lose alike. Not covered: that the error of a group was large before; how much of what could be known of a
group alone is lost.

The largest of several noisy losses is too large rather than too small: chance errs to the side of those who might be
worse off, the more, the smaller the groups. Asked for is the value, so that a ceiling has to leave room for chance:
with 600 rows in the smallest group the interval reaches 0.02 to 0.04 to either side.

Belongs here: the comparison. Does not belong here: fitting and metrics (`_fitting.py`), what is asked of the loss
(`invariants/`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from privacy_assets.errors import NotKept
from privacy_assets.techniques.train._fitting import Floats, Metric, Task, fit, middle, of_rows, resamples
from privacy_assets.words import Column

FEWEST = 20
"""Of fewer people nothing is told: neither of a group, nor of everybody."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One number with its 95 % interval, NaN where nothing defines it. `group` is "" for everybody, `n` counts rows."""

    measure: str
    group: str
    value: float
    low: float
    high: float
    n: int


def transfer(
    released: pl.DataFrame,
    real: pl.DataFrame,
    control: pl.DataFrame,
    *,
    inputs: Sequence[Column],
    target: str,
    task: Task,
    estimator: Any,
    metric: str,
    people: npt.NDArray[np.intp],
    groups: Mapping[str, npt.NDArray[np.bool_]],
    seed: int,
) -> tuple[Compared, ...]:
    """`transfer`, `transfer_real` and `transfer_loss` of everybody, the loss of each group, and `disparity`.

    `people` (control rows,) numbers the person of each row from 0, `groups` say which rows are of whom. `disparity` is
    by how much more the group that loses most loses than everybody. Rows without a target are left out.

    NaN where the metric does not define one of the groups, and where `control` has fewer than `FEWEST` people; groups
    of fewer are not told of.

    Raises what `fit` raises, and NotKept where nobody of the control has a target.
    """
    there = control[target].is_not_null().to_numpy()
    control, people = control.filter(pl.Series(there)), people[there]
    if not control.height:
        raise NotKept.of(
            f"nobody of those that it is tried on has a known {target}",
            expected="rows with a target among the people who are not learned from",
            next_step="take in more people, or look at what is filtered out before",
        )
    if len(np.unique(people)) < FEWEST:
        told = ("transfer", "transfer_real", "transfer_loss")
        return tuple(Compared(measure, "", math.nan, math.nan, math.nan, control.height) for measure in told)
    measured: list[Metric] = []
    for rows in (released, real):
        train = rows.drop_nulls(target).with_columns(split=pl.lit("train"))
        fitted = fit(train, inputs=inputs, target=target, task=task, estimator=estimator, seed=seed)
        measured.append(of_rows(fitted, control)[metric])
    held = {name: mask[there] for name, mask in groups.items()}
    # what is told of few people is told of each of them
    several = {name: mask for name, mask in held.items() if len(np.unique(people[mask])) >= FEWEST}
    masks = {"": np.ones(control.height, dtype=bool)} | several
    weightings = [np.ones((control.height, 1))]
    _, places = np.unique(people, return_inverse=True)
    weightings += [times[places] for times in resamples(int(places.max()) + 1, np.random.default_rng(seed))]
    # (models, groups, 1 + resamples)
    values = np.concatenate(
        [[[each.among(w, mask) for mask in masks.values()] for each in measured] for w in weightings], axis=2
    )
    losses = values[1] - values[0]
    sizes = [int(mask.sum()) for mask in masks.values()]
    found = [
        _of("transfer", "", values[0, 0], sizes[0]),
        _of("transfer_real", "", values[1, 0], sizes[0]),
        *(_of("transfer_loss", name, losses[place], sizes[place]) for place, name in enumerate(masks)),
    ]
    if len(masks) > 1:
        # of a group that the metric does not define nobody can say that it lost no more
        most = (losses[1:] - losses[0]).max(axis=0)
        found.append(_of("disparity", "", most, min(sizes[1:])))
    return tuple(found)


def _of(measure: str, group: str, values: Floats, n: int) -> Compared:
    low, high = middle(values[1:][~np.isnan(values[1:])])
    return Compared(measure, group, float(values[0]), low, high, n)
