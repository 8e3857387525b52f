"""Synthetic rows: what is published, what is not, and what it costs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from privacy_assets.build import steps
from privacy_assets.coded import Coded, Domain
from privacy_assets.errors import BadDeclaration, EngineFailed, NotKept, Refused
from privacy_assets.gate import Gate, Standing
from privacy_assets.stages.s6_synthetic import _Held
from privacy_assets.stages.step import carry_out, measure_again
from privacy_assets.techniques.synthesize import SYNTHESIZE
from privacy_assets.verify import verify
from privacy_assets.words import AssetName, Stage
from tests.conftest import environment_in, write_tiny_project

Make = Callable[..., Any]
Rows = Callable[..., list[tuple[Any, ...]]]
Edit = Callable[[str, str, str], None]

SYNTHETIC = AssetName.parse("synthetic/smoking")
TRAINING, MODEL = AssetName.parse("training/smoking"), AssetName.parse("model/smoking")
PURPOSE = "data/purposes/smoking.yaml"
PEOPLE = 3000
BEFORE = (Stage.RAW, Stage.MINIMIZED, Stage.PSEUDONYMIZED, Stage.FEATURES)
BUDGET = "lawful_bases: [{}]\n{}budget: {{epsilon: 2.0, delta: 1.0e-5, period_days: 30}}\n"
WITHSTANDS = """\
  withstands:
    kind: trusted_partner
    tries: 1000
    tries_at_least: 100
    most_exposed_at_most: 0.3
    shadows: 16
    members_at_least: 100
    members_at_most: 0.3
    members_at_most_of_few: 0.3
    members_at_most_of_half: 0.3
"""
GUARANTEE = f"""\
  at_least_subjects: 5
{WITHSTANDS}\
  fidelity:
    marginals: 0.2
    pairs: 0.3
    transfer: {{metric: accuracy, at_least: 0.3, loses_at_most: 0.3}}
  fairness: {{columns: [sex]}}
"""
BOUNDS = "  bounds: {age: {low: 18, high: 80}, cost: {low: 0, high: 10000}}\n"
TREES = "{kind: sequential_trees, min_samples_leaf: 20}"
NOISY = "{kind: marginal_tree, epsilon: 1.0, delta: 1.0e-6}"


def _people() -> str:
    """Rows of many more people than the tiny project has: older men smoke."""
    generator = np.random.default_rng(5)
    lines = ["patient_id;email;sex;age;smoker;cost;registered"]
    for number in range(PEOPLE):
        age, sex = int(generator.integers(18, 90)), "FMX"[int(generator.choice(3, p=[0.48, 0.48, 0.04]))]
        smokes = generator.random() < 0.1 + 0.5 * (sex == "M") * (age > 50)
        who = f"p-{number:04};a{number}@example.org;{sex};{age};{str(smokes).lower()}"
        lines.append(f"{who};{generator.integers(10_000)}.50;2026-01-02")
    return "\n".join(lines) + "\n"


EDITS = (
    ("technique: {kind: bucket, edges: [30, 50]}", "technique: {kind: code_extremes, high: 80}"),
    ("      smoker:\n", "      cost: {why: it differs, technique: {kind: keep}}\n      smoker:\n"),
    ("SELECT patient_id, sex, age, smoker", "SELECT patient_id, sex, age, cost, smoker"),
    ("  at_least_subjects: 5\n", GUARANTEE),
    ("training:\n", f"synthetic:\n  synthesizer: {TREES}\n{BOUNDS}  seed: 3\ntraining:\n"),
    (
        "  from: features\n  reason: the doctors who treat these people learn nothing new about them\n",
        "  from: synthetic\n",
    ),
)


def _write(root: Path) -> None:
    """The tiny project with many people, whose model learns from synthetic rows."""
    write_tiny_project(root)
    (root / "data/samples/patients.csv").write_text(_people(), encoding="utf-8")
    said = [f"p-{number:04},smoking,granted,2026-02-02 09:00:00" for number in range(PEOPLE)]
    consents = "patient_id,purpose,decision,decided_at\n" + "\n".join(said) + "\n"
    (root / "data/samples/consents.csv").write_text(consents, encoding="utf-8")
    text = (root / PURPOSE).read_text(encoding="utf-8")
    for old, new in EDITS:
        assert old in text
        text = text.replace(old, new)
    (root / PURPOSE).write_text(text, encoding="utf-8")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with that project, its home and its guards, whose features are there. To be copied."""
    folder = tmp_path_factory.mktemp("synthetic")
    _write(folder / "project")
    gate = Gate.open(folder / "project", environment_in(folder))
    for step in steps(gate.project).values():
        if step.asset.stage in BEFORE:
            carry_out(step, gate).raise_faults()
    return folder


