"""Everything in one go, and datasets that come by day: a new day costs a day's work, and only days that changed do."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from privacy_assets.build import DELIVERIES, build_definitions, steps
from privacy_assets.contracts.loading import check
from privacy_assets.errors import PrivacyAssetsError, Refused
from privacy_assets.gate import Gate, Standing
from privacy_assets.running import run_all
from privacy_assets.stages.days import due, is_current, left_alone
from privacy_assets.stages.step import carry_out
from privacy_assets.subjects.erasing import erase
from privacy_assets.subjects.people import find
from privacy_assets.verify import verify
from privacy_assets.warehouse.connections import governed
from privacy_assets.words import AssetName, Stage
from tests.conftest import write_tiny_project

CONTRACT, PURPOSE = "data/contracts/patients.odcs.yaml", "data/purposes/smoking.yaml"
RAW = AssetName(Stage.RAW, dataset="patients")
MINIMIZED = AssetName(Stage.MINIMIZED, "smoking", "patients")
PSEUDONYMIZED = AssetName(Stage.PSEUDONYMIZED, "smoking", "patients")
FEATURES = AssetName(Stage.FEATURES, "smoking")
DAYS = ("2026-11-01", "2026-11-02", "2026-11-03")
DELIVERED = """
      - property: deliveries
        value: {by: day, since: "2026-11-01"}
"""


def deliver_by_day(root: Path) -> None:
    """Let the tiny project's patients be delivered on three days, twenty on each."""
    contract = root / CONTRACT
    text = contract.read_text().replace("samples/patients.csv", "samples/{day}/patients.csv")
    contract.write_text(
        text.replace('\n          null_text: ["", "NA"]\n', '\n          null_text: ["", "NA"]' + DELIVERED)
    )
    head, *rows = (root / "data/samples/patients.csv").read_text().splitlines()
    for place, day in enumerate(DAYS):
        delivered(root, day, [head, *rows[20 * place : 20 * place + 20]])
    shutil.copy(Path(__file__).parents[1] / "dagster.yaml", root)


def live_in(folder: Path, patch: pytest.MonkeyPatch) -> None:
    for name, place in {
        "DAGSTER_HOME": "project",
        "PRIVACY_ASSETS_KEY_FILE": "guards/master.key",
        "PRIVACY_ASSETS_WITNESS": "guards/witness",
    }.items():
        patch.setenv(name, str(folder / place))


