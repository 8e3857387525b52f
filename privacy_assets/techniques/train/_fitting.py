"""Fits what a purpose asks for: columns to numbers, an estimator, metrics with their uncertainty, bytes.

Belongs here: everything about a model but the choice of estimator (one file each beside this). Does not belong here:
where rows come from and where bytes go (`stages/s6_model.py`).

What a column becomes is decided by its declared type and domain, never by what the rows hold:

* text and true/false: one 0/1 column for each declared category; a value outside, or NULL, is all zeros. Text without a
  declared domain is refused: a category that only one person has would otherwise stand in the model by name;
* numbers: NULL to the median of train, then mean 0 and variance 1 (all three are aggregates of train);
* dates and times: days since 1970-01-01 (UTC), then as numbers;
* anything else, tokens first of all, is refused.

scikit-learn is imported where it is used: declarations load without it.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from privacy_assets.errors import BadDeclaration, EngineFailed, Fault, NotKept, Tampered, raise_gathered
from privacy_assets.techniques.train import TRAIN
from privacy_assets.techniques.train._inputs import faults, kind_of
from privacy_assets.words import Column

Task = Literal["classification", "regression"]
Floats = npt.NDArray[np.float64]

TRUSTED = (
    "numpy.dtype",
    "privacy_assets.techniques.train._fitting.as_numbers",
    "privacy_assets.techniques.train._fitting.as_texts",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)
"""What a model may be made of beside the types that skops trusts by itself."""

RESAMPLES = 1000
"""Bootstrap resamples behind each confidence interval."""

SPLITS = ("validation", "test")
"""The splits that a model is measured on; it is fitted on `train` alone."""

_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted scikit-learn pipeline, which takes a polars frame of the inputs, and what it was fitted for."""

    pipeline: Any
    task: Task
    target: str
    split_column: str


def fit(
    frame: pl.DataFrame,
    *,
    inputs: Sequence[Column],
    target: str,
    task: Task,
    estimator: Any,
    seed: int,
    split_column: str = "split",
) -> Fitted:
    """Fit on the rows of `frame` whose split is train; `estimator` is the parameters of a member of `TRAIN`.

    The same rows in the same order, and the same seed, give the same model: one thread is used, since the order of
    sums decides their last bits.

    Raises BadDeclaration for columns that a model cannot learn from, an estimator or a target that does not serve the
    task; NotKept where train holds too little to learn from; EngineFailed where scikit-learn fails.
    """
    raise_gathered(BadDeclaration, (*faults(inputs), *_task_faults(frame.schema[target], target, task, estimator)))
    train = frame.filter(pl.col(split_column) == "train")
    different = train[target].drop_nulls().n_unique()
    if different < 2 or train[target].null_count():
        raise NotKept.of(
            "train holds too little to learn from",
            expected=f"a known {target} in every row, and at least two different ones",
            found=f"{train.height} rows, {train[target].null_count()} unknown, {different} different",
            next_step="take in more people, or look at what is filtered out before",
        )
    from sklearn.pipeline import Pipeline

    pipeline = Pipeline(
        [("columns", _to_numbers(inputs)), ("model", TRAIN[estimator.kind].build(estimator, task, seed))]
    )
    with _one_thread(), _library_errors("fitting"):
        pipeline.fit(train.select(column.name for column in inputs), _targets(train[target], task))
    return Fitted(pipeline, task, target, split_column)


def _task_faults(dtype: pl.DataType, target: str, task: Task, estimator: Any) -> Iterator[Fault]:
    serves = TRAIN[estimator.kind].TASKS
    if task not in serves:
        fit_for = sorted(kind for kind, module in TRAIN.items() if task in module.TASKS)
        yield Fault(f"{estimator.kind} does not serve {task}", expected=f"one of {', '.join(fit_for)}")
    if task == "regression" and not dtype.is_numeric():
        yield Fault(f"the target {target!r} is no number", expected="a numeric target for regression")
    if task == "classification" and not (dtype.is_integer() or dtype in (pl.String, pl.Boolean)):
        yield Fault(f"the target {target!r} is no class", expected="text, true/false or an integer for classification")


def _targets(series: pl.Series, task: Task) -> npt.NDArray[Any]:
    return series.cast(pl.Float64).to_numpy() if task == "regression" else series.to_numpy()


def _to_numbers(inputs: Sequence[Column]) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    classes = [column for column in inputs if kind_of(column) in ("VARCHAR", "BOOLEAN")]
    numbers = [column for column in inputs if column not in classes]
    declared = [["false", "true"] if kind_of(column) == "BOOLEAN" else list(column.domain or ()) for column in classes]
    encode = OneHotEncoder(categories=declared, handle_unknown="ignore", sparse_output=False)
    impute = SimpleImputer(strategy="median", keep_empty_features=True)
    texts, values = (FunctionTransformer(read, feature_names_out="one-to-one") for read in (as_texts, as_numbers))
    parts = [
        ("categories", classes, [("texts", texts), ("encode", encode)]),
        ("numbers", numbers, [("values", values), ("impute", impute), ("scale", StandardScaler())]),
    ]
    return ColumnTransformer(
        [(name, Pipeline(steps), [column.name for column in columns]) for name, columns, steps in parts if columns]
    )


