"""The model: the same bytes for the same data and seed, and a card that says what it is made of."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from privacy_assets.build import steps
from privacy_assets.errors import BadDeclaration, NotKept, Refused
from privacy_assets.gate import Gate
from privacy_assets.stages.s9_model import query_of
from privacy_assets.stages.step import carry_out
from privacy_assets.techniques.train import private_logistic_regression
from privacy_assets.words import AssetName
from tests.stages.test_s6_synthetic import BUDGET, PURPOSE, made, making  # noqa: F401

TRAINING = AssetName.parse("training/smoking")
MODEL = AssetName.parse("model/smoking")
ARTEFACT = "SELECT format, content FROM held.main.artefact"
METRICS = "SELECT metric, split, value, low, high, n FROM DATA ORDER BY ALL"

Rows = Callable[..., list[tuple[Any, ...]]]
Make = Callable[..., Any]
Edit = Callable[[str, str, str], None]


@pytest.fixture
def elsewhere(published: Gate, tmp_path: Path) -> Gate:
    """The same project, home and key, in another folder."""
    other = tmp_path / "elsewhere"
    other.mkdir()
    for part in ("project", "home", "guards"):
        shutil.copytree(tmp_path / part, other / part)
    return Gate.open(
        other / "project",
        {
            "PRIVACY_ASSETS_HOME": str(other / "home"),
            "PRIVACY_ASSETS_KEY_FILE": str(other / "guards" / "master.key"),
            "PRIVACY_ASSETS_WITNESS": str(other / "guards" / "witness"),
        },
    )


def test_the_same_seed_and_data_give_the_same_bytes_everywhere(
    published: Gate, elsewhere: Gate, rows: Rows, make: Make
) -> None:
    """Made again from a training set that was made again, in another home with the same key: not one byte differs."""
    before = rows(published, MODEL, ARTEFACT), rows(published, MODEL, METRICS)
    digest = published.latest(MODEL).content_digest
    make(elsewhere, AssetName.parse("features/smoking"), TRAINING, MODEL)
    assert (rows(elsewhere, MODEL, ARTEFACT), rows(elsewhere, MODEL, METRICS)) == before
    passport = elsewhere.latest(MODEL)
    assert passport.content_digest == digest
    assert passport.version != published.latest(MODEL).version


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("test: 0.2, seed: 7}", "test: 0.2, seed: 8}"),
        ("{kind: logistic_regression}", "{kind: logistic_regression, c: 0.01}"),
    ],
    ids=["another deal", "another strength"],
)
def test_other_seeds_and_parameters_give_another_model(
    published: Gate, reopen: Callable[[], Gate], rows: Rows, make: Make, edit: Edit, old: str, new: str
) -> None:
    """The control: what is declared otherwise is fitted otherwise."""
    before = rows(published, MODEL, ARTEFACT)
    edit("data/purposes/smoking.yaml", old, new)
    gate = reopen()
    make(gate, TRAINING, MODEL)
    assert rows(gate, MODEL, ARTEFACT) != before


def test_the_card_says_what_the_model_is_made_of(published: Gate, rows: Rows) -> None:
    """Purpose, task, inputs with technique, the version of the data, the metrics, and that it is personal data."""
    ((text,),) = rows(published, MODEL, "SELECT content FROM held.main.card")
    card = json.loads(text)
    training, purpose = published.latest(TRAINING), published.project.purposes["smoking"]
    assert card["purpose"] == {"name": "smoking", "version": "1.0.0", "why": purpose.why}
    assert (card["task"], card["target"], card["seed"]) == ("classification", "smoker", 7)
    assert card["estimator"]["kind"] == "logistic_regression"
    assert {one["name"]: one["technique"] for one in card["inputs"]} == {"sex": "keep", "age": "bucket"}
    assert card["trained_on"] == {
        "asset": "training/smoking",
        "version": training.version,
        "content_digest": training.content_digest,
        "rows": 59,
        "ledger_entry": training.position,
    }
    assert card["is_personal_data"] == purpose.training.reason
    told = [tuple(one[name] for name in ("metric", "split", "value", "low", "high", "n")) for one in card["metrics"]]
    assert sorted(told) == rows(published, MODEL, METRICS)
    for value in ("p-01", "@example.org"):
        assert value not in text


def test_metrics_have_an_interval_around_them(published: Gate, rows: Rows) -> None:
    """On validation and test, never on what the model was fitted on."""
    found = rows(published, MODEL, METRICS)
    assert {split for _, split, *_ in found} == {"validation", "test"}
    assert {metric for metric, *_ in found} == {"roc_auc", "balanced_accuracy", "accuracy", "brier"}
    assert all(low <= value <= high and n > 0 for _, _, value, low, high, n in found)


def test_the_model_is_no_pickle(published: Gate, rows: Rows) -> None:
    """A zip archive of skops with no pickled member, and nobody's token in it."""
    ((kind, content),) = rows(published, MODEL, ARTEFACT)
    assert kind == "skops"
    assert content[:2] == b"PK"
    for (token,) in rows(published, TRAINING, "SELECT CAST(patient_id AS VARCHAR) FROM DATA"):
        assert token.encode() not in content


