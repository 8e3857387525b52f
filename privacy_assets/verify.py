"""Everything that is published, and the ledger, measured again.

Belongs here: putting together what ledger, gate, audit and steps say of each asset, and what Dagster recorded. Does not
belong here: the measurements, what an audit finds (`lineage/audit.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import dagster as dg

from privacy_assets.build import flows, steps
from privacy_assets.contracts.promises import promises
from privacy_assets.errors import Fault, PrivacyAssetsError, Refused, Tampered
from privacy_assets.gate import PASSING, Examination, Gate, Standing
from privacy_assets.lineage.audit import audit
from privacy_assets.stages.asset import key_of, told
from privacy_assets.stages.step import Step, measure_again
from privacy_assets.words import AssetName, Verdict


@dataclass(frozen=True, slots=True)
class Line:
    """What verification says of one asset: how it stands, why, and how many findings were measured again."""

    asset: AssetName
    standing: Standing
    faults: tuple[Fault, ...]
    measured: int
    rows: int

    @property
    def passes(self) -> bool:
        """Kept, or stale and still inside its time of grace."""
        return self.standing in PASSING


def verify(
    gate: Gate, instance: dg.DagsterInstance | None, progress: Callable[[AssetName], None] = lambda asset: None
) -> Iterator[Line]:
    """One line an asset, in the order of the corridor. Raises Tampered where the ledger itself does not hold, Refused
    where the master key is rotated meanwhile.

    `instance` is Dagster's history, compared with the ledger (None: not compared); `progress` is called before each.
    """
    gate.ledger.verify()
    for asset in gate.undeclared():
        fault = Fault(
            "it is published, and nothing declares it any more",
            where=str(asset),
            next_step="declare it again, or remove its folder from the home's versions: nobody can read it, "
            "and an erasure destroys what may hold whoever is erased",
        )
        yield Line(asset, Standing.BROKEN, (fault,), 0, 0)
    made = steps(gate.project)
    graph = flows(made)

    @lru_cache(maxsize=1)
    def findings(entries: int) -> Mapping[AssetName, tuple[Fault, ...]]:
        return audit(gate, graph).findings()

    parts = [part for asset in made for part in gate.parts(asset) or (asset,)]
    for asset in parts:
        step = made[asset.whole].of(asset.day) if asset.day else made[asset]
        progress(asset)
        while True:
            before = gate.entries_by_now()
            line = _audited(_verified(gate, asset, step, instance), findings(before))
            # what does not pass may be only that another run published, or rotated a key, while we measured
            if line.passes or gate.entries_by_now() == before:
                break
        if not line.passes and (rotated := gate.of_another_master(gate.ledger.entries())):
            raise Refused(rotated)  # nothing opens under the key that this process holds: that is no finding
        yield line
    told = {*parts, *made}
    for asset, faults in findings(gate.entries_by_now()).items():
        if asset not in told:
            yield Line(asset, Standing.BROKEN, faults, 0, 0)


def _audited(line: Line, found: Mapping[AssetName, tuple[Fault, ...]]) -> Line:
    """The line with what is wrong by declarations and ledger alone; what is said of an asset is said of each day."""
    every = dict.fromkeys((*found.get(line.asset, ()), *found.get(line.asset.whole, ())))
    faults = tuple(fault for fault in every if fault not in line.faults)
    if not faults:
        return line
    standing = Standing.BROKEN if line.passes else line.standing
    return replace(line, standing=standing, faults=(*line.faults, *faults))


def _verified(gate: Gate, asset: AssetName, step: Step, instance: dg.DagsterInstance | None) -> Line:
    examined = gate.examine(asset)
    passport = examined.passport
    if passport is None and (forged := _history_faults(gate, asset, instance)):
        examined = _worse(examined, Standing.FORGED, forged)
    if changed := _superseded_faults(gate, asset):
        examined = _worse(examined, Standing.FORGED, changed)
    if rewritten := _declaration_faults(gate, asset):
        examined = _worse(examined, Standing.FORGED, rewritten)
    if passport is None or not gate.is_sound(passport):
        return _line(examined, 0)
    try:
        outcome = measure_again(step, gate, passport)
    except Tampered as error:
        return _line(_worse(examined, Standing.FORGED, error.faults), 0)
    except PrivacyAssetsError as error:
        return _line(_worse(examined, Standing.BROKEN, error.faults), 0)
    faults = tuple(fault for fault in outcome.faults if fault not in examined.faults)
    forged = _history_faults(gate, asset, instance)
    inconclusive = any(measured.finding.verdict is Verdict.INCONCLUSIVE for measured in outcome.measured)
    if forged:
        examined = _worse(examined, Standing.FORGED, (*faults, *forged))
    elif faults or inconclusive:
        examined = _worse(examined, Standing.BROKEN, faults)
    return _line(examined, len(outcome.measured) - outcome.recalled)


def _superseded_faults(gate: Gate, asset: AssetName) -> tuple[Fault, ...]:
    """What was changed of the older versions that are kept: what stands may have been made from one of them."""
    faults: list[Fault] = []
    for passport in gate.held():
        if passport.asset == asset and passport != gate.latest(asset):
            try:
                gate.require_sound(passport)
            except Tampered as error:
                faults += error.faults
            except PrivacyAssetsError:
                pass  # it is gone, and nobody can read it any more
    return tuple(faults)


def _declaration_faults(gate: Gate, asset: AssetName) -> tuple[Fault, ...]:
    """What was changed of the texts that are kept of the declarations under which the asset was ever published."""
    faults: list[Fault] = []
    for digest in {digest: None for passport in gate.history(asset) for digest in passport.declared.values()}:
        try:
            gate.declaration(digest)
        except Tampered as error:
            faults += error.faults
    return tuple(faults)


def _worse(examined: Examination, standing: Standing, faults: tuple[Fault, ...]) -> Examination:
    standing = Standing.FORGED if examined.standing is Standing.FORGED else standing
    return Examination(examined.asset, standing, (*examined.faults, *faults), examined.passport)


def _line(examined: Examination, measured: int) -> Line:
    rows = examined.passport.rows if examined.passport else 0
    return Line(examined.asset, examined.standing, examined.faults, measured, rows)


def _history_faults(gate: Gate, asset: AssetName, instance: dg.DagsterInstance | None) -> tuple[Fault, ...]:
    """What Dagster's history says of the asset that cannot be true by the ledger: one of the two was edited.

    The newest materialization is held against the passport of the version that it names, and each check's newest
    verdict against what was recorded beside it. An edit that leaves all of that in agreement is not seen here; it
    changes nothing either, since nothing is decided by Dagster's history.
    """
    if instance is None:
        return ()
    wrong = [*_wrong_materialization(gate, asset, instance), *_wrong_checks(gate, asset, instance)]
    step = "the ledger decides what is read; find out who wrote to Dagster's history"
    return tuple(Fault(what, where=str(asset), next_step=step) for what in wrong)


def _wrong_materialization(gate: Gate, asset: AssetName, instance: dg.DagsterInstance) -> Iterator[str]:
    last = told(instance, asset)
    if last is None:
        return
    said = {name: value.value for name, value in last.metadata.items()}
    passport = next((found for found in gate.history(asset) if found.version == said.get("version")), None)
    if passport is None:
        yield "Dagster's history names a version that the ledger does not hold"
        return
    recorded: dict[str, object] = {
        "dagster/row_count": passport.rows,
        "content_digest": passport.content_digest,
        "ledger_entry": passport.position,
    }
    for measured in passport.measured:
        recorded |= {f"{measured.finding.name}/{name}": value for name, value in measured.finding.numbers.items()}
    for name, value in recorded.items():
        if name in said and said[name] != value:
            yield f"Dagster's history says another {name} of version {passport.version} than the ledger"


def _wrong_checks(gate: Gate, asset: AssetName, instance: dg.DagsterInstance) -> Iterator[str]:
    keys = [dg.AssetCheckKey(key_of(asset), promise.name) for promise in promises(gate.project, asset)]
    of_candidates: dict[str, tuple[object, list[bool]]] = {}
    for key, record in instance.event_log_storage.get_latest_asset_check_execution_by_key(keys).items():
        event = record.event.dagster_event if record.event else None
        if event is None or not isinstance(said := event.event_specific_data, dg.AssetCheckEvaluation):
            continue
        beside = {name: value.value for name, value in said.metadata.items()}
        passed = record.status.value == "SUCCEEDED"
        if passed != said.passed or ("verdict" in beside and said.passed != (beside["verdict"] == Verdict.KEPT.value)):
            yield (
                f"Dagster's history shows the check {key.name} as {'passed' if passed else 'failed'}, and what was "
                "recorded with it says otherwise"
            )
        if beside.get("subject") == "candidate":
            of_candidates.setdefault(record.run_id, (beside.get("promises"), []))[1].append(said.passed)
    for asked, verdicts in of_candidates.values():
        if len(verdicts) == asked and all(verdicts):
            yield "Dagster's history shows every check passed of a candidate that was refused"
