"""One step: what is written, measured, published, and what is left when it is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from privacy_assets.build import steps
from privacy_assets.errors import BadSource, Refused
from privacy_assets.gate import Gate
from privacy_assets.stages import step as step_module
from privacy_assets.stages.step import carry_out, measure_again
from privacy_assets.warehouse.connections import governed
from privacy_assets.warehouse.sources import rows as rows_of_sources
from privacy_assets.words import AssetName, Stage

RAW = AssetName.parse("raw/patients")
MINIMIZED = AssetName.parse("minimized/smoking/patients")
PSEUDONYMIZED = AssetName.parse("pseudonymized/smoking/patients")
FEATURES = AssetName.parse("features/smoking")
TRAINING = AssetName.parse("training/smoking")


def rows(gate: Gate, asset: AssetName, sql: str) -> list[tuple]:
    attached = {"held": gate.attachment(gate.latest(asset))}
    with governed(gate.home.spill, inputs=attached, candidate=None) as con:
        return con.execute(sql.replace("DATA", "held.main.data")).fetchall()


def files(gate: Gate) -> set[Path]:
    return {path for path in gate.home.versions.rglob("*") if path.is_file()}


def test_only_needed_columns_and_consenting_people_are_minimized(published: Gate):
    """p-60 never consented; e-mail and cost are not needed; the retention date is kept beside, for the gate."""
    columns = [name for name, _ in published.latest(MINIMIZED).columns]
    assert columns == ["patient_id", "sex", "age", "smoker", "_retention_from"]
    assert rows(published, MINIMIZED, "SELECT count(*), count_if(patient_id = 'p-60') FROM DATA") == [(59, 0)]


def test_tokens_replace_the_identifier_and_masks_the_attributes(published: Gate):
    """Nothing of the identifier is left; the age is a bucket."""
    found = rows(published, PSEUDONYMIZED, "SELECT DISTINCT age FROM DATA ORDER BY 1")
    assert len(found) == 3
    (kinds,) = rows(published, PSEUDONYMIZED, "SELECT DISTINCT typeof(patient_id) FROM DATA")
    assert kinds == ("UUID",)
    assert "_retention_from" not in [name for name, _ in published.latest(PSEUDONYMIZED).columns]


def test_the_same_person_has_the_same_token_when_it_is_made_again(published: Gate):
    """Tokens depend on key, purpose, epoch and domain alone."""
    before = rows(published, PSEUDONYMIZED, "SELECT patient_id FROM DATA ORDER BY 1")
    carry_out(steps(published.project)[PSEUDONYMIZED], published).raise_faults()
    assert rows(published, PSEUDONYMIZED, "SELECT patient_id FROM DATA ORDER BY 1") == before


def test_what_does_not_fit_into_bounded_memory_is_made_without_the_bound(
    published: Gate, monkeypatch: pytest.MonkeyPatch
):
    """Memory is bounded where rows pass one by one; where that is too little, the step takes what it needs."""
    bounds: list[int | None] = []

    def watched(*words, memory, **named):
        bounds.append(memory)
        return governed(*words, memory=memory and min(memory, 3 << 20), **named)

    before = published.latest(MINIMIZED)
    step = steps(published.project)[MINIMIZED]
    monkeypatch.setattr(step_module, "governed", watched)
    carry_out(step, published).raise_faults()
    assert bounds == [step_module.LEAST_MEMORY, None]
    assert published.latest(MINIMIZED).content_digest == before.content_digest
    assert published.sweep() == 0


def test_the_bound_grows_with_the_inputs(published: Gate, monkeypatch: pytest.MonkeyPatch):
    """At least what is always allowed, and as much as the inputs take on the disk; no bound where all rows are held."""
    bounds: list[int | None] = []

    def watched(*words, memory, **named):
        bounds.append(memory)
        return governed(*words, memory=None, **named)

    monkeypatch.setattr(step_module, "governed", watched)
    monkeypatch.setattr(step_module, "LEAST_MEMORY", 1)
    for asset in (MINIMIZED, PSEUDONYMIZED):
        carry_out(steps(published.project)[asset], published).raise_faults()
    inputs = [
        published.attachment(published.latest(AssetName.parse(f"raw/{name}"))) for name in ("patients", "consents")
    ]
    assert bounds == [sum(read.path.stat().st_size for read in inputs), None]


def test_another_epoch_has_other_tokens_down_to_training(published: Gate, reopen: Callable[[], Gate]):
    """Rotation re-tokenizes the descendants: no token of the old epoch is left."""
    before = set(rows(published, TRAINING, "SELECT patient_id FROM DATA"))
    path = published.project.root / "data/purposes/smoking.yaml"
    path.write_text(path.read_text() + "epoch: 2\n")
    gate = reopen()
    with pytest.raises(Refused, match="another epoch"):
        carry_out(steps(gate.project)[FEATURES], gate)
    for asset in (PSEUDONYMIZED, FEATURES, TRAINING):
        carry_out(steps(gate.project)[asset], gate).raise_faults()
    assert not before & set(rows(gate, TRAINING, "SELECT patient_id FROM DATA"))


def test_nobody_stands_in_two_splits_and_all_rows_are_dealt(published: Gate):
    """The training set is the features with a split for everyone."""
    found = rows(published, TRAINING, "SELECT count(*), count(split), count(DISTINCT split) FROM DATA")
    assert found == [(59, 59, 3)]


@pytest.mark.parametrize("asset", [RAW, MINIMIZED, PSEUDONYMIZED, FEATURES, TRAINING])
def test_the_same_inputs_give_the_same_content_under_another_version(published: Gate, asset: AssetName):
    """Two encrypted files never have the same bytes; their content digest is the same all the same."""
    before = published.latest(asset)
    after = carry_out(steps(published.project)[asset], published).passport
    assert after.content_digest == before.content_digest
    assert after.file_digest != before.file_digest
    assert after.code == before.code


def test_a_promise_that_is_not_kept_publishes_nothing_and_leaves_nothing(published: Gate, reopen: Callable[[], Gate]):
    """The candidate is deleted, the version before stands, the fault says line, expectation and finding."""
    path = published.project.root / "data/purposes/smoking.yaml"
    path.write_text(path.read_text().replace("at_least_subjects: 5", "at_least_subjects: 500"))
    gate = reopen()
    before, size = files(gate), gate.ledger.size
    outcome = carry_out(steps(gate.project)[FEATURES], gate)
    assert outcome.passport is None
    (fault,) = outcome.faults
    assert "data/purposes/smoking.yaml:" in fault.where
    assert "500" in fault.expected
    assert "59" in fault.found
    assert (files(gate), gate.ledger.size) == (before, size)


def test_a_step_that_fails_half_way_leaves_nothing(published: Gate):
    """Whatever a stage raises, its candidate is gone."""

    def fails(work):
        work.create(step.query, "failing")
        raise RuntimeError

    step = steps(published.project)[FEATURES]
    before, size = files(published), published.ledger.size
    with pytest.raises(RuntimeError):
        carry_out(replace(step, write=fails), published)
    assert (files(published), published.ledger.size) == (before, size)


def test_bad_rows_wait_in_quarantine_and_too_many_refuse(published: Gate, reopen: Callable[[], Gate]):
    """A row that cannot be read is counted with its reason; above the contract's ceiling raw is not published."""
    path = published.project.root / "data/samples/patients.csv"
    good = path.read_text()
    path.write_text(good + "p-61;x@example.org;F;unknown;true;1;2026-01-05\n" * 4)
    outcome = carry_out(steps(published.project)[RAW], published)
    assert [fault.what for fault in outcome.faults] == ["raw/patients: quarantine_share is broken"]
    contract = published.project.root / "data/contracts/patients.odcs.yaml"
    contract.write_text(contract.read_text().replace("third_parties: []", "quarantine_at_most: 0.2"))
    gate = reopen()
    assert carry_out(steps(gate.project)[RAW], gate).passport.rows == 60


