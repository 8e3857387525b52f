"""Broken private synthesizers are caught by the auditor, correct ones are not accused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from privacy_assets.coded import Coded
from privacy_assets.techniques import noise
from privacy_assets.techniques.noise import Measure, Noise
from privacy_assets.techniques.synthesize import SYNTHESIZE, _one_way, _spending, marginal_tree
from privacy_assets.techniques.synthesize._fitting import Pair
from tests.techniques import test_noise_mutants as draws
from tests.techniques.synthesize.auditing import Synthesize, accused
from tests.techniques.synthesize.tables import coded, neighbours, people

M = 3
EPSILON = {"kind": "marginal_tree", "epsilon": 1.0, "delta": 1e-5}


def _synthesize(m: int = M, **said: Any) -> tuple[Synthesize, float]:
    """A synthesizer, and what it is debited."""
    module = SYNTHESIZE[said["kind"]]
    parameters = module.Parameters(**said)
    rho = module.cost(parameters).rho
    return lambda table: module.synthesize(parameters, table, rows=None, rows_per_person=m, seed=1), rho


ASKED = {
    "marginals": {"kind": "independent_marginals", "epsilon": 1.0, "delta": 1e-5},
    "tree": EPSILON,
    "tree with a target": {**EPSILON, "target": "smoker"},
    "tree, little noise": {**EPSILON, "epsilon": 20.0, "target": "age"},
}


@pytest.mark.parametrize("name", ASKED)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pair=neighbours())
def test_a_correct_synthesizer_is_not_accused(name: str, pair: tuple[Coded, Coded, int]) -> None:
    """Whatever rows somebody has, and wherever they stand: every count and score keeps to its sensitivity."""
    one, other, m = pair
    synthesize, rho = _synthesize(m, **ASKED[name])
    assert accused(synthesize, one, other, rho) == []


def _tables() -> tuple[Coded, Coded]:
    """The same people, one of whom has three rows that are alike."""
    table = people(600)
    mine = np.tile(np.array([[2, 70, 99_000, 1]], dtype=np.int32), (M, 1))
    return table, Coded(table.domains, np.concatenate([table.codes, mine]))


def test_the_largest_move_is_seen() -> None:
    """The tables that mutants are tried on do not hide them: three equal rows move a count by three."""
    synthesize, rho = _synthesize(**EPSILON)
    assert accused(synthesize, *_tables(), rho) == []
    assert "counts move further than their sensitivity" in accused(_synthesize(M - 1, **EPSILON)[0], *_tables(), rho)


def _half_scale(patch: pytest.MonkeyPatch) -> None:
    def additive(measure: Measure, sensitivity: int, loss: float) -> Noise:
        found = noise.additive(measure, sensitivity, loss)
        return Noise(found.mechanism, found.sensitivity, found.scale / 2, found.loss)

    patch.setattr(_spending, "noise", _Mutated(additive=additive))


def _half_scale_of_choices(patch: pytest.MonkeyPatch) -> None:
    def selection(measure: Measure, sensitivity: int, loss: float) -> Noise:
        found = noise.selection(measure, sensitivity, loss)
        return Noise(found.mechanism, found.sensitivity, found.scale / 2, found.loss)

    patch.setattr(_spending, "noise", _Mutated(selection=selection))


def _by_row(patch: pytest.MonkeyPatch) -> None:
    bought = _spending.Account.additive
    patch.setattr(_spending.Account, "additive", lambda self, _, share: bought(self, 1, share))


def _choices_by_row(patch: pytest.MonkeyPatch) -> None:
    bought = _spending.Account.selection
    patch.setattr(_spending.Account, "selection", lambda self, _, share: bought(self, 1, share))


def _doubled_scores(patch: pytest.MonkeyPatch) -> None:
    scores = marginal_tree.scores
    patch.setattr(marginal_tree, "scores", lambda *given: [3 * score for score in scores(*given)])


def _no_noise_in_the_tree(patch: pytest.MonkeyPatch) -> None:
    def counted(codes: Any, bins: Any, edges: Any, rows_per_person: int, account: Any) -> Any:
        return {edge: Pair(marginal_tree.table_of(codes, bins, edge).astype(float), 1.0) for edge in edges}

    patch.setattr(marginal_tree, "counted", counted)


def _unpaid_choice(patch: pytest.MonkeyPatch) -> None:
    class Free:
        def select_smallest(self, scores: list[int]) -> int:
            return int(np.argmin(scores))

    patch.setattr(_spending.Account, "selection", lambda self, *_: Free())


def _counted_rows(patch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    counted_all = _one_way.counted_all

    def looking(table: Coded, *given: Any) -> Any:
        seen.append(table.rows)
        return counted_all(table, *given)

    patch.setattr(_one_way, "counted_all", looking)
    patch.setattr(_one_way, "total", lambda _: float(seen[-1]))


def _spent_twice(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(_spending.Account, "_paid", lambda self, bought: bought)
    patch.setattr(marginal_tree, "TWO_WAY", 2 * marginal_tree.TWO_WAY)


def _exact_bins(patch: pytest.MonkeyPatch) -> None:
    counted = _one_way.counted

    def looking(codes: Any, domain: Any, *given: Any) -> Any:
        found = counted(codes, domain, *given)
        exact = np.bincount(codes, minlength=domain.size + 1) / max(1, len(codes))

        class Exact:
            steps, total, variance = found.steps, found.total, found.variance

            def shares(self, _: float) -> Any:
                return exact

        return Exact()

    patch.setattr(_one_way, "counted", looking)


class _Mutated:
    """The room of noise, of which a part is another."""

    def __init__(self, **parts: Any) -> None:
        self.__dict__.update(parts)

    def __getattr__(self, name: str) -> Any:
        return getattr(noise, name)


MUTANTS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], str]] = {
    "half the scale": (_half_scale, "noise is smaller than what is paid for"),
    "half the scale of choices": (_half_scale_of_choices, "noise is smaller than what is paid for"),
    "sensitivity of a row": (_by_row, "counts move further than their sensitivity"),
    "sensitivity of a row in choices": (_choices_by_row, "scores move further than their sensitivity"),
    "scores three times as large": (_doubled_scores, "scores move further than their sensitivity"),
    "no noise in the tree": (_no_noise_in_the_tree, "tells more than its noisy answers"),
    "a choice without noise": (_unpaid_choice, "differently|tells more than its noisy answers"),
    "rows that are counted exactly": (_counted_rows, "tells more than its noisy answers"),
    "the tree spends twice": (_spent_twice, "spends more than is debited"),
    "bins of exact shares": (_exact_bins, "differently|tells more than its noisy answers"),
}


def _tables_that_choose() -> tuple[Coded, Coded]:
    """In one, wards go with age and with smoking; in the other age goes with smoking, and no ward does."""
    ward, third = np.arange(900) % 3, np.arange(900) // 3 % 3 == 0
    table = coded(ward, 10 + 30 * (ward == 1), 0 * ward, ward == 2)
    return table, coded(ward, 10 + 30 * third, 0 * ward, third)


def test_noisy_choices_that_are_said_again_are_followed() -> None:
    """The tables on which a choice without noise is tried are no reason by themselves to say that it is one."""
    synthesize, rho = _synthesize(1, **(EPSILON | {"epsilon": 20.0}))
    said = accused(synthesize, *_tables_that_choose(), rho)
    assert said and all("further than their sensitivity" in one for one in said)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_synthesizer_is_caught(name: str, monkeypatch: pytest.MonkeyPatch, figures: Any) -> None:
    """The auditor says what is wrong with it."""
    mutate, expected = MUTANTS[name]
    mutate(monkeypatch)
    chooses = name == "a choice without noise"
    synthesize, rho = _synthesize(1 if chooses else M, **(EPSILON | ({"epsilon": 20.0} if chooses else {})))
    said = accused(synthesize, *(_tables_that_choose() if chooses else _tables()), rho)
    caught = any(part in one for one in said for part in expected.split("|"))
    figures(f"T-DP-1 synthesizers, {name}", mutants=1, killed=caught)
    assert caught, said


def test_more_than_is_debited_is_not_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares of more than a whole stop the program, before anything is drawn for them."""
    monkeypatch.setattr(marginal_tree, "TWO_WAY", 0.9)
    with pytest.raises(RuntimeError, match="no more than was debited"):
        _synthesize(**EPSILON)[0](_tables()[0])


