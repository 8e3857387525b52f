"""Statistics without noise: what is told, what is not, and what two releases tell together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from privacy_assets.build import steps
from privacy_assets.errors import BadDeclaration, NotKept, Refused
from privacy_assets.gate import Gate
from privacy_assets.reading import read
from privacy_assets.reports.explain import explain
from privacy_assets.stages.step import measure_again
from privacy_assets.words import AssetName, Verdict

STATISTICS = AssetName.parse("statistics/smoking")
CORRIDOR = (
    "raw/consents",
    "raw/patients",
    "minimized/smoking/patients",
    "pseudonymized/smoking/patients",
    "features/smoking",
)
SMOKING = "data/purposes/smoking.yaml"
ASKED = """\
statistics:
  privacy: {kind: plain, at_least_subjects: 8}
  queries:
    people: {kind: count}
    by_age: {kind: contingency_table, by: [age, sex]}
training:"""

Rows = Callable[..., list[tuple[Any, ...]]]
Make = Callable[..., Any]
Edit = Callable[[str, str, str], None]


@pytest.fixture
def telling(published: Gate, edit: Edit, reopen: Callable[[], Gate]) -> Gate:
    """The tiny project with plain statistics about its patients."""
    edit(SMOKING, "training:", ASKED)
    return reopen()


def test_told_numbers_are_exact_and_of_enough_people(telling: Gate, make: Make, rows: Rows) -> None:
    """Counted by hand from the features; small cells are not told, and others with them; every cell is there."""
    make(telling, STATISTICS)
    told = rows(telling, STATISTICS, "SELECT query, cell, value, suppressed FROM DATA ORDER BY ALL")
    by_hand = {
        ", ".join(part for part in (age and f"age={age}", sex and f"sex={sex}") if part) or "all": people
        for age, sex, people in rows(
            telling, AssetName.parse("features/smoking"), "SELECT age, sex, count(*) FROM DATA GROUP BY CUBE (age, sex)"
        )
    }
    assert len(told) == 1 + (3 + 1) * (3 + 1)
    assert {suppressed for *_, suppressed in told} == {True, False}
    for _, cell, value, suppressed in told:
        assert (value is None) == suppressed
        if not suppressed:
            assert value == by_hand[cell] >= 8
    hidden = {cell for _, cell, _, suppressed in told if suppressed}
    assert hidden > {cell for _, cell, *_ in told if by_hand.get(cell, 0) < 8}
    assert ("people", "all", 59.0, False) in told
    passport = telling.latest(STATISTICS)
    assert {measured.finding.verdict for measured in passport.measured} == {Verdict.KEPT}
    assert passport.measures == {"cells_told": 16.0 - len(hidden), "cells_suppressed": float(len(hidden))}


def test_people_read_them_and_their_chain(
    telling: Gate, make: Make, tiny_project: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a frame; the chain says how many cells are told, and nothing of the others; no budget pays for it."""
    make(telling, STATISTICS)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    frame = read(str(STATISTICS), purpose="smoking", root=tiny_project)
    assert frame.columns == ["query", "cell", "measure", "value", "suppressed"]
    text = str(explain(telling, STATISTICS))
    assert "cells_told" in text and "untold_cells" in text
    assert not telling.debits()


def test_a_version_can_be_measured_again(telling: Gate, make: Make) -> None:
    """What compares with the search is recalled; what compares with the features is asked again."""
    make(telling, STATISTICS)
    outcome = measure_again(steps(telling.project)[STATISTICS], telling, telling.latest(STATISTICS))
    assert not outcome.faults and outcome.recalled == 1


def test_where_nothing_can_be_told_it_says_how_many_there_are(
    published: Gate, edit: Edit, reopen: Callable[[], Gate], make: Make
) -> None:
    """Nothing is published; the largest cell is named by its number."""
    edit(SMOKING, "training:", ASKED.replace("at_least_subjects: 8", "at_least_subjects: 60"))
    gate = reopen()
    with pytest.raises(NotKept, match="no cell of the statistics can be told") as caught:
        make(gate, STATISTICS)
    assert "at most 59 people" in str(caught.value)
    assert gate.latest(STATISTICS) is None


