"""Parquet and newline-delimited JSON that are wrong in every way that was thought of, and files that are not there.

Belongs here: deliveries in these formats. Does not belong here: what is asked of what comes of them (`receiving.py`),
text (`test_bad_text.py`), declarations (`test_bad_declarations.py`).
"""

# ruff: noqa: E501, DTZ001  (the tables have one delivery a line; Parquet's timestamps have no zone)

from __future__ import annotations

import decimal
import gzip
import io
import json
import os
import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privacy_assets.warehouse.sources import rows
from tests.under_fire.receiving import PEOPLE, WHO, Reception, Refused, Taken, good, lines, people, person, text

GOOD = good("parquet")
MISSING = Refused("is missing in the source")
ALIKE = Refused("cannot be told apart")
UNREADABLE = Refused("cannot be read as")
NOTHING_LEFT = Refused("has_rows is broken")
TOO_MANY = Refused("quarantine_share is broken")
LINE_ASIDE = Taken(1, ("malformed line",))
EMPTY = Refused("has no row")


def written(table: pa.Table, **options: Any) -> bytes:
    """A table as a Parquet file."""
    content = io.BytesIO()
    pq.write_table(table, content, **options)
    return content.getvalue()


def table(**columns: Any) -> pa.Table:
    """Everybody, with these columns instead or besides."""
    found = pa.Table.from_pylist(people())
    for name, column in columns.items():
        if name in found.column_names:
            found = found.set_column(found.column_names.index(name), name, column)
        else:
            found = found.append_column(name, column)
    return found


def flipped(place: int, content: bytes = GOOD) -> bytes:
    """The same with one byte changed."""
    changed = bytearray(content)
    changed[place] ^= 0xFF
    return bytes(changed)


def encrypted() -> bytes:
    """What Parquet's own encryption begins and ends with."""
    return b"PARE" + GOOD[4:-4] + b"PARE"


def filled(value: Any, type_: pa.DataType | None = None, third: Any = None) -> pa.Array:
    """One value for everybody; another for the third, if there is one."""
    return pa.array([value if number != 2 or third is None else third for number in range(PEOPLE)], type_)


def not_text(cell: bytes) -> pa.Array:
    """A column that says that it is text, and is not."""
    lengths = pa.py_buffer(b"".join((len(cell) * n).to_bytes(4, "little") for n in range(PEOPLE + 1)))
    return pa.StringArray.from_buffers(PEOPLE, lengths, pa.py_buffer(cell * PEOPLE))


SMALL = [20 + number for number in range(PEOPLE)]

