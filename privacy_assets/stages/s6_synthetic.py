"""synthetic: rows of nobody in the place of the features, tried by every attack of a threat model before they stand.

On arrival: features. Their people are dealt in two: `train` is learned from, the others are the *control*, whom the
rows cannot know. On leaving: rows over the declared domains, no key, no token; beside them, encrypted, what came of
each attack (`attacks`) and how like the real rows they are (`fidelity`), as counts and shares. Who may read it:
training, and people through `read` and `export`.

    encode ─► debit, under differential privacy (ledger) ─► synthesize ─► attack ─► compare ─► write

What attacks and comparisons found stands exact in the ledger and in Dagster: of groups, never of a person. Under
differential privacy every materialization costs its people again, also where nothing changed.

A synthesizer of several tables (`hma`) learns from the people's pseudonymized tables instead, and the features' SQL
makes the rows of what it draws (`_linking.py`): all that comes after is the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl
from sqlglot import exp

from privacy_assets import coded
from privacy_assets.attacks._trying import Hits
from privacy_assets.coded import Coded, Codes, Domain
from privacy_assets.contracts import _features_language, features_sql, linked_tables, synthesis
from privacy_assets.contracts.anonymity import SPLIT
from privacy_assets.contracts.loading import Project
from privacy_assets.contracts.purpose import Purpose, Synthetic
from privacy_assets.discovery import helpers
from privacy_assets.errors import NotKept
from privacy_assets.lineage.columns import Lineage
from privacy_assets.stages import _attacking, _comparing, _linking
from privacy_assets.stages.step import DATA, Step, View, Work, declared, names
from privacy_assets.techniques import synthesize
from privacy_assets.techniques.aggregate import _bounding
from privacy_assets.techniques.synthesize import SYNTHESIZE
from privacy_assets.techniques.train import _splitting
from privacy_assets.threat_models._asked import Settled
from privacy_assets.warehouse.connections import engine_errors, quoted
from privacy_assets.words import AssetName, Column, Stage

DEALT = _linking.DEALT
"""The column that says whether a row of the features is learned from."""

PERSON = _linking.PERSON
"""The column that says whose row it is: people are resampled with all their rows."""

MEASURES = "candidate.main.measures"
Places = npt.NDArray[np.int64]


def synthetic(project: Project, purpose: Purpose, asked: Synthetic) -> Step:
    """The step that synthesizes one purpose's features."""
    arrives = project.features(purpose.purpose).columns
    leaves = project.synthetic_columns(purpose.purpose)
    made = tuple(column for column in leaves if column.name != SPLIT)
    domains = synthesis.domains(asked.bounds, made)
    linking = _linking.Linking.of(project, purpose, asked)
    subject, key = str(purpose.features.subject), purpose.features.key
    synthesizer = SYNTHESIZE[asked.synthesizer.kind]
    rows_per_person = asked.contribution.rows if asked.contribution else None
    query = _query(purpose, names(made), rows_per_person)
    asset = AssetName(Stage.SYNTHETIC, purpose.purpose)

    def write(work: Work) -> None:
        held, draw = _learning(work)
        fitted, control = held.fitted, held.control
        if not fitted.rows or not control.rows:
            raise NotKept.of(
                "there are too few people to learn from and to try it on",
                where=str(asset),
                expected="people in the split `train`, and others",
                found=f"rows of {fitted.rows:,} and {control.rows:,}",
                next_step="take in more people",
            )
        cost = synthesizer.cost(asked.synthesizer)
        if cost is not None:
            work.gate.debit(asset, cost, (asked.synthesizer.kind,))
        drawn = draw(None, asked.rows)
        _write(work, asked, drawn, leaves, made, purpose)
        beside = _beside(work, held, draw)
        released = beside.released
        # what was withdrawn before has to survive what it was withdrawn for
        seeds = (asked.seed, *work.gate.seeds_of_withdrawals(asset))
        found = [_attacking.on_synthetic(purpose, arrives, beside, seed) for seed in seeds]
        work.write(_attacking.TABLE, _attacking.frame(_attacking.worst(found)))
        numbers = _comparing.numbers_of_rows(drawn.whose, held.people) if linking else None
        measures = _comparing.write(work, purpose, made, released, fitted, control, held.others, asked.seed, numbers)
        measures[f"synthesizer[{asked.synthesizer.kind}]"] = 1.0
        if cost is not None:
            measures |= {"epsilon": cost.epsilon, "delta": cost.delta}
        work.write(MEASURES, pl.DataFrame({"name": list(measures), "value": list(measures.values())}))

    def _learning(work: Work) -> tuple[_Held, _Draw]:
        """Whom it is learned from and tried on, and how rows are drawn: of these people (None: of all that are learned
        from), and so many of them or about so many (None: as many as is asked)."""
        held = _people(work, query, domains)
        if linking is None:

            def of_features(people: Hits | None, rows: int | None) -> _Drawn:
                table: Coded = synthesizer.synthesize(
                    asked.synthesizer,
                    held.fitted if people is None else held.rows_of(people),
                    rows=rows,
                    rows_per_person=rows_per_person or held.most_rows,
                    seed=asked.seed,
                )
                # rows are of nobody, and drawn one like another
                return _Drawn(table, np.arange(table.rows, dtype=np.int32))

            return held, of_features
        tables = linking.read(work)
        held = held.among(tables.tokens)

        def of_tables(people: Hits | None, rows: int | None) -> _Drawn:
            if people is None:
                return _Drawn(*linking.draw(work, tables, tables.learned, None, domains, held.fitted))
            of_them = held.rows_of(people).rows
            number = max(round((rows or of_them) * people.sum() / max(of_them, 1)), 1)
            named = tables.named(held.tokens.filter(pl.Series(people)))
            return _Drawn(*linking.draw(work, tables, named, number, domains, held.fitted))

        return held, of_tables

    def _beside(work: Work, held: _Held, draw: _Draw) -> _attacking.Beside:
        """What was written, beside one row of each person; made anew, with as many rows as are looked at."""
        released = _released(work, domains)
        first, others = held.one_row_each(asked.seed)

        def again(mask: Hits) -> Coded:
            """Of these people's rows, as they lie in the features; noise is drawn, and nothing is debited: the rows are
            compared, and gone."""
            return draw(held.chosen(first, others, mask), released.rows).rows

        return _attacking.Beside(released, held.fitted.take(first), held.control.take(others), again)

    def attack(work: Work, seed: int) -> _attacking.Found:
        return _attacking.on_synthetic(purpose, arrives, _beside(work, *_learning(work)), seed)

    def attack_later(work: Work, seed: int) -> _attacking.Found:
        beside = _beside(work, *_learning(work))
        seeds = (seed, *work.gate.seeds_of_withdrawals(asset))
        return _attacking.worst([_attacking.on_synthetic(purpose, arrives, beside, by, Settled.LATER) for by in seeds])

    return Step(
        asset=asset,
        views={
            _bounding.FEATURES: View(AssetName(Stage.FEATURES, purpose.purpose), _read(made, subject, key)),
            **(linking.views if linking else {}),
        },
        columns=leaves,
        query=query,
        lineage=linking.lineage(leaves, made)
        if linking
        else _lineage(leaves, made, subject, key if rows_per_person else ()),
        write=write,
        declared=declared(("purpose", f"{purpose.purpose}@{purpose.version}", project.digest(purpose.purpose))),
        made_by=(
            sys.modules[__name__],
            coded,
            synthesizer,
            *helpers(synthesize.__name__),
            *_attacking.made_by(purpose, arrives, Stage.SYNTHETIC),
            *_comparing.made_by(purpose),
            _splitting,
            *((_linking, linked_tables, features_sql, _features_language) if linking else ()),
        ),
        references={"attacks": _attacking.TABLE, "fidelity": _comparing.TABLE},
        measures=MEASURES,
        attack=attack,
        attack_later=attack_later,
        epoch=purpose.epoch,
    )


