"""The corridor by the README's and Dagster's own commands: when it ends with 1, what it says, and what stands then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from privacy_assets.gate import Gate
from privacy_assets.words import AssetName

PURPOSE = "data/purposes/readmission_model.yaml"
FEATURES, ANONYMIZED, TRAINING = (f"{stage}/readmission_model" for stage in ("features", "anonymized", "training"))

CLOCK = """
from datetime import UTC, datetime, timedelta
from pathlib import Path

from privacy_assets.build import build_definitions
from privacy_assets.gate import Gate

ROOT = Path(__file__).parent


def two_days_later():
    gate = Gate.open(ROOT)
    gate.now = lambda: datetime.now(UTC) + timedelta(days=2)
    return gate


defs = build_definitions(ROOT, open_gate=two_days_later)
"""


def gate_of(checkout: Any) -> Gate:
    return Gate.open(checkout.project, checkout.env)


def standing(checkout: Any, asset: str) -> str:
    return gate_of(checkout).examine(AssetName.parse(asset)).standing.value


def state(checkout: Any) -> dict[str, bytes]:
    """Every byte that was published: the files of all versions, their keys, the ledger's entries."""
    folders = [checkout.home / "versions", checkout.home / "ledger"]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return {str(path): path.read_bytes() for path in files}


def version_of(checkout: Any, asset: str) -> Path:
    gate, name = gate_of(checkout), AssetName.parse(asset)
    passport = gate.latest(name)
    assert passport is not None
    return gate.versions.path(asset, passport.version)


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@contextmanager
def history(checkout: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """What Dagster recorded, as its web server would show it."""
    for name, value in checkout.env.items():
        if name.startswith(("PRIVACY_ASSETS", "DAGSTER")):
            monkeypatch.setenv(name, value)
    with dg.DagsterInstance.get() as instance:
        yield instance


def checks_of(instance: dg.DagsterInstance, run: str | None = None) -> list[dg.AssetCheckEvaluation]:
    """All evaluations of the newest run, or of one run."""
    newest = run or instance.get_runs(limit=1)[0].run_id
    records = instance.get_records_for_run(newest, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    return [record.event_log_entry.dagster_event.asset_check_evaluation_data for record in records]


def test_a_promise_that_is_not_kept_ends_the_run_and_every_later_one(checkout: Any, monkeypatch: pytest.MonkeyPatch):
    """The run says what was found and promised in which line; what was published stays; what reads it is refused."""
    checkout.edit(PURPOSE, "at_least_subjects: 1000", "at_least_subjects: 100000")
    line = 1 + (checkout.project / PURPOSE).read_text().splitlines().index("  at_least_subjects: 100000")
    before = state(checkout)

    same_run = checkout.materialize(FEATURES)
    assert same_run.returncode == 1
    assert f"{FEATURES}: not published" in same_run.stderr
    assert f"{PURPOSE}:{line}: {FEATURES}: has_subjects__patient_id is broken" in same_run.stderr
    assert "expected: at least 100000 different subjects" in same_run.stderr
    assert "found: rows " in same_run.stderr
    assert "next: take in more people" in same_run.stderr

    with history(checkout, monkeypatch) as instance:
        by_name = {check.check_name: check for check in checks_of(instance)}
        failed = by_name.pop("has_subjects__patient_id")
        assert not failed.passed
        assert failed.metadata["subject"].value == "candidate"
        assert failed.metadata["verdict"].value == "broken"
        assert failed.metadata["promised_in"].value == f"{PURPOSE}:{line}"
        assert by_name
        assert all(check.passed and check.metadata["subject"].value == "candidate" for check in by_name.values())
        assert not instance.get_records_for_run(
            instance.get_runs(limit=1)[0].run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
        ).records

    later_run = checkout.materialize(TRAINING)
    assert later_run.returncode == 1
    assert f"{PURPOSE}:{line}: {FEATURES}: has_subjects__patient_id is broken" in later_run.stderr
    assert "published" not in later_run.stderr.replace("not published", "").replace("was published", "")

    assert state(checkout) == before
    checkout.edit(PURPOSE, "at_least_subjects: 100000", "at_least_subjects: 1000")
    assert standing(checkout, TRAINING) == "kept"


def test_a_source_with_too_many_broken_rows_is_not_taken_in(checkout: Any):
    """More rows than the contract allows go to quarantine: nothing is published, and the line is named."""
    patients = checkout.project / "data/samples/clinic/patients.csv"
    head, *rows = patients.read_text().splitlines(keepends=True)
    patients.write_text(head + "".join(row.replace("female", "woman") for row in rows))
    before = state(checkout)
    done = checkout.materialize("raw/patients")
    assert done.returncode == 1
    assert "data/contracts/patients.odcs.yaml:" in done.stderr
    assert "quarantine_share is broken" in done.stderr
    assert "next: " in done.stderr
    assert state(checkout) == before
    assert standing(checkout, "model/readmission_model") == "kept"


def test_a_flipped_byte_in_an_input_ends_a_later_run(checkout: Any):
    """The file is compared with the ledger before it is opened."""
    flip_a_byte(version_of(checkout, ANONYMIZED))
    before = state(checkout)
    done = checkout.materialize(TRAINING)
    assert done.returncode == 1
    assert f"{ANONYMIZED} version" in done.stderr
    assert "the file is not the one that was published" in done.stderr
    assert "ledger entry" in done.stderr
    assert "next: stop and find out who changed it" in done.stderr
    assert state(checkout) == before


def test_consent_withdrawn_long_ago_ends_a_later_run_until_it_is_rebuilt(checkout: Any):
    """Two days after fifty people withdrew, what holds them is refused, and says how to rebuild it."""
    consents = checkout.project / "data/samples/clinic/consents.csv"
    head, *rows = consents.read_text().splitlines(keepends=True)
    granted = [row.split(",")[0] for row in rows if "readmission_model,granted" in row][:50]
    withdrawn = [f"{patient},readmission_model,withdrawn,2026-07-01T09:00:00\n" for patient in granted]
    consents.write_text(head + "".join(rows + withdrawn))
    (checkout.project / "later.py").write_text(CLOCK)

    assert checkout.materialize("raw/consents").returncode == 0
    assert standing(checkout, FEATURES) == "stale"
    before = state(checkout)
    done = checkout.materialize(TRAINING, module="later")
    assert done.returncode == 1
    assert "people in it have withdrawn, objected or passed retention since it was built" in done.stderr
    assert "expected: a rebuild within 24 hours (withdrawal_effect_hours)" in done.stderr
    assert "overdue since" in done.stderr
    assert "next: dagster asset materialize" in done.stderr
    assert not [patient for patient in granted if patient in done.stderr]
    assert state(checkout) == before


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        pytest.param("patients.email", [f"{PURPOSE}:", "email"], id="column that the purpose does not have"),
        pytest.param(
            "CAST(patients.smoker AS INTEGER) AS smoker",
            ["computing features", "ConversionException"],
            id="database fails",
        ),
    ],
)
def test_impossible_features_end_the_run(checkout: Any, sql: str, said: list[str]):
    """What can be known before is refused with its place; what the database refuses names step and kind only."""
    checkout.edit(PURPOSE, "      patients.smoker,\n", f"      {sql},\n")
    before = state(checkout)
    done = checkout.materialize(FEATURES)
    assert done.returncode == 1
    for text in said:
        assert text in done.stderr
    assert "Could not convert" not in done.stderr
    assert state(checkout) == before