def test_key_and_subject_teach_the_model_nothing(published: Gate) -> None:
    """Inputs are all columns but those; the split and the person only decide which rows are looked at."""
    lineage = steps(published.project)[MODEL].lineage
    assert lineage.direct["value"] == {("training", name) for name in ("sex", "age", "smoker")}
    assert lineage.indirect["value"] == {("training", "patient_id", "filter"), ("training", "split", "filter")}


def test_a_model_below_its_floor_is_not_published(published: Gate, reopen: Callable[[], Gate], edit: Edit) -> None:
    """Whether somebody smokes cannot be told here; the floor says so, with the line of the purpose."""
    edit("data/purposes/smoking.yaml", "  at_least_subjects: 5", "  utility: {metric: accuracy, at_least: 1}")
    gate = reopen()
    before = gate.latest(MODEL)
    for asset in (AssetName.parse("features/smoking"), TRAINING):
        carry_out(steps(gate.project)[asset], gate).raise_faults()
    outcome = carry_out(steps(gate.project)[MODEL], gate)
    (fault,) = outcome.faults
    assert "utility_floor" in fault.what
    assert fault.where == "data/purposes/smoking.yaml:33"
    assert gate.latest(MODEL) == before


# ---- asked whom it learned from

FEATURES = "  from: features\n  reason: the doctors who treat these people learn nothing new about them\n"
CEILINGS = "    members_at_most: 0.3\n    members_at_most_of_few: 0.3\n    members_at_most_of_half: 0.3\n"
FOREST = "{kind: random_forest, n_estimators: 10}"
RATES = ("fpr_01_percent", "fpr_1_percent", "fpr_50_percent")


@pytest.fixture
def of_people(making: Gate, edit: Edit, reopen: Callable[[], Gate]) -> Gate:  # noqa: F811
    """Many people, a threat model, and a model that learns from the features."""
    edit(PURPOSE, "  from: synthetic\n", FEATURES)
    return reopen()


def test_what_a_model_tells_of_people_is_counted_before_it_is_published(of_people: Gate, make: Make) -> None:
    """At each rate of false alarms, of as many members as strangers; the same where it is made again."""
    make(of_people, TRAINING, MODEL)
    first = of_people.latest(MODEL)
    tried = {one.finding.about: one.finding for one in first.measured if one.finding.name.startswith("attack_excess")}
    planted = {f"canaries__{rate}__everyone" for rate in RATES[1:]}
    assert set(tried) == {f"shadow_models__{rate}__everyone" for rate in RATES} | planted
    for found in tried.values():
        assert found.kept and found.numbers["tried"] == found.numbers["control_tried"] > 500
    make(of_people, MODEL)
    again = of_people.latest(MODEL)
    assert [one.finding for one in again.measured] == [one.finding for one in first.measured]


def test_a_model_that_tells_whom_it_learned_from_is_not_published(
    of_people: Gate, make: Make, edit: Edit, reopen: Callable[[], Gate]
) -> None:
    """Trees with few people in a leaf, under the ceilings of the threat model; the line of the purpose says so."""
    edit(PURPOSE, "{kind: logistic_regression}", FOREST)
    edit(PURPOSE, CEILINGS, "")
    gate = reopen()
    make(gate, TRAINING)
    outcome = carry_out(steps(gate.project)[MODEL], gate)
    assert any("attack_excess__shadow_models" in fault.what for fault in outcome.faults)
    assert all(fault.where.startswith(f"{PURPOSE}:") for fault in outcome.faults)
    assert gate.latest(MODEL) is None


