"""Rows of nobody: how long they take, how near they are to people's, and what a model learns from them.

Belongs here: one part a question (`private`, `plain`), on one table that all parts share: Adult as UCI has it (32,561
rows of 15 columns, nothing left out; 16,281 others to be predicted), where it is among the test data (the folder that
PRIVACY_ASSETS_TEST_DATA names, `shared/data` beside the repository by default). What is made is written, and judged by
another process, whoever made it. That programs are measured where PRIVACY_ASSETS_PEERS names a Python that has
them (smartnoise-synth 1.0.8, dpmm 0.1.9, each in its own); they are no dependency.

Judged by: half the L1 distance of all pairs of columns, on average, where a number counts by the bin that it falls
into, 20 of equal frequency among people (a value that many share is one alone); SDMetrics' quality report; the area
under the curve of gradient boosting and of logistic regression that learned `income` from what was made, on others.
"""

from __future__ import annotations

import json
import os
import warnings
from functools import cache
from itertools import combinations, product
from pathlib import Path
from typing import Any

from bench.measuring import ROOT, Clock, Row, Run, Table, in_turn, peer, python_with, scratch

ADULT = Path(os.environ.get("PRIVACY_ASSETS_TEST_DATA", ROOT.parent / "shared/data")) / "adult"
ROWS, MILLION, DELTA = 32_561, 1_000_000, 1e-5
NUMBERS = {
    "age": (17, 90, 1), "fnlwgt": (10_000, 1_500_000, 100), "education_num": (1, 16, 1),
    "capital_gain": (0, 99_999, 1), "capital_loss": (0, 4_400, 1), "hours_per_week": (1, 99, 1),
}  # fmt: skip
"""Least, largest, step: declared, not looked up."""

NAMES = (
    "age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship", "race",
    "sex", "capital_gain", "capital_loss", "hours_per_week", "native_country", "income",
)  # fmt: skip
TARGET, POSITIVE = "income", ">50K"
EPSILONS = (0.1, 1.0, 10.0)
SETTINGS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("marginal_tree", " with a target", {"target": TARGET}),
    ("marginal_tree", "", {}),
    ("independent_marginals", "", {}),
)
EPOCHS = 5
PEERS = (("snsynth", 15.0), ("dpmm", 30.0))
"""Other programs, and how many times faster than they ours should be."""


def rows(run: Run) -> list[Table]:
    """All tables of synthesis."""
    return [private(run), plain(run)]


def private(run: Run) -> Table:
    """The private synthesizers at three ε; at 1 beside other programs' trees."""
    table = Table("Synthetic data under differential privacy")
    if not (ADULT / "adult.data").exists():
        table.notes.append("Adult is not among the test data: nothing was measured.")
        return table
    size = min(run.rows, ROWS)
    with scratch(run, "private") as folder:
        tree = {"epsilon": 1.0, "delta": DELTA, "target": TARGET}
        ours = _measured(folder, run, "marginal_tree", tree, size)
        name = f"marginal_tree with a target, ε 1, {size:,} rows"
        table.rows += [
            Row(f"{name}: fitted and drawn", f"{ours['wall']:.2f} s", goal="≤ 5.9 s", reached=ours["wall"] <= 5.9),
            Row("the same, CPU seconds", f"{ours['cpu']:.2f} s"),
            Row("the same, peak of memory", f"{ours['peak']:,.0f} MiB", "", "", "≤ 1.5 GiB", ours["peak"] <= 1536),
            Row("distance of pairs", f"{ours['pairs']:.4f}", "", "", "≤ 0.053", ours["pairs"] <= 0.053),
            Row("SDMetrics' quality", f"{ours['quality']:.4f}", "", "", "≥ 0.955", ours["quality"] >= 0.955),
            Row("area under the curve, boosting", f"{ours['boosted']:.4f}", "", "", "≥ 0.85", ours["boosted"] >= 0.85),
            Row(
                "area under the curve, logistic", f"{ours['logistic']:.4f}", "", "", "≥ 0.85", ours["logistic"] >= 0.85
            ),
        ]
        for other, goal in PEERS:
            if python := python_with(other):
                theirs = _of_peer(folder, python, other, size)
                ratio = theirs["wall"] / ours["wall"]
                beside = f"the same beside {theirs['name']} MST: {_told(theirs)}"
                table.rows += [
                    Row(
                        beside, f"{ours['wall']:.2f} s", f"{theirs['wall']:.1f} s", f"{ratio:.0f}", f"≥ {goal:g}",
                        ratio >= goal,
                    ),
                    Row("the same, CPU seconds", f"{ours['cpu']:.2f} s", f"{theirs['cpu']:.1f} s"),
                    Row("the same, peak of memory", f"{ours['peak']:,.0f} MiB", f"{theirs['peak']:,.0f} MiB"),
                ]  # fmt: skip
        for epsilon, (kind, with_, said) in product(EPSILONS, SETTINGS):
            found = _measured(folder, run, kind, {"epsilon": epsilon, "delta": DELTA, **said}, size)
            table.rows.append(Row(f"{kind}{with_}, ε {epsilon:g}: {_told(found)}", f"{found['wall']:.2f} s"))
    table.notes.append(
        f"δ {DELTA:g}; one row a person. From the table in memory to as many rows in memory; medians, but of other "
        "programs once. They have the same bounds and labels; dpmm spends a tenth of ε on its bins, smartnoise-synth "
        "has ten public ones a number, of equal width. 1-way and pairs: half the L1 distance, on average, numbers in "
        "20 bins of equal frequency among people. Curves: learned from what was made, on 16,281 others."
    )
    return table


