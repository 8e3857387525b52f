"""SDV's synthesizers: what they are given, and what is done with what they give back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from privacy_assets.coded import Coded
from privacy_assets.errors import EngineFailed, NotKept
from privacy_assets.techniques.synthesize import SYNTHESIZE
from privacy_assets.techniques.synthesize._sdv import learned_and_drawn
from tests.techniques.synthesize.tables import SIZES, people

SECRET = "the only one who has it"


class Stub:
    """Gives back what it was fitted to, changed."""

    def __init__(self, change: Callable[[pd.DataFrame], pd.DataFrame], seen: list[Any]) -> None:
        self._change, self._seen = change, seen

    def fit(self, data: dict[str, pd.DataFrame]) -> None:
        self._frame = data["table"]
        self._seen.append(self._frame)

    def _set_random_state(self, seed: int) -> None:
        self._seen.append(seed)

    def sample(self, rows: int) -> dict[str, pd.DataFrame]:
        return {"table": self._change(self._frame.head(rows).copy())}


def _back(change: Callable[[pd.DataFrame], pd.DataFrame], table: Coded, seen: list[Any] | None = None) -> Coded:
    seen = [] if seen is None else seen
    return learned_and_drawn("stub", lambda _: Stub(change, seen), table, None, 1, 3)


def test_values_go_in_and_come_back_as_they_were() -> None:
    """Numbers as numbers, labels as texts, and nothing for NULL; columns have no names of ours."""
    table, seen = people(200), []
    assert np.array_equal(_back(lambda frame: frame, table, seen).codes, table.codes)
    frame = seen[0]
    assert list(frame.columns) == ["c0", "c1", "c2", "c3"]
    assert set(frame["c0"]) == {"heart", "lung", "skin"}
    assert frame["c1"].isna().sum() == (table.codes[:, 1] == SIZES[1]).sum() > 0
    assert frame["c1"].min() >= 18
    assert seen[1] == 3


def _with(column: str, value: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[:2, column] = value
        return frame

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_with("c2", np.nan), "made with NULL, which it never held"),
        (_with("c3", None), "made with NULL, which it never held"),
        (_with("c0", SECRET), "outside its domain"),
        (lambda frame: frame.head(150), "another number of rows"),
    ],
)
def test_what_is_not_of_the_domains_is_not_kept(change: Callable[[pd.DataFrame], pd.DataFrame], said: str) -> None:
    """Counted, never quoted."""
    with pytest.raises(NotKept, match=said) as caught:
        _back(change, people(200))
    assert SECRET not in str(caught.value)
    assert caught.value.faults[0].found in ("3 cells", "3 other cells", "150")


def test_numbers_beyond_their_bounds_become_the_bound() -> None:
    """Models know no bounds; the domain does."""
    made = _back(_with("c2", 1e9), people(200)).codes
    assert (made[:3, 2] == SIZES[2] - 1).all()


def test_a_failure_of_the_library_is_told_by_its_kind_alone() -> None:
    """Its text could hold a value, and so could what it came from."""

    def failing(frame: pd.DataFrame) -> pd.DataFrame:
        raise ValueError(SECRET)

    with pytest.raises(EngineFailed, match="ValueError") as caught:
        _back(failing, people(200))
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


def test_a_copula_knows_what_goes_up_and_down_together() -> None:
    """Older people smoke less, and wards have their ages."""
    module = SYNTHESIZE["gaussian_copula"]
    asked = module.Parameters(kind="gaussian_copula", distribution="truncnorm")
    made = module.synthesize(asked, people(2000), rows=None, rows_per_person=1, seed=1).codes
    known = made[:, 1] < SIZES[1]
    assert np.corrcoef(made[known, 1], made[known, 3])[0, 1] < -0.2
    assert known.mean() == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("gaussian_copula", {"distribution": "cauchy"}),
        ("ctgan", {"epochs": 0}),
        ("ctgan", {"batch_size": 30}),
        ("tvae", {"epochs": 10_001}),
        ("tvae", {"batch_size": 1}),
    ],
)
def test_what_cannot_be_asked_for_is_refused(kind: str, said: dict[str, Any]) -> None:
    """Before anything is fitted."""
    with pytest.raises(ValidationError):
        SYNTHESIZE[kind].Parameters(kind=kind, **said)
