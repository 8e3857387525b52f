"""The tables that plain statistics make, every cell in them, and which cells add up to which.

A table is a set of axes; its cells are all combinations of their labels, and of *none of them* (a group that is unknown
or not declared), which is never told. Of two tables the one of their common axes is there as well, told or not: a cell
of it is the sum of cells of both. All linear relations between tables that are told follow from these: a function of
the rows that is written in two ways is written by common axes (the decomposition of a function into interactions).

Belongs here: what is decided by the declarations alone, and the statement that counts. Does not belong here: which
cells are told (`_suppression.py`).

Tables that go round in a circle (by a and b, by b and c, by c and a) cannot be had independently, though no sum says
so: then the table of all their axes is there as well.

What it does not cover: columns that follow from each other (a district and its town), whose tables tell of each other
more than their names say.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlglot import exp

from privacy_assets.techniques.aggregate._grouped import Axis, Plain, column, label_of, parse

MOST_CELLS = 2_000
"""How many cells all tables of one purpose may have, those that are never told among them: beyond it, where most are
small, the search takes more than minutes."""

Key = tuple[tuple[str, ...], tuple[str | None, ...]]
"""A cell: the names of its axes, rising, and its label on each; None for none of them."""


@dataclass(frozen=True, slots=True)
class Told:
    """One cell of one query's answer."""

    query: str
    label: str
    place: int


