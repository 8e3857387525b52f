"""Text by its first letters: QX12, QX1*, QX*, `*`.

Belongs here: postcodes, and codes of classifications (ICD, NACE) whose letters go from the general to the special.
What it does not cover: how many people live in an area; a criterion measures that.
"""

from __future__ import annotations

from typing import Annotated, Literal

import polars as pl
from pydantic import Field, model_validator

from privacy_assets.techniques.hierarchies._labels import closed, root
from privacy_assets.weakening import Weaker
from privacy_assets.words import Column, Frozen


class Parameters(Frozen):
    """How many letters are kept at each level, falling; the whole value comes first unless `exact` is false."""

    kind: Literal["prefixes"]
    keep: Annotated[tuple[Annotated[int, Field(ge=1, le=100)], ...], Field(min_length=1, max_length=20), Weaker.ANY]
    exact: Annotated[bool, Weaker.MORE] = True

    @model_validator(mode="after")
    def _falls(self) -> Parameters:
        if list(self.keep) != sorted(set(self.keep), reverse=True):
            raise ValueError("`keep` falls from level to level")
        return self


def levels(parameters: Parameters, column: Column, values: pl.Series) -> list[pl.Series]:
    """The kept letters and a star; a value that is not longer is left as it is."""
    texts = values.cast(pl.String)
    exact = [texts] if parameters.exact else []
    return [*exact, *(_kept(texts, length) for length in parameters.keep), root(values)]


def domain(parameters: Parameters, column: Column) -> tuple[str, ...] | None:
    """The labels of the declared values."""
    if column.domain is None:
        return None
    values = pl.Series(column.domain, dtype=pl.String)
    return closed(label for level in levels(parameters, column, values) for label in level)


def fault(parameters: Parameters, column: Column) -> str | None:
    """Fits text."""
    return None if column.type == "VARCHAR" else "it is for text"


def _kept(texts: pl.Series, length: int) -> pl.Series:
    frame = pl.DataFrame({"text": texts})
    long = pl.col("text").str.len_chars() > length
    return frame.select(
        pl.when(long).then(pl.col("text").str.head(length) + "*").otherwise(pl.col("text")).alias("text")
    )["text"]
