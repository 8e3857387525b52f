"""Tables about people in, data that models may be trained on out, with proof of what was done.

`read` and `load_model` are what other code uses; the rooms and their order are in README.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from privacy_assets.reading import load_model, read

__all__ = ["load_model", "read"]


def __getattr__(name: str) -> Any:
    # imported when used: Dagster's storage is loaded from this package in every process, and must load fast
    if name in __all__:
        from privacy_assets import reading

        return getattr(reading, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