def _told(table: Coded, m: int, epsilon: float, delta: float, times: int) -> list[float]:
    """The noisy count of the first ward, drawn anew so many times."""
    found = []
    for _ in range(times):
        account = _spending.Account(_spending.Private(epsilon=epsilon, delta=delta))
        histogram = _one_way.counted(table.codes[:, 0], table.domains[0], m, account, 1.0)
        found.append(float(histogram.steps[0].counts[0]))
    return found


@pytest.mark.parametrize("mutant", [None, "sensitivity of a row"])
def test_what_is_seen_of_counts_is_no_more_than_is_claimed(
    mutant: str | None, monkeypatch: pytest.MonkeyPatch, figures: Any
) -> None:
    """Drawn very often on two neighbours: no event is so much more probable on one; of mutants, one is."""
    if mutant:
        MUTANTS[mutant][0](monkeypatch)
    with_, without = people(90), Coded(people(90).domains, np.delete(people(90).codes, _of_ward(people(90), 0)[:5], 0))
    one, other = (_told(table, 5, 1.0, 1e-3, 3_000) for table in (with_, without))
    loss = max(draws._bound(one, other, 1e-3), draws._bound(other, one, 1e-3))
    figures(f"T-DP-1 counts of synthesizers, {mutant or 'correct'}", mutants=bool(mutant), killed=loss > 1)
    assert (loss > 1.0) == bool(mutant)


def _of_ward(table: Coded, ward: int) -> Any:
    return np.flatnonzero(table.codes[:, 0] == ward)
