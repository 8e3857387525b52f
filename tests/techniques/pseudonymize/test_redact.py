"""redact: the same in every row."""

from __future__ import annotations

from typing import Any

from privacy_assets.techniques.pseudonymize import redact
from privacy_assets.words import Column, Role

NAME = Column("name", "VARCHAR", Role.DIRECT_IDENTIFIER)


def test_nothing_is_left(bench: Any, made: Any) -> None:
    """Without a text every row is NULL, in the type that the column had, and any value is noticed."""
    assert bench.leave(made("redact"), Column("x", "DECIMAL(9,2)"), [1, None]).values == [None, None]
    assert bench.accused(made("redact"), NAME, ["Ada", None]) == [True, False]


def test_a_text_stands_in_every_row(bench: Any, made: Any) -> None:
    """With a text even an absent value has it, so that absence is not seen; quotes in it are safe."""
    asked = made("redact", replacement="it's gone")
    assert bench.leave(asked, NAME, ["Ada", None]).values == ["it's gone", "it's gone"]
    assert bench.accused(asked, NAME, ["it's gone", "Ada", None]) == [False, True, True]
    assert redact.output(asked, NAME) == Column("name", "VARCHAR", Role.ATTRIBUTE, "", "redact", ("it's gone",))


def test_a_text_needs_text(made: Any) -> None:
    """A replacement does not fit a number."""
    assert redact.fault(made("redact", replacement="0"), Column("x", "INTEGER")) is not None
    assert redact.fault(made("redact"), Column("x", "INTEGER", Role.DIRECT_IDENTIFIER)) is None