@dataclass(frozen=True)
class Tables:
    """All tables of the queries, and of the axes that they have in common.

    `before` are the axes of tables that earlier releases told, of those that there are here.
    """

    queries: Mapping[str, Plain]
    before: frozenset[tuple[str, ...]] = frozenset()

    @cached_property
    def axes(self) -> Mapping[str, Axis]:
        """Every axis, by name."""
        return {axis.name: axis for plain in self.queries.values() for axis in plain.axes}

    @cached_property
    def sets(self) -> tuple[tuple[str, ...], ...]:
        """The axes of each table."""
        found = {_named(table) for plain in self.queries.values() for table in plain.tables} | self.before
        if circle := _circle(found):
            found.add(circle)
        while more := {_common(*pair) for pair in itertools.combinations(found, 2)} - found:
            found |= more
        return tuple(sorted(found, key=lambda names: (len(names), names)))

    @cached_property
    def size(self) -> int:
        """How many cells there are: computed, so that it can be asked of any declaration."""
        total = 0
        for names in self.sets:
            cells = 1
            for name in names:
                cells *= len(self.axes[name].labels) + 1
            total += cells
        return total

    @cached_property
    def places(self) -> Mapping[Key, int]:
        """The place of every cell."""
        keys = (
            (names, labels)
            for names in self.sets
            for labels in itertools.product(*((*self.axes[name].labels, None) for name in names))
        )
        return {key: place for place, key in enumerate(keys)}

    @cached_property
    def sums(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """Cells that are the sum of the cells of a table with more axes: (whole, parts)."""
        found = []
        for wide in self.sets:
            narrower = [names for names in self.sets if set(names) < set(wide)]
            for narrow in narrower:
                if any(set(narrow) < set(between) for between in narrower):
                    continue  # it follows
                at = [wide.index(name) for name in narrow]
                parts: dict[tuple[str | None, ...], list[int]] = {}
                for labels in itertools.product(*((*self.axes[name].labels, None) for name in wide)):
                    parts.setdefault(tuple(labels[place] for place in at), []).append(self.places[wide, labels])
                found += [(self.places[narrow, labels], tuple(each)) for labels, each in parts.items()]
        return tuple(found)

    @cached_property
    def told(self) -> tuple[Told, ...]:
        """What each query would answer, if all could be told."""
        found = []
        for query, plain in self.queries.items():
            for table in plain.tables:
                names = _named(table)
                for labels in itertools.product(*(axis.labels for axis in table)):
                    of = dict(zip((axis.name for axis in table), labels, strict=True))
                    found.append(Told(query, label_of(labels), self.places[names, tuple(of[name] for name in names)]))
        return tuple(found)

    @cached_property
    def amounts(self) -> Mapping[str, exp.Expr]:
        """What is added up of each row, by the name of the amount."""
        return {name: plain.amount for name, plain in self.adding.items() if plain.amount is not None}

    @cached_property
    def adding(self) -> Mapping[str, Plain]:
        """One of the queries that add up each amount, by the name of the amount."""
        return {plain.amount_name: plain for plain in self.queries.values() if plain.amount is not None}

    def statement(self, subject: str, largest: int) -> exp.Query:
        """Counts every cell that somebody is in, over `features`.

        Columns: `names` and `labels` (the cell), `rows`, `people`, `most` (rows of the person who has most), `top` (of
        the `largest` who have most together); for the n-th amount `sum_n`, `most_n`, `top_n`, `all_n`: the sum, and of
        the absolute sums of each person the largest, that of the `largest` together and that of all; `apart_n`: how
        many people are not at the lower bound in all that they have, or not at the upper one, the fewer of them.
        """
        selects = [self._statement(names, subject, largest) for names in self.sets]
        whole: exp.Query = exp.union(*selects, distinct=False, copy=False) if len(selects) > 1 else selects[0]
        return whole

    def _statement(self, names: Sequence[str], subject: str, largest: int) -> exp.Select:
        # grouped by place: a column of the features may be called as anything here is
        each = exp.select(exp.alias_(column(subject), "person")).from_("features").group_by(exp.Literal.number(1))
        for at, name in enumerate(names):
            each.select(exp.alias_(self.axes[name].value.copy(), f"a{at}"), copy=False)
            each.group_by(exp.Literal.number(at + 2), copy=False)
        each.select(parse('COUNT(*) AS "rows"'), copy=False)
        for at, plain in enumerate(self.adding.values()):
            low, high = plain.bounds
            for text in (
                f"CAST(COALESCE(SUM($amount), 0) AS HUGEINT) AS s{at}",
                f"COALESCE(MAX($amount) > $low, FALSE) AS above{at}",
                f"COALESCE(MIN($amount) < $high, FALSE) AS below{at}",
            ):
                amount = plain.amount.copy() if plain.amount is not None else exp.null()
                each.select(parse(text, amount=amount, low=low, high=high), copy=False)
        labels = [exp.column(f"a{at}") for at in range(len(names))]
        cells = (
            exp.select(
                exp.alias_(
                    parse("CAST($names AS VARCHAR[])", names=exp.array(*map(exp.Literal.string, names))), "names"
                ),
                exp.alias_(parse("CAST($labels AS VARCHAR[])", labels=exp.array(*labels)), "labels"),
                parse('CAST(SUM("rows") AS HUGEINT) AS "rows"'),
                parse('COUNT(*) AS "people"'),
                parse('MAX("rows") AS "most"'),
                parse('LIST_SUM(MAX("rows", $largest)) AS "top"', largest=largest),
            )
            .from_(each.subquery("each", copy=False))
            .group_by(*(label.copy() for label in labels))
            .having("COUNT(*) > 0")
        )
        for at in range(len(self.amounts)):
            own = exp.column(f"s{at}")
            for text in (
                f"SUM($own) AS sum_{at}",
                f"MAX(ABS($own)) AS most_{at}",
                f"LIST_SUM(MAX(ABS($own), $largest)) AS top_{at}",
                f"SUM(ABS($own)) AS all_{at}",
                f"LEAST(COUNT(*) FILTER (above{at}), COUNT(*) FILTER (below{at})) AS apart_{at}",
            ):
                cells.select(parse(text, own=own.copy(), largest=largest), copy=False)
        return cells


def _circle(tables: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The axes of tables that go round in a circle; none where they do not (the reduction of Graham, Yu and Ozsoyoglu).

    Again and again an axis that one table has alone is taken off, and a table that lies within another: what is left,
    goes round.
    """
    left = [set(names) for names in tables]
    while True:
        often = Counter(name for names in left for name in names)
        for names in left:
            names -= {name for name in names if often[name] == 1}
        kept = [
            names
            for at, names in enumerate(left)
            if names and not any(names < other or (names == other and at < place) for place, other in enumerate(left))
        ]
        if kept == left:
            return tuple(sorted(set().union(*left)))
        left = kept


def _named(table: Sequence[Axis]) -> tuple[str, ...]:
    return tuple(sorted(axis.name for axis in table))


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in one if name in other)
