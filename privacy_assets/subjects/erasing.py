"""Erasure: people, or rows whose time is over, out of raw and out of everything that was made from it.

    begin     whom it is about is sealed; tombstones; the ledger says which versions hold them: none of these, nor what
              was made from them, is read from here on
    remake    raw is written anew without their rows, under a new key; what was made from it is made again, in the order
              of the corridor
    destroy   every version that holds them: key first, one receipt each
    search    every store, for what identified them
    end       the ledger says what was found; the sealed request and the people's keys are destroyed

Whoever is interrupted runs it again: what is done is seen from the ledger, and not done twice. What cannot be made
again (a promise that is not kept without them) does not hold the erasure up: the old version is destroyed, and nothing
stands. But raw is made of nothing that is kept: where it cannot be written anew, nothing is destroyed.

What does not say whose its rows are goes whole: raw of a dataset that is declared no more, and what is kept longer than
what it was made from.

What stays, with the reason in the ledger: releases under differential privacy, which say about as much without any one
person, and what was made from nothing but those; and what was made from inputs that came out as they were, since
nobody of them was in it.

Belongs here: the order of the moves. Does not belong here: who is meant (`people.py`), the search (`searching.py`),
what follows for a reader (`gate.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

import duckdb
import polars as pl
from sqlglot import exp

from privacy_assets import durable
from privacy_assets.contracts.columns import naming_columns
from privacy_assets.contracts.entitlement import retained
from privacy_assets.errors import BadDeclaration, Fault, NotKept, PrivacyAssetsError, Refused
from privacy_assets.gate import PASSING, REQUESTS, Gate, Input, Passport, is_bounded, moment_for
from privacy_assets.ledger.erasures import DONE, SPARED, Erasure
from privacy_assets.ledger.log import Entry
from privacy_assets.stages.s1_raw import EVIDENCE
from privacy_assets.stages.step import LEFT_OUT, Outcome, Step, Work, carry_out, measure_again
from privacy_assets.subjects import people as subjects
from privacy_assets.subjects import searching
from privacy_assets.subjects.people import Person, Presence, count_rows, held_raw, opened
from privacy_assets.subjects.tracing import along_the_corridor, stand_ins
from privacy_assets.warehouse import tombstones
from privacy_assets.warehouse.connections import Attachment, engine_errors, governed, quoted
from privacy_assets.warehouse.sources.rows import ERASED, LINE, as_text, read_as
from privacy_assets.warehouse.versions import Candidate
from privacy_assets.words import AssetName, IdentifierDomain, Stage

LAPSED = "consent withdrawn, objected, or retention over"
"""The reason of an erasure that nobody asked for by name."""

NOBODY_KNOWS = "declared no more, so anybody may be in it; declared again, it is written anew without them alone"
"""Why raw of a dataset that has no contract goes whole."""


_TELLING = 3
"""How many letters a text has that tells something of a person, where others have it as well."""


class What(StrEnum):
    """What becomes of a version."""

    REWRITTEN = "rewritten without them"
    REMADE = "made again"
    DESTROYED = "destroyed"
    SPARED = "left as it is"


@dataclass(frozen=True, slots=True)
class Line:
    """What becomes of one version, and why; `rows` are how many of theirs are in it, where that was counted."""

    passport: Passport
    what: What
    why: str = ""
    rows: int | None = None


@dataclass
class Erased:
    """What came of an erasure.

    `receipts` are the positions of entries by version, in the order of the corridor, and `spared` is what was left as
    it is, with the reason: both also from before an interruption. `stands` is what stands in the place of what was
    destroyed. `remade` was made again by this very process, `failed` could not be made again (why, or why what it is
    made from could not), `searched` is where was looked for what was left.
    """

    erasure: Erasure
    receipts: dict[Input, int] = field(default_factory=dict)
    stands: dict[AssetName, Passport] = field(default_factory=dict)
    remade: dict[AssetName, Passport] = field(default_factory=dict)
    spared: dict[AssetName, str] = field(default_factory=dict)
    failed: dict[AssetName, tuple[Fault, ...]] = field(default_factory=dict)
    searched: list[searching.Searched] = field(default_factory=list)
    end: int = -1

    @property
    def complete(self) -> bool:
        """Everything is made again, everywhere was looked, and nothing was found."""
        return not self.failed and all(one.clean for one in self.searched)


Made = Callable[[Step, Outcome], None]
"""Told of each step that was carried out."""


def plan(gate: Gate, roots: Mapping[Input, int | None]) -> list[Line]:
    """What an erasure of these versions' people will do, in the order of the corridor. Nothing is changed."""
    named = frozenset((one.asset, one.version) for one in roots)
    lines = []
    for passport in _affected(gate, named):
        asset, rows = passport.asset, roots.get(Input(passport.asset, passport.version))
        latest = gate.latest(asset)
        if not gate.declares(asset):
            unknown = asset.stage is Stage.RAW and subjects.anybody(gate, passport)
            lines.append(Line(passport, What.DESTROYED, NOBODY_KNOWS if unknown else "declared no more", rows))
        elif latest is None or latest.version != passport.version:
            lines.append(Line(passport, What.DESTROYED, "superseded", rows))
        elif asset.stage is Stage.RAW:
            lines.append(Line(passport, What.REWRITTEN, "", rows))
        else:
            retrained = "retrained, unless its rows come out as they were" if asset.stage is Stage.MODEL else ""
            lines.append(Line(passport, What.REMADE, retrained, rows))
    for passport in _private(gate, named):
        lines.append(Line(passport, What.SPARED, _bounded(passport)))
    return sorted(lines, key=lambda line: along_the_corridor(line.passport))


