"""Several tables in the place of the features: they are read, people are drawn with their rows, and the purpose's SQL
makes features of them.

    real tables ─► people of `train`, as places ─► synthesize ─► tables of nobody, under new keys ─► features' SQL

The real tables are shown under names of their own (`real_<dataset>`): the SQL, which names datasets, finds nothing but
drawn ones. Tokens are UUIDs of version 8 and drawn keys are of version 4, so that no key is anybody's.

Belongs here: this way, and the lineage that it has. Does not belong here: how people are drawn
(`techniques/synthesize/`), which tables these are (`contracts/linked_tables.py`), what is done with the rows
(`s6_synthetic.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sqlglot import exp

from privacy_assets import coded
from privacy_assets.coded import Coded, Codes, Domain
from privacy_assets.contracts import synthesis
from privacy_assets.contracts.linked_tables import LinkedTable
from privacy_assets.contracts.loading import Project
from privacy_assets.contracts.purpose import Purpose, Synthetic
from privacy_assets.errors import EngineFailed, Fault, NotKept, Refused, raise_gathered
from privacy_assets.lineage.columns import Lineage, column_lineage
from privacy_assets.stages.step import View, Work
from privacy_assets.techniques.aggregate import _bounding
from privacy_assets.techniques.synthesize import SYNTHESIZE
from privacy_assets.techniques.synthesize._linked import Child, Linked
from privacy_assets.techniques.train import _splitting
from privacy_assets.warehouse.connections import engine_errors, quoted
from privacy_assets.words import AssetName, Column, Stage

REAL = "real_"
"""Begins what a pseudonymized table is called where it is learned from."""

PERSON = "_person"
DEALT = "_dealt"
TEMPORARY = "temp.main"

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Held:
    """The people of the tables: their tokens in order, whether each is learned from, and their rows."""

    tokens: pl.Series
    learned: Mask
    linked: Linked

    def named(self, tokens: pl.Series) -> Mask:
        """Whether each person is among these."""
        return self.tokens.is_in(tokens.implode()).to_numpy()


@dataclass(frozen=True, slots=True)
class Linking:
    """What one purpose's synthesizer of several tables reads and makes; `tables` are people's first."""

    project: Project
    purpose: Purpose
    asked: Synthetic
    tables: tuple[LinkedTable, ...]
    rows_per_person: int

    @classmethod
    def of(cls, project: Project, purpose: Purpose, asked: Synthetic) -> Linking | None:
        """None where the purpose's synthesizer sees the features alone."""
        tables = project.linked_tables(purpose.purpose)
        if not tables:
            return None
        assert asked.contribution is not None  # or it is no declaration
        return cls(project, purpose, asked, tables, asked.contribution.rows)

    @property
    def views(self) -> Mapping[str, View]:
        """The pseudonymized tables, by the names under which they are read."""
        return {
            f"{REAL}{table.dataset}": View(
                AssetName(Stage.PSEUDONYMIZED, self.purpose.purpose, table.dataset),
                table.read,
                self.project.contracts[table.dataset].deliveries is not None,
            )
            for table in self.tables
        }

    def lineage(self, leaves: Sequence[Column], made: Sequence[Column]) -> Lineage:
        """The features' own, seen through to the real tables: a cell is drawn where its sources were learned.

        What was learned of all columns together decides every cell, and which rows there are is decided by how many
        each person has, whom the split takes, and what the SQL does with them. The features decide whether rows stand.
        """
        expression = self.project.features(self.purpose.purpose).expression
        through = column_lineage(expression, {table.dataset: table.read for table in self.tables})
        direct = {
            column.name: frozenset((f"{REAL}{table}", name) for table, name in through.direct[column.name])
            for column in made
        }
        direct |= {column.name: frozenset() for column in leaves if column.name not in direct}
        together = {(f"{REAL}{table.dataset}", name, "group") for table in self.tables for name in table.read}
        chosen = {
            (f"{REAL}{table.dataset}", column.name, "filter")
            for table in self.tables
            for column in (table.subject, table.key)
            if column is not None
        }
        compared = {(_bounding.FEATURES, column.name, "filter") for column in made}
        compared |= {(_bounding.FEATURES, name, "filter") for name in _named(self.purpose)}
        always = frozenset(together | chosen | compared)
        own = {
            column.name: frozenset(
                (f"{REAL}{table}", name, kind) for table, name, kind in through.indirect[column.name]
            )
            for column in made
        }
        return Lineage(direct, {name: always | own.get(name, frozenset()) for name in direct})

    def read(self, work: Work) -> Held:
        """The tables' people with their rows. Raises Refused where the features were made of other versions of them,
        NotKept where somebody has two rows in the people's table."""
        self._require_alike(work)
        first, *others = self.tables
        frame = self._frame(work, first, None).sort(PERSON)
        tokens = frame[PERSON]
        if tokens.null_count() or tokens.n_unique() < len(tokens):
            raise NotKept.of(
                f"`{first.dataset}` does not have one row a person, so that nobody can be drawn",
                where=str(work.asset),
                expected="each person once",
                found=f"{len(tokens) - tokens.n_unique():,} more rows",
                next_step="look at the key of its contract",
            )
        places = pl.DataFrame({PERSON: tokens, "_place": np.arange(len(tokens), dtype=np.int32)})
        children = []
        for table in others:
            # who has no row among the people has none here: nobody is drawn without
            rows = self._frame(work, table, self.rows_per_person).join(
                places, on=PERSON, how="inner", maintain_order="left"
            )
            children.append(Child(coded.encode(rows, table.domains), rows["_place"].to_numpy().astype(np.int32)))
        people = coded.encode(frame, first.domains)
        return Held(tokens, frame[DEALT].to_numpy(), Linked(people, tuple(children)))

    def _require_alike(self, work: Work) -> None:
        (features,) = work.inputs[_bounding.FEATURES]
        made_of = {(found.asset, found.version) for found in features.inputs}
        ours = {(found.asset, found.version) for name in self.views for found in work.inputs[name]}
        if not ours <= made_of:
            raise Refused.of(
                "the tables are newer than the features, which are what is compared with",
                where=str(work.asset),
                expected=f"the versions that {features.asset} was made from",
                found=f"{len(ours - made_of):,} others",
                next_step=f"materialize {features.asset} first",
            )

    def _frame(self, work: Work, table: LinkedTable, rows: int | None) -> pl.DataFrame:
        view, shares = f"{REAL}{table.dataset}", synthesis.split(self.purpose)
        if rows is None:
            chosen = exp.select(*(exp.column(name, quoted=True) for name in table.read)).from_(view)
        else:
            key = (table.key.name,) if table.key else table.read
            chosen = _bounding.bounded(table.read, table.subject.name, key, rows, view)
        subject = exp.column(table.subject.name, quoted=True)
        dealt = _splitting.split_expression(subject, shares, shares.seed).eq(exp.Literal.string("train"))
        query = exp.select(
            *(exp.column(column.name, quoted=True) for column in table.columns),
            exp.alias_(dealt, DEALT, quoted=True),
            exp.alias_(exp.cast(subject.copy(), "text"), PERSON, quoted=True),
        ).from_(chosen.subquery("chosen"))
        with engine_errors(f"reading {table.dataset}"):
            found = work.con.execute(f"{query.sql(dialect='duckdb')} ORDER BY ALL").to_arrow_table()
        return pl.DataFrame(pl.from_arrow(found))

    def draw(
        self, work: Work, held: Held, people: Mask, number: int | None, domains: Sequence[Domain], like: Coded
    ) -> tuple[Coded, Codes]:
        """Rows of nobody, and which of them are of one of them: features of so many drawn people (None: as many as is
        asked, or as were learned from), learned from some.

        Raises NotKept where a row is no unit of its own or nobody's, or a value is none of its domain, or NULL where
        nobody of `like` has NULL; EngineFailed where the SQL cannot take a value.
        """
        drawn: Linked = SYNTHESIZE[self.asked.synthesizer.kind].synthesize(
            self.asked.synthesizer,
            held.linked.take(people),
            people=number,
            rows_per_person=self.rows_per_person,
            seed=self.asked.seed,
        )
        everybody = np.arange(drawn.people.rows, dtype=np.int32)
        parts = [(drawn.people, everybody), *((child.rows, child.of) for child in drawn.children)]
        try:
            for place, (table, (rows, of)) in enumerate(zip(self.tables, parts, strict=True)):
                _show(work, table, rows, of, place)
            frame = self._features(work, domains)
        finally:
            with engine_errors("clearing drawn tables"):
                for table in self.tables:
                    work.con.execute(f"DROP TABLE IF EXISTS {TEMPORARY}.{quoted(table.dataset)}")
        made = coded.encode(frame, domains)
        _only_known_nulls(made, like, str(work.asset))
        return made, frame[PERSON].rank("dense").to_numpy().astype(np.int32) - 1

    def _features(self, work: Work, domains: Sequence[Domain]) -> pl.DataFrame:
        names = ", ".join(quoted(domain.name) for domain in domains)
        subject, key = map(quoted, (str(self.purpose.features.subject), PERSON))
        query = self.project.features(self.purpose.purpose).expression.sql(dialect="duckdb")
        units = ", ".join(map(quoted, self.purpose.features.key))
        try:
            with engine_errors("computing features of drawn tables"):
                work.con.execute(f"CREATE TEMP TABLE _drawn AS {query}")
        except EngineFailed as error:
            fault = replace(
                error.faults[0],
                where=self.project.where("purpose", self.purpose.purpose, "features", "sql"),
                next_step="the SQL fails on a value that is drawn: use TRY_CAST or a CASE, and look at each division",
            )
            raise EngineFailed(fault) from None
        with engine_errors("reading features of drawn tables"):
            try:
                known = f"count(DISTINCT ({units})) FILTER ({subject} IS NOT NULL)"
                sql = f"SELECT count(*) - {known} FROM {TEMPORARY}._drawn"
                (twice,) = work.con.execute(sql).fetchone() or (0,)
                sql = f"SELECT {names}, CAST({subject} AS VARCHAR) AS {key} FROM {TEMPORARY}._drawn ORDER BY ALL"
                found = pl.DataFrame(pl.from_arrow(work.con.execute(sql).to_arrow_table()))
            finally:
                work.con.execute(f"DROP TABLE {TEMPORARY}._drawn")
        if twice:
            raise NotKept.of(
                "rows of drawn tables are no units of their own, or nobody's",
                where=str(work.asset),
                expected=f"each {units} once, with its person",
                found=f"{twice:,} more",
                next_step="look at the joins of the features' SQL",
            )
        return found


