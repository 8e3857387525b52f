"""What columns are taken for: measured on public data, and by laws."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from faker import Faker

from privacy_assets.drafting.combinations import with_combinations
from privacy_assets.drafting.detectors import SEARCHERS
from privacy_assets.drafting.detectors._asking import words
from privacy_assets.drafting.drafting import PERSON
from privacy_assets.drafting.headers import may_number_people
from privacy_assets.drafting.judging import FREE_TEXT, Facts, Guess, judge
from privacy_assets.drafting.looking import look
from privacy_assets.words import Role

DATA = Path(os.environ.get("PRIVACY_ASSETS_TEST_DATA", "../shared/data"))
LABELS = yaml.safe_load(Path(__file__).with_name("labels.yaml").read_text(encoding="utf-8"))
MISSES = {
    # coded values under a header that says nothing of a person: the more protected role is taken
    ("german_credit", "duration"), ("german_credit", "purpose"), ("german_credit", "other_debtors"),
    ("german_credit", "other_installments"), ("german_credit", "existing_credits"), ("german_credit", "telephone"),
}  # fmt: skip


def facts_of(name: str, values: list[str], type_: str = "VARCHAR") -> Facts:
    filled = [value for value in values if value]
    distinct = list(dict.fromkeys(filled))
    return Facts(name, type_, len(values), len(filled), len(distinct), pl.Series(distinct[:2000], dtype=pl.String))


def guesses(name: str, tmp_path: Path) -> Iterator[tuple[str, Guess]]:
    """Each labelled column of a data set, as it is guessed: looked at as files, or as a list of values."""
    spec = LABELS[name]
    if name == "twelve":
        pl.DataFrame(_twelve()).write_csv(tmp_path / "twelve.csv")
        yield from _drafted(tmp_path / "twelve.csv")
        return
    for file in spec["files"]:
        path = DATA / file
        if path.suffix == ".json":
            found: dict[str, list[str]] = defaultdict(list)
            for text in json.loads(path.read_text(encoding="utf-8")):
                for span in text["spans"]:
                    found[span["entity_type"]].append(" ".join(span["entity_value"].split()))
            yield from ((column, judge(facts_of("value", found[column]))) for column in spec["columns"])
            continue
        if "header" in spec:  # its documentation's names above the rows as they are
            delimiter = " " if name == "german_credit" else ", "
            named = tmp_path / path.name
            named.write_text(delimiter.join(spec["header"]) + "\n" + path.read_text())
            path = named
        yield from _drafted(path)


def _drafted(path: Path) -> Iterator[tuple[str, Guess]]:
    """As a draft guesses: each column, then what they say together."""
    found = look(str(path.resolve()), Path("/"))
    alone = [judge(facts) for facts in found.columns]
    together, _ = with_combinations(alone, found.codes, rows=found.rows, subject=None)
    yield from ((guess.facts.name, guess) for guess in together)


def _twelve() -> dict[str, list[str]]:
    fake = Faker("en_US")
    fake.seed_instance(2026)
    makers: dict[str, Callable[[], Any]] = {
        "name": fake.name, "email": fake.email, "phone": fake.phone_number, "ssn": fake.ssn, "iban": fake.iban,
        "card": fake.credit_card_number, "ip": fake.ipv4, "address": fake.street_address,
        "date_of_birth": fake.date_of_birth, "order_number": lambda: fake.random_int(10**8, 10**9 - 1),
        "amount": lambda: f"{fake.random_int(1, 9999)}.{fake.random_int(10, 99)}",
        "product_code": lambda: fake.bothify("??-####").upper(),
    }  # fmt: skip
    return {column: [str(make()) for _ in range(1000)] for column, make in makers.items()}


@pytest.mark.parametrize("name", LABELS)
def test_columns_of_public_data_are_taken_for_what_they_are(name: str, tmp_path: Path, figures: Any) -> None:
    """Every direct identifier is found, nothing else is called one, and every other miss is written down here."""
    if name != "twelve" and not DATA.exists():
        pytest.skip("the public data sets are not here (PRIVACY_ASSETS_TEST_DATA)")
    labels = LABELS[name]["columns"]
    tried: Counter[str] = Counter()
    for column, guess in guesses(name, tmp_path):
        right = {labels[column]["role"], labels[column].get("or", labels[column]["role"])}
        tried["columns"] += 1
        tried["right"] += guess.role.value in right
        tried["direct identifiers"] += labels[column]["role"] == Role.DIRECT_IDENTIFIER
        tried["of them missed"] += labels[column]["role"] == Role.DIRECT_IDENTIFIER and guess.role.value not in right
        tried["wrongly called one"] += guess.role is Role.DIRECT_IDENTIFIER and guess.role.value not in right
        assert guess.role.value in right or (name, column) in MISSES, (column, guess.kind, guess.evidence)
    figures(f"drafting {name}", **tried)
    assert tried["of them missed"] == tried["wrongly called one"] == 0
    assert tried["columns"] >= len(labels)


# ---- laws


@pytest.mark.parametrize(
    ("header", "values", "role", "kind"),
    [
        ("note", [f"The patient said on day {n} that it hurts a little less" for n in range(50)],
         Role.DIRECT_IDENTIFIER, FREE_TEXT),
        ("patient_id", [f"p-{n}" for n in range(50)], Role.DIRECT_IDENTIFIER, "number of a person"),
        ("order_id", [f"o-{n}" for n in range(50)], Role.ATTRIBUTE, "number of a thing"),
        ("x", [f"{n:x}-{n * 7919:x}" for n in range(50)], Role.DIRECT_IDENTIFIER, "number of somebody"),
        ("smoker", ["yes", "no"] * 25, Role.SENSITIVE, "health"),
        ("religion", ["a", "b"] * 25, Role.SENSITIVE, "beliefs"),
        ("customerEmail", ["unknown", "withheld", "later", "none given"] * 10, Role.DIRECT_IDENTIFIER, "email"),
        ("colour", ["red", "green", "blue", "grey"] * 25, Role.QUASI_IDENTIFIER, "category"),
        ("full_name", ["Ada Lovelace", "Grace Hopper", "Alan Turing"] * 150, Role.DIRECT_IDENTIFIER, "person_name"),
        ("x", ["Ada Lovelace", "grace hopper", "Turing, Alan"] * 150, Role.DIRECT_IDENTIFIER, "person_name"),
        ("x", ["ada@example.org", "alan@example.org"] * 150, Role.DIRECT_IDENTIFIER, "email"),
        ("email", ["none given", "withheld"] * 150, Role.DIRECT_IDENTIFIER, "email"),
        ("email", ["yes", "no"] * 150, Role.QUASI_IDENTIFIER, "category"),
        ("race", ["White", "Black"] * 150, Role.QUASI_IDENTIFIER, "origin"),
        ("empty", [""] * 50, Role.QUASI_IDENTIFIER, "empty"),
    ],
)  # fmt: skip
def test_the_more_protected_role_is_taken_where_nothing_is_sure(
    header: str, values: list[str], role: Role, kind: str
) -> None:
    """A header that names a person's data is believed against its values; what is near unique may be somebody."""
    guess = judge(facts_of(header, values))
    assert (guess.role, guess.kind) == (role, kind)


