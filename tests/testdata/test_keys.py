"""Identifiers of nobody: all different where that is asked, and none that anybody could have."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import phonenumbers
import pytest

from privacy_assets.contracts.contract import ColumnPrivacy, ContractColumn, IdentifierDomain
from privacy_assets.techniques.pseudonymize._domains import normalized
from privacy_assets.testdata import keys
from privacy_assets.words import Role

COUNT = 20_000


def column(type_: str = "VARCHAR", category: str = "user.unique_id", **domain: Any) -> ContractColumn:
    named = IdentifierDomain.model_validate({"name": "one", **domain})
    privacy = ColumnPrivacy(role=Role.DIRECT_IDENTIFIER, category=category, identifier_domain=named)
    return ContractColumn("one", type_, privacy)


def made(asked: ContractColumn, count: int = COUNT, seed: int = 0, *, different: bool = True) -> Any:
    return keys.keys(asked, count, np.random.default_rng(seed), different=different)


FORMS = [
    (column(), r"TEST-[0-9a-f]{16}"),
    (column(category="user.contact.email"), r"test\.[a-z.]+\.\d+@example\.test"),
    (column(normalization="email"), r"test\.[a-z.]+\.\d+@example\.test"),
    (column(normalization="phone", region="GB"), r"\+1 \d{3} 555 01\d\d"),
    (column(normalization="name"), r"Test-[^\d@]+ Test-[^\d@]+ \d+"),
]


@pytest.mark.parametrize(("asked", "form"), FORMS)
def test_text_is_written_as_no_real_one_is(asked: ContractColumn, form: str) -> None:
    """Every one bears a mark or lies where nobody is, and all are different, also as their domain writes them."""
    found = made(asked)
    assert all(re.fullmatch(form, text) for text in found)
    assert found.n_unique() == COUNT
    domain = asked.privacy.identifier_domain
    assert domain is not None and normalized(found, domain).n_unique() == COUNT


@pytest.mark.parametrize(
    ("kind", "least"), [("SMALLINT", -(2**15)), ("INTEGER", -(2**31)), ("BIGINT", -(2**53)), ("DECIMAL(9,2)", -(10**7))]
)
def test_numbers_are_below_zero(kind: str, least: int) -> None:
    """As many different ones as there are of the type, and one more is one too many."""
    found = made(column(kind))
    assert found.n_unique() == COUNT and found.max() < 0 and found.min() > least
    if kind == "SMALLINT":
        most = keys.most(column(kind))
        assert most == 2**15 - 1 and made(column(kind), most).n_unique() == most


def test_telephone_numbers_are_those_of_fiction() -> None:
    """Each is valid and lies between 555 0100 and 555 0199; they come again only when all have come."""
    most = keys.most(column(normalization="phone", region="GB"))
    assert most is not None and most > 30_000
    found = keys.phones(np.random.default_rng(1), most + 5)
    assert len(set(found[:most])) == most and found[most:] == found[:5]
    for text in found[::500]:
        number = phonenumbers.parse(text)
        assert phonenumbers.is_valid_number(number) and 5550100 <= number.national_number % 10**7 <= 5550199


@pytest.mark.parametrize("kind", ["DATE", "TIMESTAMP", "TIME", "BOOLEAN", "DOUBLE", "FLOAT"])
def test_some_types_have_no_domain_of_nobody(kind: str) -> None:
    """A day is a day, whoever was born on it."""
    assert keys.form(column(kind)) == ""


def test_the_same_chances_give_the_same_keys_and_others_others() -> None:
    """None of one seed is among those of another, and more of one begin with fewer."""
    for asked in (column(), column("BIGINT")):
        assert made(asked).equals(made(asked))
        assert not set(made(asked)) & set(made(asked, seed=1))


def test_names_need_not_differ() -> None:
    """Two people may be called alike where nothing is told apart by it."""
    asked = column(normalization="name")
    assert not any(re.search(r"\d", text) for text in made(asked, 100, different=False))
    assert keys.form(replace(asked, type="BIGINT")) == "number"
