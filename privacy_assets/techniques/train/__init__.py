"""The estimators that a purpose may ask for. One estimator, one file; none that keeps training rows inside itself.

An estimator is a module with

* `Parameters(Frozen)` with `kind: Literal["<file name>"]`: its hyper-parameters;
* `TASKS`: the tasks that it serves, of "classification" and "regression";
* `build(parameters, task, seed) -> estimator`: an unfitted scikit-learn estimator, deterministic for the seed.

One that is differentially private has besides

* `cost(parameters) -> PrivacyLoss`: what a fit costs a person;
* `build(parameters, task, seed, *, columns, rows_per_person)`: something unfitted whose `fit` gives a scikit-learn
  estimator, drawn anew each time. It takes numbers within [-1, 1], of so many columns before categories became several,
  and rows of which nobody has more than so many.
"""

from __future__ import annotations

from typing import Any

from privacy_assets.discovery import members, union

TRAIN = members(__name__, ("build",))
Estimator = union(TRAIN)


def is_private(estimator: Any) -> bool:
    """Whether a fit costs people something, and promises them that it hardly depends on any one of them."""
    return hasattr(TRAIN[estimator.kind], "cost")
