"""_fitting: columns to numbers, metrics with their intervals, bytes."""

import io
import json
import pickle
import zipfile
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import polars as pl
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference
from sklearn.preprocessing import FunctionTransformer

from privacy_assets.errors import BadDeclaration, EngineFailed, NotKept, Tampered
from privacy_assets.techniques.train import TRAIN, _fitting
from privacy_assets.techniques.train._fitting import Fitted, as_numbers, as_texts, fit, load, metrics, save
from privacy_assets.techniques.train._inputs import faults
from privacy_assets.words import Column

SECRET = "Wilhelmina-7781"
LOGISTIC = TRAIN["logistic_regression"].Parameters(kind="logistic_regression")
RIDGE = TRAIN["ridge"].Parameters(kind="ridge")
INPUTS = (
    Column("score", "DOUBLE"),
    Column("ward", "VARCHAR", domain=("a", "b", "never seen")),
    Column("urgent", "BOOLEAN"),
    Column("since", "DATE"),
)


def _frame(rows=300, seed=0, **columns):
    draw = np.random.default_rng(seed)
    score = draw.normal(size=rows)
    frame = pl.DataFrame(
        {
            "person": np.arange(rows) // 3,
            "score": score,
            "ward": draw.choice(["a", "b"], rows),
            "urgent": draw.random(rows) < 0.5,
            "since": pl.Series(draw.integers(0, 9000, rows)).cast(pl.Int32).cast(pl.Date),
            "came_back": score + draw.normal(size=rows) > 0,
            "days": score * 3 + draw.normal(size=rows),
            "split": np.array(["train", "validation", "test"])[np.arange(rows) // 3 % 3],
        }
    )
    return frame.with_columns(**columns)


def _fit(frame, inputs=INPUTS, target="came_back", task="classification", estimator=LOGISTIC, seed=0):
    return fit(frame, inputs=inputs, target=target, task=task, estimator=estimator, seed=seed)


# ---- columns


def test_categories_are_those_declared_and_no_others():
    """A declared category has its column though nobody has it; one that was not declared has none."""
    fitted = _fit(_frame(ward=pl.when(pl.col("person") == 0).then(pl.lit(SECRET)).otherwise("ward")))
    encoder = fitted.pipeline.named_steps["columns"].named_transformers_["categories"].named_steps["encode"]
    assert [list(found) for found in encoder.categories_] == [["a", "b", "never seen"], ["false", "true"]]
    assert SECRET.encode() not in save(fitted)


def test_an_unknown_category_is_all_zeros():
    """NULL and a value outside the domain look alike, and like no category."""
    fitted = _fit(_frame())
    rows = _frame(4).with_columns(
        ward=pl.Series([None, "zzz", "a", "b"]), urgent=pl.Series([None, True, False, None], dtype=pl.Boolean)
    )
    encoded = fitted.pipeline.named_steps["columns"].transform(rows)[:, :5]
    assert encoded.tolist() == [[0, 0, 0, 0, 0], [0, 0, 0, 0, 1], [1, 0, 0, 1, 0], [0, 1, 0, 0, 0]]


def test_numbers_are_imputed_and_scaled_by_what_train_holds():
    """Median, mean and variance are of train alone; an unknown number becomes the median."""
    frame = _frame()
    frame = frame.with_columns(score=pl.when(pl.col("person") % 7 == 0).then(None).otherwise("score"))
    shifted = frame.with_columns(score=pl.when(pl.col("split") == "test").then(99.0).otherwise("score"))
    found, other = (
        _fit(rows).pipeline.named_steps["columns"].named_transformers_["numbers"] for rows in (frame, shifted)
    )
    train = frame.filter(pl.col("split") == "train")["score"]
    assert found.named_steps["impute"].statistics_[0] == train.median()
    assert found.named_steps["scale"].mean_[0] == pytest.approx(train.fill_null(train.median()).mean())
    assert (found.named_steps["scale"].mean_ == other.named_steps["scale"].mean_).all()


def test_a_column_that_nobody_has_still_fits():
    """All unknown is a constant, not a failure."""
    fitted = _fit(_frame(score=pl.lit(None, dtype=pl.Float64)))
    assert fitted.pipeline.predict(_frame()).shape == (300,)


def test_dates_are_days_since_1970():
    """Dates, times and times with a zone count on one scale; unknown ones are no number."""
    noon = datetime(1970, 1, 11, 12, tzinfo=UTC)
    frame = pl.DataFrame(
        {
            "date": [date(1970, 1, 11), None],
            "time": pl.Series([noon.replace(tzinfo=None), None], dtype=pl.Datetime("ns")),
            "zoned": pl.Series([noon, None], dtype=pl.Datetime("us", "UTC")),
        }
    )
    assert as_numbers(frame)[0].tolist() == [10.0, 10.5, 10.5]
    assert np.isnan(as_numbers(frame)[1]).all()
    assert timezone(timedelta(0)) == UTC


def test_numbers_of_any_width_are_numbers():
    """Whole, decimal and true/false columns come as float64."""
    frame = pl.DataFrame({"whole": [1, None], "decimal": pl.Series(["1.5", None]).cast(pl.Decimal(18, 3))})
    assert as_numbers(frame)[0].tolist() == [1.0, 1.5]
    assert as_texts(pl.DataFrame({"b": [True, None], "t": ["x", None]})).tolist() == [["true", "x"], [None, None]]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (Column("note", "VARCHAR"), "not declared"),
        (Column("note", "VARCHAR", domain=()), "not declared"),
        (Column("token", "UUID"), "cannot learn from 'token'"),
        (Column("photo", "BLOB"), "cannot learn from 'photo'"),
        (Column("at", "TIME"), "cannot learn from 'at'"),
    ],
)
def test_a_column_that_cannot_be_learned_from_is_refused(column, said):
    """Text without a domain, tokens and what is no number are refused by name, all at once."""
    with pytest.raises(BadDeclaration, match=said) as refused:
        _fit(_frame(), inputs=(*INPUTS, column, Column("other", "UUID")))
    assert len(refused.value.faults) == 2
    assert all(fault.next_step for fault in refused.value.faults)


