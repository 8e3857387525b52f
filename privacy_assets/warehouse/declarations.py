"""What every declaration meant that the ledger names: its text, sealed, under its digest.

    <home>/declarations/<digest>     nonce, ciphertext and tag of AES-256-GCM, bound to the digest

Belongs here: these files. Does not belong here: what a text is and means (`contracts/meaning.py`), when one is kept,
and under which key (`gate.py`).

A text is there before the ledger names it, is never changed and never removed: it is a promise, and nobody's data. One
that no entry names, as nothing was published after all, is a text all the same.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from privacy_assets import durable
from privacy_assets.contracts.meaning import digest_of
from privacy_assets.errors import Tampered
from privacy_assets.warehouse.home import Home

_NONCE_BYTES = 12


def keep(home: Home, key: bytes, text: str) -> None:
    """Keep a text, sealed with `key` (32 bytes); one that is there stays."""
    digest = digest_of(text)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = nonce + AESGCM(key).encrypt(nonce, text.encode(), digest.encode())
    durable.create(home.declarations / digest, sealed)


def is_kept(home: Home, digest: str) -> bool:
    """Whether there is a text of this digest."""
    return (home.declarations / digest).exists()


def kept(home: Home) -> tuple[str, ...]:
    """The digests of all texts."""
    return tuple(sorted(path.name for path in home.declarations.iterdir() if not path.name.startswith(".")))


def read(home: Home, key: bytes, digest: str) -> str | None:
    """The text of this digest; None where none is kept. Raises Tampered where it is not what its name says."""
    path = home.declarations / digest
    sealed = durable.read(path)
    if sealed is None:
        return None
    try:
        text = AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], digest.encode()).decode()
    except (InvalidTag, ValueError):
        text = ""
    if digest_of(text) != digest:
        raise Tampered.of(
            "the text of a declaration was changed, or moved from elsewhere",
            where=str(path),
            expected=f"the text with the SHA-256 {digest}, which the ledger names",
            next_step="put the file back from a backup of the home; what was published under it is not touched",
        )
    return text
