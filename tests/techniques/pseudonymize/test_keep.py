"""keep: unchanged, and never a direct identifier."""

from __future__ import annotations

from typing import Any

from privacy_assets.techniques.pseudonymize import keep
from privacy_assets.words import Column, Role


def test_values_stay(bench: Any, made: Any) -> None:
    """What arrives leaves, with all that was known of it."""
    column = Column("sex", "VARCHAR", Role.SENSITIVE, "user.gender", domain=("f", "m"))
    assert bench.leave(made("keep"), column, ["f", None, "m"]).values == ["f", None, "m"]
    assert keep.output(made("keep"), column) == Column(
        "sex", "VARCHAR", Role.SENSITIVE, "user.gender", "keep", domain=("f", "m")
    )


def test_a_direct_identifier_is_refused(made: Any) -> None:
    """There is no way to keep one."""
    assert keep.fault(made("keep"), Column("name", "VARCHAR", Role.DIRECT_IDENTIFIER)) is not None
    assert keep.fault(made("keep"), Column("name", "VARCHAR", Role.QUASI_IDENTIFIER)) is None
