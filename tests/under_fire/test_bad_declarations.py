"""Contracts and purposes that are wrong in every way that was thought of, and files that nobody could draft from.

Belongs here: declarations, `privacy-assets validate`, `run` and `draft`. Does not belong here: which promises contradict
each other (`tests/contracts`), deliveries (`test_bad_text.py`, `test_bad_files.py`).
"""

# ruff: noqa: E501  (the tables have one declaration a line)

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privacy_assets.contracts.loading import check
from privacy_assets.errors import BadDeclaration
from privacy_assets.gate import Gate
from tests.conftest import CONSENTS, PATIENTS, SMOKING, environment_in
from tests.under_fire.conftest import Parent, Workshop
from tests.under_fire.receiving import RAW, WHO, Reception, good, helps, lines, people, tells_nobody, text
from tests.under_fire.test_bad_text import FILES, database, tarred, zipped

CONTRACT, DECISIONS, PURPOSE = (
    "data/contracts/patients.odcs.yaml",
    "data/contracts/consents.odcs.yaml",
    "data/purposes/smoking.yaml",
)


def put(text: str, old: str, new: str) -> bytes:
    """The declaration with something else in one place, which must be there."""
    assert old in text, old
    return text.replace(old, new, 1).encode()


def purpose(old: str, new: str) -> bytes:
    """The purpose with something else in one place."""
    return put(SMOKING, old, new)


def contract(old: str, new: str) -> bytes:
    """The contract with something else in one place."""
    return put(PATIENTS, old, new)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
ENTITIES = "why: &why [*why]\n"

