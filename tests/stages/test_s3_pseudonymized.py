"""Names come off: dates move together, small domains and collapsing people are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from privacy_assets.build import steps
from privacy_assets.contracts import promises
from privacy_assets.gate import Gate
from privacy_assets.reports.explain import explain
from privacy_assets.stages.s3_pseudonymized import map_key
from privacy_assets.stages.step import carry_out, measure_again
from privacy_assets.words import AssetName, IdentifierDomain, Verdict

PATIENTS = AssetName.parse("pseudonymized/reaching/patients")
VISITS = AssetName.parse("pseudonymized/reaching/visits")
SMOKING = AssetName.parse("pseudonymized/smoking/patients")

RESPONSE = "technique: {kind: randomized_response, epsilon: 2}"
NOISE = "{kind: bounded_noise, low: 20, high: 80, epsilon: 0.5}"

Rows = Callable[..., list[tuple[Any, ...]]]
Make = Callable[..., Any]
Edit = Callable[[str, str, str], None]


def dates(gate: Gate, rows: Rows, patients: AssetName, visits: AssetName) -> dict[Any, list[Any]]:
    """Of each person all dates, from both datasets, in order."""
    found: dict[Any, list[Any]] = {}
    sql = "SELECT patient_id, {} FROM DATA ORDER BY ALL"
    for asset, column in ((patients, "registered"), (visits, "admitted")):
        for person, day in rows(gate, asset, sql.format(column)):
            found.setdefault(person, []).append(day)
    return found


def test_all_dates_of_a_person_move_together(reaching: Gate, rows: Rows) -> None:
    """The days between them stay true, also from one dataset to another; no date stays, and not all move alike."""
    minimized = (AssetName.parse(f"minimized/reaching/{dataset}") for dataset in ("patients", "visits"))

    def by_interval(found: dict[Any, list[Any]]) -> dict[tuple[int, ...], Any]:
        return {tuple((day - days[0]).days for day in days): days[0] for days in found.values()}

    before = by_interval(dates(reaching, rows, *minimized))
    after = by_interval(dates(reaching, rows, PATIENTS, VISITS))
    # everybody's second visit was another number of days later, so intervals tell who is who
    assert before.keys() == after.keys() == {(0, 0, number) for number in range(1, 60)}
    moved = [(after[person] - before[person]).days for person in before]
    assert all(1 <= abs(days) <= 30 for days in moved)
    assert len(set(moved)) > 10


def test_a_person_has_one_token_in_every_dataset_and_another_in_every_purpose(reaching: Gate, rows: Rows) -> None:
    """Tokens join within a purpose and nowhere else."""
    found = {asset: {token for (token,) in rows(reaching, asset, "SELECT patient_id FROM DATA")}
             for asset in (PATIENTS, VISITS, SMOKING)}  # fmt: skip
    assert found[PATIENTS] == found[VISITS]
    assert len(found[PATIENTS]) == len(found[SMOKING]) == 59
    assert not found[PATIENTS] & found[SMOKING]


@pytest.mark.parametrize("change", [{"purpose": "other"}, {"epoch": 2}], ids=str)
def test_each_purpose_epoch_and_domain_has_a_key_of_its_own(published: Gate, change: dict[str, Any]) -> None:
    """A key is the hex text of 32 bytes, the same when asked again."""
    purpose, domain = published.project.purposes["smoking"], IdentifierDomain(name="patient_id")
    key = map_key(published, purpose, domain)
    assert len(bytes.fromhex(key)) == 32
    assert map_key(published, purpose, domain) == key
    assert map_key(published, purpose.model_copy(update=change), domain) != key
    assert map_key(published, purpose, IdentifierDomain(name="email")) != key


def test_tokens_of_a_small_domain_are_refused(reaching: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty-nine addresses are found by how often each occurs: nothing is published, and the line is named."""
    monkeypatch.undo()
    assert promises.SMALLEST_DOMAIN == 10_000
    before = reaching.latest(PATIENTS)
    outcome = carry_out(steps(reaching.project)[PATIENTS], reaching)
    assert outcome.passport is None
    (fault,) = outcome.faults
    assert fault.what == "pseudonymized/reaching/patients: large_domain__email is broken"
    assert fault.where == reaching.project.where(
        "purpose", "reaching", "datasets", "patients", "columns", "email", "technique"
    )
    assert "10000" in fault.expected
    assert "59" in fault.found
    assert reaching.latest(PATIENTS) == before


