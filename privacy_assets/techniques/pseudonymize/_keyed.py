"""Keyed one-way functions of identifiers: the only place where a key meets a value.

Belongs here: deriving a key for each use, and HMAC-SHA-256 over many texts at once. Does not belong here: where keys
come from, and which technique uses what for which end. The primitives are those of the libraries cryptography and
polars-hash.
"""

from __future__ import annotations

import polars as pl
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from privacy_assets.techniques.pseudonymize._domains import normalized
from privacy_assets.words import IdentifierDomain


def macs(texts: pl.Series, key: str, use: str) -> pl.Series:
    """HMAC-SHA-256 (RFC 2104) of each text in UTF-8, as 64 hex digits, under the key's own sub-key for this `use`.

    The sub-key is HKDF-Expand(key, use) (RFC 5869 section 2.3; `key` is uniform, so that there is nothing to extract),
    its hex digits are the HMAC key: functions of one value for two uses tell nothing of each other.
    Raises ValueError where `key` is not the hex text of 32 bytes.
    """
    if len(key) != 64:
        raise ValueError("a key is the hex text of 32 bytes")
    subkey = HKDFExpand(SHA256(), 32, use.encode()).derive(bytes.fromhex(key)).hex()
    import polars_hash as plh  # only a run should pay for it

    return texts.rename("text").to_frame().select(plh.col("text").chash.hmac_sha256(key=subkey)).to_series()


def pseudonyms(values: pl.Series, key: str, domain: IdentifierDomain, use: str) -> pl.Series:
    """For each value the text of its pseudonym, a UUID of version 8 (RFC 9562 section 5.8).

    The first 16 bytes of the MAC of the normalized value with the six bits that the RFC fixes: 122 bits are left, by
    which n people collide with a probability of about n² / 2^123 (10^10 people: 10^-17).
    """
    mac = macs(normalized(values, domain), key, use)
    variant = mac.str.slice(16, 1).replace_strict({digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"})
    head = mac.str.slice(0, 8) + "-" + mac.str.slice(8, 4) + "-8" + mac.str.slice(13, 3)
    return head + "-" + variant + mac.str.slice(17, 3) + "-" + mac.str.slice(20, 12)