def test_nothing_to_learn_from_is_refused():
    """Without an input there is no model."""
    assert len(faults(())) == 1
    assert faults(INPUTS) == ()
    with pytest.raises(BadDeclaration):
        _fit(_frame(), inputs=())


@pytest.mark.parametrize(
    ("target", "task", "estimator"),
    [("came_back", "regression", RIDGE), ("score", "classification", LOGISTIC), ("days", "regression", LOGISTIC)],
)
def test_a_target_or_an_estimator_of_another_task_is_refused(target, task, estimator):
    """Classes are not regressed on, numbers with a fraction are no classes, and estimators serve their tasks."""
    with pytest.raises(BadDeclaration):
        _fit(_frame(), target=target, task=task, estimator=estimator, inputs=INPUTS[1:])


@pytest.mark.parametrize(
    "target", [pl.lit(True), pl.when(pl.col("person") == 0).then(None).otherwise("came_back")], ids=["one", "unknown"]
)
def test_a_train_split_that_teaches_nothing_is_not_kept(target):
    """One class only, or an unknown one, says so in counts."""
    with pytest.raises(NotKept, match="different"):
        _fit(_frame(came_back=target))
    with pytest.raises(NotKept):
        _fit(_frame().filter(pl.col("split") != "train"))


def test_a_failure_inside_the_library_tells_no_value():
    """The library's text may hold what it stumbled over; ours does not."""
    with pytest.raises(EngineFailed) as failed:
        _fit(_frame(score=pl.lit(SECRET)))
    assert SECRET not in str(failed.value)
    assert failed.value.__cause__ is None and failed.value.__suppress_context__


def test_only_train_teaches():
    """Whatever stands in validation and test, the model is the same."""
    frame = _frame()
    turned = frame.with_columns(
        came_back=pl.when(pl.col("split") == "train").then("came_back").otherwise(~pl.col("came_back"))
    )
    assert save(_fit(frame)) == save(_fit(turned))


