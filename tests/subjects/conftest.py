"""Belongs here: what tests about people share. Does not belong here: what they try."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from privacy_assets.build import steps
from privacy_assets.gate import Gate
from privacy_assets.stages.step import Step
from privacy_assets.words import AssetName


@pytest.fixture
def made(published: Gate) -> Mapping[AssetName, Step]:
    """The steps of the tiny project, all of which have run."""
    return steps(published.project)


def rewrite_source(root: Path, dataset: str, *, without: str = "", adding: str = "") -> None:
    """The source of a dataset without the lines that begin with a text, and with others at its end."""
    path = root / f"data/samples/{dataset}.csv"
    lines = [line for line in path.read_text().splitlines() if not without or not line.startswith(without)]
    path.write_text("\n".join([*lines, *adding.splitlines()]) + "\n")
