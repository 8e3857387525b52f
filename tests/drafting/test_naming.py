"""Names of columns that could be somebody's are neither shown nor written down."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from privacy_assets.cli import app
from privacy_assets.contracts.loading import load
from privacy_assets.drafting.drafting import draft_files
from privacy_assets.drafting.naming import are_values, could_be_somebody, name_somebody
from privacy_assets.errors import BadSource

SOMEBODY = ("Emma Smith", "ada@example.org", "+49 30 901820", "DE89 3704 0044 0532 0130 00", "192.168.10.20")
COLUMNS = (
    "Name", "Given Name", "First Name", "Last Name", "Date of Birth", "Blood Pressure", "Marital Status", "postcode",
    "customer_id", "Native Country", "Street", "City", "eMail", "od280/od315", "column_1", "Income 2024", "sex",
)  # fmt: skip


@pytest.mark.parametrize("name", SOMEBODY)
def test_what_names_somebody_is_known_as_that(name: str) -> None:
    """A full name, an address, a number of somebody."""
    assert could_be_somebody(["age", name]) == (False, True)


def test_what_columns_are_called_is_left_alone() -> None:
    """Words of headers, among them those that speak of names and places."""
    assert not any(could_be_somebody(COLUMNS))
    assert not are_values(pl.Series(COLUMNS)).any()


def test_values_that_name_somebody_are_told_from_words() -> None:
    """Both names in any case and order, a street; one name alone is a word as well."""
    named = (*SOMEBODY, "emma smith", "Smith, Emma", "12 Main Street")
    words = ("White", "Black", "never married", "Asian", "married-civ-spouse", "yes", "18-25", "2024-01-01")
    assert name_somebody(pl.Series([*named, *words])).to_list() == [True] * len(named) + [False] * len(words)


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
@pytest.mark.parametrize("name", ["Emma Smith", "emma.smith@example.org"])
def test_a_draft_leaves_such_a_column_out(tmp_path: Path, kind: str, name: str) -> None:
    """Of every format: it is counted, and its name is in no file and on no screen."""
    root = tmp_path / "project"
    (root / "data/contracts").mkdir(parents=True)
    rows = [{"age": 20 + number % 50, "visits": number % 7, name: number % 3} for number in range(200)]
    path = tmp_path / f"people.{kind}"
    if kind == "ndjson":
        path.write_text("\n".join(map(json.dumps, rows)))
    elif kind == "parquet":
        pl.DataFrame(rows).write_parquet(path)
    else:
        pl.DataFrame(rows).write_csv(path)
    if kind == "csv" and "@" in name:  # such a line is no header at all
        drafted = draft_files(path, "people", root, subject=None, target=None)
        assert [guess.facts.name for guess in drafted.guesses] == ["column_1", "column_2", "column_3"]
        assert name not in "".join(one.read_text() for one in drafted.paths)
        return
    said = CliRunner().invoke(app, ["draft", str(path), "--name", "people", "--root", str(root)])
    assert said.exit_code == 0, said.output
    assert "1 columns whose names could be those of people" in said.output
    contract = load(root).contracts["people"]
    assert {column.name for column in contract.columns} == {"age", "visits"}
    assert name not in said.output + "".join(one.read_text() for one in root.rglob("*.yaml"))


def test_a_table_of_nothing_but_such_columns_is_refused(tmp_path: Path) -> None:
    """There is nothing to declare."""
    pl.DataFrame({"Emma Smith": [1, 2], "Daniel Brown": [3, 4]}).write_parquet(tmp_path / "people.parquet")
    with pytest.raises(BadSource, match="called as people are") as caught:
        draft_files(tmp_path / "people.parquet", "people", tmp_path, subject=None, target=None)
    assert "Smith" not in str(caught.value)
