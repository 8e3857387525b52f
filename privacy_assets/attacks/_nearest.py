"""The nearest released rows by Gower's distance.

Belongs here: finding neighbours. Does not belong here: what an adversary concludes from them.

d(a, b) = sum over columns of 0 or 1 (categories: equal or not), |a - b| / (size - 1) (ordered), 1 (one of them NULL),
0 (both NULL): Gower 1971, with the declared domain as the range, so that the scale is not read off anybody's data.

Exact, in two passes: first in whole numbers of 16 bits over all rows (a column is worth 65,535 // columns), which the
processor adds many at a time; then in floating point over the rows that rounding leaves possible. Equal distances go
to the row that stands first.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from privacy_assets.attacks._rows import all_but_one
from privacy_assets.coded import Coded, Domain

Places = npt.NDArray[np.int64]
Distances = npt.NDArray[np.float64]
Counts = npt.NDArray[np.unsignedinteger]

_BLOCK = 1 << 17
"""Pairs of rows that are compared at a time: their sums fit into the processor's cache."""
_FEW = 16
"""Of one pair in so many, distances are added up in floating point; of more, first in whole numbers."""


def nearest(people: Coded, released: Coded, columns: Sequence[int], k: int = 1) -> tuple[Places, Distances]:
    """(people, k) the places in `released` of each one's k nearest rows by these columns, and how far they are.

    Fewer than k where fewer rows were released.
    """
    k = min(k, released.rows)
    places, distances = np.zeros((people.rows, k), np.int64), np.zeros((people.rows, k))
    if not k or not people.rows:
        return places, distances
    index = _Index(released, columns)
    step = max(1, _BLOCK // released.rows)

    def fill(start: int) -> None:
        some = slice(start, start + step)
        places[some], distances[some] = index.nearest(people.codes[some], k)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(fill, range(0, people.rows, step)))
    return places, distances


