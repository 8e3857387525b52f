"""Files as a source: every row is accounted for, nothing is changed on the way, and no value leaves in an error."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privacy_assets.contracts.contract import ROW, ConsentRecords, Contract, Files
from privacy_assets.errors import BadSource, EngineFailed
from privacy_assets.warehouse import sources
from privacy_assets.warehouse.home import Home
from privacy_assets.warehouse.sources import files
from privacy_assets.warehouse.versions import Versions

from .taking import Taken, column, contract

ADULT = Path(os.environ.get("PRIVACY_ASSETS_TEST_DATA", "../shared/data")) / "adult"
CANARY = "canary-7f3a"
RECORDS = ConsentRecords(subject="who", purpose="note", decision="note", decided_at="note")


Take = Callable[..., Taken]


@pytest.fixture
def take(home: Home, versions: Versions) -> Take:
    def taken(promised: Contract, **contents: bytes | str) -> Taken:
        folder = home.root / "in"
        folder.mkdir(exist_ok=True)
        for name, content in contents.items():
            (folder / f"{name}.csv").write_bytes(content.encode() if isinstance(content, str) else content)
        with versions.candidate("raw/people") as candidate:
            with sources.opened(promised, home.root, home.spill, candidate) as con:
                sources.read(con, promised, home.root, b"key")
                assert con.execute("SELECT count(*) FROM duckdb_tables() WHERE temporary").fetchone() == (0,)
                found = Taken(con)
            candidate.seal()
        return found

    return taken


def test_a_clean_file_is_taken_as_it_is_in_the_types_of_the_contract(take: Take) -> None:
    """Every row of a clean file is in data, typed, in order, and nothing is in quarantine."""
    found = take(
        contract(column("id", "BIGINT"), column("born", "DATE"), column("score", "DOUBLE"), column("note")),
        a="id,born,score,note\n1,1980-02-29,0.5,über\n2,1999-12-31,-3e2,\n",
    )
    assert found.columns == [
        ("id", "BIGINT"),
        ("born", "DATE"),
        ("score", "DOUBLE"),
        ("note", "VARCHAR"),
        (ROW, "BIGINT"),
    ]
    assert [tuple(map(str, row)) for row in found.data] == [
        ("1", "1980-02-29", "0.5", "über", "1"),
        ("2", "1999-12-31", "-300.0", "None", "2"),
    ]
    assert found.evidence == {
        "source_rows": 2,
        "data_rows": 2,
        "quarantined_rows": 0,
        "unknown_columns": 0,
        "erased_rows": 0,
    }


def test_each_fault_has_its_reason_and_the_row_is_kept_as_received(take: Take) -> None:
    """Every kind of fault quarantines its row under its own reason, with the text that was received."""
    found = take(
        contract(
            column("id", "BIGINT"),
            column("who"),
            column("age", "INTEGER", required=True),
            column("sex", domain=("f", "m")),
            column("mail", unique=True),
            subject="who",
            primary_key=("id",),
        ),
        a="id,who,age,sex,mail\n"
        "1,ann,30,f,a@x\n"
        "1,bob,31,m,b@x\n"
        "3,,32,f,c@x\n"
        "4,dan,,f,d@x\n"
        "5,eve, many ,x,e@x\n"
        "6,fay,36,f,a@x\n"
        ",gus,37,m,\n"
        "8,hal,38,m,\n"
        "9,ida,39,,\n",
    )
    assert [row[0] for row in found.data] == [1, 8, 9]
    assert found.quarantine == [
        (2, ["id:duplicate"]),
        (3, ["who:no subject"]),
        (4, ["age:missing"]),
        (5, ["age:unreadable", "sex:outside domain"]),
        (6, ["mail:duplicate"]),
        (7, ["id:missing"]),
    ]
    assert found.received[3] == ("5", "eve", " many ", "x", "e@x")
    assert found.is_accounted


@pytest.mark.parametrize("matched", [{"consents": "decisions"}, {"consent_records": RECORDS}])
def test_a_subject_with_space_around_it_is_not_taken_for_another_person(take: Take, matched: dict[str, Any]) -> None:
    """Decisions are matched as they are written: a refusal of "ann " would be nobody's. It is set aside, and told."""
    promised = contract(column("who"), column("note"), subject="who")
    privacy = promised.privacy.model_copy(update=matched)
    cells = ["ann", "ann ", "\tann", "ann\u00a0", "\u200bann", "an n"]
    text = "who,note\n" + "".join(f"{cell}, x \n" for cell in cells)
    found = take(replace(promised, privacy=privacy), a=text)
    assert [row[0] for row in found.data] == ["ann", "an n"]
    assert found.quarantine == [(row, ["who:space around it"]) for row in (2, 3, 4, 5)]
    assert len(take(promised, a=text).data) == len(cells)  # nobody's decision is asked there


