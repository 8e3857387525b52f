"""The statistics that a purpose may ask for. One kind of query, one file.

A kind is a module with

* `Parameters(Grouped)` with `kind: Literal["<file name>"]`;
* `fault(parameters, columns) -> (field, text) | None`: why it does not fit the features' columns, if it does not;
* `reads(parameters) -> names of columns`;
* `cells(parameters, columns) -> labels`: every cell of its answer, from the declarations alone, so that which cells
  there are tells nothing of anybody;
* `exact(parameters, columns) -> sqlglot Select`: over the table `bounded`, one row a cell that somebody is in:
  `cell`, `exact_1`, `exact_2` (integers, NULL where there is no second);
* `plan(parameters, measure, loss, rows) -> mechanisms`: one for each of `exact_1`, `exact_2`, whose losses add up to
  no more than `loss`. Beside it stands the argument for its sensitivity;
* `answer(parameters, columns, exact, mechanisms) -> Answers`: draws once from each mechanism, and says what came of it;
* `plain(parameters, columns) -> Plain | None`: how it is told without noise (`_tables.py`), if it can be.

`bounded` holds no more than `rows` rows of one person (`_bounding.py`). The privacy unit is the person: two tables are
neighbours where one has all rows of one person more than the other.
"""

from __future__ import annotations

from privacy_assets.discovery import members, union

AGGREGATE = members(__name__, ("fault", "reads", "cells", "exact", "plan", "answer", "plain"))
Query = union(AGGREGATE)
