"""What files are: format, delimiter, header, encoding, types; and what is no table."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from privacy_assets.contracts.contract import Contract
from privacy_assets.contracts.loading import load
from privacy_assets.drafting import looking
from privacy_assets.drafting.looking import Against, Look, look, look_at
from privacy_assets.errors import BadSource

ROWS = [("p-1", "18", "true", "2024-01-31", "1.5", "007"), ("p-2", "", "false", "1999-12-01", "-2", "118")] * 30
HEAD = ("id", "age", "smoker", "since", "weight", "code")
TYPES = ["VARCHAR", "BIGINT", "BOOLEAN", "DATE", "DOUBLE", "VARCHAR"]


def seen(tmp_path: Path, content: bytes | str, name: str = "file.csv", encoding: str = "utf-8") -> Look:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return look(name, tmp_path)


def table(delimiter: str, end: str = "\n", *, head: bool = True) -> str:
    return "".join(delimiter.join(row) + end for row in ([HEAD] if head else []) + ROWS)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimited_files_are_described(tmp_path: Path, delimiter: str, end: str, encoding: str) -> None:
    """By content alone; digits after a zero stay text."""
    found = seen(tmp_path, table(delimiter, end), encoding=encoding)
    assert (found.source.format, found.source.delimiter, found.rows) == ("csv", delimiter, len(ROWS))
    assert found.source.reading.header
    assert [facts.name for facts in found.columns] == list(HEAD)
    assert [facts.type for facts in found.columns] == TYPES
    assert [(facts.filled, facts.distinct) for facts in found.columns[:2]] == [(60, 2), (30, 1)]


def test_without_a_header_columns_are_named_by_their_place(tmp_path: Path) -> None:
    """A first row that is like the others is a row."""
    found = seen(tmp_path, table(",", head=False))
    assert not found.source.reading.header
    assert found.rows == len(ROWS)
    assert [facts.name for facts in found.columns] == [f"column_{at}" for at in range(1, 7)]


@pytest.mark.parametrize(
    "first", ["Ada,Lovelace,yes", "Marie,Paris,no", "ada@example.org,blue,yes", "n/a,+44 20 7946 0958,yes", "qq,34,yes"]
)
def test_a_first_row_that_could_be_a_persons_is_no_header(tmp_path: Path, first: str) -> None:
    """Its values would be shown, and written into a contract."""
    found = seen(tmp_path, f"{first}\n" + "Grace,Hopper,no\nAlan,Turing,maybe\n" * 20)
    assert [facts.name for facts in found.columns] == ["column_1", "column_2", "column_3"]


@pytest.mark.parametrize(
    ("first", "more"),
    [("name,email,phone", "no"), ("First Name,Last Name,City", "no"), ("given_name,surname,state", "no"),
     ("Kind,Price,Rose", "12")],
)  # fmt: skip
def test_words_that_name_columns_are_a_header(tmp_path: Path, first: str, more: str) -> None:
    """Also where people's data stands below; a word that is a name, too, if it stands beside one over numbers."""
    found = seen(tmp_path, f"{first}\n" + f"Grace,Hopper,{more}\nAlan,Turing,{more}1\n" * 20)
    assert [facts.name for facts in found.columns] == first.split(",")


@pytest.mark.parametrize("first", ["region_code,2019,2020,label", "id,hr,Δ,label"])
def test_years_in_a_header_are_names(tmp_path: Path, first: str) -> None:
    """A number in the first line does not make it a row, where the others are words."""
    found = seen(tmp_path, f"{first}\n" + "".join(f"{n % 9},{n}.5,{n}.25,{'lr'[n % 2]}\n" for n in range(300)))
    assert (found.source.reading.header, found.rows) == (True, 300)


def test_a_year_above_years_is_somebodys(tmp_path: Path) -> None:
    """So is the word beside it."""
    found = seen(tmp_path, "zwentibold,1950\n" + "".join(f"q{n}x,{1930 + n}\n" for n in range(60)))
    assert (found.source.reading.header, found.rows) == (False, 61)


def test_a_header_with_two_of_a_name_is_refused(tmp_path: Path) -> None:
    """It is no row of a person, and its columns cannot be told apart."""
    with pytest.raises(BadSource, match="cannot be told apart"):
        seen(tmp_path, "userid,UserID,hr,label\n" + "1,2,70.5,l\n" * 300)


def test_lines_above_a_table_are_told(tmp_path: Path) -> None:
    """Prose, then a header and rows: it is no table of one column; a text with a comma now and then is one."""
    prose = "Export of the clinic\nmade by hand\nfor the study\nof last year\n"
    with pytest.raises(BadSource, match="lines stand above the table"):
        seen(tmp_path, prose + "a,b,c\n" + "1,2,3\n" * 3)
    assert len(seen(tmp_path, "word\nred\nblue\nred, or blue\ngreen\n").columns) == 1


