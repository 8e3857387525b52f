"""Anonymity: what it costs to measure it, beside another program that measures the same.

Belongs here: one part a question (`checks`, `recodings`, `growth`), on one table of people that all parts share
(`adults`). The table is Adult
as the ARX project has it (30,162 rows, eight quasi-identifiers, `salary-class`) where it is among the test data (the
folder that PRIVACY_ASSETS_TEST_DATA names, `shared/data` beside the repository by default); else people are
invented whose columns have as many different values. Larger tables repeat its rows: drawn with replacement, the age
moved by at most so many years, seed 7: the wider, the more classes, which the other program takes one by one. That
programs are measured where PRIVACY_ASSETS_PEERS names a Python that has them (pip install pycanon anjana anonypy);
they are no dependency.
"""

from __future__ import annotations

import csv
import json
import math
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from bench.measuring import ROOT, Clock, Row, Run, Table, in_turn, peer, python_with, scratch

QUASI_IDENTIFIERS = (
    "sex", "age", "race", "marital-status", "education", "native-country", "workclass", "occupation",
)  # fmt: skip
SENSITIVE = "salary-class"
ADULT = Path(os.environ.get("PRIVACY_ASSETS_TEST_DATA", ROOT.parent / "shared/data")) / "adult/adult_arx.csv"
ADULT_ROWS, LARGE = 30_162, 1_000_000
TABLES = ((ADULT_ROWS, 0, 5), (LARGE, 2, 2), (LARGE, 7, 2))
"""Rows, by how many years ages are moved, and at most how many runs of the other program: a large one is slow."""
FIGURES = ("k", "l", "t")


def rows(run: Run) -> list[Table]:
    """All tables of anonymity."""
    return [checks(run), recodings(run), growth(run)]


def checks(run: Run) -> Table:
    """k, l and t of a table, by the invariants' own questions, beside pycanon."""
    table = Table("Measuring anonymity")
    python = python_with("pycanon")
    with scratch(run, "anonymity") as folder:
        for size, years, peer_times in (one for one in TABLES if one[0] <= max(run.rows, ADULT_ROWS)):
            size = min(size, run.rows)
            ours, theirs = _both(run, adults(folder, size, years), python, peer_times)
            table.rows += _compared(size, ours, theirs)
            said = ", ".join(f"{name} = {ours['found'][name]:.4g}" for name in FIGURES)
            table.notes.append(
                f"{size:,} rows, {ours['found']['classes']:,.0f} classes: {said}"
                + (f"; {theirs['name']} says the same ({theirs['times']} runs)." if theirs else ".")
            )
    table.notes.append(
        "The three questions are asked one by one of a table in a file, as a stage asks them of its candidate: "
        "written, run, judged. Distinct l; t by the equal distance. Both begin when the process has its libraries and "
        "the table." + ("" if ADULT.exists() else " The people are invented: Adult is not among the test data.")
    )
    return table


def _compared(size: int, ours: dict[str, Any], theirs: dict[str, Any] | None) -> list[Row]:
    classes = f"{ours['found']['classes']:,.0f} classes of {len(QUASI_IDENTIFIERS)} quasi-identifiers"
    what = f"k, l and t of {size:,} rows, {classes}"
    if theirs is None:
        return [Row(what, f"{ours['wall']:.3f} s", goal="≥ 80")]
    names = (
        f"{what}, beside {theirs['name']}",
        "the same, CPU seconds",
        *(f"the same, {one} alone" for one in FIGURES),
    )
    pairs = [(ours[which], theirs[which]) for which in ("wall", "cpu")]
    pairs += [(ours["parts"][one], theirs["parts"][one]) for one in FIGURES]
    found = []
    for place, (name, (own, other)) in enumerate(zip(names, pairs, strict=True)):
        goal = {} if place else {"goal": "≥ 80", "reached": other / own >= 80}
        found.append(Row(name, f"{own:.3f} s", f"{other:.2f} s", f"{other / own:.0f}", **goal))
    return found


