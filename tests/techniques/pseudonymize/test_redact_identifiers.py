"""redact_identifiers: no text of a known form is left, nor what is known of the person; how much is found."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from privacy_assets.invariants import own_identifiers_absent
from privacy_assets.techniques.pseudonymize import _names, redact_identifiers
from privacy_assets.words import Column, Role

NOTE = Column("note", "VARCHAR", Role.SENSITIVE, "user.content", free_text=True)
KINDS = tuple(redact_identifiers.FORMS)
DATA = Path(os.environ.get("PRIVACY_ASSETS_TEST_DATA", "../shared/data"))
LABELLED = DATA / "presidio_research/synth_dataset_v2.json"

EXAMPLES = {
    "email": ["write to ada.king@mail.example.org!", "(ADA@EXAMPLE.ORG)", "bjørn@example.dk"],
    "url": ["see https://example.org/people/ada?x=1", "on www.example.org", "at example.com/ada", "at qxz.io",
            "on bit.ly/x1", "at qxz.github.io/ada"],
    "ip_address": ["from 192.168.10.20", "from 2001:db8:85a3:0:0:8a2e:370:7334", "card 00:1A:2B:3C:4D:5E"],
    "iban": ["to DE89 3704 0044 0532 0130 00", "to gb33bukb20201555555555"],
    "national_number": ["SSN 123-45-6789", "CPF 123.456.789-09", "NI QQ 12 34 56 C", "DNI 12345678Z"],
    "date": ["on 1987-05-17", "on 17.05.1987", "on 5/17/87", "on 17 May 1987", "on May 17, 1987", "am 3. März 2020"],
    "address": [
        "at 12 Long Meadow Road", "in der Hauptstraße 12a", "Apt. 5", "P.O. Box 77", "SW1A 1AA", "rue de Rivoli 3",
    ],
    "card": ["by 4111 1111 1111 1111", "by 4111111111111112"],
    "phone": [
        "call +49 30 1234567", "call (030) 123 45 67", "call 905-674-3793 ext. 12", "call (579)888-3058x0135",
        "call 0301234567",
    ],
    "number": ["file 123456", "plate AB12CD34", "case K1234567", "no. 12 34 56"],
    "name": [
        "Dr. Xqzt came", "my name is Xqzt Wrpl", "with Johanna", "with JOHANNA Xqzt", "Johanna's", "to Abcd E. Fghi",
        "to Xqzt Wrpl", "johanna schmidt",
    ],
}  # fmt: skip


def redacted(text: str, *known: str, kinds: tuple[str, ...] = KINDS) -> str:
    """The text as it leaves, where these identifiers are known of the person."""
    some = (pl.Series([text]), pl.Series([list(kinds)]), pl.Series([list(known)], dtype=pl.List(pl.String)))
    return str(redact_identifiers.function(*some)[0])


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in EXAMPLES.items() for text in texts])
def test_what_identifies_is_replaced_by_its_kind(kind: str, text: str) -> None:
    """Each kind, in the ways in which people write it; asked for alone, and among all."""
    placeholder = redact_identifiers.PLACEHOLDERS[kind]
    assert placeholder in redacted(text, kinds=(kind,))
    left = redacted(text)
    assert "[" in left
    assert not re.search(r"\d{3}|@|Xqzt|Johanna|johanna|JOHANNA", left)


@pytest.mark.parametrize(
    "text",
    ["Blood pressure 120/80, pulse 72, 2.5 mg twice a day for 10 days.", "The patient sleeps well since Monday.",
     "He said that he may come back at 9:30.", "In 2019 it was 37.5 degrees, stage 3, grade II.", "", "  \n"],
)  # fmt: skip
def test_what_identifies_nobody_stays(text: str) -> None:
    """Ordinary sentences leave as they were."""
    assert redacted(text) == text


def test_only_the_kinds_that_are_asked_for_are_replaced() -> None:
    """What is not asked for stays, unless it has a more general form as well."""
    text = "Johanna came on 3 May 2020 (2020-05-03), call 030 123 45 67"
    assert redacted(text, kinds=("name", "phone")) == "[name] came on 3 May 2020 ([phone]), call [phone]"
    assert redacted(text, kinds=("name", "date")) == "[name] came on [date] ([date]), call 030 123 45 67"


def test_the_persons_own_identifiers_are_replaced() -> None:
    """Whatever their case and the white space in them, in any script, where no letter or digit touches them."""
    for text, known, left in [
        ("QXZ  was here; qxz, (Qxz) but not Qxzs", ["qxz"], "[subject]  was here; [subject], ([subject]) but not Qxzs"),
        ("for QX\n Wz.", ["qxw z"], "for [subject]."),
        ("STRASSE Σοφός ſ", ["σοφόσ"], "STRASSE [subject] ſ"),
        ("a.b*c (x", ["A.B*C", "(x"], "[subject] [subject]"),
        ("no. 7, qx", ["7", " ", ""], "no. 7, qx"),
        ("the Qx Wz Qx", ["Qx Wz", "Wz Qx"], "the [subject]"),
        ("qwo\u0308ller, QWÖLLER, Qwoller", ["Qwöller"], "[subject], [subject], [subject]"),
        ("qr\u00adzw and qr\u200bzw", ["Qrzw"], "[subject] and [subject]"),
        ("ＱＲＺＷ", ["Qrzw"], "[subject]"),
        ("qrzw9, not aqrzw", ["Qrzw"], "[subject]9, not aqrzw"),
        ("q 47 and q_4.7, not q-478", ["q-47"], "[subject] and [subject], not q-478"),
    ]:
        assert redacted(text, *known) == left


def test_digits_of_any_script_are_digits() -> None:
    """A number is somebody's in whatever digits it is written."""
    assert redacted("call ０３０ １２３ ４５ ６７ or ٠٣٠١٢٣٤٥٦٧", kinds=("phone",)) == "call [phone] or [phone]"
    assert redacted("room ٣, x² ½", kinds=("phone",)) == "room 3, x² ½"


