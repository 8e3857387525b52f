"""surrogate: somebody who is not there, remembered."""

from __future__ import annotations

from typing import Any, get_args

import polars as pl
import pytest

from privacy_assets.errors import BadDeclaration
from privacy_assets.techniques.pseudonymize import surrogate
from privacy_assets.words import Column, IdentifierDomain, Role

KEY, OTHER_KEY = "5e" * 32, "e5" * 32
EMAIL = IdentifierDomain(name="email", normalization="email")
NAME = IdentifierDomain(name="full_name", normalization="name")
PLAIN = IdentifierDomain(name="plain")
NOBODY = pl.DataFrame(schema={"mac": pl.String, "surrogate": pl.String})
FIELDS = surrogate.Parameters.model_fields
GENERATORS, LOCALES = get_args(FIELDS["generator"].annotation), get_args(FIELDS["locale"].annotation)


def people(*numbers: int) -> pl.Series:
    return pl.Series("value", [f"Person{number}@clinic.org" for number in numbers])


@pytest.mark.parametrize("generator", GENERATORS)
def test_every_generator_in_every_locale_keeps_its_form(generator: str, bench: Any, made: Any) -> None:
    """What is invented is text that `violated` accepts, wherever it is from."""
    column = Column("x", "VARCHAR", Role.DIRECT_IDENTIFIER, identifier_domain=PLAIN)
    for locale in LOCALES:
        asked = made("surrogate", generator=generator, locale=locale)
        issued = surrogate.issue(asked, pl.Series("value", [str(number) for number in range(12)]), KEY, PLAIN, NOBODY)
        assert not any(bench.accused(asked, column, issued["surrogate"].to_list()))


def test_a_vault_grows_and_does_not_change(made: Any) -> None:
    """Who was known keeps the stand-in, who is new gets another, and nothing is issued twice."""
    asked = made("surrogate", generator="email")
    first = surrogate.issue(asked, people(1, 2, 3), KEY, EMAIL, NOBODY)
    assert first.columns == ["mac", "surrogate"]
    second = surrogate.issue(asked, people(2, 3, 4), KEY, EMAIL, first)
    assert len(second) == 1
    vault = pl.concat([first, second])
    assert vault["surrogate"].n_unique() == 4
    assert surrogate.issue(asked, people(1, 2, 3, 4), KEY, EMAIL, vault).is_empty()
    before = surrogate.map_values(asked, people(1, 2, 3), KEY, EMAIL, known=first)
    assert surrogate.map_values(asked, people(1, 2, 3), KEY, EMAIL, known=vault).equals(before)


def test_one_person_has_one_stand_in(made: Any) -> None:
    """Two writings of one address share it; the order of values does not matter, the key does."""
    asked = made("surrogate", generator="email")
    values = pl.Series("value", ["Ada@clinic.org", " ada@clinic.org", "bob@clinic.org"])
    issued = surrogate.issue(asked, values, KEY, EMAIL, NOBODY)
    assert len(issued) == 2
    assert issued.equals(surrogate.issue(asked, values.reverse(), KEY, EMAIL, NOBODY))
    found = surrogate.map_values(asked, values, KEY, EMAIL, known=issued).to_list()
    assert found[0] == found[1] != found[2]
    other = surrogate.issue(asked, values, OTHER_KEY, EMAIL, NOBODY)
    assert not {*issued["mac"], *issued["surrogate"]} & {*other["mac"], *other["surrogate"]}


def test_nobody_gets_a_name_that_is_there(made: Any) -> None:
    """What would have been issued is drawn again where somebody bears it, in whatever case."""
    asked = made("surrogate", generator="name")
    values = pl.Series("value", [f"person {number}" for number in range(50)])
    drawn = surrogate.issue(asked, values, KEY, NAME, NOBODY)
    real = pl.concat([values, drawn["surrogate"].str.to_uppercase()])
    issued = surrogate.issue(asked, real, KEY, NAME, NOBODY)
    assert len(issued) == len(real)
    assert not set(issued["surrogate"].str.to_lowercase()) & set(real.str.to_lowercase())
    assert issued["surrogate"].n_unique() == len(issued)


def test_a_stand_in_who_turns_up_is_replaced(made: Any) -> None:
    """When a real person comes who bears a stand-in, that stand-in is drawn anew, and stays so."""
    asked = made("surrogate", generator="email")
    first = surrogate.issue(asked, people(1, 2), KEY, EMAIL, NOBODY)
    values = pl.concat([people(1, 2), first["surrogate"].head(1)])
    second = surrogate.issue(asked, values, KEY, EMAIL, first)
    assert set(second["mac"]) > {first["mac"][0]}
    assert first["mac"][1] not in set(second["mac"])
    vault = pl.concat([first, second])
    found = surrogate.map_values(asked, values, KEY, EMAIL, known=vault).to_list()
    assert not set(found) & set(values)
    assert len(set(found)) == 3
    kept = pl.concat([first.join(second, on="mac", how="anti"), second])
    assert surrogate.issue(asked, values, KEY, EMAIL, kept).is_empty()


def test_other_parameters_have_other_stand_ins(made: Any) -> None:
    """A name is not given where an address was issued, though one vault holds both."""
    mail, name = made("surrogate", generator="email"), made("surrogate", generator="name", locale="de_DE")
    vault = surrogate.issue(mail, people(1), KEY, EMAIL, NOBODY)
    vault = pl.concat([vault, surrogate.issue(name, people(1), KEY, EMAIL, vault)])
    assert len(vault) == 2
    assert "@example." in surrogate.map_values(mail, people(1), KEY, EMAIL, known=vault).item()
    assert "@" not in surrogate.map_values(name, people(1), KEY, EMAIL, known=vault).item()


def test_a_generator_that_is_empty_says_so(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """More people than first names is a fault of the purpose, told without a value of anybody."""
    monkeypatch.setattr(surrogate, "TRIES_IN_VAIN", 1000)
    asked = made("surrogate", generator="first_name", locale="ja_JP")
    with pytest.raises(BadDeclaration) as raised:
        surrogate.issue(asked, people(*range(300)), KEY, EMAIL, NOBODY)
    assert "first_name" in str(raised.value)
    assert "clinic" not in str(raised.value)


def test_who_was_not_issued_is_not_mapped(made: Any) -> None:
    """A vault that lacks somebody is an error, not a NULL, and the error names nobody."""
    with pytest.raises(ValueError, match="issue them first") as raised:
        surrogate.map_values(made("surrogate", generator="email"), people(1), KEY, EMAIL, known=NOBODY)
    assert "Person1" not in str(raised.value)


def test_a_real_address_is_noticed(bench: Any, made: Any) -> None:
    """No real e-mail address lies in an example domain."""
    column = Column("mail", "VARCHAR", Role.DIRECT_IDENTIFIER, identifier_domain=EMAIL)
    asked = made("surrogate", generator="email")
    assert bench.accused(asked, column, ["ada@clinic.org", "ada@example.org", None]) == [True, False, False]


def test_what_has_no_form_is_refused(made: Any) -> None:
    """A number and a column without identifier domain do not fit; a UUID only fits invented UUIDs."""
    mail, uuid = made("surrogate", generator="email"), made("surrogate", generator="uuid")
    assert surrogate.fault(mail, Column("x", "INTEGER", identifier_domain=PLAIN)) is not None
    assert surrogate.fault(mail, Column("x", "VARCHAR")) is not None
    assert surrogate.fault(mail, Column("x", "UUID", identifier_domain=PLAIN)) is not None
    assert surrogate.fault(uuid, Column("x", "UUID", identifier_domain=PLAIN)) is None
