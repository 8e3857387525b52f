"""Which change of a declared value weakens what people were promised, and how two declarations differ by that.

Belongs here: the directions, which are written beside the values themselves (`k: Annotated[int, Weaker.LESS]`), and the
comparison that reads them. Does not belong here: any declaration, what a difference means for a version
(`contracts/versions.py`), for flows and models (`lineage/diff.py`).

A field without a direction is compared as `ANY`: what nobody thought about is looked at, and counts as a weakening. A
test holds every declaration, invariant and technique to saying so itself.

Two values of which each has a `kind`, and not the same, are two ways of doing something. That is a change to be looked
at, unless one says by its `STRENGTH` (0 hides nothing, 1 hides something, 2 hides everything or proves what it hides)
that it hides less or more than the other. What both call alike is compared besides.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel

Place = tuple[str | int, ...]


class Weaker(StrEnum):
    """Which change of a value is the weaker one.

    `LESS` and `MORE` speak of numbers, days, true (more) and false; a number that is not there bounds nothing.
    `ADDED` and `REMOVED` speak of what is in a list or under a key, and of a part that is there or not. `UNDECLARED`:
    no values at all are declared any more, while other values are only other ones. `ANY`: nobody can say, so that each
    change is looked at. `NONE`: no change of it touches people. `WORDS`: it is read by people alone. `ELSEWHERE`: it
    follows from, or is compared as, something else.
    """

    LESS = "less"
    MORE = "more"
    ADDED = "added"
    REMOVED = "removed"
    UNDECLARED = "undeclared"
    ANY = "any"
    NONE = "none"
    WORDS = "words"
    ELSEWHERE = "elsewhere"


@dataclasses.dataclass(frozen=True, slots=True)
class Ranked:
    """The values of a field from the weakest rank to the strongest; of two of one rank neither is the stronger."""

    ranks: tuple[str | tuple[str, ...], ...]

    def rank(self, value: Any) -> int:
        """The place of a value's rank, from 0; KeyError where it has none."""
        for place, values in enumerate(self.ranks):
            if value in ((values,) if isinstance(values, str) else values):
                return place
        raise KeyError(value)


Direction = Weaker | Ranked


