"""Statistics without noise: counted, cells that would tell of few people left out, and compared with what was told.

    count every cell, people and the largest of them ─► which cells are not told ─► write the others as they are

Beside the answers the version keeps, encrypted, how many people each told cell has, and the answers of earlier versions
that were delivered: what two of them tell together is measured (`apart[version]`), and the gate waits by it.

Belongs here: `privacy: plain` of the stage `statistics`. Does not belong here: which cells are not told
(`techniques/aggregate/_suppression.py`), differential privacy (`s6_statistics.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from privacy_assets.contracts.promises import CELLS, SUMS
from privacy_assets.contracts.purpose import PlainNumbers
from privacy_assets.errors import NotKept
from privacy_assets.stages.step import DATA, Work
from privacy_assets.techniques.aggregate._tables import Tables
from privacy_assets.warehouse.connections import engine_errors, governed

SUPPRESSION = "privacy_assets.techniques.aggregate._suppression"
"""By name: it brings libraries that only a run should pay for."""

TOLD = "candidate.main.told"
RELEASES = "candidate.main.releases"
MEASURES = "candidate.main.measures"

CELLS_TOLD = "cells_told"
"""What is measured of every version that is made here. One under differential privacy has no such figure."""

_TOLD: dict[str, Any] = {
    "query": pl.String,
    "cell": pl.String,
    "measure": pl.String,
    "value": pl.Float64,
    "people": pl.Int64,
}
_RELEASED: dict[str, Any] = {"version": pl.String, "own": pl.Boolean, **_TOLD}


@dataclass(frozen=True, slots=True)
class Counted:
    """What one cell holds; `amounts` are (sum, most, top, all) of each amount (`Tables.statement`)."""

    rows: int = 0
    people: int = 0
    most: int = 0
    top: int = 0
    amounts: tuple[tuple[int, ...], ...] = ()


def write(work: Work, tables: Tables, asked: PlainNumbers, query: str) -> None:
    """Fill the candidate; raises NotKept where no cell can be told."""
    with engine_errors("counting"):
        found = work.con.execute(query).fetchall()
    cells = counted(found, tables)
    out, seen = suppressed(tables, asked, cells)
    if all(out[told.place] for told in tables.told):
        raise NotKept.of(
            "no cell of the statistics can be told",
            expected=f"cells with at least {asked.at_least_subjects} people, of whom the "
            f"{asked.dominance.largest} with most have at most {asked.dominance.share_at_most:g} of it",
            found=f"at most {max((cells[told.place].people for told in tables.told), default=0)} people in a cell",
            next_step="ask for fewer or coarser groups, or for the statistics under differential privacy",
        )
    answers, told = [], []
    for one in tables.told:
        plain, cell = tables.queries[one.query], cells[one.place]
        amount = cell.amounts[list(tables.amounts).index(plain.amount_name)][0] if plain.amount is not None else 0
        hidden = out[one.place]
        for measure, value in plain.tell(max(cell.rows, 1), amount).items():  # nobody is in some that are not told
            answers.append((one.query, one.label, measure, None if hidden else value, hidden))
            if not hidden:
                told.append((one.query, one.label, measure, value, cell.people))
    schema = {
        "query": pl.String,
        "cell": pl.String,
        "measure": pl.String,
        "value": pl.Float64,
        "suppressed": pl.Boolean,
    }
    now = pl.DataFrame(told, schema=_TOLD, orient="row")
    earlier = _earlier(work)
    measures = {
        CELLS_TOLD: float(sum(not out[told.place] for told in tables.told)),
        "cells_suppressed": float(sum(out[told.place] for told in tables.told)),
        **_apart(tables, now, earlier),
    }
    with engine_errors("writing the answers"):
        _keep(work, DATA, pl.DataFrame(answers, schema=schema, orient="row"))
        _keep(work, TOLD, now)
        _keep(work, RELEASES, earlier)
        _keep(work, MEASURES, pl.DataFrame({"name": list(measures), "value": list(measures.values())}))
        _keep(work, f"main.{CELLS}", seen)
        sums = [(at, whole, part) for at, (whole, parts) in enumerate(tables.sums) for part in parts]
        kinds = dict.fromkeys(("sum", "whole", "part"), pl.Int64)
        _keep(work, f"main.{SUMS}", pl.DataFrame(sums, schema=kinds, orient="row"))


def counted(found: Sequence[tuple[Any, ...]], tables: Tables) -> Sequence[Counted]:
    """What each cell holds, from the rows of `Tables.statement`."""
    cells = [Counted(amounts=((0, 0, 0, 0),) * len(tables.amounts))] * tables.size
    for names, labels, rows, people, most, top, *amounts in found:
        each = [tuple(map(int, amounts[at : at + 4])) for at in range(0, len(amounts), 4)]
        cells[tables.places[tuple(names), tuple(labels)]] = Counted(int(rows), people, int(most), int(top), tuple(each))
    return cells


def _keep(work: Work, table: str, frame: pl.DataFrame) -> None:
    work.con.register("answered", frame.to_arrow())
    work.con.execute(f"CREATE TABLE {table} AS SELECT * FROM answered")
    work.con.unregister("answered")


def suppressed(tables: Tables, asked: PlainNumbers, cells: Sequence[Counted]) -> tuple[Sequence[bool], pl.DataFrame]:
    """Which cells are not told; and every cell as a reader without these sees it, for the measure of it."""
    import numpy as np

    from privacy_assets.techniques.aggregate._suppression import Measured, untold

    k, rule = asked.at_least_subjects, asked.dominance
    people = np.array([cell.people for cell in cells])
    places = list(tables.places)

    def measured(queries: Sequence[str], exact: Any, most: Any, dominated: Any, need: Any, unknown: str | None) -> Any:
        would = np.zeros(len(cells), dtype=bool)
        would[[told.place for told in tables.told if told.query in queries]] = True
        sets = {places[place][0] for place in np.flatnonzero(would)}
        never = np.array([names in sets for names, _ in places]) & ~would
        nothing = people == 0
        if unknown is not None:
            nothing |= np.array([dict(zip(*key, strict=True)).get(unknown, "") is None for key in places])
        few = (people < k) | dominated
        return Measured(
            exact=exact.astype(float),
            asked=would,
            primary=(would & few) | (never & ~nothing & (people < k)),
            fixed=never & nothing,
            need=np.maximum(need, 1).astype(float),
            whole=unknown is None,
            negative=any(tables.queries[query].bounds[0] < 0 for query in queries),
        )

    rows, most, top = (np.array([getattr(cell, name) for cell in cells]) for name in ("rows", "most", "top"))
    of_rows = [query for query, plain in tables.queries.items() if plain.counts]
    each = [measured(of_rows, rows, most, top > rule.share_at_most * rows, k * np.maximum(most, 1), None)]
    for at, name in enumerate(tables.amounts):
        sums, largest, first, all_of = np.array([cell.amounts[at] for cell in cells], dtype=float).T
        queries = [query for query, plain in tables.queries.items() if plain.amount_name == name]
        plain = tables.queries[queries[0]]
        # a sum that only everybody at a bound can make tells the number of each
        dominated = (
            (first > rule.share_at_most * all_of) | (sums == plain.bounds[0] * rows) | (sums == plain.bounds[1] * rows)
        )
        each.append(measured(queries, sums, largest, dominated, largest, plain.axes[-1].name))
    each = [one for one in each if one.asked.any()]
    out = untold(tables.sums, each)
    seen = [
        pl.DataFrame(
            {
                "measure": np.full(len(cells), at),
                "place": np.arange(len(cells)),
                "told": pl.Series(one.exact).set(pl.Series(~(one.fixed | (one.asked & ~out))), None),
                "exact": one.exact,
                "need": pl.Series(one.need).set(pl.Series(~one.primary), None),
                "negative": np.full(len(cells), one.negative),
            }
        )
        for at, one in enumerate(each)
    ]
    return out.tolist(), pl.concat(seen)


def _earlier(work: Work) -> pl.DataFrame:
    """What the version before this one told, and those that were delivered before that.

    The version before is among them whether it was delivered or not: it can be while this one is being made. So are
    those that other purposes delivered about the same people to the same recipients, and their last ones.
    """
    gate = work.gate
    found = [pl.DataFrame(schema=_RELEASED)]
    for asset in gate.compared(work.asset):
        before = gate.latest(asset)
        if before is None or not gate.is_sound(before) or CELLS_TOLD not in before.measures:
            continue
        delivered = set(gate.delivered(asset))
        with (
            governed(gate.home.spill, inputs={"before": gate.attachment(before)}, candidate=None) as con,
            engine_errors("reading what was told before"),
        ):
            held, told = (
                pl.DataFrame(pl.from_arrow(con.execute(f"FROM before.main.{name}").to_arrow_table()))
                for name in ("releases", "told")
            )
        told = told.with_columns(pl.lit(before.version).alias("version"))
        for each in (held.filter(pl.col("version").is_in(delivered)), told):
            own = pl.lit(asset == work.asset).alias("own")
            found.append(each.with_columns(own).select(pl.col(name).cast(kind) for name, kind in _RELEASED.items()))
    return pl.concat(found)


def _apart(tables: Tables, now: pl.DataFrame, earlier: pl.DataFrame) -> Mapping[str, float]:
    """Of each earlier version, how few people the smallest change is of that both together tell; 0 where none.

    A cell that both tell, and whose number is another, has some people more or less: at least one. So has what is left
    of a cell that both tell when those parts of it are taken off that both tell. Of another purpose the counts of the
    same groups are compared, whatever its queries are called.
    """
    found = {}
    for (version, own), table in earlier.group_by("version", "own", maintain_order=True):
        if own:
            both = table.join(now, on=["query", "cell", "measure"], suffix="_now")
        else:
            counts = table.filter(pl.col("measure") == "count").drop("query").unique(maintain_order=True)
            both = now.rename({"value": "value_now", "people": "people_now"}).join(counts, on=["cell", "measure"])
        people = (pl.col("people_now") - pl.col("people")).abs()
        changed = both.filter((pl.col("value_now") != pl.col("value")) | (people > 0))
        smallest = changed.select(pl.max_horizontal(people, pl.lit(1))).to_series().to_list()
        found[f"apart[{version}]"] = float(min([*smallest, *_rests(tables, both)], default=0))
    return found


def _rests(tables: Tables, both: pl.DataFrame) -> list[int]:
    """By how many rows what is left of a cell differs, without the parts that both versions tell."""
    moved: dict[int, int] = {}
    places = {(told.query, told.label): told.place for told in tables.told}
    for query, cell, measure, value, value_now in both.select("query", "cell", "measure", "value", "value_now").rows():
        if measure == "count" and (query, cell) in places:
            moved[places[query, cell]] = round(value_now - value)
    rests = [moved[whole] - sum(moved.get(part, 0) for part in parts) for whole, parts in tables.sums if whole in moved]
    return [abs(rest) for rest in rests if rest]
