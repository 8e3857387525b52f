"""E-mail addresses: one @, no white space, a domain with a dot."""

from __future__ import annotations

from typing import Literal

import polars as pl

from privacy_assets.drafting.detectors._asking import like
from privacy_assets.words import Frozen, IdentifierDomain, Role

ROLE = Role.DIRECT_IDENTIFIER
CATEGORY = "user.contact.email"
DOMAIN = IdentifierDomain(name="email", normalization="email")
HEADERS = (("email",), ("e", "mail"), ("mail", "address"))


class Parameters(Frozen):
    """The share of values from which a column holds e-mail addresses."""

    kind: Literal["email"] = "email"
    at_least: float = 0.8


def fits(values: pl.Series) -> pl.Series:
    """A form of RFC 5321 without quoted local parts and address literals, which nobody has."""
    return like(values, r"[^\s@,;<>\"]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+\p{L}{2,24}")
