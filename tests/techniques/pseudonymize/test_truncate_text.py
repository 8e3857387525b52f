"""truncate_text: the first characters, and no more."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from privacy_assets.techniques.pseudonymize import truncate_text
from privacy_assets.words import Column, Role

POSTCODE = Column("postcode", "VARCHAR", Role.QUASI_IDENTIFIER)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1), st.integers(1, 8)
)
def test_the_first_characters_stay(bench: Any, made: Any, texts: list[str], keep: int) -> None:
    """As Python cuts it, in any script; whatever is longer is noticed."""
    asked = made("truncate_text", keep=keep)
    assert bench.leave(asked, POSTCODE, texts).values == [text[:keep] for text in texts]
    assert bench.accused(asked, POSTCODE, texts) == [len(text) > keep for text in texts]


def test_a_domain_is_cut_alike(made: Any) -> None:
    """Categories that become one are one, in their order."""
    column = Column("icd", "VARCHAR", domain=("E11.9", "E10.1", "E11.0"))
    assert truncate_text.output(made("truncate_text", keep=3), column).domain == ("E11", "E10")


def test_nothing_and_identifiers_are_refused(made: Any) -> None:
    """No characters at all is `redact`; the start of an identifier still identifies."""
    with pytest.raises(ValidationError):
        made("truncate_text", keep=0)
    assert (
        truncate_text.fault(made("truncate_text", keep=3), Column("x", "VARCHAR", Role.DIRECT_IDENTIFIER)) is not None
    )