def test_a_source_without_a_needed_column_is_refused_by_name(published: Gate):
    """A dropped column stops raw; what was published stands."""
    path = published.project.root / "data/samples/patients.csv"
    path.write_text("\n".join(line.rpartition(";")[0] for line in path.read_text().splitlines()))
    with pytest.raises(BadSource, match="registered"):
        carry_out(steps(published.project)[RAW], published)
    assert published.examine(RAW).standing.value == "kept"


def test_a_source_that_changes_while_it_is_read_is_refused(published: Gate, monkeypatch: pytest.MonkeyPatch):
    """The digest on record would be of other rows than those that were taken in."""

    def interrupted(*given):
        path.write_text(path.read_text().replace("F;21", "M;21"))
        return stage(*given)

    path = published.project.root / "data/samples/patients.csv"
    path.write_text(path.read_text().replace("M;21", "F;21"))
    step, before, stage = steps(published.project)[RAW], files(published), rows_of_sources.stage
    monkeypatch.setattr(rows_of_sources, "stage", interrupted)
    with pytest.raises(BadSource, match="changed while it was read"):
        carry_out(step, published)
    assert files(published) == before


def test_an_unknown_column_stays_in_raw(published: Gate):
    """It is kept as received and flows nowhere; its header, which could be anything, stays in the file."""
    path = published.project.root / "data/samples/patients.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0] + ";shoe_size", *(f"{line};42" for line in lines[1:])]))
    for asset in (RAW, MINIMIZED):
        carry_out(steps(published.project)[asset], published).raise_faults()
    assert "unknown_8" in dict(published.latest(RAW).columns)
    assert rows(published, RAW, "SELECT DISTINCT shoe_size FROM DATA") == [("42",)]
    assert "shoe_size" not in (published.home.ledger / "entries").read_text()
    assert len(published.latest(MINIMIZED).columns) == 5


