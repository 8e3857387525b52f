"""What an error tells: all that a person needs, in words."""

from __future__ import annotations

import inspect
import pickle

import pytest

from privacy_assets import errors
from privacy_assets.errors import (
    BadDeclaration,
    BadSource,
    EngineFailed,
    Fault,
    OutOfMemory,
    PrivacyAssetsError,
    Refused,
    Stale,
    raise_gathered,
)

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, PrivacyAssetsError)]
WHOLE = Fault("the file is empty", "raw/patients", "at least one row", "none", "send the file again")


def test_a_fault_says_where_what_was_expected_what_was_found_and_what_to_do() -> None:
    """One line for each, the place first."""
    assert str(WHOLE).splitlines() == [
        "raw/patients: the file is empty",
        "  expected: at least one row",
        "  found: none",
        "  next: send the file again",
    ]


def test_what_is_not_known_is_left_out() -> None:
    """No label without a text."""
    assert str(Fault("the file is empty")) == "the file is empty"
    assert str(Fault("the file is empty", next_step="send it again")).splitlines()[1:] == ["  next: send it again"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_without_a_fault_cannot_be_made(kind: type[PrivacyAssetsError]) -> None:
    """An error has something to say."""
    with pytest.raises(ValueError, match="tells nobody anything"):
        kind()


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_holds_its_faults_and_prints_them_all(kind: type[PrivacyAssetsError]) -> None:
    """The facts are attributes, the text is made of them, and both survive the way to another process."""
    error = kind(WHOLE, Fault("the key is missing"))
    assert error.faults == (WHOLE, Fault("the key is missing"))
    assert str(error) == f"{WHOLE}\nthe key is missing"
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.faults) == (kind, error.faults)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_of_one_fault_is_of_its_own_kind(kind: type[PrivacyAssetsError]) -> None:
    """`of` makes the error that it is called on, with each word in its place."""
    error = kind.of(
        "the file is empty", where="raw/patients", expected="at least one row", found="none",
        next_step="send the file again",
    )  # fmt: skip
    assert type(error) is kind
    assert error.faults == (WHOLE,)


def test_gathered_faults_are_raised_at_once() -> None:
    """All of them in one error of the kind that was asked for; nothing where there is none."""
    with pytest.raises(BadSource) as raised:
        raise_gathered(BadSource, [WHOLE, WHOLE])
    assert len(raised.value.faults) == 2
    raise_gathered(BadSource, [])


def test_a_stale_version_is_a_refused_one_and_a_bad_source_is_not() -> None:
    """Who catches a refusal catches the stale ones; the branches are apart otherwise."""
    assert issubclass(Stale, Refused)
    for kind in KINDS:
        above = {Stale: Refused, OutOfMemory: EngineFailed, PrivacyAssetsError: Exception}.get(kind, PrivacyAssetsError)
        assert kind.__bases__ == (above,)


def test_the_tree_is_drawn_as_it_grows() -> None:
    """Every class stands in the drawing at the head of the module, and nothing else does."""
    drawn = [line.split("── ")[1].split()[0] for line in (errors.__doc__ or "").splitlines() if "── " in line]
    assert sorted(drawn) == sorted(kind.__name__ for kind in KINDS if kind is not PrivacyAssetsError)
    assert BadDeclaration.__name__ in drawn
