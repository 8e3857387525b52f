"""What a declaration means is one text, its digest is that of the text, and it can be read again."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from privacy_assets.contracts.loading import load
from privacy_assets.contracts.meaning import digest_of, read, text_of
from privacy_assets.errors import BadEnvironment
from tests.conftest import write_tiny_project
from tests.contracts.test_anonymity import ASKED, BEFORE

ROOT = Path(__file__).parents[2]
PURPOSE = "data/purposes/smoking.yaml"


def test_every_declaration_is_read_as_it_was_written():
    """Of the sample: a contract but for where it lay and how it was drafted, a purpose whole; by the known digest."""
    project = load(ROOT)
    for contract in project.contracts.values():
        bare = replace(contract, path="", digest="", drafted=None)
        assert read("contract", text_of(contract)) == bare
        assert digest_of(text_of(contract)) == contract.digest
    for name, purpose in project.purposes.items():
        assert read("purpose", text_of(purpose)) == purpose
        assert digest_of(text_of(purpose)) == project.digest(name)
    assert digest_of("é") == hashlib.sha256("é".encode()).hexdigest()


def test_the_text_stands_alone(tmp_path: Path):
    """Rows of a hierarchy that lie in a file of their own are in it; spacing, comments and order of keys are not."""
    write_tiny_project(tmp_path)
    purpose = tmp_path / PURPOSE
    asked = ASKED.replace('rows: [[F, "*"], [M, "*"], [X, "*"]]', "file: sexes.csv")
    purpose.write_text(purpose.read_text("utf-8").replace(BEFORE, asked), "utf-8")
    (tmp_path / "sexes.csv").write_text("F;*\nM;*\nX;*\n")
    written = text_of(load(tmp_path).purposes["smoking"])
    (tmp_path / "sexes.csv").unlink()
    assert read("purpose", written).anonymized.hierarchies["sex"].rows == (("F", "*"), ("M", "*"), ("X", "*"))
    (tmp_path / "sexes.csv").write_text("F;*\nM;*\nX;*\n")
    lines = purpose.read_text("utf-8").splitlines()
    title = next(line for line in lines if line.startswith("title:"))
    purpose.write_text("\n".join([*(line for line in lines if line != title), "# at the end", title]), "utf-8")
    assert text_of(load(tmp_path).purposes["smoking"]) == written


@pytest.mark.parametrize(
    "change", [('"epoch":1,', ""), ('"epoch":1', '"epoch":1,"more":2'), ('"epoch":1', '"epoch":-1')]
)
def test_what_another_release_wrote_is_not_guessed(tmp_path: Path, change: tuple[str, str]):
    """A value that is not there, one that is not known, or one that may not be: nobody says what it meant."""
    write_tiny_project(tmp_path)
    project = load(tmp_path)
    text = text_of(project.purposes["smoking"])
    assert change[0] in text
    with pytest.raises(BadEnvironment, match="a release that this one does not understand"):
        read("purpose", text.replace(*change))
    contract = text_of(project.contracts["patients"])
    with pytest.raises(BadEnvironment, match="this contract was written by a release"):
        read("contract", contract.replace('"owner":', '"keeper":'))
