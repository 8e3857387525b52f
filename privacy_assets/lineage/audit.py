"""Whether every promise-bearing clause has a control, every control a clause, and both evidence that still holds.

    clause ───────────────► control ──────────────► check ───────────► evidence
    guarantee.anonymity…    anonymized/research     k_anonymity        k 12, version 3f…, entry 41
    (file and line)         (the stage)             (an invariant)     (by the ledger)

Belongs here: which clauses a contract and a purpose have, what keeps each, the latest evidence by the ledger, and what
is wrong with all that. Does not belong here: what is promised (`contracts/promises.py`), measuring, how it is told
(`reports/audit.py`), files of versions: nothing here opens one.

`findings` are what `verify` fails on:

* an *orphan clause*: nothing that it asks for is among the promises, and nothing else keeps it;
* an *orphan control*: a promise is measured that no clause asks for;
* *stale evidence*: a promise was never measured on the version that stands, was measured of something else than is
  asked today, or longer ago than the purpose keeps its results;
* a *contradicted fact*: what is declared is not what the ledger shows (`CONTRADICTIONS`).

What it does not cover: clauses that people keep (recipients, third parties, notice of a breach). They are told, and
nobody here can say whether they are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from privacy_assets.contracts import drift
from privacy_assets.contracts.anonymity import SPLIT, asked_of
from privacy_assets.contracts.contract import Contract
from privacy_assets.contracts.loading import Project
from privacy_assets.contracts.promises import Promise, identifiers_and_texts, promises, tokenized
from privacy_assets.contracts.purpose import PlainNumbers, Purpose, Transfer
from privacy_assets.contracts.withstanding import withstood
from privacy_assets.errors import Fault, Refused
from privacy_assets.gate import PERSON, READERS, Gate, Passport, judge_again, question_digest
from privacy_assets.ledger.log import Entry
from privacy_assets.lineage.diff import CONTRACT, PURPOSE, Declaration
from privacy_assets.lineage.flows import Flows
from privacy_assets.words import AssetName, Numbers, Stage, Verdict

NOT_MEASURED, PENDING = "not measured", "pending"
"""What is said of a promise beside the verdicts: it, or what it asks today, was never measured; it waits."""

CONTRADICTIONS: Mapping[str, str] = {
    "schema": "the declared columns and their types against those that the passport of the version that stands shows",
    "inputs": "the assets that a step is declared to read against those that the version that stands was made from",
    "accesses": "whom an asset was made for, and who may read its stage, against every access in the ledger",
    "retention": "how long a purpose keeps its results against the age of every version whose file is still there",
    "nobody": "datasets that are declared to be about nobody against their columns with an identifier domain",
}
"""Which declared facts are held against what the ledger and the declarations show, by name."""


class Check(NamedTuple):
    """An invariant that a clause needs asked of an asset, in this file and line."""

    asset: AssetName
    invariant: str
    where: str


@dataclass(frozen=True, slots=True)
class Clause:
    """One promise-bearing line of a declaration, and what keeps it.

    `place` is the way to it within the declaration, `checks` must all be asked, `may` can be, by what the data is like.
    `kept_by` is what keeps it besides: the gate, the ledger, the loading of declarations, people; `actions` are the
    entries of the ledger in which that shows. `asset` is the one of which it is said when it has no control.
    """

    of: Declaration
    place: tuple[str | int, ...]
    where: str
    asset: AssetName
    checks: tuple[Check, ...] = ()
    may: tuple[Check, ...] = ()
    kept_by: str = ""
    actions: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The place, as people write it."""
        return ".".join(map(str, self.place)) or str(self.of)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The latest that is known of one promise of one asset (or day): what came of it, on which version, by which entry.

    `verdict` is one of `Verdict`, NOT_MEASURED or PENDING; `declared` is under which declarations it was measured;
    `stale` says why it is no evidence of today, None where it is. `position` is -1, and `time` None, where there is no
    version.
    """

    asset: AssetName
    promise: Promise
    verdict: str
    numbers: Numbers
    version: str = ""
    position: int = -1
    time: datetime | None = None
    declared: Mapping[str, str] | None = None
    stale: Fault | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A clause with the promises that keep it, each with its evidence; and the latest entry in which it shows."""

    clause: Clause
    evidence: Sequence[Evidence]
    shown_by: Entry | None


