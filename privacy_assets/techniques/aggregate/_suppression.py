"""Cell suppression: which cells of plain statistics are not told, so that no told one gives them away.

**Primary.** A cell is not told where fewer than `at_least_subjects` = k people are in it, nobody included, or where the
`largest` people with most in it have more than `share_at_most` of it (the dominance, or (n, k), rule), or where a sum
or mean is of numbers of which all but fewer than k people's are at one of its bounds: it would tell those.

**Complementary.** What cells are told, they tell of sums of the others. With x the table as it is, a primary cell p is
protected if there is another table x' of numbers that could be, with the same told cells, in which

    x'_p >= x_p + need_p

where need_p is k times the most rows that one person has in p, where rows are counted (k people more, each with as
many, could be there for all that is told), and where amounts are added up the largest contribution of a person, or the
width of the bounds if that is more (nobody's can be told to within that). Cells that earlier releases told are taken
for known: x' is the same there. Where that leaves no such table, the release has to wait.

The least costly change y = x' - x is searched as a linear program, for counts an integer one:

    minimize sum c |y|    A y = 0 (cells stay the sum of their parts)    y_p = need_p    x + y >= 0

where c is what is lost by not telling a cell, and 0 where it is not told anyway; the told cells that y changes are not
told either. Not telling more never protects less, so every cell is protected in turn, and all of them at the end.

Belongs here: rules and search, on numbers. Does not belong here: tables (`_tables.py`), people.

What it does not cover: readers who know some of the people in a cell, and take them off; that a cell is not told says
that it, or one beside it, is small; the fewest cells possible are not searched for (NP-hard; Kelly, Golden, Assad
1992), the cells are cheap ones.

Source: Hundepool et al., Statistical disclosure control, 2012, ch. 4 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from privacy_assets.errors import NotKept

Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]

ROUNDED = 1e-6
"""What is smaller than this, in units of what is needed, is a rounding error of the solver."""

CHEAP = 0.3
"""A change that costs so much more than the cheapest is cheap enough."""

MOST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure of all cells: rows, or an amount; arrays of one number a cell.

    `asked`: the cell would be told. `primary`: it has to be protected. `fixed`: it is known to everybody whatever is
    told. `before`: an earlier release told it. `whole`: the numbers are counts, and not below zero; else they may be
    below zero if `negative`.
    """

    exact: Numbers
    asked: Bools
    primary: Bools
    fixed: Bools
    before: Bools
    need: Numbers
    whole: bool
    negative: bool = False


def untold(sums: Sequence[tuple[int, Sequence[int]]], measured: Sequence[Measured]) -> tuple[Bools, Bools]:
    """Which cells are not told, of all measures together; and which cannot be protected from what was told before."""
    size = len(measured[0].exact)
    adds_up = _matrix(sums, size)
    out = np.logical_or.reduce([each.primary & each.asked for each in measured])
    bare = np.zeros(size, dtype=bool)
    for each in measured:
        more, open_ = _complementary(adds_up, each, out)
        out |= more
        bare |= open_
    return np.asarray(out & np.logical_or.reduce([each.asked for each in measured])), bare


def _matrix(sums: Sequence[tuple[int, Sequence[int]]], size: int) -> Any:
    from scipy.sparse import coo_array

    rows, columns, values = [], [], []
    for row, (whole, parts) in enumerate(sums):
        rows += [row] * (len(parts) + 1)
        columns += [whole, *parts]
        values += [1.0] + [-1.0] * len(parts)
    return coo_array((values, (rows, columns)), shape=(len(sums), size)).tocsr()


def _complementary(adds_up: Any, measured: Measured, out: Bools) -> tuple[Bools, Bools]:
    """The cells that are not told for the sake of this measure, beside those that are not told anyway.

    And the cells that what was told before leaves bare.
    """
    out, bare = out.copy(), np.zeros(len(out), dtype=bool)
    waiting = measured.primary.copy()
    while waiting.any():
        place = int(np.flatnonzero(waiting)[measured.need[waiting].argmax()])
        known = measured.fixed | measured.before
        known[place] = False
        moved = _change(adds_up, measured, out, place, known)
        if moved is None and (known & ~measured.fixed).any():
            bare[place] = True
            moved = _change(adds_up, measured, out, place, measured.fixed)
        if moved is None:
            raise NotKept.of(
                "it could not be found out which cells have to be left out",
                expected=f"an answer within {MOST_SECONDS:g} seconds for each small cell",
                found=f"{len(out):,} cells",
                next_step="ask for fewer groups in one purpose, for narrower bounds, or for the statistics under "
                "differential privacy",
            )
        out |= measured.asked & (np.abs(moved) > ROUNDED * measured.need[place])
        # whatever else has risen far enough is protected by the same change
        waiting &= ~(moved >= measured.need * (1 - ROUNDED))
    return out, bare


def _change(adds_up: Any, measured: Measured, out: Bools, place: int, known: Bools) -> Numbers | None:
    """The change that raises the cell `place` as far as it needs, and of the told cells changes little; None without.

    Of counts the cheapest change in fractions says which cells may change; in whole numbers any change of these will
    do. Where there is none, all may.
    """
    costly = measured.asked & ~out
    cost = np.where(costly, 1.0 + np.abs(measured.exact), 0.0)
    cost /= max(float(cost.max()), 1.0)
    unit = 1.0 if measured.whole else float(measured.need[place])
    moved = _cheapest(adds_up, measured, place, unit, cost, known, whole=False)
    if moved is not None and measured.whole and np.abs(moved - np.round(moved)).max() > ROUNDED:
        still = known | (costly & (np.abs(moved) < ROUNDED))
        moved = _cheapest(adds_up, measured, place, unit, np.zeros(len(cost)), still, whole=True)
        if moved is None:
            moved = _cheapest(adds_up, measured, place, unit, cost, known, whole=True)
    if moved is None or not measured.whole:
        return None if moved is None else moved * unit
    moved = np.round(moved)
    if (adds_up @ moved).any() or (measured.exact + moved < 0).any():
        raise AssertionError("the solver's change of the table is no table")
    return moved


def _cheapest(
    adds_up: Any, measured: Measured, place: int, unit: float, cost: Numbers, still: Bools, *, whole: bool
) -> Numbers | None:
    """A change that costs little, in units, where the cells `still` do not change; None where none was found."""
    from scipy import sparse
    from scipy.optimize import Bounds, LinearConstraint, milp

    up = np.where(still, 0.0, np.inf)
    down = np.where(still, 0.0, np.inf if measured.negative else np.maximum(measured.exact, 0) / unit)
    low = np.zeros(len(up))
    low[place], down[place] = measured.need[place] / unit, 0.0
    solved = milp(
        np.concatenate([cost, cost]),  # of how far each cell rises, and how far it falls
        integrality=np.full(2 * len(cost), int(whole)),
        bounds=Bounds(np.concatenate([low, np.zeros(len(low))]), np.concatenate([up, down])),
        constraints=LinearConstraint(sparse.hstack([adds_up, -adds_up], format="csr"), 0, 0),
        options={"time_limit": MOST_SECONDS, "mip_rel_gap": CHEAP},
    )
    if solved.x is None:
        return None
    rises, falls = np.split(solved.x, 2)
    return np.asarray(rises - falls)
