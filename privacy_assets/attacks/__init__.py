"""The adversary: what somebody could try on a release. One attack, one file.

An attack is a module with

* `Parameters(Frozen)` with `kind: Literal["<file name>"]`: what the adversary knows and how often they try;
* `attack(parameters, target, generator) -> Sequence[Tries]`: what came of it, in counts: never a row, never a value;
* `ADVERSARY`: in one sentence, who that is and what they want;
* `ON`: the stage that it is tried on, which says what `target` is: `_trying.Target` for synthetic,
  `_generalized.Generalized` for anonymized, `_modelled.Modelled` for models.
* `OF_A_PERSON = True`, where it is so: whether a try succeeds is an event of one person's row and of what was released,
  whoever else is in the data; that is what (ε, δ) bounds (`invariants/attack_excess`).

Every attack is tried on three sorts of people alike: those whose rows were in the release's source, others of the same
population who were not (the *control*), and, with a guess that looks at no release, the *baseline*. Only what succeeds
more often against the first than against the second can have come from them. All choices are drawn from `generator`.
Of rows two groups are told of: everyone, and the most exposed, who are least like others; of models, everyone. Equally
many people of both sorts are tried, so that their sizes make no difference.
An attack takes no part in how a release is made, and shares no code with it.
"""

from __future__ import annotations

from privacy_assets.discovery import members, union

ATTACKS = members(__name__, ("attack",))
Attack = union(ATTACKS)
