"""Named standards that a purpose refers to. One standard, one file.

A profile is a module with

* `Parameters(Frozen)` with `kind: Literal["<file name>"]`: what a purpose writes in YAML, which is the name alone;
* `criteria(parameters, columns) -> tuple[Criterion, ...]`: what it asks of these columns of the features;
* `SUPPRESSED_AT_MOST`: the share of rows that it lets a recoding suppress, unless the purpose says less.

Its text says who set the standard, where, and what it does not promise. A profile is never changed: a new standard is a
new file, and a purpose that refers to it has a new version.
"""

from __future__ import annotations

from privacy_assets.discovery import members, union

PROFILES = members(__name__, ("criteria",))
Profile = union(PROFILES)
