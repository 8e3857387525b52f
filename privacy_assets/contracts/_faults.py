"""Says what is wrong in a declaration so that a person can mend it.

Belongs here: gathering faults with their place, and the way from the validation errors of pydantic to ours. Does not
belong here: what is right and wrong.
"""

from __future__ import annotations

import difflib
import json
import re
import types
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from privacy_assets.contracts._yaml import Document, Place
from privacy_assets.errors import Fault

LONGEST_ECHO = 60

_TYPES = {
    "string_type": "text; in quotes, if it looks like something else",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "`true` or `false`",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "list_type": "a list",
    "tuple_type": "a list",
}
"""What pydantic's errors of type ask for, in the words of somebody who writes YAML."""

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Faults:
    """What was found in one document so far."""

    document: Document
    found: list[Fault] = field(default_factory=list)

    def add(self, place: Place, what: str, *, expected: str = "", found: str = "", next_step: str = "") -> None:
        """Note one fault at a place of the document."""
        self.found.append(Fault(what, self.document.where(place), expected, found, next_step))

    def unknown(self, place: Place, what: str, name: str, known: Iterable[str], *, found: str | None = None) -> None:
        """Note a name that is not among the known ones."""
        names = sorted(set(known))
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
        self.add(
            place,
            what,
            expected=f"one of {', '.join(names)}" if names else "nothing: there is none",
            found=echo(name) if found is None else found,
            next_step=f"did you mean `{near[0]}`?" if near else "",
        )


def echo(value: Any) -> str:
    """A declared parameter as text, if it is short enough to be one; its kind otherwise."""
    match value:
        case None | "":
            return "nothing"
        case bool():
            return str(value).lower()
        case str() if len(value) <= LONGEST_ECHO and value.isprintable():
            return f"`{value}`"
        case int() | float():
            return str(value)
        case dict():
            return "keys and values"
        case list():
            return "a list"
    return "a long text"


def parse(model: type[M], faults: Faults, place: Place = ()) -> M | None:
    """The value at `place` as a `model`, with every fault noted; None where it cannot be one.

    Values are taken as they are written: no text becomes a number, no number a truth value. Keys that the model does
    not know are faults at every depth, also where the model itself would let them pass.
    """
    value = faults.document.at(place)
    for strange, known in _unknown_keys(value, model, place):
        faults.unknown(strange, f"there is no key `{strange[-1]}` here", str(strange[-1]), known)
    try:
        return model.model_validate_json(json.dumps(value), strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        for detail in details:
            # unknown keys are noted above; a list is also too short for pydantic if its items are wrong
            within = [other["loc"] for other in details if other["loc"][: len(detail["loc"])] == detail["loc"]]
            if detail["type"] != "extra_forbidden" and (detail["type"] != "too_short" or len(within) == 1):
                _note(faults, detail, place)
        return None


def _note(faults: Faults, detail: ErrorDetails, place: Place) -> None:
    kind, context = detail["type"], detail.get("ctx", {})
    way = (*place, *detail["loc"])
    at = faults.document.nearest(way)
    name = ".".join(str(part) for part in at[len(place) :]) or "this"
    value = faults.document.at(at)
    if "password" in at:  # somebody may have written the secret itself there
        faults.add(at, f"`{name}` is not the name of a variable", expected="`${NAME}` in capitals", found="not shown")
        return
    match kind:
        case "missing":
            faults.add(at, f"`{way[-1]}` is missing", next_step=f"add `{way[-1]}:` here")
        case "value_error":
            faults.add(at, detail["msg"].removeprefix("Value error, "))
        case "enum" | "literal_error":
            known = re.findall(r"'([^']*)'", str(context.get("expected", "")))
            faults.unknown(at, f"`{name}` is not one of the known values", str(value), known, found=echo(value))
        case "union_tag_invalid" | "union_tag_not_found":
            tag = value.get("kind") if isinstance(value, dict) else value
            known = re.findall(r"'([^']*)'", str(context.get("expected_tags", "")))
            at = faults.document.nearest((*at, "kind"))
            if kind == "union_tag_not_found":
                faults.add(at, "`kind` is missing", next_step="add `kind:` here")
            else:
                faults.unknown(at, f"there is no kind {echo(tag)}", str(tag), known, found=echo(tag))
        case _:
            faults.add(
                at,
                f"`{name}` cannot be read",
                expected=_TYPES.get(kind)
                or re.sub(r"^\w+ should (be )?| after validation, not \d+$", "", detail["msg"]),
                found=echo(value),
            )


def _unknown_keys(value: Any, annotation: Any, place: Place) -> Iterator[tuple[Place, Sequence[str]]]:
    """Keys within `value` that no model of `annotation` knows, each with the known ones."""
    parts = list(_parts(annotation))
    if isinstance(value, list):
        items = [get_args(part)[0] for part in parts if get_origin(part) in (list, tuple)]
        for index, item in enumerate(value):
            for one in items[:1]:
                yield from _unknown_keys(item, one, (*place, index))
    elif isinstance(value, dict):
        models = [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]
        if len(models) > 1:
            models = [model for model in models if _is_kind(model, value.get("kind"))]
        for model in models[:1]:
            fields = {info.alias or name: info.annotation for name, info in model.model_fields.items()}
            for key, below in value.items():
                if key not in fields:
                    yield (*place, key), tuple(fields)
                else:
                    yield from _unknown_keys(below, fields[key], (*place, key))
        for part in parts:
            if get_origin(part) is dict:
                for key, below in value.items():
                    yield from _unknown_keys(below, get_args(part)[1], (*place, key))


def _parts(annotation: Any) -> Iterator[Any]:
    """The members of a union, or the type itself, without what is only annotated."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _parts(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _parts(part)
    else:
        yield annotation


def _is_kind(model: type[BaseModel], kind: Any) -> bool:
    info = model.model_fields.get("kind")
    return info is not None and get_origin(info.annotation) is Literal and kind in get_args(info.annotation)