PURPOSES: dict[str, bytes] = {
    # what is no YAML
    "empty": b"",
    "a line end": b"\n",
    "a comment": b"# nothing\n",
    "a BOM": b"\xef\xbb\xbf" + SMOKING.encode(),
    "UTF-16": SMOKING.encode("utf-16"),
    "UTF-32": SMOKING.encode("utf-32"),
    "Latin-1": purpose("Who smokes", "Wer raucht, Müller").decode().encode("latin-1"),
    "broken UTF-8": SMOKING.encode().replace(b"Who smokes", b"Who \xff\xfe"),
    "half a character": SMOKING.encode() + b"\xe2\x82",
    "a NUL": SMOKING.encode().replace(b"Who smokes", b"Who \0"),
    "a control": purpose("Who smokes", "Who \x07"),
    "a character that nobody sees": purpose("sex:", "se\u200bx:"),
    "a right-to-left override": purpose("Who smokes", "Who \u202esmokes"),
    "random bytes": random.Random(1).randbytes(10_000),
    "zip": zipped(),
    "gzip": gzip.compress(SMOKING.encode()),
    "JSON that is cut short": b'{"kind": "Purpose", "purpose": ',
    "TOML": b'kind = "Purpose"\npurpose = "smoking"\n',
    "XML": b"<purpose/>\n",
    "Markdown": b"# Purpose\n\n- smoking: *yes*\n- [ ] done\n",
    "a tab for indentation": purpose("  patients:", "\tpatients:"),
    "tabs everywhere": SMOKING.replace("  ", "\t").encode(),
    "indentation that jumps": purpose("    columns:", "   columns:\n     x: 1\n  columns:"),
    "a quote never closed": purpose("title: Who", 'title: "Who'),
    "a bracket never closed": purpose("recipients: [the", "recipients: [[the"),
    "a brace too many": purpose("{kind: token}", "{kind: token}}"),
    "a colon too many": purpose("title: Who", "title: x: Who"),
    "CR for line ends": SMOKING.replace("\n", "\r").encode() + b"\rx: 1\r",
    "NEL in a line": purpose("title: Who", "title: a\u0085b: c"),
    "a file too large": b"# " + b"x" * 2**20 + b"\n" + SMOKING.encode(),
    "a key of a megabyte": b"x" * (2**20 - 100) + b": 1\n",
    # what YAML can do, and nobody should
    "a bomb of aliases": BOMB.encode(),
    "a bomb within": SMOKING.encode() + BOMB.encode(),
    "an alias to itself": SMOKING.encode() + ENTITIES.encode(),
    "an alias of a mapping to itself": SMOKING.encode() + b"x: &x {y: *x}\n",
    "an alias to nothing": purpose("lawful_basis: consent", "lawful_basis: *nothing"),
    "an anchor": purpose("title: Who", "title: &who Who"),
    "anchors and merge keys": purpose("        technique: {kind: keep}\n", "        technique: &keep {kind: keep}\n").replace(b"      smoker:\n", b"      smoker:\n        <<: {why: x}\n"),
    "a merge key": purpose("guarantee:\n", "guarantee:\n  <<: {at_least_subjects: 1}\n"),
    "a merge key of a list": purpose("guarantee:\n", "guarantee:\n  <<: [{at_least_subjects: 1}]\n"),
    "a tag of Python": purpose("title: Who smokes", "title: !!python/object/apply:os.system ['true']"),
    "a tag of Python's names": purpose("title: Who smokes", "title: !!python/name:os.system"),
    "a tag of its own": purpose("title: Who", "title: !secret Who"),
    "a tag of a file": purpose("title: Who smokes", "title: !include /etc/passwd"),
    "a tag of a type": purpose("retention_days: 365", "retention_days: !!str 365"),
    "a tag of bytes": purpose("title: Who smokes", "title: !!binary aGVsbG8="),
    "a tag of a set": purpose("recipients: [the clinic's own doctors]", "recipients: !!set {a, b}"),
    "a directive": b"%YAML 1.1\n---\n" + SMOKING.encode(),
    "a directive of tags": b"%TAG ! tag:example.org,2000:\n---\n" + SMOKING.encode(),
    "an unknown directive": b"%FOO bar\n---\n" + SMOKING.encode(),
    "two documents": SMOKING.encode() + b"---\n" + SMOKING.encode(),
    "a thousand documents": b"---\na: 1\n" * 1000,
    "a list": b"- kind: Purpose\n",
    "a text": b"Purpose\n",
    "a number": b"12\n",
    "lists 10,000 deep": SMOKING.encode() + b"x: " + b"[" * 10_000 + b"]" * 10_000 + b"\n",
    "lists 400,000 deep": b"[" * 400_000,
    "mappings 10,000 deep": SMOKING.encode() + b"x: " + b"{a: " * 10_000 + b"1" + b"}" * 10_000 + b"\n",
    "blocks 300 deep": SMOKING.encode() + b"x:\n" + b"".join(b" " * n + b"a:\n" for n in range(1, 300)),
    "dashes 2,000 deep": SMOKING.encode() + b"x:\n  " + b"- " * 2000 + b"1\n",
    "a key twice": purpose("title: Who smokes\n", "title: Who smokes\ntitle: Who\n"),
    "a key twice by quotes": purpose("title: Who smokes\n", 'title: Who smokes\n"title": Who\n'),
    "a key twice below": purpose("        why: smoking differs by sex\n", "        why: a\n        why: b\n"),
    "a key that is a list": SMOKING.encode() + b"? [a, b]\n: 1\n",
    "a key that is a mapping": SMOKING.encode() + b"? {a: b}\n: 1\n",
    "a key that is a number": SMOKING.encode() + b"12: 1\n",
    "a key that is nothing": SMOKING.encode() + b"~: 1\n",
    "a key that is true": SMOKING.encode() + b"true: 1\n",
    "no for a name": purpose("purpose: smoking", "purpose: no"),
    "a number in octal": purpose("retention_days: 365", "retention_days: 0365"),
    "a number by sixty": purpose("retention_days: 365", "retention_days: 3:65"),
    "a number with underscores": purpose("retention_days: 365", "retention_days: 36_5"),
    "a date": purpose("retention_days: 365", "retention_days: 2024-01-31"),
    # values that are not what they should be
    "a number of 400 digits": purpose("retention_days: 365", "retention_days: " + "9" * 400),
    "a number that overflows": purpose("retention_days: 365", "retention_days: 99999999999999999"),
    "minus one": purpose("retention_days: 365", "retention_days: -1"),
    "a fraction": purpose("retention_days: 365", "retention_days: 1.5"),
    "infinity": purpose("train: 0.6", "train: .inf"),
    "no number": purpose("train: 0.6", "train: .nan"),
    "a number as text": purpose("retention_days: 365", "retention_days: '365'"),
    "a list for a text": purpose("title: Who smokes", "title: [Who, smokes]"),
    "a text for a list": purpose("recipients: [the clinic's own doctors]", "recipients: doctors"),
    "a mapping for a text": purpose("owner: team:clinic-data", "owner: {team: clinic-data}"),
    "nothing for a text": purpose("why: Tell whom a course against smoking would help", "why:"),
    "an empty text": purpose("why: Tell whom a course against smoking would help", 'why: ""'),
    "a text of spaces": purpose("why: Tell whom a course against smoking would help", 'why: "     "'),
    "an unknown key": purpose("title:", "titel:"),
    "an unknown kind": purpose("kind: Purpose", "kind: Porpoise"),
    "an unknown technique": purpose("{kind: token}", "{kind: tokin}"),
    "an unknown basis": purpose("lawful_basis: consent", "lawful_basis: hope"),
    "an unknown estimator": purpose("{kind: logistic_regression}", "{kind: oracle}"),
    "an unknown dataset": purpose("  patients:\n", "  patience:\n"),
    "an unknown column": purpose("      sex:\n", "      gender:\n"),
    "an unknown column in SQL": purpose("SELECT patient_id, sex,", "SELECT patient_id, gender,"),
    "an unknown table in SQL": purpose("    FROM patients", "    FROM pg_catalog.pg_tables"),
    "an unknown target": purpose("target: smoker", "target: drinker"),
    "an unknown subject": purpose("subject: patient_id", "subject: nobody"),
    "a column like SQL": purpose("      sex:\n", "      \"sex'; DROP TABLE patients; --\":\n"),
    "a column with quotes": purpose("      sex:\n", "      'se\"x':\n"),
    "a column of 100,000 characters": purpose("      sex:\n", f"      {'x' * 1000}:\n"),
    "a name of another": purpose("purpose: smoking", "purpose: reaching"),
    "a name that climbs": purpose("purpose: smoking", "purpose: ../../etc"),
    "a file for SQL": purpose("    FROM patients", "    FROM '/etc/passwd'"),
    "a function that reads": purpose("    FROM patients", "    FROM read_csv('/etc/passwd')"),
    "two statements": purpose("    FROM patients", "    FROM patients; DROP TABLE patients"),
    "a statement that copies": purpose("    SELECT patient_id, sex, age, smoker\n    FROM patients", "    COPY patients TO '/tmp/x'"),
    "SQL that is none": purpose("    SELECT patient_id, sex, age, smoker", "    SELEKT FROM WHERE"),
    "SQL never closed": purpose("    FROM patients", "    FROM (patients"),
    "SQL with a quote never closed": purpose("    FROM patients", "    FROM patients WHERE sex = 'F"),
    "SQL that goes in circles": purpose("    SELECT patient_id, sex, age, smoker\n    FROM patients", "    WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT * FROM a) SELECT patient_id, sex, age, smoker FROM a"),
    "SQL of itself": purpose("    SELECT patient_id, sex, age, smoker\n    FROM patients", "    WITH RECURSIVE a AS (SELECT * FROM patients UNION ALL SELECT * FROM a) SELECT patient_id, sex, age, smoker FROM a"),
    "SQL 400 brackets deep": purpose("SELECT patient_id, sex, age, smoker", "SELECT patient_id, sex, " + "(" * 400 + "age" + ")" * 400 + " AS age, smoker"),
    "SQL 20,000 brackets deep": purpose("SELECT patient_id, sex, age, smoker", "SELECT patient_id, sex, " + "(" * 20_000 + "age" + ")" * 20_000 + " AS age, smoker"),
    "SQL of 5,000 sums": purpose("SELECT patient_id, sex, age, smoker", "SELECT patient_id, sex, " + "1 + " * 5000 + "age AS age, nobody"),
    "SQL that is empty": purpose("  sql: |\n    SELECT patient_id, sex, age, smoker\n    FROM patients\n", '  sql: ""\n'),
}  # fmt: skip

