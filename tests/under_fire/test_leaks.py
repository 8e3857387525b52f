"""Nothing that a command writes or prints holds a value of a person, but the cells of the encrypted store that may.

People whose values stand nowhere else are sent through the whole corridor by the commands that people type, some of
which fail, are killed or abort; then every byte that they left is searched (`scanner.py`, and its own test shows that
it finds what is there). The encrypted versions are opened and held against what contract and purpose permit.
"""

from __future__ import annotations

import csv
import io
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from privacy_assets.build import steps
from privacy_assets.contracts.loading import Project
from privacy_assets.contracts.promises import SMALLEST_DOMAIN
from privacy_assets.gate import Gate
from privacy_assets.techniques.pseudonymize import PSEUDONYMIZE
from privacy_assets.warehouse.connections import Attachment, governed
from privacy_assets.words import AssetName, Stage
from tests.conftest import CONSENTS, PATIENTS, SMOKING
from tests.end_to_end.conftest import ROOT, Checkout
from tests.under_fire.canaries import FIELDS, Person, people
from tests.under_fire.scanner import Hit, Scanner, cells_as_bytes, summary, tables_of

SEED = 20_26
SOURCES = "data/samples/canaries"
"""Ignored by git, as the sample's are."""

COLUMNS = ("patient_id", "email", "name", "phone", "address", "note", "sex", "age", "smoker", "cost", "registered")

_MORE_COLUMNS = """\
      - name: name
        logicalType: string
        customProperties:
          - {property: privacy, value: {role: direct_identifier, category: user.name}}
      - name: phone
        logicalType: string
        customProperties:
          - property: privacy
            value:
              role: direct_identifier
              category: user.contact.phone_number
              identifier_domain: {name: phone, normalization: phone, region: GB}
      - name: address
        logicalType: string
        customProperties:
          - {property: privacy, value: {role: quasi_identifier, category: user.contact.address.street}}
      - name: note
        logicalType: string
        customProperties:
          - {property: privacy, value: {role: attribute, category: user.health_and_medical}}
"""

LETTERS = """\
kind: Purpose
purpose: reaching
version: 1.0.0
title: Who is written to
why: Try out how letters to people read
owner: team:clinic-data
lawful_basis: consent
retention_days: 365
datasets:
  patients:
    columns:
      patient_id: {why: letters are numbered, technique: {kind: token}}
      name: {why: it stands above the letter, technique: {kind: redact}}
      phone: {why: it stands below it, technique: {kind: redact}}
      address: {why: the street decides who delivers, technique: {kind: truncate_text, keep: 3}}
      note: {why: it is what the letter is about, technique: {kind: keep}}
      registered: {why: how long they are here, technique: {kind: shift_dates, max_days: 30}}
features:
  unit: person
  key: [patient_id]
  subject: patient_id
  sql: |
    SELECT patient_id, name, address, upper(note) AS about, registered FROM patients
guarantee:
  at_least_subjects: 5
training:
  from: features
  reason: the doctors who treat these people learn nothing new about them
"""


@dataclass(frozen=True)
class Fired:
    """A project after the commands: where it lies, who was planted, what was said, what to search with."""

    checkout: Checkout
    people: tuple[Person, ...]
    scanner: Scanner
    succeeded: tuple[subprocess.CompletedProcess[str], ...]
    failed: tuple[subprocess.CompletedProcess[str], ...]
    export: Path
    export_key: Path

    @property
    def gate(self) -> Gate:
        return Gate.open(self.checkout.project, self.checkout.env)


# ---- the project


def consents_to(person: Person, purpose: str) -> bool:
    """One in seven never allowed `smoking`, another one never allowed `reaching`."""
    return person.number % 7 != {"smoking": 0, "reaching": 1}[purpose]


VAULT = "      email: {why: the program parses addresses, technique: {kind: surrogate, generator: email}}\n"
"""Stand-ins are refused over fewer people than `SMALLEST_DOMAIN`."""