def plain(run: Run) -> Table:
    """The synthesizers that promise nothing, and people's own rows."""
    table = Table("Synthetic data without differential privacy")
    if not (ADULT / "adult.data").exists():
        return table
    size = min(run.rows, ROWS)
    asked: list[tuple[str, dict[str, Any]]] = [("sequential_trees", {}), ("gaussian_copula", {})]
    if run.rows >= ROWS:
        asked += [(kind, {"epochs": EPOCHS}) for kind in ("ctgan", "tvae")]
    with scratch(run, "plain") as folder:
        for kind, said in asked:
            found = _measured(folder, run, kind, said, size, once=kind in ("ctgan", "tvae"))
            name = f"{kind}, {said['epochs']} epochs" if said else kind
            goal = (
                {"goal": "≥ 0.85 boosting", "reached": found["boosted"] >= 0.85} if kind == "sequential_trees" else {}
            )
            table.rows += [
                Row(f"{name}, {size:,} rows: {_told(found)}", f"{found['wall']:.2f} s", **goal),
                Row("the same, peak of memory", f"{found['peak']:,.0f} MiB"),
            ]
        many = min(run.rows, MILLION)
        found = in_turn(
            1, ("bench.synthesis:made", {"kind": "sequential_trees", "said": {}, "size": size, "many": many})
        )[0]
        what = f"sequential_trees, grown on {size:,} rows, {many:,} drawn"
        table.rows += [
            Row(what, f"{found['wall']:.1f} s", "", "", "≤ 60 s", found["wall"] <= 60),
            Row("the same, peak of memory", f"{found['peak']:,.0f} MiB"),
        ]
        people = folder / "people.csv"
        _people("adult.data")[:size].write_csv(people)
        table.rows.append(Row(f"people's own rows: {_told(_judged(people, size))}", ""))
    table.notes.append(f"As above. CTGAN and TVAE once, and of {EPOCHS} epochs: their own default is 300.")
    return table


def _told(found: dict[str, Any]) -> str:
    return (
        f"1-way {found['columns']:.4f}, pairs {found['pairs']:.4f}, quality {found['quality']:.4f}, "
        f"boosting {found['boosted']:.4f}, logistic {found['logistic']:.4f}"
    )


def _measured(folder: Path, run: Run, kind: str, said: dict[str, Any], size: int, once: bool = False) -> dict[str, Any]:
    out = folder / f"{kind}.csv"
    asked = {"kind": kind, "said": said, "size": size, "out": str(out)}
    found = in_turn(1 if once else run.times, ("bench.synthesis:made", asked))[0]
    return _judged(out, size) | found


def _judged(out: Path, size: int) -> dict[str, Any]:
    return in_turn(1, ("bench.synthesis:judged", {"path": str(out), "size": size}))[0]


def _of_peer(folder: Path, python: str, other: str, size: int) -> dict[str, Any]:
    people, out, asked = folder / "people.csv", folder / f"{other}.csv", folder / "asked.json"
    _people("adult.data")[:size].write_csv(people)
    labels = {domain.name: domain.labels for domain in _domains() if not domain.ordered}
    numbers = {name: bounds[:2] for name, bounds in NUMBERS.items()}
    said = {"csv": str(people), "out": str(out), "epsilon": 1.0, "delta": DELTA, "numbers": numbers, "labels": labels}
    asked.write_text(json.dumps(said))
    found = peer(python, other, asked)
    return _judged(out, size) | found


def made(kind: str, said: dict[str, Any], size: int, many: int | None = None, out: str | None = None) -> dict[str, Any]:
    """One synthesizer: from codes in memory to codes in memory; written afterwards."""
    from privacy_assets.coded import decode, encode
    from privacy_assets.techniques.synthesize import SYNTHESIZE
    from privacy_assets.words import Column

    module = SYNTHESIZE[kind]
    table = encode(_people("adult.data")[:size], _domains())
    with Clock() as clock:
        found = module.synthesize(
            module.Parameters(kind=kind, **said), table, rows=many or size, rows_per_person=1, seed=7
        )
    if out:
        columns = [Column(name, "BIGINT" if name in NUMBERS else "VARCHAR") for name in NAMES]
        decode(found, columns).write_csv(out)
    return clock.taken()


