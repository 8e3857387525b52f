"""How two states of a project differ in what happens to people: the privacy impact of a pull request.

    base ─┬─ flows      which column of raw reaches which asset of which purpose, as what
    head ─┼─ promises   what is measured of each asset, threshold by threshold
          ├─ declared   every other value of every contract and purpose (`weakening.py`)
          └─ program    the modules by which assets are made and measured (`program.py`)
              ▼
    changes ─► versions (`contracts/versions.py`), models downstream, owners who approve

Belongs here: that comparison, by the declarations and the graphs that follow from them alone; and, where a home is at
hand, the numbers in the passports of versions that were made under each state. Does not belong here: the graph
(`flows.py`), what differs in the program, which direction is the weaker one (beside each value), how it is told
(`reports/diff.py`).

Both states are judged by the program as it is now. A change that nobody can rank counts as a weakening.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from privacy_assets.contracts.contract import Contract
from privacy_assets.contracts.loading import Project
from privacy_assets.contracts.promises import Promise
from privacy_assets.contracts.purpose import Anonymity, Purpose
from privacy_assets.contracts.versions import Size, size_of, step
from privacy_assets.gate import Gate, Passport
from privacy_assets.invariants.attack_excess import excess
from privacy_assets.lineage.flows import Flows, Place, assets_below, origins
from privacy_assets.lineage.roles import Evidence, Roles, carried, declared
from privacy_assets.weakening import Effect, Weaker, differences, directions
from privacy_assets.words import AssetName, Number, Role, Stage

CONTRACT, PURPOSE = "contract", "purpose"

TOPICS: Mapping[str, str] = {
    **dict.fromkeys(("recipients", "third_parties"), "recipient"),
    **dict.fromkeys(("retention", "retention_days", "withdrawal_effect_hours", "keep_superseded"), "retention"),
    **dict.fromkeys(("lawful_basis", "lawful_bases", "consents", "consent_records"), "lawful basis"),
    **dict.fromkeys(("role", "category", "identifier_domain", "free_text"), "role"),
    **dict.fromkeys(("technique", "techniques", "hierarchies", "synthesizer", "estimator"), "technique"),
    **dict.fromkeys(("guarantee", "budget", "contribution", "statistics"), "guarantee"),
}
"""What a change is about, by the last part of its place that says so; `declaration`, where none does."""

NUMBERS: Mapping[str, str] = {
    "k_anonymity": "smallest",
    "persons_per_class": "smallest",
    "l_diversity": "worst",
    "t_closeness": "farthest",
    "delta_presence": "highest",
}
"""The number of a finding that is told; of an attack it is the excess."""


class Declaration(NamedTuple):
    """A contract or a purpose, by its name; or a file of the program, by its path in it."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Side:
    """One state of the project, with the graph that follows from it."""

    project: Project
    flows: Flows

    def declarations(self) -> Mapping[Declaration, Contract | Purpose]:
        """Every contract, then every purpose."""
        contracts = {Declaration(CONTRACT, name): one for name, one in self.project.contracts.items()}
        return {**contracts, **{Declaration(PURPOSE, name): one for name, one in self.project.purposes.items()}}

    @cached_property
    def datasets(self) -> Mapping[str, frozenset[str]]:
        """By purpose: the datasets that its assets read, also for decisions and for what is known of people."""
        found: dict[str, set[str]] = {name: set() for name in self.project.purposes}
        for asset, made in self.flows.made.items():
            if asset.purpose:
                found[asset.purpose] |= {read.dataset for read in made.reads.values() if read.stage is Stage.RAW}
        return {name: frozenset(datasets) for name, datasets in found.items()}

    def about_people(self, place: Place) -> bool:
        """Whether a column of raw is in a dataset about people."""
        contract = self.project.contracts.get(place[0].dataset)
        return contract is not None and contract.privacy.subject is not None


class Way(NamedTuple):
    """How a column of raw comes to an asset: by its values, or because it decides which rows there are; as what."""

    by_value: bool
    roles: Roles


Reach = Mapping[AssetName, Way]
"""Where a column of raw comes to within one purpose."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs.

    `what` is the way to it within its declaration (or the flow's column, or the promise), `before` and `after` its
    values (None: not there; of a flow a Reach), `where` its file and line. `starts` are the places that it touches
    first, on the side where they are.
    """

    topic: str
    of: Declaration
    what: str
    before: Any
    after: Any
    effect: Effect
    where: str
    starts: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Versioned:
    """The version of a declaration that was changed, and the least that it has to be; None: any later one."""

    of: Declaration
    before: str
    after: str
    needed: Size | None

    @property
    def kept(self) -> bool:
        """Whether the version says how much was changed."""
        stepped = step(self.before, self.after)
        return stepped is not None and (self.needed is None or stepped >= self.needed)