CONTRACTS: dict[str, tuple[str, bytes]] = {
    "empty": (CONTRACT, b""),
    "a purpose": (CONTRACT, SMOKING.encode()),
    "a BOM": (CONTRACT, b"\xef\xbb\xbf" + PATIENTS.encode()),
    "a bomb": (CONTRACT, PATIENTS.encode() + BOMB.encode()),
    "an anchor": (CONTRACT, contract("value: 2", "value: &two 2")),
    "a tag": (CONTRACT, contract("value: 2", "value: !!float 2")),
    "a merge key": (CONTRACT, contract("team:\n", "team:\n  <<: {name: x}\n")),
    "an unknown version of the standard": (CONTRACT, contract("v3.2.0", "v9.9.9")),
    "a version that is a number": (CONTRACT, contract("version: 1.0.0", "version: 1.0")),
    "a version that is none": (CONTRACT, contract("version: 1.0.0", "version: latest")),
    "no schema": (CONTRACT, PATIENTS.split("schema:\n")[0].encode()),
    "an empty schema": (CONTRACT, (PATIENTS.split("schema:\n")[0] + "schema: []\n").encode()),
    "no columns": (CONTRACT, (PATIENTS.split("    properties:\n")[0] + "    properties: []\n").encode()),
    "two tables": (CONTRACT, PATIENTS.encode() + b"  - name: more\n    properties: []\n"),
    "a column twice": (CONTRACT, contract("      - name: email\n", "      - name: patient_id\n")),
    "a column twice by case": (CONTRACT, contract("      - name: email\n", "      - name: Patient_ID\n")),
    "a reserved column": (CONTRACT, contract("      - name: email\n", "      - name: _row\n")),
    "a reserved column of reasons": (CONTRACT, contract("      - name: email\n", "      - name: _reasons\n")),
    "a column without a name": (CONTRACT, contract("      - name: email\n", '      - name: ""\n')),
    "a column with a NUL": (CONTRACT, contract("      - name: email\n", '      - name: "e\\0mail"\n')),
    "a column with a line end": (CONTRACT, contract("      - name: email\n", '      - name: "e\\nmail"\n')),
    "a column of 1,000 characters": (CONTRACT, contract("      - name: email\n", f"      - name: {'e' * 1000}\n")),
    "an unknown type": (CONTRACT, contract("logicalType: boolean", "logicalType: perhaps")),
    "a type like SQL": (CONTRACT, contract("physicalType: SMALLINT", 'physicalType: "SMALLINT); DROP TABLE data; --"')),
    "a type of another engine": (CONTRACT, contract("physicalType: SMALLINT", "physicalType: NUMBER(38)")),
    "a type of 1,000 digits": (CONTRACT, contract("DECIMAL(10,2)", "DECIMAL(1000,2)")),
    "a type that is upside down": (CONTRACT, contract("DECIMAL(10,2)", "DECIMAL(2,10)")),
    "a nested type": (CONTRACT, contract("physicalType: SMALLINT", "physicalType: SMALLINT[]")),
    "an unknown role": (CONTRACT, contract("role: sensitive", "role: secret")),
    "an unknown category": (CONTRACT, contract("user.contact.email", "user.contact.pigeon")),
    "an unknown subject": (CONTRACT, contract("        column: patient_id\n", "        column: nobody\n")),
    "an unknown source of consent": (CONTRACT, contract("consents: consents", "consents: nowhere")),
    "consent in a circle": (CONTRACT, contract("consents: consents", "consents: patients")),
    "consent that asks for consent": (DECISIONS, put(CONSENTS, "      quarantine_at_most: 0.0\n", "      quarantine_at_most: 0.0\n      consents: patients\n")),
    "consent of nobody": (DECISIONS, put(CONSENTS, "subject: patient_id\n", "subject: nobody\n")),
    "retention of no date": (CONTRACT, contract("        column: registered\n", "        column: age\n")),
    "retention for ever": (CONTRACT, contract("days: 3650", "days: 99999999")),
    "retention of nothing": (CONTRACT, contract("days: 3650", "days: 0")),
    "a share above one": (CONTRACT, contract("      third_parties: []\n", "      quarantine_at_most: 2\n")),
    "an empty domain": (CONTRACT, contract("        enum:\n          - value: F\n          - value: M\n          - value: X\n", "        enum: []\n")),
    "a domain of another type": (CONTRACT, contract("          - value: M\n", "          - value: [M]\n")),
    "a category twice": (CONTRACT, contract("          - value: M\n", "          - value: F\n")),
    "no server": (CONTRACT, contract("servers:\n", "servers: []\nx:\n")),
    "an unknown server": (CONTRACT, contract("type: local", "type: carrier_pigeon")),
    "an unknown format": (CONTRACT, contract("format: csv", "format: xlsx")),
    "an unknown encoding": (CONTRACT, contract("encoding: utf-8", "encoding: klingon")),
    "an encoding that is code": (CONTRACT, contract("encoding: utf-8", "encoding: rot13")),
    "a delimiter of two": (CONTRACT, contract('delimiter: ";"', 'delimiter: "||"')),
    "a delimiter of none": (CONTRACT, contract('delimiter: ";"', 'delimiter: ""')),
    "a delimiter that is a quote": (CONTRACT, contract('delimiter: ";"', "delimiter: '\"'")),
    "a delimiter that ends lines": (CONTRACT, contract('delimiter: ";"', 'delimiter: "\\n"')),
    "a delimiter of NUL": (CONTRACT, contract('delimiter: ";"', 'delimiter: "\\0"')),
    "a path of a network": (CONTRACT, contract("path: data/samples/patients.csv", "path: https://evil.example/x.csv")),
    "a path with a NUL": (CONTRACT, contract("path: data/samples/patients.csv", 'path: "data/\\0.csv"')),
    "a path of no variable": (CONTRACT, contract("path: data/samples/patients.csv", "path: $(whoami).csv")),
    "an empty path": (CONTRACT, contract("path: data/samples/patients.csv", 'path: ""')),
    "a secret in the server": (CONTRACT, contract("    format: csv\n", "    format: csv\n    password: hunter2\n")),
}  # fmt: skip