def test_too_few_people_decide_nothing(of_people: Gate, make: Make, edit: Edit, reopen: Callable[[], Gate]) -> None:
    """A threat model that asks for more people than there are is survived by pairs, where they can show it, or not."""
    edit(PURPOSE, "members_at_least: 100\n", "members_at_least: 1000\n    members_at_most_of_pairs: 0.001\n")
    gate = reopen()
    make(gate, TRAINING)
    outcome = carry_out(steps(gate.project)[MODEL], gate)
    assert len(outcome.faults) == 3 and gate.latest(MODEL) is None
    edit(PURPOSE, "members_at_most_of_pairs: 0.001\n", "members_at_most_of_pairs: 0.2\n")
    gate = reopen()
    make(gate, TRAINING, MODEL)


def test_a_threat_model_may_stand_beside_a_model_alone(published: Gate, reopen: Callable[[], Gate], edit: Edit) -> None:
    """Without one nothing is attacked; with one, 59 people are too few."""
    assert steps(published.project)[MODEL].attack is None
    edit(PURPOSE, "  at_least_subjects: 5\n", "  at_least_subjects: 5\n  withstands: {kind: public_release}\n")
    assert steps(reopen().project)[MODEL].attack is not None


# ---- under differential privacy

PRIVATE = "{kind: private_logistic_regression, epsilon: 1.0, delta: 1.0e-6, steps: 5}"
NET = "{kind: private_network, epsilon: 1.0, delta: 1.0e-6, steps: 2, hidden: 2}"
TOLD = f"""{PRIVATE}
  bounds: {{age: {{low: 18, high: 80}}, cost: {{low: 0, high: 10000}}}}
  contribution: {{rows: 1}}"""


PLAIN = "{task: classification, target: smoker, estimator: {kind: logistic_regression}}"


@pytest.fixture
def private(of_people: Gate, edit: Edit, reopen: Callable[[], Gate]) -> Gate:
    """The same, whose estimator is differentially private, and who has a budget."""
    edit(PURPOSE, "{kind: logistic_regression}", TOLD)
    edit(PURPOSE, "loses_at_most: 0.3}", f"loses_at_most: 0.3, model: {PLAIN}}}")
    for name, bases in (("patients", "consent, legitimate_interests"), ("consents", "legal_obligation")):
        edit(f"data/contracts/{name}.odcs.yaml", f"lawful_bases: [{bases}]\n", BUDGET.format(bases, " " * 6))
    return reopen()