def _named(purpose: Purpose) -> tuple[str, ...]:
    return tuple(dict.fromkeys((str(purpose.features.subject), *purpose.features.key)))


def _show(work: Work, table: LinkedTable, rows: Coded, of: Codes, place: int) -> None:
    """Create the table as the SQL calls it, of drawn rows."""
    keys = {table.subject.name: (table.subject, _keys(0, of))}
    if table.key is not None:
        keys[table.key.name] = (table.key, _keys(place, np.arange(rows.rows)))
    frame = coded.decode(rows, table.columns).with_columns(
        *(pl.Series(name, texts, dtype=pl.String) for name, (_, texts) in keys.items())
    )
    columns = (*(column for column, _ in keys.values()), *table.columns)
    listed = ", ".join(f"CAST({quoted(column.name)} AS {column.type}) AS {quoted(column.name)}" for column in columns)
    with engine_errors("showing drawn tables"):
        work.con.register("_arriving", frame.to_arrow())
        work.con.execute(f"CREATE TEMP TABLE {quoted(table.dataset)} AS SELECT {listed} FROM _arriving")
        work.con.unregister("_arriving")


def _keys(table: int, places: npt.NDArray[Any]) -> list[str]:
    """UUIDs of version 4, in the order of the places."""
    return [f"00000000-0000-4{table:03x}-8000-{int(place):012x}" for place in places]


def _only_known_nulls(made: Coded, like: Coded, where: str) -> None:
    faults = []
    for place, domain in enumerate(made.domains):
        empty = int((made.codes[:, place] == domain.size).sum())
        if empty and not (like.codes[:, place] == domain.size).any():
            faults.append(
                Fault(
                    f"`{domain.name}` was made with NULL, which it never held",
                    where=where,
                    expected="no NULL",
                    found=f"{empty:,} cells",
                    next_step="other parameters, or another synthesizer",
                )
            )
    raise_gathered(NotKept, faults)
