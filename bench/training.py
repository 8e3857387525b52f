"""Models under differential privacy: how well they tell incomes apart, beside the same without noise.

Belongs here: estimators that are paid for. The table is Adult as `synthesis` has it: bounds and labels are declared,
each row is a person, and the areas under the curve are those of the 16,281 others.
"""

from __future__ import annotations

import statistics
import warnings
from typing import Any

from bench.measuring import Clock, Run, Table, in_turn
from bench.synthesis import ADULT, DELTA, NUMBERS, POSITIVE, ROWS, TARGET, _domains, _people

EPSILONS = (0.1, 1.0, 3.0, 10.0)
PRIVATE = ("private_logistic_regression", "private_network")


def rows(run: Run) -> list[Table]:
    """Each private estimator at each ε, and both without noise."""
    table = Table("Models under differential privacy", head=("estimator", "area under the curve", "of fits", "a fit"))
    if not (ADULT / "adult.data").exists():
        table.notes.append("Adult is not among the test data: nothing was measured.")
        return [table]
    size = min(run.rows, ROWS)
    asked: list[tuple[str, float | None]] = [(kind, epsilon) for epsilon in EPSILONS for kind in PRIVATE]
    asked += [("logistic_regression", None), ("a net like it, by Adam", None)]
    for kind, epsilon in asked:
        given = {"kind": kind, "epsilon": epsilon, "size": size, "times": run.times}
        found = in_turn(1, ("bench.training:fitted", given))[0]
        areas = found["areas"]
        name = kind if epsilon is None else f"{kind}, ε {epsilon:g}"
        told = f"{min(areas):.4f} to {max(areas):.4f}"
        table.rows.append((name, f"{statistics.median(areas):.4f}", told, f"{found['wall'] / len(areas):.2f} s"))
    table.notes.append(
        f"Of {size:,} rows, δ {DELTA:g}; medians, each fit with noise and a seed of its own, at the defaults. Without "
        "noise: scikit-learn's, of the same numbers; the net is as large, learns 50 epochs and stops no earlier."
    )
    return [table]


def fitted(kind: str, epsilon: float | None, size: int, times: int) -> dict[str, Any]:
    """Areas under the curve of so many fits, of which only the fits are timed."""
    from sklearn.metrics import roc_auc_score

    from privacy_assets.techniques.train._fitting import one_thread

    (numbers, truth), (others, true) = (_numbers(_people(f"adult.{part}")) for part in ("data", "test"))
    clock, areas = Clock(), []
    for seed in range(times):
        unfitted = _unfitted(kind, epsilon, seed)
        with one_thread(), warnings.catch_warnings(), clock:
            warnings.simplefilter("ignore")  # that 50 epochs may be too few is said below the table
            model = unfitted.fit(numbers[:size], truth[:size])
        areas.append(float(roc_auc_score(true, model.predict_proba(others)[:, 1])))
    return {**clock.taken(), "areas": areas}


def _unfitted(kind: str, epsilon: float | None, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    from privacy_assets.techniques.train import TRAIN

    if epsilon is not None:
        parameters = TRAIN[kind].Parameters(kind=kind, epsilon=epsilon, delta=DELTA)
        return TRAIN[kind].build(parameters, "classification", seed, columns=len(_domains()) - 1, rows_per_person=1)
    if kind == "logistic_regression":
        return LogisticRegression(max_iter=1000)
    return MLPClassifier((8,), activation="tanh", max_iter=50, random_state=seed)


def _numbers(frame: Any) -> tuple[Any, Any]:
    """As a private fit has them: numbers within [-1, 1] by their bounds, labels as 0 and 1; and who earns more."""
    import numpy as np

    columns = []
    for domain in _domains():
        values = frame[domain.name].to_numpy()
        if domain.name in NUMBERS:
            low, high, _ = NUMBERS[domain.name]
            columns.append(np.clip((values - low) / (high - low) * 2 - 1, -1, 1)[:, None])
        elif domain.name != TARGET:
            columns.append((values[:, None] == np.array(domain.labels)[None, :]).astype(float))
    return np.hstack(columns), frame[TARGET].to_numpy() == POSITIVE
