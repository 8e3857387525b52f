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


def deliver_by_day(root: Path) -> None:
    """From now on the patients come as a file a day: `data/samples/<day>/patients.csv`."""
    contract = root / "data/contracts/patients.odcs.yaml"
    nulls = '\n          null_text: ["", "NA"]\n'
    daily = '      - property: deliveries\n        value: {by: day, since: "2026-11-01"}\n'
    assert nulls in contract.read_text()
    text = contract.read_text().replace(nulls, nulls + daily)
    contract.write_text(text.replace("samples/patients.csv", "samples/{day}/patients.csv"))


def write_delivery(root: Path, day: str, *, adding: str = "", rows: bool = True) -> None:
    """What was delivered on a day: the header, the patients of the tiny project (if `rows`), and what is added."""
    head, *lines = (root / "data/samples/patients.csv").read_text().splitlines()
    (root / "data/samples" / day).mkdir(exist_ok=True)
    delivered = [head, *(lines if rows else []), *adding.splitlines()]
    (root / "data/samples" / day / "patients.csv").write_text("\n".join(delivered) + "\n")
