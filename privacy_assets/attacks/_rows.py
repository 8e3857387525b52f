"""Rows as single numbers, and which of them are alike.

Belongs here: what several attacks ask of whole rows. Does not belong here: distances to the nearest (`_nearest.py`).

The mark of a row is the sum of one 64-bit number per cell, made of the column's name and the code, modulo 2**64. It
does not depend on the order of columns, and the mark without one column is a subtraction. Two different rows share a
mark with probability 2**-64 each: with a million rows on both sides, about one pair in ten million tables.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from privacy_assets.coded import Coded

Marks = npt.NDArray[np.uint64]
_ODD = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))

_BITS = 18
"""By so many last bits of their marks most rows are told to be none of a few thousand others."""


def cells(table: Coded, column: int) -> Marks:
    """(rows,) what the cells of this column add to the marks of their rows (splitmix64 of name and code)."""
    name = hashlib.sha256(table.domains[column].name.encode()).digest()[:8]
    found = table.codes[:, column].astype(np.uint64) * _ODD[0] + np.uint64(int.from_bytes(name, "little"))
    for shift, odd in zip((30, 27), _ODD[1:], strict=True):
        found = (found ^ (found >> np.uint64(shift))) * odd
    return found ^ (found >> np.uint64(31))


def marks(table: Coded) -> Marks:
    """(rows,) the marks."""
    found = np.zeros(table.rows, np.uint64)
    for column in range(len(table.domains)):
        found += cells(table, column)
    return found


def in_order(table: Coded) -> Coded:
    """The same rows in an order that depends on nothing but what they hold, and that puts no value first."""
    return table.take(order(table))


def order(table: Coded) -> npt.NDArray[np.int64]:
    """(rows,) the places of its rows in that order."""
    return np.argsort(marks(table), kind="stable")


def identical(people: Coded, released: Coded) -> npt.NDArray[np.bool_]:
    """(people,) whether the very same row was released."""
    return _among(marks(people), marks(released))


def all_but_one(people: Coded, released: Coded) -> npt.NDArray[np.bool_]:
    """(people,) whether a row was released that differs in at most one column."""
    own, theirs = marks(people), marks(released)
    found = _among(own, theirs)
    for column in range(len(people.domains)):
        found |= _among(own - cells(people, column), theirs - cells(released, column))
    return found


def _among(few: Marks, many: Marks) -> npt.NDArray[np.bool_]:
    """(few,) whether each is one of the many, of which only those are sorted that share their last bits with one."""
    possible = np.zeros(1 << _BITS, np.bool_)
    last = np.uint64((1 << _BITS) - 1)
    possible[few & last] = True
    return np.isin(few, many[possible[many & last]])
