"""The conformance suite of the estimators: every one gets these laws by existing."""

import hashlib
import subprocess
import sys
from functools import cache

import numpy as np
import polars as pl
import pytest
from pydantic import TypeAdapter, ValidationError

from privacy_assets.errors import BadDeclaration
from privacy_assets.techniques.train import TRAIN, Estimator, _fitting, is_private
from privacy_assets.words import Column, Frozen

ROWS = 1009
INPUTS = (
    Column("height", "DOUBLE"),
    Column("weight", "DECIMAL(18,3)"),
    Column("sex", "VARCHAR", domain=("f", "m")),
    Column("smokes", "BOOLEAN"),
    Column("born", "DATE"),
)
SMALL = {"random_forest": {"n_estimators": 10}, "hist_gradient_boosting": {"max_iter": 20}}
ASKED = {kind: {"epsilon": 20.0, "delta": 1e-5} for kind in ("private_logistic_regression", "private_network")}
"""What those ask for that have no default."""
BOUNDS = {"height": (-3.0, 3.0), "weight": (-3.0, 3.0), "born": (-9000.0, 9000.0)}
CASES = [(kind, task) for kind, module in TRAIN.items() for task in module.TASKS]
DETERMINISTIC = [(kind, task) for kind, task in CASES if kind not in ASKED]
each_case = pytest.mark.parametrize(("kind", "task"), CASES)
each_kind = pytest.mark.parametrize("kind", list(TRAIN))


def _frame(seed=0):
    """Invented people of whom height and weight decide the target, all in train but for every fifth."""
    draw = np.random.default_rng(seed)
    height, weight = draw.normal(size=ROWS), draw.normal(size=ROWS)
    risk = 2 * height - weight + draw.normal(size=ROWS) / 2
    return pl.DataFrame(
        {
            "person": np.arange(ROWS) // 2,
            "height": height,
            "weight": weight,
            "sex": draw.choice(["f", "m"], ROWS),
            "smokes": draw.random(ROWS) < 0.3,
            "born": pl.Series(draw.integers(-9000, 9000, ROWS)).cast(pl.Int32).cast(pl.Date),
            "classification": np.where(risk > 0, "yes", "no"),
            "regression": risk,
            "split": np.where(np.arange(ROWS) % 5 == 0, "test", "train"),
        }
    )


@cache
def _fitted(kind, task):
    return _fit(kind, task, _frame())


def _fit(kind, task, frame, seed=3):
    estimator = TRAIN[kind].Parameters(kind=kind, **SMALL.get(kind, {}), **ASKED.get(kind, {}))
    declared = _fitting.Declared(BOUNDS, 2) if is_private(estimator) else None
    return _fitting.fit(frame, inputs=INPUTS, target=task, task=task, estimator=estimator, seed=seed, declared=declared)


@each_kind
def test_an_estimator_says_what_it_is_and_what_it_serves(kind):
    """Docstring, frozen parameters, and tasks out of two."""
    module = TRAIN[kind]
    assert module.__doc__.startswith(f"{kind}: ")
    assert issubclass(module.Parameters, Frozen)
    assert module.TASKS and set(module.TASKS) <= {"classification", "regression"}
    parameters = module.Parameters(kind=kind, **ASKED.get(kind, {}))
    assert is_private(parameters) == (kind in ASKED)
    assert TypeAdapter(Estimator).validate_python(parameters.model_dump()) == parameters


@each_case
def test_it_learns_what_there_is_to_learn(kind, task):
    """On people that it has not seen it is far better than guessing."""
    fitted = _fitted(kind, task)
    found = _fitting.metrics(fitted, _frame(), subject="person", seed=0)
    value = {metric: value for metric, split, value, *_ in found.rows() if split == "test"}
    assert value["roc_auc" if task == "classification" else "r2"] > 0.75


@each_case
def test_it_does_not_serve_another_task(kind, task):
    """A task that it does not serve is refused, with those that do."""
    others = {"classification", "regression"} - set(TRAIN[kind].TASKS)
    for other in others:
        with pytest.raises(BadDeclaration, match="does not serve"):
            _fit(kind, other, _frame())


@each_case
def test_a_saved_model_predicts_the_same(kind, task):
    """What comes back from bytes is the model that went in."""
    fitted = _fitted(kind, task)
    content = _fitting.save(fitted)
    again = _fitting.load(content)
    assert (again.predict(_frame(1)) == fitted.pipeline.predict(_frame(1))).all()
    assert _fitting.save(_fitting.Fitted(again, task, task, "split")) == content