def test_a_private_model_is_paid_before_noise_and_never_drawn_twice_alike(
    private: Gate, make: Make, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each materialization debits, and is another model; one that the budget does not hold draws nothing."""
    make(private, TRAINING, MODEL)
    first = private.latest(MODEL)
    (debit,) = private.debits()
    assert debit.position < first.position and debit.what == ("private_logistic_regression",)
    assert 0.9 < debit.loss.epsilon <= 1.0 and first.measures == {"delta": 1e-6, "epsilon": debit.loss.epsilon}
    ((card,),) = rows(private, MODEL, "SELECT content FROM held.main.card")
    told = json.loads(card)["differential_privacy"]
    assert (told["epsilon"], told["delta"], told["rho"]) == (debit.loss.epsilon, 1e-6, debit.loss.rho)
    assert told["rows_per_person"] == 1
    make(private, MODEL)
    assert private.latest(MODEL).content_digest != first.content_digest
    spent = 2
    with pytest.raises(Refused, match="does not hold"):
        while spent < 6:
            make(private, MODEL)
            spent += 1
    drawn: list[Any] = []
    monkeypatch.setattr(private_logistic_regression.Descent, "fit", lambda *given: drawn.append(given))
    with pytest.raises(Refused, match="does not hold"):
        carry_out(steps(private.project)[MODEL], private)
    assert not drawn and len(private.debits()) == spent


def test_a_private_net_is_declared_and_paid_alike(
    private: Gate, make: Make, rows: Rows, edit: Edit, reopen: Callable[[], Gate]
) -> None:
    """Its card says what the accountant says, and how large it is."""
    edit(PURPOSE, PRIVATE, NET)
    gate = reopen()
    make(gate, TRAINING, MODEL)
    (debit,) = gate.debits()
    ((card,),) = rows(gate, MODEL, "SELECT content FROM held.main.card")
    told = json.loads(card)
    assert debit.what == ("private_network",) and told["estimator"]["hidden"] == 2
    paid = told["differential_privacy"]
    assert (paid["epsilon"], paid["delta"], paid["rho"]) == (debit.loss.epsilon, 1e-6, debit.loss.rho)
    assert 0.9 < debit.loss.epsilon <= 1.0


def test_of_nobody_more_rows_are_learned_from_than_declared() -> None:
    """Whoever has more counts with those that the hash of their key chooses; without noise all count."""
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE training AS SELECT i AS visit, i % 7 AS person, i * i AS x, 'train' AS split "
            "FROM range(40) t(i) WHERE i % 7 < 5 OR i < 7"
        )
        read = ("x", "person", "split")
        counted = "SELECT person, count(*), count(DISTINCT x) FROM ({}) GROUP BY 1 ORDER BY 1"
        bounded = con.execute(counted.format(query_of(read, "person", ["visit"], 3))).fetchall()
        whole = con.execute(counted.format(query_of(read, "person", ["visit"], None))).fetchall()
    assert bounded == [(person, min(rows, 3), min(rows, 3)) for person, rows, _ in whole]
    assert {rows for _, rows, _ in whole} == {1, 6}


def test_a_fit_that_fails_is_paid_all_the_same(private: Gate, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise may have been drawn: what was debited stays debited, and nothing is published."""
    make(private, TRAINING)

    def fails(*_: Any) -> None:
        raise NotKept.of("it failed")

    monkeypatch.setattr(private_logistic_regression.Descent, "fit", fails)
    with pytest.raises(NotKept):
        carry_out(steps(private.project)[MODEL], private)
    assert len(private.debits()) == 1 and private.latest(MODEL) is None


def test_a_private_model_is_asked_for_by_name(private: Gate, published: Gate) -> None:
    """Each materialization costs people: no automation, and `run` leaves it while it can be read."""
    assert private.project.paid("smoking") == {MODEL}
    assert published.project.paid("smoking") == frozenset()
    lineage = steps(private.project)[MODEL].lineage
    assert ("training", "patient_id", "filter") in lineage.indirect["value"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (FEATURES, "  from: synthetic\n", "it would spend a budget on rows that are nobody's"),
        ("age: {low: 18, high: 80}, cost: {low: 0, high: 10000}}}\n  contribution", None, "nothing says what `age`"),
        ("  contribution: {rows: 1}", "", "`contribution`"),
        (PRIVATE, "{kind: logistic_regression}", "`contribution`"),
        (f"{PRIVATE}\n  bounds: {{", f"{PRIVATE}\n  bounds: {{sex: {{low: 0, high: 1}}, ", "needs no bounds"),
        ("epsilon: 1.0, delta: 1.0e-6", "epsilon: 5.0, delta: 1.0e-6", "more than the whole budget"),
        ("epsilon: 1.0, delta: 1.0e-6", "epsilon: 1.0, delta: 1.0e-4", "is counted otherwise"),
        ("  target: smoker", "  target: sex", "tells two classes apart"),
        (PLAIN, PLAIN.replace("{kind: logistic_regression}", PRIVATE), "`contribution`"),
        (f", model: {PLAIN}", "", "measured without noise"),
    ],
)
def test_what_a_private_model_cannot_be_is_said_with_its_line(
    private: Gate, edit: Edit, reopen: Callable[[], Gate], old: str, new: str | None, said: str
) -> None:
    """Each fault of the declaration names the file, the line and what to do."""
    if new is None:
        old, new = TOLD, TOLD.replace("age: {low: 18, high: 80}, ", "")
    edit(PURPOSE, old, new)
    with pytest.raises(BadDeclaration) as refused:
        reopen()
    assert said in str(refused.value) and f"{PURPOSE}:" in str(refused.value)


def test_without_a_budget_nothing_is_private(of_people: Gate, edit: Edit, reopen: Callable[[], Gate]) -> None:
    """It would cost people, and nothing says how much it may."""
    edit(PURPOSE, "{kind: logistic_regression}", TOLD)
    with pytest.raises(BadDeclaration, match="has no budget"):
        reopen()
