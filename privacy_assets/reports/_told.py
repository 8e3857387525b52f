"""What several reports tell alike: which purposes, by what state of the ledger, what a stage does, a finding's numbers.

Belongs here: words that two reports share. Does not belong here: one report's own sections, the forms (`_document.py`).
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from privacy_assets.contracts.promises import promises
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.errors import BadDeclaration
from privacy_assets.gate import Gate, Passport
from privacy_assets.invariants.attack_excess import excess
from privacy_assets.lineage.audit import Attested, Evidence, attested_by, evidence_of
from privacy_assets.lineage.flows import Flows, Place
from privacy_assets.lineage.roles import Evidence as Lowering
from privacy_assets.lineage.roles import Roles, carried, declared, evidence
from privacy_assets.reports._document import Table
from privacy_assets.words import AssetName, Numbers, Role, Stage

DOES: Mapping[Stage, str] = {
    Stage.RAW: "kept as received, encrypted under a key of its own; rows that break the contract are set apart",
    Stage.MINIMIZED: "only columns that the purpose needs, only rows of people who may be used, inside retention",
    Stage.PSEUDONYMIZED: "direct identifiers become keyed tokens of this purpose, other columns are masked by rule",
    Stage.FEATURES: "the purpose's own SQL over its pseudonymized tables, with a declared unit and subject",
    Stage.ANONYMIZED: "generalized and suppressed until every class keeps what the purpose asks; no key, no token",
    Stage.SYNTHETIC: "rows of nobody, drawn from what was learned, and attacked before they stand",
    Stage.STATISTICS: "numbers under differential privacy, paid from a budget; or with cells of few people suppressed",
    Stage.TRAINING: "the exact rows and columns that a model may see, split by person",
    Stage.MODEL: "the fitted model, encrypted, with its card and its evidence",
}
"""What each stage does to the data: the technical measures, in a line each."""

ALWAYS = (
    "every version is one file, encrypted (AES-256-GCM) under a data key of its own, wrapped by a master key elsewhere",
    "every publication, access, erasure and debit is an entry of a signed, witnessed, append-only ledger",
    "at every read the gate asks again whether the version keeps today's promises, and refuses it where it does not",
    "who may read a stage is fixed: the next stage; people only what is released, for the purpose it was made for",
    "superseded versions are destroyed, key first; a person is erased by rewriting every version that they are in",
)
"""Measures that hold for every purpose, whatever it declares."""

NOTHING_YET = "Nothing is published in this home: this is the declared part alone, and nothing of it is proven."


@dataclass(frozen=True)
class Known:
    """What a report is made of: the gate, the graph, the roles that are left, and what was measured since."""

    gate: Gate
    flows: Flows
    roles: Mapping[Place, Roles]
    attested: Attested

    @classmethod
    def of(cls, gate: Gate, flows: Flows) -> Known:
        """By the ledger where anything was published, else as if everything promised were kept."""
        there = bool(gate.publications())
        found: dict[AssetName, Lowering] = {
            asset: evidence(gate, asset) if there else declared(gate.project, asset) for asset in flows.made
        }
        return cls(gate, flows, carried(flows, found), attested_by(gate.ledger.entries()))

    def assets(self, purpose: str) -> tuple[AssetName, ...]:
        """Those of a purpose, in the order of the corridor."""
        return tuple(asset for asset in self.flows.made if asset.purpose == purpose)

    def evidence(self, asset: AssetName) -> tuple[Evidence, ...]:
        """The latest of every promise of an asset, or of every day of it."""
        asked = promises(self.gate.project, asset)
        return tuple(one for promise in asked for one in evidence_of(self.gate, asset, promise, self.attested))

    def latest(self, asset: AssetName) -> tuple[Passport, ...]:
        """The versions of an asset that stand: one, or one for each day."""
        return tuple(found for part in self.gate.parts(asset) if (found := self.gate.latest(part)))


def chosen(gate: Gate, purpose: str | None) -> tuple[Purpose, ...]:
    """The purpose of this name, or all. Raises BadDeclaration where there is none of it."""
    known = gate.project.purposes
    if purpose is None:
        return tuple(known.values())
    if purpose not in known:
        near = difflib.get_close_matches(purpose, list(known), n=3)
        raise BadDeclaration.of(
            f"there is no purpose {purpose!r}",
            expected=", ".join(known),
            next_step=f"did you mean {', '.join(near)}?" if near else "leave it out for a report about all of them",
        )
    return (known[purpose],)


def state(gate: Gate) -> tuple[str, ...]:
    """By which entries of the ledger a report speaks, and what it does not hold."""
    size, last = gate.ledger.size, gate.ledger.last_time
    by = f"by {size:,} ledger entries, the last of {last:%Y-%m-%d %H:%M:%S} UTC" if last else "by an empty ledger"
    told = (
        f"Generated from the contracts, the purposes and their graph, {by}. It holds names, counts and measured "
        "numbers, no value of a person, and no file of a version was opened: whether those are sound is what "
        "the command verify asks. Do not edit it; write it anew.",
    )
    return told if gate.publications() else (*told, NOTHING_YET)


def numbers_of(kind: str, numbers: Numbers) -> str:
    """What was measured, in words; of an attack its excess with the 95 % interval."""
    if kind == "attack_excess" and numbers.get("tried") and numbers.get("control_tried"):
        found, names = excess(numbers), ("succeeded", "tried", "control_succeeded", "control_tried")
        own, tried, others, control = (f"{numbers[name]:,.0f}" for name in names)
        interval = f"excess {found.value:+.3f}, 95 % from {found.low:+.3f} to {found.high:+.3f}"
        return f"{interval} ({own} of {tried}; on others {others} of {control})"
    return ", ".join(f"{name} {value:.6g}" for name, value in numbers.items() if math.isfinite(value)) or "-"


def by_entry(one: Evidence) -> tuple[str, str, str]:
    """Version, ledger entry and moment of a piece of evidence, as cells."""
    if one.time is None:
        return "none", "-", "-"
    return one.version, str(one.position), f"{one.time:%Y-%m-%d %H:%M:%S} UTC"


def roles_of(roles: Roles) -> str:
    """The roles, in words."""
    return " + ".join(sorted(roles)) or "none"


def standing(known: Known, assets: Sequence[AssetName]) -> Table:
    """Of each asset the version that stands, by the ledger, and how many of its promises are kept on it."""

    def lines() -> Iterator[tuple[str, ...]]:
        for asset in assets:
            found, passports = known.evidence(asset), known.latest(asset)
            kept = f"{sum(one.verdict == 'kept' for one in found)} of {len(found)}"
            if not passports:
                yield str(asset), "not published", "-", "-", "-", kept
            for passport in passports:
                withdrawn = any(known.gate.withdrawn(made) for made in known.gate.ancestry(passport))
                yield (
                    str(passport.asset),
                    passport.version + (" (withdrawn)" if withdrawn else ""),
                    f"{passport.time:%Y-%m-%d %H:%M:%S} UTC",
                    str(passport.position),
                    f"{passport.rows:,}",
                    kept,
                )

    return Table(("asset", "version", "published", "ledger entry", "rows", "promises kept"), list(lines()))


def attributes(purpose: Purpose) -> Iterator[tuple[str, str, Place]]:
    """Every column that the purpose needs: dataset, column, and its place in raw."""
    for dataset, use in purpose.datasets.items():
        for column in use.columns:
            yield dataset, column, (AssetName(Stage.RAW, dataset=dataset), column)


def role_in_raw(known: Known, place: Place) -> Role:
    """What is declared of a column of raw."""
    column = known.flows.column(place)
    return column.role if column else Role.ATTRIBUTE
