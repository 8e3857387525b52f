"""token: one pseudonym a person, which nobody makes without the key."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

import polars as pl
import pytest

from privacy_assets.techniques.pseudonymize import token
from privacy_assets.words import Column, IdentifierDomain, Role

EMAIL = IdentifierDomain(name="email", normalization="email")
COLUMN = Column("mail", "VARCHAR", Role.DIRECT_IDENTIFIER, identifier_domain=EMAIL)
KEYS = [hashlib.sha256(f"{purpose}/{epoch}".encode()).hexdigest() for purpose in "abc" for epoch in (1, 2)]


def test_a_person_has_one_token(bench: Any, made: Any) -> None:
    """Two writings of one address are one token, NULL stays NULL, and rows keep their order."""
    left = bench.leave(made("token"), COLUMN, ["Ada@x.org", "bob@x.org", None, " ada@X.org"])
    assert left.type == "UUID"
    assert left.values[0] == left.values[3] != left.values[1]
    assert left.values[2] is None
    assert all(isinstance(value, UUID) for value in left.values if value is not None)


def test_a_token_is_no_attribute(made: Any) -> None:
    """It still singles out one person, and joins within its domain."""
    told = token.output(made("token"), COLUMN)
    assert told.role is Role.QUASI_IDENTIFIER
    assert told.identifier_domain == EMAIL


def test_purposes_and_epochs_do_not_join(made: Any) -> None:
    """10,000 people under six keys: no two keys share a token, no two people collide, the same key gives the same."""
    people = pl.Series("value", [f"{number}@x.org" for number in range(10_000)])
    tokens = [set(token.map_values(made("token"), people, key, EMAIL)) for key in KEYS]
    assert [len(found) for found in tokens] == [10_000] * 6
    assert len(set.union(*tokens)) == 60_000
    assert set(token.map_values(made("token"), people.reverse(), KEYS[0], EMAIL)) == tokens[0]


def test_a_list_of_everybody_names_nobody(made: Any) -> None:
    """With all identifiers and no key nobody is found; the same attack finds everybody under a bare hash."""
    people = pl.Series("value", [f"{number}@x.org" for number in range(5000)])

    def bare(values: pl.Series) -> list[str]:
        return [hashlib.sha256(value.encode()).hexdigest() for value in values]

    guesses = [*bare(people), *token.map_values(made("token"), people, KEYS[1], EMAIL)]
    assert not set(token.map_values(made("token"), people, KEYS[0], EMAIL)) & set(guesses)
    assert set(bare(people)) <= set(guesses)


@pytest.mark.parametrize(
    "leaked", ["ada@x.org", "6f9619ff-8b86-4011-b42d-00c04fc964ff", "", "6f9619ff-8b86-8011-742d-00c04fc964ff"]
)
def test_what_is_no_token_is_noticed(leaked: str, bench: Any, made: Any) -> None:
    """An address, a random UUID, nothing, another variant: none of them can be a token."""
    assert bench.accused(made("token"), COLUMN, [leaked, None]) == [True, False]


@pytest.mark.parametrize(
    "column",
    [Column("mail", "VARCHAR", Role.DIRECT_IDENTIFIER), Column("weight", "DOUBLE", identifier_domain=EMAIL)],
)
def test_what_has_no_key_is_refused(column: Column, made: Any) -> None:
    """A column without identifier domain, and one whose text is not well defined, do not fit."""
    assert token.fault(made("token"), column) is not None
