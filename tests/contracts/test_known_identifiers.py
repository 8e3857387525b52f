"""Where identifiers of the same people stand: in the dataset, and in others whose subjects are of one domain."""

from __future__ import annotations

from pathlib import Path

from privacy_assets.contracts.known_identifiers import Known, known_identifiers
from privacy_assets.contracts.loading import load

PATIENTS = "data/contracts/patients.odcs.yaml"
OWN = Known("patients", "patient_id", ("patient_id", "email"), ())


def _edit(root: Path, file: str, before: str, after: str) -> None:
    text = (root / file).read_text("utf-8")
    assert before in text
    (root / file).write_text(text.replace(before, after), "utf-8")


def test_other_datasets_about_the_same_people_are_asked(tiny_project: Path) -> None:
    """One that has no more than the person's key knows nothing new."""
    contracts = load(tiny_project).contracts
    assert known_identifiers(contracts["patients"], contracts) == (OWN,)
    assert known_identifiers(contracts["consents"], contracts) == (
        Known("consents", "patient_id", ("patient_id",), ()),
        OWN,
    )


def test_people_of_another_domain_are_others(tiny_project: Path) -> None:
    """Equal numbers of two domains are not one person."""
    _edit(tiny_project, PATIENTS, "{name: patient_id}", "{name: another_id}")
    _edit(tiny_project, PATIENTS, "      consents: consents\n", "")
    _edit(tiny_project, PATIENTS, "lawful_bases: [consent, legitimate_interests]", "lawful_bases: [contract]")
    _edit(tiny_project, "data/purposes/smoking.yaml", "lawful_basis: consent", "lawful_basis: contract")
    contracts = load(tiny_project).contracts
    assert [known.dataset for known in known_identifiers(contracts["consents"], contracts)] == ["consents"]


def test_names_are_known_as_such_and_free_text_is_no_identifier(tiny_project: Path) -> None:
    """A category of names says so; a note that is declared a direct identifier is not looked for in a note."""
    _edit(tiny_project, PATIENTS, "category: user.contact.email", "category: user.name.first")
    contracts = load(tiny_project).contracts
    assert known_identifiers(contracts["patients"], contracts)[0].names == ("email",)
    _edit(tiny_project, PATIENTS, "identifier_domain: {name: email, normalization: email}", "free_text: true")
    contracts = load(tiny_project).contracts
    assert known_identifiers(contracts["patients"], contracts)[0].identifiers == ("patient_id",)


def test_a_row_that_is_a_person_knows_its_own(tiny_project: Path) -> None:
    """Without a subject column the row is the person; its number is in nobody's text."""
    _edit(tiny_project, PATIENTS, "        column: patient_id\n", "")
    _edit(tiny_project, PATIENTS, "      consents: consents\n", "")
    _edit(tiny_project, PATIENTS, "lawful_bases: [consent, legitimate_interests]", "lawful_bases: [contract]")
    (tiny_project / "data/purposes/smoking.yaml").unlink()
    contracts = load(tiny_project).contracts
    assert known_identifiers(contracts["patients"], contracts) == (
        Known("patients", "_row", ("patient_id", "email"), ()),
    )