# ---- metrics


class _Says:
    """A model that gives the answers that it was given, for the rows in order."""

    def __init__(self, answers, classes=None):
        self.answers, self.classes_, self.feature_names_in_ = np.asarray(answers), classes, ["x"]

    def predict(self, frame):
        return self.answers[frame["x"].to_numpy()]

    predict_proba = predict


def _measured(answers, truth, task, classes=None, people=None, seed=0):
    rows = len(truth)
    frame = pl.DataFrame(
        {"x": range(rows), "y": truth, "person": people or list(range(rows)), "split": ["test"] * rows}, strict=False
    )
    found = metrics(Fitted(_Says(answers, classes), task, "y", "split"), frame, subject="person", seed=seed)
    return {row["metric"]: row for row in found.to_dicts()}


_chances = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.3, 0.6, 1.0]), st.booleans(), st.integers(0, 3)), min_size=2, max_size=30
)


@settings(deadline=None, max_examples=60)
@given(_chances)
def test_metrics_of_two_classes_are_those_of_scikit_learn(rows):
    """With any weights, and ties, each metric is the reference's."""
    score, truth, weight = (np.array(column) for column in zip(*rows, strict=True))
    frame = pl.DataFrame({"x": range(len(rows)), "y": truth})
    fitted = Fitted(_Says(np.column_stack([1 - score, score]), np.array([False, True])), "classification", "y", "split")
    weight = weight + 0.5
    at = {name: metric.at(weight[:, None]).item() for name, metric in _fitting.of_rows(fitted, frame).items()}
    guess = np.column_stack([1 - score, score]).argmax(axis=1) == 1
    assert at["accuracy"] == pytest.approx(reference.accuracy_score(truth, guess, sample_weight=weight))
    assert at["brier"] == pytest.approx(np.average((score - truth) ** 2, weights=weight))
    if len(set(truth)) == 2:
        assert at["roc_auc"] == pytest.approx(reference.roc_auc_score(truth, score, sample_weight=weight))
        assert at["balanced_accuracy"] == pytest.approx(
            reference.balanced_accuracy_score(truth, guess, sample_weight=weight)
        )
    else:
        assert np.isnan(at["roc_auc"])


def test_metrics_of_several_classes_are_those_of_scikit_learn():
    """One against the rest, on average; squared errors summed over classes."""
    draw = np.random.default_rng(1)
    chances = draw.dirichlet([1, 1, 1], 80)
    classes = np.array(["a", "b", "c"], dtype=object)
    truth = draw.choice(classes, 80)
    found = _measured(chances, list(truth), "classification", classes)
    assert found["roc_auc"]["value"] == pytest.approx(reference.roc_auc_score(truth, chances, multi_class="ovr"))
    assert found["brier"]["value"] == pytest.approx(reference.brier_score_loss(truth, chances, labels=list(classes)))
    guess = classes[chances.argmax(axis=1)]
    assert found["accuracy"]["value"] == pytest.approx(reference.accuracy_score(truth, guess))
    assert found["balanced_accuracy"]["value"] == pytest.approx(reference.balanced_accuracy_score(truth, guess))


def test_metrics_of_a_regression_are_those_of_scikit_learn():
    """R squared and mean absolute error."""
    draw = np.random.default_rng(2)
    truth = draw.normal(size=50)
    predicted = truth + draw.normal(size=50) / 3
    found = _measured(predicted, list(truth), "regression")
    assert found["r2"]["value"] == pytest.approx(reference.r2_score(truth, predicted))
    assert found["mae"]["value"] == pytest.approx(reference.mean_absolute_error(truth, predicted))


def test_a_metric_that_is_not_defined_is_null():
    """One class in test has no area under its curve, and that is not a number that passes."""
    found = _measured([[0.2, 0.8]] * 9, [True] * 9, "classification", np.array([False, True]))
    assert found["roc_auc"]["value"] is None and found["roc_auc"]["low"] is None
    assert found["accuracy"]["value"] == 1