def test_verification_measures_everything_again_and_writes_nothing(checkout: Any, monkeypatch: pytest.MonkeyPatch):
    """The job of all checks passes on what was published, and neither publishes nor appends."""
    before = state(checkout)
    done = checkout.run("dagster", "job", "execute", "-m", "definitions", "-j", "verification")
    assert done.returncode == 0, done.stderr[-3000:]
    assert state(checkout) == before
    with history(checkout, monkeypatch) as instance:
        checks = checks_of(instance)
        gate = gate_of(checkout)
        assert len({(check.asset_key, check.check_name) for check in checks}) == len(checks)
        assert len(checks) == sum(len(gate.latest(asset).measured) for asset in gate.project.assets())
        assert all(check.passed and check.metadata["subject"].value == "published version" for check in checks)


def test_verification_ends_with_1_where_a_file_was_changed(checkout: Any):
    """It says that the file is not the published one, and still measures the others."""
    flip_a_byte(version_of(checkout, FEATURES))
    done = checkout.run("dagster", "job", "execute", "-m", "definitions", "-j", "verification")
    assert done.returncode == 1
    assert "the file is not the one that was published" in done.stderr
    assert "Asset check 'has_rows' on 'raw/visits' passed" in done.stderr


def test_ci_in_a_home_that_stays_ends_with_everything_verified(corridor: Any):
    """Both commands succeed, and verification finds everything kept."""
    assert corridor.said.returncode == 0, corridor.said.stderr[-3000:]
    assert "26 kept of 26 assets" in corridor.said.stdout


def test_the_home_holds_all_state_and_the_guards_lie_outside(corridor: Any):
    """Dagster's history is in the home; key and witness are where they were mounted; the project is as it was.

    But for what people read of it, which git does not.
    """
    made = corridor.checkout
    assert {path.name for path in made.home.iterdir()} >= {"dagster", "ledger", "versions", "home.json"}
    assert any((made.home / "dagster").rglob("*.db"))
    assert (made.folder / "key" / "master.key").stat().st_mode & 0o777 == 0o600
    assert any((made.folder / "witness").iterdir())
    assert {path.name for path in made.project.iterdir()} - {"__pycache__"} == {
        "data", "dagster.yaml", "definitions.py", "workspace.yaml", "lineage", "reports",
    }  # fmt: skip
    assert {"/lineage/", "/reports/"} <= set((Path(__file__).parents[2] / ".gitignore").read_text().split())
    assert not list((made.folder / "user").rglob("*.key"))
    assert not list((made.folder / "tmp").iterdir())


def test_an_asset_of_ones_own_reads_the_training_set_through_the_gate(checkout: Any, readme: dict[str, str]):
    """The example materializes beside the corridor, and its reading is in the ledger."""
    (checkout.project / "mine.py").write_text(readme["example"], encoding="utf-8")
    entries = checkout.home / "ledger" / "entries"
    before = entries.read_text().count("\n")
    done = checkout.materialize("my_baseline", module="mine")
    assert done.returncode == 0, done.stderr[-3000:]
    after = entries.read_text().splitlines()[before:]
    assert len(after) == 1
    assert '"action":"access"' in after[0]
    assert '"asset":"training/readmission_model"' in after[0]
