"""What a path with a pattern in it matches, here and in a store."""

from __future__ import annotations

import fnmatch
import re
from glob import glob
from itertools import product
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from privacy_assets.warehouse.sources._patterns import beginning, day_of, expression, of_day

NAMES = ("a.csv", "b.csv", "ab.csv", "[.csv", "!.csv", ".a.csv")
PATHS = tuple("/".join(parts) for depth in (0, 1, 2) for parts in product(*[("x", "y", ".x")] * depth, NAMES))
PARTS = (
    "x/",
    "/**",
    "[",
    "[]a]",
    ".",
    "[.]",
    "y/",
    "**/",
    "*/",
    "?/",
    "[xy]/",
    "[!x]/",
    "a",
    "b",
    "*",
    "?",
    "[ab]",
    "[!a]",
    "[[]",
    ".csv",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("matched")
    for path in PATHS:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


@given(parts=st.lists(st.sampled_from(PARTS), min_size=1, max_size=5))
def test_a_store_matches_what_a_folder_does(folder: Path, parts: list[str]) -> None:
    """The same pattern finds the same paths, whether it is asked of files or of the keys of a store."""
    pattern = re.sub("/+", "/", "".join(parts)).lstrip("/")
    assume({".", ".."}.isdisjoint(pattern.split("/")))
    listed = glob(pattern, root_dir=folder, recursive=True)  # noqa: PTH207 - as files are looked for
    found = {path for path in listed if (folder / path).is_file()}
    assert {path for path in PATHS if expression(pattern).fullmatch(path)} == found


@given(parts=st.lists(st.sampled_from(PARTS), min_size=1, max_size=5))
def test_every_match_begins_as_said(parts: list[str]) -> None:
    """A store is asked for no more keys than it must be, and for every one that matches."""
    pattern = "".join(parts)
    matched = [path for path in PATHS if expression(pattern).fullmatch(path)]
    assert all(path.startswith(beginning(pattern)) for path in matched)


@pytest.mark.parametrize(
    ("path", "day"),
    [
        ("in/2026-11-01/visits-2026-11-01.csv", "2026-11-01"),
        ("in/2026-11-03/visits-2026-11-02.csv", None),
        ("in/yesterday/visits-yesterday.csv", None),
        ("in/2026-11-04/more/visits-2026-11-04.csv", None),
    ],
)
def test_a_day_is_the_same_wherever_it_stands(path: str, day: str | None) -> None:
    assert day_of("in/{day}/visits-{day}.csv", path) == day


def test_a_day_may_have_folders() -> None:
    assert day_of("in/{day}/**/*-*.csv", "in/2026-11-04/more/visits-2026-11-04.csv") == "2026-11-04"


def test_one_day_or_any() -> None:
    assert of_day("in/{day}/v-{day}.csv", "2026-11-01") == "in/2026-11-01/v-2026-11-01.csv"
    assert fnmatch.fnmatchcase("in/2026-11-01/v.csv", of_day("in/{day}/v.csv", ""))
    assert not fnmatch.fnmatchcase("in/yesterday!/v.csv", of_day("in/{day}/v.csv", ""))
    assert of_day("in/v.csv", "2026-11-01") == "in/v.csv"


def test_what_a_regular_expression_would_read_is_a_letter_here() -> None:
    assert expression("a+(b).csv").fullmatch("a+(b).csv")
    assert not expression("a.csv").fullmatch("axcsv")
    assert beginning("a+(b)/*.csv") == "a+(b)/"