_FAITHFUL = [
    ("BIGINT", "3.0", "3"),
    ("BIGINT", "+4", "4"),
    ("DECIMAL(9,2)", "1.2300", "1.23"),
    ("DATE", "2024-01-02 00:00:00", "2024-01-02"),
    ("DATE", "2024/1/2", "2024-01-02"),
    ("DATE", "9999-12-31", "9999-12-31"),
    ("TIMESTAMP", "9999-12-31 23:59:59", "9999-12-31 23:59:59"),
    ("TIMESTAMP", "2024-01-02T10:00:00+02:00", "2024-01-02 08:00:00"),
    ("TIMESTAMP", "2024-01-02 10:00:00", "2024-01-02 10:00:00"),
    ("BOOLEAN", "true", "True"),
]
_UNREADABLE = [
    ("BIGINT", "1.7"),
    ("BIGINT", "1_000"),
    ("BIGINT", "1e3"),
    ("TINYINT", "200"),
    ("DOUBLE", "nan"),
    ("DOUBLE", "inf"),
    ("DOUBLE", "1e400"),
    ("DOUBLE", "1_0"),
    ("DECIMAL(9,2)", "1.239"),
    ("DATE", "2024-01-02 10:00:00"),
    ("DATE", "2024-02-30"),
    ("DATE", "infinity"),
    ("DATE", "epoch"),
    ("DATE", "20000-01-01"),
    ("DATE", "5877642-06-25"),
    ("DATE", "5000-01-01 (BC)"),
    ("TIMESTAMP", "20000-01-01 00:00:00"),
    ("TIMESTAMP", "infinity"),
    ("BOOLEAN", "perhaps"),
]


def test_a_value_is_read_without_loss_or_not_at_all(take: Take) -> None:
    """Text that its type would round, truncate or misread is unreadable, not changed."""
    promised = contract(*(column(f"x{place}", type_) for place, (type_, *_) in enumerate(_FAITHFUL)))
    header = ",".join(held.name for held in promised.columns)
    found = take(promised, a=f"{header}\n{','.join(text for _, text, _ in _FAITHFUL)}\n")
    assert [str(value) for value in found.data[0][:-1]] == [value for _, _, value in _FAITHFUL]

    promised = contract(*(column(f"x{place}", type_) for place, (type_, _) in enumerate(_UNREADABLE)))
    header = ",".join(held.name for held in promised.columns)
    found = take(promised, a=f"{header}\n{','.join(text for _, text in _UNREADABLE)}\n")
    assert found.quarantine == [(1, [f"{held.name}:unreadable" for held in promised.columns])]


def test_malformed_lines_are_quarantined_with_their_text_and_counted(take: Take) -> None:
    """Lines with too few or too many cells, stray quotes or broken characters do not vanish."""
    found = take(
        contract(column("id", "BIGINT"), column("name")),
        a=b'id,name\n1,a\n2\n3,c,more\n4,"d"e\n5,\xff\xfe\n6,"multi\nline"\n',
    )
    assert [row[:2] for row in found.data] == [(1, "a"), (6, "multi\nline")]
    assert [reasons for _, reasons in found.quarantine] == [["malformed line"]] * 4
    assert ("3,c,more",) in found.lines
    assert found.evidence["source_rows"] == 6
    assert found.is_accounted