def judged(path: str, size: int) -> dict[str, Any]:
    """How near what was made is to people, and what is learned from it."""
    import polars as pl

    people, others = _people("adult.data")[:size], _people("adult.test")
    found = pl.read_csv(path, infer_schema_length=None).with_columns(pl.col(list(NUMBERS)).cast(pl.Float64))
    found = found.with_columns(pl.col(list(NUMBERS)).round().cast(pl.Int64))
    columns, pairs = _distances(people, found)
    boosted, logistic = _curves(found, others)
    return {
        "columns": columns,
        "pairs": pairs,
        "quality": _quality(people, found),
        "boosted": boosted,
        "logistic": logistic,
    }


@cache
def _people(file: str) -> Any:
    """UCI's files: no head, blanks after commas, a line that is none, and a dot behind the labels of the second."""
    import polars as pl

    lines = (ADULT / file).read_text().splitlines()
    cells = [[cell.strip() for cell in line.split(",")] for line in lines if line.count(",") == len(NAMES) - 1]
    frame = pl.DataFrame(cells, schema=list(NAMES), orient="row")
    return frame.with_columns(pl.col(list(NUMBERS)).cast(pl.Int64), pl.col(TARGET).str.strip_suffix("."))


@cache
def _domains() -> tuple[Any, ...]:
    import polars as pl

    from privacy_assets.coded import Domain

    both = pl.concat([_people("adult.data"), _people("adult.test")])
    return tuple(
        Domain(name, low=NUMBERS[name][0], high=NUMBERS[name][1], step=NUMBERS[name][2])
        if name in NUMBERS
        else Domain(name, tuple(both[name].unique().sort()))
        for name in NAMES
    )


def _distances(people: Any, found: Any) -> tuple[float, float]:
    """Of columns and of pairs, on average."""
    import numpy as np

    real, made_, sizes = [], [], []
    for name in NAMES:
        one, other = people[name].to_numpy(), found[name].to_numpy()
        if name in NUMBERS:
            edges = np.unique(np.quantile(one, np.linspace(0, 1, 21))[1:-1])
            one, other = (np.searchsorted(edges, values, side="left") for values in (one, other))
        else:
            labels = {label: place for place, label in enumerate(sorted({*map(str, one), *map(str, other)}))}
            one, other = (np.array([labels[str(label)] for label in values]) for values in (one, other))
        real.append(one)
        made_.append(other)
        sizes.append(int(max(one.max(), other.max())) + 1)

    def off(one: Any, other: Any, size: int) -> float:
        shares = [np.bincount(codes, minlength=size) / len(codes) for codes in (one, other)]
        return float(np.abs(shares[0] - shares[1]).sum() / 2)

    columns = [off(*codes) for codes in zip(real, made_, sizes, strict=True)]
    pairs = [
        off(real[a] * sizes[b] + real[b], made_[a] * sizes[b] + made_[b], sizes[a] * sizes[b])
        for a, b in combinations(range(len(NAMES)), 2)
    ]
    return float(np.mean(columns)), float(np.mean(pairs))


def _quality(people: Any, found: Any) -> float:
    """Of a single table: shapes of columns, and trends of pairs."""
    kinds = {name: {"sdtype": "numerical" if name in NUMBERS else "categorical"} for name in NAMES}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the report of a single table is to become one of any number of tables
        from sdmetrics.reports.single_table import QualityReport

        report = QualityReport()
        report.generate(people.to_pandas(), found.to_pandas(), {"columns": kinds}, verbose=False)
        return float(report.get_score())


def _curves(found: Any, others: Any) -> tuple[float, float]:
    """Areas under the curve of gradient boosting and of logistic regression."""
    import numpy as np
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    domains = [domain for domain in _domains() if domain.name != TARGET]
    labelled = [place for place, domain in enumerate(domains) if not domain.ordered]
    numbers = [place for place, domain in enumerate(domains) if domain.ordered]

    def inputs(frame: Any) -> Any:
        columns = []
        for domain in domains:
            places = {label: place for place, label in enumerate(domain.labels)}
            values = frame[domain.name].to_numpy()
            columns.append(values if domain.ordered else np.array([places.get(str(value), 0) for value in values]))
        return np.column_stack(columns).astype(float)

    answers, truth = (frame[TARGET].to_numpy() == POSITIVE for frame in (found, others))
    if len(set(answers)) < 2:
        return 0.5, 0.5
    models = (
        HistGradientBoostingClassifier(categorical_features=labelled, random_state=7),
        make_pipeline(
            ColumnTransformer(
                [("labels", OneHotEncoder(handle_unknown="ignore"), labelled), ("numbers", StandardScaler(), numbers)]
            ),
            LogisticRegression(max_iter=1000),
        ),
    )
    areas = [
        roc_auc_score(truth, model.fit(inputs(found), answers).predict_proba(inputs(others))[:, 1]) for model in models
    ]
    return float(areas[0]), float(areas[1])
