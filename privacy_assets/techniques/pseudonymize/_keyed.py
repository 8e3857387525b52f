"""Keyed one-way functions of identifiers: the only place where a key meets a value.

Belongs here: deriving a key for each use, and HMAC-SHA-256 over many texts at once. Does not belong here: where keys
come from, and which technique uses what for which end. The primitives are those of the libraries cryptography and
polars-hash.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import polars as pl
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from privacy_assets.techniques.pseudonymize._domains import normalized
from privacy_assets.words import IdentifierDomain

_BATCH = 50_000


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
    """For each value the 32 hex digits of its pseudonym, a UUID of version 8 (RFC 9562 section 5.8).

    The first 16 bytes of the MAC of the normalized value with the six bits that the RFC fixes: 122 bits are left, by
    which n people collide with a probability of about n² / 2^123 (10^10 people: 10^-17).
    """

    def some(start: int) -> pl.Series:
        return _as_uuids(macs(normalized(values.slice(start, _BATCH), domain), key, use))

    # in batches, so that what lies between a text and its pseudonym never lies in memory for all of them at once
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        return pl.concat(pool.map(some, range(0, max(len(values), 1), _BATCH))).rename(values.name)


def _as_uuids(mac: pl.Series) -> pl.Series:
    if mac.is_empty():
        return mac
    if mac.null_count():
        raise ValueError("a value without text has no pseudonym")
    import numpy as np  # as below: only a run should pay for them
    import pyarrow as pa

    variant = np.zeros(256, np.uint8)
    for digit in range(16):
        variant[ord(f"{digit:x}")] = ord(f"{8 + digit % 4:x}")
    digits = mac.to_arrow(compat_level=pl.CompatLevel.oldest()).buffers()[2]
    # the first 32 of 64 digits, copied eight at a time
    halves = np.frombuffer(digits, np.uint64, 8 * len(mac)).reshape(-1, 8)[:, :4].copy()
    uuids = halves.view(np.uint8)
    uuids[:, 12] = ord("8")
    uuids[:, 16] = variant[uuids[:, 16]]
    places = np.arange(0, 32 * len(mac) + 1, 32)
    texts = pa.LargeStringArray.from_buffers(len(mac), pa.py_buffer(places), pa.py_buffer(uuids))
    return pl.Series(mac.name, texts)
