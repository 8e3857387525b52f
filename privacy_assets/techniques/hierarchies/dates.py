"""Dates by the calendar: day, month, quarter, year, five years, decade, `*`.

Belongs here: dates and moments. What it does not cover: the day of the week, or the season, which a purpose's SQL can
make a column of its own.
"""

from __future__ import annotations

from typing import Annotated, Literal

import polars as pl
from pydantic import Field, model_validator

from privacy_assets.techniques.hierarchies._labels import closed, root
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen

Unit = Literal["day", "month", "quarter", "year", "five_years", "decade"]
UNITS: tuple[Unit, ...] = ("day", "month", "quarter", "year", "five_years", "decade")
"""From the finest to the coarsest; each divides the next."""
YEARS = {"year": 1, "five_years": 5, "decade": 10}


class Parameters(Frozen):
    """`units` from the finest on. With `since` and `until`, years, the labels are known before there is any data:
    what is before or after them has the label of the first year, or of the last one.
    """

    kind: Literal["dates"]
    units: Annotated[tuple[Unit, ...], Field(min_length=1), Weaker.ANY] = ("month", "year", "decade")
    since: Annotated[int, Field(ge=1, le=9999), Weaker.ANY]
    until: Annotated[int, Field(ge=1, le=9999), Weaker.ANY]

    @model_validator(mode="after")
    def _rises(self) -> Parameters:
        if list(self.units) != [unit for unit in UNITS if unit in self.units]:
            raise ValueError(f"units go from the finest to the coarsest, each once: {', '.join(UNITS)}")
        if self.since > self.until:
            raise ValueError("`since` must not be after `until`")
        return self


def levels(parameters: Parameters, column: Column, values: pl.Series) -> list[pl.Series]:
    """The label of the span that the date lies in."""
    first, last = pl.date(parameters.since, 1, 1), pl.date(parameters.until, 12, 31)
    days = pl.DataFrame({"day": values.cast(pl.Date)}).select(pl.col("day").clip(first, last))["day"]
    return [*(_labels(days, unit) for unit in parameters.units), root(values)]


def domain(parameters: Parameters, column: Column) -> tuple[str, ...] | None:
    """Every label from `since` to `until`."""
    every = "1d" if "day" in parameters.units else "1mo"
    dates = pl.select(
        pl.date_range(pl.date(parameters.since, 1, 1), pl.date(parameters.until, 12, 31), every, eager=False)
    ).to_series()
    return closed(label for unit in parameters.units for label in _labels(dates, unit).unique(maintain_order=True))


def fault(parameters: Parameters, column: Column) -> str | None:
    """Fits dates and moments."""
    return None if column.type == "DATE" or column.type.startswith("TIMESTAMP") else "it is for dates"


def _labels(days: pl.Series, unit: Unit) -> pl.Series:
    match unit:
        case "day":
            return days.dt.strftime("%Y-%m-%d")
        case "month":
            return days.dt.strftime("%Y-%m")
        case "quarter":
            return days.dt.strftime("%Y-Q") + days.dt.quarter().cast(pl.String)
        case _:
            years = YEARS[unit]
            first = days.dt.year() // years * years
            if years == 1:
                return first.cast(pl.String)
            return first.cast(pl.String) + "-" + (first + years - 1).cast(pl.String)
