"""Each kind of value is recognized where it stands, and what only looks like it is not."""

from __future__ import annotations

import polars as pl
import pytest
from faker import Faker

from privacy_assets.contracts._odcs import categories
from privacy_assets.drafting.detectors import DETECTORS, SEARCHERS
from privacy_assets.drafting.detectors._asking import confirmed, words

FAKE = Faker(["en_US", "de_DE", "fr_FR"])
FAKE.seed_instance(2026)

GOOD: dict[str, list[str]] = {
    "card": ["4111 1111 1111 1111", "5500-0000-0000-0004", "340000000000009"],
    "coordinates": ["48.8584, 2.2945", "(-33.8568, 151.2153)"],
    "date": ["1980-02-29", "29.02.1980", "2/29/1980", "19800229", "3 March 1980", "2024-05-01T12:30:00Z"],
    "email": ["ada@example.org", "o'neil+x@mail.example.co.uk", "jörg@müller.de"],
    "iban": ["DE89370400440532013000", "GB33 BUKB 2020 1555 5555 55"],
    "ip_address": ["192.0.2.7", "2001:db8::1"],
    "national_number": ["078-05-1121", "219-09-9998"],
    "person_name": ["Ada Lovelace", "O'Neil, Maria", "Jörg Müller"],
    "phone": ["+44 20 7946 0958", "(202) 555-0143", "030 901820-0"],
    "place": ["Aachen", "Weißenfels", "france", "California", "NSW"],
    "street": ["12 Main Street", "Hauptstraße 5", "Apt. 4, 7 Elm Ave", "rue de Rivoli 3"],
    "web_address": ["https://example.org/ada", "www.example.org"],
}
LOOK_ALIKES: dict[str, list[str]] = {
    "card": ["4111 1111 1111 1112", "123456789", "20240501123000"],
    "coordinates": ["48.8, 2.2", "1234.56, 2.34", "12,5"],
    "date": ["1980-13-01", "99999999", "12:30:00", "1980"],
    "email": ["ada@example", "@ada", "a b@example.org", "1@2"],
    "iban": ["DE8937040044053201300", "XX89370400440532013000", "AB12345"],
    "ip_address": ["300.1.1.1", "1.2.3", "12:30:45", "1.2.3.4.5"],
    "national_number": ["000-12-3456", "123456789", "12-3456"],
    "person_name": ["Widget 7", "zzzzqq", "A", "42"],
    "phone": ["123456789", "2024-05-01", "12.50", "123-45-6789", "10.0.0.1", "4111 1111 1111 1111"],
    "place": ["Widgetville", "42", "blue"],
    "street": ["Street", "12", "a very good product"],
    "web_address": ["example", "ada@example.org", "http"],
}


@pytest.mark.parametrize("kind", DETECTORS)
def test_what_is_of_the_kind_is_recognized_and_what_looks_like_it_is_not(kind: str) -> None:
    """Every member of the family has examples of both; a member without them fails."""
    good, alike = pl.Series(GOOD[kind]), pl.Series(LOOK_ALIKES[kind])
    assert dict(zip(good, DETECTORS[kind].fits(good), strict=True)) == dict.fromkeys(GOOD[kind], True)
    assert dict(zip(alike, DETECTORS[kind].fits(alike), strict=True)) == dict.fromkeys(LOOK_ALIKES[kind], False)


@pytest.mark.parametrize("kind", DETECTORS)
def test_a_detector_answers_for_every_value_whatever_it_is(kind: str) -> None:
    """Odd texts are no error; the answer is true or false, one for each; role and category are known words."""
    odd = pl.Series(["\U0001f600", "\u202eada", "a" * 100_000, "%s{}$(x)", "\x00", "٣٤٥", "--", "+", "::", "'; DROP"])
    found = DETECTORS[kind].fits(odd)
    assert (found.dtype, len(found), found.null_count()) == (pl.Boolean, len(odd), 0)
    assert DETECTORS[kind].CATEGORY in categories()
    assert 0 < DETECTORS[kind].Parameters().at_least <= 1
    assert all(word == word.lower() for header in DETECTORS[kind].HEADERS for word in header)


