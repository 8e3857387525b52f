"""Statistics without noise: counted, cells that would tell of few people left out, and compared with what was told.

    count every cell, people and the largest of them ─► which cells are not told ─► write the others as they are

Beside the answers the version keeps, encrypted, what every cell holds and which are told, and the same of earlier
versions that were delivered. A cell that one of them told is taken for known where it is searched for what must not be
told; what two versions tell together is measured (`apart[version]`), and the gate waits by it.

Belongs here: `privacy: plain` of the stage `statistics`. Does not belong here: which cells are not told
(`techniques/aggregate/_suppression.py`), differential privacy (`s7_statistics.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from privacy_assets.contracts.promises import CELLS, SUMS
from privacy_assets.contracts.purpose import PlainNumbers
from privacy_assets.errors import NotKept
from privacy_assets.stages.step import DATA, Work
from privacy_assets.techniques.aggregate._grouped import Plain, known
from privacy_assets.techniques.aggregate._tables import MOST_CELLS, Tables
from privacy_assets.warehouse.connections import engine_errors, governed

SUPPRESSION = "privacy_assets.techniques.aggregate._suppression"
"""By name: it brings libraries that only a run should pay for."""

HELD = "candidate.main.held"
RELEASES = "candidate.main.releases"
MEASURES = "candidate.main.measures"

CELLS_TOLD = "cells_told"
"""What is measured of every version that is made here. One under differential privacy has no such figure."""

ROWS = "rows"
"""What is measured where rows are counted; an amount has a name of its own."""

_HELD: dict[str, Any] = {
    "measure": pl.String,
    "names": pl.List(pl.String),
    "labels": pl.List(pl.String),
    "asked": pl.Boolean,
    "told": pl.Boolean,
    "value": pl.Float64,
    "people": pl.Int64,
}
_RELEASED: dict[str, Any] = {"version": pl.String, "own": pl.Boolean, **_HELD}


@dataclass(frozen=True, slots=True)
class Counted:
    """What one cell holds; `amounts` are (sum, most, top, all, apart) of each amount (`Tables.statement`)."""

    rows: int = 0
    people: int = 0
    most: int = 0
    top: int = 0
    amounts: tuple[tuple[int, ...], ...] = ()


def write(work: Work, queries: Mapping[str, Plain], asked: PlainNumbers, subject: str) -> None:
    """Fill the candidate; raises NotKept where no cell can be told."""
    earlier = _earlier(work)
    tables = Tables(queries, _axes_of(Tables(queries), earlier))
    if tables.size > MOST_CELLS:
        raise NotKept.of(
            "with what was delivered before there are too many cells to search for those that cannot be told",
            expected=f"at most {MOST_CELLS:,}",
            found=f"{tables.size:,}",
            next_step="ask for the groups of before, or for fewer",
        )
    with engine_errors("counting"):
        query = tables.statement(subject, asked.dominance.largest).sql(dialect="duckdb")
        found = work.con.execute(query).fetchall()
    cells = counted(found, tables)
    measured = measures_of(tables, asked, cells, earlier)
    out, bare = _suppression().untold(tables.sums, list(measured.values()))
    if all(out[told.place] for told in tables.told):
        raise NotKept.of(
            "no cell of the statistics can be told",
            expected=f"cells with at least {asked.at_least_subjects} people, of whom the "
            f"{asked.dominance.largest} with most have at most {asked.dominance.share_at_most:g} of it",
            found=f"at most {max((cells[told.place].people for told in tables.told), default=0)} people in a cell",
            next_step="ask for fewer or coarser groups, or for the statistics under differential privacy",
        )
    answers = []
    for one in tables.told:
        plain, cell, hidden = tables.queries[one.query], cells[one.place], bool(out[one.place])
        amount = cell.amounts[list(tables.amounts).index(plain.amount_name)][0] if plain.amount is not None else 0
        for measure, value in plain.tell(max(cell.rows, 1), amount).items():  # nobody is in some that are not told
            answers.append((one.query, one.label, measure, None if hidden else value, hidden))
    kinds = dict.fromkeys(("query", "cell", "measure"), pl.String) | {"value": pl.Float64, "suppressed": pl.Boolean}
    held = _held(tables, cells, measured, out)
    told = {one.place for one in tables.told if not out[one.place]}
    figures = {
        CELLS_TOLD: float(len(told)),
        "cells_suppressed": float(len({one.place for one in tables.told}) - len(told)),
        **_apart(tables, held, earlier, min((cells[at].people for at in bare.nonzero()[0]), default=None)),
    }
    with engine_errors("writing the answers"):
        _keep(work, DATA, pl.DataFrame(answers, schema=kinds, orient="row"))
        _keep(work, HELD, held)
        _keep(work, RELEASES, earlier)
        _keep(work, MEASURES, pl.DataFrame({"name": list(figures), "value": list(figures.values())}))
        _keep(work, f"main.{CELLS}", _seen(measured, out))
        sums = [(at, whole, part) for at, (whole, parts) in enumerate(tables.sums) for part in parts]
        places = dict.fromkeys(("sum", "whole", "part"), pl.Int64)
        _keep(work, f"main.{SUMS}", pl.DataFrame(sums, schema=places, orient="row"))


def counted(found: Sequence[tuple[Any, ...]], tables: Tables) -> Sequence[Counted]:
    """What each cell holds, from the rows of `Tables.statement`."""
    cells = [Counted(amounts=((0,) * 5,) * len(tables.amounts))] * tables.size
    for names, labels, rows, people, most, top, *amounts in found:
        each = [tuple(map(int, amounts[at : at + 5])) for at in range(0, len(amounts), 5)]
        cells[tables.places[tuple(names), tuple(labels)]] = Counted(int(rows), people, int(most), int(top), tuple(each))
    return cells


def _keep(work: Work, table: str, frame: pl.DataFrame) -> None:
    work.con.register("answered", frame.to_arrow())
    work.con.execute(f"CREATE TABLE {table} AS SELECT * FROM answered")
    work.con.unregister("answered")


def _suppression() -> Any:
    from privacy_assets.techniques.aggregate import _suppression

    return _suppression


def measures_of(
    tables: Tables, asked: PlainNumbers, cells: Sequence[Counted], earlier: pl.DataFrame
) -> Mapping[str, Any]:
    """Rows and each amount of all cells, with what has to be protected, and what `earlier` releases told of them."""
    import numpy as np

    before = _told_before(tables, earlier)
    were_asked = {
        (measure, tuple(names)) for measure, names in earlier.filter("asked").select("measure", "names").rows()
    }

    k, rule = asked.at_least_subjects, asked.dominance
    people = np.array([cell.people for cell in cells])
    places = list(tables.places)

    def measured(name: str, queries: Sequence[str], exact: Any, dominated: Any, need: Any, unknown: str | None) -> Any:
        would, known = np.zeros((2, len(cells)), dtype=bool)
        would[[told.place for told in tables.told if told.query in queries]] = True
        known[list(before.get(name, ()))] = True
        # what was asked for before is protected as what would be told now
        sets = {places[place][0] for place in np.flatnonzero(would)}
        sets |= {names for names in tables.sets if (name, names) in were_asked}
        never = np.array([names in sets for names, _ in places]) & ~would
        nothing = np.array([None in labels for _, labels in places]) & (people == 0)
        if unknown is not None:
            nothing |= np.array([dict(zip(*key, strict=True)).get(unknown, "") is None for key in places])
        few = (people < k) | dominated
        return _suppression().Measured(
            exact=exact.astype(float),
            asked=would,
            primary=few & (would | (never & ~nothing)),
            fixed=never & nothing,
            before=known,
            need=np.maximum(need, 1).astype(float),
            whole=unknown is None,
            negative=any(tables.queries[query].bounds[0] < 0 for query in queries),
        )

    rows, most, top = (np.array([getattr(cell, name) for cell in cells]) for name in ("rows", "most", "top"))
    of_rows = [query for query, plain in tables.queries.items() if plain.counts]
    dominated = top > rule.share_at_most * rows
    found = {ROWS: measured(ROWS, of_rows, rows, dominated, k * np.maximum(most, 1), None)}
    for at, (name, plain) in enumerate(tables.adding.items()):
        sums, largest, first, all_of, apart = np.array([cell.amounts[at] for cell in cells], dtype=float).T
        queries = [query for query, other in tables.queries.items() if other.amount_name == name]
        dominated = (first > rule.share_at_most * all_of) | (apart < k)
        need = np.maximum(largest, plain.bounds[1] - plain.bounds[0])
        found[name] = measured(name, queries, sums, dominated, need, plain.axes[-1].name)
    return {name: one for name, one in found.items() if one.asked.any()}


def _seen(measured: Mapping[str, Any], out: Any) -> pl.DataFrame:
    """Every cell as a reader sees it, for the measure of it."""
    import numpy as np

    return pl.concat(
        pl.DataFrame(
            {
                "measure": np.full(len(out), at),
                "place": np.arange(len(out)),
                "told": pl.Series(one.exact).set(pl.Series(~(one.fixed | (one.asked & ~out))), None),
                "exact": one.exact,
                "need": pl.Series(one.need).set(pl.Series(~one.primary), None),
                "negative": np.full(len(out), one.negative),
            }
        )
        for at, one in enumerate(measured.values())
    )


def _held(tables: Tables, cells: Sequence[Counted], measured: Mapping[str, Any], out: Any) -> pl.DataFrame:
    """What every cell holds, for later versions to compare with."""
    rows = [
        (
            name,
            list(names),
            list(labels),
            bool(one.asked[at]),
            bool(one.asked[at] and not out[at]),
            float(one.exact[at]),
            cells[at].people,
        )
        for name, one in measured.items()
        for at, (names, labels) in enumerate(tables.places)
    ]
    return pl.DataFrame(rows, schema=_HELD, orient="row")


def _earlier(work: Work) -> pl.DataFrame:
    """What the version before this one held, and those that were delivered before that.

    The version before is among them whether it was delivered or not: it can be while this one is being made. So are
    those that other purposes delivered about the same people to the same recipients, and their last ones.
    """
    gate = work.gate
    found = [pl.DataFrame(schema=_RELEASED)]
    for asset in gate.compared(work.asset):
        exact = [one for one in gate.history(asset) if CELLS_TOLD in one.measures and gate.is_sound(one)]
        if not exact:
            continue
        before, delivered = exact[-1], set(gate.delivered(asset))
        with (
            governed(gate.home.spill, inputs={"before": gate.attachment(before)}, candidate=None) as con,
            engine_errors("reading what was told before"),
        ):
            released, held = (
                pl.DataFrame(pl.from_arrow(con.execute(f"FROM before.main.{name}").to_arrow_table()))
                for name in ("releases", "held")
            )
        held = held.with_columns(pl.lit(before.version).alias("version"))
        for each in (released.filter(pl.col("version").is_in(delivered)), held):
            own = pl.lit(asset == work.asset).alias("own")
            found.append(each.with_columns(own).select(*_RELEASED).cast(_RELEASED))  # type: ignore[arg-type]
    return pl.concat(found)


def _axes_of(tables: Tables, earlier: pl.DataFrame) -> frozenset[tuple[str, ...]]:
    """The axes of tables that were asked for before, of those that there are here."""
    asked = earlier.filter(pl.col("asked"))["names"].unique().to_list()
    return frozenset(tuple(name for name in names if name in tables.axes) for names in asked)


def _told_before(tables: Tables, earlier: pl.DataFrame) -> Mapping[str, Collection[int]]:
    """Of each measure the cells that an earlier release told, or parts of which it told by axes that are not here."""
    found: dict[str, set[int]] = {}
    for measure, names, labels in earlier.filter(pl.col("told")).select("measure", "names", "labels").rows():
        here = [(name, label) for name, label in zip(names, labels, strict=True) if name in tables.axes]
        key = tuple(name for name, _ in here), tuple(label for _, label in here)
        if key in tables.places:
            found.setdefault(measure, set()).add(tables.places[key])
    return found


def _apart(tables: Tables, now: pl.DataFrame, earlier: pl.DataFrame, bare: int | None) -> Mapping[str, float]:
    """Of each earlier version, how few people both together tell something of; 0 where there is nobody.

    A cell that both tell, and whose number is another, has some people more or less: at least one. So has what is left
    of a cell that both tell when those parts of it are taken off that both tell. `bare` are the people of the smallest
    cell that is only hidden from who does not know what was told before. Where a column was looked at in another way,
    or is looked at no more, the two can be subtracted. Of another purpose, whose rows may be of something else, people
    are compared alone.
    """
    found = {}
    here = {
        (measure, *_key(names, labels)): (told, value, people)
        for measure, names, labels, _, told, value, people in now.rows()
    }
    for (version, own), table in earlier.group_by("version", "own", maintain_order=True):
        sizes = [] if bare is None else [max(bare, 1)]
        if own and not _looked_at_alike(tables, table):
            sizes.append(1)
        moved: dict[str, dict[int, tuple[float, int, bool]]] = {}
        for measure, names, labels, _, told, value, people in table.select(*_HELD).rows():
            key = (measure, *_key(names, labels))
            if key in here:
                told_now, value_now, people_now = here[key]
                change = (value_now - value) if own else 0.0
                place = tables.places[_key(names, labels)]
                moved.setdefault(measure, {})[place] = (change, people_now - people, told and told_now)
        for places in moved.values():
            sizes += _changes(tables, places)
        found[f"apart[{version}]"] = float(min(sizes, default=0))
    return found


def _key(names: Sequence[str], labels: Sequence[str | None]) -> tuple[tuple[str, ...], tuple[str | None, ...]]:
    return tuple(names), tuple(labels)


def _changes(tables: Tables, moved: Mapping[int, tuple[float, int, bool]]) -> Iterator[int]:
    """How many people more or less each cell has that both tell, and what is left of it without parts that both tell.

    `moved` are change of the number, change of people, and whether both tell it, by the place of the cell.
    """
    for value, people, both in moved.values():
        if both and (value or people):
            yield max(abs(people), 1)
    for whole, parts in tables.sums:
        if whole not in moved or not moved[whole][2] or not all(part in moved for part in parts):
            continue
        rest = [moved[part] for part in parts if not moved[part][2]]
        if rest and (any(people for _, people, _ in rest) or any(value for value, *_ in rest)):
            yield max(abs(sum(people for _, people, _ in rest)), 1)


def _looked_at_alike(tables: Tables, earlier: pl.DataFrame) -> bool:
    """Whether all groups of before are groups of today, each parted or bounded in the same way.

    Those that are asked for no more are not counted any more: what is told now of theirs cannot be searched.
    """
    for names, labels in earlier.select("names", "labels").unique().rows():
        for name, label in zip(names, labels, strict=True):
            if name not in tables.axes:
                return False
            if label is not None and label not in tables.axes[name].labels:
                return False
            if known(name) in tables.axes:  # it was parted, and is added up now
                return False
            if name.endswith(known("")) and name.removesuffix(known("")) in tables.axes:
                return False
    bounds = {name.split(" in [")[0]: name for name in tables.amounts}
    return all(bounds.get(name.split(" in [")[0], name) == name for name in earlier["measure"].unique() if name != ROWS)