def test_two_processes_write_the_same_bytes():
    """The same rows and seed give the same file, whatever the process, which PyTorch has no part in."""
    code = (
        "import sys, hashlib, importlib.util\n"
        f"spec = importlib.util.spec_from_file_location('members', {__file__!r})\n"
        "members = importlib.util.module_from_spec(spec); spec.loader.exec_module(members)\n"
        "for kind, task in members.DETERMINISTIC:\n"
        "    content = members._fitting.save(members._fitted(kind, task))\n"
        "    print(kind, task, hashlib.sha256(content).hexdigest())\n"
        "assert 'torch' not in sys.modules, 'a second of each command'\n"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    one = [(kind, task, hashlib.sha256(_fitting.save(_fitted(kind, task))).hexdigest()) for kind, task in DETERMINISTIC]
    assert [tuple(line.split()) for line in other.splitlines()] == one


def test_another_seed_or_another_row_is_another_model():
    """The bytes tell models apart."""
    contents = {
        _fitting.save(_fit("random_forest", "regression", frame, seed=seed))
        for frame, seed in ((_frame(), 3), (_frame(), 4), (_frame(1), 3))
    }
    assert len(contents) == 3


# ---- nothing of a row stays inside


def _arrays(thing, seen):
    """Every array reachable from an object: through items and all that it would give to a pickle."""
    if id(thing) in seen:
        return
    seen[id(thing)] = thing
    if isinstance(thing, np.ndarray):
        if thing.dtype.names:
            for name in thing.dtype.names:
                yield np.ascontiguousarray(thing[name])
        elif thing.dtype == object:
            for part in thing.ravel():
                yield from _arrays(part, seen)
        else:
            yield thing
    elif isinstance(thing, dict):
        for part in thing.values():
            yield from _arrays(part, seen)
    elif isinstance(thing, (list, tuple, set)):
        for part in thing:
            yield from _arrays(part, seen)
    elif not isinstance(thing, type) and type(thing).__module__.split(".")[0] in ("sklearn", "scipy"):
        yield from _arrays(thing.__reduce_ex__(2)[1:], seen)


def _rows_inside(pipeline):
    """How many training rows have two numbers side by side in an array of the model; how many arrays are as long."""
    train = _frame().filter(pl.col("split") == "train")
    raw = train.select("height", "weight").to_numpy()
    scaled = (raw - raw.mean(axis=0)) / raw.std(axis=0)
    known = {tuple(row) for form in (raw, scaled) for row in form.round(5)}
    found, long = set(), 0
    for array in _arrays(pipeline, {}):
        long += train.height in array.shape
        if array.dtype.kind == "f" and array.size > 1:
            for order in ("C", "F"):
                side_by_side = np.lib.stride_tricks.sliding_window_view(array.ravel(order), 2)
                found |= known & {tuple(pair) for pair in side_by_side.astype(float).round(5)}
    return len(found), long


# bin edges are quantiles, so single values of train; two of one row meet in a tree by chance alone, which is rare
BY_CHANCE = {"hist_gradient_boosting": 4}


@each_case
def test_no_training_row_is_inside_a_fitted_model(kind, task):
    """No array of the model is as long as train or holds rows of it."""
    rows, long = _rows_inside(_fitted(kind, task).pipeline)
    assert rows <= BY_CHANCE.get(kind, 0)
    assert long == 0


@each_case
def test_no_training_row_is_inside_a_loaded_model(kind, task):
    """Nor do they come back from the bytes."""
    rows, long = _rows_inside(_fitting.load(_fitting.save(_fitted(kind, task))))
    assert rows <= BY_CHANCE.get(kind, 0)
    assert long == 0


@pytest.mark.parametrize("estimator", ["neighbours", "vectors", "process"])
def test_a_model_that_keeps_rows_is_caught(estimator):
    """Nearest neighbours, support vectors and Gaussian processes are what this search finds."""
    from sklearn.gaussian_process import GaussianProcessClassifier
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC

    keeps = {
        "neighbours": KNeighborsClassifier(),
        "vectors": SVC(),
        "process": GaussianProcessClassifier(optimizer=None),
    }
    fitted = _fitted("logistic_regression", "classification")
    train = _frame().filter(pl.col("split") == "train").head(200)
    columns = fitted.pipeline.named_steps["columns"]
    model = keeps[estimator].fit(columns.transform(train), train["classification"].to_numpy())
    rows, _ = _rows_inside(model)
    assert rows > 50


@pytest.mark.parametrize(
    ("kind", "leaf"), [("random_forest", 4), ("decision_tree", 19), ("hist_gradient_boosting", 19)]
)
def test_a_leaf_of_few_rows_is_refused(kind, leaf):
    """Hyper-parameters cannot be set so that a leaf is about one row."""
    with pytest.raises(ValidationError):
        TRAIN[kind].Parameters(kind=kind, min_samples_leaf=leaf)


def test_declarations_load_without_scikit_learn():
    """Importing the family imports no estimator."""
    code = (
        "import sys, privacy_assets.techniques.train._fitting\nprint({'sklearn', 'skops', 'scipy'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "set()"
