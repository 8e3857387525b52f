"""The smallest sets of columns that single people out: alone harmless, together a name.

    one column ─► pairs ─► triples      of each level only sets that hold no set that is found already

Belongs here: the search for such sets, and what follows from them for a guess. Does not belong here: what one column
says by itself (`judging.py`), where the rows come from (`looking.py`), what is written down (`writing.py`).

A set singles a row out where the row's combination of values occurs once. The values are not seen here: rows come as
codes that are alike where the values are. What is measured is exact for the rows that are measured; where those are
drawn from more rows, it is too high (of fewer rows more are alone), which errs towards the more protected role.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privacy_assets.drafting.judging import MEASURE, THING, Guess
from privacy_assets.words import Role

SINGLED_OUT = 0.05
"""A set of columns is told of where it singles out more than this share of the rows."""

WIDEST = 3
"""So many columns a set has at most: who knows four things of somebody knows the person."""

EFFORT, FEWEST_ROWS, MOST_SETS = 400_000_000, 50_000, 100_000
"""Rows times sets that are measured at most: beyond it rows are drawn, down to the fewest; then sets are narrower."""

Codes = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Combination:
    """A smallest set of columns, in the order of the table, and the share of the rows that it singles out."""

    columns: tuple[str, ...]
    share: float


@dataclass(frozen=True, slots=True)
class Combinations:
    """All smallest sets of at most `widest` columns that single out more than `above`, as `measured` of `rows` show."""

    found: tuple[Combination, ...]
    above: float
    widest: int
    measured: int
    rows: int


def combinations(
    table: Mapping[str, Codes], *, rows: int | None = None, above: float = SINGLED_OUT, widest: int = WIDEST,
    effort: int = EFFORT,
) -> Combinations:  # fmt: skip
    """The smallest sets of columns that single out more than the share `above` of the rows of `table`.

    `table` has a code for each row of each column, alike where the values are; a missing value is a value. `rows` says
    how many rows there are, where the table holds only some of them.
    """
    held = len(next(iter(table.values()), ()))
    wide, measured = _affordable({name: _distinct(codes) for name, codes in table.items()}, held, above, widest, effort)
    if measured < held:
        # a seed of its own, so that the same file gives the same draft
        drawn = np.sort(np.random.default_rng(0).choice(held, measured, replace=False))
        table = {name: codes[drawn] for name, codes in table.items()}
    places = {name: place for place, name in enumerate(table)}
    found = _search(table, measured, above, wide)
    return Combinations(
        tuple(sorted(found, key=lambda one: (len(one.columns), -one.share, [places[name] for name in one.columns]))),
        above, wide, measured, held if rows is None else rows,
    )  # fmt: skip


def _search(table: Mapping[str, Codes], rows: int, above: float, widest: int) -> Iterator[Combination]:
    """Level by level: a set with a found one in it is not smallest, and none has more rows alone than combinations."""
    dense = {name: _dense(codes) for name, codes in table.items()}
    size = {name: int(codes.max()) + 1 if len(codes) else 0 for name, codes in dense.items()}
    # a column that says the same of everybody adds nothing to any set
    names = [name for name in table if size[name] > 1 or rows == 1]
    at_most: dict[tuple[str, ...], int] = {(): 1}
    for width in range(1, widest + 1):
        level: dict[tuple[str, ...], int] = {}
        for members in itertools.combinations(names, width):
            below = [tuple(name for name in members if name != left) for left in members]
            if any(one not in at_most for one in below):
                continue
            bound = min(at_most[one] * size[left] for one, left in zip(below, members, strict=True))
            if bound > above * rows:
                alone, bound = _counted([(dense[name], size[name]) for name in members])
                if alone > above * rows:
                    yield Combination(members, alone / rows)
                    continue
            level[members] = bound
        at_most = level


def _counted(columns: Sequence[tuple[Codes, int]]) -> tuple[int, int]:
    """How many rows have a combination of codes that occurs once, and how many combinations there are."""
    (key, room), *more = columns
    key = key.astype(np.uint64) if math.prod(size for _, size in columns) >= 2**32 else key.copy()
    for codes, size in more:
        if room * size >= 2**64:
            key = _dense(key).astype(np.uint64)
            room = int(key.max()) + 1
        key *= key.dtype.type(size)
        key += codes
        room *= size
    key.sort()
    changes = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1], [True])))
    return int(np.count_nonzero(np.diff(changes) == 1)), len(changes) - 1


def _dense(codes: Codes) -> NDArray[np.uint32]:
    return np.unique(codes, return_inverse=True)[1].astype(np.uint32)


def _distinct(codes: Codes) -> int:
    return len(np.unique(codes))


def _affordable(sizes: Mapping[str, int], rows: int, above: float, widest: int, effort: int) -> tuple[int, int]:
    """How wide sets are searched, and in how many rows: as many as the effort allows, before anything is pruned."""
    counted, wide, measured = len(sizes), 1, rows
    for width in range(2, min(widest, len(sizes)) + 1):
        if math.comb(len(sizes), width) > MOST_SETS:
            break
        counted += sum(math.prod(some) > above * rows for some in itertools.combinations(sizes.values(), width))
        if counted * min(rows, FEWEST_ROWS) > effort:
            break
        wide, measured = width, min(rows, effort // max(counted, 1))
    return (wide, measured) if wide > 1 else (1, rows)


def with_combinations(
    guesses: Sequence[Guess], codes: Sequence[Codes], *, rows: int, subject: str | None
) -> tuple[tuple[Guess, ...], Combinations]:
    """The guesses with the more protected role where a set of columns singles people out, and those sets.

    Direct identifiers need no set, and the number of a thing (a header says so) is known to nobody but its owner.
    """
    asked = {
        guess.facts.name: column
        for guess, column in zip(guesses, codes, strict=True)
        if guess.role is not Role.DIRECT_IDENTIFIER and guess.kind != THING and guess.facts.name != subject
    }
    found = combinations(asked, rows=rows)
    return tuple(_raised(guess, found) for guess in guesses), found


def _raised(guess: Guess, found: Combinations) -> Guess:
    """The guess, if it rests on shape alone, as the sets that the column is in want it.

    A measure that singles out by itself does so by its digits, which nobody else knows: that is told, and its role
    stays. One that needs others for it is coarse enough to be known, and is a quasi-identifier with them.
    """
    held = [one for one in found.found if guess.facts.name in one.columns]
    if not held or guess.kind != MEASURE or guess.role is not Role.ATTRIBUTE:
        return guess
    most = max(held, key=lambda one: one.share)
    if len(most.columns) == 1:
        return replace(guess, evidence=f"{guess.evidence}; so precise that {_share(most.share)} of the rows are alone")
    evidence = f"{guess.evidence}; with others it singles out {_share(most.share)} of the rows"
    return replace(guess, role=Role.QUASI_IDENTIFIER, evidence=evidence)


def _share(share: float) -> str:
    return f"{share:.0%}"