PERSON_HEADERS = (
    "patient", "user", "subject", "person", "client", "customer", "employee", "pat_nr", "patient_nr", "custid", "PID",
    "member", "studentnumber", "caseid", "kunde", "cust_no", "personnel_no", "badge", "patientennummer",
    "versichertennummer", "contact", "id", "user_id", "visit_uuid",
)  # fmt: skip


@pytest.mark.parametrize("header", PERSON_HEADERS)
def test_numbers_of_people_that_come_back_are_theirs(header: str) -> None:
    """Twenty people with many rows each, by a number or by a code: the header says whose they are."""
    for values in ([str(1000 + n % 20) for n in range(600)], [f"K-{n % 20:03}" for n in range(600)]):
        guess = judge(facts_of(header, values, "BIGINT" if values[0].isdigit() else "VARCHAR"))
        assert guess.role is Role.DIRECT_IDENTIFIER, header


@pytest.mark.parametrize(
    "header", ["order_no", "order_id", "invoice_nr", "product_id", "amount", "num_visits", "region_code", "quantity"]
)
def test_numbers_of_orders_and_amounts_are_nobodys(header: str) -> None:
    """However they look; and a flag or a count under a word for people is none."""
    assert judge(facts_of(header, [str(1000 + n % 20) for n in range(600)], "BIGINT")).role is not (
        Role.DIRECT_IDENTIFIER
    )
    assert judge(facts_of("member", ["0", "1"] * 50, "BIGINT")).role is not Role.DIRECT_IDENTIFIER
    assert judge(facts_of("contact", ["cellular", "telephone", "unknown"] * 50)).role is not Role.DIRECT_IDENTIFIER


