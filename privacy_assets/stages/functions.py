"""Makes what a technique does outside of SQL known to the engine.

Belongs here: how a function of a technique is called by the engine, for all stages that apply one. Does not belong
here: what a function does; that stands in the technique's file (`techniques/pseudonymize/`).

The engine may call a function once for many rows that hold the same value: it does so for constants and for values
that it keeps in a dictionary. Of a technique that draws (`DRAWS`) all those rows would get one and the same draw:
300,000 rows of two values got 998 when it was tried. So its function is said to have side effects, and is called for
every row.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import wraps
from types import ModuleType
from typing import Any

import polars as pl
from duckdb.func import PythonUDFType

from privacy_assets.stages.step import Work
from privacy_assets.warehouse.connections import engine_errors


def make_function(work: Work, kind: str, module: ModuleType) -> None:
    """Make the technique's function known under the technique's name; nothing where SQL says all that it does."""
    if not hasattr(module, "FUNCTION"):
        return
    *arguments, result = module.FUNCTION

    # the engine asks how many arguments there are
    @wraps(module.function)
    def function(*columns: Any) -> Any:
        return module.function(*(pl.Series(pl.from_arrow(column)) for column in columns)).to_arrow()

    draws = getattr(module, "DRAWS", False)
    with engine_errors("preparing a technique"):
        work.con.create_function(kind, function, arguments, result, type=PythonUDFType.ARROW, side_effects=draws)


def sources(modules: Iterable[ModuleType]) -> list[ModuleType]:
    """The modules whose source decides what techniques do: their own, and those that they are built of."""
    own = list(modules)
    return [*own, *(helper for module in own for helper in getattr(module, "BUILT_OF", ()))]
