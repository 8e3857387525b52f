"""Statistics: what is published, what it costs, and that a budget that is spent refuses the rest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from privacy_assets import cli
from privacy_assets.build import build_definitions, steps
from privacy_assets.errors import BadDeclaration, EngineFailed, Refused
from privacy_assets.gate import PERSON, Gate, Standing
from privacy_assets.reading import read
from privacy_assets.reports.explain import explain
from privacy_assets.running import run_all
from privacy_assets.stages.asset import key_of
from privacy_assets.stages.step import carry_out, measure_again
from privacy_assets.techniques.aggregate import _planning
from privacy_assets.verify import verify
from privacy_assets.words import AssetName

FEATURES = AssetName.parse("features/smoking")
STATISTICS = AssetName.parse("statistics/smoking")
ASKED = """\
statistics:
  privacy: {kind: differential, epsilon: 1.0}
  contribution: {rows: 1}
  queries:
    people: {kind: count}
    by_sex: {kind: count, by: [sex]}
    by_age: {kind: contingency_table, by: [age, smoker], weight: 2}
training:"""
BUDGET = "lawful_bases: [{}]\n{}budget: {{epsilon: 2.0, period_days: 30, lifetime_epsilon: 3.0}}\n"

Rows = Callable[..., list[tuple[Any, ...]]]
Make = Callable[..., Any]
Edit = Callable[[str, str, str], None]


@pytest.fixture
def asking(published: Gate, edit: Edit, reopen: Callable[[], Gate]) -> Gate:
    """The tiny project with statistics about its patients, and two releases of them in each budget."""
    for name, bases in (("patients", "consent, legitimate_interests"), ("consents", "legal_obligation")):
        budget = BUDGET.format(bases, " " * 6)
        edit(f"data/contracts/{name}.odcs.yaml", f"lawful_bases: [{bases}]\n", budget)
    edit("data/purposes/smoking.yaml", "training:", ASKED)
    return reopen()


def test_every_declared_cell_is_there_with_its_noise(asking: Gate, make: Make, rows: Rows) -> None:
    """One row a declared cell, also where nobody is; mechanism, scale, accuracy and loss beside each."""
    make(asking, STATISTICS)
    found = rows(asking, STATISTICS, "SELECT query, cell, measure FROM DATA ORDER BY ALL")
    assert len(found) == 1 + 3 + (3 + 1) * (2 + 1)
    assert ("by_sex", "sex=X", "count") in found
    told = rows(asking, STATISTICS, "SELECT DISTINCT query, mechanism, scale, epsilon, delta, rho FROM DATA ORDER BY 1")
    assert [(query, mechanism, delta, rho) for query, mechanism, _, _, delta, rho in told] == [
        ("by_age", "discrete_laplace", 0, None),
        ("by_sex", "discrete_laplace", 0, None),
        ("people", "discrete_laplace", 0, None),
    ]
    assert [round(scale, 6) for _, _, scale, *_ in told] == [2, 4, 4]
    assert [round(epsilon, 6) for *_, epsilon, _, _ in told] == [0.5, 0.25, 0.25]
    ((off, low, high),) = rows(
        asking, STATISTICS, "SELECT max(abs(value - 59)), min(value - low_95), max(high_95 - value) FROM DATA "
        "WHERE query = 'people'"
    )  # fmt: skip
    assert off < 200 and low == high > 0


def test_what_it_cost_is_debited_from_every_dataset_with_people(asking: Gate, make: Make) -> None:
    """The debit comes before the publication, names the queries, and what is left is told."""
    make(asking, STATISTICS)
    (debit,) = asking.debits()
    assert debit.datasets == ("patients", "consents")
    assert (debit.asset, debit.what) == (str(STATISTICS), ("people", "by_sex", "by_age"))
    assert 0.999999 < debit.loss.epsilon <= 1.0
    passport = asking.latest(STATISTICS)
    assert passport is not None and debit.position < passport.position
    account = asking.account("patients")
    assert account is not None
    assert account.epsilon_spent == pytest.approx(1.0) and account.epsilon_left == pytest.approx(1.0)
    assert account.epsilon_lifetime == account.epsilon_spent
    assert asking.account("consents") is not None


def test_a_release_that_the_budget_does_not_hold_is_refused(asking: Gate, make: Make, reopen: Any) -> None:
    """The third is refused, in a new process as well; nothing of it is written, and the second stands (T-DP-5)."""
    make(asking, STATISTICS, STATISTICS)
    before, files = asking.latest(STATISTICS), sorted(asking.home.versions.rglob("*"))
    for gate in (asking, reopen()):
        size = gate.ledger.size
        with pytest.raises(Refused) as refused:
            carry_out(steps(gate.project)[STATISTICS], gate)
        (fault,) = refused.value.faults
        assert "does not hold" in fault.what and "patients.odcs.yaml" in fault.where
        assert "left" in fault.found and "wait until" in fault.next_step
        assert gate.ledger.size == size
        assert gate.latest(STATISTICS) == before
    assert sorted(asking.home.versions.rglob("*")) == files


def test_each_materialization_draws_and_pays_anew(asking: Gate, make: Make, rows: Rows) -> None:
    """The same rows, another answer: there is no seed, and no release is free."""
    make(asking, STATISTICS)
    first = rows(asking, STATISTICS, "SELECT query, cell, value FROM DATA ORDER BY ALL")
    make(asking, STATISTICS)
    assert rows(asking, STATISTICS, "SELECT query, cell, value FROM DATA ORDER BY ALL") != first
    assert len(asking.debits()) == 2


def test_measuring_again_draws_nothing_and_costs_nothing(asking: Gate, make: Make, monkeypatch: Any) -> None:
    """Verification reads what is stored."""
    make(asking, STATISTICS)
    size = asking.ledger.size
    monkeypatch.setattr(_planning, "planned", None)
    outcome = measure_again(steps(asking.project)[STATISTICS], asking, asking.latest(STATISTICS))
    assert not outcome.faults and not outcome.recalled
    (line,) = [line for line in verify(asking, None) if line.asset == STATISTICS]
    assert line.standing is Standing.KEPT
    assert asking.ledger.size == size


def test_a_release_that_fails_after_its_debit_has_spent_it(asking: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was debited stays debited; the reverse never happens."""

    def fails(*_: Any) -> None:
        raise EngineFailed.of("the disk went away")

    monkeypatch.setattr("privacy_assets.stages.s7_statistics._answers", fails)
    with pytest.raises(EngineFailed):
        carry_out(steps(asking.project)[STATISTICS], asking)
    assert len(asking.debits()) == 1
    assert asking.latest(STATISTICS) is None


