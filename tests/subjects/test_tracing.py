"""Which versions hold a person."""

from __future__ import annotations

from privacy_assets.gate import Gate
from privacy_assets.stages.step import carry_out
from privacy_assets.subjects.people import find, presence, pseudonym
from privacy_assets.subjects.tracing import stand_ins, trace
from privacy_assets.words import AssetName

from .conftest import rewrite_source

ALL = [
    ("raw/consents", 1),
    ("raw/patients", 1),
    ("minimized/smoking/patients", 1),
    ("pseudonymized/smoking/patients", 1),
    ("features/smoking", 1),
    ("training/smoking", 1),
    ("model/smoking", None),
]


def test_a_person_is_found_through_to_the_model(published: Gate, made: dict) -> None:
    """By their rows, by their tokens, and by what was made from these."""
    held, position = trace(published, made, find(published, ["p-07"]))
    assert [(str(one.passport.asset), one.rows) for one in held] == ALL
    assert all(one.latest for one in held)
    (person,) = find(published, ["p-07"])
    entry = published.ledger.entries(position)[0].body
    assert entry["action"] == "trace"
    assert entry["subjects"] == [pseudonym(published, person)]
    assert "p-07" not in str(entry)


def test_who_never_consented_is_in_raw_alone(published: Gate, made: dict) -> None:
    """What was made without them does not hold them."""
    held, _ = trace(published, made, find(published, ["p-60"]))
    assert [(str(one.passport.asset), one.rows) for one in held] == [("raw/patients", 1)]


def test_superseded_versions_are_found(published: Gate, made: dict) -> None:
    """They are kept, so they hold people."""
    rewrite_source(published.project.root, "patients", without="p-07")
    raw = AssetName.parse("raw/patients")
    carry_out(made[raw], published).raise_faults()
    held, _ = trace(published, made, find(published, ["p-07"]))
    assert [one.latest for one in held if one.passport.asset == raw] == [False]
    assert len(presence(published, find(published, ["p-07"])).rooted) == 2


def test_stand_ins_are_the_tokens_that_the_purpose_gave(published: Gate, made: dict) -> None:
    """So that a search finds what only the key tells."""
    people = find(published, ["p-07"])
    found = stand_ins(published, people, frozenset())
    with published.open_version(AssetName.parse("training/smoking"), purpose="smoking") as (con, _):
        tokens = {
            str(token) for (token,) in con.execute("SELECT DISTINCT patient_id FROM released.main.data").fetchall()
        }
    assert len(found & tokens) == 1