@dataclass(frozen=True)
class Audit:
    """Every clause answered, and everything that is wrong, by the asset that it is said of."""

    answered: Sequence[Answered]
    orphan_clauses: Sequence[tuple[AssetName, Fault]]
    orphan_controls: Sequence[tuple[AssetName, Fault]]
    stale: Sequence[tuple[AssetName, Fault]]
    contradicted: Sequence[tuple[AssetName, Fault]]

    def findings(self) -> Mapping[AssetName, tuple[Fault, ...]]:
        """All that is wrong."""
        found: dict[AssetName, tuple[Fault, ...]] = {}
        for asset, fault in (*self.orphan_clauses, *self.orphan_controls, *self.stale, *self.contradicted):
            found[asset] = (*found.get(asset, ()), fault)
        return found


def audit(gate: Gate, flows: Flows) -> Audit:
    """Clauses, controls, evidence and findings, by the declarations, the graph and the ledger alone."""
    project = gate.project
    asked = {asset: promises(project, asset) for asset in flows.made}
    found = tuple(clauses(project))
    entries = gate.ledger.entries()
    attested = attested_by(entries)
    evidence = {
        (asset, promise.name): evidence_of(gate, asset, promise, attested)
        for asset, every in asked.items()
        for promise in every
    }
    answered = []
    for clause in found:
        named = {*clause.checks, *clause.may}
        kept = [
            one
            for asset in dict.fromkeys(check.asset for check in (*clause.checks, *clause.may))
            for promise in asked.get(asset, ())
            if Check(asset, promise.parameters.kind, promise.where) in named
            for one in evidence[asset, promise.name]
        ]
        answered.append(Answered(clause, kept, _latest(entries, clause)))
    stale = [(one.asset, one.stale) for each in evidence.values() for one in each if one.stale is not None]
    return Audit(
        answered,
        tuple(_orphan_clauses(found, asked)),
        tuple(_orphan_controls(found, asked)),
        stale,
        tuple(_contradicted(gate, flows, entries)),
    )


# ---- evidence


Attested = Mapping[tuple[AssetName, str], Entry]
"""By asset and name of a finding: the latest entry in which it was measured after a publication."""


def attested_by(entries: Sequence[Entry]) -> Attested:
    """By asset and name of a finding: the latest entry in which it was measured after a publication."""
    found = {}
    for entry in entries:
        if entry.body["action"] == "attest":
            for measured in entry.body["findings"]:
                name = "__".join(part for part in (measured["invariant"], measured["about"]) if part)
                found[AssetName.parse(entry.body["asset"]), name] = entry
    return found


def evidence_of(
    gate: Gate, asset: AssetName, promise: Promise, attested: Attested | None = None
) -> tuple[Evidence, ...]:
    """The latest evidence of a promise of an asset: one, or one for each day of it that there should be."""
    attested = attested_by(gate.ledger.entries()) if attested is None else attested
    found = []
    for part in gate.parts(asset):
        passport = gate.latest(part)
        if passport is None:
            found.append(Evidence(part, promise, NOT_MEASURED, {}))
            continue
        verdict, numbers = judged(gate, promise, passport)
        entry = attested.get((part, promise.name)) if promise.later else None
        position, time = (entry.position, entry.time) if entry else (passport.position, passport.time)
        stale = _stale(gate, promise, passport, verdict, time)
        found.append(
            Evidence(part, promise, verdict, numbers, passport.version, position, time, passport.declared, stale)
        )
    return tuple(found)


