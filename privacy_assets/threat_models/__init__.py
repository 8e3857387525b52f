"""Who might attack a release, and what they must not reach: named threat models. One threat model, one file.

A threat model is a module with

* `Parameters(Frozen)` with `kind: Literal["<file name>"]`: its operating points and ceilings, each with a default;
* `asked(parameters, known, secret) -> Sequence[Asked]`: which attacks are tried, and what may come of each, where an
  adversary knows the columns `known` of a person and wants those of `secret`;
* `WHO`: in one sentence, from whom it protects.

A ceiling is on the *excess*: how much more often an attack succeeds against people whom a release was made from than
against others of the same population, at the upper end of its 95 % interval. Too few tries decide nothing, and do not
pass.
"""

from __future__ import annotations

from privacy_assets.discovery import members, union

THREAT_MODELS = members(__name__, ("asked",))
ThreatModel = union(THREAT_MODELS)
