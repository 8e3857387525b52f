"""Every attack on everything that is released, once more: with other chances than those by which it was published.

    released version ─► attacks ─► findings ─► broken? ─► attacked again ─► still broken? ─► withdrawn (ledger)

A version that is *pending* is attacked by what takes too long before a publication as well. What comes of it is
put on record (`Gate.attest`), and decides for good whether it can be read: it is not tried again until it passes.

An innocent release is refused by chance now and then; so what is broken is tried a second time, with chances of its
own, and only what is broken both times is withdrawn. From then on the gate refuses it, and all that was made from it.

Belongs here: which versions are attacked, and what follows from it. Does not belong here: attacks (`attacks/`), what is
printed (`cli.py`), when it runs (`build.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from privacy_assets.contracts.promises import Promise, promises
from privacy_assets.errors import BadDeclaration, Fault, PrivacyAssetsError, unexpected
from privacy_assets.gate import Gate, Measured, question_digest
from privacy_assets.stages import _attacking
from privacy_assets.stages.step import Step, attack_again
from privacy_assets.words import AssetName, Finding, Verdict


@dataclass(frozen=True, slots=True)
class Attacked:
    """What came of the attacks on one asset's version.

    `findings` are what was found first, `confirmed` those of them that were broken a second time, `undecided` what was
    tried too seldom to say anything in the round that counts, `withdrawn` the ledger entry that took the version back;
    `faults` say why it could not be attacked, or may not be read anyway.
    """

    asset: AssetName
    version: str
    findings: tuple[Finding, ...] = ()
    confirmed: tuple[Finding, ...] = ()
    undecided: tuple[Finding, ...] = ()
    withdrawn: int | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether every attack was tried often enough, and none was found to work twice."""
        return bool(self.findings) and not (self.confirmed or self.faults or self.undecided)


def said(one: Attacked) -> str:
    """In words why it does not pass."""
    if one.withdrawn is not None:
        names = ", ".join(found.about for found in one.confirmed)
        return f"{one.asset} is withdrawn (ledger entry {one.withdrawn}): {names}, broken twice"
    names = ", ".join(found.about for found in one.undecided)
    said = f"tried too seldom to say anything: {names}" if names else "nothing was tried"
    return "\n".join(map(str, one.faults)) or f"{one.asset}: {said}"


def redteam(
    gate: Gate,
    made: Mapping[AssetName, Step],
    purpose: str | None = None,
    *,
    seed: int,
    progress: Callable[[AssetName], None] = lambda asset: None,
) -> Iterator[Attacked]:
    """Attack every published version that has a threat model; of one purpose, or of all.

    Raises BadDeclaration where there is no such purpose, or none that names a threat model.
    """
    if purpose is not None and purpose not in gate.project.purposes:
        raise BadDeclaration.of(
            f"there is no purpose {purpose!r}",
            expected=f"one of {', '.join(gate.project.purposes)}",
            next_step="name a purpose of this project, or none for all",
        )
    targets = [step for asset, step in made.items() if step.attack is not None and purpose in (None, asset.purpose)]
    if not targets:
        raise BadDeclaration.of(
            "there is nothing to attack",
            expected="a purpose with `guarantee.withstands`, and `anonymized`, `synthetic` or `model`",
            next_step="name a threat model in the purpose: `privacy-assets schema purpose` prints which there are",
        )
    for step in targets:
        progress(step.asset)
        yield _attacked(gate, step, seed)


def _attacked(gate: Gate, step: Step, seed: int) -> Attacked:
    passport = gate.latest(step.asset)
    if passport is None:
        fault = Fault(f"{step.asset} was never published", next_step="materialize it first")
        return Attacked(step.asset, "", faults=(fault,))
    if gone := gate.withdrawn(passport):
        return Attacked(step.asset, passport.version, faults=(gone,))
    awaited = gate.awaited(passport)
    asked = {
        later: [each for each in promises(gate.project, step.asset) if _is_due(each, later, awaited)]
        for later in (False, True)
    }

    def tried(seed: int, rounds: Collection[bool]) -> dict[bool, dict[Promise, Finding]]:
        return {
            later: _judged(asked[later], attack_again(step, gate, passport, seed, later=later))
            for later in rounds
            if asked[later]
        }

    try:
        rounds = tried(seed, (False, True))
        first = {promise: found for judged in rounds.values() for promise, found in judged.items()}
        broken = {promise for promise, found in first.items() if found.verdict is Verdict.BROKEN}
        failed = [later for later, judged in rounds.items() if broken & set(judged)]
        again = {promise: found for judged in tried(seed + 1, failed).values() for promise, found in judged.items()}
    except PrivacyAssetsError as error:
        return Attacked(step.asset, passport.version, faults=error.faults)
    except Exception as error:  # of a library: its text could hold a value, and the others are still to be attacked
        return Attacked(step.asset, passport.version, faults=(Fault(unexpected(error), where=str(step.asset)),))
    # what was broken at first is decided by the second round, all else by the first
    decided = [(seed, {promise: found for promise, found in first.items() if promise not in broken})]
    decided.append((seed + 1, {promise: found for promise, found in again.items() if promise in broken}))
    confirmed = {promise: found for promise, found in decided[1][1].items() if found.verdict is Verdict.BROKEN}
    undecided = [found for _, each in decided for found in each.values() if found.verdict is Verdict.INCONCLUSIVE]
    position = None
    if confirmed:
        position = gate.withdraw(passport, _measured(confirmed), seed=seed + 1)
    for by, each in decided if awaited and not confirmed else ():
        if measured := _measured({promise: found for promise, found in each.items() if promise in awaited}):
            gate.attest(passport, measured, seed=by)
    return Attacked(
        step.asset, passport.version, tuple(first.values()), tuple(confirmed.values()), tuple(undecided), position
    )


def _is_due(promise: Promise, later: bool, awaited: Collection[Promise]) -> bool:
    """Whether an attack is tried in this round: of those that wait for the red team, what was not attested yet."""
    attack = promise.parameters.kind == "attack_excess"
    return attack and promise.later is later and (not later or promise in awaited)


def _measured(found: Mapping[Promise, Finding]) -> list[Measured]:
    return [Measured(finding, question_digest(promise)) for promise, finding in found.items()]


def _judged(asked: list[Promise], found: Sequence[tuple[str, Any]]) -> dict[Promise, Finding]:
    """Each promise, judged on what was counted now."""
    judged = {}
    for promise in asked:
        about = promise.parameters
        counts = _attacking.counts(found, about.attack, about.about, about.group)
        judged[promise] = promise.invariant.judge(promise.parameters, counts)
    return judged