def lapsed(gate: Gate) -> dict[Input, int | None]:
    """The versions that hold rows whose time is over, each with how many: past retention, withdrawn or objected.

    Where there are any, they may be in what outlives what it was made from, too: None.
    """
    found: dict[Input, int | None] = {}
    for passport in gate.held():
        asset = passport.asset
        declared = asset.stage is Stage.MINIMIZED and asset.whole in gate.project.assets()
        if declared and (rows := gate.lapsed(passport)):
            found[Input(asset, passport.version)] = rows
    for passport in held_raw(gate):
        if gate.project.contracts[passport.asset.dataset].privacy.retention is None:
            continue
        with opened(gate, passport) as con, engine_errors("counting what is past retention"):
            rows = sum(
                count_rows(con, table, *_past(gate, con, table, passport)) for table in subjects.tables_of(passport)
            )
        if rows:
            found[Input(passport.asset, passport.version)] = rows
    outliving = subjects.outliving(gate) if found else ()
    return {Input(one.asset, one.version): None for one in outliving if subjects.anybody(gate, one)} | found


def erase(
    gate: Gate,
    made: Mapping[AssetName, Step],
    people: Sequence[Person],
    reason: str,
    told: Made = lambda step, outcome: None,
    progress: Callable[[str], None] = lambda what: None,
) -> Erased:
    """Erase people. Raises BadDeclaration without a sound reason.

    Raises Refused where another erasure is not finished, or nobody of them is held.
    """

    def looked_for() -> Presence:
        presence = subjects.presence(gate, people)
        require_sound_reason(gate, people, presence, reason)
        return presence

    done = _carry_out(gate, made, people, looked_for, reason, told, progress)
    if done is None:
        raise Refused.of("nobody of them is in the home any more", next_step="`privacy-assets trace` says what is held")
    return done


def require_sound_reason(gate: Gate, people: Sequence[Person], presence: Presence, reason: str) -> None:
    """Raise BadDeclaration where there is no reason, or where it says whom it is about: the ledger keeps it for good.

    It says so by what they are found by, by a direct identifier of theirs in raw, or by a token of theirs. What others
    have as well, wherever it stands, says so unless it is short: that is a word of any sentence.
    """
    if len(reason.strip()) < 3:
        raise BadDeclaration.of("an erasure has a reason", expected="why, and on whose request, naming nobody")
    identifiers = presence.own | {value for value in presence.shared if len(value) >= _TELLING}
    found_by = {value for person in people for _, value in person.keys}
    named = found_by | identifiers | stand_ins(gate, people, identifiers)
    (said,), known = _words([reason]), _words(sorted(named))
    if any(f" {words} " in f" {said} " for words in known):
        raise BadDeclaration.of(
            "the reason has a name, a number or an address of somebody who is to be erased: the ledger would keep that "
            "for good",
            next_step="say why and on whose request without any of these",
        )


