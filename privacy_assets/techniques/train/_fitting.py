"""Fits what a purpose asks for: columns to numbers, an estimator, metrics with their uncertainty, bytes.

Belongs here: everything about a model but the choice of estimator (one file each beside this). Does not belong here:
where rows come from and where bytes go (`stages/s9_model.py`).

What a column becomes is decided by its declared type and domain, never by what the rows hold:

* text and true/false: one 0/1 column for each declared category; a value outside, or NULL, is all zeros. Text without a
  declared domain is refused: a category that only one person has would otherwise stand in the model by name;
* numbers: NULL to the median of train, then mean 0 and variance 1 (all three are aggregates of train);
* dates and times: days since 1970-01-01 (UTC), then as numbers;
* anything else, tokens first of all, is refused.

Under differential privacy nothing is taken from train: numbers and days are brought within [-1, 1] by declared bounds,
and NULL is 0, the middle.

scikit-learn is imported where it is used: declarations load without it.
"""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from privacy_assets.errors import BadDeclaration, EngineFailed, Fault, NotKept, Tampered, raise_gathered
from privacy_assets.techniques.train import TRAIN, is_private
from privacy_assets.techniques.train._inputs import faults, kind_of
from privacy_assets.words import Column

Task = Literal["classification", "regression"]
Floats = npt.NDArray[np.float64]