def judged(gate: Gate, promise: Promise, passport: Passport) -> tuple[str, Numbers]:
    """A promise of today on the numbers that were measured of a version, as the gate judges it at each read."""
    if promise in gate.awaited(passport):
        return PENDING, {}
    measured = next((one for one in passport.evidence if one.finding.name == promise.name), None)
    if measured is None or measured.question != question_digest(promise):
        return NOT_MEASURED, {}
    numbers = measured.finding.numbers
    if judge_again(promise, passport) is None:
        return Verdict.KEPT, numbers
    return promise.invariant.judge(promise.parameters, numbers).verdict, numbers


def _stale(gate: Gate, promise: Promise, passport: Passport, verdict: str, time: datetime) -> Fault | None:
    if verdict == NOT_MEASURED:
        return judge_again(promise, passport)  # says which of both: never measured, or of something else
    where = f"{passport.asset} version {passport.version}"
    if verdict == PENDING:
        earlier = [one for one in gate.history(passport.asset) if one.position < passport.position and one.attested]
        measured = any(one.finding.name == promise.name for passed in earlier for one in passed.attested)
        return Fault(
            f"the latest evidence of {promise.name} is older than the version",
            where=where,
            next_step=f"`privacy-assets redteam {passport.asset.purpose}`",
        ) if measured else None  # fmt: skip
    purpose = gate.project.purposes.get(passport.asset.purpose)
    if purpose is not None and time + timedelta(days=purpose.retention_days) < _moment(gate):
        return Fault(
            f"the latest evidence of {promise.name} is older than the purpose keeps its results",
            where=where,
            expected=f"at most {purpose.retention_days} days",
            found=f"measured on {time:%Y-%m-%d}",
            next_step=f"materialize {passport.asset.whole} again, then `privacy-assets redteam` where it is attacked",
        )
    return None


def _moment(gate: Gate) -> datetime:
    """Now; where the clock cannot be right, the last moment that the ledger has seen."""
    try:
        return gate.moment()
    except Refused:
        return gate.ledger.last_time or datetime.max.replace(tzinfo=UTC)


def _latest(entries: Sequence[Entry], clause: Clause) -> Entry | None:
    """The latest entry of the kinds in which a clause shows, of its own purpose or dataset."""

    def own(body: Mapping[str, object]) -> bool:
        if clause.of.kind == CONTRACT:
            return clause.of.name in (body.get("datasets") or ())  # type: ignore[operator]
        return AssetName.parse(str(body["asset"])).purpose == clause.of.name

    found = (entry for entry in reversed(entries) if entry.body["action"] in clause.actions and own(entry.body))
    return next(found, None)


# ---- what is wrong


def _orphan_clauses(
    found: Sequence[Clause], asked: Mapping[AssetName, Sequence[Promise]]
) -> Iterator[tuple[AssetName, Fault]]:
    there = {Check(asset, one.parameters.kind, one.where) for asset, every in asked.items() for one in every}
    for clause in found:
        missing = [check for check in clause.checks if check not in there]
        if missing or not (clause.checks or clause.kept_by):
            yield (
                clause.asset,
                Fault(
                    f"the clause {clause.name} has no control: nothing measures whether it is kept",
                    where=clause.where,
                    expected=", ".join(f"{check.invariant} of {check.asset}" for check in missing)
                    or "an asset of which it can be measured",
                    next_step="declare what it speaks of, or take the clause out as a new version, for all to see",
                ),
            )


def _orphan_controls(
    found: Sequence[Clause], asked: Mapping[AssetName, Sequence[Promise]]
) -> Iterator[tuple[AssetName, Fault]]:
    known = {check for clause in found for check in (*clause.checks, *clause.may)}
    for asset, every in asked.items():
        for promise in every:
            if Check(asset, promise.parameters.kind, promise.where) not in known:
                yield (
                    asset,
                    Fault(
                        f"{promise.name} is measured of {asset}, and no clause asks for it",
                        where=promise.where,
                        next_step="name the clause that asks for it in `lineage/audit.py`, or measure it no more",
                    ),
                )


