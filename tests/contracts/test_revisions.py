"""The project as it was: at a commit of a real repository, or in another folder; whatever is not that is refused."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from privacy_assets.contracts.loading import load
from privacy_assets.contracts.revisions import files, package_at, revision
from privacy_assets.errors import BadDeclaration, BadEnvironment
from tests.conftest import write_tiny_project
from tests.contracts.test_anonymity import ASKED, BEFORE

PURPOSE = "data/purposes/smoking.yaml"
Git = Callable[..., str]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the tiny project in a folder of its own, committed once."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name, value in {"AUTHOR": "somebody", "COMMITTER": "somebody"}.items():
        monkeypatch.setenv(f"GIT_{name}_NAME", value)
        monkeypatch.setenv(f"GIT_{name}_EMAIL", f"{value}@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "private"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "private").mkdir()
    top = tmp_path / "repository"
    write_tiny_project(top / "clinic" / "privacy")
    _git(top, "init", "-q", "-b", "main")
    _commit(top)
    return top / "clinic" / "privacy"


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True, text=True)
    return done.stdout


def _commit(folder: Path) -> None:
    _git(folder, "add", "-A", ".")
    _git(folder, "commit", "-q", "-m", "as it is")


def _edit(root: Path, before: str, after: str, file: str = PURPOSE) -> None:
    text = (root / file).read_text("utf-8")
    assert before in text
    (root / file).write_text(text.replace(before, after), "utf-8")


def _left(root: Path) -> list[Path]:
    return list((root.parents[2] / "private").iterdir())


def test_a_commit_is_what_was_committed(repository: Path):
    """By branch, tag and digest, in a folder of the repository; the tree as it is now is neither read nor touched."""
    _edit(repository, "retention_days: 365", "retention_days: 400")
    _git(repository, "tag", "-a", "v1", "-m", "a tag with a message")
    status = _git(repository, "status", "--porcelain")
    for base in ("main", "v1", "HEAD", _git(repository, "rev-parse", "HEAD").strip()[:12], "refs/heads/main"):
        with revision(repository, base) as project:
            assert project.purposes["smoking"].retention_days == 365
            assert set(project.contracts) == {"patients", "consents"}
    assert load(repository).purposes["smoking"].retention_days == 400
    assert _git(repository, "status", "--porcelain") == status and not _left(repository)


def test_only_declarations_are_taken(repository: Path):
    """Rows that somebody committed are not copied; public hierarchies that a purpose names are."""
    _edit(repository, BEFORE, ASKED.replace('rows: [[F, "*"], [M, "*"], [X, "*"]]', "file: data/hierarchies/sex.csv"))
    (repository / "data/hierarchies").mkdir()
    (repository / "data/hierarchies/sex.csv").write_text("F;*\nM;*\nX;*\n")
    (repository / "data/hierarchies/other.csv").write_text("F;*\n")
    _commit(repository)
    shutil.rmtree(repository / "data/hierarchies")
    with revision(repository, "main") as project:
        files = {str(path.relative_to(project.root)) for path in project.root.rglob("*") if path.is_file()}
        hierarchy = project.purposes["smoking"].anonymized.hierarchies["sex"]
        assert hierarchy.rows == (("F", "*"), ("M", "*"), ("X", "*"))
        assert project.root.stat().st_uid == os.getuid() and _left(repository)[0].stat().st_mode & 0o077 == 0
    assert files == {
        "data/contracts/patients.odcs.yaml",
        "data/contracts/consents.odcs.yaml",
        PURPOSE,
        "data/hierarchies/sex.csv",
    }
    assert not _left(repository)


def test_declarations_are_found_where_they_lay_then(repository: Path):
    """The settings of the commit say where, not those of today; also beside the project's folder."""
    shutil.move(repository / "data/purposes", repository.parent / "why")
    (repository / "pyproject.toml").write_text('[tool.privacy_assets]\npurposes = "../why"\n')
    _commit(repository.parent)
    (repository / "pyproject.toml").unlink()
    shutil.move(repository.parent / "why", repository / "data/purposes")
    with revision(repository, "main") as project:
        assert set(project.purposes) == {"smoking"}


