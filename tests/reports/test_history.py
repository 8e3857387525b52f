"""What was declared and observed, and when: states of assets by declaration and columns."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from privacy_assets import cli
from privacy_assets.build import steps
from privacy_assets.contracts.loading import load
from privacy_assets.contracts.meaning import digest_of, text_of
from privacy_assets.errors import BadDeclaration, Tampered
from privacy_assets.gate import Gate
from privacy_assets.reports.history import (
    FEWEST,
    HEADS,
    Kind,
    Text,
    as_json,
    as_yaml,
    between,
    between_as_json,
    changed,
    changes,
    history,
    rows,
    text,
)
from privacy_assets.stages.step import carry_out
from privacy_assets.warehouse import declarations
from privacy_assets.words import AssetName
from tests.conftest import environment_in, write_tiny_project
from tests.contracts.test_anonymity import ASKED, BEFORE

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


def test_texts_are_kept_by_what_the_ledger_names(lived: Gate) -> None:
    """Of each declaration that anything was published under; what is printed has the digest of the ledger."""
    states = history(lived, Kind.CONTRACT, "patients")
    digests = {state.digest for state in states}
    assert digests == set(declarations.kept(lived.home))
    for digest in digests:
        assert hashlib.sha256((lived.declaration(digest) or "").encode()).hexdigest() == digest
    first = text(lived, Kind.CONTRACT, "patients", "1.0.0")
    assert first == text(lived, Kind.CONTRACT, "patients", states[0].digest[:FEWEST])
    told = yaml.safe_load(as_yaml(first))
    assert (told["version"], told["owner"]) == ("1.0.0", "team:clinic-data")
    assert f"digest {states[0].digest}" in as_yaml(first)


def test_two_texts_are_compared_value_by_value(lived: Gate) -> None:
    """With what each does to people, forwards and back; the number of the version is no difference."""
    one, two = (text(lived, Kind.CONTRACT, "patients", version) for version in ("1.0.0", "2.0.0"))
    assert list(changes(between(Kind.CONTRACT, one, two))) == [
        ("changed", "declaration", "columns.age.type", "SMALLINT", "INTEGER")]  # fmt: skip
    (back,) = between_as_json(Kind.CONTRACT, "patients", two, one)["changes"]
    assert (back["before"], back["after"], back["effect"]) == ("INTEGER", "SMALLINT", "changed")
    assert not between(Kind.CONTRACT, one, one)


def test_a_purposes_guarantee_is_compared_too(tmp_path: Path) -> None:
    """Where no asset is at hand nobody ranks what `diff` compares promise by promise, and it is told; the rest is."""
    write_tiny_project(tmp_path)
    path = tmp_path / "data/purposes/smoking.yaml"
    path.write_text(path.read_text().replace(BEFORE, ASKED))
    before = load(tmp_path).purposes["smoking"]
    path.write_text(path.read_text().replace("k: 3}", "k: 2}").replace("retention_days: 365", "retention_days: 99"))
    after = load(tmp_path).purposes["smoking"]
    one, two = (Text("1.0.0", digest_of(text_of(each)), text_of(each)) for each in (before, after))
    found = {cells[2]: cells for cells in changes(between(Kind.PURPOSE, one, two))}
    assert set(found) == {"retention_days", "guarantee.anonymity.criteria"}
    assert found["retention_days"] == ("stronger", "retention", "retention_days", "365", "99")
    assert found["guarantee.anonymity.criteria"][0] == "changed"


def test_what_cannot_be_meant_is_said(lived: Gate) -> None:
    """A version that there never was, too few digits, and a number that several texts had."""
    for asked in ("3.0.0", "abc", ""):
        with pytest.raises(BadDeclaration, match="no text of the contract") as error:
            text(lived, Kind.CONTRACT, "patients", asked)
        assert "1.0.0 (" in str(error.value)


def test_a_text_that_an_older_release_did_not_keep_is_said(lived: Gate, tmp_path: Path) -> None:
    """And one that two texts share as their number needs the digest; a changed one is a forgery."""
    shutil.copytree(lived.project.root.parent, tmp_path / "lived")
    root = tmp_path / "lived" / "project"
    gate = Gate.open(root, environment_in(tmp_path / "lived"))
    one, two = (text(gate, Kind.CONTRACT, "patients", version) for version in ("1.0.0", "2.0.0"))
    (gate.home.declarations / one.digest).unlink()
    with pytest.raises(BadDeclaration, match="was not kept"):
        text(gate, Kind.CONTRACT, "patients", "1.0.0")
    (gate.home.declarations / two.digest).write_bytes(b"x" * 64)
    with pytest.raises(Tampered):
        text(gate, Kind.CONTRACT, "patients", "2.0.0")
    contract = root / CONTRACT
    contract.write_text(contract.read_text().replace("who is registered", "who was registered").replace(
        "Who is registered", "Who was registered"))  # fmt: skip
    gate = Gate.open(root, environment_in(tmp_path / "lived"))
    carry_out(steps(gate.project)[RAW], gate).raise_faults()
    with pytest.raises(BadDeclaration, match="several texts of the contract"):
        text(gate, Kind.CONTRACT, "patients", "2.0.0")


def test_the_command_prints_texts_and_differences(lived: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """As YAML, and with --json the very bytes that the ledger has the digest of; two questions at once are refused."""
    for name, value in environment_in(lived.project.root.parent).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(lived.project.root)

    def say(*words: str) -> Result:
        return CliRunner().invoke(cli.app, ["history", "contract", "patients", *words])

    digest = history(lived, Kind.CONTRACT, "patients")[0].digest
    assert hashlib.sha256(say("--text", "1.0.0", "--json").stdout.encode()).hexdigest() == digest
    assert yaml.safe_load(say("--text", digest[:12]).stdout)["version"] == "1.0.0"
    assert "columns.age.type" in say("--between", "1.0.0", "2.0.0").stdout
    told = json.loads(say("--between", "1.0.0", "2.0.0", "--json").stdout)
    assert [one["version"] for one in told["between"]] == ["1.0.0", "2.0.0"] and len(told["changes"]) == 1
    assert say("--between", "1.0.0", "2.0.0", "--text", "1.0.0").exit_code == 2
    assert say("--text", "9.9.9").exit_code == 1