KILLED = """
import os, signal, sys
from pathlib import Path
from privacy_assets.build import steps
from privacy_assets.gate import Gate
from privacy_assets.stages import s7_statistics as stage
from privacy_assets.stages.step import carry_out
from privacy_assets.techniques.noise import Noise
from privacy_assets.words import AssetName

def dies(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def then_dies(of, name):
    inner = getattr(of, name)
    setattr(of, name, lambda *args, **kwargs: (inner(*args, **kwargs), dies()))

gate = Gate.open(Path(sys.argv[1]))
{patch}
carry_out(steps(gate.project)[AssetName.parse("statistics/smoking")], gate).raise_faults()
"""
POINTS = {
    "before the debit": ("Gate.debit = dies", 0, 0),
    "after the debit": ("then_dies(Gate, 'debit')", 1, 0),
    "after a draw": ("then_dies(Noise, 'add')", 1, 0),
    "before the publication": ("Gate.publish = dies", 1, 0),
    "after the publication": ("then_dies(Gate, 'publish')", 1, 1),
}


@pytest.mark.parametrize("at", list(POINTS))
def test_a_kill_never_releases_what_was_not_debited(
    asking: Gate, tiny_project: Path, environment: Any, reopen: Any, make: Make, at: str
) -> None:
    """kill -9 within a materialization: what was spent stays spent, nothing half done is there, the next one works."""
    patch, debits, published = POINTS[at]
    run = [sys.executable, "-c", KILLED.replace("{patch}", patch), str(tiny_project)]
    killed = subprocess.run(run, check=False, env=os.environ | environment, cwd=Path(__file__).parents[2])
    assert killed.returncode == -signal.SIGKILL
    gate = reopen()
    assert (len(gate.debits()), len(gate.history(STATISTICS))) == (debits, published)
    make(gate, STATISTICS)
    assert len(gate.debits()) == debits + 1
    assert gate.account("patients").epsilon_spent <= 2.0


def test_people_read_statistics_and_their_chain(asking: Gate, make: Make, tiny_project: Path, environment: Any) -> None:
    """Through `read`; the chain leads down to the source; features stay closed to people."""
    make(asking, STATISTICS)
    assert asking.require(STATISTICS, PERSON)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        frame = read(str(STATISTICS), purpose="smoking", root=tiny_project)
    assert frame["value"].len() == 16
    assert [made.passport.asset for made in explain(asking, STATISTICS).made_from] == [FEATURES]
    with pytest.raises(Refused):
        asking.require(FEATURES, PERSON)


def test_a_lowered_epsilon_judges_what_stands(asking: Gate, make: Make, edit: Edit, reopen: Any) -> None:
    """Statistics that cost more than is promised today are not read."""
    make(asking, STATISTICS)
    edit("data/purposes/smoking.yaml", "epsilon: 1.0", "epsilon: 0.5")
    examined = reopen().examine(STATISTICS)
    assert examined.standing is Standing.BROKEN
    assert any("noise_declared" in fault.what for fault in examined.faults)


