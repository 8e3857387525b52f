"""Training: the rows that a model may see, dealt by person."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from privacy_assets.build import steps
from privacy_assets.gate import Gate
from privacy_assets.words import AssetName

TRAINING = AssetName.parse("training/smoking")
UP_TO_TRAINING = [
    AssetName.parse(asset)
    for asset in ("raw/patients", "minimized/smoking/patients", "pseudonymized/smoking/patients", "features/smoking")
]

Rows = Callable[..., list[tuple[Any, ...]]]
Make = Callable[..., Any]
Edit = Callable[[str, str, str], None]


def dealt(gate: Gate, rows: Rows) -> dict[Any, str]:
    return dict(rows(gate, TRAINING, "SELECT patient_id, split FROM DATA"))


def test_rows_without_a_target_teach_nothing(published: Gate, rows: Rows, make: Make, tiny_project: Path) -> None:
    """They are left out of training, and stay in the features."""
    path = tiny_project / "data/samples/patients.csv"
    path.write_text(path.read_text("utf-8").replace(";21;true;", ";21;NA;"), "utf-8")
    make(published, *UP_TO_TRAINING, TRAINING)
    assert published.latest(AssetName.parse("features/smoking")).rows == 59
    assert rows(published, TRAINING, "SELECT count(*), count(smoker) FROM DATA") == [(58, 58)]


def test_who_is_dealt_where_depends_on_the_person_and_the_seed_alone(
    published: Gate, reopen: Callable[[], Gate], rows: Rows, make: Make, edit: Edit
) -> None:
    """Without one person all others stay in their split; with another seed they are dealt anew."""
    before = dealt(published, rows)
    edit("data/samples/patients.csv", "p-07;", "q-07;")
    make(published, *UP_TO_TRAINING, TRAINING)
    after = dealt(published, rows)
    assert len(after) == 58
    assert after.items() <= before.items()
    edit("data/purposes/smoking.yaml", "test: 0.2, seed: 7", "test: 0.2, seed: 8")
    gate = reopen()
    make(gate, TRAINING)
    assert dealt(gate, rows).keys() == after.keys()
    assert dealt(gate, rows) != after


def test_shares_are_those_of_the_purpose(
    published: Gate, reopen: Callable[[], Gate], rows: Rows, make: Make, edit: Edit
) -> None:
    """Nearly all in train where the purpose says so."""
    edit(
        "data/purposes/smoking.yaml", "train: 0.6, validation: 0.2, test: 0.2", "train: 0.2, validation: 0.2, test: 0.6"
    )
    gate = reopen()
    before = list(dealt(gate, rows).values())
    make(gate, TRAINING)
    after = list(dealt(gate, rows).values())
    assert before.count("train") > before.count("test")
    assert after.count("train") < after.count("test")


def test_the_split_depends_on_the_person_in_the_lineage(published: Gate) -> None:
    """All columns come from the features; only the target decides which rows are there."""
    lineage = steps(published.project)[TRAINING].lineage
    assert lineage.direct["split"] == {("features", "patient_id")}
    assert all(edges == {("features", "smoker", "filter")} for edges in lineage.indirect.values())
