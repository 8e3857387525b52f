"""What leaves the house by itself, its git history and its wheel, holds no value of anybody and no key.

T-LEAK-4. The sample's people are invented by a script, the tests' canaries by a seed: neither is written down anywhere.
The wheel is built from a tree in which everything has run, and in which keys and rows lie about.
"""

from __future__ import annotations

import importlib.util
import random
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.conftest import ROOT
from tests.under_fire.canaries import people
from tests.under_fire.scanner import Canary, Scanner, git_objects, summary

SEEDS = (1, 2, 3, 4, 2026)
"""Of the canaries that tests make."""

KEY = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{20}|PRIVATE\+KEY\+[\w.-]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{40}"
)
"""A private key as PEM, or as the signer of a checkpoint."""

PUBLISHED = b"PRIVATE+KEY+PeterNeumann+c74f20a3+"
"""How the example key in the documentation of golang.org/x/mod/sumdb/note begins: a test vector."""

NEVER = re.compile(
    r"\.(key|pem|p12|pfx|jks|duckdb|wal|tmp|csv|tsv|parquet|arrow|db|sqlite|pkl|pickle|skops|npz|gz|zip|tar|xlsx)$"
    r"|(^|/)(secrets\.json|home\.json|core|\.env)$|(^|/)data/state/"
)
"""Names of files that hold data or keys."""


def _sample() -> Iterator[Canary]:
    """A thousand people of the sample, by their number, address and telephone."""
    spec = importlib.util.spec_from_file_location("clinic_sample", ROOT / "data" / "samples" / "clinic.py")
    assert spec is not None
    assert spec.loader is not None
    clinic = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = clinic
    spec.loader.exec_module(clinic)
    head, rows = clinic.invent(5_000, 2026)["patients"]
    for owner, row in enumerate(random.Random(4).sample(rows, 1_000)):
        for field in ("patient_id", "email", "phone"):
            value = row[head.index(field)]
            if len(value) >= 8:
                yield Canary(owner, field, (value,), (value, value.lower()))


@pytest.fixture(scope="module")
def canaries() -> list[Canary]:
    """People of the sample and of the tests."""
    return [*_sample(), *(canary for seed in SEEDS for one in people(60, seed) for canary in one.canaries)]


@pytest.fixture(scope="module")
def scanner(canaries: list[Canary]) -> Scanner:
    """Looks for all of them."""
    return Scanner(canaries)


def names_in(repository: Path) -> set[str]:
    """Every path that any commit ever had."""
    told = ["git", "-C", str(repository), "log", "--all", "--name-only", "--format=", "-z"]
    return set(subprocess.run(told, capture_output=True, check=True, text=True).stdout.split("\0"))


def test_the_git_history_holds_nobody_and_no_key(
    canaries: list[Canary], scanner: Scanner, figures: Callable[..., None]
) -> None:
    """Every object of the repository, reachable or not, and every path that a commit ever had."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout: there is no history to search")
    objects = git_objects(ROOT)
    hits = list(scanner.search(objects, "history"))
    keys = [key for key in KEY.findall(objects) if not key.startswith(PUBLISHED)]
    names = sorted(name for name in names_in(ROOT) if NEVER.search(name))
    figures(
        "T-LEAK-4 git",
        values=len(canaries), kilobytes=len(objects) // 1000, found=len(hits) + len(keys) + len(names),
    )  # fmt: skip
    assert (summary(hits), keys, names) == ({}, [], [])


def test_a_value_and_a_key_that_were_committed_once_are_found(
    tmp_path: Path, canaries: list[Canary], scanner: Scanner
) -> None:
    """Control: they are there after they were removed."""
    key = "-----BEGIN PRIVATE KEY-----\n" + "MC4CAQAwBQYDK2VwBCIEI" * 2 + "\n"
    (tmp_path / "rows.csv").write_text(canaries[0].written[0] + "\n" + key)
    commit = "git -c user.name=t -c user.email=t@t commit -qm"
    script = f"git init -q . && git add . && {commit} with && git rm -q rows.csv && {commit} without && git gc -q"
    subprocess.run(script, shell=True, cwd=tmp_path, check=True, capture_output=True)
    objects = git_objects(tmp_path)
    assert {hit.owner for hit in scanner.search(objects, "history")} == {canaries[0].owner}
    assert KEY.search(objects)
    assert [name for name in names_in(tmp_path) if NEVER.search(name)] == ["rows.csv"]


@pytest.fixture
def tree(tmp_path: Path, corridor_that_ran: Path, canaries: list[Canary]) -> Path:
    """The project as it lies on a disk after runs, and after somebody was careless with keys and rows."""
    pytest.importorskip("setuptools", reason="setuptools builds the wheel")
    tree = tmp_path / "tree"
    unwanted = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "build", "*.egg-info")
    shutil.copytree(ROOT, tree, ignore=unwanted)
    shutil.copytree(corridor_that_ran / "home", tree / "data" / "state")
    rows = "\n".join(canary.written[0] for canary in canaries)
    for folder in (tree, tree / "data" / "samples", tree / "privacy_assets", tree / "privacy_assets" / "stages"):
        shutil.copy(corridor_that_ran / "guards" / "master.key", folder / "master.key")
        (folder / "patients.csv").write_text(rows, "utf-8")
    return tree


def wheel_of(tree: Path) -> Path:
    """The wheel that is built there."""
    program = "from setuptools import build_meta; build_meta.build_wheel('dist')"
    subprocess.run([sys.executable, "-c", program], cwd=tree, check=True, capture_output=True)
    (wheel,) = (tree / "dist").glob("*.whl")
    return wheel


def test_the_wheel_holds_the_program_alone(
    tree: Path, corridor_that_ran: Path, canaries: list[Canary], scanner: Scanner, figures: Callable[..., None]
) -> None:
    """Nothing of the home, of keys, of rows, wherever they lay."""
    wheel = wheel_of(tree)
    content = wheel.read_bytes()
    master = (corridor_that_ran / "guards" / "master.key").read_bytes().strip()
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        held = b"\0".join(archive.read(name) for name in names)
    hits = list(scanner.scan(content, "wheel"))
    found = len(hits) + len(KEY.findall(held)) + held.count(master)
    figures("T-LEAK-4 wheel", values=len(canaries), files=len(names), found=found)
    assert summary(hits) == {}
    assert found == 0
    assert [
        name
        for name in names
        if not re.match(r"privacy_assets/.*(\.py|py\.typed|lineage\.(css|js))$|privacy_assets-.*\.dist-info/", name)
    ] == []


def test_a_value_in_the_program_is_found_in_the_wheel(tree: Path, canaries: list[Canary], scanner: Scanner) -> None:
    """Control: a list of categories that somebody wrote into a module."""
    (tree / "privacy_assets" / "hierarchy.py").write_text(f"KNOWN = [{canaries[0].written[0]!r}]\n" * 99, "utf-8")
    hits = list(scanner.scan(wheel_of(tree).read_bytes(), "wheel"))
    assert {hit.owner for hit in hits} == {canaries[0].owner}