def _contradicted(gate: Gate, flows: Flows, entries: Sequence[Entry]) -> Iterator[tuple[AssetName, Fault]]:
    for asset, made in flows.made.items():
        for passport in filter(None, map(gate.latest, gate.parts(asset))):
            yield from _other_schema(passport, {column.name: column.type for column in made.columns})
            yield from _other_inputs(passport, frozenset(made.reads.values()))
    yield from _other_accesses(gate, entries)
    yield from _kept_too_long(gate)
    for name, contract in gate.project.contracts.items():
        named = [column.name for column in contract.columns if column.privacy.identifier_domain is not None]
        if contract.privacy.subject is None and named:
            yield (
                AssetName(Stage.RAW, dataset=name),
                Fault(
                    "the rows are declared to be about nobody, and columns hold identifiers",
                    where=gate.project.where(CONTRACT, name, "privacy", "subject"),
                    found=", ".join(f"`{column}`" for column in named),
                    next_step="say whom the rows are about, or that these columns identify nobody",
                ),
            )


def _other_schema(passport: Passport, declared: Mapping[str, str]) -> Iterator[tuple[AssetName, Fault]]:
    observed = dict(passport.columns)
    differ = [name for name, kind in declared.items() if observed.get(name) != kind]
    if passport.asset.stage is not Stage.RAW:  # raw keeps what nobody declared, and lets none of it on
        differ += [name for name in observed if name not in declared]
    if differ:
        yield (
            passport.asset,
            Fault(
                "the columns that stand are not those that are declared",
                where=f"{passport.asset} version {passport.version}",
                expected=", ".join(f"{name} {declared.get(name, 'not there')}" for name in differ),
                found=", ".join(f"{name} {observed.get(name, 'not there')}" for name in differ),
                next_step=f"materialize {passport.asset.whole} again, or declare what the data is",
            ),
        )


def _other_inputs(passport: Passport, declared: frozenset[AssetName]) -> Iterator[tuple[AssetName, Fault]]:
    read = {made_from.asset.whole for made_from in passport.inputs}
    if others := sorted(read - {asset.whole for asset in declared}):
        yield (
            passport.asset,
            Fault(
                "it was made from something else than is declared",
                where=f"{passport.asset} version {passport.version}",
                expected=", ".join(map(str, sorted(declared))) or "a source alone",
                found=", ".join(map(str, others)),
                next_step=f"materialize {passport.asset.whole} again",
            ),
        )


def _other_accesses(gate: Gate, entries: Sequence[Entry]) -> Iterator[tuple[AssetName, Fault]]:
    for entry in entries:
        if entry.body["action"] != "access":
            continue
        asset = AssetName.parse(entry.body["asset"])
        if entry.body["purpose"] != asset.purpose or PERSON not in READERS[asset.stage]:
            yield (
                asset,
                Fault(
                    "somebody read it for whom it was not made",
                    where=f"ledger entry {entry.position}",
                    expected=f"people read a release of {asset.purpose or 'a purpose'}, for that purpose",
                    found=f"an access to {asset} for {entry.body['purpose']}",
                    next_step="find out who it was (the actor's pseudonym stands in the entry) and what they did with "
                    "it; it may be a breach to give notice of",
                ),
            )


def _kept_too_long(gate: Gate) -> Iterator[tuple[AssetName, Fault]]:
    now = _moment(gate)
    for passport in gate.held():
        purpose = gate.project.purposes.get(passport.asset.purpose)
        if purpose is not None and passport.time + timedelta(days=purpose.retention_days) < now:
            yield (
                passport.asset,
                Fault(
                    "a version is kept for longer than the purpose keeps its results",
                    where=f"{passport.asset} version {passport.version}",
                    expected=f"at most {purpose.retention_days} days",
                    found=f"published on {passport.time:%Y-%m-%d}",
                    next_step=f"materialize {passport.asset.whole} again: what is superseded is destroyed",
                ),
            )


