"""The conformance suite of the attacks: every one gets these laws by existing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from privacy_assets.attacks import ATTACKS, Attack
from privacy_assets.attacks._trying import EVERYONE, MOST_EXPOSED, Target, Tries
from privacy_assets.coded import Coded, Domain
from privacy_assets.words import Frozen, Stage
from tests.attacks.people import ALL, DOMAINS, SECRET, marginals, partly_copied, population

ROWS = 1_200
each_kind = pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind, module in ATTACKS.items()
        # what runs the synthesizer anew is told how, and has laws of its own (test_shadow_releases)
        if module.ON is Stage.SYNTHETIC and not hasattr(module, "MAKES_SHADOWS")
    ],
)
every_kind = pytest.mark.parametrize("kind", list(ATTACKS))
EXAMPLES = {"downcoding": {"k": 5}, "homogeneity": {"secret": "ill"}, "minimality": {"secret": "ill"}}
"""What those ask for that have no default."""


def _attack(kind: str, target: Target, seed: int = 1, **asks: object) -> list[Tries]:
    asks = {"tries": 600} | asks
    return list(ATTACKS[kind].attack(ATTACKS[kind].Parameters(kind=kind, **asks), target, np.random.default_rng(seed)))


def _target(seed: int = 3, rows: int = ROWS, copied: float = 0.5) -> Target:
    generator = np.random.default_rng(seed)
    fitted, control = population(rows, generator), population(rows, generator)
    return Target(partly_copied(fitted, generator, copied), fitted, control, (), SECRET)


def _consistent(lines: list[Tries]) -> None:
    assert len({(line.about, line.group) for line in lines}) == len(lines)
    for line in lines:
        assert line.group in (EVERYONE, MOST_EXPOSED)
        for which in ("", "control_", "baseline_"):
            tried, succeeded = getattr(line, f"{which}tried"), getattr(line, f"{which}succeeded")
            assert type(tried) is int and type(succeeded) is int
            assert 0 <= succeeded <= tried
        assert line.tried == line.control_tried


def _excess(lines: list[Tries], group: str = EVERYONE) -> float:
    chosen = [line for line in lines if line.group == group and line.tried]
    return sum(line.succeeded / line.tried - line.control_succeeded / line.control_tried for line in chosen)


@every_kind
def test_an_attack_says_who_makes_it_and_has_frozen_parameters(kind: str) -> None:
    """Adversary in a sentence, a docstring with its source, parameters that the union reads back."""
    module = ATTACKS[kind]
    assert module.__doc__.startswith(f"{kind}: ") and "Baseline:" in module.__doc__
    assert module.ADVERSARY.endswith(".") and len(module.ADVERSARY) > 20
    assert issubclass(module.Parameters, Frozen)
    assert module.ON in (Stage.SYNTHETIC, Stage.ANONYMIZED, Stage.MODEL)
    parameters = module.Parameters(kind=kind, **EXAMPLES.get(kind, {}))
    assert TypeAdapter(Attack).validate_python(parameters.model_dump()) == parameters
    assert parameters.tries >= 2_000
    with pytest.raises(ValidationError):
        module.Parameters(kind=kind, tries=0)


@each_kind
def test_counts_are_consistent(kind: str) -> None:
    """Nobody succeeds more often than they tried, both groups are told of, and people and control are as many."""
    lines = _attack(kind, _target())
    _consistent(lines)
    assert {line.group for line in lines} == {EVERYONE, MOST_EXPOSED}
    assert all(line.tried and line.tried <= 600 for line in lines)


@each_kind
def test_the_same_seed_gives_the_same_counts(kind: str) -> None:
    """And the tables are as they were."""
    target = _target()
    before = [table.codes.copy() for table in (target.released, target.fitted, target.control)]
    assert _attack(kind, target) == _attack(kind, target)
    for codes, table in zip(before, (target.released, target.fitted, target.control), strict=True):
        assert (codes == table.codes).all()


@each_kind
def test_the_order_of_rows_does_not_matter(kind: str) -> None:
    """Every table in another order gives the very same counts."""
    target, dice = _target(), np.random.default_rng(8)
    shuffled = dataclasses.replace(
        target,
        **{
            name: getattr(target, name).take(dice.permutation(getattr(target, name).rows))
            for name in ("released", "fitted", "control")
        },
    )
    assert _attack(kind, shuffled) == _attack(kind, target)


@each_kind
def test_the_order_of_columns_does_not_matter(kind: str) -> None:
    """The columns in another order, what is known and what is secret with them, give the same excess but for chance."""
    target, order = _target(), [4, 7, 0, 8, 2, 1, 5, 3, 6]

    def turned(table: Coded) -> Coded:
        return Coded(tuple(table.domains[place] for place in order), np.ascontiguousarray(table.codes[:, order]))

    moved = Target(
        turned(target.released), turned(target.fitted), turned(target.control), (),
        tuple(order.index(place) for place in SECRET),
    )  # fmt: skip
    ours, theirs = _attack(kind, target), _attack(kind, moved)
    assert {line.about for line in ours} == {line.about for line in theirs}
    assert _excess(ours) == pytest.approx(_excess(theirs), abs=0.1)


@each_kind
def test_who_has_nothing_to_do_with_the_release_is_not_at_risk(kind: str) -> None:
    """With people of another draw as fitted, the mean excess over ten draws is none."""
    found = []
    for seed in range(10):
        generator = np.random.default_rng(seed)
        tables = [population(ROWS, generator) for _ in range(3)]
        found.append(_excess(_attack(kind, Target(*tables, (), SECRET), 1_000 + seed)))
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(10) + 0.005


@each_kind
def test_fitted_and_control_exchanged_mirror_the_excess(kind: str) -> None:
    """What was the excess of the one is that of the other, negative, but for chance.

    Membership sets its threshold so that hardly anybody of the control is over it, also if these are the members.
    """
    target = _target()
    mirrored = dataclasses.replace(target, fitted=target.control, control=target.fitted)
    ours, theirs = _excess(_attack(kind, target)), _excess(_attack(kind, mirrored))
    assert ours > 0.05
    if kind == "membership":
        assert theirs < 0.02
    else:
        assert theirs == pytest.approx(-ours, abs=0.15)


@each_kind
def test_the_more_is_copied_the_higher_the_excess(kind: str) -> None:
    """Nothing, a half and all of the rows."""
    found = [_excess(_attack(kind, _target(copied=share))) for share in (0.0, 0.5, 1.0)]
    assert found[0] < found[1] < found[2]


@each_kind
def test_unequal_tables_are_no_risk(kind: str) -> None:
    """Three times as many fitted as control: people whom the release never saw stay so."""
    found = []
    for seed in range(10):
        generator = np.random.default_rng(seed)
        released, fitted, control = (population(rows, generator) for rows in (ROWS, 3 * ROWS, ROWS))
        found.append(_excess(_attack(kind, Target(released, fitted, control, (), SECRET), 1_000 + seed)))
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(10) + 0.005


SMALL = (Domain("one", ("a", "b")), Domain("two", low=0, high=9), Domain("three", ("x", "y", "z")))


@st.composite
def _small_tables(draw: st.DrawFn) -> tuple[Coded, Coded, Coded]:
    columns = draw(st.integers(1, 3))
    domains = SMALL[:columns]
    row = st.tuples(*(st.integers(0, domain.size) for domain in domains))
    tables = [draw(st.lists(row, max_size=4)) for _ in range(3)]
    return tuple(Coded(domains, np.array(rows, np.int32).reshape(-1, columns)) for rows in tables)


@each_kind
@settings(max_examples=40, deadline=None)
@given(tables=_small_tables(), seed=st.integers(0, 3))
def test_tiny_tables_are_counted(kind: str, tables: tuple[Coded, Coded, Coded], seed: int) -> None:
    """No row, one, two; one column; nothing but NULL: counts, no error."""
    secret = (len(tables[0].domains) - 1,)
    _consistent(_attack(kind, Target(*tables, (), secret), seed, tries=3))


@each_kind
def test_a_column_without_any_value_is_counted(kind: str) -> None:
    """All NULL in every table, known and secret alike."""
    target = _target(rows=300)
    for table in (target.released, target.fitted, target.control):
        table.codes[:, [5, 8]] = [DOMAINS[5].size, DOMAINS[8].size]
    _consistent(_attack(kind, target))


@each_kind
def test_what_is_known_may_be_named(kind: str) -> None:
    """All columns, or a few of them."""
    target = _target(rows=300)
    for known in (ALL, (0, 1, 2)):
        _consistent(_attack(kind, dataclasses.replace(target, known=known)))


def test_marginals_alone_are_no_copy() -> None:
    """What the laws stand on: the release that is nobody's has no row of anybody's."""
    generator = np.random.default_rng(2)
    fitted = population(ROWS, generator)
    lines = _attack("copies", Target(marginals(fitted, ROWS, generator), fitted, population(ROWS, generator), (), ()))
    assert {line.succeeded for line in lines if line.about == "exact"} == {0}