def test_two_people_who_collapse_into_one_are_refused(
    published: Gate, reopen: Callable[[], Gate], edit: Edit, make: Make
) -> None:
    """Where a normalization makes one of two identifiers, two people's rows would become one person's."""
    for dataset in ("patients", "consents"):
        edit(f"data/contracts/{dataset}.odcs.yaml", "{name: patient_id}", "{name: patient_id, normalization: email}")
    before = "lawful_bases: [consent, legitimate_interests]\n      consents: consents"
    edit("data/contracts/patients.odcs.yaml", before, "lawful_bases: [legitimate_interests]")
    edit("data/purposes/smoking.yaml", "lawful_basis: consent", "lawful_basis: legitimate_interests")
    edit("data/samples/patients.csv", "p-60;", "P-01;")
    gate = reopen()
    make(gate, *map(AssetName.parse, ("raw/patients", "raw/consents", "minimized/smoking/patients")))
    outcome = carry_out(steps(gate.project)[SMOKING], gate)
    assert outcome.passport is None
    assert [fault.what for fault in outcome.faults] == [f"{SMOKING}: subjects_kept_apart__patient_id is broken"]
    (found,) = [one.finding for one in outcome.measured if one.finding.invariant == "subjects_kept_apart"]
    assert found.verdict is Verdict.BROKEN
    assert dict(found.numbers) == {"subjects": 60, "tokens": 59}


def test_the_map_of_identifiers_is_not_in_the_file(reaching: Gate, rows: Rows) -> None:
    """What was joined by in memory is gone with the connection: only the data and the vault are left."""
    for asset in (PATIENTS, VISITS):
        tables = rows(reaching, asset, "SELECT table_name FROM duckdb_tables() WHERE NOT internal")
        assert sorted(tables) == [("data",), ("vault",)]


def test_the_lineage_of_a_mapped_column_leads_to_what_it_was_keyed_by(reaching: Gate) -> None:
    """A shifted date comes from the date and from the person; no map is seen in it."""
    lineage = steps(reaching.project)[PATIENTS].lineage
    assert lineage.direct["email"] == {("patients", "email")}
    assert lineage.direct["registered"] == {("patients", "registered"), ("patients", "patient_id")}
    assert {table for sources in lineage.direct.values() for table, _ in sources} == {"patients"}
    assert not any(lineage.indirect.values())


def test_what_is_drawn_is_drawn_anew_and_its_loss_is_told(
    reaching: Gate, reopen: Callable[[], Gate], edit: Edit, make: Make, rows: Rows
) -> None:
    """Each version is another answer of the same people; ε stands in its passport, and adds up over versions."""
    edit("data/purposes/smoking.yaml", "technique: {kind: keep}\n      age:", RESPONSE + "\n      age:")
    edit("data/purposes/smoking.yaml", "{kind: bucket, edges: [30, 50]}", NOISE)
    gate = reopen()
    made = make(gate, *map(AssetName.parse, ("raw/patients", "minimized/smoking/patients")), SMOKING).passport
    expected = {"local_epsilon[sex]": 2.0, "local_epsilon[age]": 0.5, "local_epsilon_of_a_row": 2.5}
    expected |= {"local_epsilon_of_a_person": 2.5}
    assert made.measures == {**expected, "local_epsilon_of_a_person_so_far": 2.5}
    asked = "SELECT sex, age FROM DATA ORDER BY patient_id"
    first = rows(gate, SMOKING, asked)
    assert {sex for sex, _ in first} <= {"F", "M", "X", None}
    assert all(20 <= age <= 80 for _, age in first)
    assert any("local_epsilon_of_a_person 2.5" in line for line in explain(gate, SMOKING).lines())
    again = make(gate, SMOKING).passport
    assert rows(gate, SMOKING, asked) != first
    assert again.content_digest != made.content_digest
    assert again.measures == {**expected, "local_epsilon_of_a_person_so_far": 5.0}
    assert measure_again(steps(gate.project)[SMOKING], gate, again).faults == ()


def test_a_person_with_several_rows_spends_for_each(
    reaching: Gate, reopen: Callable[[], Gate], edit: Edit, make: Make
) -> None:
    """Two visits, twice the loss of a row; the number of rows is told as a power of two."""
    role = "value: {role: attribute, category: user.health_and_medical}"
    paid = (
        "      - name: paid\n        logicalType: boolean\n        customProperties:\n          - property: privacy\n"
    )
    edit("data/contracts/visits.odcs.yaml", role, f"{role}\n{paid}            {role}")
    edit("data/purposes/reaching.yaml", "why: how long after they came, technique: {kind: shift_dates, max_days: 30}}",
         "why: how long after they came, technique: {kind: shift_dates, max_days: 30}}\n"
         "      paid: {why: how many pay, technique: {kind: randomized_response, epsilon: 1}}")  # fmt: skip
    path = reaching.project.root / "data/samples/visits.csv"
    head, *lines = path.read_text("utf-8").splitlines()
    third = [line.replace("-1,", "-3,", 1) for line in lines if line.startswith("p-07-1,")]
    path.write_text("\n".join([f"{head},paid", *(f"{line},true" for line in [*lines, *third])]) + "\n", "utf-8")
    gate = reopen()
    made = make(gate, *map(AssetName.parse, ("raw/visits", "minimized/reaching/visits")), VISITS).passport
    assert made.measures["local_epsilon_of_a_row"] == 1.0
    assert made.measures["local_epsilon_of_a_person"] == 4.0