# ---- clauses


def clauses(project: Project) -> Iterator[Clause]:
    """Every promise-bearing clause of every contract, then of every purpose."""
    for contract in project.contracts.values():
        yield from _of_contract(project, contract)
    for purpose in project.purposes.values():
        yield from _of_purpose(project, purpose)


LOADED = "declarations are loaded only where it holds"
ASKED_AGAIN = "the gate, at every read"
PEOPLE = "people: nothing here can tell"


def _of_contract(project: Project, contract: Contract) -> Iterator[Clause]:
    of, raw, privacy = (
        Declaration(CONTRACT, contract.name),
        AssetName(Stage.RAW, dataset=contract.name),
        contract.privacy,
    )
    used = {name: one for name, one in project.purposes.items() if contract.name in one.datasets}

    def clause(
        *place: str | int, kinds: Sequence[str] = (), may: Sequence[str] = (), by: str = "", actions: Sequence[str] = ()
    ) -> Clause:
        where = project.where(CONTRACT, contract.name, *place)
        asks, can = (tuple(Check(raw, kind, where) for kind in each) for each in (kinds, may))
        return Clause(of, place, where, raw, asks, can, by, tuple(actions))

    yield clause(kinds=("has_rows", "rows_accounted", "has_columns"))
    yield clause("privacy", "quarantine_at_most", kinds=("quarantine_share",))
    if contract.primary_key:
        yield clause("columns", contract.primary_key[0], "primaryKey", kinds=("unique",))
    for column in contract.columns:
        for word, kind, said in (
            ("required", "not_null", column.required),
            ("unique", "unique", column.unique and contract.primary_key != (column.name,)),
            ("enum", "in_domain", column.domain is not None),
        ):
            if said:
                yield clause("columns", column.name, word, kinds=(kind,))
    yield clause("privacy", "lawful_bases", by=LOADED)
    if privacy.consents and contract.subject_column and used:
        where = project.where(CONTRACT, contract.name, "privacy", "consents")
        minimized = {name: AssetName(Stage.MINIMIZED, name, contract.name) for name in used}
        asks = tuple(
            Check(asset, "consent_valid", project.where(PURPOSE, name, "lawful_basis"))
            for name, asset in minimized.items()
        )
        yield Clause(of, ("privacy", "consents"), where, raw, asks)
    if privacy.retention and used:
        where = project.where(CONTRACT, contract.name, "privacy", "retention")
        asks = tuple(Check(AssetName(Stage.MINIMIZED, name, contract.name), "within_retention", where) for name in used)
        yield Clause(of, ("privacy", "retention"), where, raw, asks, kept_by=ASKED_AGAIN)
    if privacy.budget:
        by = "the ledger: debited before noise is drawn, and refused where it does not fit"
        yield clause("privacy", "budget", by=by, actions=("debit",))
    yield clause("privacy", "third_parties", by=PEOPLE)
    yield clause("privacy", "breach_notice_hours", by=PEOPLE)


class _Of:
    """Makes the clauses of one purpose."""

    def __init__(self, project: Project, purpose: Purpose) -> None:
        self._project, self._purpose = project, purpose
        self._of, self._main = Declaration(PURPOSE, purpose.purpose), AssetName(Stage.FEATURES, purpose.purpose)

    def clause(
        self,
        *place: str | int,
        asks: Mapping[AssetName, Sequence[str]] | None = None,
        may: Mapping[AssetName, Sequence[str]] | None = None,
        by: str = "",
        actions: Sequence[str] = (),
    ) -> Clause:
        where = self._project.where(PURPOSE, self._purpose.purpose, *place)
        asked, can = (
            tuple(Check(asset, kind, where) for asset, kinds in (each or {}).items() for kind in kinds)
            for each in (asks, may)
        )
        said_of = next(iter(asks), self._main) if asks else self._main
        return Clause(self._of, place, where, said_of, asked, can, by, tuple(actions))

    def asset(self, stage: Stage, dataset: str = "") -> AssetName:
        return AssetName(stage, self._purpose.purpose, dataset)


