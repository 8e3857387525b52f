"""Identifiers are written alike where people write one differently, and only there."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.techniques.pseudonymize._domains import normalized
from privacy_assets.words import IdentifierDomain

NONE = IdentifierDomain(name="opaque")
EMAIL = IdentifierDomain(name="email", normalization="email")
NAME = IdentifierDomain(name="full_name", normalization="name")
GERMAN = IdentifierDomain(name="telephone", normalization="phone", region="DE")


def write(text: str, domain: IdentifierDomain) -> str:
    return normalized(pl.Series("value", [text], pl.String), domain).item()


@pytest.mark.parametrize(
    ("domain", "one", "other"),
    [
        (EMAIL, "Ada@Hospital.org", " ada@hospital.org\t"),
        (EMAIL, "ada@hospital.org", "\uff41\uff44\uff41@hospital.org"),
        (NAME, "Zoë  STRASSE", "zoe\u0308\u00a0Straße "),
        (NAME, "Ada Lovelace", "\tada\nlovelace"),
        (GERMAN, "030 / 123 456-78", "+49 30 12345678"),
        (GERMAN, "0049 (30) 12345678", "+493012345678"),
    ],
)
def test_variants_of_one_are_written_alike(domain: IdentifierDomain, one: str, other: str) -> None:
    """Case, composition, width, white space and punctuation do not make a second person."""
    assert write(one, domain) == write(other, domain)


@pytest.mark.parametrize(
    ("domain", "one", "other"),
    [
        (NONE, "a1", "A1"),
        (NONE, "a1", "a1 "),
        (EMAIL, "ada.l@hospital.org", "adal@hospital.org"),
        (NAME, "Ada Lovelace", "AdaLovelace"),
        (GERMAN, "030 12345678", "040 12345678"),
        (GERMAN, "unknown", "none"),
    ],
)
def test_others_stay_others(domain: IdentifierDomain, one: str, other: str) -> None:
    """What may be two people stays two."""
    assert write(one, domain) != write(other, domain)


@settings(max_examples=300, deadline=None)
@given(st.text(), st.sampled_from([NONE, EMAIL, NAME]))
def test_written_once_is_written(text: str, domain: IdentifierDomain) -> None:
    """Normalizing twice is normalizing once, also for text in other scripts."""
    once = write(text, domain)
    assert write(once, domain) == once


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x17F), min_size=1))
def test_case_and_composition_never_matter_in_names(text: str) -> None:
    """Upper case, lower case and the decomposed form are one name, in all Latin letters that change with case."""
    wanted = write(text, NAME)
    # the two Turkish letters i change into others with case: Unicode leaves them to the language
    if not {"\u0130", "\u0131"} & set(text):
        assert write(text.upper(), NAME) == wanted
        assert write(text.lower(), NAME) == wanted


def test_every_letter_is_written_once() -> None:
    """For each code point of Unicode the written form is final."""
    letters = pl.Series("value", [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000], pl.String)
    for domain in (EMAIL, NAME):
        once = normalized(letters, domain)
        assert once.equals(normalized(once, domain))


def test_what_is_no_telephone_number_becomes_its_digits() -> None:
    """An unreadable number is its digits, a text without digits is itself, and neither stops the run."""
    assert write(" 1-2 ", GERMAN) == "12"
    assert write("  unknown ", GERMAN) == "unknown"
    assert write("", GERMAN) == ""


def test_nothing_in_is_nothing_out() -> None:
    """An empty column is no special case."""
    for domain in (NONE, EMAIL, NAME, GERMAN):
        assert normalized(pl.Series("value", [], pl.String), domain).to_list() == []