class Effect(StrEnum):
    """What a difference does to people's protection. `changed` is to be looked at, and counts as `weaker`."""

    WEAKER = "weaker"
    CHANGED = "changed"
    STRONGER = "stronger"
    OTHER = "other"
    WORDS = "words"

    @property
    def weakens(self) -> bool:
        """Whether it is weaker, or could be."""
        return self in (Effect.WEAKER, Effect.CHANGED)

    @property
    def concerns(self) -> bool:
        """Whether it says anything about people's protection."""
        return self not in (Effect.OTHER, Effect.WORDS)


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs, at its place within the declaration; None on a side where it is not."""

    place: Place
    before: Any
    after: Any
    effect: Effect


@functools.cache
def directions(declared: type[Any]) -> Mapping[str, Direction]:
    """The direction of each field of a model or dataclass that has one, by the field's name.

    A field that a subclass declares anew keeps the direction of its base, where it says none itself.
    """
    found: dict[str, Direction] = {}
    for name, hint in get_type_hints(declared, include_extras=True).items():
        said = list(_said(hint))
        for base in declared.__mro__[1:]:
            if not said and name in getattr(base, "__annotations__", {}):
                said = list(_said(get_type_hints(base, include_extras=True)[name]))
        if said:
            found[name] = said[-1]
    return found


def _said(hint: Any) -> Iterator[Direction]:
    """The directions in an annotation, the outermost last; those within a list or a union speak of something else."""
    if get_origin(hint) is Annotated:
        inner, *metadata = get_args(hint)
        yield from _said(inner)
        yield from (one for one in metadata if isinstance(one, Weaker | Ranked))


def fields(declared: type) -> tuple[str, ...]:
    """The names of the fields of a model or dataclass; none of anything else."""
    if issubclass(declared, BaseModel):
        return tuple(declared.model_fields)
    return tuple(one.name for one in dataclasses.fields(declared)) if dataclasses.is_dataclass(declared) else ()


def differences(
    before: Any, after: Any, direction: Direction = Weaker.ANY, place: Place = (), *, alone: bool = False
) -> Iterator[Difference]:
    """Every difference of two declared values, in the order in which they are declared.

    `direction` is that of the value as a whole: whether it is there, which kind it is. Where these two `alone` are
    compared, what is compared `ELSEWHERE` otherwise is told as well, and nobody ranks it.
    """
    if before == after or (direction is Weaker.ELSEWHERE and not alone):
        return
    direction = Weaker.ANY if direction is Weaker.ELSEWHERE else direction
    before, after = _keyed(before), _keyed(after)
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys((*before, *after)):
            if name in before and name in after:
                yield from differences(before[name], after[name], direction, (*place, name), alone=alone)
            else:
                was, now = before.get(name), after.get(name)
                yield Difference((*place, name), was, now, _of_presence(direction, name in after))
        return
    if _is_model(before) and _is_model(after):
        yield from _of_models(before, after, direction, place, alone=alone)
        return
    yield Difference(place, before, after, _effect(before, after, direction))


def _keyed(value: Any) -> Any:
    """A list whose members have names is known by these."""
    if isinstance(value, tuple) and value and all(_is_model(one) and hasattr(one, "name") for one in value):
        return {one.name: one for one in value}
    return value


def _is_model(value: Any) -> bool:
    return not isinstance(value, type) and bool(fields(type(value)))


def _of_models(before: Any, after: Any, direction: Direction, place: Place, *, alone: bool) -> Iterator[Difference]:
    names = [name for name in fields(type(after)) if name in fields(type(before))]
    if type(before) is not type(after):
        weak, strong = strength(before), strength(after)
        if weak == strong or direction in (Weaker.NONE, Weaker.WORDS):
            effect = _effect(0, 1, direction if direction in (Weaker.NONE, Weaker.WORDS) else Weaker.ANY)
        else:
            effect = Effect.WEAKER if strong < weak else Effect.STRONGER
        yield Difference(place, before, after, effect)
        names = [name for name in names if name != "kind"]
    said = directions(after.__class__)
    for name in names:
        written = _written(type(after), name)
        one, other = getattr(before, name), getattr(after, name)
        yield from differences(one, other, said.get(name, Weaker.ANY), (*place, written), alone=alone)


def _written(declared: type, name: str) -> str:
    """How a field is called in the file."""
    return (declared.model_fields[name].alias or name) if issubclass(declared, BaseModel) else name


def strength(declared: Any) -> int:
    """How much a way of doing something hides: 0 nothing, 1 something, 2 everything or a proven share."""
    return int(getattr(type(declared), "STRENGTH", 1))


def _of_presence(direction: Direction, appeared: bool) -> Effect:
    match direction:
        case Weaker.ADDED:
            return Effect.WEAKER if appeared else Effect.STRONGER
        case Weaker.REMOVED | Weaker.UNDECLARED | Weaker.LESS | Weaker.MORE:
            return Effect.STRONGER if appeared else Effect.WEAKER
        case Weaker.NONE:
            return Effect.OTHER
        case Weaker.WORDS:
            return Effect.WORDS
    return Effect.CHANGED


def _effect(before: Any, after: Any, direction: Direction) -> Effect:
    if before is None or after is None:
        return _of_presence(direction, before is None)
    if isinstance(direction, Ranked):
        return _of_ranks(before, after, direction)
    match direction:
        case Weaker.LESS | Weaker.MORE:
            return _of_numbers(before, after, direction)
        case Weaker.ADDED | Weaker.REMOVED if isinstance(before, tuple) and isinstance(after, tuple):
            return _of_sets(before, after, direction)
        case Weaker.NONE | Weaker.UNDECLARED:
            return Effect.OTHER
        case Weaker.WORDS:
            return Effect.WORDS
    return Effect.CHANGED


def _of_ranks(before: Any, after: Any, direction: Ranked) -> Effect:
    try:
        was, now = direction.rank(before), direction.rank(after)
    except KeyError:
        return Effect.CHANGED
    if was == now:
        return Effect.CHANGED
    return Effect.WEAKER if now < was else Effect.STRONGER


def _of_numbers(before: Any, after: Any, direction: Weaker) -> Effect:
    try:
        less = bool(after < before)
    except TypeError:  # a number became a day
        return Effect.CHANGED
    return Effect.WEAKER if less == (direction is Weaker.LESS) else Effect.STRONGER


def _of_sets(before: tuple[Any, ...], after: tuple[Any, ...], direction: Weaker) -> Effect:
    added = any(one not in before for one in after)
    removed = any(one not in after for one in before)
    if not added and not removed:
        return Effect.OTHER  # the same in another order
    weak = added if direction is Weaker.ADDED else removed
    return Effect.WEAKER if weak else Effect.STRONGER