def _of_purpose(project: Project, purpose: Purpose) -> Iterator[Clause]:
    of = _Of(project, purpose)
    people = {name: project.contracts[name] for name in purpose.datasets}
    decided = [name for name, one in people.items() if one.privacy.consents and one.subject_column]
    yield of.clause(
        "lawful_basis", asks={of.asset(Stage.MINIMIZED, name): ("consent_valid",) for name in decided}, by=LOADED
    )
    yield of.clause("recipients", by=f"{PEOPLE}; every access is in the ledger", actions=("access",))
    yield of.clause("retention_days", by=ASKED_AGAIN, actions=("destroy",))
    yield of.clause("withdrawal_effect_hours", by=ASKED_AGAIN)
    yield of.clause("keep_superseded", by="destroyed after a publication, key first", actions=("destroy",))
    yield of.clause("epoch", by=ASKED_AGAIN)
    for contract in people.values():
        yield from _of_dataset(of, project, purpose, contract)
    yield from _of_features(of, purpose)
    yield from _of_anonymized(of, project, purpose)
    yield from _of_drift(of, project, purpose)
    yield from _of_synthetic(of, purpose)
    yield from _of_statistics(of, purpose)
    yield from _of_training(of, project, purpose)


def _of_dataset(of: _Of, project: Project, purpose: Purpose, contract: Contract) -> Iterator[Clause]:
    minimized, pseudonymized = (of.asset(stage, contract.name) for stage in (Stage.MINIMIZED, Stage.PSEUDONYMIZED))
    place, in_texts = ("datasets", contract.name), identifiers_and_texts(project, purpose, contract)
    yield of.clause(*place, asks={minimized: ("has_rows",), pseudonymized: ("has_rows",)})
    yield of.clause(
        *place,
        "columns",
        asks={
            minimized: ("only_columns",),
            pseudonymized: ("only_columns", *(("identifiers_absent",) if all(in_texts) else ())),
        },
    )
    tokens = tokenized(purpose, contract)
    for column in purpose.datasets[contract.name].columns:
        free = any(one.name == column and one.privacy.free_text for one in contract.columns)
        apart: tuple[str, ...] = ("subjects_kept_apart",) if column == contract.subject_column else ()
        if column in tokens and contract.deliveries is None:  # by day, it is asked of the features, of all days
            apart += ("large_domain",)
        yield of.clause(
            *place,
            "columns",
            column,
            "technique",
            asks={pseudonymized: ("masked", *apart), **({minimized: ("masked",)} if free else {})},
            may={
                minimized: ("own_identifiers_absent",),
                of.asset(Stage.FEATURES): ("large_domain",),
            },
        )


def _of_features(of: _Of, purpose: Purpose) -> Iterator[Clause]:
    features, training = of.asset(Stage.FEATURES), of.asset(Stage.TRAINING)
    of_features = purpose.training is not None and purpose.training.source == "features"
    trained = {training: ("only_columns",)} if purpose.training else {}
    yield of.clause("features", asks={features: ("has_rows",), **trained})
    yield of.clause("features", "sql", asks={features: ("only_columns",)})
    yield of.clause("features", "key", asks={features: ("unique",)})
    if purpose.features.subject:
        yield of.clause("features", "subject", asks={features: ("not_null",)})
    if purpose.features.subject or "at_least_subjects" in purpose.guarantee.model_fields_set:
        counted = {training: ("has_subjects",)} if of_features else {}
        yield of.clause("guarantee", "at_least_subjects", asks={features: ("has_subjects",), **counted})
    for name in purpose.features.categories:
        yield of.clause("features", "categories", name, asks={features: ("in_domain",)})