PARQUET: dict[str, tuple[bytes, Taken | Refused]] = {
    # what is left of a file
    "empty": (b"", UNREADABLE),
    "only the magic": (b"PAR1", UNREADABLE),
    "only the magic, twice": (b"PAR1PAR1", UNREADABLE),
    **{f"cut after {share} percent": (GOOD[: len(GOOD) * share // 100], UNREADABLE) for share in (1, 10, 25, 50, 75, 90, 99)},
    "cut by one byte": (GOOD[:-1], UNREADABLE),
    "cut by the magic": (GOOD[:-4], UNREADABLE),
    "without its beginning": (GOOD[100:], UNREADABLE),
    "without the first byte": (GOOD[1:], UNREADABLE),
    "followed by a line end": (GOOD + b"\n", UNREADABLE),
    "followed by itself": (GOOD + GOOD, Taken()),
    "a footer of no length": (GOOD[:-8] + b"\0\0\0\0PAR1", UNREADABLE),
    "a footer longer than the file": (GOOD[:-8] + b"\xff\xff\xff\x7fPAR1", UNREADABLE),
    "a footer of negative length": (GOOD[:-8] + b"\xff\xff\xff\xffPAR1", UNREADABLE),
    "a footer of random bytes": (GOOD[:-200] + random.Random(3).randbytes(192) + GOOD[-8:], UNREADABLE),
    "pages of random bytes": (GOOD[:4] + random.Random(4).randbytes(400) + GOOD[404:], UNREADABLE),
    "pages of NUL": (GOOD[:4] + b"\0" * 600 + GOOD[604:], UNREADABLE),
    "wrong magic at the start": (b"PAR2" + GOOD[4:], Taken()),
    "wrong magic at the end": (GOOD[:-4] + b"PAR2", UNREADABLE),
    "encrypted": (encrypted(), UNREADABLE),
    # something else
    "zip": (b"PK\x03\x04" + GOOD, UNREADABLE),
    "gzip": (gzip.compress(GOOD), UNREADABLE),
    "CSV": (text(people()).encode(), UNREADABLE),
    "NDJSON": (good("ndjson"), UNREADABLE),
    "ORC": (b"ORC" + GOOD[3:-4] + b"\x03ORC", UNREADABLE),
    "Arrow": (b"ARROW1\0\0" + GOOD[8:-6] + b"ARROW1", UNREADABLE),
    # tables
    "no rows": (written(table().slice(0, 0)), EMPTY),
    "no row groups": (written(table().slice(0, 0), row_group_size=1), EMPTY),
    "no columns": (written(pa.table({})), UNREADABLE),
    "a row group for each row": (written(table(), row_group_size=1), Taken()),
    "one column missing": (written(table().drop_columns(["sex"])), MISSING),
    "one column by another case": (written(table().rename_columns([name.upper() if name == "sex" else name for name in table().column_names])), MISSING),
    "a column twice": (written(pa.Table.from_arrays([*table().columns, table()["name"]], [*table().column_names, "name"])), Taken()),
    "a column twice by case": (written(table(Name=table()["name"])), Taken()),
    "a reserved column": (written(table(_row=filled(1))), ALIKE),
    "a column without a name": (written(table(**{"": filled(WHO)})), Taken()),
    "a column with NUL in its name": (written(table(**{"a\0b": filled(WHO)})), Refused("no table can keep")),
    "columns like SQL": (written(table(**{'"; DROP TABLE data; --': filled(WHO), "select": filled(1), "a.b": filled(1), "'": filled(2)})), Taken()),
    "columns of our own": (written(table(c0=filled(WHO), number=filled(1), faults=filled(WHO), rowid=filled(2), file_row_number=filled(3), filename=filled(WHO))), Taken()),
    "2,000 columns": (written(table(**{f"x{n}": filled(n) for n in range(2000)})), Taken()),
    # types
    "a list for a text": (written(table(name=filled([WHO, WHO]))), Taken()),
    "a struct for a text": (written(table(name=filled({"first": WHO, "last": {"x": WHO}}))), Taken()),
    "a map for a text": (written(table(name=filled([(WHO, 1)], pa.map_(pa.string(), pa.int64())))), Taken()),
    "a list for a number": (written(table(age=filled([1, 2]))), NOTHING_LEFT),
    "a struct for a date": (written(table(registered=filled({"day": 1}))), NOTHING_LEFT),
    "nested unknown columns": (written(table(more=filled([{"a": [WHO]}]))), Taken()),
    "bytes for a text": (written(table(name=filled(b"\xff\xfe Zwyxaquen"))), Taken()),
    "bytes for a subject": (written(table(patient_id=pa.array([f"p-{n:02}".encode() for n in range(1, 21)]))), Taken()),
    "broken UTF-8 in a text": (written(table(name=not_text(b"\xff\xfe Zwyxaquen"))), UNREADABLE),
    "UTF-8 in bytes": (written(table(name=filled("Zwyxaquen Müller".encode()), patient_id=pa.array([f"ü-{n:02}".encode() for n in range(1, 21)]))), Taken()),
    "nothing but NULL": (written(table(name=pa.nulls(PEOPLE))), Taken()),
    "no subject anywhere": (written(table(patient_id=pa.nulls(PEOPLE, pa.string()))), NOTHING_LEFT),
    "one subject everywhere": (written(table(patient_id=filled("p-01"))), TOO_MANY),
    "a subject twice": (written(table(patient_id=pa.array(["p-01", *(f"p-{n:02}" for n in range(1, 20))]))), Taken(1, ("patient_id:duplicate",))),
    "numbers for subjects": (written(table(patient_id=pa.array(range(PEOPLE)))), Taken()),
    "numbers that fit": (written(table(age=pa.array(SMALL, pa.int64()))), Taken()),
    "numbers that overflow": (written(table(age=filled(30, pa.int64(), 2**62))), Taken(1, ("age:unreadable",))),
    "unsigned numbers that overflow": (written(table(age=filled(30, pa.uint64(), 2**64 - 1))), Taken(1, ("age:unreadable",))),
    "numbers with a fraction": (written(table(age=filled(30.0, None, 30.5))), Taken(1, ("age:unreadable",))),
    "no numbers": (written(table(height=filled(1.5, None, float("nan")))), Taken(1, ("height:unreadable",))),
    "endless numbers": (written(table(height=filled(1.5, None, float("inf")))), Taken(1, ("height:unreadable",))),
    "half numbers": (written(table(height=filled(1.5, pa.float16()))), Taken()),
    "decimals that overflow": (written(table(cost=filled(decimal.Decimal("1.50"), pa.decimal128(30, 2), decimal.Decimal("9" * 20)))), Taken(1, ("cost:unreadable",))),
    "decimals of 256 bits": (written(table(cost=filled(decimal.Decimal("1.50"), pa.decimal256(60, 2)))), NOTHING_LEFT),
    "dates out of range": (written(table(registered=filled(20000, pa.date32(), 2**31 - 1))), Taken(1, ("registered:unreadable",))),
    "dates before time": (written(table(registered=filled(20000, pa.date32(), -(2**31)))), Taken(1, ("registered:unreadable",))),
    "timestamps for dates": (written(table(registered=filled(datetime(2026, 1, 1, 10)))), NOTHING_LEFT),
    "midnights for dates": (written(table(registered=filled(datetime(2026, 1, 1)))), Taken()),
    "nanoseconds": (written(table(seen=filled(datetime(2026, 1, 1), pa.timestamp("ns")))), Taken()),
    "times out of range": (written(table(seen=filled(0, pa.timestamp("ms"), 2**62))), UNREADABLE),
    "times of day for times": (written(table(seen=filled(3600, pa.time32("s")))), NOTHING_LEFT),
    "durations for times": (written(table(seen=filled(3600, pa.duration("s")))), NOTHING_LEFT),
    "truth for texts": (written(table(name=filled(True))), Taken()),
    "numbers for truth": (written(table(smoker=filled(1, pa.int8(), 7))), Taken(1, ("smoker:unreadable",))),
    "dictionaries": (written(table(sex=table()["sex"].dictionary_encode())), Taken()),
    "a cell of 100,000 characters": (written(table(name=filled(WHO, None, WHO * 5000))), Taken()),
    "a NUL in a text": (written(table(name=filled("Zwyxa\0quen"))), Taken()),
    "other codecs": (written(table(), compression={"name": "gzip", "email": "zstd", "sex": "snappy", "age": "brotli", "cost": "lz4"}), Taken()),
    "the second version of pages": (written(table(), data_page_version="2.0", version="2.6"), Taken()),
}  # fmt: skip


def line(number: int, **cells: Any) -> dict[str, Any]:
    """One person, some cells of whom are no text."""
    return {**person(number), **cells}


def ndjson(*third: bytes | str, keep: bool = True) -> bytes:
    """Everybody, with other lines in the place of the third, or behind it."""
    everybody = lines(people()).encode().splitlines(keepends=True)
    everybody[2 : 2 if keep else 3] = [one if isinstance(one, bytes) else one.encode() for one in third]
    return b"".join(everybody)


def another(**cells: Any) -> bytes:
    """Everybody, and one more, whose cells may be anything."""
    return ndjson(json.dumps(line(7, patient_id="q-1") | cells, ensure_ascii=False) + "\n")


ONE = json.dumps(line(7, patient_id="q-1"), ensure_ascii=False)
REPEATED = Taken(1, ("patient_id:duplicate",))

NDJSON: dict[str, tuple[bytes, Taken | Refused]] = {
    "empty": (b"", MISSING),
    "only line ends": (b"\n" * 50, MISSING),
    "only a BOM": (b"\xef\xbb\xbf", MISSING),
    "only NUL": (b"\0" * 100, MISSING),
    "an empty object": (b"{}\n", MISSING),
    "one array": (json.dumps(people()).encode(), MISSING),
    "one array over many lines": (json.dumps(people(), indent=1).encode(), MISSING),
    "one object over many lines": (json.dumps(person(1), indent=1).encode(), MISSING),
    "objects with commas behind them": (lines(people()).replace("}\n", "},\n").encode(), MISSING),
    "objects on one line": (lines(people()).replace("\n", " ").encode(), MISSING),
    "a BOM": (b"\xef\xbb\xbf" + good("ndjson"), Taken()),
    "a BOM amid": (ndjson("\ufeff" + ONE + "\n"), LINE_ASIDE),
    "CRLF": (good("ndjson").replace(b"\n", b"\r\n"), Taken()),
    "CR": (good("ndjson").replace(b"\n", b"\r"), Taken()),
    "LF, then CRLF": (ndjson(ONE + "\r\n"), Taken()),
    "blank lines": (good("ndjson").replace(b"\n", b"\n\n"), Taken()),
    "lines of spaces": (ndjson("   \n", "\t\n"), Taken()),
    "a line of NEL": (ndjson("\u0085\n"), LINE_ASIDE),
    "without the last line end": (good("ndjson").rstrip(b"\n"), Taken()),
    "the last line cut short": (good("ndjson")[:-30], LINE_ASIDE),
    "record separators": (good("ndjson").replace(b"{", b"\x1e{"), MISSING),
    "an array": (ndjson("[1, 2]\n"), LINE_ASIDE),
    "a text": (ndjson(f'"{WHO}"\n'), LINE_ASIDE),
    "a number": (ndjson("12\n"), LINE_ASIDE),
    "null": (ndjson("null\n"), LINE_ASIDE),
    "words": (ndjson(f"{WHO}\n"), LINE_ASIDE),
    "an object never closed": (ndjson(ONE[:-1] + "\n"), LINE_ASIDE),
    "an object closed twice": (ndjson(ONE + "}\n"), LINE_ASIDE),
    "a text never closed": (ndjson(ONE[:-2] + "}\n"), LINE_ASIDE),
    "two objects": (ndjson(ONE + ONE + "\n"), LINE_ASIDE),
    "a comma at the end": (ndjson(ONE[:-1] + ",}\n"), Taken()),
    "single quotes": (ndjson(ONE.replace('"', "'") + "\n"), LINE_ASIDE),
    "a comment": (ndjson(f"// {WHO}\n"), LINE_ASIDE),
    "a key without quotes": (ndjson(ONE.replace('"age"', "age") + "\n"), LINE_ASIDE),
    "a key twice": (ndjson(ONE[:-1] + f', "name": "{WHO} 2"}}\n'), LINE_ASIDE),
    "a key twice by escape": (ndjson(ONE[:-1] + ', "n\\u0061me": "x"}\n'), LINE_ASIDE),
    "a key twice by case": (ndjson(ONE[:-1] + ', "Name": "x"}\n'), ALIKE),
    "an empty key": (ndjson(ONE[:-1] + ', "": "x"}\n'), Taken()),
    "a key of NUL": (ndjson(ONE[:-1] + ', "a\\u0000b": "x"}\n'), Refused("no table can keep")),
    "a reserved key": (ndjson(ONE[:-1] + ', "_row": 7}\n'), ALIKE),
    "keys like SQL": (ndjson(ONE[:-1] + ', "\\"; DROP TABLE data; --": 1, "select": 2, "a.b": 3, "$": 4, "*": 5, "[0]": 6, "\'": 7}\n'), Taken()),
    "keys like paths": (ndjson(ONE[:-1] + ', "$.name": 1, "name.first": {"first": 2}, "#": 3, "/name": 4, "\\\\": 5}\n'), Taken()),
    "a key of 100,000 characters": (ndjson(ONE[:-1] + f', "{"k" * 100_000}": 1}}\n'), Taken()),
    "a key from right to left": (ndjson(ONE[:-1] + ', "\u202eeman": 1, "اسم": 2}\n'), Taken()),
    "a key of half a surrogate": (ndjson(ONE[:-1] + ', "\\ud800": 1}\n'), LINE_ASIDE),
    "5,000 keys": (ndjson(ONE[:-1] + "".join(f', "x{n}": {n}' for n in range(5000)) + "}\n"), Taken()),
    "a promised key nowhere": (lines({k: v for k, v in row.items() if k != "sex"} for row in people()).encode(), MISSING),
    "a promised key once": (lines(row if row["patient_id"] == "p-01" else {k: v for k, v in row.items() if k != "sex"} for row in people()).encode(), Taken()),
    "a promised key left out": (ndjson(json.dumps({k: v for k, v in line(7).items() if k != "patient_id"}) + "\n"), Taken(1, ("patient_id:no subject",))),
    "null for a subject": (another(patient_id=None), Taken(1, ("patient_id:no subject",))),
    "an empty subject": (another(patient_id=""), Taken()),
    "a number for a subject": (another(patient_id=4711), Taken()),
    "a list for a subject": (another(patient_id=["p-01"]), Taken()),
    "an object for a name": (another(name={"first": WHO, "last": [WHO]}), Taken()),
    "a list for a number": (another(age=[30]), Taken(1, ("age:unreadable",))),
    "a text for a number": (another(age="30"), Taken()),
    "a number that overflows": (another(age=10**30), Taken(1, ("age:unreadable",))),
    "a number of 400 digits": (ndjson(ONE.replace('"age": "27"', '"age": ' + "9" * 400) + "\n"), Taken(1, ("age:unreadable",))),
    "a number of 100,000 digits": (ndjson(ONE.replace('"age": "27"', '"age": ' + "9" * 100_000) + "\n"), Taken(1, ("age:unreadable",))),
    "a number with a fraction": (another(age=30.5), Taken(1, ("age:unreadable",))),
    "a number like a fraction": (another(age=30.0), Taken()),
    "a number with an exponent": (ndjson(ONE.replace('"age": "27"', '"age": 3e1') + "\n"), Taken()),
    "a number that begins with zero": (ndjson(ONE.replace('"age": "27"', '"age": 027') + "\n"), LINE_ASIDE),
    "a number with a plus": (ndjson(ONE.replace('"age": "27"', '"age": +27') + "\n"), LINE_ASIDE),
    "hexadecimal": (ndjson(ONE.replace('"age": "27"', '"age": 0x1B') + "\n"), LINE_ASIDE),
    "NaN": (another(height=float("nan")), Taken(1, ("height:unreadable",))),
    "infinity": (another(height=float("inf")), Taken(1, ("height:unreadable",))),
    "minus infinity": (another(height=float("-inf")), Taken(1, ("height:unreadable",))),
    "a number beyond doubles": (ndjson(ONE.replace('"height": "1.57"', '"height": 1e999') + "\n"), Taken(1, ("height:unreadable",))),
    "money with digits too many": (another(cost=1.239), Taken(1, ("cost:unreadable",))),
    "money that is exact": (ndjson(ONE.replace('"cost": "7.50"', '"cost": 12345678.91') + "\n"), Taken()),
    "a day that is none": (another(registered="2024-02-30"), Taken(1, ("registered:unreadable",))),
    "a day of another era": (another(registered="20000-01-01"), Taken(1, ("registered:unreadable",))),
    "seconds for a time": (another(seen=1704067200), Taken(1, ("seen:unreadable",))),
    "a zone of no place": (another(seen="2024-01-01T00:00:00+99:00"), Taken(1, ("seen:unreadable",))),
    "true for a truth value": (another(smoker=True), Taken()),
    "two for a truth value": (another(smoker=2), Taken(1, ("smoker:unreadable",))),
    "true for a name": (another(name=True), Taken()),
    "broken UTF-8": (ndjson(ONE.encode().replace(b"Zwyxaquen", b"Zwyxa\xff\xfe", 1) + b"\n"), LINE_ASIDE),
    "broken UTF-8 in every line": (good("ndjson").replace(b"Zwyxaquen", b"Zwyxa\xff"), MISSING),
    "half a character at the end": (good("ndjson") + b"\xe2\x82", LINE_ASIDE),
    "UTF-16": (good("ndjson").decode().encode("utf-16"), MISSING),
    "half a surrogate": (ndjson(ONE.replace("Zwyxaquen", "\\ud83d", 1) + "\n"), LINE_ASIDE),
    "two halves of a surrogate the wrong way": (ndjson(ONE.replace("Zwyxaquen", "\\ude00\\ud83d", 1) + "\n"), LINE_ASIDE),
    "a surrogate in two escapes": (ndjson(ONE.replace(WHO, "\\ud83d\\ude00", 1) + "\n"), Taken()),
    "an escape that is none": (ndjson(ONE.replace(WHO, "\\x41", 1) + "\n"), LINE_ASIDE),
    "half an escape": (ndjson(ONE.replace(WHO, "\\u00", 1) + "\n"), LINE_ASIDE),
    "an escaped NUL": (ndjson(ONE.replace(WHO, "a\\u0000b", 1) + "\n"), Taken()),
    "a NUL": (ndjson(ONE.replace(WHO, "a\0b", 1) + "\n"), LINE_ASIDE),
    "a control": (ndjson(ONE.replace(WHO, "a\x01b", 1) + "\n"), LINE_ASIDE),
    "a tab in a text": (ndjson(ONE.replace(WHO, "a\tb", 1) + "\n"), LINE_ASIDE),
    "an escaped line end": (another(name="a\nb"), Taken()),
    "the separator of files": (ndjson(ONE.replace(WHO, "a\x1cb", 1) + "\n"), LINE_ASIDE),
    "the delimiter that is none": (ndjson(ONE.replace(WHO, "a\\u0001b", 1) + "\n"), Taken()),
    "U+2028": (another(name="a\u2028b\u0085c"), Taken()),
    "emoji and letters from right to left": (another(name="😀 דוד \u202e e\u0301"), Taken()),
    "a cell of 100,000 characters": (another(name=WHO + "x" * 100_000), Taken()),
    "a cell of 5 MB": (another(name="x" * 5_000_000), Taken()),
    "a formula": (another(name="=cmd|' /C calc'!A0"), Taken()),
    "SQL": (another(name="'); DROP TABLE data; --"), Taken()),
    "deep nesting": (ndjson(ONE[:-1] + ', "deep": ' + "[" * 500 + "]" * 500 + "}\n"), Taken()),
    "a bomb of lists": (ndjson(ONE[:-1] + ', "deep": ' + "[" * 100_000 + "]" * 100_000 + "}\n"), Taken()),
    "a bomb of objects": (ndjson(ONE[:-1] + ', "deep": ' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "}\n"), Taken()),
    "a bomb never closed": (ndjson("[" * 200_000 + "\n"), LINE_ASIDE),
    "a subject twice": (ndjson(lines([person(2)])), REPEATED),
    "a subject with space around it": (another(patient_id="p-01\u200b"), Taken(1, ("patient_id:space around it",))),
    "mixed types late": (lines([*(line(n % 20 + 1, patient_id=f"q-{n}", age=30) for n in range(3000)), line(1, age={"years": 30})]).encode(), Taken(1, ("age:unreadable",))),
    "CSV": (text(people()).encode(), MISSING),
    "Parquet": (GOOD, MISSING),
    "gzip": (gzip.compress(good("ndjson")), MISSING),
    "zip": (b"PK\x03\x04" + good("ndjson"), LINE_ASIDE),
    "random bytes": (random.Random(5).randbytes(50_000), MISSING),
}  # fmt: skip


@pytest.fixture(scope="module")
def reception(tmp_path_factory: pytest.TempPathFactory) -> Reception:
    """Where they are received."""
    return Reception(tmp_path_factory.mktemp("files"))


@pytest.mark.parametrize("name", PARQUET)
def test_bad_parquet_is_refused_or_accounted_for(reception: Reception, name: str) -> None:
    """An error with a next step while all that is published stands, or every row in one of two places."""
    content, expected = PARQUET[name]
    reception.receive("parquet", content, expected)


@pytest.mark.parametrize("name", NDJSON)
def test_bad_json_is_refused_or_accounted_for(reception: Reception, name: str) -> None:
    """The same of a file of JSON objects, one a line."""
    content, expected = NDJSON[name]
    reception.receive("ndjson", content, expected)


def _gone(path: Path) -> None:
    path.unlink()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def _loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


PLACES = {
    "gone": _gone,
    "a folder": _folder,
    "a link to nowhere": _dangling,
    "a link to itself": _loop,
    "a pipe": _pipe,
    "a device": _device,
}


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("source", ["csv", "parquet", "ndjson"])
def test_what_is_no_file_is_refused(reception: Reception, source: str, name: str) -> None:
    """A source that is not there, or is none, is refused before anything is read."""
    desk = reception.copied(source)
    PLACES[name](desk.gate.project.root / "data/samples/people")
    came = desk.receive(b"", None, reception.tally)
    assert isinstance(came, Refused)
    assert "there is no file" in came.says


@pytest.mark.parametrize("how", ["grows", "shrinks", "is replaced", "goes away", "is touched in the middle"])
@pytest.mark.parametrize("source", ["csv", "parquet", "ndjson"])
def test_a_source_that_changes_while_it_is_read_is_refused(
    reception: Reception, monkeypatch: pytest.MonkeyPatch, source: str, how: str
) -> None:
    """Whatever a delivery becomes after it was begun, none of it is published."""
    desk = reception.copied(source)
    path, content = desk.gate.project.root / "data/samples/people", good(source)
    room = rows.stage

    def changed(*given: Any) -> Any:
        {
            "grows": lambda: path.write_bytes(content + content),
            "shrinks": lambda: path.write_bytes(content[:-40]),
            "is replaced": lambda: path.write_bytes(good("csv").replace(b"Zwyxaquen", b"Zwyxaquer")),
            "goes away": path.unlink,
            "is touched in the middle": lambda: path.write_bytes(
                content.replace(b"Zwyxaquen 7", b"Zwyxaquen 8", 1) + b" "
            ),
        }[how]()
        return room(*given)

    monkeypatch.setattr(rows, "stage", changed)
    came = desk.receive(content, None, reception.tally)
    assert isinstance(came, Refused)


EDITS = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(["insert", "replace", "cut", "end"]),
        st.binary(min_size=1, max_size=6),
    ),
    min_size=1,
    max_size=3,
)
HOWEVER = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def law_of_edits(reception: Reception, source: str, edits: list[tuple[float, str, bytes]]) -> None:
    """Whatever became of the file: it is refused, or its rows are accounted for."""
    content = bytearray(good(source))
    for where, how, with_ in edits:
        at = int(where * len(content))
        if how == "insert":
            content[at:at] = with_
        elif how == "replace":
            content[at : at + len(with_)] = with_
        elif how == "cut":
            del content[at : at + 8 * len(with_)]
        else:
            del content[at:]
    # a page of Parquet carries no checksum: its cells may be others afterwards, its rows are as many
    reception.receive(source, bytes(content), None, rows=range(PEOPLE, PEOPLE + 1) if source == "parquet" else None)


@settings(max_examples=20, **HOWEVER)
@given(source=st.sampled_from(["parquet", "ndjson"]), edits=EDITS)
def test_whatever_byte_is_changed(reception: Reception, source: str, edits: list[tuple[float, str, bytes]]) -> None:
    """Law: bytes of a good file are replaced, put in or taken out; nothing crashes, no row is lost."""
    law_of_edits(reception, source, edits)


@pytest.mark.long
@settings(max_examples=1500, **HOWEVER)
@given(source=st.sampled_from(["parquet", "ndjson"]), edits=EDITS)
def test_whatever_byte_is_changed_often(
    reception: Reception, source: str, edits: list[tuple[float, str, bytes]]
) -> None:
    """The same, many times."""
    law_of_edits(reception, source, edits)


def test_what_came_of_bad_files(reception: Reception, figures: Callable[..., None]) -> None:
    """What the tests above counted."""
    figures("bad input, Parquet and JSON", **reception.tally.figures())