def erase_lapsed(
    gate: Gate,
    made: Mapping[AssetName, Step],
    told: Made = lambda step, outcome: None,
    progress: Callable[[str], None] = lambda what: None,
) -> Erased | None:
    """Erase what has lapsed; None where nothing has."""
    return _carry_out(gate, made, (), lambda: Presence(lapsed(gate)), LAPSED, told, progress)


def resume(
    gate: Gate,
    made: Mapping[AssetName, Step],
    told: Made = lambda step, outcome: None,
    progress: Callable[[str], None] = lambda what: None,
) -> list[Erased]:
    """Finish every erasure that was begun; none is fine."""
    with _alone(gate):
        return [_finish(gate, made, erasure, told, progress) for erasure in gate.unfinished()]


@contextmanager
def _alone(gate: Gate) -> Iterator[None]:
    with durable.held(durable.lock_of(gate.home.path), f"an erasure, or a rotation, in {gate.home.path}"):
        yield


def _carry_out(
    gate: Gate,
    made: Mapping[AssetName, Step],
    people: Sequence[Person],
    looked_for: Callable[[], Presence],
    reason: str,
    told: Made,
    progress: Callable[[str], None],
) -> Erased | None:
    with _alone(gate):
        _none_open(gate)
        since = gate.ledger.size
        presence = looked_for()
        if not presence.rooted:
            return None
        _can_be_rewritten(gate, made, presence.rooted)
        return _finish(gate, made, _begin(gate, people, presence, reason, since), told, progress)


def _none_open(gate: Gate) -> None:
    if gate.unfinished():
        raise Refused.of(
            "an erasure was begun and not finished",
            where=str(gate.home.path),
            next_step="`privacy-assets erase --resume` finishes it; then run this again",
        )


def _can_be_rewritten(gate: Gate, made: Mapping[AssetName, Step], roots: Iterable[Input]) -> None:
    """Raise Refused, before anything is changed, where raw does not keep what is promised of it today.

    Of what was promised, or is asked in another way, since it was published the rows that are held are asked: their
    source may be gone.
    """
    faults: list[Fault] = []
    for root in roots:
        latest = gate.latest(root.asset)
        if root.asset.stage is not Stage.RAW or not gate.declares(root.asset):
            continue
        if latest is None or latest.version != root.version or gate.examine(root.asset).standing in PASSING:
            continue
        try:
            faults += measure_again(_of(made, root.asset), gate, latest).faults
        except PrivacyAssetsError as error:
            faults += error.faults
    if faults:
        raise Refused(*faults)


def _begin(gate: Gate, people: Sequence[Person], presence: Presence, reason: str, since: int) -> Erasure:
    """The first entry. Raises Refused where something that may hold them was published since they were looked for."""
    stones = gate.tombstones()
    keys = sorted({key for person in people for key in person.keys})
    every = [
        line
        for name, domain in _domains(gate).items()
        for line in stones.of(domain, [value for of, value in keys if of == name])
    ]
    lines = list(dict.fromkeys(line for line in every if line not in stones.lines))
    sought = sorted(presence.telling | stand_ins(gate, people, presence.telling)) if people else []
    candidate = gate.versions.candidate(REQUESTS)
    with candidate:
        with governed(gate.home.spill, inputs={}, candidate=candidate) as con, engine_errors("sealing the request"):
            for table, values in (("sought", sought), ("people", subjects.names(gate, people))):
                con.execute(f"CREATE TABLE candidate.main.{table} (value VARCHAR)")
                con.execute(f"INSERT INTO candidate.main.{table} SELECT unnest($values)", {"values": values})
        candidate.seal()
        known = stones.known(lines)
        erasure = Erasure(
            id=candidate.id,
            reason=reason.strip(),
            subjects=tuple(subjects.last_pseudonym(gate, person) for person in people),
            roots=tuple((one.asset, one.version) for one in presence.rooted),
            tombstones=known.count,
            digest=known.digest,
        )
        if lines:
            tombstones.write(gate.home, stones, lines)

        def moved_on(entries: Sequence[Entry]) -> Fault | None:
            published = (
                AssetName.parse(one.body["asset"]) for one in entries[since:] if one.body["action"] == "publish"
            )
            for asset in published:
                if asset.stage in (Stage.RAW, Stage.MINIMIZED):
                    return Fault(f"{asset} was published by another run meanwhile", next_step="run it again")
            return gate.of_another_master(entries)

        candidate.keep()
        try:
            position = gate.ledger.append(erasure.body(gate.actor()), unless=moved_on)
        except Refused:
            gate.versions.destroy(REQUESTS, candidate.id)
            raise
    return replace(erasure, position=position)