DECLARED = {f"purpose, {name}": (PURPOSE, content) for name, content in PURPOSES.items()} | {
    f"contract, {name}": declared for name, declared in CONTRACTS.items()
}


@pytest.fixture(scope="module")
def reception(tmp_path_factory: pytest.TempPathFactory) -> Reception:
    """Where a good version is published."""
    return Reception(tmp_path_factory.mktemp("declarations"))


@pytest.fixture(scope="module")
def folder(reception: Reception) -> Path:
    """The project, its home and its guards."""
    return reception.copied("csv").folder


@pytest.mark.parametrize("name", DECLARED)
def test_a_bad_declaration_is_refused_and_nothing_changes(folder: Path, reception: Reception, name: str) -> None:
    """Every fault has its line and a next step; what was published stands, and is there again once it is mended."""
    file, content = DECLARED[name]
    path = folder / "project" / file
    good_one, before = path.read_bytes(), _state(folder)
    path.write_bytes(content)
    try:
        faults = check(path.parents[2])
        assert faults
        helps(faults)
        assert all(re.match(r"data/(contracts|purposes)/[\w.]+\.yaml:\d+", fault.where) for fault in faults), faults
        with pytest.raises(BadDeclaration):
            Gate.open(path.parents[2], environment_in(folder))
    finally:
        path.write_bytes(good_one)
    assert _state(folder) == before
    assert Gate.open(path.parents[2], environment_in(folder)).examine(RAW).standing == "kept"
    reception.tally.tried += 1
    reception.tally.refused += 1