TRUSTED = (
    "numpy.dtype",
    "privacy_assets.techniques.train._fitting.as_numbers",
    "privacy_assets.techniques.train._fitting.as_texts",
    "privacy_assets.techniques.train._fitting.within",
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


@dataclass(frozen=True, slots=True)
class Declared:
    """What a private fit is told rather than finds: the ends of each number (days, for dates), and rows per person."""

    bounds: Mapping[str, tuple[float, float]]
    rows_per_person: int


def fit(
    frame: pl.DataFrame,
    *,
    inputs: Sequence[Column],
    target: str,
    task: Task,
    estimator: Any,
    seed: int,
    split_column: str = "split",
    declared: Declared | None = None,
) -> Fitted:
    """Fit on the rows of `frame` whose split is train; `estimator` is the parameters of a member of `TRAIN`.

    The same rows in the same order, and the same seed, give the same model: one thread is used, since the order of
    sums decides their last bits. A differentially private one needs `declared`, has been paid for before, and is
    another each time.

    Raises BadDeclaration for columns that a model cannot learn from, an estimator or a target that does not serve the
    task; NotKept where train holds too little to learn from; EngineFailed where scikit-learn fails.
    """
    raise_gathered(BadDeclaration, (*faults(inputs), *_task_faults(frame.schema[target], target, task, estimator)))
    names = [column.name for column in inputs]
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

    columns, known, truth = _to_numbers(inputs, declared), train.select(names), targets(train[target], task)
    with one_thread(), library_errors("fitting"):
        # what is declared is all there is to know of the columns: they are shown a row of nobody
        numbers = columns.fit(known.clear(1)).transform(known) if declared else columns.fit_transform(known)
        model = unfitted(estimator, task, seed, declared, len(inputs)).fit(numbers, truth)
    return Fitted(Pipeline([("columns", columns), ("model", model)]), task, target, split_column)


def unfitted(estimator: Any, task: Task, seed: int, declared: Declared | None, columns: int) -> Any:
    """What is to be fitted to the numbers that so many columns became; raises TypeError for a private one untold."""
    if not is_private(estimator):
        return TRAIN[estimator.kind].build(estimator, task, seed)
    if declared is None:
        raise TypeError(f"{estimator.kind} is private: it is told bounds and how many rows of a person there are")
    rows = declared.rows_per_person
    return TRAIN[estimator.kind].build(estimator, task, seed, columns=columns, rows_per_person=rows)


def _task_faults(dtype: pl.DataType, target: str, task: Task, estimator: Any) -> Iterator[Fault]:
    serves = TRAIN[estimator.kind].TASKS
    if task not in serves:
        fit_for = sorted(kind for kind, module in TRAIN.items() if task in module.TASKS)
        yield Fault(f"{estimator.kind} does not serve {task}", expected=f"one of {', '.join(fit_for)}")
    if task == "regression" and not dtype.is_numeric():
        yield Fault(f"the target {target!r} is no number", expected="a numeric target for regression")
    if task == "classification" and not (dtype.is_integer() or dtype in (pl.String, pl.Boolean)):
        yield Fault(f"the target {target!r} is no class", expected="text, true/false or an integer for classification")


def targets(series: pl.Series, task: Task) -> npt.NDArray[Any]:
    return series.cast(pl.Float64).to_numpy() if task == "regression" else series.to_numpy()


def _to_numbers(inputs: Sequence[Column], declared: Declared | None = None) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    classes = [column for column in inputs if kind_of(column) in ("VARCHAR", "BOOLEAN")]
    numbers = [column for column in inputs if column not in classes]
    values_of = [["false", "true"] if kind_of(column) == "BOOLEAN" else list(column.domain or ()) for column in classes]
    encode = OneHotEncoder(categories=values_of, handle_unknown="ignore", sparse_output=False)
    impute = SimpleImputer(strategy="median", keep_empty_features=True)
    texts, values = (FunctionTransformer(read, feature_names_out="one-to-one") for read in (as_texts, as_numbers))
    scaled = [("impute", impute), ("scale", StandardScaler())]
    if declared is not None:
        ends = [list(declared.bounds[column.name]) for column in numbers]
        scaled = [("within", FunctionTransformer(within, kw_args={"ends": ends}, feature_names_out="one-to-one"))]
    parts = [
        ("categories", classes, [("texts", texts), ("encode", encode)]),
        ("numbers", numbers, [("values", values), *scaled]),
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


def within(numbers: Floats, ends: Sequence[Sequence[float]]) -> Floats:
    """Each column from its two ends to [-1, 1]; what is beyond is the end, NaN is 0. Looks at one number at a time."""
    low, high = np.array(ends, dtype=np.float64).T
    scaled: Floats = np.nan_to_num(np.clip((numbers - low) / (high - low) * 2 - 1, -1, 1))
    return scaled


@contextmanager
def one_thread() -> Iterator[None]:
    """With it libraries compute on one thread: the order of sums decides their last bits."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield


@contextmanager
def library_errors(doing: str) -> Iterator[None]:
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

BATCH = 20
"""Resamples that are measured at once."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of fixed rows: `of` takes weighted sums over them, (sums, weightings), and gives one value for each.

    `summed` holds what is summed: a sparse matrix, (sums, rows). That the sums are linear in the weights is what makes
    resampling cheap: rows of one person are added up once, and each resample is a product.

    `of_part` takes the sums over some of the rows and those over all, and gives the value of these rows on the scale of
    all; None where the scale of a value does not depend on the rows.
    """

    summed: Any
    of: Callable[[Floats], Floats]
    of_part: Callable[[Floats, Floats], Floats] | None = None

    def at(self, weights: Floats) -> Floats:
        """The values for weights of the rows, (rows, weightings); NaN where they define none."""
        with np.errstate(invalid="ignore", divide="ignore"):
            values: Floats = self.of(self.summed @ weights)
        return values

    def among(self, weights: Floats, part: npt.NDArray[np.bool_]) -> Floats:
        """The values of some rows, part (rows,), among all: R² as 1 - their mean squared error / the variance of all.

        By their own variance a group that varies little would lose more than others by the same error. On the scale of
        all, the values of groups, weighted by their rows, come to that of everybody.
        """
        if self.of_part is None:
            return self.at(weights * part[:, None])
        with np.errstate(invalid="ignore", divide="ignore"):
            values: Floats = self.of_part(self.summed @ (weights * part[:, None]), self.summed @ weights)
        return values

    def of_units(self, places: npt.NDArray[np.intp]) -> Metric:
        """The metric as a function of the weights of units, where row n belongs to the unit `places[n]`."""
        from scipy.sparse import csr_array

        rows = np.arange(len(places))
        belongs = csr_array((np.ones(len(places)), (rows, places)), shape=(len(places), int(places.max()) + 1))
        return Metric((self.summed @ belongs).tocsr(), self.of, self.of_part)


def metrics(fitted: Fitted, frame: pl.DataFrame, *, subject: str | None, seed: int) -> pl.DataFrame:
    """How good the model is on validation and test: (metric, split, value, low, high, n), one row each.

    `low` and `high` bound the 95 % percentile bootstrap interval over `RESAMPLES` resamples of subjects, all rows
    of one together, or of rows where nobody knows whose they are (Efron and Tibshirani 1993, ch. 13; clusters:
    Davison and Hinkley 1997, 3.8), `n` counts rows. A value that the rows do not define (one class only) is NULL.
    The interval speaks of other people, not of another fit.

    classification: roc_auc (several classes: mean of one against the rest), balanced_accuracy, accuracy, brier (mean
    squared error of the probability; of several classes, summed over them). regression: r2, mae.
    """
    measured = []
    for place, split in enumerate(SPLITS):
        rows = frame.filter(pl.col(fitted.split_column) == split)
        people = _numbered(rows[subject]) if subject else np.arange(rows.height)
        generator = np.random.default_rng([seed, place])
        named = of_rows(fitted, rows) if rows.height else {}
        with one_thread():
            intervals = _intervals(tuple(named.values()), people, generator)
            for (name, metric), (low, high) in zip(named.items(), intervals, strict=True):
                [value] = metric.at(np.ones((rows.height, 1))).tolist()
                measured.append((name, split, value, low, high, rows.height))
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
    of_people = [metric.of_units(people) for metric in asked]
    values = np.concatenate([[m.at(times) for m in of_people] for times in resamples(number, generator)], axis=1)
    return [middle(each[~np.isnan(each)]) for each in values]


def resamples(number: int, generator: np.random.Generator) -> Iterator[Floats]:
    """How often each of `number` people is drawn, (number, weightings): `RESAMPLES` weightings, `BATCH` at a time."""
    for place in range(0, RESAMPLES, BATCH):
        size = min(BATCH, RESAMPLES - place)
        draws = [np.bincount(generator.integers(number, size=number), minlength=number) for _ in range(size)]
        yield np.stack(draws, axis=1, dtype=float)


def middle(values: Floats) -> tuple[float, float]:
    """The 95 % percentile interval of what was resampled; NaN where there is nothing."""
    if not values.size:
        return float("nan"), float("nan")
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)


def of_rows(fitted: Fitted, rows: pl.DataFrame) -> Mapping[str, Metric]:
    """Each metric of the model's task as a function of the weights of `rows`, whose target is known."""
    columns = list(fitted.pipeline.feature_names_in_)
    truth = targets(rows[fitted.target], fitted.task)
    with one_thread(), library_errors("measuring"):
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
        "roc_auc": apart[1] if two else _mean_of(apart),
        "balanced_accuracy": _balanced(truth, right),
        "accuracy": _mean(right),
        "brier": _mean(errors[:, 1] if two else errors.sum(axis=1)),
    }


def _summed(*columns: npt.NDArray[Any]) -> Any:
    from scipy.sparse import csr_array

    return csr_array(np.stack(columns, dtype=float))


def _grouped(*groups: tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]) -> Any:
    """Rows that are added up by group: of each pair, (group of each row, whether it counts), one sum for each group."""
    from scipy.sparse import csr_array

    places, counts = (np.stack(part) for part in zip(*groups, strict=True))
    number = int(places.max(initial=-1)) + 1
    part, row = np.nonzero(counts)
    shape = (len(groups) * number, places.shape[1])
    return csr_array((np.ones(len(row)), (places[part, row] + part * number, row)), shape=shape)


