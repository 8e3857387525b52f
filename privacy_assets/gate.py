"""What lets a version be published, and what lets it be read: the same questions, asked at both moments.

A candidate becomes a version by one append to the ledger (`Gate.publish`), and only if every promise was measured on
it and kept. A version is opened only after the gate has asked again (`Gate.require`), from the ledger and the file
alone, never from what Dagster recorded:

1. the asset is declared, and this reader may read its stage;
2. the ledger holds a publication of it, and the file is there with the recorded digest;
3. everything promised *today* was measured then, and the measured numbers keep today's thresholds; the same for every
   version that it was made from. What takes too long for that is measured by the red team after it was published, and
   the version is *pending* until an entry of the ledger says what came of it;
4. it is younger than the purpose's retention, and its pseudonyms are of today's epoch;
5. nobody in it has withdrawn, objected or passed retention since it was built, or the time of grace
   (`withdrawal_effect_hours`) is not over.

What time has passed is judged by the clock, and never by a time before the last entry's: where the clock is behind the
ledger by more than CLOCK_TOLERANCE nothing that expires is read, and nothing is built (`Gate.moment`), until the clock
is mended, or `correct_clock` has put on record that it was ahead when the last entry was written.

Belongs here: publications as the ledger holds them, measuring, judging. Does not belong here: how data is made
(`stages/`), what is promised (`contracts/promises.py`), how an invariant is measured (`invariants/`).
"""

from __future__ import annotations

import functools
import getpass
import hashlib
import hmac
import json
import math
import os
import resource
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import duckdb
from sqlglot import exp

from privacy_assets.contracts.contract import ConsentRecords
from privacy_assets.contracts.entitlement import consent_records, entitled, retained
from privacy_assets.contracts.linked_tables import asks_for_tables
from privacy_assets.contracts.loading import Project, load
from privacy_assets.contracts.meaning import text_of
from privacy_assets.contracts.promises import RETENTION_FROM, Promise, promises
from privacy_assets.durable import disk_errors
from privacy_assets.errors import (
    BadDeclaration,
    BadEnvironment,
    Fault,
    NotKept,
    PrivacyAssetsError,
    Refused,
    Stale,
    Tampered,
)
from privacy_assets.invariants import INVARIANTS
from privacy_assets.ledger.budget import ACTION as DEBIT
from privacy_assets.ledger.budget import Account, Debit, account, overspent
from privacy_assets.ledger.erasures import BEGUN, DONE, SPARED, Erasure
from privacy_assets.ledger.log import Entry, Ledger
from privacy_assets.warehouse import declarations, tombstones
from privacy_assets.warehouse.connections import Attachment, content_digest, engine_errors, governed, quoted
from privacy_assets.warehouse.home import Home
from privacy_assets.warehouse.keys import KeyFile, Secrets
from privacy_assets.warehouse.tombstones import Known, Tombstones
from privacy_assets.warehouse.versions import Candidate, Versions, file_digest
from privacy_assets.words import AssetName, Finding, Number, PrivacyLoss, Stage, Verdict

ERASED = "erased"
"""For which reason a version is destroyed in which somebody was erased."""

REQUESTS = "erasure"
"""Under which name the version lies that holds, until it is done, whom an erasure is about."""

PERSON = "person"
"""A reader that is no stage: someone who calls `read`, or exports."""

READERS: Mapping[Stage, frozenset[str]] = {
    Stage.RAW: frozenset({Stage.MINIMIZED}),
    Stage.MINIMIZED: frozenset({Stage.PSEUDONYMIZED}),
    Stage.PSEUDONYMIZED: frozenset({Stage.FEATURES}),
    Stage.FEATURES: frozenset({Stage.ANONYMIZED, Stage.SYNTHETIC, Stage.STATISTICS, Stage.TRAINING}),
    Stage.ANONYMIZED: frozenset({Stage.TRAINING, PERSON}),
    Stage.SYNTHETIC: frozenset({Stage.TRAINING, PERSON}),
    Stage.STATISTICS: frozenset({PERSON}),
    Stage.TRAINING: frozenset({Stage.MODEL, PERSON}),
    Stage.MODEL: frozenset({PERSON}),
}
"""Who may read a stage: the next one, and people from training on."""

READERS_OF_TABLES: Mapping[Stage, frozenset[str]] = {Stage.PSEUDONYMIZED: frozenset({Stage.SYNTHETIC})}
"""Who may as well, where the purpose asks for a synthesizer that sees several tables."""


class Standing(StrEnum):
    """How a published asset stands today."""

    KEPT = "kept"
    STALE = "stale"
    OVERDUE = "overdue"
    PENDING = "pending"
    BROKEN = "broken"
    FORGED = "forged"
    MISSING = "missing"


CLOCK_TOLERANCE = timedelta(seconds=60)
"""By how much the clock may be behind the last entry: two machines that share a home need not agree to the second."""

PASSING = frozenset({Standing.KEPT, Standing.STALE})
"""How an asset stands that can be read: kept, or stale and inside its time of grace."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A finding with the SHA-256 of the question that it answers, so that another question is not taken for it."""

    finding: Finding
    question: str

    def body(self) -> dict[str, Any]:
        """As it stands in the ledger."""
        return {
            "invariant": self.finding.invariant,
            "about": self.finding.about,
            "verdict": self.finding.verdict.value,
            "numbers": dict(self.finding.numbers),
            "promise": self.finding.promise,
            "question": self.question,
        }

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Measured:
        """From its ledger form."""
        finding = Finding(body["invariant"], Verdict(body["verdict"]), body["numbers"], body["promise"], body["about"])
        return cls(finding, body["question"])


@dataclass(frozen=True, slots=True)
class Input:
    """Which version of which asset a version was made from."""

    asset: AssetName
    version: str


_FEWEST = {"k_anonymity": "k", "told_cells": "at_least_subjects"}
"""By which number of which invariant releases of one asset are compared."""

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Passport:
    """The ledger's entry of one publication: what the version is, what it came from, what was measured on it.

    `declared` names the contract and purpose with their versions and digests, `code` is the digest of the code and
    the query that made it, `measured_at` the moment by which rows were chosen and measured, `columns` are names and
    engine types, `counts` what else was counted (the reasons of quarantine), `measures` what the work cost or
    reached (information loss, risk), `position` and `time` come from the ledger. `rekeyed` is the id of the copy
    that holds the version since its data key was rotated; `file_digest` is then that of the copy, and `file_entry`
    the position of the entry that says so (before that, the publication's own). `attested` is what was measured of it
    after it was published, by entries of their own. `inputs` are those of
    the publication or, where an erasure spared the version, those of the same content that took their place.
    """

    asset: AssetName
    version: str
    file_digest: str
    content_digest: str
    rows: int
    columns: tuple[tuple[str, str], ...]
    inputs: tuple[Input, ...]
    measured: tuple[Measured, ...]
    declared: Mapping[str, str]
    code: str
    counts: Mapping[str, int] = field(default_factory=dict)
    measures: Mapping[str, float] = field(default_factory=dict)
    epoch: int | None = None
    source_digest: str = ""
    run: str = ""
    measured_at: datetime | None = None
    position: int = -1
    time: datetime = _NEVER
    rekeyed: str = ""
    file_entry: int = -1
    attested: tuple[Measured, ...] = ()

    @property
    def copy(self) -> str:
        """The id under which its file and key lie: the version's own until its data key is rotated."""
        return self.rekeyed or self.version

    @property
    def evidence(self) -> tuple[Measured, ...]:
        """All that was measured of it: before it was published, and after."""
        return (*self.measured, *self.attested)

    def body(self, actor: str) -> dict[str, Any]:
        """As it stands in the ledger."""
        return {
            "action": "publish",
            "asset": str(self.asset),
            "version": self.version,
            "file_digest": self.file_digest,
            "content_digest": self.content_digest,
            "rows": self.rows,
            "columns": [list(column) for column in self.columns],
            "inputs": [{"asset": str(made_from.asset), "version": made_from.version} for made_from in self.inputs],
            "findings": [measured.body() for measured in self.measured],
            "declared": dict(self.declared),
            "code": self.code,
            "counts": dict(self.counts),
            "measures": dict(self.measures),
            "epoch": self.epoch,
            "source_digest": self.source_digest,
            "run": self.run,
            "measured_at": self.measured_at.isoformat() if self.measured_at else None,
            "actor_claimed": actor,
        }

    @classmethod
    def parse(cls, entry: Entry) -> Passport:
        """From its ledger entry."""
        try:
            return cls._parsed(entry)
        except (KeyError, TypeError, ValueError):
            raise BadEnvironment.of(
                "the ledger holds a publication that this release does not understand",
                where=f"ledger entry {entry.position}",
                next_step="use the release that wrote it, or begin a new home with PRIVACY_ASSETS_HOME",
            ) from None

    @classmethod
    def _parsed(cls, entry: Entry) -> Passport:
        body = entry.body
        return cls(
            asset=AssetName.parse(body["asset"]),
            version=body["version"],
            file_digest=body["file_digest"],
            content_digest=body["content_digest"],
            rows=body["rows"],
            columns=tuple((name, kind) for name, kind in body["columns"]),
            inputs=tuple(Input(AssetName.parse(made["asset"]), made["version"]) for made in body["inputs"]),
            measured=tuple(Measured.parse(finding) for finding in body["findings"]),
            declared=body["declared"],
            code=body["code"],
            counts=body["counts"],
            measures=body.get("measures", {}),
            epoch=body["epoch"],
            source_digest=body["source_digest"],
            run=body["run"],
            measured_at=datetime.fromisoformat(at) if (at := body.get("measured_at")) else None,
            position=entry.position,
            time=entry.time,
            file_entry=entry.position,
        )


