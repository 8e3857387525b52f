"""Replaces an identifier by a pseudonym that only the holder of the key can make again.

Belongs here: identifiers that rows are joined by, when nobody needs to see what they looked like. Does not belong
here: identifiers that must keep their form (`surrogate`), identifiers that nothing is joined by (`redact`).

The argument: a MAC under a 256-bit key is a pseudorandom function, so without the key a token tells no more than which
rows are about the same person, and a list of all identifiers does not help to name one (a hash without a key falls to
exactly that). Keys differ by purpose, epoch and identifier domain, so tokens of two purposes do not join. What it
does not cover: how often a value occurs is still seen, which is why small domains are refused where they are measured.
The result is still personal data (GDPR art. 4(5)). It names nobody outside, so it is no direct identifier; it singles
out and links the rows of one person, and so it is a quasi-identifier, never an attribute.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import polars as pl
from sqlglot import exp

from privacy_assets.techniques.pseudonymize._columns import INTEGERS, TEXT, nameless, reference, unlike
from privacy_assets.techniques.pseudonymize._keyed import pseudonyms
from privacy_assets.words import Column, Frozen, IdentifierDomain, Role

MAPS = "value"

_VERSION_8 = "^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"


class Parameters(Frozen):
    """Nothing to choose."""

    kind: Literal["token"]


def mapped_type(parameters: Parameters) -> str:
    """A token takes the 16 bytes of a UUID."""
    return "UUID"


def map_values(parameters: Parameters, values: pl.Series, key: str, domain: IdentifierDomain) -> pl.Series:
    """The token of each value, as 32 hex digits of a UUID of version 8; values that are written alike share one."""
    return pseudonyms(values, key, domain, parameters.kind)


def expression(parameters: Parameters, column: Column, value: exp.Expr, mapped: exp.Expr | None) -> exp.Expr:
    """The token; a value that has none leaves as NULL, never as it was."""
    return mapped if mapped is not None else exp.cast(exp.null(), "UUID")


def output(parameters: Parameters, column: Column) -> Column:
    """A UUID that singles out one person; it keeps its identifier domain, by which tokens join within a purpose."""
    return replace(column, type="UUID", role=Role.QUASI_IDENTIFIER, technique=parameters.kind, domain=None)


def violated(parameters: Parameters, column: Column) -> exp.Expr:
    """True for a value that is not a UUID of version 8 (RFC 9562): an identifier as it was, or a random one."""
    value = reference(column)
    looks = exp.RegexpLike(this=exp.cast(value, "VARCHAR"), expression=exp.Literal.string(_VERSION_8))
    return exp.and_(exp.Is(this=value.copy(), expression=exp.null()).not_(), looks.not_())


def fault(parameters: Parameters, column: Column) -> str | None:
    """Fits text, whole numbers and UUIDs that have an identifier domain."""
    return nameless(column) or unlike(column, {*TEXT, *INTEGERS, exp.DType.UUID}, "text, a whole number or a UUID")
