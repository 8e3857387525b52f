"""A project that takes in people, with a good delivery published; what arrives next is bad, and is looked at.

Belongs here: the project in each format of its source, the delivery, and what is asked of whatever comes of it: an
error that helps and says nothing of anybody, with all that was published as it was, or every row accounted for by a
count that the database has no part in. Does not belong here: what is delivered (`test_bad_*.py`).
"""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from privacy_assets.build import steps
from privacy_assets.contracts.loading import Project
from privacy_assets.contracts.promises import promises
from privacy_assets.errors import Fault, PrivacyAssetsError
from privacy_assets.gate import Gate, Passport, Standing
from privacy_assets.stages.asset import _check_results, _faults, _published, counted
from privacy_assets.stages.step import Outcome, Step, carry_out
from privacy_assets.warehouse.connections import governed
from privacy_assets.warehouse.versions import file_digest
from privacy_assets.words import AssetName
from tests.conftest import CONSENTS, PATIENTS, SMOKING, environment_in
from tests.under_fire.scanner import Canary, Scanner

WHO = "Zwyxaquen Brandoqel"
"""The name of nobody: it is planted in what arrives, and may be found in nothing that is told."""
CANARY = Canary(0, "name", ("Zwyxaquen", "Brandoqel", "zwyxaquen", "ZWYXAQUEN"), (WHO, WHO.lower()))

COLUMNS = ("patient_id", "email", "sex", "age", "smoker", "cost", "registered", "name", "height", "seen")
_MORE = """\
      - name: name
        logicalType: string
        customProperties:
          - {property: privacy, value: {role: direct_identifier, category: user.name}}
      - name: height
        logicalType: number
        physicalType: DOUBLE
        customProperties:
          - {property: privacy, value: {role: attribute, category: user.health_and_medical}}
      - name: seen
        logicalType: timestamp
        customProperties:
          - {property: privacy, value: {role: attribute, category: user.health_and_medical}}
"""
_SERVER = re.compile(r"    path: data/samples/patients.csv\n.*?(?=customProperties:\n  - property: privacy)", re.DOTALL)

_READING = "    customProperties:\n      - {property: reading, value: {header: %s, null_text: [%s], trim: %s}}\n"
_CSV = "    format: csv\n    delimiter: %s\n    encoding: %s\n" + _READING
SOURCES = {
    "csv": _CSV % ("','", "utf-8", "true", '""', "false"),
    "semicolon": _CSV % ("';'", "utf-8", "true", '""', "false"),
    "tsv": _CSV % (r'"\t"', "utf-8", "true", '""', "false"),
    "headless": _CSV % ("','", "utf-8", "false", '""', "false"),
    "trimmed": _CSV % ("','", "utf-8", "true", '"", "NA", "-"', "true"),
    "utf-16": _CSV % ("','", "utf-16", "true", '""', "false"),
    "latin-1": _CSV % ("','", "latin-1", "true", '""', "false"),
    "strict": _CSV % ("','", "utf-8", "true", '""', "false"),
    "parquet": "    format: parquet\n",
    "ndjson": "    format: ndjson\n",
}
"""How the contract describes its source. Nine of ten rows may be unusable, but for `strict`: as usual."""

_COMPARED = ("patient_id", "name")
"""Text that is looked for as it was written."""

PEOPLE = 20
_WITHOUT_CONSENT, _OUTDATED = f"p-{PEOPLE:02}", "p-19"
RAW, MINIMIZED = AssetName.parse("raw/patients"), AssetName.parse("minimized/smoking/patients")


def person(number: int, **cells: str) -> dict[str, str]:
    """The cells of one person as text; the last never consented, the one before is past retention."""
    name = f"p-{number:02}"
    return {
        "patient_id": name,
        "email": f"zwyxaquen{number}@example.org",
        "sex": "FMX"[number % 3],
        "age": str(20 + number),
        "smoker": "true" if number % 2 else "false",
        "cost": f"{number}.50",
        "registered": "2001-01-01" if name == _OUTDATED else f"2026-01-{1 + number % 28:02}",
        "name": f"{WHO} {number}",
        "height": f"1.{50 + number}",
        "seen": f"2026-02-{1 + number % 28:02} 09:30:00",
    } | cells


