"""One step, always the same: inputs through the gate, a candidate, its measurement, one append.

    require inputs ─► write candidate ─► measure every promise ─► append the passport ─► version
                                                     └─ not kept ─► candidate deleted, NotKept

Belongs here: the order of these moves, for all stages. Does not belong here: anything of one stage (`s*.py`), of
Dagster (`asset.py`), or the decision whether a finding passes (`gate.py`).
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import polars as pl
from sqlglot import exp

from privacy_assets.contracts.promises import promises
from privacy_assets.durable import disk_errors
from privacy_assets.errors import Fault, NotKept, OutOfMemory, Refused
from privacy_assets.gate import Closing, Gate, Input, Measured, Passport, fault_of, judge_again, measure, moment_for
from privacy_assets.lineage.columns import Lineage
from privacy_assets.stages import _previous
from privacy_assets.warehouse.connections import Attachment, engine_errors, governed, quoted
from privacy_assets.warehouse.connections import columns as columns_of
from privacy_assets.warehouse.versions import Candidate, file_digest
from privacy_assets.words import AssetName, Column, Stage

DATA = "candidate.main.data"

LEFT_OUT = "left out, erased"
"""Of how many rows of a source, or of an earlier version, nothing was written: their people were erased."""

LEAST_MEMORY = 384 << 20
"""What a step that streams may hold, in bytes; where its inputs are larger, as much as they take on the disk."""


@dataclass(frozen=True, slots=True)
class View:
    """What a step sees of one input: the columns that it declared, and no others.

    `by_day` says that the input is kept by day: the asset is that day, or stands for all of them.
    """

    asset: AssetName
    columns: tuple[str, ...]
    by_day: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """What a stage is given to write its candidate: a locked connection, the gate's keys, the moment.

    `inputs` are the versions behind each view: one, or one for each day.
    """

    asset: AssetName
    con: duckdb.DuckDBPyConnection
    gate: Gate
    now: datetime
    inputs: Mapping[str, Sequence[Passport]]

    def create(self, query: exp.Query, step: str) -> None:
        """Write the query's result as the candidate's table."""
        with engine_errors(step):
            self.con.execute(f"CREATE TABLE {DATA} AS {query.sql(dialect='duckdb')}", moment_for(query, self.now))

    def write(self, table: str, frame: pl.DataFrame) -> None:
        """Write a frame as another table of the candidate."""
        with engine_errors(f"writing {table.rpartition('.')[2]}"):
            self.con.register("told", frame.to_arrow())
            self.con.execute(f"CREATE TABLE {table} AS SELECT * FROM told")
            self.con.unregister("told")


Attacking = Callable[[Work, int], Sequence[tuple[str, Any]]]
"""Tries attacks by a seed: the kind of each, and its counts."""


@dataclass(frozen=True, slots=True)
class Step:
    """How one asset is made.

    `views` are its inputs by the name that its query calls them; `columns` what it will hold; `query` the SQL that
    runs (None where a stage is no SQL); `lineage` what its columns come from, by view name; `write` fills the
    candidate, and returns the digest of what it took in from outside, if it did; `references` are the tables that
    its promises compare with; `tables` are those whose content makes the data what it is; `made_by` the modules (or
    their names) whose source is part of the code version; `declared` what the passport says of contract and
    purpose; `counts` what else is counted on the candidate, by a declared name; `measures` the candidate's table
    (name, value) of what the work cost or reached; `attack` tries the attacks of the threat model, by a seed, on
    the candidate or the published version in its place, and gives their kinds and counts, and `attack_later` those
    that take too long before a version is published; `streams` says that rows pass through one by one, so that the
    engine's memory can be bounded.
    """

    asset: AssetName
    views: Mapping[str, View]
    columns: tuple[Column, ...]
    query: exp.Query | None
    lineage: Lineage
    write: Callable[[Work], str | None]
    declared: Mapping[str, str]
    made_by: tuple[ModuleType | str, ...]
    references: Mapping[str, str] = field(default_factory=dict)
    tables: tuple[str, ...] = (DATA,)
    opens: Callable[[Gate, Candidate], AbstractContextManager[duckdb.DuckDBPyConnection]] | None = None
    counts: Callable[[Work], Mapping[str, int]] | None = None
    measures: str | None = None
    attack: Attacking | None = None
    attack_later: Attacking | None = None
    epoch: int | None = None
    streams: bool = False

    @property
    def code_version(self) -> str:
        """SHA-256 (hex) over the source of what makes this asset, and the query that it runs."""
        digest = hashlib.sha256()
        for module in self.made_by:
            digest.update(_source(module).encode())
        digest.update((self.query.sql(dialect="duckdb") if self.query else "").encode())
        digest.update(str(self.epoch).encode())
        return digest.hexdigest()

    @property
    def modules(self) -> tuple[str, ...]:
        """The names of the modules in `made_by`."""
        return tuple(module if isinstance(module, str) else module.__name__ for module in self.made_by)

    def of(self, day: str) -> Step:
        """The step for one day of the asset: of its own dataset it sees that day, of any other all."""
        dataset = self.asset.dataset
        views = {
            name: replace(view, asset=view.asset.of(day)) if view.by_day and view.asset.dataset == dataset else view
            for name, view in self.views.items()
        }
        return replace(self, asset=self.asset.of(day), views=views)

    @property
    def inputs(self) -> tuple[AssetName, ...]:
        """The assets that it reads, each once."""
        return tuple(dict.fromkeys(view.asset for view in self.views.values()))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a step: the passport that stands, or the faults for which nothing was published.

    `recalled` counts the findings that could not be measured again and were judged on what was measured then; `closed`
    says that nobody of the day may be used any more, so that nothing stands of it.
    """

    measured: tuple[Measured, ...]
    faults: tuple[Fault, ...]
    passport: Passport | None
    counts: Mapping[str, int] = field(default_factory=dict)
    destroyed: int = 0
    recalled: int = 0
    closed: bool = False

    def raise_faults(self) -> None:
        """Raise NotKept with every fault, or return if there is none."""
        if self.faults:
            raise NotKept(*self.faults)