def test_space_around_few_values_is_read_as_it_is_looked_at(tmp_path: Path) -> None:
    """One cell far down is enough: untrimmed, the contract would quarantine what was looked at as trimmed."""
    body = "sex,age\n" + "M,40\nF,41\n" * 5000
    assert not seen(tmp_path, body).source.reading.trim
    found = seen(tmp_path, body + "M ,42\t\n")
    assert found.source.reading.trim
    assert [(facts.type, facts.distinct) for facts in found.columns] == [("VARCHAR", 2), ("BIGINT", 3)]


def test_spaces_and_marks_for_nothing_are_noticed(tmp_path: Path) -> None:
    """As survey files write them; what stands for no value is counted as none."""
    found = seen(tmp_path, "age, work\n" + "39, State-gov\n?, ?\n41, Private\n" * 20)
    assert found.source.reading.trim
    assert found.source.reading.null_text == ("", "?")
    assert [(facts.type, facts.filled) for facts in found.columns] == [("BIGINT", 40), ("VARCHAR", 40)]


def test_parquet_and_several_files_are_one_table(tmp_path: Path) -> None:
    """A pattern takes all of them, if they are alike."""
    frame = pl.DataFrame({"id": ["a", "b"], "n": [1, 2]})
    for name in ("1.parquet", "2.parquet"):
        frame.write_parquet(tmp_path / name)
    found = look("*.parquet", tmp_path)
    assert (found.source.format, found.rows, [facts.type for facts in found.columns]) == (
        "parquet", 4, ["VARCHAR", "BIGINT"],
    )  # fmt: skip
    frame.rename({"n": "m"}).write_parquet(tmp_path / "3.parquet")
    with pytest.raises(BadSource, match="same columns"):
        look("*.parquet", tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"), (b" \n\n", "empty"), (b"a,b\n", "no row"), (b"PK\x03\x04rest", "zip"),
        (b"\x1f\x8brest", "gzip"),
        (b"%PDF-1.7", "PDF"), (b"a,b\n1,\x002\n", "NUL"), (b"PAR1broken", "cannot|failed"),
        (b"\xff\xfea\x00,\x00\x00\xdc\x00\xdc", "UTF-16"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_told_apart(tmp_path: Path, content: bytes, said: str) -> None:
    """With what it is, and a next step; no error quotes the file."""
    with pytest.raises(Exception, match=said) as raised:
        seen(tmp_path, content)
    assert type(raised.value).__module__ == "privacy_assets.errors"
    assert "next: " in str(raised.value)


def test_text_is_a_category_only_where_every_value_is_common(tmp_path: Path) -> None:
    """One value that fewer rows hold than that, and none is listed."""
    often = "colour\n" + "red\nblue\n" * looking.SHARED
    assert seen(tmp_path, often).columns[0].shared == ("blue", "red")
    assert seen(tmp_path, often + "rare\n").columns[0].shared == ()


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([89490000000000000000 + n for n in range(60)], "VARCHAR"), ([2**64 - 1 - n for n in range(60)], "VARCHAR"),
        ([10**17 + n for n in range(60)], "BIGINT"), ([f"{10**17 + n}.5" for n in range(60)], "VARCHAR"),
        ([n / 7 for n in range(60)], "DOUBLE"), ([f"{n / 7:.18e}" for n in range(60)], "DOUBLE"),
        ([f"1.2345678901234567{n:02}" for n in range(60)], "VARCHAR"),
    ],
)  # fmt: skip
def test_numbers_keep_every_digit_that_tells_them_apart(tmp_path: Path, values: list[object], type_: str) -> None:
    """As DOUBLE the numbers of two people would become one; a measure that a program wrote out in full is one."""
    (facts,) = seen(tmp_path, "x\n" + "".join(f"{value}\n" for value in values)).columns
    assert (facts.type, facts.distinct) == (type_, 60)


def test_whole_numbers_of_parquet_are_looked_at_as_they_are(tmp_path: Path) -> None:
    """Without a sign, beyond 64 bits, or kept with a fraction that none has."""
    frame = pl.DataFrame({"a": [2**64 - 1, 2**64 - 2], "c": [1000.0, 1001.0]}, schema={"a": pl.UInt64, "c": pl.Float64})
    frame = frame.with_columns(b=pl.Series(["9" * 20, "9" * 19 + "8"]).cast(pl.Decimal(38, 10)))
    frame.write_parquet(tmp_path / "file.parquet")
    found = look("file.parquet", tmp_path)
    assert {facts.name: facts.type for facts in found.columns} == {"a": "VARCHAR", "b": "VARCHAR", "c": "BIGINT"}


