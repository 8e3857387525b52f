"""Tables as whole numbers: every cell is a place in its column's declared domain.

Belongs here: the domains of columns, and the way there and back. Does not belong here: what is made of such tables
(`techniques/synthesize/`), what is tried on them (`attacks/`), where they come from (`stages/`).

Domains are declared, never read off people: a category that only one person has, or the largest income, would
otherwise be told by the domain alone. Numbers beyond their bounds count as the nearest bound; a text that is not
declared is refused.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from privacy_assets.errors import Fault, NotKept, raise_gathered
from privacy_assets.words import Column

Codes = npt.NDArray[np.int32]

MOST_VALUES = 1_000_000
"""How many values the domain of one column may have."""


@dataclass(frozen=True, slots=True)
class Domain:
    """The values of one column. A code from 0 to `size` - 1 is one of them, in order; the code `size` is NULL.

    Categories have `labels` and no order. Numbers (and days since 1970-01-01) are `low + code * step`, up to `high`.
    """

    name: str
    labels: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    step: float = 1.0

    @property
    def ordered(self) -> bool:
        """Whether the values are numbers, so that two of them can be near each other."""
        return not self.labels

    @property
    def size(self) -> int:
        """How many values there are, without NULL."""
        return len(self.labels) or math.floor((self.high - self.low) / self.step + 1e-9) + 1

    def numbers(self) -> npt.NDArray[np.float64]:
        """(size,) the values of an ordered domain; of categories their places."""
        if not self.ordered:
            return np.arange(self.size, dtype=np.float64)
        # decimal steps overshoot their end by a last digit
        return np.minimum(self.low + self.step * np.arange(self.size, dtype=np.float64), self.high)


@dataclass(frozen=True, slots=True)
class Coded:
    """`codes` (rows, columns) of int32, each column a place in the domain of the same place."""

    domains: tuple[Domain, ...]
    codes: Codes

    def __post_init__(self) -> None:
        if self.codes.ndim != 2 or self.codes.shape[1] != len(self.domains) or self.codes.dtype != np.int32:
            raise TypeError(f"codes are int32, (rows, {len(self.domains)}), not {self.codes.dtype} {self.codes.shape}")
        sizes = np.array([domain.size for domain in self.domains])
        if self.codes.size and (self.codes.min() < 0 or (self.codes > sizes).any()):
            raise ValueError("a code is no place of its domain")

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.codes.shape[0])

    def take(self, rows: npt.NDArray[Any]) -> Coded:
        """The rows at these places, or where this is true."""
        return Coded(self.domains, self.codes[rows])


def encode(frame: pl.DataFrame, domains: Sequence[Domain]) -> Coded:
    """The columns of `frame` that have a domain, as codes: numbers to the nearest step, NULL to the code `size`.

    Raises NotKept with every column that holds a text which is not declared, or a number that is none (NaN).
    """
    found, faults = [], []
    for domain in domains:
        series = frame[domain.name]
        codes, strange = _ordered(series, domain) if domain.ordered else _labelled(series, domain)
        if strange:
            faults.append(
                Fault(
                    f"`{domain.name}` holds what is outside its domain",
                    expected="numbers" if domain.ordered else "declared values",
                    found=f"{strange:,} other cells",
                    next_step="declare them, or look at what made them",
                )
            )
        found.append(codes)
    raise_gathered(NotKept, faults)
    return Coded(tuple(domains), np.stack(found, axis=1) if found else np.zeros((frame.height, 0), np.int32))


def _labelled(series: pl.Series, domain: Domain) -> tuple[Codes, int]:
    texts = series.cast(pl.String)
    places = pl.DataFrame({"label": domain.labels, "code": np.arange(domain.size, dtype=np.int32)})
    joined = texts.alias("label").to_frame().join(places, on="label", how="left", maintain_order="left")
    codes = joined["code"]
    return codes.fill_null(domain.size).to_numpy().astype(np.int32), codes.null_count() - texts.null_count()


def _ordered(series: pl.Series, domain: Domain) -> tuple[Codes, int]:
    days = series.cast(pl.Date).to_physical() if series.dtype.is_temporal() else series
    numbers = days.cast(pl.Float64)
    values = numbers.fill_null(domain.low).to_numpy()
    strange = np.isnan(values)
    places = np.rint(
        (np.clip(np.where(strange, domain.low, values), domain.low, domain.high) - domain.low) / domain.step
    )
    codes = np.minimum(places, domain.size - 1).astype(np.int32)
    codes[numbers.is_null().to_numpy()] = domain.size
    return codes, int(strange.sum())


def decode(table: Coded, columns: Sequence[Column]) -> pl.DataFrame:
    """The values again, in the types of `columns`, which have the names of the domains, in their order."""
    return pl.DataFrame(
        [
            _values(table.codes[:, place], domain, column)
            for place, (domain, column) in enumerate(zip(table.domains, columns, strict=True))
        ]
    )


def _values(codes: Codes, domain: Domain, column: Column) -> pl.Series:
    known = pl.Series(codes < domain.size)
    places = np.minimum(codes, domain.size - 1)
    if not domain.ordered:
        series = pl.Series(domain.name, domain.labels, dtype=pl.String).gather(places)
        values = series == "true" if column.type == "BOOLEAN" else series
        if column.type not in ("BOOLEAN", "VARCHAR"):
            values = series.cast(pl.Int64)
    else:
        numbers = pl.Series(domain.name, domain.numbers()[places])
        if column.type == "DATE":
            values = numbers.cast(pl.Int32).cast(pl.Date)
        elif column.type in ("DOUBLE", "FLOAT") or column.type.startswith("DECIMAL"):
            values = numbers
        else:
            values = numbers.round().cast(pl.Int64)
    return values.alias(domain.name).zip_with(
        known, pl.Series([None], dtype=values.dtype).new_from_index(0, len(values))
    )