def test_an_identifier_that_touched_another_one_is_replaced_at_the_end() -> None:
    """It stands alone only when the other one is out; a name that is a placeholder's is replaced in there, too."""
    assert redacted("qxz123456", "qxz") == "[subject][number]"
    assert redacted("the number 123456", "number") == "the [subject] [[subject]]"


PIECES = st.sampled_from(
    ["a@b.cc", "@", ".", "-", "/", " ", ":", "1", "12", "123", "4567", "Dr", "Dr. ", "Ab", "AB", "Mai", "20", "19", "+",
     "(", ")", "[", "]", "x", "www.", "http://", "0", "\n", "\t", "\N{NO-BREAK SPACE}", "\v", "é", "Ж", "ſ", "St",
     "Straße ", "Apt", "[phone]", "of ", "DE", "٣"]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(st.lists(PIECES, max_size=12).map("".join), min_size=10, max_size=50),
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, unique=True),
)
def test_no_form_is_left(bench: Any, made: Any, texts: list[str], kinds: list[str]) -> None:
    """The engine finds nothing of any form in what leaves, by its own expressions; a second time changes nothing."""
    rows = len(texts)
    rest = (pl.Series([kinds] * rows), pl.Series([[]] * rows, dtype=pl.List(pl.String)))
    left = redact_identifiers.function(pl.Series(texts), *rest)
    violated = redact_identifiers.violated(made("redact_identifiers", kinds=kinds), NOTE).sql(dialect="duckdb")
    bench.con.register("texts", left.rename("note").to_frame().to_arrow())
    assert bench.con.execute(f"SELECT note FROM texts WHERE {violated}").fetchall() == []
    assert redact_identifiers.function(left, *rest).to_list() == left.to_list()


@settings(max_examples=300, deadline=None)
@given(text=st.lists(PIECES, max_size=12).map("".join), known=st.lists(st.lists(PIECES, max_size=3).map("".join)))
def test_nothing_known_of_the_person_is_left(text: str, known: list[str]) -> None:
    """No known identifier of two letters or more stands in what leaves, placeholders apart."""
    left = redacted(text, *known)
    placeholders = (redact_identifiers.SUBJECT, *redact_identifiers.PLACEHOLDERS.values())
    bare = re.sub("|".join(map(re.escape, placeholders)), "\N{BULLET}", left)
    for identifier in known:
        tight = re.sub(r"\s", "", identifier)
        if len(tight) >= 2:
            form = r"\s*".join(map(re.escape, tight))
            assert not re.search(rf"(?<![^\W_]){form}(?![^\W_])", bare, re.IGNORECASE)