def test_a_folder_is_read_as_it_is(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Relative to where somebody stands, in a repository or not; a branch of that name is meant by its long one."""
    other = shutil.copytree(repository, tmp_path / "other")
    _edit(other, "retention_days: 365", "retention_days: 30")
    monkeypatch.chdir(tmp_path)
    _git(repository, "branch", "other")
    for base, days in (("other", 30), (str(other), 30), ("refs/heads/other", 365)):
        with revision(repository, base) as project:
            assert project.purposes["smoking"].retention_days == days


@pytest.mark.parametrize("base", ["no-such-branch", "--help", "main:clinic", "", "HEAD~7", "v1\n"])
def test_what_git_does_not_know_is_refused(repository: Path, base: str):
    """Also what looks like an option, a tree, or nothing (a variable that is not set)."""
    with pytest.raises(BadDeclaration, match="git knows no such commit"), revision(repository, base):
        pass
    assert not _left(repository)


def test_within_a_hook_of_git_it_is_the_same(repository: Path, monkeypatch: pytest.MonkeyPatch):
    """Where git names its own folder relative to the top."""
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    with revision(repository, "main") as project:
        assert set(project.purposes) == {"smoking"}


def test_outside_of_a_repository_only_folders_are_known(repository: Path, tmp_path: Path):
    """It is said what may be named."""
    alone = shutil.copytree(repository, tmp_path / "alone")
    with pytest.raises(BadDeclaration, match="lies in no git repository"), revision(alone, "main"):
        pass


def test_without_git_it_is_said(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A folder can be named all the same."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadEnvironment, match="git cannot be run"), revision(repository, "main"):
        pass
    with revision(repository, str(repository)) as project:
        assert project.purposes


def test_faults_of_a_commit_have_its_name(repository: Path):
    """Every fault, with file and line as they are there, and nothing of where they were read."""
    _edit(repository, "retention_days: 365", "retention_days: many")
    _edit(repository, "days: 3650", "days: never", "data/contracts/patients.odcs.yaml")
    _commit(repository)
    with pytest.raises(BadDeclaration) as caught, revision(repository, "main"):
        pass
    assert {fault.where.rpartition(":")[0] for fault in caught.value.faults} >= {
        f"main:{PURPOSE}",
        "main:data/contracts/patients.odcs.yaml",
    }
    assert "private" not in str(caught.value) and not _left(repository)
    other = str(repository.parent)
    with pytest.raises(BadDeclaration, match="there is no contract") as caught, revision(repository, other):
        pass
    assert caught.value.faults[0].where == f"{other}:data/contracts"


def test_broken_settings_of_a_commit_have_its_name(repository: Path):
    """As those of contracts and purposes."""
    (repository / "pyproject.toml").write_text("[tool.privacy_assets\n")
    _commit(repository)
    with pytest.raises(BadDeclaration, match=r"main:pyproject\.toml"), revision(repository, "main"):
        pass


@pytest.mark.parametrize("linked", ["data/purposes/linked.yaml", "data/purposes"])
def test_a_link_is_no_declaration(repository: Path, linked: str):
    """It could lead anywhere: what was promised would depend on the machine that looks."""
    target = repository / "data/contracts"
    if (repository / linked).is_dir():
        shutil.rmtree(repository / linked)
    (repository / linked).symlink_to(target)
    _commit(repository)
    with pytest.raises(BadDeclaration, match="a link, not a file"), revision(repository, "main"):
        pass


def test_what_git_leaves_out_of_archives_is_missed(repository: Path):
    """A purpose that an attribute hides would look like one that is new."""
    (repository / "data/purposes/.gitattributes").write_text("smoking.yaml export-ignore\n")
    _commit(repository)
    with pytest.raises(BadDeclaration, match=r"smoking\.yaml: git leaves this out"), revision(repository, "main"):
        pass


def test_a_package_is_read_as_it_was(repository: Path, tmp_path: Path):
    """Of a commit the same folder, wherever in the repository; of a folder what lies there as here; else none."""
    package, beside = repository / "made", repository.parent / "made"
    for folder in (package, beside):
        (folder / "parts").mkdir(parents=True)
        (folder / "parts/a.py").write_text("A = 1\n")
        (folder / "words.txt").write_text("one\n")
    _commit(repository.parent)
    other = shutil.copytree(repository, tmp_path / "other")
    status = _git(repository, "status", "--porcelain")
    was = {"parts/a.py": b"A = 1\n", "words.txt": b"one\n"}
    for folder in (package, beside):
        (folder / "parts/a.py").write_text("A = 2\n")
        (folder / "parts/__pycache__").mkdir()
        (folder / "parts/__pycache__/a.pyc").write_bytes(b"\0")
        assert package_at(repository, "main", folder) == was
        assert files(folder) == {**was, "parts/a.py": b"A = 2\n"}
        _git(repository, "checkout", "-q", str(folder / "parts/a.py"))
        shutil.rmtree(folder / "parts/__pycache__")
    assert package_at(repository, str(other), package) == was
    assert package_at(repository, str(other), beside) is None
    assert package_at(repository, "main", tmp_path / "elsewhere") is None
    assert package_at(repository, "main", repository / "not-then") is None
    assert package_at(repository, str(other), repository / "not-then") is None
    with pytest.raises(BadDeclaration, match="git knows no such commit"):
        package_at(repository, "no-such-branch", package)
    assert _git(repository, "status", "--porcelain") == status and not _left(repository)