@dataclass(frozen=True, slots=True)
class Closing:
    """The ledger's entry of a minimized day of which nobody may be used: what that was found in, and by what.

    `declared` and `code` are as in a passport; closings of older ledgers have none, and are found anew.
    """

    asset: AssetName
    inputs: tuple[Input, ...]
    declared: Mapping[str, str]
    code: str

    def body(self, actor: str) -> dict[str, Any]:
        """As it stands in the ledger."""
        return {
            "action": "close",
            "asset": str(self.asset),
            "inputs": [{"asset": str(read.asset), "version": read.version} for read in self.inputs],
            "declared": dict(self.declared),
            "code": self.code,
            "actor_claimed": actor,
        }

    @classmethod
    def parse(cls, entry: Entry) -> Closing:
        """From its ledger entry."""
        body = entry.body
        inputs = tuple(Input(AssetName.parse(read["asset"]), read["version"]) for read in body["inputs"])
        return cls(AssetName.parse(body["asset"]), inputs, body.get("declared", {}), body.get("code", ""))


@dataclass(frozen=True, slots=True)
class Examination:
    """How an asset stands today, and why. `until` is when a stale one stops being readable."""

    asset: AssetName
    standing: Standing
    faults: tuple[Fault, ...] = ()
    passport: Passport | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Lapse:
    """Since when rows of a minimized version have lost their ground, and how many they are."""

    rows: int
    since: datetime


def measure(
    con: duckdb.DuckDBPyConnection,
    asked: Sequence[Promise],
    output: exp.Table,
    references: Mapping[str, exp.Table],
    now: datetime,
) -> tuple[Measured, ...]:
    """Ask every promise of the table `output`. A question that needs a reference that is not there raises KeyError."""
    return tuple(_measure_one(con, promise, output, references, now) for promise in asked)


def _measure_one(
    con: duckdb.DuckDBPyConnection,
    promise: Promise,
    output: exp.Table,
    references: Mapping[str, exp.Table],
    now: datetime,
) -> Measured:
    question = promise.invariant.question(promise.parameters, output, references)
    with engine_errors(f"measuring {promise.name}"):
        cursor = con.execute(question.sql(dialect="duckdb"), moment_for(question, now))
        names = [column[0] for column in cursor.description or ()]
        row = cursor.fetchone() or ()
    numbers = {name: _number(value) for name, value in zip(names, row, strict=True) if value is not None}
    return Measured(promise.invariant.judge(promise.parameters, numbers), question_digest(promise))


def moment_for(query: exp.Query, now: datetime) -> dict[str, datetime] | None:
    """What to bind when a query is run: the moment `$now` (UTC), if it asks for it."""
    asks = any(node.name == "now" for node in query.find_all(exp.Placeholder, exp.Parameter))
    return {"now": _naive(now)} if asks else None


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _number(value: Any) -> Number:
    return value if isinstance(value, (int, float)) else float(value)


_OUTPUT = exp.to_table("output")


class _AnyTable(dict[str, exp.Table]):
    """Stands for the references where only the text of a question is wanted."""

    def __missing__(self, name: str) -> exp.Table:
        return exp.to_table(f"reference_{name}")


@functools.lru_cache(maxsize=4096)
def question_digest(promise: Promise) -> str:
    """SHA-256 (hex) of the question's text, whatever the tables are called on the day, and of what else it means."""
    text = promise.invariant.question(promise.parameters, _OUTPUT, _AnyTable()).sql(dialect="duckdb")
    meaning = getattr(promise.invariant, "meaning", None)
    if meaning and (said := meaning(promise.parameters)):
        text += "\n" + said
    return hashlib.sha256(text.encode()).hexdigest()


def judge_again(promise: Promise, passport: Passport) -> Fault | None:
    """Today's promise on the numbers measured then: None if it is kept, else what is wrong."""
    next_step = f"materialize {passport.asset} again (and what it is made from)"
    for measured in passport.evidence:
        if measured.finding.name == promise.name:
            if measured.question != question_digest(promise):
                return Fault(
                    f"{promise.name} was measured of something else than is promised now",
                    where=promise.where,
                    found=f"version {passport.version} of {passport.asset} was built under an older declaration, or by "
                    "an older version of this program",
                    next_step=next_step,
                )
            finding: Finding = promise.invariant.judge(promise.parameters, measured.finding.numbers)
            return None if finding.kept else fault_of(promise, finding, str(passport.asset))
    return Fault(
        f"{promise.name} was never measured on the published version",
        where=promise.where,
        found=f"version {passport.version} of {passport.asset}",
        next_step=next_step,
    )


def fault_of(promise: Promise, finding: Finding, asset: str) -> Fault:
    """A finding that is not kept, in words."""
    numbers = ", ".join(f"{name} {value:g}" for name, value in finding.numbers.items())
    return Fault(
        f"{asset}: {promise.name} is {finding.verdict.value}",
        where=promise.where,
        expected=finding.promise,
        found=numbers or "nothing could be measured",
        next_step=getattr(promise.invariant, "NEXT_STEP", "mend the input, or change the promise as a new version"),
    )


# Since when a subject's answer has been no: the first refusal after the last consent.
_REFUSED = """
CREATE TEMP TABLE refused AS
WITH said AS (
    SELECT {subject} AS subject, {decided_at} AS moment, {decision} = 'granted' AS granted
    FROM decided.main.data WHERE {purpose} = $purpose AND {decided_at} <= $now
),
consented AS (SELECT subject, max(moment) AS moment FROM said WHERE granted GROUP BY subject)
SELECT said.subject, min(said.moment) AS since
FROM said LEFT JOIN consented ON said.subject = consented.subject
WHERE NOT said.granted AND (consented.moment IS NULL OR said.moment >= consented.moment)
GROUP BY said.subject
"""


def _quoted(records: ConsentRecords) -> dict[str, str]:
    return {field: quoted(column) for field, column in records.model_dump().items()}


def compares(kind: str) -> bool:
    """Whether an invariant of this kind compares with the version before; False for one that there is no more."""
    return getattr(INVARIANTS.get(kind), "OF_PREVIOUS", False)


def _said(passport: Passport) -> dict[str, Any]:
    """All that a passport says of the data, and of how it was made; not file, run, moment, inputs, nor what was before.

    The same data is the same whatever it was compared with.
    """
    apart = ("version", "file_digest", "inputs", "run", "measured_at", "findings")
    own = [measured.body() for measured in passport.measured if not compares(measured.finding.invariant)]
    return {name: value for name, value in passport.body("").items() if name not in apart} | {"findings": own}