def _of_anonymized(of: _Of, project: Project, purpose: Purpose) -> Iterator[Clause]:
    asked, anonymized = purpose.guarantee.anonymity, of.asset(Stage.ANONYMIZED)
    if purpose.guarantee.withstands is not None:
        tried = {of.asset(stage): ("attack_excess",) for stage in _attacked(project, purpose)}
        yield of.clause("guarantee", "withstands", asks=tried)
    fair = purpose.guarantee.fairness
    if fair is not None and fair.disparity_at_most is not None:
        fidelity = purpose.guarantee.fidelity
        groups = [anonymized] if asked is not None else []
        groups += [of.asset(Stage.SYNTHETIC)] if fidelity is not None and fidelity.transfer is not None else []
        yield of.clause("guarantee", "fairness", "disparity_at_most", asks=dict.fromkeys(groups, ("fidelity",)))
    if fair is not None and fair.transfer_disparity_at_most is not None:
        groups = [anonymized] if asked is not None else []
        yield of.clause(
            "guarantee", "fairness", "transfer_disparity_at_most", asks=dict.fromkeys(groups, ("fidelity",))
        )
    if asked is None or purpose.anonymized is None:
        return
    yield of.clause("anonymized", asks={anonymized: ("has_rows", "only_columns")})
    for name in purpose.anonymized.hierarchies:
        yield of.clause("anonymized", "hierarchies", name, may={anonymized: ("in_domain",)}, by=LOADED)
    generalized = {column.name for column in project.features(purpose.purpose).columns} - set(
        purpose.anonymized.hierarchies
    )
    for name in sorted(generalized):  # the value or nothing, where no hierarchy is named
        by = "the value or nothing, by default"
        yield of.clause("anonymized", "hierarchies", name, may={anonymized: ("in_domain",)}, by=by)
    of_place: dict[tuple[str | int, ...], set[str]] = {}
    for each in asked_of(purpose, project.features(purpose.purpose).columns):
        kinds = of_place.setdefault(tuple(each.place), set())
        kinds |= {each.criterion.kind} | ({"persons_per_class"} if each.criterion.kind == "k_anonymity" else set())
    for place, kinds in of_place.items():
        yield of.clause(*place, asks={anonymized: sorted(kinds)})
    yield of.clause("guarantee", "anonymity", "suppressed_at_most", asks={anonymized: ("suppressed_share",)})
    yield from _of_transfer(of, asked.transfer, anonymized, "guarantee", "anonymity", "transfer")


def _attacked(project: Project, purpose: Purpose) -> Iterator[Stage]:
    """What is released of a purpose and of which its threat model names an attack."""
    features = project.features(purpose.purpose).columns
    for stage, declared, columns in (
        (Stage.ANONYMIZED, purpose.anonymized, features),
        (Stage.SYNTHETIC, purpose.synthetic, features),
        (Stage.MODEL, purpose.model, project.training_columns(purpose.purpose)),
    ):
        if declared is not None and withstood(purpose, columns, stage):
            yield stage


def _of_transfer(of: _Of, asked: Transfer | None, asset: AssetName, *place: str) -> Iterator[Clause]:
    if asked is not None:
        yield of.clause(*place, asks={asset: ("fidelity",)})


