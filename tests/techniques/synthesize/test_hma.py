"""HMA: what SDV is given of several tables, what is done with what it gives back, and what hangs together in that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from privacy_assets.coded import Coded, Domain
from privacy_assets.errors import EngineFailed, NotKept
from privacy_assets.techniques.synthesize import SYNTHESIZE
from privacy_assets.techniques.synthesize._linked import Child, Linked
from privacy_assets.techniques.synthesize._sdv import linked_and_drawn
from tests.techniques.synthesize.tables import SIZES, coded, people

VISIT = (Domain("age", low=0, high=120), Domain("emergency", ("false", "true")), Domain("always", ("yes", "no")))
SECRET = "the only one who has it"
MOST = 6


def linked(number: int, seed: int = 5) -> Linked:
    """People, each with 0 to 6 visits, the older the more; a visit repeats the age of its person."""
    dice = np.random.default_rng(seed)
    own = people(number, seed)
    own.codes[:, 1] = np.minimum(own.codes[:, 1], SIZES[1] - 1)  # every age is known
    of = np.repeat(np.arange(number), np.minimum(dice.poisson(own.codes[:, 1] / 20), MOST)).astype(np.int32)
    ages = np.clip(own.codes[of, 1] + 18 + np.rint(dice.normal(0, 2, len(of))), 0, 120)
    visits = coded(ages, dice.integers(0, 2, len(of)), np.zeros(len(of)), domains=VISIT)
    return Linked(own, (Child(visits, of),))


def synthesize(table: Linked, number: int | None = None, seed: int = 4) -> Linked:
    """What is drawn with the example's parameters."""
    module = SYNTHESIZE["hma"]
    made = module.synthesize(module.Parameters(kind="hma"), table, people=number, rows_per_person=MOST, seed=seed)
    assert isinstance(made, Linked)
    return made


@pytest.fixture(scope="module")
def learned() -> Linked:
    """120 people, whom all of them were drawn from."""
    return linked(120)


@pytest.fixture(scope="module")
def drawn(learned: Linked) -> Linked:
    """As many people of nobody."""
    return synthesize(learned)


def test_people_are_drawn_with_their_rows_in_the_same_domains(learned: Linked, drawn: Linked) -> None:
    """As many people, about as many rows, nobody with more than is declared, and what is alike in all rows stays."""
    assert drawn.people.rows == 120 and drawn.people.domains == learned.people.domains
    (visits,) = drawn.children
    assert visits.rows.domains == VISIT
    assert visits.rows.rows == learned.children[0].rows.rows
    assert np.bincount(visits.of).max() <= MOST
    assert not visits.rows.codes[:, 2].any()
    assert set(np.unique(visits.rows.codes[:, 1])) == {0, 1}


def test_rows_of_a_person_hang_together(learned: Linked, drawn: Linked) -> None:
    """With the person's own age, and with each other: shuffled among people, they do neither."""

    def ages(table: Linked, of: Any) -> float:
        return float(np.corrcoef(table.people.codes[of, 1], table.children[0].rows.codes[:, 0])[0, 1])

    def spread(table: Linked, of: Any) -> float:
        """The share of the variance of visits' ages that lies between people."""
        frame = pd.DataFrame({"of": of, "age": table.children[0].rows.codes[:, 0]})
        return float(frame.groupby("of")["age"].transform("mean").var() / frame["age"].var())

    of = drawn.children[0].of
    shuffled = np.random.default_rng(1).permutation(of)
    assert ages(learned, learned.children[0].of) > 0.9
    assert ages(drawn, of) > 0.3 > abs(ages(drawn, shuffled)) + 0.1
    assert spread(drawn, of) > 0.75 > spread(drawn, shuffled) + 0.1


def test_everybody_is_drawn_by_dice_of_their_own(drawn: Linked) -> None:
    """SDV would draw everybody's first row from one seed: as far from their person's mean as everybody else's."""
    of, rows = drawn.children[0].of, drawn.children[0].rows.codes
    _, first = np.unique(of, return_index=True)
    assert 0.2 < rows[first, 1].mean() < 0.8


def test_the_same_seed_gives_the_same_people() -> None:
    """And another seed others; no generator of anybody else is moved."""
    before, table = np.random.get_state()[1].tolist(), linked(60)
    first, again, other = (synthesize(table, 25, seed) for seed in (4, 4, 2**40 + 5))
    for one, two in zip(_arrays(first), _arrays(again), strict=True):
        assert np.array_equal(one, two)
    assert other.people.rows == 25
    assert not np.array_equal(other.people.codes, first.people.codes)
    assert np.random.get_state()[1].tolist() == before


def _arrays(table: Linked) -> list[Any]:
    return [table.people.codes, *(part for child in table.children for part in (child.rows.codes, child.of))]