@dataclass(frozen=True, slots=True)
class Approval:
    """Who is declared to answer for what was touched: the owner, and of a contract the clauses on third parties."""

    of: Declaration
    owner: str
    third_parties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """A number that the latest version made under each state was measured to have."""

    asset: AssetName
    what: str
    before: Number
    after: Number


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs; `models` are those in which people's protection changes. `notes` say what is not told, and why."""

    base: str
    changes: Sequence[Change]
    versions: Sequence[Versioned]
    approvals: Sequence[Approval]
    models: Sequence[AssetName]
    measured: Sequence[Measured] = ()
    notes: Sequence[str] = field(default=())

    @property
    def weakens(self) -> bool:
        """Whether anything is weaker or wider, or could be."""
        return any(change.effect.weakens for change in self.changes)

    @property
    def versioned(self) -> bool:
        """Whether every version says how much was changed."""
        return all(one.kept for one in self.versions)


def diff(base: Side, head: Side, name: str, program: Iterable[Change] = (), notes: Sequence[str] = ()) -> Diff:
    """What differs between `base`, which people call `name`, and `head`; `program`: of what makes and measures it."""
    edited = _edited(base, head)
    involved = {
        purpose
        for side in (base, head)
        for purpose, datasets in side.datasets.items()
        if Declaration(PURPOSE, purpose) in edited or any(Declaration(CONTRACT, one) in edited for one in datasets)
    }
    before, after = _Judged(base, involved), _Judged(head, involved)
    promised = list(_promised(before, after))
    told = {change.of for change in promised}
    declared_anew = (change for of in edited for change in _declared(base, head, of, promised=of in told))
    changes = [*_flows(before, after), *promised, *declared_anew, *program]
    order = {of: place for place, of in enumerate({**head.declarations(), **base.declarations()})}
    rank = {effect: place for place, effect in enumerate(Effect)}

    def at(change: Change) -> tuple[int, bool, int, str]:
        is_flow = change.topic == "flow"
        return rank[change.effect], not is_flow, order.get(change.of, len(order)), change.what if is_flow else ""

    changes.sort(key=at)
    reached = _reached(base, head, changes)
    return Diff(
        name,
        changes,
        _versions(base, head, edited, changes),
        _approvals(base, head, changes, reached),
        tuple(asset for asset in reached if asset.stage is Stage.MODEL),
        notes=notes,
    )


def _edited(base: Side, head: Side) -> list[Declaration]:
    """The declarations that are not the same on both sides, whatever their versions say."""
    before, after = base.declarations(), head.declarations()
    return [
        of for of in {**after, **before} if of not in before or of not in after or not _alike(before[of], after[of])
    ]


def _alike(before: Any, after: Any) -> bool:
    if isinstance(before, Contract):
        return bool(replace(before, version=after.version, path=after.path, digest=after.digest) == after)
    return bool(before.model_copy(update={"version": after.version}) == after)


# ---- flows


_NO_WAY = Way(False, frozenset())


class _Judged:
    """A side with the promises of the purposes that a difference can reach, and the roles that these leave."""

    def __init__(self, side: Side, purposes: Collection[str]) -> None:
        self.side = side
        nothing = Evidence((), ())
        self.evidence = {
            asset: declared(side.project, asset) if asset.purpose in purposes else nothing for asset in side.flows.made
        }
        self.roles = carried(side.flows, self.evidence)
        self.assets = [asset for asset in side.flows.made if asset.purpose in purposes]

    def reach(self) -> dict[tuple[str, Place], dict[AssetName, Way]]:
        """By purpose and column of raw about people: where it comes to."""
        flows = self.side.flows
        found: dict[tuple[str, Place], dict[AssetName, Way]] = {}
        sources = origins(flows, flows.places(self.assets))
        for asset in self.assets:
            ways: dict[Place, Way] = {}
            for place in flows.places([asset]):
                arrived = Way(True, self.roles[place])
                for origin, direct in sources[place].items():
                    known = ways.get(origin, _NO_WAY)
                    if known is _NO_WAY or (direct and known != arrived):
                        ways[origin] = Way(True, known.roles | arrived.roles) if direct else known
            for origin, way in ways.items():
                if self.side.about_people(origin):
                    could_be = way.roles & self._could_be(origin)
                    found.setdefault((asset.purpose, origin), {})[asset] = Way(way.by_value, could_be)
        return found

    def role(self, origin: Place) -> Role | None:
        """What a column of raw is declared to be."""
        column = self.side.flows.column(origin)
        return column.role if column else None

    def _could_be(self, origin: Place) -> Roles:
        """A direct identifier becomes a quasi-identifier on the way; any other role stays what it is, or ends."""
        role = self.role(origin)
        if role is None:
            return frozenset()
        return frozenset({role, Role.QUASI_IDENTIFIER} if role is Role.DIRECT_IDENTIFIER else {role})


