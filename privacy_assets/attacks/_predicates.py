"""Predicates over columns, and which of them only one row of a table meets.

Belongs here: how singling out looks rows up. Does not belong here: which predicates an adversary tries.

A predicate is a closed interval of codes in each of its columns: [v, v] for "is v", [v, size - 1] for "at least v",
[0, v] for "at most v", [size, size] for "is NULL".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from privacy_assets.coded import Coded

Places = npt.NDArray[np.int64]

NONE, SEVERAL = -1, -2
"""In the place of a row: no row meets the predicate, or more than one does."""
_FIRST, _GROWTH = 16, 8
"""So many candidates are looked at first, then this many times more: two that meet it end the search."""
_BLOCK = 1 << 18
"""Candidates that are looked at at a time."""


@dataclass(frozen=True, slots=True)
class Predicates:
    """`parts`: (predicates, columns of each, 3), the place of a column, and from where to where, both included."""

    parts: Places

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.parts)

    @property
    def columns(self) -> Places:
        """(predicates, columns of each) the places of the columns."""
        return self.parts[:, :, 0]

    @property
    def low(self) -> Places:
        """(predicates, columns of each) the least code that meets them."""
        return self.parts[:, :, 1]

    @property
    def high(self) -> Places:
        """(predicates, columns of each) the largest code that meets them."""
        return self.parts[:, :, 2]

    def take(self, which: npt.NDArray[Any]) -> Predicates:
        """Those at these places, or where this is true."""
        return Predicates(self.parts[which])


def guessed(table: Coded, size: int, columns: int, generator: np.random.Generator) -> Predicates:
    """Predicates of who has seen no release: columns, values of their domains and comparisons, each as likely."""
    chosen = distinct_columns(table, size, columns, generator)
    sizes = np.array([domain.size for domain in table.domains])
    ordered = np.array([domain.ordered for domain in table.domains])
    values = (generator.random(chosen.shape) * sizes[chosen]).astype(np.int64)
    compared = np.where(ordered[chosen], generator.integers(3, size=chosen.shape), 0)
    low = np.where(compared == 1, 0, values)
    high = np.where(compared == 2, sizes[chosen] - 1, values)
    return Predicates(np.stack([chosen, low, high], axis=2))


def distinct_columns(table: Coded, size: int, columns: int, generator: np.random.Generator) -> Places:
    """(size, columns) places of columns, none twice in one predicate, in no particular order."""
    drawn = generator.random((size, len(table.domains)))
    return np.argsort(drawn, axis=1)[:, :columns]


class Index:
    """A table whose rows are found by the values of any column."""

    def __init__(self, table: Coded) -> None:
        self.rows = table.rows
        self.codes = np.ascontiguousarray(table.codes.T)
        self.order = np.argsort(self.codes, axis=1).astype(np.int32)
        self.sorted = np.take_along_axis(self.codes, self.order, axis=1)

    def alone(self, predicates: Predicates) -> Places:
        """(predicates,) the place of the only row that meets it, or NONE, or SEVERAL."""
        starts, stops = np.zeros_like(predicates.columns), np.zeros_like(predicates.columns)
        for place, codes in enumerate(self.sorted):
            here = predicates.columns == place
            starts[here] = np.searchsorted(codes, predicates.low[here], "left")
            stops[here] = np.searchsorted(codes, predicates.high[here], "right")
        by_rarity = np.argsort(stops - starts, axis=1)
        column, first, last, low, high = (
            np.take_along_axis(part, by_rarity, axis=1)
            for part in (predicates.columns, starts, stops, predicates.low, predicates.high)
        )
        counts, places = np.zeros(predicates.size, np.int64), np.full(predicates.size, NONE)
        begin, stop, step = first[:, 0], last[:, 0], _FIRST
        while (begin < stop).any():
            end = np.minimum(begin + step, stop)
            lengths = np.where(counts < 2, end - begin, 0)
            for which in _blocks(lengths):
                owners, rows = self._candidates(which, lengths[which], column[which, 0], begin[which])
                for part in range(1, column.shape[1]):
                    codes = self.codes.ravel()[column[owners, part] * self.rows + rows]
                    meets = (codes >= low[owners, part]) & (codes <= high[owners, part])
                    owners, rows = owners[meets], rows[meets]
                counts += np.bincount(owners, minlength=len(counts))
                places[owners] = rows
            begin, step = end, step * _GROWTH
        places[counts > 1] = SEVERAL
        return places

    def _candidates(self, which: Places, lengths: Places, column: Places, begin: Places) -> tuple[Places, Places]:
        """Each of these, as often as it has candidates, with one of its candidates."""
        owners = np.repeat(which, lengths)
        first = column * self.rows + begin - (np.cumsum(lengths) - lengths)
        return owners, self.order.ravel()[np.arange(len(owners)) + np.repeat(first, lengths)]


def _blocks(lengths: Places) -> list[Places]:
    """The predicates that have candidates, in parts that hold about a block of candidates each."""
    which = np.flatnonzero(lengths)
    cuts = np.searchsorted(np.cumsum(lengths[which]), np.arange(_BLOCK, lengths.sum(), _BLOCK))
    return [part for part in np.split(which, np.unique(cuts)) if len(part)]