def test_metrics_name_split_interval_and_rows():
    """One row for each metric and split, the value inside its interval."""
    fitted = _fit(_frame())
    found = metrics(fitted, _frame(), subject="person", seed=5)
    assert found.columns == ["metric", "split", "value", "low", "high", "n"]
    assert found.height == 8
    for split in ("validation", "test"):
        assert set(found.filter(split=split)["n"]) == {_frame().filter(split=split).height}
    assert found.select((pl.col("low") <= pl.col("value")).all() & (pl.col("value") <= pl.col("high")).all()).item()
    assert found.equals(metrics(fitted, _frame(), subject="person", seed=5))
    assert not found.equals(metrics(fitted, _frame(), subject="person", seed=6))


def test_a_split_without_rows_has_no_metrics():
    """What was not measured is not there, so that a floor on it decides nothing."""
    frame = _frame()
    found = metrics(_fit(frame), frame.filter(pl.col("split") != "test"), subject="person", seed=0)
    assert set(found["split"]) == {"validation"}


def test_rows_of_one_person_are_resampled_together():
    """Copies of one person's row make nothing surer: the interval is that of the people."""
    truth = [number % 2 == 0 for number in range(60)]
    right = [number % 3 > 0 for number in range(60)]
    chances = [[1 - said, said] for said in (float(t == r) for t, r in zip(truth, right, strict=True))]
    classes = np.array([False, True])
    once = _measured(chances, truth, "classification", classes)["accuracy"]
    copies = _measured(chances * 10, truth * 10, "classification", classes, list(range(60)) * 10)["accuracy"]
    apart = _measured(chances * 10, truth * 10, "classification", classes, list(range(600)))["accuracy"]
    assert (copies["value"], copies["low"], copies["high"]) == pytest.approx((once["value"], once["low"], once["high"]))
    assert apart["high"] - apart["low"] < (once["high"] - once["low"]) / 2


def test_the_interval_holds_what_it_claims(monkeypatch):
    """Of 60 samples about 95 % of the intervals hold the true accuracy."""
    draw = np.random.default_rng(4)
    held = 0
    monkeypatch.setattr(_fitting, "RESAMPLES", 300)
    for _ in range(60):
        right = draw.random(120) < 0.8
        [(low, high)] = _fitting._intervals([_fitting._mean(right)], np.arange(120), draw)
        held += low <= 0.8 <= high
    assert held >= 52


# ---- bytes


def test_the_same_model_is_the_same_bytes():
    """Fitting and saving twice gives the same file, of no time and no address."""
    content = save(_fit(_frame()))
    assert content == save(_fit(_frame()))
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert [name for name in file.namelist() if name != "schema.json"] == [
            f"{place}.npy" for place in range(len(file.namelist()) - 1)
        ]
        ids = [node["__id__"] for node in _fitting._nodes(json.loads(file.read("schema.json"))) if "__id__" in node]
    assert set(ids) == set(range(1, len(set(ids)) + 1))


def test_gaps_between_fields_hold_nothing():
    """Records are written with zeros where memory was left as it was."""
    gapped = np.dtype({"names": ["a", "b"], "formats": ["u1", "f8"], "offsets": [0, 8], "itemsize": 16})
    dirty = np.frombuffer(b"\xff" * 32, dtype=gapped).copy()
    buffer = io.BytesIO()
    np.save(buffer, dirty)
    clean = np.load(io.BytesIO(_fitting._without_gaps(buffer.getvalue())))
    assert clean.tobytes()[1:8] == bytes(7)
    assert (clean["a"] == dirty["a"]).all()


def test_only_what_models_are_made_of_is_loaded():
    """A file that names another function or type is refused, and so is a pickle or a torn file."""
    content = save(_fit(_frame()))
    foreign = skops.io.dumps(FunctionTransformer(_foreign))
    for bad in (foreign, pickle.dumps({}), content[: len(content) // 2], b""):
        with pytest.raises(Tampered):
            load(bad)
    load(content)


def _foreign(rows):
    raise AssertionError("this must never run")
