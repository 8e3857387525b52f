"""Who is meant by an identifier, and by what else they can be recognized."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from privacy_assets.build import steps
from privacy_assets.errors import BadDeclaration, Refused
from privacy_assets.gate import Gate
from privacy_assets.stages.step import carry_out
from privacy_assets.subjects.people import find, forget, names, presence, pseudonym
from privacy_assets.words import AssetName

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


def test_a_home_in_which_nothing_was_published_says_so(gate: Gate) -> None:
    """Nobody is found in it, which says nothing: it may not be the home that is meant."""
    with pytest.raises(Refused, match="nothing was ever published in this home"):
        find(gate, ["p-07"])


def test_an_identifier_of_several_people_is_refused(published: Gate, made: dict) -> None:
    """An address that two patients share names neither."""
    rewrite_source(published.project.root, "patients", adding="p-70;ada1@example.org;F;30;true;1.00;2026-01-01")
    next(carry_out(step, published) for step in made.values() if step.asset.dataset == "patients")
    with pytest.raises(BadDeclaration, match=r"several people are named by this identifier \(2\)"):
        find(published, ["ada1@example.org"])
    own = presence(published, find(published, ["p-01"])).telling
    assert own == {"p-01"}, "what somebody else has as well does not tell one of them"


def test_the_same_number_in_two_identifier_domains_is_two_people(published: Gate, reopen: Callable[[], Gate]) -> None:
    """Patient p-07 is not member p-07 of the staff: which of them is meant has to be said."""
    root = published.project.root
    contract = (root / "data/contracts/patients.odcs.yaml").read_text()
    for old, new in {
        "tiny-patients": "tiny-staff",
        "name: patients": "name: staff",
        "patients.csv": "staff.csv",
        "{name: patient_id}": "{name: staff_id}",
        "      consents: consents\n": "",
        "[consent, legitimate_interests]": "[legitimate_interests]",
    }.items():
        assert old in contract
        contract = contract.replace(old, new)
    (root / "data/contracts/staff.odcs.yaml").write_text(contract)
    rows = (root / "data/samples/patients.csv").read_text()
    (root / "data/samples/staff.csv").write_text(rows.replace("@example.org", "@staff.example.org"))
    gate = reopen()
    carry_out(steps(gate.project)[AssetName.parse("raw/staff")], gate).raise_faults()
    with pytest.raises(BadDeclaration, match="several identifier domains") as caught:
        find(gate, ["p-07"])
    assert "p-07" not in str(caught.value)
    (patient,), (member,) = find(gate, ["patient_id=p-07"]), find(gate, ["staff_id=p-07"])
    assert {str(one.asset) for one in presence(gate, [patient]).rooted} == {"raw/patients", "raw/consents"}
    assert {str(one.asset) for one in presence(gate, [member]).rooted} == {"raw/staff"}
    assert find(gate, ["cleo7@staff.example.org"]) == (member,)


def test_whoever_is_named_in_the_row_of_another_is_not_that_other(published: Gate, reopen: Callable[[], Gate]) -> None:
    """p-20 was referred by p-07, and p-21 by somebody who is no patient: neither row is of the one who referred."""
    root = published.project.root
    (root / "data/purposes/smoking.yaml").unlink()
    contract = root / "data/contracts/patients.odcs.yaml"
    contract.write_text(f"""{contract.read_text()}      - name: referred_by
        logicalType: string
        customProperties:
          - property: privacy
            value: {{role: direct_identifier, category: user.unique_id, identifier_domain: {{name: patient_id}}}}
""")
    source = root / "data/samples/patients.csv"
    head, *rows = source.read_text().splitlines()
    referred = {"p-20": "p-07", "p-21": "p-99"}
    source.write_text(
        "\n".join([f"{head};referred_by", *(f"{row};{referred.get(row[:4], '')}" for row in rows)]) + "\n"
    )
    gate = reopen()
    carry_out(steps(gate.project)[AssetName.parse("raw/patients")], gate).raise_faults()
    (person,) = find(gate, ["p-07"])
    assert person.keys == {("patient_id", "p-07")}
    with pytest.raises(BadDeclaration, match="nobody is named"):
        find(gate, ["p-99"])


@pytest.mark.parametrize("typed", ["007", "7"])
def test_numbers_are_found_as_they_are_typed(published: Gate, reopen: Callable[[], Gate], typed: str) -> None:
    """A column of numbers holds 7 where its source has 007."""
    root = published.project.root
    path = root / "data/contracts/patients.odcs.yaml"
    text = "logicalType: string\n        primaryKey: true"
    assert text in path.read_text()
    path.write_text(
        path.read_text()
        .replace(text, "logicalType: integer\n        physicalType: INTEGER\n        primaryKey: true")
        .replace("      consents: consents\n", "")
        .replace("[consent, legitimate_interests]", "[legitimate_interests]")
    )
    (root / "data/contracts/consents.odcs.yaml").unlink()
    (root / "data/purposes/smoking.yaml").unlink()
    source = root / "data/samples/patients.csv"
    others = "7.6;q@example.org;F;30;true;1.00;2026-01-01\n007;half\n"
    source.write_text(source.read_text().replace("p-", "0") + others)
    shutil.rmtree(published.home.versions / "raw")
    gate = reopen()
    carry_out(steps(gate.project)[AssetName.parse("raw/patients")], gate).raise_faults()
    (person,), (other,) = find(gate, [typed]), find(gate, ["8"])
    assert list(presence(gate, [person]).rooted.values()) == [2], "their row, and half of one that is no row"
    assert list(presence(gate, [other]).rooted.values()) == [1], "7.6 is nobody's number, and not rounded to one"


def test_white_space_of_any_kind_hides_nobody(published: Gate, made: dict) -> None:
    """A tab or a space that does not break, around an identifier in quarantine."""
    adding = "p-98\t;a@example.org;F;30;true;1.00;2026-01-01\n\u00a0p-98;b@example.org;F;30;true;1.00;2026-01-01"
    rewrite_source(published.project.root, "patients", adding=adding)
    next(carry_out(step, published) for step in made.values() if step.asset.dataset == "patients")
    assert list(presence(published, find(published, ["p-98"])).rooted.values()) == [2]


def test_versions_that_are_older_than_their_contract_are_searched(published: Gate, reopen: Callable[[], Gate]) -> None:
    """An identifier that was declared since names nobody in them; without their subject nobody can tell."""
    path = published.project.root / "data/contracts/patients.odcs.yaml"
    before = path.read_text()
    path.write_text(f"""{before}      - name: number
        logicalType: string
        customProperties:
          - property: privacy
            value: {{role: direct_identifier, category: user.unique_id, identifier_domain: {{name: number}}}}
