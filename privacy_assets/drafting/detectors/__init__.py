"""What kind of value stands in a column. One kind, one file; each answers by the values and by the header.

A detector is a module with

* `Parameters(Frozen)` with `kind: Literal["<file name>"]`, and `at_least`: the share of a column's values that have to
  be of this kind before the column is taken for it;
* `ROLE` and `CATEGORY`: what such a column says about a person (a role of `words.Role`, a key of the Fides taxonomy),
  and `DOMAIN`, the `words.IdentifierDomain` of its values (None where they have none in common);
* `HEADERS`: words of a header that speak for this kind, each a tuple of words that have to stand in it together;
* `fits(values) -> polars.Series[bool]`: which of the values (text, trimmed, not empty) are of this kind.

A detector whose kind can be told apart within a text also has

* `inside(texts) -> polars.Series[UInt32]`: how many of the kind each text holds. What words can look like is not
  counted without check digits: it is evidence for people, and what is not found may stand there all the same;
* `CALLED`: what one of them is called in a sentence, with its article.

Checksums and tables are those of libraries (python-stdnum, phonenumbers, Faker), asked only for values of the right
form. No detector sees anything but a sample of distinct values, keeps any, or names one in an error.
"""

from __future__ import annotations

from types import MappingProxyType

from privacy_assets.discovery import members

DETECTORS = members(__name__, ("fits",))
SEARCHERS = MappingProxyType({kind: one for kind, one in DETECTORS.items() if hasattr(one, "inside")})
