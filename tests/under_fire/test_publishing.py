"""The publish gate: what breaks a promise, cannot be measured or is not in the ledger is seen by nobody.

Belongs here: mutants of steps, one for each invariant, and files that were never published. Does not belong here: the
laws of a single invariant (`tests/invariants`), who may read which stage (`tests/test_gate.py`).
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from privacy_assets.build import steps
from privacy_assets.contracts import promises
from privacy_assets.errors import BadSource, EngineFailed, NotKept, PrivacyAssetsError, Tampered
from privacy_assets.gate import PASSING, PERSON, Gate, compares
from privacy_assets.invariants import INVARIANTS, has_rows
from privacy_assets.stages.asset import asset_of
from privacy_assets.stages.step import Step, Work, carry_out
from privacy_assets.warehouse.connections import governed
from privacy_assets.words import AssetName

REACHING = """\
kind: Purpose
purpose: reaching
version: 1.0.0
title: Who can be reached
why: Try out how people are written to
owner: team:clinic-data
lawful_basis: legitimate_interests
retention_days: 365
datasets:
  patients:
    columns:
      patient_id: {why: it joins, technique: {kind: token}}
      email: {why: the program parses addresses, technique: {kind: surrogate, generator: email}}
features:
  unit: person
  key: [patient_id]
  subject: patient_id
  sql: |
    SELECT patient_id FROM patients
"""

HIDING = """\
kind: Purpose
purpose: hiding
version: 1.0.0
title: A table that shows nobody
why: Try out what nobody stands out in
owner: team:clinic-data
lawful_basis: legitimate_interests
retention_days: 365
datasets:
  patients:
    columns:
      patient_id: {why: it joins, technique: {kind: token}}
      sex: {why: it differs, technique: {kind: keep}}
      age: {why: it differs, technique: {kind: bucket, edges: [30, 50]}}
      smoker: {why: it is what is told, technique: {kind: keep}}
features:
  unit: person
  key: [patient_id]
  subject: patient_id
  sql: |
    SELECT patient_id, sex, age, smoker, sex <> 'X' OR age <> '<30' AS in_study FROM patients
guarantee:
  anonymity:
    criteria:
      - {kind: k_anonymity, k: 3}
      - {kind: l_diversity, l: 2}
      - {kind: t_closeness, t: 0.4}
      - {kind: delta_presence, member: in_study, at_most: 0.99}
      - {kind: hipaa_safe_harbor, ages: [age]}
    suppressed_at_most: 0.5
  drift:
    k_falls_at_most: 0
    rare_groups: {fewer_than: 10, share_rises_at_most: 0.1}
    distinct_share_at_most: 0.5
anonymized:
  techniques: [{kind: full_domain}]
statistics:
  privacy: {kind: differential, epsilon: 0.1}
  contribution: {rows: 1}
  queries: {people: {kind: count, by: [sex]}}
"""

TELLING = """\
kind: Purpose
purpose: telling
version: 1.0.0
title: Numbers as they are
why: Try out what few people are in
owner: team:clinic-data
lawful_basis: legitimate_interests
retention_days: 365
datasets:
  patients:
    columns:
      patient_id: {why: it joins, technique: {kind: token}}
      sex: {why: it differs, technique: {kind: keep}}
      smoker: {why: it is what is told, technique: {kind: keep}}
features:
  unit: person
  key: [patient_id]
  subject: patient_id
statistics:
  privacy: {kind: plain, at_least_subjects: 12}
  queries: {people: {kind: contingency_table, by: [sex, smoker]}}
"""

INVENTING = """\
kind: Purpose
purpose: inventing
version: 1.0.0
title: Rows of nobody
why: Try out what is drawn from people
owner: team:clinic-data
lawful_basis: legitimate_interests
retention_days: 365
datasets:
  patients:
    columns:
      patient_id: {why: it joins, technique: {kind: token}}
      sex: {why: it differs, technique: {kind: keep}}
      cost: {why: it differs, technique: {kind: keep}}
      smoker: {why: it is what is told, technique: {kind: keep}}
