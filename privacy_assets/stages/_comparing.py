"""Measures how like the real rows a candidate is, and what is learned from it, and writes that beside the rows.

    marginals[column]   total variation distance between released and real rows, of one column
    marginals, pairs    its mean over all columns, and over all pairs of columns
    rows_per_person     the same distance, of how many rows one has, where people are drawn with their rows
    discriminator       AUC of a model that tells released rows from those of the control: 0.5 is the best

Numbers are compared in up to twenty intervals, cut at quantiles of the real rows. Belongs here: the measures and the
table that invariants judge. Does not belong here: how much is enough (the purpose says), attacks (`_attacking.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from itertools import combinations
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from privacy_assets import coded
from privacy_assets.coded import Coded, Codes, Domain
from privacy_assets.contracts import synthesis
from privacy_assets.contracts.purpose import Model, Purpose
from privacy_assets.reports.comparison import FEWEST
from privacy_assets.stages.step import Work
from privacy_assets.techniques.train import TRAIN
from privacy_assets.words import Column

# by name: they bring libraries that only a run should pay for
TRANSFER = "privacy_assets.techniques.train._transfer"
FITTING = "privacy_assets.techniques.train._fitting"

TABLE = "candidate.main.fidelity"
SHARES = "candidate.main.shares"
ASSOCIATIONS = "candidate.main.associations"
INTERVALS = 20
"""In how many intervals numbers are compared, at most."""

_SHARES: dict[str, Any] = {
    "column": pl.String,
    "place": pl.Int64,
    "label": pl.String,
    "released": pl.Float64,
    "real": pl.Float64,
}
_ASSOCIATIONS: dict[str, Any] = {"one": pl.String, "other": pl.String, "difference": pl.Float64}
Row = tuple[str, str, float, float | None, float | None, int]
"""One measure: what it is, of which column or group ("": of all), its value, its interval, the rows behind it."""

_SCHEMA: dict[str, Any] = {
    "measure": pl.String,
    "about": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n": pl.Int64,
}


def write(
    work: Work,
    purpose: Purpose,
    columns: Sequence[Column],
    released: Coded,
    fitted: Coded,
    control: Coded,
    people: Codes,
    seed: int,
    rows_per_person: float | None = None,
) -> dict[str, float]:
    """Compare, write the table, and give its values by name; `people` numbers the person of each row of the control.

    `rows_per_person` is as `numbers_of_rows` tells it, where people are drawn with their rows.
    """
    found: list[Row] = [
        (measure, about, value, None, None, released.rows) for measure, about, value in distances(released, fitted)
    ]
    found.append(("discriminator", "", discriminator(released, control, seed), None, None, control.rows))
    if rows_per_person is not None:
        found.append(("rows_per_person", "", rows_per_person, None, None, released.rows))
    private = purpose.synthetic is not None and purpose.synthetic.differential is not None
    # under differential privacy shares of real rows would be a release that nobody paid for
    work.write(SHARES, pl.DataFrame([] if private else shares(released, fitted), schema=_SHARES, orient="row"))
    work.write(ASSOCIATIONS, pl.DataFrame(associations(released, fitted), schema=_ASSOCIATIONS, orient="row"))
    asked, model = purpose.guarantee.fidelity, synthesis.transferred(purpose)
    if asked is not None and asked.transfer is not None and model is not None:
        from privacy_assets.techniques.train._transfer import transfer

        real = coded.decode(control, columns)
        for one in transfer(
            coded.decode(released, columns),
            coded.decode(fitted, columns),
            real,
            inputs=[column for column in columns if column.name != model.target],
            target=model.target,
            task=model.task,
            estimator=model.estimator,
            metric=asked.transfer.metric,
            people=people.astype(np.intp),
            groups=groups(purpose, real),
            seed=seed,
        ):
            found.append((one.measure, one.group, one.value, one.low, one.high, one.n))
    work.write(TABLE, frame(found))
    return told(found)


def frame(found: Sequence[Row]) -> pl.DataFrame:
    """The table that invariants judge."""
    made = pl.DataFrame(found, schema=_SCHEMA, orient="row")
    return made.with_columns(pl.col("value", "low", "high").fill_nan(None))


def told(found: Sequence[Row]) -> dict[str, float]:
    """The values by name, without those that nothing defines."""
    named = {f"{measure}[{about}]" if about else measure: value for measure, about, value, *_ in found}
    return {name: value for name, value in named.items() if np.isfinite(value)}


def groups(purpose: Purpose, rows: pl.DataFrame) -> Mapping[str, Any]:
    """The rows of each group of the fairness columns."""
    fair = purpose.guarantee.fairness.columns if purpose.guarantee.fairness else ()
    texts = {name: rows[name].cast(pl.String).fill_null("NULL") for name in fair if name in rows.columns}
    return {
        f"{name}={value}": (column == value).to_numpy()
        for name, column in texts.items()
        for value in column.unique().sort().to_list()
    }


def made_by(purpose: Purpose) -> tuple[ModuleType | str, ...]:
    """The modules whose source says what was measured."""
    return (sys.modules[__name__], *learned_by(synthesis.transferred(purpose)))


def learned_by(model: Model | None) -> tuple[ModuleType | str, ...]:
    """The modules whose source says what is learned of released rows, if anything is."""
    return (TRANSFER, FITTING, TRAIN[model.estimator.kind]) if model else ()


def distances(released: Coded, real: Coded) -> list[tuple[str, str, float]]:
    """(measure, about, value): total variation distances of columns and pairs, half the sum of absolute differences."""
    (first, sizes), (second, _) = (_intervals(each, real) for each in (released, real))
    names = [domain.name for domain in real.domains]
    each = [_distance(first[:, [at]], second[:, [at]], sizes[[at]]) for at in range(len(names))]
    pairs = [
        _distance(first[:, places], second[:, places], sizes[places])
        for places in map(list, combinations(range(len(names)), 2))
    ]
    of_columns = [("marginals", name, value) for name, value in zip(names, each, strict=True)]
    return [("marginals", "", float(np.mean(each))), ("pairs", "", float(np.mean(pairs or [0.0]))), *of_columns]


def numbers_of_rows(drawn: Codes, real: Codes) -> float:
    """Total variation distance between how many rows one has who has any, drawn and real; each names whose a row is."""
    found = [np.bincount(np.unique(whose, return_counts=True)[1]) for whose in (drawn, real)]
    most = max(map(len, found))
    shares = [np.pad(counts, (0, most - len(counts))) / max(counts.sum(), 1) for counts in found]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _intervals(table: Coded, real: Coded) -> tuple[Codes, Codes]:
    """The codes with numbers in intervals of the real rows, and how many groups each column has, NULL among them."""
    columns, sizes = [], []
    for place, domain in enumerate(table.domains):
        codes, edges = table.codes[:, place], _edges(real, place)
        if edges is None:
            columns.append(codes)
            sizes.append(domain.size + 1)
            continue
        columns.append(np.where(codes < domain.size, np.searchsorted(edges, codes, side="left"), len(edges) + 1))
        sizes.append(len(edges) + 2)
    return np.stack(columns, axis=1).astype(np.int32), np.array(sizes, dtype=np.int32)


def _edges(real: Coded, place: int) -> npt.NDArray[np.int64] | None:
    """The last code of each interval but the last one's; None where values are compared one by one."""
    domain = real.domains[place]
    if not domain.ordered or domain.size <= INTERVALS:
        return None
    known = real.codes[:, place][real.codes[:, place] < domain.size]
    shares = np.linspace(0, 1, INTERVALS + 1)[1:-1]
    if not known.size:
        return np.array([0])
    return np.unique(np.quantile(known, shares, method="inverted_cdf")).astype(np.int64)