def test_what_is_left_of_a_form_is_noticed(bench: Any, made: Any) -> None:
    """One example of every form is accused in the column as it is; placeholders are not."""
    asked = made("redact_identifiers")
    forms = [texts[0] for texts in EXAMPLES.values()]
    assert bench.accused(asked, NOTE, forms) == [True] * len(forms)
    assert (
        bench.accused(asked, NOTE, [*redact_identifiers.PLACEHOLDERS.values(), "[subject]", "well", None])
        == [False] * 14
    )


def test_it_is_for_free_text_alone(made: Any) -> None:
    """A column that the contract does not call free text has another technique."""
    asked = made("redact_identifiers")
    assert redact_identifiers.fault(asked, NOTE) is None
    assert "free_text: true" in str(redact_identifiers.fault(asked, Column("x", "VARCHAR")))
    assert redact_identifiers.fault(asked, Column("x", "DATE", free_text=True)) is not None


def test_null_stays_null(bench: Any, made: Any) -> None:
    """No text is no text."""
    assert bench.leave(made("redact_identifiers"), NOTE, [None, "well", None]).values == [None, "well", None]


def test_names_and_words_are_there() -> None:
    """The lists are those of many languages, and a word of everyday language is no name by itself."""
    names, words = _names.names_and_words()
    assert len(names) > 30_000
    assert len(words) > 2_000
    assert _names.without_names("May I say that Will has a Rose", "[name]") == "May I say that Will has a Rose"


@pytest.fixture(scope="module")
def labelled() -> list[Mapping[str, Any]]:
    """Invented texts in which people have marked what identifies."""
    if not LABELLED.exists():
        pytest.skip("the labelled texts are not here (PRIVACY_ASSETS_TEST_DATA)")
    return list(json.loads(LABELLED.read_text(encoding="utf-8")))


PLAIN = {
    "EMAIL_ADDRESS": r"[\w.+-]+@[\w-]+\.[\w.]+",
    "DOMAIN_NAME": r"https?://\S+",
    "IP_ADDRESS": r"\b\d{1,3}(?:\.\d{1,3}){3}\b",
    "IBAN_CODE": r"\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b",
    "US_SSN": r"\b\d{3}-\d{2}-\d{4}\b",
    "CREDIT_CARD": r"\b(?:\d{4}[ -]?){3}\d{4}\b",
    "PHONE_NUMBER": r"\b\(?\d{3}\)?[ .-]?\d{3}[ .-]?\d{4}\b",
    "PERSON": r"\b(?:Mr|Mrs|Ms|Dr)\.? [A-Z]\w+(?: [A-Z]\w+)?",
}
"""What a regular expression that everybody writes finds, for comparison."""


def _found(labelled: list[Mapping[str, Any]], left: list[str]) -> tuple[Counter[str], Counter[str]]:
    """How many marked values there are of each kind, and of how many no word of three letters or digits is left."""
    there, gone = Counter[str](), Counter[str]()
    for one, text in zip(labelled, left, strict=True):
        for span in one["spans"]:
            kind, value = span["entity_type"], span["entity_value"]
            there[kind] += 1
            words = [word for word in re.findall(r"\w+", value) if len(word) > 2] or [value]
            gone[kind] += not any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in words)
    return there, gone