features:
  unit: person
  key: [patient_id]
  subject: patient_id
guarantee:
  withstands:
    kind: public_release
    tries_at_least: 1
    most_exposed_at_least: 1
    excess_at_most: 0.9
    most_exposed_at_most: 0.9
    shadows: 16
    members_at_most: 0.9
    members_at_most_of_few: 0.9
    members_at_most_of_pairs: 0.49
  fidelity: {marginals: 0.9, pairs: 0.9}
synthetic:
  synthesizer: {kind: sequential_trees, min_samples_leaf: 20}
  bounds: {cost: {low: 0, high: 100}}
"""

DATA = "candidate.main.data"
STRANGER = f"INSERT INTO {DATA} SELECT 'X', '*', smoker FROM {DATA} LIMIT 1"
MUTANTS: dict[str, tuple[str, str]] = {
    "attack_excess": (
        "synthetic/inventing",
        "UPDATE candidate.main.attacks SET tried = 1000, succeeded = 1000, control_tried = 1000, control_succeeded = 0",
    ),
    "fidelity": ("synthetic/inventing", "UPDATE candidate.main.fidelity SET value = 0.95 WHERE measure = 'pairs'"),
    "within_bounds": ("synthetic/inventing", f"UPDATE {DATA} SET cost = 101 WHERE rowid = 0"),
    "consent_valid": (
        "minimized/smoking/patients",
        f"INSERT INTO {DATA} SELECT * REPLACE ('p-60' AS patient_id) FROM {DATA} LIMIT 1",
    ),
    "delta_presence": ("anonymized/hiding", "UPDATE main.linked SET in_study = true"),
    "distinct_drift": ("anonymized/hiding", f"UPDATE {DATA} SET age = rowid"),
    "hipaa_safe_harbor": ("anonymized/hiding", f"UPDATE {DATA} SET age = '97'"),
    "k_anonymity": ("anonymized/hiding", STRANGER),
    "k_drift": ("anonymized/hiding", STRANGER),
    "l_diversity": ("anonymized/hiding", STRANGER),
    "noise_declared": ("statistics/hiding", f"UPDATE {DATA} SET scale = 0"),
    "metric_drift": ("model/smoking", f"UPDATE {DATA} SET value = 0.0"),
    "persons_per_class": ("anonymized/hiding", STRANGER),
    "suppressed_share": ("anonymized/hiding", f"DELETE FROM {DATA} WHERE rowid > 3"),
    "t_closeness": ("anonymized/hiding", STRANGER),
    "has_columns": ("raw/patients", f"ALTER TABLE {DATA} DROP COLUMN cost"),
    "has_rows": ("features/smoking", f"DELETE FROM {DATA}"),
    "has_subjects": ("features/smoking", f"UPDATE {DATA} SET patient_id = (SELECT min(patient_id) FROM {DATA})"),
    "identifiers_absent": (
        "pseudonymized/reaching/patients",
        f"UPDATE {DATA} SET email = (SELECT min(email) FROM patients) WHERE email = (SELECT min(email) FROM {DATA})",
    ),
    "in_domain": ("raw/patients", f"UPDATE {DATA} SET sex = 'Q' WHERE patient_id = 'p-01'"),
    "large_domain": ("pseudonymized/reaching/patients", f"UPDATE {DATA} SET email = 'one@example.net'"),
    "masked": ("pseudonymized/smoking/patients", f"UPDATE {DATA} SET age = 'forty-two'"),
    "not_null": ("raw/patients", f"UPDATE {DATA} SET registered = NULL WHERE patient_id = 'p-01'"),
    "only_columns": ("minimized/smoking/patients", f"ALTER TABLE {DATA} ADD COLUMN email VARCHAR"),
    "own_identifiers_absent": (
        "minimized/another/patients",
        f"UPDATE {DATA} SET note = 'seen ' || patient_id WHERE patient_id = 'p-01'",
    ),
    "quarantine_share": (
        "raw/patients",
        "INSERT INTO candidate.main.quarantine (_reasons) SELECT ['age:unreadable'] FROM range(60)",
    ),
    "rare_drift": ("anonymized/hiding", f"UPDATE {DATA} SET age = rowid"),
    "rows_accounted": ("raw/patients", f"DELETE FROM {DATA} WHERE patient_id = 'p-01'"),
    "splits_disjoint": (
        "training/smoking",
        f"INSERT INTO {DATA} SELECT * REPLACE (if(split = 'test', 'train', 'test') AS split) FROM {DATA} LIMIT 1",
    ),
    "splits_filled": ("training/smoking", f"UPDATE {DATA} SET split = 'train' WHERE split = 'test'"),
    "subjects_kept_apart": (
        "pseudonymized/smoking/patients",
        f"UPDATE {DATA} SET patient_id = (SELECT min(patient_id) FROM {DATA}) "
        f"WHERE patient_id = (SELECT max(patient_id) FROM {DATA})",
    ),
    "told_cells": ("statistics/telling", f"UPDATE {DATA} SET value = value + 1"),
    "untold_cells": ("statistics/telling", "UPDATE main.cells SET told = exact WHERE need IS NULL"),
    "unique": ("raw/patients", f"INSERT INTO {DATA} SELECT * FROM {DATA} LIMIT 1"),
    "utility_floor": ("model/smoking", f"UPDATE {DATA} SET value = 0.0"),
    "within_retention": ("minimized/smoking/patients", f"UPDATE {DATA} SET _retention_from = DATE '1990-01-01'"),
}
"""For each invariant, an asset that promises it, and what its mutant does to the candidate after it was written."""

COMPARING = {kind for kind in INVARIANTS if compares(kind)}
"""What compares with the version before, and has nothing to compare with where none stands."""

NOTE = """\
      - name: note
        logicalType: string
        customProperties:
          - property: privacy
            value: {role: direct_identifier, category: user.content, free_text: true}
