"""Writes identifiers alike before they are compared or keyed, so that one person does not become two.

Belongs here: one rule for each `normalization` of `words.IdentifierDomain`. Does not belong here: anything keyed. The
rules are for distinct values, where the libraries that know e-mail, names and telephone numbers can be asked one by
one. What is written alike is one person from then on: two people who share an address collapse, which is measured.
"""

from __future__ import annotations

import polars as pl

from privacy_assets.words import IdentifierDomain


def normalized(values: pl.Series, domain: IdentifierDomain) -> pl.Series:
    """Each of `values` (text, not null) as the domain writes it; idempotent for `none`, `email` and `name`.

    `email`: compatibility form NFKC (Unicode TR15), full case folding, no white space around it. The part before the
    @ is folded too, as mail providers do (RFC 5321 lets them differ). `name`: the same, and white space inside
    collapses to one space. `phone`: E.164 by the library phonenumbers, read in the domain's region, without
    extension; what is no telephone number in that region becomes its digits, and trimmed text if it has none.
    """
    match domain.normalization:
        case "none":
            return values
        case "email":
            return _folded(values).str.strip_chars()
        case "name":
            return _folded(values).str.replace_all(r"\s+", " ").str.strip_chars()
        case "phone":
            return pl.Series(values.name, [_e164(text, domain.region) for text in values.to_list()], pl.String)


def _folded(values: pl.Series) -> pl.Series:
    # Of ASCII the compatibility form is the text itself, and folding is lower case: the rest alone needs more.
    folded = values.str.to_lowercase()
    others = (values.str.len_bytes() != values.str.len_chars()).arg_true()
    return folded.scatter(others, _folded_beyond_ascii(values.gather(others))) if len(others) else folded


def _folded_beyond_ascii(values: pl.Series) -> pl.Series:
    composed = values.str.normalize("NFKC")
    # Case folding is more than lower case (STRASSE, Straße), and may take a text out of NFKC again.
    folded = pl.Series(values.name, [text.casefold() for text in composed.to_list()], pl.String)
    return folded.str.normalize("NFKC")


def _e164(text: str, region: str | None) -> str:
    import phonenumbers  # only a run should pay for its tables

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return "".join(letter for letter in text if letter.isdecimal()) or text.strip()
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