def declare(folder: Path, count: int) -> None:
    """The tiny project's declarations with columns for every field, and a second purpose."""
    letters = LETTERS
    if count > SMALLEST_DOMAIN * 1.3:
        letters = LETTERS.replace("      name: {", VAULT + "      name: {").replace(", name,", ", email, name,")
    patients = PATIENTS.replace("      - name: sex\n", _MORE_COLUMNS + "      - name: sex\n", 1)
    patients = patients.replace("third_parties: []", "third_parties: []\n      quarantine_at_most: 0.2")
    smoking = SMOKING.replace(
        "      sex:\n", "      note:\n        why: it may tell\n        technique: {kind: keep}\n      sex:\n", 1
    )
    for name, text in {
        "contracts/patients.odcs.yaml": patients,
        "contracts/consents.odcs.yaml": CONSENTS,
        "purposes/smoking.yaml": smoking,
        "purposes/reaching.yaml": letters,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("data/samples/", f"{SOURCES}/"), encoding="utf-8")


def write_sources(project: Path, everyone: Sequence[Person]) -> None:
    """These people, and what they decided."""
    (project / SOURCES).mkdir(parents=True)
    rows = [[*COLUMNS, "added"], *map(_row, everyone)]
    _write(project / SOURCES / "patients.csv", rows, ";")
    decisions = [
        [person.values["patient_id"], purpose, "granted", "2026-02-01 09:00:00"]
        for person in everyone
        for purpose in ("smoking", "reaching")
        if consents_to(person, purpose)
    ]
    _write(project / SOURCES / "consents.csv", [["patient_id", "purpose", "decision", "decided_at"], *decisions], ",")


_REASONS = (
    "age:unreadable", "registered:unreadable", "sex:outside domain", "smoker:unreadable", "cost:unreadable",
    "malformed line",
)  # fmt: skip


def _row(person: Person) -> list[str]:
    """One in ten is quarantined: a value stands where a number, a date or a category should, or a cell too many."""
    number, cells = person.number, dict(person.values)
    cells |= {
        "sex": "FMX"[number % 3],
        "age": str(20 + number % 60),
        "smoker": "true" if number % 2 else "false",
        "cost": f"{number}.50",
        "registered": f"2026-01-{1 + number % 28:02}",
    }
    match number % 50:
        case 3:
            cells["age"] = cells["note"]
        case 13:
            cells["registered"] = cells["name"]
        case 23:
            cells["sex"] = cells["email"]
        case 33:
            cells["smoker"], cells["cost"] = cells["added"], cells["phone"]
    row = [cells[name] for name in (*COLUMNS, "added")]
    return [*row, cells["address"]] if number % 50 == 43 else row


def _write(path: Path, rows: Sequence[Sequence[str]], delimiter: str) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


# ---- the commands


def fire(folder: Path, count: int, searched: int) -> Fired:
    """The project with so many people, after commands that succeed, that fail, that are killed and that abort.

    The first so many of them are searched for.
    """
    declare(folder.parent / "declared", count)
    made = Checkout.make(folder, folder.parent / "declared")
    everyone = tuple(people(count, SEED))
    write_sources(made.project, everyone)
    shutil.copy(ROOT / ".gitignore", made.project)
    (folder / "out").mkdir()
    export, export_key = folder / "out" / "copy.duckdb", folder / "key" / "copy.key"

    succeeded = [
        made.run("privacy-assets", "run"),
        made.materialize("raw/patients", "minimized/smoking/patients"),
        made.run("privacy-assets", "verify"),
        made.run("privacy-assets", "explain", "model/smoking"),
        made.run("privacy-assets", "show", "raw/patients"),
        made.run(
            "privacy-assets", "export", "training/reaching", "--purpose", "reaching",
            "--to", str(export), "--key-file", str(export_key),
        ),
    ]  # fmt: skip
    for ending in (signal.SIGKILL, signal.SIGABRT):
        end_in_the_middle(made, ending)
    failed = list(fail(made, everyone))
    made.shell("git init -q . && git add -A && git -c user.name=t -c user.email=t@t commit -qm everything && git gc -q")
    scanner = Scanner(canary for person in everyone[:searched] for canary in person.canaries)
    return Fired(made, everyone[:searched], scanner, tuple(succeeded), tuple(failed), export, export_key)