"""
NOTING = REACHING.replace("purpose: reaching", "purpose: another").replace(
    "email: {why: the program parses addresses, technique: {kind: surrogate, generator: email}}",
    "note: {why: it says what happened, technique: {kind: redact_identifiers}}",
)

TRAINING, FEATURES, RAW = (AssetName.parse(name) for name in ("training/smoking", "features/smoking", "raw/patients"))


def mutant(step: Step, damage: Callable[[Work], None] | str) -> Step:
    """The step, with a fault in what it writes."""

    def write(work: Work) -> None:
        step.write(work)
        if isinstance(damage, str):
            work.con.execute(damage)
        else:
            damage(work)

    return replace(step, write=write)


def files(gate: Gate) -> set[Path]:
    return {path for path in gate.home.versions.rglob("*") if path.is_file()}


def told(gate: Gate) -> int:
    """How many entries the ledger has of anything but noise that was paid for, which is gone whatever comes of it."""
    return sum(entry.body["action"] != "debit" for entry in gate.ledger.entries())


def readers_of(gate: Gate, asset: AssetName) -> Iterator[Step]:
    """The steps that read the asset."""
    return (step for step in steps(gate.project).values() if asset in step.inputs)


@pytest.fixture
def demanding(tiny_project: Path, reopen: Callable[[], Gate], monkeypatch: pytest.MonkeyPatch) -> Callable[[], Gate]:
    """Opens the gate of the tiny project with all that can be promised in it; ten identifiers are many."""
    monkeypatch.setattr(promises, "SMALLEST_DOMAIN", 10)
    (tiny_project / "data/purposes/reaching.yaml").write_text(REACHING)
    (tiny_project / "data/purposes/another.yaml").write_text(NOTING)
    (tiny_project / "data/purposes/hiding.yaml").write_text(HIDING)
    (tiny_project / "data/purposes/telling.yaml").write_text(TELLING)
    (tiny_project / "data/purposes/inventing.yaml").write_text(INVENTING)
    budgeted = "{}\n{}budget: {{{{epsilon: 10, period_days: 30}}}}".format("[{}]", " " * 6)
    for file, old, new in (
        ("consents", "{value: another}", "{value: another}, {value: hiding}, {value: telling}, {value: inventing}"),
        ("consents", "lawful_bases: [legal_obligation]", "lawful_bases: " + budgeted.format("legal_obligation")),
        ("patients", "lawful_bases: [consent, legitimate_interests]",
         "lawful_bases: " + budgeted.format("consent, legitimate_interests")),
    ):  # fmt: skip
        declared = tiny_project / f"data/contracts/{file}.odcs.yaml"
        assert old in declared.read_text()
        declared.write_text(declared.read_text().replace(old, new))
    contract, rows = tiny_project / "data/contracts/patients.odcs.yaml", tiny_project / "data/samples/patients.csv"
    contract.write_text(contract.read_text() + NOTE)
    head, *lines = rows.read_text().splitlines()
    rows.write_text("\n".join([f"{head};note", *(f"{line};seen {line[:4]} today" for line in lines)]) + "\n")
    path = tiny_project / "data/purposes/smoking.yaml"
    text = path.read_text()
    asked = "  at_least_subjects: 5"
    assert asked in text
    more = "  utility: {metric: accuracy, at_least: 0.01}\n  drift: {metric_falls_at_most: 0.1}"
    path.write_text(text.replace(asked, f"{asked}\n{more}"))
    return reopen


def test_a_mutant_is_never_visible_and_never_consumed_later(
    demanding: Callable[[], Gate], figures: Callable[..., None]
) -> None:
    """T-PUB-1: each invariant broken in turn, before anything stands and after: no reader and no later run gets it."""
    assert set(MUTANTS) == set(INVARIANTS), "each invariant needs its mutant"
    gate = demanding()
    tried = refused = invisible = consumable = 0
    for rounds in ("nothing stands", "a version stands"):
        for asset, step in steps(gate.project).items():
            mine = [
                (kind, damage)
                for kind, (name, damage) in MUTANTS.items()
                if name == str(asset) and (rounds == "a version stands" or kind not in COMPARING)
            ]
            for kind, damage in mine:
                before, held, size = gate.latest(asset), files(gate), told(gate)
                outcome = carry_out(mutant(step, damage), gate)
                tried += 1
                assert any(f": {kind}" in fault.what for fault in outcome.faults), (kind, outcome.faults)
                refused += outcome.passport is None
                later = demanding()
                invisible += later.latest(asset) == before and files(later) == held and told(later) == size
                for reader in readers_of(later, asset):
                    if before is None:
                        with pytest.raises(PrivacyAssetsError, match=f"{asset} was never published"):
                            later.require(asset, reader.asset.stage)
                    else:
                        consumable += later.require(asset, reader.asset.stage).version != before.version
            if mine or rounds == "nothing stands":
                carry_out(step, gate).raise_faults()
    figures("T-PUB-1 mutants", tried=tried, refused=refused, invisible=invisible, consumable=consumable)
    assert tried == refused == invisible == 2 * len(INVARIANTS) - len(COMPARING)
    assert consumable == 0


def test_stock_dagster_lets_a_later_run_consume_what_failed_its_check(tmp_path: Path) -> None:
    """T-PUB-1, the control: a plain asset with a failing blocking check is read by the next run of what follows it."""

    @dg.asset(check_specs=[dg.AssetCheckSpec("nobody_unentitled", asset="people", blocking=True)])
    def people() -> Iterator[object]:
        yield dg.Output(["p-60"])
        yield dg.AssetCheckResult(passed=False, check_name="nobody_unentitled")

    @dg.asset
    def copied(people: list[str]) -> list[str]:
        return people

    resources = {"io_manager": dg.FilesystemIOManager(base_dir=str(tmp_path / "plain"))}
    with dg.DagsterInstance.ephemeral() as instance:
        first = dg.materialize([people, copied], instance=instance, resources=resources, raise_on_error=False)
        assert not first.success
        later = dg.materialize(
            [people, copied], selection=[copied], instance=instance, resources=resources, raise_on_error=False
        )
        assert later.success
        assert later.output_for_node("copied") == ["p-60"]


def test_a_check_that_crashes_is_interrupted_or_missing_publishes_nothing(
    published: Gate, figures: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """T-PUB-2: no answer is no pass, and what stood before stands."""
    step, passport = steps(published.project)[TRAINING], published.latest(TRAINING)
    assert passport is not None
    held, size = files(published), published.ledger.size
    question, refused, tried = has_rows.question, 0, 0
    forever = (
        'SELECT count(*) AS "rows" FROM range(10000000) AS a (one), range(10000000) AS b (other) WHERE one + other = 3'
    )

    def crashes(*_: object) -> object:
        raise RuntimeError("p-01")

    def fails(*_: object) -> object:
        return duckdb_query("SELECT CAST('p-01' AS INTEGER) AS rows")

    def hangs(*_: object) -> object:
        return duckdb_query(forever)

    def interrupts(work: Work) -> None:
        timer = threading.Timer(0.5, work.con.interrupt)
        timer.daemon = True
        timer.start()

    for asks, damage, error in (
        (crashes, "SELECT 1", RuntimeError),
        (fails, "SELECT 1", EngineFailed),
        (hangs, interrupts, EngineFailed),
    ):
        tried += 1
        monkeypatch.setattr(has_rows, "question", asks)
        with pytest.raises(error):
            carry_out(mutant(step, damage), published)
        monkeypatch.setattr(has_rows, "question", question)
        refused += (files(published), published.ledger.size) == (held, size)
    for lacking in [*range(len(passport.measured)), None]:
        tried += 1
        left = [one for at, one in enumerate(passport.measured) if lacking is not None and at != lacking]
        with pytest.raises(NotKept):
            published.publish(replace(passport, version="0" * 32, measured=tuple(left)), since=size)
        refused += published.ledger.size == size
    figures("T-PUB-2 checks that crash, hang or are missing", tried=tried, refused=refused)
    assert tried == refused
    assert published.examine(TRAINING).standing in PASSING


def duckdb_query(sql: str) -> object:
    """As an invariant's question is."""
    import sqlglot

    return sqlglot.parse_one(sql, dialect="duckdb")