def is_bounded(passport: Passport) -> bool:
    """Whether this version is under differential privacy: what it tells of any one person is bounded, and was paid."""
    noisy = any(measured.finding.invariant == "noise_declared" for measured in passport.measured)
    return noisy or "epsilon" in passport.measures


def _is_exact(passport: Passport) -> bool:
    """Whether these are statistics without noise."""
    return any(measured.finding.invariant == "told_cells" for measured in passport.measured)


def _moved_on(published: AssetName, asset: AssetName) -> Fault:
    return Fault(
        f"{published} was published by another run while this one worked",
        where=str(asset),
        next_step="nothing is lost: materialize it again",
    )


class Gate:
    """Keeps the door: see the module's text. One per process and project; opening it verifies the ledger."""

    def __init__(
        self,
        project: Project,
        home: Home,
        versions: Versions,
        secrets: Secrets,
        ledger: Ledger,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.project = project
        self.home = home
        self.versions = versions
        self.secrets = secrets
        self.ledger = ledger
        self.now = now
        self._read = 0
        self._published: dict[AssetName, list[Passport]] = {}
        self._destroyed: dict[tuple[AssetName, str], str] = {}
        self._erasures: dict[str, Erasure] = {}
        self._erased: set[tuple[AssetName, str]] = set()
        self._spared: set[tuple[AssetName, str]] = set()
        self._done: set[str] = set()
        self._closed: dict[AssetName, Closing] = {}
        self._debits: list[Debit] = []
        self._accessed: dict[Input, int] = {}
        self._withdrawn: dict[tuple[AssetName, str], Entry] = {}
        self._lapses: dict[tuple[str, str, str], _Lapse | None] = {}

    @classmethod
    def open(
        cls,
        root: Path,
        env: Mapping[str, str] = os.environ,
        project: Project | None = None,
        kept: Mapping[str, bytes] = MappingProxyType({}),
    ) -> Gate:
        """The gate of the project at `root`, in the home that `env` names, which is made where there is none.

        `project` is what was loaded from `root` already, if it was; `kept` are checkpoints that were kept elsewhere,
        by what to call them, which the ledger must continue. Raises BadEnvironment where a file of home, key or witness
        cannot be read or written.
        """
        with disk_errors(f"the home of {root}, its key or its witness"):
            return cls._open(project or load(root), root, env, kept)

    @classmethod
    @contextmanager
    def looking(cls, root: Path, env: Mapping[str, str] = os.environ) -> Iterator[Gate]:
        """The gate for whoever asks what is declared, and what is published of it, which may be nothing yet.

        Where there is no home, none is made, and no key: that gate's is empty, and gone afterwards. Raises
        BadEnvironment where there was one.
        """
        if not Home.is_new(root, env):
            Home.require(root, env)
            yield cls.open(root, env)
            return
        with TemporaryDirectory(prefix="privacy-assets-") as folder:
            apart = Path(folder).resolve()
            KeyFile.create(apart / "key", told=False)
            places = {"HOME": apart / "home", "KEY_FILE": apart / "key", "WITNESS": apart / "witness"}
            named = {f"PRIVACY_ASSETS_{name}": str(path) for name, path in places.items()}
            yield cls.open(root, {**env, **named, "PRIVACY_ASSETS_PROJECT": "nothing-yet"})

    @classmethod
    def _open(cls, project: Project, root: Path, env: Mapping[str, str], kept: Mapping[str, bytes]) -> Gate:
        # a process that holds keys and data leaves no image of its memory when it crashes
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        home = Home.open(root, env)
        provider = KeyFile.open(home)
        secrets = Secrets.open(home, provider)
        # the checkpoint is there before any version can be; the lock and an empty file say nothing
        held = [home.ledger / name for name in ("entries", "checkpoint")]
        begun = any(path.is_file() and path.stat().st_size for path in held)
        if not begun and any(home.versions.rglob("*.duckdb")):
            raise Tampered.of(
                "the ledger is gone, and the home holds versions",
                where=str(home.ledger),
                next_step="put the ledger back from a backup; without it nothing in the home can be vouched for",
            )
        ledger = Ledger.open(
            home.ledger,
            origin=f"privacy-assets/{home.project_id}",
            signing_seed=secrets.derive("ledger", "log"),
            witness_folder=home.witness_folder,
            kept=kept,
        )
        return cls(project, home, Versions(home, provider), secrets, ledger)

    # ---- what the ledger holds

    def _catch_up(self) -> None:
        self._take_in(self.ledger.entries(self._read))

    def _take_in(self, entries: Sequence[Entry]) -> None:
        if any(entry.corrects_clock for entry in entries):
            # what was published before has another time now
            self._published.clear()
            self._closed.clear()
            self._accessed.clear()
            self._debits.clear()
            entries = self.ledger.entries()
        for entry in entries:
            if entry.body["action"] == "publish":
                passport = Passport.parse(entry)
                earlier = self._published.setdefault(passport.asset, [])
                # the same rows of the same people by the same program: what survived survives
                same = (one for one in reversed(earlier) if one.attested and self._same(one, passport))
                earlier.append(replace(passport, attested=next((one.attested for one in same), ())))
                self._closed.pop(passport.asset, None)
            elif entry.body["action"] == "destroy":
                named = (AssetName.parse(entry.body["asset"]), entry.body["version"])
                self._destroyed[named] = entry.body.get("reason", "superseded")
            elif entry.body["action"] == BEGUN:
                erasure = Erasure.parse(entry)
                self._erasures[erasure.id] = erasure
                self._erased.update(erasure.roots)
            elif entry.body["action"] == SPARED:
                if alike := entry.body["inputs"]:
                    inputs = tuple(Input(AssetName.parse(one["asset"]), one["version"]) for one in alike)
                    self._amend(entry, inputs=inputs)
                else:
                    self._spared.add((AssetName.parse(entry.body["asset"]), entry.body["version"]))
            elif entry.body["action"] == DONE:
                self._done.add(entry.body["erasure"])
            elif entry.body["action"] == "access":
                read = Input(AssetName.parse(entry.body["asset"]), entry.body["version"])
                self._accessed.setdefault(read, entry.position)
            elif entry.body["action"] == "withdraw":
                self._withdrawn[AssetName.parse(entry.body["asset"]), entry.body["content_digest"]] = entry
            elif entry.body["action"] == "attest":
                found = [Measured.parse(finding) for finding in entry.body["findings"]]
                self._amend(entry, attested=(*self._published_by(entry).attested, *found))
            elif entry.body["action"] == "close":
                closing = Closing.parse(entry)
                for asset in self._closed_with(closing.asset):
                    self._closed[asset] = closing
            elif entry.body["action"] == DEBIT:
                self._debits.append(Debit.parse(entry))
            elif entry.body["action"] == "rekey":
                body = entry.body
                self._amend(entry, rekeyed=body["copy"], file_digest=body["file_digest"], file_entry=entry.position)
            self._read = entry.position + 1

    def _published_by(self, entry: Entry) -> Passport:
        """The publication of the version that an entry names."""
        found = self._found(Input(AssetName.parse(entry.body["asset"]), entry.body["version"]))
        if found is None:
            raise Tampered.of("an entry names a version that was never published", where=f"entry {entry.position}")
        return found

    def _amend(self, entry: Entry, **changes: Any) -> None:
        """What an entry says of a version that was published before."""
        passport = self._published_by(entry)
        held = self._published[passport.asset]
        held[held.index(passport)] = replace(passport, **changes)

    def entries_by_now(self) -> int:
        """How many entries the ledger has, -1 where it cannot be read: the same number twice, and nobody wrote."""
        try:
            return self.ledger.size
        except PrivacyAssetsError:
            return -1

    def history(self, asset: AssetName) -> tuple[Passport, ...]:
        """All publications of an asset, oldest first."""
        self._catch_up()
        return tuple(self._published.get(asset, ()))

    def publications(self) -> tuple[Passport, ...]:
        """All publications of all assets, in the order of the ledger."""
        self._catch_up()
        every = (passport for held in self._published.values() for passport in held)
        return tuple(sorted(every, key=lambda passport: passport.position))

    def latest(self, asset: AssetName) -> Passport | None:
        """The publication that stands for this asset, if there is one."""
        self._catch_up()
        return self._latest(asset)

    def _latest(self, asset: AssetName) -> Passport | None:
        published = self._published.get(asset)
        return published[-1] if published and asset not in self._closed else None

    def parts(self, asset: AssetName) -> tuple[AssetName, ...]:
        """The days of an asset that there should be, in order: those that raw holds, and that are not closed.

        The asset itself, where it is not kept by day, or where it is a day.
        """
        if asset.day or not self._by_day(asset):
            return (asset,)
        self._catch_up()
        raw = AssetName(Stage.RAW, dataset=asset.dataset)
        days = sorted(part.day for part in self._published if part.day and part.whole == raw)
        return tuple(part for part in map(asset.of, days) if part not in self._closed)

    def closed(self, asset: AssetName) -> Closing | None:
        """How this day of an asset, or of the one it is made from, was closed; None where it is not."""
        self._catch_up()
        return self._closed.get(asset)

    def _made_of_days(self, asset: AssetName) -> bool:
        datasets = self.project.purposes[asset.purpose].datasets if asset.purpose else ()
        return any(self.project.contracts[dataset].deliveries for dataset in datasets)

    def declares(self, asset: AssetName) -> bool:
        """Whether the project has this asset: as a whole, or a day of it, where it is kept by day."""
        return asset.whole in self.project.assets() and bool(asset.day) == self._by_day(asset)

    def _by_day(self, asset: AssetName) -> bool:
        contract = self.project.contracts.get(asset.dataset)
        return contract is not None and contract.deliveries is not None

    def undeclared(self) -> tuple[AssetName, ...]:
        """Assets that have files in the home, and that no contract or purpose declares any more."""
        self._catch_up()
        gone = sorted(asset for asset in self._published if not self.declares(asset))
        held = {passport.asset for passport in self.held()}
        return tuple(asset for asset in gone if asset in held)

    def published(self) -> tuple[AssetName, ...]:
        """Every asset, or day of one, that was ever published."""
        self._catch_up()
        return tuple(sorted(self._published))

    def held(self) -> tuple[Passport, ...]:
        """All publications whose file and key are in the home, asset by asset, oldest first."""
        self._catch_up()
        return tuple(
            passport
            for asset in sorted(self._published)
            for passport in self._published[asset]
            if (asset, passport.version) not in self._destroyed and self.versions.exists(str(asset), passport.copy)
        )

    def passport(self, made_from: Input) -> Passport | None:
        """The publication of exactly this version."""
        self._catch_up()
        return self._found(made_from)

    def _found(self, made_from: Input) -> Passport | None:
        published = self._published.get(made_from.asset, ())
        return next((found for found in published if found.version == made_from.version), None)

    def _same(self, one: Passport | None, other: Passport | None) -> bool:
        """Whether two versions are the same but for name, file, run and time, and what they were made from is, too."""
        if one is None or other is None or _said(one) != _said(other):
            return False
        return len(one.inputs) == len(other.inputs) and all(
            first == second or self._same(self._found(first), self._found(second))
            for first, second in zip(one.inputs, other.inputs, strict=True)
        )

    def ancestry(self, passport: Passport) -> Iterator[Passport]:
        """This version and every version that it was made from, each once, nearest first.

        Raises Tampered where the ledger names an input that it does not hold.
        """
        self._catch_up()
        waiting, seen = [passport], {(passport.asset, passport.version)}
        while waiting:
            current = waiting.pop(0)
            yield current
            for made_from in current.inputs:
                if (made_from.asset, made_from.version) in seen:
                    continue
                seen.add((made_from.asset, made_from.version))
                found = self._found(made_from)
                if found is None:
                    raise Tampered.of(
                        f"{current.asset} was made from a version that the ledger does not hold",
                        where=f"ledger entry {current.position}",
                        found=f"{made_from.asset} {made_from.version}",
                    )
                waiting.append(found)

    def actor(self) -> str:
        """The OS user as a keyed pseudonym (32 hex): claimed, since nothing proves it here."""
        try:
            name = getpass.getuser()
        except (KeyError, OSError):  # in a container a user may have a number only
            name = str(os.getuid())
        text = name.encode(errors="surrogateescape")
        return hmac.new(self.secrets.derive("actors", "os-user"), text, hashlib.sha256).hexdigest()[:32]

    # ---- the clock

    def moment(self) -> datetime:
        """The time by which everything that expires is judged: now, and never before the last entry.

        Raises Refused where the clock is behind the last entry by more than CLOCK_TOLERANCE.
        """
        now, last = self.now(), self.ledger.last_time
        if last is not None and now + CLOCK_TOLERANCE < last:
            raise Refused.of(
                "the clock is behind the ledger: nobody can tell what has expired",
                where="the clock of this machine",
                expected=f"no earlier than the last entry, {last:%Y-%m-%d %H:%M:%S} UTC",
                found=f"{now.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
                next_step="set the clock; if it is right, and was ahead when that entry was written, put that on "
                "record with `privacy-assets correct-clock`",
            )
        return max(now, last) if last else now

    def correct_clock(self, today: date) -> int:
        """Put on record that the clock is right, and was ahead before; the position of the entry.

        `today` (UTC) is what the person who vouches for the clock knows from elsewhere. Raises Refused where the clock
        shows another day, or is not behind the ledger.
        """
        now = self.now().astimezone(UTC)
        if now.date() != today:
            raise Refused.of(
                "the clock shows another day than the one that was given",
                where="the clock of this machine",
                expected=f"{today:%Y-%m-%d} (UTC)",
                found=f"{now:%Y-%m-%d} (UTC)",
                next_step="set the clock first; look at another one, not at this machine's",
            )
        position = self.ledger.correct_clock({"action": "correct_clock", "actor_claimed": self.actor()})
        self._catch_up()
        return position

    # ---- publishing

    def publish(self, passport: Passport, *, since: int) -> Passport:
        """Append the passport: the moment from which the version exists.

        `since` is the size of the ledger when the work began. Where another run published this very content meanwhile,
        made from the same by the same code under the same declarations, its version is the answer and nothing is
        appended. What else was published meanwhile under this name, or under the name of an input, refuses this one,
        with Refused. Raises NotKept with every finding that is not kept.
        """
        asked = {promise.name: promise for promise in promises(self.project, passport.asset)}
        now = [promise for promise in asked.values() if not promise.later]
        faults = [judged for promise in now if (judged := judge_again(promise, passport))]
        if fault := self.withdrawn(passport):
            faults.append(fault)
        if faults or not asked:
            raise NotKept(*(faults or [Fault("nothing is promised of this asset", where=str(passport.asset))]))
        first: Passport | None = None

        def moved_on(entries: Sequence[Entry]) -> Fault | None:
            nonlocal first
            if fault := self.of_another_master(entries):
                return fault
            self._take_in(entries[self._read :])
            begun = any(erasure.position >= since for erasure in self._erasures.values())
            if self.holds_erased(passport) or (passport.asset.stage is Stage.RAW and begun):
                return Fault(
                    "somebody in it was erased while it was made", where=str(passport.asset), next_step="run it again"
                )
            for made_from in passport.inputs:
                newest = self._published[made_from.asset][-1]
                gone = (made_from.asset, made_from.version) in self._destroyed
                if newest.position >= since and (gone or not self._same(self._found(made_from), newest)):
                    return _moved_on(newest.asset, passport.asset)
            newest = self._published.get(passport.asset, [passport])[-1]
            if newest.position < since:
                return None
            first = newest if self._same(passport, newest) else None
            return _moved_on(newest.asset, passport.asset)

        self._keep(passport.declared)
        try:
            position = self.ledger.append(passport.body(self.actor()), unless=moved_on)
        except Refused:
            if first is None:
                raise
            return first
        self._catch_up()
        # with the evidence that it has from an earlier version of the same rows
        return self._published_by(self.ledger.entries(position)[0])

    def close(self, closing: Closing, *, since: int) -> None:
        """Put on record that nobody of a minimized day may be used any more: nothing stands of it, nor of what follows.

        `since` is the size of the ledger when the work began. Raises Refused where what was read was published anew
        meanwhile.
        """
        asset = closing.asset

        def moved_on(entries: Sequence[Entry]) -> Fault | None:
            if fault := self.of_another_master(entries):
                return fault
            self._take_in(entries[self._read :])
            newer = [one for one in closing.inputs if self._published[one.asset][-1].position >= since]
            return _moved_on(newer[0].asset, asset) if newer else None

        self._keep(closing.declared)
        self.ledger.append(closing.body(self.actor()), unless=moved_on)
        self._catch_up()
        needed = self._needed()
        for each in self._closed_with(asset):
            self._destroy_superseded(each, needed)

    def _closed_with(self, closed: AssetName) -> tuple[AssetName, ...]:
        """A day, and what is made from it by itself."""
        if closed.stage is Stage.RAW:
            same = (each for each in self._published if (each.dataset, each.day) == (closed.dataset, closed.day))
            return tuple(dict.fromkeys((closed, *same)))
        return closed, replace(closed, stage=Stage.PSEUDONYMIZED)

    def of_another_master(self, entries: Sequence[Entry]) -> Fault | None:
        """What is wrong where the master key was rotated since this gate was opened: its keys are under the old one."""
        masters = [entry.body["to"] for entry in entries if entry.body["action"] == "rotate_master"]
        if not masters or masters[-1] == self.versions.master:
            return None
        return Fault(
            "the master key was rotated",
            where=str(self.home.path),
            expected=masters[-1],
            found=self.versions.master,
            next_step="run it again with the new key file; if the rotation was interrupted, run that again first",
        )

    def destroy_superseded(self, published: Passport) -> int:
        """Destroy what is older than is kept, key first, of the asset and of all that it is made from; how many.

        What a version that stands was made from stays as long as that version. The ledger says so before it happens,
        and what a crash left half done is finished here.
        """
        needed = self._needed()
        assets = {made.asset for made in self.ancestry(published)}
        assets |= {asset for asset in self._closed if asset.purpose == published.asset.purpose}
        return sum(self._destroy_superseded(asset, needed) for asset in sorted(assets))

    def _needed(self) -> Collection[tuple[AssetName, str]]:
        self._catch_up()
        latest = [found for asset in self._published if self.declares(asset) and (found := self._latest(asset))]
        return {(made.asset, made.version) for found in latest for made in self.ancestry(found)}

    def _destroy_superseded(self, asset: AssetName, needed: Collection[tuple[AssetName, str]]) -> int:
        purpose = self.project.purposes.get(asset.purpose)
        keep = purpose.keep_superseded if purpose else 1
        history = self.history(asset)
        over = history if asset in self._closed else history[: -1 - keep]
        old = [found for found in over if (asset, found.version) not in needed]
        if self.unfinished():  # who is being erased goes with their erasure, and its receipts
            old = [found for found in old if not self.holds_erased(found)]
        for passport in old:
            if (asset, passport.version) not in self._destroyed:
                reason = "closed" if asset in self._closed else "superseded"
                body = {"action": "destroy", "asset": str(asset), "version": passport.version, "reason": reason}
                with suppress(Refused):
                    self.ledger.append({**body, "actor_claimed": self.actor()}, unless=self._stays(passport))
        gone = [found for found in self.history(asset) if (asset, found.version) in self._destroyed]
        destroyed = [passport for passport in gone if self.versions.exists(str(asset), passport.copy)]
        for passport in destroyed:
            self.versions.destroy(str(asset), passport.copy)
        return len(destroyed)

    def _stays(self, passport: Passport) -> Callable[[Sequence[Entry]], Fault | None]:
        """Asked under the ledger's lock: another run may have destroyed it, or published what it made from it."""

        def stays(entries: Sequence[Entry]) -> Fault | None:
            self._take_in(entries[self._read :])
            named = (passport.asset, passport.version)
            if named in self._destroyed or named in self._needed():
                return Fault("another run was there first", where=f"{passport.asset} version {passport.version}")
            return None

        return stays

    # ---- the privacy budget

    def debit(self, asset: AssetName, loss: PrivacyLoss, what: Sequence[str]) -> int:
        """Debit what a release of `asset` costs, from each dataset whose people are in it; the position of the entry.

        To be asked before any noise is drawn: whoever has no position has no right to draw. What was debited stays
        debited, also where the release fails afterwards. Raises Refused, with what is left, where a budget does not
        hold it, and BadDeclaration where a dataset has none.
        """
        datasets, now = self.project.paying(asset.purpose), self.moment()
        budgets = {name: self.project.contracts[name].privacy.budget for name in datasets}
        missing = [name for name, budget in budgets.items() if budget is None]
        if missing or not datasets:
            raise BadDeclaration.of(
                f"{asset} costs people, and nothing says how much it may",
                where=", ".join(missing),
                expected="`budget` in the contract of each dataset about people that it is made from",
                next_step="declare it: the command `schema contract` prints what may stand there",
            )

        def overspends(entries: Sequence[Entry]) -> Fault | None:
            if fault := self.of_another_master(entries):
                return fault
            self._take_in(entries[self._read :])
            for name, budget in budgets.items():
                if budget is not None and (fault := overspent(name, budget, self._debits, loss, now)):
                    return replace(fault, where=self.project.where("contract", name, "privacy", "budget"))
            return None

        debited = Debit(str(asset), datasets, loss, tuple(what))
        position = self.ledger.append(debited.body(self.actor(), self._declared(asset.purpose)), unless=overspends)
        self._catch_up()
        return position

    def debits(self) -> tuple[Debit, ...]:
        """All debits, oldest first."""
        self._catch_up()
        return tuple(self._debits)

    def account(self, dataset: str) -> Account | None:
        """How the budget of a dataset stands now; None where its contract has none."""
        budget = self.project.contracts[dataset].privacy.budget
        return account(dataset, budget, self.debits(), self.moment()) if budget else None

    # ---- reading

    def examine(self, asset: AssetName) -> Examination:
        """How the asset stands now, with every fault that was found. Never raises for what it finds."""
        while True:
            before = self.entries_by_now()
            examination = self._examine(asset)
            # what does not pass may be only that another run came between our looks at the ledger and at the file
            if examination.standing in PASSING or self.entries_by_now() == before:
                return examination

    def _examine(self, asset: AssetName) -> Examination:
        try:
            self._known(asset)
            passport = self.latest(asset)
            if passport is None:
                by_day = self._by_day(asset)
                one = f" --partition {asset.day}" if asset.day else ""
                fault = Fault(
                    f"nobody of {asset} may be used" if asset in self._closed else f"{asset} was never published",
                    expected="a day of it, written with @YYYY-MM-DD" if by_day and not asset.day else "",
                    next_step="`privacy-assets run` takes in every day that was delivered"
                    if by_day and not asset.day
                    else f"""dagster asset materialize -m definitions --select '+key:"{asset.whole}"'{one}""",
                )
                return Examination(asset, Standing.MISSING, (fault,))
            if unsound := self._file_fault(passport):
                return Examination(asset, *unsound, passport)
            faults = [fault for version in self.ancestry(passport) for fault in self._passport_faults(version)]
            if self.holds_erased(passport):
                faults.insert(0, self._holds_erased_fault(passport))
            if faults:
                return Examination(asset, Standing.BROKEN, tuple(faults), passport)
            if waits := [waits for version in self.ancestry(passport) for waits in self._waits(version)]:
                return Examination(asset, Standing.PENDING, tuple(waits), passport)
            return self._entitlement(passport)
        except Tampered as error:
            return Examination(asset, Standing.FORGED, error.faults, self.latest(asset))
        except PrivacyAssetsError as error:
            return Examination(asset, Standing.BROKEN, error.faults, self.latest(asset))

    def require(self, asset: AssetName, reader: str) -> Passport:
        """The version that `reader` (a stage, or PERSON) may read now.

        Raises Refused, Stale (with the time it lapsed) or Tampered, with every reason at once.
        """
        self._may_read(asset, reader)
        examination = self.examine(asset)
        if examination.passport is not None and examination.standing in PASSING:
            self._decisions_are_fresh(examination.passport)
            return examination.passport
        kinds = {Standing.OVERDUE: Stale, Standing.FORGED: Tampered}
        raise kinds.get(examination.standing, Refused)(*examination.faults)

    def require_days(self, asset: AssetName, reader: str) -> tuple[Passport, ...]:
        """As `require`, of every day of an asset: of each day that raw holds, unless it is closed. At least one."""
        days = self.parts(asset)
        if not days:
            raise Refused.of(
                f"no day of {asset} was ever published",
                where=str(asset),
                next_step="`privacy-assets run` takes in every day that was delivered",
            )
        return tuple(self.require(day, reader) for day in days)

    def _may_read(self, asset: AssetName, reader: str) -> None:
        self._known(asset)
        readers = READERS[asset.stage]
        if asset.purpose and asks_for_tables(self.project.purposes[asset.purpose]):
            readers |= READERS_OF_TABLES.get(asset.stage, frozenset())
        if reader not in readers:
            raise Refused.of(
                f"{reader} may not read {asset}",
                expected=f"readers of {asset.stage}: {', '.join(sorted(readers))}",
                next_step="read the training set of your purpose, or declare a purpose that needs this data",
            )

    def _decisions_are_fresh(self, passport: Passport) -> None:
        """Nothing is built on decisions older than their contract allows: somebody may have withdrawn since."""
        contract = self.project.contracts.get(passport.asset.dataset)
        if passport.asset.stage is not Stage.RAW or contract is None or contract.privacy.consent_records is None:
            return
        hours = contract.fresh_within_hours
        if hours is not None and passport.time + timedelta(hours=hours) < self.moment():
            raise Refused.of(
                f"the decisions in {passport.asset} are too old to build on",
                where=self.project.where("contract", contract.name),
                expected=f"taken in within the last {hours} hours (latency)",
                found=f"taken in at {passport.time:%Y-%m-%d %H:%M} UTC",
                next_step=f"""dagster asset materialize -m definitions --select 'key:"{passport.asset}"'""",
            )

    def _known(self, asset: AssetName) -> None:
        known = self.project.assets()
        if asset.whole not in known or (asset.day and not self._by_day(asset)):
            raise BadDeclaration.of(
                f"there is no asset {asset}",
                expected="one of " + ", ".join(sorted(map(str, known))),
                next_step="name a declared asset, or declare it in a contract or a purpose",
            )

    def is_sound(self, passport: Passport) -> bool:
        """Whether the version's file and key are there, and the file is the one that was published."""
        return self._file_fault(passport) is None

    def require_sound(self, passport: Passport) -> None:
        """Raise Refused where the version's file or key is gone, Tampered where the file is another."""
        if unsound := self._file_fault(passport):
            raise (Tampered if unsound[0] is Standing.FORGED else Refused)(*unsound[1])

    def _file_fault(self, passport: Passport) -> tuple[Standing, tuple[Fault, ...]] | None:
        asset, version, copy = str(passport.asset), passport.version, passport.copy
        if passport.version == self._published[passport.asset][-1].version:
            then = "materialize again to publish a sound version"
        else:
            then = (
                "it is no longer the one that is read, and is destroyed as superseded when "
                f"{asset} and what is made from it are materialized once more"
            )
        if (passport.asset, version) in self._destroyed:
            erased = self.was_erased(passport)
            fault = Fault(
                "it was destroyed: somebody in it was erased" if erased else "the version was superseded and destroyed",
                where=f"{asset} version {version}",
                next_step=f"materialize {asset} and what is made from it again",
            )
            return Standing.BROKEN, (fault,)
        if not self.versions.exists(asset, copy):
            newest = self.passport(Input(passport.asset, version))
            if (passport.asset, version) in self._destroyed or (newest is not None and newest.copy != copy):
                fault = Fault(
                    "another run destroyed it, or rotated its data key, a moment ago",
                    where=f"{asset} version {version}",
                    next_step="run it again",
                )
                return Standing.BROKEN, (fault,)
            fault = Fault(
                "the file or key of the published version is gone",
                where=f"{asset} version {version}",
                next_step=f"materialize {asset} again; if nobody removed it, treat this as an incident",
            )
            return Standing.BROKEN, (fault,)
        if file_digest(self.versions.path(asset, copy)) != passport.file_digest:
            fault = Fault(
                "the file is not the one that was published",
                where=f"{asset} version {version}",
                expected=f"SHA-256 {passport.file_digest[:16]}… (ledger entry {passport.file_entry})",
                found="another content",
                next_step=f"stop and find out who changed it; {then}",
            )
            return Standing.FORGED, (fault,)
        if self.versions.has_log(asset, copy):
            fault = Fault(
                "a write-ahead log lies beside the published version",
                where=f"{asset} version {version}",
                expected="the file and its key alone",
                next_step=f"stop and find out who put it there; {then}",
            )
            return Standing.FORGED, (fault,)
        try:
            self.versions.key(asset, copy)
        except PrivacyAssetsError as error:
            return (Standing.FORGED if isinstance(error, Tampered) else Standing.BROKEN), error.faults
        return None

    def _passport_faults(self, passport: Passport) -> Iterator[Fault]:
        where = f"{passport.asset} version {passport.version}"
        if not self.declares(passport.asset):
            yield Fault("it was made from an asset that is no longer declared", where=where)
            return
        if fault := self.withdrawn(passport):
            yield fault
        asked = promises(self.project, passport.asset)
        if not asked:
            yield Fault("nothing is promised of this asset, so nothing is kept", where=where)
        attested = {measured.finding.name for measured in passport.attested}
        for promise in asked:
            awaited = promise.later and promise.name not in attested
            if not awaited and (fault := judge_again(promise, passport)):
                yield fault
        if passport.asset.purpose:
            purpose = self.project.purposes[passport.asset.purpose]
            if passport.time + timedelta(days=purpose.retention_days) < self.moment():
                yield Fault(
                    "it is older than the purpose keeps its results",
                    where=where,
                    expected=f"at most {purpose.retention_days} days",
                    next_step="materialize it again",
                )
            if passport.epoch is not None and passport.epoch != purpose.epoch:
                yield Fault(
                    "its pseudonyms are of another epoch",
                    where=where,
                    expected=f"epoch {purpose.epoch}",
                    found=f"epoch {passport.epoch}",
                    next_step="materialize the purpose from pseudonymized on",
                )

    # ---- what is measured after the build

    def awaited(self, passport: Passport) -> tuple[Promise, ...]:
        """What is promised of this version and was not measured yet, since it takes too long before a publication."""
        found = {measured.finding.name for measured in passport.attested}
        asked = promises(self.project, passport.asset)
        return tuple(promise for promise in asked if promise.later and promise.name not in found)

    def _waits(self, passport: Passport) -> Iterator[Fault]:
        if awaited := self.awaited(passport):
            yield Fault(
                "it waits for the red team: what takes long was not tried on it yet",
                where=f"{passport.asset} version {passport.version}",
                expected=", ".join(promise.name for promise in awaited),
                next_step=f"`privacy-assets redteam {passport.asset.purpose}`, or the job of that name in Dagster",
            )

    def attest(self, passport: Passport, findings: Sequence[Measured], *, seed: int) -> int:
        """Put on record what was measured of a version after it was published; the position of the entry.

        `seed` are the chances by which it was. What is not kept keeps the version from being read, as it would have
        kept it from being published; what is broken twice is withdrawn.
        """
        return self._say_of(passport, "attest", findings=[measured.body() for measured in findings], seed=seed)

    def _say_of(self, passport: Passport, action: str, **said: Any) -> int:
        """Put on record what is said of a version that is published; the position of the entry."""
        named = {"action": action, "asset": str(passport.asset), "version": passport.version}
        position = self.ledger.append({**named, **said, "actor_claimed": self.actor()})
        self._catch_up()
        return position

    # ---- consent, objection and retention after the build

    def _entitlement(self, passport: Passport) -> Examination:
        asset, now = passport.asset, self.moment()
        lapses = [
            lapse
            for version in self.ancestry(passport)
            if version.asset.stage is Stage.MINIMIZED
            and (asked := self._asked_in_place_of(version)) is not None
            and (lapse := self._lapse(asked)) is not None
        ]
        if not lapses:
            return Examination(asset, Standing.KEPT, (), passport)
        hours = self.project.purposes[asset.purpose].withdrawal_effect_hours
        until = min(lapse.since for lapse in lapses) + timedelta(hours=hours)
        overdue = until <= now
        fault = Fault(
            "people in it have withdrawn, objected or passed retention since it was built",
            where=f"{asset} version {passport.version}",
            expected=f"a rebuild within {hours} hours (withdrawal_effect_hours)",
            found=f"{max(lapse.rows for lapse in lapses)} rows, {'overdue since' if overdue else 'readable until'} "
            f"{until:%Y-%m-%d %H:00} UTC",
            next_step="`privacy-assets run`, which rebuilds the days that they are in"
            if self._made_of_days(asset)
            else f"""dagster asset materialize -m definitions --select '+key:"{asset}"'""",
        )
        return Examination(asset, Standing.OVERDUE if overdue else Standing.STALE, (fault,), passport, until)

    def lapsed(self, version: Passport) -> int:
        """How many rows of a minimized version lost their ground since it was built."""
        lapse = self._lapse(version)
        return lapse.rows if lapse else 0

    def _asked_in_place_of(self, version: Passport) -> Passport | None:
        """Of whom to ask who lapsed: the version; the one after it, where it was erased and what it made was spared."""
        if not self.was_erased(version):
            return version
        after = self.latest(version.asset)
        return None if after is None or self.was_erased(after) else after

    def _lapse(self, version: Passport) -> _Lapse | None:
        """What a minimized version has lost since it was built: asked of the file, once an hour and consent version."""
        contract = self.project.contracts[version.asset.dataset]
        consents = AssetName(Stage.RAW, dataset=contract.privacy.consents) if contract.privacy.consents else None
        # also where the decisions are those it was built from: one of them may begin to count only later
        decided = self.latest(consents) if consents else None
        if decided is None and contract.privacy.retention is None:
            return None
        now = self.moment()
        asked = (version.version, decided.version if decided else "", f"{now:%Y-%m-%dT%H}")
        if asked not in self._lapses:
            for read in (version, decided) if decided else (version,):
                self.require_sound(read)
            self._lapses[asked] = self._ask_lapse(version, decided, now)
        return self._lapses[asked]

    def _ask_lapse(self, version: Passport, decided: Passport | None, now: datetime) -> _Lapse | None:
        contract, purpose = self.project.contracts[version.asset.dataset], self.project.purposes[version.asset.purpose]
        attached = {"held": self.attachment(version)} | ({"decided": self.attachment(decided)} if decided else {})
        # each: the condition under which a row may stay, and the moment from which it may not
        asked: list[tuple[exp.Expr, str]] = []
        if contract.privacy.retention:
            days = contract.privacy.retention.days
            ends = f'CAST("{RETENTION_FROM}" AS DATE) + INTERVAL {days + 1} DAY'
            asked.append((retained(days, RETENTION_FROM, "held_row"), ends))
        records = consent_records(self.project, contract)
        if decided is not None and records and contract.subject_column:
            said = exp.to_table("decided.main.data", dialect="duckdb")
            refused = f'SELECT refused.since FROM refused WHERE refused.subject = held_row."{contract.subject_column}"'
            asked.append((entitled(purpose, contract.subject_column, records, "held_row", said), f"({refused})"))
        lapses: list[_Lapse] = []
        with governed(self.home.spill, inputs=attached, candidate=None) as con, engine_errors("asking who withdrew"):
            if decided is not None and records:
                con.execute(_REFUSED.format(**_quoted(records)), {"purpose": purpose.purpose, "now": _naive(now)})
            for stays, ends in asked:
                sql = (
                    f"SELECT count(*), min(greatest(CAST({ends} AS TIMESTAMP), $built)) "
                    f"FROM held.main.data AS held_row WHERE NOT coalesce({stays.sql(dialect='duckdb')}, false)"
                )
                values = {"now": _naive(now), "built": _naive(version.time)}
                rows, since = con.execute(sql, values).fetchone() or (0, None)
                if rows:
                    lapses.append(_Lapse(rows, (since or values["built"]).replace(tzinfo=UTC)))
        if not lapses:
            return None
        return _Lapse(max(lapse.rows for lapse in lapses), min(lapse.since for lapse in lapses))

    # ---- opening

    def attachment(self, passport: Passport) -> Attachment:
        """Path and key of a version, for the one who has asked `require`."""
        asset = str(passport.asset)
        return Attachment(self.versions.path(asset, passport.copy), self.versions.key(asset, passport.copy))

    @contextmanager
    def open_version(self, asset: AssetName, *, purpose: str) -> Iterator[tuple[duckdb.DuckDBPyConnection, Passport]]:
        """A version opened for a person: catalog `released`, read-only. The access is in the ledger first."""
        self._may_read(asset, PERSON)
        if asset.purpose != purpose:
            raise Refused.of(
                f"{asset} was not made for the purpose {purpose!r}",
                expected=f"purpose={asset.purpose!r}",
                next_step="read an asset of your own purpose, or declare a purpose that needs this data",
            )
        passport = self.require(asset, PERSON)
        self._stands_apart_from_nobody(passport)
        self.ledger.append(
            {
                "action": "access",
                "asset": str(asset),
                "version": passport.version,
                "purpose": purpose,
                "rows": passport.rows,
                "columns": [name for name, _ in passport.columns],
                "declared": self._declared(purpose),
                "actor_claimed": self.actor(),
            }
        )
        with governed(self.home.spill, inputs={"released": self.attachment(passport)}, candidate=None) as con:
            yield con, passport

    # ---- withdrawn

    def withdraw(self, passport: Passport, findings: Sequence[Measured], *, seed: int) -> int:
        """Refuse this content of the asset from now on, and all that was made from it; the position of the entry.

        `findings` are those for which it is withdrawn, `seed` the chances by which they were found: what is made of the
        asset later is attacked by them, too. There is no way back: what failed is not released again.
        """
        return self._say_of(
            passport,
            "withdraw",
            content_digest=passport.content_digest,
            findings=[measured.body() for measured in findings],
            seed=seed,
        )

    def seeds_of_withdrawals(self, asset: AssetName) -> tuple[int, ...]:
        """The chances by which versions of this asset were found not to survive, each once."""
        self._catch_up()
        found = (entry.body["seed"] for (withdrawn, _), entry in self._withdrawn.items() if withdrawn == asset)
        return tuple(dict.fromkeys(found))

    def withdrawn(self, passport: Passport) -> Fault | None:
        """Why this content of the asset may not be read any more; None where it was never withdrawn."""
        self._catch_up()
        entry = self._withdrawn.get((passport.asset, passport.content_digest))
        if entry is None:
            return None
        names = ", ".join(Measured.parse(finding).finding.name for finding in entry.body["findings"])
        return Fault(
            "it was withdrawn: it did not survive an attack that was tried after it was published",
            where=f"{passport.asset} version {passport.version}",
            found=f"{names} (ledger entry {entry.position}, {entry.time:%Y-%m-%d})",
            next_step="make it anew with another technique, synthesizer or seed; tell those who have read it "
            f"(entries of {passport.asset} with the action `access`)",
        )

    # ---- those who were erased

    def tombstones(self) -> Tombstones:
        """Of whom nothing is taken in. Raises Tampered where they are not those that the ledger speaks of."""
        self._catch_up()
        last = max(self._erasures.values(), key=lambda erasure: erasure.position, default=None)
        known = Known(last.tombstones, last.digest) if last else Known()
        return tombstones.read(self.home, known, self.secrets.derive("pseudonyms", "tombstones").hex())

    def unfinished(self) -> tuple[Erasure, ...]:
        """The erasures that were begun and not ended, oldest first."""
        self._catch_up()
        return tuple(erasure for name, erasure in self._erasures.items() if name not in self._done)

    def holds_erased(self, passport: Passport) -> bool:
        """Whether somebody who was erased is in this version, or in what it was made from, but for what is spared."""
        self._catch_up()
        waiting, seen = [Input(passport.asset, passport.version)], set()
        inputs = {waiting[0]: passport.inputs}
        while waiting:
            current = waiting.pop()
            named = (current.asset, current.version)
            if named in self._spared or current in seen:
                continue
            if named in self._erased:
                return True
            seen.add(current)
            found = None if current in inputs else self._found(current)
            waiting += inputs.get(current, found.inputs if found else ())
        return False

    def spared(self) -> frozenset[tuple[AssetName, str]]:
        """The versions that stay, by the ledger, though what they were made from was erased, and nothing is like it."""
        self._catch_up()
        return frozenset(self._spared)

    def was_erased(self, passport: Passport) -> bool:
        """Whether this version was destroyed since somebody in it was erased."""
        self._catch_up()
        return self._destroyed.get((passport.asset, passport.version)) == ERASED

    def erase_version(self, passport: Passport, erasure: Erasure, replaced_by: Passport | None) -> int:
        """Destroy a version in which somebody was erased, key first; the position of the entry: the receipt of it."""
        position = self._say_of(
            passport,
            "destroy",
            reason=ERASED,
            erasure=erasure.id,
            rows=passport.rows,
            replaced_by=replaced_by.version if replaced_by else "",
            rows_after=replaced_by.rows if replaced_by else 0,
        )
        self.versions.destroy(str(passport.asset), passport.copy)
        return position

    def spare(self, passport: Passport, erasure: Erasure, reason: str, inputs: Sequence[Input] = ()) -> int:
        """Put on record that a version stays, though what it was made from was erased, and why.

        `inputs` are versions of the same content, where there are such: from then on it counts as made from these.
        """
        alike = [{"asset": str(one.asset), "version": one.version} for one in inputs]
        return self._say_of(passport, SPARED, erasure=erasure.id, reason=reason, inputs=alike)

    def _holds_erased_fault(self, passport: Passport) -> Fault:
        return Fault(
            "somebody in it, or in what it was made from, is erased",
            where=f"{passport.asset} version {passport.version}",
            next_step="`privacy-assets erase --resume` where an erasure was interrupted; else materialize it again",
        )

    # ---- what was delivered before

    def delivered(self, asset: AssetName) -> tuple[str, ...]:
        """The versions of an asset that somebody has read or exported, or a training set made of them."""
        return tuple(self._delivered(asset))

    def _delivered(self, asset: AssetName) -> Mapping[str, int]:
        """The same, each with the entry by which it was delivered first."""
        self._catch_up()
        found: dict[str, int] = {}
        for named in sorted(self._accessed, key=self._accessed.__getitem__):
            passport = self._found(named)
            if passport is None or named.asset.purpose != asset.purpose or named.asset.stage is Stage.MODEL:
                continue
            for made in self.ancestry(passport):
                if made.asset == asset:
                    found.setdefault(made.version, self._accessed[named])
        return found

    def compared(self, asset: AssetName) -> tuple[AssetName, ...]:
        """The assets whose delivered versions tell of the same people to the same recipients: this one first.

        The same people: both use a dataset about people. The same recipients: one that both purposes name, or both name
        none, which leaves those who work here.
        """
        own = self.project.purposes[asset.purpose]
        found = [asset]
        for name, purpose in self.project.purposes.items():
            other = AssetName(asset.stage, name)
            shared = set(own.recipients) & set(purpose.recipients) or not (own.recipients or purpose.recipients)
            if other != asset and shared and self._people(own.datasets) & self._people(purpose.datasets):
                found.append(other)
        return tuple(found)

    def _people(self, datasets: Iterable[str]) -> set[str]:
        return {name for name in datasets if self.project.contracts[name].subject_column is not None}

    def _stands_apart_from_nobody(self, passport: Passport) -> None:
        """Raise Refused where this version and one that was delivered tell a group of fewer than k people apart.

        Asked of rows that are anonymized, of training sets of such, and of statistics without noise; what noise hides
        is the budget's matter, and a model is another. What was delivered after this version was compared with it.
        """
        if passport.asset.stage not in (Stage.ANONYMIZED, Stage.TRAINING, Stage.STATISTICS):
            return
        for version in self.ancestry(passport):
            if version.asset.stage is not Stage.ANONYMIZED and not _is_exact(version):
                continue
            since = self._delivered(version.asset).get(version.version, math.inf)
            for asset in self.compared(version.asset):
                history = {found.version: found for found in self.history(asset)}
                for name, position in self._delivered(asset).items():
                    earlier = history[name]
                    noisy = asset.stage is Stage.STATISTICS and not _is_exact(earlier)
                    if position < since and earlier.content_digest != version.content_digest and not noisy:
                        self._compare(version, earlier)

    def _compare(self, version: Passport, earlier: Passport) -> None:
        every = promises(self.project, version.asset)
        asked = [promise for promise in every if promise.parameters.kind in _FEWEST]
        apart = version.measures.get(f"apart[{earlier.version}]")
        if apart is None:
            raise Refused.of(
                "it was never compared with a version that was delivered",
                where=f"{version.asset} version {version.version}",
                expected=f"a comparison with {earlier.asset} version {earlier.version}",
                next_step=f"materialize {version.asset} again, and what is made from it",
            )
        least = max((getattr(each.parameters, _FEWEST[each.parameters.kind]) for each in asked), default=0)
        if 0 < apart < least:
            raise Refused.of(
                "together with what was delivered before it tells fewer than k people apart, so it waits",
                where=asked[0].where,
                expected=f"no group of fewer than {least} people that stands apart in this version "
                f"({version.version}) and in {earlier.asset} version {earlier.version}, which was delivered",
                found=f"a group of {apart:g}",
                next_step="nothing is lost: it can be read when enough people have changed; materialize "
                f"{version.asset} again then, and what is made from it",
            )

    def _declared(self, name: str) -> dict[str, str]:
        """Under which declarations a purpose is read: who lowers a promise for one read leaves their digest."""
        purpose = self.project.purposes[name]
        contracts = [self.project.contracts[dataset] for dataset in purpose.datasets]
        decided = [self.project.contracts[held.privacy.consents] for held in contracts if held.privacy.consents]
        found = {f"contract {held.name}@{held.version}": held.digest for held in (*contracts, *decided)}
        found |= {f"purpose {name}@{purpose.version}": self.project.digest(name)}
        self._keep(found)
        return found

    # ---- declarations

    def declaration(self, digest: str) -> str | None:
        """The text of a contract or purpose that the ledger names; None where none was kept.

        Releases before this one kept none. Raises Tampered where it is not what the ledger names.
        """
        return declarations.read(self.home, self._seal(), digest)

    def _keep(self, declared: Mapping[str, str]) -> None:
        """Keep the texts that an entry is about to name."""
        missing = {digest for digest in declared.values() if not declarations.is_kept(self.home, digest)}
        if missing:
            for digest, meant in self.project.by_digest().items():
                if digest in missing:
                    declarations.keep(self.home, self._seal(), text_of(meant))

    def _seal(self) -> bytes:
        return self.secrets.derive("ledger", "declarations")

    def candidate(self, asset: AssetName) -> Candidate:
        """A new file for this asset, deleted unless it is kept."""
        return self.versions.candidate(str(asset))

    def sweep(self) -> int:
        """Destroy what runs left that were killed: files that no publication names, and half destroyed ones."""

        def published() -> set[tuple[str, str]]:
            self._catch_up()
            return {
                (str(asset), found.copy)
                for asset, all_of in self._published.items()
                for found in all_of
                if (asset, found.version) not in self._destroyed
            } | {(REQUESTS, erasure.id) for erasure in self.unfinished()}

        return self.versions.sweep(published)

    def content_digest(self, con: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> str:
        """Keyed, order-independent digest (hex) over the tables of a version: the same data gives the same one."""
        key = self.secrets.derive("digests", "content")
        return hashlib.sha256(json.dumps([content_digest(con, table, key) for table in tables]).encode()).hexdigest()