def fail(made: Checkout, everyone: Sequence[Person]) -> Iterator[subprocess.CompletedProcess[str]]:
    """Commands that meet a value where they cannot use it."""
    contract, purpose = "data/contracts/patients.odcs.yaml", "data/purposes/smoking.yaml"
    patients, consents = (made.project / SOURCES / name for name in ("patients.csv", "consents.csv"))
    one, other, third = (person.values for person in everyone[:3])
    # the database meets a note that is no number
    made.edit(purpose, "SELECT patient_id, sex,", "SELECT patient_id, CAST(note AS INTEGER) AS note, sex,")
    yield made.materialize("features/smoking")
    # a row too many is broken, and a decision cannot be read
    made.edit(contract, "quarantine_at_most: 0.2", "quarantine_at_most: 0.0")
    decisions = consents.read_text("utf-8")
    consents.write_text(decisions + f"{one['name']},smoking,{one['note']},{one['added']}\n", "utf-8")
    yield made.run("privacy-assets", "run")
    # there is no header, where DAGSTER_HOME is not set
    patients.write_text(f"{other['name']};{other['email']}\n{other['note']}\n", "utf-8")
    selected = 'key:"raw/patients"'
    yield made.shell(f"dagster asset materialize -m definitions --select '{selected}'", "DAGSTER_HOME")
    # bytes that are no text
    patients.write_bytes(third["note"].encode() + b"\xff\xfe\n" + third["name"].encode())
    yield made.materialize("raw/patients")
    # a value on the command line's side: an asset that is none
    yield made.run("privacy-assets", "export", "raw/patients", "--purpose", "smoking", "--to", "x", "--key-file", "y")


