"""Counts and means by group under differential privacy: ours beside the bare statement, and beside opendp.polars.

`opendp.polars` is measured where PRIVACY_ASSETS_PEERS names a Python that has it (pip install 'opendp[polars]'). All
three bound people to the same number of rows, clamp, group and answer the same; the floor draws no noise.
"""

from __future__ import annotations

import json
from typing import Any

from bench.measuring import Clock, Row, Run, Table, compared, in_turn, memory, peer, python_with, scratch

WARDS = [f"w{number:02}" for number in range(16)]
ROWS_OF_A_PERSON, KEPT, HIGH, EPSILON = 50, 5, 60, 1.0
DRAWS = 2_000


def rows(run: Run) -> list[Table]:
    """The one table of this theme."""
    table = Table("Statistics")
    for size in sorted({max(1, run.rows // 10), run.rows}):
        table.rows += _at(run, size)
    error = in_turn(1, ("bench.aggregates:error", {}))[0]
    table.rows.append(
        Row(
            f"mean absolute error of a count, of {DRAWS * len(WARDS):,}, beside theory",
            f"{error['ours']:.2f}",
            f"{error['theory']:.2f}",
            f"{error['ours'] / error['theory']:.3f}",
            "≤ 1.1",
            error["ours"] / error["theory"] <= 1.1,
        )
    )
    table.notes.append(
        f"People with 1 to {ROWS_OF_A_PERSON} rows, of whom {KEPT} count; ε {EPSILON:g}, half for counts and half for "
        f"sums; {len(WARDS)} groups. The floor is the same statement by hand: ARG_MIN by person, then one GROUP BY. "
        "Libraries are imported before either clock starts."
    )
    return [table]


def _at(run: Run, size: int) -> list[Row]:
    with scratch(run, f"aggregates_{size}") as folder:
        made = in_turn(1, ("bench.aggregates:make", {"folder": str(folder), "rows": size}))[0]
        where = {"folder": str(folder)}
        ours, floor = in_turn(run.times, ("bench.aggregates:ours", where), ("bench.aggregates:floor", where))
        what = f"count and mean by ward, {made['rows']:,} rows of {made['people']:,} people"
        found = [
            compared(what, ours["wall"], floor["wall"], at_most=3),
            compared("the same, CPU seconds", ours["cpu"], floor["cpu"]),
            memory("the same, peak of memory", ours["peak"], floor_mib=floor["peak"]),
        ]
        if python := python_with("opendp"):
            asked = folder / "asked.json"
            asked.write_text(json.dumps({"file": str(folder / "visits.parquet"), "wards": WARDS, "times": run.times}))
            taken = peer(python, "opendp_polars", asked)
            found.append(compared(f"the same beside {taken['name']}", ours["wall"], taken["wall"], at_least=10))
        return found


def make(folder: str, rows: int) -> dict[str, Any]:
    """The visits, as a table of the engine and as Parquet."""
    import duckdb

    # the number of rows of a person is evenly 1 to 50, so people are as many as that makes
    people = max(1, round(rows / ((ROWS_OF_A_PERSON + 1) / 2)))
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{folder}/visits.duckdb' AS made (STORAGE_VERSION 'latest')")
        con.execute(
            f"""CREATE TABLE made.visits AS
                SELECT p * 64 + j AS visit, CAST(md5(CAST(p AS VARCHAR)) AS UUID) AS person,
                       'w' || lpad(CAST(hash(p * 64 + j) % {len(WARDS)} AS VARCHAR), 2, '0') AS ward,
                       CAST(hash(p * 64 + j + 1) % 90 AS SMALLINT) AS days
                FROM range({people}) AS t(p), range({ROWS_OF_A_PERSON}) AS u(j)
                WHERE j <= hash(p) % {ROWS_OF_A_PERSON} ORDER BY hash(p * 64 + j)"""
        )
        con.execute(
            f"""COPY (SELECT CAST(person AS VARCHAR) AS person, ward, CAST(days AS BIGINT) AS days FROM made.visits)
                TO '{folder}/visits.parquet'"""
        )
        (made,) = con.execute("SELECT count(*) FROM made.visits").fetchall()[0]
    return {"rows": made, "people": people}


def ours(folder: str) -> dict[str, Any]:
    """The statement, the plan, the noise and the answers, as the stage makes them."""
    import duckdb

    from privacy_assets.techniques.aggregate import AGGREGATE, _planning
    from privacy_assets.techniques.noise import Measure, additive
    from privacy_assets.words import Column

    additive(Measure.PURE, 1, 1.0)  # imports OpenDP
    columns = {
        "visit": Column("visit", "BIGINT"),
        "ward": Column("ward", "VARCHAR", domain=tuple(WARDS)),
        "days": Column("days", "SMALLINT"),
    }
    module = AGGREGATE["mean"]
    query = module.Parameters(kind="mean", column="days", low=0, high=HIGH, by=("ward",))
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{folder}/visits.duckdb' AS made (READ_ONLY)")
        con.execute("CREATE VIEW features AS SELECT * FROM made.visits")
        with Clock() as clock:
            sql = _planning.statement({"stay": query}, columns, subject="person", key=("visit",), rows=KEPT)
            counted = con.execute(sql.sql(dialect="duckdb")).fetchall()
            exact = {cell: found for _, cell, *found in counted}
            plan = _planning.planned({"stay": query}, epsilon=EPSILON, delta=0.0, rows=KEPT)
            answers = list(module.answer(query, columns, exact, plan.mechanisms["stay"]))
    assert len(answers) == 2 * len(WARDS)
    return clock.taken()


def floor(folder: str) -> dict[str, Any]:
    """The same bounding, clamping and grouping by hand, without noise."""
    import duckdb

    with duckdb.connect() as con:
        con.execute(f"ATTACH '{folder}/visits.duckdb' AS made (READ_ONLY)")
        with Clock() as clock:
            found = con.execute(
                f"""SELECT k.ward, count(*), avg(least(greatest(k.days, 0), {HIGH}))
                    FROM (SELECT unnest(r) AS k FROM (
                        SELECT arg_min({{'ward': ward, 'days': days}}, hash(visit), {KEPT}) AS r
                        FROM made.visits GROUP BY person))
                    GROUP BY k.ward"""
            ).fetchall()
    assert len(found) == len(WARDS)
    return clock.taken()


def error() -> dict[str, Any]:
    """How far counts are off, and how far noise of the textbook's scale would be: rows a person / (ε / 2)."""
    from privacy_assets.techniques.noise import Measure, additive

    noise = additive(Measure.PURE, KEPT, EPSILON / 2)
    off = [abs(count) for _ in range(DRAWS) for count in noise.add([0] * len(WARDS))]
    return {"ours": sum(off) / len(off), "theory": KEPT / (EPSILON / 2)}
