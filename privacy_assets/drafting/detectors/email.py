"""E-mail addresses: one @, no white space, a domain with a dot."""

from __future__ import annotations

from typing import Literal

import polars as pl

from privacy_assets.drafting.detectors._asking import counted, like
from privacy_assets.words import Frozen, IdentifierDomain, Role

ROLE = Role.DIRECT_IDENTIFIER
CATEGORY = "user.contact.email"
DOMAIN = IdentifierDomain(name="email", normalization="email")
HEADERS = (("email",), ("e", "mail"), ("mail", "address"))


CALLED = "an e-mail address"

_FORM = r"[^\s@,;<>\"]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+\p{L}{2,24}"


class Parameters(Frozen):
    """The share of values from which a column holds e-mail addresses."""

    kind: Literal["email"] = "email"
    at_least: float = 0.8


def fits(values: pl.Series) -> pl.Series:
    """A form of RFC 5321 without quoted local parts and address literals, which nobody has."""
    return like(values, _FORM)


def inside(texts: pl.Series) -> pl.Series:
    """The same form, anywhere."""
    return counted(texts, _FORM)