def _flows(before: _Judged, after: _Judged) -> Iterator[Change]:
    was, now = before.reach(), after.reach()
    for purpose, origin in dict.fromkeys((*now, *was)):
        old, new = was.get((purpose, origin)), now.get((purpose, origin))
        same_role = before.role(origin) is after.role(origin)
        effect = _of_reach(old, new, roles_count=same_role)
        if effect is not None:
            side = after.side if new is not None else before.side
            reached = new if new is not None else old or {}
            yield Change(
                "flow",
                Declaration(PURPOSE, purpose),
                f"{origin[0].dataset}.{origin[1]}",
                old,
                new,
                effect,
                _where(side, Declaration(PURPOSE, purpose), ("datasets", origin[0].dataset, "columns", origin[1])),
                tuple(place for asset in reached for place in _columns(side, asset, origin)),
            )


def _of_reach(old: Reach | None, new: Reach | None, *, roles_count: bool) -> Effect | None:
    """Wider is weaker: another asset, values where it only decided, a role more. A role that is declared anew does not
    make a flow narrower."""
    if old is None or new is None:
        return Effect.WEAKER if old is None else Effect.STRONGER
    if old == new:
        return None

    def parts(reach: Reach) -> set[tuple[AssetName, str]]:
        found = {(asset, "") for asset in reach} | {(asset, "value") for asset, way in reach.items() if way.by_value}
        roles = {(asset, role.value) for asset, way in reach.items() for role in way.roles}
        return found | (roles if roles_count else set())

    if parts(new) - parts(old):
        return Effect.WEAKER
    return Effect.STRONGER if parts(old) - parts(new) else None


def _columns(side: Side, asset: AssetName, origin: Place) -> Iterator[Place]:
    """The places of an asset where a column of raw arrives first; of a later asset all, as what follows is the same."""
    if asset.stage in (Stage.MINIMIZED, Stage.PSEUDONYMIZED):
        if asset.dataset == origin[0].dataset and side.flows.column((asset, origin[1])):
            yield (asset, origin[1])
    else:
        yield from side.flows.places([asset])


# ---- promises


def _promised(before: _Judged, after: _Judged) -> Iterator[Change]:
    """What is measured on both sides of an asset, and differs; several of one kind with the same difference are one."""
    for asset in after.assets:
        if asset not in before.evidence:
            continue
        was = {promise.name: promise for promise in before.evidence[asset].asked if _counts(promise)}
        now = {promise.name: promise for promise in after.evidence[asset].asked if _counts(promise)}
        held, holds = _names(before.side, asset), _names(after.side, asset)
        alike: dict[Any, list[Promise]] = {}
        for name in dict.fromkeys((*now, *was)):
            old, new = was.get(name), now.get(name)
            if old is None or new is None:
                one = new or old
                assert one is not None
                if _column(one) not in held ^ holds:  # else it came, or went, with its column
                    kind, promised = one.parameters.kind, "promised"
                    key = (kind, None, promised, Effect.STRONGER) if new else (kind, promised, None, Effect.WEAKER)
                    alike.setdefault(key, []).append(one)
                continue
            for found in differences(_about(old.parameters, held & holds), _about(new.parameters, held & holds)):
                part = ".".join(map(str, (new.parameters.kind, *found.place)))
                alike.setdefault((part, found.before, found.after, found.effect), []).append(new)
        for (part, old_value, new_value, effect), every in alike.items():
            names = sorted(promise.name.partition("__")[2] for promise in every)
            said = ", ".join(name for name in names if name)
            yield Change(
                "guarantee",
                Declaration(PURPOSE, asset.purpose),
                f"{asset.stage}: {part}" + (f" of {said}" if said else ""),
                old_value,
                new_value,
                effect,
                every[0].where,
                tuple(after.side.flows.places([asset])),
            )


def _counts(promise: Promise) -> bool:
    """Whether a promise says something that is not compared where it is declared."""
    return directions(promise.parameters.__class__).get("kind") is not Weaker.ELSEWHERE


def _names(side: Side, asset: AssetName) -> frozenset[str]:
    return frozenset(column.name for column in side.flows.made[asset].columns)