def _mean(values: npt.NDArray[Any]) -> Metric:
    return Metric(_summed(values, np.ones(len(values))), lambda sums: sums[0] / sums[1])


def _mean_of(metrics: Sequence[Metric]) -> Metric:
    from scipy.sparse import vstack

    ends = np.cumsum([metric.summed.shape[0] for metric in metrics])[:-1]

    def of(sums: Floats) -> Floats:
        parts = np.split(sums, ends)
        values: Floats = np.mean([metric.of(part) for metric, part in zip(metrics, parts, strict=True)], axis=0)
        return values

    return Metric(vstack([metric.summed for metric in metrics], format="csr"), of)


def _r2(truth: Floats, predicted: Floats) -> Metric:
    centered = truth - truth.mean()

    def of_part(part: Floats, every: Floats) -> Floats:
        weight, first, second, _ = every
        spread = second - first**2 / weight
        # what is left of rows that are all alike is rounding
        return np.where(spread > 1e-12 * second, 1 - part[3] / part[0] / (spread / weight), np.nan)

    summed = _summed(np.ones(len(truth)), centered, centered**2, (truth - predicted) ** 2)
    return Metric(summed, lambda sums: of_part(sums, sums), of_part)


def _balanced(truth: npt.NDArray[Any], right: npt.NDArray[np.bool_]) -> Metric:
    """The mean over the classes that occur of the share of each that is recognized."""
    _, places = np.unique(truth, return_inverse=True)

    def of(sums: Floats) -> Floats:
        there, found = np.split(sums, 2)
        values: Floats = np.nanmean(found / there, axis=0)
        return values

    return Metric(_grouped((places, np.ones_like(right)), (places, right)), of)