def test_a_crash_of_a_check_tells_dagster_no_value(
    published: Gate, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """T-PUB-2: the run is red, its text names the kind of error and not what the error said."""

    def crashes(*_: object) -> object:
        raise RuntimeError("p-01")

    step = steps(published.project)[TRAINING]
    asset = asset_of(published.project, step, lambda: Gate.open(published.project.root, environment))
    with dg.DagsterInstance.ephemeral() as instance:
        monkeypatch.setattr(has_rows, "question", crashes)
        result = dg.materialize([asset], instance=instance, raise_on_error=False)
    assert not result.success
    (event,) = [event for event in result.all_events if event.is_step_failure]
    assert "RuntimeError" in str(event.event_specific_data)
    assert "p-01" not in str(event.event_specific_data)


def test_a_file_that_is_not_in_the_ledger_is_refused(
    published: Gate, reopen: Callable[[], Gate], figures: Callable[..., None]
) -> None:
    """T-PUB-3: another version's file, an older one, a longer, shorter or empty one, a link, one never published."""
    step = steps(published.project)[TRAINING]
    old = published.latest(TRAINING)
    assert old is not None
    carry_out(step, published).raise_faults()
    new = published.latest(TRAINING)
    assert new is not None
    path, older = (published.versions.path(str(TRAINING), one.version) for one in (new, old))
    content = path.read_bytes()
    half = len(content) // 2

    def rolled_back_with_its_key() -> None:
        shutil.copy(older, path)
        shutil.copy(older.with_suffix(".key"), path.with_suffix(".key"))

    def never_published() -> None:
        with published.candidate(TRAINING) as candidate:
            with governed(published.home.spill, inputs={}, candidate=candidate) as con:
                con.execute(f"CREATE TABLE {DATA} AS SELECT 'p-60' AS patient_id")
            candidate.seal()
            candidate.keep()
        candidate.path.replace(path)
        candidate.path.with_suffix(".key").replace(path.with_suffix(".key"))

    def linked() -> None:
        path.unlink()
        path.symlink_to(older)

    attacks: list[Callable[[], object]] = [
        lambda: shutil.copy(older, path),
        rolled_back_with_its_key,
        never_published,
        linked,
        lambda: path.write_bytes(content + b"\0"),
        lambda: path.write_bytes(content[:-4096]),
        lambda: path.write_bytes(b""),
        lambda: path.write_bytes(content[:half] + bytes([content[half] ^ 1]) + content[half + 1 :]),
    ]
    key = path.with_suffix(".key").read_bytes()
    refused = 0
    for attack in attacks:
        attack()
        with pytest.raises(Tampered):
            reopen().require(TRAINING, PERSON)
        refused += 1
        path.unlink()
        path.write_bytes(content)
        path.with_suffix(".key").write_bytes(key)
    assert reopen().require(TRAINING, PERSON) == new
    figures("T-PUB-3 files that the ledger does not hold", tried=len(attacks), refused=refused)
    # the control: the older file by itself is sound, and its key opens it; only the ledger says that it is not this one
    with governed(published.home.spill, inputs={"held": published.attachment(old)}, candidate=None) as con:
        assert con.execute("SELECT count(*) FROM held.main.data").fetchone() == (old.rows,)


CANARY = "size-eleven-and-a-half"


def test_an_added_column_is_seen_and_flows_nowhere(published: Gate, figures: Callable[..., None]) -> None:
    """T-PUB-4: it stays in raw, is a visible finding, and 0 of the stages after it hold its name or a value of it."""
    path = published.project.root / "data/samples/patients.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([f"{lines[0]};shoe_size", *(f"{line};{CANARY}" for line in lines[1:])]) + "\n")
    holding = after = 0
    for asset, step in steps(published.project).items():
        outcome = carry_out(step, published)
        outcome.raise_faults()
        assert outcome.passport is not None
        with governed(
            published.home.spill, inputs={"held": published.attachment(outcome.passport)}, candidate=None
        ) as con:
            tables = con.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'held'").fetchall()
            text = "".join(str(con.execute(f'SELECT * FROM held.main."{name}"').fetchall()) for (name,) in tables)
        held = CANARY in text or "unknown_8" in dict(outcome.passport.columns)
        if asset == RAW:
            assert held, "the control: raw keeps it"
            assert "unknown_8" in dict(outcome.passport.columns)
        else:
            holding += held
            after += 1
    figures("T-PUB-4 an added column", **{"stages after raw": after, "holding it": holding})
    assert after > 5
    assert holding == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [("registered", "enrolled"), (";cost;", ";price;")],
    ids=["renamed", "one less and one more"],
)
def test_a_needed_column_that_is_gone_is_refused(published: Gate, before: str, after: str) -> None:
    """T-PUB-4: raw is not published, the fault names the column, what stood stands."""
    path = published.project.root / "data/samples/patients.csv"
    path.write_text(path.read_text().replace(before, after, 1))
    stood = published.latest(RAW)
    with pytest.raises(BadSource, match=before.strip(";")):
        carry_out(steps(published.project)[RAW], published)
    assert published.latest(RAW) == stood
    assert published.examine(RAW).standing in PASSING


def test_a_needed_column_of_another_type_is_refused(published: Gate) -> None:
    """T-PUB-4: ages that became words go to quarantine, which is too full then; what stood stands."""
    path = published.project.root / "data/samples/patients.csv"
    head, *lines = path.read_text().splitlines()
    rows = [";".join([*line.split(";")[:3], "old", *line.split(";")[4:]]) for line in lines]
    path.write_text("\n".join([head, *rows]) + "\n")
    stood = published.latest(RAW)
    outcome = carry_out(steps(published.project)[RAW], published)
    assert outcome.passport is None
    assert any("quarantine_share" in fault.what for fault in outcome.faults)
    assert published.latest(RAW) == stood
