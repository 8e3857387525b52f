"""The gate: every case in which a version is, or is not, published and read."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from privacy_assets.build import steps
from privacy_assets.contracts.promises import promises
from privacy_assets.errors import BadDeclaration, NotKept, Refused, Stale, Tampered
from privacy_assets.gate import PERSON, READERS, Gate, Input, Standing, judge_again, question_digest
from privacy_assets.stages.step import carry_out
from privacy_assets.words import AssetName, Stage

TRAINING = AssetName.parse("training/smoking")
MINIMIZED = AssetName.parse("minimized/smoking/patients")
CONSENTS = AssetName.parse("raw/consents")
PURPOSE = "data/purposes/smoking.yaml"


def standing(gate: Gate) -> dict[str, str]:
    return {str(asset): gate.examine(asset).standing.value for asset in steps(gate.project)}


def file_of(gate: Gate, asset: AssetName) -> Path:
    passport = gate.latest(asset)
    assert passport is not None
    return gate.versions.path(str(asset), passport.version)


def edit(root: Path, file: str, before: str, after: str) -> None:
    path = root / file
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_what_was_never_published_is_missing_and_refused(gate: Gate):
    """Nothing is readable before it is published, and the refusal says how to publish it."""
    assert set(standing(gate).values()) == {"missing"}
    with pytest.raises(Refused, match="dagster asset materialize"):
        gate.require(TRAINING, PERSON)


def test_what_was_published_and_kept_is_readable_by_its_readers(published: Gate):
    """After the corridor has run everything stands, and each stage can read the one before it."""
    assert set(standing(published).values()) == {"kept"}
    for asset, step in steps(published.project).items():
        for needed in step.inputs:
            assert published.require(needed, asset.stage).asset == needed


@pytest.mark.parametrize("stage", sorted(set(Stage) - {Stage.ANONYMIZED, Stage.SYNTHETIC, Stage.STATISTICS}))
def test_nobody_else_may_read_a_stage(published: Gate, stage: Stage):
    """The table of readers is the whole of what is allowed."""
    asset = next(asset for asset in steps(published.project) if asset.stage is stage)
    for reader in {*Stage, PERSON, "somebody"} - READERS[stage]:
        with pytest.raises(Refused, match="may not read"):
            published.require(asset, reader)


def test_an_asset_that_nobody_declared_is_named_with_those_that_are(published: Gate):
    """A misspelt name is answered with the names there are."""
    with pytest.raises(BadDeclaration, match="training/smoking"):
        published.require(AssetName.parse("training/smokin"), PERSON)


def test_one_flipped_byte_is_tampering(published: Gate):
    """A file that is not the published one is refused before it is opened, and named as tampered with."""
    path = file_of(published, TRAINING)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert published.examine(TRAINING).standing is Standing.FORGED
    with pytest.raises(Tampered, match="not the one that was published"):
        published.require(TRAINING, PERSON)


def test_an_older_version_in_the_place_of_the_newer_is_tampering(published: Gate):
    """Rolling a file back to what was once published is noticed too."""
    old = file_of(published, TRAINING).read_bytes()
    carry_out(steps(published.project)[TRAINING], published)
    file_of(published, TRAINING).write_bytes(old)
    with pytest.raises(Tampered):
        published.require(TRAINING, PERSON)


@pytest.mark.parametrize("suffix", [".duckdb", ".key"])
def test_a_version_whose_file_or_key_is_gone_is_refused(published: Gate, suffix: str):
    """Without file or key there is nothing to vouch for."""
    file_of(published, TRAINING).with_suffix(suffix).unlink()
    with pytest.raises(Refused, match="gone"):
        published.require(TRAINING, PERSON)


@pytest.mark.parametrize(
    ("before", "after", "readable"),
    [
        pytest.param("at_least_subjects: 5", "at_least_subjects: 3", True, id="lower threshold"),
        pytest.param("at_least_subjects: 5", "at_least_subjects: 59", True, id="threshold that was just met"),
        pytest.param("at_least_subjects: 5", "at_least_subjects: 60", False, id="threshold above what was measured"),
        pytest.param("title: Who smokes", "title: Who smokes, and why", True, id="text"),
        pytest.param("edges: [30, 50]", "edges: [30, 40]", False, id="another technique"),
        pytest.param("epoch: 1", "epoch: 2", False, id="another epoch"),
        pytest.param(
            "      smoker:\n",
            "      cost:\n        why: it may tell\n        technique: {kind: keep}\n      smoker:\n",
            False,
            id="another column",
        ),
        pytest.param(
            "  at_least_subjects: 5\n", "  utility: {metric: accuracy, at_least: 0}\n", False, id="never measured"
        ),
    ],
)
def test_what_was_measured_then_is_judged_by_what_is_promised_today(
    published: Gate, reopen: Callable[[], Gate], before: str, after: str, readable: bool
):
    """A threshold is judged on the recorded numbers; another question was never answered; text does not matter."""
    edit(published.project.root, PURPOSE, "retention_days: 365", "retention_days: 365\nepoch: 1")
    edit(published.project.root, PURPOSE, before, after)
    gate, asset = reopen(), AssetName.parse("model/smoking")
    if readable:
        assert gate.require(asset, PERSON)
    else:
        with pytest.raises(Refused):
            gate.require(asset, PERSON)


def test_a_broken_ancestor_breaks_what_was_made_from_it(published: Gate, reopen: Callable[[], Gate]):
    """A contract that promises more than was measured on raw takes the model with it."""
    edit(
        published.project.root, "data/contracts/patients.odcs.yaml",
        "- name: age\n        logicalType", "- name: age\n        required: true\n        logicalType",
    )  # fmt: skip
    assert reopen().examine(AssetName.parse("model/smoking")).standing is Standing.BROKEN


def test_results_older_than_the_purpose_keeps_them_are_refused(published: Gate):
    """After `retention_days` nothing of the purpose can be read, and raw stands."""
    later = published.now() + timedelta(days=366)
    published.now = lambda: later
    with pytest.raises(Refused, match="older than the purpose keeps"):
        published.require(TRAINING, PERSON)
    assert published.examine(CONSENTS).standing is Standing.KEPT


def test_a_withdrawal_makes_stale_then_overdue_then_a_rebuild_leaves_the_person_out(published: Gate):
    """Within the time of grace all that holds the person is stale and readable; after it all is refused."""
    _withdraw(published, "p-03")
    held = {asset for asset in steps(published.project) if asset.stage is not Stage.RAW}
    assert {published.examine(asset).standing for asset in held} == {Standing.STALE}
    assert published.require(TRAINING, PERSON)

    now = published.now()
    published.now = lambda: now + timedelta(hours=25)
    assert {published.examine(asset).standing for asset in held} == {Standing.OVERDUE}
    with pytest.raises(Stale, match="withdrawn, objected or passed retention"):
        published.require(TRAINING, PERSON)

    rows = published.latest(MINIMIZED).rows
    for asset in held - {AssetName.parse("model/smoking")}:
        assert published.examine(asset).standing is Standing.OVERDUE
    for step in steps(published.project).values():
        if step.asset.stage is not Stage.RAW and step.asset.stage is not Stage.MODEL:
            carry_out(step, published).raise_faults()
    assert published.latest(MINIMIZED).rows == rows - 1
    assert published.examine(TRAINING).standing is Standing.KEPT


def test_a_decision_about_another_purpose_changes_nothing(published: Gate):
    """Only decisions for this purpose count."""
    _withdraw(published, "p-03", purpose="another")
    assert published.examine(TRAINING).standing is Standing.KEPT


def test_a_row_that_passes_retention_makes_stale_then_overdue(gate: Gate, reopen: Callable[[], Gate]):
    """Retention runs on after the build: the day after the last one starts the time of grace."""
    first = gate.now().replace(hour=12)
    path = gate.project.root / "data/samples/patients.csv"
    early, late = ((first - timedelta(days=days)).date().isoformat() for days in (360, 30))
    path.write_text(re.sub(r"2026-01-\d\d", late, path.read_text()).replace(late, early, 1))
    edit(gate.project.root, "data/contracts/patients.odcs.yaml", "days: 3650", "days: 365")
    gate = reopen()
    _run_all(gate)
    for days, expected in [(5, Standing.KEPT), (6, Standing.STALE), (7, Standing.OVERDUE)]:
        moment = first + timedelta(days=days)
        gate.now = lambda moment=moment: moment
        assert gate.examine(MINIMIZED).standing is expected, days


def test_a_run_that_was_overtaken_does_not_publish(published: Gate):
    """What another run published of an input meanwhile, with another content, refuses the slower one."""
    passport, since = published.latest(MINIMIZED), published.ledger.size
    edit(published.project.root, "data/samples/consents.csv", "p-01,smoking,granted", "p-01,smoking,withdrawn")
    carry_out(steps(published.project)[CONSENTS], published).raise_faults()
    size = published.ledger.size
    with pytest.raises(Refused, match=r"raw/consents was published by another run(.|\n)*materialize it again"):
        published.publish(replace(passport, version="0" * 32), since=since)
    assert published.ledger.size == size


def test_an_input_that_was_published_again_with_the_same_content_refuses_nobody(published: Gate):
    """The slower run's input has a newer version, which differs in nothing that is said of it: it is as good."""
    passport, since = published.latest(TRAINING), published.ledger.size
    for asset in (MINIMIZED, AssetName.parse("pseudonymized/smoking/patients"), AssetName.parse("features/smoking")):
        carry_out(steps(published.project)[asset], published).raise_faults()
    assert published.publish(replace(passport, version="0" * 32), since=since).version == "0" * 32