@pytest.mark.parametrize(
    ("queries", "said"),
    [
        ("q: {kind: quantile, column: cost, q: 0.5, low: 0, high: 100, step: 10}", "`quantile` without noise"),
        ("q: {kind: histogram, column: cost, edges: [10]}\n    r: {kind: histogram, column: cost, edges: [11]}",
         "`cost` is looked at in another way than in `q`"),
        ("q: {kind: sum, column: cost, low: 0, high: 9}\n    r: {kind: mean, column: cost, low: 0, high: 8}",
         "can be subtracted"),
        ("q: {kind: histogram, column: cost, edges: [10]}\n    r: {kind: mean, column: cost, low: 0, high: 8}",
         "can be subtracted"),
        (f"q: {{kind: histogram, column: cost, edges: {list(range(200))}, by: [age, sex]}}",
         "too many cells to search"),
        ("q: {kind: count, weight: 2}", "`weight` is for `privacy: differential`"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_without_noise_is_refused(
    edit: Edit, reopen: Callable[[], Gate], queries: str, said: str
) -> None:
    """With the two queries, and what to do instead."""
    edit(SMOKING, "training:", ASKED.split("    people:")[0] + f"    {queries}\ntraining:")
    edit(SMOKING, "sex, age, smoker\n", "sex, age, smoker, CAST(length(sex) AS DOUBLE) AS cost\n")
    with pytest.raises(BadDeclaration) as caught:
        reopen()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  queries:", "  contribution: {rows: 1}\n  queries:", "plain numbers count every row"),
        ("{kind: plain, at_least_subjects: 8}", "{kind: differential, epsilon: 1}", "needs `contribution`"),
        ("at_least_subjects: 8", "at_least_subjects: 1", "at_least_subjects"),
    ],
)
def test_noise_and_plain_numbers_ask_for_what_is_theirs(
    edit: Edit, reopen: Callable[[], Gate], old: str, new: str, said: str
) -> None:
    """Contribution bounds people under noise, and nobody else; one person is not enough."""
    edit(SMOKING, "training:", ASKED.replace(old, new, 1))
    with pytest.raises(BadDeclaration) as caught:
        reopen()
    assert said in str(caught.value)


# ---- releases


@pytest.fixture
def delivering(
    telling: Gate,
    reopen: Callable[[], Gate],
    make: Make,
    tiny_project: Path,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Any]:
    """Makes the statistics of the patients but those who are left out; reads them unless told not to."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def deliver(*gone: str, reading: bool = True) -> Any:
        path = tiny_project / "data/samples/patients.csv"
        lines = path.read_text("utf-8").splitlines()
        path.write_text("\n".join(line for line in lines if line[:4] not in gone) + "\n", "utf-8")
        # where nobody is gone, what the features are made from stands
        make(reopen(), *map(AssetName.parse, CORRIDOR if gone else CORRIDOR[-1:]), STATISTICS)
        return read(str(STATISTICS), purpose="smoking", root=tiny_project) if reading else None

    return deliver


def test_the_same_again_is_read(delivering: Callable[..., Any]) -> None:
    """Nothing changed."""
    assert delivering().equals(delivering())


def test_one_person_less_waits(delivering: Callable[..., Any]) -> None:
    """The difference of two told numbers is one person's; nobody reads it."""
    first = delivering()
    with pytest.raises(Refused, match="so it waits") as caught:
        delivering("p-33")
    assert "a group of 1" in str(caught.value)
    assert first.height == 17


def test_versions_that_nobody_read_are_not_compared(delivering: Callable[..., Any]) -> None:
    """Internal rebuilds tell nobody anything."""
    delivering(reading=False)
    assert delivering("p-33").height == 17


PLAIN = "{kind: plain, at_least_subjects: 8}"
TABLE = "by_age: {kind: contingency_table, by: [age, sex]}"


@pytest.mark.parametrize(
    ("first", "then", "gone", "waits"),
    [
        ("q: {kind: count, by: [sex]}", "r: {kind: count, by: [sex]}", ("p-33",), True),
        ("q: {kind: count, by: [sex]}", "r: {kind: count, by: [sex]}", (), False),
        ("q: {kind: histogram, column: cost, edges: [1]}", "q: {kind: histogram, column: cost, edges: [2]}", (), True),
        ("q: {kind: sum, column: cost, low: 0, high: 9}", "r: {kind: sum, column: cost, low: 0, high: 8}", (), True),
        ("q: {kind: sum, column: cost, low: 0, high: 9}", "r: {kind: sum, column: cost, low: 0, high: 9}",
         ("p-33",), True),
        ("q: {kind: histogram, column: cost, edges: [1]}", "q: {kind: mean, column: cost, low: 0, high: 9}", (), True),
    ],
    ids=["renamed", "renamed and the same", "other edges", "other bounds", "a sum", "in another way"],
)  # fmt: skip
def test_what_is_counted_is_compared_and_not_what_it_is_called(
    telling: Gate, edit: Edit, delivering: Callable[..., Any], first: str, then: str, gone: tuple[str, ...], waits: bool
) -> None:
    """A query that was renamed, or that looks at a column in another way, is subtracted from the one of before."""
    edit(SMOKING, "sex, age, smoker\n", "sex, age, smoker, CAST(length(age) + (age = '<30')::INT AS DOUBLE) AS cost\n")
    edit(SMOKING, TABLE, first)
    delivering()
    edit(SMOKING, first, then)
    if not waits:
        assert delivering(*gone).height
        return
    with pytest.raises(Refused, match="so it waits"):
        delivering(*gone)


def test_other_groups_of_the_same_people_leave_nobody_bare(
    telling: Gate, edit: Edit, delivering: Callable[..., Any], rows: Rows
) -> None:
    """What the first hid the second may not give away: cells that were told are known, and others go in their place."""
    edit(SMOKING, TABLE, "a: {kind: count, by: [age, sex]}")
    first = delivering()
    edit(SMOKING, "a: {kind: count, by: [age, sex]}", "b: {kind: count, by: [age]}\n    c: {kind: count, by: [sex]}")
    try:
        second = delivering()
    except Refused as error:
        assert "so it waits" in str(error)
        return
    told = {
        cell: value
        for frame in (first, second)
        for cell, value in frame.select("cell", "value").rows()
        if value is not None
    }
    for sex in "FMX":
        parts = [told.get(f"age={age}, sex={sex}") for age in ("<30", "[30,50)", ">=50")]
        if f"sex={sex}" in told and sum(part is None for part in parts) == 1:
            assert told[f"sex={sex}"] - sum(part for part in parts if part is not None) >= 8


def test_noise_in_between_makes_nothing_forgotten(
    telling: Gate, edit: Edit, delivering: Callable[..., Any], make: Make, reopen: Callable[[], Gate]
) -> None:
    """Plain, under differential privacy, plain again: the first and the last are compared."""
    budget = "lawful_bases: [{}]\n{}budget: {{epsilon: 9.0, period_days: 30}}\n"
    for name, bases in (("patients", "consent, legitimate_interests"), ("consents", "legal_obligation")):
        edit(f"data/contracts/{name}.odcs.yaml", f"lawful_bases: [{bases}]\n", budget.format(bases, " " * 6))
    delivering()
    edit(SMOKING, PLAIN, "{kind: differential, epsilon: 1}\n  contribution: {rows: 1}")
    delivering()
    edit(SMOKING, "{kind: differential, epsilon: 1}\n  contribution: {rows: 1}", PLAIN)
    assert delivering().height == 17
    with pytest.raises(Refused, match="so it waits"):
        delivering("p-33")
