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