class _Index:
    def __init__(self, released: Coded, columns: Sequence[int]) -> None:
        self.domains, self.rows = released.domains, released.rows
        self.labelled = [column for column in columns if not self.domains[column].ordered]
        self.ordered = [column for column in columns if self.domains[column].ordered]
        self.unit = 65_535 // max(1, len(columns))
        self.slack = 2 * len(self.ordered)
        self.codes = {column: np.ascontiguousarray(released.codes[:, column]) for column in columns}
        self.small = {column: _narrow(self.codes[column], self.domains[column]) for column in self.labelled}
        self.coarse = {column: self._coarse(self.codes[column], self.domains[column]) for column in self.ordered}
        self.null = {column: self.codes[column] == self.domains[column].size for column in self.ordered}
        self.has_null = {column: bool(self.null[column].any()) for column in self.ordered}

    def _coarse(self, codes: npt.NDArray[np.int32], domain: Domain) -> npt.NDArray[np.uint16]:
        scaled = codes.astype(np.int64) * self.unit // max(1, domain.size - 1)
        return np.where(codes == domain.size, 0, scaled).astype(np.uint16)

    def nearest(self, asked: npt.NDArray[np.int32], k: int) -> tuple[Places, Distances]:
        """(asked, k) places and distances of each one's nearest rows."""
        different = self._different(asked)
        if not (self.labelled and self.ordered):
            return self._by_sums(asked, different, k)
        # a row in which more categories differ than in these is farther by at least one
        fewest = _smallest(different, k)
        possible = _pairs(different <= fewest[:, None])
        if len(possible[0]) > different.size // _FEW:
            return self._by_sums(asked, different, k)
        places, distances = self._best(asked, possible, k)
        open_ = np.flatnonzero(distances[:, -1] >= fewest + 1.0)
        if open_.size:
            places[open_], distances[open_] = self._by_sums(asked[open_], different[open_], k)
        return places, distances

    def _by_sums(self, asked: npt.NDArray[np.int32], different: Counts, k: int) -> tuple[Places, Distances]:
        sums = self._sums(asked, different)
        bounds = _smallest(sums, k).astype(np.int64) + self.slack
        return self._best(asked, _pairs(sums <= np.minimum(bounds, 65_535).astype(np.uint16)[:, None]), k)

    def _best(self, asked: npt.NDArray[np.int32], possible: tuple[Places, Places], k: int) -> tuple[Places, Distances]:
        """The k nearest of the possible pairs of somebody who is asked for and a row, of which each has k or more."""
        people, rows = possible
        exact = self._exact(asked, people, rows)
        order = np.lexsort((rows, exact, people))
        chosen = order[np.searchsorted(people, np.arange(len(asked)))[:, None] + np.arange(k)]
        return rows[chosen], exact[chosen]

    def _different(self, asked: npt.NDArray[np.int32]) -> Counts:
        """(asked, rows) in how many categories they differ."""
        different = np.zeros((len(asked), self.rows), np.uint8 if len(self.labelled) < 256 else np.uint16)
        unequal = np.empty(different.shape, np.bool_)
        for column in self.labelled:
            own = _narrow(asked[:, column], self.domains[column])
            np.not_equal(self.small[column], own[:, None], out=unequal)
            different += unequal.view(np.uint8)
        return different

    def _sums(self, asked: npt.NDArray[np.int32], different: Counts) -> npt.NDArray[np.uint16]:
        """(asked, rows) the distances in 16 bits; each ordered column may be off by less than one either way."""
        sums = different.astype(np.uint16)
        sums *= np.uint16(self.unit)
        apart, least = np.empty_like(sums), np.empty_like(sums)
        for column in self.ordered:
            codes, coarse = asked[:, column], self.coarse[column]
            own = self._coarse(codes, self.domains[column])[:, None]
            np.maximum(coarse, own, out=apart)
            np.minimum(coarse, own, out=least)
            apart -= least
            own_null = codes == self.domains[column].size
            if own_null.any() or self.has_null[column]:
                np.copyto(apart, np.uint16(self.unit), where=self.null[column] != own_null[:, None])
            sums += apart
        return sums

    def _exact(self, asked: npt.NDArray[np.int32], rows: Places, found: Places) -> Distances:
        distances: Distances = np.zeros(len(rows))
        for column, codes in self.codes.items():
            distances += gower(asked[rows, column], codes[found], self.domains[column])
        # columns may be added up in any order, and the same distance stays the same number
        rounded: Distances = np.round(distances, 9)
        return rounded


def _smallest(numbers: Counts, k: int) -> Counts:
    """(people,) the k-th smallest of each row."""
    found: Counts = numbers.min(axis=1) if k == 1 else np.partition(numbers, k - 1, axis=1)[:, k - 1]
    return found


def _pairs(chosen: npt.NDArray[np.bool_]) -> tuple[Places, Places]:
    """The places of what is true: much faster than numpy's own for two dimensions."""
    people, rows = np.divmod(np.flatnonzero(chosen), chosen.shape[1])
    return people, rows


def _narrow(codes: npt.NDArray[np.int32], domain: Domain) -> npt.NDArray[np.unsignedinteger]:
    if domain.size < 256:
        return codes.astype(np.uint8)
    return codes.astype(np.uint16) if domain.size < 65_536 else codes.astype(np.uint32)


def gower(some: npt.NDArray[np.int32], others: npt.NDArray[np.int32], domain: Domain) -> npt.NDArray[np.float64]:
    """How far the values of one column are apart, pair by pair: from 0 to 1."""
    apart: Distances
    if not domain.ordered:
        apart = (some != others).astype(np.float64)
        return apart
    apart = np.abs(some.astype(np.float64) - others) / max(1, domain.size - 1)
    apart[(some == domain.size) != (others == domain.size)] = 1.0
    return apart


def near(people: Coded, released: Coded, within: float) -> npt.NDArray[np.bool_]:
    """(people,) whether a row differs in at most one column, or by at most `within` as a mean over the columns."""
    found, columns = all_but_one(people, released), range(len(people.domains))
    if released.rows and not found.all():
        distances = nearest(people.take(~found), released, columns)[1][:, 0]
        found[~found] = distances <= within * len(columns)
    return found