def _words(texts: Sequence[str]) -> list[str]:
    """The words of each text, in small letters, with one space in between."""
    lower = pl.Series(texts, dtype=pl.String).str.to_lowercase()
    return lower.str.extract_all(r"[\p{L}\p{N}]+").list.join(" ").to_list()


def _finish(
    gate: Gate, made: Mapping[AssetName, Step], erasure: Erasure, told: Made, progress: Callable[[str], None]
) -> Erased:
    done = Erased(erasure)
    roots = frozenset(erasure.roots)
    _rewrite(gate, made, roots, done, told, progress)
    _remake(gate, made, roots, done, told, progress)
    for passport in _affected(gate, roots):
        after = gate.latest(passport.asset)
        stands = after is not None and not gate.holds_erased(after) and after.version != passport.version
        progress(f"destroying {passport.asset}")
        gate.erase_version(passport, erasure, after if stands else None)
    done.receipts = _receipts(gate, erasure)
    done.spared = {
        AssetName.parse(entry.body["asset"]): entry.body["reason"]
        for entry in gate.ledger.entries(erasure.position)
        if entry.body["action"] == SPARED and entry.body.get("erasure") == erasure.id
    }
    for asset in {one.asset for one in done.receipts}:
        after = gate.latest(asset)
        if after is not None and not gate.holds_erased(after):
            done.stands[asset] = after
    gate.sweep()
    sought, names = _sealed(gate, erasure)
    if sought:
        done.searched = searching.search(gate, sought, lambda store: progress(f"searching {store}"))
    subjects.forget(gate, names)
    done.end = gate.ledger.append(
        {
            "action": DONE,
            "erasure": erasure.id,
            "stores": len(done.searched),
            "stores_with_hits": sum(one.hits > 0 for one in done.searched),
            "stores_not_searched": sum(not one.control for one in done.searched),
            "not_made_again": [str(asset) for asset in done.failed],
            "actor_claimed": gate.actor(),
        }
    )
    gate.versions.destroy(REQUESTS, erasure.id)
    return done


def _receipts(gate: Gate, erasure: Erasure) -> dict[Input, int]:
    """The entries that say of a version that it was destroyed for this erasure, sources first."""
    found = [
        (passport, entry.position)
        for entry in gate.ledger.entries(erasure.position)
        if entry.body["action"] == "destroy" and entry.body.get("erasure") == erasure.id
        if (passport := gate.passport(Input(AssetName.parse(entry.body["asset"]), entry.body["version"])))
    ]
    found.sort(key=lambda each: along_the_corridor(each[0]))
    return {Input(passport.asset, passport.version): position for passport, position in found}


def _rewrite(
    gate: Gate,
    made: Mapping[AssetName, Step],
    roots: Collection[Named],
    done: Erased,
    told: Made,
    progress: Callable[[str], None],
) -> None:
    """Raw is made of nothing that is kept: where it cannot be written anew, the erasure stops, and nothing is lost."""
    for asset in sorted({asset for asset, _ in roots if asset.stage is Stage.RAW}):
        latest = gate.latest(asset)
        if latest is None or (asset, latest.version) not in roots or not gate.declares(asset):
            continue
        progress(f"rewriting {asset}")
        step = rewritten(gate, _of(made, asset), latest)
        outcome = carry_out(step, gate)
        if outcome.passport is not None:
            done.remade[asset] = outcome.passport
        elif not outcome.closed:
            rows = [found.finding.numbers["rows"] for found in outcome.measured if found.finding.name == "has_rows"]
            if any(rows):
                next_step = f"mend the contract, or materialize {asset} from its source; then `erase --resume`"
                raise NotKept(*(replace(fault, next_step=next_step) for fault in outcome.faults))
            done.failed[asset] = outcome.faults  # nobody is left
        told(step, outcome)