def _state(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for place in ("home", "guards")
        for path in sorted((folder / place).rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


HOWEVER = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=60, **HOWEVER)
@given(
    file=st.sampled_from([CONTRACT, DECISIONS, PURPOSE]),
    edits=st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True),
            st.integers(0, 6),
            st.one_of(
                st.binary(max_size=4),
                st.sampled_from(
                    [b"&a ", b"*a ", b"!!x ", b"<<: ", b": ", b"- ", b"\t", b"[", b"{", b"'", b"\n", b"? "]
                ),
            ),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_whatever_byte_of_a_declaration_is_changed(
    folder: Path, reception: Reception, file: str, edits: list[tuple[float, int, bytes]]
) -> None:
    """Law: it loads, or every fault has a place and a next step."""
    path = folder / "project" / file
    content = good_one = path.read_bytes()
    for where, without, with_ in edits:
        at = int(where * len(content))
        content = content[:at] + with_ + content[at + without :]
    path.write_bytes(content)
    try:
        helps(faults := check(path.parents[2]))
    finally:
        path.write_bytes(good_one)
    reception.tally.tried += 1
    reception.tally.refused += bool(faults)


# ---- commands, each in a process of its own


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, parent: Parent) -> Workshop:
    """A project in which everything is published, and a process that forks a child for each command."""
    parent.ask({"prepare": True})
    shop = Workshop(tmp_path_factory.mktemp("commands"), parent)
    from tests.conftest import write_tiny_project

    write_tiny_project(shop.project)
    (shop.project / "dagster.yaml").write_bytes(Path("dagster.yaml").read_bytes())
    for asset in ("raw/consents", "raw/patients", "minimized/smoking/patients"):
        shop.do("made", assets=[asset])
    return shop