@pytest.mark.parametrize("end", ["", '7,"b"\n8,c\n'])
def test_a_quote_that_is_never_closed_counts_every_line_it_swallowed(take: Take, end: str) -> None:
    """Rows behind an open quote are each counted as quarantined, not as one."""
    body = "".join(f"{number},x\n" for number in range(3, 103))
    found = take(contract(column("id", "BIGINT"), column("name")), a=f'id,name\n1,a\n2,"open\n{body}{end}')
    assert found.evidence["source_rows"] == 102 + end.count("\n")
    assert found.evidence["data_rows"] == (2 if end else 1)
    assert found.is_accounted


def test_a_quote_that_swallows_more_than_can_be_set_aside_refuses_the_source(take: Take) -> None:
    """Where the engine drops lines without saying so, nothing is taken in."""
    body = "".join(f"{number},x\n" for number in range(3, 5003))
    with pytest.raises(BadSource, match="not every line"):
        take(contract(column("id", "BIGINT"), column("name")), a=f'id,name\n1,a\n2,"open\n{body}')


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text('1a," ', min_size=1, max_size=8), min_size=1, max_size=12))
def test_no_line_of_a_damaged_file_is_lost(take: Take, lines: list[str]) -> None:
    """Whatever the lines: each is in a row or in quarantine, or the source is refused."""
    promised = contract(column("id"), column("name"), null_text=())
    try:
        found = take(promised, a="id,name\n" + "".join(line + "\n" for line in lines))
    except BadSource:
        return
    assert found.is_accounted
    inside = sum(cell.count("\n") for row in found.data for cell in row[:2])
    assert found.evidence["source_rows"] + inside == len(lines)


def test_an_unknown_column_stays_and_is_counted(take: Take) -> None:
    """A column that the contract does not know stays in raw as the text that it was; so does one without a name."""
    found = take(contract(column("id", "BIGINT")), a="extra,id,\n01,1,a\n", b="id,extra\n2,02\n")
    assert found.columns == [("id", "BIGINT"), (ROW, "BIGINT"), ("extra", "VARCHAR"), ("unnamed_3", "VARCHAR")]
    assert found.data == [(1, 1, "01", "a"), (2, 2, "02", None)]
    assert found.evidence["unknown_columns"] == 2


def test_several_files_are_one_source_in_the_order_of_their_names(take: Take) -> None:
    """Rows are numbered over all files, columns are matched by name, and duplicates are found across files."""
    promised = contract(column("id", "BIGINT"), column("name"), primary_key=("id",))
    found = take(promised, b="name,id\nlate,1\nnew,2\n", a="id,name\n1,early\n")
    assert found.data == [(1, "early", 1), (2, "new", 3)]
    assert found.quarantine == [(2, ["id:duplicate"])]


def test_trim_and_texts_that_mean_missing(take: Take) -> None:
    """White space is stripped where the contract says so, before the texts for missing are compared."""
    promised = contract(
        column("id", "BIGINT"), column("work"), header=False, trim=True, null_text=("?", ""), delimiter=", "
    )
    found = take(promised, a="1, ?\n2,  State-gov \n3, \n")
    assert [row[:2] for row in found.data] == [(1, None), (2, "State-gov"), (3, None)]


def test_texts_are_kept_where_nothing_means_missing(take: Take) -> None:
    """Without a text for missing an empty cell is an empty text."""
    found = take(contract(column("a"), column("b"), null_text=()), a='a,b\n,x\n"", y \n')
    assert [row[:2] for row in found.data] == [("", "x"), ("", " y ")]


@pytest.mark.parametrize(
    ("encoding", "bytes_"),
    [
        ("utf-8", b"\xef\xbb\xbfid,name\r\n1,\xc3\xa9\r\n"),
        ("latin-1", b"id,name\n1,\xe9\n"),
        ("iso-8859-1", b"id,name\n1,\xe9\n"),
        ("utf-16", "id,name\n1,é\n".encode("utf-16")),
    ],
)
def test_encodings_and_line_ends(take: Take, encoding: str, bytes_: bytes) -> None:
    """Each encoding, with or without a byte order mark, gives the same rows."""
    found = take(contract(column("id", "BIGINT"), column("name"), encoding=encoding), a=bytes_)
    assert found.data == [(1, "é", 1)]


