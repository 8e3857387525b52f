"""Erasure through to the models: nothing of a person is left, everything else is as if they had never been there."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from privacy_assets.build import steps
from privacy_assets.errors import BadDeclaration, NotKept, Refused, Tampered
from privacy_assets.gate import PERSON, Gate, Input, Passport, Standing
from privacy_assets.stages.step import LEFT_OUT, Step, carry_out
from privacy_assets.subjects import erasing, searching
from privacy_assets.subjects.erasing import (
    What,
    downstream,
    erase,
    erase_lapsed,
    lapsed,
    plan,
    require_sound_reason,
    resume,
)
from privacy_assets.subjects.people import Person, find, names, presence, pseudonym
from privacy_assets.subjects.tracing import holding, trace
from privacy_assets.words import AssetName, Stage

from .conftest import deliver_by_day, rewrite_source, write_delivery

RAW, CONSENTS, MODEL = (AssetName.parse(name) for name in ("raw/patients", "raw/consents", "model/smoking"))
FEATURES, TRAINING = AssetName.parse("features/smoking"), AssetName.parse("training/smoking")
EVERY = frozenset({"p-07", "cleo7@example.org"})


def remake(gate: Gate, made: dict[AssetName, Step]) -> None:
    for step in made.values():
        carry_out(step, gate).raise_faults()


def ids(gate: Gate, asset: AssetName) -> set[str]:
    latest = gate.latest(asset)
    assert latest is not None
    return {latest.version}


def test_an_erased_person_is_nowhere(published: Gate, made: dict) -> None:
    """T-ERASE-2: in no table, no model, no file; the control is found in each store."""
    before = {one.asset: one.version for one in published.held()}
    people = find(published, ["p-07"])
    done = erase(published, made, people, "asked by letter")
    assert done.complete
    assert len(done.searched) > 20
    assert {str(one.asset) for one in done.receipts} == {str(asset) for asset in before}
    for asset, version in before.items():
        assert not published.versions.exists(str(asset), version)
        assert published.examine(asset).standing is Standing.KEPT
    with pytest.raises(BadDeclaration, match="nobody is named"):
        find(published, ["p-07"])
    assert all(one.clean for one in searching.search(published, EVERY))


def test_all_else_is_as_if_they_had_never_been_there(published: Gate, made: dict) -> None:
    """T-ERASE-3: every asset has the very content that it has where the source never held the person."""
    erase(published, made, find(published, ["p-07"]), "asked by letter")
    erased = {asset: passport.content_digest for asset in made if (passport := published.latest(asset))}
    for dataset in ("patients", "consents"):
        rewrite_source(published.project.root, dataset, without="p-07")
    remake(published, made)
    again = {asset: passport.content_digest for asset in made if (passport := published.latest(asset))}
    assert erased == again
    assert len(erased) == 7


def test_the_ledger_holds_and_names_nobody(published: Gate, made: dict) -> None:
    """T-ERASE-4: it verifies, one receipt for each version, under a name that nobody can find again."""
    people = find(published, ["p-07"])
    name = pseudonym(published, people[0])
    since = published.ledger.size
    done = erase(published, made, people, "asked by letter")
    published.ledger.verify()
    entries = [entry.body for entry in published.ledger.entries(since)]
    begun = next(body for body in entries if body["action"] == "erasure")
    assert (begun["reason"], begun["subjects"]) == ("asked by letter", [name])
    receipts = [body for body in entries if body["action"] == "destroy"]
    assert len(receipts) == len(done.receipts) == 7
    assert all(body["reason"] == "erased" and body["replaced_by"] for body in receipts)
    assert entries[-1] | {"actor_claimed": "", "time": ""} == {
        "action": "erased",
        "erasure": done.erasure.id,
        "stores": len(done.searched),
        "stores_with_hits": 0,
        "stores_not_searched": 0,
        "not_made_again": [],
        "actor_claimed": "",
        "time": "",
    }
    assert pseudonym(published, people[0]) != name, "their key was destroyed"
    assert not any(value in str(entries) for value in EVERY)


def test_history_still_tells_of_erased_versions(published: Gate, made: dict) -> None:
    """Their passports stay; only the data is gone."""
    before = published.latest(TRAINING)
    erase(published, made, find(published, ["p-07"]), "asked by letter")
    assert before is not None
    assert published.was_erased(before)
    assert [one.asset for one in published.ancestry(before)][-1].stage is Stage.RAW
    with pytest.raises(Refused, match="somebody in it was erased"):
        published.require_sound(before)


def test_whoever_is_erased_is_not_taken_in_again(published: Gate, made: dict) -> None:
    """Their source may deliver them for years: also broken rows, and lines that are no rows."""
    erase(published, made, find(published, ["p-07"]), "asked by letter")
    rewrite_source(published.project.root, "patients", adding='p-07;a@example.org;Q;x;y;z;w\n"p-07";half a line')
    outcome = carry_out(made[RAW], published)
    outcome.raise_faults()
    assert outcome.counts == {LEFT_OUT: 3}
    assert all(one.clean for one in searching.search(published, EVERY))


def test_several_people_cost_one_rebuild(published: Gate, made: dict) -> None:
    """Each asset is carried out once, however many are erased."""
    carried: list[AssetName] = []
    people = find(published, [f"p-{number:02}" for number in range(1, 11)])
    done = erase(published, made, people, "asked by letter", lambda step, outcome: carried.append(step.asset))
    assert sorted(carried) == sorted(made)
    assert len(done.erasure.subjects) == 10
    latest = published.latest(RAW)
    assert latest is not None
    assert latest.rows == 50


def test_what_nobody_of_them_was_in_stays(published: Gate, made: dict) -> None:
    """p-60 never consented: the purpose's rows come out as they were, and the model is not trained again."""
    before = {asset: ids(published, asset) for asset in made}
    done = erase(published, made, find(published, ["p-60"]), "asked by letter")
    assert {str(asset) for asset in done.spared} == {"pseudonymized/smoking/patients"}
    assert ids(published, MODEL) == before[MODEL]
    assert all("nobody of them was in it" in why for why in done.spared.values())
    for asset in made:
        assert published.examine(asset).standing is Standing.KEPT
    remake(published, made)


