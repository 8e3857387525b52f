"""Finds the members of a family: every public module of a package is one member.

Belongs here: turning a folder into a family and into the type that YAML is validated against. A member is a module
with a frozen `Parameters` model tagged by `kind: Literal["its_module_name"]`, and the functions that its family
asks for. A file that does not load, or lacks one of them, stops the program: a family is whole or not at all.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from types import MappingProxyType, ModuleType
from typing import Annotated, Any, get_args

from pydantic import Field

from privacy_assets.words import Frozen


def members(package: str, functions: Sequence[str]) -> Mapping[str, ModuleType]:
    """The family in `package`: kind -> module, in the order of their names.

    Raises TypeError where a module does not have `Parameters` with a `kind` equal to its file name, or lacks one of
    the `functions` of the family.
    """
    found: dict[str, ModuleType] = {}
    folder = importlib.import_module(package)
    for info in sorted(pkgutil.iter_modules(folder.__path__), key=lambda info: info.name):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package}.{info.name}")
        parameters = getattr(module, "Parameters", None)
        if not (isinstance(parameters, type) and issubclass(parameters, Frozen)):
            raise TypeError(f"{module.__name__} needs a class Parameters(Frozen)")
        kind = parameters.model_fields.get("kind")
        if kind is None or get_args(kind.annotation) != (info.name,):
            raise TypeError(f'{module.__name__}.Parameters needs kind: Literal["{info.name}"]')
        missing = [name for name in functions if not callable(getattr(module, name, None))]
        if missing:
            raise TypeError(f"{module.__name__} lacks {', '.join(missing)}, which every member of {package} has")
        found[info.name] = module
    return MappingProxyType(found)


def helpers(package: str) -> tuple[str, ...]:
    """The names of the modules that the members of a family share, which are part of what each of them does."""
    folder = importlib.import_module(package)
    found = (info.name for info in pkgutil.iter_modules(folder.__path__) if info.name.startswith("_"))
    return tuple(f"{package}.{name}" for name in sorted(found))


def union(family: Mapping[str, ModuleType]) -> Any:
    """The type of any member's parameters, told apart by `kind`."""
    return Annotated[reduce(or_, (module.Parameters for module in family.values())), Field(discriminator="kind")]
