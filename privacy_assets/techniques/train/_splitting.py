"""Deals people into train, validation and test, in SQL, so that nobody stands in two of them.

Belongs here: the expression that names a subject's split. Does not belong here: measuring that it held
(`invariants/splits_disjoint`).
"""

from __future__ import annotations

from typing import Protocol

import sqlglot
from sqlglot import exp

_RANGE = 2**32


class Shares(Protocol):
    """The shares of subjects in each split, which add up to 1."""

    @property
    def train(self) -> float:
        """In (0, 1)."""

    @property
    def validation(self) -> float:
        """In (0, 1)."""

    @property
    def test(self) -> float:
        """In (0, 1)."""


def split_expression(subject: exp.Expr, shares: Shares, seed: int) -> exp.Expr:
    """SQL that is 'train', 'validation' or 'test' for a subject, by nothing but the seed and the subject's text.

    u = first 32 bits of MD5("<seed>:<subject>"), as 8 hex digits, which order as the numbers do; 'train' for
    u < train * 2^32, 'validation' for u < (train + validation) * 2^32, else 'test'; NULL for a NULL subject. Every row
    of a subject so has one split, in every table and on every engine, and a subject keeps its split when others come
    and go. Only evenness is asked of MD5 here, not secrecy: subjects are keyed tokens already.
    """
    text = """CASE WHEN substring(md5($salted), 1, 8) < $train THEN 'train'
                   WHEN substring(md5($salted), 1, 8) < $validation THEN 'validation'
                   WHEN substring(md5($salted), 1, 8) >= $validation THEN 'test' END"""
    return exp.replace_placeholders(
        sqlglot.parse_one(text, dialect="duckdb"),
        salted=exp.DPipe(this=exp.Literal.string(f"{seed}:"), expression=exp.cast(subject.copy(), "text")),
        train=_hex(shares.train),
        validation=_hex(shares.train + shares.validation),
    )


def _hex(share: float) -> str:
    return f"{min(int(share * _RANGE), _RANGE - 1):08x}"