@pytest.mark.parametrize(
    ("promised", "content", "says"),
    [
        (contract(column("id"), column("name")), f"id,{CANARY}\n1,{CANARY}\n", "the column name is missing"),
        (contract(column("id")), f"id,{CANARY},{CANARY.upper()}\n1,2,3\n", "cannot be told apart"),
        (contract(column("id")), "id,_row\n1,2\n", "cannot be told apart"),
        (contract(column("id")), "id\n", "has no row"),
        (contract(column("id")), "", "the column id is missing"),
        (contract(column("id"), header=False), "", "has no row"),
        (contract(column("id"), column("n")), f"id,n\n1,{CANARY}\r\n2,{CANARY}\n", "cannot be read as csv"),
        (contract(column("id"), encoding="utf-16"), f"id\n{CANARY}\n".encode("utf-16")[:-1], "cannot be read as csv"),
        (contract(column("id"), encoding="utf-7"), "id\n1\n", "the encoding utf-7 cannot be read"),
        (contract(column("id"), path="in/*.parquet"), "id\n1\n", "there is no file"),
        (contract(column("id"), path="in/*.csv", format_="parquet"), f"id\n{CANARY}\n", "cannot be read as parquet"),
        (contract(column("id"), path="${NOT_SET_ANYWHERE}/*.csv"), "id\n1\n", "NOT_SET_ANYWHERE"),
    ],
)
def test_a_source_that_cannot_be_read_says_so_without_values(
    take: Take, promised: Contract, content: str | bytes, says: str
) -> None:
    """A missing column, a damaged or an empty file is BadSource; its text holds nothing of the file."""
    with pytest.raises(BadSource) as caught:
        take(promised, a=content)
    assert says in str(caught.value)
    assert CANARY not in str(caught.value).lower()


def test_all_missing_columns_of_all_files_are_named_at_once(take: Take) -> None:
    """Faults of the headers are gathered, each with the place of its file."""
    with pytest.raises(BadSource) as caught:
        take(contract(column("id"), column("name"), column("age")), a="id\n1\n", b="id,age\n1,2\n")
    assert [fault.what for fault in caught.value.faults] == [
        "the column name is missing in the source",
        "the column age is missing in the source",
        "the column name is missing in the source",
    ]
    assert "file 2 of 2" in caught.value.faults[2].where


def test_nothing_is_half_made(take: Take, home: Home, versions: Versions) -> None:
    """A failure after the first table leaves none of ours."""
    promised = contract(column("id", "BIGINT"))
    take(promised, a="id\n1\n")
    with (
        versions.candidate("raw/people") as candidate,
        sources.opened(promised, home.root, home.spill, candidate) as con,
    ):
        con.execute("CREATE TABLE candidate.main.evidence (in_the_way INTEGER)")
        with pytest.raises(EngineFailed):
            sources.read(con, promised, home.root, b"key")
        assert con.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary").fetchall() == [("evidence",)]


def test_parquet_is_read_as_the_same_rows(take: Take, home: Home) -> None:
    """Parquet of many row groups keeps its order and types, NULL is missing and an empty text is not."""
    (home.root / "in").mkdir()
    table = pa.table(
        {
            "extra": pa.array([True] * 5000),
            "name": pa.array([None if number % 7 == 0 else "" for number in range(5000)], pa.string()),
            "id": pa.array(range(5000), pa.float64()),
            "at": pa.array([number * 1_000_000 for number in range(5000)], pa.timestamp("us", tz="UTC")),
        }
    )
    pq.write_table(table, home.root / "in" / "p.parquet", row_group_size=700)
    promised = contract(
        column("id", "BIGINT"),
        column("at", "TIMESTAMP"),
        column("name", required=True),
        path="in/p.parquet",
        format_="parquet",
    )
    found = take(promised)
    assert found.is_accounted
    assert found.evidence["quarantined_rows"] == 715
    assert all(row[0] + 1 == row[3] and row[1].timestamp and row[2] == "" and row[4] == "true" for row in found.data)
    assert [number for number, _ in found.quarantine] == list(range(1, 5001, 7))


