"""HIPAA Safe Harbor: years for dates, one category from the age of 90 on, three digits of a ZIP code.

45 CFR 164.514(b)(2)(i)(B) and (C). It asks nothing of classes: it leaves only those levels of a hierarchy open that
are coarse enough. A level is closed as soon as one of its labels tells too much. The invariant of the same name says
what is not covered, and measures columns that no hierarchy changes, too.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import numpy as np
import polars as pl
from pydantic import model_validator

from privacy_assets.techniques.criteria._classes import Bools, Classes
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen

OLDEST = 89

SMALL_AREAS = frozenset(
    (
        "036", "059", "063", "102", "203", "556", "692", "790", "821",
        "823", "830", "831", "878", "879", "884", "890", "893",
    )
)  # fmt: skip
"""Where 20,000 people or fewer lived in 2000, by the guidance of HHS of 2012."""

_YEARS = re.compile(r"[0-9]{4}(-[0-9]{4})?")
_AREA = re.compile(r"([0-9]{3})\**")
_NUMBER = r"(0|[1-9][0-9]*)"
_INTERVAL = re.compile(rf"\[{_NUMBER},{_NUMBER}\)")
_OLDER = re.compile(rf">={_NUMBER}|{_NUMBER}\+")
_YOUNGER = re.compile(f"<{_NUMBER}")
_AGE = re.compile(_NUMBER)


class Parameters(Frozen):
    """The columns that hold dates, ages and ZIP codes: one at least."""

    kind: Literal["hipaa_safe_harbor"]
    years: Annotated[tuple[str, ...], Weaker.REMOVED] = ()
    ages: Annotated[tuple[str, ...], Weaker.REMOVED] = ()
    zips: Annotated[tuple[str, ...], Weaker.REMOVED] = ()

    @model_validator(mode="after")
    def _names_something(self) -> Parameters:
        if not (self.years or self.ages or self.zips):
            raise ValueError("name a column of dates (`years`), `ages` or `zips`")
        return self


def merges(parameters: Parameters) -> bool:
    """It says nothing of classes."""
    return True


def holds(parameters: Parameters, classes: Classes) -> Bools:
    """For each class."""
    return np.ones(len(classes), dtype=bool)


def coarse_enough(parameters: Parameters, column: str, labels: pl.Series) -> bool:
    """Whether a level with these labels may be published in this column."""
    told = [label for label in labels.unique().to_list() if label not in (None, "*")]
    if column in parameters.years:
        return all(_YEARS.fullmatch(label) for label in told)
    if column in parameters.ages:
        return all(map(_is_young_or_old, told))
    if column in parameters.zips:
        return all((area := _AREA.fullmatch(label)) and area[1] not in SMALL_AREAS for label in told)
    return True


def _is_young_or_old(label: str) -> bool:
    if older := _OLDER.fullmatch(label):
        return int(older[1] or older[2]) <= OLDEST + 1
    if interval := _INTERVAL.fullmatch(label):
        return int(interval[2]) <= OLDEST + 1
    if younger := _YOUNGER.fullmatch(label):
        return int(younger[1]) <= OLDEST + 1
    return _AGE.fullmatch(label) is not None and int(label) <= OLDEST


def nearest(parameters: Parameters, whole: Classes) -> str:
    """There is always a root."""
    return "what it asks"


def fault(parameters: Parameters, column: Column) -> str | None:
    """Speaks of no sensitive column."""
    return None