def test_how_much_is_found(labelled: list[Mapping[str, Any]], figures: Callable[..., None]) -> None:
    """Whatever is found of each kind is printed beside what a plain expression finds; forms are found without fail."""
    texts = [one["full_text"] for one in labelled]
    rows = len(texts)
    nothing = pl.Series([[]] * rows, dtype=pl.List(pl.String))
    left = redact_identifiers.function(pl.Series(texts), pl.Series([list(KINDS)] * rows), nothing).to_list()
    there, gone = _found(labelled, left)
    plainly = [re.sub("|".join(PLAIN.values()), "*", text) for text in texts]
    _, gone_plainly = _found(labelled, plainly)
    for kind in there:
        figures(f"T-TXT-1 {kind}", marked=there[kind], found=gone[kind], found_by_a_plain_expression=gone_plainly[kind])
    kept, all_ = _kept(labelled, left)
    figures("T-TXT-1 words outside of what is marked", words=all_, kept=kept)
    for kind in ("CREDIT_CARD", "EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS", "PHONE_NUMBER", "US_SSN", "DOMAIN_NAME"):
        assert gone[kind] == there[kind]
    assert gone["PERSON"] > 0.7 * there["PERSON"]
    assert kept > 0.95 * all_


def _kept(labelled: list[Mapping[str, Any]], left: list[str]) -> tuple[int, int]:
    """Of the words that nobody marked, how many are left, and how many there are."""
    placeholders = re.compile(
        "|".join(map(re.escape, [*redact_identifiers.PLACEHOLDERS.values(), redact_identifiers.SUBJECT]))
    )
    kept = all_ = 0
    for one, text in zip(labelled, left, strict=True):
        outside = list(one["full_text"])
        for span in one["spans"]:
            outside[span["start_position"] : span["end_position"]] = " " * (
                span["end_position"] - span["start_position"]
            )
        words = Counter(re.findall(r"\w+", "".join(outside)))
        kept += (words & Counter(re.findall(r"\w+", placeholders.sub(" ", text)))).total()
        all_ += words.total()
    return kept, all_


def test_what_is_known_of_the_person_is_found_without_fail(
    labelled: list[Mapping[str, Any]], figures: Callable[..., None]
) -> None:
    """Names that no list has are found where the project knows them."""
    texts = [one["full_text"] for one in labelled]
    known = [
        [span["entity_value"] for span in one["spans"] if span["entity_type"] == "PERSON"]
        + [word for span in one["spans"] if span["entity_type"] == "PERSON" for word in span["entity_value"].split()]
        for one in labelled
    ]
    left = redact_identifiers.function(
        pl.Series(texts), pl.Series([list(KINDS)] * len(texts)), pl.Series(known, dtype=pl.List(pl.String))
    ).to_list()
    there, gone = _found(labelled, left)
    figures("T-TXT-2 PERSON, known", marked=there["PERSON"], found=gone["PERSON"])
    assert gone["PERSON"] >= 0.99 * there["PERSON"]


LETTERS = st.text(
    st.sampled_from(
        list("aAbQqE\\.*+[]()^$|-_'’ \t\n\v7٣²") + list("éÉßẞſsSKkK\N{KELVIN SIGN}ΣσςİıiIǆǅ\u0301\u00a0\u2028Жжﬁ")
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(LETTERS, min_size=1, max_size=6), known=st.lists(LETTERS, min_size=1, max_size=4))
@example(texts=["7.", "7", "on the 7. of May", "7.5"], known=["7."])
def test_the_measure_accuses_nothing_that_was_redacted(bench: Any, texts: list[str], known: list[str]) -> None:
    """What is left of known identifiers by the engine's own reading of letters, case and white space is nothing."""
    rows = len(texts)
    left = redact_identifiers.function(
        pl.Series(texts), pl.Series([list(KINDS)] * rows), pl.Series([known] * rows, dtype=pl.List(pl.String))
    )
    bench.con.register("output", pl.DataFrame({"id": [1] * rows, "note": left}).to_arrow())
    bench.con.register("people", pl.DataFrame({"id": [1] * len(known), "known": known}).to_arrow())
    placeholders = (redact_identifiers.SUBJECT, *redact_identifiers.PLACEHOLDERS.values())
    asked = own_identifiers_absent.Parameters.model_validate(
        {
            "kind": "own_identifiers_absent",
            "column": "note",
            "subject": "id",
            "known": [{"reference": "input", "subject": "id", "identifiers": ["known"]}],
            "placeholders": placeholders,
        }
    )
    question = own_identifiers_absent.question(asked, exp.to_table("output"), {"input": exp.to_table("people")})
    *_, found = bench.con.execute(question.sql(dialect="duckdb")).fetchone()
    assert found == 0
