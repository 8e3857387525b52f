"""The table that is anonymized, as the search sees it: each combination of quasi-identifiers once, with its counts.

Belongs here: leaves and levels as numbers, grouping, what is asked of groups. Does not belong here: any way through
them (one file each), what a criterion means (`criteria/`), where the table comes from (`stages/s5_anonymized.py`).

Counting each combination once makes the cost of a look one of different combinations, not of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from privacy_assets.errors import NotKept
from privacy_assets.techniques.criteria import CRITERIA
from privacy_assets.techniques.criteria._classes import Bools, Classes, Floats, Ints, Values

ROUNDS = 20
"""How often the published whole is asked anew for, since what is suppressed is not part of it."""

MOST_KEYS = 1 << 62
"""How many combinations have a number of their own: those of an integer of 64 bits, with room for a sum."""

MOST_CELLS = 1 << 27
"""How many counts of sensitive values are held at once, 8 bytes each."""


@dataclass(frozen=True, slots=True)
class Levels:
    """One quasi-identifier: the group of each leaf at each level, and what each costs.

    `groups[level]` (leaves,) numbers the groups from 0, level 0 being the leaves; `labels[level]` (groups,) names them;
    `loss[level]` (leaves,) is (leaves in the group - 1) / (leaves - 1): Iyengar's loss (KDD 2002), 0 for a column of
    one leaf. `weight` is how much a loss in this column counts. `numbers` (leaves,) are the leaves where they are
    numbers, rising, with NULL as NaN at the end.
    """

    name: str
    groups: tuple[Ints, ...]
    labels: tuple[pl.Series, ...]
    loss: tuple[Floats, ...]
    weight: float = 1.0
    numbers: Floats | None = None

    @classmethod
    def of(cls, name: str, levels: Sequence[pl.Series], weight: float = 1.0, numbers: Floats | None = None) -> Levels:
        """From the label of each leaf at every level, in the order of the leaves; labels nest."""
        groups, labels, loss = [], [], []
        for texts in levels:
            # NULL is a label of its own
            frame = pl.DataFrame({"label": texts}).with_row_index("leaf")
            numbered = frame.group_by("label", maintain_order=True).agg("leaf").with_row_index("group")
            places = np.empty(len(texts), dtype=np.int64)
            exploded = numbered.select("group", "leaf").explode("leaf")
            places[exploded["leaf"].to_numpy()] = exploded["group"].to_numpy()
            groups.append(places)
            labels.append(numbered["label"])
            sizes = np.bincount(places, minlength=numbered.height)
            loss.append((sizes[places] - 1) / max(len(texts) - 1, 1))
        return cls(name, tuple(groups), tuple(labels), tuple(loss), weight, numbers)

    def group_at(self, leaves: Ints, levels: Ints) -> Ints:
        """The group of each leaf at its level."""
        return _at(self.groups, leaves, levels)

    def loss_at(self, leaves: Ints, levels: Ints) -> Floats:
        """The loss of each leaf at its level."""
        return _at(self.loss, leaves, levels)

    @property
    def height(self) -> int:
        """The last level, at which all leaves are one group."""
        return len(self.groups) - 1


@dataclass(frozen=True, slots=True)
class Sensitive:
    """One sensitive column: row counts of `values` within `tuples`, three arrays of one length.

    `labels` are the values in their order: a value is its place in there.
    """

    tuples: Ints
    values: Ints
    counts: Ints
    labels: tuple[object, ...]


@dataclass(frozen=True)
class Tuples:
    """`codes` (tuples, columns) are leaves of each of `columns`; `rows` (tuples,) count what would be published.

    `population` counts also the rows of those who are only possible members (None: there are none such). `people` are
    pairs (tuple, person), where a person has several rows; without them every row is another person.
    """

    columns: tuple[Levels, ...]
    codes: Ints
    rows: Ints
    population: Ints | None = None
    people: tuple[Ints, Ints] | None = None
    sensitive: Mapping[str, Sensitive] | None = None

    @cached_property
    def number(self) -> int:
        """How many rows would be published if nothing were suppressed."""
        return int(self.rows.sum())

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """How many levels each column has."""
        return tuple(len(column.groups) for column in self.columns)

    @cached_property
    def weights(self) -> Floats:
        """How much each column counts, adding up to 1."""
        given = np.array([column.weight for column in self.columns], dtype=float)
        shares: Floats = given / given.sum()
        return shares

    @cached_property
    def keys(self) -> tuple[tuple[Ints, ...], ...] | None:
        """For each column and level a number for each tuple; added up over the columns they number the classes.

        The numbers of a column are multiples of all that the columns before can add up to, so that sums are unique.
        None where there are more combinations than can be numbered.
        """
        stride, keys = 1, []
        for place, column in enumerate(self.columns):
            keys.append(tuple(groups[self.codes[:, place]] * stride for groups in column.groups))
            stride *= len(column.labels[0])
            if stride >= MOST_KEYS:
                return None
        return tuple(keys)

    @cached_property
    def costs(self) -> tuple[Floats, ...]:
        """For each column the weighted loss of a level, as the mean over all rows, (levels,)."""
        costs = []
        for place, column in enumerate(self.columns):
            rows = np.bincount(self.codes[:, place], self.rows, len(column.loss[0]))
            costs.append(np.array(column.loss) @ rows * self.weights[place] / max(self.number, 1))
        return tuple(costs)

    def classes_at(self, node: Sequence[int], among: Ints | None = None) -> Grouping:
        """The classes when each column is at its level of `node`; only of the tuples `among`, if given."""
        if self.keys is None:
            return Grouping.by(self._numbered(node, among), among)
        keys = [self.keys[place][level] for place, level in enumerate(node)]
        if among is not None:
            keys = [key[among] for key in keys]
        total = keys[0].copy()
        for key in keys[1:]:
            total += key
        return Grouping.by(total, among)

    def _numbered(self, node: Sequence[int], among: Ints | None) -> Ints:
        """As the sum of keys, with new numbers in between where they would not fit."""
        codes = self.codes if among is None else self.codes[among]
        total, size = np.zeros(len(codes), dtype=np.int64), 1
        for place, (column, level) in enumerate(zip(self.columns, node, strict=True)):
            count = len(column.labels[level])
            if size * count >= MOST_KEYS:
                _, total = np.unique(total, return_inverse=True)
                size = int(total.max(initial=0)) + 1
            total = total * count + column.groups[level][codes[:, place]]
            size *= count
        return total

    def loss_at(self, node: Sequence[int], among: Ints | None = None) -> Floats:
        """The weighted loss of each tuple when each column is at its level, (tuples,); only of those `among`, if given.

        Over the columns it adds up to 0..1.
        """
        codes = self.codes if among is None else self.codes[among]
        total = np.zeros(len(codes))
        for place, (column, level) in enumerate(zip(self.columns, node, strict=True)):
            total += (column.loss[level] * self.weights[place])[codes[:, place]]
        return total

    def rolled_up(self, grouping: Grouping) -> Tuples:
        """Each class as one tuple: the same to ask at every node above the one that the classes are of."""
        numbers = grouping.numbers(len(self.rows))
        sensitive = {}
        for name, column in (self.sensitive or {}).items():
            cells = np.bincount(numbers[column.tuples] * len(column.labels) + column.values, weights=column.counts)
            [places] = np.nonzero(cells)
            parts = places // len(column.labels), places % len(column.labels), cells[places].astype(np.int64)
            sensitive[name] = Sensitive(*parts, column.labels)
        return replace(
            self,
            codes=self.codes[grouping.order[grouping.starts]],
            rows=grouping.sums(self.rows),
            population=None if self.population is None else grouping.sums(self.population),
            people=None if self.people is None else (numbers[self.people[0]], self.people[1]),
            sensitive=sensitive,
        )

    def labels_at(self, node: Sequence[int]) -> tuple[pl.Series, ...]:
        """What each cell becomes when each column is at its level."""
        return tuple(
            column.labels[level][column.groups[level][self.codes[:, place]]].rename(column.name)
            for place, (column, level) in enumerate(zip(self.columns, node, strict=True))
        )

    def labels_as(self, levels: Ints) -> tuple[pl.Series, ...]:
        """What each cell becomes when each tuple has levels of its own, (tuples, columns)."""
        cells = []
        for place, column in enumerate(self.columns):
            first = np.cumsum([0, *(len(labels) for labels in column.labels)])
            labels = pl.concat([labels.rename(column.name) for labels in column.labels])
            cells.append(labels[first[levels[:, place]] + column.group_at(self.codes[:, place], levels[:, place])])
        return tuple(cells)

    def losses_as(self, levels: Ints) -> Floats:
        """The weighted loss of each tuple when each has levels of its own, (tuples,)."""
        return sum(
            (
                column.loss_at(self.codes[:, place], levels[:, place]) * self.weights[place]
                for place, column in enumerate(self.columns)
            ),
            start=np.zeros(len(self.rows)),
        )


def _at(tables: Sequence[npt.NDArray[Any]], leaves: Ints, levels: Ints) -> npt.NDArray[Any]:
    """What the table of its level says of each leaf."""
    found = np.empty(len(leaves), dtype=tables[0].dtype)
    for level, table in enumerate(tables):
        at = levels == level
        found[at] = table[leaves[at]]
    return found


@dataclass(frozen=True, slots=True)
class Grouping:
    """Tuples in the order of their classes: `order` (tuples,), and where each class `starts` in it, (classes,)."""

    order: Ints
    starts: Ints

    @classmethod
    def by(cls, key: Ints, among: Ints | None = None) -> Grouping:
        """Tuples with one key are one class. `key` is not negative; `among` says which tuple each place is."""
        bits = max(len(key) - 1, 1).bit_length()
        if int(key.max(initial=0)).bit_length() + bits < 63:
            # sorting one number that holds both is much faster than sorting places by it
            both = (key << bits) | np.arange(len(key))
            both.sort()
            order, key = both & ((1 << bits) - 1), both >> bits
        else:
            order = np.argsort(key, kind="stable")
            key = key[order]
        starts = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1]))) if len(key) else key[:0]
        return cls(order if among is None else among[order], starts)

    def __len__(self) -> int:
        return len(self.starts)

    def sums(self, counts: Ints) -> Ints:
        """The sum of the tuples' counts in each class."""
        return np.add.reduceat(counts[self.order], self.starts) if len(self) else counts[:0]

    def spread(self, of_classes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """What is said of each class, for each tuple in `order`."""
        return np.repeat(of_classes, np.diff(np.append(self.starts, len(self.order))))

    def numbers(self, tuples: int) -> Ints:
        """The class of each of so many tuples; -1 for those that are in none."""
        found = np.full(tuples, -1, dtype=np.int64)
        found[self.order] = self.spread(np.arange(len(self)))
        return found


class Judge:
    """Says which classes may be published, by all criteria together."""

    def __init__(self, tuples: Tuples, criteria: Sequence[Any]) -> None:
        self.tuples = tuples
        self.criteria = tuple(criteria)
        self.merging = tuple(asked for asked in criteria if _module(asked).merges(asked))
        self.least = max((asked.k for asked in criteria if hasattr(asked, "k")), default=0)
        self.others = tuple(asked for asked in criteria if asked not in self.merging)

    def counts(self, grouping: Grouping) -> tuple[Ints, Ints]:
        """Rows and people of each class; of one with fewer rows than people are asked for, as many as it has rows."""
        rows = grouping.sums(self.tuples.rows)
        if self.tuples.people is None:
            return rows, rows
        tuples, persons = self.tuples.people
        classes = grouping.numbers(len(self.tuples.rows))[tuples]
        # counting people is the dear part, and there are never more of them than rows
        large = np.append(rows >= self.least, False)[classes]
        number = int(persons.max(initial=0)) + 1
        pairs = np.unique(classes[large] * number + persons[large])
        people = np.bincount(pairs // number, minlength=len(grouping)).astype(np.int64)
        return rows, np.where(rows >= self.least, people, rows)

    def necessary(self, grouping: Grouping) -> Bools:
        """Which classes keep the criteria that merging cannot break: no finer class of what fails can keep them."""
        rows, people = self.counts(grouping)
        kept = np.ones(len(grouping), dtype=bool)
        for asked in self.merging:
            chosen = np.flatnonzero(kept)
            tables = self._tables(grouping, chosen, (asked,))
            kept[chosen] = _all((asked,), self._classes(grouping, chosen, rows, people, tables))
        return kept

    def kept(self, grouping: Grouping, necessary: Bools | None = None) -> Bools:
        """Which classes may be published: each keeps every criterion, compared with all that are published together.

        `necessary` is what is known of `necessary` already.
        """
        return self._kept(grouping, necessary, of_all=False)

    def kept_by_the_whole(self, grouping: Grouping) -> Bools:
        """As `kept`, of classes that are only a part of what will be published: compared with all rows that are."""
        return self._kept(grouping, None, of_all=True)

    def _kept(self, grouping: Grouping, necessary: Bools | None, *, of_all: bool) -> Bools:
        kept = self.necessary(grouping) if necessary is None else necessary.copy()
        if not self.others:
            return kept
        rows, people = self.counts(grouping)
        if self.tuples.population is not None:
            kept &= rows > 0
        tables = self._tables(grouping, np.flatnonzero(kept), self.others)
        for _ in range(1 if of_all else ROUNDS):
            chosen = np.flatnonzero(kept)
            held = _all(self.others, self._classes(grouping, chosen, rows, people, tables, of_all=of_all))
            kept[chosen[~held]] = False
            if held.all() or of_all:
                return kept
            tables = {name: counts[held] for name, counts in tables.items()}
        return np.zeros_like(kept)

    def _classes(
        self,
        grouping: Grouping,
        chosen: Ints,
        rows: Ints,
        people: Ints,
        tables: Mapping[str, Ints],
        *,
        of_all: bool = False,
    ) -> Classes:
        """What criteria are told of the chosen classes; the whole is what they hold together, or all rows."""
        population = self.tuples.population
        values = {
            name: Values(self._sensitive(name).labels, counts, self.wholes[name] if of_all else counts.sum(axis=0))
            for name, counts in tables.items()
        }
        everyone = rows[chosen] if population is None else grouping.sums(population)[chosen]
        return Classes(people[chosen], rows[chosen], everyone, values)

    def _tables(self, grouping: Grouping, chosen: Ints, criteria: Sequence[Any]) -> Mapping[str, Ints]:
        """How often each value of each column that the criteria speak of occurs in each of the chosen classes."""
        names = sorted({asked.column for asked in criteria if getattr(asked, "column", None)})
        if not names:
            return {}
        among = np.full(len(grouping) + 1, -1, dtype=np.int64)
        among[chosen] = np.arange(len(chosen))
        of_tuples = among[grouping.numbers(len(self.tuples.rows))]
        tables = {}
        for name in names:
            column = self._sensitive(name)
            width = len(column.labels)
            if len(chosen) * width > MOST_CELLS:
                raise NotKept.of(
                    f"{name} has too many different values to be looked at class by class",
                    expected=f"at most {MOST_CELLS:,} counts, classes times values",
                    found=f"{len(chosen):,} classes, {width:,} values",
                    next_step="make its values coarser in `features.sql`: what is sensitive about it is its order of "
                    "magnitude",
                )
            at = of_tuples[column.tuples]
            inside = at >= 0
            cells = at[inside] * width + column.values[inside]
            counts = np.bincount(cells, weights=column.counts[inside], minlength=len(chosen) * width)
            tables[name] = counts.astype(np.int64).reshape(len(chosen), width)
        return tables

    @cached_property
    def wholes(self) -> Mapping[str, Ints]:
        """How often each value of each column that is spoken of occurs in all rows."""
        tables = self._tables(_one_class(self.tuples), np.zeros(1, dtype=np.int64), self.criteria)
        return {name: table[0] for name, table in tables.items()}

    def _sensitive(self, name: str) -> Sensitive:
        return (self.tuples.sensitive or {})[name]

    def fails_at_the_root(self) -> list[Any]:
        """The criteria that not even all rows as one class keep."""
        whole = _one_class(self.tuples)
        return [asked for asked in self.criteria if not Judge(self.tuples, (asked,)).kept(whole).all()]

    def nearest(self, asked: Any) -> str:
        """What could be asked for in its place at most, in words."""
        whole, one = _one_class(self.tuples), np.zeros(1, dtype=np.int64)
        # people are counted, however few rows there are
        rows, people = Judge(self.tuples, ()).counts(whole)
        classes = self._classes(whole, one, rows, people, self._tables(whole, one, (asked,)))
        said: str = _module(asked).nearest(asked, classes)
        return said


def _one_class(tuples: Tuples) -> Grouping:
    return Grouping.by(np.zeros(len(tuples.rows), dtype=np.int64))


def _module(asked: Any) -> ModuleType:
    return CRITERIA[asked.kind]


def _all(criteria: Sequence[Any], classes: Classes) -> Bools:
    held = np.ones(len(classes), dtype=bool)
    for asked in criteria:
        held &= _module(asked).holds(asked, classes)
    return held


@dataclass(frozen=True, slots=True)
class Recoding:
    """What comes of a technique: the class of each tuple, -1 where it is suppressed, and what each cell becomes.

    `cells` has one series a column, (tuples,); what stands there for a suppressed tuple counts for nothing. `loss`
    (tuples,) is the weighted loss of each tuple as it is published. `levels` are those of a full-domain recoding.
    `optimal` says that no other outcome of this technique has less loss; `looks` how many candidates were looked at.
    """

    classes: Ints
    cells: tuple[pl.Series, ...]
    loss: Floats
    levels: tuple[int, ...] | None = None
    optimal: bool = False
    looks: int = 0


Recode = Callable[[Any, Tuples, Sequence[Any], float], Recoding]