def _remake(
    gate: Gate,
    made: Mapping[AssetName, Step],
    roots: Collection[Named],
    done: Erased,
    told: Made,
    progress: Callable[[str], None],
) -> None:
    """Every asset whose version that stands holds them, sources first; not what was destroyed for others before."""
    spared = {(one.asset, one.version) for one in _private(gate, frozenset(roots))}
    own = _receipts(gate, done.erasure)
    for whole in made:
        if whole.stage is Stage.RAW:
            continue
        for asset in gate.parts(whole):
            latest = gate.latest(asset)
            if latest is None or not gate.holds_erased(latest):
                continue
            if gate.was_erased(latest) and Input(asset, latest.version) not in own:
                continue
            if (asset, latest.version) in spared:
                gate.spare(latest, done.erasure, _bounded(latest))
            elif (asset, latest.version) not in roots and (alike := _came_out_alike(gate, latest)):
                reason = "what it is made from came out as it was: nobody of them was in it"
                gate.spare(latest, done.erasure, reason, alike)
            else:
                progress(f"making {asset}")
                _carried_out(gate, _of(made, asset), done, told)


def _carried_out(gate: Gate, step: Step, done: Erased, told: Made) -> None:
    missing = [faults for one, faults in done.failed.items() if not {one, one.whole}.isdisjoint(step.inputs)]
    if missing:  # what the gate would say of it follows from these
        done.failed[step.asset] = tuple(dict.fromkeys(fault for faults in missing for fault in faults))
        return
    try:
        outcome = carry_out(step, gate)
    except PrivacyAssetsError as error:
        done.failed[step.asset] = error.faults
        return
    if outcome.passport is not None:
        done.remade[step.asset] = outcome.passport
    elif not outcome.closed:
        done.failed[step.asset] = outcome.faults
    told(step, outcome)


def _came_out_alike(gate: Gate, passport: Passport) -> list[Input]:
    """The inputs with those that held them replaced by what was made in their place; none where that is other data."""
    inputs = []
    for one in passport.inputs:
        before, now = gate.passport(one), gate.latest(one.asset)
        if before is None or not gate.holds_erased(before):
            inputs.append(one)
        elif now is None or gate.holds_erased(now) or now.content_digest != before.content_digest:
            return []
        else:
            inputs.append(Input(now.asset, now.version))
    return inputs


Named = tuple[AssetName, str]
"""An asset and a version of it."""


def downstream(history: Iterable[Passport], roots: Collection[Named], stops: Collection[Named]) -> set[Named]:
    """The roots, and every version that was made from one of these; but for `stops`, and what was made of them alone.

    `history` are publications: what a version was made from comes before it.
    """
    found: set[Named] = set()
    for passport in history:
        named = (passport.asset, passport.version)
        inputs = ((one.asset, one.version) for one in passport.inputs)
        if named not in stops and (named in roots or not found.isdisjoint(inputs)):
            found.add(named)
    return found


def _affected(gate: Gate, roots: Collection[Named]) -> list[Passport]:
    """The versions that are kept and hold them: the roots, and what was made from one; not what is spared."""
    stops = {(one.asset, one.version) for one in _private(gate, roots)}
    return _kept(gate, downstream(_history(gate), roots, stops | gate.spared()))


def _private(gate: Gate, roots: Collection[Named]) -> list[Passport]:
    """The versions made from these that are under differential privacy: what they say of any one person is bounded."""
    every = _kept(gate, downstream(_history(gate), roots, gate.spared()))
    return [one for one in every if is_bounded(one) and gate.declares(one.asset)]


def _history(gate: Gate) -> list[Passport]:
    return sorted(gate.publications(), key=along_the_corridor)


def _kept(gate: Gate, named: Collection[Named]) -> list[Passport]:
    return [one for one in gate.held() if (one.asset, one.version) in named]


def _bounded(passport: Passport) -> str:
    return "differentially private: what it tells of any one person is bounded by what its release cost"


