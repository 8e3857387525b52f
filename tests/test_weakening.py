"""Every declared value says which change of it is the weaker one, and differences are judged by that."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import date
from importlib import import_module
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel, Field

from privacy_assets import techniques
from privacy_assets.contracts.contract import Contract
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.invariants import INVARIANTS
from privacy_assets.techniques.aggregate import AGGREGATE
from privacy_assets.techniques.anonymize import ANONYMIZE
from privacy_assets.techniques.criteria import CRITERIA
from privacy_assets.techniques.hierarchies import HIERARCHIES
from privacy_assets.techniques.profiles import PROFILES
from privacy_assets.techniques.pseudonymize import PSEUDONYMIZE
from privacy_assets.techniques.synthesize import SYNTHESIZE
from privacy_assets.techniques.train import TRAIN
from privacy_assets.threat_models import THREAT_MODELS
from privacy_assets.weakening import Effect, Ranked, Weaker, differences, directions, fields
from privacy_assets.words import Frozen

FAMILIES = {
    "invariants": INVARIANTS,
    "threat_models": THREAT_MODELS,
    "aggregate": AGGREGATE,
    "anonymize": ANONYMIZE,
    "criteria": CRITERIA,
    "hierarchies": HIERARCHIES,
    "minimize": {
        name: import_module(f"{techniques.__name__}.minimize.{name}")
        for name in ("consent", "no_objection", "retention")
    },
    "profiles": PROFILES,
    "pseudonymize": PSEUDONYMIZE,
    "synthesize": SYNTHESIZE,
    "train": TRAIN,
}


def _types(hint: Any) -> Iterator[type]:
    if get_origin(hint) is Annotated:
        yield from _types(get_args(hint)[0])
    elif get_origin(hint) in (Union, UnionType, tuple, dict):
        for part in get_args(hint):
            yield from _types(part)
    elif isinstance(hint, type):
        yield hint


def _below(declared: type) -> set[type]:
    """The model and all that stand in it."""
    found, waiting = set(), [declared]
    while waiting:
        one = waiting.pop()
        if one not in found and fields(one):
            found.add(one)
            hints = get_type_hints(one, include_extras=True)
            waiting += [type_ for name in fields(one) for type_ in _types(hints[name])]
    return found


def _undirected(declared: type) -> list[str]:
    """Fields that say no direction; a part that is always there is the sum of its own."""
    hints, said = get_type_hints(declared, include_extras=True), directions(declared)
    return [
        name
        for name in fields(declared)
        if name not in said and name != "kind" and not (isinstance(hints[name], type) and fields(hints[name]))
    ]


DECLARED = sorted(
    {one for top in (Contract, Purpose) for one in _below(top)}
    | {one for family in FAMILIES.values() for module in family.values() for one in _below(module.Parameters)},
    key=lambda one: (one.__module__, one.__name__),
)


@pytest.mark.parametrize("declared", DECLARED, ids=lambda one: f"{one.__module__.partition('.')[2]}.{one.__name__}")
def test_every_declared_value_says_which_change_weakens_it(declared: type):
    """Parameters of techniques and invariants, values of contracts and purposes: a direction, or that it has none."""
    assert not _undirected(declared)


def test_a_value_that_says_nothing_is_found():
    """The test above fails for a model with a field that nobody thought about, also within another."""

    class Silent(Frozen):
        said: Annotated[int, Weaker.LESS] = 1
        forgotten: Annotated[int, Field(ge=1)] = 1

    class Holds(Frozen):
        part: Annotated[tuple[Silent, ...], Weaker.ANY] = ()

    globals().update(Silent=Silent)
    assert _below(Holds) == {Holds, Silent}
    assert _undirected(Silent) == ["forgotten"] and not _undirected(Holds)
    assert _effects(Silent(), Silent(forgotten=2)) == {"forgotten": Effect.CHANGED}


class Way(Frozen):
    kind: Literal["way"] = "way"
    share: Annotated[float, Weaker.MORE] = 0.1


class Bare(Frozen):
    STRENGTH: ClassVar[int] = 0
    kind: Literal["bare"] = "bare"
    share: Annotated[float, Weaker.MORE] = 0.1


class Other(Frozen):
    kind: Literal["other"] = "other"


@dataclasses.dataclass(frozen=True)
class Named:
    name: Annotated[str, Weaker.ELSEWHERE]
    size: Annotated[int, Weaker.NONE] = 0


class Everything(Frozen):
    k: Annotated[int | None, Weaker.LESS] = 5
    t: Annotated[float | None, Weaker.MORE] = 0.2
    low: Annotated[float | date, Weaker.LESS] = 0.0
    sure: Annotated[bool, Weaker.LESS] = True
    told: Annotated[tuple[str, ...], Weaker.ADDED] = ("a", "b")
    searched: Annotated[tuple[str, ...], Weaker.REMOVED] = ("a", "b")
    values: Annotated[tuple[str, ...] | None, Weaker.UNDECLARED] = ("a", "b")
    basis: Annotated[str, Weaker.ANY] = "x"
    seed: Annotated[int, Weaker.NONE] = 1
    why: Annotated[str, Weaker.WORDS] = "x"
    version: Annotated[str, Weaker.ELSEWHERE] = "x"
    to: Annotated[str, Ranked(("month", ("quarter", "season"), "year"))] = "quarter"
    way: Annotated[Way | Bare | Other, Weaker.ANY] = Way()
    part: Annotated[Way | None, Weaker.REMOVED] = Way()
    more: Annotated[Way | None, Weaker.ADDED] = None
    by: Annotated[dict[str, Way], Weaker.ADDED] = Field(default_factory=lambda: {"one": Way()})
    columns: Annotated[tuple[Named, ...], Weaker.NONE] = (Named("one"), Named("two"))
    aliased: Annotated[int, Field(alias="from"), Weaker.LESS] = 1


def _effects(before: BaseModel, after: BaseModel) -> dict[str, Effect]:
    return {".".join(map(str, one.place)): one.effect for one in differences(before, after)}


W, C, S, O, T = Effect.WEAKER, Effect.CHANGED, Effect.STRONGER, Effect.OTHER, Effect.WORDS  # noqa: E741


@pytest.mark.parametrize(
    ("change", "effects"),
    [
        ({"k": 4}, {"k": W}),
        ({"k": 6}, {"k": S}),
        ({"k": None}, {"k": W}),
        ({"t": 0.3}, {"t": W}),
        ({"t": 0.1}, {"t": S}),
        ({"t": None}, {"t": W}),
        ({"low": date(2026, 1, 1)}, {"low": C}),
        ({"sure": False}, {"sure": W}),
        ({"told": ("a", "b", "c")}, {"told": W}),
        ({"told": ("a", "c")}, {"told": W}),
        ({"told": ("a",)}, {"told": S}),
        ({"told": ("b", "a")}, {"told": O}),
        ({"searched": ("a",)}, {"searched": W}),
        ({"searched": ("a", "b", "c")}, {"searched": S}),
        ({"values": ("a", "b", "c")}, {"values": O}),
        ({"values": None}, {"values": W}),
        ({"basis": "y"}, {"basis": C}),
        ({"seed": 2}, {"seed": O}),
        ({"why": "y"}, {"why": T}),
        ({"version": "y"}, {}),
        ({"to": "month"}, {"to": W}),
        ({"to": "season"}, {"to": C}),
        ({"to": "year"}, {"to": S}),
        ({"to": "unknown"}, {"to": C}),
        ({"way": Way(share=0.2)}, {"way.share": W}),
        ({"way": Bare(share=0.2)}, {"way": W, "way.share": W}),
        ({"way": Other()}, {"way": C}),
        ({"part": None}, {"part": W}),
        ({"part": Way(share=0.0)}, {"part.share": S}),
        ({"more": Way()}, {"more": W}),
        ({"by": {"one": Way(), "two": Way()}}, {"by.two": W}),
        ({"by": {}}, {"by.one": S}),
        ({"by": {"one": Way(share=1.0)}}, {"by.one.share": W}),
        ({"columns": (Named("two", 1), Named("three"))}, {"columns.two.size": O, "columns.three": O, "columns.one": O}),
        ({"aliased": 0}, {"from": W}),
        ({}, {}),
    ],
    ids=str,
)
def test_a_change_has_the_effect_that_its_direction_says(change: dict[str, Any], effects: dict[str, Effect]):
    """Each direction, both ways; what is absent bounds nothing; what nobody can rank is changed."""
    assert _effects(Everything(), Everything().model_copy(update=change)) == effects


def test_each_way_back_is_the_other_effect():
    """What was weaker is stronger the other way round; what nobody can rank stays so."""
    turned = {W: S, S: W, C: C, O: O, T: T}
    for change in ({"k": 4}, {"t": None}, {"basis": "y"}, {"to": "year"}, {"part": None}, {"way": Bare()}, {"seed": 2}):
        other = Everything().model_copy(update=change)
        there, back = _effects(Everything(), other), _effects(other, Everything())
        assert {place: turned[effect] for place, effect in there.items()} == back


class _Part(Frozen):
    restated: Annotated[int, Weaker.ELSEWHERE]


class _Told(Frozen):
    k: Annotated[int, Weaker.LESS]
    restated: Annotated[int, Weaker.ELSEWHERE]
    parts: _Part


def test_what_is_compared_elsewhere_is_told_of_two_that_are_alone():
    """And nobody ranks it; all else has the effect that it always has, and nothing is told twice."""
    one, two = _Told(k=5, restated=1, parts=_Part(restated=1)), _Told(k=3, restated=2, parts=_Part(restated=2))
    assert [found.place for found in differences(one, two)] == [("k",)]
    assert [(found.place, found.effect) for found in differences(one, two, alone=True)] == [
        (("k",), Effect.WEAKER), (("restated",), Effect.CHANGED), (("parts", "restated"), Effect.CHANGED)]  # fmt: skip
    assert not list(differences(one, one, alone=True))


def test_a_field_that_is_declared_anew_keeps_the_direction_of_its_base():
    """Another default is no other meaning."""
    assert "excess_at_most" in THREAT_MODELS["trusted_partner"].Parameters.__annotations__
    assert directions(THREAT_MODELS["trusted_partner"].Parameters)["excess_at_most"] is Weaker.MORE
