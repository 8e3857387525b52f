"""What is done to one column on its way from minimized to pseudonymized. One technique, one file.

A technique is a module with

* `Parameters(Frozen)` with `kind: Literal["<file name>"]`: what a purpose writes in YAML. Every other field says which
  change of it hides less (`weakening.py`);
* `expression(parameters, column, value, mapped) -> sqlglot expression`: the value that leaves, of the type that
  `output` tells. `column` (a `words.Column`) is what is known of the column that arrives, `value` is SQL for its value,
  `mapped` is SQL for the value found for this row in the technique's keyed map, or None if the technique has no map;
* `output(parameters, column) -> Column`: what is known of the column afterwards: type, role, technique, domain;
* `violated(parameters, column) -> sqlglot condition`: true for a value that this technique can never put out. It is
  asked of what was written, under the column's name, so it shares no code with `expression`;
* `fault(parameters, column) -> str | None`: why this technique does not fit this column (its type, its role), in
  words, or None. Asked when purposes are loaded, before anything runs: the other functions may take for granted that
  there is no fault.

A technique that takes what identifies out of free text has

* `REDACTS = True`: it may be named for a column that the contract calls free text, and no other technique may. It is
  applied on the way from raw to minimized already; `mapped` is then SQL for a list of texts, the direct identifiers
  that are known of the row's person, or None where nothing knows any;
* `PLACEHOLDERS` and `SUBJECT`, if texts are left: what it puts in the place of each kind, and of those identifiers.
  Then the text is asked whether it still holds one of those.

A technique whose work no SQL says also has

* `FUNCTION`: the engine types of its arguments, and of its result last;
* `function(*arguments: polars.Series) -> polars.Series`: what the stage makes known to the engine under the technique's
  name, for `expression` to call. It is given some rows at a time, none with a NULL, and has one value for each;
* `BUILT_OF`: the modules that it is built of, whose source is part of what it does.

A technique that draws, so that the same value leaves otherwise each time, has

* `DRAWS = True`, and a `FUNCTION` (OpenDP draws, no SQL does): it is called for every row, also where the engine knows
  that rows are alike. `techniques/noise.py` is where it draws, which stands in `BUILT_OF`;
* `local_epsilon(parameters) -> float`: the ε of local differential privacy of one value of one row, NULL among the
  values: for any two values x, y that could have arrived and any z, P(z | x) ≤ e^ε P(z | y).

Of such a technique laws of its distribution hold instead of equality: the same input gives another content digest,
each version that is made is a new answer of everybody in it and spends ε again, and of two runs at once the second is
refused. (Answers could be remembered in a vault, as surrogates are: one for each row and value, under a key. Nobody
built that; until then make such a version as seldom as it is needed.)

A technique that needs a secret also has

* `MAPS`: "value" (a map over the distinct values of its own column) or "subject" (over the distinct subjects);
* `mapped_type(parameters)`: the engine type of the mapped value;
* `map_values(parameters, values, key, domain) -> polars.Series`: for each distinct value (text, not null) its mapped
  value, in order, as text or number that casts to `mapped_type`. `key` is the hex text of the 256-bit key of this
  purpose, epoch and identifier domain; `domain` is the `words.IdentifierDomain` of the values, which says how they are
  written alike first.

A technique whose mapped values are drawn, and so must be remembered, keeps them in a token vault. It has

* `VAULT = True`;
* `issue(parameters, values, key, domain, known) -> polars.DataFrame[mac, surrogate]`: the rows to add to the vault
  before `values` can be mapped. `known` is the vault of this purpose, epoch and identifier domain, with the same two
  text columns; `mac` stands for a normalized value and these parameters, and tells nothing of them without the key.
  Only new rows are returned. One whose `mac` is known already takes the place of the row that was there, which would
  have been a real person's from now on. The answer depends on the key, on `known` and on the set of values alone;
* `map_values(..., known)`: as above, by the vault as it is after those rows were added; of several rows with one `mac`
  the last one counts.

No technique uses the key as it is: each derives one of its own for each use, so that a token tells nothing of the
days by which the same person's dates were moved.
"""

from __future__ import annotations

from privacy_assets.discovery import members, union

PSEUDONYMIZE = members(__name__, ("expression", "output", "violated", "fault"))
Technique = union(PSEUDONYMIZE)
