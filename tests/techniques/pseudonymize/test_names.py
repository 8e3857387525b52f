"""Names of people in running text, by lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy_assets.techniques.pseudonymize._names import names_and_words, plain, without_names

NAMED = {
    "seen by Anna Kowalski today": "seen by [X] today",
    "seen by anna kowalski today": "seen by [X] today",
    "ANNA KOWALSKI was seen": "[X] was seen",
    "Sigríður Müller-Lüdenscheidt called": "[X] called",
    "John Q. Zorblatt came": "[X] came",
    "wrote Kowalski's mother": "wrote [X] mother",
}
NOBODY = (
    "",
    "the patient was seen today",
    "Blood pressure was high.",
    "He will rise at seven and rest.",
    "12.05.2026, 80 mg",
    "Yesterday was better. Today is worse.",
)


@pytest.mark.parametrize("text", NAMED)
def test_a_name_is_found(text: str) -> None:
    assert without_names(text, "[X]") == NAMED[text]


@pytest.mark.parametrize("text", NOBODY)
def test_everyday_language_stays(text: str) -> None:
    assert without_names(text, "[X]") == text


def test_accents_do_not_count() -> None:
    assert plain("Éloïse") == "eloise"
    assert without_names("Eloïse DUPONT", "[X]") == without_names("Éloise Dupont", "[X]") == "[X]"


@given(st.text(max_size=60))
def test_nothing_else_is_touched(text: str) -> None:
    """What is left stands as it was, in its order: each piece between two placeholders is in the text."""
    place = 0
    for piece in without_names(text, "\0").split("\0") if "\0" not in text else [text]:
        assert piece in text[place:]
        place = text.index(piece, place) + len(piece)


@given(st.sampled_from(sorted(names_and_words()[0] - names_and_words()[1])[::97]))
def test_every_listed_first_name_beside_a_last_name_is_found(name: str) -> None:
    assert "Kowalski" not in without_names(f"seen by {name.title()} Kowalski", "[X]")
