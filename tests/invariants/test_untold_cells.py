"""untold_cells: cases for the conformance suite."""

ASKS = {"at_least_subjects": 2}
SUMS = """SELECT * FROM (VALUES
    (0, 4, 0), (0, 4, 1), (1, 5, 2), (1, 5, 3), (2, 6, 0), (2, 6, 2), (3, 7, 1), (3, 7, 3),
    (4, 8, 4), (4, 8, 5), (5, 8, 6), (5, 8, 7)) AS t(sum, whole, part)"""
EXACT = (1, 9, 8, 7, 10, 15, 9, 16, 25)
"""A table of two rows and two columns, the sums of the rows, those of the columns, and the total."""


def _cells(*hidden, exact=EXACT, need=2.0, negative="false", protected=0):
    rows = []
    for place, number in enumerate(exact):
        told = "NULL::DOUBLE" if place in hidden else f"{number}::DOUBLE"
        needed = f"{need}::DOUBLE" if place == protected else "NULL::DOUBLE"
        rows.append(f"(0, {place}, {told}, {number}::DOUBLE, {needed}, {negative})")
    cells = f"SELECT * FROM (VALUES {', '.join(rows)}) AS t(measure, place, told, exact, need, negative)"
    return {"asks": ASKS, "output": "SELECT 1 AS one", "cells": cells, "sums": SUMS}


KEPT = [
    _cells(protected=None) | {"numbers": {"cells": 9, "narrow": 0}},
    _cells(0, 1, 2, 3) | {"numbers": {"cells": 9, "narrow": 0}},
    # all may be below zero: nothing bounds them
    _cells(0, 1, 2, 3, need=1e6, negative="true") | {"numbers": {"narrow": 0}},
]
BROKEN = [
    _cells(0) | {"numbers": {"narrow": 1}},
    _cells(0, 1) | {"numbers": {"narrow": 1}},
    # the total is not told, but the sums of the rows are
    _cells(0, 8) | {"numbers": {"narrow": 1}},
    # it can be at most 9, the sum of its column
    _cells(0, 1, 2, 3, need=8.5) | {"numbers": {"narrow": 1}},
    _cells(0, 1, negative="true") | {"numbers": {"narrow": 1}},
]
INCONCLUSIVE = [_cells(0) | {"cells": _cells(0)["cells"] + " WHERE false"}]
