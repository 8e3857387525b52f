"""Who is meant by an identifier, and by what else they can be recognized."""

from __future__ import annotations

import pytest

from privacy_assets.errors import BadDeclaration
from privacy_assets.gate import Gate
from privacy_assets.stages.step import carry_out
from privacy_assets.subjects.people import find, forget, identifying, names, pseudonym

from .conftest import rewrite_source


def test_every_identifier_of_a_person_names_them(published: Gate) -> None:
    """The subject's own number, an address in whatever case, with white space around."""
    (by_number,), (by_address,) = find(published, ["p-07"]), find(published, ["  CLEO7@example.ORG "])
    assert by_number == by_address
    assert find(published, ["p-07", "cleo7@example.org", "p-08"]) == (by_number, *find(published, ["p-08"]))


def test_who_is_in_quarantine_alone_is_found(published: Gate, made: dict) -> None:
    """A row that broke the contract is about somebody, too."""
    rewrite_source(published.project.root, "patients", adding="p-99;zoe@example.org;Q;30;true;1.00;2026-01-01")
    next(carry_out(step, published) for step in made.values() if step.asset.dataset == "patients")
    assert find(published, ["zoe@example.org"]) == find(published, ["p-99"])


def test_nobody_and_no_identifier_are_refused_without_a_value(published: Gate) -> None:
    """All faults at once, by their place: what was typed may be somebody's."""
    with pytest.raises(BadDeclaration) as caught:
        find(published, ["p-07", "secret-1", "secret-2"])
    assert [fault.where for fault in caught.value.faults] == ["identifier 2", "identifier 3"]
    assert "secret" not in str(caught.value)
    with pytest.raises(BadDeclaration, match="no identifier was given"):
        find(published, [])


def test_an_identifier_of_several_people_is_refused(published: Gate, made: dict) -> None:
    """An address that two patients share names neither."""
    rewrite_source(published.project.root, "patients", adding="p-70;ada1@example.org;F;30;true;1.00;2026-01-01")
    next(carry_out(step, published) for step in made.values() if step.asset.dataset == "patients")
    with pytest.raises(BadDeclaration, match=r"several people are named by this identifier \(2\)"):
        find(published, ["ada1@example.org"])
    own = identifying(published, find(published, ["p-01"]))
    assert own == {"p-01"}, "what somebody else has as well does not tell one of them"


def test_what_identifies_is_what_raw_holds_of_them(published: Gate) -> None:
    """Direct identifiers, as they are written."""
    assert identifying(published, find(published, ["p-07"])) == {"p-07", "cleo7@example.org"}


def test_a_person_shows_nothing(published: Gate) -> None:
    """Not in a traceback either."""
    assert "p-07" not in repr(find(published, ["p-07"]))


def test_the_ledgers_name_of_a_person_ends_with_their_key(published: Gate) -> None:
    """The same for as long as the key is there; another one afterwards, so that nobody can tell who was meant."""
    (person,), (other,) = find(published, ["p-07"]), find(published, ["p-08"])
    name = pseudonym(published, person)
    assert name == pseudonym(published, person) != pseudonym(published, other)
    published.sweep()
    assert name == pseudonym(published, person), "the key is no orphan"
    forget(published, names(published, [person]))
    assert pseudonym(published, person) != name
