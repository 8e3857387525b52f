"""The sets of columns that single people out: as brute force finds them, whatever the order, without a value."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.drafting import combinations as module
from privacy_assets.drafting.combinations import Combinations, combinations, with_combinations
from privacy_assets.drafting.drafting import draft_files
from privacy_assets.drafting.judging import judge
from privacy_assets.drafting.looking import look
from privacy_assets.words import Role

Rows = list[tuple[int, ...]]


def table_of(rows: Rows) -> dict[str, np.ndarray]:
    return {f"c{place}": np.array(column, dtype=np.uint64) for place, column in enumerate(zip(*rows, strict=True))}


def brute(rows: Rows, above: float, widest: int) -> dict[frozenset[str], float]:
    """Every set of columns is counted; those remain of which no part is found."""
    found: dict[frozenset[str], float] = {}
    for width in range(1, widest + 1):
        for places in itertools.combinations(range(len(rows[0])), width):
            often = Counter(tuple(row[place] for place in places) for row in rows)
            share = sum(count == 1 for count in often.values()) / len(rows)
            members = frozenset(f"c{place}" for place in places)
            if share > above and not any(one < members for one in found):
                found[members] = share
    return found


def sets(found: Combinations) -> dict[frozenset[str], float]:
    return {frozenset(one.columns): one.share for one in found.found}


@st.composite
def tables(draw: st.DrawFn) -> Rows:
    sizes = draw(st.lists(st.sampled_from([1, 2, 3, 5, 40, 2**63]), min_size=1, max_size=5))
    row = st.tuples(*(st.integers(0, size) for size in sizes))
    return draw(st.lists(row, min_size=1, max_size=40))


@settings(deadline=None)
@given(tables(), st.sampled_from([0.0, 0.05, 0.3, 0.6]), st.integers(1, 4))
def test_what_is_found_is_what_brute_force_finds(rows: Rows, above: float, widest: int) -> None:
    """The same sets, the same shares, whatever is pruned."""
    assert sets(combinations(table_of(rows), above=above, widest=widest)) == brute(rows, above, widest)


@settings(deadline=None)
@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_changes_nothing(rows: Rows, chance) -> None:  # type: ignore[no-untyped-def]
    """The same sets, told in the order of the columns."""
    before = combinations(table_of(rows))
    shuffled = list(rows)
    chance.shuffle(shuffled)
    table = list(table_of(shuffled).items())
    chance.shuffle(table)
    assert sets(combinations(dict(table))) == sets(before)
    assert combinations(table_of(shuffled)) == before


def test_codes_too_many_for_a_number_of_64_bits_are_counted_all_the_same() -> None:
    """Four columns of 100,000 values each: their combinations have more numbers than there are."""
    many = np.random.default_rng(1).integers(0, 100_000, (4, 200_000)).astype(np.uint64)
    doubled = np.concatenate([many, many[:, :50_000]], axis=1)
    often = np.unique(doubled, axis=1, return_counts=True)[1]
    sized = [(module._dense(column), int(module._dense(column).max()) + 1) for column in doubled]
    assert module._counted(sized) == (int((often == 1).sum()), len(often))


def test_more_rows_than_the_effort_allows_are_drawn_and_it_says_so() -> None:
    """Twice drawn alike; of fewer rows more are alone, so no share is less than that of all rows."""
    chance = np.random.default_rng(2)
    table = {f"c{place}": chance.integers(0, 60, 200_000).astype(np.uint64) for place in range(6)}
    exact = combinations(table, above=0.3)
    drawn = combinations(table, above=0.3, effort=2_600_000)
    assert (exact.measured, exact.widest) == (200_000, 3)
    assert (drawn.measured, drawn.rows, drawn.widest) == (100_000, 200_000, 3)
    assert drawn == combinations(table, above=0.3, effort=2_600_000)
    assert len(exact.found) == 20
    assert sets(exact).keys() <= sets(drawn).keys()
    assert all(share <= sets(drawn)[members] for members, share in sets(exact).items())


def test_where_even_few_rows_are_too_much_the_sets_are_narrower() -> None:
    """Never silently: how wide was searched is part of the answer."""
    chance = np.random.default_rng(3)
    table = {f"c{place}": chance.integers(0, 900, 60_000).astype(np.uint64) for place in range(20)}
    assert combinations(table, effort=20_000_000).widest == 2
    assert combinations(table, effort=1_000).widest == 1


@pytest.mark.parametrize("table", [{}, {"c": np.array([], dtype=np.uint64)}])
def test_nothing_singles_out_nobody(table: dict[str, np.ndarray]) -> None:
    """No column, or no row."""
    assert combinations(table).found == ()


# ---- what follows for a draft


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Temperatures and towns that are common, and single out together; a weight to the gram; an id; an order."""
    rows = 400
    pl.DataFrame({
        "member id": [f"m{n:04}" for n in range(rows)],
        "order id": [f"o{n:04}" for n in range(rows)],
        "ward": [f"canary ward {n % 20}" for n in range(rows)],
        "temperature": [36 + (n // 20) / 10 for n in range(rows)],
        "weight": [50 + n * 1.001 for n in range(rows)],
        "flag": [n % 2 == 0 for n in range(rows)],
    }).write_csv(tmp_path / "people.csv")  # fmt: skip
    (tmp_path / "data/contracts").mkdir(parents=True)
    return tmp_path


def test_a_coarse_measure_that_singles_out_with_others_is_a_quasi_identifier(people: Path) -> None:
    """And one that is alone by its digits is not; identifiers and numbers of things are in no set."""
    found = look("people.csv", people)
    guesses, told = with_combinations([judge(facts) for facts in found.columns], found.codes, rows=found.rows,
                                      subject="member id")  # fmt: skip
    roles = {guess.facts.name: guess.role for guess in guesses}
    assert sets(told) == {frozenset({"weight"}): 1.0, frozenset({"ward", "temperature"}): 1.0}
    assert roles["temperature"] is Role.QUASI_IDENTIFIER
    assert roles["weight"] is roles["flag"] is Role.ATTRIBUTE
    evidence = {guess.facts.name: guess.evidence for guess in guesses}
    assert evidence["weight"] == "double values; so precise that 100% of the rows are alone"
    assert evidence["temperature"] == "double values; with others it singles out 100% of the rows"
    assert evidence["flag"] == "boolean values"


def test_no_role_is_lowered_and_what_is_sure_stays(people: Path) -> None:
    """The search adds protection, or nothing."""
    found = look("people.csv", people)
    before = [judge(facts) for facts in found.columns]
    after, _ = with_combinations(before, found.codes, rows=found.rows, subject=None)
    for one, other in zip(before, after, strict=True):
        assert other.role is one.role or (one.role, other.role) == (Role.ATTRIBUTE, Role.QUASI_IDENTIFIER)


def test_the_contract_lists_each_set_with_its_share_and_no_value(people: Path) -> None:
    """As a comment above all, which says in how many rows it was measured."""
    text = draft_files(people / "people.csv", "shop", people, subject=None, target=None).paths[0].read_text()
    assert "# The smallest sets of at most 3 columns that single out more than 5% of 400 rows:" in text
    assert "#   100.0% by weight\n#   100.0% by ward, temperature\n" in text
    assert "canary" not in text
    (people / "same.csv").write_text("ward;flag\n" + "a;true\nb;false\n" * 60)
    text = draft_files(people / "same.csv", "same", people, subject=None, target=None).paths[0].read_text()
    assert "# No sets of at most 2 columns single out more than 5% of 120 rows." in text
