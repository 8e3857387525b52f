"""What is done to one column on its way from minimized to pseudonymized. One technique, one file.

A technique is a module with

* `Parameters(Frozen)` with `kind: Literal["<file name>"]`: what a purpose writes in YAML;
* `expression(parameters, column, mapped) -> sqlglot expression`: the value that leaves, as SQL over the `column` that
  arrives; `mapped` is the value found for this row in the technique's keyed map, or None if it has none;
* `output(parameters, column) -> Column`: what is known of the column afterwards: type, role, technique, domain;
* `violated(parameters, column) -> sqlglot condition`: true for a value that this technique can never put out. It is
  asked of what was written, so it shares no code with `expression`;
* `fault(parameters, column) -> str | None`: why this technique does not fit this column (its type, its role), in
  words, or None. Asked when purposes are loaded, before anything runs.

A technique that needs a secret also has

* `MAPS`: "value" (a map over the distinct values of its own column) or "subject" (over the distinct subjects);
* `mapped_type(parameters)`: the engine type of the mapped value;
* `map_values(parameters, values, key, domain) -> polars.Series`: for each distinct value (text, not null) its mapped
  value, in order. `key` is the hex text of the 256-bit key of this purpose, epoch and identifier domain.
"""

from __future__ import annotations

from privacy_assets.discovery import members, union

PSEUDONYMIZE = members(__name__, ("expression", "output", "violated", "fault"))
Technique = union(PSEUDONYMIZE)