def end_in_the_middle(made: Checkout, ending: signal.Signals) -> None:
    """A run that a signal ends while a candidate is being written; where a core could be kept, nothing forbids it."""
    before = set(made.home.rglob("*.duckdb"))
    run = subprocess.Popen(
        ["privacy-assets", "run"],
        cwd=made.project,
        env=made.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2),
    )
    while run.poll() is None and not set(made.home.rglob("*.duckdb")) - before:
        time.sleep(0.002)
    run.send_signal(ending)
    assert run.wait() == -ending, "it ended by itself"


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((1_050, 1_050), id="1050 people"),
        pytest.param((14_000, 3_000), id="3000 of 14000 people", marks=pytest.mark.long),
    ],
)
def fired(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Fired:
    """The project after all its commands."""
    return fire(tmp_path_factory.mktemp("leaks") / "checkout", *request.param)


def test_the_canaries_were_read(fired: Fired) -> None:
    """Otherwise their absence says nothing: rows were taken in, rows were quarantined, and the failures were these."""
    assert [one.returncode for one in fired.succeeded] == [0] * len(fired.succeeded), fired.succeeded
    assert [one.returncode for one in fired.failed] == [1] * len(fired.failed), fired.failed
    counts = fired.gate.history(AssetName(Stage.RAW, dataset="patients"))[0].counts
    assert {f"quarantined, {reason}" for reason in _REASONS} == set(counts)
    assert min(counts.values()) >= len(fired.people) // 50
    failures = [one.stderr for one in fired.failed]
    assert "ConversionException" in failures[0]
    assert "quarantine_share is broken" in failures[1]
    for failure in failures[2:4]:
        assert "data/contracts/patients.odcs.yaml" in failure or "patients.csv" in failure


def test_no_value_is_in_any_byte_that_was_left(fired: Fired, figures: Callable[..., None]) -> None:
    """T-LEAK-1: home, project, its git repository, the user's and the temporary folder, and both streams."""
    sources = fired.checkout.project / SOURCES
    hits = fired.scanner.scan_files(fired.checkout.folder, without=lambda path: sources in (path, *path.parents))
    for place, one in enumerate((*fired.succeeded, *fired.failed)):
        hits += fired.scanner.scan((one.stdout + one.stderr).encode(), f"streams of command {place}")
    figures(
        f"T-LEAK-1 {len(fired.people):,} people",
        canaries=len(fired.people) * len(FIELDS),
        forms=fired.scanner.patterns,
        kilobytes=fired.scanner.searched // 1000,
        commands=len(fired.succeeded) + len(fired.failed) + 2,
        found=len(hits),
    )
    left = {path.name for path in fired.checkout.folder.rglob("*")}
    assert {"index.db", "checkpoint", ".git"} <= left
    assert any(name.endswith(".duckdb") for name in left)
    assert summary(hits) == {}


# ---- what the encrypted store may hold


Cells = Mapping[tuple[str, str, str], frozenset[str]]
"""Which fields stand in (asset, table, column)."""


def permitted(project: Project, everyone: Sequence[Person]) -> Cells:
    """Which fields each cell of the store may hold, by contract, purpose and the lineage that they give.

    Raw holds everything under its own name (quarantine wherever it was received); a technique hands a value on only
    if it could have put it out; what a query computes holds what it was computed from; a model holds nobody.
    """
    may: dict[tuple[str, str, str], frozenset[str]] = {}
    for asset, step in steps(project).items():
        name = str(asset)
        for column in step.columns:
            fields: frozenset[str] = frozenset()
            if asset.stage is Stage.RAW:
                fields = frozenset({column.name} & set(FIELDS))
            elif asset.stage is not Stage.MODEL:
                sources = step.lineage.direct[column.name]
                fields = frozenset().union(
                    *(may[str(step.views[view].asset), "main.data", source] for view, source in sources)
                )
            if asset.stage is Stage.PSEUDONYMIZED:
                fields = frozenset(
                    field for field in fields if _can_put_out(project, asset, column.name, everyone[0].values[field])
                )
            may[name, "main.data", column.name] = fields
    return may


def _can_put_out(project: Project, asset: AssetName, name: str, value: str) -> bool:
    """Whether a column of text, as its technique leaves it, may hold this value, by what `masked` asks of it."""
    technique = project.purposes[asset.purpose].datasets[asset.dataset].columns[name].technique
    before = next(column for column in project.minimized_columns(asset.purpose, asset.dataset) if column.name == name)
    if before.type != "VARCHAR":
        return False
    violated = PSEUDONYMIZE[technique.kind].violated(technique, before).sql(dialect="duckdb")
    with duckdb.connect() as con:
        (broken,) = con.execute(f'SELECT {violated} FROM (SELECT ? AS "{name}")', [value]).fetchone() or (None,)
    return not broken


def held(con: duckdb.DuckDBPyConnection, asset: str, scanner: Scanner) -> dict[tuple[str, str, str], set[Hit]]:
    """What stands in each cell of the version that is attached as `held`."""
    found: dict[tuple[str, str, str], set[Hit]] = {}
    for place, cells in tables_of(con, "held"):
        table, _, column = place.rpartition(".")
        hits = found.setdefault((asset, table, column), set())
        for name, content in cells_as_bytes([(place, cells)]):
            hits.update(scanner.scan(content, name))
    return found


Store = list[tuple[AssetName, dict[tuple[str, str, str], set[Hit]]]]


@pytest.fixture(scope="module")
def store(fired: Fired) -> Store:
    """Every version whose file is still there, and the copy that was exported, with what stands in each cell."""
    gate = fired.gate
    there = [(found, gate.attachment(found)) for asset in steps(gate.project) for found in gate.history(asset)]
    exported = AssetName(Stage.TRAINING, "reaching")
    attached = [(found.asset, key) for found, key in there]
    attached.append((exported, Attachment(fired.export, fired.export_key.read_text())))
    found = []
    for asset, attachment in attached:
        with governed(gate.home.spill, inputs={"held": attachment}, candidate=None) as con:
            found.append((asset, held(con, str(asset), fired.scanner)))
    return found


def test_each_stage_holds_the_fields_that_it_may_hold(fired: Fired, store: Store, figures: Callable[..., None]) -> None:
    """T-LEAK-3: each cell of every version holds the fields that it may hold, all of them, and no others."""
    may = permitted(fired.gate.project, fired.people)
    wrong: dict[tuple[str, str, str], frozenset[str]] = {}
    tried = full = 0
    for asset, found in store:
        for cell, hits in found.items():
            fields, allowed, least = frozenset(hit.field for hit in hits), may.get(cell, frozenset()), None
            if asset.stage is Stage.RAW and cell[1] == "main.quarantine":
                # as it was received, wherever that was
                allowed, least = frozenset(FIELDS), frozenset()
            elif asset.stage is Stage.RAW and cell[1] == "main.data":
                allowed = frozenset({cell[2]} & set(FIELDS))
            tried, full = tried + 1, full + bool(allowed)
            if not (allowed if least is None else least) <= fields <= allowed:
                wrong[cell] = fields ^ allowed
    figures(f"T-LEAK-3 {len(fired.people):,} people", cells=tried, that_may_hold_a_field=full, wrong=len(wrong))
    assert full
    assert wrong == {}


def test_who_never_consented_is_in_raw_alone(fired: Fired, store: Store) -> None:
    """Of each purpose's assets, none holds a value of anybody who did not allow that purpose."""
    for asset, found in store:
        owners = {hit.owner for hits in found.values() for hit in hits}
        if asset.purpose:
            assert {person.number for person in fired.people if not consents_to(person, asset.purpose)}.isdisjoint(
                owners
            )
        elif asset.dataset == "patients":
            assert owners == {person.number for person in fired.people}