def _both(run: Run, path: Path, python: str | None, peer_times: int) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Medians of both, measured in turn; RuntimeError where they do not say the same."""
    asked = path.with_suffix(".json")
    asked.write_text(json.dumps({"csv": str(path), "quasi_identifiers": QUASI_IDENTIFIERS, "sensitive": SENSITIVE}))
    ours, theirs = [], []
    for time in range(run.times):
        ours += in_turn(1, ("bench.anonymity:checked", {"path": str(path)}))
        if python and time < peer_times:
            theirs.append(peer(python, "pycanon", asked))
    for other in theirs:
        if any(abs(other["found"][name] - ours[0]["found"][name]) > 1e-9 for name in FIGURES):
            raise RuntimeError(f"the two measure differently: {ours[0]['found']}, {other['found']}")
    return _medians(ours), _medians(theirs) if theirs else None


def _medians(runs: list[dict[str, Any]]) -> dict[str, Any]:
    parts = {name: statistics.median(one["parts"][name] for one in runs) for name in FIGURES}
    whole = {which: statistics.median(one[which] for one in runs) for which in ("wall", "cpu")}
    return {**runs[0], **whole, "parts": parts, "times": len(runs)}


SETTINGS: tuple[tuple[str, str, int, dict[str, float], float, str | None], ...] = (
    ("full_domain", "k = 5, at most 5 % suppressed", 5, {}, 0.05, "anjana"),
    ("full_domain", "k = 10, at most 5 % suppressed", 10, {}, 0.05, "anjana"),
    ("full_domain", "k = 5, none suppressed", 5, {}, 0.0, None),
    ("full_domain", "k = 5, l = 2, at most 5 % suppressed", 5, {"l": 2}, 0.05, None),
    ("full_domain", "k = 5, t = 0.2, at most 5 % suppressed", 5, {"t": 0.2}, 0.05, None),
    ("local", "k = 5", 5, {}, 0.001, None),
    ("local", "k = 10", 10, {}, 0.001, None),
    ("top_down", "k = 5, l = 2", 5, {"l": 2}, 0.0, None),
    ("mondrian", "k = 5", 5, {}, 0.0, "anonypy"),
    ("mondrian", "k = 10", 10, {}, 0.0, "anonypy"),
)
"""Technique, what is asked in words, k, l or t, the ceiling, and who else can do that."""

GOALS = {"anjana": 12.0, "anonypy": 30.0}


def recodings(run: Run) -> Table:
    """Each technique on Adult with ARX's hierarchies: seconds, loss, and the accuracy of what is left."""
    table = Table("Anonymizing")
    if not ADULT.exists():
        table.notes.append("Adult, with its hierarchies, is not among the test data: nothing was measured.")
        return table
    with scratch(run, "recodings") as folder:
        path = adults(folder, ADULT_ROWS)
        for technique, what, k, more, at_most, other in SETTINGS:
            asked = {"path": str(path), "technique": technique, "k": k, "at_most": at_most, **more}
            runs = in_turn(run.times, ("bench.anonymity:recoded", asked))[0]
            told = f"loss {runs['loss']:.4f}, {runs['suppressed']:.1%} suppressed, {runs['classes']:,} classes"
            if technique in ("local", "mondrian"):
                told += f", accuracy {in_turn(1, ('bench.anonymity:learned', asked))[0]['accuracy']:.4f}"
            name = f"{technique}, {what}: {told}"
            python = python_with(other) if other else None
            if python is None:
                table.rows.append(Row(name, f"{runs['wall']:.3f} s"))
                continue
            file = folder / "asked.json"
            file.write_text(
                json.dumps(
                    {
                        "csv": str(path), "hierarchies": _hierarchies(), "k": k, "suppressed_at_most": at_most,
                        "sensitive": SENSITIVE,
                    }
                )
            )  # fmt: skip
            theirs = [peer(python, str(other), file) for _ in range(min(run.times, 5 if other == "anjana" else 1))]
            wall, goal = statistics.median(one["wall"] for one in theirs), GOALS[str(other)]
            ratio = wall / runs["wall"]
            beside = f"{name}; beside {theirs[0]['name']}, loss {theirs[0]['loss']:.4f}"
            table.rows.append(
                Row(beside, f"{runs['wall']:.3f} s", f"{wall:.2f} s", f"{ratio:.0f}", f"≥ {goal:g}", ratio >= goal)
            )
    table.notes.append(
        "From the table in memory to what becomes of each row: combinations counted, coded by ARX's hierarchies, "
        "searched. Loss is Iyengar's, a suppressed row counts as 1. Accuracy is that of a logistic regression on the "
        "labels, one column each, 3 folds. Lists of Mondrian count the values that they hold."
    )
    return table


