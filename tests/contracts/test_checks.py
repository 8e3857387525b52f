"""Declarations that fit each other: decisions that could be lost, or matched to nobody, are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from privacy_assets.contracts.loading import check

PATIENTS = "data/contracts/patients.odcs.yaml"
CONSENTS = "data/contracts/consents.odcs.yaml"
SMOKING = "data/purposes/smoking.yaml"

A_FRIEND = """\
      - name: friend
        logicalType: string
        customProperties:
          - property: privacy
            value: {role: direct_identifier, category: user.unique_id, identifier_domain: {name: patient_id}}
"""


def edit(root: Path, file: str, before: str, after: str) -> None:
    text = (root / file).read_text("utf-8")
    assert before in text
    (root / file).write_text(text.replace(before, after), "utf-8")


def test_the_tiny_project_has_no_fault(tiny_project: Path):
    """The control of all that follows."""
    assert check(tiny_project) == []


@pytest.mark.parametrize(
    ("file", "before", "after", "what"),
    [
        pytest.param(CONSENTS, "      quarantine_at_most: 0.0\n", "", "in quarantine would not be", id="default"),
        pytest.param(CONSENTS, "at_most: 0.0", "at_most: 0.01", "in quarantine would not be", id="some"),
        pytest.param(
            CONSENTS, "        enum: [{value: smoking}, {value: reaching}, {value: another}]\n", "",
            "names that are no purpose", id="any purpose",
        ),
        pytest.param(CONSENTS, "{value: smoking}, ", "", "nobody can decide about this purpose", id="unknown purpose"),
    ],
)  # fmt: skip
def test_decisions_that_could_be_lost_are_refused(tiny_project: Path, file: str, before: str, after: str, what: str):
    """A withdrawal that waits in quarantine, or names a purpose that nobody knows, would leave the consent standing."""
    edit(tiny_project, file, before, after)
    assert any(what in fault.what for fault in check(tiny_project))


@pytest.mark.parametrize(
    ("file", "before", "after", "kind"),
    [
        pytest.param(SMOKING, "lawful_basis: consent", "lawful_basis: because", "purpose", id="no near match"),
        pytest.param(SMOKING, "SELECT patient_id, sex", "SELECT patient_id, email, sex", "purpose", id="SQL"),
        pytest.param(PATIENTS, "role: sensitive", "role: secret", "contract", id="contract"),
    ],
)
def test_every_fault_says_what_to_do_next(tiny_project: Path, file: str, before: str, after: str, kind: str):
    """Where nothing better is known, how to look up what may stand in the line."""
    edit(tiny_project, file, before, after)
    found = check(tiny_project)
    assert found
    assert all(fault.next_step for fault in found)
    assert any(f"privacy-assets schema {kind}" in fault.next_step for fault in found)


def test_subjects_with_several_spellings_cannot_be_decided_about(tiny_project: Path):
    """Decisions are matched letter by letter, so the subject's domain may have no normalization."""
    for file in (PATIENTS, CONSENTS):
        edit(tiny_project, file, "{name: patient_id}", "{name: patient_id, normalization: email}")
    assert any("several ways to write it" in fault.what for fault in check(tiny_project))


@pytest.mark.parametrize(("technique", "refused"), [("token", True), ("redact", False)])
def test_nobody_comes_in_through_a_column_beside_the_subjects(tiny_project: Path, technique: str, refused: bool):
    """A token of another person in the row is of someone who was never asked; a redacted one is of nobody."""
    edit(tiny_project, PATIENTS, "      - name: sex\n", A_FRIEND + "      - name: sex\n")
    need = f"      friend:\n        why: friends smoke together\n        technique: {{kind: {technique}}}\n"
    edit(tiny_project, SMOKING, "      sex:\n", need + "      sex:\n")
    found = [fault for fault in check(tiny_project) if "names another person" in fault.what]
    assert bool(found) is refused


A_NOTE = """\
      - name: note
        logicalType: string
        customProperties:
          - property: privacy
            value: {role: sensitive, category: user.content, free_text: true}
"""


def write_note(root: Path, technique: str) -> None:
    edit(root, PATIENTS, "      - name: sex\n", A_NOTE + "      - name: sex\n")
    need = f"      note:\n        why: it tells how they are\n        technique: {technique}\n"
    edit(root, SMOKING, "      sex:\n", need + "      sex:\n")


@pytest.mark.parametrize(
    "technique", ["{kind: keep}", "{kind: truncate_text, keep: 10}", "{kind: token}",
                  "{kind: surrogate, generator: name}"],
)  # fmt: skip
def test_free_text_needs_a_redaction(tiny_project: Path, technique: str):
    """Any other technique is a fault, with its line, what would do, and what else there is to do."""
    write_note(tiny_project, technique)
    (fault,) = [one for one in check(tiny_project) if "free text" in one.what]
    assert fault.expected == "one of `redact`, `redact_identifiers`"
    line = (tiny_project / SMOKING).read_text("utf-8").splitlines().index("      note:") + 3
    assert fault.where == f"{SMOKING}:{line}"
    assert fault.next_step
    assert fault.found


@pytest.mark.parametrize(
    "technique", ["{kind: redact}", "{kind: redact_identifiers}", "{kind: redact_identifiers, kinds: [email, name]}"]
)
def test_a_redaction_is_enough_for_free_text(tiny_project: Path, technique: str):
    """The constant, and the one that looks inside."""
    write_note(tiny_project, technique)
    assert check(tiny_project) == []


def test_what_is_not_declared_free_text_cannot_be_redacted_as_such(tiny_project: Path):
    """So the line cannot be removed from the contract alone."""
    write_note(tiny_project, "{kind: redact_identifiers}")
    edit(tiny_project, PATIENTS, ", free_text: true", "")
    assert any("`free_text: true`" in fault.what for fault in check(tiny_project))


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("logicalType: string", "logicalType: integer", "only a string can be free text"),
        ("logicalType: string", "logicalType: string\n        enum: [{value: well}]", "no declared categories"),
        ("free_text: true", "free_text: true, identifier_domain: {name: note}", "free text is no identifier"),
        ("free_text: true", "free_text: 7", "free_text"),
    ],
)
def test_free_text_is_a_string_and_nothing_else(tiny_project: Path, before: str, after: str, what: str):
    """What it says beside that would be measured by nobody."""
    edit(tiny_project, PATIENTS, "      - name: sex\n", A_NOTE.replace(before, after) + "      - name: sex\n")
    found = check(tiny_project)
    assert any(what in fault.what for fault in found)
    assert all(fault.where.startswith(f"{PATIENTS}:") and fault.next_step for fault in found)