def _auc(positive: npt.NDArray[np.bool_], score: Floats) -> Metric:
    """P(score of a positive > score of a negative) + half P(equal): Mann and Whitney's U over the pairs, weighted.

    A positive is above the weight of the negatives with lower scores, and half above that of those with its own.
    Neighbouring scores that only one class has make no pairs with each other: they count as one.
    """
    _, places = np.unique(score, return_inverse=True)
    has = np.stack([np.bincount(places, there) > 0 for there in (positive, ~positive)])
    starts = (has[:, 1:] | has[:, :-1]).all(axis=0)
    places = np.concatenate(([0], np.cumsum(starts)))[places]

    def of(sums: Floats) -> Floats:
        against, for_it = np.split(sums, 2)
        total = np.cumsum(against, axis=0)
        pairs = for_it.sum(axis=0) * total[-1]
        return np.where(pairs > 0, np.einsum("gw,gw->w", for_it, total - against / 2) / pairs, np.nan)

    return Metric(_grouped((places, ~positive), (places, positive)), of)


# ---- bytes


def skops_io() -> ModuleType:
    """`skops.io`, which looks through all of scikit-learn when it is imported: without what would bring PyTorch along.

    That takes longer than all the rest, and holds no part of any model.
    """
    bridge = "sklearn.externals.array_api_compat.torch"
    hidden = bridge not in sys.modules and "skops.io" not in sys.modules
    if hidden:
        sys.modules[bridge] = None  # type: ignore[assignment]  # as if it could not be imported
    try:
        return import_module("skops.io")
    finally:
        if hidden:
            sys.modules.pop(bridge, None)


def save(fitted: Fitted) -> bytes:
    """The pipeline in the skops format (never a pickle): the same model gives the same bytes.

    skops names parts by their address in memory, stamps the time, and writes arrays of records with whatever lay in
    memory between their fields; here parts are numbered as they come, the time is 1980, and the gaps are zero.
    """
    with zipfile.ZipFile(io.BytesIO(skops_io().dumps(fitted.pipeline))) as written:
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
    skops = skops_io()
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        return skops.loads(content, trusted=list(TRUSTED))
    except UntrustedTypesFoundException:
        found = "types that no model of ours is made of"
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError):
        found = "no model in the skops format"
    raise Tampered.of(
        "this is not a model that was saved here", found=found, next_step="do not load it; find out where it came from"
    )