def rewritten(gate: Gate, step: Step, passport: Passport) -> Step:
    """The step that writes a version of raw anew, without the rows of those who were erased or are past retention."""
    contract = gate.project.contracts[passport.asset.dataset]
    columns = naming_columns(contract)
    stones = gate.tombstones()

    @contextmanager
    def opens(gate: Gate, candidate: Candidate) -> Iterator[duckdb.DuckDBPyConnection]:
        gate.require_sound(passport)
        with governed(gate.home.spill, inputs={"held": gate.attachment(passport)}, candidate=candidate) as con:
            yield con

    def write(work: Work) -> str:
        left_out = 0
        for table in ("data", "quarantine"):
            held = f"held.main.{table}"
            present, kinds = subjects.naming_in(work.con, held, contract), subjects.columns_of(work.con, held)
            gone = stones.named(work.con, held, [(one, subjects.text_of(one, kinds[one.name])) for one in present])
            if table == "quarantine":
                gone += stones.lines_naming(work.con, held, LINE, [(one, as_text("part", one.type)) for one in columns])
            past, now = _past(gate, work.con, held, passport)
            stays = f"NOT ({' OR '.join([*gone, past])})"
            with engine_errors(f"writing {passport.asset} anew"):
                written = f"CREATE TABLE candidate.main.{table} AS SELECT * FROM {held} AS held_row WHERE {stays}"
                work.con.execute(written, now)
                left_out += count_rows(work.con, held) - count_rows(work.con, f"candidate.main.{table}")
        with engine_errors(f"writing {passport.asset} anew"):
            data, quarantine = (count_rows(work.con, f"candidate.main.{table}") for table in ("data", "quarantine"))
            work.con.execute(
                f"""CREATE TABLE {EVIDENCE} AS
                    SELECT name, CASE name WHEN 'source_rows' THEN $data + $quarantine WHEN 'data_rows' THEN $data
                                           WHEN 'quarantined_rows' THEN $quarantine ELSE value END::DOUBLE AS value
                    FROM held.main.evidence WHERE name <> '{ERASED}'
                    UNION ALL SELECT '{ERASED}', $before + $left_out""",
                {
                    "data": data,
                    "quarantine": quarantine,
                    "before": passport.counts.get(LEFT_OUT, 0),
                    "left_out": left_out,
                },
            )
        return passport.source_digest

    return replace(step, opens=opens, write=write, views={})


def _past(
    gate: Gate, con: duckdb.DuckDBPyConnection, table: str, passport: Passport
) -> tuple[str, dict[str, datetime] | None]:
    """The SQL of whether a row (alias `held_row`) of a table of raw is past retention, and what to bind.

    What has no date that can be read is kept as long, from the day on which this source was first taken in.
    """
    contract, now = gate.project.contracts[passport.asset.dataset], gate.moment()
    retention = contract.privacy.retention
    if retention is None:
        return "false", None
    same = (one.time for one in gate.history(passport.asset) if one.source_digest == passport.source_digest)
    undated = min(same).date() < now.date() - timedelta(days=retention.days)
    if retention.column not in subjects.columns_of(con, table):
        return str(undated).lower(), None
    stays = retained(retention.days, retention.column, "held_row")
    column, over = quoted(retention.column), stays.not_().sql(dialect="duckdb")
    past = f"CASE WHEN held_row.{column} IS NULL THEN {undated} ELSE {over} END"
    if table.endswith(".quarantine"):  # all is text there
        dated = read_as(contract.column(retention.column).type, f"held_row.{column}")
        past = f"(SELECT {past} FROM (SELECT {dated} AS {column}) AS held_row)"
    return past, moment_for(exp.select(stays), now)


def _of(made: Mapping[AssetName, Step], asset: AssetName) -> Step:
    return made[asset.whole].of(asset.day) if asset.day else made[asset]


def _domains(gate: Gate) -> dict[str, IdentifierDomain]:
    found = [one for contract in gate.project.contracts.values() for one in naming_columns(contract)]
    return {naming.domain.name: naming.domain for naming in found}


def _sealed(gate: Gate, erasure: Erasure) -> tuple[list[str], list[str]]:
    """What is searched for, and under which names the people's keys lie."""
    if not gate.versions.exists(REQUESTS, erasure.id):
        raise Refused.of(
            "the sealed request of an erasure is gone: nobody can tell what to search for",
            where=f"erasure {erasure.id}",
            next_step="put the home's versions/erasure back from a backup, or ask for the erasure again",
        )
    path, key = gate.versions.path(REQUESTS, erasure.id), gate.versions.key(REQUESTS, erasure.id)
    attached = {"held": Attachment(path, key)}
    with governed(gate.home.spill, inputs=attached, candidate=None) as con, engine_errors("opening the sealed request"):
        sought, names = (
            [str(value) for (value,) in con.execute(f"SELECT value FROM held.main.{table}").fetchall()]
            for table in ("sought", "people")
        )
    return sought, names