def told(answer: dict[str, object]) -> str:
    """What a command printed: never a traceback, never an error that nobody foresaw, never anybody."""
    said = str(answer["text"])
    assert "foreign" not in answer, answer
    for sign in ("Traceback", "its text is withheld", 'File "', "Error:"):
        assert sign not in said, said
    tells_nobody(said)
    return said


VALIDATED = [name for place, name in enumerate(DECLARED) if place % 12 == 0]


@pytest.mark.parametrize("name", VALIDATED)
def test_a_command_tells_what_is_wrong_with_a_declaration(shop: Workshop, name: str) -> None:
    """`privacy-assets validate` ends with 1, and with words for people."""
    file, content = DECLARED[name]
    path = shop.project / file
    good_one = path.read_bytes()
    path.write_bytes(content)
    try:
        answer = shop.do("commanded", argv=["validate"])
    finally:
        path.write_bytes(good_one)
    assert answer["status"] == 1
    assert "BadDeclaration" in told(answer)
    assert "next: " in told(answer)


RUN = [
    "header only",
    "tabs",
    "a header of NUL",
    "LF, then CRLF",
    "all of it Latin-1",
    "UTF-16",
    "zip",
    "one subject everywhere",
]


@pytest.mark.parametrize("name", RUN)
def test_a_run_tells_what_is_wrong_with_a_delivery(shop: Workshop, name: str) -> None:
    """`privacy-assets run` ends with 1; Dagster's history and all that is printed say nothing of anybody."""
    path = shop.project / "data/samples/patients.csv"
    good_one = path.read_bytes()
    version = shop.do("examined", assets=["raw/patients"])["raw/patients"]
    path.write_bytes(FILES[name][0])
    try:
        answer = shop.do("commanded", argv=["run"])
    finally:
        path.write_bytes(good_one)
    assert answer["status"] == 1
    assert "next: " in told(answer)
    assert shop.do("examined", assets=["raw/patients"])["raw/patients"] == version


