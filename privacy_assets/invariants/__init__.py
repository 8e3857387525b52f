"""The measures: properties of what was written, asked of the output. One invariant, one file.

An invariant is a module with

* `Parameters(Frozen)` with `kind: Literal["<file name>"]`;
* `about(parameters) -> str`: the column it speaks of, "" for the whole table: a legal name (letters, digits, `_`);
* `question(parameters, output, references) -> sqlglot Select`: one row of named numbers, measured on the table
  `output`. `references` are the tables it is compared with, by the name that the invariant documents (`input`,
  `consents`, `quarantine`, `evidence`). The moment of asking is the bound parameter `$now` (TIMESTAMP, UTC). The text
  of the question is recorded with the answer: a threshold may never stand in it;
* `judge(parameters, numbers) -> Finding`: the verdict on those numbers under these parameters. Asked when a candidate
  is measured, and again at every read, with the thresholds of that day. Missing numbers are inconclusive.

An invariant that compares with the version before has the reference `previous`, and says so with `OF_PREVIOUS = True`.

An invariant whose answer depends on more than the question's text says so with `meaning(parameters) -> str`, which is
recorded with it.

Every field of `Parameters` says which change of it is the weaker one (`weakening.py`). An invariant that is promised
only because of what is declared and compared elsewhere says so of its `kind`.

Thresholds stand in `Parameters` and are used in `judge` alone, so that lowering or raising one is judged on what was
measured, while a change of what is measured is noticed as a question that was never asked.
"""

from __future__ import annotations

from privacy_assets.discovery import members, union

INVARIANTS = members(__name__, ("about", "question", "judge"))
Invariant = union(INVARIANTS)