def as_texts(frame: pl.DataFrame) -> npt.NDArray[np.object_]:
    """The columns as text, (rows, columns) of objects; NULL stays None, which is no category."""
    return frame.cast(pl.String).to_numpy().astype(object)


def as_numbers(frame: pl.DataFrame) -> Floats:
    """The columns as numbers, (rows, columns) of float64; dates as days since 1970-01-01, NULL as NaN."""
    columns = [column.dt.timestamp("us") / _DAY_US if column.dtype.is_temporal() else column for column in frame]
    return np.column_stack([column.cast(pl.Float64).fill_null(float("nan")).to_numpy() for column in columns])


@contextmanager
def _one_thread() -> Iterator[None]:
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

    with threadpool_limits(limits=1):
        yield


@contextmanager
def _library_errors(doing: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, ArithmeticError, pl.exceptions.PolarsError) as error:
        # the library's own text may hold a value of a row
        raise EngineFailed.of(
            f"{doing} the model failed ({type(error).__name__})",
            expected="finite numbers, and values of the declared types",
            next_step="look at the ranges and types of the feature columns",
        ) from None


# ---- metrics

Metric = Callable[[Floats], float]
"""A metric of fixed rows as a function of their weights."""


def metrics(fitted: Fitted, frame: pl.DataFrame, *, subject: str, seed: int) -> pl.DataFrame:
    """How good the model is on validation and test: (metric, split, value, low, high, n), one row each.

    `low` and `high` bound the 95 % percentile bootstrap interval over `RESAMPLES` resamples of subjects, all rows of
    one together (Efron and Tibshirani 1993, ch. 13; clusters: Davison and Hinkley 1997, 3.8), `n` counts rows. A value
    that the rows do not define (one class only) is NULL. The interval speaks of other people, not of another fit.

    classification: roc_auc (several classes: mean of one against the rest), balanced_accuracy, accuracy, brier (mean
    squared error of the probability; of several classes, summed over them). regression: r2, mae.
    """
    measured = []
    for place, split in enumerate(SPLITS):
        rows = frame.filter(pl.col(fitted.split_column) == split)
        people = _numbered(rows[subject])
        generator = np.random.default_rng([seed, place])
        named = _metrics(fitted, rows) if rows.height else {}
        with _one_thread():
            intervals = _intervals(tuple(named.values()), people, generator)
            for (name, metric), (low, high) in zip(named.items(), intervals, strict=True):
                measured.append((name, split, metric(np.ones(rows.height)), low, high, rows.height))
    schema = {"metric": pl.String, "split": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    found = pl.DataFrame(measured, schema=schema | {"n": pl.Int64}, orient="row")
    return found.with_columns(pl.col("value", "low", "high").fill_nan(None))


def _numbered(subjects: pl.Series) -> npt.NDArray[np.intp]:
    numbers: dict[Any, int] = {}
    return np.array([numbers.setdefault(subject, len(numbers)) for subject in subjects.to_list()], dtype=np.intp)


def _intervals(
    asked: Sequence[Metric], people: npt.NDArray[np.intp], generator: np.random.Generator
) -> list[tuple[float, float]]:
    """One interval for each metric; all of them are measured on the same resamples."""
    if not asked:
        return []
    number = int(people.max()) + 1
    values = np.empty((RESAMPLES, len(asked)))
    for place in range(RESAMPLES):
        times = np.bincount(generator.integers(number, size=number), minlength=number).astype(float)
        weight = times[people]
        values[place] = [metric(weight) for metric in asked]
    return [_middle(column[~np.isnan(column)]) for column in values.T]


def _middle(values: Floats) -> tuple[float, float]:
    if not values.size:
        return float("nan"), float("nan")
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)


def _metrics(fitted: Fitted, rows: pl.DataFrame) -> Mapping[str, Metric]:
    columns = list(fitted.pipeline.feature_names_in_)
    truth = _targets(rows[fitted.target], fitted.task)
    with _one_thread(), _library_errors("measuring"):
        if fitted.task == "regression":
            predicted = fitted.pipeline.predict(rows.select(columns))
            return {"r2": _r2(truth, predicted), "mae": _mean(np.abs(truth - predicted))}
        chances = fitted.pipeline.predict_proba(rows.select(columns))
    classes = fitted.pipeline.classes_
    is_class = truth[:, None] == classes[None, :]
    right = classes[chances.argmax(axis=1)] == truth
    errors = (chances - is_class) ** 2
    two = len(classes) == 2
    apart = [_auc(is_class[:, place], chances[:, place]) for place in range(len(classes))]
    return {
        "roc_auc": apart[1] if two else lambda weight: float(np.mean([auc(weight) for auc in apart])),
        "balanced_accuracy": _balanced(truth, right),
        "accuracy": _mean(right),
        "brier": _mean(errors[:, 1] if two else errors.sum(axis=1)),
    }


