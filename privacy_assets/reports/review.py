"""The packet for a design review of a purpose: where identifiers are, each hop, who reads what, why each attribute.

Belongs here: what reviewers have to see before they sign, with what was measured and what was not. Does not belong
here: their judgement; how a change differs from what was there (`diff.py`).

A *cheaper alternative* is a technique that hides more than the one that is declared (by its `STRENGTH`, beside it) and
that the column's type permits (its `fault` has none). Whether it is enough for the purpose is for people to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from privacy_assets.contracts.linked_tables import asks_for_tables
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.gate import PERSON, READERS, READERS_OF_TABLES, Gate
from privacy_assets.lineage.flows import VALUE, Flows, Place
from privacy_assets.reports import frontier
from privacy_assets.reports._document import OPEN, Section, Table, questions
from privacy_assets.reports._told import (
    DOES,
    Known,
    attributes,
    by_entry,
    chosen,
    numbers_of,
    role_in_raw,
    roles_of,
    standing,
    state,
)
from privacy_assets.reports.record import reached
from privacy_assets.techniques.pseudonymize import PSEUDONYMIZE
from privacy_assets.weakening import Direction, Ranked, Weaker, directions
from privacy_assets.words import AssetName, Column, Role

TITLE = "Design-review packet"

NOTHING = "nothing measured says so"

_EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "bounded_noise": {"low": 0, "high": 100, "epsilon": 1.0},
    "bucket": {"edges": (0,)},
    "code_extremes": {"high": 100},
    "randomized_response": {"epsilon": 1.0},
    "shift_dates": {"max_days": 30},
    "surrogate": {"generator": "uuid"},
    "truncate_date": {"to": "year"},
    "truncate_text": {"keep": 1},
}
"""Parameters with which a technique that has no defaults is asked whether it fits a column."""

_OPEN = (
    "Is the unit of observation the coarsest one that serves the purpose?",
    "Which combination of these attributes would a neighbour, an employer or an insurer recognize?",
    "Do recipients hold other data about the same people?",
    "Is there an attribute that stands for another one (a proxy) that was left out on purpose?",
    "What is done with a release, and with the model, when the purpose ends?",
)
_SIGN = ("owner of the purpose", "owner of each dataset", "data protection", "security", "those who will use it")


def review(gate: Gate, flows: Flows, purpose: str | None = None) -> Section:
    """The packets of all purposes, or of one. Raises BadDeclaration where there is none of this name."""
    known = Known.of(gate, flows)
    return Section(TITLE, state(gate), [_of(known, one) for one in chosen(gate, purpose)])


def _of(known: Known, purpose: Purpose) -> Section:
    sign = [(OPEN, who, "", "", "") for who in _SIGN]
    return Section(
        f"{purpose.title} ({purpose.purpose})",
        [f"Why: {purpose.why}", f"Owner: {purpose.owner}. One row is: {purpose.features.unit}."],
        [
            Section("Where identifiers exist", [_identifiers(known, purpose)]),
            Section("What happens at each hop", [_hops(known, purpose)]),
            Section("Roles before and after each hop", [_roles(known, purpose)]),
            Section("Exposure points", [_exposure(known, purpose)]),
            Section("Attributes", [_attributes(known, purpose), *_weighed(known, purpose)]),
            Section("Where it stands", [standing(known, known.assets(purpose.purpose))]),
            Section("Open questions", [questions(_OPEN)]),
            Section("Sign-off", [Table(("", "role", "name", "decision", "date"), sign)]),
        ],
    )


def _identifiers(known: Known, purpose: Purpose) -> Table:
    """Of each column of raw that can identify, and reaches the purpose by value: where a role is left of it."""

    def lines() -> Iterator[tuple[str, ...]]:
        for place, direct in reached(known, purpose).items():
            column = known.flows.column(place)
            named = column is not None and column.identifier_domain is not None
            if column is None or not (named or column.role in (Role.DIRECT_IDENTIFIER, Role.QUASI_IDENTIFIER)):
                continue
            below = [
                one.place
                for one in known.flows.downstream([place]).values()
                if one.direct and one.place[0].purpose == purpose.purpose and known.roles.get(one.place)
            ]
            yield (
                f"{place[0]}.{place[1]}",
                column.identifier_domain.name if column.identifier_domain else "-",
                column.role.value,
                ", ".join(f"{asset}.{name} ({roles_of(known.roles[asset, name])})" for asset, name in below)
                or ("in raw alone" if direct else "in raw alone; it decides about rows"),
            )

    return Table(("column of raw", "domain", "role", "where a role is left"), list(lines()))


def _hops(known: Known, purpose: Purpose) -> Table:
    lines = []
    for asset in known.assets(purpose.purpose):
        made = known.flows.made[asset]
        read = ", ".join(dict.fromkeys(str(one) for one in made.reads.values()))
        lines.append((str(asset), read, DOES[asset.stage], str(len(made.columns))))
    return Table(("asset", "made from", "what is done", "columns"), lines)


def _before(known: Known, place: Place) -> frozenset[Role]:
    into = known.flows.into.get(place, ())
    return frozenset().union(*(known.roles.get(source, frozenset()) for source, kind in into if kind == VALUE))


def _roles(known: Known, purpose: Purpose) -> Table:
    lines = []
    for asset in known.assets(purpose.purpose):
        for column in known.flows.made[asset].columns:
            place = (asset, column.name)
            before, after = _before(known, place), known.roles[place]
            if before or after:
                lines.append((str(asset), column.name, column.technique or "-", roles_of(before), roles_of(after)))
    return Table(("asset", "column", "technique", "before", "after"), lines)


def _exposure(known: Known, purpose: Purpose) -> Table:
    read: dict[AssetName, list[int]] = {}
    for entry in known.gate.ledger.entries():
        if entry.body["action"] == "access":
            read.setdefault(AssetName.parse(entry.body["asset"]), []).append(entry.position)
    lines = []
    for asset in known.assets(purpose.purpose):
        readers = READERS[asset.stage]
        if asks_for_tables(purpose):
            readers |= READERS_OF_TABLES.get(asset.stage, frozenset())
        people = PERSON in readers
        left = frozenset().union(*(known.roles[place] for place in known.flows.places([asset])))
        accesses = read.get(asset, [])
        lines.append(
            (
                str(asset),
                ", ".join(sorted(readers)),
                (", ".join(purpose.recipients) or "nobody outside is named") if people else "-",
                roles_of(left),
                f"{len(accesses):,}, the last in ledger entry {accesses[-1]}" if accesses else "none",
            )
        )
    return Table(("asset", "who may read it", "recipients", "roles that are left", "accesses on record"), lines)


def _attributes(known: Known, purpose: Purpose) -> Table:
    def lines() -> Iterator[tuple[str, ...]]:
        for dataset, name, place in attributes(purpose):
            need = purpose.datasets[dataset].columns[name]
            column = next(one for one in known.gate.project.raw_columns(dataset) if one.name == name)
            stronger = alternatives(column, need.technique)
            yield (
                f"{dataset}.{name}",
                role_in_raw(known, place).value,
                need.why,
                need.technique.kind,
                _measured(known, purpose, place),
                ", ".join(stronger) or "none that the type permits",
            )

    heads = ("attribute", "role", "why it is needed", "technique", "risk and utility, measured", "hides more")
    return Table(heads, list(lines()))


def _measured(known: Known, purpose: Purpose, place: Place) -> str:
    """The findings that speak of the column itself, or of what became of it by value, in a release."""
    named = [one.place for one in known.flows.downstream([place]).values() if one.direct]
    told = []
    for asset, column in named:
        if asset.purpose != purpose.purpose or PERSON not in READERS[asset.stage]:
            continue
        for one in known.evidence(asset):
            asked = one.promise.parameters
            of_it = getattr(asked, "column", None) == column or getattr(asked, "about", None) == column
            if of_it and one.numbers and asked.kind not in ("in_domain", "not_null", "within_bounds"):
                entry = by_entry(one)[1]
                told.append(f"{asset}: {one.promise.name} {numbers_of(asked.kind, one.numbers)} (entry {entry})")
    return "; ".join(dict.fromkeys(told)) or NOTHING


def alternatives(column: Column, declared: Any) -> tuple[str, ...]:
    """What hides more than the declared technique and fits the column: its own parameters, then other kinds."""
    found = []
    for kind, module in PSEUDONYMIZE.items():
        if _strength(module.Parameters) <= _strength(type(declared)):
            continue
        if column.free_text and not getattr(module, "REDACTS", False):
            continue
        try:
            parameters = module.Parameters(kind=kind, **_EXAMPLES.get(kind, {}))
        except ValidationError:  # it has no example, and cannot be asked without one
            continue
        if module.fault(parameters, column) is None:
            found.append(kind)
    own: Any = type(declared)
    coarser = [name for name, way in directions(own).items() if _can_hide_more(way, getattr(declared, name))]
    return (*(f"{declared.kind} with another {name}" for name in coarser), *found)


def _can_hide_more(way: Direction, value: Any) -> bool:
    if isinstance(way, Ranked):
        return way.rank(value) < len(way.ranks) - 1
    return way in (Weaker.LESS, Weaker.MORE, Weaker.ADDED)


def _strength(parameters: type[Any]) -> int:
    return int(getattr(parameters, "STRENGTH", 1))


def _weighed(known: Known, purpose: Purpose) -> list[str | Table]:
    """What was weighed for the purpose as a whole: the points that were chosen, fidelity, and attacks."""
    told: list[tuple[str, ...]] = []
    for one in frontier.decisions(known.gate, purpose.purpose):
        prosecutor, marketer = one.risks
        what = f"{one.said}: utility {one.utility:.4f}, prosecutor risk {prosecutor:.2%}, marketer risk {marketer:.2%}"
        told.append(("a choice of risk against utility", what, str(one.position)))
    for asset in known.assets(purpose.purpose):
        for found in known.evidence(asset):
            kind = found.promise.parameters.kind
            if kind in ("fidelity", "utility_floor", "attack_excess", "persons_per_class", "suppressed_share"):
                what = f"{found.verdict}: {numbers_of(kind, found.numbers)}"
                told.append((f"{asset}: {found.promise.name}", what, by_entry(found)[1]))
    if not told:
        said = f"Of all attributes together: {NOTHING}; no choice of risk against utility is on record."
        return [said]
    return ["Of all attributes together:", Table(("what", "measured", "ledger entry"), told)]