def test_common_values_are_counted_beside_rare_ones(tmp_path: Path) -> None:
    """Where all are common, or none, there are none beside others."""
    often = "colour\n" + "red\nblue\n" * looking.SHARED
    assert seen(tmp_path, often).columns[0].common == ()
    facts = seen(tmp_path, often + "rare\n" * 3).columns[0]
    assert (facts.common, facts.common_rows, facts.distinct) == (("blue", "red"), 2 * looking.SHARED, 3)
    assert seen(tmp_path, "colour\n" + "red\nblue\n" * 9).columns[0].common == ()


# ---- the source of a contract


CONTRACT = """
apiVersion: v3.2.0
kind: DataContract
id: shop
version: 1.0.0
name: Shop
team: {{name: shop}}
servers:
  - {server}
customProperties:
  - property: privacy
    value: {{subject: null, lawful_bases: [contract]}}
schema:
  - name: shop
    properties:
      - name: id
        logicalType: string
        customProperties: [{{property: privacy, value: {{role: attribute, category: user}}}}]
      - name: "n"
        logicalType: integer
        customProperties: [{{property: privacy, value: {{role: attribute, category: user}}}}]
      - name: kind
        logicalType: string
        enum: [{{value: a}}, {{value: b}}]
        customProperties: [{{property: privacy, value: {{role: attribute, category: user}}}}]
"""
BODY = [*[(f"p{n}", str(n), "ab"[n % 2]) for n in range(100)], *[(f"q{n}", "1.5", "c") for n in range(100)],
        ("r", "", "rare")]  # fmt: skip


def contract_of(tmp_path: Path, server: str) -> Contract:
    (tmp_path / "data/contracts").mkdir(parents=True, exist_ok=True)
    (tmp_path / "data/contracts/shop.odcs.yaml").write_text(CONTRACT.format(server=server))
    return load(tmp_path).contracts["shop"]


def csv_of(rows: list[tuple[str, ...]]) -> str:
    return "".join(";".join(row) + "\n" for row in rows)


@pytest.mark.parametrize("kind", ["csv", "csv without a header", "parquet", "ndjson"])
def test_a_contracts_source_is_looked_at_as_it_says(tmp_path: Path, kind: str) -> None:
    """Whatever its format: columns by name, what does not read as declared, what lies outside of a domain."""
    frame = pl.DataFrame(BODY, schema=["id", "n", "kind"], orient="row")
    frame = frame.with_columns(n=pl.when(pl.col("n") != "").then(pl.col("n")))
    server = "{server: s, type: local, path: shop.data, format: csv, delimiter: ';'}"
    if kind == "csv":
        (tmp_path / "shop.data").write_text(csv_of([("id", "n", "kind"), *BODY]))
    elif kind == "csv without a header":
        (tmp_path / "shop.data").write_text(csv_of(BODY))
        server = server.replace("';'", "';', customProperties: [{property: reading, value: {header: false}}]")
    elif kind == "parquet":
        frame.write_parquet(tmp_path / "shop.data")
        server = "{server: s, type: local, path: shop.data, format: parquet}"
    else:
        frame.write_ndjson(tmp_path / "shop.data")
        server = "{server: s, type: local, path: shop.data, format: ndjson}"
    found = look_at(contract_of(tmp_path, server), tmp_path)
    assert found.rows == 201
    # keys of JSON have no order
    assert {facts.name: (facts.type, facts.filled) for facts in found.columns} == {
        "id": ("VARCHAR", 201), "n": ("DOUBLE", 200), "kind": ("VARCHAR", 201),
    }  # fmt: skip
    assert found.against == {
        "id": Against(0), "n": Against(100), "kind": Against(0, 101, 2, ("c",)),
    }  # fmt: skip
    assert [len(codes) for codes in found.codes] == [201] * 3


def test_a_generator_is_looked_at_as_well(tmp_path: Path) -> None:
    """It has the contract's columns and fits it."""
    server = "{server: s, type: custom, customProperties: [{property: generator, value: {rows: 50}}]}"
    found = look_at(contract_of(tmp_path, server), tmp_path)
    assert (found.rows, [against.unread + against.outside for against in found.against.values()]) == (50, [0, 0, 0])


@pytest.mark.parametrize("content", ["", "id;n;kind\n", "id;n;n\na;1;2\n"])
def test_a_contracts_source_without_a_row_or_with_two_columns_of_a_name_is_told(tmp_path: Path, content: str) -> None:
    """With a next step."""
    (tmp_path / "shop.data").write_text(content)
    server = "{server: s, type: local, path: shop.data, format: csv, delimiter: ';'}"
    with pytest.raises(BadSource, match="next: "):
        look_at(contract_of(tmp_path, server), tmp_path)
