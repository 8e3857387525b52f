"""How rows are made to look alike: generalization and suppression. One technique, one file.

A technique is a module with

* `Parameters(Frozen)` with `kind: Literal["<file name>"]`: what a purpose writes in YAML;
* `recode(parameters, tuples, criteria, suppressed_at_most) -> Recoding`: what becomes of each combination of
  quasi-identifiers, so that every published class keeps every criterion, and at most that share of the rows is
  suppressed. NotKept where that cannot be, with what cannot be kept and the nearest that can;
* `output(parameters, column, labels) -> Column`: what is known of a quasi-identifier afterwards, where `labels` are
  those that its hierarchy can give, or None where only the data says;
* `EXACT`: in one sentence, what is optimal about the answer, and what is not.

A technique sees quasi-identifiers as levels of a hierarchy and counts of people, rows and sensitive values (`_tuples`).
It proves nothing: invariants measure what was written, and share no code with this.
"""

from __future__ import annotations

from privacy_assets.discovery import members, union

ANONYMIZE = members(__name__, ("recode", "output"))
Anonymizer = union(ANONYMIZE)
