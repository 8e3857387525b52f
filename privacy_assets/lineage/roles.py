"""What each column still can do to a person: roles travel with values, and stop only on evidence.

    raw.postcode: quasi_identifier ─► features.district: quasi_identifier ─► anonymized.district: none, by k_anonymity

A role is carried to every column that values flow into. A stage lowers it only where a finding that says so was kept on
the very version that stands: without a version, or with one that does not stand any more, it is carried on. What only
decides about rows carries no role; `flows` tells of that.

Belongs here: which finding lowers which role where. Does not belong here: measuring, and what an asset declares of
itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from privacy_assets.contracts.loading import Project
from privacy_assets.contracts.promises import Promise, promises
from privacy_assets.gate import Gate, judge_again
from privacy_assets.lineage.flows import VALUE, Flows, Place
from privacy_assets.words import AssetName, Role, Stage

Roles = frozenset[Role]

CLASSES = ("k_anonymity", "persons_per_class", "delta_presence", "hipaa_safe_harbor")
"""Say that nobody is narrowed down by quasi-identifiers."""
SECRETS = ("l_diversity", "t_closeness")
"""Say that a class does not tell a sensitive column's value."""
OF_ALL: Mapping[Stage, Sequence[tuple[str, ...]]] = {
    Stage.SYNTHETIC: (("attack_excess",),),
    Stage.MODEL: (("attack_excess",),),
    Stage.STATISTICS: (("noise_declared",), ("told_cells", "untold_cells")),
}
"""Of which kinds all that is promised must be kept, and something promised, for an asset to carry no role any more."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is promised of an asset, and which of it is kept on the version that stands (nothing, where none does)."""

    asked: Collection[Promise]
    kept: Collection[str]

    def of(self, kinds: Collection[str], column: str | None = None) -> bool:
        """Whether something of these kinds is promised (about a column), and all of that kept."""
        about = [
            promise
            for promise in self.asked
            if promise.parameters.kind in kinds and column in (None, getattr(promise.parameters, "column", None))
        ]
        return bool(about) and all(promise.name in self.kept for promise in about)


def evidence(gate: Gate, asset: AssetName) -> Evidence:
    """Of the asset, or of all days of it: by the ledger alone. Whether the file is sound is what `verify` asks."""
    asked = promises(gate.project, asset)
    kept: set[str] | None = None
    for part in gate.parts(asset):
        passport = gate.latest(part)
        stands = passport is not None and not any(gate.withdrawn(made) for made in gate.ancestry(passport))
        found = {one.name for one in asked if passport and stands and judge_again(one, passport) is None}
        kept = found if kept is None else kept & found
    return Evidence(asked, kept or set())


def declared(project: Project, asset: AssetName) -> Evidence:
    """As if everything that is promised were kept: what a project that runs nowhere yet would come to."""
    asked = promises(project, asset)
    return Evidence(asked, {promise.name for promise in asked})


def carried(flows: Flows, found: Mapping[AssetName, Evidence]) -> dict[Place, Roles]:
    """The roles that each column still carries, by the evidence of each asset. `attribute` is no role that travels."""
    roles: dict[Place, Roles] = {}
    for asset, made in flows.made.items():  # in the order of the corridor: sources come first
        for column in made.columns:
            place = (asset, column.name)
            if asset.stage is Stage.RAW:
                roles[place] = frozenset({column.role} - {Role.ATTRIBUTE})
                continue
            into = flows.into.get(place, ())
            arrives = frozenset().union(*(roles.get(source, frozenset()) for source, kind in into if kind == VALUE))
            roles[place] = _lowered(place, column.technique, arrives, found[asset])
    return roles


def _lowered(place: Place, technique: str, arrives: Roles, found: Evidence) -> Roles:
    asset, column = place
    leaves = set(arrives)
    masked = asset.stage is Stage.PSEUDONYMIZED and technique != "keep" and found.of(("masked",), column)
    if masked and Role.DIRECT_IDENTIFIER in leaves:
        # a token names nobody, and tells whose rows are whose
        leaves = leaves - {Role.DIRECT_IDENTIFIER} | {Role.QUASI_IDENTIFIER}
    if asset.stage is Stage.ANONYMIZED:
        if found.of(CLASSES):
            leaves.discard(Role.QUASI_IDENTIFIER)
        if found.of(SECRETS, column):
            leaves.discard(Role.SENSITIVE)
    if any(all(found.of((kind,)) for kind in kinds) for kinds in OF_ALL.get(asset.stage, ())):
        leaves.clear()
    return frozenset(leaves)