@pytest.fixture
def by_day(tiny_project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The tiny project with its three days, none of which was taken in."""
    deliver_by_day(tiny_project)
    live_in(tmp_path, monkeypatch)
    return tiny_project


@pytest.fixture(scope="module")
def taken_in_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with that project, its home and its guards, after everything has run. To be copied."""
    folder = tmp_path_factory.mktemp("by_day")
    write_tiny_project(folder / "project")
    deliver_by_day(folder / "project")
    with pytest.MonkeyPatch.context() as patch:
        live_in(folder, patch)
        with dg.DagsterInstance.get() as instance:
            carried_out(folder / "project", instance)
    return folder


@pytest.fixture
def taken_in(taken_in_once: Path, by_day: Path, tmp_path: Path) -> Gate:
    """The gate of the project whose three days were taken in; every test has a copy of its own."""
    shutil.copytree(taken_in_once, tmp_path, dirs_exist_ok=True)
    return Gate.open(by_day)


def delivered(root: Path, day: str, lines: list[str]) -> None:
    path = root / f"data/samples/{day}/patients.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def decided(root: Path, *lines: str) -> None:
    with (root / "data/samples/consents.csv").open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def carried_out(root: Path, instance: dg.DagsterInstance) -> Gate:
    for result in run_all(root, instance, lambda what, count: None, lambda: None):
        said = [event.step_failure_data.error_display_string for event in result.all_events if event.is_step_failure]
        assert result.success, said
    return Gate.open(root)


@pytest.fixture
def instance(request: pytest.FixtureRequest, by_day: Path) -> Iterator[dg.DagsterInstance]:
    if "taken_in" in request.fixturenames:
        request.getfixturevalue("taken_in")  # the history is copied before it is opened
    with dg.DagsterInstance.get() as instance:
        yield instance


@pytest.fixture
def run(by_day: Path, instance: dg.DagsterInstance) -> Callable[[], Gate]:
    return lambda: carried_out(by_day, instance)


def versions(gate: Gate) -> dict[AssetName, str]:
    every = [part for asset in steps(gate.project) for part in gate.parts(asset)]
    return {part: found.version for part in every if (found := gate.latest(part))}


def remade(before: dict[AssetName, str], after: dict[AssetName, str]) -> set[str]:
    return {asset.day for asset, version in after.items() if asset.day and before.get(asset) != version}


def test_each_day_is_kept_by_itself_until_it_is_pseudonymized(run: Callable[[], Gate], by_day: Path) -> None:
    """Three stages of three days, then one table of all: a person's token is the same on every day."""
    again = (by_day / f"data/samples/{DAYS[0]}/patients.csv").read_text().splitlines()
    seen = (by_day / f"data/samples/{DAYS[2]}/patients.csv").read_text().splitlines()
    delivered(by_day, DAYS[2], [*seen, again[1]])
    (by_day / PURPOSE).write_text(
        (by_day / PURPOSE).read_text().replace("SELECT patient_id, sex, age, smoker",
                                               "SELECT DISTINCT patient_id, sex, age, smoker")
    )  # fmt: skip
    gate = run()
    assert [str(part) for part in gate.parts(MINIMIZED)] == [f"minimized/smoking/patients@{day}" for day in DAYS]
    assert [gate.latest(RAW.of(day)).rows for day in DAYS] == [20, 20, 21]
    assert [gate.latest(PSEUDONYMIZED.of(day)).rows for day in DAYS] == [20, 20, 20]
    assert gate.latest(FEATURES).rows == 59, "nobody counts twice, and one person never consented"
    assert {made.asset for made in gate.latest(FEATURES).inputs} == {PSEUDONYMIZED.of(day) for day in DAYS}
    assert all(line.passes for line in verify(gate, None))


def test_a_new_day_touches_no_other(taken_in: Gate, run: Callable[[], Gate], by_day: Path) -> None:
    """The days before stand as they were made; what is made from all of them is made anew."""
    before = versions(taken_in)
    head, row = (by_day / f"data/samples/{DAYS[0]}/patients.csv").read_text().splitlines()[:2]
    delivered(by_day, "2026-11-04", [head, row.replace("p-01", "p-61", 1)])
    decided(by_day, "p-61,smoking,granted,2026-11-04 08:00:00")
    after = versions(run())
    assert remade(before, after) == {"2026-11-04"}
    assert after[FEATURES] != before[FEATURES]


def test_nothing_is_due_where_nothing_changed(taken_in: Gate, run: Callable[[], Gate]) -> None:
    """A second run makes no day."""
    before = versions(taken_in)
    gate = run()
    assert not remade(before, versions(gate))
    assert not list(due(steps(gate.project), gate, gate.project.contracts["patients"]))


@pytest.mark.parametrize(
    ("decision", "day", "persons"), [("p-07,smoking,withdrawn", DAYS[0], 58), ("p-60,smoking,granted", DAYS[2], 60)]
)
def test_an_answer_rebuilds_only_the_days_that_hold_the_person(
    taken_in: Gate, run: Callable[[], Gate], by_day: Path, decision: str, day: str, persons: int
) -> None:
    """Whoever withdraws leaves their day, whoever grants comes in, and the other days stand."""
    before = versions(taken_in)
    decided(by_day, f"{decision},2026-11-10 08:00:00")
    gate = run()
    after = versions(gate)
    assert remade(before, after) == {day}
    assert after[RAW.of(day)] == before[RAW.of(day)]
    assert gate.latest(FEATURES).rows == persons


def test_an_answer_about_somebody_else_rebuilds_no_day(taken_in: Gate, run: Callable[[], Gate], by_day: Path) -> None:
    """Decisions of people who are in no day, or about another purpose."""
    before = versions(taken_in)
    decided(by_day, "p-99,smoking,granted,2026-11-10 08:00:00", "p-07,another,withdrawn,2026-11-10 08:00:00")
    assert not remade(before, versions(run()))


def test_a_changed_declaration_rebuilds_every_day(taken_in: Gate, run: Callable[[], Gate], by_day: Path) -> None:
    """What stands was made under another promise."""
    before = versions(taken_in)
    purpose = by_day / PURPOSE
    purpose.write_text(purpose.read_text().replace("edges: [30, 50]", "edges: [30, 60]"))
    after = versions(run())
    assert remade(before, after) == set(DAYS)
    assert all(after[RAW.of(day)] == before[RAW.of(day)] for day in DAYS)


def test_a_day_of_which_nobody_may_be_used_is_closed(
    taken_in: Gate, run: Callable[[], Gate], by_day: Path, instance: dg.DagsterInstance
) -> None:
    """It holds nothing back, its files are destroyed, and it opens again when somebody may be used."""
    versions_before = taken_in.held()
    decided(by_day, *(f"p-{number:02},smoking,withdrawn,2026-11-10 08:00:00" for number in range(21, 41)))
    gate = run()
    assert gate.latest(MINIMIZED.of(DAYS[1])) is None
    assert [part.day for part in gate.parts(PSEUDONYMIZED)] == [DAYS[0], DAYS[2]]
    assert gate.latest(FEATURES).rows == 39
    assert all(line.passes for line in verify(gate, instance))
    told = dg.AssetRecordsFilter(asset_key=dg.AssetKey(list(PSEUDONYMIZED.path)), asset_partitions=[DAYS[1]])
    latest = instance.fetch_materializations(told, limit=1).records[0].asset_materialization
    assert latest.metadata["closed"].value == "nobody of the day may be used"
    assert gate.examine(MINIMIZED.of(DAYS[1])).standing is Standing.MISSING
    with pytest.raises(Refused, match="nobody of"):
        gate.require(MINIMIZED.of(DAYS[1]), Stage.PSEUDONYMIZED)
    assert Counter(one.asset.day for one in versions_before)[DAYS[1]] == 3
    before = versions(gate)
    gate = run()
    assert not remade(before, versions(gate)), "a closed day stays closed while nothing changes"
    held = [one.asset for one in gate.held() if one.asset.day == DAYS[1]]
    assert held == [RAW.of(DAYS[1])], "of what nobody may be used nothing is kept but what was received"
    decided(by_day, "p-30,smoking,granted,2026-11-11 08:00:00")
    gate = run()
    assert gate.latest(PSEUDONYMIZED.of(DAYS[1])).rows == 1
    assert gate.latest(FEATURES).rows == 40


def test_a_closed_day_is_looked_at_again_where_the_rules_changed(
    taken_in: Gate, run: Callable[[], Gate], by_day: Path
) -> None:
    """Who was never asked may be used where nobody needs to be, and again not where they do."""
    decisions = by_day / "data/samples/consents.csv"
    second_day = tuple(f"p-{number}," for number in range(21, 41))
    kept = [line for line in decisions.read_text().splitlines(True) if not line.startswith(second_day)]
    decisions.write_text("".join(kept))
    assert MINIMIZED.of(DAYS[1]) not in run().parts(MINIMIZED)
    purpose = by_day / PURPOSE
    asked = purpose.read_text()
    purpose.write_text(asked.replace("lawful_basis: consent", "lawful_basis: legitimate_interests"))
    assert run().latest(MINIMIZED.of(DAYS[1])).rows == 20
    purpose.write_text(asked)
    assert MINIMIZED.of(DAYS[1]) not in run().parts(MINIMIZED)


def test_what_is_made_of_all_days_wants_every_day(taken_in: Gate, by_day: Path) -> None:
    """A day that raw holds and that nobody pseudonymized is not left out in silence."""
    gate = taken_in
    head, row = (by_day / f"data/samples/{DAYS[0]}/patients.csv").read_text().splitlines()[:2]
    delivered(by_day, "2026-11-04", [head, row])
    made = steps(gate.project)
    carry_out(made[RAW].of("2026-11-04"), gate).raise_faults()
    with pytest.raises(Refused, match="2026-11-04 was never published"):
        carry_out(made[FEATURES], gate)
    assert [str(line.asset) for line in verify(gate, None) if line.standing is Standing.MISSING] == [
        "minimized/smoking/patients@2026-11-04",
        "pseudonymized/smoking/patients@2026-11-04",
    ]


def test_a_day_is_a_partition_in_dagster(taken_in: Gate, by_day: Path, instance: dg.DagsterInstance) -> None:
    """One day by name, its history, and the verification of all of them without naming any."""
    gate = taken_in
    keys = [dg.AssetKey(list(asset.path)) for asset in (RAW, MINIMIZED, PSEUDONYMIZED)]
    assert all(instance.get_materialized_partitions(key) == set(DAYS) for key in keys)
    before = versions(gate)
    definitions = build_definitions(by_day)
    job = definitions.resolve_job_def(f"{DELIVERIES}_patients")
    assert job.partitions_def.get_first_partition_key() == DAYS[0]
    assert job.execute_in_process(instance=instance, partition_key=DAYS[1]).success
    assert remade(before, versions(Gate.open(by_day))) == {DAYS[1]}
    verification = definitions.resolve_job_def("verification")
    assert verification.execute_in_process(instance=instance).success
    assert all(line.passes for line in verify(Gate.open(by_day), instance))


def test_a_version_that_dagster_missed_is_told_of_its_day(
    taken_in: Gate, by_day: Path, instance: dg.DagsterInstance
) -> None:
    """A day that was published without Dagster is in its history after the next run of that day."""
    gate = taken_in
    carry_out(steps(gate.project)[RAW].of(DAYS[0]), gate)
    missed = gate.latest(RAW.of(DAYS[0])).version
    job = build_definitions(by_day).resolve_job_def(f"{DELIVERIES}_patients")
    assert job.execute_in_process(instance=instance, partition_key=DAYS[0]).success
    wanted = dg.AssetRecordsFilter(asset_key=dg.AssetKey(["raw", "patients"]), asset_partitions=[DAYS[0]])
    records = instance.fetch_materializations(wanted, limit=10).records
    assert missed in {record.asset_materialization.metadata["version"].value for record in records}


def test_a_bad_day_stops_only_itself(by_day: Path, instance: dg.DagsterInstance) -> None:
    """The others are taken in and used."""
    delivered(by_day, DAYS[1], ["patient_id;email"])
    results = list(run_all(by_day, instance, lambda what, count: None, lambda: None))
    assert [result.success for result in results] == [True, True, False, True, True]
    assert Gate.open(by_day).latest(FEATURES).rows == 39


def test_days_before_the_first_and_after_today_are_not_taken_in(
    taken_in: Gate, run: Callable[[], Gate], by_day: Path
) -> None:
    """Nor what is no day at all."""
    text = (by_day / f"data/samples/{DAYS[0]}/patients.csv").read_text().splitlines()
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    for day in ("2026-10-31", tomorrow, "2026-1-01", "backup"):
        delivered(by_day, day, text)
    assert [part.day for part in run().parts(RAW)] == list(DAYS)


def test_values_of_all_days_make_a_domain_large(
    run: Callable[[], Gate], by_day: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day has few e-mails; whether there are too few of them for tokens is measured where all days come together."""
    purpose = by_day / PURPOSE
    purpose.write_text(
        purpose.read_text().replace(
            "      smoker:\n", "      email: {why: it joins, technique: {kind: token}}\n      smoker:\n"
        )
    )
    monkeypatch.setattr("privacy_assets.contracts.promises.SMALLEST_DOMAIN", 50)
    gate = run()
    found = {one.finding.name: one.finding for one in gate.latest(FEATURES).measured}
    assert found["large_domain__days_of_patients_email"].numbers["values"] == 59
    assert not [one for one in gate.latest(PSEUDONYMIZED.of(DAYS[0])).measured if "large_domain" in one.finding.name]
    monkeypatch.setattr("privacy_assets.contracts.promises.SMALLEST_DOMAIN", 60)
    gate = Gate.open(by_day)
    assert gate.examine(FEATURES).standing is Standing.BROKEN
    assert {line.asset for line in verify(gate, None) if line.standing is Standing.BROKEN} >= {FEATURES}


def test_a_day_that_is_delivered_again_is_named(taken_in: Gate, run: Callable[[], Gate], by_day: Path) -> None:
    """Late rows and changed ones: nothing is taken in by itself, and nobody has to find out by themselves."""
    gate = taken_in
    contract = gate.project.contracts["patients"]
    assert left_alone(gate, contract).changed == ()
    (by_day / f"data/samples/{DAYS[0]}/patients.csv").touch()
    assert left_alone(gate, contract).changed == (), "the same bytes are no other delivery"
    with (by_day / f"data/samples/{DAYS[1]}/patients.csv").open("a") as file:
        file.write("p-61;q@example.org;F;40;2026-01-05;31.5;no\n")
    assert left_alone(gate, contract).changed == (DAYS[1],)
    before = versions(gate)
    gate = run()
    assert not remade(before, versions(gate))
    carry_out(steps(gate.project)[RAW].of(DAYS[1]), gate)
    assert left_alone(gate, contract).changed == ()


def test_what_is_no_day_stops_no_other(run: Callable[[], Gate], by_day: Path) -> None:
    """A folder of a date that there is not, of tomorrow or of before the first day is passed over, and named."""
    others = ("2026-02-30", "2026-10-31", "9999-01-01")
    for day in others:
        shutil.copytree(by_day / f"data/samples/{DAYS[0]}", by_day / f"data/samples/{day}")
    gate = run()
    assert [part.day for part in gate.parts(RAW)] == list(DAYS)
    assert left_alone(gate, gate.project.contracts["patients"]).passed_over == others


def test_a_day_that_stands_is_current_until_its_code_changes(taken_in: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each stage."""
    gate = taken_in
    for asset in (RAW, MINIMIZED, PSEUDONYMIZED):
        step = steps(gate.project)[asset].of(DAYS[0])
        assert is_current(step, gate)
        monkeypatch.setattr(type(step), "code_version", property(lambda self: "another"))
        assert not is_current(step, gate)
        monkeypatch.undo()


def test_days_that_are_declared_no_more_are_named(
    taken_in: Gate, run: Callable[[], Gate], by_day: Path, instance: dg.DagsterInstance
) -> None:
    """A dataset that comes as a whole from now on leaves its days behind: verification says so, nobody reads them."""
    path = by_day / CONTRACT
    before = path.read_text()
    text = before.replace("{day}", "*").replace(DELIVERED, "\n")
    path.write_text(text)
    # before the whole is made there is nothing of it, and nobody wrote to Dagster's history
    assert not [line for line in verify(Gate.open(by_day), instance) if line.standing is Standing.FORGED]
    gate = run()
    assert gate.latest(RAW).rows == 60
    named = [str(line.asset) for line in verify(gate, None) if not line.passes]
    assert named == [f"{asset}@{day}" for asset in (MINIMIZED, PSEUDONYMIZED, RAW) for day in DAYS]
    with pytest.raises(PrivacyAssetsError):
        gate.require(RAW.of(DAYS[0]), Stage.MINIMIZED)
    # and back: the days are made again, and what was whole is named
    path.write_text(before)
    gate = run()
    assert [part.day for part in gate.parts(RAW)] == list(DAYS)
    assert gate.latest(FEATURES).rows == 59
    named = [str(line.asset) for line in verify(gate, instance) if not line.passes]
    assert named == [str(MINIMIZED), str(PSEUDONYMIZED), str(RAW)]


BAD = [
    ("a day in the path alone", CONTRACT, DELIVERED, "\n", "only one of them"),
    ("deliveries without a day in the path", CONTRACT, "{day}/", "", "only one of them"),
    ("a day that is none", CONTRACT, '"2026-11-01"', '"2026-02-30"', "`since` is no day"),
    ("by month", CONTRACT, "by: day", "by: month", "not one of the known values"),
    ("without a subject column", CONTRACT, "        column: patient_id\n      lawful", "      lawful", "same numbers"),
    ("stand-ins", PURPOSE, "technique: {kind: bucket, edges: [30, 50]}",
     "technique: {kind: keep}\n      email: {why: to try it, technique: {kind: surrogate, generator: email}}",
     "kept by day"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "file", "old", "new", "says"), BAD, ids=[case[0] for case in BAD])
def test_declarations_that_do_not_go_with_days(
    by_day: Path, name: str, file: str, old: str, new: str, says: str
) -> None:
    """Each with its file and line."""
    path = by_day / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    faults = [str(fault) for fault in check(by_day)]
    assert any(says in fault and file in fault for fault in faults), faults


def test_decisions_are_not_kept_by_day(by_day: Path) -> None:
    """The last decision counts, on whatever day it came."""
    path = by_day / "data/contracts/consents.odcs.yaml"
    path.write_text(path.read_text().replace("samples/consents.csv\n    format: csv", "samples/{day}/consents.csv\n"
                    "    format: csv\n    customProperties:\n" + DELIVERED.strip("\n")))  # fmt: skip
    assert any("asked as a whole" in str(fault) for fault in check(by_day))


NAMES = """\
apiVersion: v3.2.0
kind: DataContract
id: tiny-names
version: 1.0.0
team: {name: clinic-data}
servers: [{server: file, type: local, path: data/samples/names.csv, format: csv}]
customProperties:
  - property: privacy
    value:
      subject: {kind: patient, column: patient_id}
      lawful_bases: [consent]
      consents: consents
schema:
  - name: names
    properties:
      - name: patient_id
        logicalType: string
        primaryKey: true
        customProperties:
          - property: privacy
            value: {role: direct_identifier, category: user.unique_id, identifier_domain: {name: patient_id}}
      - name: full_name
        logicalType: string
        customProperties:
          - property: privacy
            value: {role: direct_identifier, category: user.name}
"""


@pytest.fixture
def with_notes(by_day: Path) -> Path:
    """The patients of each day with a note in which each is called by a name that another dataset knows."""
    (by_day / "data/contracts/names.odcs.yaml").write_text(NAMES)
    names = [f"p-{number:02},Zwentibold Quarkmann{number}" for number in range(1, 61)]
    (by_day / "data/samples/names.csv").write_text("\n".join(["patient_id,full_name", *names]) + "\n")
    for day in DAYS:
        path = by_day / f"data/samples/{day}/patients.csv"
        head, *rows = path.read_text().splitlines()
        noted = [f"{row};seen with zwentibold quarkmann{int(row[2:4])} today" for row in rows]
        path.write_text("\n".join([f"{head};note", *noted]) + "\n")
    note = "      - name: note\n        logicalType: string\n        customProperties:\n          - property: privacy\n"
    note += "            value: {role: direct_identifier, category: user.content, free_text: true}\n"
    contract, purpose = by_day / CONTRACT, by_day / PURPOSE
    contract.write_text(contract.read_text() + note)
    asked = "      note: {why: to try it, technique: {kind: redact_identifiers}}\n"
    text = purpose.read_text().replace("      smoker:\n", asked + "      smoker:\n")
    purpose.write_text(text)
    return by_day


def test_free_text_of_a_day_is_redacted_by_what_is_known_of_all(with_notes: Path, run: Callable[[], Gate]) -> None:
    """A changed name makes every day again, as it may stand in its texts; a decision makes only the person's day."""
    before = versions(run())
    decided(with_notes, "p-07,smoking,withdrawn,2026-11-10 08:00:00")
    after = versions(run())
    assert remade(before, after) == {DAYS[0]}
    path = with_notes / "data/samples/names.csv"
    path.write_text(path.read_text().replace("Quarkmann33", "Quarkfrau33"))
    gate = run()
    assert remade(after, versions(gate)) == set(DAYS)
    held = {"held": gate.attachment(gate.latest(MINIMIZED.of(DAYS[1])))}
    with governed(gate.home.spill, inputs=held, candidate=None) as con:
        notes = [row[0] for row in con.execute("SELECT note FROM held.main.data").fetchall()]
    assert len(notes) == 20
    assert sum("quarkmann" in note for note in notes) == 1, "who is called otherwise now is known by the new name alone"


def test_a_day_of_which_everybody_is_erased_is_closed(taken_in: Gate) -> None:
    """The other days stand as they are, and the day is not taken in again."""
    ran = taken_in
    made = steps(ran.project)
    people = find(ran, [f"p-{number:02}" for number in range(21, 41)])
    untouched = ran.latest(RAW.of(DAYS[0]))
    done = erase(ran, made, people, "asked by letter")
    assert not done.failed
    assert ran.closed(RAW.of(DAYS[1]))
    assert {one.asset for one in done.receipts} >= {asset.of(DAYS[1]) for asset in (RAW, MINIMIZED, PSEUDONYMIZED)}
    assert all(ran.was_erased(ran.passport(one)) for one in done.receipts)
    assert [part.day for part in ran.parts(MINIMIZED)] == [DAYS[0], DAYS[2]]
    assert ran.latest(RAW.of(DAYS[0])) == untouched
    assert ran.examine(FEATURES).standing is Standing.KEPT
    assert list(due(made, ran, ran.project.contracts["patients"])) == []
    assert all(one.clean for one in done.searched)
    assert find(ran, ["p-01"])
