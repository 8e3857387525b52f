"""The token vault: one stand-in for one person wherever they occur, and nobody's name in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from privacy_assets.errors import Refused
from privacy_assets.gate import Gate
from privacy_assets.words import AssetName

MINIMIZED = AssetName.parse("minimized/reaching/patients")
VISITS_BEFORE = AssetName.parse("minimized/reaching/visits")
PATIENTS = AssetName.parse("pseudonymized/reaching/patients")
VISITS = AssetName.parse("pseudonymized/reaching/visits")
VAULT = "SELECT domain, mac, surrogate FROM held.main.vault"

Rows = Callable[..., list[tuple[Any, ...]]]
Make = Callable[..., Any]


def stand_ins(gate: Gate, rows: Rows) -> dict[str, dict[Any, set[str]]]:
    """Of each dataset the stand-ins of each person."""
    found: dict[str, dict[Any, set[str]]] = {}
    for asset, column in ((PATIENTS, "email"), (VISITS, "contact")):
        of_person = found.setdefault(asset.dataset, {})
        for token, stand_in in rows(gate, asset, f"SELECT patient_id, {column} FROM DATA"):
            of_person.setdefault(token, set()).add(stand_in)
    return found


def test_a_person_has_one_stand_in_in_every_dataset(reaching: Gate, rows: Rows) -> None:
    """Whatever the column is called and however the address is written; two people never share one."""
    found = stand_ins(reaching, rows)
    assert found["patients"] == found["visits"]
    assert len(found["patients"]) == 59
    assert all(len(one) == 1 for one in found["patients"].values())
    assert len(set.union(*found["patients"].values())) == 59


def test_no_stand_in_is_a_real_value(reaching: Gate, rows: Rows) -> None:
    """Of no dataset, and in no spelling."""
    real = {email.lower() for (email,) in rows(reaching, VISITS_BEFORE, "SELECT contact FROM DATA")}
    real |= {email.lower() for (email,) in rows(reaching, MINIMIZED, "SELECT email FROM DATA")}
    given = set.union(*stand_ins(reaching, rows)["visits"].values())
    assert len(real) == 59
    assert not real & {one.lower() for one in given}
    assert all(one.partition("@")[2] in {"example.com", "example.net", "example.org"} for one in given)


@pytest.mark.parametrize("order", [(PATIENTS, VISITS), (VISITS, PATIENTS)], ids=["patients first", "visits first"])
def test_a_rebuild_gives_the_same_stand_ins(
    reaching: Gate, rows: Rows, make: Make, order: tuple[AssetName, ...]
) -> None:
    """In whichever order: what was issued once in this epoch stays."""
    before = stand_ins(reaching, rows)
    make(reaching, *order)
    assert stand_ins(reaching, rows) == before


def test_who_comes_later_changes_nobody_elses_stand_in(
    reaching: Gate, rows: Rows, make: Make, edit: Callable[[str, str, str], None]
) -> None:
    """A new person gets a new one; those who were there keep theirs."""
    before = stand_ins(reaching, rows)["patients"]
    edit("data/samples/consents.csv", "p-01,reaching", "p-60,reaching,granted,2026-02-02 09:00:00\np-01,reaching")
    make(reaching, AssetName.parse("raw/consents"), MINIMIZED, PATIENTS)
    after = stand_ins(reaching, rows)["patients"]
    assert len(after) == 60
    assert before.items() <= after.items()


def test_the_vault_holds_no_identifier(reaching: Gate, rows: Rows) -> None:
    """Domain, keyed MAC and stand-in: none of them is an address of somebody, or leads to one without the key."""
    for asset in (PATIENTS, VISITS):
        held = rows(reaching, asset, VAULT)
        assert len(held) == 59
        assert {domain for domain, _, _ in held} == {"email"}
        text = " ".join(f"{mac} {surrogate}" for _, mac, surrogate in held).lower()
        for (email,) in rows(reaching, MINIMIZED, "SELECT email FROM DATA"):
            assert email not in text
        assert {surrogate for _, _, surrogate in held} == set.union(*stand_ins(reaching, rows)[asset.dataset].values())


def test_who_leaves_is_gone_with_the_version(
    reaching: Gate, rows: Rows, make: Make, edit: Callable[[str, str, str], None]
) -> None:
    """After a withdrawal and a rebuild of both, no vault holds the person; older versions take their part along."""
    old = reaching.latest(PATIENTS)
    assert old is not None
    gone = {mac for _, mac, _ in rows(reaching, PATIENTS, VAULT)}
    edit("data/samples/consents.csv", "p-01,reaching", "p-01,reaching,withdrawn,2026-03-03 09:00:00\np-01,reaching")
    make(reaching, AssetName.parse("raw/consents"), MINIMIZED, VISITS_BEFORE, PATIENTS, VISITS)
    for asset in (PATIENTS, VISITS):
        left = {mac for _, mac, _ in rows(reaching, asset, VAULT)}
        assert len(left) == 58
        assert left < gone
    make(reaching, AssetName.parse("features/reaching"))
    make(reaching, PATIENTS)
    assert not reaching.versions.path(str(PATIENTS), old.version).exists()
    with pytest.raises(Refused, match="destroyed"):
        reaching.versions.key(str(PATIENTS), old.version)


def test_another_epoch_knows_nothing_of_the_one_before(
    reaching: Gate, rows: Rows, make: Make, tiny_project: Path, reopen: Callable[[], Gate]
) -> None:
    """Rotation issues anew: no MAC of the old epoch is left, and nobody keeps their stand-in."""
    before = {mac: surrogate for _, mac, surrogate in rows(reaching, PATIENTS, VAULT)}
    path = tiny_project / "data/purposes/reaching.yaml"
    path.write_text(path.read_text("utf-8") + "epoch: 2\n", "utf-8")
    gate = reopen()
    make(gate, PATIENTS, VISITS)
    after = {mac: surrogate for _, mac, surrogate in rows(gate, PATIENTS, VAULT)}
    assert not before.keys() & after.keys()
    assert stand_ins(gate, rows)["patients"] == stand_ins(gate, rows)["visits"]
