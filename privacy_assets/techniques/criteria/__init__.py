"""What must be true of each class of people who look alike. One criterion, one file.

A class holds the rows that have one generalized value in every quasi-identifier. A criterion is a module with

* `Parameters(Frozen)` with `kind: Literal["<file name>"]`: what a purpose writes in YAML. Where the criterion speaks of
  a sensitive column, `column` names it, and None means each one that the purpose has;
* `merges(parameters) -> bool`: whether it still holds when a class for which it holds is put together with *any*
  other. The search may then conclude from a general candidate what cannot be kept at any finer one;
* `holds(parameters, classes) -> (classes,) of bool`: for which of them it holds;
* `nearest(parameters, whole) -> str`: of all rows as one class, what could be asked for at most, in words;
* `fault(parameters, column) -> str | None`: why it cannot be asked of this sensitive column, or None.

One that asks something of single values has `coarse_enough(parameters, column, labels) -> bool`: whether a level of a
quasi-identifier's hierarchy, with these labels, may be published at all.

A criterion steers the search and proves nothing: the invariant of the same name measures what came out, and shares no
code with this. Its parameters have the same names.
"""

from __future__ import annotations

from privacy_assets.discovery import members, union

CRITERIA = members(__name__, ("merges", "holds", "nearest", "fault"))
Criterion = union(CRITERIA)
