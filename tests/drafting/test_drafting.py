"""What is drafted loads and runs as it is, names nobody, and overwrites nothing."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from privacy_assets.build import steps
from privacy_assets.cli import app
from privacy_assets.contracts.loading import load
from privacy_assets.drafting.drafting import draft_files
from privacy_assets.errors import BadDeclaration, BadSource, PrivacyAssetsError
from privacy_assets.gate import Gate
from privacy_assets.stages.step import carry_out
from tests.conftest import environment_in

NAMES = ("Ada Lovelace", "Grace Hopper", "Alan Turing", "Katherine Johnson", "Edsger Dijkstra")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project, and a file of 600 invented people."""
    root = tmp_path / "project"
    (root / "data/contracts").mkdir(parents=True)
    chance = random.Random(2026)
    rows = [
        f"u{n:04};{NAMES[n % 5]} {n};canary{n}@example.org;{18 + n % 70};{chance.choice('FM')};"
        f"19{20 + n % 80}-03-0{1 + n % 9};{chance.choice(['yes', 'no'])};{'true' if n % 3 else 'false'};said canary {n}"
        " that all of this is well and fine"
        for n in range(600)
    ]
    head = "member id;full name;e-mail;age;sex;date of birth;newsletter;bought;remark"
    (root / "people.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return root


def test_a_draft_runs_from_the_file_to_the_model(project: Path, tmp_path: Path) -> None:
    """Without a touch: every stage is published, and nobody who is named is in what a model sees."""
    drafted = draft_files(project / "people.csv", "shop", project, subject=None, target="bought")
    roles = {guess.facts.name: guess.role.value for guess in drafted.guesses}
    assert [roles[name] for name in ("member id", "full name", "e-mail", "remark")] == ["direct_identifier"] * 4
    gate = Gate.open(project, environment_in(tmp_path))
    for step in steps(gate.project).values():
        carry_out(step, gate).raise_faults()
    contract = load(project).contracts["shop"]
    assert contract.subject_column == "member id"
    assert [column.name for column in contract.columns if column.privacy.free_text] == ["remark"]
    training = next(asset for asset in gate.project.assets() if asset.stage.value == "training")
    passport = gate.latest(training)
    assert passport is not None
    assert passport.rows == 600
    columns = {name for name, _ in passport.columns}
    assert {"age", "sex", "bought"} <= columns
    assert not columns & {"full name", "e-mail", "remark"}


def test_a_draft_is_written_where_the_project_keeps_such_files(project: Path) -> None:
    """In the folders that its settings name."""
    settings = '[tool.privacy_assets]\ncontracts = "promises"\npurposes = "uses"\n'
    (project / "pyproject.toml").write_text(settings, "utf-8")
    drafted = draft_files(project / "people.csv", "shop", project, subject=None, target="bought")
    assert drafted.paths == (project / "promises/shop.odcs.yaml", project / "uses/shop_model.yaml")
    assert set(load(project).purposes) == {"shop_model"}


def test_numbers_that_point_at_few_are_not_taken(project: Path) -> None:
    """A day of birth or a postal code that is written as a number, as it is, would go where models are trained."""
    rows = "".join(f"{1920 + n % 80}0{1 + n % 9}1{n % 9};{10000 + n % 90};{n % 7}\n" for n in range(600))
    (project / "numbers.csv").write_text(f"date of birth;zip;visits\n{rows}")
    drafted = draft_files(project / "numbers.csv", "numbers", project, subject=None, target=None)
    assert [guess.facts.type for guess in drafted.guesses] == ["BIGINT"] * 3
    purpose = yaml.safe_load(drafted.paths[1].read_text())
    assert set(purpose["datasets"]["numbers"]["columns"]) == {"_row", "visits"}


def test_no_value_of_a_person_is_written(project: Path) -> None:
    """Only categories that a hundred rows share, and every guess has a comment."""
    drafted = draft_files(project / "people.csv", "shop", project, subject=None, target=None)
    for path in drafted.paths:
        text = path.read_text(encoding="utf-8")
        assert "canary" not in text
        assert not any(name in text for name in NAMES)
    contract = yaml.safe_load(drafted.paths[0].read_text())
    listed = {column["name"] for column in contract["schema"][0]["properties"] if "enum" in column}
    assert listed == {"sex", "newsletter"}
    assert drafted.paths[0].read_text().count("      # ") >= len(drafted.guesses)


def test_what_names_somebody_is_not_written_however_many_rows_share_it(project: Path) -> None:
    """Three people in 450 rows, under headers that say so and under one that does not; the words beside them are."""
    people = [("Ada Lovelace", "ada@example.org"), ("Grace Hopper", "grace@example.org"), ("Alan Turing", "al@b.org")]
    rows = [f"{name};{mail};{name};{'yes' if n % 2 else 'no'}" for n in range(150) for name, mail in people]
    (project / "few.csv").write_text("\n".join(["full_name;email;seen by;paid", *rows]) + "\n")
    drafted = draft_files(project / "few.csv", "few", project, subject=None, target=None)
    assert [guess.role.value for guess in drafted.guesses] == ["direct_identifier"] * 3 + ["quasi_identifier"]
    written = drafted.paths[0].read_text() + drafted.paths[1].read_text()
    assert not any(word in written for person in people for word in person)
    assert load(project).contracts["few"].column("paid").domain == ("no", "yes")


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
def test_values_are_listed_that_a_hundred_people_share_and_not_a_hundred_rows(project: Path, kind: str) -> None:
    """Of twenty people with 150 rows each, what one has is theirs. Without a subject it is said what was counted."""
    rows = [
        {"patient_id": f"p{who}", "employer": f"Works {who}", "side": "lr"[n % 2]}
        for who in range(20) for n in range(150)
    ]  # fmt: skip
    people = [{"patient_id": f"p{n}", "employer": f"Works {n % 2}", "side": "lr"[n % 2]} for n in range(300)]
    for name, held, listed in (
        ("few", rows, []), ("many", people, ["employer", "side"]),
        ("unknown", [{key: row[key] for key in ("employer", "side")} for row in rows], ["employer", "side"]),
    ):  # fmt: skip
        path = project / f"{name}.{kind}"
        frame = pl.DataFrame(held)
        {"csv": frame.write_csv, "ndjson": frame.write_ndjson, "parquet": frame.write_parquet}[kind](path)
        drafted = draft_files(path, name, project, subject=None, target=None)
        columns = load(project).contracts[name].columns
        assert sorted(column.name for column in columns if column.domain) == listed
        assert ("rows may be one person's" in drafted.paths[0].read_text()) == (name == "unknown")


def test_a_person_with_several_rows_has_them_numbered(project: Path, tmp_path: Path) -> None:
    """Also where two of them are alike: the draft runs, up to the model, and is published."""
    rows = [f"p{n % 300:03};{n % 3}.5;{'lr'[n % 2]}\n" for n in range(1200)]
    (project / "visits.csv").write_text("patient_id;@dose [mg];side\n" + "".join(rows))
    drafted = draft_files(project / "visits.csv", "visits", project, subject=None, target="side")
    assert yaml.safe_load(drafted.paths[1].read_text())["features"]["key"] == ["patient_id", "nth_row_of_person"]
    gate = Gate.open(project, environment_in(tmp_path))
    for step in steps(gate.project).values():
        carry_out(step, gate).raise_faults()


@pytest.mark.parametrize("name", ["n", "yes", "on"])
def test_words_of_yaml_are_names_all_the_same(project: Path, name: str) -> None:
    """Of a dataset, and of a column that becomes an identifier domain."""
    (project / "few.csv").write_text("No;x;side\n" + "".join(f"k-{n};{n % 7};{'lr'[n % 2]}\n" for n in range(300)))
    draft_files(project / "few.csv", name, project, subject="No", target="side")
    assert load(project).contracts[name].subject_column == "No"


def test_columns_that_only_this_program_may_name_are_left_out(project: Path) -> None:
    """Such as `_id`: they are counted, and the rest is drafted."""
    (project / "few.csv").write_text("_id;x;side\n" + "".join(f"{n};{n % 7};{'lr'[n % 2]}\n" for n in range(300)))
    drafted = draft_files(project / "few.csv", "few", project, subject=None, target=None)
    assert (drafted.ours, [guess.facts.name for guess in drafted.guesses]) == (1, ["x", "side"])
    (project / "none.csv").write_text("_id;_x\n" + "1;2\n2;3\n" * 60)
    with pytest.raises(BadSource, match="no column has a name"):
        draft_files(project / "none.csv", "none", project, subject=None, target=None)


def test_a_target_with_one_value_is_refused(project: Path) -> None:
    """Nothing is written, and what to do is said."""
    (project / "same.csv").write_text("x;side\n" + "".join(f"{n % 7};l\n" for n in range(300)))
    with pytest.raises(BadDeclaration, match="nothing to predict"):
        draft_files(project / "same.csv", "same", project, subject=None, target="side")
    assert not list(project.rglob("same*.yaml"))


def test_whole_numbers_that_parquet_keeps_with_a_fraction_are_identifiers_as_numbers(project: Path) -> None:
    """As text they would be 10.0, which no other table calls this person."""
    pl.DataFrame({"patient_id": [float(n) for n in range(300)], "x": [n % 7 for n in range(300)]}).write_parquet(
        project / "few.parquet"
    )
    draft_files(project / "few.parquet", "few", project, subject=None, target=None)
    assert load(project).contracts["few"].column("patient_id").type == "BIGINT"


@pytest.mark.parametrize("name", ["@timestamp", "$id", "$1", "?", ":a", "weight; DROP", "order by", "a--b", "col;"])
def test_a_column_is_never_read_as_sql(project: Path, tmp_path: Path, name: str) -> None:
    """It loads, and runs up to the features."""
    (project / "odd.csv").write_text(f"{name},x\n" + "".join(f"{n % 7}.5,{n % 3}\n" for n in range(60)))
    draft_files(project / "odd.csv", "odd", project, subject=None, target=None)
    gate = Gate.open(project, environment_in(tmp_path))
    for asset, step in steps(gate.project).items():
        if asset.stage.value != "model":
            carry_out(step, gate).raise_faults()


def test_names_in_square_brackets_are_shown_as_they_are(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are no markup; where no header was found, that is said."""
    monkeypatch.chdir(project)
    (project / "odd.csv").write_text("weight [kg],[/b]\n" + "1.5,2.5\n2.5,3.5\n" * 60)
    (project / "bare.csv").write_text("1.5,2.5\n2.5,3.5\n" * 60)
    shown = CliRunner().invoke(app, ["draft", "odd.csv", "--name", "odd", "--root", str(project)])
    bare = CliRunner().invoke(app, ["draft", "bare.csv", "--name", "bare", "--root", str(project)])
    assert (shown.exit_code, bare.exit_code) == (0, 0)
    assert "weight [kg]" in shown.output
    assert "[/b]" in shown.output
    assert "No header was found" in bare.output
    assert "No header was found" not in shown.output


def test_ctrl_c_while_files_are_written_leaves_none(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also between the two, and while they are loaded."""

    def interrupted(root: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("privacy_assets.drafting.drafting.load", interrupted)
    with pytest.raises(KeyboardInterrupt):
        draft_files(project / "people.csv", "shop", project, subject=None, target=None)
    assert not any(path.is_file() for path in (project / "data").rglob("*"))


@pytest.mark.parametrize(
    "header", ['select"; drop', "a: b", "*alias", "&anchor", "!!tag", "yes", "null", "größe", "#no comment", "'", "{x}"]
)
def test_whatever_a_column_is_called_is_its_name_and_nothing_else(project: Path, header: str) -> None:
    """Words of YAML and SQL, quotes and letters of all kinds."""
    quoted = '"' + header.replace('"', '""') + '"'
    (project / "odd.csv").write_text(f"{quoted};note\n" + "1.5;x\n2.5;y\n" * 60, encoding="utf-8")
    draft_files(project / "odd.csv", "odd", project, subject=None, target=None)
    loaded = load(project)
    assert [column.name for column in loaded.contracts["odd"].columns] == [header, "note"]
    assert set(loaded.purposes["odd_model"].datasets["odd"].columns) == {"_row", header}


def test_a_header_that_would_end_a_comment_is_refused(project: Path) -> None:
    """A line end in a column's name: nothing is written."""
    (project / "odd.csv").write_text('"a\nkind: Other";note\n' + "x;1\ny;2\n" * 60, encoding="utf-8")
    with pytest.raises(PrivacyAssetsError):
        draft_files(project / "odd.csv", "odd", project, subject=None, target=None)
    assert not any(path.is_file() for path in (project / "data").rglob("*.yaml"))


def test_nothing_is_overwritten_and_nothing_half_made_is_left(project: Path) -> None:
    """A second draft of the name, a column that is not there, a name that is none, a file that is none."""

    def files() -> set[Path]:
        return {path for path in project.rglob("*") if path.is_file()}

    before = files()
    (project / "empty.csv").touch()
    for file, name, words in (
        ("people.csv", "shop", {"subject": "nobody", "target": None}),
        ("people.csv", "shop", {"subject": None, "target": "nothing"}),
        ("people.csv", "Sh op", {"subject": None, "target": None}),
        ("empty.csv", "shop", {"subject": None, "target": None}),
        ("absent.csv", "shop", {"subject": None, "target": None}),
    ):
        with pytest.raises(PrivacyAssetsError):
            draft_files(project / file, name, project, **words)
    assert files() - {project / "empty.csv"} == before
    draft_files(project / "people.csv", "shop", project, subject=None, target=None)
    with pytest.raises(BadDeclaration, match="not overwritten"):
        draft_files(project / "people.csv", "shop", project, subject=None, target=None)


def test_a_target_that_a_draft_does_not_take_is_told(project: Path) -> None:
    """Where nothing is left to learn from, the words are about the target, not about a file that is gone."""
    rows = [f"p{number},ada{number}@example.org,town{number}" for number in range(300)]
    (project / "bare.csv").write_text("\n".join(["patient_id,email,town", *rows]) + "\n")
    with pytest.raises(BadDeclaration, match="no model can be drafted for this target") as caught:
        draft_files(project / "bare.csv", "bare", project, subject=None, target="town")
    assert "--interactive" in str(caught.value)
    assert not list(project.rglob("bare*.yaml"))


def test_a_first_line_that_is_no_header_and_no_row_is_told(project: Path) -> None:
    """Such as a count of what follows; its rows would be taken for malformed ones."""
    rows = [f"{number},{number * 7 % 13},{number % 5}" for number in range(50)]
    (project / "counted.csv").write_text("\n".join(["50,3", *rows]) + "\n")
    with pytest.raises(BadSource, match="neither a header nor a row"):
        draft_files(project / "counted.csv", "counted", project, subject=None, target=None)
