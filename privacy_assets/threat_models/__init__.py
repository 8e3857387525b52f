"""Who might attack a release, and what they must not reach: named threat models. One threat model, one file.

A threat model is a module with

* `Parameters(Frozen)` with `kind: Literal["<file name>"]`: its operating points and ceilings, each with a default;
* `on_synthetic(parameters, secret) -> Sequence[Asked]`: which attacks are tried on synthetic rows, and what may come of
  each, where an adversary wants the columns `secret` of a person;
* `on_anonymized(parameters, secret, k) -> Sequence[Asked]`: the same of generalized rows, which were made for that k
  (0: by labels that have no level);
* `on_model(parameters) -> Sequence[Asked]`: the same of a model;
* `WHO`: in one sentence, from whom it protects.

A ceiling is on the *excess*: how much more often an attack succeeds against people whom a release was made from than
against others of the same population, at the upper end of its 95 % interval. Too few tries decide nothing, and do not
pass.
"""

from __future__ import annotations

from privacy_assets.discovery import members, union

THREAT_MODELS = members(__name__, ("on_synthetic", "on_anonymized", "on_model"))
ThreatModel = union(THREAT_MODELS)