def test_what_stayed_once_is_found_by_the_next_erasure(published: Gate, made: dict) -> None:
    """It counts as made from what came out alike, so that its people are traced and erased through it."""
    erase(published, made, find(published, ["p-60"]), "asked by letter")
    held, _ = trace(published, made, find(published, ["p-07"]))
    assert {one.passport.asset for one in held} == set(made)
    done = erase(published, made, find(published, ["p-07"]), "asked by letter")
    assert done.complete
    assert {one.asset for one in done.receipts} == set(made)
    assert not done.spared


def test_withdrawal_reaches_what_stayed(published: Gate, made: dict) -> None:
    """The purpose's tables stayed when somebody else was erased; who withdraws afterwards leaves them all the same."""
    erase(published, made, find(published, ["p-60"]), "asked by letter")
    before = ids(published, MODEL)
    rewrite_source(published.project.root, "consents", adding="p-07,smoking,withdrawn,2026-03-01 00:00:00")
    carry_out(made[CONSENTS], published).raise_faults()
    done = erase_lapsed(published, made)
    assert done is not None
    assert MODEL in {one.asset for one in done.receipts}
    assert ids(published, MODEL) != before
    assert all(published.examine(asset).standing is Standing.KEPT for asset in made)


def test_who_is_in_superseded_versions_alone_is_erased(published: Gate, made: dict) -> None:
    """Raw was delivered without them since, and is not kept for as long as what was made from it."""
    for dataset in ("patients", "consents"):
        rewrite_source(published.project.root, dataset, without="p-07")
    remake(published, made)
    for asset in (RAW, CONSENTS):
        carry_out(made[asset], published).raise_faults()
    people = find(published, ["p-07"])
    done = erase(published, made, people, "asked by letter")
    assert done.complete
    assert {one.asset.stage for one in done.receipts} >= {Stage.MINIMIZED, Stage.TRAINING, Stage.MODEL}
    assert not done.remade, "nobody of them is in what stands"


def test_superseded_versions_have_receipts_of_the_erasure(published: Gate, made: dict) -> None:
    """They are not destroyed as superseded while the erasure makes others: what was planned is what has receipts."""
    remake(published, made)
    people = find(published, ["p-07"])
    lines = plan(published, presence(published, people).rooted)
    assert sum(line.why == "superseded" for line in lines) == 7
    since = published.ledger.size
    done = erase(published, made, people, "asked by letter")
    assert list(done.receipts) == [Input(line.passport.asset, line.passport.version) for line in lines]
    reasons = [entry.body["reason"] for entry in published.ledger.entries(since) if entry.body["action"] == "destroy"]
    assert reasons == ["erased"] * 14
    assert {asset: passport.version for asset, passport in done.stands.items()} == {
        asset: passport.version for asset in made if (passport := published.latest(asset))
    }