def shares(released: Coded, real: Coded) -> list[tuple[str, int, str, float, float | None]]:
    """(column, place, label, released, real): of each value or interval; real None where few real rows have it."""
    (first, sizes), (second, _) = (_intervals(each, real) for each in (released, real))
    found: list[tuple[str, int, str, float, float | None]] = []
    for place, domain in enumerate(real.domains):
        ours, theirs = (np.bincount(each[:, place], minlength=sizes[place]) for each in (first, second))
        for at, label in enumerate(_labels(domain, _edges(real, place))):
            told = theirs[at] / max(real.rows, 1) if theirs[at] >= FEWEST else None
            if ours[at] or theirs[at]:
                found.append((domain.name, at, label, ours[at] / max(released.rows, 1), told))
    return found


def _labels(domain: Domain, edges: npt.NDArray[np.int64] | None) -> list[str]:
    if edges is None:
        return [*(domain.labels or (f"{number:g}" for number in domain.numbers())), "NULL"]
    numbers = domain.low + domain.step * np.append(edges, domain.size - 1)
    return [*(f"to {number:g}" for number in numbers), "NULL"]


def associations(released: Coded, real: Coded) -> list[tuple[str, str, float]]:
    """(one, other, difference): Cramér's V of released rows minus that of real ones, of each pair of columns."""
    (first, sizes), (second, _) = (_intervals(each, real) for each in (released, real))
    names = [domain.name for domain in real.domains]
    return [
        (names[one], names[other], _cramers_v(first, one, other, sizes) - _cramers_v(second, one, other, sizes))
        for one, other in combinations(range(len(names)), 2)
    ]


