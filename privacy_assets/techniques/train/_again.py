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


class Again:
    """A fitted model, and others of the same sort over the rows of a frame, by their places.

    Columns become numbers as they do in the fitted model: medians, means and variances are its own, and whoever has it
    has them.
    """

    def __init__(
        self, fitted: Fitted, frame: pl.DataFrame, estimator: Any, seed: int, declared: Declared | None = None
    ) -> None:
        self._fitted = fitted
        inputs = len(fitted.pipeline.feature_names_in_)
        self._unfitted = partial(unfitted, estimator, fitted.task, seed, declared, inputs)
        self._truth = targets(frame[fitted.target], fitted.task)
        with one_thread(), library_errors("measuring"):
            known = frame.select(list(fitted.pipeline.feature_names_in_))
            self._numbers = fitted.pipeline.named_steps["columns"].transform(known)

    def said(self) -> Floats:
        """(rows,) what the fitted model says of each, as `learn` tells it."""
        return self._said_by(self._fitted.pipeline.named_steps["model"], np.arange(len(self._truth)))

    def learn(self, learned: Places, told: Places) -> Floats:
        """(told,) what a model fitted to the rows `learned` says of the rows `told`.

        The probability of the true class, or the predicted minus the true number. Where all that are learned from are
        of one class, a model would say that everybody is.
        """
        first = self._truth[learned[0]]
        if self._fitted.task == "classification" and (self._truth[learned] == first).all():
            return np.asarray(self._truth[told] == first, dtype=np.float64)
        with one_thread(), library_errors("fitting"):
            model = self._unfitted().fit(self._numbers[learned], self._truth[learned])
        return self._said_by(model, told)

    def _said_by(self, model: Any, told: Places) -> Floats:
        truth, numbers = self._truth[told], self._numbers[told]
        with one_thread(), library_errors("measuring"):
            if self._fitted.task == "regression":
                predicted: Floats = model.predict(numbers) - truth
                return predicted
            chances = model.predict_proba(numbers)
        right: Floats = np.where(truth[:, None] == model.classes_[None, :], chances, 0).sum(axis=1)
        return right
