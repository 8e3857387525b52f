"""International bank account numbers (ISO 13616), with their check digits where the column has them right."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

import polars as pl

from privacy_assets.drafting.detectors._asking import confirmed, counted, like
from privacy_assets.words import Frozen, IdentifierDomain, Role

ROLE = Role.DIRECT_IDENTIFIER
CATEGORY = "user.financial.bank_account"
DOMAIN: IdentifierDomain | None = None
HEADERS = (("iban",), ("bank", "account"))


CALLED = "an account number"


class Parameters(Frozen):
    """The share of values from which a column holds account numbers."""

    kind: Literal["iban"] = "iban"
    at_least: float = 0.6


def fits(values: pl.Series) -> pl.Series:
    """A country that has them, two digits, and as many letters and digits as that country's numbers have.

    The check digits are not asked for: a mistyped number still names an account's owner, and no other kind of value has
    this form.
    """
    bare = values.str.replace_all(r"[\s-]", "").str.to_uppercase()
    expected = bare.str.head(2).replace_strict(_lengths(), default=0, return_dtype=pl.Int64)
    return like(bare, r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}") & (bare.str.len_chars() == expected)


def inside(texts: pl.Series) -> pl.Series:
    """The form that a country's numbers have, with the right check digits: words can look like the rest."""
    from stdnum import iban

    def begins(text: str) -> bool:
        bare = re.sub(r"[\s-]", "", text).upper()
        return bool(iban.is_valid(bare[: _lengths().get(bare[:2], 0)]))

    form = r"\b[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]{1,4}){3,8}"
    return counted(texts, form, lambda found: confirmed(found, found.is_not_null(), begins))


@cache
def _lengths() -> dict[str, int]:
    """How long the numbers of each country are: its two letters, two check digits, and what the registry says."""
    from stdnum import numdb

    found = {}
    for _, country, _, about, _ in numdb.get("iban").prefixes:
        found[country] = 4 + sum(int(size) for size in re.findall(r"([0-9]+)!?[nac]", about["bban"]))
    return found