def test_evidence_holds_counts_and_never_values() -> None:
    """Whatever a column holds, no part of it is in what is said of it."""
    values = [f"canary{n}@example.org" for n in range(100)]
    for header in ("email", "x", "order_number"):
        guess = judge(facts_of(header, values))
        assert "canary" not in f"{guess.kind} {guess.evidence} {guess.category}"


def test_identifiers_within_sentences_are_counted() -> None:
    """Of each kind how many of the looked-at values hold one, most first; where none is found, nothing is promised."""
    rest = "said that all of this was well and fine on day"
    values = [f"canary ada{n}@example.org {rest} {n}" for n in range(30)]
    values += [f"canary called +44 20 7946 09{n} and {rest} {n}" for n in range(40, 60)]
    guess = judge(facts_of("note", values))
    assert (guess.kind, guess.role) == (FREE_TEXT, Role.DIRECT_IDENTIFIER)
    assert guess.evidence == (
        "sentences, in which anybody can be named; of 50 different values at least 30 hold an e-mail address, "
        "20 a telephone number"
    )
    bare = judge(facts_of("note", [f"It {rest} {n}" for n in range(50)]))
    assert bare.evidence.endswith("no identifier was found, which does not mean that there is none")


TYPES_WITHIN = {
    "card": "CREDIT_CARD", "email": "EMAIL_ADDRESS", "iban": "IBAN_CODE", "ip_address": "IP_ADDRESS",
    "national_number": "US_SSN", "person_name": "PERSON", "phone": "PHONE_NUMBER", "web_address": "DOMAIN_NAME",
}  # fmt: skip
LEAST = {"card": 0.8, "person_name": 0.15, "phone": 0.7}


@pytest.mark.parametrize("kind", SEARCHERS)
def test_what_is_found_within_public_texts_is_what_is_marked_there(kind: str, figures: Any) -> None:
    """At least so large a share of the marked texts, and hardly any other."""
    path = DATA / "presidio_research/synth_dataset_v2.json"
    if not path.exists():
        pytest.skip("the public data sets are not here (PRIVACY_ASSETS_TEST_DATA)")
    texts = json.loads(path.read_text(encoding="utf-8"))
    marked = [any(span["entity_type"] == TYPES_WITHIN[kind] for span in text["spans"]) for text in texts]
    found = (SEARCHERS[kind].inside(pl.Series([text["full_text"] for text in texts])) > 0).to_list()
    both = sum(one and other for one, other in zip(marked, found, strict=True))
    figures(f"drafting within texts {kind}", marked=sum(marked), found=both, wrongly=sum(found) - both)
    assert both >= LEAST.get(kind, 0.95) * sum(marked)
    assert both >= 0.85 * sum(found)


def test_order_and_repetition_of_rows_change_nothing() -> None:
    """The guess rests on the different values and on counts."""
    values = _twelve()["email"]
    one, other = judge(facts_of("x", values)), judge(facts_of("x", list(reversed(values))))
    assert (one.kind, one.role, one.evidence) == (other.kind, other.role, other.evidence)


@pytest.mark.parametrize(
    ("header", "numbers"),
    [("patient_id", True), ("customer 2", True), ("mrn", True), ("kundennr", True), ("code", False), ("age", False)],
)
def test_only_a_header_says_that_a_column_numbers_people(header: str, numbers: bool) -> None:
    """Of no other header a draft has to ask the values for its subject."""
    guess = judge(facts_of(header, [f"K{number:05}" for number in range(50)]))
    assert may_number_people(words(header)) == numbers == (guess.kind == PERSON)
