"""Fits an estimator anew to some of the rows, and tells what a model says of the truth of each row.

Belongs here: what an attack on a model has done for it. Does not belong here: attacks (`attacks/`), the fit that is
released (`_fitting.py`).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from privacy_assets.techniques.train._fitting import (
    Declared,
    Fitted,
    Floats,
    library_errors,
    one_thread,
    targets,
    unfitted,
)

Places = npt.NDArray[np.intp]
Truth = npt.NDArray[Any]


class Again:
    """A fitted model, and others of the same sort over the rows of a frame, by their places.

    Columns become numbers as they do in the fitted model: medians, means and variances are its own, and whoever has it
    has them.
    """

    def __init__(
        self, fitted: Fitted, frame: pl.DataFrame, estimator: Any, seed: int, declared: Declared | None = None
    ) -> None:
        self._fitted = fitted
        self._known = frame.select(list(fitted.pipeline.feature_names_in_))
        self.inputs = self._known.width
        self._unfitted = partial(unfitted, estimator, fitted.task, seed, declared, self.inputs)
        self._truth = targets(frame[fitted.target], fitted.task)
        with one_thread():
            self._numbers = self._as_numbers(self._known)

    @one_thread()
    def said(self) -> Floats:
        """(rows,) what the fitted model says of each, as `learn` tells it."""
        return self._said_by(self._fitted.pipeline.named_steps["model"], self._numbers, self._truth)

    @one_thread()
    def learn(self, learned: Places, told: Places) -> Floats:
        """(told,) what a model fitted to the rows `learned` says of the rows `told`.

        The probability of the true class, or the predicted minus the true number. Where all that are learned from are
        of one class, a model would say that everybody is.
        """
        return self._learned(self._numbers[learned], self._truth[learned], self._numbers[told], self._truth[told])

    @one_thread()
    def plant(self, learned: Places, canaries: Places, first: int) -> Floats:
        """(canaries,) what a model fitted to the rows `learned`, and to the first of the canaries, says of them all.

        A canary is the places (canaries, inputs + 1) of the rows that each of its inputs, and its truth, is taken from.
        """
        drawn = pl.DataFrame([column.gather(at) for column, at in zip(self._known, canaries.T, strict=False)])
        numbers, truth = self._as_numbers(drawn), self._truth[canaries[:, -1]]
        rows = np.concatenate([self._numbers[learned], numbers[:first]])
        return self._learned(rows, np.concatenate([self._truth[learned], truth[:first]]), numbers, truth)

    def _as_numbers(self, known: pl.DataFrame) -> Floats:
        with library_errors("measuring"):
            numbers: Floats = self._fitted.pipeline.named_steps["columns"].transform(known)
        return numbers

    def _learned(self, numbers: Floats, truth: Truth, told: Floats, true: Truth) -> Floats:
        if self._fitted.task == "classification" and (truth == truth[0]).all():
            return np.asarray(true == truth[0], dtype=np.float64)
        with library_errors("fitting"):
            model = self._unfitted().fit(numbers, truth)
        return self._said_by(model, told, true)

    def _said_by(self, model: Any, numbers: Floats, truth: Truth) -> Floats:
        with library_errors("measuring"):
            if self._fitted.task == "regression":
                predicted: Floats = model.predict(numbers) - truth
                return predicted
            chances = model.predict_proba(numbers)
        right: Floats = np.where(truth[:, None] == model.classes_[None, :], chances, 0).sum(axis=1)
        return right