WITHIN: dict[str, list[str]] = {
    "card": ["paid by 4111 1111 1111 1111.", "(4111111111111111)"],
    "email": ["Mail to ada@example.org, please.", "<o'neil@mail.example.co.uk>"],
    "iban": ["Send it to DE89370400440532013000 today", "from GB33 BUKB 2020 1555 5555 55 and back"],
    "ip_address": ["logged in from 192.0.2.7.", "seen at 2001:db8:0:0:0:0:0:1 twice"],
    "national_number": ["her number is 078-05-1121?", "code RSSMRA85T10A562S of Mario"],
    "person_name": ["we met Ada Johnson there", "as Maria Garcia said"],
    "phone": ["call +44 20 7946 0958 at noon", "or (202) 456-1111, home"],
    "web_address": ["see https://example.org/ada for more", "on www.example.org"],
}
NOT_WITHIN: dict[str, list[str]] = {
    "card": ["order 4111 1111 1111 1112", "number 94111111111111111123456789 of it", "call +44 20 7946 0940"],
    "email": ["twelve @ noon", "ada at example.org"],
    "iban": ["DE88370400440532013000", "room AB12 of the north wing"],
    "ip_address": ["at 12:30:45 sharp", "call 03.93.92.16.85", "rooms 300.1.1.1"],
    "national_number": ["000-12-3456", "11 digits 44051401359 of anything", "12-3456"],
    "person_name": ["the weather in May", "a very good product", "ada johnson", "Great Britain"],
    "phone": ["paid 4111 1111 1111 1111", "on 2024-05-01 at 12:30", "invoice 123456789"],
    "web_address": ["the http protocol", "ada@example.org"],
}


@pytest.mark.parametrize("kind", SEARCHERS)
def test_identifiers_within_texts_are_counted_and_what_looks_like_them_is_not(kind: str) -> None:
    """Every member that can search has examples of both; two in one text are two, wherever it stands."""
    within, alike = pl.Series(WITHIN[kind]), pl.Series(NOT_WITHIN[kind])
    inside = SEARCHERS[kind].inside
    assert dict(zip(within, inside(within), strict=True)) == dict.fromkeys(WITHIN[kind], 1)
    assert dict(zip(alike, inside(alike), strict=True)) == dict.fromkeys(NOT_WITHIN[kind], 0)
    both = pl.Series([" ; ".join(WITHIN[kind]), *NOT_WITHIN[kind]])
    assert inside(both).to_list() == [2, *[0] * len(NOT_WITHIN[kind])]


@pytest.mark.parametrize("kind", SEARCHERS)
def test_a_search_answers_for_every_text_whatever_it_is(kind: str) -> None:
    """A number for each, also of none; what is found is called something."""
    odd = pl.Series(["", "\U0001f600", "\u202eada", "a1-" * 30_000, "%s{}$(x)", "\x00", "٣٤٥ ٣٤٥ ٣٤٥", "::", "'; DROP"])
    found = SEARCHERS[kind].inside(odd)
    assert (found.dtype, len(found), found.null_count()) == (pl.UInt32, len(odd), 0)
    assert found.sum() == 0
    assert len(SEARCHERS[kind].inside(odd.clear())) == 0
    assert SEARCHERS[kind].CALLED.startswith(("a ", "an "))


@pytest.mark.parametrize(
    ("kind", "make"),
    [("email", FAKE.email), ("ip_address", FAKE.ipv6), ("iban", FAKE.iban), ("card", FAKE["en_US"].credit_card_number),
     ("national_number", FAKE["en_US"].ssn), ("person_name", FAKE.name), ("web_address", FAKE.url),
     ("street", FAKE["en_US"].street_address), ("phone", FAKE["en_US"].phone_number)],
)  # fmt: skip
def test_columns_of_invented_people_reach_their_share(kind: str, make) -> None:
    """A column that holds nothing else is taken for what it is."""
    values = pl.Series([make() for _ in range(300)])
    assert DETECTORS[kind].fits(values).mean() >= DETECTORS[kind].Parameters().at_least


def test_a_library_that_fails_on_a_value_says_no_and_nothing_of_it() -> None:
    """Its error would quote the value."""

    def fails(text: str) -> bool:
        raise ValueError(text)

    assert confirmed(pl.Series(["a", "b"]), pl.Series([True, False]), fails).to_list() == [False, False]


def test_headers_are_taken_apart_into_words() -> None:
    """By case, by marks, by digits."""
    assert words("customerEMail_2") == ("customer", "email", "2")
    assert words("Date of Birth") == ("date", "of", "birth")
    assert words("PLZ") == ("plz",)
