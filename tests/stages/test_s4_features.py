"""Features: the purpose's own SQL, as it was written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from privacy_assets.build import steps
from privacy_assets.gate import Gate
from privacy_assets.stages.step import carry_out
from privacy_assets.words import AssetName, Verdict

FEATURES = AssetName.parse("features/smoking")
SQL = "    SELECT patient_id, sex, age, smoker\n    FROM patients\n"

Rows = Callable[..., list[tuple[Any, ...]]]
Make = Callable[..., Any]
Edit = Callable[[str, str, str], None]


def test_the_sql_of_the_purpose_runs(
    published: Gate, reopen: Callable[[], Gate], rows: Rows, make: Make, edit: Edit
) -> None:
    """Names in any case, a filter, a common table expression: what comes out is what the text says."""
    edit(
        "data/purposes/smoking.yaml",
        SQL,
        "    WITH old AS (SELECT * FROM PATIENTS WHERE Age = '>=50')\n"
        "    SELECT PATIENT_ID, sex, age, smoker FROM Old\n",
    )
    gate = reopen()
    passport = make(gate, FEATURES).passport
    assert [name for name, _ in passport.columns] == ["patient_id", "sex", "age", "smoker"]
    assert rows(gate, FEATURES, "SELECT DISTINCT age FROM DATA") == [(">=50",)]
    # the tiny clinic's patients are from 21 to 80, and the one of 80 did not consent
    assert passport.rows == 30


def test_a_key_that_repeats_is_refused(published: Gate, reopen: Callable[[], Gate], edit: Edit) -> None:
    """A join that multiplies rows does not pass: each unit stands in one row."""
    edit(
        "data/purposes/smoking.yaml",
        SQL,
        "    SELECT a.patient_id, a.sex, a.age, a.smoker FROM patients AS a JOIN patients AS b ON a.sex = b.sex\n",
    )
    gate = reopen()
    outcome = carry_out(steps(gate.project)[FEATURES], gate)
    assert outcome.passport is None
    broken = [one.finding for one in outcome.measured if one.finding.verdict is Verdict.BROKEN]
    assert [finding.name for finding in broken] == ["unique__patient_id"]
    assert [fault.where for fault in outcome.faults] == ["data/purposes/smoking.yaml:27"]


def test_features_see_only_pseudonymized_tables_of_their_purpose(reaching: Gate, tiny_project: Path) -> None:
    """Each view is one dataset of the purpose, after its techniques, under the dataset's name."""
    step = steps(reaching.project)[AssetName.parse("features/reaching")]
    assert {name: str(view.asset) for name, view in step.views.items()} == {
        "patients": "pseudonymized/reaching/patients", "visits": "pseudonymized/reaching/visits",
    }  # fmt: skip
    assert step.lineage.direct["patient_id"] == {("patients", "patient_id")}
    assert ("visits", "patient_id", "join") in step.lineage.indirect["patient_id"]
