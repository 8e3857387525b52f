"""A contract and its source as it is now: what differs is told, and written only where it is sound."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from privacy_assets import cli
from privacy_assets.cli import app
from privacy_assets.contracts.loading import load
from privacy_assets.contracts.versions import Size
from privacy_assets.drafting import drift as module
from privacy_assets.drafting import judged
from privacy_assets.drafting.drafting import draft_files
from privacy_assets.drafting.drift import Drift, apply, drift
from privacy_assets.errors import BadDeclaration, BadSource
from privacy_assets.words import Role

Rows = list[dict[str, str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A drafted contract, its purpose, and a file of 400 invented people."""
    (tmp_path / "data/contracts").mkdir(parents=True)
    deliver(tmp_path, rows())
    draft_files(tmp_path / "people.csv", "shop", tmp_path, subject=None, target=None)
    return tmp_path


def rows() -> Rows:
    return [
        {"member id": f"canary{n}", "age": str(18 + n % 60), "sex": "fm"[n % 2], "visits": str(n % 7),
         "since": f"2020-01-{1 + n % 28:02}", "weight": f"{50 + n % 9}.5"}
        for n in range(400)
    ]  # fmt: skip


def deliver(root: Path, delivered: Rows) -> None:
    head = list(delivered[0])
    lines = [";".join(head), *(";".join(row[name] for name in head) for row in delivered)]
    (root / "people.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def said(found: Drift) -> dict[str, Size]:
    return {change.what: change.size for change in found.changes}


def applied(root: Path) -> Drift:
    """Shown, applied and loaded: then there is nothing left to change."""
    found = drift("shop", root)
    assert "canary" not in found.diff + str(said(found)) + str(found.notes)
    apply(found)
    assert load(root).contracts["shop"].version == found.versions[1]
    assert drift("shop", root).changes == ()
    return found


def test_without_a_change_there_is_none(project: Path) -> None:
    """No version, no note, no diff."""
    found = drift("shop", project)
    assert (found.changes, found.notes, found.faults, found.diff) == ((), (), (), "")
    assert found.versions == ("1.0.0", "1.0.0")


def test_what_one_person_has_in_many_rows_is_no_category(project: Path) -> None:
    """A hundred rows of one person are not a hundred people: its value is neither told nor written."""
    deliver(project, [*rows(), *({**rows()[0], "sex": "canary"} for _ in range(150))])
    found = drift("shop", project)
    assert said(found) == {}
    assert any("outside of its categories, of fewer than 100 people" in note for note in found.notes)
    assert found.after == found.before


def test_other_people_are_no_change(project: Path) -> None:
    """More rows of the same kind: a note that all was judged again."""
    deliver(project, [*rows(), *rows()[:10]])
    found = drift("shop", project)
    assert found.changes == ()
    assert found.notes == ("400 rows then, 410 now: every column was judged again, as before",)


def test_an_added_column_is_a_minor_version(project: Path) -> None:
    """Behind the one that it stands behind, guessed as a draft would, and in no purpose."""
    deliver(project, [{"email": f"x{n}@example.org", **row, "religion": "ab"[n % 2]} for n, row in enumerate(rows())])
    found = applied(project)
    assert list(said(found).values()) == [Size.MINOR, Size.MINOR]
    assert found.versions == ("1.0.0", "1.1.0")
    contract = load(project).contracts["shop"]
    assert [column.name for column in contract.columns][-2:] == ["email", "religion"]
    assert contract.column("email").privacy.role is Role.DIRECT_IDENTIFIER
    assert contract.column("religion").domain == ("a", "b")
    assert contract.drafted is not None
    assert contract.drafted.guessed["religion"] is Role.SENSITIVE
    assert "religion" not in load(project).purposes["shop_model"].datasets["shop"].columns


def test_columns_are_added_where_they_stand(project: Path) -> None:
    """Two in the middle, in their order."""
    deliver(project, [{**{name: row[name] for name in list(row)[:2]}, "b": "1", "a": "2",
                       **{name: row[name] for name in list(row)[2:]}} for row in rows()])  # fmt: skip
    applied(project)
    names = [column.name for column in load(project).contracts["shop"].columns]
    assert names == ["member id", "age", "b", "a", "sex", "visits", "since", "weight"]


def test_a_removed_column_that_a_purpose_needs_is_refused(project: Path) -> None:
    """With the line that needs it; without that need, it is a major version."""
    deliver(project, [{name: text for name, text in row.items() if name != "visits"} for row in rows()])
    found = drift("shop", project)
    assert said(found) == {"visits: the source has it no more": Size.MAJOR}
    (fault,) = found.faults
    assert "`shop_model` needs `visits`" in fault.what
    assert fault.where.startswith("data/purposes/shop_model.yaml:")
    before = found.path.read_text()
    with pytest.raises(BadDeclaration, match="needs `visits`"):
        apply(found)
    assert found.path.read_text() == before
    path = project / "data/purposes/shop_model.yaml"
    purpose = yaml.safe_load(path.read_text())
    del purpose["datasets"]["shop"]["columns"]["visits"]
    path.write_text(yaml.safe_dump(purpose))
    assert applied(project).versions == ("1.0.0", "2.0.0")
    assert "name: visits" not in (project / "data/contracts/shop.odcs.yaml").read_text()


def test_a_removed_subject_is_refused(project: Path) -> None:
    """The contract would not load: the fault says so, with its line."""
    shutil.rmtree(project / "data/purposes")
    deliver(project, [{name: text for name, text in row.items() if name != "member id"} for row in rows()])
    found = drift("shop", project)
    assert any("no such column" in fault.what for fault in found.faults)
    with pytest.raises(BadDeclaration):
        apply(found)


@pytest.mark.parametrize(
    ("column", "value", "type_"), [("visits", "1.5", "DOUBLE"), ("since", "2020-01-01 12:30:00", "TIMESTAMP"),
                                   ("age", "many", "VARCHAR")],
)  # fmt: skip
def test_another_type_is_a_major_version(project: Path, column: str, value: str, type_: str) -> None:
    """The first type that reads every value, as a draft would take it."""
    (project / "data/purposes/shop_model.yaml").unlink()
    deliver(project, [{**row, column: value if n % 5 == 0 else row[column]} for n, row in enumerate(rows())])
    found = applied(project)
    assert list(said(found).values()) == [Size.MAJOR]
    assert load(project).contracts["shop"].column(column).type == type_


def test_few_values_that_do_not_read_are_a_note(project: Path) -> None:
    """Their rows go to quarantine, which is measured there."""
    deliver(project, [{**row, "visits": "many" if n == 3 else row["visits"]} for n, row in enumerate(rows())])
    found = drift("shop", project)
    assert found.changes == ()
    assert "visits: 1 value of another type than BIGINT, quarantined" in found.notes


def test_a_narrower_type_is_a_note(project: Path) -> None:
    """What was declared wider may be delivered again."""
    deliver(project, [{**row, "weight": str(n % 9)} for n, row in enumerate(rows())])
    found = drift("shop", project)
    assert found.changes == ()
    assert "weight: every value is BIGINT now, which is narrower than DOUBLE; it stays" in found.notes


def test_what_has_too_many_categories_is_none(project: Path) -> None:
    """As in a draft, which lists at most fifty."""
    people = [{**row, "member id": f"canary{n}"} for n, row in enumerate(rows() * 15)]
    deliver(project, [{**row, "sex": f"w{n % 50}"} for n, row in enumerate(people)])
    found = drift("shop", project)
    assert any(note.startswith("sex: with 50 more categories it would be none") for note in found.notes)
    deliver(project, [{**row, "sex": f"w{n % 48}"} for n, row in enumerate(people)])
    assert any("48 categories more" in change.what for change in drift("shop", project).changes)


def test_a_category_is_added_only_where_enough_rows_hold_it(project: Path) -> None:
    """Common ones make a minor version; rare ones are counted and not shown."""
    more = [{**row, "sex": "d"} for row in rows()[:120]]
    rare = [{**row, "sex": f"canary{n}"} for n, row in enumerate(rows()[:9])]
    deliver(project, [*rows(), *rare])
    found = drift("shop", project)
    assert found.changes == ()
    assert (
        found.notes[0]
        == "sex: 9 values outside of its categories, of fewer than 100 people each, not added but quarantined"
    )
    deliver(project, [*rows(), *more, *rare])
    found = applied(project)
    assert said(found) == {"sex: 1 category more, of at least 100 people each": Size.MINOR}
    assert load(project).contracts["shop"].column("sex").domain == ("f", "m", "d")


def test_a_required_value_that_is_missing_too_often_is_required_no_more(project: Path) -> None:
    """A major version; where it is missing in few rows it is a note, and nothing becomes required by being there."""
    path = project / "data/contracts/shop.odcs.yaml"
    path.write_text(path.read_text().replace("- name: visits\n", "- name: visits\n        required: true\n"))
    deliver(project, [{**row, "visits": "" if n % 100 == 0 else row["visits"]} for n, row in enumerate(rows())])
    assert drift("shop", project).changes == ()
    deliver(project, [{**row, "visits": "" if n % 4 == 0 else row["visits"]} for n, row in enumerate(rows())])
    assert list(said(applied(project)).values()) == [Size.MAJOR]
    assert not load(project).contracts["shop"].column("visits").required
    deliver(project, rows())
    assert drift("shop", project).changes == ()


def test_a_role_is_raised_where_more_is_guessed_than_before(project: Path) -> None:
    """A major version, with the evidence."""
    (project / "data/purposes/shop_model.yaml").unlink()
    deliver(project, [{**row, "sex": f"x{n}@example.org"} for n, row in enumerate(rows())])
    found = applied(project)
    assert any("direct_identifier (email) is guessed now" in what for what in said(found))
    column = load(project).contracts["shop"].column("sex")
    assert (column.privacy.role, column.domain) == (Role.DIRECT_IDENTIFIER, None)


def test_no_role_is_lowered_and_what_a_person_decided_is_not_asked_again(project: Path) -> None:
    """A role that somebody changed stays while the guess is as it was; a lower guess is a note."""
    path = project / "data/contracts/shop.odcs.yaml"
    for role in ("attribute", "sensitive"):
        path.write_text(path.read_text().replace("role: quasi_identifier", f"role: {role}", 2))
    assert drift("shop", project).changes == ()
    path.write_text(path.read_text().replace("visits: quasi_identifier", "visits: direct_identifier"))
    found = drift("shop", project)
    assert found.changes == ()
    assert any(note.startswith("visits: quasi_identifier (number) is guessed now") for note in found.notes)


def test_other_detectors_are_a_patch(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every column was judged again; only what is kept of the draft changes."""
    monkeypatch.setattr(judged, "version", lambda name: "0")
    found = applied(project)
    assert said(found) == {"what guesses has changed: every column was judged again": Size.PATCH}
    assert found.versions == ("1.0.0", "1.0.1")
    assert found.diff.count("\n+") == 3


def test_a_contract_that_was_written_by_hand_gets_no_guesses(project: Path) -> None:
    """Its roles are a person's; columns are compared all the same."""
    path = project / "data/contracts/shop.odcs.yaml"
    text = path.read_text()
    path.write_text(text[: text.index("  # By what and from what")] + text[text.index("schema:") :])
    deliver(project, [{**row, "sex": f"x{n}@example.org", "more": "1"} for n, row in enumerate(rows())])
    found = drift("shop", project)
    assert [change.size for change in found.changes] == [Size.MINOR]
    assert "drafted" not in found.after


def test_comments_and_order_of_people_are_kept(project: Path) -> None:
    """Every line that is not part of the change is as it was."""
    path = project / "data/contracts/shop.odcs.yaml"
    text = path.read_text().replace("version: 1.0.0", 'version: "1.0.0"  # ours')
    path.write_text(text.replace("- name: sex\n", "- name: sex  # as registered\n        # Asked at the desk.\n"))
    before = path.read_text().splitlines()
    deliver(project, [*rows(), *({**row, "sex": "d"} for row in rows()[:120])])
    found = applied(project)
    after = path.read_text().splitlines()
    removed = [line for line in before if line not in after]
    assert {line.strip().split(":")[0] for line in removed} <= {"version", "rows", "counts"}
    assert "version: 1.1.0  # ours" in after
    assert "        # Asked at the desk." in after
    assert found.diff.startswith("--- data/contracts/shop.odcs.yaml 1.0.0")


def test_declarations_may_lie_elsewhere(project: Path) -> None:
    """Where the project says; the file that is named is the one that is written."""
    (project / "declared").mkdir()
    for kind in ("contracts", "purposes"):
        (project / "data" / kind).rename(project / "declared" / kind)
    (project / "pyproject.toml").write_text(
        '[tool.privacy_assets]\ncontracts = "declared/contracts"\npurposes = "declared/purposes"\n'
    )
    deliver(project, [{**row, "more": "1"} for row in rows()])
    found = applied(project)
    assert found.file == "declared/contracts/shop.odcs.yaml"
    assert "version: 1.1.0" in (project / found.file).read_text()
    assert not (project / "data/contracts").exists()


def test_of_what_comes_by_day_the_last_day_is_looked_at(project: Path) -> None:
    """A column that came until yesterday is gone today."""
    (project / "data/purposes/shop_model.yaml").unlink()
    path = project / "data/contracts/shop.odcs.yaml"
    server = '    path: "people.csv"\n    format: csv\n'
    assert server in path.read_text()
    days = '    path: "{day}.csv"\n    format: csv\n'
    deliveries = "    customProperties:\n      - property: deliveries\n        value: {by: day, since: '2024-01-01'}\n"
    text = path.read_text().replace(server, days)
    path.write_text(text.replace("    customProperties:\n", deliveries, 1))
    for day, delivered in (("2024-01-01", rows()), ("2024-01-02", [{**row, "more": "1"} for row in rows()])):
        deliver(project, delivered)
        (project / "people.csv").rename(project / f"{day}.csv")
    assert list(said(applied(project))) == ["more: a new column, BIGINT, quasi_identifier (number)"]


# ---- what is not shown, and what is not written


def test_a_file_without_its_header_is_another_table(project: Path) -> None:
    """The first person's values would be names of columns."""
    text = (project / "people.csv").read_text()
    (project / "people.csv").write_text(text.split("\n", 1)[1])
    with pytest.raises(BadSource, match="does not look like the table") as raised:
        drift("shop", project)
    assert "canary" not in str(raised.value)


def test_a_new_column_that_is_named_like_a_value_is_not_shown(project: Path) -> None:
    """Counted, and left where it is."""
    deliver(project, [{**row, "ada@example.org": "1", "_hidden": "1", "Age": "2"} for row in rows()][:300])
    with pytest.raises(BadSource, match="told apart"):
        drift("shop", project)
    deliver(project, [{**row, "ada@example.org": "1", "_hidden": "1", "a.g.e": "2", "a-g-e": "3"} for row in rows()])
    found = applied(project)
    assert "ada@" not in found.diff + str(said(found)) + str(found.notes)
    assert any(note.startswith("1 new column not shown") for note in found.notes)
    assert sum("cannot be declared" in note for note in found.notes) == 2


def test_what_is_written_in_one_line_is_left_to_a_person(project: Path) -> None:
    """The fault has the line; nothing is written."""
    path = project / "data/contracts/shop.odcs.yaml"
    listed = "enum:\n          - value: f\n          - value: m\n"
    assert listed in path.read_text()
    path.write_text(path.read_text().replace(listed, "enum: [{value: f}, {value: m}]\n"))
    deliver(project, [*rows(), *({**row, "sex": "d"} for row in rows()[:120])])
    found = drift("shop", project)
    assert [fault.what for fault in found.faults] == ["this is written in a way that is not changed by a program"]
    with pytest.raises(BadDeclaration, match="by hand"):
        apply(found)


def test_a_contract_that_was_changed_meanwhile_is_not_written_over(project: Path) -> None:
    """Somebody's work would be lost."""
    deliver(project, [{**row, "more": "1"} for row in rows()])
    found = drift("shop", project)
    found.path.write_text(found.before + "# mine\n")
    with pytest.raises(BadDeclaration, match="meanwhile"):
        apply(found)
    assert found.path.read_text().endswith("# mine\n")


def test_a_text_that_says_something_else_than_was_meant_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong in changing text: what it says is compared with what it should."""
    right = module.Editor.text
    monkeypatch.setattr(module.Editor, "text", lambda self: right(self).replace("required: true", "required: false"))
    deliver(project, [{**row, "more": "1"} for row in rows()])
    assert drift("shop", project).faults
    monkeypatch.setattr(module.Editor, "text", lambda self: right(self).replace("age_range", "gender"))
    (fault,) = drift("shop", project).faults
    assert fault.what == "the new text would not say what was meant"


def test_a_dataset_that_is_not_there_is_said(project: Path) -> None:
    """With those that are."""
    with pytest.raises(BadDeclaration, match="one of shop"):
        drift("shops", project)


# ---- the command


def command(project: Path, *words: str) -> tuple[int, str]:
    """What `privacy-assets draft …` ends with, and says."""
    ended = CliRunner().invoke(app, ["draft", *words, "--root", str(project)])
    return ended.exit_code, ended.output + str(ended.exception or "")


def test_the_command_shows_and_writes_only_where_it_is_asked_to(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First that nothing changed, then the diff, then the new version."""
    said: list[str] = []
    monkeypatch.setattr(cli.out, "print", lambda *texts, **_: said.extend(map(str, texts)))
    assert command(project, "--drift", "shop")[0] == 0
    assert said == ["Nothing changed in what data/contracts/shop.odcs.yaml promises: version 1.0.0 stands."]
    deliver(project, [{**row, "more": "1"} for row in rows()])
    assert command(project, "--drift", "shop")[0] == 0
    assert "minor: more: a new column, BIGINT, quasi_identifier (number)" in said
    assert any("+version: 1.1.0" in text for text in said)
    assert said[-1] == "Next: `privacy-assets draft --drift shop --apply` writes version 1.1.0 (it is 1.0.0)."
    assert load(project).contracts["shop"].version == "1.0.0"
    assert command(project, "--drift", "shop", "--apply")[0] == 0
    assert load(project).contracts["shop"].version == "1.1.0"


def test_the_command_refuses_what_a_purpose_stands_against(project: Path) -> None:
    """Shown or applied, it ends with 1."""
    deliver(project, [{name: text for name, text in row.items() if name != "visits"} for row in rows()])
    for words in (("--drift", "shop"), ("--drift", "shop", "--apply")):
        code, said = command(project, *words)
        assert (code, "`shop_model` needs `visits`" in said) == (1, True)
    assert load(project).contracts["shop"].version == "1.0.0"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "or --drift and a dataset"), (("people.csv",), "or --drift and a dataset"),
        (("--name", "x"), "or --drift and a dataset"), (("people.csv", "--name", "x", "--apply"), "goes with --drift"),
        (("people.csv", "--drift", "shop"), "<file> does not go"), (("--drift", "shop", "--name", "x"), "--name does"),
        (("--drift", "shop", "--subject", "age"), "--subject does"), (("--drift", "shop", "--target", "a"), "--target"),
        (("--drift", "shop", "--interactive"), "--interactive does not go"),
    ],
)  # fmt: skip
def test_words_that_do_not_go_together_are_a_misspelt_command(
    project: Path, words: tuple[str, ...], expected: str
) -> None:
    """With what was expected."""
    code, said = command(project, *words)
    assert (code, expected in " ".join(said.replace("│", " ").split())) == (2, True), said


SAMPLE = Path(__file__).parents[2] / "data"


def test_the_sample_does_not_drift(tmp_path: Path) -> None:
    """Contracts as people write them, against the data that was made for them."""
    for folder in ("contracts", "purposes", "samples"):
        shutil.copytree(SAMPLE / folder, tmp_path / "data" / folder, ignore=shutil.ignore_patterns("clinic"))
    subprocess.run([sys.executable, tmp_path / "data/samples/clinic.py"], check=True, capture_output=True)
    for name in load(tmp_path).contracts:
        found = drift(name, tmp_path)
        assert (found.changes, found.faults) == ((), ())