def test_an_input_that_was_destroyed_meanwhile_refuses(published: Gate):
    """However equal its successor: what was made from it could not be asked about later."""
    features, since = AssetName.parse("features/smoking"), published.ledger.size
    carry_out(steps(published.project)[features], published).raise_faults()
    used, passport = published.latest(features), published.latest(TRAINING)
    for _ in range(2):
        carry_out(steps(published.project)[features], published).raise_faults()
    assert not published.versions.exists(str(features), used.version)
    made_from_it = replace(passport, version="0" * 32, inputs=(Input(features, used.version),))
    with pytest.raises(Refused, match="another run"):
        published.publish(made_from_it, since=since)


def test_of_two_equal_versions_the_first_stands_for_both(published: Gate):
    """The slower run gets the version of the faster one, and nothing is appended."""
    since = published.ledger.size
    winner = carry_out(steps(published.project)[TRAINING], published).passport
    size = published.ledger.size
    assert published.publish(replace(winner, version="0" * 32, position=-1), since=since) == winner
    assert published.ledger.size == size


@pytest.mark.parametrize(
    "other",
    [
        {"content_digest": "0" * 64},
        {"rows": 1},
        {"code": "0" * 64},
        {"declared": {}},
        {"source_digest": "0" * 64},
        {"epoch": 2},
        {"counts": {"quarantined, age:unreadable": 1}},
        {"columns": (("patient_id", "UUID"),)},
        {"inputs": ()},
        {"inputs": (Input(MINIMIZED, "0" * 32),)},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_version_that_differs_in_anything_that_is_said_of_it_does_not_stand_for_another(
    published: Gate, other: dict[str, object]
):
    """Content, code, declarations, source and inputs must be the same; else the slower run is refused."""
    since = published.ledger.size
    winner = carry_out(steps(published.project)[TRAINING], published).passport
    size = published.ledger.size
    with pytest.raises(Refused, match="another run"):
        published.publish(replace(winner, version="0" * 32, **other), since=since)
    assert published.ledger.size == size


def test_nothing_is_published_without_every_measurement(published: Gate):
    """A passport without a finding, or with a number below the threshold, is not appended."""
    passport, size = published.latest(TRAINING), published.ledger.size
    for measured in passport.measured:
        lacking = tuple(other for other in passport.measured if other is not measured)
        with pytest.raises(NotKept, match="never measured"):
            published.publish(replace(passport, version="0" * 32, measured=lacking), since=size)
    assert published.ledger.size == size


MODEL = AssetName.parse("model/smoking")


def test_the_version_before_the_last_stays_and_older_ones_are_destroyed(published: Gate):
    """One superseded version is kept by default; destruction is in the ledger, and takes the key."""
    step = steps(published.project)[MODEL]
    first = published.latest(MODEL)
    carry_out(step, published)
    assert published.versions.exists(str(MODEL), first.version)
    carry_out(step, published)
    assert not published.versions.exists(str(MODEL), first.version)
    destroyed = [entry.body for entry in published.ledger.entries() if entry.body["action"] == "destroy"]
    assert [(body["asset"], body["version"]) for body in destroyed] == [(str(MODEL), first.version)]


def test_what_a_standing_version_was_made_from_stays_until_that_is_made_anew(published: Gate):
    """Rebuilding an input again and again does not take the ground from under what was made of it."""
    first = published.latest(TRAINING)
    for _ in range(3):
        carry_out(steps(published.project)[TRAINING], published)
    assert published.versions.exists(str(TRAINING), first.version)
    assert published.examine(MODEL).standing is Standing.KEPT
    carry_out(steps(published.project)[MODEL], published)
    carry_out(steps(published.project)[MODEL], published)
    assert not published.versions.exists(str(TRAINING), first.version)


def test_saying_no_again_does_not_extend_the_time_of_grace(published: Gate):
    """The first refusal after the last consent counts."""
    _withdraw(published, "p-03")
    until = published.examine(TRAINING).until
    now = published.now()
    published.now = lambda: now + timedelta(hours=5)
    _withdraw(published, "p-03")
    assert published.examine(TRAINING).until == until


def test_nothing_is_built_on_decisions_that_are_too_old(published: Gate, reopen: Callable[[], Gate]):
    """Where the contract of decisions says how late they may be, older ones are refused for building."""
    contract = "data/contracts/consents.odcs.yaml"
    edit(
        published.project.root,
        contract,
        "servers:",
        "slaProperties: [{property: latency, value: 24, unit: h}]\nservers:",
    )
    gate = reopen()
    assert gate.require(CONSENTS, Stage.MINIMIZED)
    now = gate.now()
    gate.now = lambda: now + timedelta(hours=25)
    with pytest.raises(Refused, match="too old to build on"):
        carry_out(steps(gate.project)[MINIMIZED], gate)


@pytest.mark.parametrize("left", [[], [".lock"], [".lock", "entries"]])
def test_versions_without_their_ledger_are_not_begun_anew(
    published: Gate, environment: dict[str, str], left: list[str]
):
    """Where ledger and witness are both gone, nothing is swept and nothing is vouched for; a lock is no ledger."""
    shutil.rmtree(environment["PRIVACY_ASSETS_WITNESS"])
    shutil.rmtree(published.home.ledger)
    published.home.ledger.mkdir()
    for name in left:
        (published.home.ledger / name).touch()
    with pytest.raises(Tampered, match="the ledger is gone"):
        Gate.open(published.project.root, environment)
    assert any(published.home.versions.rglob("*.duckdb"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("kind: bucket, edges: [30, 50]", "kind: code_extremes, low: 30, high: 50", id="technique"),
        pytest.param("edges: [30, 50]", "edges: [30, 51]", id="parameter"),
    ],
)
def test_another_technique_is_another_promise(published: Gate, reopen: Callable[[], Gate], before: str, after: str):
    """What was made by one technique is not taken for what another would have made."""
    edit(published.project.root, PURPOSE, before, after)
    assert reopen().examine(AssetName.parse("pseudonymized/smoking/patients")).standing is Standing.BROKEN


def test_a_column_of_another_type_is_another_promise(published: Gate, reopen: Callable[[], Gate]):
    """Raw stands for the types of its contract as it is now."""
    edit(published.project.root, "data/contracts/patients.odcs.yaml", "physicalType: SMALLINT", "physicalType: BIGINT")
    assert reopen().examine(AssetName.parse("raw/patients")).standing is Standing.BROKEN


def test_files_that_no_publication_names_are_swept(published: Gate):
    """What a killed run left behind is gone before the next one starts."""
    with published.candidate(TRAINING) as candidate:
        candidate.path.write_bytes(b"half")
        candidate.keep()
    assert candidate.path.exists()
    carry_out(steps(published.project)[TRAINING], published)
    assert not candidate.path.exists()


def test_the_ancestry_ends_at_the_sources_and_names_each_version_once(published: Gate):
    """From the model down to raw, and consents among them."""
    found = [str(passport.asset) for passport in published.ancestry(published.latest(AssetName.parse("model/smoking")))]
    assert found[0] == "model/smoking"
    assert sorted(found) == sorted(set(found))
    assert {"raw/patients", "raw/consents"} <= set(found)


def test_an_input_that_the_ledger_does_not_hold_is_tampering(published: Gate):
    """A chain with a missing link proves nothing."""
    passport = replace(published.latest(TRAINING), inputs=(Input(MINIMIZED, "f" * 32),))
    with pytest.raises(Tampered, match="does not hold"):
        list(published.ancestry(passport))


def test_an_access_is_in_the_ledger_before_the_data_is_out(published: Gate):
    """The entry names asset, version, purpose and columns; the person is a keyed pseudonym."""
    before = published.ledger.size
    with published.open_version(TRAINING, purpose="smoking") as (con, passport):
        entry = published.ledger.entries(before)[0].body
        assert con.execute("SELECT count(*) FROM released.main.data").fetchone() == (passport.rows,)
    assert (entry["action"], entry["asset"], entry["version"]) == ("access", str(TRAINING), passport.version)
    assert len(entry["actor_claimed"]) == 32


def test_what_a_declaration_meant_is_kept_before_the_ledger_names_it(published: Gate, reopen: Callable[[], Gate]):
    """Of every publication; and of one that somebody only read under, for a moment."""
    named = {digest for one in published.publications() for digest in one.declared.values()}
    assert named and all(published.declaration(digest) for digest in named)
    purpose = published.project.root / "data/purposes/smoking.yaml"
    purpose.write_text(purpose.read_text("utf-8").replace("retention_days: 365", "retention_days: 366"), "utf-8")
    gate, size = reopen(), published.ledger.size
    digest = gate.project.digest("smoking")
    assert gate.declaration(digest) is None
    with gate.open_version(TRAINING, purpose="smoking"):
        assert digest in gate.ledger.entries(size)[0].body["declared"].values()
    assert '"retention_days":366' in (gate.declaration(digest) or "")


@pytest.mark.parametrize("error", [KeyError, OSError])
def test_who_has_no_name_is_recorded_by_number(gate: Gate, monkeypatch: pytest.MonkeyPatch, error: type[Exception]):
    """A container may run under a user that its system does not list."""

    def nobody() -> str:
        raise error("uid not found")

    named = gate.actor()
    monkeypatch.setattr("getpass.getuser", nobody)
    assert gate.actor() == gate.actor() != named
    assert len(gate.actor()) == 32


def test_a_purpose_reads_its_own_assets_only(published: Gate):
    """Naming another purpose is refused, and leaves no entry."""
    size = published.ledger.size
    with pytest.raises(Refused, match="not made for the purpose"), published.open_version(TRAINING, purpose="other"):
        pass
    assert published.ledger.size == size


def test_no_two_promises_of_an_asset_share_a_name_and_every_threshold_is_outside_its_question(published: Gate):
    """Findings are told apart by name, and a judgement of recorded numbers is the one that was made then."""
    for asset in steps(published.project):
        asked = promises(published.project, asset)
        assert len({promise.name for promise in asked}) == len(asked) > 0
        for promise in asked:
            assert len(question_digest(promise)) == 64
            assert judge_again(promise, published.latest(asset)) is None


def _withdraw(gate: Gate, patient: str, purpose: str = "smoking") -> None:
    path = gate.project.root / "data/samples/consents.csv"
    moment = gate.now().replace(tzinfo=None, microsecond=0)
    path.write_text(path.read_text() + f"{patient},{purpose},withdrawn,{moment - timedelta(seconds=5)}\n")
    carry_out(steps(gate.project)[CONSENTS], gate).raise_faults()


def _run_all(gate: Gate) -> None:
    for step in steps(gate.project).values():
        if step.asset.stage is not Stage.MODEL:
            carry_out(step, gate).raise_faults()


def test_a_decision_that_begins_to_count_later_is_noticed_without_a_new_version(gate: Gate):
    """A withdrawal that is dated ahead stands in the decisions that were built from, and counts from its moment on."""
    path = gate.project.root / "data/samples/consents.csv"
    moment = gate.now().replace(tzinfo=None, microsecond=0) + timedelta(days=2)
    path.write_text(path.read_text() + f"p-03,smoking,withdrawn,{moment}\n")
    _run_all(gate)
    now = gate.now()
    for hours, expected in [(0, Standing.KEPT), (49, Standing.STALE), (73, Standing.OVERDUE)]:
        later = now + timedelta(hours=hours)
        gate.now = lambda later=later: later
        assert gate.examine(TRAINING).standing is expected, hours
