"""What a contract keeps of its draft: enough to see what changed, and nothing of anybody."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from privacy_assets.contracts.loading import check, load
from privacy_assets.drafting import judged as module
from privacy_assets.drafting.drafting import draft_files
from privacy_assets.drafting.judged import detectors_version, judged
from privacy_assets.drafting.judging import judge
from privacy_assets.drafting.looking import look
from privacy_assets.words import Role


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "data/contracts").mkdir(parents=True)
    pl.DataFrame({
        "member id": [f"canary{n}" for n in range(300)], "age": [18 + n % 60 for n in range(300)]
    }).write_csv(tmp_path / "people.csv")  # fmt: skip
    draft_files(tmp_path / "people.csv", "shop", tmp_path, subject=None, target=None)
    return tmp_path


def kept(project: Path):  # type: ignore[no-untyped-def]
    return judged([judge(facts) for facts in look("people.csv", project).columns])


def test_the_contract_keeps_what_judged_it_and_what_was_guessed(project: Path) -> None:
    """Read back as it was, and the same for the same file."""
    drafted = load(project).contracts["shop"].drafted
    assert drafted == kept(project)
    assert drafted is not None
    assert (drafted.detectors, drafted.rows) == (detectors_version(), 300)
    assert drafted.guessed == {"member id": Role.DIRECT_IDENTIFIER, "age": Role.QUASI_IDENTIFIER}


def test_it_depends_on_counts_and_not_on_values(project: Path) -> None:
    """Other people, as many and as different: the same. One row more: another."""
    before = kept(project)
    lines = (project / "people.csv").read_text().splitlines()
    (project / "people.csv").write_text("\n".join(lines).replace("canary", "hidden") + "\n")
    assert kept(project) == before
    (project / "people.csv").write_text("\n".join([*lines, lines[-1]]) + "\n")
    assert kept(project) != before


def sources() -> list[str]:
    paths = [module.HERE / f"{name}.py" for name in ("headers", "judging", "naming", "combinations")]
    return [str(path.relative_to(module.HERE)) for path in (*paths, *(module.HERE / "detectors").glob("*.py"))]


@pytest.mark.parametrize("source", sources())
def test_whatever_takes_part_in_a_guess_is_part_of_its_version(tmp_path: Path, source: str) -> None:
    """A changed line, a new detector and one that is gone make another version."""
    copied = shutil.copytree(module.HERE, tmp_path / "drafting")
    assert detectors_version(copied) == detectors_version()
    (copied / source).write_text((copied / source).read_text() + "\n# another line\n")
    changed = detectors_version(copied)
    (copied / "detectors/another.py").touch()
    more = detectors_version(copied)
    assert len({detectors_version(), changed, more}) == 3


def test_another_release_of_a_library_is_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lists are asked."""
    before = detectors_version()
    monkeypatch.setattr(module, "version", lambda name: "0")
    assert detectors_version() != before


def test_it_promises_nothing(project: Path) -> None:
    """Without it the contract means the same, so that nothing published is out of date by it."""
    before = load(project).contracts["shop"]
    path = project / "data/contracts/shop.odcs.yaml"
    text = path.read_text()
    start, end = text.index("  - property: drafted"), text.index("schema:")
    path.write_text(text[:start] + text[end:])
    after = load(project).contracts["shop"]
    assert (after.drafted, after.digest) == (None, before.digest)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [("rows: 300", "rows: 0", "drafted.rows|`rows`"), ("rows: 300", "rows: 300\n      more: 1", "no key `more`"),
     ("age: quasi_identifier", "age: harmless", "known values"), ('detectors: "', 'detectors: "x', "detectors")],
)  # fmt: skip
def test_what_cannot_be_so_is_a_fault_with_its_line(project: Path, before: str, after: str, said: str) -> None:
    """As everywhere in a contract."""
    path = project / "data/contracts/shop.odcs.yaml"
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after, 1))
    (fault,) = check(project)
    assert re.search(said, fault.what)
    assert re.fullmatch(r"data/contracts/shop.odcs.yaml:\d+", fault.where)
