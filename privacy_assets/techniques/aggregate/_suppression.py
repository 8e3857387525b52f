"""Cell suppression: which cells of plain statistics are not told, so that no told one gives them away.

**Primary.** A cell is not told where fewer than `at_least_subjects` = k people are in it, nobody included, or where the
`largest` people with most in it have more than `share_at_most` of it (the dominance, or (n, k), rule).

**Complementary.** What cells are told, they tell of sums of the others. With x the table as it is, a primary cell p is
protected if there is another table x' of numbers that could be, with the same told cells, in which

    x'_p >= x_p + need_p

where need_p is k times the most rows that one person has in p, where rows are counted (k people more, each with as
many, could be there for all that is told), and the largest contribution of a person where amounts are added up
(nobody's can be told to within itself). The least costly change y = x' - x is searched as a linear program, for counts
an integer one:

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

MOST_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure of all cells: rows, or an amount; arrays of one number a cell.

    `asked`: the cell would be told. `primary`: it has to be protected. `fixed`: it is known to everybody whatever is
    told. `whole`: the numbers are counts, and not below zero; else they may be below zero if `negative`.
    """

    exact: Numbers
    asked: Bools
    primary: Bools
    fixed: Bools
    need: Numbers
    whole: bool
    negative: bool = False


def untold(sums: Sequence[tuple[int, Sequence[int]]], measured: Sequence[Measured]) -> Bools:
    """Which cells are not told, of all measures together."""
    size = len(measured[0].exact)
    adds_up = _matrix(sums, size)
    out = np.logical_or.reduce([each.primary & each.asked for each in measured])
    for each in measured:
        out |= _complementary(adds_up, each, out)
    return np.asarray(out & np.logical_or.reduce([each.asked for each in measured]))


def _matrix(sums: Sequence[tuple[int, Sequence[int]]], size: int) -> Any:
    from scipy.sparse import coo_array

    rows, columns, values = [], [], []
    for row, (whole, parts) in enumerate(sums):
        rows += [row] * (len(parts) + 1)
        columns += [whole, *parts]
        values += [1.0] + [-1.0] * len(parts)
    return coo_array((values, (rows, columns)), shape=(len(sums), size)).tocsr()


def _complementary(adds_up: Any, measured: Measured, out: Bools) -> Bools:
    """The cells that are not told for the sake of this measure, beside those that are not told anyway."""
    out = out.copy()
    waiting = measured.primary.copy()
    while waiting.any():
        # as many as are protected by what is not told already, at once
        moved = _change(adds_up, measured, out, waiting)
        safe = waiting & (moved >= measured.need * (1 - ROUNDED))
        waiting &= ~safe
        if safe.any():
            continue
        place = int(np.flatnonzero(waiting)[measured.need[waiting].argmax()])
        moved = _change(adds_up, measured, out, place)
        out |= measured.asked & (np.abs(moved) > ROUNDED * measured.need[place])
        waiting &= ~(moved >= measured.need * (1 - ROUNDED))
    return out


def _change(adds_up: Any, measured: Measured, out: Bools, which: Bools | int) -> Numbers:
    """A change of the table that raises the cell `which` as far as it needs; or as many of some as are free to rise."""
    from scipy import sparse
    from scipy.optimize import Bounds, LinearConstraint, milp

    size = len(measured.exact)
    costs = measured.asked & ~out
    unit = 1.0 if measured.whole else float(measured.need[which].max())
    room = np.full(size, np.inf) if measured.negative else np.maximum(measured.exact, 0) / unit
    up, down = np.full(size, np.inf), room
    low = np.zeros(size)
    need = measured.need / unit
    cost: Numbers
    if isinstance(which, int):
        up, down = np.where(measured.fixed, 0.0, up), np.where(measured.fixed, 0.0, down)
        low[which], down[which] = need[which], 0.0
        cost = np.where(costs, 1.0 + np.abs(measured.exact), 0.0)
        cost /= max(float(cost.max()), 1.0)
        risen = np.zeros(0, dtype=np.int64)
    else:
        still = measured.fixed | costs
        up, down = np.where(still, 0.0, up), np.where(still, 0.0, down)
        risen = np.flatnonzero(which & ~still)
        cost = np.zeros(size)
    # the variables: how far each cell rises, how far it falls, and of those that are to rise how far they need it
    rises, falls = sparse.eye_array(size), sparse.eye_array(size)
    first = sparse.hstack([adds_up, -adds_up, sparse.csr_array((adds_up.shape[0], len(risen)))])
    constraints = [LinearConstraint(first.tocsr(), 0, 0)]
    if len(risen):
        chosen = rises.tocsr()[risen]
        counted = sparse.hstack([chosen, -falls.tocsr()[risen], -sparse.eye_array(len(risen))])
        constraints.append(LinearConstraint(counted.tocsr(), 0, np.inf))
    solved = milp(
        np.concatenate([cost, cost, -1 / need[risen]]),
        integrality=np.full(2 * size + len(risen), int(measured.whole)),
        bounds=Bounds(np.concatenate([low, np.zeros(size + len(risen))]), np.concatenate([up, down, need[risen]])),
        constraints=constraints,
        options={"time_limit": MOST_SECONDS, "mip_rel_gap": 0.05},
    )
    if solved.x is None:
        raise NotKept.of(
            "it could not be found out in time which cells have to be left out",
            expected=f"an answer within {MOST_SECONDS:g} seconds",
            found=f"{size:,} cells",
            next_step="ask for fewer groups in one purpose, or for the statistics under differential privacy",
        )
    moved = solved.x[:size] - solved.x[size : 2 * size]
    if not measured.whole:
        return np.asarray(moved * unit)
    moved = np.round(moved)
    if (adds_up @ moved).any() or (measured.exact + moved < 0).any():
        raise AssertionError("the solver's change of the table is no table")
    return np.asarray(moved)