_HELD = {
    "TINYINT": "unnest([1, -128, NULL])",
    "BIGINT": "unnest([1, 9223372036854775807, NULL])",
    "DECIMAL(9,2)": "unnest([1.25, -0.10, NULL])",
    "DOUBLE": "unnest([0.1, 1e300, 'nan', 'inf', '-inf', NULL])",
    "FLOAT": "unnest([0.1, 3e38, 'nan', 'inf', NULL])",
    "BOOLEAN": "unnest([true, false, NULL])",
    "DATE": "unnest(['2001-02-28', '0001-01-01', '9999-12-31', '10000-01-01', '0044-03-15 (BC)', 'infinity', NULL])",
    "TIMESTAMP": "unnest(['2001-02-28 23:59:59.000001', '9999-12-31 23:59:59', '10000-01-01', '-infinity', NULL])",
    "VARCHAR": "unnest(['', ' a ', 'ü', NULL])",
}


@pytest.mark.parametrize("type_", _HELD)
def test_parquet_in_the_promised_types_is_read_as_its_text_is(take: Take, home: Home, type_: str) -> None:
    """A file that holds a column as it is promised gives what the same values as text give, faults included."""
    (home.root / "in").mkdir()
    found = []
    for held_as in (type_, "VARCHAR"):
        duckdb.sql(f"""
            COPY (SELECT range AS id, CAST(CAST(x AS {type_}) AS {held_as}) AS x FROM (
                SELECT unnest(range(9)) AS range, {_HELD[type_]} AS x)
            ) TO '{home.root}/in/p.parquet'
        """)
        promised = contract(column("id", "BIGINT"), column("x", type_), path="in/p.parquet", format_="parquet")
        found.append(take(promised))
    typed, as_text = found
    assert typed.is_accounted
    assert (typed.columns, typed.data) == (as_text.columns, as_text.data)
    assert (typed.quarantine, typed.received) == (as_text.quarantine, as_text.received)
    assert typed.quarantined_columns == as_text.quarantined_columns
    assert typed.data


def test_values_and_findings_stay_in_their_rows(take: Take, home: Home) -> None:
    """In a file that several threads read, what was read and what was found of it lie in the same row."""
    (home.root / "in").mkdir()
    number = "CASE WHEN range % 97 = 0 THEN 'none' ELSE range::VARCHAR END AS number"
    duckdb.sql(f"""
        COPY (SELECT range AS id, {number} FROM range(400_000))
        TO '{home.root}/in/p.parquet' (ROW_GROUP_SIZE 10_000)
    """)
    found = take(contract(column("id", "BIGINT"), column("number", "BIGINT"), path="in/p.parquet", format_="parquet"))
    assert [row[:2] for row in found.data] == [(number, number) for number in range(400_000) if number % 97]
    assert [row for row, _ in found.quarantine] == list(range(1, 400_001, 97))


def test_parquet_files_that_hold_a_column_differently_are_read_together(take: Take, home: Home) -> None:
    """One file as promised, one as text: both are taken, and what cannot be read is quarantined as it came."""
    (home.root / "in").mkdir()
    duckdb.sql(f"COPY (SELECT 1::BIGINT AS id) TO '{home.root}/in/a.parquet'")
    duckdb.sql(f"COPY (SELECT unnest(['2', 'two']) AS id) TO '{home.root}/in/b.parquet'")
    found = take(contract(column("id", "BIGINT"), path="in/*.parquet", format_="parquet"))
    assert [row[0] for row in found.data] == [1, 2]
    assert (found.quarantine, found.received) == ([(3, ["id:unreadable"])], [("two",)])