TABLES = {
    "NDJSON": good("ndjson"),
    "JSON": b"[" + lines(people()).replace("\n", ",").encode() + b"{}]",
    "Parquet cut short": good("parquet")[:-200],
    "Parquet without a foot": good("parquet")[:-4],
    "Parquet with a foot of random bytes": good("parquet")[:-200]
    + random.Random(3).randbytes(192)
    + good("parquet")[-8:],
    "Parquet with pages of NUL": good("parquet")[:4] + b"\0" * 600 + good("parquet")[604:],
    "encrypted Parquet": b"PARE" + good("parquet")[4:],
    "zip": zipped(),
    "gzip": gzip.compress(good("csv")),
    "tar": tarred(),
    "SQLite": database(),
    "one person and nothing else": f"{WHO}\n".encode(),
    "two people in no table": f"{WHO}\n{WHO}\n".encode(),
    "people without a header": text(people(), header=False).encode(),
    "UTF-16": text(people()).encode("utf-16"),
    "UTF-16 with half a surrogate": (text(people()) + "\ud800").encode("utf-16", "surrogatepass"),
    "UTF-16 from the other end": b"\xfe\xff" + text(people()).encode("utf-16-be"),
}
DRAFTED = TABLES | {
    name: FILES[name][0]
    for name in (
        "empty", "only line ends", "only a BOM", "one NUL", "header only", "no header", "duplicate column", "all headers empty", "two headers empty", "a reserved header",
        "a header with a line end", "a header of 100,000 characters", "a header of NUL", "a header of broken UTF-8", "a header that nobody sees", "headers like SQL",
        "headers with quotes", "headers like templates", "headers of our own", "columns in another order", "a header from right to left", "semicolons", "CR", "CRCRLF", "LF, then CRLF",
        "blank lines at the start", "NEL for line ends", "a quote never closed in the first row", "a quote in the header never closed", "a line of 10,000 empty cells", "all of it Latin-1",
        "EBCDIC", "UTF-32", "NUL to the end", "a cell of 100,000 characters", "a cell of 3 MB", "a number of 100,000 digits", "bad ages", "bad dates", "bad times", "one subject everywhere", "no subject anywhere",
        "a name with emoji", "a name with controls", "PDF", "PNG", "HTML", "random bytes", "the header, then random bytes", "5,000 columns",
    )
}  # fmt: skip


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long) if name == "5,000 columns" else name for name in DRAFTED]
)
def test_a_draft_of_a_bad_file_is_written_whole_or_not_at_all(shop: Workshop, reception: Reception, name: str) -> None:
    """`privacy-assets draft` writes two files that load, or none; it ends with words for people, and names nobody."""
    path = shop.project / "data/samples/theirs"
    path.write_bytes(DRAFTED[name])
    answer = shop.do("commanded", argv=["draft", str(path), "--name", "theirs"])
    made = [shop.project / "data/contracts/theirs.odcs.yaml", shop.project / "data/purposes/theirs_model.yaml"]
    said = told(answer)
    reception.tally.tried += 1
    try:
        if answer["status"] == 0:
            tells_nobody(*(one.read_text("utf-8") for one in made))
            assert check(shop.project) == []
            reception.tally.taken += 1
        else:
            assert answer["status"] == 1
            assert "next: " in said or "expected: " in said, said
            assert not [one for one in made if one.exists()]
            reception.tally.refused += 1
    finally:
        for one in made:
            one.unlink(missing_ok=True)


def test_what_came_of_bad_declarations(reception: Reception, figures: Callable[..., None]) -> None:
    """What the tests above counted."""
    counted = reception.tally
    figures(
        "bad input, declarations and drafts",
        **{
            "tried": counted.tried,
            "refused with a next step": counted.refused,
            "drafted": counted.taken,
            "tracebacks": 0,
        },
    )