def test_dagster_plots_what_is_spent_and_left(asking: Gate, tiny_project: Path, environment: Any) -> None:
    """Floats on the materialization."""
    definitions = build_definitions(tiny_project, env=environment)
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("corridor").execute_in_process(
            instance=instance, asset_selection=[key_of(STATISTICS)],
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )  # fmt: skip
        assert result.success
        event = instance.get_latest_materialization_event(key_of(STATISTICS))
    told = event.asset_materialization.metadata
    for name, value in {"epsilon_spent": 1.0, "epsilon_left": 1.0, "epsilon_lifetime": 1.0}.items():
        for dataset in ("patients", "consents"):
            assert isinstance(told[f"budget/{dataset}/{name}"], dg.FloatMetadataValue)
            assert told[f"budget/{dataset}/{name}"].value == pytest.approx(value)
    assert told["epsilon_left"].value == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("contracts/patients.odcs.yaml", "      budget: {epsilon: 2.0, period_days: 30, lifetime_epsilon: 3.0}\n", "",
         "`patients` has no budget"),
        ("contracts/patients.odcs.yaml", "epsilon: 2.0,", "epsilon: 0.5,", "more than the whole budget of `patients`"),
        ("contracts/patients.odcs.yaml", "epsilon: 2.0,", "epsilon: 2.0, delta: 1.0e-6,", "is counted otherwise"),
        ("contracts/patients.odcs.yaml", "lifetime_epsilon: 3.0", "lifetime_epsilon: 1.0",
         "lifetime_epsilon` is under"),
        ("purposes/smoking.yaml", "{kind: count, by: [sex]}", "{kind: count, by: [patient_id]}", "are not declared"),
        ("purposes/smoking.yaml", "{kind: count, by: [sex]}", "{kind: count, by: [sexe]}", "no column `sexe`"),
        ("purposes/smoking.yaml", "{kind: count}", "{kind: sum, column: sex, low: 0, high: 1}", "and no number"),
        ("purposes/smoking.yaml", "  subject: patient_id\n", "  subject: null\n", "about nobody"),
        ("purposes/smoking.yaml", "FROM patients\n", "FROM patients WHERE sex <> (SELECT max(sex) FROM patients)\n",
         "it has a subquery"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_a_fault_with_its_line(
    asking: Gate, edit: Edit, reopen: Any, file: str, old: str, new: str, says: str
) -> None:
    """Budget, groups, types, subject, and features that are not person by person."""
    edit(f"data/{file}", old, new)
    with pytest.raises(BadDeclaration, match=says) as raised:
        reopen()
    assert all(fault.where and fault.next_step for fault in raised.value.faults)


def test_lineage_says_which_columns_the_numbers_come_from(asking: Gate) -> None:
    """Values come from what is counted, and are decided by groups, key and subject."""
    step = steps(asking.project)[STATISTICS]
    assert set(step.lineage.direct) == set(step.lineage.indirect) == {column.name for column in step.columns}
    deciding = {column for _, column, _ in step.lineage.indirect["value"]}
    assert deciding >= {"sex", "age", "smoker", "patient_id"}


def test_everything_in_one_go_makes_no_second_release(
    asking: Gate, tiny_project: Path, environment: Any, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one can be read it stands; where another question is asked it does not, and is made again."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def run() -> int:
        with dg.DagsterInstance.ephemeral() as instance:
            assert all(result.success for result in run_all(tiny_project, instance, lambda *_: None, lambda: None))
        return len(Gate.open(tiny_project).debits())

    assert [run(), run()] == [1, 1]
    edit("data/purposes/smoking.yaml", "people: {kind: count}", "everybody: {kind: count}")
    assert run() == 2


def test_no_automation_makes_a_release(asking: Gate, tiny_project: Path, environment: Any) -> None:
    """Other assets are made when their inputs change; what costs people is asked for."""
    graph = build_definitions(tiny_project, env=environment).resolve_asset_graph()
    assert graph.get(key_of(STATISTICS)).automation_condition is None
    assert graph.get(key_of(FEATURES)).automation_condition is not None


def test_the_command_shows_what_is_spent_and_left(
    asking: Gate, make: Make, tiny_project: Path, environment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each dataset with its budget, and each debit with what it was for."""
    make(asking, STATISTICS)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with cli.out.capture() as captured:
        cli.app(["budget", "--root", str(tiny_project)], standalone_mode=False)
    told = captured.get()
    assert "patients" in told and "ε 2 in 30 days" in told and "ε 3" in told
    assert "statistics/smoking" in told and "people, by_sex, by_age" in told
