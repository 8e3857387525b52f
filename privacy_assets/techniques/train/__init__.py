"""The estimators that a purpose may ask for. One estimator, one file; none that keeps training rows inside itself.

An estimator is a module with

* `Parameters(Frozen)` with `kind: Literal["<file name>"]`: its hyper-parameters;
* `TASKS`: the tasks that it serves, of "classification" and "regression";
* `build(parameters, task, seed) -> estimator`: an unfitted scikit-learn estimator, deterministic for the seed.
"""

from __future__ import annotations

from privacy_assets.discovery import members, union

TRAIN = members(__name__, ("build",))
Estimator = union(TRAIN)