def _mean(values: npt.NDArray[Any]) -> Metric:
    numbers = np.ascontiguousarray(values, dtype=float)
    return lambda weight: float(weight @ numbers / weight.sum())


def _r2(truth: Floats, predicted: Floats) -> Metric:
    def metric(weight: Floats) -> float:
        spread = weight @ (truth - weight @ truth / weight.sum()) ** 2
        return float(1 - weight @ (truth - predicted) ** 2 / spread) if spread > 0 else float("nan")

    return metric


def _balanced(truth: npt.NDArray[Any], right: npt.NDArray[np.bool_]) -> Metric:
    """The mean over the classes that occur of the share of each that is recognized."""
    _, places = np.unique(truth, return_inverse=True)
    number, rows_right, places_right = int(places.max(initial=-1)) + 1, np.flatnonzero(right), places[right]

    def metric(weight: Floats) -> float:
        there = np.bincount(places, weight, minlength=number)
        found = np.bincount(places_right, weight[rows_right], minlength=number)
        return float(np.mean(found[there > 0] / there[there > 0]))

    return metric


def _auc(positive: npt.NDArray[np.bool_], score: Floats) -> Metric:
    """P(score of a positive > score of a negative) + half P(equal): Mann and Whitney's U over the pairs, weighted.

    Sorting is the same for all weights, so it is done once: then a positive is above as much of the negatives' weight
    as their running total holds at its score.
    """
    order = np.argsort(score, kind="stable")
    for_it, against = order[positive[order]], order[~positive[order]]
    below = np.searchsorted(score[against], score[for_it], side="left")
    reached = np.searchsorted(score[against], score[for_it], side="right")

    def metric(weight: Floats) -> float:
        total = np.concatenate(([0.0], np.cumsum(weight[against])))
        wanted = weight[for_it]
        pairs = wanted.sum() * total[-1]
        return float(wanted @ (total[below] + total[reached]) / 2 / pairs) if pairs > 0 else float("nan")

    return metric


# ---- bytes


def save(fitted: Fitted) -> bytes:
    """The pipeline in the skops format (never a pickle): the same model gives the same bytes.

    skops names parts by their address in memory, stamps the time, and writes arrays of records with whatever lay in
    memory between their fields; here parts are numbered as they come, the time is 1980, and the gaps are zero.
    """
    import skops.io

    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(fitted.pipeline))) as written:
        schema = json.loads(written.read("schema.json"))
        files: dict[str, str] = {}
        _name_by_order(schema, _shared(schema), {}, files)
        parts = {new: _without_gaps(written.read(old)) for old, new in files.items()}
    parts["schema.json"] = json.dumps(schema, separators=(",", ":")).encode()
    bytes_ = io.BytesIO()
    with zipfile.ZipFile(bytes_, "w", zipfile.ZIP_STORED) as target:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            target.writestr(entry, content)
    return bytes_.getvalue()


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every object of the schema, depth first, in its order."""
    if isinstance(schema, dict):
        yield schema
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _nodes(part)


def _shared(schema: Any) -> set[int]:
    """The ids of parts that stand in several places and are more than a plain value."""
    seen: set[int] = set()
    shared: set[int] = set()
    for node in _nodes(schema):
        if "__id__" in node and node.get("__loader__") != "JsonNode":
            (shared if node["__id__"] in seen else seen).add(node["__id__"])
    return shared


def _name_by_order(schema: Any, shared: set[int], ids: dict[int, int], files: dict[str, str]) -> None:
    for node in _nodes(schema):
        if (old := node.pop("__id__", None)) in shared:
            node["__id__"] = ids.setdefault(old, len(ids) + 1)
        if isinstance(node.get("file"), str):
            node["file"] = files.setdefault(node["file"], f"{len(files)}.npy")


def _without_gaps(content: bytes) -> bytes:
    array = np.load(io.BytesIO(content), allow_pickle=False)
    if array.dtype.names is None:
        return content
    clean = np.zeros(array.shape, array.dtype)
    for name in array.dtype.names:
        clean[name] = array[name]
    buffer = io.BytesIO()
    np.save(buffer, clean, allow_pickle=False)
    return buffer.getvalue()


def load(content: bytes) -> Any:
    """The pipeline that `save` wrote; raises Tampered for bytes that hold anything but what our models are made of."""
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        return skops.io.loads(content, trusted=list(TRUSTED))
    except UntrustedTypesFoundException:
        found = "types that no model of ours is made of"
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError):
        found = "no model in the skops format"
    raise Tampered.of(
        "this is not a model that was saved here", found=found, next_step="do not load it; find out where it came from"
    )
