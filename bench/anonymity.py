"""Anonymity: what it costs to measure it, beside another program that measures the same.

Belongs here: one part a question (`checks`), on one table of people that all parts share (`adults`). The table is Adult
as the ARX project has it (30,162 rows, eight quasi-identifiers, `salary-class`) where it is among the test data (the
folder that PRIVACY_ASSETS_TEST_DATA names, `shared/data` beside the repository by default); else people are
invented whose columns have as many different values. Larger tables repeat its rows: drawn with replacement, the age
moved by at most so many years, seed 7: the wider, the more classes, which the other program takes one by one. That
program is measured where PRIVACY_ASSETS_PEERS names a Python that has it (pip install pycanon); it is no dependency.
"""

from __future__ import annotations

import json
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
    return [checks(run)]


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