def _read(made: Sequence[Column], subject: str, key: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*names(tuple(made)), subject, *key)))


def _query(purpose: Purpose, made: Sequence[str], rows_per_person: int | None) -> exp.Select:
    """The rows that are learned from and those of the control, people bounded where noise has to hide them."""
    subject, split = str(purpose.features.subject), synthesis.split(purpose)
    rows: exp.Select = exp.select(*(exp.column(name, quoted=True) for name in (*made, subject))).from_("features")
    if rows_per_person is not None:
        rows = _bounding.bounded((*made, subject), subject, purpose.features.key, rows_per_person)
    dealt = _splitting.split_expression(exp.column(subject, quoted=True), split, split.seed)
    of_train = exp.alias_(dealt.eq(exp.Literal.string("train")), DEALT, quoted=True)
    columns = (exp.column(name, quoted=True) for name in made)
    person = exp.alias_(exp.cast(exp.column(subject, quoted=True), "text"), PERSON, quoted=True)
    return exp.select(*columns, of_train, person).from_(rows.subquery("bounded"))


def _lineage(leaves: Sequence[Column], made: Sequence[Column], subject: str, key: Sequence[str]) -> Lineage:
    """Every cell is drawn from what was learned of all columns together; whose rows are learned from, subject decides.

    The value of a column has the domain and distribution of its own, so that is its direct source.
    """
    direct = {column.name: frozenset({("features", column.name)}) for column in made}
    direct |= {column.name: frozenset() for column in leaves if column.name not in direct}
    together = frozenset(("features", column.name, "group") for column in made)
    chosen = frozenset(("features", name, "filter") for name in (subject, *key))
    return Lineage(direct, dict.fromkeys(direct, together | chosen))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Rows of nobody, and which of them are of one of them."""

    rows: Coded
    whose: Codes


_Draw = Callable[[Hits | None, int | None], _Drawn]


@dataclass(frozen=True, slots=True)
class _Held:
    """Rows of those who are learned from, and of the others; `people` and `others` say whose each row is, as a place
    among the `tokens`."""

    fitted: Coded
    control: Coded
    people: Codes
    others: Codes
    tokens: pl.Series

    @property
    def most_rows(self) -> int:
        """How many rows of one person are learned from at most."""
        return int(np.bincount(self.people).max(initial=1))

    def one_row_each(self, seed: int) -> tuple[Places, Places]:
        """The places of one row of each person, drawn by the seed: attacks are tried on people, and each counts once.

        A second row of somebody would be their own neighbour, and hide that a value is theirs alone.
        """
        generator = np.random.default_rng(seed)
        found = []
        for rows, whose in ((self.fitted, self.people), (self.control, self.others)):
            order = generator.permutation(rows.rows)
            _, first = np.unique(whose[order], return_index=True)
            found.append(np.sort(order[first]))
        return found[0], found[1]

    def chosen(self, first: Places, others: Places, mask: Hits) -> Hits:
        """Which people these are, named by the places of one row each: of those learned from, then of the others."""
        learned, other = np.split(mask, [len(first)])
        found = np.zeros(len(self.tokens), dtype=bool)
        found[self.people[first[learned]]] = found[self.others[others[other]]] = True
        return found

    def rows_of(self, people: Hits) -> Coded:
        """All rows of some people."""
        codes = np.concatenate([self.fitted.codes[people[self.people]], self.control.codes[people[self.others]]])
        return Coded(self.fitted.domains, codes)

    def among(self, tokens: pl.Series) -> _Held:
        """Without the rows of others."""
        there = self.tokens.is_in(tokens.implode()).to_numpy()
        ours, theirs = there[self.people], there[self.others]
        return replace(
            self,
            fitted=self.fitted.take(ours),
            control=self.control.take(theirs),
            people=self.people[ours],
            others=self.others[theirs],
        )


def _people(work: Work, query: exp.Select, domains: Sequence[Domain]) -> _Held:
    """The rows of those who are learned from, and of the others."""
    with engine_errors("reading the features"):
        # the order of rows decides what is drawn for which: a fixed one makes it repeatable
        table = work.con.execute(f"{query.sql(dialect='duckdb')} ORDER BY ALL").to_arrow_table()
    frame = pl.DataFrame(pl.from_arrow(table))
    held, learned = coded.encode(frame, domains), frame[DEALT].to_numpy()
    persons = frame[PERSON]
    whose = persons.rank("dense").to_numpy().astype(np.int32) - 1
    tokens = persons.unique().sort()
    return _Held(held.take(learned), held.take(~learned), whose[learned], whose[~learned], tokens)


def _released(work: Work, domains: Sequence[Domain]) -> Coded:
    """The rows that were written: they are what is attacked."""
    with engine_errors("reading what was synthesized"):
        table = work.con.execute(f"FROM {DATA}").to_arrow_table()
    return coded.encode(pl.DataFrame(pl.from_arrow(table)), domains)


def _write(
    work: Work, asked: Synthetic, drawn: _Drawn, leaves: Sequence[Column], made: Sequence[Column], purpose: Purpose
) -> None:
    frame = coded.decode(drawn.rows, made)
    if len(leaves) > len(made):
        shares = synthesis.split(purpose)
        ends = np.cumsum([shares.train, shares.validation])
        people = int(drawn.whose.max(initial=-1)) + 1
        # they are of nobody, and are drawn one like another: any of them may stand in any split, with all its rows
        places = np.searchsorted(ends, (np.arange(people) + 0.5) / max(people, 1))
        dealt = np.random.default_rng(asked.seed).permutation(places)[drawn.whose]
        frame = frame.with_columns(pl.Series(SPLIT, np.array(["train", "validation", "test"])[dealt]))
    listed = ", ".join(f"CAST({quoted(column.name)} AS {column.type}) AS {quoted(column.name)}" for column in leaves)
    with engine_errors("writing what was synthesized"):
        work.con.register("synthesized", frame.to_arrow())
        work.con.execute(f"CREATE TABLE {DATA} AS SELECT {listed} FROM synthesized")
        work.con.unregister("synthesized")
