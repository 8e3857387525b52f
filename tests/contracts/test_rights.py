"""What several datasets permit together: the intersection, and the faults where a purpose asks for more."""

from __future__ import annotations

from pathlib import Path

import pytest

from privacy_assets.contracts.loading import check
from privacy_assets.errors import BadDeclaration
from tests.conftest import PATIENTS, SMOKING, write_tiny_project

BASES = "lawful_bases: [consent, legitimate_interests]"
PURPOSE = "data/purposes/smoking.yaml"
VISITS = PATIENTS.replace("id: tiny-patients", "id: tiny-visits").replace("- name: patients", "- name: visits")
USED = """\
  visits:
    columns:
      patient_id: {why: it joins, technique: {kind: token}}
      cost: {why: it may tell, technique: {kind: keep}}
features:
"""
JOINED = """\
    SELECT patients.patient_id, patients.sex, patients.smoker, CAST(visits.cost * patients.age AS DOUBLE) AS burden
    FROM patients JOIN visits ON visits.patient_id = patients.patient_id
"""
COUNTED = """\
    SELECT patient_id, sex, smoker FROM patients
    WHERE patient_id IN (SELECT patient_id FROM visits)
"""
DAYS = {"age:\n        why: smoking differs by age\n        technique: {kind: bucket, edges: [30, 50]}":
        "age:\n        why: smoking differs by age\n        technique: {kind: keep}"}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("rights")
    write_tiny_project(root)
    return root


def declare(
    root: Path, bases: tuple[str, str], basis: str, sql: str, *, parties: tuple[str, str] = ("", ""), to: str = ""
) -> None:
    """Two contracts with these lawful bases and third parties, and a purpose with a basis, SQL and a recipient."""
    for name, text, permitted, party in zip(("patients", "visits"), (PATIENTS, VISITS), bases, parties, strict=True):
        assert BASES in text
        text = text.replace(BASES, f"lawful_bases: [{permitted}]")
        if "consent" not in permitted:
            text = text.replace("      consents: consents\n", "")
        text = text.replace("third_parties: []", f"third_parties: [{party}]")
        (root / f"data/contracts/{name}.odcs.yaml").write_text(text)
    text = SMOKING.replace("features:\n", USED, 1).replace("lawful_basis: consent", f"lawful_basis: {basis}")
    text = text.replace("recipients: [the clinic's own doctors]", f"recipients: [the clinic's own doctors{to}]")
    for old, new in DAYS.items():
        assert old in text
        text = text.replace(old, new)
    written = text[text.index("    SELECT patient_id") : text.index("guarantee:")]
    (root / PURPOSE).write_text(text.replace(written, sql))


def line_of(root: Path, text: str) -> int:
    return next(at for at, line in enumerate((root / PURPOSE).read_text().splitlines(), 1) if text in line)


@pytest.mark.parametrize(
    ("bases", "basis"),
    [
        (("consent", "consent"), "consent"),
        (("consent, public_task", "public_task"), "public_task"),
        (("consent, legitimate_interests", "legitimate_interests, consent"), "consent"),
    ],
)
def test_what_all_permit_is_permitted(project: Path, bases: tuple[str, str], basis: str) -> None:
    """The control: a basis in the intersection, and nothing is wrong."""
    declare(project, bases, basis, JOINED)
    assert check(project) == []


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        (JOINED, "`burden` of the features, made of `patients` and `visits`"),
        (COUNTED, "`patient_id`, `sex` and `smoker` of the features, made of `patients`, whose rows `visits` decides"),
    ],
    ids=["by value", "by rows alone"],
)
@pytest.mark.parametrize("basis", ["consent", "public_task", "contract"])
def test_an_empty_intersection_refuses_whatever_the_basis_is(project: Path, basis: str, sql: str, told: str) -> None:
    """The fault names the derived column, its sources, what each permits, and the line of the purpose's basis."""
    declare(project, ("consent", "public_task"), basis, sql)
    (fault,) = check(project)
    assert fault.what == f"no lawful basis is permitted for {told}"
    assert fault.found == "`patients` permits consent; `visits` permits public_task"
    assert fault.where == f"{PURPOSE}:{line_of(project, 'lawful_basis:')}"
    assert fault.next_step


def test_a_basis_outside_of_the_intersection_is_told_what_is_in_it(project: Path) -> None:
    """One contract permits it, the other does not: the bases that both permit are what is expected."""
    declare(project, ("consent, public_task", "public_task"), "consent", JOINED)
    (fault,) = check(project)
    assert "`visits` may not be used on this lawful basis" in fault.what
    assert fault.expected == "one of public_task"


def test_definitions_are_refused_as_well(project: Path) -> None:
    """Nothing can be run: the project does not load."""
    from privacy_assets.build import build_definitions

    declare(project, ("consent", "public_task"), "consent", JOINED)
    with pytest.raises(BadDeclaration, match="no lawful basis is permitted for `burden`"):
        build_definitions(project)


def test_it_is_told_beside_a_fault_of_the_sql(project: Path) -> None:
    """Where the columns cannot be told, the datasets are named: all faults come at once."""
    declare(project, ("consent", "public_task"), "consent", JOINED.replace("visits.cost", "visits.price"))
    what = [fault.what for fault in check(project)]
    assert "no lawful basis is permitted for what is made of `patients` and `visits`" in what
    assert len(what) == 2


@pytest.mark.parametrize(
    ("parties", "refused"),
    [
        (("a laboratory", "a laboratory"), False),
        (("", ""), False),
        (("a laboratory", ""), True),
        (("", "a laboratory"), True),
        (("a laboratory", "an insurer"), True),
    ],
)
def test_a_third_party_is_permitted_by_every_contract_or_refused(
    project: Path, parties: tuple[str, str], refused: bool
) -> None:
    """Whom a contract calls one is one; whom none does belongs to the house."""
    declare(project, ("consent", "consent"), "consent", JOINED, parties=parties, to=", a laboratory")
    found = check(project)
    assert bool(found) == refused
    for fault in found:
        assert "third party" in fault.what and "of the features" in fault.what
        told = " ".join(fault.found.split())
        assert all(f"`{name}` permits {party or 'nobody'}" in told for name, party in
                   zip(("patients", "visits"), parties, strict=True))  # fmt: skip
        assert fault.where.startswith(f"{PURPOSE}:{line_of(project, 'recipients:')}")


def test_decisions_that_are_honoured_take_no_right(project: Path) -> None:
    """The dataset of consents may be used for another duty alone, and decides rows all the same."""
    declare(project, ("consent", "consent"), "consent", JOINED)
    assert "lawful_bases: [legal_obligation]" in (project / "data/contracts/consents.odcs.yaml").read_text()
    assert check(project) == []