def _column(promise: Promise) -> str:
    parameters = promise.parameters
    return str(getattr(parameters, "column", None) or getattr(parameters, "about", ""))


def _about(parameters: Any, both: Collection[str]) -> Any:
    """The parameters without the columns that only one side has: these came or went, which is told as a flow."""
    if "quasi_identifiers" not in type(parameters).model_fields:
        return parameters
    left = tuple(name for name in parameters.quasi_identifiers if name in both)
    return parameters.model_copy(update={"quasi_identifiers": left})


# ---- declared values


def _declared(base: Side, head: Side, of: Declaration, *, promised: bool) -> Iterator[Change]:
    """Every value of a declaration that differs, but for what its flows and promises tell (`promised`: these do)."""
    before, after = base.declarations().get(of), head.declarations().get(of)
    if before is None or after is None:
        yield _whole(base, head, of)
        return
    found = list(differences(_comparable(base, of), _comparable(head, of)))
    for one in found:
        yield Change(
            topic(one.place),
            of,
            ".".join(map(str, one.place)),
            one.before,
            one.after,
            one.effect,
            _where(head, of, one.place),
            _starts(base, of, one.place) + _starts(head, of, one.place),
        )
    if isinstance(before, Purpose) and isinstance(after, Purpose):
        told = {one.place for one in found} | ({_ANONYMITY} if promised else set())
        yield from _otherwise(head, of, before, after, told)


def topic(place: Sequence[str | int]) -> str:
    """What a change of the value at this place is about."""
    return next((TOPICS[part] for part in map(str, reversed(place)) if part in TOPICS), "declaration")


def _whole(base: Side, head: Side, of: Declaration) -> Change:
    before, after = base.declarations().get(of), head.declarations().get(of)
    one, side = (before, base) if after is None else (after, head)
    nobody = isinstance(one, Contract) and one.privacy.subject is None
    effect = Effect.OTHER if nobody else Effect.WEAKER if before is None else Effect.STRONGER
    versions = [None if each is None else each.version for each in (before, after)]
    return Change("declaration", of, "", versions[0], versions[1], effect, _where(side, of, ()), _starts(side, of, ()))


def _comparable(side: Side, of: Declaration) -> Contract | Purpose:
    """The declaration with its SQL as it was understood, so that spaces and names in full are no difference."""
    one = side.declarations()[of]
    if isinstance(one, Purpose) and one.features.sql is not None:
        meant = side.project.features(of.name).expression.sql(dialect="duckdb")
        return one.model_copy(update={"features": one.features.model_copy(update={"sql": meant})})
    return one


_ANONYMITY = ("guarantee", "anonymity")


def _otherwise(
    head: Side, of: Declaration, before: Purpose, after: Purpose, told: Collection[tuple[str | int, ...]]
) -> Iterator[Change]:
    """What is written otherwise, and means the same: SQL, and criteria that come to the same promises."""
    sql = ("features", "sql")
    if before.features.sql != after.features.sql and sql not in told:
        yield Change("declaration", of, "features.sql", "", "written otherwise", Effect.WORDS, _where(head, of, sql))
    if _asked(before) != _asked(after) and _ANONYMITY not in told:
        what, where = ".".join(_ANONYMITY), _where(head, of, _ANONYMITY)
        yield Change("guarantee", of, what, "", "written otherwise", Effect.OTHER, where)


def _asked(purpose: Purpose) -> Anonymity | None:
    """What is told by promises; `transfer` is compared value by value."""
    anonymity = purpose.guarantee.anonymity
    return anonymity and anonymity.model_copy(update={"transfer": None})


def _where(side: Side, of: Declaration, place: tuple[str | int, ...]) -> str:
    return side.project.where(of.kind, of.name, *place)


_FORMS = {stage.value: stage for stage in (Stage.FEATURES, Stage.ANONYMIZED, Stage.SYNTHETIC, Stage.STATISTICS,
                                            Stage.TRAINING, Stage.MODEL)}  # fmt: skip


def _starts(side: Side, of: Declaration, place: tuple[str | int, ...]) -> tuple[Place, ...]:
    """Where a declared value has its effect first: a column, an asset, or all that the declaration speaks of."""
    made = side.flows.made
    match (of.kind, *place):
        case ("contract", "columns", str(column), *_):
            at = (AssetName(Stage.RAW, dataset=of.name), column)
            return (at,) if side.flows.column(at) else ()
        case ("purpose", "datasets", str(dataset), "columns", str(column), *_):
            at = (AssetName(Stage.MINIMIZED, of.name, dataset), column)
            return (at,) if side.flows.column(at) else ()
        case ("purpose", str(form), *_) if form in _FORMS:
            assets = [AssetName(_FORMS[form], of.name)]
        case ("contract", *_):
            assets = [AssetName(Stage.RAW, dataset=of.name)]
        case _:
            assets = [asset for asset in made if asset.purpose == of.name]
    return tuple(side.flows.places(asset for asset in assets if asset in made))