def test_who_resumes_is_told_of_all_that_was_destroyed_and_of_what_stands(
    published: Gate, made: dict, reopen: Callable[[], Gate], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some versions were destroyed before the interruption, and a run made everything again after it."""
    remake(published, made)
    people = find(published, ["p-07"])
    planned = plan(published, presence(published, people).rooted)
    real = Gate.erase_version
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Gate, "erase_version", lambda *given: real(*given) if given[1].asset == MODEL else _interrupts())
        erase(published, made, people, "asked by letter")
    gate = reopen()
    remake(gate, made)
    (done,) = resume(gate, made)
    assert list(done.receipts) == [Input(line.passport.asset, line.passport.version) for line in planned]
    assert not done.remade
    assert set(done.stands) == set(made)


def test_what_is_declared_no_more_is_destroyed(published: Gate, reopen: Callable[[], Gate]) -> None:
    """A purpose that was taken out of the project leaves its versions in the home: they are traced, and destroyed."""
    (published.project.root / "data/purposes/smoking.yaml").unlink()
    gate = reopen()
    made = steps(gate.project)
    people = find(gate, ["p-07"])
    assert MODEL in {one.passport.asset for one in holding(gate, made, people)}
    planned = {line.passport.asset: line.why for line in plan(gate, presence(gate, people).rooted)}
    assert planned[MODEL] == "declared no more"
    assert MODEL in {one.asset for one in erase(gate, made, people, "asked by letter").receipts}
    assert all(one.clean for one in searching.search(gate, EVERY))


@pytest.fixture
def undeclared(published: Gate, reopen: Callable[[], Gate], tmp_path: Path) -> Gate:
    """The tiny project without its patients: their raw, and all that was made of it, is still in the home."""
    for name in ("contracts/patients.odcs.yaml", "purposes/smoking.yaml"):
        path = published.project.root / "data" / name
        path.rename(tmp_path / path.name)
    return reopen()


def test_a_dataset_that_is_declared_no_more_goes_whole(undeclared: Gate) -> None:
    """Nobody can tell whose its rows are: it is traced, planned and destroyed with all that was made of it."""
    made = steps(undeclared.project)
    people = find(undeclared, ["p-07"])
    held = {one.passport.asset: (one.rows, one.known) for one in holding(undeclared, made, people)}
    assert held[CONSENTS] == (1, True)
    assert held[RAW] == (None, False)
    planned = {line.passport.asset: line for line in plan(undeclared, presence(undeclared, people).rooted)}
    assert planned[RAW].what is What.DESTROYED
    assert "anybody may be in it" in planned[RAW].why
    assert planned[CONSENTS].what is What.REWRITTEN
    done = erase(undeclared, made, people, "asked by letter")
    assert done.complete
    assert {RAW, CONSENTS, FEATURES, TRAINING, MODEL} < {one.asset for one in done.receipts}
    assert {one.asset for one in undeclared.held()} == {CONSENTS}
    assert all(one.clean for one in searching.search(undeclared, EVERY))


def test_declared_again_it_takes_in_all_but_them(undeclared: Gate, reopen: Callable[[], Gate], tmp_path: Path) -> None:
    """Their tombstone holds for whatever dataset has their identifier."""
    erase(undeclared, steps(undeclared.project), find(undeclared, ["p-07"]), "asked by letter")
    contract = "patients.odcs.yaml"
    (tmp_path / contract).rename(undeclared.project.root / "data/contracts" / contract)
    gate = reopen()
    outcome = carry_out(steps(gate.project)[RAW], gate)
    outcome.raise_faults()
    assert outcome.counts == {LEFT_OUT: 1}
    assert all(one.clean for one in searching.search(gate, EVERY))


def test_who_is_in_undeclared_data_alone_is_told_where_to_look(undeclared: Gate) -> None:
    """p-60 never decided anything: nothing is done, and it is said what to declare."""
    with pytest.raises(BadDeclaration, match="to look in raw/patients, declare that again"):
        find(undeclared, ["p-60"])


def test_a_dataset_that_comes_by_day_now_is_erased_from_what_came_whole(
    published: Gate, reopen: Callable[[], Gate]
) -> None:
    """What it was before is declared no more, but its contract still says whose the rows are."""
    deliver_by_day(published.project.root)
    gate = reopen()
    people = find(gate, ["p-07"])
    planned = {line.passport.asset: (line.what, line.why) for line in plan(gate, presence(gate, people).rooted)}
    assert planned[RAW] == (What.DESTROYED, "declared no more")
    done = erase(gate, steps(gate.project), people, "asked by letter")
    assert {RAW, CONSENTS} < {one.asset for one in done.receipts}
    assert all(one.clean for one in searching.search(gate, EVERY))


def test_what_outlives_what_it_was_made_from_is_destroyed(published: Gate, made: dict) -> None:
    """Raw and minimized come daily, the rest seldom: an older training set stays when nobody can tell who is in it."""
    minimized = next(asset for asset in made if asset.stage is Stage.MINIMIZED)
    older = [published.latest(asset) for asset in (TRAINING, MODEL)]
    for number in range(3):
        rewrite_source(published.project.root, "patients", without=f"p-{50 + number}")
        for asset in (CONSENTS, RAW, minimized):
            carry_out(made[asset], published).raise_faults()
    remake(published, made)
    held = published.held()
    assert all(one in held for one in older)
    outlived = {(one.asset, one.version) for one in held}
    assert any((one.asset, one.version) not in outlived for passport in held for one in passport.inputs)
    people = find(published, ["p-07"])
    lines = plan(published, presence(published, people).rooted)
    done = erase(published, made, people, "asked by letter")
    assert done.complete
    assert set(done.receipts) == {Input(line.passport.asset, line.passport.version) for line in lines}
    assert all(Input(one.asset, one.version) in done.receipts for one in older if one is not None)
    assert all(one.clean for one in searching.search(published, EVERY))


STATISTICS = AssetName.parse("statistics/smoking")


@pytest.mark.parametrize(
    ("privacy", "stays"), [("{kind: plain, at_least_subjects: 8}", False), ("{kind: differential, epsilon: 1}", True)]
)
def test_numbers_stay_where_noise_hides_a_person(
    published: Gate, reopen: Callable[[], Gate], privacy: str, stays: bool
) -> None:
    """What was paid for says about as much without them; what is exact does not, and is told again."""
    root = published.project.root
    for name in ("patients", "consents"):
        path = root / f"data/contracts/{name}.odcs.yaml"
        budget = "      budget: {epsilon: 2.0, period_days: 30}\n      lawful_bases:"
        path.write_text(path.read_text().replace("      lawful_bases:", budget))
    purpose = root / "data/purposes/smoking.yaml"
    bound = "  contribution: {rows: 1}\n" if stays else ""
    asked = f"statistics:\n  privacy: {privacy}\n{bound}  queries:\n    people: {{kind: count}}\ntraining:"
    purpose.write_text(purpose.read_text().replace("training:", asked))
    gate = reopen()
    made = steps(gate.project)
    remake(gate, made)
    before, people = ids(gate, STATISTICS), find(gate, ["p-07"])
    (line,) = (line for line in plan(gate, presence(gate, people).rooted) if line.passport.asset == STATISTICS)
    assert line.what is (What.SPARED if stays else What.REMADE)
    done = erase(gate, made, people, "asked by letter")
    assert done.complete
    assert (ids(gate, STATISTICS) == before) == (STATISTICS in done.spared) == stays
    assert gate.examine(STATISTICS).standing is Standing.KEPT


def test_who_shares_an_identifier_is_not_erased_with_another(published: Gate, made: dict) -> None:
    """The subject's own number tells them apart; the address that both have stays, and is not looked for."""
    rewrite_source(published.project.root, "patients", adding="p-70;cleo7@example.org;F;30;true;1.00;2026-01-01")
    remake(published, made)
    done = erase(published, made, find(published, ["p-07"]), "asked by letter")
    assert done.complete
    (other,) = find(published, ["cleo7@example.org"])
    assert other.keys == {("patient_id", "p-70")}


def test_whoever_has_the_same_identifier_goes_where_rows_are_people(
    published: Gate, reopen: Callable[[], Gate]
) -> None:
    """Where no number tells two rows apart both are erased, the plan says how many, and neither is taken in again."""
    root = published.project.root
    for name in ("contracts/consents.odcs.yaml", "purposes/smoking.yaml"):
        (root / "data" / name).unlink()
    shutil.rmtree(published.home.versions / "raw")
    contract = root / "data/contracts/patients.odcs.yaml"
    text = contract.read_text()
    for old, new in {
        "        column: patient_id\n": "",
        "      consents: consents\n": "",
        "[consent, legitimate_interests]": "[legitimate_interests]",
        "        primaryKey: true\n": "",
        "        unique: true\n": "",
    }.items():
        assert old in text
        text = text.replace(old, new)
    contract.write_text(text)
    rewrite_source(root, "patients", adding="p-70; Cleo7@example.org;F;30;true;1.00;2026-01-01")
    gate = reopen()
    made = steps(gate.project)
    carry_out(made[RAW], gate).raise_faults()
    people = find(gate, ["cleo7@example.org"])
    (line,) = (line for line in plan(gate, presence(gate, people).rooted) if line.what is What.REWRITTEN)
    assert line.rows == 2
    assert erase(gate, made, people, "asked by letter").complete
    assert gate.latest(RAW).rows == 59
    assert carry_out(made[RAW], gate).counts == {LEFT_OUT: 2}


def test_a_plan_changes_nothing_and_says_what_becomes_of_each(published: Gate, made: dict) -> None:
    """It is what is carried out."""
    size = published.ledger.size
    people = find(published, ["p-07"])
    lines = plan(published, presence(published, people).rooted)
    assert published.ledger.size == size
    assert {str(line.passport.asset): line.what for line in lines} == {
        str(asset): What.REWRITTEN if asset.stage is Stage.RAW else What.REMADE for asset in made
    }
    done = erase(published, made, people, "asked by letter")
    assert set(done.receipts) == {Input(line.passport.asset, line.passport.version) for line in lines}


def test_what_cannot_be_made_again_is_destroyed_all_the_same(published: Gate, made: dict, reopen: Callable) -> None:
    """Who asks for many people may leave too few for what is promised: nothing stands then, and it is said."""
    people = find(published, [f"p-{number:02}" for number in range(1, 58)])
    done = erase(published, made, people, "asked by letter")
    assert not done.complete
    assert FEATURES in done.failed
    assert published.examine(FEATURES).standing is Standing.BROKEN
    assert published.ledger.entries()[-1].body["not_made_again"]
    assert all(one.clean for one in searching.search(published, {"p-57"}))
    another = erase(published, made, find(published, ["p-58"]), "asked by letter")
    assert another.complete, "what stood no more was not taken from anybody by this one"
    assert FEATURES not in {one.asset for one in another.receipts}


def test_an_erasure_that_is_resumed_tells_again_what_could_not_be_made(
    published: Gate, made: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where all was destroyed already."""
    people = find(published, [f"p-{number:02}" for number in range(1, 58)])
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(searching, "search", _interrupts)
        erase(published, made, people, "asked by letter")
    (done,) = resume(published, made)
    assert FEATURES in done.failed
    assert FEATURES in {one.asset for one in done.receipts}


def test_an_erasure_that_is_resumed_tells_what_was_left_as_it_is(
    published: Gate, made: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """p-60 decided nothing, so that nothing was made from their row; that was on record before the interruption."""
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(searching, "search", _interrupts)
        erase(published, made, find(published, ["p-60"]), "asked by letter")
    (done,) = resume(published, made)
    assert {str(asset) for asset in done.spared} == {"pseudonymized/smoking/patients"}
    assert done.remade == {}


@pytest.mark.parametrize("moment", ["begun", "rewritten", "remade", "destroyed", "searched"])
def test_an_interrupted_erasure_refuses_reads_and_resumes(
    published: Gate, made: dict, reopen: Callable[[], Gate], monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """T-ERASE-5, T-ERASE-6: until it is finished nothing that holds the person is read; then all is as it should be."""
    at = {
        "begun": (erasing, "_rewrite"),
        "rewritten": (erasing, "_remake"),
        "remade": (Gate, "erase_version"),
        "destroyed": (searching, "search"),
        "searched": (erasing.subjects, "forget"),
    }[moment]
    people = find(published, ["p-07"])
    keys = names(published, people)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(*at, _interrupts)
        erase(published, made, people, "asked by letter")
    gate = reopen()
    assert len(gate.unfinished()) == 1
    if moment in ("begun", "rewritten"):
        with pytest.raises(Refused, match="somebody in it, or in what it was made from, is erased"):
            gate.require(MODEL, PERSON)
    with pytest.raises(Refused, match="begun and not finished"):
        erase(gate, made, people, "asked by letter")
    (done,) = resume(gate, steps(gate.project))
    assert done.complete
    assert gate.unfinished() == ()
    assert all(gate.examine(asset).standing is Standing.KEPT for asset in made)
    assert all(one.clean for one in searching.search(gate, EVERY))
    assert not any(gate.versions.path("subject", name).with_suffix(".key").exists() for name in keys)
    assert resume(gate, made) == []


def _interrupts(*args: object, **named: object) -> None:
    raise KeyboardInterrupt


def test_nothing_that_holds_them_is_published_meanwhile(
    published: Gate, made: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that read a source, or a version, before the erasure began publishes nothing after it."""
    asked = {RAW: "p-07", TRAINING: "p-08"}
    real = published.content_digest

    def begun_meanwhile(*args: object) -> str:
        monkeypatch.undo()
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(erasing, "_rewrite", _interrupts)
            erase(published, made, find(published, [asked[asset]]), "asked by letter")
        return real(*args)

    for asset in asked:
        monkeypatch.setattr(published, "content_digest", begun_meanwhile)
        with pytest.raises(Refused, match="erased while it was made"):
            carry_out(made[asset], published)
        (done,) = resume(published, made)
        assert done.complete, done.failed


def test_a_home_that_is_put_back_is_erased_again(published: Gate, made: dict, reopen: Callable, tmp_path: Path) -> None:
    """T-ERASE-5: versions and tombstones of a backup: nothing of it is read, it is swept, and nobody is taken in."""
    home = published.home.path
    backup = tmp_path / "backup"
    shutil.copytree(home / "versions", backup / "versions")
    erase(published, made, find(published, ["p-07"]), "asked by letter")
    shutil.copytree(backup / "versions", home / "versions", dirs_exist_ok=True)
    (home / "tombstones").unlink()
    gate = reopen()
    assert all(gate.examine(asset).standing is Standing.KEPT for asset in made)
    remake(gate, made)
    assert (home / "tombstones").exists(), "put back from beside the witness"
    assert all(one.clean for one in searching.search(gate, EVERY))
    old = [path.stem for path in (backup / "versions").rglob("*.duckdb")]
    assert not any(path.stem in old for path in home.rglob("versions/**/*.duckdb"))


def test_a_whole_home_that_is_put_back_is_a_forgery(
    published: Gate, made: dict, reopen: Callable, tmp_path: Path
) -> None:
    """Its ledger is older than its witness: nothing opens."""
    home = published.home.path
    shutil.copytree(home, tmp_path / "backup")
    erase(published, made, find(published, ["p-07"]), "asked by letter")
    shutil.rmtree(home)
    shutil.copytree(tmp_path / "backup", home)
    with pytest.raises(Tampered):
        reopen()


def test_changed_tombstones_let_nobody_in(published: Gate, made: dict, reopen: Callable) -> None:
    """Neither copy is the one that the ledger speaks of."""
    erase(published, made, find(published, ["p-07"]), "asked by letter")
    for folder in (published.home.path, published.home.witness_folder):
        (folder / "tombstones").write_text("0" * 64 + "\n")
    with pytest.raises(Tampered, match="tombstones"):
        carry_out(made[RAW], reopen())


def test_withdrawal_takes_a_person_out_of_that_purpose_alone(published: Gate, made: dict) -> None:
    """T-ERASE-6: superseded versions as well; raw keeps the row, and the decision."""
    rewrite_source(published.project.root, "consents", adding="p-07,smoking,withdrawn,2026-03-01 00:00:00")
    carry_out(made[CONSENTS], published).raise_faults()
    found = lapsed(published)
    assert {(str(one.asset), rows) for one, rows in found.items()} == {("minimized/smoking/patients", 1)}
    done = erase_lapsed(published, made)
    assert done is not None
    assert done.complete
    assert {one.asset.stage for one in done.receipts} == set(Stage) - {
        Stage.RAW, Stage.ANONYMIZED, Stage.SYNTHETIC, Stage.STATISTICS,
    }  # fmt: skip
    (person,) = find(published, ["p-07"])
    assert {str(one.asset) for one in presence(published, [person]).rooted} == {"raw/patients", "raw/consents"}
    assert all(published.examine(asset).standing is Standing.KEPT for asset in made)
    assert erase_lapsed(published, made) is None


def test_rows_past_retention_leave_raw_too(published: Gate, made: dict) -> None:
    """What a contract keeps for ten years is gone after ten years and a day."""
    published.now = lambda: datetime(2036, 1, 10, tzinfo=UTC)
    past = lapsed(published)
    assert {str(one.asset) for one in past} == {"raw/patients", "minimized/smoking/patients"}
    done = erase_lapsed(published, made)
    assert done is not None
    latest = published.latest(RAW)
    assert latest is not None
    assert 0 < latest.rows < 60
    assert past[next(one for one in past if one.asset == RAW)] == 60 - latest.rows


def test_erasing_people_makes_no_source_worse(published: Gate, made: dict) -> None:
    """Three rows of 63 are unusable, which is allowed; of the 58 that are left it would be too many."""
    bad = "\n".join(f"p-9{number};x@example.org;F;young;true;1.00;2026-01-01" for number in range(3))
    rewrite_source(published.project.root, "patients", adding=bad)
    remake(published, made)
    people = find(published, [f"p-0{number}" for number in range(1, 6)])
    assert erase(published, made, people, "asked by letter").complete
    for _ in range(2):  # as it was rewritten, and as it comes from the source again
        passport = published.latest(RAW)
        assert passport
        (share,) = (found.finding for found in passport.measured if found.finding.name == "quarantine_share")
        assert share.numbers == {"source_rows": 63, "quarantined_rows": 3, "share": 3 / 63}
        carry_out(made[RAW], published).raise_faults()


def test_quarantine_lapses_too(published: Gate, made: dict) -> None:
    """By its own date where that can be read, else from the day on which it was first taken in."""
    broken = {
        "p-71": "p-71;a@example.org;Q;30;true;1.00;2015-12-31",
        "p-73": "p-73;c@example.org;F;30;true;1.00;soon",
        "p-74": "p-74;d@example.org",
    }
    stays = "p-75;e@example.org;F;30;true;1.00;2035-01-01"
    rewrite_source(published.project.root, "patients", adding="\n".join([*broken.values(), stays]))
    carry_out(made[RAW], published).raise_faults()
    latest = published.latest(RAW)
    assert latest is not None
    assert sum(value for name, value in latest.counts.items() if name.startswith("quarantined")) == len(broken)
    assert lapsed(published) == {Input(RAW, latest.version): 1}

    def left_in_quarantine() -> set[str]:
        return {name for name in broken if any(one.stage is Stage.RAW for one in _holding(published, name))}

    assert erase_lapsed(published, made) is not None
    assert left_in_quarantine() == {"p-73", "p-74"}
    taken_in = latest.time
    published.now = lambda: taken_in + timedelta(days=3651)
    assert erase_lapsed(published, made) is not None
    assert left_in_quarantine() == set()
    assert AssetName.parse("raw/patients") in _holding(published, "p-75")
    assert lapsed(published) == {}


def _holding(gate: Gate, number: str) -> set[AssetName]:
    return {one.asset for one in presence(gate, [Person(frozenset({("patient_id", number)}))]).rooted}


def test_an_erasure_without_a_reason_is_refused(published: Gate, made: dict) -> None:
    """Nothing is changed."""
    size = published.ledger.size
    with pytest.raises(BadDeclaration, match="reason"):
        erase(published, made, find(published, ["p-07"]), " ")
    assert published.ledger.size == size


def test_downstream_is_what_brute_force_finds(figures: Callable[..., None]) -> None:
    """T-ERASE-1: on random graphs, with and without stops, exactly what can be reached."""
    rng = random.Random(1)
    missed = 0
    for _ in range(300):
        size = rng.randrange(1, 25)
        history: list[Passport] = []
        for place in range(size):
            inputs = rng.sample(range(place), rng.randrange(0, min(place, 3) + 1))
            history.append(_version(place, [history[one] for one in inputs]))
        roots = {(one.asset, one.version) for one in rng.sample(history, rng.randrange(0, min(size, 3) + 1))}
        stops = {(one.asset, one.version) for one in rng.sample(history, rng.randrange(0, min(size, 3) + 1))}
        missed += downstream(history, roots, stops) != {
            (one.asset, one.version) for one in history if _reaches(one, history, roots, stops)
        }
    figures("T-ERASE-1 closures beside brute force", tried=300, different=missed)
    assert missed == 0


def _reaches(one: Passport, history: list[Passport], roots: set, stops: set) -> bool:
    """Whether some way leads back to a root, over nothing that stops."""
    if (one.asset, one.version) in stops:
        return False
    made_from = [other for other in history for read in one.inputs if other.version == read.version]
    return (one.asset, one.version) in roots or any(_reaches(other, history, roots, stops) for other in made_from)


def _version(place: int, inputs: list[Passport]) -> Passport:
    asset = AssetName(Stage.FEATURES, f"purpose_{place % 5}")
    read = tuple(Input(one.asset, one.version) for one in inputs)
    return Passport(asset, f"{place:032x}", "", "", 0, (), read, (), {}, "", position=place)


def test_raw_that_cannot_be_written_anew_is_not_destroyed(
    published: Gate, made: dict, reopen: Callable[[], Gate], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A contract that raw does not keep today: refused before anything is changed; met on the way: nothing is lost."""
    contract = published.project.root / "data/contracts/patients.odcs.yaml"
    as_it_was = contract.read_text()
    contract.write_text(as_it_was.replace("physicalType: SMALLINT", "physicalType: BIGINT"))
    gate = reopen()
    size = gate.ledger.size
    people = find(gate, ["p-07"])
    with pytest.raises(Refused, match="raw/patients"):
        erase(gate, steps(gate.project), people, "asked by letter")
    assert gate.ledger.size == size
    monkeypatch.setattr(erasing, "_can_be_rewritten", lambda gate, made, roots: None)
    with pytest.raises(NotKept, match="raw/patients"):
        erase(gate, steps(gate.project), people, "asked by letter")
    latest = gate.latest(RAW)
    assert latest is not None
    assert gate.versions.exists(str(RAW), latest.version)
    contract.write_text(as_it_was)
    gate = reopen()
    (done,) = resume(gate, steps(gate.project))
    assert done.complete
    assert all(one.clean for one in searching.search(gate, EVERY))


def test_what_is_published_while_they_are_looked_for_is_not_missed(
    published: Gate, made: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run takes the source in between the look and the first entry: nothing is changed, and it is said."""
    people = find(published, ["p-07"])
    real = erasing.stand_ins

    def meanwhile(*given: object) -> frozenset[str]:
        carry_out(made[RAW], published).raise_faults()
        return real(*given)

    monkeypatch.setattr(erasing, "stand_ins", meanwhile)
    with pytest.raises(Refused, match="published by another run meanwhile"):
        erase(published, made, people, "asked by letter")
    assert published.unfinished() == ()
    monkeypatch.undo()
    assert erase(published, made, people, "asked by letter").complete


@pytest.mark.parametrize("reason", ["the letter of P-07", "mail from cleo7@example.org, May"])
def test_a_reason_that_names_them_is_refused(published: Gate, made: dict, reason: str) -> None:
    """The ledger cannot forget; nothing is changed."""
    size = published.ledger.size
    with pytest.raises(BadDeclaration, match="the reason has a name") as caught:
        erase(published, made, find(published, ["p-07"]), reason)
    assert published.ledger.size == size
    assert "07" not in str(caught.value)


def test_a_reason_may_not_have_what_they_are_found_by_however_short(published: Gate, made: dict) -> None:
    """Nor what was theirs alone in an earlier version: `bo` is a word, and was one person's address."""
    root = published.project.root
    rewrite_source(root, "patients", adding="7;bo;F;30;true;1.00;2026-01-01")
    carry_out(made[RAW], published).raise_faults()
    rewrite_source(root, "patients", adding="8;bo;F;30;true;1.00;2026-01-01\n9;7;F;30;true;1.00;2026-01-01")
    carry_out(made[RAW], published).raise_faults()
    people = find(published, ["patient_id=7"])
    known = presence(published, people)
    for reason in ("patient 7 asked by letter", "letter of bo"):
        with pytest.raises(BadDeclaration, match="the reason has a name"):
            require_sound_reason(published, people, known, reason)


def test_a_reason_with_what_others_have_as_well_is_refused(published: Gate, made: dict) -> None:
    """A name that somebody else has, too, tells with what stands beside it whom it is of; two letters do not."""
    rewrite_source(
        published.project.root,
        "patients",
        adding="p-70;cleo7@example.org;F;30;true;1.00;2026-01-01\np-71;ab;F;30;true;1.00;2026-01-01\n"
        "p-72;ab;F;30;true;1.00;2026-01-01",
    )
    carry_out(made[RAW], published).raise_faults()
    people = find(published, ["p-07"])
    require_sound_reason(published, people, presence(published, people), "asked by letter")
    with pytest.raises(BadDeclaration, match="the reason has a name"):
        require_sound_reason(published, people, presence(published, people), "mail from CLEO7@example.org")
    others = find(published, ["p-71"])
    require_sound_reason(published, others, presence(published, others), "letter with attachments ab and c")
    with pytest.raises(BadDeclaration, match="an erasure has a reason"):
        require_sound_reason(published, people, presence(published, people), " x ")


def test_what_is_promised_since_is_asked_of_the_rows_that_are_held(
    published: Gate, made: dict, reopen: Callable[[], Gate]
) -> None:
    """A new promise waits for no source, which may be gone; what the rows that are held do not keep is refused."""
    root = published.project.root
    contract = root / "data/contracts/patients.odcs.yaml"
    as_it_was = contract.read_text()
    (root / "data/samples/patients.csv").unlink()
    for column, kept in (("physicalType: SMALLINT\n", True), ("logicalType: boolean\n", False)):
        contract.write_text(as_it_was.replace(column, f"{column}        unique: true\n"))
        gate = reopen()
        assert gate.examine(RAW).standing is Standing.BROKEN
        people = find(gate, ["p-07" if kept else "p-08"])
        if kept:
            assert erase(gate, steps(gate.project), people, "asked by letter").complete
            continue
        size = gate.ledger.size
        with pytest.raises(Refused, match="raw/patients: unique"):
            erase(gate, steps(gate.project), people, "asked by letter")
        assert gate.ledger.size == size


def test_raw_that_is_superseded_need_not_keep_what_is_promised_today(
    published: Gate, made: dict, reopen: Callable[[], Gate]
) -> None:
    """It is destroyed; and what stands, in which they are not, is left alone."""
    root = published.project.root
    rewrite_source(root, "patients", without="p-60")  # who decided nothing
    carry_out(made[RAW], published).raise_faults()
    contract = root / "data/contracts/patients.odcs.yaml"
    contract.write_text(
        contract.read_text().replace("logicalType: boolean\n", "logicalType: boolean\n        unique: true\n")
    )
    gate = reopen()
    stands = ids(gate, RAW)
    done = erase(gate, steps(gate.project), find(gate, ["p-60"]), "asked by letter")
    assert ids(gate, RAW) == stands
    assert RAW in {one.asset for one in done.receipts}


def test_of_what_cannot_be_made_again_the_cause_is_told_once(
    published: Gate, made: dict, reopen: Callable[[], Gate]
) -> None:
    """What comes after it has the same: nobody is told to resume an erasure that was not interrupted."""
    root = published.project.root
    contract = root / "data/contracts/consents.odcs.yaml"
    text = contract.read_text()
    contract.write_text(text.replace("logicalType: string\n", "logicalType: string\n        unique: true\n", 1))
    gate = reopen()
    done = erase(gate, steps(gate.project), find(gate, ["p-60"]), "asked by letter")
    assert set(done.failed) == {asset for asset in steps(gate.project) if asset.stage is not Stage.RAW}
    ((cause,),) = set(done.failed.values())
    assert "never measured" in cause.what


def test_where_nobody_is_left_that_is_what_is_told(published: Gate, made: dict) -> None:
    """Not all that cannot be measured of no rows; what comes after has the same reason."""
    everybody = find(published, [f"p-{number:02}" for number in range(1, 61)])
    done = erase(published, made, everybody, "the clinic is closed")
    (fault,) = done.failed[RAW]
    assert fault.what.startswith("nobody is left in it")
    assert [str(fault.where) for fault in done.failed[MODEL]] == ["raw/consents", "raw/patients"]
    assert set(done.failed) == set(made)
    assert done.stands == {}
    # nor where its source delivers them again
    assert carry_out(made[RAW], published).faults == (fault,)


def test_what_somebody_else_has_in_a_row_that_is_broken_is_not_looked_for(published: Gate, made: dict) -> None:
    """Whoever lies in quarantine alone shares their name with people whose rows are sound, and the other way round."""
    adding = "p-70;cleo7@example.org;Q;30;true;1.00;2026-01-01\np-71;both@example.org;Q;30;true;1.00;2026-01-01\n"
    adding += "p-72;both@example.org;F;30;true;1.00;2026-01-01"
    rewrite_source(published.project.root, "patients", adding=adding)
    carry_out(made[RAW], published).raise_faults()
    for name in ("p-70", "p-72"):
        people = find(published, [name])
        assert presence(published, people).telling == {name}
        assert erase(published, made, people, "asked by letter").complete


def test_what_somebody_else_has_in_another_delivery_is_not_looked_for(
    tiny_project: Path, reopen: Callable[[], Gate]
) -> None:
    """A name that one person has on one day is not theirs alone; what is in no other row of any day is."""
    deliver_by_day(tiny_project)
    write_delivery(tiny_project, "2026-11-01", adding="p-70;both@example.org;F;30;true;1.00;2026-01-01")
    write_delivery(tiny_project, "2026-11-02", adding="p-71;both@example.org;F;30;true;1.00;2026-01-01")
    gate = reopen()
    for day in ("2026-11-01", "2026-11-02"):
        carry_out(steps(gate.project)[RAW].of(day), gate).raise_faults()
    people = find(gate, ["p-70"])
    assert presence(gate, people).telling == {"p-70"}
    done = erase(gate, steps(gate.project), people, "asked by letter")
    assert done.complete
    assert [str(one.asset) for one in done.receipts] == ["raw/patients@2026-11-01"]


def test_a_telephone_number_is_looked_for_however_it_is_written(published: Gate, reopen: Callable[[], Gate]) -> None:
    """In what others say; but not where somebody else has it, too, in whatever way that is written."""
    root = published.project.root
    contract = root / "data/contracts/patients.odcs.yaml"
    phone = """      - name: {name}
        logicalType: string
        customProperties:
          - property: privacy
            value: {{{value}}}
"""
    domain = "{name: phone, normalization: phone, region: GB}"
    role = f"role: direct_identifier, category: user.contact.phone_number, identifier_domain: {domain}"
    note = "role: sensitive, category: user.health_and_medical, free_text: true"
    added = phone.format(name="phone", value=role) + phone.format(name="note", value=note)
    contract.write_text(contract.read_text() + added)
    source = root / "data/samples/patients.csv"
    head, *rows = source.read_text().splitlines()
    said = {
        "p-07": "0113 496 0007;",
        "p-08": "+44 113 496 0008;",
        "p-09": "0113 496 0009;asked to call (0113)4960007",
        "p-10": "01134960008;",
        "p-11": "0113 496 0011;has the number 01134960008, too",
    }
    delivered = [f"{head};phone;note", *(f"{row};{said.get(row[:4], ';')}" for row in rows)]
    source.write_text("\n".join(delivered) + "\n")
    gate = reopen()
    made = steps(gate.project)
    carry_out(made[RAW], gate).raise_faults()
    known = {name: presence(gate, find(gate, [name])).telling for name in ("p-07", "p-08")}
    assert known["p-07"] == {"p-07", "cleo7@example.org", "0113 496 0007", "+441134960007"}
    assert "+441134960008" not in known["p-08"]
    done = erase(gate, made, find(gate, ["+44 113 496 0007"]), "asked by letter")
    found = [(store.hits, store.columns) for store in done.searched if not store.clean]
    assert found == [(1, ("note",))]
    done = erase(gate, made, find(gate, ["p-08"]), "asked by letter")
    assert all(store.clean for store in done.searched)
