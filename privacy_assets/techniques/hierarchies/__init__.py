"""How the values of one column become coarser, level by level, up to `*`. One way, one file.

A hierarchy is a module with

* `Parameters(Frozen)` with `kind: Literal["<file name>"]`: what a purpose writes in YAML;
* `levels(parameters, column, values: polars.Series) -> list[polars.Series]`: of different values (never NULL) of the
  column, the label of each at every level: the finest first, `*` last, all as text. Values with one label at a level
  have one label at each level after it: they nest. NotKept where a value has no place in it, counted, never named;
* `domain(parameters, column) -> tuple[str, ...] | None`: every label that can come out, where that is known before
  there is any data; None where only the data says. A model may learn from the former alone;
* `fault(parameters, column) -> str | None`: why this hierarchy does not fit this column, in words, or None.

NULL is a value of its own at every level but the last, where it is `*` like all others.
"""

from __future__ import annotations

from privacy_assets.discovery import members, union

HIERARCHIES = members(__name__, ("levels", "domain", "fault"))
Hierarchy = union(HIERARCHIES)

ROOT = "*"
"""The label of every value at the last level."""