@pytest.fixture
def making(made: Path, tmp_path: Path, reopen: Callable[[], Gate]) -> Gate:
    """The gate of that project; every test has a copy of its own."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return reopen()


def _swapped(gate: Gate, edit: Edit, reopen: Callable[[], Gate]) -> Gate:
    """The same under differential privacy, with a budget."""
    edit(PURPOSE, TREES, NOISY)
    edit(PURPOSE, "  seed: 3\n", "  contribution: {rows: 1}\n")
    for name, bases in (("patients", "consent, legitimate_interests"), ("consents", "legal_obligation")):
        edit(f"data/contracts/{name}.odcs.yaml", f"lawful_bases: [{bases}]\n", BUDGET.format(bases, " " * 6))
    return reopen()


def test_rows_of_nobody_lead_to_a_model(making: Gate, make: Make, rows: Rows) -> None:
    """Domains are kept, no key and no token leaves, splits are as asked, and the model is fitted on them."""
    make(making, SYNTHETIC, TRAINING, MODEL)
    assert rows(making, SYNTHETIC, "SELECT column_name FROM (DESCRIBE FROM DATA)") == [
        ("sex",), ("age",), ("cost",), ("smoker",), ("split",)
    ]  # fmt: skip
    ((low, high, sexes),) = rows(
        making, SYNTHETIC, "SELECT min(age), max(age), list(DISTINCT sex ORDER BY sex) FROM DATA"
    )
    assert low >= 18 and high <= 80 and sexes == ["F", "M", "X"]
    dealt = dict(rows(making, SYNTHETIC, "SELECT split, count(*) / (SELECT count(*) FROM DATA) FROM DATA GROUP BY 1"))
    assert dealt == pytest.approx({"train": 0.6, "validation": 0.2, "test": 0.2}, abs=0.01)
    passport = making.latest(SYNTHETIC)
    assert passport is not None and passport.rows == pytest.approx(PEOPLE * 0.6, rel=0.1)  # those of `train`
    (line,) = [line for line in verify(making, None) if line.asset == SYNTHETIC]
    assert line.standing is Standing.KEPT
    with making.open_version(SYNTHETIC, purpose="smoking") as (con, _):
        assert con.execute("SELECT count(*) FROM released.main.data").fetchall() == [(passport.rows,)]


def test_what_was_tried_and_compared_stands_in_the_passport(making: Gate, make: Make) -> None:
    """Every attack with its counts, of everyone and of the most exposed; likeness; what is learned, by group."""
    make(making, SYNTHETIC)
    passport = making.latest(SYNTHETIC)
    assert passport is not None
    found = {measured.finding.name: measured.finding for measured in passport.measured}
    for kind in ("singling_out", "linkability", "copies__exact", "membership", "attribute_inference__smoker"):
        for group in ("everyone", "most_exposed"):
            if (kind, group) != ("attribute_inference__smoker", "most_exposed"):  # too few to decide: only told
                tried = found[f"attack_excess__{kind}__{group}"]
                assert tried.kept and tried.numbers["tried"] >= 50
    assert 0 < found["fidelity__pairs"].numbers["value"] < 0.3
    assert found["fidelity__transfer"].numbers["low"] < found["fidelity__transfer"].numbers["high"]
    measures = passport.measures
    assert {"discriminator", "transfer_loss[sex=F]", "disparity", "marginals[age]"} <= set(measures)
    assert 0.45 < measures["discriminator"] < 0.75


def test_the_same_people_and_seed_give_the_same_rows(making: Gate, make: Make, edit: Edit, reopen: Any) -> None:
    """Materializing again changes nothing; another seed does."""
    make(making, SYNTHETIC)
    first = making.latest(SYNTHETIC)
    make(making, SYNTHETIC)
    second = making.latest(SYNTHETIC)
    edit(PURPOSE, "  seed: 3\n", "  seed: 4\n")
    gate = reopen()
    make(gate, SYNTHETIC)
    third = gate.latest(SYNTHETIC)
    assert first and second and third
    assert first.content_digest == second.content_digest != third.content_digest


def test_another_synthesizer_is_one_line_and_another_code(making: Gate, edit: Edit, reopen: Any) -> None:
    """Swapping it changes the code version, so that what was made before is stale in Dagster."""
    before = steps(making.project)[SYNTHETIC].code_version
    edit(PURPOSE, TREES, "{kind: gaussian_copula}")
    assert steps(reopen().project)[SYNTHETIC].code_version != before


def _copies(parameters: Any, table: Coded, **_: Any) -> Coded:
    """A synthesizer that gives away whom it learned from."""
    return table


def test_a_synthesizer_that_copies_people_is_stopped(making: Gate, make: Make, monkeypatch: Any) -> None:
    """Copies of rows that nobody else has are found by the attacks; nothing is published, and what stood stands."""
    make(making, SYNTHETIC)
    before = making.latest(SYNTHETIC)
    monkeypatch.setattr(SYNTHESIZE["sequential_trees"], "synthesize", _copies)
    outcome = carry_out(steps(making.project)[SYNTHETIC], making)
    broken = {fault.what for fault in outcome.faults}
    assert outcome.passport is None and any("attack_excess" in what and "is broken" in what for what in broken)
    assert all(fault.where.startswith(PURPOSE) for fault in outcome.faults)
    assert making.latest(SYNTHETIC) == before


def _files(gate: Gate) -> list[Path]:
    return sorted(path for path in gate.home.versions.rglob("*") if path.is_file())


def _fails(**how: Any) -> Callable[..., Coded]:
    def synthesize(parameters: Any, table: Coded, **_: Any) -> Coded:
        if how.get("raises"):
            raise EngineFailed.of("the synthesizer failed (ValueError)")
        if how.get("few"):
            return table.take(np.arange(50))
        codes = table.codes.copy()
        codes[0, 1] = 99  # an age beyond its bounds
        return Coded(table.domains, codes)

    return synthesize


@pytest.mark.parametrize("how", ["raises", "few", "outside"])
def test_a_synthesizer_that_fails_publishes_nothing(
    making: Gate, monkeypatch: Any, edit: Edit, reopen: Any, how: str
) -> None:
    """A crash, too few rows, a value that is none: no version, and no file is left of it."""
    edit(PURPOSE, "  seed: 3\n", "  rows: 1000\n")
    gate = reopen()
    files = _files(gate)
    monkeypatch.setattr(SYNTHESIZE["sequential_trees"], "synthesize", _fails(**{how: True}))
    with pytest.raises((EngineFailed, NotKept, ValueError)):
        carry_out(steps(gate.project)[SYNTHETIC], gate).raise_faults()
    assert gate.latest(SYNTHETIC) is None
    assert _files(gate) == files


def test_noise_is_paid_before_it_is_drawn_and_never_drawn_twice_alike(
    making: Gate, make: Make, edit: Edit, reopen: Any
) -> None:
    """Each materialization debits the budget and gives other rows; one that it does not hold is refused."""
    gate = _swapped(making, edit, reopen)
    make(gate, SYNTHETIC)
    first = gate.latest(SYNTHETIC)
    (debit,) = gate.debits()
    assert first is not None and debit.position < first.position
    assert debit.what == ("marginal_tree",) and 0.9 < debit.loss.epsilon <= 1.0
    assert first.measures["epsilon"] == debit.loss.epsilon
    make(gate, SYNTHETIC)
    second = gate.latest(SYNTHETIC)
    assert second is not None and second.content_digest != first.content_digest
    spent = 2
    with pytest.raises(Refused, match="does not hold"):
        while spent < 6:  # zCDP adds up less than ε does, so a few more fit
            make(gate, SYNTHETIC)
            spent += 1
    outcome = measure_again(steps(gate.project)[SYNTHETIC], gate, gate.latest(SYNTHETIC))
    assert not outcome.faults and len(gate.debits()) == spent


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("age: {low: 18, high: 80}, ", "", "nothing says what `age` can be"),
        ("{low: 18, high: 80}", "{low: 80, high: 18}", "`low` is below `high`"),
        ("{low: 18, high: 80}", "{low: 18.5, high: 80}", "holds whole numbers"),
        ("{low: 18, high: 80}", '{low: "2020-01-01", high: "2021-01-01"}', "do not fit"),
        ("{age: {low: 18, high: 80},", "{age: {low: 18, high: 80}, sex: {low: 0, high: 1},", "needs no bounds"),
        ("{age: {low: 18, high: 80},", "{age: {low: 18, high: 80}, aeg: {low: 0, high: 1},", "no such column"),
        (TREES, "{kind: sequential_tree}", "sequential_trees"),
        (TREES, NOISY, "`contribution`"),
        (TREES, "{kind: marginal_tree, epsilon: 1.0, delta: 1.0e-6, target: smokr}", "`contribution`"),
        ("cost: {low: 0, high: 10000}", "cost: {low: 0, high: 900000000}", "cannot hold"),
        ("cost: {low: 0, high: 10000}", "cost: {low: 0, high: 1, step: 0.001}", "cannot hold"),
        ("recipients: [the clinic's own doctors]\n", "", "trusts recipients"),
        (
            WITHSTANDS,
            "",
            "`guarantee.withstands`",
        ),
        ("{metric: accuracy,", "{metric: r2,", "does not measure classification"),
        ("SELECT patient_id, sex,", "SELECT patient_id, sex || 'x' AS sexes, sex,", "are not declared"),
    ],
)
def test_what_does_not_fit_is_said_with_its_line(
    making: Gate, edit: Edit, reopen: Any, old: str, new: str, said: str
) -> None:
    """Each fault of the declaration names the file, the line and what to do."""
    edit(PURPOSE, old, new)
    with pytest.raises(BadDeclaration) as refused:
        reopen()
    assert said in str(refused.value) and f"{PURPOSE}:" in str(refused.value)


def test_attacks_are_tried_on_one_row_of_each_person() -> None:
    """Whoever has many rows counts once: their own second row would hide that a value is theirs alone."""
    domains = (Domain("number", low=0, high=99),)
    rows = Coded(domains, np.arange(10, dtype=np.int32)[:, None])
    whose = np.array([0, 0, 0, 1, 2, 2, 3, 3, 3, 3], dtype=np.int32)
    tokens = pl.Series([f"token {number}" for number in range(5)])
    held = _Held(rows, rows.take(np.arange(4)), whose, np.full(4, 4, dtype=np.int32), tokens)
    first, others = held.one_row_each(1)
    assert (len(first), len(others), held.most_rows) == (4, 1, 4)
    assert set(whose[first].tolist()) == {0, 1, 2, 3}
    assert first.tolist() == held.one_row_each(1)[0].tolist()
    # and who is learned from anew is so with all rows, of whichever side
    mask = np.isin(whose[first], [0, 2])
    one, other = held.chosen(first, others, np.append(mask, False)), held.chosen(first, others, np.append(~mask, True))
    assert one.tolist() == (~other).tolist() == [True, False, True, False, False]
    assert held.rows_of(one).codes[:, 0].tolist() == [0, 1, 2, 4, 5]
    assert held.rows_of(other).codes[:, 0].tolist() == [3, 6, 7, 8, 9, 0, 1, 2, 3]
    among = held.among(tokens[[1, 3]])
    assert among.people.tolist() == [1, 3, 3, 3, 3] and among.fitted.codes[:, 0].tolist() == [3, 6, 7, 8, 9]
    assert not among.control.rows
