"""Which rows may go from raw to minimized. One rule, one file; each answers with a condition that a row must meet.

A rule is a module with

* `Parameters(Frozen)` with `kind: Literal["<file name>"]`;
* `admits(parameters, row, consents) -> sqlglot condition`: true for a row that may be used, false for any other,
  never NULL. `row` is the alias of the dataset's table, `consents` the table of consent records (or None). The moment
  of asking is the bound parameter `$now` (TIMESTAMP, UTC), so that the text of a rule does not change from day to day.
"""

from __future__ import annotations

from privacy_assets.discovery import members

MINIMIZE = members(__name__, ("admits",))
