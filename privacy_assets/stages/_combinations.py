"""What is counted of the features before anything is generalized: each combination of quasi-identifiers once.

Belongs here: counting, and the table that a search through generalizations is given; for the stage that publishes and
for the frontier that only compares. Does not belong here: which generalization is taken (`s5_anonymized.py`,
`frontier.py`), what a search does with the table (`techniques/anonymize/_tuples.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import polars as pl

from privacy_assets.contracts import anonymity
from privacy_assets.contracts.purpose import Anonymized, Purpose
from privacy_assets.techniques.criteria import CRITERIA
from privacy_assets.techniques.hierarchies import HIERARCHIES
from privacy_assets.warehouse.connections import quoted
from privacy_assets.words import Column


class Known:
    """What is counted of the features: each combination of quasi-identifiers once, in their order."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        generalized: Sequence[Column],
        of_values: Sequence[str],
        member: str | None,
        subject: str,
    ) -> None:
        self.columns = tuple(generalized)
        self.member = member
        self.names = [column.name for column in generalized]
        of_them = ", ".join(map(quoted, self.names))
        inside = f"coalesce({quoted(member)}, false)" if member else "true"
        counts = f"count_if({inside})::BIGINT AS _rows, count(*) AS _everyone"
        self.frame = self._ask(con, f"SELECT {of_them}, {counts} FROM features GROUP BY ALL ORDER BY ALL")
        self.frame = self.frame.with_row_index("_tuple")
        self.values = {
            name: self._joined(
                self._ask(
                    con,
                    f"SELECT {of_them}, {_as_value(con, name)} AS _value, count_if({inside})::BIGINT AS _rows "
                    f"FROM features GROUP BY ALL HAVING _rows > 0 ORDER BY ALL",
                )
            )
            for name in of_values
        }
        several = f"SELECT count(*), count(DISTINCT {quoted(subject)}) FROM features WHERE {inside}"
        rows, people = con.execute(several).fetchone() or (0, 0)
        self.people = None
        if rows != people:
            self.people = self._joined(
                self._ask(
                    con,
                    f"SELECT {of_them}, dense_rank() OVER (ORDER BY {quoted(subject)}) - 1 AS _person FROM features "
                    f"WHERE {inside} AND {quoted(subject)} IS NOT NULL GROUP BY {of_them}, {quoted(subject)}",
                )
            )

    @staticmethod
    def _ask(con: duckdb.DuckDBPyConnection, sql: str) -> pl.DataFrame:
        return pl.DataFrame(pl.from_arrow(con.execute(sql).to_arrow_table()))

    def _joined(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with the number of each row's combination."""
        keys = self.frame.select("_tuple", *self.names)
        return frame.join(keys, on=self.names, how="left", nulls_equal=True).drop(self.names).sort(pl.all())

    def recoded(self, recoding: Any) -> pl.DataFrame:
        """Each combination, what becomes of it, and its class."""
        leaves = [self.frame[name].rename(f"leaf_{at}") for at, name in enumerate(self.names)]
        cells = [cell.rename(f"cell_{at}") for at, cell in enumerate(recoding.cells)]
        return pl.DataFrame([*leaves, *cells, pl.Series("class", recoding.classes)])


def _as_value(con: duckdb.DuckDBPyConnection, name: str) -> str:
    """A sensitive column as its values are told apart: true/false as text, as an order or hierarchy writes them."""
    kinds = {column: kind for column, kind, *_ in con.execute("DESCRIBE features").fetchall()}
    return f"CAST({quoted(name)} AS VARCHAR)" if kinds[name] == "BOOLEAN" else quoted(name)


def tuples_of(
    purpose: Purpose, asked: Anonymized, criteria: Sequence[Any], known: Known
) -> tuple[Any, list[tuple[str, str | None, list[str | None]]]]:
    """The table as a search sees it, and of each hierarchy that is read off the data (column, value, its labels)."""
    from privacy_assets.techniques.anonymize._tuples import Levels, Sensitive, Tuples

    columns, codes, learned = [], np.empty((known.frame.height, len(known.columns)), dtype=np.int64, order="F"), []
    for place, column in enumerate(known.columns):
        chosen = anonymity.hierarchy(purpose, column.name)
        found = known.frame[column.name]
        texts = found.cast(pl.String)
        leaves = _leaves(chosen, found)
        levels = HIERARCHIES[chosen.kind].levels(chosen, column, leaves)
        levels = [*(one for one in levels[:-1] if _may_be_told(column.name, one, criteria)), levels[-1]]
        if HIERARCHIES[chosen.kind].domain(chosen, column) is None:
            rows = zip(*(level.to_list() for level in levels), strict=True)
            learned += [(column.name, row[0], list(row)) for row in rows]
        if found.null_count():
            null = [pl.Series([None], dtype=pl.String)] * (len(levels) - 1) + [pl.Series(["*"])]
            levels = [level.append(more) for level, more in zip(map(pl.Series.clone, levels), null, strict=True)]
        numbers = None
        if leaves.dtype.is_numeric():
            numbers = leaves.cast(pl.Float64).to_numpy()
            numbers = np.append(numbers, np.nan) if found.null_count() else numbers
        weight = asked.weights.get(column.name, 1.0)
        columns.append(Levels.of(column.name, levels, weight, numbers))
        numbered = pl.DataFrame({"text": leaves.cast(pl.String), "code": np.arange(len(leaves))})
        coded = pl.DataFrame({"text": texts}).join(numbered, on="text", how="left", maintain_order="left")["code"]
        codes[:, place] = coded.fill_null(len(leaves)).to_numpy()
    sensitive = {}
    for name, frame in known.values.items():
        labels = frame["_value"].unique().sort(nulls_last=True)
        numbered = pl.DataFrame({"_value": labels, "_code": np.arange(len(labels))})
        held = frame.join(numbered, on="_value", how="left", nulls_equal=True, maintain_order="left")
        parts = _numbers(held, "_tuple"), _numbers(held, "_code"), _numbers(held, "_rows")
        sensitive[name] = Sensitive(*parts, tuple(labels.to_list()))
    people = None
    if known.people is not None:
        people = _numbers(known.people, "_tuple"), _numbers(known.people, "_person")
    return Tuples(
        tuple(columns),
        codes,
        _numbers(known.frame, "_rows"),
        _numbers(known.frame, "_everyone") if known.member else None,
        people,
        sensitive,
    ), learned


def _may_be_told(column: str, labels: pl.Series, criteria: Sequence[Any]) -> bool:
    """Whether every criterion that asks something of single values lets this level be published."""
    judges = [(one, getattr(CRITERIA[one.kind], "coarse_enough", None)) for one in criteria]
    return all(judge(one, column, labels) for one, judge in judges if judge is not None)


def _numbers(frame: pl.DataFrame, column: str) -> np.ndarray:
    return frame[column].cast(pl.Int64).to_numpy()


def leaves_of(purpose: Purpose, known: Known, place: int) -> pl.Series:
    """The values behind the levels of a column, in their order, with NULL at the end where somebody has it."""
    found = known.frame[known.names[place]]
    values = _leaves(anonymity.hierarchy(purpose, known.names[place]), found)
    return values.extend_constant(None, 1) if found.null_count() else values


def _leaves(chosen: Any, found: pl.Series) -> pl.Series:
    """The different values, in their order: of a public table all that it knows, then those that it does not."""
    values = found.drop_nulls().unique().sort()
    listed = getattr(chosen, "rows", ())
    if not listed:
        return values
    known = pl.Series(found.name, [row[0] for row in listed], dtype=pl.String)
    texts = values.cast(pl.String)
    return known.append(texts.filter(~texts.is_in(known.implode())))