def _cramers_v(codes: Codes, one: int, other: int, sizes: Codes) -> float:
    """sqrt(chi² / (n (min(rows, columns) - 1))): 0 where columns have nothing to do with each other, 1 at most."""
    rows, columns = (np.bincount(codes[:, place], minlength=sizes[place]) for place in (one, other))
    smaller = min(np.count_nonzero(rows), np.count_nonzero(columns)) - 1
    if smaller < 1:
        return 0.0
    # chi² / n = sum n_ij² / (n_i n_j) - 1, over the cells that somebody is in
    pairs, counts = np.unique(codes[:, one].astype(np.int64) * sizes[other] + codes[:, other], return_counts=True)
    first, second = rows[pairs // sizes[other]], columns[pairs % sizes[other]]
    square = float((counts / first * (counts / second)).sum()) - 1
    return float(np.sqrt(max(square, 0.0) / smaller))


def _distance(first: Codes, second: Codes, sizes: Codes) -> float:
    """Total variation distance between two tables of one or two columns."""
    tail = np.append(np.cumprod(sizes[::-1].astype(np.int64))[::-1][1:], 1)
    codes = [each.astype(np.int64) @ tail for each in (first, second)]
    # only cells that somebody is in: two columns of many values have more than memory
    cells, places = np.unique(np.concatenate(codes), return_inverse=True)
    parts = np.split(places, [len(codes[0])])
    shares = [np.bincount(part, minlength=len(cells)) / max(len(part), 1) for part in parts]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def discriminator(released: Coded, control: Coded, seed: int) -> float:
    """AUC of a gradient boosting model that tells released rows from real ones, on rows that it has not seen.

    Both sides have as many rows; two folds, each tried by what was learned from the other.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    from privacy_assets.techniques.train._fitting import one_thread

    generator = np.random.default_rng(seed)
    number = min(released.rows, control.rows, 20_000)
    if number < 20:
        return float("nan")
    rows = [each.codes[generator.permutation(each.rows)[:number]] for each in (released, control)]
    values = np.concatenate(rows).astype(np.float64)
    sides = np.repeat([0, 1], number)
    folds = generator.permutation(2 * number) % 2
    scores = np.empty(2 * number)
    with one_thread():
        for fold in (0, 1):
            model = HistGradientBoostingClassifier(max_iter=50, random_state=seed).fit(
                values[folds != fold], sides[folds != fold]
            )
            scores[folds == fold] = model.predict_proba(values[folds == fold])[:, 1]
    return float(np.mean([roc_auc_score(sides[folds == fold], scores[folds == fold]) for fold in (0, 1)]))