def _of_drift(of: _Of, project: Project, purpose: Purpose) -> Iterator[Clause]:
    asked, place = purpose.guarantee.drift, ("guarantee", "drift")
    if asked is None:
        return
    features, anonymized = of.asset(Stage.FEATURES), of.asset(Stage.ANONYMIZED)
    held = {features: project.features(purpose.purpose).columns}
    if purpose.anonymized:
        held[anonymized] = project.anonymized_columns(purpose.purpose)
    if asked.k_falls_at_most is not None:
        yield of.clause(*place, "k_falls_at_most", asks={anonymized: ("k_drift",)})
    if asked.rare_groups is not None:
        grouped = [asset for asset in held if asset == anonymized or drift.categories(purpose, held[asset])]
        yield of.clause(*place, "rare_groups", asks=dict.fromkeys(grouped, ("rare_drift",)))
    if asked.distinct_share_at_most is not None:
        told_apart = [asset for asset, columns in held.items() if drift.comparable(purpose, columns)]
        yield of.clause(*place, "distinct_share_at_most", asks=dict.fromkeys(told_apart, ("distinct_drift",)))
    if asked.metric_falls_at_most is not None:
        yield of.clause(*place, "metric_falls_at_most", asks={of.asset(Stage.MODEL): ("metric_drift",)})


def _of_synthetic(of: _Of, purpose: Purpose) -> Iterator[Clause]:
    asked, fidelity, synthetic = purpose.synthetic, purpose.guarantee.fidelity, of.asset(Stage.SYNTHETIC)
    if asked is None:
        return
    yield of.clause("synthetic", asks={synthetic: ("only_columns",)}, may={synthetic: ("in_domain",)})
    yield of.clause("synthetic", "rows", asks={synthetic: ("has_rows",)})
    for name in asked.bounds:
        yield of.clause("synthetic", "bounds", name, may={synthetic: ("within_bounds",)}, by="the synthesizer")
    if asked.contribution is not None:
        yield of.clause("synthetic", "contribution", by="the step, before anything is learned")
    if fidelity is None:
        return
    measures = ("marginals", "pairs", *(("rows_per_person",) if fidelity.rows_per_person is not None else ()))
    for measure in measures:
        yield of.clause("guarantee", "fidelity", measure, asks={synthetic: ("fidelity",)})
    yield from _of_transfer(of, fidelity.transfer, synthetic, "guarantee", "fidelity", "transfer")


def _of_statistics(of: _Of, purpose: Purpose) -> Iterator[Clause]:
    asked, statistics = purpose.statistics, of.asset(Stage.STATISTICS)
    if asked is None:
        return
    plain = isinstance(asked.privacy, PlainNumbers)
    yield of.clause("statistics", asks={statistics: ("only_columns",)})
    noisy = () if plain else ("not_null",)
    yield of.clause("statistics", "queries", asks={statistics: ("has_rows", "unique", "in_domain", *noisy)})
    if plain:
        place = ("statistics", "privacy", "at_least_subjects")
        yield of.clause(*place, asks={statistics: ("told_cells", "untold_cells")})
        return
    yield of.clause("statistics", "privacy", asks={statistics: ("in_domain",)})
    yield of.clause("statistics", "privacy", "epsilon", asks={statistics: ("noise_declared",)}, actions=("debit",))
    yield of.clause("statistics", "contribution", by="the query, before noise is drawn")


def _of_training(of: _Of, project: Project, purpose: Purpose) -> Iterator[Clause]:
    training, model = of.asset(Stage.TRAINING), of.asset(Stage.MODEL)
    if purpose.training is not None:
        yield of.clause("training", asks={training: ("has_rows",)})
        apart: dict[AssetName, Sequence[str]] = {training: ("splits_filled",)}
        if purpose.training.source == "features":
            apart[training] = ("splits_filled", "splits_disjoint")
        if any(column.name == SPLIT for column in project.anonymized_columns(purpose.purpose)):
            apart[of.asset(Stage.ANONYMIZED)] = ("splits_disjoint",)
        yield of.clause("training", "split", asks=apart)
    if purpose.model is not None:
        yield of.clause("model", asks={model: ("has_rows",)})
        yield of.clause("model", "target", asks={training: ("not_null",)})
        if purpose.model.contribution is not None:
            yield of.clause("model", "contribution", by="the estimator, before noise is drawn")
    if purpose.guarantee.utility is not None:
        yield of.clause("guarantee", "utility", asks={model: ("utility_floor",)})