def people(**cells: str) -> list[dict[str, str]]:
    """Everybody; the third has these cells instead."""
    return [person(number, **(cells if number == 3 else {})) for number in range(1, PEOPLE + 1)]


def text(rows: Iterable[Mapping[str, str]], delimiter: str = ",", end: str = "\n", header: bool = True) -> str:
    """People as a delimited file, as Python writes it."""
    rows = list(rows)
    written = io.StringIO()
    writer = csv.DictWriter(written, list(rows[0]), delimiter=delimiter, lineterminator=end)
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


def lines(rows: Iterable[Mapping[str, Any]]) -> str:
    """People as newline-delimited JSON."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@dataclass(frozen=True)
class Taken:
    """Rows came in: so many in quarantine, for these reasons. `rows` is how many there are, where no reader can say."""

    quarantined: int = 0
    reasons: tuple[str, ...] = ()
    rows: int | None = None


@dataclass(frozen=True)
class Refused:
    """Nothing came in, and the error says this."""

    says: str


@dataclass
class Tally:
    """What was tried, and what came of it."""

    tried: int = 0
    refused: int = 0
    taken: int = 0
    rows: int = 0
    quarantined: int = 0
    ruled_out: int = 0

    def figures(self) -> dict[str, int]:
        """As it is printed."""
        return {
            "tried": self.tried,
            "refused with a next step": self.refused,
            "taken with every row accounted": self.taken,
            "rows in": self.rows,
            "quarantined with a reason": self.quarantined,
            "refused by rule": self.ruled_out,
            "tracebacks": 0,
            "rows unaccounted": 0,
        }


def write_people_project(root: Path, source: str) -> None:
    """The project of the tiny clinic, with three columns more, and people read in one format."""
    described = f"    path: data/samples/people\n{SOURCES[source]}"
    contract = _SERVER.sub(lambda _: described, PATIENTS) + _MORE
    if source != "strict":
        contract = contract.replace("      third_parties: []\n", "      quarantine_at_most: 0.9\n")
    decided = "patient_id,purpose,decision,decided_at\n" + "".join(
        f"p-{number:02},smoking,granted,2026-02-01 09:00:00\n" for number in range(1, PEOPLE)
    )
    for name, content in {
        "data/contracts/patients.odcs.yaml": contract,
        "data/contracts/consents.odcs.yaml": CONSENTS,
        "data/purposes/smoking.yaml": SMOKING,
        "data/samples/consents.csv": decided,
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    (root / "data/samples/people").write_bytes(good(source))


def good(source: str) -> bytes:
    """A delivery that is as its contract says."""
    rows = people()
    if source == "parquet":
        written = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), written)
        return written.getvalue()
    if source == "ndjson":
        return lines(rows).encode()
    delimiter = {"semicolon": ";", "tsv": "\t"}.get(source, ",")
    encoding = source if source in ("utf-16", "latin-1") else "utf-8"
    return text(rows, delimiter, header=source != "headless").encode(encoding)


@dataclass
class Reception:
    """Projects in which the good delivery is published, made once for each format; every delivery has its own copy."""

    folder: Path
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self.published = cache(self._published)
        self.count = 0

    def _published(self, source: str) -> Project:
        folder = self.folder / f"good {source}"
        write_people_project(folder / "project", source)
        gate = Gate.open(folder / "project", environment_in(folder))
        made = steps(gate.project)
        for asset in (AssetName.parse("raw/consents"), RAW, MINIMIZED):
            carry_out(made[asset], gate).raise_faults()
        return gate.project

    def copied(self, source: str) -> Desk:
        """A copy of the project, its home and its guards."""
        project = self.published(source)
        self.count += 1
        folder = self.folder / str(self.count)
        shutil.copytree(self.folder / f"good {source}", folder)
        project = replace(project, root=folder / "project")
        return Desk(folder, source, Gate.open(project.root, environment_in(folder), project), steps(project))

    def receive(
        self, source: str, content: bytes, expected: Taken | Refused | None = None, rows: range | None = None
    ) -> Taken | Refused:
        """Deliver, take in, and ask everything of what comes of it; where it is not what was expected, it fails.

        `rows` is how many there may be, where no reader of Python's can say.
        """
        desk = self.copied(source)
        (desk.gate.project.root / "data/samples/people").write_bytes(content)
        if isinstance(expected, Taken) and expected.rows is not None:
            rows = range(expected.rows, expected.rows + 1)
        came = desk.receive(content, rows, self.tally)
        if isinstance(expected, Taken):
            assert isinstance(came, Taken), came
            assert (came.quarantined, came.reasons) == (expected.quarantined, expected.reasons)
        if isinstance(expected, Refused):
            assert isinstance(came, Refused), came
            assert expected.says in came.says
        shutil.rmtree(desk.folder)
        return came


@dataclass(frozen=True)
class Desk:
    """One project in which a good delivery is published, and the next one lies before it."""

    folder: Path
    source: str
    gate: Gate
    steps: Mapping[AssetName, Step]

    def receive(self, content: bytes, rows: range | None, tally: Tally) -> Taken | Refused:
        """Take in what lies there. Everything that is promised of bad input is asserted here."""
        before, stood = self.state(), self.gate.latest(RAW)
        assert stood is not None
        tally.tried += 1
        outcome, faults = _carried(self.steps[RAW], self.gate)
        if faults:
            helps(faults)
            tells_nobody("\n".join(map(str, faults)), repr(_faults(faults)), self.metadata(outcome))
            assert self.state() == before, "something published changed"
            assert self.gate.latest(RAW) == stood
            assert self.gate.examine(RAW).standing is Standing.KEPT
            tally.refused += 1
            return Refused("\n".join(map(str, faults)))
        assert outcome is not None
        assert outcome.passport is not None
        held = self.held(outcome.passport)
        taken = self.accounted(content, rows, outcome.passport, held)
        tells_nobody(self.metadata(outcome))
        ruled_out = self.ruled(held)
        assert not list(Scanner([CANARY]).scan_files(self.folder, lambda path: "samples" in path.parts))
        tally.taken += 1
        tally.rows += taken.rows or 0
        tally.quarantined += taken.quarantined
        tally.ruled_out += ruled_out
        return taken

    def state(self) -> dict[str, str]:
        """The digest of every file of the home and its guards, but for the locks."""
        return {
            str(path.relative_to(self.folder)): file_digest(path)
            for place in ("home", "guards")
            for path in sorted((self.folder / place).rglob("*"))
            if path.is_file() and path.suffix != ".lock"
        }

    def metadata(self, outcome: Outcome | None) -> str:
        """What Dagster would be told."""
        if outcome is None:
            return ""
        step, asked = self.steps[RAW], promises(self.gate.project, RAW)
        told: list[Any] = [_check_results(asked, outcome, candidate=outcome.passport is None), counted(outcome.counts)]
        if outcome.passport is not None:
            told.append(_published(step, outcome.passport, outcome.destroyed))
        return repr(told)

    def held(self, passport: Passport) -> dict[str, list[dict[str, Any]]]:
        """The rows of data, quarantine and evidence of a version."""
        held = {}
        with governed(self.gate.home.spill, inputs={"v": self.gate.attachment(passport)}, candidate=None) as con:
            for table in ("data", "quarantine", "evidence"):
                cursor = con.execute(f"SELECT * FROM v.main.{table}")
                names = [str(column[0]) for column in cursor.description or ()]
                held[table] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return held

    def accounted(
        self, content: bytes, rows: range | None, passport: Passport, held: Mapping[str, Sequence[Mapping[str, Any]]]
    ) -> Taken:
        """Rows in, counted apart, are rows in data and rows in quarantine, each of those with its reasons."""
        evidence = {row["name"]: row["value"] for row in held["evidence"]}
        data, aside = held["data"], held["quarantine"]
        received = None if rows is not None else received_rows(self.source, content)
        counted_apart = len(data) + len(aside)
        assert counted_apart in (rows or (len(received or ()),)), (counted_apart, rows or len(received or ()))
        assert counted_apart == evidence["source_rows"]
        assert len(data) == evidence["data_rows"] == passport.rows
        assert len(aside) == evidence["quarantined_rows"]
        known = {column.name for column in self.gate.project.contracts["patients"].columns}
        reasons: Counter[str] = Counter()
        for row in aside:
            assert row["_reasons"]
            assert (row["_row"] is None) == (row["_reasons"] == ["malformed line"]) == (row["_line"] is not None)
            for reason in row["_reasons"]:
                assert reason == "malformed line" or reason.rpartition(":")[0] in known
            reasons.update(row["_reasons"])
        assert {f"quarantined, {reason}": count for reason, count in reasons.items()} == dict(passport.counts)
        if received and all(received) and self.source != "trimmed":
            # nothing was changed on the way: what was written lies in one of the two, as it was
            cells = {name: [row.get(name) for row in received if row] for name in _COMPARED}
            names = [name for name in _COMPARED if all(isinstance(cell, str | None) for cell in cells[name])]
            written = Counter(zip(*([cell or None for cell in cells[name]] for name in names), strict=True))
            lies = Counter(tuple(row[name] or None for name in names) for row in (*data, *aside) if names)
            assert written == lies, "what was written is not what lies there"
        return Taken(len(aside), tuple(sorted(reasons)), counted_apart)

    def ruled(self, held: Mapping[str, Sequence[Mapping[str, Any]]]) -> int:
        """How many rows the rules refuse; what is published and they are the rows of raw."""
        now = datetime.now(UTC).date()
        consented = {f"p-{number:02}" for number in range(1, PEOPLE)}
        oldest = now - timedelta(days=3650)
        past = [row for row in held["data"] if row["registered"] < oldest]
        asked = [row["patient_id"] for row in held["data"] if row["registered"] >= oldest]
        unasked = [subject for subject in asked if subject not in consented]
        outcome, faults = _carried(self.steps[MINIMIZED], self.gate)
        if faults:
            helps(faults)
            assert len(past) + len(unasked) == len(held["data"])
            return len(held["data"])
        assert outcome is not None
        assert outcome.passport is not None
        counts = outcome.passport.counts
        assert counts.get("refused, retention", 0) == len(past)
        assert counts.get("refused, consent", 0) == len(unasked)
        assert outcome.passport.rows + sum(counts.values()) == len(held["data"])
        tells_nobody(repr(counts))
        return sum(counts.values())


def _carried(step: Step, gate: Gate) -> tuple[Outcome | None, tuple[Fault, ...]]:
    """What came of a step. Any error but ours is a traceback that somebody would see."""
    try:
        outcome = carry_out(step, gate)
    except PrivacyAssetsError as error:
        assert error.__cause__ is None
        return None, error.faults
    return outcome, outcome.faults


def helps(faults: Sequence[Fault]) -> None:
    """Each fault says what, where, and what to do."""
    for fault in faults:
        assert fault.what
        assert fault.where, fault
        assert fault.next_step, fault
        assert "report it" not in fault.next_step, fault
        assert len(str(fault)) < 3000


def tells_nobody(*told: str) -> None:
    """No value of a person is in what is told."""
    found = list(Scanner([CANARY]).scan("\n".join(told).encode("utf-8", "replace"), "told"))
    assert not found, found


def received_rows(source: str, content: bytes) -> list[dict[str, Any] | None]:
    """The rows of a delivery as Python reads them; None for a line that is no row."""
    if source == "parquet":
        file = pq.ParquetFile(io.BytesIO(content))
        try:
            return list(file.read(list(_COMPARED)).to_pylist())
        except pa.ArrowInvalid:  # a column twice
            return [{}] * int(file.metadata.num_rows)
    if source == "ndjson":
        split = re.split(b"\r\n|\r|\n", content)
        return [_object(line) for line in split if line.strip(b" \t\v\f")]
    encoding = {"utf-16": "utf-16", "latin-1": "latin-1"}.get(source, "utf-8-sig")
    delimiter = {"semicolon": ";", "tsv": "\t"}.get(source, ",")
    try:
        read = csv.reader(io.StringIO(content.decode(encoding), newline=""), delimiter=delimiter, strict=True)
        rows = [row for row in read if row]
        names = list(COLUMNS) if source == "headless" else rows.pop(0) if rows else []
        if all(len(row) == len(names) for row in rows):
            return [dict(zip(names, row, strict=True)) for row in rows]
    except (UnicodeDecodeError, csv.Error):
        pass
    # some lines are no rows: each physical line is one
    decoded = content.decode(encoding, "replace")
    found = [line for line in re.split("\r\n|\r|\n", decoded) if line]
    return [None] * (len(found) - (source != "headless"))


def _object(line: bytes) -> dict[str, Any] | None:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key twice")
        return dict(pairs)

    try:
        found = json.loads(line.decode("utf-8"), object_pairs_hook=once)
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate is no character
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