# ---- what follows


def _versions(
    base: Side, head: Side, edited: Collection[Declaration], changes: Iterable[Change]
) -> tuple[Versioned, ...]:
    """Of each declaration that both sides have, and of which the text or the version is another."""
    before, after = base.declarations(), head.declarations()
    needed: dict[Declaration, Size] = {}
    for change in changes:
        for of in _answers_for(base, head, edited, change):
            needed[of] = max(needed.get(of, Size.PATCH), size_of(change.effect))
    return tuple(
        Versioned(of, before[of].version, after[of].version, needed.get(of, Size.PATCH) if of in edited else None)
        for of in after
        if of in before and (of in edited or before[of].version != after[of].version)
    )


def _answers_for(base: Side, head: Side, edited: Collection[Declaration], change: Change) -> list[Declaration]:
    """The declaration whose change it is; of a purpose that nobody edited, the edited contracts that it reads."""
    if change.of in edited:
        return [change.of]
    datasets = base.datasets.get(change.of.name, frozenset()) | head.datasets.get(change.of.name, frozenset())
    return [of for of in edited if of.kind == CONTRACT and of.name in datasets]


def _reached(base: Side, head: Side, changes: Iterable[Change]) -> tuple[AssetName, ...]:
    """The assets that people's protection changes in: where it does first, and all that depends on that."""
    starts = {place for change in changes if change.effect.concerns for place in change.starts}
    found: set[AssetName] = set()
    for side in (base, head):
        found |= assets_below(side.flows, (place for place in starts if side.flows.column(place)))
    return tuple(sorted(found))


def _approvals(base: Side, head: Side, changes: Iterable[Change], reached: Iterable[AssetName]) -> tuple[Approval, ...]:
    """Owners on either side of all that was touched: who gives something away answers for it as who takes it over."""
    touched: dict[Declaration, None] = {}
    for change in changes:
        if change.effect is not Effect.WORDS:
            touched[change.of] = None
            if change.topic == "flow":
                touched[Declaration(CONTRACT, change.what.partition(".")[0])] = None
    touched |= {Declaration(PURPOSE, asset.purpose): None for asset in reached if asset.purpose}
    found: dict[Approval, None] = {}
    for of in touched:
        for side in (head, base):
            one = side.declarations().get(of)
            if one is not None:
                found[Approval(of, one.owner, one.privacy.third_parties if isinstance(one, Contract) else ())] = None
    return tuple(found)


# ---- what was measured


def measured(gate: Gate, base: Side, head: Side) -> tuple[Measured, ...]:
    """What differs between the latest versions made under each state, where the ledger holds both."""
    found: list[Measured] = []
    for asset in head.flows.made:
        if asset.dataset or asset not in base.flows.made:
            continue
        made = gate.history(asset)
        pair = [next((one for one in reversed(made) if _made_under(gate, one, side)), None) for side in (base, head)]
        old, new = pair
        if old is None or new is None or old.version == new.version:
            continue
        was, now = _numbers(old), _numbers(new)
        found += [Measured(asset, what, was[what], now[what]) for what in was if what in now and was[what] != now[what]]
    return tuple(found)


def _made_under(gate: Gate, passport: Passport, side: Side) -> bool:
    """Whether a version, and all that it was made from, was made under the declarations of this side."""
    stands = side.declarations()

    def is_here(said: str, digest: str) -> bool:
        kind, _, name = said.partition(" ")
        of = Declaration(kind, name.partition("@")[0])
        if of not in stands:
            return False
        now = side.project.contracts[of.name].digest if kind == CONTRACT else side.project.digest(of.name)
        return digest == now

    return all(is_here(*said) for made in gate.ancestry(passport) for said in made.declared.items())


def _numbers(passport: Passport) -> dict[str, Number]:
    found: dict[str, Number] = {}
    for one in passport.evidence:
        finding = one.finding
        if finding.invariant == "attack_excess":
            if finding.numbers.get("tried") and finding.numbers.get("control_tried"):
                found[f"{finding.name} excess"] = excess(finding.numbers).value
        elif (number := NUMBERS.get(finding.invariant)) in finding.numbers:
            assert number is not None
            found[f"{finding.name} {number}"] = finding.numbers[number]
    return found | {what: value for what, value in passport.measures.items() if what.endswith("_risk")}