def growth(run: Run) -> Table:
    """How the cost of full-domain and local recoding grows with rows, and twelve quasi-identifiers."""
    table = Table("Anonymizing more")
    if not ADULT.exists():
        return table
    python = python_with("anjana")
    with scratch(run, "growth") as folder:
        for size in (size for size in (LARGE // 10, LARGE, 10 * LARGE) if size <= run.rows):
            path = adults(folder, size, 7)
            for technique in ("full_domain", "local"):
                asked = {"path": str(path), "technique": technique, "k": 5, "at_most": 0.05}
                runs = in_turn(1 if size > LARGE else 3, ("bench.anonymity:recoded", asked))[0]
                name = f"{technique}, k = 5, {size:,} rows, {runs['tuples']:,} combinations: loss {runs['loss']:.4f}"
                if technique == "full_domain" and size == LARGE and python:
                    file = folder / "asked.json"
                    file.write_text(
                        json.dumps(
                            {"csv": str(path), "hierarchies": _hierarchies(), "k": 5, "suppressed_at_most": 0.05}
                        )
                    )
                    theirs = peer(python, "anjana", file)
                    ratio = theirs["wall"] / runs["wall"]
                    name += f"; beside {theirs['name']}, loss {theirs['loss']:.4f}"
                    table.rows.append(
                        Row(
                            name,
                            f"{runs['wall']:.2f} s",
                            f"{theirs['wall']:.1f} s",
                            f"{ratio:.0f}",
                            "≥ 40",
                            ratio >= 40,
                        )
                    )
                else:
                    table.rows.append(Row(name, f"{runs['wall']:.2f} s"))
                table.rows.append(Row("the same, peak of memory", f"{runs['peak']:.0f} MiB"))
        path = adults(folder, ADULT_ROWS)
        for technique in ("full_domain", "local", "top_down"):
            asked = {"path": str(path), "technique": technique, "k": 5, "at_most": 0.05, "more": 4}
            runs = in_turn(1, ("bench.anonymity:recoded", asked))[0]
            proven = "proven optimal" if runs["optimal"] else "heuristic"
            table.rows.append(
                Row(
                    f"{technique}, k = 5, 12 quasi-identifiers: loss {runs['loss']:.4f}, {runs['looks']:,} candidates "
                    f"looked at, {proven}",
                    f"{runs['wall']:.2f} s",
                )
            )
    table.notes.append("Rows are Adult's, drawn with replacement, ages moved by at most 7 years, seed 7.")
    return table


def _hierarchies() -> dict[str, list[list[str]]]:
    """ARX's hierarchies of Adult, one row a value."""
    found = {}
    for name in QUASI_IDENTIFIERS:
        with (ADULT.parent / f"hierarchies/adult_hierarchy_{name}.csv").open(encoding="utf-8") as file:
            found[name] = [row for row in csv.reader(file, delimiter=";") if row]
    return found


def _tuples(path: str, more: int, *, of_values: bool) -> tuple[Any, Any, Any]:
    """The frame, a clock that runs from there on, and the table as the search sees it."""
    import numpy as np
    import polars as pl

    from privacy_assets.techniques.anonymize._tuples import Levels, Sensitive, Tuples

    frame = pl.read_csv(path, separator=";", infer_schema_length=0)
    hierarchies = _hierarchies()
    ages = [row[0] for row in hierarchies["age"]]
    frame = frame.with_columns(pl.col("age").cast(pl.Int64).clip(int(ages[0]), int(ages[-1])).cast(pl.String))
    dice = np.random.default_rng(12)
    for place in range(more):
        name = f"more_{place}"
        frame = frame.with_columns(pl.Series(name, [f"v{value}" for value in dice.integers(0, 8, len(frame))]))
        hierarchies[name] = [[f"v{value}", f"h{value // 4}", "*"] for value in range(8)]
    clock = Clock()
    clock.__enter__()
    # one number for each combination, of the places of its values in the hierarchies: it is counted in place of texts
    leaves = {name: [row[0] for row in listed] for name, listed in hierarchies.items()}
    sizes = [len(values) for values in leaves.values()]
    strides = [math.prod(sizes[place + 1 :]) for place in range(len(sizes))]
    places = (
        pl.col(name).replace_strict(values, range(0, len(values) * stride, stride), return_dtype=pl.Int64)
        for (name, values), stride in zip(leaves.items(), strides, strict=True)
    )
    keys = frame.select(*places).sum_horizontal().alias("_key").to_frame()
    groups = keys.group_by("_key").len().sort("_key").with_row_index("_tuple")
    frame = frame.with_columns(keys.join(groups, on="_key", maintain_order="left")["_tuple"])
    columns, codes = [], np.empty((groups.height, len(leaves)), dtype=np.int64, order="F")
    for place, (name, listed) in enumerate(hierarchies.items()):
        levels = [pl.Series([row[level] for row in listed]) for level in range(len(listed[0]))]
        numbers = np.array([float(row[0]) for row in listed]) if name == "age" else None
        columns.append(Levels.of(name, levels, numbers=numbers))
        codes[:, place] = groups["_key"].to_numpy() // strides[place] % sizes[place]
    sensitive = {}
    if of_values:
        values = frame.group_by("_tuple", SENSITIVE).len()
        labels = sorted(frame[SENSITIVE].unique().to_list())
        coded = values[SENSITIVE].replace_strict(labels, range(len(labels)), return_dtype=pl.Int64).to_numpy()
        sensitive[SENSITIVE] = Sensitive(
            values["_tuple"].cast(pl.Int64).to_numpy(), coded, values["len"].cast(pl.Int64).to_numpy(), tuple(labels)
        )
    counts = groups["len"].cast(pl.Int64).to_numpy()
    return frame, clock, Tuples(tuple(columns), codes, counts, sensitive=sensitive)


def _recoded(path: str, technique: str, k: int, at_most: float, more: int, asked: dict[str, float]) -> tuple[Any, ...]:
    from privacy_assets.techniques.anonymize import ANONYMIZE
    from privacy_assets.techniques.criteria import CRITERIA

    criteria = [CRITERIA["k_anonymity"].Parameters(kind="k_anonymity", k=k)]
    kinds = {"l": "l_diversity", "t": "t_closeness"}
    for name, value in asked.items():
        criteria.append(CRITERIA[kinds[name]].Parameters(kind=kinds[name], column=SENSITIVE, **{name: value}))
    module = ANONYMIZE[technique]
    frame, clock, tuples = _tuples(path, more, of_values=bool(asked))
    recoding = module.recode(module.Parameters(kind=technique), tuples, criteria, at_most)
    clock.__exit__(None, None, None)
    return frame, clock, tuples, recoding


def recoded(path: str, technique: str, k: int, at_most: float, more: int = 0, **asked: float) -> dict[str, Any]:
    """One recoding: from the frame in memory to what becomes of each combination."""
    from privacy_assets.techniques.anonymize._quality import measures

    _, clock, tuples, recoding = _recoded(path, technique, k, at_most, more, asked)
    told = measures(recoding, tuples)
    found = {"loss": told["loss"], "suppressed": told["suppressed_share"], "classes": int(told["classes"])}
    return {**clock.taken(), **found, "tuples": len(tuples.rows), "optimal": recoding.optimal, "looks": recoding.looks}


def learned(path: str, technique: str, k: int, at_most: float, more: int = 0, **asked: float) -> dict[str, Any]:
    """How well a logistic regression learns from what is published."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.preprocessing import OneHotEncoder

    frame, _, _, recoding = _recoded(path, technique, k, at_most, more, asked)
    places = frame["_tuple"].to_numpy()
    cells = [cell.to_numpy()[places].astype(str) for cell in recoding.cells]
    inputs = OneHotEncoder(handle_unknown="ignore").fit_transform([list(row) for row in zip(*cells, strict=True)])
    scores = cross_val_score(LogisticRegression(max_iter=1000), inputs, frame[SENSITIVE].to_numpy(), cv=3)
    return {"accuracy": float(scores.mean()), "wall": 0.0, "cpu": 0.0}


def adults(folder: Path, size: int, years: int = 2) -> Path:
    """The table as CSV (`;`), once; in one that is larger than Adult, ages are moved by at most so many years."""
    import numpy as np
    import polars as pl

    path = folder / f"adults_{size}_{years}.csv"
    if not path.exists():
        people = pl.read_csv(ADULT, separator=";") if ADULT.exists() else _invented()
        if size <= len(people):
            people = people[:size]
        else:
            dice = np.random.default_rng(7)
            people = people[dice.integers(0, len(people), size)]
            people = people.with_columns(pl.col("age") + pl.Series(dice.integers(-years, years + 1, size)))
        people.write_csv(path, separator=";")
    return path


def _invented() -> Any:
    """As many people as Adult has, in columns that are as wide and as uneven."""
    import numpy as np
    import polars as pl

    dice, columns = np.random.default_rng(7), {}
    widths = dict(zip(QUASI_IDENTIFIERS, (2, 72, 5, 7, 16, 41, 7, 14), strict=True)) | {SENSITIVE: 2}
    for name, width in widths.items():
        uneven = 1 / np.arange(1, width + 1)
        codes = dice.choice(width, ADULT_ROWS, p=uneven / uneven.sum())
        columns[name] = codes + 17 if name == "age" else [f"{name} {code}" for code in codes]
    return pl.DataFrame(columns)


def checked(path: str) -> dict[str, Any]:
    """The three promises as a stage measures them, one after the other."""
    from datetime import UTC, datetime

    import duckdb
    import sqlglot
    from sqlglot import exp

    from privacy_assets.contracts.promises import Promise
    from privacy_assets.gate import measure
    from privacy_assets.invariants import k_anonymity, l_diversity, t_closeness

    classes = {"quasi_identifiers": QUASI_IDENTIFIERS}
    sensitive = classes | {"column": SENSITIVE}
    asked = {
        "k": (k_anonymity.Parameters(kind="k_anonymity", k=1, **classes), "smallest"),
        "l": (l_diversity.Parameters(kind="l_diversity", l=1, **sensitive), "worst"),
        "t": (t_closeness.Parameters(kind="t_closeness", t=1, **sensitive), "farthest"),
    }
    sqlglot.parse_one("SELECT 1", dialect="duckdb").sql(dialect="duckdb")  # the first text makes it import the dialect
    adults_ = exp.to_table("candidate.adults", dialect="duckdb")
    parts, found, whole = {}, {}, Clock()
    with tempfile.TemporaryDirectory(dir=Path(path).parent) as out, duckdb.connect() as con:
        con.execute(f"ATTACH '{out}/candidate.duckdb' AS candidate (STORAGE_VERSION 'latest')")
        con.execute(f"CREATE TABLE candidate.adults AS FROM read_csv('{path}', delim = ';')")
        con.execute("CHECKPOINT candidate")
        for name, (parameters, number) in asked.items():
            with whole, Clock() as clock:
                measured = measure(con, (Promise(parameters, "bench"),), adults_, {}, datetime.now(UTC))[0]
            parts[name], found[name] = clock.wall, measured.finding.numbers[number]
            found["classes"] = measured.finding.numbers["classes"]
    return {**whole.taken(), "parts": parts, "found": found}