def carry_out(step: Step, gate: Gate, run: str = "") -> Outcome:
    """Make the asset and publish it, if every promise is kept on what was written.

    Where another run published the same meanwhile (`Gate.publish`), its version is what came of this one, too.

    Raises what the gate raises for an input that may not be read, and EngineFailed where the database fails; nothing
    is published then, and the candidate is deleted; BadEnvironment where a file cannot be read or written.
    """
    with disk_errors(f"{step.asset}, in the home {gate.home.path}"):
        try:
            return _carried_out(step, gate, run)
        except OutOfMemory:
            if not step.streams:
                raise
        # rows that are very wide do not fit in between: as much as the engine takes, then
        return _carried_out(replace(step, streams=False), gate, run)


def _carried_out(step: Step, gate: Gate, run: str) -> Outcome:
    now = gate.moment()
    gate.sweep()
    since = gate.ledger.size
    passports = {name: _required(gate, view, step.asset.stage) for name, view in step.views.items()}
    inputs = tuple(dict.fromkeys(Input(found.asset, found.version) for found in _each(passports)))
    asked = tuple(promise for promise in promises(gate.project, step.asset) if not promise.later)
    made_of = [step.declared, *(made.declared for read in _each(passports) for made in gate.ancestry(read))]
    previous = _previous.numbers(gate, step.asset, asked, made_of, since)
    with gate.candidate(step.asset) as candidate:
        with _opened(step, gate, candidate, passports) as con:
            _show_views(con, step, passports)
            work = Work(step.asset, con, gate, now, passports)
            source_digest = step.write(work) or ""
            references = _references(step) | _previous.shown(con, previous)
            measured = measure(con, asked, _table(DATA), references, now)
            columns = _observed(step, columns_of(con, DATA))
            with engine_errors("counting rows"):
                rows = (con.execute(f"SELECT count(*) FROM {DATA}").fetchone() or (0,))[0]
            content_digest = gate.content_digest(con, step.tables)
            counts = step.counts(work) if step.counts else {}
            measures = _measures(con, step.measures) if step.measures else {}
        if not rows and step.asset.day and (step.asset.stage is Stage.MINIMIZED or counts.get(LEFT_OUT)):
            gate.close(Closing(step.asset, inputs, step.declared, step.code_version), since=since)
            return Outcome((), (), None, closed=True)
        faults = tuple(
            fault_of(promise, found.finding, str(step.asset))
            for promise, found in zip(asked, measured, strict=True)
            if not found.finding.kept
        )
        if faults and not rows and counts.get(LEFT_OUT):
            faults = (_nobody(step.asset),)  # all that cannot be measured of no rows says nothing more
        if faults:
            return Outcome(measured, faults, None, counts)
        candidate.seal()
        passport = Passport(
            asset=step.asset,
            version=candidate.id,
            file_digest=file_digest(candidate.path),
            content_digest=content_digest,
            rows=rows,
            columns=columns,
            inputs=inputs,
            measured=measured,
            declared=step.declared,
            code=step.code_version,
            counts=counts,
            measures=measures,
            epoch=step.epoch,
            source_digest=source_digest,
            run=run,
            measured_at=now,
        )
        # kept before it is published: a failure after the append must not take the file of a version that exists
        candidate.keep()
        try:
            published = gate.publish(passport, since=since)
        except (NotKept, Refused):
            gate.versions.destroy(str(step.asset), candidate.id)
            raise
        if published.version != candidate.id:
            gate.versions.destroy(str(step.asset), candidate.id)
    return Outcome(measured, (), published, counts, gate.destroy_superseded(published))