def test_nothing_is_printed_and_nothing_written(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No progress, no log, no telemetry. Tables of which nobody has a row, or that have no columns, are drawn, too."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    table = linked(60)
    none = Child(Coded(VISIT, np.zeros((0, 3), np.int32)), np.zeros(0, np.int32))
    keys = Child(Coded((), np.zeros((40, 0), np.int32)), np.arange(40, dtype=np.int32))
    nobody = Coded((), np.zeros((60, 0), np.int32))
    made = synthesize(Linked(nobody, (none, keys)), 50)
    assert made.people.rows == 50 and made.children[0].rows.rows == 0
    assert made.children[1].rows.rows == pytest.approx(40 * 50 / 60, abs=2)
    assert table.children[0].rows.rows
    assert list(tmp_path.rglob("*")) == []
    assert capfd.readouterr() == ("", "")


# ---- what comes back


class Stub:
    """Gives back what it was fitted to, changed."""

    def __init__(self, change: Callable[[dict[str, Any]], Any], seen: list[Any]) -> None:
        self._change, self._seen = change, seen
        self._max_child_rows: dict[str, int] = {}
        self._min_child_rows: dict[str, int] = {}
        self.extended_columns: dict[str, Any] = {}
        self._table_synthesizers: dict[str, Any] = {}
        self._recreate_child_synthesizer = None

    def fit(self, data: dict[str, pd.DataFrame]) -> None:
        self._frames = data
        self._seen.append(data)

    def sample(self, rows: int, table: str) -> Any:
        frames = {name: frame.copy() for name, frame in self._frames.items()}
        assert table == "people" and rows == len(frames["people"])
        self._change(frames)
        return frames


def _back(change: Callable[[dict[str, Any]], Any], table: Linked, seen: list[Any] | None = None) -> Linked:
    seen = [] if seen is None else seen
    return linked_and_drawn("stub", lambda _: Stub(change, seen), table, None, MOST, 3)


def test_tables_go_in_and_come_back_as_they_were(learned: Linked) -> None:
    """Keys are numbers of ours, values those of codes, and columns in which all rows are alike are not shown."""
    seen: list[Any] = []
    for one, two in zip(_arrays(_back(lambda frames: None, learned, seen)), _arrays(learned), strict=True):
        assert np.array_equal(one, two)
    assert list(seen[0]) == ["people", "t0"]
    assert list(seen[0]["people"].columns) == ["key", "c0", "c1", "c2", "c3"]
    assert list(seen[0]["t0"].columns) == ["person", "c0", "c1"]
    assert seen[0]["people"]["key"].tolist() == list(range(120))


def _cell(table: str, column: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(frames: dict[str, Any]) -> None:
        frames[table][column] = frames[table][column].astype(object)
        frames[table].loc[:2, column] = value

    return change


def _all_of_one(frames: dict[str, Any]) -> None:
    frames["t0"]["person"] = 7


@pytest.mark.parametrize(
    ("change", "said", "found"),
    [
        (_cell("people", "key", 5), "keys that are not one person's", "4"),
        (_cell("people", "key", np.nan), "keys that are not one person's", "3"),
        (_cell("t0", "person", 999), "rows of people who are not there", "3"),
        (_cell("t0", "person", np.nan), "rows of people who are not there", "3"),
        (_all_of_one, "people with over 6 rows", "1"),
        (_cell("t0", "c0", np.nan), "made with NULL, which it never held", "3 cells"),
        (_cell("t0", "c1", SECRET), "outside its domain", "3 other cells"),
        (_cell("people", "c0", SECRET), "outside its domain", "3 other cells"),
        (lambda frames: frames.update(people=frames["people"].head(100)), "another number of rows", "100"),
    ],
)
def test_what_does_not_hang_together_is_not_kept(
    learned: Linked, change: Callable[[dict[str, Any]], Any], said: str, found: str
) -> None:
    """Keys, people of rows and values are measured on what came back; counted, never quoted."""
    with pytest.raises(NotKept, match=said) as caught:
        _back(change, learned)
    assert SECRET not in str(caught.value)
    assert caught.value.faults[0].found == found and caught.value.faults[0].next_step


def test_a_failure_of_the_library_is_told_by_its_kind_alone(learned: Linked) -> None:
    """Its text could hold a value."""

    def failing(frames: dict[str, Any]) -> None:
        raise ValueError(SECRET)

    with pytest.raises(EngineFailed, match="ValueError") as caught:
        _back(failing, learned)
    assert SECRET not in str(caught.value) and caught.value.__cause__ is None


@pytest.mark.parametrize("number", [0, 49])
def test_too_few_people_are_refused(number: int) -> None:
    """Models of fewer say more about single people than about all."""
    with pytest.raises(NotKept, match="too few people"):
        synthesize(linked(60).take(np.arange(60) < number))


# ---- the form


def test_people_are_taken_with_their_rows(learned: Linked) -> None:
    """And their rows name them at their new places."""
    mask = np.arange(120) % 3 == 1
    taken = learned.take(mask)
    assert np.array_equal(taken.people.codes, learned.people.codes[mask])
    before, after = learned.children[0], taken.children[0]
    assert np.array_equal(before.rows.codes[mask[before.of]], after.rows.codes)
    assert np.array_equal(np.bincount(before.of, minlength=120)[mask], np.bincount(after.of, minlength=40))


@pytest.mark.parametrize("of", [[0, 120], [-1, 0], [0]])
def test_a_row_of_nobody_is_no_table(learned: Linked, of: list[int]) -> None:
    """Each row has its person."""
    rows = learned.children[0].rows.take(np.arange(2))
    with pytest.raises(ValueError, match="person"):
        Linked(learned.people, (Child(rows, np.array(of, dtype=np.int32)),))


@pytest.mark.parametrize("said", [{"distribution": "gaussian_kde"}, {"people": 99}, {"epochs": 3}])
def test_what_cannot_be_asked_for_is_refused(said: dict[str, Any]) -> None:
    """Before anything is fitted."""
    with pytest.raises(ValidationError):
        SYNTHESIZE["hma"].Parameters(kind="hma", **said)