_CELL = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=6)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(-5, 5), _CELL, st.sampled_from(["f", "m", "", "x"])), min_size=1, max_size=20))
def test_every_row_is_accounted_for_and_comes_back(take: Take, rows: list[tuple[int, str, str]]) -> None:
    """Whatever the rows: data and quarantine add up to the source, and data holds what was written, in order."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([("id", "name", "sex"), *rows])
    promised = contract(
        column("id", "BIGINT"), column("name"), column("sex", domain=("f", "m")), primary_key=("id",), null_text=()
    )
    found = take(promised, a=text.getvalue())
    assert found.is_accounted
    assert found.evidence["source_rows"] == len(rows)
    expected, seen = [], set()
    for number, (id_, name, sex) in enumerate(rows, 1):
        if sex in ("f", "m") and id_ not in seen:
            seen.add(id_)
            expected.append((id_, name, sex, number))
    assert sorted(found.data, key=lambda row: row[3]) == expected


def test_paths_come_from_the_environment_sorted(tmp_path: Path) -> None:
    """A variable in the path is taken from the environment, matches are sorted, folders are no files."""
    for name in ("b.csv", "a.csv", "c.csv/deep.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x\n1\n")
    source = Files("local", "${WHERE}/*.csv", "csv")
    found = files.find(source, Path("/nowhere"), {"WHERE": str(tmp_path)})
    assert [Path(file.url).name for file in found.files] == ["a.csv", "b.csv"]
    assert found.reach.paths == tuple(file.url for file in found.files)
    with pytest.raises(BadSource, match="WHERE"):
        files.find(source, tmp_path, {})


def test_the_digest_of_a_source_is_keyed_and_follows_its_content(tmp_path: Path) -> None:
    """Another byte, another order or another key gives another digest; the same gives the same."""
    promised = contract(column("id"), path="*.csv")
    one, two, spill = tmp_path / "1.csv", tmp_path / "2.csv", tmp_path / "spill"

    def digest(first: str, second: str, key: bytes = b"k") -> str:
        one.write_text(first)
        two.write_text(second)
        return sources.digest(promised, tmp_path, spill, key)

    assert digest("a", "b") == digest("a", "b")
    assert len({digest("a", "b"), digest("b", "a"), digest("c", "b"), digest("a", "b", b"other")}) == 4


@pytest.mark.skipif(not ADULT.is_dir(), reason="the shared data set is not here")
@pytest.mark.parametrize(("name", "rows", "in_domain"), [("adult.data", 32_561, 32_561), ("adult.test", 16_281, 0)])
def test_adult_is_taken_whole(home: Home, versions: Versions, name: str, rows: int, in_domain: int) -> None:
    """The census file without header: every row counted; incomes of the test part end in a dot, outside the domain."""
    names = ["age", "workclass", "fnlwgt", "education", "education_num", "marital", "occupation", "relationship"]
    names += ["race", "sex", "gain", "loss", "hours", "country", "income"]
    numbers = {"age", "fnlwgt", "education_num", "gain", "loss", "hours"}
    held = [column(n, "BIGINT" if n in numbers else "VARCHAR") for n in names[:-1]]
    promised = contract(
        *held,
        column("income", domain=("<=50K", ">50K")),
        path=str((ADULT / name).resolve()),
        header=False,
        trim=True,
        null_text=("?",),
    )
    with versions.candidate("raw/adult") as candidate:
        with sources.opened(promised, home.root, home.spill, candidate) as con:
            sources.read(con, promised, home.root, b"key")
            found = Taken(con)
        candidate.seal()
    assert found.evidence["source_rows"] == rows
    assert found.evidence["data_rows"] == in_domain
    assert found.is_accounted
    if in_domain:
        assert sum(row[1] is None for row in found.data) == 1836


def test_numbers_of_json_are_kept_as_they_were_written(take: Take) -> None:
    """The engine would print some of them in another way, and others with fewer digits."""
    lines = [
        '{"id": 12345678901234001.55, "much": 0.1000000000000000000001, "score": 1.10, "more": 1e5}',
        '{"id": 1.10, "much": 98765432109876543210987654321, "score": 1e5, "more": "1.10 e", "in": [1.5, {"a": 2}]}',
        '{"id": "1.10", "much": 1.50, "score": null, "more": 1e99999999999999999999}',
        '{"id": 7, "much": 2.5, "score": 3, "more": "\\ud83d\\ude00 2.5"}',
    ]
    promised = contract(
        column("id"), column("much", "DECIMAL(38,25)"), column("score", "DOUBLE"), format_="ndjson", subject="id"
    )
    found = take(promised, a="\n".join(lines))
    assert [(row[0], str(row[1]).rstrip("0"), *row[2:4]) for row in found.data] == [
        ("12345678901234001.55", "0.1000000000000000000001", 1.1, "100000"),
        ("1.10", "1.5", None, "1e99999999999999999999"),
        ("7", "2.5", 3.0, "\U0001f600 2.5"),
    ]
    assert found.received == [("1.10", "98765432109876543210987654321", "100000", "1.10 e", '[1.5,{"a":2}]')]


CELL = {
    "id": st.integers(0, 30).map(str),
    "born": st.sampled_from(
        ["1980-02-29", "1980-2-9", "1980-02-30", "9999-12-31", "10000-01-01", "0001-01-01 (BC)", ""]
    ),
    "score": st.sampled_from(["0.5", "1e3", "inf", "1_0", ""]),
    "visits": st.sampled_from(["3", "03", "3.0", "3.5", " 3", "x", ""]),
    "seen": st.sampled_from(["2026-11-01 10:00:00", "2026-11-01T10:00:00+02:00", "2026-11-01", "later", ""]),
    "note": st.sampled_from(["seen", " seen", '"two\nlines"', '"a ""quote"""', "bad"]),
}