""")
    gate = reopen()
    assert len(presence(gate, find(gate, ["cleo7@example.org"])).rooted) == 2
    (published.project.root / "data/purposes/smoking.yaml").unlink()
    path.write_text(
        before.replace("column: patient_id", "column: person").replace("- name: patient_id", "- name: person")
    )
    with pytest.raises(Refused, match="older than its contract"):
        find(reopen(), ["p-07"])


def test_what_identifies_is_what_raw_holds_of_them(published: Gate) -> None:
    """Direct identifiers, as they are written."""
    assert presence(published, find(published, ["p-07"])).telling == {"p-07", "cleo7@example.org"}


@pytest.mark.parametrize("name", ["value", "times", "held", "own", "every", "theirs", "rows"])
@pytest.mark.parametrize("type_", ["logicalType: string", "logicalType: integer\n        physicalType: BIGINT"])
def test_a_column_may_have_any_name(published: Gate, reopen: Callable[[], Gate], name: str, type_: str) -> None:
    """Also one that stands in a query of ours; delivered besides, and declared."""
    root = published.project.root
    path, source = root / "data/contracts/patients.odcs.yaml", root / "data/samples/patients.csv"
    head, *rows = source.read_text().splitlines()
    numbered = (f"{row};{place + 500}" for place, row in enumerate(rows))
    source.write_text("\n".join([f"{head};{name}", *numbered]) + "\n")
    carry_out(steps(published.project)[AssetName.parse("raw/patients")], published).raise_faults()
    assert "p-07" in presence(published, find(published, ["p-07"])).telling
    path.write_text(f"""{path.read_text()}      - name: {name}
        {type_}
        customProperties:
          - property: privacy
            value: {{role: direct_identifier, category: user.unique_id, identifier_domain: {{name: number}}}}
""")
    gate = reopen()
    carry_out(steps(gate.project)[AssetName.parse("raw/patients")], gate).raise_faults()
    assert presence(gate, find(gate, ["p-07"])).telling == {"p-07", "cleo7@example.org", "506"}


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


def test_who_stands_in_the_rows_of_others_is_none_of_them(published: Gate, made: dict) -> None:
    """A doctor's number in the rows of many patients names none of these, not even the one who sees nobody else."""
    root = published.project.root
    path = root / "data/contracts/patients.odcs.yaml"
    declared = """\
      - name: doctor
        logicalType: string
        customProperties:
          - property: privacy
            value: {role: direct_identifier, category: user.workplace, identifier_domain: {name: staff}}
      - name: registered
"""
    path.write_text(path.read_text().replace("      - name: registered\n", declared))
    rows = (root / "data/samples/patients.csv").read_text().splitlines()
    told = [
        f"{row};{'doctor' if not place else 'S-1' if place == 7 else f'S-{place % 4 + 2}'}"
        for place, row in enumerate(rows)
    ]
    (root / "data/samples/patients.csv").write_text("\n".join(told) + "\n")
    gate = Gate.open(root, published_environment(published))
    next(carry_out(step, gate) for step in steps(gate.project).values() if step.asset.dataset == "patients")
    with pytest.raises(BadDeclaration, match="it does not say whose a row is") as caught:
        find(gate, ["S-1", "staff=S-2", "S-9"])
    assert [(fault.where, fault.found) for fault in caught.value.faults] == [
        ("identifier 1", "patients.doctor"), ("identifier 2", "patients.doctor"), ("identifier 3", ""),
    ]  # fmt: skip
    assert "nobody is named" in caught.value.faults[2].what
    assert find(gate, ["p-07"])


def published_environment(gate: Gate) -> dict[str, str]:
    home = gate.home
    return {
        "PRIVACY_ASSETS_HOME": str(home.path),
        "PRIVACY_ASSETS_KEY_FILE": str(home.key_file),
        "PRIVACY_ASSETS_WITNESS": str(home.witness_folder),
    }