def test_what_is_published_can_be_measured_again(published: Gate):
    """Every promise is asked of the file again, with the inputs it was compared with, and gives the same numbers."""
    for step in steps(published.project).values():
        passport = published.latest(step.asset)
        outcome = measure_again(step, published, passport)
        assert not outcome.faults
        then = {measured.finding.name: dict(measured.finding.numbers) for measured in passport.measured}
        assert {measured.finding.name: dict(measured.finding.numbers) for measured in outcome.measured} == then


def test_a_passport_holds_no_value_of_a_person(published: Gate):
    """No identifier, e-mail or date of the sample stands in the ledger."""
    text = (published.home.ledger / "entries").read_text()
    for value in ("p-01", "ada@example.org", "2026-01-05", "31.5"):
        assert value not in text


def test_every_stage_declares_the_columns_that_it_writes(published: Gate):
    """Names, order and types that definitions show are those of the file."""
    for step in steps(published.project).values():
        declared = [(column.name, column.type) for column in step.columns]
        assert declared == list(published.latest(step.asset).columns), step.asset


def test_every_output_column_has_a_lineage_to_a_column_that_is_there(published: Gate):
    """Direct and indirect edges end in columns of the step's views."""
    for step in steps(published.project).values():
        if step.asset.stage is Stage.RAW:
            continue
        for out, sources in step.lineage.direct.items():
            assert sources or step.asset.stage is Stage.MODEL, out
            assert all(column in step.views[view].columns for view, column in sources)
        for edges in step.lineage.indirect.values():
            assert all(column in step.views[view].columns for view, column, _ in edges)


def test_consent_and_retention_are_in_the_lineage(published: Gate):
    """A filter decides who is there: every minimized column depends on the decision and on the date."""
    lineage = steps(published.project)[MINIMIZED].lineage
    for edges in lineage.indirect.values():
        assert {("patients", "registered"), ("consents_of_subjects", "decision")} <= {edge[:2] for edge in edges}
