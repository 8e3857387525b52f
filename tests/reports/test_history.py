"""What was declared and observed, and when: states of assets by declaration and columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from privacy_assets.build import steps
from privacy_assets.errors import BadDeclaration
from privacy_assets.gate import Gate
from privacy_assets.reports.history import HEADS, Kind, as_json, changed, history, rows
from privacy_assets.stages.step import carry_out
from privacy_assets.words import AssetName
from tests.conftest import environment_in, write_tiny_project

RAW = AssetName.parse("raw/patients")
CONTRACT = "data/contracts/patients.odcs.yaml"
SOURCE = "data/samples/patients.csv"


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    """Raw five times: twice alike, with a column more, with another type and version, and as that again."""
    folder = tmp_path_factory.mktemp("lived")
    root = folder / "project"
    write_tiny_project(root)

    def take_in() -> Gate:
        gate = Gate.open(root, environment_in(folder))
        carry_out(steps(gate.project)[RAW], gate).raise_faults()
        return gate

    def write(path: Path, old: str, new: str) -> None:
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    take_in()
    take_in()
    lines = (root / SOURCE).read_text().splitlines()
    (root / SOURCE).write_text("\n".join([f"{lines[0]};note", *(f"{line};a note" for line in lines[1:])]) + "\n")
    take_in()
    write(root / CONTRACT, "version: 1.0.0", "version: 2.0.0")
    write(root / CONTRACT, "physicalType: SMALLINT", "physicalType: INTEGER")
    take_in()
    return take_in()


def test_states_follow_each_other(lived: Gate) -> None:
    """From the first publication of each until that of the next; what is alike is one."""
    states = history(lived, Kind.CONTRACT, "patients")
    assert [(state.asset, state.declared_version, len(state.publications)) for state in states] == [
        (RAW, "1.0.0", 2), (RAW, "1.0.0", 1), (RAW, "2.0.0", 2),
    ]  # fmt: skip
    assert [state.until for state in states] == [states[1].since, states[2].since, None]
    assert states[0].digest == states[1].digest != states[2].digest
    assert [passport for state in states for passport in state.publications] == list(lived.history(RAW))


def test_each_state_tells_what_became_of_the_columns(lived: Gate) -> None:
    """What came, went and changed its type, by the names that passports have: a header could be anything."""
    states = history(lived, Kind.CONTRACT, "patients")
    assert [state.changes for state in states] == [(), ("+ unknown_8 VARCHAR",), ("age SMALLINT → INTEGER",)]
    assert "note" not in str(as_json(Kind.CONTRACT, "patients", states))


def test_a_machine_reads_schema_declaration_and_versions_of_any_time(lived: Gate) -> None:
    """Each state with all its columns, its publications, and the moments between which it stood."""
    told = as_json(Kind.CONTRACT, "patients", history(lived, Kind.CONTRACT, "patients"))["states"]
    third = lived.history(RAW)[2]
    (state,) = [one for one in told if third.position in {each["ledger_entry"] for each in one["publications"]}]
    assert (state["version"], state["since"]) == ("1.0.0", third.time.isoformat())
    assert state["until"] == told[-1]["since"] and told[-1]["until"] is None
    assert [(one["name"], one["type"]) for one in state["columns"]] == list(third.columns)
    assert [one["version"] for one in state["publications"]] == [third.version]


def test_a_table_has_all_columns_once_and_then_what_changed(lived: Gate) -> None:
    """The first state of an asset tells its schema, each later one its difference."""
    cells = list(rows(history(lived, Kind.CONTRACT, "patients")))
    assert {len(row) for row in cells} == {len(HEADS)}
    assert cells[0][-1].startswith("patient_id VARCHAR, email VARCHAR")
    assert [row[-1] for row in cells[1:]] == ["+ unknown_8 VARCHAR", "age SMALLINT → INTEGER"]
    assert cells[-1][1] == "the last"


@pytest.mark.parametrize(
    ("kind", "name", "known"),
    [(Kind.CONTRACT, "visits", "patients"), (Kind.PURPOSE, "smoking", "an asset that was published")],
)
def test_what_was_never_published_is_said(lived: Gate, kind: Kind, name: str, known: str) -> None:
    """With the names that the ledger knows."""
    with pytest.raises(BadDeclaration, match=f"nothing was ever published under a {kind} `{name}`") as error:
        history(lived, kind, name)
    assert known in str(error.value)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ([("a", "INTEGER")], [("a", "INTEGER")], []),
        ([("a", "INTEGER"), ("b", "DATE")], [("a", "INTEGER")], ["- b DATE"]),
        ([("a", "INTEGER")], [("b", "INTEGER")], ["- a INTEGER", "+ b INTEGER"]),
        ([("a", "INTEGER"), ("b", "DATE")], [("b", "DATE"), ("a", "INTEGER")], ["in another order"]),
        ([("a", "INTEGER")], [("a", "VARCHAR")], ["a INTEGER → VARCHAR"]),
    ],
)
def test_schemas_are_compared_by_name(
    before: list[tuple[str, str]], after: list[tuple[str, str]], told: list[str]
) -> None:
    """A renamed column went and another came: nobody guesses that two names are one column."""
    assert list(changed(before, after)) == told