def _nobody(asset: AssetName) -> Fault:
    return Fault(
        "nobody is left in it: all that it would hold is of people who were erased",
        where=str(asset),
        next_step="`privacy-assets run` takes in others as soon as its source delivers any",
    )


@contextmanager
def showing(step: Step, gate: Gate) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that shows what the step would read now, and has no candidate. Raises what the gate raises."""
    passports = {name: _required(gate, view, step.asset.stage) for name, view in step.views.items()}
    with governed(gate.home.spill, inputs=_attached(gate, passports), candidate=None) as con:
        _show_views(con, step, passports)
        yield con


def attack_again(
    step: Step, gate: Gate, passport: Passport, seed: int, *, later: bool = False
) -> Sequence[tuple[str, Any]]:
    """Try the attacks on a published version, beside the very inputs that it was made from.

    Those that were tried before it was published, or (`later`) those that take too long for that.

    Raises what `Gate.require_sound` raises, and Refused where an input is gone or changed.
    """
    attack = step.attack_later if later else step.attack
    assert attack is not None
    gate.require_sound(passport)
    if passport.code != step.code_version or dict(passport.declared) != dict(step.declared):
        raise Refused.of(
            "it was made under another declaration, or by another program, so nobody knows whom it was made from",
            where=f"{step.asset} version {passport.version}",
            next_step=f"materialize {step.asset} again: a new version is attacked before it is published",
        )
    held = {name: found for name, view in step.views.items() if (found := _held(gate, passport, view))}
    if len(held) < len(step.views):
        raise Refused.of(
            "what it was made from is not there any more, so it cannot be attacked as it was",
            where=f"{step.asset} version {passport.version}",
            next_step=f"materialize {step.asset} again: a new version is attacked before it is published",
        )
    attached = {"candidate": gate.attachment(passport), **_attached(gate, held)}
    with governed(gate.home.spill, inputs=attached, candidate=None) as con:
        _show_views(con, step, held)
        return attack(Work(step.asset, con, gate, gate.moment(), held), seed)


def measure_again(step: Step, gate: Gate, passport: Passport) -> Outcome:
    """Ask every promise of the published version again; raises what `Gate.require_sound` raises.

    A question that compares with an input which is destroyed or changed by now is judged on what was measured then.
    """
    gate.require_sound(passport)
    asked = tuple(promise for promise in promises(gate.project, step.asset) if not promise.later)
    held = {name: found for name, view in step.views.items() if (found := _held(gate, passport, view))}
    attached = {"candidate": gate.attachment(passport), **_attached(gate, held)}
    made_of = [made.declared for made in gate.ancestry(passport)]
    previous = _previous.numbers(gate, step.asset, asked, made_of, passport.position)
    # what is too old, or withdrawn, since then is not its fault: the gate judges that by the clock
    moment = passport.measured_at or passport.time
    measured: list[Measured] = []
    faults: list[Fault] = []
    recalled = 0
    with governed(gate.home.spill, inputs=attached, candidate=None) as con:
        _show_views(con, step, held)
        references = {name: table for name, table in _references(step).items() if _is_there(step, name, held)}
        references |= _previous.shown(con, previous)
        for promise in asked:
            try:
                again = measure(con, (promise,), _table(DATA), references, moment)[0]
            except KeyError:
                if fault := judge_again(promise, passport):
                    faults.append(fault)
                recalled += 1
                measured += [then for then in passport.measured if then.finding.name == promise.name]
                continue
            measured.append(again)
            if not again.finding.kept:
                faults.append(fault_of(promise, again.finding, str(step.asset)))
        digest = gate.content_digest(con, step.tables)
    if digest != passport.content_digest:
        faults.append(
            Fault(
                "the content is not the one that was published",
                where=f"{step.asset} version {passport.version}",
                next_step="stop and find out who changed it; materialize again to publish a sound version",
            )
        )
    return Outcome(tuple(measured), tuple(faults), passport, passport.counts, recalled=recalled)


def _required(gate: Gate, view: View, reader: str) -> tuple[Passport, ...]:
    """The versions behind a view; all days of the dataset, where the view is of all."""
    if view.by_day and not view.asset.day:
        return gate.require_days(view.asset, reader)
    return (gate.require(view.asset, reader),)


def _each(passports: Mapping[str, Sequence[Passport]]) -> Iterator[Passport]:
    return itertools.chain.from_iterable(passports.values())


def _attached(gate: Gate, passports: Mapping[str, Sequence[Passport]]) -> dict[str, Attachment]:
    return {alias: gate.attachment(found) for alias, found in _aliases(passports).values()}


def _aliases(passports: Mapping[str, Sequence[Passport]]) -> dict[str, tuple[str, Passport]]:
    """Each version once: its id, what it is called when it is attached, and its passport."""
    each = {found.version: found for found in _each(passports)}
    return {version: (f"i{place}", found) for place, (version, found) in enumerate(each.items())}


def _held(gate: Gate, passport: Passport, view: View) -> tuple[Passport, ...]:
    """The versions behind a view that this one was made from; none, if one of them is gone or changed."""
    used = [made_from for made_from in passport.inputs if view.asset in (made_from.asset, made_from.asset.whole)]
    found = [gate.passport(made_from) for made_from in used]
    sound = [one for one in found if one is not None and gate.is_sound(one)]
    return tuple(sound) if len(sound) == len(used) else ()


def _is_there(step: Step, reference: str, held: Mapping[str, Sequence[Passport]]) -> bool:
    table = step.references[reference]
    return table.startswith("candidate.") or table in held


@contextmanager
def _opened(
    step: Step, gate: Gate, candidate: Candidate, passports: Mapping[str, Sequence[Passport]]
) -> Iterator[duckdb.DuckDBPyConnection]:
    if step.opens is not None:
        with step.opens(gate, candidate) as con:
            yield con
        return
    attached = _attached(gate, passports)
    memory = None
    if step.streams:
        memory = max(LEAST_MEMORY, sum(read.path.stat().st_size for read in attached.values()))
    with governed(gate.home.spill, inputs=attached, candidate=candidate, memory=memory) as con:
        yield con


def _show_views(con: duckdb.DuckDBPyConnection, step: Step, passports: Mapping[str, Sequence[Passport]]) -> None:
    aliases = _aliases(passports)
    for name, view in step.views.items():
        if name in passports:
            columns = ", ".join(map(quoted, view.columns))
            days = [f"SELECT {columns} FROM {aliases[found.version][0]}.main.data" for found in passports[name]]
            with engine_errors(f"showing {view.asset} to {step.asset}"):
                con.execute(f"CREATE VIEW main.{quoted(name)} AS {' UNION ALL '.join(days)}")


@functools.cache
def _source(module: ModuleType | str) -> str:
    """The text of a module, which need not be imported for that."""
    spec = find_spec(module) if isinstance(module, str) else module.__spec__
    if spec is None or spec.origin is None:
        raise TypeError(f"{module} has no source file")
    return Path(spec.origin).read_text(encoding="utf-8")


def _observed(step: Step, found: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The columns that are there. One that is not declared is named by its place: its header could be anything."""
    declared = {column.name for column in step.columns}
    return tuple(
        (name if name in declared else f"unknown_{place}", kind) for place, (name, kind) in enumerate(found, start=1)
    )


def _measures(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, float]:
    with engine_errors("reading measures"):
        return dict(con.execute(f"SELECT name, value FROM {table} ORDER BY name").fetchall())


def _references(step: Step) -> dict[str, exp.Table]:
    return {name: _table(table) for name, table in step.references.items()}


def _table(name: str) -> exp.Table:
    return exp.to_table(name, dialect="duckdb")


def declared(*parts: tuple[str, str, str]) -> dict[str, str]:
    """What a passport says of its declarations: (kind, name@version, digest) for each contract and purpose."""
    return {f"{kind} {name}": digest for kind, name, digest in parts}


def names(columns: Sequence[Column]) -> tuple[str, ...]:
    """The names of columns, in order."""
    return tuple(column.name for column in columns)
