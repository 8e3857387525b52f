"""The commands, as people type them: what they print, and the exit code."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from privacy_assets import cli
from privacy_assets.build import steps
from privacy_assets.gate import Gate
from privacy_assets.stages.step import carry_out
from privacy_assets.words import AssetName, Stage
from tests.contracts.test_anonymity import ASKED, BEFORE

ROOT = Path(__file__).parents[1]
TRAINING = AssetName.parse("training/smoking")


@dataclass(frozen=True)
class Said:
    """What a command left: exit code and both streams."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def command(
    tiny_project: Path,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Command:
    """Runs `privacy-assets` with these words in the tiny project."""
    shutil.copy(ROOT / "dagster.yaml", tiny_project)
    monkeypatch.chdir(tiny_project)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DAGSTER_HOME", str(tiny_project))

    def run(*words: str | Path) -> Said:
        monkeypatch.setattr(sys, "argv", ["privacy-assets", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capfd.readouterr()
        assert "Traceback" not in said.out + said.err
        return Said(int(ended.value.code or 0), said.out, said.err)

    return run


def edit(root: Path, file: str, before: str, after: str) -> None:
    path = root / file
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def file_of(gate: Gate, asset: AssetName = TRAINING) -> Path:
    passport = gate.latest(asset)
    assert passport is not None
    return gate.versions.path(str(asset), passport.version)


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


# ---- validate and schema


def test_validate_names_what_is_sound(command: Command):
    """All files, and exit 0; no home is made for it."""
    said = command("validate")
    assert said.code == 0
    assert "2 contracts and 1 purposes are sound: consents, patients, smoking" in said.out
    assert not Path(os.environ["PRIVACY_ASSETS_HOME"]).exists()


def test_validate_prints_every_fault_at_once_with_its_line(command: Command, tiny_project: Path):
    """Faults of contract and purpose together, each with place, what was expected and found, and the next step."""
    edit(tiny_project, "data/contracts/patients.odcs.yaml", "category: user.financial", "category: user.fortune")
    edit(tiny_project, "data/purposes/smoking.yaml", "lawful_basis: consent", "lawful_basis: because")
    said = command("validate")
    assert said.code == 1
    for file, text in [
        ("data/contracts/patients.odcs.yaml", "category: user.fortune"),
        ("data/purposes/smoking.yaml", "lawful_basis: because"),
    ]:
        lines = (tiny_project / file).read_text().splitlines()
        line = 1 + next(number for number, content in enumerate(lines) if text in content)
        assert f"{file}:{line}" in said.err
    for word in ("expected:", "found:"):
        assert said.err.count(word) >= 2
    assert "next: did you mean" in said.err


@pytest.mark.parametrize("kind", ["contract", "purpose"])
def test_schema_is_json_schema(command: Command, kind: str):
    """What is printed can be saved to a file and used."""
    said = command("schema", kind)
    assert said.code == 0
    assert json.loads(said.out)["$schema"].startswith("https://json-schema.org/")


def test_schema_of_something_else_is_a_misspelt_command(command: Command):
    """Exit 2, and what there is."""
    said = command("schema", "contracts")
    assert said.code == 2
    assert "contract, purpose" in said.err


def test_outside_a_project_every_command_says_so(command: Command, tmp_path: Path):
    """Whichever it is, it says what a project looks like."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for words in (["validate"], ["run"], ["verify"], ["explain", "raw/patients"], ["show", "raw/patients"]):
        said = command(*words, "--root", elsewhere)
        assert said.code == 1
        assert "not a project" in said.err
        assert "data/contracts" in said.err


# ---- run


def test_run_materializes_everything_and_sums_it_up(command: Command, reopen: Callable[[], Gate]):
    """Every asset with its rows; a second run passes too; the sum says what is kept."""
    said = command("run")
    assert said.code == 0, said.err
    assert "7 assets (7 kept)" in said.out
    assert "training/smoking" in said.out
    gate = reopen()
    assert all(gate.examine(asset).standing == "kept" for asset in gate.project.assets())
    assert "Next: " in said.out


def test_run_says_what_is_not_kept_and_ends_with_1(command: Command, published: Gate, reopen: Callable[[], Gate]):
    """The fault with its line; what was published before stands."""
    edit(published.project.root, "data/samples/patients.csv", ";F;", ";W;")
    before = published.latest(AssetName.parse("raw/patients"))
    said = command("run")
    assert said.code == 1
    assert "raw/patients: not published" in said.err
    assert "raw/patients\nraw/patients" not in said.err, "the asset is named once"
    assert "data/contracts/patients.odcs.yaml:" in said.err
    assert "next: " in said.err
    assert "7 assets (7 kept)" in said.out
    assert reopen().latest(AssetName.parse("raw/patients")) == before


# ---- verify


def test_verify_measures_all_again(command: Command, published: Gate):
    """Every asset is kept, with as many findings as were measured when it was published; the ledger is told."""
    said = command("verify")
    assert said.code == 0, said.err
    assert "7 kept of 7 assets" in said.out
    assert f"ledger: {published.ledger.size} entries" in said.out
    assert published.ledger.size == 7


def test_a_terminal_that_lacks_our_letters_does_not_change_the_answer(published: Gate, environment: dict[str, str]):
    """What cannot be shown is replaced: a log file in another encoding is no reason to fail."""
    shutil.copy(ROOT / "dagster.yaml", published.project.root)
    ended = subprocess.run(
        [sys.executable, "-m", "privacy_assets.cli", "verify"],
        cwd=published.project.root,
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b"7 kept of 7 assets" in ended.stdout


def _missing(gate: Gate) -> None:
    edit(gate.project.root, "data/purposes/smoking.yaml", "\nmodel:\n", "\nepoch: 1\nmodel:\n")
    text = (gate.project.root / "data/purposes/smoking.yaml").read_text()
    (gate.project.root / "data/purposes/another.yaml").write_text(text.replace("purpose: smoking", "purpose: another"))


def _deleted(gate: Gate) -> None:
    file_of(gate).unlink()


def _forged(gate: Gate) -> None:
    flip_a_byte(file_of(gate))


def _broken(gate: Gate) -> None:
    edit(gate.project.root, "data/purposes/smoking.yaml", "at_least_subjects: 5", "at_least_subjects: 60")


@pytest.mark.parametrize(
    ("harm", "asset", "standing", "why"),
    [
        (_missing, "training/another", "missing", "was never published"),
        (_deleted, "training/smoking", "broken", "file or key of the published version is gone"),
        (_forged, "training/smoking", "forged", "the file is not the one that was published"),
        (_broken, "features/smoking", "broken", "has_subjects__patient_id is broken"),
    ],
)
def test_verify_ends_with_1_where_something_does_not_stand(
    command: Command, published: Gate, harm: Callable[[Gate], None], asset: str, standing: str, why: str
):
    """The asset, how it stands and why."""
    harm(published)
    said = command("verify")
    assert said.code == 1
    row = next(line.split() for line in said.out.splitlines() if line.split()[:1] == [asset])
    assert row[-1] == standing
    assert why in said.err
    assert "next: " in said.err


def test_verify_passes_what_is_stale_and_fails_what_is_overdue(
    command: Command, published: Gate, monkeypatch: pytest.MonkeyPatch
):
    """A withdrawal is reported at once, and ends with 1 when the time of grace is over."""
    path = published.project.root / "data/samples/consents.csv"
    moment = published.now().replace(tzinfo=None, microsecond=0) - timedelta(seconds=5)
    path.write_text(path.read_text() + f"p-03,smoking,withdrawn,{moment}\n")
    carry_out(steps(published.project)[AssetName.parse("raw/consents")], published).raise_faults()
    said = command("verify")
    assert said.code == 0
    assert "5 stale, 2 kept of 7 assets" in said.out
    assert "readable until" in said.err

    opened = Gate.open

    def two_days_later(*words: Path, **named: Any) -> Gate:
        gate = opened(*words, **named)
        now = gate.now() + timedelta(days=2)
        gate.now = lambda: now
        return gate

    monkeypatch.setattr(Gate, "open", two_days_later)
    said = command("verify")
    assert said.code == 1
    assert "5 overdue, 2 kept of 7 assets" in said.out
    assert "overdue since" in said.err


def test_verify_refuses_a_ledger_that_was_shortened(command: Command, published: Gate):
    """Rolling the ledger back behind what the witness has seen is tampering, whatever the versions say."""
    entries = published.home.ledger / "entries"
    entries.write_bytes(b"".join(entries.read_bytes().splitlines(keepends=True)[:-1]))
    said = command("verify")
    assert said.code == 1
    assert "Tampered" in said.err


# ---- explain and show


def test_explain_goes_down_to_the_source_files(command: Command, published: Gate):
    """Every version of the chain with its digests, declarations and findings; no line is cut."""
    said = command("explain", "model/smoking")
    assert said.code == 0
    for passport in published.ancestry(published.latest(AssetName.parse("model/smoking"))):
        assert str(passport.asset) in said.out
        assert f"version {passport.version}" in said.out
        assert f"code {passport.code[:16]}…" in said.out
        for measured in passport.measured:
            assert f"({measured.finding.promise})" in said.out
    assert said.out.count("source files") == 2


def test_history_tells_versions_and_columns(command: Command, published: Gate):
    """Of a contract and of a purpose, as a table and for machines; what was never published is said."""
    said = command("history", "contract", "patients")
    assert said.code == 0 and "1.0.0" in said.out and "raw/patients" in said.out
    said = command("history", "purpose", "smoking", "--json")
    told = json.loads(said.out)
    assert {state["asset"] for state in told["states"]} == {
        str(passport.asset) for passport in published.publications() if passport.asset.purpose
    }
    said = command("history", "contract", "visits")
    assert said.code == 1 and "one of consents, patients" in said.err
    assert command("history", "dataset", "patients").code == 2


ABOUT_DATA = [
    ["verify"], ["checkpoint"], ["correct-clock", "--today", "2026-01-01"], ["explain", "training/smoking"],
    ["history", "purpose", "smoking"], ["show", "training/smoking"], ["frontier", "smoking"], ["compare", "smoking"],
    ["redteam"], ["export", "training/smoking", "--purpose", "smoking", "--to", "copy", "--key-file", "key/key"],
    ["trace", "--file", "who.txt"], ["erase", "--reason", "request 1", "--file", "who.txt", "--yes"],
    ["export-subject", "--to", "copy", "--key-file", "key/key", "--file", "who.txt"],
    ["rotate-master", "--new-key-file", "new.key"], ["rotate-data-keys"],
    ["lineage", "--openlineage", "events.jsonl"],
]  # fmt: skip
ABOUT_DECLARATIONS = [
    ["impact", "raw/patients.email"], ["lineage", "--html", "page.html"], ["report", "record", "--to", "pages"],
    ["budget"], ["testdata", "smoking", "--rows", "10", "--to", "made"], ["validate"], ["schema", "purpose"],
]  # fmt: skip
MAKING = {"run", "draft", "diff"}
"""Commands that make a home, or know of none."""


def paths(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def test_every_command_is_about_data_or_declarations_or_makes_a_home():
    """So that the two tests below leave none out."""
    named = {one.name or one.callback.__name__.replace("_", "-") for one in cli.app.registered_commands}
    assert named == {words[0] for words in (*ABOUT_DATA, *ABOUT_DECLARATIONS)} | MAKING


@pytest.mark.parametrize("words", ABOUT_DATA, ids=lambda words: words[0])
def test_a_question_about_data_makes_no_home(command: Command, tmp_path: Path, tiny_project: Path, words: list[str]):
    """Its disk may not be mounted: the place is named, and neither a home nor a key is made in it."""
    (tiny_project / "who.txt").write_text("p-01\n")
    before = paths(tmp_path)
    said = command(*words)
    assert (said.code, said.out) == (1, "")
    assert "there is no home" in said.err
    assert str(tmp_path / "home") in said.err
    assert "PRIVACY_ASSETS_HOME" in said.err
    assert "master key" not in said.err
    assert paths(tmp_path) == before


@pytest.mark.parametrize("words", ABOUT_DECLARATIONS, ids=lambda words: words[0])
def test_a_question_about_declarations_needs_no_home(
    command: Command, tmp_path: Path, tiny_project: Path, words: list[str]
):
    """As in a pull request, beside no data: it is answered, and what it made is what was asked for."""
    before = paths(tmp_path)
    said = command(*words)
    assert (said.code, said.err) == (0, "")
    asked = {tiny_project / name for name in ("page.html", "pages", "made")}
    assert all(any(path.is_relative_to(one) for one in asked) for path in paths(tmp_path) - before)


@pytest.mark.parametrize(
    "words", [words for words in (*ABOUT_DATA, *ABOUT_DECLARATIONS) if words[0] not in ("validate", "schema")],
    ids=lambda words: words[0],
)  # fmt: skip
def test_a_home_that_is_gone_is_not_taken_for_a_new_one(
    command: Command, published: Gate, tmp_path: Path, tiny_project: Path, words: list[str]
):
    """Its witness knows of it: no question is answered as if nothing had ever been published, or spent."""
    (tiny_project / "who.txt").write_text("p-01\n")
    shutil.rmtree(published.home.path)
    before = paths(tmp_path)
    said = command(*words)
    assert (said.code, said.out) == (1, "")
    assert "the home is gone: its witness knows of one" in said.err
    assert str(published.home.path) in said.err
    assert paths(tmp_path) == before


def test_impact_says_where_no_finding_takes_a_role_away(
    command: Command, environment: dict[str, str], tiny_project: Path
):
    """Beside no data every role is left: whoever weighs a feature is told why."""
    told = "Nothing is published in this home"
    assert told in command("impact", "raw/patients.age").out
    gate = Gate.open(tiny_project, environment)
    for step in steps(gate.project).values():
        if step.asset.stage is Stage.RAW:
            carry_out(step, gate).raise_faults()
    assert told not in command("impact", "raw/patients.age").out


def test_a_home_in_use_is_not_taken_for_another_projects(
    command: Command, published: Gate, monkeypatch: pytest.MonkeyPatch
):
    """The project's id is gone: none is made, which would only be found to be another."""
    record = published.project.root / "data" / ".project"
    assert command("show", "training/smoking").code == 0
    record.unlink()
    said = command("show", "training/smoking")
    assert said.code == 1
    assert "the project has no id" in said.err
    assert not record.exists()
    monkeypatch.setenv("PRIVACY_ASSETS_PROJECT", published.home.project_id)
    assert command("show", "training/smoking").code == 0


def test_explain_and_show_of_nothing_say_so(command: Command, gate: Gate):
    """An asset that was never published, and one that nobody declared."""
    for words in ("explain", "show"):
        said = command(words, "training/smoking")
        assert said.code == 1
        assert "was never published" in said.err
        assert "materialize" in said.err
        said = command(words, "training/smokin")
        assert said.code == 1
        assert "training/smokin" in said.err
        said = command(words, "smoking")
        assert said.code == 1


def test_show_prints_columns_and_counts_and_no_rows(command: Command, published: Gate):
    """Each column with what the contract says of it."""
    said = command("show", "minimized/smoking/patients")
    assert said.code == 0
    assert "minimized/smoking/patients: 59 rows, kept" in said.out
    row = next(line.split() for line in said.out.splitlines() if line.split()[:1] == ["patient_id"])
    assert row == ["patient_id", "VARCHAR", "direct_identifier", "user.unique_id"]
    assert "p-01" not in said.out


def test_show_prints_why_an_asset_does_not_stand(command: Command, published: Gate):
    """The columns that were published, and the fault."""
    flip_a_byte(file_of(published))
    said = command("show", "training/smoking")
    assert "training/smoking: 59 rows, forged" in said.out
    assert "not the one that was published" in said.err


# ---- export


def test_export_opens_with_its_key_and_not_without(command: Command, published: Gate, tmp_path: Path):
    """The copy holds the rows under a key of its own, readable by their owner only; the access is in the ledger."""
    copy, key = tmp_path / "out" / "copy.duckdb", tmp_path / "keys" / "copy.key"
    copy.parent.mkdir()
    key.parent.mkdir()
    before = published.ledger.size
    said = command(
        "export", "training/smoking", "--purpose", "smoking", "--to", copy, "--key-file", key
    )  # fmt: skip
    assert said.code == 0, said.err
    assert "59 rows of training/smoking" in said.out
    assert [path.stat().st_mode & 0o777 for path in (copy, key)] == [0o600, 0o600]
    assert key.read_text() not in said.out + said.err
    assert [entry.body["action"] for entry in published.ledger.entries(before)] == ["access"]
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{copy}' AS copy (ENCRYPTION_KEY '{key.read_text()}', READ_ONLY)")
        assert con.execute("SELECT count(*), count(DISTINCT patient_id) FROM copy.data").fetchone() == (59, 59)
    with duckdb.connect() as con, pytest.raises(duckdb.Error):
        con.execute(f"ATTACH '{copy}' AS copy (READ_ONLY)")


@pytest.mark.parametrize("taken", ["copy", "key"])
def test_export_never_writes_over_a_file(command: Command, published: Gate, tmp_path: Path, taken: str):
    """Neither copy nor key; nothing is read, so nothing is recorded."""
    copy, key = tmp_path / "copy.duckdb", tmp_path / "keys" / "copy.key"
    key.parent.mkdir()
    there = copy if taken == "copy" else key
    there.write_text("mine")
    before = published.ledger.size
    said = command("export", "training/smoking", "--purpose", "smoking", "--to", copy, "--key-file", key)
    assert said.code == 1
    assert f"{there}: the file exists already" in said.err
    assert there.read_text() == "mine"
    assert published.ledger.size == before


@pytest.mark.parametrize(
    ("asset", "purpose", "copy", "key", "why"),
    [
        ("training/smoking", "smoking", "copy.duckdb", "copy.key", "the key would lie beside the data"),
        ("training/smoking", "other", "copy.duckdb", "keys/copy.key", "not made for the purpose"),
        ("features/smoking", "smoking", "copy.duckdb", "keys/copy.key", "person may not read features/smoking"),
        ("training/smoking", "smoking", "nowhere/copy.duckdb", "keys/copy.key", "there is no such folder"),
        ("training/smoking", "smoking", "copy.duckdb", "nowhere/copy.key", "there is no such folder"),
        ("training/smoking", "smoking", "copy.duckdb", "home/copy.key", "nothing but its own files"),
        ("training/smoking", "smoking", "home/copy.duckdb", "keys/copy.key", "nothing but its own files"),
        ("model/smoking", "smoking", "copy.duckdb", "keys/copy.key", "is a model"),
    ],
)
def test_export_refuses_and_leaves_nothing(
    command: Command, published: Gate, tmp_path: Path, asset: str, purpose: str, copy: str, key: str, why: str
):
    """What may not be exported, or not to there, is refused in words, and no file is left."""
    (tmp_path / "keys").mkdir()
    said = command("export", asset, "--purpose", purpose, "--to", tmp_path / copy, "--key-file", tmp_path / key)
    assert said.code == 1
    assert why in said.err
    assert not [path for path in tmp_path.rglob("*copy*") if path.is_file()]


# ---- rotation


def test_another_master_key_opens_what_the_old_one_opened(
    command: Command, published: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It is made where it is named, says what to set, and from then on the old one is refused with what to do."""
    new = tmp_path / "guards" / "second.key"
    said = command("rotate-master", "--new-key-file", new)
    assert said.code == 0, said.err
    assert f"set PRIVACY_ASSETS_KEY_FILE={new}" in said.out
    assert f"The keys of {len(list(published.held()))} versions" in said.out
    assert new.stat().st_mode & 0o777 == 0o600
    refused = command("verify")
    assert refused.code == 1
    assert "wrapped by another master key" in refused.err
    assert "next: name the key file of this home with PRIVACY_ASSETS_KEY_FILE" in refused.err
    monkeypatch.setenv("PRIVACY_ASSETS_KEY_FILE", str(new))
    assert command("verify").code == 0
    assert new.read_bytes() not in (said.out + said.err).encode()


@pytest.mark.parametrize(
    ("place", "content", "why"),
    [
        ("guards/master.key", None, "master"),
        ("guards/short.key", b"no key", "master key"),
        ("home/second.key", None, "home"),
    ],
)
def test_a_new_master_key_that_cannot_serve_is_refused_and_nothing_is_rotated(
    command: Command, published: Gate, tmp_path: Path, place: str, content: bytes | None, why: str
):
    """The one that is in use, a file that holds no key, one inside the home."""
    path = tmp_path / place
    if content is not None:
        path.write_bytes(content)
    before = published.ledger.size
    said = command("rotate-master", "--new-key-file", path)
    assert said.code == 1
    assert why in said.err
    assert "next: " in said.err
    assert command("verify").code == 0
    assert published.ledger.size == before


def test_other_data_keys_leave_every_version_what_it_was(command: Command, published: Gate):
    """Asked for one asset or for all; files are others, `verify` finds every version as it was published."""
    one = file_of(published)
    said = command("rotate-data-keys", "training/smoking")
    assert said.code == 0, said.err
    assert "1 versions have a new data key" in said.out
    assert not one.exists()
    held = {passport.asset: passport.content_digest for passport in published.held()}
    said = command("rotate-data-keys")
    assert f"{len(list(published.held()))} versions have a new data key" in said.out
    assert command("verify").code == 0
    assert {passport.asset: passport.content_digest for passport in published.held()} == held


def test_data_keys_of_what_is_not_there_are_not_rotated(command: Command, published: Gate):
    """A misspelt asset is said, with those that there are; a damaged one stops it all."""
    before = published.ledger.size
    said = command("rotate-data-keys", "training/smokin")
    assert said.code == 1
    assert "there are no versions of training/smokin" in said.err
    assert "training/smoking" in said.err.split("expected")[1]
    damaged = file_of(published)
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    said = command("rotate-data-keys")
    assert said.code == 1
    assert "not the one that was published" in said.err
    assert published.ledger.size == before


# ---- what holds for all


def test_a_key_that_is_gone_is_said_in_words(command: Command, published: Gate):
    """A home whose key file is missing is not opened with a new one."""
    published.home.key_file.unlink()
    said = command("verify")
    assert said.code == 1
    assert "BadEnvironment" in said.err
    assert not published.home.key_file.exists()


def test_a_word_too_many_is_a_misspelt_command(command: Command):
    """Exit 2, as usual."""
    assert command("verify", "everything").code == 2
    assert command("explain").code == 2


def test_the_printed_way_to_verify_works_as_it_is_printed(
    command: Command, published: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pasted into a shell, also where the home's path has spaces and quotes; a checkpoint of another ledger fails."""
    home = tmp_path / "it's \u00fc" / "home"
    home.parent.mkdir()
    published.home.path.rename(home)
    monkeypatch.setenv("PRIVACY_ASSETS_HOME", str(home))
    said = command("checkpoint")
    (tmp_path / "kept").write_text(said.out)
    printed = next(line for line in said.err.splitlines() if line.startswith("python "))
    pasted = printed.replace("python", sys.executable, 1).replace("FILE", str(tmp_path / "kept"))
    ended = subprocess.run(["bash", "-c", pasted], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "in order" in ended.stdout
    (tmp_path / "kept").write_text(said.out.replace("\n", "\n\n", 1))
    assert subprocess.run(["bash", "-c", pasted], capture_output=True, check=False).returncode == 1


def test_frontier_draws_what_could_be_and_keeps_what_was_chosen(
    command: Command, published: Gate, tiny_project: Path, reopen: Callable[[], Gate]
):
    """A table, two files, and with a reason an entry; without anonymity, a reason or a fit folder it is refused."""
    said = command("frontier", "smoking")
    assert said.code == 1
    assert "asks for no anonymity" in said.err
    edit(tiny_project, "data/purposes/smoking.yaml", BEFORE, ASKED)
    gate = reopen()
    for asset in ("minimized/smoking/patients", "pseudonymized/smoking/patients", "features/smoking"):
        carry_out(steps(gate.project)[AssetName.parse(asset)], gate).raise_faults()
    size = gate.ledger.size
    said = command("frontier", "smoking", "--with-model")
    assert said.code == 0, said.err
    assert "roc_auc on validation" in said.out
    assert "No choice is kept" in said.out
    assert "full_domain" in said.out
    assert "taken now" in said.out
    assert sorted(path.name for path in (tiny_project / "frontier/smoking").iterdir()) == [
        "frontier.html", "frontier.png",
    ]  # fmt: skip
    assert reopen().ledger.size == size
    with cli._instance(tiny_project) as instance:
        (shown,) = instance.fetch_observations(dg.AssetKey(["anonymized", "smoking"]), limit=9).records
    told = shown.asset_observation.metadata
    assert told["frontier"].value.startswith("![figure](data:image/png;base64,iVBOR")
    assert {row.data["k"] for row in told["points"].records} > {"3", "5"}
    said = command("frontier", "smoking", "--choose", "1", "--because", "as little as it may be", "--to", "out")
    assert said.code == 0, said.err
    assert f"ledger entry {size}: point 1 was chosen" in said.out
    assert "as a new version" in said.out
    assert "as little as it may be" in (tiny_project / "out/frontier.html").read_text()
    assert command("frontier", "smoking", "--choose", "1").code == 2
    assert "--choose" in command("frontier", "smoking", "--choose", "99", "--because", "why not").err
    assert command("frontier", "smoking", "--to", gate.home.path / "x").code == 1
    assert reopen().ledger.size == size + 1


def test_testdata_is_made_and_told(command: Command, tiny_project: Path, tmp_path: Path) -> None:
    """Each column with what it was made from, each file with where its contract looks for it, and how to repeat it."""
    said = command("testdata", "smoking", "--rows", "30", "--seed", "4", "--day", "2026-11-02")
    assert said.code == 0, said.err
    assert re.search(r"patients +email +contract: keys of nobody", said.out)
    folder = tiny_project / "testdata/smoking"
    assert f"written: {folder}/patients.csv, 30 rows; its contract reads data/samples/patients.csv" in said.out
    assert "30 people of seed 4, by the day 2026-11-02" in said.out
    assert {path.name for path in folder.iterdir()} == {"patients.csv", "consents.csv"}
    again = command(
        "testdata", "smoking", "--rows", "30", "--seed", "4", "--day", "2026-11-02", "--to", tmp_path / "to"
    )
    assert again.code == 0
    assert all((tmp_path / "to" / path.name).read_bytes() == path.read_bytes() for path in folder.iterdir())


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("smoking", "--rows", "30"), 1, "the folder is not empty"),
        (("smokin", "--rows", "30"), 1, "there is no purpose 'smokin'"),
        (("smoking", "--rows", "0"), 1, "a number of people from 1 to 1,000,000"),
        (("smoking",), 2, "--rows"),
        (("smoking", "--rows", "many"), 2, "--rows"),
    ],
)
def test_testdata_that_cannot_be_made(
    command: Command, tiny_project: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    """A fault is told in words, and nothing is written."""
    folder = tiny_project / "testdata/smoking"
    folder.mkdir(parents=True)
    (folder / "mine").touch()
    said = command("testdata", *words)
    assert said.code == code and told in said.err
    assert [path.name for path in folder.iterdir()] == ["mine"]


def test_a_person_is_traced_handed_out_and_erased(
    published: Gate, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The identifier comes from a file or from standard input; nothing that is printed holds it."""
    asked = tmp_path / "asked"
    asked.write_text("p-07\n")
    traced = command("trace", "--file", asked)
    assert traced.code == 0
    assert re.search(r"model/smoking .* made from rows of theirs", traced.out)
    (tmp_path / "keys").mkdir()
    words = ("export-subject", "--to", tmp_path / "theirs.duckdb", "--key-file", tmp_path / "keys/k")
    handed = command(*words, "--file", asked)
    assert (handed.code, "patients: 1 rows" in handed.out) == (0, True)
    planned = command("erase", "--reason", "letter of May", "--file", asked)
    assert planned.code == 0
    assert "Nothing is changed" in planned.out
    counted = re.findall(r"^ (\S+/\S+) +\w{8} +(\d*) ", planned.out, re.MULTILINE)
    assert dict(counted) == {
        "raw/patients": "1", "raw/consents": "1", "minimized/smoking/patients": "1",
        "pseudonymized/smoking/patients": "1", "features/smoking": "1", "training/smoking": "1", "model/smoking": "",
    }  # fmt: skip
    features = published.latest(AssetName.parse("features/smoking"))
    assert features
    path = published.versions.path("features/smoking", features.copy)
    sound = path.read_bytes()
    path.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    assert "Nothing is changed" in command("erase", "--reason", "letter of May", "--file", asked).out
    path.write_bytes(sound)
    erased = command("erase", "--reason", "letter of May", "--file", asked, "--yes")
    assert erased.code == 0
    assert "0 places found" in erased.out
    assert "ledger entry" in erased.out
    nobody = command("trace", "--file", asked)
    assert nobody.code == 1
    assert command("erase", "--resume").out.startswith("There is nothing to finish")
    assert "0 versions" in command("erase", "--lapsed", "--yes").out
    asked.write_text("\n")
    assert "no identifier was given" in command("erase", "--reason", "letter of May", "--file", asked, "--yes").err
    assert not any("p-07" in said.out + said.err for said in (traced, handed, planned, erased, nobody))
    monkeypatch.setattr(sys, "stdin", io.StringIO("p-08\n"))
    assert "model/smoking" in command("trace").out
    for name in ("contracts/patients.odcs.yaml", "purposes/smoking.yaml"):
        (published.project.root / "data" / name).unlink()
    asked.write_text("p-08\n")
    assert re.search(r"raw/patients .* anybody may be in it", command("trace", "--file", asked).out)
    assert re.search(
        r"raw/patients .* destroyed +declared no more", command("erase", "--reason", "letter", "--file", asked).out
    )


def test_verify_says_that_an_erasure_is_not_finished(
    published: Gate, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where every asset is kept, and only the search did not end: the request still lies there."""
    asked = tmp_path / "asked"
    asked.write_text("p-07\n")

    def interrupts(*args: object, **named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("privacy_assets.subjects.searching.search", interrupts)
        assert command("erase", "--reason", "letter of May", "--file", asked, "--yes").code != 0
    said = command("verify")
    assert said.code == 1
    assert "7 kept of 7 assets" in said.out
    assert "it was begun and is not finished" in said.err
    assert command("erase", "--resume").code == 0
    assert command("verify").code == 0


@pytest.mark.parametrize("words", [("--resume",), ("--lapsed",), ("--lapsed", "--yes")])
def test_in_a_home_in_which_nothing_was_published_no_erasure_says_that_all_is_done(
    gate: Gate, command: Command, words: tuple[str, ...]
) -> None:
    """It may be another home than the one that is meant."""
    said = command("erase", *words)
    assert said.code != 0
    assert "nothing was ever published in this home" in said.err


@pytest.mark.parametrize(
    "words", [("erase",), ("erase", "--lapsed", "--resume"), ("erase", "--reason", "x", "--lapsed"), ("trace", "p-07")]
)
def test_an_erasure_is_asked_for_in_one_way(command: Command, words: tuple[str, ...]) -> None:
    """An identifier is never an argument: others on the machine see those."""
    assert command(*words).code == 2


def test_identifiers_that_cannot_be_read_are_said(published: Gate, command: Command, tmp_path: Path) -> None:
    """No file, no text, two people where one is asked for."""
    assert command("trace", "--file", tmp_path / "none").code == 1
    (tmp_path / "asked").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in command("trace", "--file", tmp_path / "asked").err
    (tmp_path / "asked").write_text("p-07\np-08\n")
    words = ("export-subject", "--to", tmp_path / "x.duckdb", "--key-file", tmp_path / "k", "--file")
    assert "these are 2 people" in command(*words, tmp_path / "asked").err
    (tmp_path / "asked").write_text("\n")
    assert "no identifier" in command("trace", "--file", tmp_path / "asked").err
