"""Rows of nobody, drawn from what was learned of a table. One synthesizer, one file.

A synthesizer is a module with

* `Parameters(Frozen)` with `kind: Literal["<file name>"]`: what a purpose writes in YAML;
* `cost(parameters) -> PrivacyLoss | None`: what it costs a person under differential privacy, or None where it makes no
  such promise. It is debited before `synthesize` is called;
* `synthesize(parameters, table, *, rows, rows_per_person, seed) -> Coded`: rows over the same domains. `rows` is how
  many, or None: as many as were fitted (under differential privacy, as many as a noisy count says). Nobody has more
  than `rows_per_person` rows in `table`. The same table in the same order, parameters and seed give the same rows, but
  where `cost` is not None: noise takes no seed.

One that says `LINKED = True` sees the purpose's tables instead of its features. Its `synthesize(parameters, table, *,
people, rows_per_person, seed) -> Linked` draws so many people (None: as many as were learned from) with their rows, at
most `rows_per_person` in a table; the features' SQL is run over what it draws.

One that takes seconds for a few thousand rows says `SLOW = True`: what runs it dozens of times over waits for the red
team.

A synthesizer sees codes of declared domains (`coded`), so that it can tell no domain. It proves nothing: attacks and
invariants measure what was written. Those that bring large libraries import them in the function.
"""

from __future__ import annotations

from typing import Any

from privacy_assets.discovery import members, union

SYNTHESIZE = members(__name__, ("cost", "synthesize"))
Synthesizer = union(SYNTHESIZE)


def is_linked(parameters: Any) -> bool:
    """Whether this synthesizer sees several tables."""
    return bool(getattr(SYNTHESIZE[parameters.kind], "LINKED", False))