SOUND = {
    "id": st.integers(0, 10_000).map(str),
    "born": st.sampled_from(["1980-02-29", "9999-12-31", "1980-2-9", ""]),
    "score": st.sampled_from(["0.5", "1e3", ""]),
    "visits": st.sampled_from(["3", "03", "3.0", ""]),
    "seen": st.sampled_from(["2026-11-01 10:00:00", "2026-11-01T10:00:00+02:00", ""]),
    "note": st.sampled_from(["seen", '"a ""quote"""']),
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(
    rows=st.one_of(
        st.lists(st.fixed_dictionaries(cells), min_size=2, max_size=6, unique_by=unique)
        for cells, unique in ((SOUND, lambda row: row["id"]), (CELL, None))
    ),
    subject=st.sampled_from([ROW, "note"]),
    further=st.booleans(),
    trim=st.booleans(),
)
def test_one_pass_gives_what_staging_gives(
    take: Take, rows: list[dict[str, str]], subject: str, further: bool, trim: bool
) -> None:
    """Rows that are sound are written as they are read; whether any is not changes nothing but the time it takes."""
    promised = contract(
        column("id", "BIGINT"),
        column("born", "DATE"),
        column("score", "DOUBLE"),
        column("visits", "INTEGER"),
        column("seen", "TIMESTAMP"),
        column("note", domain=("seen", " seen", "two\nlines", 'a "quote"')),
        subject=subject,
        primary_key=("id",),
        trim=trim,
    )
    head = ",".join(CELL)
    *lines, last = [",".join(row[name] for name in CELL) for row in rows]
    contents = {"a": "\n".join([head, *lines]), "b": f"{head},more\n{last},of it" if further else f"{head}\n{last}"}
    at_once = take(promised, **contents)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(files.rows, "settle_at_once", lambda *given: False)
        staged = take(promised, **contents)
    assert vars(at_once) == vars(staged)


@pytest.mark.parametrize(
    ("last", "passes"),
    [("3,m", 1), ("x,m", 2), ("3,x", 2), ("2,m", 2), ('3,"m', 2), ("3", 2), ('3,"m\n"', 2), ("3,m\n\n4,f", 1)],
    ids=["sound", "unreadable", "outside domain", "duplicate", "open quote", "too short", "two lines", "blank line"],
)
def test_only_a_file_with_a_fault_is_staged(
    take: Take, monkeypatch: pytest.MonkeyPatch, last: str, passes: int
) -> None:
    """A delivery without a fault is read once; one with any is looked at row by row."""
    read: list[str] = []

    def noted(source: Files, *given: Any) -> str:
        read.append(source.path)
        return select(source, *given)

    select = files._csv
    monkeypatch.setattr(files, "_csv", noted)
    monkeypatch.setitem(files._READ, "csv", noted)
    promised = contract(column("id", "BIGINT"), column("sex", domain=("f", "m")), subject="sex", primary_key=("id",))
    found = take(promised, a=f"id,sex\n1,f\n2,m\n{last}\n")
    assert len(read) == passes
    assert found.is_accounted
