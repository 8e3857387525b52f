"""Numbers in intervals that grow: 37, [35,40), [30,40), [20,40), `*`.

Belongs here: ages, amounts, counts. What it does not cover: what is rare at the ends; `low` and `high` gather that.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

import polars as pl
from pydantic import Field, model_validator

from privacy_assets.errors import NotKept
from privacy_assets.techniques.hierarchies._labels import closed, is_number, is_whole, root
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen, Number

MOST_LABELS = 10_000
"""From so many labels on they are not listed beforehand."""


class Parameters(Frozen):
    """Each of `widths` divides the next; intervals begin at `low`, hold their lower bound and not their upper.

    Below `low` everything is `<low`, from `high` on `>=high`, at every level. A level of the numbers themselves comes
    first where the column holds whole numbers, unless `exact` is false.
    """

    kind: Literal["intervals"]
    widths: Annotated[tuple[Annotated[Number, Field(gt=0)], ...], Field(min_length=1, max_length=20), Weaker.ANY]
    low: Annotated[Number, Weaker.ANY]
    high: Annotated[Number, Weaker.ANY]
    exact: Annotated[bool, Weaker.MORE] = True

    @model_validator(mode="after")
    def _nests(self) -> Parameters:
        if self.low >= self.high:
            raise ValueError("`low` must be below `high`")
        for narrow, wide in pairwise(self.widths):
            if wide <= narrow or abs(wide / narrow - round(wide / narrow)) > 1e-9:
                raise ValueError("each width must be a multiple of the one before, or intervals do not nest")
        return self


def levels(parameters: Parameters, column: Column, values: pl.Series) -> list[pl.Series]:
    """The label of the interval at each width."""
    numbers = values.cast(pl.Float64)
    if unfit := int((~numbers.is_finite()).sum()):
        raise NotKept.of(
            f"{unfit} different values of {column.name} are no finite numbers",
            where=column.name,
            expected="finite numbers",
            next_step="leave them out, or set them to NULL, in `features.sql`",
        )
    found = [_bounded(parameters, numbers, values.cast(pl.String))] if _has_exact(parameters, column) else []
    for width in parameters.widths:
        places = ((numbers - parameters.low) / width).floor().cast(pl.Int64)
        unique = places.unique()
        labels = [_label(parameters, place, width) for place in unique.to_list()]
        text = places.replace_strict(unique, pl.Series(labels, dtype=pl.String), return_dtype=pl.String)
        found.append(_bounded(parameters, numbers, text))
    return [*found, root(values)]


def domain(parameters: Parameters, column: Column) -> tuple[str, ...] | None:
    """All intervals between `low` and `high`, unless they are too many."""
    span = parameters.high - parameters.low
    exact = int(span) + 1 if _has_exact(parameters, column) else 0
    if exact + sum(span / width for width in parameters.widths) > MOST_LABELS:
        return None
    labels = [f"<{_text(parameters.low)}", f">={_text(parameters.high)}"]
    if exact:
        first = -int(-parameters.low // 1)
        labels += [str(number) for number in range(first, first + exact) if number < parameters.high]
    for width in parameters.widths:
        count = -int(-span // width)
        labels += [_label(parameters, place, width) for place in range(count)]
    return closed(labels)


def fault(parameters: Parameters, column: Column) -> str | None:
    """Fits numbers."""
    return None if is_number(column) else "it is for numbers"


def _has_exact(parameters: Parameters, column: Column) -> bool:
    return parameters.exact and is_whole(column)


def _bounded(parameters: Parameters, numbers: pl.Series, labels: pl.Series) -> pl.Series:
    frame = pl.DataFrame({"number": numbers, "label": labels})
    return frame.select(
        pl.when(pl.col("number") < parameters.low)
        .then(pl.lit(f"<{_text(parameters.low)}"))
        .when(pl.col("number") >= parameters.high)
        .then(pl.lit(f">={_text(parameters.high)}"))
        .otherwise(pl.col("label"))
        .alias("label")
    )["label"]


def _label(parameters: Parameters, place: int, width: Number) -> str:
    low = parameters.low + place * width
    return f"[{_text(low)},{_text(min(low + width, parameters.high))})"


def _text(number: Number) -> str:
    return str(int(number)) if number == int(number) else repr(round(number, 9))
